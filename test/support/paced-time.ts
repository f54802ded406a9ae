/**
 * Time that runs faster than real time, but only while this process works. When the machine gives the process no turn, or
 * the process is busy with one thing, next to nothing of this time passes: a connection that answers within a few turns of
 * the event loop answers in good time, however slow the machine is.
 */
import type { SettableTimers } from '../chaos/scaled-timers.ts';

/** The most that passes from one turn to the next, ms of this time. Every time limit of the exporter has many such turns. */
const MOST_A_TURN_MS = 500;

interface Entry {
  readonly atMs: number;
  readonly callback: () => void;
}

export interface PacedTimeOptions {
  /** How much faster than real time it runs. */
  readonly factor: number;
  /** Real ms since some moment. Default: those of the process. */
  readonly real?: () => number;
}

export class PacedTime {
  readonly #factor: number;
  readonly #real: () => number;
  readonly #originMs = Date.now();
  readonly #entries = new Set<Entry>();
  readonly #stop: () => void;
  #passedMs = 0;
  #turnedAtMs: number;

  constructor({ factor, real = () => performance.now() }: PacedTimeOptions) {
    this.#factor = factor;
    this.#real = real;
    this.#turnedAtMs = real();
    this.#stop = factor > MOST_A_TURN_MS ? this.#turnAlways() : this.#turnEachMillisecond();
  }

  /** A clock of its own that can be set; all clocks of one time run alike. @param random at least 0, less than 1 */
  clock(random: () => number = Math.random): SettableTimers {
    let setByMs = 0;
    return {
      setClock(byMs) {
        setByMs += byMs;
      },
      now: () => this.#originMs + Math.round(this.#passed()) + setByMs,
      elapsed: () => this.#passed(),
      schedule: (callback, delayMs) => {
        const entry: Entry = { atMs: this.#passed() + delayMs, callback };
        this.#entries.add(entry);
        return () => this.#entries.delete(entry);
      },
      random,
    };
  }

  /** Calls what is due. By itself it does so in each turn of the event loop, or each millisecond. */
  turn(): void {
    this.#passedMs = this.#passed();
    this.#turnedAtMs = this.#real();
    const due = [...this.#entries].filter(({ atMs }) => atMs <= this.#passedMs).sort((a, b) => a.atMs - b.atMs);
    // One that is due may cancel the next.
    for (const entry of due) if (this.#entries.delete(entry)) entry.callback();
  }

  stop(): void {
    this.#stop();
    this.#entries.clear();
  }

  #passed(): number {
    return this.#passedMs + Math.min(MOST_A_TURN_MS, (this.#real() - this.#turnedAtMs) * this.#factor);
  }

  #turnEachMillisecond(): () => void {
    const interval = setInterval(() => this.turn(), 1).unref();
    return () => clearInterval(interval);
  }

  /** For a time of which more passes in a millisecond than may pass in a turn. Keeps the process alive until it is stopped. */
  #turnAlways(): () => void {
    let immediate: NodeJS.Immediate;
    const again = (): void => {
      this.turn();
      immediate = setImmediate(again);
    };
    immediate = setImmediate(again);
    return () => clearImmediate(immediate);
  }
}
