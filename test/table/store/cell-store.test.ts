import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CellStore, type Row } from '../../../src/table/store/cell-store.ts';
import { runs } from '../../support/property-runs.ts';

const newRow = (): Row => ({ blocks: [] });

describe('cells by prefix and VP', () => {
  it('has no cell before it is made, and an empty one after', () => {
    const cells = new CellStore();
    const row = newRow();
    expect(cells.find(row, 0)).toBe(-1);
    expect(cells.find(row, 19_999)).toBe(-1);
    const cell = cells.make(row, 19_999);
    expect([cells.path(cell), cells.mark(cell), cells.time(cell)]).toEqual([0, 0, 0]);
    expect(cells.find(row, 19_999)).toBe(cell);
    expect(cells.find(row, 0)).toBe(-1);
  });

  it('keeps the full range of what a cell holds', () => {
    const cells = new CellStore();
    const cell = cells.make(newRow(), 3);
    cells.set(cell, 2 ** 32 - 1, 2 ** 32 - 1, 7_258_118_400_999_999);
    expect([cells.path(cell), cells.mark(cell), cells.time(cell)]).toEqual([
      2 ** 32 - 1,
      2 ** 32 - 1,
      7_258_118_400_999_999,
    ]);
  });

  it('is a map of maps, over many blocks and chunks, with rows freed and taken again', () => {
    const step = fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({
          do: fc.constant('set' as const),
          row: fc.nat(5),
          vp: fc.oneof(fc.nat(70), fc.nat(20_000)),
          path: fc.integer({ min: 1, max: 9 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('free' as const), row: fc.nat(5) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const cells = new CellStore();
        const rows = [...Array(6)].map(newRow);
        const model = rows.map(() => new Map<number, number>());
        for (const one of steps) {
          if (one.do === 'free') {
            cells.free(rows[one.row]);
            model[one.row].clear();
          } else {
            cells.set(cells.make(rows[one.row], one.vp), one.path, one.vp, one.row + 1);
            model[one.row].set(one.vp, one.path);
          }
        }
        const all = new Set<number>();
        for (const [i, row] of rows.entries()) {
          for (const [vp, path] of model[i]) {
            const cell = cells.find(row, vp);
            expect([cells.path(cell), cells.mark(cell), cells.time(cell)]).toEqual([path, vp, i + 1]);
            all.add(cell);
          }
          // the neighbours in the same block were never set: freed blocks came back clean
          for (const vp of model[i].keys()) {
            const neighbour = vp ^ 1;
            if (model[i].has(neighbour)) continue;
            const empty = cells.find(row, neighbour);
            expect([cells.path(empty), cells.mark(empty), cells.time(empty)]).toEqual([0, 0, 0]);
          }
        }
        expect(all.size).toBe(model.reduce((sum, map) => sum + map.size, 0));
      }),
      runs(100),
    );
  });

  it('uses freed blocks again: a row that comes and goes takes no more memory', () => {
    const cells = new CellStore();
    const row = newRow();
    for (let round = 0; round < 50; round++) {
      for (let vp = 0; vp < 20_000; vp += 64) cells.set(cells.make(row, vp), 1, 1, 1);
      cells.free(row);
    }
    expect(cells.bytes).toBeLessThanOrEqual(512 * 1024);
  });

  it('never moves a cell: numbers stay good while a thousand chunks are added', () => {
    const cells = new CellStore();
    const first = cells.make(newRow(), 5);
    cells.set(first, 1, 2, 3);
    for (let i = 0; i < 2_000; i++) cells.make(newRow(), 0);
    expect([cells.path(first), cells.mark(first), cells.time(first)]).toEqual([1, 2, 3]);
    expect(cells.bytes).toBe(4 * 512 * 1024);
  });
});
