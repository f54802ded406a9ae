import { describe, expect, it } from 'vitest';
import { largestOf, PackedRows } from '../../src/history/packed-rows.ts';

describe('packed rows', () => {
  it('keep what each place was given, whatever stands beside it', () => {
    const bits = [14, 5, 12, 17, 4];
    const rows = new PackedRows(7, bits);
    const held = Array.from({ length: 7 }, () => bits.map((): number | undefined => undefined));
    const read = () => held.map((row, i) => row.map((_, column) => rows.get(i, column)));
    expect(read()).toEqual(held);
    // A walk that comes to each place several times, with numbers that are exact in each column, and with none.
    for (let step = 0; step < 1_000; step++) {
      const [row, column] = [(step * 5) % 7, (step * 3) % bits.length];
      held[row][column] = step % 11 === 0 ? undefined : (step * 37) % 2 ** (bits[column] - 2);
      rows.set(row, column, held[row][column]);
      expect(read()).toEqual(held);
    }
  });

  it.each([
    [14, 4_095, 262_000, 4_096],
    [12, 1_023, 65_000, 1_024],
  ])('of %i bits are exact up to %i, and up to %i off by 1 in %i at most', (bits, exact, most, share) => {
    const rows = new PackedRows(1, [bits]);
    for (let value = 0; value <= most; value++) {
      rows.set(0, 0, value);
      const error = Math.abs((rows.get(0, 0) ?? Number.NaN) - value);
      if (!(error <= (value <= exact ? 0 : value / share))) throw new Error(`${value} became ${rows.get(0, 0)}`);
    }
    rows.set(0, 0, 10 ** 12);
    expect(rows.get(0, 0)).toBe(largestOf(bits));
    expect(largestOf(bits)).toBeGreaterThan(most);
  });

  it('take no more bytes than their bits need', () => {
    expect(new PackedRows(360, [14, 14, 12]).byteLength).toBe(1_800);
    expect(new PackedRows(3, [5, 4]).byteLength).toBe(4);
  });

  it.each([3, 18])('have no column of %i bits', (bits) => {
    expect(() => new PackedRows(1, [bits])).toThrow(RangeError);
  });
});
