import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AsPath,
  formatAsPath,
  MAX_ASN,
  MAX_PATH_ASES,
  MAX_SHORT_PATH,
  parseAsn,
  parseAsPath,
  pathFacts,
  readPlainPath,
  shortPath,
} from '../../src/bgp/as-path.ts';
import { runs } from '../support/property-runs.ts';
import { asWords } from '../support/text-words.ts';

const set = (...members: number[]) => ({ kind: 'set' as const, members });
const confedSequence = (...members: number[]) => ({ kind: 'confed-sequence' as const, members });
const confedSet = (...members: number[]) => ({ kind: 'confed-set' as const, members });

describe('reading a path', () => {
  it.each<[string, AsPath]>([
    ['', []],
    ['   ', []],
    ['64500', [64500]],
    ['3333 1103 64500', [3333, 1103, 64500]],
    ['  3333   1103 64500 ', [3333, 1103, 64500]],
    ['4294967295 0', [4294967295, 0]],
    ['64500 {64501,64502}', [64500, set(64501, 64502)]],
    ['{64501,64502} 64500', [set(64501, 64502), 64500]],
    ['3 {1,2}4', [3, set(1, 2), 4]],
    ['3{1,2}4', [3, set(1, 2), 4]],
    ['3 {1,2}{4}5', [3, set(1, 2), set(4), 5]],
    ['3 {1 2} 4', [3, set(1, 2), 4]],
    ['3 { 1, 2 } 4', [3, set(1, 2), 4]],
    ['(65001 65002) 64500', [confedSequence(65001, 65002), 64500]],
    ['(65001 65002)[65003,65004]64500', [confedSequence(65001, 65002), confedSet(65003, 65004), 64500]],
  ])('"%s"', (text, path) => expect(parseAsPath(text)).toEqual(path));

  it.each([
    ['a letter', '64500 AS64501'],
    ['a dot (asdot)', '1.10 64500'],
    ['a minus', '64500 -1'],
    ['a comma outside a segment', '64500,64501'],
    ['a tab', '64500\t64501'],
    ['a line feed', '64500\n64501'],
    ['more than 32 bits', '64500 4294967296'],
    ['many digits', `64500 ${'9'.repeat(400)}`],
    ['an open set', '64500 {64501'],
    ['a close without an open', '64500 64501}'],
    ['an empty set', '64500 {}'],
    ['an empty set of blanks', '64500 { , }'],
    ['an empty confederation', '() 64500'],
    ['a set in a set', '64500 {1,{2,3}}'],
    ['a segment closed by another', '64500 {1,2)'],
    ['a letter in a set', '64500 {1,a}'],
    ['more than 32 bits in a set', '64500 {4294967296}'],
    ['other digits', '６４５００'],
  ])('%s is no path: "%s"', (_, text) => expect(parseAsPath(text)).toBeUndefined());

  it('a segment of more than 255 ASes cannot be in BGP (RFC 4271 section 4.3) and is no path', () => {
    const members = (count: number) => [...Array(count).keys()].map((i) => i + 1).join(',');
    expect(parseAsPath(`64500 {${members(255)}}`)).toHaveLength(2);
    expect(parseAsPath(`64500 {${members(256)}}`)).toBeUndefined();
    expect(parseAsPath(`[${members(256)}] 64500`)).toBeUndefined();
  });

  it('a path of more ASes than an UPDATE of 65,535 bytes can carry (RFC 8654) is no path, whatever its segments', () => {
    const bytesOf = (ases: number) => 23 + 4 + 4 * ases + 2 * Math.ceil(ases / 255);
    expect([bytesOf(MAX_PATH_ASES) <= 65_535, bytesOf(MAX_PATH_ASES + 1) <= 65_535]).toEqual([true, false]);
    expect([bytesOf(1_015) <= 4_096, bytesOf(1_016) <= 4_096]).toEqual([true, false]);
    const ases = (count: number) => Array(count).fill('7').join(' ');
    const facts = { origin: 0, upstream: 0, length: 0, prepended: false };
    expect(parseAsPath(ases(MAX_PATH_ASES))).toHaveLength(MAX_PATH_ASES);
    expect(parseAsPath(ases(MAX_PATH_ASES + 1))).toBeUndefined();
    const plain = (text: string) => {
      const [words, at, length] = asWords(text);
      return readPlainPath(words, at, length, facts);
    };
    expect([plain(ases(MAX_PATH_ASES)), plain(ases(MAX_PATH_ASES + 1))]).toEqual([true, false]);
    expect(parseAsPath(`${ases(MAX_PATH_ASES - 2)} {7,8}`)).toHaveLength(MAX_PATH_ASES - 1);
    expect(parseAsPath(`${ases(MAX_PATH_ASES - 2)} {7,8,9}`)).toBeUndefined();
    expect(parseAsPath(`(7 8 9) ${ases(MAX_PATH_ASES - 2)}`)).toBeUndefined();
  });
});

describe('AS numbers', () => {
  it.each([
    ['0', 0],
    ['64500', 64500],
    ['4294967295', MAX_ASN],
  ])('%s', (text, asn) => expect(parseAsn(text)).toBe(asn));
  it.each(['', ' 1', '1 ', '-1', '+1', '1.0', '1e3', '0x10', '4294967296', '99999999999', 'AS1', '١'])(
    '"%s" is none',
    (text) => expect(parseAsn(text)).toBeUndefined(),
  );
});

describe('what the table keeps of a path, heard by AS 64499', () => {
  const facts = (text: string) => pathFacts(parseAsPath(text)!, 64499);

  it.each([
    ['a plain path', '3333 1103 64500', { origin: 64500, upstream: 1103, length: 3, prepended: false }],
    ['the origin alone', '64500', { origin: 64500, upstream: undefined, length: 1, prepended: false }],
    [
      'prepends are skipped for the upstream',
      '3333 1103 64500 64500 64500',
      { origin: 64500, upstream: 1103, length: 5, prepended: true },
    ],
    ['prepends and nothing else', '64500 64500', { origin: 64500, upstream: undefined, length: 2, prepended: true }],
    ['prepends of another AS', '3333 1103 1103 64500', { origin: 64500, upstream: 1103, length: 4, prepended: false }],
    [
      'the origin once more, further on',
      '64500 3333 1103 64500',
      { origin: 64500, upstream: 1103, length: 4, prepended: false },
    ],
    [
      'the origin twice, another AS in between (path poisoning): the upstream is before its first passage',
      '3333 1103 64500 64500 666 64500',
      { origin: 64500, upstream: 1103, length: 6, prepended: false },
    ],
    [
      'the same, with another AS of the same last digits in front',
      '64468 1103 64500 666 64500 64500',
      { origin: 64500, upstream: 1103, length: 6, prepended: true },
    ],
    [
      'the same, heard inside the origin',
      '64500 64500 1103 64500 666 64500',
      { origin: 64500, upstream: 1103, length: 6, prepended: false },
    ],
    [
      'a set twice, another AS in between',
      '3333 {1,2} 666 {2,1}',
      { origin: '{1,2}', upstream: 3333, length: 4, prepended: false },
    ],
    [
      '32-bit numbers',
      '4200000000 4294967295',
      { origin: 4294967295, upstream: 4200000000, length: 2, prepended: false },
    ],
    ['an empty path: the VP itself', '', { origin: 64499, upstream: undefined, length: 0, prepended: false }],
    [
      'a set at the end is the origin, members ascending',
      '3333 {64502,64501,64502}',
      { origin: '{64501,64502}', upstream: 3333, length: 2, prepended: false },
    ],
    ['a set of one member is that AS', '3333 {64501}', { origin: 64501, upstream: 3333, length: 2, prepended: false }],
    [
      'a set of one member, twice',
      '3333 {64501,64501}',
      { origin: 64501, upstream: 3333, length: 2, prepended: false },
    ],
    ['a set in the middle counts 1', '3333 {1,2}4', { origin: 4, upstream: '{1,2}', length: 3, prepended: false }],
    ['a set at the start', '{1,2} 4', { origin: 4, upstream: '{1,2}', length: 2, prepended: false }],
    ['a set alone', '{1,2}', { origin: '{1,2}', upstream: undefined, length: 1, prepended: false }],
    ['the same set twice', '3333 {2,1} {1,2}', { origin: '{1,2}', upstream: 3333, length: 3, prepended: true }],
    [
      'sets are ordered by number, not by text',
      '3333 {10,9}',
      { origin: '{9,10}', upstream: 3333, length: 2, prepended: false },
    ],
    [
      'confederation segments count 0',
      '(65001 65002) [65003,65004] 64500 64501',
      { origin: 64501, upstream: 64500, length: 2, prepended: false },
    ],
    [
      'a confederation segment alone: the VP itself',
      '(65001 65002)',
      { origin: 64499, upstream: undefined, length: 0, prepended: false },
    ],
    [
      'a confederation segment at the end: the VP itself',
      '64500 64501 (65001)',
      { origin: 64499, upstream: 64501, length: 2, prepended: false },
    ],
    [
      'a confederation set at the end: the VP itself',
      '64500 [65001]',
      { origin: 64499, upstream: 64500, length: 1, prepended: false },
    ],
    [
      'a confederation between origin and upstream',
      '64500 (65001) 64501',
      { origin: 64501, upstream: 64500, length: 2, prepended: false },
    ],
  ])('%s: "%s"', (_, text, expected) => expect(facts(text)).toEqual(expected));
});

// --- properties -----------------------------------------------------------------------------------------------------

const asn = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: MAX_ASN }));
const members = fc.array(asn, { minLength: 1, maxLength: 4 });
const element = fc.oneof(
  { weight: 4, arbitrary: asn },
  { weight: 1, arbitrary: members.map((list) => set(...list)) },
  { weight: 1, arbitrary: members.map((list) => confedSequence(...list)) },
  { weight: 1, arbitrary: members.map((list) => confedSet(...list)) },
);
const path: fc.Arbitrary<AsPath> = fc.array(element, { maxLength: 8 });

/** Prints a path with blanks only where two numbers would run together, or with many. */
function print(of: AsPath, tight: boolean): string {
  let text = '';
  for (const [i, one] of of.entries()) {
    if (typeof one === 'number') text += `${!tight || (i > 0 && typeof of[i - 1] === 'number') ? ' ' : ''}${one}`;
    else {
      const [open, close] = { set: '{}', 'confed-sequence': '()', 'confed-set': '[]' }[one.kind];
      text += `${tight ? '' : '  '}${open}${one.members.join(one.kind === 'confed-sequence' ? ' ' : tight ? ',' : ', ')}${close}`;
    }
  }
  return text;
}

/** Facts, counted the slow way from the far end. */
function naiveFacts(of: AsPath, vpAsn: number) {
  const visible: string[] = [];
  for (const one of of) {
    if (typeof one === 'number') visible.push(String(one));
    else if (one.kind === 'set') {
      const distinct = one.members.filter((member, i) => one.members.indexOf(member) === i).sort((a, b) => a - b);
      visible.push(distinct.length === 1 ? String(distinct[0]) : `{${distinct.join(',')}}`);
    }
  }
  const last = of[of.length - 1];
  const own = last === undefined || (typeof last !== 'number' && last.kind.startsWith('confed'));
  const origin = own ? String(vpAsn) : visible[visible.length - 1];
  const rest = [...visible];
  let repeats = 0;
  while (rest.length > 0 && rest[rest.length - 1] === origin) {
    rest.pop();
    repeats++;
  }
  // From the near end: what it begins with is the VP's own; then up to where the origin comes first.
  let first = 0;
  while (first < visible.length && visible[first] === origin) first++;
  const until = visible.indexOf(origin, first);
  const before = first === visible.length ? [] : until === -1 ? visible : visible.slice(0, until);
  return { origin, upstream: before.at(-1), length: visible.length, prepended: repeats >= 2 };
}

describe('any path', () => {
  it('reads the same however tightly it is printed', () => {
    fc.assert(
      fc.property(path, fc.boolean(), (of, tight) => {
        expect(parseAsPath(print(of, tight))).toEqual(of);
      }),
      runs(1000),
    );
  });

  it('has one canonical spelling, which reads back to the same facts', () => {
    fc.assert(
      fc.property(path, asn, (of, vpAsn) => {
        const canonical = formatAsPath(of);
        const again = parseAsPath(canonical)!;
        expect(formatAsPath(again)).toBe(canonical);
        expect(pathFacts(again, vpAsn)).toEqual(pathFacts(of, vpAsn));
      }),
      runs(1000),
    );
  });

  it('gives the facts that a slow count gives', () => {
    fc.assert(
      fc.property(path, asn, (of, vpAsn) => {
        const { origin, upstream, length, prepended } = pathFacts(of, vpAsn);
        expect({
          origin: String(origin),
          upstream: upstream === undefined ? undefined : String(upstream),
          length,
          prepended,
        }).toEqual(naiveFacts(of, vpAsn));
      }),
      runs(2000),
    );
  });

  const plainFacts = (text: string) => {
    const [words, at, length] = asWords(text);
    const facts = { origin: 0, upstream: 0, length: 0, prepended: false };
    if (!readPlainPath(words, at, length, facts)) return undefined;
    return { ...facts, upstream: facts.upstream === -1 ? undefined : facts.upstream };
  };

  it('gives the same facts in the quick way, where that way is open', () => {
    const plain = fc.array(asn, { minLength: 1, maxLength: 8 }).map((asns) => asns.join(' '));
    const noise = fc.string({ unit: fc.constantFrom(...'0123456789  ,{}()[]'), maxLength: 12 });
    fc.assert(
      fc.property(plain, (text) => {
        expect(plainFacts(text)).toEqual(pathFacts(parseAsPath(text)!, 64499));
      }),
      runs(500),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          noise,
          path.map(formatAsPath),
          path.map((of) => print(of, true)),
        ),
        (text) => {
          const facts = plainFacts(text);
          const parsed = parseAsPath(text);
          const isPlain =
            parsed !== undefined &&
            parsed.length > 0 &&
            parsed.every((one) => typeof one === 'number') &&
            formatAsPath(parsed) === text;
          expect(facts !== undefined).toBe(isPlain);
          if (isPlain) expect(facts).toEqual(pathFacts(parsed, 64499));
        },
      ),
      runs(2000),
    );
  });

  it('never throws, and what it accepts has a canonical spelling that it accepts', () => {
    const noise = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: fc.constantFrom(...'0123456789 ,{}()[]'), maxLength: 40 }),
    );
    fc.assert(
      fc.property(noise, (text) => {
        const parsed = parseAsPath(text);
        if (parsed !== undefined) expect(parseAsPath(formatAsPath(parsed))).toBeDefined();
      }),
      runs(3000),
    );
  });
});

describe('a path for people to read', () => {
  it('is the path itself up to a length', () => {
    expect(shortPath('64501 {64502,64503}')).toBe('64501 {64502,64503}');
    const longest = '1234567 '.repeat(32).trim();
    expect(shortPath(longest)).toBe(longest);
  });

  it('ends between two ASes when it is longer', () => {
    for (const text of ['64501 '.repeat(200), `{${'64501,'.repeat(200)}64500}`]) {
      const short = shortPath(text);
      expect(short.length).toBeLessThanOrEqual(MAX_SHORT_PATH);
      expect(short).toMatch(/^\{?(?:64501[ ,])*(?:64501)* \.\.\.$/);
    }
    expect(shortPath('1'.repeat(300))).toBe(`${'1'.repeat(MAX_SHORT_PATH - 4)} ...`);
  });
});
