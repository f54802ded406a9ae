/**
 * Samples of a few whole numbers in a ring of fixed size: one slot for each step of time, the newest takes the place of the
 * oldest. All in one array of bytes, so that a year of samples costs what the first minute did.
 */
import { PackedRows } from './packed-rows.ts';

/** In a record a sample has two bytes: this where nothing was sampled, and at most one less than this. */
const NO_SAMPLE = 0xffff;

/** How a slot combines the samples that fall into it. */
export type Combine = 'last' | 'least' | 'sum';

export interface Column {
  readonly combine: Combine;
  /** How large its numbers may be, and how exact large ones are: see `PackedRows`. */
  readonly bits: number;
}

/** One resolution of a ring. */
export interface Tier {
  readonly stepMs: number;
  readonly slots: number;
}

/** Samples of one tier, oldest first; `columns[c][i]` is of the slot that begins at `fromMs + i * stepMs`. */
export interface Samples {
  readonly fromMs: number;
  readonly stepMs: number;
  readonly columns: readonly (readonly (number | undefined)[])[];
}

export class SampleRing {
  readonly tier: Tier;
  readonly #columns: readonly Column[];
  readonly #samples: PackedRows;
  /** Number of the newest slot: Unix ms by `stepMs`; -1 before the first sample. */
  #newest = -1;
  /** The samples of the newest slot before they are packed: a sum of large numbers must not be rounded at each of its steps. */
  readonly #newestSamples: (number | undefined)[];

  constructor(tier: Tier, columns: readonly Column[]) {
    this.tier = tier;
    this.#columns = columns;
    this.#samples = new PackedRows(
      tier.slots,
      columns.map(({ bits }) => bits),
    );
    this.#newestSamples = columns.map(() => undefined);
  }

  get bytes(): number {
    return this.#samples.byteLength;
  }

  /** Adds a sample of each column; undefined: none. A time before the newest slot counts for the newest. */
  put(atMs: number, sample: readonly (number | undefined)[]): void {
    this.#advance(Math.floor(atMs / this.tier.stepMs));
    const place = this.#newest % this.tier.slots;
    for (let column = 0; column < sample.length; column++) {
      const value = sample[column];
      if (value === undefined) continue;
      const held = this.#newestSamples[column];
      const whole = Math.round(value);
      const together = held === undefined ? whole : combined(this.#columns[column].combine, held, whole);
      this.#newestSamples[column] = together;
      this.#samples.set(place, column, together);
    }
  }

  /** Forgets all samples of a column. */
  clear(column: number): void {
    this.#newestSamples[column] = undefined;
    for (let place = 0; place < this.tier.slots; place++) this.#samples.set(place, column, undefined);
  }

  /** The sample of a column in the slot that a time falls into; undefined where there is none. */
  at(column: number, ms: number): number | undefined {
    return this.#sampleOf(Math.floor(ms / this.tier.stepMs), column);
  }

  /** When the oldest slot begins that has a sample of a column, Unix ms; undefined: none has. */
  oldestMs(column: number): number | undefined {
    const { slots, stepMs } = this.tier;
    for (let slot = Math.max(0, this.#newest - slots + 1); slot <= this.#newest; slot++)
      if (this.#sampleOf(slot, column) !== undefined) return slot * stepMs;
    return undefined;
  }

  /** All slots that end with the one of `untilMs`: those after the newest sample are empty. */
  read(untilMs: number): Samples {
    const { slots, stepMs } = this.tier;
    const last = Math.floor(untilMs / stepMs);
    const first = last - slots + 1;
    const columns = this.#columns.map((_, column) => {
      const values: (number | undefined)[] = [];
      for (let slot = first; slot <= last; slot++) values.push(this.#sampleOf(slot, column));
      return values;
    });
    return { fromMs: first * stepMs, stepMs, columns };
  }

  /**
   * The samples as numbers of two bytes, little endian, column by column, oldest slot first, and the newest slot.
   * @param aheadMs how far the clock of the record is ahead of that of the samples
   */
  toRecord(aheadMs = 0): { newest: number; values: string } {
    const { slots } = this.tier;
    const bytes = Buffer.alloc(this.#recordBytes);
    for (let column = 0; column < this.#columns.length; column++)
      for (let i = 0; i < slots; i++) {
        const sample = this.#samples.get(this.#placeOf(i), column);
        const written = sample === undefined ? NO_SAMPLE : Math.min(sample, NO_SAMPLE - 1);
        bytes.writeUInt16LE(written, 2 * (column * slots + i));
      }
    const newest = this.#newest === -1 ? -1 : this.#newest + Math.round(aheadMs / this.tier.stepMs);
    return { newest, values: bytes.toString('base64') };
  }

  /**
   * Takes over what `toRecord` gave; false when it is of another shape, and nothing is taken then.
   * @param untilMs a record whose newest slot is later is refused, but for one slot: clocks differ a little
   */
  restore({ newest, values }: { newest: number; values: string }, untilMs: number): boolean {
    const { slots, stepMs } = this.tier;
    const bytes = Buffer.from(values, 'base64');
    if (bytes.length !== this.#recordBytes || newest < -1 || newest > Math.floor(untilMs / stepMs) + 1) return false;
    this.#newest = newest;
    for (let column = 0; column < this.#columns.length; column++) {
      for (let i = 0; i < slots; i++) {
        const sample = bytes.readUInt16LE(2 * (column * slots + i));
        this.#samples.set(this.#placeOf(i), column, sample === NO_SAMPLE ? undefined : sample);
      }
      this.#newestSamples[column] = this.#sampleOf(newest, column);
    }
    return true;
  }

  get #recordBytes(): number {
    return 2 * this.tier.slots * this.#columns.length;
  }

  /** Where the i-th oldest slot stands. */
  #placeOf(i: number): number {
    return this.#newest === -1 ? i : (this.#newest + 1 + i) % this.tier.slots;
  }

  #sampleOf(slot: number, column: number): number | undefined {
    const { slots } = this.tier;
    if (slot > this.#newest || slot <= this.#newest - slots || slot < 0) return undefined;
    return this.#samples.get(slot % slots, column);
  }

  /** Makes this the newest slot; those in between are empty. */
  #advance(slot: number): void {
    if (slot <= this.#newest) return;
    const { slots } = this.tier;
    const first = Math.max(this.#newest + 1, slot - slots + 1);
    for (let each = first; each <= slot; each++)
      for (let column = 0; column < this.#columns.length; column++) this.#samples.set(each % slots, column, undefined);
    this.#newestSamples.fill(undefined);
    this.#newest = slot;
  }
}

function combined(combine: Combine, held: number, value: number): number {
  switch (combine) {
    case 'last':
      return value;
    case 'least':
      return Math.min(held, value);
    case 'sum':
      return held + value;
  }
}
