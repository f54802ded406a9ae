import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsPrefix, type Prefix, parsePrefix } from '../../../src/bgp/prefix.ts';
import { coveringFilters } from '../../../src/bgproutes/data-api/covering-filters.ts';

const parsed = (text: string): Prefix => parsePrefix(text) as Prefix;

describe('filters for more-specifics', () => {
  it.each<[readonly string[], readonly string[]]>([
    [[], []],
    [['192.0.2.0/24'], ['192.0.2.0/24']],
    [
      ['192.0.2.0/24', '198.51.100.0/24'],
      ['192.0.2.0/24', '198.51.100.0/24'],
    ],
    [['192.0.2.0/24', '192.0.2.128/25', '192.0.2.192/26'], ['192.0.2.0/24']],
    [['198.51.100.0/24', '198.51.101.0/24'], ['198.51.100.0/23']],
    [
      ['198.51.101.0/24', '198.51.102.0/24'],
      ['198.51.101.0/24', '198.51.102.0/24'],
    ],
    [['198.51.100.0/24', '198.51.102.0/23', '198.51.101.0/24', '198.51.101.0/25'], ['198.51.100.0/22']],
    [['2001:db8::/33', '2001:db8:8000::/33'], ['2001:db8::/32']],
    [
      ['0.0.0.0/1', '128.0.0.0/1', '::/0'],
      ['::/0', '0.0.0.0/0'],
    ],
  ])('of %j are %j', (given, filters) => {
    expect(coveringFilters(given).map(({ prefix }) => prefix)).toEqual(filters);
  });

  it('find all that is inside the prefixes, and nothing outside of them that is as long', () => {
    const prefix = fc.tuple(fc.nat(255), fc.integer({ min: 20, max: 28 })).map(([byte, length]) => {
      const bits = ((0xc6336400 | byte) & -(2 ** (32 - length))) >>> 0;
      return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}/${length}`;
    });
    fc.assert(
      fc.property(fc.array(prefix, { minLength: 1, maxLength: 12 }), prefix, (texts, probeText) => {
        const [given, probe] = [texts.map(parsed), parsed(probeText)];
        const filters = coveringFilters(texts);
        const isFound = filters.some(
          ({ prefix: whole }) => probe.length > parsed(whole).length && containsPrefix(parsed(whole), probe),
        );
        const isInside = given.some((outer) => containsPrefix(outer, probe));
        if (given.some((outer) => outer.length < probe.length && containsPrefix(outer, probe)))
          expect(isFound).toBe(true);
        // What is found outside of the prefixes holds one of them: it is shorter.
        if (isFound && !isInside) expect(given.some((inner) => containsPrefix(probe, inner))).toBe(true);
        expect(new Set(filters.flatMap(({ members }) => members))).toEqual(new Set(given.map(({ text }) => text)));
      }),
      { numRuns: 500 },
    );
  });
});
