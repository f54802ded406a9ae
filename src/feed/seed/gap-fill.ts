/**
 * Fills one gap: the stream delivers prefixes from a moment on, and what happened before it is read from the history.
 *
 * The order that loses nothing: the stream is open and its frames are held; the RIB at T and the updates from T on are
 * applied; then what was held; then it is live. The history lags the stream, so what happened just before the stream opened
 * may not be in the first answer: once the lag has passed the updates of that time are read again, and only then is the table
 * called complete. No order can do harm: a cell takes nothing older than what it has.
 */
import { DataApiError } from '../../errors.ts';
import { Backoff, type BackoffOptions } from '../../stream/backoff.ts';
import type { History, HistoryVp, UpdatesOf } from '../../stream/history.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import type { SessionFeed } from '../session-feed.ts';
import type { VpDirectory } from '../vp-directory.ts';
import type { Completeness } from './completeness.ts';
import type { FillPace } from './fill-pace.ts';
import type { HolderHistory } from './holders.ts';
import type { ReadingFailure } from './reading-attempt.ts';
import type { SeedProgress } from './seed-progress.ts';
import { type SessionHistory, wholeSecond } from './session-history.ts';

/** What all fills of a session share. Only what a fill needs of each, because an ingest has no table behind them. */
export interface FillTools {
  readonly feed: Pick<SessionFeed, 'release' | 'applied'>;
  readonly history: History;
  readonly reader: Pick<SessionHistory, 'title' | 'readUpdates'>;
  readonly directory: Pick<VpDirectory, 'ensure' | 'live'>;
  readonly ribs: {
    compare(
      vps: readonly HistoryVp[],
      prefixes: readonly string[],
      ourMs: number,
      signal: AbortSignal,
    ): Promise<unknown>;
  };
  readonly holders: Pick<HolderHistory, 'forget' | 'learn'>;
  readonly completeness: Completeness;
  readonly pace: FillPace;
  readonly progress: Pick<SeedProgress, 'begin' | 'at' | 'complete' | 'waits' | 'goesOn' | 'end'>;
  readonly timers: Timers;
  /** How far the history is behind the stream. */
  readonly lagMs: number;
  /** How long frames are held at most; then the stream goes live and the fill goes on beside it. */
  readonly holdMs: number;
  /** Waits between attempts. */
  readonly retry: BackoffOptions;
  /** Does one reading of the history, counting and logging how it ended. */
  readonly attempt: (read: () => Promise<void>, signal: AbortSignal) => Promise<ReadingFailure | undefined>;
  /** Called whenever `isCurrent` of a prefix may have changed. */
  readonly onChange: () => void;
}

/** A gap longer than this is healed by a RIB: the updates would be the longer answer. */
const LONG_GAP_MS = 2 * 3_600_000;
/** By how much the clocks of the services may differ, ms. */
export const OVERLAP_MS = 2_000;
/** When a history needs a question for each prefix, this many prefixes are read before they go live: as many as it answers at once. */
export const PART = 64;
/** An invalid key does not become valid by asking again. */
const FORBIDDEN_RETRY_MS = 600_000;

export class GapFill {
  /** The directory gives the list of VPs; the clock says by which time to read. */
  isReading = false;
  readonly #tools: FillTools;
  /** Since when the stream delivers all prefixes, and nothing that it said is lost, Unix ms. */
  #connectedAtMs: number;
  #prefixes: readonly string[];
  /** Held frames were lost because there were too many. */
  #overflowed = false;

  /** @param connectedAtMs since when the stream delivers all prefixes, Unix ms */
  constructor(tools: FillTools, connectedAtMs: number) {
    this.#tools = tools;
    this.#connectedAtMs = connectedAtMs;
    this.#prefixes = tools.completeness.missing;
  }

  includes(prefix: string): boolean {
    return this.#prefixes.includes(prefix);
  }

  /**
   * Fills the gap, however often it takes; afterwards its prefixes are live, unless the signal was aborted. The frames of the
   * session are to be on hold when it begins.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { timers, feed, history, holdMs, pace, progress, retry, attempt, lagMs, completeness } = this.#tools;
    const cancelHold = timers.schedule(() => this.#release(signal), holdMs);
    try {
      await pace.turn(signal, history.fillShare?.(this.#prefixes));
      if (!signal.aborted) progress.begin(this.#prefixes.length);
      const backoff = new Backoff(retry, timers.random);
      while (!signal.aborted) {
        const failure = await attempt(() => this.#fill(signal), signal);
        this.isReading = false;
        if (failure === undefined && this.#overflowed) {
          // The frames that found no room are in the history by now, or will be when the lag has passed.
          this.#overflowed = false;
          if (history.ribWaits === true) this.#connectedAtMs = timers.now();
          await sleep(timers, lagMs, signal);
          continue;
        }
        if (failure === undefined) {
          if (signal.aborted) return;
          if (completeness.forgetLost()) continue;
          completeness.setLive(this.#prefixes);
          return;
        }
        this.#release(signal);
        await sleep(timers, failure === 'forbidden' ? FORBIDDEN_RETRY_MS : backoff.next(), signal);
      }
    } finally {
      cancelHold();
      if (!signal.aborted) {
        progress.end();
        feed.release();
      }
    }
  }

  #release(signal: AbortSignal): void {
    if (!signal.aborted && !this.#tools.feed.release()) this.#overflowed = true;
  }

  async #fill(signal: AbortSignal): Promise<void> {
    const { history, reader, directory, timers, lagMs, progress, completeness, ribs, holders } = this.#tools;
    const connectedAtMs = this.#connectedAtMs;
    progress.at('vantage points');
    // A VP that came back before the stream did must be asked; one that comes back later is heard.
    await directory.ensure(history, directory.live.length === 0 ? timers.now() : connectedAtMs, signal);
    if (signal.aborted) return;
    this.isReading = true;
    const vps = directory.live;
    if (vps.length === 0) {
      throw new DataApiError(
        'INVALID_RESPONSE',
        `${reader.title}: no vantage point is up: there is nobody to ask for routes`,
      );
    }
    const startMs = timers.now();
    // A RIB that waits for its service is of a moment at which the stream stood: nothing is missing in between.
    const isWhole = history.ribWaits === true;
    const ribAtMs = isWhole ? wholeSecond(connectedAtMs) + 1_000 : wholeSecond(connectedAtMs - lagMs - 1_000);
    const prefixes = (this.#prefixes = completeness.missing);
    completeness.beginReading();
    if (isWhole) {
      await this.#readInParts(vps, prefixes, ribAtMs, signal);
      return;
    }
    const unread = prefixes.filter((prefix) => startMs - (completeness.behindUntilMs(prefix) ?? 0) > LONG_GAP_MS);
    if (unread.length > 0) {
      progress.at('routes');
      await ribs.compare(vps, unread, ribAtMs, signal);
      if (signal.aborted) return;
      completeness.setBehind(unread, ribAtMs);
      holders.forget(unread);
    }
    await this.#readUpdates(vps, startMs, ribAtMs, unread.length > 0, signal);
    if (!signal.aborted) completeness.setBehind(prefixes, connectedAtMs);
  }

  /**
   * Thousands of prefixes take minutes where each is a question: a part is live as soon as it is read, and the rest follows. With
   * the first part the frames that were held are applied, those about other prefixes too: no row that is read later is newer
   * than what a frame said after it.
   */
  async #readInParts(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    ribAtMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { completeness, holders, onChange, progress, ribs } = this.#tools;
    for (let from = 0; from < prefixes.length; from += PART) {
      const part = prefixes.slice(from, from + PART);
      progress.at('routes');
      await ribs.compare(vps, part, ribAtMs, signal);
      if (signal.aborted) return;
      completeness.setBehind(part, ribAtMs);
      holders.forget(part);
      await this.#goLive(part, signal);
      // When frames were lost, everything is read once more.
      if (signal.aborted || this.#overflowed) return;
      completeness.setLive(part);
      progress.complete(from + part.length, prefixes.length);
      onChange();
    }
  }

  /**
   * Reads what happened since the RIB, or since the gap began, and goes live; reads what the history did not have yet when its
   * lag has passed.
   * @param startMs when the reading began, Unix ms
   * @param ribAtMs the time of the RIB, Unix ms
   * @param hasRib whether one was read
   */
  async #readUpdates(
    vps: readonly HistoryVp[],
    startMs: number,
    ribAtMs: number,
    hasRib: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    const { reader, timers, lagMs, progress, completeness } = this.#tools;
    const [connectedAtMs, prefixes] = [this.#connectedAtMs, this.#prefixes];
    const read = (fromMs: number, toMs: number, of: UpdatesOf) =>
      reader.readUpdates(vps, prefixes, fromMs, toMs, connectedAtMs, signal, of);
    // The stream is late too, by as much as the API at most: what was under way when it was cut is older than the cut.
    const behindMs = Math.min(...prefixes.map((prefix) => completeness.behindUntilMs(prefix) ?? ribAtMs));
    const fromMs = behindMs - lagMs - OVERLAP_MS;
    const settledMs = connectedAtMs + lagMs + 1_000;
    const isReadTwice = lagMs > 0 && startMs < settledMs;
    // More-specifics cost a request for each prefix. After a gap they are read once, when the history is settled.
    const first = isReadTwice && !hasRib ? 'exact' : 'all';
    progress.at('updates');
    await read(fromMs, startMs, first);
    if (!signal.aborted) await this.#goLive(prefixes, signal);
    if (signal.aborted || !isReadTwice) return;
    progress.waits(settledMs - timers.now());
    await sleep(timers, settledMs - timers.now(), signal);
    if (signal.aborted) return;
    progress.goesOn();
    const toMs = connectedAtMs + OVERLAP_MS;
    await read(Math.min(startMs, connectedAtMs) - lagMs - OVERLAP_MS, toMs, first);
    if (first === 'exact' && !signal.aborted) await read(fromMs, toMs, 'more_specific');
  }

  /** The frames that were held are applied, and who held the prefixes a window ago is learnt. */
  async #goLive(prefixes: readonly string[], signal: AbortSignal): Promise<void> {
    const { completeness, feed, progress, holders, onChange } = this.#tools;
    completeness.setCurrent(prefixes);
    onChange();
    this.#release(signal);
    await feed.applied(signal); // the table is not complete before
    if (signal.aborted) return;
    progress.at('past holders');
    await holders.learn(prefixes, signal);
  }
}
