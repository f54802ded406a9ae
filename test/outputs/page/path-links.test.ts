import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastHops } from '../../../src/outputs/page/path-links.ts';
import { PathTable } from '../../../src/table/store/path-table.ts';
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

  it('are read from the record of a path as from its text', () => {
    const paths = new PathTable();
    const as = fc.oneof(fc.constantFrom('1', '64500', '4294967295', '{1,2}', '(3 4)'), fc.nat(70_000).map(String));
    fc.assert(
      fc.property(fc.array(as, { maxLength: 20 }), (ases) => {
        const path = paths.intern(ases.join(' '), 64_501);
        if (path === undefined || path <= 0) return;
        const text = paths.text(path);
        const read = paths.lastHops(path, 4);
        expect(read === undefined).toBe(/[^\d ]/.test(text) || text.length > 256);
        if (read !== undefined) expect(read.map(String)).toEqual(lastHops(text));
      }),
      runs(300),
    );
  });
});
