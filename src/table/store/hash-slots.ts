/**
 * Numbers by the hash of what they stand for: open addressing with linear probing. Whoever has them looks them up itself,
 * because only it can tell two of one hash apart:
 *
 *     for (let at = hash & mask; words[2 * at + 1] !== FREE; at = (at + 1) & mask)
 *       if (words[2 * at] === hash && …) return words[2 * at + 1];
 *
 * At most half of the slots are taken. Deletion shifts back, so there are no tombstones.
 */

/** The number of a slot that is free. */
export const FREE = 0;

export class HashSlots {
  /** Two words a slot: hash and number. */
  words: Int32Array;
  /** One less than there are slots. */
  mask: number;
  size = 0;

  /** @param count slots at first, a power of two */
  constructor(count: number) {
    this.words = new Int32Array(2 * count);
    this.mask = count - 1;
  }

  /** Adds a number, which is not FREE. */
  add(hash: number, number: number): void {
    if (this.size * 2 >= this.mask) this.#grow();
    put(this.words, this.mask, hash, number);
    this.size++;
  }

  /** Deletes a number that is there, with its hash. */
  delete(hash: number, number: number): void {
    const { words, mask } = this;
    let hole = hash & mask;
    while (words[2 * hole + 1] !== number) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; words[2 * at + 1] !== FREE; at = (at + 1) & mask) {
      const home = words[2 * at] & mask;
      // An entry may move into the hole only when its home is not between the hole and itself.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      words[2 * hole] = words[2 * at];
      words[2 * hole + 1] = words[2 * at + 1];
      hole = at;
    }
    words[2 * hole + 1] = FREE;
    this.size--;
  }

  clear(): void {
    this.words.fill(FREE);
    this.size = 0;
  }

  #grow(): void {
    const before = this.words;
    const words = new Int32Array(2 * before.length);
    const mask = before.length - 1; // twice as many slots, of two words each
    for (let at = 0; at < before.length; at += 2)
      if (before[at + 1] !== FREE) put(words, mask, before[at], before[at + 1]);
    this.words = words;
    this.mask = mask;
  }
}

function put(words: Int32Array, mask: number, hash: number, number: number): void {
  let at = hash & mask;
  while (words[2 * at + 1] !== FREE) at = (at + 1) & mask;
  words[2 * at] = hash;
  words[2 * at + 1] = number;
}
