import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashText, TextIndex } from '../../../src/table/store/text-index.ts';
import { runs } from '../../support/property-runs.ts';
import { asWords, collidingTexts } from '../../support/text-words.ts';

const groups = collidingTexts();
const texts = [
  ...groups.flat().slice(0, 24),
  '',
  '64500',
  '64501',
  'é',
  'ÿ',
  '64500 64501',
  ...[...Array(40).keys()].map(String),
];

const findWords = (index: TextIndex, text: string) => index.findWords(...asWords(text));

describe('an index from text to number', () => {
  it('meets hashes that collide in this test', () => {
    expect(groups.length).toBeGreaterThan(2);
    for (const [a, b] of groups) expect(hashText(a)).toBe(hashText(b));
  });

  it('tells texts of one hash apart, in any order of adding and deleting', () => {
    for (const [a, b] of groups) {
      const index = new TextIndex();
      index.set(a, 1);
      expect([index.find(b), findWords(index, b), index.delete(b)]).toEqual([-1, -1, false]);
      index.set(b, 2);
      expect([findWords(index, a), findWords(index, b)]).toEqual([1, 2]);
      expect(index.delete(a)).toBe(true);
      expect([index.find(a), index.find(b), index.size]).toEqual([-1, 2, 1]);
    }
  });

  it('is a map, whatever is added, replaced, deleted and looked up', () => {
    const step = fc.record({
      do: fc.oneof(
        { weight: 5, arbitrary: fc.constant('set' as const) },
        { weight: 2, arbitrary: fc.constant('delete' as const) },
        { weight: 4, arbitrary: fc.constant('find' as const) },
      ),
      text: fc.constantFrom(...texts),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 300, size: 'max' }),
        fc.option(fc.nat(300), { nil: -1 }),
        (steps, clearAt) => {
          const index = new TextIndex();
          const map = new Map<string, number>();
          for (const [value, { do: what, text }] of steps.entries()) {
            if (value === clearAt) {
              index.clear();
              map.clear();
            }
            if (what === 'set') {
              index.set(text, value);
              map.set(text, value);
            } else if (what === 'delete') {
              expect(index.delete(text)).toBe(map.delete(text));
            }
            expect(index.find(text)).toBe(map.get(text) ?? -1);
          }
          expect(index.size).toBe(map.size);
          for (const text of texts)
            expect([index.find(text), findWords(index, text)]).toEqual(Array(2).fill(map.get(text) ?? -1));
        },
      ),
      runs(150),
    );
  });

  it('grows past many thousand texts and keeps each', () => {
    const index = new TextIndex();
    for (let i = 0; i < 20_000; i++) index.set(`2001:db8:${i}::/48`, i);
    for (let i = 0; i < 20_000; i += 2) index.delete(`2001:db8:${i}::/48`);
    expect(index.size).toBe(10_000);
    for (let i = 0; i < 20_000; i++) expect(index.find(`2001:db8:${i}::/48`)).toBe(i % 2 === 0 ? -1 : i);
  });

  it('finds nothing by words that only begin alike', () => {
    const index = new TextIndex();
    index.set('64500', 7);
    expect(findWords(index, '64500')).toBe(7);
    expect(findWords(index, '6450')).toBe(-1);
    expect(findWords(index, '64500 64501')).toBe(-1);
  });
});
