/**
 * Where the values of a frame stand, and what they say, found sixteen bytes at a time: flat text of known keys, each once,
 * ASCII without escapes, plain numbers. A frame with anything else is in doubt.
 *
 * AssemblyScript: a machine reads a frame three times as fast by vectors as the fastest JavaScript does byte by byte.
 * `npm run build:wasm` makes ../frame-scan-binary.ts of it; the host is ../frame-scanner.ts.
 */
import {
  GAPS_AT,
  IS_BMP,
  ITEMS_AT,
  ITEMS_ROOM,
  KEY_SIZE,
  KEYS_AT,
  MAX_FRAME,
  MAX_ITEMS,
  MAX_SEC,
  MAX_USEC,
  PLACES,
  PREFIXES,
  RECORD_TYPE,
  SEC,
  SLOT_LENGTH,
  SLOT_MET,
  SLOT_SIZE,
  SLOT_TIME,
  SLOT_VALUES,
  SLOTS_AT,
  TEXTS_AT,
  TEXTS_END,
  USEC,
  VALUE_SIZE,
  WITHDRAWN,
} from '../frame-layout';

const NUMBERS: u32 = (1 << SEC) | (1 << USEC);
const LISTS: u32 = (1 << PREFIXES) | (1 << WITHDRAWN);

// Beginnings of record types as words, the first byte lowest.
const UPDA: u32 = 0x61647075;
const BMP_: u32 = 0x5f706d62;
const TE: u16 = 0x6574;

const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const ZERO: u32 = 0x30;
const COLON: u32 = 0x3a;
const SPACE: u32 = 0x20;
const OPEN: u32 = 0x7b;
const CLOSE: u32 = 0x7d;

// A gap: its length, what it means, its bytes, and as many of 0xff.
const GAP_MEANING: usize = 4;
const GAP_BYTES: usize = 16;
const GAP_MASK: usize = 64;
const GAP_SIZE: usize = 112;
const MAX_GAP: u32 = 48;
/** After the VP may come the time or the peer, after the time announced or withdrawn prefixes. */
const GAPS_REMEMBERED: u32 = 2;

/** What a gap means: the place of the value after it, with a bit for a text. */
const PLACE_MASK: u32 = 15;
const IS_TEXT: u32 = 16;
const END: i32 = -1;
const NO_GAP: i32 = -2;
/** Instead of the place of a value, at the beginning of a message. */
const NOTHING_BEFORE: u32 = PLACES;

let keyCount: u32 = 0;
/** By place before: in which of its two gaps the next new one goes. */
let turns: u32 = 0;
/** Where the value after the gap begins that was read last. */
let valueAt: usize = 0;
/** Where the next text goes. */
let textAt: usize = 0;
/** Items noted so far. */
let itemCount: u32 = 0;
/** Where the byte stands that ended the text that was read last. */
let stoppedAt: usize = 0;

/** Once, when the keys were written. */
export function setKeyCount(count: u32): void {
  keyCount = count;
}

/** Reads the frames in the first `count` slots, as many as there is room for: one at least. Gives how many. */
export function scan(count: u32): u32 {
  textAt = TEXTS_AT;
  itemCount = 0;
  for (let i: u32 = 0; i < count; i++) {
    const slot = <usize>SLOTS_AT + <usize>i * SLOT_SIZE;
    const length = load<u32>(slot, SLOT_LENGTH);
    if (length > <u32>MAX_FRAME) {
      store<u32>(slot, 0, SLOT_MET);
      continue;
    }
    // At the worst nearly every byte is a text, and every text takes 31 bytes more than it has.
    const texts = min<u32>(length, MAX_ITEMS + PLACES);
    const hasRoom =
      textAt + length + 32 * texts <= <usize>TEXTS_END && itemCount + min<u32>(length, MAX_ITEMS) <= <u32>ITEMS_ROOM;
    if (i > 0 && !hasRoom) return i;
    const from = <usize>load<u32>(slot);
    // No text ends behind its frame; what stands there may be the next one.
    const behind = v128.load(from + length);
    v128.store(from + length, i64x2.splat(0));
    store<u32>(slot, scanOne(slot, from, from + length), SLOT_MET);
    v128.store(from + length, behind);
  }
  return count;
}

/** Reads a frame. Gives the places met as bits, and IS_BMP; or 0 when in doubt. */
function scanOne(slot: usize, from: usize, end: usize): u32 {
  const firstItem = itemCount;
  let met: u32 = 0;
  let isBmp: u32 = 0;
  let seconds: u64 = 0;
  let micros: u64 = 0;
  let at = from;
  let place = NOTHING_BEFORE;
  while (true) {
    const gap = gapAt(at, end, place);
    if (gap < 0) {
      if (gap !== END) return 0;
      store<f64>(slot, <f64>seconds * 1_000_000.0 + <f64>micros, SLOT_TIME);
      return met | isBmp;
    }
    place = <u32>gap & PLACE_MASK;
    const bit: u32 = 1 << place;
    if ((met & bit) !== 0) return 0;
    met |= bit;
    at = valueAt;
    if ((bit & NUMBERS) !== 0) {
      const start = at;
      let number: u64 = 0;
      let digit = <u32>load<u8>(at) - ZERO;
      while (digit <= 9) {
        number = number * 10 + digit;
        digit = <u32>load<u8>(++at) - ZERO;
      }
      const digits = at - start;
      if (digits === 0 || digits > 10) return 0;
      if ((<u32>gap & IS_TEXT) !== 0) {
        if (<u32>load<u8>(at++) !== QUOTE) return 0;
      } else if (digits > 1 && <u32>load<u8>(start) === ZERO) {
        return 0; // no JSON
      }
      if (number > (place === SEC ? <u64>MAX_SEC : <u64>MAX_USEC)) return 0;
      if (place === SEC) seconds = number;
      else micros = number;
      continue;
    }
    if ((<u32>gap & IS_TEXT) === 0) return 0;
    const value = slot + SLOT_VALUES + <usize>place * VALUE_SIZE;
    if (place === RECORD_TYPE) {
      const kind = recordTypeAt(at);
      if (kind === 0) return 0;
      isBmp = kind === 10 ? 1 << IS_BMP : 0;
      at += kind;
    } else if ((bit & LISTS) === 0) {
      readText(at, value, QUOTE);
      at = stoppedAt;
    } else {
      store<u32>(value, itemCount);
      while (true) {
        if (itemCount - firstItem === MAX_ITEMS) return 0;
        readText(at, <usize>ITEMS_AT + <usize>itemCount * VALUE_SIZE, COMMA);
        itemCount++;
        at = stoppedAt;
        if (<u32>load<u8>(at) !== COMMA) break;
        at++;
      }
      store<u32>(value, itemCount, 4);
    }
    if (<u32>load<u8>(at++) !== QUOTE) return 0;
  }
}

/** Length of the record type; 0 for a type that is not known. The caller checks the byte after it. */
function recordTypeAt(at: usize): u32 {
  if (load<u32>(at) === UPDA && load<u16>(at, 4) === TE) return 6; // update
  const isBmp = load<u32>(at) === BMP_ && load<u32>(at, 4) === UPDA && load<u16>(at, 8) === TE;
  return isBmp ? 10 : 0; // bmp_update
}

/** Bytes that end a text or are doubted: control characters, quote, backslash, DEL and all beyond ASCII. */
function stopsOf(bytes: v128): v128 {
  return v128.or(
    v128.or(i8x16.le_s(bytes, i8x16.splat(0x1f)), i8x16.eq(bytes, i8x16.splat(0x7f))),
    v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c))),
  );
}

/** Copies a text; `alsoEnds` ends it too. */
function readText(from: usize, value: usize, alsoEnds: u32): void {
  const end = i8x16.splat(<i8>alsoEnds);
  let at = from;
  let to = textAt;
  let stops: i32;
  while (true) {
    const bytes = v128.load(at);
    stops = i8x16.bitmask(v128.or(stopsOf(bytes), i8x16.eq(bytes, end)));
    if (stops !== 0) {
      storeBegin(to, bytes, ctz(stops));
      break;
    }
    v128.store(to, bytes);
    at += 16;
    to += 16;
  }
  finish(from, at + ctz(stops), value);
}

/** The first `count` of sixteen bytes, and zeros. */
function storeBegin(to: usize, bytes: v128, count: u32): void {
  const places = v128(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  v128.store(to, v128.and(bytes, i8x16.lt_u(places, i8x16.splat(<i8>count))));
}

/** Notes a text that was copied, with its hash: as `hashText` of the table does it. */
function finish(from: usize, end: usize, value: usize): void {
  const start = textAt;
  const length = end - from;
  let even: u32 = 0x811c9dc5;
  let odd: u32 = 0x811c9dc5;
  for (let at: usize = 0; at < length; at += 8) {
    even = hashWord(even, load<u32>(start + at));
    odd = hashWord(odd, load<u32>(start + at, 4));
  }
  store<u32>(value, <u32>(start >>> 2));
  store<u32>(value, <u32>length, 4);
  store<u32>(value, hashWord(hashWord(even, odd), <u32>length), 8);
  textAt = (start + length + 31) & ~15;
  stoppedAt = end;
}

function hashWord(hash: u32, word: u32): u32 {
  const product = (hash ^ word) * 0x9e3779b1;
  return product ^ (product >>> 15);
}

/**
 * Reads what stands between two values: the one at the place `before`, which ends before `from`, and the next. Most likely
 * these are the very bytes that stood there in a frame before. Gives what the next value is, and notes where it begins; or
 * END, or NO_GAP when in doubt.
 */
function gapAt(from: usize, end: usize, before: u32): i32 {
  let gap = <usize>GAPS_AT + <usize>(before * GAPS_REMEMBERED) * GAP_SIZE;
  for (let i: u32 = 0; i < GAPS_REMEMBERED; i++, gap += GAP_SIZE) {
    const length = load<u32>(gap);
    if (length === 0 || from + length > end) continue;
    if (!beginsWith(from, gap, 0)) continue;
    if (length > 16 && (!beginsWith(from, gap, 16) || !beginsWith(from, gap, 32))) continue;
    const meaning = load<i32>(gap, GAP_MEANING);
    // Before a number: what stands there may be the same gap and a blank or a quote.
    if ((meaning & IS_TEXT) === 0 && <u32>load<u8>(from + length) - ZERO > 9) continue;
    valueAt = from + length;
    return meaning;
  }
  return readGap(from, end, before);
}

/** Whether the gap's sixteen bytes from `offset` on stand there, as far as it has so many. */
function beginsWith(from: usize, gap: usize, offset: usize): bool {
  const difference = v128.xor(v128.load(from + offset), v128.load(gap + offset, GAP_BYTES));
  return !v128.any_true(v128.and(difference, v128.load(gap + offset, GAP_MASK)));
}

/** The same by reading it; what was read is remembered. */
function readGap(from: usize, end: usize, before: u32): i32 {
  let at = skipBlanks(from, end);
  if (at >= end) return NO_GAP;
  const isFirst = before === NOTHING_BEFORE;
  if (!isFirst && <u32>load<u8>(at) === CLOSE) return at + 1 === end ? END : NO_GAP;
  // A blank before the brace is JSON too, but nothing that a service writes.
  if (isFirst ? from !== at || <u32>load<u8>(at) !== OPEN : <u32>load<u8>(at) !== COMMA) return NO_GAP;
  at = skipBlanks(at + 1, end);
  if (at >= end || <u32>load<u8>(at) !== QUOTE) return NO_GAP;
  at++;
  const key = keyAt(at, end);
  if (key === 0) return NO_GAP;
  at = skipBlanks(at + load<u8>(key), end);
  if (at >= end || <u32>load<u8>(at) !== COLON) return NO_GAP;
  at = skipBlanks(at + 1, end);
  if (at >= end) return NO_GAP;
  const isText = <u32>load<u8>(at) === QUOTE;
  if (isText) at++;
  const meaning: u32 = <u32>load<u8>(key, 1) | (isText ? IS_TEXT : 0);
  valueAt = at;
  if (at - from <= MAX_GAP) remember(from, <u32>(at - from), before, meaning);
  return meaning;
}

/** The key that stands there with the quote that ends it, or 0. */
function keyAt(at: usize, end: usize): usize {
  for (let i: u32 = 0; i < keyCount; i++) {
    const key = <usize>KEYS_AT + <usize>i * KEY_SIZE;
    const length = <usize>load<u8>(key);
    if (at + length <= end && memory.compare(at, key + 2, length) === 0) return key;
  }
  return 0;
}

/** In the place of the older one of two. */
function remember(from: usize, length: u32, before: u32, meaning: u32): void {
  const bit: u32 = 1 << before;
  const turn: u32 = (turns & bit) !== 0 ? 1 : 0;
  const gap = <usize>GAPS_AT + <usize>(before * GAPS_REMEMBERED + turn) * GAP_SIZE;
  turns ^= bit;
  store<u32>(gap, length);
  store<u32>(gap, meaning, GAP_MEANING);
  memory.fill(gap + GAP_BYTES, 0, 2 * MAX_GAP);
  memory.copy(gap + GAP_BYTES, from, length);
  memory.fill(gap + GAP_MASK, 0xff, length);
}

function skipBlanks(from: usize, end: usize): usize {
  let at = from;
  while (at < end && <u32>load<u8>(at) === SPACE) at++;
  return at;
}
