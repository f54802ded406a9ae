/**
 * VPs by the bytes with which the stream spells them. Every message looks one up, and of thousands of VPs each look-up waits
 * for memory: so length, router and text of a VP are side by side in one line of the cache, BGP and BMP VPs share one index,
 * and `prefetch` reads what several look-ups will need, so that they wait together.
 */
import { LINE_WORDS, linesOf } from './cache-lines.ts';
import { FREE, HashSlots } from './hash-slots.ts';
import { writeWords } from './text-index.ts';

/** In place of a router: the VP is heard over BGP. */
export const NO_ROUTER = -1;

const NOT_FOUND = -1;
/** In a line: length in bytes, the router's number plus 1, then the text. */
const LENGTH = 0;
const ROUTER = 1;
const TEXT = 2;
/** `ASN_IP` has 50 bytes at most. */
const MOST_BYTES = 4 * (LINE_WORDS - TEXT);
const FIRST_LINES = 256;
const FIRST_SLOTS = 512;
/** Most hashes of `prefetch`. */
const MOST_PREFETCHED = 64;

export class VpIndex {
  /** By hash the number of a VP plus 1, which is the number of its line. */
  readonly #slots = new HashSlots(FIRST_SLOTS);
  #lines = linesOf(FIRST_LINES);
  readonly #prefetched = new Int32Array(MOST_PREFETCHED);
  /** Takes the values that are read only to fetch them: a compiler would leave out a read whose value nobody uses. */
  readonly #sink = new Int32Array(1);

  /** The VP of a router (or NO_ROUTER) that is spelt so, or -1; text and hash as `findWords` of TextIndex takes them. */
  find(router: number, texts: Int32Array, from: number, length: number, hash: number): number {
    const { words: slots, mask } = this.#slots;
    const lines = this.#lines;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const number = slots[2 * at + 1];
      if (number === FREE) return NOT_FOUND;
      const line = number * LINE_WORDS;
      if (slots[2 * at] !== hash || lines[line + LENGTH] !== length || lines[line + ROUTER] !== router + 1) continue;
      const count = (length + 3) >> 2;
      let i = 0;
      while (i < count && lines[line + TEXT + i] === texts[from + i]) i++;
      if (i === count) return number - 1;
    }
  }

  /** Begins to fetch from memory what `find` will read for these hashes, at most MOST_PREFETCHED. */
  prefetch(hashes: Int32Array, count: number): void {
    const { words: slots, mask } = this.#slots;
    const numbers = this.#prefetched;
    for (let i = 0; i < count; i++) numbers[i] = slots[2 * (hashes[i] & mask) + 1];
    const lines = this.#lines;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += lines[numbers[i] * LINE_WORDS];
    this.#sink[0] = sum;
  }

  /** Adds a VP that is not there. A text that is longer than any VP's is left out, and `find` never finds it. */
  add(vp: number, router: number, text: string, hash: number): void {
    if (text.length > MOST_BYTES) return;
    const line = (vp + 1) * LINE_WORDS;
    if (line + LINE_WORDS > this.#lines.length) this.#grow(vp + 2);
    const lines = this.#lines;
    if (!writeWords(text, lines.subarray(line + TEXT, line + LINE_WORDS))) return;
    lines[line + LENGTH] = text.length;
    lines[line + ROUTER] = router + 1;
    this.#slots.add(hash, vp + 1);
  }

  /** Takes out a VP with the hash with which it was added. */
  delete(vp: number, hash: number): void {
    const line = (vp + 1) * LINE_WORDS;
    if (line >= this.#lines.length || this.#lines[line + LENGTH] === 0) return;
    this.#lines[line + LENGTH] = 0;
    this.#slots.delete(hash, vp + 1);
  }

  #grow(count: number): void {
    const lines = linesOf(Math.max(count, (2 * this.#lines.length) / LINE_WORDS));
    lines.set(this.#lines);
    this.#lines = lines;
  }
}
