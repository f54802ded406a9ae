/** One WebSocket client: what it is sent, and what goes wrong on purpose. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Association } from './associations.ts';
import { payloadOf, type StreamMessage, type WireTemplate } from './stream-message.ts';

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

/** A frame that is not a message: `invalid_json`; `truncated`, the first half of one; `binary`; or this very text or bytes. */
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
  readonly #counts: StreamCounts;
  readonly #maxPendingBytes: number;
  #state: 'open' | 'muted' | 'stalled' | 'closed' = 'open';
  /** What is written waits in the socket until the turn ends. */
  #isGathering = false;
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
    options.websocket.on('ping', (data) => this.#websocket.pong(data));
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
    return this.#state === 'open' && this.#socket.writableLength > HIGH_WATER_BYTES;
  }

  /** Resolves when the client has caught up, or is gone. */
  drained(): Promise<void> {
    this.flush();
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
    this.#counts.frames++;
    if (this.#corruptNext > 0) {
      this.#corruptNext--;
      this.#counts.corruptedFrames++;
      this.#write(template.head.subarray(0, template.head.length >> 1));
    } else {
      const payload = payloadOf(template, timeUs);
      this.#counts.bytes += payload.length;
      this.#write(payload);
    }
    if (this.#socket.writableLength > this.#maxPendingBytes) {
      this.#counts.dropped.slow++;
      this.cut();
    }
  }

  /** One frame. */
  #write(payload: Uint8Array | string, isBinary = false): void {
    this.#gather();
    this.#websocket.send(payload, { binary: isBinary });
  }

  /** All frames of a turn go out by one system call. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#socket.cork();
    setImmediate(() => this.flush());
  }

  /** Sends what was gathered. */
  flush(): void {
    if (!this.#isGathering) return;
    this.#isGathering = false;
    this.#socket.uncork();
  }

  /** Asks for a sign of life; cuts the connection when the last question was not answered. */
  heartbeat(): void {
    if (this.#state === 'closed' || this.#state === 'stalled') return;
    if (!this.#isAlive) {
      this.cut();
      return;
    }
    this.#isAlive = false;
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
    this.flush();
    this.#socket.write(Buffer.concat([Buffer.from([0x81, 126, 0x10, 0x00]), Buffer.from('{"record_type":"upd')]));
    this.#state = 'closed';
    this.#socket.end();
  }

  close(): void {
    this.flush();
    this.#websocket.close(1001);
  }

  /** Nothing is sent and nothing is answered any more, not even a ping or a close; the TCP connection stays. */
  stall(): void {
    if (this.#state === 'closed') return;
    this.flush();
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
    if (kind === 'invalid_json') this.#write('{"record_type":"update","vp":}');
    else if (kind === 'truncated') this.#write(this.#truncated());
    else if (kind === 'binary') this.#write(Buffer.from([0, 1, 2, 0xfe, 0xff]), true);
    else if ('text' in kind) this.#write(kind.text);
    else this.#write(kind.bytes, true);
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
    this.#write(`{"filler":"${'x'.repeat(Math.max(0, bytes - 13))}"}`);
    return true;
  }

  /** Bytes that are not a WebSocket frame: reserved bits and an unknown opcode. */
  breakProtocol(): boolean {
    if (this.#state !== 'open') return false;
    this.#gather();
    this.#socket.write(Buffer.from([0xff, 0x05, 1, 2, 3, 4, 5]));
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
