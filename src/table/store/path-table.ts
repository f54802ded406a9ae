/**
 * AS paths held now, each once: path text to a small integer, and per integer what the totals need. Paths are counted by
 * the routes that hold them and leave with the last one, so that years of route changes do not fill the memory.
 */
import {
  type AsOrSet,
  formatAsPath,
  MAX_PATH_ASES,
  MAX_SHORT_PATH,
  parseAsPath,
  pathFacts,
  readPlainPath,
  shortPath,
} from '../../bgp/as-path.ts';
import { MAX_LONG_PATH_BYTES } from '../bounds.ts';
import { MOST_PREFETCHED, PathRecords, RECORD_WORDS, recordBytes } from './path-records.ts';
import { hashText, textOfWords, writeWords } from './text-index.ts';

/** The value of `upstream` when a path has no upstream. */
export const NO_UPSTREAM = -1;
/** AS_SETs get numbers from here on, so that an origin or upstream is always one number: an ASN below, a set above. */
const FIRST_SET = 2 ** 32;
/**
 * Paths that nobody holds any more and that are kept all the same: most path changes go back to a path seen just before.
 * Twice as many as there are held ones, so that each route may have its second and third path, and at least these.
 */
const MIN_IDLE = 32_768;
/**
 * Characters of a path above which it is long: about 35 ASes. A shorter one takes at most 256 bytes, so that a bound of their
 * number bounds their bytes. Long ones have a bound in bytes of their own, and leave as soon as nobody holds them: the
 * longest that BGP can carry takes 190,000 bytes.
 */
const LONG_PATH = 220;
/** Words of four characters; an AS takes up to eleven characters. */
const MAX_WORDS_KEPT = Math.ceil((11 * MAX_PATH_ASES) / 4);
/** What `intern` gives when a path is long and long ones take as many bytes as they may. */
export const PATH_LIMIT = -2;

/** What is noted of a path in the first words of its record. */
const REFERENCES = 0;
/** An AS number, or with the flag the number of a set. */
const ORIGIN = 1;
const UPSTREAM = 2;
/** The flags, above them the length, and above that the note. */
const SHAPE = 3;
/** The path waits in the ring of idle ones. */
const QUEUED = 1;
const PREPENDED = 2;
const HAS_UPSTREAM = 4;
const ORIGIN_IS_SET = 8;
const UPSTREAM_IS_SET = 16;
const LENGTH_SHIFT = 5;
/** 14 bits: more than MAX_PATH_ASES. */
const LENGTH_MASK = 0x3fff;
const NOTE_SHIFT = 19;
/** Bits of what `setNote` keeps. */
export const NOTE_BITS = 32 - NOTE_SHIFT;

/** The paths by number, with their facts for the fold. Number 0 is never given out: it means no route. */
export class PathTable {
  /**
   * The only place where the texts are: canonical; where the origin is the VP's own AS, a line feed (in no path or decoded
   * text) and that AS follow.
   */
  readonly #records = new PathRecords();
  /** A text as words, and the facts of a plain path, for the time of a call. */
  #words = new Int32Array(1_024);
  readonly #plain = { origin: 0, upstream: 0, length: 0, prepended: false };
  /** Numbers that were idle once, oldest first, in a ring as long as a power of two; each at most once. */
  #idle = new Uint32Array(MIN_IDLE);
  #idleStart = 0;
  #idleCount = 0;
  /** The next of the ring, for the time of `prefetch`. */
  readonly #oldest = new Int32Array(MOST_PREFETCHED);
  #held = 0;
  /** Bytes that the records of long paths take. */
  #longBytes = 0;
  readonly #setNumbers = new Map<string, number>();
  readonly #sets = new Map<number, { readonly text: string; references: number }>();
  /** Numbers of sets are never reused: whoever remembers a set by its number cannot mistake it for another. */
  #nextSet = FIRST_SET;
  /** The number of whoever keeps notes now. */
  #noteKeeper = 0;

  /** Distinct paths held by at least one route. */
  get size(): number {
    return this.#held;
  }

  /** Canonical. */
  text(path: number): string {
    return this.#records.text(path).split('\n', 1)[0];
  }

  /** The text that `shortPath` would give, without the cost of a long text. */
  shortText(path: number): string {
    return shortPath(this.#records.text(path, MAX_SHORT_PATH + 1).split('\n', 1)[0]);
  }

  /**
   * The last ASes of a path, the last one first, each once in a row; undefined where the path has sets or confederations, or is so
   * long that its text is better read from its end.
   */
  lastHops(path: number, most: number): number[] | undefined {
    return this.#records.textLength(path) > MAX_SHORT_PATH ? undefined : this.#records.lastNumbers(path, most);
  }

  origin(path: number): number {
    const { words } = this.#records;
    const at = path * RECORD_WORDS;
    const origin = words[at + ORIGIN] >>> 0;
    return (words[at + SHAPE] & ORIGIN_IS_SET) === 0 ? origin : FIRST_SET + origin;
  }

  /** NO_UPSTREAM when there is none. */
  upstream(path: number): number {
    const { words } = this.#records;
    const at = path * RECORD_WORDS;
    const shape = words[at + SHAPE];
    if ((shape & HAS_UPSTREAM) === 0) return NO_UPSTREAM;
    const upstream = words[at + UPSTREAM] >>> 0;
    return (shape & UPSTREAM_IS_SET) === 0 ? upstream : FIRST_SET + upstream;
  }

  length(path: number): number {
    return (this.#records.words[path * RECORD_WORDS + SHAPE] >>> LENGTH_SHIFT) & LENGTH_MASK;
  }

  /** 1 when the origin is repeated, else 0. */
  prepended(path: number): number {
    return (this.#records.words[path * RECORD_WORDS + SHAPE] & PREPENDED) >>> 1;
  }

  /**
   * Forgets what every path has for a note.
   * @returns the keeper of notes from now on: only it can set some
   */
  forgetNotes(): number {
    for (let path = 1; path < this.end; path++)
      if (this.note(path) !== 0 && this.isPath(path)) this.setNote(path, 0, this.#noteKeeper);
    return ++this.#noteKeeper;
  }

  /** Whether no other has become the keeper of notes since. */
  keepsNotes(keeper: number): boolean {
    return keeper === this.#noteKeeper;
  }

  /** What `setNote` has kept since the number stands for this path; 0 before. */
  note(path: number): number {
    return this.#records.words[path * RECORD_WORDS + SHAPE] >>> NOTE_SHIFT;
  }

  /**
   * Keeps a number with the path until it is forgotten: what somebody has found out about the path and would have to find out
   * again. Does nothing for a keeper of before.
   * @param note of NOTE_BITS bits
   * @param keeper as `forgetNotes` has given it
   */
  setNote(path: number, note: number, keeper: number): void {
    if (keeper !== this.#noteKeeper) return;
    const at = path * RECORD_WORDS + SHAPE;
    const { words } = this.#records;
    words[at] = (words[at] & ((1 << NOTE_SHIFT) - 1)) | (note << NOTE_SHIFT);
  }

  /** Bytes of its text. */
  textLength(path: number): number {
    return this.#records.textLength(path);
  }

  /** Above the numbers of all paths. Not every number below is that of a path. */
  get end(): number {
    return this.#records.end;
  }

  /** Whether a number below `end` is that of a path now, held or idle. */
  isPath(number: number): boolean {
    return this.#records.isRecord(number);
  }

  /** Whether one of these ASes is in the path, also in a set or a confederation. */
  hasOneOf(path: number, ases: ReadonlySet<number>): boolean {
    return this.#records.hasNumberOf(path, ases);
  }

  /** The VP's AS where the path itself gives no origin; undefined otherwise. */
  ownAsn(path: number): number | undefined {
    const identity = this.#records.text(path);
    const at = identity.indexOf('\n');
    return at === -1 ? undefined : Number(identity.slice(at + 1));
  }

  /** `64500`, or `{64501,64502}`: an origin's or upstream's number as a label value. */
  asText(as: number): string {
    return String(this.asOrSet(as));
  }

  /** What an origin's or upstream's number stands for. */
  asOrSet(as: number): AsOrSet {
    return as < FIRST_SET ? as : (this.#sets.get(as)?.text ?? 'unknown');
  }

  /** The number by which an origin or upstream is counted; undefined for a set that no path has now. */
  numberOf(as: AsOrSet): number | undefined {
    return typeof as === 'number' ? as : this.#setNumbers.get(as);
  }

  /** The number of a known path whose canonical text these bytes are, or -1: then ask `intern`. Never a path without origin. */
  findWords(words: Int32Array, at: number, length: number, hash: number): number {
    return this.#records.find(words, at, length, hash);
  }

  /**
   * Begins to fetch from memory what `findWords` will read for these hashes. A look-up alone waits for its slot and then for
   * its text; many that are begun together wait at the same time.
   */
  prefetchTexts(hashes: Int32Array, count: number): void {
    this.#records.prefetchTexts(hashes, count);
  }

  /**
   * Begins to fetch the records of the paths, at most MOST_PREFETCHED, and those of the idle paths that will be forgotten when
   * as many others become idle.
   */
  prefetch(paths: Int32Array, count: number): void {
    this.#records.prefetch(paths, count);
    this.#prefetchOldest(count);
  }

  #prefetchOldest(count: number): void {
    if (this.#idleCount + count < Math.max(MIN_IDLE, 3 * this.#held)) return;
    const idle = this.#idle;
    const oldest = this.#oldest;
    const mask = idle.length - 1;
    for (let i = 0; i < count; i++) oldest[i] = idle[(this.#idleStart + i) & mask];
    this.#records.prefetchRemoval(oldest, count);
  }

  /**
   * The number of a path, added when new; undefined when the text is not a path, PATH_LIMIT when there is no room for it. A
   * new path has no reference yet: whoever does not `retain` it must `discard` it, once.
   */
  intern(text: string, vpAsn: number): number | undefined {
    const words = this.#wordsFor(text);
    if (!writeWords(text, words)) return this.#internOther(text, vpAsn);
    const hash = hashText(text);
    const known = this.findWords(words, 0, text.length, hash);
    return known === -1 ? this.internWords(words, 0, text.length, hash, vpAsn) : known;
  }

  /** Room for the text. That of a path as long as BGP can carry is kept, because a stream of such paths would leave much behind. */
  #wordsFor(text: string): Int32Array {
    const needed = (text.length + 3) >> 2;
    if (needed <= this.#words.length) return this.#words;
    const words = new Int32Array(needed);
    if (needed <= MAX_WORDS_KEPT) this.#words = words;
    return words;
  }

  /** Interns a text that is given as words with its hash, and that `findWords` does not find. */
  internWords(words: Int32Array, at: number, length: number, hash: number, vpAsn: number): number | undefined {
    const plain = this.#plain;
    if (!readPlainPath(words, at, length, plain)) return this.#internOther(textOfWords(words, at, length), vpAsn);
    if (length > LONG_PATH && !this.#takeLongBytes(length)) return PATH_LIMIT;
    const path = this.#records.add(words, at, length, hash);
    this.#note(path, plain.origin, plain.upstream, plain.length, plain.prepended);
    return path;
  }

  /** A path with sets or confederations, or spelt in another way. */
  #internOther(text: string, vpAsn: number): number | undefined {
    const path = parseAsPath(text);
    if (path === undefined) return undefined;
    const canonical = formatAsPath(path);
    const last = path.at(-1);
    const ownOrigin = last === undefined || (typeof last !== 'number' && last.kind !== 'set');
    const identity = ownOrigin ? `${canonical}\n${vpAsn}` : canonical;
    const words = new Int32Array((identity.length + 3) >> 2);
    writeWords(identity, words);
    const hash = hashText(identity);
    const known = this.#records.find(words, 0, identity.length, hash);
    if (known !== -1) return known;
    if (identity.length > LONG_PATH && !this.#takeLongBytes(identity.length)) return PATH_LIMIT;
    const { origin, upstream, length, prepended } = pathFacts(path, vpAsn);
    const number = this.#records.add(words, 0, identity.length, hash);
    const upstreamNumber = upstream === undefined ? NO_UPSTREAM : this.#asNumber(upstream);
    this.#note(number, this.#asNumber(origin), upstreamNumber, length, prepended);
    return number;
  }

  /** False when there is no room for another long path, whose text has this length. */
  #takeLongBytes(length: number): boolean {
    const bytes = recordBytes(length);
    if (this.#longBytes + bytes > MAX_LONG_PATH_BYTES) return false;
    this.#longBytes += bytes;
    return true;
  }

  #note(path: number, origin: number, upstream: number, length: number, prepended: boolean): void {
    const { words } = this.#records;
    const at = path * RECORD_WORDS;
    words[at + ORIGIN] = origin; // of a set what is above FIRST_SET
    words[at + UPSTREAM] = upstream;
    words[at + SHAPE] =
      (length << LENGTH_SHIFT) |
      (prepended ? PREPENDED : 0) |
      (upstream === NO_UPSTREAM ? 0 : HAS_UPSTREAM) |
      (origin < FIRST_SET ? 0 : ORIGIN_IS_SET) |
      (upstream < FIRST_SET ? 0 : UPSTREAM_IS_SET);
  }

  retain(path: number): void {
    if (this.#records.words[path * RECORD_WORDS + REFERENCES]++ === 0) this.#held++;
  }

  release(path: number): void {
    if (--this.#records.words[path * RECORD_WORDS + REFERENCES] > 0) return;
    this.#held--;
    this.#rest(path);
  }

  /** Forgets, a long one at once and others in time, a path that `intern` gave and that no route has taken. */
  discard(path: number): void {
    if (this.#records.words[path * RECORD_WORDS + REFERENCES] === 0) this.#rest(path);
  }

  /**
   * Keeps an idle path, unless it is long. When too many are idle, the one that is idle longest is forgotten, unless a route
   * holds it again.
   */
  #rest(path: number): void {
    const length = this.#records.textLength(path);
    if (length > LONG_PATH) {
      this.#longBytes -= recordBytes(length);
      this.#remove(path);
      return;
    }
    const { words } = this.#records;
    const at = path * RECORD_WORDS + SHAPE;
    if ((words[at] & QUEUED) !== 0) return;
    const most = Math.max(MIN_IDLE, 3 * this.#held);
    // Two are forgotten for each that comes, so that the ring shrinks when fewer paths are held.
    for (let i = 0; i < 2 && this.#idleCount >= most; i++) this.#forgetOldest();
    if (this.#idleCount === this.#idle.length) this.#growIdle();
    this.#idle[(this.#idleStart + this.#idleCount++) & (this.#idle.length - 1)] = path;
    words[at] |= QUEUED;
  }

  #forgetOldest(): void {
    const oldest = this.#idle[this.#idleStart];
    this.#idleStart = (this.#idleStart + 1) & (this.#idle.length - 1);
    this.#idleCount--;
    const { words } = this.#records;
    const at = oldest * RECORD_WORDS;
    words[at + SHAPE] &= ~QUEUED;
    if (words[at + REFERENCES] === 0) this.#remove(oldest);
  }

  #growIdle(): void {
    const idle = new Uint32Array(this.#idle.length * 2);
    idle.set(this.#idle.subarray(this.#idleStart));
    idle.set(this.#idle.subarray(0, this.#idleStart), this.#idle.length - this.#idleStart);
    this.#idle = idle;
    this.#idleStart = 0;
  }

  #remove(path: number): void {
    this.#dropSet(this.origin(path));
    this.#dropSet(this.upstream(path));
    this.#records.remove(path);
  }

  #asNumber(as: AsOrSet): number {
    if (typeof as === 'number') return as;
    let number = this.#setNumbers.get(as);
    if (number === undefined) {
      number = this.#nextSet++;
      this.#setNumbers.set(as, number);
      this.#sets.set(number, { text: as, references: 0 });
    }
    const set = this.#sets.get(number);
    if (set !== undefined) set.references++;
    return number;
  }

  #dropSet(as: number): void {
    const set = as < FIRST_SET ? undefined : this.#sets.get(as);
    if (set === undefined || --set.references > 0) return;
    this.#sets.delete(as);
    this.#setNumbers.delete(set.text);
  }
}
