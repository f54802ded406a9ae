/** An exporter as one of a fleet: what of the configuration makes it so, and what the outputs read of it. */
import { BgproutesDecoder } from '../bgproutes/live/decoder.ts';
import { decodeMessage } from '../bgproutes/live/message.ts';
import { type Config, configSecrets } from '../config/config.ts';
import { FleetMember } from '../fleet/member/fleet-member.ts';
import type { Logger } from '../logger.ts';
import type { FleetFigures } from '../metrics/views/fleet-view.ts';
import type { Timers } from '../stream/timers.ts';

/** Undefined: the configuration has no fleet. */
export function fleetOf(config: Config, timers: Timers, log: Logger, userAgent: string): FleetMember | undefined {
  const { fleet: settings } = config;
  if (settings === undefined) return undefined;
  return new FleetMember({
    ...{ settings, timers, log, secrets: configSecrets(config) },
    // A client's name may hold no slash everywhere.
    clientId: userAgent.replaceAll(/[^A-Za-z0-9._-]/g, '-'),
    prefixes: config.prefixes.map(({ prefix }) => prefix),
    decoder: (ids) => new BgproutesDecoder(ids),
    decode: (message) => {
      const read = decodeMessage(message);
      return read.ok ? read.update : undefined;
    },
  });
}

export function fleetFigures(fleet: FleetMember, partitions: number): FleetFigures {
  return {
    partitions,
    get isMember() {
      return fleet.isCurrent;
    },
    get restoreMs() {
      return fleet.restoreMs;
    },
    get unreadable() {
      return fleet.unreadable;
    },
    *owned() {
      for (const { partition, nextOffset, endOffset, watermarkAtMs } of fleet.replicas) {
        const lag = Math.max(0, endOffset - nextOffset);
        const stateAtMs = fleet.stateAtMs(partition);
        yield { partition, isShown: fleet.isShown(partition), lag, watermarkAtMs, stateAtMs };
      }
    },
  };
}
