import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsPrefix } from '../../src/bgp/prefix.ts';
import { RpkiScope } from '../../src/rpki/scope.ts';
import { MAX_VRPS_PER_PREFIX, VrpSet } from '../../src/rpki/vrp-set.ts';
import { runs } from '../support/property-runs.ts';
import { EVERYTHING, prefixOf, vrpOf, vrpSetOf } from './vrp-world.ts';

const SCOPE = new RpkiScope([prefixOf('198.51.100.0/24'), prefixOf('2001:db8:1::/48')]);
const one = (prefix: string, maxLength = 32, asn = 64500) => ({ prefix, asn, maxLength });

describe('what a set keeps', () => {
  it.each([
    ['198.51.100.0/24', 'added'],
    ['198.51.100.128/25', 'added'],
    ['198.51.100.255/32', 'added'],
    ['198.51.0.0/16', 'added'],
    ['0.0.0.0/0', 'added'],
    ['198.51.101.0/24', 'elsewhere'],
    ['198.51.99.255/32', 'elsewhere'],
    ['2001:db8::/32', 'added'],
    ['2001:db8:1:ffff::/64', 'added'],
    ['2001:db8:2::/48', 'elsewhere'],
    ['::/0', 'added'],
  ] as const)('%s: %s', (prefix, addition) => {
    expect(new VrpSet(SCOPE).add(vrpOf(one(prefix, 128)))).toBe(addition);
  });

  it('is what overlaps a monitored prefix, for any prefixes', () => {
    const prefix = fc
      .tuple(fc.nat(255), fc.integer({ min: 0, max: 32 }))
      .map(([bits, length]) => prefixOf(`${bits & 0xc3}.${bits}.${bits & 0x81}.0/${length}`));
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 12 }), fc.array(prefix, { maxLength: 30 }), (monitored, asked) => {
        const scope = new RpkiScope(monitored);
        for (const { afi, words, length, text } of asked) {
          const overlaps = monitored.some(
            (other) => containsPrefix(other, prefixOf(text)) || containsPrefix(prefixOf(text), other),
          );
          expect([text, scope.concerns(afi, words, length)]).toEqual([text, overlaps]);
        }
      }),
      runs(300),
    );
  });

  it('the same VRP of two trust anchors once, with the later expiry', () => {
    const set = new VrpSet(EVERYTHING);
    const vrp = one('192.0.2.0/24', 24);
    const at = (nowS: number) => set.covering(prefixOf('192.0.2.0/24'), nowS).map(({ expiresS }) => expiresS);
    expect(set.add(vrpOf({ ...vrp, expires: 200 }))).toBe('added');
    expect(set.add(vrpOf({ ...vrp, expires: 100 }))).toBe('present');
    expect([at(199), at(200), set.size]).toEqual([[200], [], 1]);
    expect(set.has(vrpOf(vrp))).toBe(true);
    expect(at(200)).toEqual([]); // asking whether it is there renews nothing
    expect(set.add(vrpOf(vrp))).toBe('present');
    expect(at(1_000_000)).toEqual([0]);
  });
});

describe('bounds', () => {
  it(`a prefix has at most ${MAX_VRPS_PER_PREFIX} VRPs; one that is there can still be renewed`, () => {
    const set = new VrpSet(EVERYTHING);
    for (let asn = 0; asn < MAX_VRPS_PER_PREFIX; asn++) expect(set.add(vrpOf(one('10.0.0.0/8', 8, asn)))).toBe('added');
    expect(set.add(vrpOf(one('10.0.0.0/8', 8, MAX_VRPS_PER_PREFIX)))).toBe('full');
    expect(set.add(vrpOf(one('10.0.0.0/8', 8, 0)))).toBe('present');
    expect(set.add(vrpOf(one('10.0.0.0/9', 9)))).toBe('added');
  });

  it('memory follows what is kept: 20 bytes for IPv4, and the index', () => {
    const set = new VrpSet(EVERYTHING);
    for (let i = 0; i < 1 << 15; i++) set.add(vrpOf(one(`10.${i >> 8}.${i & 255}.0/24`, 24)));
    expect(set.bytes / set.size).toBeLessThan(32);
    // What is removed makes room for what comes.
    for (let i = 0; i < 1 << 14; i++) set.remove(vrpOf(one(`10.${i >> 8}.${i & 255}.0/24`, 24)));
    const { bytes } = set;
    for (let i = 0; i < 1 << 14; i++) set.add(vrpOf(one(`11.${i >> 8}.${i & 255}.0/24`, 24)));
    expect(set.bytes).toBe(bytes);
  });
});

it('over chunks and growths of the index, every VRP is found, and none that was removed', () => {
  const set = new VrpSet(EVERYTHING);
  const text = (i: number) => `10.${i >> 8}.${i & 255}.0/24`;
  for (let i = 0; i < 20_000; i++) set.add(vrpOf(one(text(i), 24)));
  for (let i = 0; i < 20_000; i += 3) expect(set.remove(vrpOf(one(text(i), 24)))).toBe(true);
  for (let i = 0; i < 20_000; i++) expect(set.has(vrpOf(one(text(i), 24)))).toBe(i % 3 !== 0);
});

it.each([2_049, 2_050, 2_100, 2_176, 2_177, 16_385, 16_900, 17_500])(
  'with %i VRPs, while the index grows, each is found, can be removed and added again',
  (count) => {
    const set = new VrpSet(EVERYTHING);
    const vrps = Array.from({ length: count }, (_, i) => vrpOf(one(`10.${i >> 8}.${i & 255}.0/24`, 24)));
    for (const vrp of vrps) set.add(vrp);
    expect(vrps.filter((vrp) => !set.has(vrp))).toEqual([]);
    expect(vrps.filter((vrp) => set.add(vrp) !== 'present')).toEqual([]);
    const removed = vrps.filter((_, i) => i % 3 === 0);
    expect(removed.filter((vrp) => !set.remove(vrp))).toEqual([]);
    expect(vrps.map((vrp) => set.has(vrp))).toEqual(vrps.map((_, i) => i % 3 !== 0));
    expect(removed.filter((vrp) => set.add(vrp) !== 'added')).toEqual([]);
    expect(vrps.filter((vrp) => !set.has(vrp))).toEqual([]);
    expect(set.size).toBe(count);
  },
);

it('covering VRPs come shortest first, then by AS and longest length', () => {
  const set = vrpSetOf([
    one('192.0.2.0/24', 24, 2),
    one('192.0.2.0/24', 25, 1),
    one('192.0.2.0/24', 24, 1),
    one('192.0.0.0/16', 16, 9),
    one('192.0.2.0/25', 25),
  ]);
  expect(set.covering(prefixOf('192.0.2.0/24'), 0)).toEqual([
    { prefix: '192.0.0.0/16', length: 16, maxLength: 16, asn: 9, expiresS: 0 },
    { prefix: '192.0.2.0/24', length: 24, maxLength: 24, asn: 1, expiresS: 0 },
    { prefix: '192.0.2.0/24', length: 24, maxLength: 25, asn: 1, expiresS: 0 },
    { prefix: '192.0.2.0/24', length: 24, maxLength: 24, asn: 2, expiresS: 0 },
  ]);
});
