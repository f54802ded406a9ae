/**
 * Keeps the whole table right over time: the seeders of all sessions, the poll of the vantage points, the comparison with
 * the histories, the passing of time in the table.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../logger.ts';
import type { TableFigures } from '../metrics/figures/table-figures.ts';
import { type History, type HistoryVp, titlesOf } from '../stream/history.ts';
import { sleep, type Timers } from '../stream/timers.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { ClockWatch } from './clocks/clock-watch.ts';
import { ServiceClock } from './clocks/service-clock.ts';
import {
  CLOCK_CHECK_MS,
  FAILURE_CHECK_MS,
  FAILURE_PAUSE_MS,
  LIST_RETRY_MS,
  SETTLE_MS,
  SWEEP_ROWS,
} from './keeper-pace.ts';
import { mostCompared, tellShare } from './seed/comparison-share.ts';
import { SessionSeeder } from './seed/session-seeder.ts';
import type { SessionFeed } from './session-feed.ts';
import { SourceActivity } from './source-activity.ts';
import { type OutsideTrust, TableTrust } from './table-trust.ts';
import { VpDirectory } from './vp-directory.ts';

export interface KeeperIntervals {
  /** Between two comparisons with the history, ms. 0: never. */
  readonly reseedIntervalMs: number;
  /** Between two polls of the list of VPs, ms. 0: never. */
  readonly vpPollIntervalMs: number;
}

export interface KeeperOptions {
  readonly table: RoutingTable;
  /** By session, numbered over all sources; so are `histories`. */
  readonly feeds: readonly SessionFeed[];
  /** A session without a history is not seeded. Without any history the table never counts as seeded. */
  readonly histories: readonly (History | undefined)[];
  readonly figures: TableFigures;
  readonly logger: Logger;
  readonly timers: Timers;
  /** By source: how far its history is behind its stream. */
  readonly lagMs: readonly number[];
  readonly intervals: KeeperIntervals;
  /** By how much (ms) the machine's clock parted from the elapsed time since the last call; undefined: it did not. */
  readonly takeClockStep: () => number | undefined;
  /** Who else keeps the table complete: then there are no histories. */
  readonly outside?: OutsideTrust;
}

export class Keeper {
  readonly #options: KeeperOptions;
  /** By session; undefined without a history. */
  readonly #seeders: readonly (SessionSeeder | undefined)[];
  readonly #histories: readonly History[];
  /** By source. */
  readonly #directories: readonly VpDirectory[];
  readonly #activity: SourceActivity;
  readonly #clock: ServiceClock;
  readonly #clockWatch: ClockWatch;
  readonly #trust: TableTrust;
  readonly #stopped = new AbortController();
  #intervals: KeeperIntervals;
  /** Aborted when the loops begin again by other intervals. */
  #rhythm = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();
  #reading: Promise<void> = Promise.resolve();
  /** What waits: to ask for a list that is doubted once more, and to read VPs that passed to another source. */
  #asking: Promise<unknown> = Promise.resolve();
  #unreadSeen = 0;
  #nextFailureComparisonMs = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#intervals = options.intervals;
    const { table, timers, logger, figures, feeds, histories, lagMs, takeClockStep, outside } = options;
    this.#histories = histories.filter((history) => history !== undefined);
    this.#clock = new ServiceClock({
      logger,
      streamDelayMs: () => feeds.map((feed) => feed.medianDelayMs).find((delayMs) => delayMs !== undefined),
      onChange: () => this.#clockChanged(),
      onRefused: () => {
        figures.refusedClockAnswers++;
      },
    });
    this.#clockWatch = new ClockWatch({
      ...{ clock: this.#clock, histories: this.#histories, figures, logger, timers, takeClockStep },
      onChange: () => this.refresh(),
    });
    const { ownership } = table;
    this.#directories = ownership.sources.map(
      (_, source) =>
        new VpDirectory({
          ...{ table, source, now: () => timers.now(), logger, clock: this.#clock },
          onBack: (vps) => this.#readReturned(source, vps),
          onPassed: (vps, heir) => this.readPassed(vps, heir),
          onDoubt: () => this.#listDoubted(source),
        }),
    );
    this.#seeders = histories.map((history, session) => {
      if (history === undefined) return undefined;
      const source = ownership.sourceOf(session);
      return new SessionSeeder({
        ...{ session, feed: feeds[session], table, history, figures, logger, timers, lagMs: lagMs[source] },
        directory: this.#directories[source],
        onChange: () => this.refresh(),
      });
    });
    this.#trust = new TableTrust({
      ...{
        table,
        figures,
        logger,
        clock: this.#clock,
        seeders: this.#seeders,
        directories: this.#directories,
        outside,
      },
    });
    this.#activity = new SourceActivity({
      ...{ table, timers, sessions: feeds.length },
      isCurrent: (session, prefix) => this.#seeders[session]?.isCurrent(prefix) ?? true,
      onChange: () => this.refresh(),
      onCut: (session, prefix) => this.#seeders[session]?.lost(prefix),
      onPassed: (vps, heir) => this.readPassed(vps, heir),
    });
  }

  /** Starts what runs by the clock. */
  start(): void {
    const { reseedIntervalMs, vpPollIntervalMs } = this.#intervals;
    const { expectedWindowMs, routeTtlMs } = this.#options.table.options;
    const shortest = routeTtlMs === 0 ? expectedWindowMs : Math.min(expectedWindowMs, routeTtlMs);
    // A hundredth of the window is exact enough. Only tests have windows so short that it runs more than once a second.
    const loops = [this.#every(Math.min(60_000, Math.max(50, shortest / 100)), () => this.#sweep())];
    if (this.#histories.length > 0) {
      loops.push(
        this.#every(vpPollIntervalMs, () => this.#pollAll()),
        this.#every(reseedIntervalMs, async () => {
          for (const [session, seeder] of this.#seeders.entries())
            await seeder?.compare(mostCompared(this.#options.histories[session], reseedIntervalMs));
        }),
        this.#every(CLOCK_CHECK_MS, () => this.#clockWatch.look(this.#stopped.signal)),
        this.#every(FAILURE_CHECK_MS, () => this.#compareAfterFailures()),
      );
    }
    this.#tellShares();
    this.#loops = Promise.all([this.#loops, ...loops]);
  }

  /** Restarts everything that runs by the clock, with these intervals and with the options that the table has now. */
  setIntervals(intervals: KeeperIntervals): void {
    this.#intervals = intervals;
    this.#rhythm.abort();
    this.#rhythm = new AbortController();
    this.start();
    // Which VPs have a full feed is read only where it counts.
    this.#asking = Promise.all([this.#asking, this.#pollAll()]);
  }

  #tellShares(): void {
    const { histories, logger } = this.#options;
    for (const [session, seeder] of this.#seeders.entries())
      tellShare(logger, session, seeder?.wanted.length ?? 0, histories[session], this.#intervals.reseedIntervalMs);
  }

  /** The monitored prefixes of a session. */
  setWanted(session: number, prefixes: readonly string[]): void {
    this.#seeders[session]?.setWanted(prefixes);
  }

  /** The monitored prefixes of a session that its stream delivers from now on. */
  setDelivered(session: number, prefixes: readonly string[]): void {
    this.#seeders[session]?.setDelivered(prefixes);
  }

  /** @param completeUntil by the name of a source, then by prefix, Unix ms */
  restored(completeUntil: Readonly<Record<string, Readonly<Record<string, number>>>>): void {
    for (const [session, seeder] of this.#seeders.entries()) {
      const until = completeUntil[this.#nameOf(session)];
      if (until !== undefined) seeder?.restored(until);
    }
  }

  /** By the name of a source, then by prefix: until when the table is complete, Unix ms. */
  completeUntil(): Record<string, Record<string, number>> {
    const bySource: Record<string, Record<string, number>> = {};
    for (const [session, seeder] of this.#seeders.entries())
      Object.assign((bySource[this.#nameOf(session)] ??= {}), seeder?.completeUntil());
    return bySource;
  }

  #nameOf(session: number): string {
    const { ownership } = this.#options.table;
    return ownership.sources[ownership.sourceOf(session)];
  }

  opened(session: number, atMs: number): void {
    this.#seeders[session]?.opened(atMs);
    this.refresh();
  }

  connected(session: number, atMs: number): void {
    this.#activity.connected(session);
    this.#seeders[session]?.connected(atMs);
    this.refresh();
  }

  /** The stream of the session delivers more prefixes since then; those that are complete stay so. */
  added(session: number, atMs: number): void {
    this.#seeders[session]?.added(atMs);
    this.refresh();
  }

  disconnected(session: number, atMs: number): void {
    this.#activity.disconnected(session);
    this.#seeders[session]?.disconnected(atMs);
    this.refresh();
  }

  /** Compares the table with the histories now, session by session. */
  async compare(): Promise<void> {
    for (const seeder of this.#seeders) await seeder?.compare();
  }

  /** Ends everything under way; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#rhythm.abort();
    this.#activity.stop();
    await Promise.all(this.#seeders.map((seeder) => seeder?.stop()));
    await this.#loops;
    await this.#asking;
    await this.#reading;
  }

  /** Brings trust and figures up to date. Call it also when what `outside` says may have changed. */
  refresh(): void {
    this.#options.figures.clockOffsetMs = this.clockOffsetMs;
    this.#trust.apply();
    // It may cut routes, and the prefix is then incomplete.
    this.#activity.apply();
    this.#trust.count();
  }

  /** How far the clock of the service is ahead, ms; undefined while it is not known. */
  get clockOffsetMs(): number | undefined {
    return this.#clock.isKnown ? this.#clock.offsetMs : undefined;
  }

  /** Reads everything again: what was read by another offset is of another time. */
  #clockChanged(): void {
    const { table, timers } = this.#options;
    table.setClockOffset(this.#clock.offsetMs, timers.now());
    for (const seeder of this.#seeders) seeder?.voidSeed();
  }

  /** Called when a list is doubted, and when it is believed again. */
  #listDoubted(source: number): void {
    const { figures, timers } = this.#options;
    const directory = this.#directories[source];
    this.refresh();
    if (!directory.isDoubted) return;
    figures.doubtedAnswers.vantage_points++;
    const askAgain = async () => {
      while (directory.isDoubted && !this.#stopped.signal.aborted) {
        await sleep(timers, LIST_RETRY_MS, this.#stopped.signal);
        if (!this.#stopped.signal.aborted) await this.#pollVps(source);
      }
    };
    this.#asking = Promise.all([this.#asking, askAgain()]);
  }

  async #every(intervalMs: number, work: () => Promise<void>): Promise<void> {
    const { timers } = this.#options;
    const { signal } = this.#rhythm;
    if (intervalMs === 0) return;
    while (!signal.aborted) {
      await sleep(timers, intervalMs, signal);
      if (!signal.aborted) await work();
    }
  }

  async #sweep(): Promise<void> {
    const { table, timers } = this.#options;
    while (!this.#stopped.signal.aborted && !table.sweep(timers.now(), SWEEP_ROWS)) await nextTurn();
  }

  /** Compares now and does not wait for the next time, because a frame that could not be read may have been a withdrawal. */
  async #compareAfterFailures(): Promise<void> {
    const { feeds, timers, lagMs, logger } = this.#options;
    const unread = feeds.reduce((sum, feed) => sum + feed.unreadMessages, 0);
    if (unread === this.#unreadSeen || timers.now() < this.#nextFailureComparisonMs) return;
    this.#unreadSeen = unread;
    this.#nextFailureComparisonMs = timers.now() + FAILURE_PAUSE_MS;
    // A history has what was missed only when its lag has passed.
    await sleep(timers, Math.max(...lagMs) + SETTLE_MS, this.#stopped.signal);
    if (this.#stopped.signal.aborted) return;
    logger.info(`frames could not be read: the table is compared with ${titlesOf(this.#histories)}`);
    await this.compare();
  }

  /**
   * VPs passed to this source from another that does not deliver them any more. What this source said of them until now was
   * dropped, so they are read from its history as soon as the history has come up to now.
   */
  readPassed(vps: ReadonlySet<number>, source: number): void {
    const { timers, lagMs } = this.#options;
    const { signal } = this.#stopped;
    const readLater = async () => {
      await sleep(timers, lagMs[source] + SETTLE_MS, signal);
      if (!signal.aborted) this.#readReturned(source, this.#directories[source].liveAmong(vps));
    };
    this.#asking = Promise.all([this.#asking, readLater()]);
  }

  /** One session after the other, beside whatever found out that they are back. */
  #readReturned(source: number, vps: readonly HistoryVp[]): void {
    this.#reading = this.#reading.then(async () => {
      for (const [, seeder] of this.#seedersOf(source)) await seeder.readVps(vps);
    });
  }

  /** With their sessions. */
  #seedersOf(source: number): [session: number, seeder: SessionSeeder][] {
    const { ownership } = this.#options.table;
    return this.#seeders.flatMap((seeder, session) =>
      seeder === undefined || ownership.sourceOf(session) !== source ? [] : [[session, seeder]],
    );
  }

  async #pollAll(): Promise<void> {
    for (const source of this.#directories.keys()) await this.#pollVps(source);
  }

  async #pollVps(source: number): Promise<void> {
    const { logger, histories } = this.#options;
    for (const [session] of this.#seedersOf(source)) {
      const history = histories[session];
      if (history === undefined) continue;
      try {
        await this.#directories[source].refresh(history, this.#stopped.signal);
        this.#readReturned(source, []); // those that could not be read the last time
        return;
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        // The next key may still have quota. When the last key has failed too, the next poll tries again.
        logger.warn('the vantage points could not be read from the history', {
          source: this.#nameOf(session),
          error: error instanceof Error ? error.message : String(error),
        });
      }
    }
  }
}
