/**
 * One frame of the bgproutes.io live stream to integers, byte by byte, without a string or an object in between.
 *
 * It reads what the service sends all day: one flat object of known keys, each once, ASCII text without escapes, plain
 * numbers, VPs and prefixes that were met before. Whatever else it meets, it doubts: it gives up the whole frame, and
 * message.ts decides. A differential test holds both to the same result on every input.
 */
import {
  attributeFingerprint,
  type DecodedIds,
  HASH_BASIS,
  hashWord,
  type RouteIds,
  UNKNOWN,
  UNMONITORED,
} from '../bgp/route-ids.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const ZERO = 0x30;

/** Where a value is noted, by what it is. */
const PLACE = {
  recordType: 0,
  vp: 1,
  bmpPeer: 2,
  sec: 3,
  usec: 4,
  prefixes: 5,
  asPath: 6,
  communities: 7,
  nextHop: 8,
  origin: 9,
  withdrawn: 10,
} as const;
const PLACES = 11;

/** Keys of a message, in the order in which the service writes them; all of one place are the same key spelt otherwise. */
const NAMES: readonly (readonly [string, number])[] = [
  ['record_type', PLACE.recordType],
  ['vp', PLACE.vp],
  ['bmp_peer', PLACE.bmpPeer],
  ['sec', PLACE.sec],
  ['Usec', PLACE.usec],
  ['prefixes', PLACE.prefixes],
  ['withdraws', PLACE.withdrawn],
  ['as-path', PLACE.asPath],
  ['communities', PLACE.communities],
  ['nexthop', PLACE.nextHop],
  ['origin', PLACE.origin],
  ['withdrawn', PLACE.withdrawn],
  ['withdrawals', PLACE.withdrawn],
  ['withdrawn_prefixes', PLACE.withdrawn],
  ['withdraw', PLACE.withdrawn],
  ['withdrawn-prefixes', PLACE.withdrawn],
];
/** With the quote that ends them, so that none is the beginning of another. */
const KEY_BYTES: readonly Uint8Array[] = NAMES.map(([name]) => new Uint8Array(Buffer.from(`${name}"`)));
const KEY_PLACES = Int32Array.from(NAMES, ([, place]) => place);

const HAS_BMP_PEER = 1 << PLACE.bmpPeer;
const HAS_USEC = 1 << PLACE.usec;
const HAS_PREFIXES = 1 << PLACE.prefixes;
const HAS_PATH = 1 << PLACE.asPath;
const HAS_COMMUNITIES = 1 << PLACE.communities;
const HAS_NEXT_HOP = 1 << PLACE.nextHop;
const HAS_ORIGIN = 1 << PLACE.origin;
const HAS_WITHDRAWN = 1 << PLACE.withdrawn;
const NEEDED = (1 << PLACE.recordType) | (1 << PLACE.vp) | (1 << PLACE.sec);
const NUMBERS = (1 << PLACE.sec) | HAS_USEC;
const LISTS = HAS_PREFIXES | HAS_WITHDRAWN;

/** What a byte of a text is, as bits: nothing special, the end or a doubt, or what ends an item of a list. */
const STOPS = 1;
const STOPS_ITEM = 2;
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte < SPACE || byte > 0x7e || byte === BACKSLASH || byte === QUOTE) return STOPS;
  return byte === COMMA ? STOPS_ITEM : 0;
});

/** What a gap means: the place of the value after it, with a bit for a text. */
const PLACE_MASK = 15;
const IS_TEXT = 16;
const END = -1;
const NO_GAP = -2;
/** Instead of the place of a value, at the beginning of a message. */
const NOTHING_BEFORE = PLACES;
/** After the VP may come the time or the peer, after the time announced or withdrawn prefixes. */
const GAPS_REMEMBERED = 2;
const GAPS = (PLACES + 1) * GAPS_REMEMBERED;
/** Room for a gap, and for the zero that ends one of whole words. */
const GAP_WORDS = 12;
/** Length of a gap that matches nothing. */
const NEVER = 1 << 30;

const UPDATE = new Uint8Array(Buffer.from('update'));
const BMP_UPDATE = new Uint8Array(Buffer.from('bmp_update'));
const MAX_SEC = 7_258_118_400;
const FIRST_ROOM = 64;

export class FastDecoder implements DecodedIds {
  vp = 0;
  timeUs = 0;
  path = 0;
  fingerprint = 0;
  announced = new Int32Array(FIRST_ROOM);
  announcedCount = 0;
  withdrawn = new Int32Array(FIRST_ROOM);
  withdrawnCount = 0;
  unmonitored = 0;
  readonly #ids: RouteIds;
  /** By place: where its value begins and ends, and the hash of its text. */
  readonly #starts = new Int32Array(PLACES);
  readonly #ends = new Int32Array(PLACES);
  readonly #hashes = new Int32Array(PLACES);
  /** Items of both lists, in the order in which they came; a list's value notes the first and one behind the last. */
  #itemStarts = new Int32Array(FIRST_ROOM);
  #itemEnds = new Int32Array(FIRST_ROOM);
  #itemHashes = new Int32Array(FIRST_ROOM);
  /** By the place of the value before: bytes that stood between it and the next, as words, and what they mean. */
  readonly #gapWords = new Int32Array(GAPS * GAP_WORDS);
  readonly #gapLengths = new Int32Array(GAPS).fill(NEVER);
  readonly #gapMeanings = new Int32Array(GAPS);
  readonly #gapTurns = new Uint8Array(GAPS);
  /** Where the value after the gap begins that was read last. */
  #valueAt = 0;

  constructor(ids: RouteIds) {
    this.#ids = ids;
  }

  /** Whether the frame was understood; then the fields hold it until the next call. A new path must be taken or discarded. */
  decode(bytes: Buffer): boolean {
    const met = this.#scan(bytes);
    if ((met & NEEDED) !== NEEDED) return false;
    if (!this.#readTime(bytes, met) || !this.#readVp(bytes, met)) return false;
    this.announcedCount = 0;
    this.withdrawnCount = 0;
    this.unmonitored = 0;
    if ((met & HAS_WITHDRAWN) !== 0 && !this.#readWithdrawn(bytes)) return false;
    if ((met & HAS_PREFIXES) === 0) return (met & HAS_WITHDRAWN) !== 0;
    return (met & HAS_PATH) !== 0 && this.#readAnnounced(bytes) && this.#readAttributes(bytes, met);
  }

  /** Notes where each value stands. Gives the places met as bits, or 0 when in doubt. */
  #scan(bytes: Buffer): number {
    const end = bytes.length;
    const starts = this.#starts;
    const ends = this.#ends;
    const hashes = this.#hashes;
    let met = 0;
    let items = 0;
    let i = 0;
    let place: number = NOTHING_BEFORE;
    for (;;) {
      const gap = this.#gapAt(bytes, i, place);
      if (gap === NO_GAP) return 0;
      if (gap === END) return met;
      place = gap & PLACE_MASK;
      const bit = 1 << place;
      if ((met & bit) !== 0) return 0;
      met |= bit;
      i = this.#valueAt;
      if ((gap & IS_TEXT) === 0) {
        // Plain numbers, and only where a number is usual; JSON allows no leading zero.
        if ((bit & NUMBERS) === 0) return 0;
        const start = i;
        while (i < end && isDigit(bytes[i])) i++;
        if (i === start || (i - start > 1 && bytes[start] === ZERO)) return 0;
        starts[place] = start;
        ends[place] = i;
        continue;
      }
      const isList = (bit & LISTS) !== 0;
      const stops = isList ? STOPS | STOPS_ITEM : STOPS;
      starts[place] = isList ? items : i;
      for (; ; i++) {
        const start = i;
        let hash = HASH_BASIS;
        // Four bytes at a time, as long as none of them is special.
        while (i + 4 <= end) {
          const first = bytes[i];
          const second = bytes[i + 1];
          const third = bytes[i + 2];
          const fourth = bytes[i + 3];
          if (((KINDS[first] | KINDS[second] | KINDS[third] | KINDS[fourth]) & stops) !== 0) break;
          hash = hashWord(hash, first | (second << 8) | (third << 16) | (fourth << 24));
          i += 4;
        }
        let word = 0;
        for (let shift = 0; i < end && (KINDS[bytes[i]] & stops) === 0; shift += 8) word |= bytes[i++] << shift;
        if (i >= end) return 0;
        hash = hashWord(hash, word);
        if (!isList) {
          ends[place] = i;
          hashes[place] = hash;
          break;
        }
        if (items === this.#itemStarts.length) this.#growItems();
        this.#itemStarts[items] = start;
        this.#itemEnds[items] = i;
        this.#itemHashes[items++] = hash;
        if (bytes[i] === COMMA) continue;
        ends[place] = items;
        break;
      }
      if (bytes[i++] !== QUOTE) return 0;
    }
  }

  /**
   * Reads what stands between two values: the one at the place `before`, which ends before `from`, and the next. Most likely
   * these are the very bytes that stood there in a message before. Gives what the next value is, and notes where it begins;
   * or END, or NO_GAP when in doubt.
   */
  #gapAt(bytes: Buffer, from: number, before: number): number {
    const first = before * GAPS_REMEMBERED;
    for (let gap = first; gap < first + GAPS_REMEMBERED; gap++) {
      const end = from + this.#gapLengths[gap];
      if (end > bytes.length) continue;
      const words = this.#gapWords;
      let word = gap * GAP_WORDS;
      let at = from;
      while (at + 4 <= end && words[word] === wordAt(bytes, at)) {
        at += 4;
        word++;
      }
      if (at + 4 <= end) continue;
      let rest = 0;
      for (let shift = 0; at < end; shift += 8) rest |= bytes[at++] << shift;
      if (rest !== words[word]) continue;
      this.#valueAt = end;
      return this.#gapMeanings[gap];
    }
    return this.#readGap(bytes, from, before);
  }

  /** The same by reading it; what was read is remembered. */
  #readGap(bytes: Buffer, from: number, before: number): number {
    const end = bytes.length;
    let at = skipBlanks(bytes, from);
    if (at >= end) return NO_GAP;
    const isFirst = before === NOTHING_BEFORE;
    if (!isFirst && bytes[at] === CLOSE) return at + 1 === end ? END : NO_GAP;
    // A blank before the brace is JSON too, but nothing that a service writes.
    if (isFirst ? from !== at || bytes[at] !== OPEN : bytes[at] !== COMMA) return NO_GAP;
    at = skipBlanks(bytes, at + 1);
    if (at >= end || bytes[at] !== QUOTE) return NO_GAP;
    at++;
    const key = KEY_BYTES.findIndex((name) => beginsWith(bytes, at, name));
    if (key === -1) return NO_GAP;
    at = skipBlanks(bytes, at + KEY_BYTES[key].length);
    if (at >= end || bytes[at] !== COLON) return NO_GAP;
    at = skipBlanks(bytes, at + 1);
    if (at >= end) return NO_GAP;
    const isText = bytes[at] === QUOTE;
    if (isText) at++;
    const meaning = KEY_PLACES[key] | (isText ? IS_TEXT : 0);
    this.#valueAt = at;
    if (at - from < GAP_WORDS * 4) this.#remember(bytes, from, at, before, meaning);
    return meaning;
  }

  /** In the place of the older one of two. */
  #remember(bytes: Buffer, from: number, to: number, before: number, meaning: number): void {
    const gap = before * GAPS_REMEMBERED + (this.#gapTurns[before]++ % GAPS_REMEMBERED);
    const words = this.#gapWords.subarray(gap * GAP_WORDS, (gap + 1) * GAP_WORDS).fill(0);
    for (let at = from; at < to; at++) words[(at - from) >> 2] |= bytes[at] << (((at - from) & 3) * 8);
    this.#gapLengths[gap] = to - from;
    this.#gapMeanings[gap] = meaning;
  }

  #growItems(): void {
    this.#itemStarts = grown(this.#itemStarts);
    this.#itemEnds = grown(this.#itemEnds);
    this.#itemHashes = grown(this.#itemHashes);
  }

  #readTime(bytes: Buffer, met: number): boolean {
    const seconds = digits(bytes, this.#starts[PLACE.sec], this.#ends[PLACE.sec]);
    const micros = (met & HAS_USEC) === 0 ? 0 : digits(bytes, this.#starts[PLACE.usec], this.#ends[PLACE.usec]);
    if (seconds < 0 || seconds > MAX_SEC || micros < 0 || micros > 999_999) return false;
    this.timeUs = seconds * 1_000_000 + micros;
    return true;
  }

  #readVp(bytes: Buffer, met: number): boolean {
    const ids = this.#ids;
    const start = this.#starts[PLACE.vp];
    const end = this.#ends[PLACE.vp];
    const hash = this.#hashes[PLACE.vp];
    if (this.#isRecordType(bytes, UPDATE)) {
      this.vp = ids.findVp(bytes, start, end, hash);
      return this.vp !== UNKNOWN;
    }
    if ((met & HAS_BMP_PEER) === 0 || !this.#isRecordType(bytes, BMP_UPDATE)) return false;
    const router = ids.findRouter(bytes, start, end, hash);
    if (router === UNKNOWN) return false;
    const peer = PLACE.bmpPeer;
    this.vp = ids.findPeer(router, bytes, this.#starts[peer], this.#ends[peer], this.#hashes[peer]);
    return this.vp !== UNKNOWN;
  }

  #isRecordType(bytes: Buffer, type: Uint8Array): boolean {
    const start = this.#starts[PLACE.recordType];
    return this.#ends[PLACE.recordType] - start === type.length && beginsWith(bytes, start, type);
  }

  #readWithdrawn(bytes: Buffer): boolean {
    const to = this.#ends[PLACE.withdrawn];
    for (let item = this.#starts[PLACE.withdrawn]; item < to; item++) {
      const prefix = this.#prefixOf(bytes, item);
      if (prefix === UNKNOWN) return false;
      if (prefix === UNMONITORED) continue;
      if (this.withdrawnCount === this.withdrawn.length) this.withdrawn = grown(this.withdrawn);
      this.withdrawn[this.withdrawnCount++] = prefix;
    }
    return true;
  }

  #readAnnounced(bytes: Buffer): boolean {
    const to = this.#ends[PLACE.prefixes];
    for (let item = this.#starts[PLACE.prefixes]; item < to; item++) {
      const prefix = this.#prefixOf(bytes, item);
      if (prefix === UNKNOWN) return false;
      if (prefix === UNMONITORED) continue;
      if (this.announcedCount === this.announced.length) this.announced = grown(this.announced);
      this.announced[this.announcedCount++] = prefix;
    }
    return true;
  }

  /** An empty item is no prefix, and so never known. */
  #prefixOf(bytes: Buffer, item: number): number {
    const prefix = this.#ids.findPrefix(bytes, this.#itemStarts[item], this.#itemEnds[item], this.#itemHashes[item]);
    if (prefix === UNMONITORED) this.unmonitored++;
    return prefix;
  }

  #readAttributes(bytes: Buffer, met: number): boolean {
    const hashes = this.#hashes;
    const start = this.#starts[PLACE.asPath];
    const end = this.#ends[PLACE.asPath];
    let path = this.#ids.findPath(bytes, start, end, hashes[PLACE.asPath]);
    if (path === UNKNOWN) {
      path = this.#ids.internPath(bytes.toString('latin1', start, end), this.vp);
      if (path === UNKNOWN) return false;
      if (this.announcedCount === 0) {
        this.#ids.discardPath(path);
        path = 0;
      }
    }
    this.path = path;
    const communities = (met & HAS_COMMUNITIES) === 0 ? HASH_OF_NOTHING : hashes[PLACE.communities];
    const nextHop = (met & HAS_NEXT_HOP) === 0 ? HASH_OF_NOTHING : hashes[PLACE.nextHop];
    const origin = (met & HAS_ORIGIN) === 0 ? HASH_OF_NOTHING : hashes[PLACE.origin];
    this.fingerprint = attributeFingerprint(communities, nextHop, origin);
    return true;
  }
}

const HASH_OF_NOTHING = hashWord(HASH_BASIS, 0);

/** Four bytes, the first of them lowest. */
function wordAt(bytes: Buffer, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function skipBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] === SPACE) at++;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

/** Whether these bytes stand at `at`, wholly inside the frame. */
function beginsWith(bytes: Buffer, at: number, name: Uint8Array): boolean {
  const { length } = name;
  if (at + length > bytes.length) return false;
  for (let i = 0; i < length; i++) if (name[i] !== bytes[at + i]) return false;
  return true;
}

/** Up to ten digits as a number; -1 when it is anything else. */
function digits(bytes: Buffer, start: number, end: number): number {
  if (end === start || end - start > 10) return -1;
  let number = 0;
  // Nine digits fit in the integers that are fastest.
  const middle = Math.min(end, start + 9);
  for (let at = start; at < middle; at++) {
    if (!isDigit(bytes[at])) return -1;
    number = (number * 10 + bytes[at] - ZERO) | 0;
  }
  if (middle === end) return number;
  return isDigit(bytes[middle]) ? number * 10 + bytes[middle] - ZERO : -1;
}

function grown(list: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(list.length * 2);
  longer.set(list);
  return longer;
}
