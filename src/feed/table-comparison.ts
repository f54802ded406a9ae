/** Applies what the history says to the table: one answer after the other, in slices, so that the stream is never kept waiting. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type VantagePoint, vantagePointKey } from '../bgp/vantage-point.ts';
import type { HistoryRows, RibRow, UpdateRow } from '../stream/history.ts';
import { PATH_LIMIT } from '../table/path-table.ts';
import { type MonitoredPrefix, PrefixState } from '../table/prefix-state.ts';
import type { RoutingTable, SeedChange } from '../table/routing-table.ts';
import { VP_LIMIT } from '../table/vp-registry.ts';

const ROWS_PER_TURN = 2_000;

/** A VP that an answer calls without a route for the prefix. The table may hold a route of it, or only expect one. */
export interface Absence {
  readonly state: PrefixState;
  readonly vp: number;
}

/** VPs that held a prefix at a time and are up. */
export interface Holders {
  /** Those that hold no route now. */
  readonly missing: Absence[];
  /** All of them. */
  holders: number;
}

/** A RIB as it was at one time: routes to hold, and by their absence routes to drop. */
export class RibReader {
  readonly #table: RoutingTable;
  readonly #session: number;
  readonly #source: number;
  readonly #timeUs: number;
  /** Which VPs (by number) the RIB has. By the state itself: its number may pass to another while this is read. */
  readonly #seen = new Map<PrefixState, Set<number>>();
  readonly #unavailable = new Set<string>();
  readonly #onCorrected: () => void;
  rows = 0;

  /**
   * @param atMs time of the RIB, Unix ms
   * @param onCorrected called for every route that differed
   */
  constructor(table: RoutingTable, session: number, atMs: number, onCorrected: () => void = () => {}) {
    this.#table = table;
    this.#session = session;
    this.#source = table.ownership.sourceOf(session);
    this.#timeUs = atMs * 1000;
    this.#onCorrected = onCorrected;
  }

  async read(batches: AsyncIterable<HistoryRows<RibRow>>): Promise<void> {
    for await (const batch of batches) {
      for (const { vp } of batch.unavailable) this.#unavailable.add(vantagePointKey(vp));
      for (const route of batch.rows) {
        this.#add(route);
        if (++this.rows % ROWS_PER_TURN === 0) await nextTurn();
      }
    }
  }

  #add(route: RibRow): void {
    const state = ownState(this.#table, route.prefix, true, this.#session);
    const vp = state === undefined ? -1 : addVp(this.#table, route.vp);
    if (state === undefined || vp < 0) return;
    let vps = this.#seen.get(state);
    if (vps === undefined) this.#seen.set(state, (vps = new Set()));
    vps.add(vp);
    if (seed(this.#table, state, vp, route, this.#timeUs, this.#source) === 'corrected') this.#onCorrected();
  }

  /**
   * The cells of the VPs that were asked, where the table has a route and the RIB has none.
   * @param prefixes canonical texts of the monitored prefixes that were asked for
   */
  absences(asked: readonly VantagePoint[], prefixes: ReadonlySet<string>): Absence[] {
    const answered = asked.filter((vp) => !this.#unavailable.has(vantagePointKey(vp)));
    const numbers = answered.map((vp) => this.#table.vps.find(vp)).filter((vp) => vp !== -1);
    const found: Absence[] = [];
    for (const state of this.#table.prefixes.states()) {
      const owner = state.monitored ?? state.parents[0];
      if (!owner.watched.sessions.includes(this.#session) || !prefixes.has(owner.state.prefix.text)) continue;
      const seen = this.#seen.get(state);
      for (const vp of numbers) {
        const cell = this.#table.cells.find(state, vp);
        if (cell === -1 || this.#table.cells.path(cell) === 0 || seen?.has(vp)) continue;
        if (!this.#table.ownership.counts(owner.current, vp, this.#source)) continue;
        if (this.#table.clock.saidUs(cell, vp) <= this.#timeUs) found.push({ state, vp });
      }
    }
    return found;
  }

  /** Which of these absences the RIB, read since, still has: the VP answered, and has no route for the prefix. */
  stillAbsent(absences: readonly Absence[]): Absence[] {
    return absences.filter(({ state, vp }) => {
      const known = this.#table.vps.get(vp);
      if (known === undefined || this.#unavailable.has(vantagePointKey(known))) return false;
      if (this.#table.prefixes.get(state.number) !== state || this.#seen.get(state)?.has(vp)) return false;
      const cell = this.#table.cells.find(state, vp);
      return cell !== -1 && this.#table.vps.down[vp] === 0 && this.#table.clock.saidUs(cell, vp) <= this.#timeUs;
    });
  }

  /**
   * VPs that may be gone, by `vantagePointKey`: the RIB has no data of them, or not one row although the table has routes.
   * @param absences what `absences` gave
   */
  silent(absences: readonly Absence[]): ReadonlySet<string> {
    const speaking = new Set([...this.#seen.values()].flatMap((vps) => [...vps]));
    const silent = new Set(this.#unavailable);
    for (const { vp } of absences) {
      const known = speaking.has(vp) ? undefined : this.#table.vps.get(vp);
      if (known !== undefined) silent.add(vantagePointKey(known));
    }
    return silent;
  }

  drop(absences: readonly Absence[], nowMs: number): void {
    for (const { state, vp } of absences) {
      // A slice of the stream may have come in between: the state may be gone, the cell newer.
      if (this.#table.prefixes.get(state.number) !== state) continue;
      const { current } = state.monitored ?? state.parents[0];
      if (!this.#table.ownership.counts(current, vp, this.#source)) continue;
      if (this.#table.seedAbsence(state, vp, this.#timeUs, nowMs) === 'corrected') this.#onCorrected();
    }
  }
}

/**
 * Applies a history of announcements and withdrawals.
 *
 * A time in whole seconds may stand for any moment of its second. Where the stream was not heard in that second (before
 * `heardFromMs`) it counts as the second's end, so that it is not older than what was heard just before the gap; later it
 * counts as its start, so that what was heard wins.
 * @returns rows read
 */
export async function applyHistory(
  table: RoutingTable,
  session: number,
  batches: AsyncIterable<HistoryRows<UpdateRow>>,
  heardFromMs: number,
  now: () => number,
): Promise<number> {
  const source = table.ownership.sourceOf(session);
  const heardFromSecondUs = Math.floor(heardFromMs / 1000) * 1_000_000;
  let rows = 0;
  for await (const batch of batches) {
    for (const row of batch.rows) {
      const wholeSecond = row.timeUs % 1_000_000 === 0;
      const saidUs = wholeSecond && row.timeUs < heardFromSecondUs ? row.timeUs + 999_999 : row.timeUs;
      const timeUs = table.clock.notAhead(saidUs, 'history', now());
      const state = ownState(table, row.prefix, row.kind === 'A', session);
      const vp = state === undefined ? -1 : row.kind === 'A' ? addVp(table, row.vp) : table.vps.find(row.vp);
      if (state !== undefined && vp >= 0) {
        if (row.kind === 'A') seed(table, state, vp, row, timeUs, source);
        else if (counts(table, state, vp, source)) table.seedAbsence(state, vp, timeUs, now());
      }
      if (++rows % ROWS_PER_TURN === 0) await nextTurn();
    }
  }
  return rows;
}

/**
 * Reads who held monitored prefixes one window ago: whoever is up and holds nothing now counts as expected from now on, as
 * if it had lost the route now.
 * @param nowMs when that is learnt, Unix ms
 */
export async function applyHolders(
  table: RoutingTable,
  session: number,
  batches: AsyncIterable<HistoryRows<RibRow>>,
  nowMs: number,
): Promise<Map<MonitoredPrefix, Holders>> {
  const found = new Map<MonitoredPrefix, Holders>();
  const source = table.ownership.sourceOf(session);
  let rows = 0;
  for await (const batch of batches) {
    for (const row of batch.rows) {
      const state = ownState(table, row.prefix, false, session);
      const vp = state?.monitored === undefined ? -1 : addVp(table, row.vp);
      const isTaken = state !== undefined && vp >= 0 && counts(table, state, vp, source);
      if (state?.monitored !== undefined && isTaken && table.vps.down[vp] === 0) {
        const { monitored } = state;
        let of = found.get(monitored);
        if (of === undefined) found.set(monitored, (of = { missing: [], holders: 0 }));
        of.holders++;
        const cell = table.cells.find(state, vp);
        if (cell === -1 || table.cells.path(cell) === 0) of.missing.push({ state, vp });
        table.seedExpected(monitored, vp, nowMs);
      }
      if (++rows % ROWS_PER_TURN === 0) await nextTurn();
    }
  }
  return found;
}

/** The newest word of each VP about each prefix in a part of the history, by `wordKey`. */
export async function lastWords(
  table: RoutingTable,
  batches: AsyncIterable<HistoryRows<UpdateRow>>,
): Promise<Map<string, UpdateRow>> {
  const words = new Map<string, UpdateRow>();
  let rows = 0;
  for await (const batch of batches) {
    for (const row of batch.rows) {
      const state = table.prefixes.find(row.prefix);
      const vp = table.vps.find(row.vp);
      if (state !== undefined && vp !== -1) {
        const key = wordKey({ state, vp });
        const before = words.get(key);
        if (before === undefined || before.timeUs <= row.timeUs) words.set(key, row);
      }
      if (++rows % ROWS_PER_TURN === 0) await nextTurn();
    }
  }
  return words;
}

export function wordKey({ state, vp }: Absence): string {
  return `${state.prefix.text} ${vp}`;
}

function seed(
  table: RoutingTable,
  state: PrefixState,
  vp: number,
  route: { readonly vp: VantagePoint; readonly asPath: string },
  timeUs: number,
  source: number,
): SeedChange {
  table.list(vp, source);
  if (!counts(table, state, vp, source)) return 'same';
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
function addVp(table: RoutingTable, vp: VantagePoint): number {
  const number = table.addVp(vp);
  if (number === VP_LIMIT) table.droppedRoutes.vp_limit++;
  return number;
}

function ownState(table: RoutingTable, prefix: string, create: boolean, session: number): PrefixState | undefined {
  const state = table.prefixes.resolve(prefix, create);
  if (state === 'more_specific_limit') table.droppedRoutes.more_specific_limit++;
  if (!(state instanceof PrefixState)) return undefined;
  return (state.monitored ?? state.parents[0]).watched.sessions.includes(session) ? state : undefined;
}

/** Whether a row of the source's history about the VP counts for the prefix: see ownership.ts. */
function counts(table: RoutingTable, state: PrefixState, vp: number, source: number): boolean {
  return table.ownership.countsAsHistory((state.monitored ?? state.parents[0]).current, vp, source);
}
