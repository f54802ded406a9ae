/** Work that others must not wait for: a slice of it in each turn of the event loop. */
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

/** Whoever waits for a turn of their own, in the order in which they came. */
const waiting: (() => void)[] = [];
let isGiving = false;

/**
 * Resolves in a later turn of the event loop that nobody else gets by this function. Pages, their events and scrapes each do
 * little in a turn, but all of them in the same one would hold up the others.
 */
export function ownTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (isGiving) return;
    isGiving = true;
    setImmediate(giveTurn);
  });
}

function giveTurn(): void {
  waiting.shift()?.();
  isGiving = waiting.length > 0;
  if (isGiving) setImmediate(giveTurn);
}

/** Runs to the end, going on in the next turn whenever a slice's time is over. Rejects with what the steps throw. */
export async function inTurns<Result>(steps: Generator<void, Result>): Promise<Result> {
  for (const slice = new TurnSlice(); ; await ownTurn()) {
    slice.begin();
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (!slice.isOver);
  }
}
