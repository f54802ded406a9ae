/**
 * Decides which source counts. Sources overlap: a vantage point may be heard through several of them. A source is current for a prefix
 * while it is connected and everything before has been read from its history. About a VP and a prefix the word of one source
 * counts, its owner: the first source, by the order of the configuration, that carries the prefix, is current for it, and
 * delivers the VP. What another says is dropped, so that nothing counts twice and no cell flaps between two sources.
 *
 * Where no current source delivers the VP, every message counts, and the newest one stays. Such a VP is shown under the first
 * source that delivers it and whose routes are kept.
 *
 * Sources are bits, the first one the lowest. With one source there is nothing to decide, and nothing is kept.
 */

/** The sources of one prefix, as bits. */
export interface SourceStates {
  /** Connected, and read up to where the stream goes on. */
  readonly current: number;
  /** Those whose routes stay although they may be old: the source is current, is being read, or was lost a moment ago. */
  readonly kept: number;
}

/** A source, and how many sessions it has. Sessions are numbered over all sources, in their order. */
export interface TableSource {
  readonly name: string;
  readonly sessions: number;
}

/** Sources at once: a bit each in one byte by VP. */
export const MAX_SOURCES = 8;

const ONE_SOURCE: readonly TableSource[] = [{ name: 'bgproutes', sessions: Number.POSITIVE_INFINITY }];

export class Ownership {
  // The fields change together, and only when the sources do: see source-change.ts.
  /** Their names, in the order of precedence. */
  sources: readonly string[] = [];
  /** Whether there is more than one source. */
  isShared = false;
  /** By VP: the bits of the sources that deliver it. Kept only when shared. */
  delivers = new Uint8Array(0);
  /** By source and VP: receipt of the last message, Unix ms. Kept only when shared. */
  heardMs: readonly Float64Array[] = [];
  readonly #maxVps: number;
  #sourceOfSession: readonly number[] = [];

  /** @throws RangeError when there are no sources, or more than MAX_SOURCES */
  constructor(maxVps: number, sources: readonly TableSource[] = ONE_SOURCE) {
    this.#maxVps = maxVps;
    this.name(sources.map(({ name }) => name));
    this.number(sources);
  }

  /**
   * Takes these sources, of which nothing is known yet: nobody delivers a VP.
   * @throws RangeError when there are no sources, or more than MAX_SOURCES
   */
  name(sources: readonly string[]): void {
    if (sources.length === 0 || sources.length > MAX_SOURCES)
      throw new RangeError(`expected 1 to ${MAX_SOURCES} sources, got ${sources.length}`);
    this.sources = sources;
    this.isShared = sources.length > 1;
    this.delivers = new Uint8Array(this.isShared ? this.#maxVps : 0);
    this.heardMs = this.isShared ? sources.map(() => new Float64Array(this.#maxVps)) : [];
  }

  /** Takes the numbers of the sessions from these sources, which are those that are named already. */
  number(sources: readonly TableSource[]): void {
    this.#sourceOfSession = this.isShared
      ? sources.flatMap(({ sessions }, source) => new Array<number>(sessions).fill(source))
      : [];
  }

  /** The place of the session's source. */
  sourceOf(session: number): number {
    return this.isShared ? (this.#sourceOfSession[session] ?? 0) : 0;
  }

  /**
   * Whether what a stream says, or what a comparison finds missing, counts about a VP and a prefix.
   * @param current bits of the sources that are current for the prefix
   */
  counts(current: number, vp: number, source: number): boolean {
    if ((current & ~(1 << source)) === 0) return true; // nobody else could own it
    const owners = current & this.delivers[vp];
    return owners === 0 || lowestBit(owners) === 1 << source;
  }

  /**
   * Whether a row of a history counts. A row of a source that is still being read counts too, because that source will
   * own the VPs that no source before it delivers: the newer rows of its history would be lost otherwise.
   */
  countsAsHistory(current: number, vp: number, source: number): boolean {
    const before = current & ((1 << source) - 1);
    return before === 0 || (before & this.delivers[vp]) === 0;
  }

  /** The source that is shown to own a VP, or -1 when no source that is current or kept delivers it. */
  shownOwner({ current, kept }: SourceStates, vp: number): number {
    const delivers = this.delivers[vp];
    const owners = (current & delivers) !== 0 ? current & delivers : kept & delivers;
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
