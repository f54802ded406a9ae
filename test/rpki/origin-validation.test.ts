import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AsOrSet } from '../../src/bgp/as-path.ts';
import { containsPrefix } from '../../src/bgp/prefix.ts';
import { type Validity, validate } from '../../src/rpki/origin-validation.ts';
import { runs } from '../support/property-runs.ts';
import { recordingPath } from '../support/recordings.ts';
import { prefixOf, type VrpText, vrpOf, vrpSetOf } from './vrp-world.ts';

function validityIn(vrps: readonly VrpText[], prefix: string, origin: AsOrSet): Validity {
  const route = prefixOf(prefix);
  return validate(vrpSetOf(vrps).covering(route, 0), route.length, origin);
}

describe('origin validation', () => {
  const vrps = [
    { prefix: '192.0.2.0/24', asn: 64500, maxLength: 25 },
    { prefix: '192.0.0.0/16', asn: 64501, maxLength: 16 },
    { prefix: '203.0.113.0/24', asn: 0, maxLength: 32 },
    { prefix: '2001:db8::/32', asn: 64500, maxLength: 48 },
  ];

  it.each([
    ['192.0.2.0/24', 64500, 'valid'],
    ['192.0.2.128/25', 64500, 'valid'],
    ['192.0.2.128/26', 64500, 'invalid_length'],
    ['192.0.2.0/24', 64501, 'invalid_length'], // a covering VRP has this origin, though for a shorter prefix
    ['192.0.2.0/24', 64502, 'invalid_as'],
    ['192.0.2.128/26', 64502, 'invalid_as'],
    ['192.0.0.0/15', 64501, 'not_found'],
    ['203.0.113.0/24', 0, 'invalid_as'],
    ['192.0.2.0/24', '{64500,64501}', 'invalid_as'],
    ['198.51.100.0/24', '{64500,64501}', 'not_found'],
    ['2001:db8:1::/48', 64500, 'valid'],
    ['2001:db8:1:1::/64', 64500, 'invalid_length'],
    ['2001:db9::/32', 64500, 'not_found'],
  ] as const)('%s from %s is %s', (prefix, origin, validity) => {
    expect(validityIn(vrps, prefix, origin)).toBe(validity);
  });
});

const VECTORS = recordingPath('rov-vectors.json');
if (VECTORS !== undefined) {
  interface Case {
    readonly prefix: string;
    readonly origin: AsOrSet;
    readonly state: 'valid' | 'invalid' | 'not-found';
    readonly reason?: 'as' | 'length';
  }
  const { sets } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
    readonly sets: readonly {
      readonly name: string;
      readonly vrps: readonly VrpText[];
      readonly cases: readonly Case[];
    }[];
  };

  describe('origin validation, by the vectors of other implementations', () => {
    it('there are 82 cases', () => {
      expect(sets.flatMap(({ cases }) => cases)).toHaveLength(82);
    });

    it.each(sets.map((set) => [set.name, set] as const))('%s', (_, { vrps, cases }) => {
      const expected = cases.map(({ prefix, origin, state, reason }) => [
        ...[prefix, origin],
        state === 'invalid' ? `invalid_${reason}` : state.replace('-', '_'),
      ]);
      expect(cases.map(({ prefix, origin }) => [prefix, origin, validityIn(vrps, prefix, origin)])).toEqual(expected);
      // The order of VRPs never matters.
      const reversed = vrps.toReversed();
      expect(cases.map(({ prefix, origin }) => [prefix, origin, validityIn(reversed, prefix, origin)])).toEqual(
        expected,
      );
    });
  });
}

// --- against a model that knows no index: every VRP of a plain list is looked at ---------------------------------------

const asn = fc.integer({ min: 0, max: 4 });
/** Few bits in use, so that prefixes contain each other often. */
const ipv4 = fc
  .tuple(fc.nat(255), fc.integer({ min: 0, max: 32 }))
  .map(([bits, length]) => prefixOf(`${bits}.${bits & 0xf0}.${bits & 3}.${bits & 0xc0}/${length}`).text);
const ipv6 = fc
  .tuple(fc.nat(255), fc.integer({ min: 0, max: 128 }))
  .map(
    ([bits, length]) =>
      prefixOf(`20${(bits & 0x33).toString(16)}:${bits.toString(16)}::${(bits & 7).toString(16)}/${length}`).text,
  );
const prefix = fc.oneof(ipv4, ipv6);
const vrp = fc.record({ prefix, asn, longer: fc.nat(8) }).map(({ prefix, asn, longer }) => {
  const { afi, length } = prefixOf(prefix);
  return { prefix, asn, maxLength: Math.min(afi === 'ipv4' ? 32 : 128, length + longer) };
});

function model(vrps: readonly VrpText[], text: string, origin: AsOrSet): Validity {
  const route = prefixOf(text);
  const covering = vrps.filter((one) => containsPrefix(prefixOf(one.prefix), route));
  const ours = covering.filter((one) => one.asn === origin && origin !== 0);
  if (covering.length === 0) return 'not_found';
  if (ours.some(({ maxLength }) => route.length <= maxLength)) return 'valid';
  return ours.length > 0 ? 'invalid_length' : 'invalid_as';
}

describe('origin validation over random sets', () => {
  it('agrees with a plain model, also after VRPs have gone', () => {
    const origin = fc.oneof(asn, fc.constant('{1,2}'));
    fc.assert(
      fc.property(
        fc.array(vrp, { maxLength: 40 }),
        fc.array(vrp, { maxLength: 20 }),
        fc.array(fc.tuple(prefix, origin), { maxLength: 30 }),
        (added, removed, routes) => {
          const set = vrpSetOf(added);
          const keyOf = (one: VrpText) => JSON.stringify([one.prefix, one.asn, one.maxLength]);
          const left = new Map(added.map((one) => [keyOf(one), one]));
          expect(set.size).toBe(left.size);
          for (const one of [...removed, ...added.slice(0, 5)])
            expect(set.remove(vrpOf(one))).toBe(left.delete(keyOf(one)));
          expect(set.size).toBe(left.size);
          for (const [text, of] of routes) {
            const route = prefixOf(text);
            expect(validate(set.covering(route, 0), route.length, of)).toBe(model([...left.values()], text, of));
          }
        },
      ),
      runs(300),
    );
  });
});
