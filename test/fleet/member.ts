/** A table and the replicas of its partitions, as a member of a fleet has them. */
import { type Prefix, parsePrefix } from '../../src/bgp/prefix.ts';
import { BgproutesDecoder } from '../../src/bgproutes/live/decoder.ts';
import { decodeMessage } from '../../src/bgproutes/live/message.ts';
import { SessionFeed } from '../../src/feed/session-feed.ts';
import { Replica } from '../../src/fleet/member/replica.ts';
import { createStreamStats } from '../../src/stream/stream-health.ts';
import { Fold } from '../../src/table/fold.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { TableIds } from '../../src/table/table-ids.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';

export const START_MS = 1_790_000_000_000;

/** @param partitionOf of a monitored prefix */
export function memberOf(prefixes: readonly string[], partitionOf: (prefix: string) => number, partitions: number) {
  const table = new RoutingTable({});
  const watched = prefixes.map((text) => ({
    ...{ prefix: parsePrefix(text) as Prefix, description: '', group: '', origins: [], upstreams: [] },
    sessions: [partitionOf(text)],
  }));
  table.watch(watched, START_MS);
  const fold = new Fold(table);
  const decoder = new BgproutesDecoder(new TableIds(table));
  const replicas = Array.from({ length: partitions }, (_, partition) => {
    const stats = createStreamStats('fleet', String(partition), START_MS);
    return new Replica({
      ...{ partition, table, stats, onVps: () => {}, onClockOffset: () => {}, onChange: () => {} },
      feed: new SessionFeed({ session: partition, stream: stats, fold, logger: new RecordingLogger(), decoder }),
      decode: (message) => {
        const read = decodeMessage(message);
        return read.ok ? read.update : undefined;
      },
    });
  });
  return { table, replicas };
}

/** So many VPs announce the prefix. */
export function announced(table: RoutingTable, prefix: string, vps: number): void {
  const state = table.prefixes.find(prefix);
  if (state === undefined) throw new Error(`not monitored: ${prefix}`);
  for (let i = 1; i <= vps; i++) {
    const vp = table.addVp({ protocol: 'bgp', asn: 64_500 + i, ip: `198.51.100.${i}` });
    const path = table.paths.intern(`${64_500 + i} 64600 64500`, 0);
    if (typeof path !== 'number') throw new Error('no room for a path');
    table.announce(state, vp, path, 1, START_MS * 1_000, START_MS);
    table.paths.discard(path);
  }
}
