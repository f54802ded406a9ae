/**
 * Keeps the part of the table that one session answers for complete: seeds it, fills every gap, compares it from time to
 * time. Knows for each prefix until when the table is complete, and says so.
 *
 * The order that loses nothing: the stream is open and its frames are held; the RIB at T and the updates from T on are
 * applied; then what was held; then it is live. The Data API lags the stream, so what happened just before the stream
 * opened may not be in the first answer: once the lag has passed the updates of that time are read again, and only then is
 * the table called complete. No order can do harm: a cell takes nothing older than what it has.
 */
import { DataApiError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { TableFigures } from '../metrics/table-view.ts';
import { Backoff, type BackoffOptions } from '../stream/backoff.ts';
import type { History, HistoryVp, UpdatesOf } from '../stream/history.ts';
import { sleep, type Timers } from '../stream/timers.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { AbsenceDoubts } from './absence-doubts.ts';
import { FillPace } from './fill-pace.ts';
import { HolderHistory } from './holders.ts';
import { PrefixStandings } from './prefix-standings.ts';
import { attemptReading, type ReadingFailure } from './reading-attempt.ts';
import { RibComparison } from './rib-comparison.ts';
import { SeedProgress } from './seed-progress.ts';
import type { SessionFeed } from './session-feed.ts';
import { SessionHistory, wholeSecond } from './session-history.ts';
import type { Absence } from './table-comparison.ts';
import type { VpDirectory } from './vp-directory.ts';

export interface SeederOptions {
  readonly session: number;
  readonly feed: SessionFeed;
  readonly table: RoutingTable;
  readonly history: History;
  readonly directory: VpDirectory;
  readonly figures: TableFigures;
  readonly logger: Logger;
  readonly timers: Timers;
  /** How far the Data API is behind the stream. */
  readonly lagMs: number;
  /** How long frames are held at most for a seed; then the stream goes live and the seed goes on beside it. Default 60 s. */
  readonly holdMs?: number;
  /** Waits between attempts; 1 s to 5 min by default. */
  readonly retry?: BackoffOptions;
  /** Called whenever `complete`, or `isTrusted` of a prefix, may have changed. */
  readonly onChange: () => void;
}

/** A gap longer than this is healed by a RIB: the updates would be the longer answer. */
const LONG_GAP_MS = 2 * 3_600_000;
/** How old the list of VPs may be for a comparison. */
const LIST_AGE_MS = 60_000;
/** Clocks of the services differ a little. */
const OVERLAP_MS = 2_000;
const RETRY = { baseMs: 5_000, maxMs: 300_000, floorMs: 1_000 } as const;
/** An invalid key does not become valid by asking again. */
const FORBIDDEN_RETRY_MS = 600_000;
/** How long a stop waits for frames that are still to be applied, ms: a stop as a whole is over within 5 s. */
const MAX_DRAIN_MS = 1_000;

export class SessionSeeder {
  readonly #options: SeederOptions;
  readonly #standings = new PrefixStandings();
  readonly #history: SessionHistory;
  readonly #ribs: RibComparison;
  readonly #doubts: AbsenceDoubts;
  readonly #holders: HolderHistory;
  /** The monitored prefixes of the session. */
  #wanted: readonly string[] = [];
  /** Those that the stream delivers: only of them can a gap be filled. */
  #prefixes: readonly string[] = [];
  /** Those that the fill under way has read so far as to let the stream go on. */
  readonly #current = new Set<string>();
  /** Those of which routes were given up since the fill under way began to read: it must read them once more. */
  readonly #lost = new Set<string>();
  /** Those that the fill under way has begun with. */
  #filling: readonly string[] = [];
  #connectedAtMs: number | undefined;
  /** VPs that came back, or are new, and whose routes are still to be read; by protocol and id. */
  readonly #returned = new Map<string, HistoryVp>();
  /** The fill under way has begun when its connection opened, which the service may still refuse. */
  #early = false;
  /** The fill under way has the list of VPs, and reads by the clock that is believed. */
  #isReading = false;
  readonly #pace: FillPace;
  readonly #progress: SeedProgress;
  #controller = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** What goes on beside the fill while connected: asking again about what is in doubt, and for the history of holders. */
  #beside: Promise<unknown> = Promise.resolve();

  constructor(options: SeederOptions) {
    const { session, table, history, directory, logger, timers, lagMs, figures, onChange, retry = RETRY } = options;
    this.#options = options;
    this.#pace = new FillPace({ session, logger, timers });
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
  }

  /** Whether the table has all that the session's prefixes have had, up to now, and nothing in it is doubted. */
  get complete(): boolean {
    return this.#wanted.every((prefix) => this.isTrusted(prefix));
  }

  /** The same for one prefix. */
  isTrusted(prefix: string): boolean {
    // The service may still refuse a connection that has only opened.
    return !this.#early && this.#standings.isLive(prefix) && !this.#doubts.has(prefix);
  }

  /**
   * Whether the stream's words about the prefix are applied as they come, on top of what the history told: from then on the
   * session's source may own its VPs.
   */
  isCurrent(prefix: string): boolean {
    return this.#standings.isLive(prefix) || this.#current.has(prefix);
  }

  /** All that the session should have. */
  get wanted(): readonly string[] {
    return this.#wanted;
  }

  /** Routes of the prefix were given up: it is read as a whole, by the fill under way or when the stream is back. */
  lost(prefix: string): void {
    this.#standings.forget(prefix);
    this.#holders.forget([prefix]);
    this.#current.delete(prefix);
    this.#lost.add(prefix);
  }

  /** Whether the stream delivers a prefix that was never read, nor is being read. */
  get needsFill(): boolean {
    return this.#prefixes.some((prefix) => !this.#standings.isRead(prefix) && !this.#filling.includes(prefix));
  }

  /** The table was restored, and was complete until then (Unix ms) for these prefixes. */
  restored(completeUntil: Readonly<Record<string, number>>): void {
    const nowMs = this.#options.timers.now();
    for (const prefix of this.#prefixes) {
      const until = completeUntil[prefix];
      if (until === undefined) continue;
      this.#standings.setBehind([prefix], Math.min(until, nowMs));
      if (this.#options.table.prefixes.find(prefix)?.monitored?.expectedKnown) this.#holders.restored([prefix]);
    }
  }

  /** By prefix: until when the table is surely complete; a prefix that was never seeded is not there. */
  completeUntil(): Record<string, number> {
    return this.#standings.completeUntil(this.#heardUntilMs());
  }

  /**
   * A dead connection is noticed late, so the table is complete only up to the last frame. For a quiet prefix this makes
   * the gap look longer than it was; filling it again costs one empty answer.
   */
  #heardUntilMs(): number {
    return Math.max(this.#connectedAtMs ?? 0, this.#options.feed.lastUpdateAtMs ?? 0);
  }

  /** The monitored prefixes of the session; until the stream delivers all of them the table is not complete. */
  setWanted(prefixes: readonly string[]): void {
    this.#wanted = prefixes;
    this.#options.onChange();
  }

  /** What the stream delivers from now on. New ones are seeded by the next `connected` or `added`. */
  setDelivered(prefixes: readonly string[]): void {
    const kept = new Set(prefixes);
    this.#standings.setDelivered(kept);
    this.#holders.keep(kept);
    this.#doubts.keep(kept);
    this.#prefixes = prefixes;
    this.#options.onChange();
  }

  /** From `atMs` on the stream delivers all prefixes, unless the service refuses: `connected` or `disconnected` tells. */
  opened(atMs: number): void {
    this.connected(atMs);
    this.#early = true;
  }

  /** From `atMs` on, or since `opened`, the stream delivers all prefixes: what came before may be missing. */
  connected(atMs: number): void {
    const hasBegun = this.#early && !this.needsFill;
    this.#early = false;
    if (hasBegun) {
      this.#options.onChange();
      return;
    }
    this.#interrupt(atMs);
    this.#begin(atMs);
  }

  /**
   * From `atMs` on the stream delivers prefixes that it did not before. Those that are complete stay so; while the new ones
   * are read, frames of the whole session wait.
   */
  added(atMs: number): void {
    if (this.needsFill) this.#begin(atMs);
  }

  /** The stream is lost; nothing that came until `atMs` is. */
  disconnected(atMs: number): void {
    this.#interrupt(atMs);
    this.#connectedAtMs = undefined;
  }

  /** What was read was read by a wrong clock: all prefixes are incomplete, and read again from now on. */
  voidSeed(): void {
    const wasLive = this.#standings.clear();
    this.#current.clear();
    this.#holders.keep(new Set());
    this.#doubts.keep(new Set());
    this.#options.onChange();
    if (this.#connectedAtMs !== undefined && (wasLive || this.#isReading)) this.#begin(this.#options.timers.now());
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
      logger.info('frames that waited were not applied: the next start reads what they said', { session, frames });
  }

  #abort(): void {
    this.#controller.abort();
    this.#progress.end();
  }

  #begin(atMs: number): void {
    this.#abort();
    this.#isReading = false;
    this.#options.feed.release();
    this.#filling = [];
    if (this.#prefixes.length === 0) return;
    this.#connectedAtMs ??= atMs;
    this.#options.feed.hold();
    const { signal } = (this.#controller = new AbortController());
    this.#filling = this.#prefixes.filter((prefix) => !this.#standings.isLive(prefix));
    this.#running = this.#fillUntilComplete(atMs, signal);
    this.#alongside(this.#doubts.settle(signal));
  }

  #interrupt(atMs: number): void {
    this.#abort();
    this.#early = false;
    this.#filling = [];
    this.#current.clear();
    this.#standings.interrupt(Math.min(atMs, this.#heardUntilMs()));
    this.#connectedAtMs = undefined;
    this.#options.onChange();
    this.#options.feed.release();
  }

  async #fillUntilComplete(connectedAtMs: number, signal: AbortSignal): Promise<void> {
    const { timers, feed, holdMs = 60_000 } = this.#options;
    let overflowed = false;
    const release = () => {
      if (!signal.aborted && !feed.release()) overflowed = true;
    };
    const cancelHold = timers.schedule(release, holdMs);
    try {
      await this.#pace.turn(signal);
      if (!signal.aborted) this.#progress.begin(this.#filling.length);
      const backoff = new Backoff(this.#options.retry ?? RETRY, timers.random);
      while (!signal.aborted) {
        const failure = await this.#attempt(() => this.#fill(connectedAtMs, release, signal), signal);
        if (!signal.aborted) this.#isReading = false;
        if (failure === undefined && overflowed) {
          // What found no room is in the history by now, or will be when the lag has passed.
          overflowed = false;
          await sleep(timers, this.#options.lagMs, signal);
          continue;
        }
        if (failure === undefined) {
          if (signal.aborted) return;
          if (this.#lost.size > 0) {
            for (const prefix of this.#lost) this.#standings.forget(prefix);
            continue;
          }
          this.#progress.end();
          this.#standings.setLive(this.#filling);
          this.#options.onChange();
          this.#alongside(this.#holders.learnLater(this.#prefixes, signal));
          await this.readVps([]);
          return;
        }
        release();
        const wait = failure === 'forbidden' ? FORBIDDEN_RETRY_MS : backoff.next();
        await sleep(timers, wait, signal);
      }
    } finally {
      cancelHold();
      if (!signal.aborted) {
        this.#progress.end();
        this.#filling = [];
        feed.release();
      }
    }
  }

  #attempt(read: () => Promise<void>, signal: AbortSignal): Promise<ReadingFailure | undefined> {
    const { figures, logger, session, timers } = this.#options;
    const { title } = this.#history;
    return attemptReading(read, signal, { figures, logger, session, title, now: () => timers.now() });
  }

  async #fill(connectedAtMs: number, release: () => void, signal: AbortSignal): Promise<void> {
    const { history, directory, timers, lagMs } = this.#options;
    this.#progress.at('vantage points');
    // A VP that came back before the stream did must be asked; one that comes back later is heard.
    await directory.ensure(history, directory.live.length === 0 ? timers.now() : connectedAtMs, signal);
    if (signal.aborted) return;
    this.#isReading = true;
    const vps = directory.live;
    if (vps.length === 0) {
      throw new DataApiError(
        'INVALID_RESPONSE',
        `${this.#history.title}: no vantage point is up: there is nobody to ask for routes`,
      );
    }
    const startMs = timers.now();
    // A RIB that waits for its service is of a moment at which the stream stood: nothing is missing in between.
    const isWhole = history.ribWaits === true;
    const ribAtMs = isWhole ? wholeSecond(connectedAtMs) + 1_000 : wholeSecond(connectedAtMs - lagMs - 1_000);
    const prefixes = (this.#filling = this.#prefixes.filter((prefix) => !this.#standings.isLive(prefix)));
    this.#lost.clear();
    const fresh = prefixes.filter(
      (prefix) => isWhole || startMs - (this.#standings.behindUntilMs(prefix) ?? 0) > LONG_GAP_MS,
    );
    if (fresh.length > 0) {
      this.#progress.at('routes');
      await this.#ribs.compare(vps, fresh, ribAtMs, signal);
      if (signal.aborted) return;
      this.#standings.setBehind(fresh, ribAtMs);
      this.#holders.forget(fresh);
    }
    if (isWhole) {
      await this.#goLive(prefixes, release, signal);
      if (!signal.aborted) this.#standings.setBehind(prefixes, connectedAtMs);
      return;
    }
    // The stream is late too, by as much as the API at most: what was under way when it was cut is older than the cut.
    const behindMs = Math.min(...prefixes.map((prefix) => this.#standings.behindUntilMs(prefix) ?? ribAtMs));
    const fromMs = behindMs - lagMs - OVERLAP_MS;
    const settledMs = connectedAtMs + lagMs + 1_000;
    const isReadTwice = lagMs > 0 && startMs < settledMs;
    // More-specifics cost a request for each prefix. After a gap they are read once, when the history is settled.
    const first = isReadTwice && fresh.length === 0 ? 'exact' : 'all';
    this.#progress.at('updates');
    await this.#history.readUpdates(vps, prefixes, fromMs, startMs, connectedAtMs, signal, first);
    if (signal.aborted) return;
    await this.#goLive(prefixes, release, signal);
    if (signal.aborted) return;
    if (isReadTwice) {
      this.#progress.waits(settledMs - timers.now());
      await sleep(timers, settledMs - timers.now(), signal);
      if (signal.aborted) return;
      this.#progress.goesOn();
      const againFromMs = Math.min(startMs, connectedAtMs) - lagMs - OVERLAP_MS;
      const toMs = connectedAtMs + OVERLAP_MS;
      const again = (sinceMs: number, of: UpdatesOf) =>
        this.#history.readUpdates(vps, prefixes, sinceMs, toMs, connectedAtMs, signal, of);
      await again(againFromMs, first);
      if (first === 'exact' && !signal.aborted) await again(fromMs, 'more_specific');
      if (signal.aborted) return;
    }
    this.#standings.setBehind(prefixes, connectedAtMs);
  }

  /** The frames that were held are applied, and who held the prefixes a window ago is learnt. */
  async #goLive(prefixes: readonly string[], release: () => void, signal: AbortSignal): Promise<void> {
    for (const prefix of prefixes) if (!this.#lost.has(prefix)) this.#current.add(prefix);
    this.#options.onChange();
    release();
    await this.#options.feed.applied(signal); // the table is not complete before
    if (signal.aborted) return;
    this.#progress.at('past holders');
    await this.#holders.learn(this.#prefixes, signal);
  }

  /** Compares the table with the Data API, corrects what differs and counts it as drift. Nothing while a gap is open. */
  async compare(): Promise<void> {
    const prefixes = this.#prefixes.filter((prefix) => this.#standings.isLive(prefix) && !this.#doubts.has(prefix));
    if (prefixes.length === 0) return;
    const { directory, figures, timers, lagMs, session, logger, history } = this.#options;
    const { signal } = this.#controller;
    let corrected = 0;
    // One by one: what was corrected before an answer broke off is corrected all the same.
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
      // Routes of VPs that the list never had are the stream's word alone.
      const unlisted = directory.othersThan(asked);
      logger.info(`table compared with ${this.#history.title}`, {
        ...{ session, routes: rib.rows, corrected, unlisted_vps: unlisted },
      });
    }, signal);
  }

  /**
   * Reads the routes of VPs that came back or are new, and of those that could not be read before; while a gap is open, when
   * it is filled.
   */
  async readVps(vps: readonly HistoryVp[]): Promise<void> {
    if (this.#prefixes.length === 0) return;
    this.#addReturned(vps);
    if (!this.#prefixes.every((prefix) => this.#standings.isLive(prefix)) || this.#returned.size === 0) return;
    const { timers, lagMs } = this.#options;
    const { signal } = this.#controller;
    const asked = [...this.#returned.values()];
    this.#returned.clear();
    const failure = await this.#attempt(async () => {
      await this.#ribs.compare(asked, this.#prefixes, timers.now() - lagMs - OVERLAP_MS, signal);
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
