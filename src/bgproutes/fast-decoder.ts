/**
 * One frame of the bgproutes.io live stream to integers, without a string or an object in between.
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
import {
  AS_PATH,
  BMP_PEER,
  COMMUNITIES,
  IS_BMP,
  NEXT_HOP,
  ORIGIN,
  PREFIXES,
  RECORD_TYPE,
  SEC,
  VP,
  WITHDRAWN,
} from './frame-layout.ts';
import { itemAt, scanFrame, scannedTimeUs, textAt, textHash, textLength, texts, valueAt } from './frame-scanner.ts';

const HAS_BMP_PEER = 1 << BMP_PEER;
const HAS_PREFIXES = 1 << PREFIXES;
const HAS_PATH = 1 << AS_PATH;
const HAS_WITHDRAWN = 1 << WITHDRAWN;
const NEEDED = (1 << RECORD_TYPE) | (1 << VP) | (1 << SEC);

const FIRST_ROOM = 64;
const HASH_OF_NOTHING = hashWord(hashWord(HASH_BASIS, HASH_BASIS), 0);

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

  constructor(ids: RouteIds) {
    this.#ids = ids;
  }

  /** Whether the frame was understood; then the fields hold it until the next call. A new path must be taken or discarded. */
  decode(bytes: Buffer): boolean {
    const met = scanFrame(bytes);
    if ((met & NEEDED) !== NEEDED || !this.#readVp(met)) return false;
    this.timeUs = scannedTimeUs();
    this.announcedCount = 0;
    this.withdrawnCount = 0;
    this.unmonitored = 0;
    if ((met & HAS_WITHDRAWN) !== 0 && !this.#readWithdrawn()) return false;
    if ((met & HAS_PREFIXES) === 0) return (met & HAS_WITHDRAWN) !== 0;
    return (met & HAS_PATH) !== 0 && this.#readAnnounced() && this.#readAttributes(met);
  }

  #readVp(met: number): boolean {
    const ids = this.#ids;
    const value = valueAt(VP);
    if ((met & (1 << IS_BMP)) === 0) {
      this.vp = ids.findVp(texts, textAt(value), textLength(value), textHash(value));
      return this.vp !== UNKNOWN;
    }
    if ((met & HAS_BMP_PEER) === 0) return false;
    const router = ids.findRouter(texts, textAt(value), textLength(value), textHash(value));
    if (router === UNKNOWN) return false;
    const peer = valueAt(BMP_PEER);
    this.vp = ids.findPeer(router, texts, textAt(peer), textLength(peer), textHash(peer));
    return this.vp !== UNKNOWN;
  }

  #readWithdrawn(): boolean {
    const list = valueAt(WITHDRAWN);
    const end = textLength(list);
    for (let item = textAt(list); item < end; item++) {
      const prefix = this.#prefixOf(item);
      if (prefix === UNKNOWN) return false;
      if (prefix === UNMONITORED) continue;
      if (this.withdrawnCount === this.withdrawn.length) this.withdrawn = grown(this.withdrawn);
      this.withdrawn[this.withdrawnCount++] = prefix;
    }
    return true;
  }

  #readAnnounced(): boolean {
    const list = valueAt(PREFIXES);
    const end = textLength(list);
    for (let item = textAt(list); item < end; item++) {
      const prefix = this.#prefixOf(item);
      if (prefix === UNKNOWN) return false;
      if (prefix === UNMONITORED) continue;
      if (this.announcedCount === this.announced.length) this.announced = grown(this.announced);
      this.announced[this.announcedCount++] = prefix;
    }
    return true;
  }

  /** An empty item is no prefix, and so never known. */
  #prefixOf(item: number): number {
    const value = itemAt(item);
    const prefix = this.#ids.findPrefix(texts, textAt(value), textLength(value), textHash(value));
    if (prefix === UNMONITORED) this.unmonitored++;
    return prefix;
  }

  #readAttributes(met: number): boolean {
    const value = valueAt(AS_PATH);
    let path = this.#ids.findPath(texts, textAt(value), textLength(value), textHash(value));
    if (path === UNKNOWN) {
      path = this.#ids.internPath(texts, textAt(value), textLength(value), textHash(value), this.vp);
      if (path === UNKNOWN) return false;
      if (this.announcedCount === 0) {
        this.#ids.discardPath(path);
        path = 0;
      }
    }
    this.path = path;
    this.fingerprint = attributeFingerprint(hashOf(COMMUNITIES, met), hashOf(NEXT_HOP, met), hashOf(ORIGIN, met));
    return true;
  }
}

function hashOf(place: number, met: number): number {
  return (met & (1 << place)) === 0 ? HASH_OF_NOTHING : textHash(valueAt(place));
}

function grown(list: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(list.length * 2);
  longer.set(list);
  return longer;
}
