/**
 * Waiting times between attempts: "full jitter" (Marc Brooker, "Exponential Backoff And Jitter", AWS 2015): uniform
 * between a floor and a ceiling that doubles with each attempt. Clients that were cut off together come back apart. A
 * client that waits for nobody but itself needs less chance: `jitter`.
 */

export interface BackoffOptions {
  /** Ceiling of the first wait, ms. */
  readonly baseMs: number;
  /** The ceiling grows to this, ms. */
  readonly maxMs: number;
  /** No wait is shorter, ms; 0 by default. Not above `baseMs`. */
  readonly floorMs?: number;
  /** The share of a wait that is left to chance, 0 to 1. Default 1: all that is above the floor. */
  readonly jitter?: number;
}

/** Enough to come from a millisecond to a month. */
const MAX_DOUBLINGS = 32;

export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #attempts = 0;

  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /**
   * The next wait in ms, after `n` waits since the last reset: the ceiling is `min(max, base * 2^n)`, and the wait lies
   * between `max(floor, (1 - jitter) * ceiling)` and the ceiling.
   */
  next(): number {
    const { baseMs, maxMs, floorMs = 0, jitter = 1 } = this.#options;
    const ceilingMs = Math.min(maxMs, baseMs * 2 ** this.#attempts);
    // Bounded: 2 to an endless count is Infinity, and no number times a base of 0.
    if (this.#attempts < MAX_DOUBLINGS) this.#attempts++;
    const leastMs = Math.max(floorMs, (1 - jitter) * ceilingMs);
    return Math.round(leastMs + this.#random() * Math.max(0, ceilingMs - leastMs));
  }

  reset(): void {
    this.#attempts = 0;
  }
}
