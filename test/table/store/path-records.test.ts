import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PathRecords, RECORD_WORDS } from '../../../src/table/store/path-records.ts';
import { runs } from '../../support/property-runs.ts';
import { asWords, collidingTexts } from '../../support/text-words.ts';

const ofLength = (length: number, first: string) => `${first}${' 64500'.repeat(length)}`.slice(0, length);
/** Around the lengths at which a text takes one line more: 40 bytes, then 36 and 64, then 60 more each. */
const lengths = [0, 1, 3, 4, 5, 35, 36, 37, 39, 40, 41, 44, 95, 99, 100, 101, 104, 159, 160, 161, 164, 500, 4_000];
const texts = [
  ...new Set(lengths.flatMap((length) => ['1', '2'].map((first) => ofLength(length, first)))),
  ...collidingTexts().flat().slice(0, 12),
];
const find = (records: PathRecords, text: string) => records.find(...asWords(text));

describe('records of paths', () => {
  it('are a map from texts of every length, whatever is added and removed', () => {
    const steps = fc.array(fc.record({ text: fc.constantFrom(...texts), remove: fc.boolean() }), {
      maxLength: 200,
      size: 'max',
    });
    fc.assert(
      fc.property(steps, (all) => {
        const records = new PathRecords();
        const map = new Map<string, number>();
        for (const { text, remove } of all) {
          const known = map.get(text);
          expect(find(records, text)).toBe(known ?? -1);
          if (known === undefined) {
            const record = records.add(...asWords(text));
            expect([...map.values()]).not.toContain(record);
            // The caller's words are its own, and nothing of who had the line before.
            const start = record * RECORD_WORDS;
            expect([...records.words.subarray(start, start + 4)]).toEqual([0, 0, 0, 0]);
            records.words.fill(-1, start, start + 4);
            map.set(text, record);
          } else if (remove) {
            records.remove(known);
            map.delete(text);
          }
        }
        for (const [text, record] of map) expect([records.text(record), find(records, text)]).toEqual([text, record]);
        for (const text of texts) if (!map.has(text)) expect(find(records, text)).toBe(-1);
      }),
      runs(200),
    );
  });

  it('begin with no number 0, and keep their numbers while there are more and more', () => {
    const records = new PathRecords();
    const numbers = Array.from({ length: 20_000 }, (_, i) => records.add(...asWords(ofLength((i % 120) + 8, `${i} `))));
    expect(numbers).not.toContain(0);
    expect(numbers.every((record, i) => records.text(record) === ofLength((i % 120) + 8, `${i} `))).toBe(true);
  });

  it('take the same memory however many come and go, long and short', () => {
    const records = new PathRecords();
    const waiting: number[] = [];
    let most = 0;
    for (let i = 0; i < 30_000; i++) {
      waiting.push(records.add(...asWords(ofLength(lengths[i % 20] + 8, `${i} `))));
      if (waiting.length > 100) records.remove(waiting.shift() as number);
      if (i === 1_000) most = records.words.length;
    }
    expect(records.words.length).toBe(most);
  });

  it('are not changed by being expected, known or not', () => {
    const records = new PathRecords();
    const record = records.add(...asWords('64501 64500'));
    const hashes = Int32Array.of(asWords('64501 64500')[3], asWords('64502 64500')[3]);
    records.prefetchTexts(hashes, 2);
    records.prefetch(Int32Array.of(record), 1);
    expect([find(records, '64501 64500'), find(records, '64502 64500')]).toEqual([record, -1]);
  });
});
