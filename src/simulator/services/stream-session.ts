/** One WebSocket client: what it is sent, and what goes wrong on purpose. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Association } from './associations.ts';
import { BINARY, FrameWriter } from './frame-writer.ts';
import type { StreamMessage, WireTemplate } from './stream-message.ts';

/** Above this a client counts as slow, and a replay waits for it. */
const HIGH_WATER_BYTES = 1024 * 1024;

const REMEMBERED = 64;

/** Why a message did not go to a connected client. */
export const DROP_REASONS = [
  'unassociated', // the key has no prefixes, or they have expired
  'muted', // fault: the connection is up, and says nothing
  'stalled', // fault: the connection is there, and nothing moves
  'slow', // the client took too long and was cut off
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export interface StreamCounts {
  connections: number;
  refusedConnections: number;
  /** Frames with a message, whole or corrupted on purpose. */
  frames: number;
  /** Payload of these frames. */
  bytes: number;
  corruptedFrames: number;
  readonly dropped: Record<DropReason, number>;
}

/** A frame that is no message: `invalid_json`; `truncated`, the first half of one; `binary`; or this very text or bytes. */
export type Garbage =
  | 'invalid_json'
  | 'truncated'
  | 'binary'
  | { readonly text: string }
  | { readonly bytes: Uint8Array };

export interface SessionOptions {
  readonly key: string;
  readonly socket: Duplex;
  readonly websocket: WebSocket;
  readonly counts: StreamCounts;
  /** Unsent bytes at which the client is cut off. */
  readonly maxPendingBytes: number;
  /** What the key had when the session began. */
  readonly firstAssociation: Association | undefined;
}

export class StreamSession {
  readonly key: string;
  readonly firstAssociation: Association | undefined;
  readonly #socket: Duplex;
  readonly #websocket: WebSocket;
  readonly #writer: FrameWriter;
  readonly #counts: StreamCounts;
  readonly #maxPendingBytes: number;
  #state: 'open' | 'muted' | 'stalled' | 'closed' = 'open';
  #isFlushPlanned = false;
  #corruptNext = 0;
  /** A ring of the last messages, for `resend`. */
  readonly #sentTemplates: WireTemplate[] = [];
  readonly #sentTimesUs: number[] = [];
  #sentCount = 0;
  #isAlive = true;

  constructor(options: SessionOptions) {
    this.key = options.key;
    this.firstAssociation = options.firstAssociation;
    this.#socket = options.socket;
    this.#websocket = options.websocket;
    this.#counts = options.counts;
    this.#maxPendingBytes = options.maxPendingBytes;
    this.#writer = new FrameWriter(options.socket);
    options.websocket.on('ping', (data) => {
      this.#writer.flush();
      this.#websocket.pong(data);
    });
    options.websocket.on('pong', () => {
      this.#isAlive = true;
    });
    options.websocket.on('error', () => {}); // 'close' follows, and is where the session ends
    options.websocket.on('close', () => {
      this.#state = 'closed';
    });
  }

  get isOpen(): boolean {
    return this.#state !== 'closed' && this.#websocket.readyState === this.#websocket.OPEN;
  }

  /** Whether a replay must wait for this client. One that is stalled on purpose is not waited for. */
  get isSaturated(): boolean {
    return this.#state === 'open' && this.#writer.pendingBytes > HIGH_WATER_BYTES;
  }

  /** Resolves when the client has caught up, or is gone. */
  drained(): Promise<void> {
    this.#writer.flush();
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      if (!this.#socket.writableNeedDrain || this.#socket.destroyed) resolve();
      else this.#socket.on('drain', done).on('close', done);
    });
  }

  /** Sends the part of the message that the association has. `timeUs` is the message's time. */
  offer(message: StreamMessage, association: Association | undefined, timeUs: number): void {
    if (this.#state === 'closed') return;
    if (association === undefined) {
      this.#counts.dropped.unassociated++;
      return;
    }
    const template = association.partOf(message);
    if (template === undefined) return;
    if (this.#state !== 'open') {
      this.#counts.dropped[this.#state]++;
      return;
    }
    const at = this.#sentCount++ % REMEMBERED;
    this.#sentTemplates[at] = template;
    this.#sentTimesUs[at] = timeUs;
    this.#send(template, timeUs);
  }

  #send(template: WireTemplate, timeUs: number): void {
    const sec = Math.floor(timeUs / 1_000_000);
    const usec = timeUs - sec * 1_000_000;
    this.#counts.frames++;
    if (this.#corruptNext > 0) {
      this.#corruptNext--;
      this.#counts.corruptedFrames++;
      this.#writer.appendFrame(0x81, template.head.subarray(0, template.head.length >> 1));
    } else {
      this.#counts.bytes += this.#writer.append(template, sec, usec);
    }
    if (this.#writer.pendingBytes > this.#maxPendingBytes) {
      this.#counts.dropped.slow++;
      this.cut();
      return;
    }
    this.#planFlush();
  }

  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    setImmediate(() => {
      this.#isFlushPlanned = false;
      this.#writer.flush();
    });
  }

  /** Hands everything to the socket now. */
  flush(): void {
    this.#writer.flush();
  }

  /** Asks for a sign of life; cuts the connection when the last question was not answered. */
  heartbeat(): void {
    if (this.#state === 'closed' || this.#state === 'stalled') return;
    if (!this.#isAlive) {
      this.cut();
      return;
    }
    this.#isAlive = false;
    this.#writer.flush();
    this.#websocket.ping();
  }

  /** `{"error": TEXT}`, then a close: how the service refuses. */
  refuse(text: string): void {
    this.#counts.refusedConnections++;
    this.#websocket.send(JSON.stringify({ error: text }));
    this.#websocket.close(1008);
  }

  /** Ends the TCP connection without a goodbye. */
  cut(): void {
    this.#state = 'closed';
    this.#websocket.terminate();
  }

  /** A frame that promises more than comes before the connection breaks. */
  cutMidFrame(): void {
    this.#writer.appendBytes(Buffer.concat([Buffer.from([0x81, 126, 0x10, 0x00]), Buffer.from('{"record_type":"upd')]));
    this.#writer.flush();
    this.#state = 'closed';
    this.#socket.end();
  }

  close(): void {
    this.#writer.flush();
    this.#websocket.close(1001);
  }

  /** Nothing is sent and nothing is answered any more, not even a ping or a close; the TCP connection stays. */
  stall(): void {
    if (this.#state === 'closed') return;
    this.#writer.flush();
    this.#state = 'stalled';
    // ws answers on the socket's data; without them it is deaf. The end of the connection is still noticed.
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', () => {});
  }

  /** Pings are answered, but no message is sent. */
  mute(): void {
    if (this.#state === 'open') this.#state = 'muted';
  }

  unmute(): void {
    if (this.#state === 'muted') this.#state = 'open';
  }

  garbage(kind: Garbage): boolean {
    if (this.#state !== 'open') return false;
    if (kind === 'invalid_json') this.#writer.appendFrame(0x81, Buffer.from('{"record_type":"update","vp":}'));
    else if (kind === 'truncated') this.#writer.appendFrame(0x81, this.#truncated());
    else if (kind === 'binary') this.#writer.appendFrame(BINARY, Buffer.from([0, 1, 2, 0xfe, 0xff]));
    else if ('text' in kind) this.#writer.appendFrame(0x81, Buffer.from(kind.text));
    else this.#writer.appendFrame(BINARY, kind.bytes);
    this.#planFlush();
    return true;
  }

  #truncated(): Buffer {
    const newest = this.#sentTemplates[(this.#sentCount - 1) % REMEMBERED];
    const last = newest?.head ?? Buffer.from('{"record_type":"update","vp":"64500_192.0.2.1"');
    return last.subarray(0, last.length >> 1);
  }

  /** One text frame of this many bytes: JSON, and no message. */
  oversized(bytes: number): boolean {
    if (this.#state !== 'open') return false;
    this.#writer.appendFrame(0x81, Buffer.from(`{"filler":"${'x'.repeat(Math.max(0, bytes - 13))}"}`));
    this.#planFlush();
    return true;
  }

  /** Bytes that are no WebSocket frame: reserved bits and an unknown opcode. */
  breakProtocol(): boolean {
    if (this.#state !== 'open') return false;
    this.#writer.appendBytes(Buffer.from([0xff, 0x05, 1, 2, 3, 4, 5]));
    this.#planFlush();
    return true;
  }

  /** The next messages arrive cut in half: they are lost. */
  corruptNext(count: number): void {
    this.#corruptNext += count;
  }

  /** The last messages (64 at most) come once more, with their old times; returns how many. */
  resend(count: number): number {
    if (this.#state !== 'open') return 0;
    const again = Math.min(count, this.#sentCount, REMEMBERED);
    for (let i = this.#sentCount - again; i < this.#sentCount; i++) {
      this.#send(this.#sentTemplates[i % REMEMBERED], this.#sentTimesUs[i % REMEMBERED]);
    }
    return again;
  }
}
