/**
 * Which partition a prefix belongs to: the CRC-32 (IEEE 802.3, as gzip has it) of the canonical text of the outermost
 * monitored prefix that contains it, in ASCII, modulo the number of partitions. Nested monitored prefixes and all
 * more-specifics are so in one partition, where their order is kept. docs/fleet.md has values to check another implementation.
 */
import { crc32 } from 'node:zlib';
import type { Prefix } from '../bgp/prefix.ts';
import { Nearest } from '../table/prefixes/nearest.ts';
import { WatchList } from '../table/prefixes/watch-list.ts';

/** Belongs to no monitored prefix. */
export const NOWHERE = -1;

export class PartitionMap {
  readonly partitions: number;
  readonly #outermost: Nearest<number>;

  /** @param prefixes the monitored ones, all of the fleet */
  constructor(prefixes: readonly Prefix[], partitions: number) {
    this.partitions = partitions;
    const all = new WatchList<Prefix>();
    const outermost = new WatchList<number>();
    for (const prefix of prefixes) all.set(prefix, prefix);
    for (const prefix of prefixes)
      if (all.containing(prefix).length === 0) outermost.set(prefix, hashPartition(prefix.text, partitions));
    this.#outermost = new Nearest(outermost, NOWHERE);
  }

  /** Of a prefix in canonical text; NOWHERE where it is not monitored, nor inside one that is. */
  of(text: string): number {
    return this.#outermost.of(text);
  }
}

/**
 * What is wrong with the prefixes of a fleet: partitions that have too many. Nested prefixes are all in one, so that more partitions
 * may be of no use.
 * @param most prefixes of one partition
 * @returns a sentence for each partition; empty: nothing is wrong
 */
export function crowdedPartitions(prefixes: readonly Prefix[], partitions: number, most: number): string[] {
  if (prefixes.length <= most) return [];
  const map = new PartitionMap(prefixes, partitions);
  const counts = new Array<number>(partitions).fill(0);
  for (const { text } of prefixes) counts[map.of(text)]++;
  return counts.flatMap((count, partition) =>
    count <= most
      ? []
      : [
          `prefixes: expected at most ${most} in each partition of the fleet, got ${count} in partition ${partition} of ${partitions}: raise fleet.partitions before there are events; prefixes inside a monitored one are in its partition`,
        ],
  );
}

/** The partition of an outermost prefix. */
export function hashPartition(text: string, partitions: number): number {
  return crc32(text) % partitions;
}
