/**
 * What happens when, in milliseconds of the scenario. One clock timer at a time waits for the next event; events run in
 * the order of their times, and at equal times in the order in which they were planned, however late the timer is: the
 * same seed gives the same sequence on a slow machine.
 */
import type { Clock } from '../clock.ts';

interface PlannedEvent {
  readonly atMs: number;
  readonly sequence: number;
  readonly run: () => void;
}

/** How fast scenario time passes: times real time, or `max`, as fast as the clients take what is sent. */
export type Speed = number | 'max';

export interface TimelineOptions {
  readonly clock: Clock;
  readonly speed: Speed;
  /** Only asked at speed `max`: undefined when the clients keep up, else when to go on. */
  readonly backpressure: () => Promise<void> | undefined;
}

/** What dividing and multiplying by the speed may lose; without it an event could stay due for ever. */
const ROUNDING_MS = 1e-6;

/** Events run without a break at speed `max`; then sockets get their turn. */
const SLICE = 256;

export class Timeline {
  readonly #clock: Clock;
  readonly #speed: Speed;
  readonly #backpressure: () => Promise<void> | undefined;
  /** A binary heap, the earliest on top. */
  readonly #heap: PlannedEvent[] = [];
  #sequence = 0;
  #nowMs = 0;
  #startedAtMs: number | undefined;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;
  #slicePlanned = false;

  constructor(options: TimelineOptions) {
    this.#clock = options.clock;
    this.#speed = options.speed;
    this.#backpressure = options.backpressure;
  }

  /** Milliseconds since the start, in scenario time. While an event runs: the time it was planned for. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that are still to come. */
  get size(): number {
    return this.#heap.length;
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.currentMs() + delayMs, run);
  }

  at(atMs: number, run: () => void): void {
    if (this.#stopped) return;
    this.#push({ atMs: Math.max(atMs, this.#nowMs), sequence: this.#sequence++, run });
    this.#arm();
  }

  start(): void {
    this.#startedAtMs = this.#clock.now();
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#heap.length = 0;
    this.#cancelTimer?.();
  }

  /** Scenario time by the clock: what happens now by hand is later than what was planned before. */
  currentMs(): number {
    if (this.#startedAtMs === undefined || this.#speed === 'max' || this.#running) return this.#nowMs;
    return Math.max(this.#nowMs, (this.#clock.now() - this.#startedAtMs) * this.#speed);
  }

  #running = false;

  #arm(): void {
    if (this.#stopped || this.#startedAtMs === undefined || this.#heap.length === 0 || this.#running) return;
    if (this.#speed === 'max') {
      if (!this.#slicePlanned) {
        this.#slicePlanned = true;
        setImmediate(() => void this.#runSlice());
      }
      return;
    }
    this.#cancelTimer?.();
    // Elapsed time is subtracted first: Unix times are too large to hold the fractions.
    const delayMs = this.#heap[0].atMs / this.#speed - (this.#clock.now() - this.#startedAtMs);
    this.#cancelTimer = this.#clock.schedule(() => this.#runDue(), Math.max(0, Math.ceil(delayMs)));
  }

  #runDue(): void {
    const untilMs = this.currentMs() + ROUNDING_MS;
    this.#running = true;
    try {
      while (this.#heap.length > 0 && this.#heap[0].atMs <= untilMs) this.#runNext();
    } finally {
      this.#running = false;
      this.#arm();
    }
  }

  async #runSlice(): Promise<void> {
    await this.#backpressure();
    this.#slicePlanned = false;
    this.#running = true;
    try {
      for (let i = 0; i < SLICE && this.#heap.length > 0; i++) this.#runNext();
    } finally {
      this.#running = false;
      this.#arm();
    }
  }

  #runNext(): void {
    const event = this.#pop();
    this.#nowMs = event.atMs;
    event.run();
  }

  #push(event: PlannedEvent): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(event, heap[parent])) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): PlannedEvent {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return top;
  }
}

function isBefore(a: PlannedEvent, b: PlannedEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
