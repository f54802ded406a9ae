/**
 * A clock that nobody sets. It shows the machine's time at its start plus the time elapsed since, so that a clock that is set,
 * or a machine that was suspended, neither ages a route nor moves an order. What leaves the process as a Unix time is
 * converted to the machine's clock of that moment.
 */
import type { Timers } from './timers.ts';

/** By how much the machine's clock and the elapsed time must part to count as a step, ms. */
const STEP_MS = 2_000;

/** Two readings of clocks that run alike differ by less, ms. */
const JITTER_MS = 5;

export class SteadyClock implements Timers {
  /** Unix ms, whole; parts from the machine's clock when that is set. */
  readonly now: () => number;
  readonly elapsed: () => number;
  readonly schedule: Timers['schedule'];
  readonly random: () => number;
  readonly #machineMs: () => number;
  #aheadMs = 0;
  /** How far the machine's clock was ahead at the last step. */
  #aheadAtStepMs = 0;

  /** @param timers the machine's; `now` is read once here, and for conversions */
  constructor(timers: Timers) {
    const startMs = timers.now();
    const startedAtMs = timers.elapsed();
    this.now = () => Math.round(startMs + timers.elapsed() - startedAtMs);
    this.elapsed = () => timers.elapsed();
    this.schedule = (callback, delayMs) => timers.schedule(callback, delayMs);
    this.random = () => timers.random();
    this.#machineMs = () => timers.now();
  }

  /** How far the machine's clock is ahead of this one now, ms. */
  get machineAheadMs(): number {
    const aheadMs = this.#machineMs() - this.now();
    // Both are rounded and read one after the other: a time that did not change must be the same in every scrape.
    if (Math.abs(aheadMs - this.#aheadMs) > JITTER_MS) this.#aheadMs = aheadMs;
    return this.#aheadMs;
  }

  /** What the machine's clock shows at a time (Unix ms) of this one. */
  readonly machineMs = (ms: number): number => ms + this.machineAheadMs;

  /** By how much (ms) the machine's clock parted from the elapsed time since the last step that was told; undefined: it did not. */
  readonly takeStep = (): number | undefined => {
    const stepMs = this.machineAheadMs - this.#aheadAtStepMs;
    if (Math.abs(stepMs) <= STEP_MS) return undefined;
    this.#aheadAtStepMs += stepMs;
    return stepMs;
  };
}
