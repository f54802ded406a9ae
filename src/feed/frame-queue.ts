/**
 * Frames that wait to be applied, in the order in which they came: at the head those that may be applied as soon as there is
 * time, behind them those that wait for a release.
 */
import type { LateReason } from '../table/fold.ts';

/** Bounds of what waits. */
export interface HoldBounds {
  /** Default 200,000. */
  readonly frames: number;
  /** Default 64 MiB. */
  readonly bytes: number;
}

export const HOLD_BOUNDS: HoldBounds = { frames: 200_000, bytes: 64 * 1024 * 1024 };

/** Of all sessions together: half as much again as one of them may have, so that one that is flooded leaves room to others. */
export const HOLD_BYTES_OF_ALL = 96 * 1024 * 1024;
/** What a frame takes beside its own bytes. */
const FRAME_OVERHEAD_BYTES = 256;

/** Room for the frames that wait in several queues. */
export class HoldRoom {
  readonly #limit: number;
  #used = 0;

  /** @param bytes for frames and what is noted of each. Default 96 MiB */
  constructor(bytes = HOLD_BYTES_OF_ALL) {
    this.#limit = bytes;
  }

  has(frameBytes: number): boolean {
    return this.#used + frameBytes + FRAME_OVERHEAD_BYTES <= this.#limit;
  }

  take(frameBytes: number): void {
    this.#used += frameBytes + FRAME_OVERHEAD_BYTES;
  }

  giveBack(frames: number, bytes: number): void {
    this.#used -= bytes + frames * FRAME_OVERHEAD_BYTES;
  }
}

/** Most frames, and most bytes (unless one frame alone has more), that are taken at once: at worst a few ms of work. */
const MOST_TAKEN = 64;
export const MOST_BYTES_TAKEN = 32 * 1024;
/** Places of frames that were taken are given back once there are so many. */
const MOST_TAKEN_PLACES = 4_096;

interface WaitingFrame {
  readonly data: Buffer;
  readonly receivedAtMs: number;
  readonly late: LateReason;
}

/** Frames that were received at one moment. */
export interface FrameBatch {
  readonly frames: readonly Buffer[];
  /** Unix ms. */
  readonly receivedAtMs: number;
  readonly late: LateReason;
}

export class FrameQueue {
  readonly #bounds: HoldBounds;
  readonly #room: HoldRoom;
  #frames: (WaitingFrame | undefined)[] = [];
  /** The place of the first frame that was not taken, and of the first that waits for a release. */
  #first = 0;
  #firstHeld = 0;
  #bytes = 0;
  /** Frames that were taken since the start. */
  #taken = 0;

  /** @param bounds of this queue @param room of all queues that share it; one of its own by default */
  constructor(bounds: HoldBounds = HOLD_BOUNDS, room = new HoldRoom()) {
    this.#bounds = bounds;
    this.#room = room;
  }

  get isEmpty(): boolean {
    return this.#first === this.#frames.length;
  }

  /** Whether there are frames that `take` gives. */
  get hasReleased(): boolean {
    return this.#first < this.#firstHeld;
  }

  /** Of all frames that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get taken(): number {
    return this.#taken;
  }

  /** What `taken` will be when all frames that are released now were taken. */
  get takenAfterReleased(): number {
    return this.#taken + this.#firstHeld - this.#first;
  }

  /** Whether a frame of so many bytes is within the bounds. */
  hasRoom(bytes: number): boolean {
    return (
      this.#frames.length - this.#first < this.#bounds.frames &&
      this.#bytes + bytes <= this.#bounds.bytes &&
      this.#room.has(bytes)
    );
  }

  /**
   * Adds a frame; a copy where it shares its memory with all that came in the same packet. The frame must not change
   * afterwards.
   * @param late how its events count that come too late
   */
  push(data: Buffer, receivedAtMs: number, late: LateReason): void {
    const isAlone = data.buffer.byteLength === data.length;
    this.#frames.push({ data: isAlone ? data : Buffer.from(data), receivedAtMs, late });
    this.#bytes += data.length;
    this.#room.take(data.length);
  }

  /** All frames that wait now may be applied. */
  release(): void {
    this.#firstHeld = this.#frames.length;
  }

  /** Takes all frames, released or not, and gives how many there were. */
  clear(): number {
    const count = this.#frames.length - this.#first;
    this.#room.giveBack(count, this.#bytes);
    this.#frames = [];
    this.#first = this.#firstHeld = this.#bytes = 0;
    this.#taken += count;
    return count;
  }

  /** Takes the first frames that are released and were received at one moment; undefined when there is none. */
  take(): FrameBatch | undefined {
    const head = this.#frames[this.#first];
    if (head === undefined || !this.hasReleased) return undefined;
    const { receivedAtMs, late } = head;
    const frames: Buffer[] = [];
    let bytes = 0;
    while (this.hasReleased && frames.length < MOST_TAKEN) {
      const next = this.#frames[this.#first];
      if (next === undefined || next.receivedAtMs !== receivedAtMs || next.late !== late) break;
      if (frames.length > 0 && bytes + next.data.length > MOST_BYTES_TAKEN) break;
      frames.push(next.data);
      bytes += next.data.length;
      this.#frames[this.#first++] = undefined;
    }
    this.#bytes -= bytes;
    this.#room.giveBack(frames.length, bytes);
    this.#taken += frames.length;
    this.#giveBackPlaces();
    return { frames, receivedAtMs, late };
  }

  /** Costs as much as there are places left, so only when at least as many are given back. */
  #giveBackPlaces(): void {
    const left = this.#frames.length - this.#first;
    if (left > 0 && (this.#first < MOST_TAKEN_PLACES || this.#first < left)) return;
    this.#frames = left === 0 ? [] : this.#frames.slice(this.#first);
    this.#firstHeld -= this.#first;
    this.#first = 0;
  }
}
