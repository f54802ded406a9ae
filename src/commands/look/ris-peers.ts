/** The peers of RIS for `vps --source=ris-live`, from RIPEstat: no key. */
import { vantagePointKey } from '../../bgp/vantage-point.ts';
import type { VantagePointsParams } from '../../bgproutes/data-api/types.ts';
import { ConfigError } from '../../errors.ts';
import { RipestatClient } from '../../ris-live/ripestat/client.ts';
import { RipestatHistory } from '../../ris-live/ripestat/history.ts';
import type { HistoryVp } from '../../stream/history.ts';
import { systemTimers } from '../../stream/timers.ts';
import { buildInfo } from '../../version.ts';
import type { CommandIo } from '../command.ts';
import { noteLogger } from '../terminal/note-logger.ts';

/** The peers that pass all filters, each once: an address that two collectors hear is one VP. */
export async function risPeers(
  baseUrl: string | undefined,
  filter: VantagePointsParams,
  io: CommandIo,
  signal: AbortSignal,
): Promise<HistoryVp[]> {
  const log = noteLogger(io.stderr, []);
  const client = clientOf(
    () =>
      new RipestatClient({
        ...{ sourceApp: 'bgproutes-exporter', userAgent: `bgproutes-exporter/${buildInfo(io.env).version}`, log },
        ...(baseUrl !== undefined && { baseUrl }),
      }),
  );
  const peers = await new RipestatHistory({ client, timers: systemTimers, log }).vantagePoints(signal);
  const seen = new Map(peers.filter((peer) => passes(peer, filter)).map((peer) => [vantagePointKey(peer.vp), peer]));
  return [...seen.values()];
}

function passes({ vp, status, country = '' }: HistoryVp, filter: VantagePointsParams): boolean {
  const has = <T>(list: readonly T[] | undefined, value: T) =>
    list === undefined || list.length === 0 || list.includes(value);
  return (
    has(filter.asns, vp.asn) &&
    has(filter.ips, vp.ip) &&
    has(filter.protocols, vp.protocol) &&
    has(filter.countries, country) &&
    has(filter.statuses, status)
  );
}

function clientOf<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ConfigError([`--ris-live.ripestat-url: ${error.message.replace(/^baseUrl: /, '')}`]);
  }
}
