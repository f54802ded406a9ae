import type { Timers } from '../../src/stream/timers.ts';

interface Entry {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that moves only when told to. */
export class ManualTimers implements Timers {
  #nowMs: number;
  /** How far the clock was set, ms. */
  #setByMs = 0;
  #entries: Entry[] = [];
  /** What `random` gives. */
  chance = 0.5;

  constructor(nowMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs + this.#setByMs;
  }

  elapsed(): number {
    return this.#nowMs;
  }

  /** Sets the clock forward, or back when below 0: no time passes. */
  setClock(byMs: number): void {
    this.#setByMs += byMs;
  }

  schedule(callback: () => void, delayMs: number): () => void {
    const entry: Entry = { atMs: this.#nowMs + delayMs, callback };
    this.#entries.push(entry);
    return () => {
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
  }

  readonly random = (): number => this.chance;

  /** How long until the next timer, ms; undefined when there is none. */
  get nextInMs(): number | undefined {
    return this.#entries.length === 0 ? undefined : Math.min(...this.#entries.map((entry) => entry.atMs)) - this.#nowMs;
  }

  /** Moves the clock, calling every timer on the way at its time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = this.#entries.filter((entry) => entry.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#entries = this.#entries.filter((entry) => entry !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.callback();
    }
    this.#nowMs = endMs;
  }
}
