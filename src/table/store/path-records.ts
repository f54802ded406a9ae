/**
 * Where paths are kept: a record each, in lines of 64 bytes as a processor reads memory, with an index over their texts.
 * Whoever looks a path up needs its facts next, and waits for memory far longer than for anything that is computed: a
 * record therefore has both, and of most paths is one line.
 *
 * Lines never move, so that the number of a record's first line is the number of its path. What a longer text has left goes
 * on in another line: lines of one size fit everywhere, whatever comes and goes.
 */
import { LINE_WORDS as LINE, linesOf } from './cache-lines.ts';
import { FREE, HashSlots } from './hash-slots.ts';
import { textOfWords } from './text-index.ts';

/** Words of a record before its text: four of whoever keeps the paths, then hash and length in bytes. */
const HEAD = 6;
const HASH = 4;
const LENGTH = 5;
/** In the last word of a line in which the text does not end: the line where it goes on. */
const LINK = LINE - 1;

const NOT_FOUND = -1;
const FIRST_LINES = 1_024;
const FIRST_SLOTS = 2_048;
/** Most hashes or records of one prefetch. */
export const MOST_PREFETCHED = 64;

/** From one record's first word to the next one's. */
export const RECORD_WORDS = LINE;

const [LINE_FEED, BLANK, ZERO, NINE] = [10, 32, 48, 57];

/** Texts are words as `findWords` of TextIndex takes them, and so is their hash. */
export class PathRecords {
  /** The first four words of a record, from its number times RECORD_WORDS on, are the caller's; all 0 when it is new. */
  words = linesOf(FIRST_LINES);
  /** By hash the number of a record, from 1 on. */
  readonly #slots = new HashSlots(FIRST_SLOTS);
  /** The first line that was never used. */
  #end = 1;
  /** The first of the lines given back, each with the next in its first word; 0: none. */
  #free = 0;
  readonly #prefetched = new Int32Array(MOST_PREFETCHED);
  /** Takes the values that are read only to fetch them: a compiler would leave out a read whose value nobody uses. */
  readonly #sink = new Int32Array(1);

  /** The number of the text's record, or -1. */
  find(texts: Int32Array, from: number, length: number, hash: number): number {
    const { words: slots, mask } = this.#slots;
    const words = this.words;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const record = slots[2 * at + 1];
      if (record === FREE) return NOT_FOUND;
      const isLike = slots[2 * at] === hash && words[record * LINE + LENGTH] === length;
      if (isLike && this.#isText(record, texts, from)) return record;
    }
  }

  /**
   * Begins to fetch from memory what `find` will read for these hashes, at most MOST_PREFETCHED. A processor reads on while
   * it waits, as far as it can see: loops that do nothing but read have many reads under way, a look-up of its own has one.
   */
  prefetchTexts(hashes: Int32Array, count: number): void {
    const { words: slots, mask } = this.#slots;
    const records = this.#prefetched;
    for (let i = 0; i < count; i++) records[i] = slots[2 * (hashes[i] & mask) + 1];
    this.prefetch(records, count);
  }

  /** Begins to fetch these records from memory. */
  prefetch(records: Int32Array, count: number): void {
    const words = this.words;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += words[records[i] * LINE];
    this.#sink[0] = sum;
  }

  /** Begins to fetch what `remove` will read of the records. Replaces each number in `records` by the record's hash. */
  prefetchRemoval(records: Int32Array, count: number): void {
    const words = this.words;
    for (let i = 0; i < count; i++) records[i] = words[records[i] * LINE + HASH];
    const { words: slots, mask } = this.#slots;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += slots[2 * (records[i] & mask)];
    this.#sink[0] = sum;
  }

  /** Adds a text that `find` does not find. Gives the number of its record. */
  add(texts: Int32Array, from: number, length: number, hash: number): number {
    const record = this.#takeLine();
    const { words } = this;
    const start = record * LINE;
    for (let word = start; word < start + HASH; word++) words[word] = 0;
    words[start + HASH] = hash;
    words[start + LENGTH] = length;
    this.#write(record, texts, from, (length + 3) >> 2);
    this.#slots.add(hash, record);
    return record;
  }

  /** Above the numbers of all records. */
  get end(): number {
    return this.#end;
  }

  /** Whether a record begins at this line: a line may also be free, or one in which a text goes on. */
  isRecord(line: number): boolean {
    const { words: slots, mask } = this.#slots;
    for (let at = this.words[line * LINE + HASH] & mask; slots[2 * at + 1] !== FREE; at = (at + 1) & mask)
      if (slots[2 * at + 1] === line) return true;
    return false;
  }

  /** Whether one of the decimal numbers is in the record's text, before a line feed. */
  hasNumberOf(record: number, numbers: ReadonlySet<number>): boolean {
    let isThere = false;
    this.#eachNumber(record, (number) => {
      isThere = numbers.has(number);
      return isThere;
    });
    return isThere;
  }

  /**
   * The last of the decimal numbers of the record's text before a line feed, the last one first, and each once in a row; undefined
   * where anything but numbers and blanks stands there.
   */
  lastNumbers(record: number, most: number): number[] | undefined {
    const last: number[] = [];
    const isPlain = this.#eachNumber(record, (number) => {
      if (number !== last[0]) last.unshift(number);
      if (last.length > most) last.pop();
      return false;
    });
    return isPlain ? last : undefined;
  }

  /**
   * Gives the decimal numbers of the record's text before a line feed one after the other, until `take` says that it is enough.
   * @returns whether nothing but numbers and blanks stood there, as far as it was read
   */
  #eachNumber(record: number, take: (number: number) => boolean): boolean {
    const { words } = this;
    const length = words[record * LINE + LENGTH];
    let left = (length + 3) >> 2;
    let word = record * LINE + HEAD;
    let room = LINE - HEAD;
    let number = -1;
    let isPlain = true;
    for (let i = 0; i < length; i++) {
      if (i > 0 && (i & 3) === 0) {
        word++;
        left--;
        room--;
        if (room === 1 && left > 1) {
          word = words[word] * LINE;
          room = LINE;
        }
      }
      const code = (words[word] >>> (8 * (i & 3))) & 0xff;
      if (code >= ZERO && code <= NINE) {
        number = (number === -1 ? 0 : 10 * number) + code - ZERO;
        continue;
      }
      if (code === LINE_FEED) break;
      if (code !== BLANK) isPlain = false;
      if (number !== -1 && take(number)) return isPlain;
      number = -1;
    }
    if (number !== -1) take(number);
    return isPlain;
  }

  remove(record: number): void {
    const { words } = this;
    this.#slots.delete(words[record * LINE + HASH], record);
    let line = record;
    let place = HEAD;
    let left = (words[record * LINE + LENGTH] + 3) >> 2;
    for (;;) {
      const goesOn = left > LINE - place;
      const next = words[line * LINE + LINK];
      words[line * LINE] = this.#free;
      this.#free = line;
      if (!goesOn) return;
      left -= LINK - place;
      line = next;
      place = 0;
    }
  }

  /** Length of the record's text, bytes. */
  textLength(record: number): number {
    return this.words[record * LINE + LENGTH];
  }

  /** @param most characters of it, from its beginning */
  text(record: number, most = Number.POSITIVE_INFINITY): string {
    const { words } = this;
    const length = Math.min(most, words[record * LINE + LENGTH]);
    let left = (length + 3) >> 2;
    const text = new Int32Array(left);
    let at = 0;
    let line = record;
    for (let place = HEAD; left > LINE - place; place = 0) {
      for (; place < LINK; place++, left--) text[at++] = words[line * LINE + place];
      line = words[line * LINE + LINK];
    }
    const first = line * LINE + (line === record ? HEAD : 0);
    for (let i = 0; i < left; i++) text[at++] = words[first + i];
    return textOfWords(text, 0, length);
  }

  /** Whether the record, whose text is as long, has this text. */
  #isText(record: number, texts: Int32Array, from: number): boolean {
    const words = this.words;
    let left = (words[record * LINE + LENGTH] + 3) >> 2;
    let at = from;
    let word = record * LINE + HEAD;
    let room = LINE - HEAD;
    while (left > room) {
      for (let end = word + room - 1; word < end; word++) if (words[word] !== texts[at++]) return false;
      left -= room - 1;
      word = words[word] * LINE;
      room = LINE;
    }
    for (const end = word + left; word < end; word++) if (words[word] !== texts[at++]) return false;
    return true;
  }

  #write(record: number, texts: Int32Array, from: number, count: number): void {
    let left = count;
    let at = from;
    let word = record * LINE + HEAD;
    let room = LINE - HEAD;
    while (left > room) {
      const next = this.#takeLine(); // may replace the words
      const { words } = this;
      for (let end = word + room - 1; word < end; word++) words[word] = texts[at++];
      words[word] = next;
      left -= room - 1;
      word = next * LINE;
      room = LINE;
    }
    const { words } = this;
    for (const end = word + left; word < end; word++) words[word] = texts[at++];
  }

  #takeLine(): number {
    const line = this.#free;
    if (line !== 0) {
      this.#free = this.words[line * LINE];
      return line;
    }
    if ((this.#end + 1) * LINE > this.words.length) {
      const words = linesOf((2 * this.words.length) / LINE);
      words.set(this.words);
      this.words = words;
    }
    return this.#end++;
  }
}

/** Bytes that the record of a text of this length takes. */
export function recordBytes(length: number): number {
  const words = (length + 3) >> 2;
  // Each line after the first costs the line before it the word of a link.
  return 4 * LINE * (1 + Math.max(0, Math.ceil((words - (LINE - HEAD)) / LINK)));
}
