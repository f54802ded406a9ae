/** Work that others must not wait for: a slice of it in each turn of the event loop. */
import { setImmediate } from 'node:timers/promises';

/** How long a slice may take, ms. A stream of 9,000 messages a second brings 36 meanwhile. */
const SLICE_MS = 4;

/** The time that work has in one turn. Whoever reads in parts asks it between two of them. */
export class TurnSlice {
  #untilMs = Number.NEGATIVE_INFINITY;
  readonly #elapsed: () => number;

  /** @param elapsed milliseconds since some moment. Default `performance.now` */
  constructor(elapsed: () => number = () => performance.now()) {
    this.#elapsed = elapsed;
  }

  /** A turn begins. */
  begin(): void {
    this.#untilMs = this.#elapsed() + SLICE_MS;
  }

  /** Whether the rest has to wait for the next turn; before the first `begin` it has. */
  get isOver(): boolean {
    return this.#elapsed() >= this.#untilMs;
  }
}

/** Runs to the end, going on in the next turn whenever a slice's time is over. Rejects with what the steps throw. */
export async function inTurns<Result>(steps: Generator<void, Result>): Promise<Result> {
  for (const slice = new TurnSlice(); ; await setImmediate()) {
    slice.begin();
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (!slice.isOver);
  }
}
