/**
 * When the next request may go: at most so many at once, each a little after the one before it, and none while the service
 * asks for patience. Whoever waits is served in order.
 */
import type { Timers } from '../../stream/timers.ts';

export interface PaceLimits {
  /** Requests at the same time. */
  readonly atOnce: number;
  /** Least time between the starts of two requests, ms. */
  readonly intervalMs: number;
}

interface Waiting {
  readonly go: () => void;
}

export class Pace {
  readonly #limits: PaceLimits;
  readonly #timers: Timers;
  #running = 0;
  /** No request starts before, by `elapsed`. */
  #nextAtMs = Number.NEGATIVE_INFINITY;
  #waiting: Waiting[] = [];
  #cancelTimer: (() => void) | undefined;

  constructor(limits: PaceLimits, timers: Timers) {
    this.#limits = limits;
    this.#timers = timers;
  }

  /** Lets no request start within this time, ms. */
  holdFor(ms: number): void {
    this.#nextAtMs = Math.max(this.#nextAtMs, this.#timers.elapsed() + ms);
  }

  /** Resolves when a request may start; the result must be called when it has ended. Undefined: aborted while waiting. */
  turn(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const one: Waiting = {
        go: () => {
          signal.removeEventListener('abort', giveUp);
          this.#running++;
          this.#nextAtMs = this.#timers.elapsed() + this.#limits.intervalMs;
          resolve(this.#ender());
        },
      };
      const giveUp = () => {
        this.#waiting = this.#waiting.filter((other) => other !== one);
        resolve(undefined);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(one);
      this.#serve();
    });
  }

  #ender(): () => void {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#running--;
      this.#serve();
    };
  }

  #serve(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    while (this.#waiting.length > 0 && this.#running < this.#limits.atOnce) {
      const waitMs = this.#nextAtMs - this.#timers.elapsed();
      if (waitMs > 0) {
        this.#cancelTimer = this.#timers.schedule(() => this.#serve(), waitMs);
        return;
      }
      this.#waiting.shift()?.go();
    }
  }
}
