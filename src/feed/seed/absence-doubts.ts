/**
 * Routes that an answer of the history does not have although the table does. A few are what a comparison looks for: withdrawals
 * that were missed on the stream. Many at once are more likely a fault of the answer (a backend that was empty for a second)
 * than an outage that the stream never spoke of. They are kept, and their prefix is not trusted, until the history says the
 * same to two questions: what VPs hold, and what they announced and withdrew.
 *
 * A route may go without a withdrawal that we see: the session of its VP was lost while nobody listened, or the withdrawal is
 * older than what is asked for. So no absence stays in doubt for ever: one that each answer repeats is believed in the end.
 */
import type { Logger } from '../../logger.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import type { Absence } from '../../table/history/history-rows.ts';
import type { PrefixState } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import type { VpDirectory } from '../vp-directory.ts';
import { wordKey } from './history-readers.ts';
import type { ReadingFailure } from './reading-attempt.ts';
import type { SessionHistory } from './session-history.ts';

/** Absences are doubted when they are at least this many and more than a tenth of all routes, or more than half of all routes. */
const MANY = 3;

/** After how long the history is asked again, ms; the waits double up to the longest. */
const FIRST_WAIT_MS = 120_000;
const LONGEST_WAIT_MS = 900_000;

/** How far the question about announcements and withdrawals goes back at least, and at most, ms. */
const SHORTEST_SPAN_MS = 600_000;
const LONGEST_SPAN_MS = 86_400_000;

/** An absence that this many answers have repeated, and all for this long, ms, is believed without a withdrawal. */
const REPEATS = 3;
const REPEATED_MS = 1_500_000;
/** The same for an answer without any route, while nothing shows that the service still has its data. */
const REPEATED_EMPTY_MS = 86_400_000;

/** This many VPs that are not in doubt are asked about too: a route of theirs shows that the service has data. */
const WITNESSES = 10;

/**
 * Whether so many absences are more than a comparison should find.
 * @param absent VPs that the answer calls without a route
 * @param all VPs that had one before it, the absent ones among them
 */
export function isDoubtful(absent: number, all: number): boolean {
  return absent * 2 > all || (absent >= MANY && absent * 10 > all);
}

/** Which absences are believed at once and which are not, prefix by prefix: the monitored ones and their more-specifics. */
export function divideAbsences(absences: readonly Absence[]): {
  readonly believed: readonly Absence[];
  readonly doubted: readonly Absence[];
} {
  const believed: Absence[] = [];
  const doubted: Absence[] = [];
  for (const [state, found] of byState(absences)) {
    const kind = isDoubtful(found.length, state.visible) ? doubted : believed;
    for (const absence of found) kind.push(absence);
  }
  return { believed, doubted };
}

export interface AbsenceDoubtsOptions {
  readonly session: number;
  readonly table: RoutingTable;
  readonly history: SessionHistory;
  readonly directory: VpDirectory;
  readonly logger: Logger;
  readonly timers: Timers;
  /** How far the history is behind the stream. */
  readonly lagMs: number;
  /** Does one reading of the history, counting and logging how it ended. */
  readonly attempt: (read: () => Promise<void>, signal: AbortSignal) => Promise<ReadingFailure | undefined>;
  /** Called when an answer was doubted. */
  readonly onDoubted: () => void;
  /** Called with how many doubted absences turned out to be true and were applied. */
  readonly onConfirmed: (absences: number) => void;
  /** Called whenever `has` may have changed. */
  readonly onChange: () => void;
}

/** `sinceMs`: when it was first doubted, by `elapsed`. `repeats`: answers that said the same since then. */
interface Doubt extends Absence {
  readonly sinceMs: number;
  repeats: number;
}

/** What is in doubt of one session, by monitored prefix. */
export class AbsenceDoubts {
  readonly #options: AbsenceDoubtsOptions;
  /** Those of one monitored prefix and its more-specifics are by `wordKey`. */
  readonly #byPrefix = new Map<string, Map<string, Doubt>>();

  constructor(options: AbsenceDoubtsOptions) {
    this.#options = options;
  }

  /** Whether the prefix itself is in doubt. Doubt about its more-specifics alone leaves it trusted. */
  has(prefix: string): boolean {
    for (const { state } of this.#byPrefix.get(prefix)?.values() ?? []) if (state.monitored !== undefined) return true;
    return false;
  }

  /** Forgets what is in doubt of all prefixes but these. */
  keep(prefixes: ReadonlySet<string>): void {
    for (const prefix of this.#byPrefix.keys()) if (!prefixes.has(prefix)) this.#byPrefix.delete(prefix);
  }

  /**
   * Notes absences that are not believed.
   * @param why for the log
   * @returns whether they are the first: then call `settle`
   */
  add(absences: readonly Absence[], why: string): boolean {
    const { logger, session, history, timers, onDoubted, onChange } = this.#options;
    const isFirst = this.#byPrefix.size === 0;
    const sinceMs = timers.elapsed();
    this.#include(absences.map((absence) => ({ ...absence, sinceMs, repeats: 0 })));
    onDoubted();
    logger.warn(
      `an answer of ${history.title} would take away too much to be believed at once: it will be asked again`,
      {
        ...{ session, why, prefixes: byState(absences).size },
        vantage_points: new Set(absences.map(({ vp }) => vp)).size,
      },
    );
    onChange();
    return isFirst;
  }

  /**
   * Asks the history again, at growing distances, until nothing is in doubt or the signal is aborted. Once the history answers
   * after it failed, the distances begin with the shortest again: its word is needed a few times.
   */
  async settle(signal: AbortSignal): Promise<void> {
    const { timers, attempt, onChange } = this.#options;
    let waitMs = FIRST_WAIT_MS;
    let hasFailed = false;
    while (this.#byPrefix.size > 0) {
      await sleep(timers, waitMs, signal);
      if (signal.aborted) return;
      const failure = await attempt(() => this.#askAgain(signal), signal);
      if (signal.aborted) return;
      waitMs = hasFailed && failure === undefined ? FIRST_WAIT_MS : Math.min(2 * waitMs, LONGEST_WAIT_MS);
      hasFailed = failure !== undefined;
      onChange();
    }
  }

  async #askAgain(signal: AbortSignal): Promise<void> {
    const { directory, table, history, timers, lagMs, logger, session, onConfirmed } = this.#options;
    const all = [...this.#byPrefix.values()].flatMap((doubts) => [...doubts.values()]);
    const prefixes = [...this.#byPrefix.keys()];
    const numbers = new Set(all.map(({ vp }) => vp));
    const vps = directory.live.filter(({ vp }) => numbers.has(table.vps.find(vp)));
    const witnesses = directory.live.filter(({ vp }) => {
      const number = table.vps.find(vp);
      return number !== -1 && !numbers.has(number) && table.vps.cells[number] > 0;
    });
    const nowMs = timers.now();
    const rib = await history.readRib([...vps, ...witnesses.slice(0, WITNESSES)], prefixes, nowMs - lagMs, signal);
    if (signal.aborted) return;
    const absent = rib.stillAbsent(all);
    let agreed: readonly Doubt[] = [];
    if (absent.length > 0) {
      const sinceMs = Math.min(nowMs - SHORTEST_SPAN_MS, ...absent.map((doubt) => this.#heldSinceMs(doubt)));
      const words = await history.lastWords(vps, prefixes, Math.max(nowMs - LONGEST_SPAN_MS, sinceMs), nowMs, signal);
      if (signal.aborted) return;
      for (const doubt of absent) doubt.repeats++;
      const hasData = rib.rows > 0 || history.provesEmptiness;
      const repeatedSinceMs = timers.elapsed() - (hasData ? REPEATED_MS : REPEATED_EMPTY_MS);
      agreed = [...byState(absent).values()].flatMap((found) => {
        const sure = found.filter((doubt) => {
          const word = words.get(wordKey(doubt))?.kind;
          // A VP that is only expected holds no route that could be taken away; its session may have lost the route without a withdrawal.
          const isConfirmed = word === 'W' || (word === undefined && !this.#isHeld(doubt));
          return isConfirmed || (doubt.repeats >= REPEATS && doubt.sinceMs <= repeatedSinceMs);
        });
        // When the answers agree about most routes, the few that are left are believed as in any comparison.
        const rest = found.length - sure.length;
        return rest <= sure.length || !isDoubtful(rest, found[0].state.visible) ? found : sure;
      });
    }
    rib.drop(agreed, timers.now());
    onConfirmed(agreed.length);
    // What came into doubt while the history was read stays so.
    const asked = new Set(all);
    const open = new Set(absent);
    for (const doubt of agreed) open.delete(doubt);
    for (const [prefix, doubts] of this.#byPrefix) {
      for (const [key, doubt] of doubts) if (asked.has(doubt) && !open.has(doubt)) doubts.delete(key);
      if (doubts.size === 0) this.#byPrefix.delete(prefix);
    }
    logger.info(`${history.title} was asked again about what was in doubt`, {
      ...{ session, gone: agreed.length, still_there: all.length - absent.length },
      in_doubt: absent.length - agreed.length,
    });
  }

  /** An absence that is doubted already keeps its time, unless its prefix was given up and came back meanwhile. */
  #include(doubts: readonly Doubt[]): void {
    for (const doubt of doubts) {
      const prefix = (doubt.state.monitored ?? doubt.state.parents[0]).state.prefix.text;
      const ofPrefix = this.#byPrefix.get(prefix) ?? new Map<string, Doubt>();
      this.#byPrefix.set(prefix, ofPrefix);
      const key = wordKey(doubt);
      if (ofPrefix.get(key)?.state !== doubt.state) ofPrefix.set(key, doubt);
    }
  }

  #isHeld({ state, vp }: Absence): boolean {
    const { cells } = this.#options.table;
    const cell = cells.find(state, vp);
    return cell !== -1 && cells.path(cell) !== 0;
  }

  /** When the VP was last known to hold the route, Unix ms; 0 when it holds none. */
  #heldSinceMs(absence: Absence): number {
    if (!this.#isHeld(absence)) return 0;
    const { table, history } = this.#options;
    return history.ourMs(table.clock.saidUs(table.cells.find(absence.state, absence.vp), absence.vp));
  }
}

function byState<One extends Absence>(absences: readonly One[]): Map<PrefixState, One[]> {
  const states = new Map<PrefixState, One[]>();
  for (const absence of absences) {
    const found = states.get(absence.state);
    if (found === undefined) states.set(absence.state, [absence]);
    else found.push(absence);
  }
  return states;
}
