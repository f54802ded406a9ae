/** Time as an argument: the real one, or one that tests turn by hand (expiry after 4 hours without waiting for it). */

export interface Clock {
  /** Unix ms. */
  now(): number;
  /** Calls back once after `delayMs`; the returned function cancels it. */
  schedule(callback: () => void, delayMs: number): () => void;
}

/** The real one. A pending timer keeps the process alive until the simulator is stopped. */
export const systemClock: Clock = {
  now: Date.now,
  schedule(callback, delayMs) {
    const handle = setTimeout(callback, Math.min(delayMs, 2_147_483_647));
    return () => clearTimeout(handle);
  },
};

/** Stands still until told to advance. */
export class ManualClock implements Clock {
  #nowMs: number;
  #sequence = 0;
  readonly #timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();

  /** @param startMs Unix ms; the real time of now by default, so that dates sent to a client make sense. */
  constructor(startMs: number = Date.now()) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  schedule(callback: () => void, delayMs: number): () => void {
    const id = this.#sequence++;
    this.#timers.set(id, { atMs: this.#nowMs + Math.max(0, delayMs), callback });
    return () => this.#timers.delete(id);
  }

  /** Lets time pass: timers fire in the order of their times, and those that they set in between fire too. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      let dueId: number | undefined;
      let dueAtMs = untilMs;
      for (const [id, timer] of this.#timers) {
        if (timer.atMs < dueAtMs || (timer.atMs === dueAtMs && (dueId === undefined || id < dueId))) {
          [dueId, dueAtMs] = [id, timer.atMs];
        }
      }
      if (dueId === undefined) break;
      const { callback } = this.#timers.get(dueId)!;
      this.#timers.delete(dueId);
      this.#nowMs = Math.max(this.#nowMs, dueAtMs);
      callback();
    }
    this.#nowMs = untilMs;
  }
}

/** Message times in Unix microseconds, never the same twice: the order of sending is the order of times. */
export class TimeStamper {
  readonly #clock: Clock;
  #lastUs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nextUs(): number {
    this.#lastUs = Math.max(this.#lastUs + 1, Math.floor(this.#clock.now() * 1000));
    return this.#lastUs;
  }
}
