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
  HASH_PRIME,
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
const NINE = 0x39;

/** Keys of a message. The bits say which were met. */
const KEY = {
  recordType: 1,
  vp: 2,
  bmpPeer: 4,
  sec: 8,
  usec: 16,
  prefixes: 32,
  asPath: 64,
  communities: 128,
  nextHop: 256,
  origin: 512,
  withdrawn: 1024,
};

const NAMES: readonly (readonly [string, number])[] = [
  ['record_type', KEY.recordType],
  ['vp', KEY.vp],
  ['bmp_peer', KEY.bmpPeer],
  ['sec', KEY.sec],
  ['Usec', KEY.usec],
  ['prefixes', KEY.prefixes],
  ['as-path', KEY.asPath],
  ['communities', KEY.communities],
  ['nexthop', KEY.nextHop],
  ['origin', KEY.origin],
  ['withdraws', KEY.withdrawn],
  ['withdrawn', KEY.withdrawn],
  ['withdrawals', KEY.withdrawn],
  ['withdrawn_prefixes', KEY.withdrawn],
  ['withdraw', KEY.withdrawn],
  ['withdrawn-prefixes', KEY.withdrawn],
];
/** Key names by their hash, for one look-up a key; the test says that no two share one. */
const KEY_SLOTS = 512;
const keyBits = new Int32Array(KEY_SLOTS);
const keyBytes: Uint8Array[] = [];

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 11)) & (KEY_SLOTS - 1);
}

for (const [name, bit] of NAMES) {
  let hash = HASH_BASIS;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, HASH_PRIME);
  if (keyBits[slotOf(hash)] !== 0) throw new Error(`the key ${name} shares its slot with another`);
  keyBits[slotOf(hash)] = bit;
  keyBytes[slotOf(hash)] = Buffer.from(name);
}

const UPDATE = Buffer.from('update');
const BMP_UPDATE = Buffer.from('bmp_update');
const MAX_SEC = 7_258_118_400;

/** Positions of the values of one message, by place: start, end, hash. */
const PLACES = 11;

export class FastDecoder implements DecodedIds {
  vp = 0;
  timeUs = 0;
  path = 0;
  fingerprint = 0;
  announced = new Int32Array(64);
  announcedCount = 0;
  withdrawn = new Int32Array(64);
  withdrawnCount = 0;
  unmonitored = 0;
  readonly #ids: RouteIds;
  readonly #starts = new Int32Array(PLACES);
  readonly #ends = new Int32Array(PLACES);
  readonly #hashes = new Int32Array(PLACES);

  constructor(ids: RouteIds) {
    this.#ids = ids;
  }

  /** Whether the frame was understood; then the fields hold it until the next call. A new path must be taken or discarded. */
  decode(bytes: Buffer): boolean {
    const met = this.#scan(bytes);
    if (met === 0) return false;
    const needed = KEY.recordType | KEY.vp | KEY.sec;
    if ((met & needed) !== needed) return false;
    if (!this.#readTime(bytes, met) || !this.#readVp(bytes, met)) return false;
    this.announcedCount = 0;
    this.withdrawnCount = 0;
    this.unmonitored = 0;
    if (met & KEY.withdrawn && !this.#readList(bytes, 10, false)) return false;
    if (met & KEY.prefixes)
      return (met & KEY.asPath) !== 0 && this.#readList(bytes, 5, true) && this.#readAttributes(bytes, met);
    return (met & KEY.withdrawn) !== 0;
  }

  /** Notes where each value stands. Gives the keys met, or 0 when in doubt. */
  #scan(bytes: Buffer): number {
    const end = bytes.length;
    const starts = this.#starts;
    const ends = this.#ends;
    const hashes = this.#hashes;
    let met = 0;
    if (end < 2 || bytes[0] !== OPEN) return 0;
    let i = 1;
    for (;;) {
      while (bytes[i] === SPACE) i++;
      if (bytes[i] !== QUOTE) return 0;
      const keyStart = ++i;
      let hash = HASH_BASIS;
      let byte = 0;
      while (i < end && (byte = bytes[i]) !== QUOTE) {
        hash = Math.imul(hash ^ byte, HASH_PRIME);
        i++;
      }
      const slot = slotOf(hash);
      const bit = keyBits[slot];
      if (bit === 0 || (met & bit) !== 0 || !sameBytes(keyBytes[slot], bytes, keyStart, i)) return 0;
      met |= bit;
      i++;
      while (bytes[i] === SPACE) i++;
      if (bytes[i++] !== COLON) return 0;
      while (bytes[i] === SPACE) i++;
      const place = 31 - Math.clz32(bit);
      hash = HASH_BASIS;
      if (bytes[i] === QUOTE) {
        starts[place] = ++i;
        while (i < end && (byte = bytes[i]) !== QUOTE) {
          if (byte < SPACE || byte > 0x7e || byte === BACKSLASH) return 0;
          hash = Math.imul(hash ^ byte, HASH_PRIME);
          i++;
        }
        if (i >= end) return 0;
        ends[place] = i++;
      } else {
        // Plain numbers, and only where a number is usual; JSON allows no leading zero.
        if (bit !== KEY.sec && bit !== KEY.usec) return 0;
        starts[place] = i;
        while ((byte = bytes[i]) >= ZERO && byte <= NINE) i++;
        const length = i - starts[place];
        if (length === 0 || (length > 1 && bytes[starts[place]] === ZERO)) return 0;
        ends[place] = i;
      }
      hashes[place] = hash;
      while (bytes[i] === SPACE) i++;
      byte = bytes[i++];
      if (byte === COMMA) continue;
      return byte === CLOSE && i === end ? met : 0;
    }
  }

  #readTime(bytes: Buffer, met: number): boolean {
    const seconds = this.#digits(bytes, 3);
    const micros = met & KEY.usec ? this.#digits(bytes, 4) : 0;
    if (seconds < 0 || seconds > MAX_SEC || micros < 0 || micros > 999_999) return false;
    this.timeUs = seconds * 1_000_000 + micros;
    return true;
  }

  /** Up to ten digits as a number; -1 when it is anything else. */
  #digits(bytes: Buffer, place: number): number {
    const end = this.#ends[place];
    let at = this.#starts[place];
    if (end === at || end - at > 10) return -1;
    let number = 0;
    for (; at < end; at++) {
      const digit = bytes[at] - ZERO;
      if (digit < 0 || digit > 9) return -1;
      number = number * 10 + digit;
    }
    return number;
  }

  #readVp(bytes: Buffer, met: number): boolean {
    const starts = this.#starts;
    const ends = this.#ends;
    if (sameBytes(UPDATE, bytes, starts[0], ends[0])) {
      this.vp = this.#ids.findVp(bytes, starts[1], ends[1], this.#hashes[1]);
    } else if (met & KEY.bmpPeer && sameBytes(BMP_UPDATE, bytes, starts[0], ends[0])) {
      this.vp = this.#ids.findBmpVp(
        bytes.toString('latin1', starts[2], ends[2]),
        bytes.toString('latin1', starts[1], ends[1]),
      );
    } else return false;
    return this.vp !== UNKNOWN;
  }

  #readList(bytes: Buffer, place: number, announced: boolean): boolean {
    const end = this.#ends[place];
    let start = this.#starts[place];
    if (start === end) return false;
    let count = 0;
    while (start <= end) {
      let hash = HASH_BASIS;
      let at = start;
      let byte = 0;
      while (at < end && (byte = bytes[at]) !== COMMA) {
        hash = Math.imul(hash ^ byte, HASH_PRIME);
        at++;
      }
      const prefix = this.#ids.findPrefix(bytes, start, at, hash);
      if (prefix === UNKNOWN) return false;
      if (prefix === UNMONITORED) this.unmonitored++;
      else {
        if (announced) {
          if (count === this.announced.length) this.announced = grown(this.announced);
          this.announced[count++] = prefix;
        } else {
          if (count === this.withdrawn.length) this.withdrawn = grown(this.withdrawn);
          this.withdrawn[count++] = prefix;
        }
      }
      start = at + 1;
    }
    if (announced) this.announcedCount = count;
    else this.withdrawnCount = count;
    return true;
  }

  #readAttributes(bytes: Buffer, met: number): boolean {
    const start = this.#starts[6];
    const end = this.#ends[6];
    let path = this.#ids.findPath(bytes, start, end, this.#hashes[6]);
    if (path === UNKNOWN) {
      path = this.#ids.internPath(bytes.toString('latin1', start, end), this.vp);
      if (path === UNKNOWN) return false;
      if (this.announcedCount === 0) {
        this.#ids.discardPath(path);
        path = 0;
      }
    }
    this.path = path;
    const communities = met & KEY.communities ? this.#hashes[7] : HASH_BASIS;
    const nextHop = met & KEY.nextHop ? this.#hashes[8] : HASH_BASIS;
    const origin = met & KEY.origin ? this.#hashes[9] : HASH_BASIS;
    this.fingerprint = attributeFingerprint(communities, nextHop, origin);
    return true;
  }
}

function sameBytes(name: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}

function grown(list: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(list.length * 2);
  longer.set(list);
  return longer;
}
