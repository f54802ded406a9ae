/**
 * An index from text to a small integer that can be asked with the text as words, four bytes each, so that a decoder finds
 * what it knows already without making a string. Open addressing with linear probing; deletion shifts back, so there are no tombstones.
 *
 * A look-up in a large index waits for memory more than it computes: a slot is eight bytes, and what it points to has
 * value, length and text side by side.
 */
import { HASH_BASIS, hashWord } from '../bgp/route-ids.ts';

const NOT_FOUND = -1;
const MIN_SLOTS = 16;
const MIN_WORDS = 64;
/** Before the text of a record: its value and its length. */
const HEAD_WORDS = 2;
/** `place` of a slot that is free: no record begins there. */
const FREE = 0;

/**
 * The hash of a text, a signed 32-bit integer. Its words, the last filled with zeros, go to two hashes in turn, which do not
 * wait for each other; both and the length make one. The codes of an ASCII text are its bytes.
 */
export function hashText(text: string): number {
  let even = HASH_BASIS;
  let odd = HASH_BASIS;
  for (let i = 0; i < text.length; i += 8) {
    even = hashWord(even, wordAt(text, i));
    odd = hashWord(odd, wordAt(text, i + 4));
  }
  return hashWord(hashWord(even, odd), text.length);
}

/** A text as words for `findWords`; `words` must have room. False when it is not Latin-1. */
export function writeWords(text: string, words: Int32Array): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  for (let i = 0; i < text.length; i += 4) words[i >> 2] = wordAt(text, i);
  return true;
}

/** A text in Latin-1 from its words, of `length` bytes. */
export function textOfWords(words: Int32Array, at: number, length: number): string {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = words[at + (i >> 2)] >>> (8 * (i & 3));
  return bytes.toString('latin1');
}

/** Up to four codes, the first lowest; what the text does not have is zero. */
function wordAt(text: string, at: number): number {
  let word = 0;
  const count = Math.min(4, text.length - at);
  for (let i = 0; i < count; i++) word |= text.charCodeAt(at + i) << (8 * i);
  return word;
}

export class TextIndex {
  /** Two words a slot: hash and place, the place of a record as an index into `#words`. */
  #slots = new Int32Array(2 * MIN_SLOTS);
  #mask = MIN_SLOTS - 1;
  #size = 0;
  /** Records one after the other: value, length, text in Latin-1 filled up to whole words. */
  #words = new Int32Array(MIN_WORDS);
  /** Where the next record goes. */
  #end = 1;
  /** Words of records that were deleted. */
  #wasted = 0;

  get size(): number {
    return this.#size;
  }

  /**
   * The value of a text in Latin-1, or -1. It begins at `from` of these words and has `length` bytes, the first of each word
   * lowest; what is left of its last word is zero. `hash` must be its hash.
   */
  findWords(texts: Int32Array, from: number, length: number, hash: number): number {
    const slots = this.#slots;
    const words = this.#words;
    const mask = this.#mask;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const place = slots[2 * at + 1];
      if (place === FREE) return NOT_FOUND;
      if (slots[2 * at] !== hash || words[place + 1] !== length) continue;
      const text = place + HEAD_WORDS;
      const count = textWords(length);
      let i = 0;
      while (i < count && words[text + i] === texts[from + i]) i++;
      if (i === count) return words[place];
    }
  }

  find(text: string): number {
    const place = this.#slots[2 * this.#slotOf(text, hashText(text)) + 1];
    return place === FREE ? NOT_FOUND : this.#words[place];
  }

  /**
   * Adds or replaces. `value` is 0 or more.
   * @throws RangeError when the text is not Latin-1: no bytes would spell it
   */
  set(text: string, value: number): void {
    const place = this.#placeOf(text, value);
    this.#words[place] = value;
  }

  /**
   * Adds unless the text is there. Gives its value, which is `value` when it was added.
   * @throws RangeError as `set` does
   */
  add(text: string, value: number): number {
    const place = this.#placeOf(text, value); // may replace the words
    return this.#words[place];
  }

  /** Adds a text as words that `findWords` does not find. */
  insertWords(texts: Int32Array, from: number, length: number, hash: number, value: number): void {
    this.#makeSlots();
    const slots = this.#slots;
    const mask = this.#mask;
    let at = hash & mask;
    while (slots[2 * at + 1] !== FREE) at = (at + 1) & mask;
    const place = this.#take(length, value);
    const words = this.#words;
    const text = place + HEAD_WORDS;
    for (let i = textWords(length) - 1; i >= 0; i--) words[text + i] = texts[from + i];
    this.#fill(at, hash, place);
  }

  /** The text that has this value and this hash; undefined when there is none. */
  textOf(value: number, hash: number): string | undefined {
    const place = this.#slots[2 * this.#slotOfValue(value, hash) + 1];
    if (place === FREE) return undefined;
    return textOfWords(this.#words, place + HEAD_WORDS, this.#words[place + 1]);
  }

  /** The record of the text, made with this value when there is none. */
  #placeOf(text: string, value: number): number {
    this.#makeSlots();
    const hash = hashText(text);
    const slot = this.#slotOf(text, hash);
    const known = this.#slots[2 * slot + 1];
    if (known !== FREE) return known;
    const place = this.#append(text, value);
    this.#fill(slot, hash, place);
    return place;
  }

  #makeSlots(): void {
    if (this.#size * 2 >= this.#mask) this.#rehash(2 * (this.#mask + 1));
  }

  #fill(slot: number, hash: number, place: number): void {
    this.#slots[2 * slot] = hash;
    this.#slots[2 * slot + 1] = place;
    this.#size++;
  }

  delete(text: string): boolean {
    return this.#empty(this.#slotOf(text, hashText(text)));
  }

  /** Deletes the text that has this value and this hash. */
  deleteValue(value: number, hash: number): boolean {
    return this.#empty(this.#slotOfValue(value, hash));
  }

  /** Whether there was a record in the slot. */
  #empty(slot: number): boolean {
    const slots = this.#slots;
    const mask = this.#mask;
    let hole = slot;
    const place = slots[2 * hole + 1];
    if (place === FREE) return false;
    this.#size--;
    this.#wasted += HEAD_WORDS + textWords(this.#words[place + 1]);
    for (let at = (hole + 1) & mask; slots[2 * at + 1] !== FREE; at = (at + 1) & mask) {
      const home = slots[2 * at] & mask;
      // An entry may move into the hole only when its home is not between the hole and itself.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[2 * hole] = slots[2 * at];
      slots[2 * hole + 1] = slots[2 * at + 1];
      hole = at;
    }
    slots[2 * hole + 1] = FREE;
    return true;
  }

  clear(): void {
    this.#slots.fill(FREE);
    this.#size = 0;
    this.#end = 1;
    this.#wasted = 0;
  }

  /** Where the text is, or the free slot where it would go. */
  #slotOf(text: string, hash: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const place = slots[2 * at + 1];
      if (place === FREE || (slots[2 * at] === hash && this.#isText(place, text))) return at;
    }
  }

  /** Where the text with this value is, or a free slot. */
  #slotOfValue(value: number, hash: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const place = slots[2 * at + 1];
      if (place === FREE || (slots[2 * at] === hash && this.#words[place] === value)) return at;
    }
  }

  #isText(place: number, text: string): boolean {
    if (this.#words[place + 1] !== text.length) return false;
    const start = place + HEAD_WORDS;
    for (let i = 0; i < text.length; i++) {
      if (((this.#words[start + (i >> 2)] >>> (8 * (i & 3))) & 0xff) !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  #append(text: string, value: number): number {
    for (let i = 0; i < text.length; i++) {
      if (text.charCodeAt(i) > 0xff) throw new RangeError('an index of bytes takes Latin-1 texts only');
    }
    const place = this.#take(text.length, value);
    let word = place + HEAD_WORDS;
    for (let i = 0; i < text.length; i += 4) this.#words[word++] = wordAt(text, i);
    return place;
  }

  /** A new record, its text still to be written. */
  #take(length: number, value: number): number {
    const needed = HEAD_WORDS + textWords(length);
    if (this.#end + needed > this.#words.length) this.#makeRoom(needed);
    const place = this.#end;
    this.#words[place] = value;
    this.#words[place + 1] = length;
    this.#end += needed;
    return place;
  }

  /** Moves the records together; a third of the room is free afterwards, so that this is rarely needed. */
  #makeRoom(needed: number): void {
    const words = this.#words;
    const slots = this.#slots;
    const used = this.#end - this.#wasted + needed;
    const moved = new Int32Array(Math.max(words.length, Math.ceil(1.5 * used)));
    let end = 1;
    for (let at = 1; at < slots.length; at += 2) {
      const place = slots[at];
      if (place === FREE) continue;
      slots[at] = end;
      // By hand: for so few words a call of `set` takes longer than the copying.
      const after = place + HEAD_WORDS + textWords(words[place + 1]);
      for (let word = place; word < after; word++) moved[end++] = words[word];
    }
    this.#words = moved;
    this.#end = end;
    this.#wasted = 0;
  }

  #rehash(count: number): void {
    const before = this.#slots;
    const slots = new Int32Array(2 * count);
    const mask = count - 1;
    for (let from = 0; from < before.length; from += 2) {
      if (before[from + 1] === FREE) continue;
      let at = before[from] & mask;
      while (slots[2 * at + 1] !== FREE) at = (at + 1) & mask;
      slots[2 * at] = before[from];
      slots[2 * at + 1] = before[from + 1];
    }
    this.#slots = slots;
    this.#mask = mask;
  }
}

/** Whole words that a text of so many bytes takes. */
function textWords(length: number): number {
  return (length + 3) >> 2;
}
