/**
 * Samples of a few whole numbers in a ring of fixed size: one slot for each step of time, the newest takes the place of the
 * oldest. All in one typed array, so that a year of samples costs what the first minute did.
 */

/** What stands where nothing was sampled. */
export const NO_SAMPLE = 0xffff;
/** The largest number that a sample can be; larger ones become it. */
export const MAX_SAMPLE = 0xfffe;

/** How a slot combines the samples that fall into it. */
export type Combine = 'last' | 'least' | 'sum';

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
  readonly #combine: readonly Combine[];
  /** Column by column. */
  readonly #values: Uint16Array;
  /** Number of the newest slot: Unix ms by `stepMs`; -1 before the first sample. */
  #newest = -1;

  /** @param combine of each column */
  constructor(tier: Tier, combine: readonly Combine[]) {
    this.tier = tier;
    this.#combine = combine;
    this.#values = new Uint16Array(tier.slots * combine.length).fill(NO_SAMPLE);
  }

  get bytes(): number {
    return this.#values.byteLength;
  }

  /** Adds a sample of each column; undefined: none. A time before the newest slot counts for the newest. */
  put(atMs: number, sample: readonly (number | undefined)[]): void {
    const { slots } = this.tier;
    this.#advance(Math.floor(atMs / this.tier.stepMs));
    const place = this.#newest % slots;
    for (let column = 0; column < sample.length; column++) {
      const value = sample[column];
      if (value === undefined) continue;
      const at = column * slots + place;
      this.#values[at] = combined(this.#combine[column], this.#values[at], Math.min(Math.round(value), MAX_SAMPLE));
    }
  }

  /** Forgets all samples of a column. */
  clear(column: number): void {
    this.#values.fill(NO_SAMPLE, column * this.tier.slots, (column + 1) * this.tier.slots);
  }

  /** The sample of a column in the slot that a time falls into; undefined where there is none. */
  at(column: number, ms: number): number | undefined {
    const { slots, stepMs } = this.tier;
    const slot = Math.floor(ms / stepMs);
    if (slot > this.#newest || slot <= this.#newest - slots || slot < 0) return undefined;
    const value = this.#values[column * slots + (slot % slots)];
    return value === NO_SAMPLE ? undefined : value;
  }

  /** When the oldest slot begins that has a sample of a column, Unix ms; undefined: none has. */
  oldestMs(column: number): number | undefined {
    const { slots, stepMs } = this.tier;
    for (let slot = Math.max(0, this.#newest - slots + 1); slot <= this.#newest; slot++)
      if (this.#values[column * slots + (slot % slots)] !== NO_SAMPLE) return slot * stepMs;
    return undefined;
  }

  /** All slots that end with the one of `untilMs`: those after the newest sample are empty. */
  read(untilMs: number): Samples {
    const { slots, stepMs } = this.tier;
    const last = Math.floor(untilMs / stepMs);
    const first = last - slots + 1;
    const columns = this.#combine.map((_, column) => {
      const values: (number | undefined)[] = [];
      for (let slot = first; slot <= last; slot++) {
        const isKept = slot <= this.#newest && slot > this.#newest - slots && slot >= 0;
        const value = isKept ? this.#values[column * slots + (slot % slots)] : NO_SAMPLE;
        values.push(value === NO_SAMPLE ? undefined : value);
      }
      return values;
    });
    return { fromMs: first * stepMs, stepMs, columns };
  }

  /**
   * The samples as bytes, little endian, column by column, oldest slot first, and the newest slot.
   * @param aheadMs how far the clock of the record is ahead of that of the samples
   */
  toRecord(aheadMs = 0): { newest: number; values: string } {
    const { slots } = this.tier;
    const bytes = Buffer.alloc(this.#values.byteLength);
    for (let column = 0; column < this.#combine.length; column++)
      for (let i = 0; i < slots; i++) {
        const place = this.#newest === -1 ? i : (this.#newest + 1 + i) % slots;
        bytes.writeUInt16LE(this.#values[column * slots + place], 2 * (column * slots + i));
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
    const last = newest;
    if (bytes.length !== this.#values.byteLength || last < -1 || last > Math.floor(untilMs / stepMs) + 1) return false;
    this.#newest = last;
    for (let column = 0; column < this.#combine.length; column++)
      for (let i = 0; i < slots; i++) {
        const place = last === -1 ? i : (last + 1 + i) % slots;
        this.#values[column * slots + place] = bytes.readUInt16LE(2 * (column * slots + i));
      }
    return true;
  }

  /** Makes this the newest slot; those in between are empty. */
  #advance(slot: number): void {
    if (slot <= this.#newest) return;
    const { slots } = this.tier;
    const first = Math.max(this.#newest + 1, slot - slots + 1);
    for (let each = first; each <= slot; each++)
      for (let column = 0; column < this.#combine.length; column++)
        this.#values[column * slots + (each % slots)] = NO_SAMPLE;
    this.#newest = slot;
  }
}

function combined(combine: Combine, held: number, value: number): number {
  if (held === NO_SAMPLE) return value;
  switch (combine) {
    case 'last':
      return value;
    case 'least':
      return Math.min(held, value);
    case 'sum':
      return Math.min(held + value, MAX_SAMPLE);
  }
}
