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
    const vrp = { prefix: '192.0.2.0/24', asn: 64500, maxLength: 24 };
    expect(set.add(vrpOf({ ...vrp, expires: 200 }))).toBe('added');
    expect(set.add(vrpOf({ ...vrp, expires: 100 }))).toBe('present');
    expect(set.expire(150)).toBe(0);
    expect(set.expire(200)).toBe(1);
    expect(set.size).toBe(0);
  });
});

describe('expiry', () => {
  it('drops what has expired, and nothing else, in every chain', () => {
    const set = new VrpSet(EVERYTHING);
    // More than one chunk and one growth of the index hold.
    for (let i = 0; i < 6_000; i++)
      set.add(
        vrpOf({
          prefix: `10.${i >> 8}.${i & 255}.0/24`,
          asn: 64500,
          maxLength: 24,
          expires: i % 3 === 0 ? 0 : 1_000 + i,
        }),
      );
    const { version } = set;
    expect(set.expire(1_000)).toBe(0);
    expect(set.version).toBe(version);
    expect(set.expire(4_000)).toBe(2_000);
    expect(set.version).toBeGreaterThan(version);
    expect(set.size).toBe(4_000);
    expect(set.covering(prefixOf('10.0.1.0/24'))).toEqual([]);
    expect(set.covering(prefixOf('10.0.3.0/24'))).toHaveLength(1);
    expect(set.expire(10_000)).toBe(2_000);
  });

  it('one without expiry in place of one that had one: it stays', () => {
    const set = vrpSetOf([{ ...one('192.0.2.0/24'), expires: 100 }]);
    expect(set.add(vrpOf(one('192.0.2.0/24')))).toBe('present');
    expect(set.expire(1_000)).toBe(0);
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

describe('differences', () => {
  it('count what only one of two sets has', () => {
    const former = vrpSetOf([one('192.0.2.0/24'), one('192.0.2.0/24', 25), one('2001:db8::/32', 48)]);
    const set = vrpSetOf([one('192.0.2.0/24'), one('2001:db8::/32', 48), one('198.51.100.0/24'), one('10.0.0.0/8')]);
    expect(set.differences(former)).toEqual({ added: 2, removed: 1 });
  });
});

it('covering VRPs come shortest first, then by AS and longest length', () => {
  const set = vrpSetOf([
    one('192.0.2.0/24', 24, 2),
    one('192.0.2.0/24', 25, 1),
    one('192.0.2.0/24', 24, 1),
    one('192.0.0.0/16', 16, 9),
    one('192.0.2.0/25', 25),
  ]);
  expect(set.covering(prefixOf('192.0.2.0/24'))).toEqual([
    { prefix: '192.0.0.0/16', length: 16, maxLength: 16, asn: 9 },
    { prefix: '192.0.2.0/24', length: 24, maxLength: 24, asn: 1 },
    { prefix: '192.0.2.0/24', length: 24, maxLength: 25, asn: 1 },
    { prefix: '192.0.2.0/24', length: 24, maxLength: 24, asn: 2 },
  ]);
});
