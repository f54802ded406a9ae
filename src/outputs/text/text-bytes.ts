/**
 * Bytes of a body of text, made of short runs that are copied very often: names of metrics, labels, numbers. For some 40
 * bytes, copying doubles in a loop takes a fraction of the time of `TypedArray.set` or of building a string.
 */
import type { Labels } from '../../metrics/metric.ts';

/**
 * A text in UTF-8: the number of its bytes, then the bytes as doubles in the machine's order, the last one filled up with
 * zeros. UTF-8 never looks like a NaN, whose bits might change on the way: that would take a byte from 0xF0 on with 0x7F or
 * 0xFF behind it. A plain array of numbers takes a third of the memory of a typed one, and there is one for each label set.
 */
export type Run = readonly number[];

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
/** How many bytes after its end the copying of a run may overwrite. */
const SLACK = 7;
/** A buffer of at most this many bytes is kept, however little is written to it. */
const SMALL = 4_096;
const ZERO = 0x30;
const LINE_FEED = 0x0a;
/** Room for a number in decimal with blank and line feed, which have 24 characters at most. */
const MOST_OF_NUMBER = 32;

export function runOf(text: string): Run {
  const bytes = Buffer.from(text);
  const doubles = new Float64Array(Math.ceil(bytes.length / 8));
  new Uint8Array(doubles.buffer).set(bytes);
  return [bytes.length, ...doubles];
}

/** `key="value",…` as the text formats want it; made once and kept by the labels. */
export function labelRun(labels: Labels): Run {
  return (labels.text ??= runOf(labels.keys.map((key, i) => `${key}="${escapeLabel(labels.values[i])}"`).join(',')));
}

/** A buffer that grows while it is filled. Inside: reserve first, then write; what writes does not look. */
export class TextBytes {
  #bytes: Buffer = Buffer.alloc(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** Bytes written. */
  get length(): number {
    return this.#at;
  }

  /**
   * Begins a buffer; the previous one stays with whoever has it.
   * @param spare used instead of a new buffer, unless it is too small, or far too large
   */
  begin(capacity: number, spare?: Buffer): void {
    const fits = spare !== undefined && spare.length >= capacity - (capacity >>> 5) && spare.length <= 4 * capacity;
    this.#use(fits ? spare : Buffer.allocUnsafeSlow(capacity));
    this.#at = 0;
  }

  /** What was written since `begin`. */
  take(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(count: number): void {
    const needed = this.#at + count + SLACK;
    if (needed <= this.#bytes.length) return;
    const former = this.#bytes;
    this.#use(Buffer.allocUnsafeSlow(Math.max(needed, former.length * 2, SMALL)));
    former.copy(this.#bytes, 0, 0, this.#at);
  }

  #use(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  /** Appends a part of another buffer; reserves what it needs. */
  copy(from: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    this.#at += from.copy(this.#bytes, this.#at, start, end);
  }

  #run(run: Run): void {
    const view = this.#view;
    let at = this.#at;
    for (let i = 1; i < run.length; i++, at += 8) view.setFloat64(at, run[i], LITTLE_ENDIAN);
    this.#at += run[0];
  }

  /** At most 24 characters, all of them ASCII. */
  #ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[this.#at++] = text.charCodeAt(i);
  }

  /** A number as `formatNumber` writes it. */
  #number(value: number): void {
    // Counts, nearly always.
    if (value >= 0 && value < 1_000_000_000 && value === (value | 0)) this.#count(value);
    else this.#ascii(formatNumber(value));
  }

  #count(value: number): void {
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    const bytes = this.#bytes;
    let rest = value | 0;
    for (let at = this.#at + digits - 1; at >= this.#at; at--) {
      const tens = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tens * 10;
      rest = tens;
    }
    this.#at += digits;
  }

  /** A whole line; reserves what it needs. */
  line(start: Run, labels: Run, end: Run, value: number): void {
    this.#reserve(start[0] + labels[0] + end[0] + MOST_OF_NUMBER);
    this.#run(start);
    this.#run(labels);
    this.#run(end);
    this.#number(value);
    this.#bytes[this.#at++] = LINE_FEED;
  }
}

export function formatNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`)) : value;
}
