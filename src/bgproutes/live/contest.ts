/** How often another client replaces the list of a key, and so how long to wait before it is associated again. */
import { Backoff, type BackoffOptions } from '../../stream/backoff.ts';
import type { Timers } from '../../stream/timers.ts';

/**
 * Waits before a list that was replaced is associated again: none the first time, then longer and longer, so that two
 * clients that fight over a key do not do it all day.
 */
const CONTEST_BACKOFF: BackoffOptions = { baseMs: 10_000, maxMs: 600_000, jitter: 0.5 };
/** A list that nobody replaced for this long is no longer contested. */
const CONTEST_MS = 30 * 60_000;

export class Contest {
  readonly #backoff: Backoff;
  #replacedAtMs = Number.NEGATIVE_INFINITY;

  constructor(timers: Timers) {
    this.#backoff = new Backoff(CONTEST_BACKOFF, () => timers.random());
  }

  /** The list was replaced. @param nowMs by `Timers.elapsed` @returns how long to wait */
  replaced(nowMs: number): { readonly isContested: boolean; readonly delayMs: number } {
    const isContested = nowMs - this.#replacedAtMs < CONTEST_MS;
    this.#replacedAtMs = nowMs;
    if (!isContested) this.#backoff.reset();
    return { isContested, delayMs: isContested ? this.#backoff.next() : 0 };
  }
}
