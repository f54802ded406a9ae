/**
 * Which VRPs can matter. Only a VRP that covers a monitored prefix, or lies inside one, can change a verdict: two prefixes
 * overlap exactly when one contains the other.
 */
import type { Afi, Prefix } from '../bgp/prefix.ts';

/** Words of an address by family. */
export const ADDRESS_WORDS: Readonly<Record<Afi, number>> = { ipv4: 1, ipv6: 4 };

export class RpkiScope {
  /** Canonical texts of the monitored prefixes. */
  readonly prefixes: ReadonlySet<string>;
  readonly #ranges: Readonly<Record<Afi, Ranges>>;

  constructor(monitored: readonly Prefix[]) {
    this.prefixes = new Set(monitored.map(({ text }) => text));
    this.#ranges = { ipv4: new Ranges('ipv4', monitored), ipv6: new Ranges('ipv6', monitored) };
  }

  /**
   * Whether a VRP for this prefix can matter.
   * @param words the address as unsigned words, host bits cleared: one for IPv4, four for IPv6
   */
  concerns(afi: Afi, words: ArrayLike<number>, length: number): boolean {
    return this.#ranges[afi].overlap(words, length);
  }
}

/** The outermost prefixes of one family: disjoint, ascending. */
class Ranges {
  readonly #width: number;
  readonly #count: number;
  readonly #starts: Uint32Array;
  readonly #lengths: Uint8Array;

  constructor(afi: Afi, prefixes: readonly Prefix[]) {
    this.#width = ADDRESS_WORDS[afi];
    const ascending = prefixes
      .filter((prefix) => prefix.afi === afi)
      .sort((a, b) => compareWords(a.words, 0, b.words, this.#width) || a.length - b.length);
    const outermost: Prefix[] = [];
    for (const prefix of ascending) {
      const last = outermost.at(-1);
      if (last === undefined || !sharesBits(last.words, 0, prefix.words, last.length)) outermost.push(prefix);
    }
    this.#count = outermost.length;
    this.#starts = Uint32Array.from(outermost.flatMap(({ words }) => words));
    this.#lengths = Uint8Array.from(outermost, ({ length }) => length);
  }

  overlap(words: ArrayLike<number>, length: number): boolean {
    const width = this.#width;
    let from = 0;
    let to = this.#count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (compareWords(this.#starts, middle * width, words, width) <= 0) from = middle + 1;
      else to = middle;
    }
    // Only the last range that begins at or before the prefix can contain it, and only the next one can begin inside it.
    const isInside = from > 0 && sharesBits(this.#starts, (from - 1) * width, words, this.#lengths[from - 1]);
    return (
      (isInside && this.#lengths[from - 1] <= length) ||
      (from > 0 && sharesBits(this.#starts, (from - 1) * width, words, length)) ||
      (from < this.#count && sharesBits(this.#starts, from * width, words, length))
    );
  }
}

/** Below 0, 0 or above it, as `a` (from `at` on) is below, equal to or above `b`. */
function compareWords(a: ArrayLike<number>, at: number, b: ArrayLike<number>, width: number): number {
  for (let i = 0; i < width; i++) if (a[at + i] !== b[i]) return a[at + i] - b[i];
  return 0;
}

/** Whether the first `bits` bits of `a` (from `at` on) and `b` are the same. */
export function sharesBits(a: ArrayLike<number>, at: number, b: ArrayLike<number>, bits: number): boolean {
  let word = 0;
  for (; bits >= 32 * (word + 1); word++) if (a[at + word] !== b[word]) return false;
  const rest = bits - 32 * word;
  return rest === 0 || (a[at + word] ^ b[word]) >>> (32 - rest) === 0;
}
