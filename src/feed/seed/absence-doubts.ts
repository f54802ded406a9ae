/**
 * Routes that an answer of the history does not have although the table does. A few are what a comparison is for: words of
 * the stream that were missed. Many at once are more likely a fault of the answer (a backend that was empty for a second)
 * than an outage that the stream never spoke of. They are kept, and their prefix is not trusted, until the history says the
 * same to two questions: what is held, and what was said.
 */
import type { Logger } from '../../logger.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import type { PrefixState } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import type { Absence } from '../../table/table-comparison.ts';
import type { VpDirectory } from '../vp-directory.ts';
import { wordKey } from './history-readers.ts';
import type { SessionHistory } from './session-history.ts';

/** At least this many that are more than a tenth of all, or more than half of all, are doubted. */
const MANY = 3;

/** After how long the history is asked again, ms; the waits double up to the longest. */
const FIRST_WAIT_MS = 120_000;
const LONGEST_WAIT_MS = 1_800_000;

/** The second question goes back at least this far, ms. */
const SHORTEST_SPAN_MS = 600_000;

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
  readonly attempt: (read: () => Promise<void>, signal: AbortSignal) => Promise<unknown>;
  /** An answer was doubted. */
  readonly onDoubted: () => void;
  /** So many doubted absences turned out to be true, and were applied. */
  readonly onConfirmed: (absences: number) => void;
  /** Called whenever `has` may have changed. */
  readonly onChange: () => void;
}

/** What is in doubt of one session, by monitored prefix. */
export class AbsenceDoubts {
  readonly #options: AbsenceDoubtsOptions;
  readonly #byPrefix = new Map<string, readonly Absence[]>();

  constructor(options: AbsenceDoubtsOptions) {
    this.#options = options;
  }

  /** Whether the prefix itself is in doubt. Doubt about its more-specifics alone leaves it trusted. */
  has(prefix: string): boolean {
    return this.#byPrefix.get(prefix)?.some(({ state }) => state.monitored !== undefined) ?? false;
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
    const { logger, session, history, onDoubted, onChange } = this.#options;
    const isFirst = this.#byPrefix.size === 0;
    this.#set(absences);
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

  /** Asks the history again, at growing distances, until nothing is in doubt or the signal is aborted. */
  async settle(signal: AbortSignal): Promise<void> {
    const { timers, attempt, onChange } = this.#options;
    for (let waitMs = FIRST_WAIT_MS; this.#byPrefix.size > 0; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      await sleep(timers, waitMs, signal);
      if (signal.aborted) return;
      await attempt(() => this.#askAgain(signal), signal);
      if (signal.aborted) return;
      onChange();
    }
  }

  async #askAgain(signal: AbortSignal): Promise<void> {
    const { directory, table, history, timers, lagMs, logger, session, onConfirmed } = this.#options;
    const all = [...this.#byPrefix.values()].flat();
    const prefixes = [...this.#byPrefix.keys()];
    const numbers = new Set(all.map(({ vp }) => vp));
    const vps = directory.live.filter(({ vp }) => numbers.has(table.vps.find(vp)));
    const nowMs = timers.now();
    const rib = await history.readRib(vps, prefixes, nowMs - lagMs, signal);
    if (signal.aborted) return;
    const absent = rib.stillAbsent(all);
    let agreed: readonly Absence[] = [];
    if (absent.length > 0) {
      const oldestMs = nowMs - table.options.expectedWindowMs;
      const sinceMs = Math.min(nowMs - SHORTEST_SPAN_MS, ...absent.map((absence) => this.#heldSinceMs(absence)));
      const words = await history.lastWords(vps, prefixes, Math.max(oldestMs, sinceMs), nowMs, signal);
      if (signal.aborted) return;
      agreed = [...byState(absent).values()].flatMap((found) => {
        const withdrawn = found.filter((absence) => {
          const word = words.get(wordKey(absence))?.kind;
          // Of a VP that is only expected nothing is taken away. Its session may have lost the route without a word.
          return word === 'W' || (word === undefined && !this.#isHeld(absence));
        });
        // Where the two questions agree about most, the rest is what a comparison finds.
        const rest = found.length - withdrawn.length;
        return rest <= withdrawn.length || !isDoubtful(rest, found[0].state.visible) ? found : withdrawn;
      });
    }
    rib.drop(agreed, timers.now());
    onConfirmed(agreed.length);
    const settled = new Set(agreed);
    for (const prefix of prefixes) this.#byPrefix.delete(prefix);
    this.#set(absent.filter((absence) => !settled.has(absence)));
    logger.info(`${history.title} was asked again about what was in doubt`, {
      ...{ session, gone: agreed.length, still_there: all.length - absent.length },
      in_doubt: absent.length - agreed.length,
    });
  }

  #set(absences: readonly Absence[]): void {
    const byPrefix = new Map<string, Absence[]>();
    for (const absence of absences) {
      const prefix = (absence.state.monitored ?? absence.state.parents[0]).state.prefix.text;
      const found = byPrefix.get(prefix);
      if (found === undefined) byPrefix.set(prefix, [absence]);
      else found.push(absence);
    }
    for (const [prefix, found] of byPrefix)
      this.#byPrefix.set(prefix, [...(this.#byPrefix.get(prefix) ?? []), ...found]);
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

function byState(absences: readonly Absence[]): Map<PrefixState, Absence[]> {
  const states = new Map<PrefixState, Absence[]>();
  for (const absence of absences) {
    const found = states.get(absence.state);
    if (found === undefined) states.set(absence.state, [absence]);
    else found.push(absence);
  }
  return states;
}
