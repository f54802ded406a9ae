/**
 * An index from text to a small integer that can be asked with bytes, so that a decoder finds what it knows already
 * without making a string. Open addressing with linear probing; deletion shifts back, so there are no tombstones.
 */

import { HASH_BASIS, HASH_PRIME } from '../bgp/route-ids.ts';

const EMPTY = -1;
const MIN_CAPACITY = 16;
/** FNV-1a over the codes of a text, which for ASCII are its bytes. A signed 32-bit integer. */
export function hashText(text: string): number {
  let hash = HASH_BASIS;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), HASH_PRIME);
  return hash;
}

export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = HASH_BASIS;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], HASH_PRIME);
  return hash;
}

export class TextIndex {
  #texts: string[];
  #hashes: Int32Array;
  #values: Int32Array;
  #mask: number;
  #size = 0;

  constructor() {
    this.#texts = new Array<string>(MIN_CAPACITY).fill('');
    this.#hashes = new Int32Array(MIN_CAPACITY);
    this.#values = new Int32Array(MIN_CAPACITY).fill(EMPTY);
    this.#mask = MIN_CAPACITY - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** The value of the text that these bytes spell in Latin-1, or -1. `hash` must be theirs. */
  findBytes(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const length = end - start;
    for (let at = spread(hash) & this.#mask; this.#values[at] !== EMPTY; at = (at + 1) & this.#mask) {
      if (this.#hashes[at] !== hash) continue;
      const text = this.#texts[at];
      if (text.length !== length) continue;
      let i = 0;
      while (i < length && text.charCodeAt(i) === bytes[start + i]) i++;
      if (i === length) return this.#values[at];
    }
    return EMPTY;
  }

  find(text: string): number {
    const at = this.#place(text, hashText(text));
    return this.#values[at];
  }

  /** Adds or replaces. `value` is 0 or more. */
  set(text: string, value: number): void {
    if (this.#size * 2 >= this.#mask) this.#grow();
    const hash = hashText(text);
    const at = this.#place(text, hash);
    if (this.#values[at] === EMPTY) {
      this.#size++;
      this.#texts[at] = text;
      this.#hashes[at] = hash;
    }
    this.#values[at] = value;
  }

  delete(text: string): boolean {
    let hole = this.#place(text, hashText(text));
    if (this.#values[hole] === EMPTY) return false;
    this.#size--;
    for (let at = (hole + 1) & this.#mask; this.#values[at] !== EMPTY; at = (at + 1) & this.#mask) {
      const home = spread(this.#hashes[at]) & this.#mask;
      // An entry may move into the hole only when its home is not between the hole and itself.
      if (((at - home) & this.#mask) < ((at - hole) & this.#mask)) continue;
      this.#texts[hole] = this.#texts[at];
      this.#hashes[hole] = this.#hashes[at];
      this.#values[hole] = this.#values[at];
      hole = at;
    }
    this.#values[hole] = EMPTY;
    this.#texts[hole] = '';
    return true;
  }

  clear(): void {
    this.#values.fill(EMPTY);
    this.#texts.fill('');
    this.#size = 0;
  }

  /** Where the text is, or the free place where it would go. */
  #place(text: string, hash: number): number {
    let at = spread(hash) & this.#mask;
    while (this.#values[at] !== EMPTY && (this.#hashes[at] !== hash || this.#texts[at] !== text))
      at = (at + 1) & this.#mask;
    return at;
  }

  #grow(): void {
    const texts = this.#texts;
    const hashes = this.#hashes;
    const values = this.#values;
    const capacity = (this.#mask + 1) * 2;
    this.#mask = capacity - 1;
    this.#texts = new Array<string>(capacity).fill('');
    this.#hashes = new Int32Array(capacity);
    this.#values = new Int32Array(capacity).fill(EMPTY);
    for (let i = 0; i < values.length; i++) {
      if (values[i] === EMPTY) continue;
      let at = spread(hashes[i]) & this.#mask;
      while (this.#values[at] !== EMPTY) at = (at + 1) & this.#mask;
      this.#texts[at] = texts[i];
      this.#hashes[at] = hashes[i];
      this.#values[at] = values[i];
    }
  }
}

/** FNV's low bits are its weakest: mix the high ones in before masking. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}
