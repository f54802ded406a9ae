/**
 * Notices a stream that is late. RIS Live sends everything to a client that reads too slowly, but later and later: no message is
 * missing, and none is about the present any more.
 */

/** Frames that are older than the freshest ones by more than this are late, ms. */
const LATE_MS = 60_000;

/** How long all frames must be late until the client should connect again, ms. */
export const LATE_FOR_MS = 180_000;

/** The first frames of a connection show how far the clocks differ: for this long, ms. */
const BASE_MS = 60_000;

export class DelayWatch {
  #beganMs: number | undefined;
  /** The smallest difference between receipt and timestamp in the first minute, ms: the network's delay plus the difference of the clocks. */
  #baseMs = Number.POSITIVE_INFINITY;
  /** Since when every frame is late, by `elapsed`. */
  #lateSinceMs: number | undefined;
  #delayMs = 0;

  /** A connection begins. */
  reset(): void {
    this.#beganMs = this.#lateSinceMs = undefined;
    this.#baseMs = Number.POSITIVE_INFINITY;
    this.#delayMs = 0;
  }

  /** By how much the newest frames are later than the first ones of the connection were, ms. */
  get behindMs(): number {
    return this.#delayMs;
  }

  /**
   * Takes the timestamp of a frame.
   * @param atMs receipt by `elapsed`
   * @param delayMs receipt minus timestamp, both as Unix ms
   * @returns true when all frames have been late for 3 minutes
   */
  note(atMs: number, delayMs: number): boolean {
    this.#beganMs ??= atMs;
    if (atMs - this.#beganMs <= BASE_MS || delayMs < this.#baseMs) this.#baseMs = Math.min(this.#baseMs, delayMs);
    this.#delayMs = delayMs - this.#baseMs;
    if (this.#delayMs < LATE_MS) this.#lateSinceMs = undefined;
    else this.#lateSinceMs ??= atMs;
    return this.#lateSinceMs !== undefined && atMs - this.#lateSinceMs >= LATE_FOR_MS;
  }
}
