import { describe, expect, it } from 'vitest';
import { MAX_PATH_ASES, shortPath } from '../../../src/bgp/as-path.ts';
import { MAX_LONG_PATH_BYTES } from '../../../src/table/bounds.ts';
import { NO_UPSTREAM, NOTE_BITS, PATH_LIMIT, PathTable } from '../../../src/table/store/path-table.ts';
import { asWords } from '../../support/text-words.ts';

/** More paths than wait for their return. */
const MANY = 32_768;
const byWords = (paths: PathTable, text: string) => paths.findWords(...asWords(text));

/** One of the longest paths that BGP can carry; another one for each number below 10,000. */
const longest = (i: number) => `${'4200000000 '.repeat(16_343)}${10_000 + i}`;

function held(paths: PathTable, text: string, vpAsn = 64499): number {
  const path = paths.intern(text, vpAsn)!;
  if (path !== PATH_LIMIT) paths.retain(path);
  return path;
}

/** Pushes every path that nobody holds out of the table. */
function flushIdle(paths: PathTable): void {
  for (let i = 0; i < MANY; i++) paths.discard(paths.intern(`4200000000 ${i}`, 64499)!);
}

describe('paths, each once', () => {
  it('gives one number to all spellings of a path, and never 0', () => {
    const paths = new PathTable();
    const path = held(paths, '64501 {64511,64510} 64500');
    expect(path).toBeGreaterThan(0);
    expect(paths.intern('64501{64510 64511}64500', 64499)).toBe(path);
    expect(paths.intern('  64501  {64510,64511}  64500', 1)).toBe(path);
    expect(paths.text(path)).toBe('64501 {64510,64511} 64500');
    expect(paths.size).toBe(1);
  });

  it('gives one number to a very long path, in words or as text', () => {
    const path = (hops: number) => Array.from({ length: hops }, (_, i) => 60_000 + i).join(' ');
    for (const text of [path(683), path(5_000)]) {
      for (const first of ['words', 'text']) {
        const paths = new PathTable();
        const inWords = () =>
          byWords(paths, text) === -1 ? paths.internWords(...asWords(text), 1) : byWords(paths, text);
        const ways = [inWords, () => paths.intern(text, 1)];
        const [a, b] = (first === 'words' ? ways : ways.reverse()).map((way) => way());
        expect(a).toBe(b);
        expect([paths.text(a!), paths.origin(a!), paths.upstream(a!)]).toEqual([
          text,
          Number(text.slice(-5)),
          Number(text.slice(-11, -6)),
        ]);
        expect(paths.length(a!)).toBe(text.split(' ').length);
      }
    }
  });

  it('forgets the same paths, whatever is read ahead', () => {
    const quiet = new PathTable();
    const ahead = new PathTable();
    for (let i = 0; i < 2 * MANY; i++) {
      for (const paths of [quiet, ahead]) paths.discard(paths.intern(`64500 ${i}`, 64499)!);
      if (i % 1_000 === 0) ahead.prefetch(new Int32Array(64).fill(1), 64);
    }
    const known = (paths: PathTable, i: number) => byWords(paths, `64500 ${i}`);
    for (let i = 0; i < 2 * MANY; i += 100) expect(known(ahead, i)).toBe(known(quiet, i));
    expect([known(ahead, 0), known(ahead, MANY - 1)]).toEqual([-1, -1]);
    expect(known(ahead, MANY)).not.toBe(-1);
  });

  it('gives no number to what is not a path', () => {
    const paths = new PathTable();
    expect(paths.intern('64500 x', 64499)).toBeUndefined();
    expect(paths.intern('4294967296', 64499)).toBeUndefined();
    expect(paths.size).toBe(0);
  });

  it('keeps the facts by number', () => {
    const paths = new PathTable();
    const plain = held(paths, '64502 64501 64500 64500');
    const alone = held(paths, '64500');
    const withSet = held(paths, '64501 {64511,64510}');
    expect([paths.origin(plain), paths.upstream(plain), paths.length(plain), paths.prepended(plain)]).toEqual([
      64500, 64501, 4, 1,
    ]);
    expect([paths.origin(alone), paths.upstream(alone), paths.length(alone), paths.prepended(alone)]).toEqual([
      64500,
      NO_UPSTREAM,
      1,
      0,
    ]);
    expect(paths.asText(paths.origin(withSet))).toBe('{64510,64511}');
    expect(paths.origin(withSet)).toBeGreaterThan(4_294_967_295);
  });

  it('tells VPs apart where the origin is the VP itself', () => {
    const paths = new PathTable();
    const first = held(paths, '', 64500);
    const second = held(paths, '', 64501);
    const confederation = held(paths, '64510 (65001)', 64501);
    expect(new Set([first, second, confederation]).size).toBe(3);
    expect([paths.origin(first), paths.origin(second), paths.origin(confederation)]).toEqual([64500, 64501, 64501]);
    expect([paths.text(first), paths.text(confederation)]).toEqual(['', '64510 (65001)']);
    expect([paths.ownAsn(first), paths.ownAsn(confederation), paths.ownAsn(held(paths, '64500'))]).toEqual([
      64500,
      64501,
      undefined,
    ]);
    expect(paths.intern('64510 (65001)', 64500)).not.toBe(confederation);
  });

  it('is found by the bytes of its canonical text, unless its origin is the VP', () => {
    const paths = new PathTable();
    const path = held(paths, '64501 64500');
    held(paths, '', 64500);
    expect(byWords(paths, '64501 64500')).toBe(path);
    expect(byWords(paths, '64501  64500')).toBe(-1);
    expect(byWords(paths, '')).toBe(-1);
  });

  it('shares one number among all paths with the same set, as origin or upstream', () => {
    const paths = new PathTable();
    const origin = held(paths, '64501 {64510,64511}');
    const upstream = held(paths, '{64511,64510} 64500');
    expect(paths.upstream(upstream)).toBe(paths.origin(origin));
  });
});

describe('paths that nobody holds', () => {
  it('do not count, and come back with the same number soon after', () => {
    const paths = new PathTable();
    const path = held(paths, '64501 64500');
    paths.retain(path);
    paths.release(path);
    expect(paths.size).toBe(1);
    paths.release(path);
    expect(paths.size).toBe(0);
    expect(paths.intern('64501 64500', 64499)).toBe(path);
  });

  it('leave when enough others wait, and their numbers and sets with them', () => {
    const paths = new PathTable();
    const path = held(paths, '64501 {64510,64511}');
    const set = paths.origin(path);
    const kept = held(paths, '64501 64500');
    paths.release(path);
    expect(paths.asText(set)).toBe('{64510,64511}');
    flushIdle(paths);
    expect(byWords(paths, '64501 {64510,64511}')).toBe(-1);
    expect(paths.asText(set)).toBe('unknown');
    expect(byWords(paths, '64501 64500')).toBe(kept);
    expect(paths.text(kept)).toBe('64501 64500');
    const again = held(paths, '64501 {64510,64511}');
    expect(paths.origin(again)).not.toBe(set);
    expect(paths.asText(paths.origin(again))).toBe('{64510,64511}');
  });

  it('give up a set that was only their upstream', () => {
    const paths = new PathTable();
    const path = held(paths, '{64510,64511} 64500');
    const set = paths.upstream(path);
    paths.release(path);
    flushIdle(paths);
    expect(paths.asText(set)).toBe('unknown');
  });

  it('stay as long as another path has their set', () => {
    const paths = new PathTable();
    const first = held(paths, '64501 {64510,64511}');
    const second = held(paths, '64502 {64510,64511}');
    const set = paths.origin(first);
    paths.release(first);
    flushIdle(paths);
    expect(paths.asText(set)).toBe('{64510,64511}');
    expect(paths.origin(second)).toBe(set);
  });

  it('are bounded: numbers are used again, however many paths come and go', () => {
    const paths = new PathTable();
    let highest = 0;
    for (let i = 0; i < 4 * MANY; i++) {
      const path = held(paths, `64500 ${i}`);
      highest = Math.max(highest, path);
      paths.release(path);
    }
    expect(highest).toBeLessThanOrEqual(MANY + 1);
    expect(paths.size).toBe(0);
  });

  it('can be told by their beginning', () => {
    const paths = new PathTable();
    for (const text of [longest(1), '64501 64500', `64501 ${'64502 '.repeat(300)}(64503)`]) {
      expect(paths.shortText(held(paths, text))).toBe(shortPath(text));
    }
  });

  it('leave at once when they are long, and their room is used again', () => {
    const paths = new PathTable();
    let highest = 0;
    for (let i = 0; i < 60; i++) {
      const path = held(paths, longest(i));
      highest = Math.max(highest, path);
      paths.release(path);
    }
    // The number of a path is that of one of its lines, and each had the same ones.
    expect(highest).toBeLessThanOrEqual(2_997);
    expect([paths.size, byWords(paths, longest(59))]).toEqual([0, -1]);
  });

  it.each([
    ['plain', longest],
    ['with a set', (i: number) => `${'4200000000 '.repeat(16_342)}{100,${10_000 + i}}`],
  ])('that are long have a bound in bytes, held or not, and others go on: %s', (_, text) => {
    const paths = new PathTable();
    const taken = Array.from({ length: 50 }, (_, i) => held(paths, text(i))).filter((path) => path !== PATH_LIMIT);
    // Nearly 180,000 characters take 2,996 lines of 64 bytes: 15 words of text each, and the number of the next line.
    expect(taken).toHaveLength(Math.floor(MAX_LONG_PATH_BYTES / (64 * 2_996)));
    expect(paths.size).toBe(taken.length);
    expect(held(paths, '64501 64500')).toBeGreaterThan(0);
    expect(byWords(paths, text(999))).toBe(-1);
    paths.release(taken[3]);
    expect(paths.text(held(paths, text(999)))).toBe(text(999));
    expect(paths.intern(text(998), 64499)).toBe(PATH_LIMIT);
  });

  it('give back what they took as long ones, however they go', () => {
    const paths = new PathTable();
    for (let i = 0; i < 100; i++) {
      const path = paths.intern(longest(i), 64499)!;
      if (i % 2 === 0) {
        paths.retain(path);
        paths.release(path);
      } else paths.discard(path);
    }
    expect(paths.intern(longest(0), 64499)).toBeGreaterThan(0);
  });

  it('are kept as many as ever when they are as long as paths are', () => {
    const paths = new PathTable();
    const path = (i: number) => `${4_200_000_000 + i} 3356 1299 174 2914 6939 3257 64500`;
    for (let i = 0; i < MANY; i++) paths.discard(paths.intern(path(i), 64499)!);
    expect(byWords(paths, path(0))).not.toBe(-1);
  });

  it('that were taken again while they waited are not lost', () => {
    const paths = new PathTable();
    const path = held(paths, '64501 64500');
    paths.release(path);
    paths.retain(path);
    flushIdle(paths);
    flushIdle(paths);
    expect(byWords(paths, '64501 64500')).toBe(path);
    paths.release(path);
    flushIdle(paths);
    expect(byWords(paths, '64501 64500')).toBe(-1);
  });
});

describe('a note', () => {
  it('belongs to the path for which it was made, not to a later path with the same number', () => {
    const paths = new PathTable();
    const path = held(paths, '1 2 3');
    expect(paths.note(path)).toBe(0);
    const note = 2 ** NOTE_BITS - 1;
    const keeper = paths.forgetNotes();
    paths.setNote(path, note, keeper);
    expect([paths.note(path), paths.length(path), paths.origin(path), paths.prepended(path)]).toEqual([note, 3, 3, 0]);
    paths.setNote(path, 5, keeper);
    expect(paths.note(path)).toBe(5);
    paths.release(path);
    // It waits for its return, and is still itself.
    expect([held(paths, '1 2 3'), paths.note(path), paths.length(path)]).toEqual([path, 5, 3]);
    paths.release(path);
    flushIdle(paths);
    const others = Array.from({ length: MANY }, (_, i) => held(paths, `7 ${i}`));
    expect(others).toContain(path);
    expect(others.filter((other) => paths.note(other) !== 0)).toEqual([]);
  });

  it('leaves the length of the longest path alone', () => {
    const paths = new PathTable();
    const path = held(paths, Array(MAX_PATH_ASES).fill('7').join(' '));
    paths.setNote(path, 2 ** NOTE_BITS - 1, paths.forgetNotes());
    expect([paths.length(path), paths.note(path)]).toEqual([MAX_PATH_ASES, 2 ** NOTE_BITS - 1]);
  });

  it('is forgotten with all others, and set by the newest keeper alone', () => {
    const paths = new PathTable();
    // Of many lines, so that numbers lie between that are those of no path.
    const own = Array.from({ length: 200 }, (_, i) => held(paths, '4294967295 '.repeat(i + 1).trim()));
    const first = paths.forgetNotes();
    for (const path of own) paths.setNote(path, 7, first);
    const texts = own.map((path) => paths.text(path));
    const second = paths.forgetNotes();
    expect(own.map((path) => paths.note(path))).toEqual(own.map(() => 0));
    expect(own.map((path) => paths.text(path))).toEqual(texts);
    paths.setNote(own[0], 7, first);
    expect([paths.note(own[0]), paths.keepsNotes(first), paths.keepsNotes(second)]).toEqual([0, false, true]);
  });
});

describe('looking at every path', () => {
  /** Of one line of the records, of two, of many, with what is no plain path, and with another AS behind a line feed. */
  const TEXTS = [
    '1',
    '64496 64500',
    Array.from({ length: 6 }, (_, i) => 1_000_000 + i).join(' '),
    ...Array.from({ length: 40 }, (_, i) => `4294967295 ${'1'.repeat((i % 9) + 1)} ${'65536 '.repeat(i)}7`),
    '3333 {64500,64501}',
    '(64512 64513) 3333 [9 8]',
    '3333 (64512)',
    '',
  ];

  it('finds each path, but no free record, and none that only continues a text', () => {
    const paths = new PathTable();
    const kept = TEXTS.map((text) => held(paths, text));
    const gone = TEXTS.map((text) => held(paths, `5 ${text}`.trim()));
    for (const path of gone) paths.release(path);
    flushIdle(paths);
    const found: number[] = [];
    for (let number = 1; number < paths.end; number++) if (paths.isPath(number)) found.push(number);
    expect(found).toEqual(expect.arrayContaining(kept));
    expect(found.map((path) => paths.text(path)).filter((text) => text.startsWith('5 '))).toEqual([]);
    expect(new Set(found.map((path) => paths.text(path))).size).toBe(found.length);
  });

  it('tells whether an AS is in it, as its text does', () => {
    const paths = new PathTable();
    for (const text of TEXTS) {
      const path = held(paths, text);
      const ases = new Set((text.match(/\d+/g) ?? []).map(Number));
      for (const asn of [...ases, 0, 1, 5, 11, 6553, 65_536, 64_512, 64_496])
        expect([text, asn, paths.hasOneOf(path, new Set([asn]))]).toEqual([text, asn, ases.has(asn)]);
    }
  });
});
