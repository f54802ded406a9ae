/**
 * Spaces the fills of one session. Each reads the list of vantage points and asks once for each prefix, and a stream that is
 * cut every minute would use up what the history answers in an hour, which then could fill no gap at all.
 */
import type { Logger } from '../../logger.ts';
import { sleep, type Timers } from '../../stream/timers.ts';

/** How many fills may begin at once after a calm time. */
const BURST = 5;
/** After that one fill may begin in each such time, ms: 25 in the first hour, 20 in each later one. */
const EVERY_MS = 180_000;
const HOUR_MS = 3_600_000;
/** Fills of many prefixes begin more rarely: they get this share of the hour's quota, and a fifth of that at once. */
const QUOTA_SHARE = 0.4;

export interface FillPaceOptions {
  readonly session: number;
  /** What people call the history. */
  readonly title: string;
  readonly logger: Logger;
  readonly timers: Timers;
}

export class FillPace {
  readonly #options: FillPaceOptions;
  /** When the burst is whole again, by `Timers.elapsed`; each fill moves it. */
  #wholeAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: FillPaceOptions) {
    this.#options = options;
  }

  /**
   * Resolves when a fill may begin, and counts it; also resolves when the signal is aborted, which counts nothing.
   * @param hourShare the share of an hour's quota that the fill costs
   */
  async turn(signal: AbortSignal, hourShare = 0): Promise<void> {
    const { timers, logger, session, title } = this.#options;
    const waitMs = this.#wholeAtMs - timers.elapsed() - (BURST - 1) * EVERY_MS;
    if (waitMs > 0) {
      logger.warn(`the stream is cut again and again: the gap is filled later, to spare the quota of ${title}`, {
        ...{ session, wait_seconds: Math.ceil(waitMs / 1000) },
      });
      await sleep(timers, waitMs, signal);
      if (signal.aborted) return;
    }
    this.#wholeAtMs =
      Math.max(this.#wholeAtMs, timers.elapsed()) + Math.max(EVERY_MS, (hourShare * HOUR_MS) / QUOTA_SHARE);
  }
}
