import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsPrefix, type Prefix, parsePrefix } from '../../../../src/bgp/prefix.ts';
import { coveringFilters } from '../../../../src/bgproutes/data-api/seed/covering-filters.ts';

/** The same by comparing each prefix with every other; in the order of addresses. */
function plainFilters(texts: readonly string[]): { prefix: string; members: string[] }[] {
  const given = [...new Set(texts)].map(parsed);
  const wholes = given.filter((inner) => !given.some((outer) => outer !== inner && containsPrefix(outer, inner)));
  for (;;) {
    const half = wholes.find((one) => one.length > 0 && wholes.some((other) => isOtherHalf(one, other)));
    if (half === undefined) break;
    const whole = parsed(half.text.replace(/\d+$/, String(half.length - 1)));
    for (const { text } of wholes.filter((one) => containsPrefix(whole, one)))
      wholes.splice(
        wholes.findIndex((one) => one.text === text),
        1,
      );
    wholes.push(whole);
  }
  return wholes.sort(byAddress).map((whole) => ({
    prefix: whole.text,
    members: given
      .filter((prefix) => containsPrefix(whole, prefix))
      .sort(byAddress)
      .map(({ text }) => text),
  }));
}

function isOtherHalf(one: Prefix, other: Prefix): boolean {
  const whole = parsed(one.text.replace(/\d+$/, String(one.length - 1)));
  return one !== other && one.length === other.length && containsPrefix(whole, other);
}

/** By the bits as text: a prefix comes before what is inside it. */
function byAddress(a: Prefix, b: Prefix): number {
  const key = ({ afi, words, length }: Prefix) =>
    [afi, ...words.map((word) => word.toString(2).padStart(32, '0')), String(length).padStart(3, '0')].join();
  return key(a) < key(b) ? -1 : 1;
}

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
      ['::/0', '128.0.0.0/1', '0.0.0.0/1'],
      ['0.0.0.0/0', '::/0'],
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

  it('are those that a comparison of each prefix with every other finds, in the order of addresses', () => {
    const ipv4 = fc
      .tuple(fc.nat(255), fc.integer({ min: 22, max: 32 }))
      .map(([byte, length]) => (parsePrefix(`198.51.100.${byte}/${length}`) as Prefix).text);
    const ipv6 = fc
      .tuple(fc.nat(7), fc.nat(3), fc.integer({ min: 30, max: 36 }))
      .map(
        ([high, low, length]) =>
          (parsePrefix(`2001:db8:${(high << 13).toString(16)}:${low}::/${length}`) as Prefix).text,
      );
    fc.assert(
      fc.property(fc.array(fc.oneof(ipv4, ipv6), { maxLength: 40 }), (texts) => {
        expect(coveringFilters(texts)).toEqual(plainFilters(texts));
      }),
      { numRuns: 500 },
    );
  });

  it('of 20,000 prefixes need no comparison of each with every other', () => {
    const alone = Array.from({ length: 10_000 }, (_, i) => `10.${i >> 7}.${(i & 127) * 2}.0/24`);
    const halves = Array.from({ length: 10_000 }, (_, i) => `2001:db8:${i.toString(16)}::/48`);
    const filters = coveringFilters([...halves, ...alone]);
    expect(filters.slice(0, 10_000).map(({ prefix }) => prefix)).toEqual(alone);
    // 10,000 is 8192 + 1024 + 512 + 256 + 16
    expect(filters.slice(10_000).map(({ members }) => members.length)).toEqual([8192, 1024, 512, 256, 16]);
  });
});
