/**
 * Who held the prefixes of a session one window ago. Without it the denominator would depend on how long the process has
 * lived: a restart in the middle of an outage would expect only the VPs that are left.
 */
import { DataApiError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { Backoff, type BackoffOptions } from '../../stream/backoff.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import type { Absence } from '../../table/history/history-rows.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import type { SessionHistory } from './session-history.ts';

export interface HolderHistoryOptions {
  readonly session: number;
  readonly table: RoutingTable;
  readonly history: SessionHistory;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly retry: BackoffOptions;
  /** Most VPs that held a prefix then are up and do not hold it any more. */
  readonly onMissing: (absences: readonly Absence[], signal: AbortSignal) => void;
}

export class HolderHistory {
  readonly #options: HolderHistoryOptions;
  /** Prefixes whose holders were read, or whose history does not go back so far. */
  readonly #learnt = new Set<string>();

  constructor(options: HolderHistoryOptions) {
    this.#options = options;
  }

  /** Forgets all prefixes but these: one that comes back is asked for again. */
  keep(prefixes: ReadonlySet<string>): void {
    for (const prefix of this.#learnt) if (!prefixes.has(prefix)) this.#learnt.delete(prefix);
  }

  /** The holders of these prefixes are known from a snapshot. */
  restored(prefixes: Iterable<string>): void {
    for (const prefix of prefixes) this.#learnt.add(prefix);
  }

  /** Asks for the holders again: the table does not know what happened in between. */
  forget(prefixes: Iterable<string>): void {
    for (const prefix of prefixes) this.#learnt.delete(prefix);
  }

  /**
   * Reads the holders of the given prefixes, except where that was done before. A history that does not go back so far leaves the denominator
   * unknown until the window has passed. Never rejects: the table is complete without it.
   * @returns false when it could not be read now and may be later
   */
  async learn(prefixes: readonly string[], signal: AbortSignal): Promise<boolean> {
    const { history, table, timers, session, logger } = this.#options;
    const unknown = prefixes.filter((prefix) => !this.#learnt.has(prefix));
    if (unknown.length === 0) return true;
    try {
      const atMs = timers.now() - table.options.expectedWindowMs;
      const found = await history.readHolders(unknown, atMs, signal);
      if (signal.aborted) return true;
      for (const prefix of unknown) {
        const monitored = table.prefixes.find(prefix)?.monitored;
        if (monitored === undefined) continue;
        this.#learnt.add(prefix);
        monitored.setExpectedKnown();
      }
      const missing = [...found.values()].flatMap((of) => (of.missing.length * 2 > of.holders ? of.missing : []));
      if (missing.length > 0) this.#options.onMissing(missing, signal);
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      const fields = { session, error: error instanceof Error ? error.message : String(error) };
      if (error instanceof DataApiError && (error.code === 'BAD_REQUEST' || error.code === 'NOT_FOUND')) {
        logger.info(
          `${history.title} does not tell which vantage points held the prefixes a window ago: the expected ones are known after a whole window`,
          fields,
        );
        for (const prefix of unknown) this.#learnt.add(prefix);
        return true;
      }
      logger.warn(
        `the vantage points that held the prefixes a window ago could not be read from ${history.title}, trying again`,
        fields,
      );
      return false;
    }
  }

  /** Asks again until it could be read, or the signal is aborted. */
  async learnLater(prefixes: readonly string[], signal: AbortSignal): Promise<void> {
    const { timers, retry } = this.#options;
    const backoff = new Backoff(retry, timers.random);
    while (!signal.aborted && prefixes.some((prefix) => !this.#learnt.has(prefix))) {
      await sleep(timers, backoff.next(), signal);
      if (signal.aborted || (await this.learn(prefixes, signal))) return;
    }
  }
}
