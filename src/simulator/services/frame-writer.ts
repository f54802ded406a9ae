/**
 * WebSocket frames of a server (RFC 6455 section 5.2: unmasked, unfragmented), gathered into large writes: one system
 * call then carries hundreds of messages.
 */
import type { Duplex } from 'node:stream';
import type { WireTemplate } from './stream-message.ts';

const TEXT = 0x81;
export const BINARY = 0x82;

const CHUNK_BYTES = 64 * 1024;
/** Seconds and microseconds as text at most, and the longest frame header. */
const MAX_TIME_BYTES = 32;
const MAX_HEADER_BYTES = 10;

export class FrameWriter {
  readonly #socket: Duplex;
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  /** What is in the chunk from `#from` to `#to` is not written yet. */
  #from = 0;
  #to = 0;
  #lastSec = -1;
  #secDigits = Buffer.alloc(0);

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Bytes that the client has not taken yet. */
  get pendingBytes(): number {
    return this.#socket.writableLength + this.#to - this.#from;
  }

  get unwrittenBytes(): number {
    return this.#to - this.#from;
  }

  /** Adds one text frame; returns its payload's length. */
  append(template: WireTemplate, sec: number, usec: number): number {
    const { head, middle, tail } = template;
    if (middle === undefined || tail === undefined) {
      this.appendFrame(TEXT, head);
      return head.length;
    }
    if (sec !== this.#lastSec) {
      this.#lastSec = sec;
      this.#secDigits = Buffer.from(String(sec));
    }
    const length = head.length + this.#secDigits.length + middle.length + digitsOf(usec) + tail.length;
    this.#reserve(length);
    this.#header(TEXT, length);
    const chunk = this.#chunk;
    let to = this.#to;
    to += head.copy(chunk, to);
    to += this.#secDigits.copy(chunk, to);
    to += middle.copy(chunk, to);
    to += writeDigits(chunk, to, usec);
    to += tail.copy(chunk, to);
    this.#to = to;
    return length;
  }

  /** Adds one frame with this first byte (final bit and opcode). */
  appendFrame(firstByte: number, payload: Uint8Array): void {
    this.#reserve(payload.length);
    this.#header(firstByte, payload.length);
    this.#chunk.set(payload, this.#to);
    this.#to += payload.length;
  }

  /** Adds bytes as they are, whatever they mean. */
  appendBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#chunk.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /** Hands all to the socket. */
  flush(): void {
    if (this.#to === this.#from) return;
    const bytes = this.#chunk.subarray(this.#from, this.#to);
    this.#from = this.#to;
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  #reserve(payloadBytes: number): void {
    const needed = payloadBytes + MAX_TIME_BYTES + MAX_HEADER_BYTES;
    if (this.#to + needed <= this.#chunk.length) return;
    this.flush();
    // A new chunk, as the socket still reads from the old one.
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, needed));
    this.#from = 0;
    this.#to = 0;
  }

  #header(firstByte: number, length: number): void {
    const chunk = this.#chunk;
    chunk[this.#to++] = firstByte;
    if (length < 126) {
      chunk[this.#to++] = length;
    } else if (length < 65_536) {
      chunk[this.#to++] = 126;
      this.#to = chunk.writeUInt16BE(length, this.#to);
    } else {
      chunk[this.#to++] = 127;
      this.#to = chunk.writeUInt32BE(0, this.#to);
      this.#to = chunk.writeUInt32BE(length, this.#to);
    }
  }
}

function digitsOf(n: number): number {
  return n < 10 ? 1 : n < 100 ? 2 : n < 1_000 ? 3 : n < 10_000 ? 4 : n < 100_000 ? 5 : 6;
}

function writeDigits(target: Buffer, at: number, n: number): number {
  const digits = digitsOf(n);
  let rest = n;
  for (let i = at + digits - 1; i >= at; i--) {
    const quotient = Math.floor(rest / 10);
    target[i] = 48 + rest - quotient * 10;
    rest = quotient;
  }
  return digits;
}
