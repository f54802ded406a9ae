/** An exporter as one of a fleet: what of the configuration makes it so, and what the outputs read of it. */
import { BgproutesDecoder } from '../bgproutes/live/decoder.ts';
import { decodeMessage } from '../bgproutes/live/message.ts';
import { type Config, configSecrets, MAX_PARTITION_PREFIXES } from '../config/config.ts';
import { ConfigError } from '../errors.ts';
import { FleetMember } from '../fleet/member/fleet-member.ts';
import { crowdedPartitions } from '../fleet/partitions.ts';
import type { Logger } from '../logger.ts';
import type { FleetFigures } from '../metrics/views/fleet-view.ts';
import type { Timers } from '../stream/timers.ts';

/** Undefined: the configuration has no fleet. @throws ConfigError when a partition has too many prefixes */
export function fleetOf(config: Config, timers: Timers, log: Logger, userAgent: string): FleetMember | undefined {
  const { fleet: settings } = config;
  if (settings === undefined) return undefined;
  const prefixes = config.prefixes.map(({ prefix }) => prefix);
  const problems = crowdedPartitions(prefixes, settings.partitions, MAX_PARTITION_PREFIXES);
  if (problems.length > 0) throw new ConfigError(problems);
  return new FleetMember({
    ...{ settings, timers, log, secrets: configSecrets(config) },
    // A client's name may hold no slash everywhere.
    clientId: userAgent.replaceAll(/[^A-Za-z0-9._-]/g, '-'),
    prefixes,
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
    get fenced() {
      return fleet.fenced;
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
