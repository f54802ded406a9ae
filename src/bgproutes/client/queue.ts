/**
 * What a stream has said and nobody has read yet, in order, bounded. At a high-water mark the queue asks for a pause, below a
 * low-water mark for more. What still comes in spite of a pause fits too; only when nobody reads through many reconnects
 * is there an overflow: then frames are counted instead of kept, and told when the queue has been read.
 */
import type { ClientEvent, ConnectedEvent, DisconnectedEvent } from './events.ts';

export interface QueuedFrame {
  readonly type: 'frame';
  readonly data: Buffer;
  readonly receivedAtMs: number;
}

export type QueueItem = QueuedFrame | ClientEvent;

export interface QueueBounds {
  /** Frames, or bytes, at which reading pauses. A frame may have 1 MiB. */
  readonly highFrames: number;
  readonly highBytes: number;
  /** Frames, and bytes, below which it goes on. */
  readonly lowFrames: number;
  readonly lowBytes: number;
  /** Items and bytes that are kept at most: room for some reconnects while nobody reads. */
  readonly maxItems: number;
  readonly maxBytes: number;
}

export const DEFAULT_QUEUE_BOUNDS: QueueBounds = {
  highFrames: 1_000,
  highBytes: 4 * 1024 * 1024,
  lowFrames: 250,
  lowBytes: 1024 * 1024,
  maxItems: 20_000,
  maxBytes: 32 * 1024 * 1024,
};

/** What is read already is cut off when it is this much: shifting an array one by one would cost its length. */
const COMPACT_AT = 1_024;

/** What came after the queue was full, as far as it is kept: the count of frames, then how the connection fared last. */
interface Overflow {
  frames: number;
  bytes: number;
  disconnected: DisconnectedEvent | undefined;
  connected: ConnectedEvent | undefined;
}

export class ClientQueue {
  readonly #bounds: QueueBounds;
  #items: QueueItem[] = [];
  #first = 0;
  #frames = 0;
  #bytes = 0;
  #isPaused = false;
  #overflow: Overflow | undefined;

  constructor(bounds: QueueBounds = DEFAULT_QUEUE_BOUNDS) {
    this.#bounds = bounds;
  }

  /** Whether reading should pause now. Changes with hysteresis; after an overflow not before all was read. */
  get wantsPause(): boolean {
    const { highFrames, highBytes, lowFrames, lowBytes } = this.#bounds;
    const [frames, bytes] = this.#isPaused ? [lowFrames, lowBytes] : [highFrames, highBytes];
    this.#isPaused = this.#overflow !== undefined || this.#frames >= frames || this.#bytes >= bytes;
    return this.#isPaused;
  }

  /** False: there was no room; a `dropped` event will count it. */
  pushFrame(data: Buffer, receivedAtMs: number): boolean {
    const isFull = this.#length >= this.#bounds.maxItems || this.#bytes + data.length > this.#bounds.maxBytes;
    if (isFull || this.#overflow !== undefined) {
      const overflow = this.#overflowing();
      overflow.frames++;
      overflow.bytes += data.length;
      return false;
    }
    this.#items.push({ type: 'frame', data, receivedAtMs });
    this.#frames++;
    this.#bytes += data.length;
    return true;
  }

  pushEvent(event: ClientEvent): void {
    if (this.#overflow !== undefined || this.#length >= this.#bounds.maxItems) {
      const overflow = this.#overflowing();
      if (event.type === 'connected') overflow.connected = event;
      else if (event.type === 'disconnected') {
        overflow.disconnected = event;
        overflow.connected = undefined;
      }
      return;
    }
    // Attempts that fail one after the other while nobody reads would fill the queue with the same news.
    if (event.type === 'disconnected' && this.#length > 0 && this.#items.at(-1)?.type === 'disconnected') {
      this.#items.pop();
    }
    this.#items.push(event);
  }

  shift(): QueueItem | undefined {
    if (this.#length === 0) {
      if (this.#overflow === undefined) return undefined;
      this.#items = [...eventsOf(this.#overflow)];
      this.#first = 0;
      this.#overflow = undefined;
    }
    const item = this.#items[this.#first++];
    if (this.#length === 0 || this.#first >= COMPACT_AT) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    if (item.type === 'frame') {
      this.#frames--;
      this.#bytes -= item.data.length;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#first = 0;
    this.#frames = 0;
    this.#bytes = 0;
    this.#overflow = undefined;
  }

  get #length(): number {
    return this.#items.length - this.#first;
  }

  #overflowing(): Overflow {
    return (this.#overflow ??= { frames: 0, bytes: 0, disconnected: undefined, connected: undefined });
  }
}

function* eventsOf({ frames, bytes, disconnected, connected }: Overflow): Generator<ClientEvent> {
  if (frames > 0) yield { type: 'dropped', frames, bytes };
  if (disconnected !== undefined) yield disconnected;
  if (connected !== undefined) yield connected;
}
