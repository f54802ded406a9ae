/**
 * Whose word counts. Sources overlap: a vantage point may be heard through several of them. About a VP and a prefix the word
 * of one source counts, its owner: the first source, by the order of the configuration, that carries the prefix, is active for
 * it, and delivers the VP. What another says is dropped, so that nothing counts twice and no cell flaps between two tellers.
 *
 * Sources are bits, the first one the lowest. With one source there is nothing to decide, and nothing is kept.
 */

/** A source, and how many sessions it has. Sessions are numbered over all sources, in their order. */
export interface TableSource {
  readonly name: string;
  readonly sessions: number;
}

/** Sources at once: a bit each in one byte by VP. */
export const MAX_SOURCES = 8;

const ONE_SOURCE: readonly TableSource[] = [{ name: 'bgproutes', sessions: Number.POSITIVE_INFINITY }];

export class Ownership {
  /** Their names, in the order of precedence. */
  readonly sources: readonly string[];
  /** Whether there is more than one source. */
  readonly isShared: boolean;
  /** By VP: the bits of the sources that deliver it. Kept only when shared. */
  readonly delivers: Uint8Array;
  /** By source and VP: receipt of the last message, Unix ms. Kept only when shared. */
  readonly heardMs: readonly Float64Array[];
  readonly #sourceOfSession: number[];

  /** @throws RangeError when there are no sources, or more than MAX_SOURCES */
  constructor(maxVps: number, sources: readonly TableSource[] = ONE_SOURCE) {
    if (sources.length === 0 || sources.length > MAX_SOURCES)
      throw new RangeError(`expected 1 to ${MAX_SOURCES} sources, got ${sources.length}`);
    this.sources = sources.map(({ name }) => name);
    this.isShared = sources.length > 1;
    this.delivers = new Uint8Array(this.isShared ? maxVps : 0);
    this.heardMs = this.isShared ? sources.map(() => new Float64Array(maxVps)) : [];
    this.#sourceOfSession = this.isShared
      ? sources.flatMap(({ sessions }, source) => new Array<number>(sessions).fill(source))
      : [];
  }

  /** The place of the session's source. */
  sourceOf(session: number): number {
    return this.isShared ? (this.#sourceOfSession[session] ?? 0) : 0;
  }

  /** Whether the word of a source counts about a VP and a prefix for which these sources are active. */
  counts(active: number, vp: number, source: number): boolean {
    if ((active & ~(1 << source)) === 0) return true; // nobody else could own it
    const owners = active & this.delivers[vp];
    return owners === 0 || lowestBit(owners) === 1 << source;
  }

  /**
   * The source that is shown to own a VP for a prefix, or -1 when no active source delivers it. While no source is active the
   * table stands still, and the one that was first still counts as the owner.
   */
  shownOwner(active: number, vp: number): number {
    const owners = (active === 0 ? 0xff : active) & this.delivers[vp];
    return owners === 0 ? -1 : 31 - Math.clz32(lowestBit(owners));
  }

  /** Forgets all about a VP: its number will stand for another. */
  forget(vp: number): void {
    if (!this.isShared) return;
    this.delivers[vp] = 0;
    for (const heardMs of this.heardMs) heardMs[vp] = 0;
  }
}

function lowestBit(bits: number): number {
  return bits & -bits;
}
