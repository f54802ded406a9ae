/** A buffer that grows and is used again and again, and short runs of bytes that are copied into it very often. */

/**
 * A run of bytes as 32-bit words in the machine's order, the first of which is the number of bytes. A series' labels are
 * some 50 bytes: for so few, copying words in a loop takes a third of the time of `TypedArray.set`.
 */
export type Run = Uint32Array;

export function runOf(bytes: Uint8Array): Run {
  const run = new Uint32Array(1 + Math.ceil(bytes.length / 4));
  run[0] = bytes.length;
  new Uint8Array(run.buffer).set(bytes, 4);
  return run;
}

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** How many bytes beyond its end `copyRun` may write. */
export const RUN_SLACK = 3;

/** Copies a run to `at` and returns what comes after it. Up to `RUN_SLACK` bytes behind it are overwritten. */
export function copyRun(run: Run, view: DataView, at: number): number {
  for (let i = 1; i < run.length; i++) view.setUint32(at + 4 * i - 4, run[i], LITTLE_ENDIAN);
  return at + run[0];
}

export class ByteWriter {
  /** Replaced when it grows: read them again after `reserve`. */
  bytes: Buffer = Buffer.allocUnsafeSlow(65_536);
  view: DataView = new DataView(this.bytes.buffer);
  /** Where the next byte goes. */
  at = 0;

  begin(): void {
    this.at = 0;
  }

  /** A copy, so that the buffer can be used again while the result is being sent. */
  finish(): Uint8Array {
    return Buffer.from(this.bytes.subarray(0, this.at));
  }

  reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.at + count, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.at);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }

  /** UTF-8. */
  text(text: string): void {
    this.reserve(text.length * 3);
    this.at += this.bytes.write(text, this.at);
  }
}
