import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastHops } from '../../../src/outputs/page/path-links.ts';
import { runs } from '../../support/property-runs.ts';

const ases = (count: number, from = 64_500) => Array.from({ length: count }, (_, i) => from + i).join(' ');

describe('the last hops of a path', () => {
  it('are its ASes from the origin on, prepends once, a set as one, without confederations', () => {
    expect(lastHops('1 2 3 4 5')).toEqual(['5', '4', '3', '2']);
    expect(lastHops('1 2 2 2')).toEqual(['2', '1']);
    expect(lastHops('1 (2 3) 4 {6,5}')).toEqual(['{5,6}', '4', '1']);
    expect(lastHops('')).toEqual([]);
  });

  it('are the same however long the path is, and wherever its end is cut off', () => {
    expect(lastHops(ases(16_344))).toEqual(['80843', '80842', '80841', '80840']);
    expect(lastHops(`7 8 9 ${'64500 '.repeat(16_000).trim()}`)).toEqual(['64500', '9', '8', '7']);
    const part = fc.oneof(
      fc.integer({ min: 1, max: 30 }).map((count) => ases(count)),
      fc.integer({ min: 1, max: 200 }).map((count) => '64499 '.repeat(count).trim()),
      fc.integer({ min: 1, max: 60 }).map((count) => `(${ases(count)})`),
      fc.integer({ min: 2, max: 200 }).map((count) => `{${ases(count).replaceAll(' ', ',')}}`),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), fc.array(part, { maxLength: 12 }), (before, end) => {
        // What stands before four hops does not change them.
        const tail = `1 2 3 4 ${end.join(' ')}`.trim();
        expect(lastHops(`${before.join(' ')} ${tail}`)).toEqual(lastHops(tail));
      }),
      runs(200),
    );
  });
});
