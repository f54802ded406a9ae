/**
 * Frames of an ingest's session that wait while a gap is filled. However many wait, they are written over several turns of the
 * event loop; frames that come meanwhile stand behind them.
 */
import { FrameQueue, type HoldBounds, type HoldRoom } from '../../feed/frame-queue.ts';
import { Moment } from '../../feed/moment.ts';
import { MOST_AHEAD_BYTES } from '../../feed/session-feed.ts';
import { systemTurns, type Turns } from '../../feed/turns.ts';

/** How long frames that waited are written in one turn of the event loop, ms. */
const TURN_MS = 5;

export interface WaitingFramesOptions {
  /** Writes frames that were received at one moment, Unix ms. The frames are valid for the time of the call. */
  readonly write: (frames: readonly Buffer[], receivedAtMs: number) => void;
  /** Default 200,000 frames and 48 MiB. */
  readonly bounds?: HoldBounds | undefined;
  /** Room that other sessions share. Default: one of its own. */
  readonly room?: HoldRoom | undefined;
  readonly turns?: Turns | undefined;
}

export class WaitingFrames {
  readonly #write: WaitingFramesOptions['write'];
  readonly #queue: FrameQueue;
  readonly #turns: Turns;
  #isHolding = false;
  #overflowed = false;
  #isTurnAsked = false;
  /** Callers that wait until so many frames of the queue were taken. */
  #waiting: { readonly taken: number; readonly resolve: () => void }[] = [];
  readonly #caughtUp = new Moment();

  constructor({ write, bounds, room, turns = systemTurns }: WaitingFramesOptions) {
    this.#write = write;
    this.#queue = new FrameQueue(bounds, room);
    this.#turns = turns;
  }

  /** From now on frames wait for `release`. Frames that were released before, and are not written yet, wait for no other release. */
  hold(): void {
    this.#isHolding = true;
    this.#caughtUp.tell(); // what comes now is bounded by the hold
  }

  /**
   * Takes frames that came at one moment, in their order. They are written at once where none wait before them.
   * @param onLost called for each frame for which there is no room; what is released makes room instead
   * @returns where too many wait for their turn, when there are few again
   */
  add(frames: readonly Buffer[], receivedAtMs: number, onLost: () => void): Promise<void> | undefined {
    if (!this.#isHolding && this.#queue.isEmpty) {
      this.#write(frames, receivedAtMs);
      return undefined;
    }
    for (const frame of frames) {
      while (!this.#queue.hasRoom(frame.length) && this.#writeNext());
      if (this.#queue.hasRoom(frame.length)) this.#queue.push(frame, receivedAtMs, 'seeded');
      else if (this.#isHolding) {
        this.#overflowed = true;
        onLost();
      } else this.#write([frame], receivedAtMs); // nothing of this session waits before it, and others take all of the room
      if (!this.#isHolding) this.#queue.release();
    }
    if (this.#isHolding) return undefined;
    this.#askForTurn();
    return this.#queue.bytes > MOST_AHEAD_BYTES ? this.#caughtUp.promise : undefined;
  }

  /**
   * Writes what waits: a few milliseconds' work now, the rest in turns to come.
   * @returns false when frames were lost since `hold`: the gap must be filled again
   */
  release(): boolean {
    const isComplete = !this.#overflowed;
    this.#overflowed = this.#isHolding = false;
    this.#queue.release();
    this.#writeForATurn();
    return isComplete;
  }

  /** Resolves when all frames that are released now were written, or the signal is aborted. */
  written(signal: AbortSignal): Promise<void> {
    if (!this.#queue.hasReleased || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ taken: this.#queue.takenAfterReleased, resolve });
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #writeForATurn(): void {
    const endMs = this.#turns.elapsed() + TURN_MS;
    while (this.#writeNext() && this.#turns.elapsed() < endMs);
    this.#askForTurn();
    if (this.#isHolding || this.#queue.bytes <= MOST_AHEAD_BYTES / 2) this.#caughtUp.tell();
    const { taken } = this.#queue;
    const over = this.#waiting.filter((one) => one.taken <= taken);
    this.#waiting = this.#waiting.filter((one) => one.taken > taken);
    for (const { resolve } of over) resolve();
  }

  #askForTurn(): void {
    if (!this.#queue.hasReleased || this.#isTurnAsked) return;
    this.#isTurnAsked = true;
    this.#turns.next(() => {
      this.#isTurnAsked = false;
      this.#writeForATurn();
    });
  }

  /** False when no frame is released. */
  #writeNext(): boolean {
    const batch = this.#queue.take();
    if (batch === undefined) return false;
    this.#write(batch.frames, batch.receivedAtMs);
    return true;
  }
}
