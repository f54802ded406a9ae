/** Time that runs faster than real time, the same in every process that was given the same origin. */
import type { Timers } from '../../src/stream/timers.ts';

export interface Scale {
  /** Real Unix ms at which both times are equal. */
  readonly originMs: number;
  readonly factor: number;
}

/** Timers whose clock can be set, as that of a machine: no time passes by it. */
export interface SettableTimers extends Timers {
  /** Sets the clock forward, or back when below 0, ms. */
  setClock(byMs: number): void;
}

/** @param random at least 0, less than 1; waits are drawn from it */
export function scaledTimers({ originMs, factor }: Scale, random: () => number = Math.random): SettableTimers {
  let setByMs = 0;
  return {
    setClock(byMs) {
      setByMs += byMs;
    },
    now: () => originMs + Math.round((Date.now() - originMs) * factor) + setByMs,
    elapsed: () => performance.now() * factor,
    schedule(callback, delayMs) {
      const handle = setTimeout(callback, Math.min(2 ** 31 - 1, delayMs / factor));
      return () => clearTimeout(handle);
    },
    random,
  };
}
