/**
 * Rows of whole numbers from 0 on, in as few bits as each column needs. Small numbers are kept exactly and large ones as floating
 * point numbers are: with fewer digits. A column of `w` bits has 3 bits of exponent; its numbers below 2^(w-2) are exact, larger
 * ones are off by at most 1 in 2^(w-2).
 */

/** Most bits of a column: wherever its bits begin, they lie in three bytes. */
const MAX_BITS = 17;
const EXPONENT_BITS = 3;

export class PackedRows {
  readonly rows: number;
  readonly #bits: readonly number[];
  /** Where each column begins in a row, in bits. */
  readonly #starts: readonly number[];
  readonly #rowBits: number;
  readonly #bytes: Uint8Array;

  /**
   * Every number is undefined at first.
   * @param bits of each column, 4 to 17
   * @throws RangeError for other widths
   */
  constructor(rows: number, bits: readonly number[]) {
    if (bits.some((width) => width <= EXPONENT_BITS || width > MAX_BITS))
      throw new RangeError(`a column has more than ${EXPONENT_BITS} bits and at most ${MAX_BITS}, not ${bits}`);
    this.rows = rows;
    this.#bits = bits;
    let rowBits = 0;
    this.#starts = bits.map((width) => {
      rowBits += width;
      return rowBits - width;
    });
    this.#rowBits = rowBits;
    // All ones is the code of no number.
    this.#bytes = new Uint8Array(Math.ceil((rows * rowBits) / 8)).fill(0xff);
  }

  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  get(row: number, column: number): number | undefined {
    const width = this.#bits[column];
    const bit = row * this.#rowBits + this.#starts[column];
    const code = (this.#threeBytes(bit >> 3) >> (bit & 7)) & ((1 << width) - 1);
    return code === (1 << width) - 1 ? undefined : decoded(code, width);
  }

  /** A number that is larger than the largest of its column becomes that one. */
  set(row: number, column: number, value: number | undefined): void {
    const width = this.#bits[column];
    const bit = row * this.#rowBits + this.#starts[column];
    const code = value === undefined ? (1 << width) - 1 : encoded(value, width);
    const first = bit >> 3;
    const shift = bit & 7;
    const word = (this.#threeBytes(first) & ~(((1 << width) - 1) << shift)) | (code << shift);
    // What lies behind the last byte is ignored by the array; nothing of a number lies there.
    for (let i = 0; i < 3; i++) this.#bytes[first + i] = word >> (8 * i);
  }

  #threeBytes(first: number): number {
    const bytes = this.#bytes;
    return bytes[first] | ((bytes[first + 1] ?? 0) << 8) | ((bytes[first + 2] ?? 0) << 16);
  }
}

/** The largest number that a column of so many bits can hold. */
export function largestOf(bits: number): number {
  return decoded((1 << bits) - 2, bits);
}

/** How far a number that a column of so many bits holds may be from the one that it was given. */
export function roundingOf(value: number, bits: number): number {
  const digits = bits - EXPONENT_BITS;
  return value < 2 << digits ? 0 : stepOf(value, digits) / 2;
}

function decoded(code: number, bits: number): number {
  const digits = bits - EXPONENT_BITS;
  const exponent = code >> digits;
  const rest = code & ((1 << digits) - 1);
  return exponent === 0 ? rest : ((1 << digits) + rest) * 2 ** (exponent - 1);
}

function encoded(value: number, bits: number): number {
  const digits = bits - EXPONENT_BITS;
  if (value < 2 << digits) return value;
  const step = stepOf(value, digits);
  // Rounding up to the next power of two carries into the exponent, and the code is still right.
  const code = (Math.log2(step) << digits) + Math.round(value / step);
  return Math.min(code, (1 << bits) - 2);
}

/** Large numbers are kept as multiples of this. */
function stepOf(value: number, digits: number): number {
  return 2 ** (Math.floor(Math.log2(value)) - digits);
}
