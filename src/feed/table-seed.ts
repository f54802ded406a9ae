/** Applies what the Data API says to the table: one answer after the other, in slices, so that the stream is never kept waiting. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type VantagePoint, vantagePointKey } from '../bgp/vantage-point.ts';
import { PrefixState } from '../table/prefix-state.ts';
import type { RoutingTable, SeedChange } from '../table/routing-table.ts';
import { VP_LIMIT } from '../table/vp-registry.ts';
import type { ApiBatch, ApiRoute, ApiUpdate } from './seed-api.ts';

const ROWS_PER_TURN = 2_000;

/** A RIB as it was at one time: routes to hold, and by their absence routes to drop. */
export class RibReader {
  readonly #table: RoutingTable;
  readonly #session: number;
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
    this.#timeUs = atMs * 1000;
    this.#onCorrected = onCorrected;
  }

  async read(batches: AsyncIterable<ApiBatch<ApiRoute>>): Promise<void> {
    for await (const batch of batches) {
      for (const { vp } of batch.unavailable) this.#unavailable.add(vantagePointKey(vp));
      for (const route of batch.rows) {
        this.#add(route);
        if (++this.rows % ROWS_PER_TURN === 0) await nextTurn();
      }
    }
  }

  #add(route: ApiRoute): void {
    const state = ownState(this.#table, route.prefix, true, this.#session);
    const vp = state === undefined ? -1 : addVp(this.#table, route.vp);
    if (state === undefined || vp < 0) return;
    let vps = this.#seen.get(state);
    if (vps === undefined) this.#seen.set(state, (vps = new Set()));
    vps.add(vp);
    if (seed(this.#table, state, vp, route, this.#timeUs) === 'corrected') this.#onCorrected();
  }

  /**
   * The cells of the VPs that were asked, where the table has a route and the RIB has none.
   * @param prefixes canonical texts of the monitored prefixes that were asked for
   */
  absences(asked: readonly VantagePoint[], prefixes: ReadonlySet<string>): { state: PrefixState; vp: number }[] {
    const answered = asked.filter((vp) => !this.#unavailable.has(vantagePointKey(vp)));
    const numbers = answered.map((vp) => this.#table.vps.find(vp)).filter((vp) => vp !== -1);
    const found: { state: PrefixState; vp: number }[] = [];
    for (const state of this.#table.prefixes.states()) {
      const owner = state.monitored ?? state.parents[0];
      if (owner.watched.session !== this.#session || !prefixes.has(owner.state.prefix.text)) continue;
      const seen = this.#seen.get(state);
      for (const vp of numbers) {
        const cell = this.#table.cells.find(state, vp);
        if (cell === -1 || this.#table.cells.path(cell) === 0 || seen?.has(vp)) continue;
        if (this.#table.cells.time(cell) <= this.#timeUs) found.push({ state, vp });
      }
    }
    return found;
  }

  drop(absences: readonly { state: PrefixState; vp: number }[], nowMs: number): void {
    for (const { state, vp } of absences) {
      // A slice of the stream may have come in between: the state may be gone, the cell newer.
      if (this.#table.prefixes.get(state.number) !== state) continue;
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
  batches: AsyncIterable<ApiBatch<ApiUpdate>>,
  heardFromMs: number,
  now: () => number,
): Promise<number> {
  const heardFromSecondUs = Math.floor(heardFromMs / 1000) * 1_000_000;
  let rows = 0;
  for await (const batch of batches) {
    for (const row of batch.rows) {
      const wholeSecond = row.timeUs % 1_000_000 === 0;
      const timeUs = wholeSecond && row.timeUs < heardFromSecondUs ? row.timeUs + 999_999 : row.timeUs;
      const state = ownState(table, row.prefix, row.kind === 'A', session);
      const vp = state === undefined ? -1 : row.kind === 'A' ? addVp(table, row.vp) : table.vps.find(row.vp);
      if (state !== undefined && vp >= 0) {
        if (row.kind === 'A') seed(table, state, vp, row, timeUs);
        else table.seedAbsence(state, vp, timeUs, now());
      }
      if (++rows % ROWS_PER_TURN === 0) await nextTurn();
    }
  }
  return rows;
}

function seed(
  table: RoutingTable,
  state: PrefixState,
  vp: number,
  route: { readonly vp: VantagePoint; readonly asPath: string },
  timeUs: number,
): SeedChange {
  const path = table.paths.intern(route.asPath, route.vp.asn);
  if (path === undefined) return 'same';
  // Next hop and origin attribute are not in the answer, so the fingerprint is unknown.
  const change = table.seedRoute(state, vp, path, 0, timeUs);
  table.paths.discard(path);
  return change;
}

/** The VP's number; below 0 when there is no room for it, and then a route is lost. */
function addVp(table: RoutingTable, vp: VantagePoint): number {
  const number = table.vps.add(vp);
  if (number === VP_LIMIT) table.droppedRoutes.vp_limit++;
  return number;
}

function ownState(table: RoutingTable, prefix: string, create: boolean, session: number): PrefixState | undefined {
  const state = table.prefixes.resolve(prefix, create);
  if (state === 'more_specific_limit') table.droppedRoutes.more_specific_limit++;
  if (!(state instanceof PrefixState)) return undefined;
  return (state.monitored ?? state.parents[0]).watched.session === session ? state : undefined;
}
