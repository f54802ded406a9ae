/** What time does to the table: VPs leave the denominator, routes expire, what nobody holds or hears of is forgotten. */
import type { MonitoredPrefix, PrefixState } from './prefixes/prefix-state.ts';
import type { TableParts } from './table-parts.ts';
import { forgetVp } from './vps/vp-loss.ts';

/** A more-specific that nobody holds is forgotten after this: long enough for messages that arrive late. */
const MORE_SPECIFIC_LINGER_MS = 10 * 60_000;

export class Sweep {
  readonly #table: TableParts;
  /** Where the next call goes on. */
  #at = 0;

  constructor(table: TableParts) {
    this.#table = table;
  }

  /**
   * Lets time pass for up to `rows` prefixes, going on where the last call ended: VPs leave the denominator, routes
   * expire, forgotten more-specifics go. When a whole round is done, VPs not heard of go too.
   * @returns whether the round is done
   */
  run(nowMs: number, rows: number): boolean {
    const table = this.#table;
    const end = Math.min(table.prefixes.end, this.#at + rows);
    for (; this.#at < end; this.#at++) {
      const state = table.prefixes.get(this.#at);
      if (state !== undefined) this.#sweepState(state, nowMs);
    }
    if (end < table.prefixes.end) return false;
    this.#at = 0;
    this.#sweepVps(nowMs);
    return true;
  }

  #sweepState(state: PrefixState, nowMs: number): void {
    const table = this.#table;
    const { monitored } = state;
    if (monitored !== undefined) this.#passTime(monitored, nowMs);
    const oldestLoss = monitored?.lossSecond(nowMs - table.options.expectedWindowMs) ?? 0;
    const oldestRouteUs =
      table.options.routeTtlMs === 0 ? 0 : table.clock.serviceNowUs(nowMs - table.options.routeTtlMs);
    for (let vp = table.cells.nextVp(state, 0); vp < table.vps.end; vp = table.cells.nextVp(state, vp + 1)) {
      const cell = table.cells.find(state, vp);
      if (table.cells.path(cell) === 0) {
        const lost = table.cells.mark(cell);
        if (lost !== 0 && lost < oldestLoss) table.ledger.unexpect(state, vp, cell);
      } else if (table.clock.saidUs(cell, vp) < oldestRouteUs) {
        if (monitored !== undefined) table.changes?.note(monitored, vp, table.cells.path(cell), 0, 0);
        table.ledger.drop(state, vp, cell, table.cells.signedTime(cell), nowMs);
        table.ledger.countLoss(state, 'expired');
      }
    }
    if (state.monitored === undefined && state.visible === 0 && nowMs - state.lastEventMs > MORE_SPECIFIC_LINGER_MS)
      table.prefixes.remove(state);
  }

  /**
   * An outage must not wear off: while fewer than a fifth of the expected VPs see the prefix, no loss grows older. So a
   * few routes that were left behind by mistake do not become all of what is expected.
   */
  #passTime(monitored: MonitoredPrefix, nowMs: number): void {
    const table = this.#table;
    if (isHardlySeen(monitored)) monitored.stoodStillMs += Math.max(0, nowMs - monitored.sweptAtMs);
    monitored.sweptAtMs = nowMs;
    if (nowMs - monitored.watchedSinceMs >= table.options.expectedWindowMs) monitored.setExpectedKnown();
  }

  #sweepVps(nowMs: number): void {
    const table = this.#table;
    const oldest = nowMs - table.options.expectedWindowMs;
    for (let vp = 0; vp < table.vps.end; vp++) {
      if (table.vps.get(vp) === undefined || table.vps.lastHeardMs[vp] >= oldest) continue;
      if (table.vps.counted[vp] === 1 && table.vps.cells[vp] === 0) table.ledger.countVp(vp, -1);
      const known = table.vps.cells[vp] > 0 || table.vps.fullFeed[vp] !== 0 || table.vps.down[vp] === 1;
      if (!known) forgetVp(table, vp);
    }
  }
}

/** Whether fewer than a fifth of the VPs that held the prefix within its window hold it now. */
function isHardlySeen({ state, expected }: MonitoredPrefix): boolean {
  return 5 * state.visible < expected;
}
