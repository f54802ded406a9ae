/**
 * Frames that wait to be applied, in the order in which they came: at the head those that may be applied as soon as there is
 * time, behind them those that wait for a release. They lie side by side in pieces of memory of one size: a buffer for each
 * would take more than most frames do, and hundreds of thousands of them would keep the garbage collector busy.
 */
import type { LateReason } from '../table/fold.ts';

/** Bounds of what waits. */
export interface HoldBounds {
  /** Default 200,000. */
  readonly frames: number;
  /** Default 48 MiB. */
  readonly bytes: number;
}

export const HOLD_BOUNDS: HoldBounds = { frames: 200_000, bytes: 48 * 1024 * 1024 };

/**
 * The bound for all sessions together. It is a third more than one session may have, so that a flooded session leaves room to
 * others.
 */
export const HOLD_BYTES_OF_ALL = 64 * 1024 * 1024;
/** Bytes that a frame takes beside its own. */
const FRAME_OVERHEAD_BYTES = 32;

/** Room for the frames that wait in several queues. */
export class HoldRoom {
  readonly #limit: number;
  #used = 0;

  /** @param bytes for frames and what is noted of each. Default 64 MiB */
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
const MOST_BYTES_TAKEN = 32 * 1024;

const CHUNK_BYTES = 256 * 1024;
/**
 * While fewer bytes wait than this, a large frame is copied too, into memory that was used before. If it were kept instead, its own
 * memory would be freed only by a rare full collection of garbage, and a row of large frames would take some 60 MB until then.
 */
const COPIED_BYTES = 1024 * 1024;
/** Chunks of memory that are kept for later frames. */
const MAX_SPARE = 4;

/** Frames one behind the other, and by frame where it ends, when it was received, and how its events count. */
class Chunk {
  readonly memory: Buffer;
  readonly ends: number[] = [];
  readonly receivedAtMs: number[] = [];
  readonly late: LateReason[] = [];
  /** Frames that were taken. */
  taken = 0;

  constructor(memory: Buffer) {
    this.memory = memory;
  }

  get end(): number {
    return this.ends.at(-1) ?? 0;
  }

  get isTaken(): boolean {
    return this.taken === this.ends.length;
  }

  hasRoom(bytes: number): boolean {
    return this.end + bytes <= this.memory.length;
  }

  /** @param end of its bytes, which are there already */
  note(end: number, receivedAtMs: number, late: LateReason): void {
    this.ends.push(end);
    this.receivedAtMs.push(receivedAtMs);
    this.late.push(late);
  }

  /** The length of the first frame that was not taken. */
  get nextLength(): number {
    return this.ends[this.taken] - this.#nextStart;
  }

  get #nextStart(): number {
    return this.taken === 0 ? 0 : this.ends[this.taken - 1];
  }

  take(): Buffer {
    const frame = this.memory.subarray(this.#nextStart, this.ends[this.taken]);
    this.taken++;
    return frame;
  }

  /** Makes its memory free for other frames. */
  reset(): void {
    this.ends.length = this.receivedAtMs.length = this.late.length = this.taken = 0;
  }
}

/** Frames that were received at one moment. */
export interface FrameBatch {
  /** Valid until the next frame is added to the queue. */
  readonly frames: readonly Buffer[];
  /** Unix ms. */
  readonly receivedAtMs: number;
  readonly late: LateReason;
}

export class FrameQueue {
  readonly #bounds: HoldBounds;
  readonly #room: HoldRoom;
  /**
   * The pieces, in order: the frames of each come before those of the next. At least one frame of the first piece was not taken,
   * unless it is the only piece.
   */
  #chunks: Chunk[] = [];
  readonly #spare: Buffer[] = [];
  /** Frames that wait, those of them that are released, and the bytes of all. */
  #count = 0;
  #released = 0;
  #bytes = 0;
  /** Frames that were taken since the start. */
  #taken = 0;

  /** @param bounds of this queue @param room of all queues that share it; one of its own by default */
  constructor(bounds: HoldBounds = HOLD_BOUNDS, room = new HoldRoom()) {
    this.#bounds = bounds;
    this.#room = room;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether there are frames that `take` gives. */
  get hasReleased(): boolean {
    return this.#released > 0;
  }

  /** The bytes of all frames that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  get taken(): number {
    return this.#taken;
  }

  /** What `taken` will be when all frames that are released now were taken. */
  get takenAfterReleased(): number {
    return this.#taken + this.#released;
  }

  /** Whether a frame of so many bytes is within the bounds. */
  hasRoom(bytes: number): boolean {
    return this.#count < this.#bounds.frames && this.#bytes + bytes <= this.#bounds.bytes && this.#room.has(bytes);
  }

  /**
   * Adds a frame: a copy, unless it is large, shares its memory with no other, and much waits before it: then a copy would take
   * more than the frame. The frame must not change afterwards.
   * @param late the reason by which its events are counted when they come too late
   */
  push(data: Buffer, receivedAtMs: number, late: LateReason): void {
    const isLarge = 2 * data.length >= CHUNK_BYTES && data.buffer.byteLength === data.length;
    if (isLarge && (this.#bytes >= COPIED_BYTES || data.length > CHUNK_BYTES)) {
      this.#append(new Chunk(data)).note(data.length, receivedAtMs, late);
    } else {
      const chunk = this.#chunkFor(data.length);
      const start = chunk.end;
      data.copy(chunk.memory, start);
      chunk.note(start + data.length, receivedAtMs, late);
    }
    this.#count++;
    this.#bytes += data.length;
    this.#room.take(data.length);
  }

  /** The last piece, if it has room for the frame; it is emptied first when all its frames were taken. */
  #chunkFor(bytes: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last?.isTaken === true && last.memory.length === CHUNK_BYTES) last.reset();
    if (last?.hasRoom(bytes) === true) return last;
    const spare = bytes <= CHUNK_BYTES ? this.#spare.pop() : undefined;
    return this.#append(new Chunk(spare ?? Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bytes))));
  }

  #append(chunk: Chunk): Chunk {
    if (this.#chunks.at(-1)?.isTaken === true) this.#keepSpare(this.#chunks.pop());
    this.#chunks.push(chunk);
    return chunk;
  }

  /** All of its frames were taken. */
  #keepSpare(chunk: Chunk | undefined): void {
    if (chunk?.memory.length === CHUNK_BYTES && this.#spare.length < MAX_SPARE) this.#spare.push(chunk.memory);
  }

  /** All frames that wait now may be applied. */
  release(): void {
    this.#released = this.#count;
  }

  /** Takes all frames, released or not, and gives how many there were. */
  clear(): number {
    const count = this.#count;
    this.#room.giveBack(count, this.#bytes);
    this.#chunks = [];
    this.#count = this.#released = this.#bytes = 0;
    this.#taken += count;
    return count;
  }

  /** Takes the first frames that are released and were received at one moment; undefined when there is none. */
  take(): FrameBatch | undefined {
    if (!this.hasReleased) return undefined;
    const [head] = this.#chunks;
    const receivedAtMs = head.receivedAtMs[head.taken];
    const late = head.late[head.taken];
    const most = Math.min(MOST_TAKEN, this.#released);
    const frames: Buffer[] = [];
    let bytes = 0;
    while (frames.length < most) {
      const [chunk] = this.#chunks;
      const at = chunk.taken;
      if (chunk.receivedAtMs[at] !== receivedAtMs || chunk.late[at] !== late) break;
      if (frames.length > 0 && bytes + chunk.nextLength > MOST_BYTES_TAKEN) break;
      const frame = chunk.take();
      frames.push(frame);
      bytes += frame.length;
      if (chunk.isTaken && this.#chunks.length > 1) this.#keepSpare(this.#chunks.shift());
    }
    this.#count -= frames.length;
    this.#released -= frames.length;
    this.#bytes -= bytes;
    this.#room.giveBack(frames.length, bytes);
    this.#taken += frames.length;
    return { frames, receivedAtMs, late };
  }
}

/**
 * A packet of more frames is applied as if it had waited. One of 64 KiB has some 250 messages, so that such a packet is of
 * tiny frames, each of which may cost as much as a message.
 */
const MOST_AT_ONCE = 512;
/**
 * More bytes than this are applied as if they had waited, too. A packet of 64 KiB stays below, with the frame that began in the
 * packet before. Records of Kafka have no packets.
 */
const MOST_BYTES_AT_ONCE = 128 * 1024;

/** Whether frames can be applied at once: not many, not much, and none that a queue would give alone. */
export function isLittle(frames: readonly Buffer[]): boolean {
  if (frames.length > MOST_AT_ONCE) return false;
  let bytes = 0;
  for (const { length } of frames) {
    if (length > MOST_BYTES_TAKEN) return false;
    bytes += length;
  }
  return bytes <= MOST_BYTES_AT_ONCE;
}
