/** What a VP takes with it: when its session goes down, and when it is forgotten. */
import type { PrefixState } from '../prefixes/prefix-state.ts';
import type { TableParts } from '../table-parts.ts';

/**
 * The VP's routes of these prefixes leave numerator and denominator.
 * @param sinceUs Unix microseconds, by the stamps of the stream: an announcement that is older stays out
 */
export function dropVp(table: TableParts, vp: number, states: Iterable<PrefixState>, sinceUs: number): void {
  const { cells, ledger } = table;
  for (const state of states) {
    const cell = cells.find(state, vp);
    if (cell === -1) continue;
    if (cells.path(cell) !== 0) {
      const isOlder = cells.time(cell) < sinceUs;
      if (state.monitored !== undefined) table.changes?.note(state.monitored, vp, cells.path(cell), 0, sinceUs);
      ledger.drop(state, vp, cell, isOlder ? sinceUs : cells.signedTime(cell), 0);
      ledger.countLoss(state, 'vp_down');
    } else if (cells.mark(cell) !== 0) {
      ledger.unexpect(state, vp, cell);
    }
  }
}

/** Forgets a VP that holds no route and is not expected to; its number may pass to another. */
export function forgetVp(table: TableParts, vp: number): void {
  // The changes that wait still mean this VP by its number.
  table.changes?.take();
  for (const state of table.prefixes.states()) {
    const cell = table.cells.find(state, vp);
    if (cell !== -1) table.cells.set(cell, 0, 0, 0);
  }
  table.ownership.forget(vp);
  table.vps.remove(vp);
}
