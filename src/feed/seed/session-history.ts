/**
 * The history as one session reads it into the table: times are ours and become those of the service, rows of prefixes that
 * another session answers for are left out.
 */

import { type History, type HistoryVp, titleOf, type UpdateRow, type UpdatesOf } from '../../stream/history.ts';
import type { Holders } from '../../table/history/history-rows.ts';
import type { TableComparison } from '../../table/history/table-comparison.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import type { VpDirectory } from '../vp-directory.ts';
import { readHolders, readLastWords, readRib, readUpdates } from './history-readers.ts';

export interface SessionHistoryOptions {
  readonly session: number;
  readonly table: RoutingTable;
  readonly history: History;
  readonly directory: VpDirectory;
  /** Unix ms. */
  readonly now: () => number;
}

/** Every call rejects as the calls of `History` do. */
export class SessionHistory {
  readonly #options: SessionHistoryOptions;

  constructor(options: SessionHistoryOptions) {
    this.#options = options;
  }

  /** What people call the service. */
  get title(): string {
    return titleOf(this.#options.history);
  }

  /** Whether a RIB without any route says that there is none, and not that the service lost its data. */
  get provesEmptiness(): boolean {
    return this.#options.history.provesEmptiness === true;
  }

  /** The time by our clock of what the service stamped at this time of its own. */
  ourMs(timeUs: number): number {
    return timeUs / 1000 - this.#options.directory.clockOffsetMs;
  }

  /** Applies what the VPs held at `ourMs`, whole seconds; what of the table is missing there, the reader tells. */
  async readRib(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    ourMs: number,
    signal: AbortSignal,
    onCorrected?: () => void,
  ): Promise<TableComparison> {
    const { history, table, session } = this.#options;
    const atMs = wholeSecond(this.#serviceMs(ourMs));
    return readRib(table, session, history.rib(vps, prefixes, atMs, signal), atMs, onCorrected);
  }

  /** Applies what the VPs said in between. `heardFromMs`: since when the stream was heard. */
  async readUpdates(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    fromMs: number,
    toMs: number,
    heardFromMs: number,
    signal: AbortSignal,
    of: UpdatesOf = 'all',
  ): Promise<void> {
    const { table, session, now } = this.#options;
    const batches = this.#updates(vps, prefixes, fromMs, toMs, signal, of);
    await readUpdates(table, session, batches, this.#serviceMs(heardFromMs), now);
  }

  /** The newest word of each VP about each prefix in between, by `wordKey`; nothing is applied. */
  async lastWords(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, UpdateRow>> {
    return readLastWords(this.#options.table, this.#updates(vps, prefixes, fromMs, toMs, signal));
  }

  /** Who held the prefixes at `ourMs` counts as expected from now on. */
  async readHolders(
    prefixes: readonly string[],
    ourMs: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<MonitoredPrefix, Holders>> {
    const { history, directory, table, session, now } = this.#options;
    const batches = history.holders(directory.live, prefixes, wholeSecond(this.#serviceMs(ourMs)), signal);
    return readHolders(table, session, batches, now());
  }

  #updates(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
    of?: UpdatesOf,
  ) {
    const [from, to] = [wholeSecond(this.#serviceMs(fromMs)), Math.ceil(this.#serviceMs(toMs) / 1000) * 1000];
    return this.#options.history.updates(vps, prefixes, from, to, signal, of);
  }

  /** A table whose times are ahead of the stream would take no event. */
  #serviceMs(ourMs: number): number {
    return ourMs + this.#options.directory.clockOffsetMs;
  }
}

/** Unix ms cut to whole seconds, as the service takes them. */
export function wholeSecond(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000)) * 1000;
}
