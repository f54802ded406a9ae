/** What a VP takes with it when its session goes down. */
import type { PrefixState } from './prefixes/prefix-state.ts';
import type { RoutingTable } from './routing-table.ts';

/**
 * The VP's routes of these prefixes leave numerator and denominator.
 * @param sinceUs Unix microseconds, by the stamps of the stream: an announcement that is older stays out
 */
export function dropVp(table: RoutingTable, vp: number, states: Iterable<PrefixState>, sinceUs: number): void {
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
