/**
 * What follows when the owner of vantage points changes (see ownership.ts): a source begins or ceases to deliver a VP, or to be
 * current for a prefix. The VP's routes pass to the next source that delivers it; where there is none they are lost.
 */

import type { LossReason, MonitoredPrefix, PrefixState } from '../prefixes/prefix-state.ts';
import type { TableParts } from '../table-parts.ts';
import type { SourceStates } from './ownership.ts';

/** A source delivers the VP from now on. */
export function deliverVp(table: TableParts, vp: number, source: number): void {
  const { ownership } = table;
  const before = ownership.delivers[vp];
  ownership.delivers[vp] |= 1 << source;
  if (ownership.delivers[vp] === before) return;
  for (const monitored of table.prefixes.monitored()) {
    if (!isHeld(table, monitored.state, vp)) continue;
    ownership.delivers[vp] = before;
    table.ledger.attribute(monitored, vp, -1);
    ownership.delivers[vp] |= 1 << source;
    table.ledger.attribute(monitored, vp, 1);
  }
}

/**
 * A source ceases to deliver the VP: it is down there, or left. Where no source is left that delivers it, its routes
 * leave numerator and denominator as `vp_down`.
 * @returns the place of a source to which routes of the VP passed; -1: there is none
 */
export function undeliverVp(table: TableParts, vp: number, source: number): number {
  const { ownership } = table;
  const before = ownership.delivers[vp];
  const after = before & ~(1 << source);
  if (before === after) return -1;
  let heir = -1;
  for (const monitored of table.prefixes.monitored()) {
    const was = ownership.shownOwner(monitored, vp);
    ownership.delivers[vp] = after;
    const is = ownership.shownOwner(monitored, vp);
    ownership.delivers[vp] = before;
    if (was === is) continue;
    if (is !== -1) heir = is;
    for (const state of statesOf(monitored)) pass(table, monitored, state, vp, was, is, 'vp_down');
  }
  ownership.delivers[vp] = after;
  return heir;
}

/**
 * Sets which sources are current for a prefix and its more-specifics, and which sources keep their routes. Where no source that
 * keeps its routes delivers a VP, the VP's routes leave numerator and denominator as `source_down`.
 */
export function setSourceStates(table: TableParts, monitored: MonitoredPrefix, states: SourceStates): OwnerChange {
  const before: SourceStates = { current: monitored.current, kept: monitored.kept };
  const { current, kept } = states;
  if (before.current === current && before.kept === kept) return NO_CHANGE;
  const { ownership, cells, vps } = table;
  if (!ownership.isShared) return NO_CHANGE;
  const lost = before.current & ~current;
  const passed = new Map<number, Map<number, number>>();
  let isCut = false;
  for (const state of statesOf(monitored)) {
    for (let vp = cells.nextVp(state, 0); vp < vps.end; vp = cells.nextVp(state, vp + 1)) {
      const was = ownership.shownOwner(before, vp);
      const is = ownership.shownOwner(states, vp);
      if (was === is) continue;
      if (pass(table, monitored, state, vp, was, is, 'source_down')) isCut = true;
      else if (is !== -1 && was !== -1 && (lost & (1 << was)) !== 0) {
        const from = passed.get(was) ?? new Map<number, number>();
        passed.set(was, from.set(vp, is));
      }
    }
  }
  monitored.current = current;
  monitored.kept = kept;
  monitored.state.version++;
  return { passed, isCut };
}

export interface OwnerChange {
  /**
   * VPs that passed to another source, with its place, by the source that is not current any more. What the other source said
   * of them shortly before was dropped: its history is to be read for them.
   */
  readonly passed: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** Whether routes were removed: then the lost source must read the whole prefix again when it is back. */
  readonly isCut: boolean;
}

const NO_CHANGE: OwnerChange = { passed: new Map(), isCut: false };

/** The prefix, and its more-specifics of which it is the nearest monitored one. */
function statesOf(monitored: MonitoredPrefix): PrefixState[] {
  return [monitored.state, ...[...monitored.moreSpecifics].filter(({ parents }) => parents[0] === monitored)];
}

/** @returns whether the VP held a route or was expected to hold one, and that is over now */
function pass(
  table: TableParts,
  monitored: MonitoredPrefix,
  state: PrefixState,
  vp: number,
  was: number,
  is: number,
  reason: LossReason,
): boolean {
  const cell = table.cells.find(state, vp);
  if (cell === -1) return false;
  if (table.cells.path(cell) === 0) {
    const isLost = is === -1 && table.cells.mark(cell) !== 0;
    if (isLost) table.ledger.unexpect(state, vp, cell);
    return isLost;
  }
  if (is === -1) {
    if (state.monitored !== undefined) table.changes?.note(state.monitored, vp, table.cells.path(cell), 0, 0);
    // The source that owns it still stands in the masks, so its count falls with the route.
    table.ledger.drop(state, vp, cell, table.cells.signedTime(cell), 0);
    table.ledger.countLoss(state, reason);
    return true;
  }
  const shown = state === monitored.state ? monitored.visibleBySource : undefined;
  if (shown === undefined) return false;
  if (was !== -1) shown[was]--;
  shown[is]++;
  return false;
}

function isHeld(table: TableParts, state: PrefixState, vp: number): boolean {
  const cell = table.cells.find(state, vp);
  return cell !== -1 && table.cells.path(cell) !== 0;
}
