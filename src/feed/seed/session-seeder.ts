/**
 * Keeps the part of the table that one session answers for complete: seeds it, fills every gap (gap-fill.ts), compares it from
 * time to time. Its states, and what moves it from one to the next:
 *
 *   disconnected --opened, connected--> filling --read--> live --added--> filling
 *                                       idle while the stream delivers no prefix
 *   any of them --disconnected--> disconnected
 */
import type { Logger } from '../../logger.ts';
import type { TableFigures } from '../../metrics/figures/table-figures.ts';
import type { BackoffOptions } from '../../stream/backoff.ts';
import type { History, HistoryVp } from '../../stream/history.ts';
import type { Timers } from '../../stream/timers.ts';
import type { Absence } from '../../table/history/history-rows.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import type { SessionFeed } from '../session-feed.ts';
import type { VpDirectory } from '../vp-directory.ts';
import { AbsenceDoubts } from './absence-doubts.ts';
import { Completeness } from './completeness.ts';
import { FillPace } from './fill-pace.ts';
import { type FillTools, GapFill, OVERLAP_MS } from './gap-fill.ts';
import { HolderHistory } from './holders.ts';
import { attemptReading, type ReadingFailure } from './reading-attempt.ts';
import { RibComparison } from './rib-comparison.ts';
import { SeedProgress } from './seed-progress.ts';
import { SessionHistory } from './session-history.ts';

export interface SeederOptions {
  readonly session: number;
  readonly feed: SessionFeed;
  readonly table: RoutingTable;
  readonly history: History;
  readonly directory: VpDirectory;
  readonly figures: TableFigures;
  readonly logger: Logger;
  readonly timers: Timers;
  /** How far the history is behind the stream, ms. */
  readonly lagMs: number;
  /** How long frames are held at most for a seed; then the stream goes live and the seed goes on beside it. Default 60 s. */
  readonly holdMs?: number;
  /** Waits between attempts; 1 s to 5 min by default. */
  readonly retry?: BackoffOptions;
  /** Called whenever `complete`, or `isTrusted` of a prefix, may have changed. */
  readonly onChange: () => void;
}

/** How old the list of VPs may be for a comparison. */
const LIST_AGE_MS = 60_000;
const RETRY = { baseMs: 5_000, maxMs: 300_000, floorMs: 1_000 } as const;
/** How long a stop waits for frames that are still to be applied, ms: a stop as a whole is over within 5 s. */
const MAX_DRAIN_MS = 1_000;

/** `isAccepted`: false while the connection has only opened, and the service may still refuse it. */
type Phase =
  | { readonly kind: 'disconnected' }
  /** The stream delivers no prefix. */
  | { readonly kind: 'idle'; readonly isAccepted: boolean }
  /** A gap is filled. `sinceMs` (Unix ms): when the stream began to deliver. */
  | { readonly kind: 'filling'; readonly isAccepted: boolean; readonly sinceMs: number; readonly fill: GapFill }
  | { readonly kind: 'live'; readonly isAccepted: boolean; readonly sinceMs: number };

const DISCONNECTED: Phase = { kind: 'disconnected' };

export class SessionSeeder {
  readonly #options: SeederOptions;
  readonly #completeness = new Completeness();
  readonly #history: SessionHistory;
  readonly #ribs: RibComparison;
  readonly #doubts: AbsenceDoubts;
  readonly #holders: HolderHistory;
  readonly #progress: SeedProgress;
  readonly #fillTools: FillTools;
  #phase: Phase = DISCONNECTED;
  /** Aborted at the end of a connection, and by the next fill. */
  #controller = new AbortController();
  /** VPs that came back, or are new, and whose routes are still to be read; by protocol and id. */
  readonly #returned = new Map<string, HistoryVp>();
  /** Where the next comparison of only some prefixes begins among them. */
  #compared = 0;
  #running: Promise<void> = Promise.resolve();
  /** What goes on beside the fill while connected: asking again about what is in doubt, and for the history of holders. */
  #beside: Promise<unknown> = Promise.resolve();

  constructor(options: SeederOptions) {
    const { session, feed, table, history, directory, logger, timers, lagMs, figures, onChange } = options;
    const { retry = RETRY } = options;
    this.#options = options;
    this.#history = new SessionHistory({ session, table, history, directory, now: () => timers.now() });
    this.#progress = new SeedProgress({ session, table, logger, timers, title: this.#history.title });
    this.#ribs = new RibComparison({
      ...{ session, table, history, directory, logger, now: () => timers.now(), reader: this.#history },
      onDoubted: (absences, signal) => this.#doubt(absences, 'a route that the table holds is missing', signal),
    });
    this.#doubts = new AbsenceDoubts({
      ...{ session, table, directory, logger, timers, lagMs, onChange, history: this.#history },
      attempt: (read, signal) => this.#attempt(read, signal),
      onDoubted: () => {
        figures.doubtedAnswers.rib++;
      },
      onConfirmed: (absences) => {
        figures.corrections += absences;
      },
    });
    this.#holders = new HolderHistory({
      ...{ session, table, logger, timers, retry, history: this.#history },
      onMissing: (absences, signal) =>
        this.#doubt(absences, 'most of those that held the prefix a window ago hold it no more', signal),
    });
    this.#fillTools = {
      ...{ feed, history, directory, timers, lagMs, retry, onChange, holdMs: options.holdMs ?? 60_000 },
      ...{ reader: this.#history, ribs: this.#ribs, holders: this.#holders },
      ...{ completeness: this.#completeness, progress: this.#progress },
      pace: new FillPace({ session, title: this.#history.title, logger, timers }),
      attempt: (read, signal) => this.#attempt(read, signal),
    };
  }

  /** Whether the table has all that the session's prefixes have had, up to now, and nothing in it is doubted. */
  get complete(): boolean {
    return this.wanted.every((prefix) => this.isTrusted(prefix));
  }

  /** The same for one prefix. */
  isTrusted(prefix: string): boolean {
    const isRefusable = this.#phase.kind !== 'disconnected' && !this.#phase.isAccepted;
    return !isRefusable && this.#completeness.isLive(prefix) && !this.#doubts.has(prefix);
  }

  /**
   * Whether the stream's words about the prefix are applied as they come, on top of what the history told: from then on the
   * session's source may own its VPs.
   */
  isCurrent(prefix: string): boolean {
    return this.#completeness.isCurrent(prefix);
  }

  /** All that the session should have. */
  get wanted(): readonly string[] {
    return this.#completeness.wanted;
  }

  /** Routes of the prefix were given up: it is read as a whole, by the fill under way or when the stream is back. */
  lost(prefix: string): void {
    this.#completeness.lose(prefix);
    this.#holders.forget([prefix]);
  }

  /** Whether the stream delivers a prefix that was never read, nor is being read. */
  get needsFill(): boolean {
    const fill = this.#phase.kind === 'filling' ? this.#phase.fill : undefined;
    return this.#completeness.delivered.some(
      (prefix) => !this.#completeness.isRead(prefix) && fill?.includes(prefix) !== true,
    );
  }

  /** The table was restored, and was complete until then (Unix ms) for these prefixes. */
  restored(completeUntil: Readonly<Record<string, number>>): void {
    const nowMs = this.#options.timers.now();
    for (const prefix of this.#completeness.delivered) {
      const until = completeUntil[prefix];
      if (until === undefined) continue;
      this.#completeness.setBehind([prefix], Math.min(until, nowMs));
      if (this.#options.table.prefixes.find(prefix)?.monitored?.expectedKnown) this.#holders.restored([prefix]);
    }
  }

  /** By prefix: until when the table is surely complete; a prefix that was never seeded is not there. */
  completeUntil(): Record<string, number> {
    return this.#completeness.completeUntil(this.#heardUntilMs());
  }

  /**
   * A dead connection is noticed late, so the table is complete only up to the last frame. For a quiet prefix this makes
   * the gap look longer than it was; filling it again costs one empty answer.
   */
  #heardUntilMs(): number {
    const sinceMs = 'sinceMs' in this.#phase ? this.#phase.sinceMs : 0;
    return Math.max(sinceMs, this.#options.feed.lastUpdateAtMs ?? 0);
  }

  /** The monitored prefixes of the session; until the stream delivers all of them the table is not complete. */
  setWanted(prefixes: readonly string[]): void {
    this.#completeness.wanted = prefixes;
    this.#options.onChange();
  }

  /** What the stream delivers from now on. New ones are seeded by the next `connected` or `added`. */
  setDelivered(prefixes: readonly string[]): void {
    const kept = new Set(prefixes);
    this.#completeness.delivered = prefixes;
    this.#holders.keep(kept);
    this.#doubts.keep(kept);
    this.#options.onChange();
  }

  /** From `atMs` on the stream delivers all prefixes, unless the service refuses: `connected` or `disconnected` tells. */
  opened(atMs: number): void {
    this.#connect(atMs, false);
  }

  /** From `atMs` on, or since `opened`, the stream delivers all prefixes: what came before may be missing. */
  connected(atMs: number): void {
    const phase = this.#phase;
    if (phase.kind === 'disconnected' || phase.isAccepted || this.needsFill) {
      this.#connect(atMs, true);
      return;
    }
    this.#phase = { ...phase, isAccepted: true };
    this.#options.onChange();
  }

  /**
   * From `atMs` on the stream delivers prefixes that it did not before. Those that are complete stay so; while the new ones
   * are read, frames of the whole session wait.
   */
  added(atMs: number): void {
    if (this.needsFill) this.#begin(atMs, this.#phase.kind === 'disconnected' || this.#phase.isAccepted);
  }

  /** The stream is lost; nothing that came until `atMs` is. */
  disconnected(atMs: number): void {
    this.#interrupt(atMs);
  }

  /** The clock by which was read was wrong: all prefixes are incomplete, and are read again from now on. */
  voidSeed(): void {
    const wasLive = this.#completeness.clear();
    this.#holders.keep(new Set());
    this.#doubts.keep(new Set());
    this.#options.onChange();
    const phase = this.#phase;
    const isRead = wasLive || (phase.kind === 'filling' && phase.fill.isReading);
    if ('sinceMs' in phase && isRead) this.#begin(this.#options.timers.now(), phase.isAccepted);
  }

  /** Ends what runs; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#abort();
    await Promise.all([this.#running, this.#beside]);
    const { session, feed, logger, timers } = this.#options;
    feed.release();
    const late = new AbortController();
    const cancel = timers.schedule(() => late.abort(), MAX_DRAIN_MS);
    await feed.applied(late.signal);
    cancel();
    const frames = feed.abandon();
    if (frames > 0)
      logger.info('waiting frames were not applied: the next start reads them from the history', { session, frames });
  }

  #abort(): void {
    this.#controller.abort();
    this.#progress.end();
  }

  #connect(atMs: number, isAccepted: boolean): void {
    this.#interrupt(atMs);
    this.#begin(atMs, isAccepted);
  }

  #begin(atMs: number, isAccepted: boolean): void {
    const { feed } = this.#options;
    this.#abort();
    feed.release();
    const sinceMs = 'sinceMs' in this.#phase ? this.#phase.sinceMs : atMs;
    if (this.#completeness.delivered.length === 0) {
      this.#phase = { kind: 'idle', isAccepted };
      return;
    }
    feed.hold();
    const { signal } = (this.#controller = new AbortController());
    const fill = new GapFill(this.#fillTools, atMs);
    this.#phase = { kind: 'filling', isAccepted, sinceMs, fill };
    this.#running = this.#run(fill, signal);
    this.#alongside(this.#doubts.settle(signal));
  }

  async #run(fill: GapFill, signal: AbortSignal): Promise<void> {
    await fill.run(signal);
    if (signal.aborted || this.#phase.kind !== 'filling') return;
    const { isAccepted, sinceMs } = this.#phase;
    this.#phase = { kind: 'live', isAccepted, sinceMs };
    this.#options.onChange();
    this.#alongside(this.#holders.learnLater(this.#completeness.delivered, signal));
    await this.readVps([]);
  }

  #interrupt(atMs: number): void {
    this.#abort();
    this.#completeness.interrupt(Math.min(atMs, this.#heardUntilMs()));
    this.#phase = DISCONNECTED;
    this.#options.onChange();
    this.#options.feed.release();
  }

  #attempt(read: () => Promise<void>, signal: AbortSignal): Promise<ReadingFailure | undefined> {
    const { figures, logger, session, timers } = this.#options;
    const { title } = this.#history;
    return attemptReading(read, signal, { figures, logger, session, title, now: () => timers.now() });
  }

  /**
   * Compares the table with the history, corrects what differs and counts it as drift. Nothing while a gap is open.
   * @param most so many prefixes; the next call goes on with those that follow them
   */
  async compare(most = Number.POSITIVE_INFINITY): Promise<void> {
    const prefixes = this.#nextOf(
      this.#completeness.delivered.filter((prefix) => this.#completeness.isLive(prefix) && !this.#doubts.has(prefix)),
      most,
    );
    if (prefixes.length === 0) return;
    const { directory, figures, timers, lagMs, session, logger, history } = this.#options;
    const { signal } = this.#controller;
    let corrected = 0;
    // Counted one by one, because corrections made before an answer broke off stay.
    const onCorrected = () => {
      corrected++;
      figures.corrections++;
    };
    await this.#attempt(async () => {
      await directory.ensure(history, timers.now() - LIST_AGE_MS, signal);
      if (signal.aborted) return;
      const asked = directory.live;
      const rib = await this.#ribs.compare(asked, prefixes, timers.now() - lagMs - OVERLAP_MS, signal, onCorrected);
      if (signal.aborted) return;
      // Routes of VPs that the list never had are known from the stream alone.
      const unlisted = directory.othersThan(asked);
      logger.info(`table compared with ${this.#history.title}`, {
        ...{ session, routes: rib.rows, corrected, unlisted_vps: unlisted },
      });
    }, signal);
  }

  #nextOf(prefixes: readonly string[], most: number): readonly string[] {
    if (prefixes.length <= most) return prefixes;
    const from = this.#compared % prefixes.length;
    this.#compared = from + most;
    return [...prefixes, ...prefixes].slice(from, from + most);
  }

  /**
   * Reads the routes of VPs that came back or are new, and of those that could not be read before; while a gap is open, when
   * it is filled.
   */
  async readVps(vps: readonly HistoryVp[]): Promise<void> {
    if (this.#completeness.delivered.length === 0) return;
    this.#addReturned(vps);
    if (!this.#completeness.delivered.every((prefix) => this.#completeness.isLive(prefix)) || this.#returned.size === 0)
      return;
    const { timers, lagMs } = this.#options;
    const { signal } = this.#controller;
    const asked = [...this.#returned.values()];
    this.#returned.clear();
    const failure = await this.#attempt(async () => {
      await this.#ribs.compare(asked, this.#completeness.delivered, timers.now() - lagMs - OVERLAP_MS, signal);
    }, signal);
    if (failure !== undefined) this.#addReturned(asked);
  }

  #addReturned(vps: readonly HistoryVp[]): void {
    for (const one of vps) this.#returned.set(`${one.vp.protocol} ${one.id}`, one);
  }

  /** Runs beside the fill until the signal is aborted. */
  #alongside(work: Promise<unknown>): void {
    this.#beside = Promise.all([this.#beside, work]);
  }

  #doubt(absences: readonly Absence[], why: string, signal: AbortSignal): void {
    if (this.#doubts.add(absences, why)) this.#alongside(this.#doubts.settle(signal));
  }
}
