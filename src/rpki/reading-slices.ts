/** Reads large sets a slice in each turn of the event loop: others wait for a slice, not for what the system has buffered. */

/** How long a slice may take, ms; what was received at once is never divided. */
const SLICE_MS = 4;

export class ReadingSlices {
  #untilMs = Number.NEGATIVE_INFINITY;
  readonly #elapsed: () => number;

  /** @param elapsed milliseconds since some moment */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  /** A turn begins. */
  begin(): void {
    this.#untilMs = this.#elapsed() + SLICE_MS;
  }

  /** Whether the reader has to wait for the next turn; before the first `begin` it has. */
  get isOver(): boolean {
    return this.#elapsed() >= this.#untilMs;
  }
}
