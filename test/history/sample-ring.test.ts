import { describe, expect, it } from 'vitest';
import { largestOf } from '../../src/history/packed-rows.ts';
import { type Column, type Combine, SampleRing } from '../../src/history/sample-ring.ts';

const TIER = { stepMs: 10_000, slots: 4 };
const START = 1_700_000_000_000;
const columns = (...combine: Combine[]): Column[] => combine.map((each) => ({ combine: each, bits: 12 }));

describe('a ring of samples', () => {
  it('combines what falls into one slot, each column in its way', () => {
    const ring = new SampleRing(TIER, columns('least', 'last', 'sum'));
    ring.put(START, [5, 5, 5]);
    ring.put(START + 3_000, [3, 3, 3]);
    ring.put(START + 9_999, [4, 4, 4]);
    const { columns: read } = ring.read(START);
    expect(read.map((column) => column.at(-1))).toEqual([3, 4, 12]);
  });

  it('keeps as many slots as it has, the newest last, and leaves slots without a sample empty', () => {
    const ring = new SampleRing(TIER, columns('last'));
    for (const step of [0, 1, 2, 4, 5]) ring.put(START + step * 10_000, [step]);
    const { fromMs, stepMs, columns: read } = ring.read(START + 50_000);
    expect([fromMs, stepMs]).toEqual([START + 20_000, 10_000]);
    expect(read).toEqual([[2, undefined, 4, 5]]);
  });

  it('is empty after a pause longer than itself', () => {
    const ring = new SampleRing(TIER, columns('last'));
    ring.put(START, [1]);
    expect(ring.read(START + 40_000).columns).toEqual([[undefined, undefined, undefined, undefined]]);
    ring.put(START + 100_000, [2]);
    expect(ring.read(START + 100_000).columns).toEqual([[undefined, undefined, undefined, 2]]);
  });

  it('counts a time that goes back for the newest slot', () => {
    const ring = new SampleRing(TIER, columns('last'));
    ring.put(START + 20_000, [1]);
    ring.put(START, [2]);
    expect(ring.read(START + 20_000).columns).toEqual([[undefined, undefined, undefined, 2]]);
  });

  it('holds no number above the largest of its column', () => {
    const ring = new SampleRing(TIER, columns('sum', 'last'));
    ring.put(START, [60_000, 1_000_000]);
    ring.put(START, [60_000, 65_535]);
    expect(ring.read(START).columns.map((column) => column.at(-1))).toEqual([largestOf(12), largestOf(12)]);
  });

  it('adds up a sum exactly, however small its parts are beside it, also after a restart', () => {
    const ring = new SampleRing(TIER, columns('sum'));
    ring.put(START, [40_000]);
    for (let i = 0; i < 1_000; i++) ring.put(START, [1]);
    expect(ring.at(0, START)).toBeCloseTo(41_000, -2);
    const other = new SampleRing(TIER, columns('sum'));
    other.restore(ring.toRecord(), START);
    other.put(START, [10_000]);
    expect(other.at(0, START)).toBeCloseTo(51_000, -2);
  });

  it('reads a record of an earlier version, whose numbers had two bytes: at most 65,534', () => {
    const ring = new SampleRing(TIER, [
      { combine: 'last', bits: 14 },
      { combine: 'sum', bits: 12 },
    ]);
    const values = Buffer.from(Uint16Array.from([5, 4_095, 65_535, 65_534, 0, 1_023, 2_000, 65_535]).buffer);
    expect(ring.restore({ newest: START / 10_000, values: values.toString('base64') }, START)).toBe(true);
    expect(ring.read(START).columns).toEqual([
      [5, 4_095, undefined, 65_536],
      [0, 1_023, 2_000, undefined],
    ]);
    // And writes what such a version can read.
    const written = Buffer.from(ring.toRecord().values, 'base64');
    expect([...new Uint16Array(Uint8Array.from(written).buffer)]).toEqual([
      ...[5, 4_095, 65_535, 65_534, 0, 1_023, 2_000, 65_535],
    ]);
  });

  it('is the same after a record of it was restored, moved by the difference of the clocks', () => {
    const ring = new SampleRing(TIER, columns('last', 'sum'));
    for (const step of [0, 1, 3]) ring.put(START + step * 10_000, [step, 10 * step]);
    const other = new SampleRing(TIER, columns('last', 'sum'));
    expect(other.restore(ring.toRecord(20_000), START + 50_000)).toBe(true);
    expect(other.read(START + 50_000).columns).toEqual([
      [0, 1, undefined, 3],
      [0, 10, undefined, 30],
    ]);
  });

  it.each([
    ['of another length', { newest: 0, values: 'AAAA' }],
    ['of the future', { newest: START, values: new SampleRing(TIER, columns('last')).toRecord().values }],
    ['before all time', { newest: -2, values: new SampleRing(TIER, columns('last')).toRecord().values }],
  ])('refuses a record %s and stays as it was', (_, record) => {
    const ring = new SampleRing(TIER, columns('last'));
    ring.put(START, [7]);
    expect(ring.restore(record, START)).toBe(false);
    expect(ring.read(START).columns[0].at(-1)).toBe(7);
  });
});
