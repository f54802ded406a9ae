/**
 * Rows of a history as the table takes them: rows of prefixes that another session answers for are left out, and so are those
 * of VPs that another source owns. What finds no room is counted by its bound.
 */
import type { VantagePoint } from '../../bgp/vantage-point.ts';
import { type MonitoredPrefix, PrefixState } from '../prefixes/prefix-state.ts';
import type { RoutingTable, SeedChange } from '../routing-table.ts';
import { PATH_LIMIT } from '../store/path-table.ts';
import { VP_LIMIT } from '../store/vp-registry.ts';

/** A route that a VP held. */
export interface HistoryRoute {
  readonly vp: VantagePoint;
  readonly prefix: string;
  readonly asPath: string;
}

/** What a VP said: an announcement or a withdrawal. */
export interface HistoryWord extends HistoryRoute {
  readonly kind: 'A' | 'W';
  /** Unix microseconds; often whole seconds. */
  readonly timeUs: number;
}

/** A VP that an answer calls without a route for the prefix. The table may hold a route of it, or only expect one. */
export interface Absence {
  readonly state: PrefixState;
  readonly vp: number;
}

/** VPs that held a prefix at a time and are up. */
export interface Holders {
  /** VPs among them that hold no route now. */
  readonly missing: Absence[];
  /** All VPs that held it then and are up. */
  holders: number;
}

/**
 * Applies an announcement or a withdrawal of a history.
 *
 * A time in whole seconds may stand for any moment of its second. Where the stream was not heard in that second (before
 * `heardFromMs`) it counts as the second's end, so that it is not older than what was heard just before the gap; later it
 * counts as its start, so that what was heard wins.
 */
export function applyWord(
  table: RoutingTable,
  session: number,
  word: HistoryWord,
  heardFromMs: number,
  nowMs: number,
): void {
  const source = table.ownership.sourceOf(session);
  const heardFromSecondUs = Math.floor(heardFromMs / 1000) * 1_000_000;
  const isWholeSecond = word.timeUs % 1_000_000 === 0;
  const saidUs = isWholeSecond && word.timeUs < heardFromSecondUs ? word.timeUs + 999_999 : word.timeUs;
  const timeUs = table.clock.notAhead(saidUs, 'history', nowMs);
  const state = stateOf(table, word.prefix, word.kind === 'A', session);
  const vp = state === undefined ? -1 : word.kind === 'A' ? numberOf(table, word.vp) : table.vps.find(word.vp);
  if (state === undefined || vp < 0) return;
  if (word.kind === 'A') seedRow(table, state, vp, word, timeUs, source);
  else if (isTaken(table, state, vp, source)) table.seedAbsence(state, vp, timeUs, nowMs);
}

/**
 * Notes who held a monitored prefix one window ago: a VP that is up and holds nothing now counts as expected from now on, as
 * if it had lost the route now.
 * @param nowMs when that is learnt, Unix ms
 */
export function noteHolder(
  table: RoutingTable,
  session: number,
  row: HistoryRoute,
  found: Map<MonitoredPrefix, Holders>,
  nowMs: number,
): void {
  const state = stateOf(table, row.prefix, false, session);
  if (state?.monitored === undefined) return;
  const vp = numberOf(table, row.vp);
  if (vp < 0 || table.vps.down[vp] === 1 || !isTaken(table, state, vp, table.ownership.sourceOf(session))) return;
  const { monitored } = state;
  let of = found.get(monitored);
  if (of === undefined) found.set(monitored, (of = { missing: [], holders: 0 }));
  of.holders++;
  const cell = table.cells.find(state, vp);
  if (cell === -1 || table.cells.path(cell) === 0) of.missing.push({ state, vp });
  table.seedExpected(monitored, vp, nowMs);
}

/** A route of the history for a cell, unless the VP's owner is another source. */
export function seedRow(
  table: RoutingTable,
  state: PrefixState,
  vp: number,
  route: HistoryRoute,
  timeUs: number,
  source: number,
): SeedChange {
  table.list(vp, source);
  if (!isTaken(table, state, vp, source)) return 'same';
  const path = table.paths.intern(route.asPath, route.vp.asn);
  if (path === undefined) return 'same';
  if (path === PATH_LIMIT) {
    table.droppedRoutes.path_limit++;
    return 'same';
  }
  // Next hop and origin attribute are not in the answer, so the fingerprint is unknown.
  const change = table.seedRoute(state, vp, path, 0, timeUs);
  table.paths.discard(path);
  return change;
}

/** The VP's number; below 0 when there is no room for it, and then a route is lost. */
export function numberOf(table: RoutingTable, vp: VantagePoint): number {
  const number = table.addVp(vp);
  if (number === VP_LIMIT) table.droppedRoutes.vp_limit++;
  return number;
}

/** The state of a prefix that the session answers for; undefined for another prefix, and where there is no room for it. */
export function stateOf(
  table: RoutingTable,
  prefix: string,
  create: boolean,
  session: number,
): PrefixState | undefined {
  const state = table.prefixes.resolve(prefix, create);
  if (state === 'more_specific_limit') table.droppedRoutes.more_specific_limit++;
  if (!(state instanceof PrefixState)) return undefined;
  return (state.monitored ?? state.parents[0]).watched.sessions.includes(session) ? state : undefined;
}

/** Whether a row of the source's history about the VP counts for the prefix: see ownership.ts. */
function isTaken(table: RoutingTable, state: PrefixState, vp: number, source: number): boolean {
  return table.ownership.countsAsHistory((state.monitored ?? state.parents[0]).current, vp, source);
}
