import type { Turns } from '../../src/feed/turns.ts';

/** Turns that come only when told to, and a clock that moves only when it is looked at. */
export class ManualTurns implements Turns {
  /** How far the clock moves with each look, ms. */
  lookMs = 0;
  #nowMs = 0;
  #asked: (() => void)[] = [];

  elapsed(): number {
    return (this.#nowMs += this.lookMs);
  }

  next(work: () => void): void {
    this.#asked.push(work);
  }

  give(): void {
    for (const work of this.#asked.splice(0)) work();
  }

  /** Turns that were asked for and not given. */
  get asked(): number {
    return this.#asked.length;
  }

  /** Gives turns until nobody asks for one. */
  all(): void {
    while (this.#asked.length > 0) this.give();
  }
}
