/** The partition of a prefix: fixed for ever, because events lie in topics by it. */
import { describe, expect, it } from 'vitest';
import { type Prefix, parsePrefix } from '../../src/bgp/prefix.ts';
import { crowdedPartitions, hashPartition, NOWHERE, PartitionMap } from '../../src/fleet/partitions.ts';

const prefix = (text: string) => parsePrefix(text) as Prefix;

describe('partitions', () => {
  it('are the CRC-32 of the text modulo their number: values that another implementation must give', () => {
    // As `printf 192.0.2.0/24 | gzip -c | tail -c8 | od -An -tu4 -N4` says.
    expect(hashPartition('192.0.2.0/24', 2 ** 32)).toBe(2_746_858_862);
    expect(hashPartition('2001:db8::/32', 2 ** 32)).toBe(3_006_741_366);
    expect(hashPartition('192.0.2.0/24', 64)).toBe(2_746_858_862 % 64);
  });

  it('keep what is nested together, by the outermost monitored prefix', () => {
    const map = new PartitionMap(['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '2001:db8::/32'].map(prefix), 1_000_000);
    const outer = hashPartition('10.0.0.0/8', 1_000_000);
    for (const text of ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '10.1.2.3/32', '10.200.0.0/16'])
      expect([text, map.of(text)]).toEqual([text, outer]);
    expect(map.of('2001:db8:1::/48')).toBe(hashPartition('2001:db8::/32', 1_000_000));
    for (const text of ['11.0.0.0/8', '0.0.0.0/0', '2001:db9::/32', 'nonsense']) expect(map.of(text)).toBe(NOWHERE);
  });

  it('share prefixes evenly', () => {
    const counts = new Array<number>(64).fill(0);
    for (let i = 0; i < 6_400; i++) counts[hashPartition(`10.${i >> 8}.${i & 255}.0/24`, 64)]++;
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(150);
  });

  it('that have too many prefixes are named, each in a sentence; one at the limit is not', () => {
    const inside = Array.from({ length: 30 }, (_, i) => `10.0.${i}.0/24`);
    const prefixes = ['10.0.0.0/8', ...inside, '192.0.2.0/24'].map(prefix);
    const [crowded, other] = ['10.0.0.0/8', '192.0.2.0/24'].map((text) => hashPartition(text, 64));
    expect(crowded).not.toBe(other);
    expect(crowdedPartitions(prefixes, 64, 31)).toEqual([]);
    expect(crowdedPartitions(prefixes, 64, 30)).toEqual([
      `prefixes: expected at most 30 in each partition of the fleet, got 31 in partition ${crowded} of 64: raise fleet.partitions before there are events; prefixes inside a monitored one are in its partition`,
    ]);
  });
});
