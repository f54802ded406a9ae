/**
 * An index from text to a small integer that can be asked with the text as words, four bytes each, so that a decoder finds
 * what it knows already without making a string.
 *
 * A look-up in a large index waits for memory more than it computes: a slot is eight bytes, and what it points to has
 * value, length and text side by side.
 */
import { HASH_BASIS, hashWord } from '../../bgp/route-integers.ts';
import { FREE, HashSlots } from './hash-slots.ts';

const NOT_FOUND = -1;
const MIN_SLOTS = 16;
const MIN_WORDS = 64;
/** Before the text of a record: its value and its length. */
const HEAD_WORDS = 2;

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
  /** By the hash of a text the place of its record, an index into `#words`, from 1 on. */
  readonly #slots = new HashSlots(MIN_SLOTS);
  /** Records one after the other: value, length, text in Latin-1 filled up to whole words. */
  #words = new Int32Array(MIN_WORDS);
  /** Where the next record goes. */
  #end = 1;
  /** Words of records that were deleted. */
  #wasted = 0;

  get size(): number {
    return this.#slots.size;
  }

  /**
   * The value of a text in Latin-1, or -1. It begins at `from` of these words and has `length` bytes, the first of each word
   * lowest; what is left of its last word is zero. `hash` must be its hash.
   */
  findWords(texts: Int32Array, from: number, length: number, hash: number): number {
    const { words: slots, mask } = this.#slots;
    const words = this.#words;
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
    const place = this.#placeOf(text, hashText(text));
    return place === FREE ? NOT_FOUND : this.#words[place];
  }

  /**
   * Adds or replaces. `value` is 0 or more.
   * @throws RangeError when the text is not Latin-1: no bytes would spell it
   */
  set(text: string, value: number): void {
    const hash = hashText(text);
    const place = this.#placeOf(text, hash);
    if (place === FREE) this.#slots.add(hash, this.#append(text, value));
    else this.#words[place] = value;
  }

  /** Gives whether the text was there. */
  delete(text: string): boolean {
    const hash = hashText(text);
    const place = this.#placeOf(text, hash);
    if (place === FREE) return false;
    this.#slots.delete(hash, place);
    this.#wasted += HEAD_WORDS + textWords(this.#words[place + 1]);
    return true;
  }

  clear(): void {
    this.#slots.clear();
    this.#end = 1;
    this.#wasted = 0;
  }

  /** The record of the text, or FREE. */
  #placeOf(text: string, hash: number): number {
    const { words: slots, mask } = this.#slots;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const place = slots[2 * at + 1];
      if (place === FREE || (slots[2 * at] === hash && this.#isText(place, text))) return place;
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

  /** A new record of the text. */
  #append(text: string, value: number): number {
    for (let i = 0; i < text.length; i++) {
      if (text.charCodeAt(i) > 0xff) throw new RangeError('an index of bytes takes Latin-1 texts only');
    }
    const needed = HEAD_WORDS + textWords(text.length);
    if (this.#end + needed > this.#words.length) this.#makeRoom(needed);
    const place = this.#end;
    this.#end += needed;
    const words = this.#words;
    words[place] = value;
    words[place + 1] = text.length;
    for (let i = 0, word = place + HEAD_WORDS; i < text.length; i += 4) words[word++] = wordAt(text, i);
    return place;
  }

  /** Moves the records together; a third of the room is free afterwards, so that this is rarely needed. */
  #makeRoom(needed: number): void {
    const words = this.#words;
    const { words: slots } = this.#slots;
    const used = this.#end - this.#wasted + needed;
    const moved = new Int32Array(Math.max(words.length, Math.ceil(1.5 * used)));
    let end = 1;
    for (let at = 1; at < slots.length; at += 2) {
      const place = slots[at];
      if (place === FREE) continue;
      slots[at] = end;
      // A loop copies so few words faster than a call of `set` would.
      const after = place + HEAD_WORDS + textWords(words[place + 1]);
      for (let word = place; word < after; word++) moved[end++] = words[word];
    }
    this.#words = moved;
    this.#end = end;
    this.#wasted = 0;
  }
}

/** Whole words that a text of so many bytes takes. */
function textWords(length: number): number {
  return (length + 3) >> 2;
}
