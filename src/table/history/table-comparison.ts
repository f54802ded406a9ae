/** Compares the table with a RIB of the history, and makes it what the RIB says where the table knows nothing newer. */
import { type VantagePoint, vantagePointKey } from '../../bgp/vantage-point.ts';
import type { PrefixState } from '../prefixes/prefix-state.ts';
import type { RoutingTable } from '../routing-table.ts';
import { type Absence, type HistoryRoute, numberOf, seedRow, stateOf } from './history-rows.ts';

/** The table beside a RIB as it was at one time: routes to hold, and by their absence routes to drop. */
export class TableComparison {
  readonly #table: RoutingTable;
  readonly #session: number;
  readonly #source: number;
  readonly #timeUs: number;
  /** Which VPs (by number) the RIB has. By the state itself: its number may pass to another while this is read. */
  readonly #seen = new Map<PrefixState, Set<number>>();
  readonly #unavailable = new Set<string>();
  /** Monitored prefixes of which not all more-specifics were asked for, and those that were. */
  readonly #partlyAsked = new Set<PrefixState>();
  readonly #askedInside = new Set<PrefixState>();
  readonly #onCorrected: () => void;
  /** Routes that the RIB has. */
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

  /** The RIB has no data of the VP: its routes are not missing. */
  addUnavailable(vp: VantagePoint): void {
    this.#unavailable.add(vantagePointKey(vp));
  }

  /**
   * Of a monitored prefix only these more-specifics were asked for: routes for others are not missing.
   * @param prefix canonical, as the others
   */
  addAskedInside(prefix: string, moreSpecifics: readonly string[]): void {
    const outer = this.#table.prefixes.find(prefix);
    if (outer?.monitored !== undefined) this.#partlyAsked.add(outer);
    for (const prefix of moreSpecifics) {
      const state = this.#table.prefixes.find(prefix);
      if (state !== undefined) this.#askedInside.add(state);
    }
  }

  /** A route of the RIB: the table takes it, unless it knows something newer. */
  add(route: HistoryRoute): void {
    this.rows++;
    const state = stateOf(this.#table, route.prefix, true, this.#session);
    const vp = state === undefined ? -1 : numberOf(this.#table, route.vp);
    if (state === undefined || vp < 0) return;
    let vps = this.#seen.get(state);
    if (vps === undefined) this.#seen.set(state, (vps = new Set()));
    vps.add(vp);
    if (seedRow(this.#table, state, vp, route, this.#timeUs, this.#source) === 'corrected') this.#onCorrected();
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
      if (!this.#isAsked(state)) continue;
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

  /**
   * The absences that a RIB which was read later confirms: it has the VP, without a route for the prefix. A VP that another
   * source owns by now is left out.
   */
  stillAbsent<One extends Absence>(absences: readonly One[]): One[] {
    return absences.filter(({ state, vp }) => {
      const known = this.#table.vps.get(vp);
      if (known === undefined || this.#unavailable.has(vantagePointKey(known))) return false;
      if (this.#table.prefixes.get(state.number) !== state || this.#seen.get(state)?.has(vp)) return false;
      if (!this.#isAsked(state)) return false;
      const { current } = state.monitored ?? state.parents[0];
      if (!this.#table.ownership.counts(current, vp, this.#source)) return false;
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

  #isAsked(state: PrefixState): boolean {
    return (
      state.monitored !== undefined || this.#askedInside.has(state) || !this.#partlyAsked.has(state.parents[0].state)
    );
  }
}
