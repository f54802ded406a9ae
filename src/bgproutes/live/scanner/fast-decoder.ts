/**
 * Frames of the bgproutes.io live stream to integers, without a string or an object in between; some at a time, so that the
 * waits for memory overlap.
 *
 * It reads what the service sends all day: one flat object of known keys, each once, ASCII text without escapes, plain
 * numbers, VPs and prefixes that were met before. Whatever else it meets, it doubts: it gives up the whole frame, and
 * message.ts decides. A differential test holds both to the same result on every input.
 */
import {
  attributeFingerprint,
  bmpHash,
  type DecodedUpdates,
  HASH_BASIS,
  hashWord,
  type RouteIds,
  UNKNOWN,
  UNMONITORED,
} from '../../../bgp/route-integers.ts';
import {
  AS_PATH,
  BMP_PEER,
  COMMUNITIES,
  IS_BMP,
  MAX_FRAMES,
  NEXT_HOP,
  ORIGIN,
  PREFIXES,
  RECORD_TYPE,
  SEC,
  VP,
  WITHDRAWN,
} from './frame-layout.ts';
import { itemAt, metIn, scanFrames, textAt, textHash, textLength, texts, timeUsOf, valueAt } from './frame-scanner.ts';

const HAS_BMP_PEER = 1 << BMP_PEER;
const HAS_PREFIXES = 1 << PREFIXES;
const HAS_PATH = 1 << AS_PATH;
const HAS_WITHDRAWN = 1 << WITHDRAWN;
const NEEDED = (1 << RECORD_TYPE) | (1 << VP) | (1 << SEC);

const FIRST_ROOM = 256;
const HASH_OF_NOTHING = hashWord(hashWord(HASH_BASIS, HASH_BASIS), 0);

export class FastDecoder implements DecodedUpdates {
  count = 0;
  readonly vps = new Int32Array(MAX_FRAMES);
  readonly timesUs = new Float64Array(MAX_FRAMES);
  readonly paths = new Int32Array(MAX_FRAMES);
  readonly fingerprints = new Uint32Array(MAX_FRAMES);
  prefixes = new Int32Array(FIRST_ROOM);
  readonly withdrawnEnds = new Int32Array(MAX_FRAMES);
  readonly announcedEnds = new Int32Array(MAX_FRAMES);
  readonly unmonitored = new Int32Array(MAX_FRAMES);
  readonly #ids: RouteIds;
  #scanned = 0;
  #prefixCount = 0;
  /** Prefixes of the frame being read that nobody monitors. */
  #unmonitored = 0;
  /** Hashes of the scanned frames: of the VP by frame, and of the paths one after the other. */
  readonly #vpHashes = new Int32Array(MAX_FRAMES);
  readonly #pathHashes = new Int32Array(MAX_FRAMES);

  constructor(ids: RouteIds) {
    this.#ids = ids;
  }

  /**
   * Reads frames in their order, some at a time.
   * @param understood gets those that were understood; what it gets is valid until it returns. `first` is the place of the
   *   first of them in the list. Each of their paths is retained, for it to release
   * @param doubted called in order for each frame that the fast decoder gives up on: the general decoder may add a VP or prefix that later frames need
   */
  decode(
    frames: readonly Buffer[],
    understood: (read: DecodedUpdates, first: number) => void,
    doubted: (frame: Buffer, place: number) => void,
  ): void {
    for (let from = 0; from < frames.length; ) {
      const scanned = this.scan(frames, from);
      for (let at = 0; at < scanned; at++) {
        const read = this.read(at);
        if (read > 0) understood(this, from + at);
        at += read;
        if (at < scanned) doubted(frames[from + at], from + at);
      }
      from += scanned;
    }
  }

  /** Looks at frames from this one on: at as many as there is room for, one at least. Gives how many; then `read` them. */
  scan(frames: readonly Buffer[], from: number): number {
    const scanned = scanFrames(frames, from);
    this.#scanned = scanned;
    let paths = 0;
    for (let frame = 0; frame < scanned; frame++) {
      const met = metIn(frame);
      const hash = textHash(valueAt(frame, VP));
      this.#vpHashes[frame] = (met & (1 << IS_BMP)) === 0 ? hash : bmpHash(hash, textHash(valueAt(frame, BMP_PEER)));
      if ((met & HAS_PATH) !== 0) this.#pathHashes[paths++] = textHash(valueAt(frame, AS_PATH));
    }
    this.#ids.prefetchVps(this.#vpHashes, scanned);
    this.#ids.prefetchPaths(this.#pathHashes, paths);
    return scanned;
  }

  /**
   * Reads the scanned frames from `first` on, up to the first that is in doubt: the general decoder may learn a VP or prefix from it
   * that the frames after it need. Gives how many were read; the fields hold them until the next call.
   */
  read(first: number): number {
    this.#prefixCount = 0;
    let count = 0;
    while (first + count < this.#scanned && this.#readFrame(first + count, count)) count++;
    this.count = count;
    return count;
  }

  /** Reads the scanned frame, and notes it at this place. False: in doubt. */
  #readFrame(frame: number, place: number): boolean {
    const met = metIn(frame);
    if ((met & NEEDED) !== NEEDED) return false;
    const vp = this.#vpOf(frame, met);
    if (vp === UNKNOWN) return false;
    this.vps[place] = vp;
    this.timesUs[place] = timeUsOf(frame);
    this.#unmonitored = 0;
    if ((met & HAS_WITHDRAWN) !== 0) {
      if (!this.#readList(valueAt(frame, WITHDRAWN))) return false;
    } else if ((met & HAS_PREFIXES) === 0) {
      return false;
    }
    this.withdrawnEnds[place] = this.#prefixCount;
    this.paths[place] = 0;
    if ((met & HAS_PREFIXES) !== 0) {
      if ((met & HAS_PATH) === 0 || !this.#readList(valueAt(frame, PREFIXES)) || !this.#readPath(frame, place))
        return false;
      this.fingerprints[place] = attributeFingerprint(
        hashOf(frame, COMMUNITIES, met),
        hashOf(frame, NEXT_HOP, met),
        hashOf(frame, ORIGIN, met),
      );
    }
    this.announcedEnds[place] = this.#prefixCount;
    this.unmonitored[place] = this.#unmonitored;
    return true;
  }

  #vpOf(frame: number, met: number): number {
    const ids = this.#ids;
    const value = valueAt(frame, VP);
    const hash = this.#vpHashes[frame];
    if ((met & (1 << IS_BMP)) === 0) return ids.findVp(texts, textAt(value), textLength(value), hash);
    if ((met & HAS_BMP_PEER) === 0) return UNKNOWN;
    const router = ids.findRouter(texts, textAt(value), textLength(value), textHash(value));
    if (router === UNKNOWN) return UNKNOWN;
    const peer = valueAt(frame, BMP_PEER);
    return ids.findPeer(router, texts, textAt(peer), textLength(peer), hash);
  }

  /** An empty item is not a prefix, so it is never found. */
  #readList(list: number): boolean {
    const end = textLength(list);
    for (let item = textAt(list); item < end; item++) {
      const value = itemAt(item);
      const prefix = this.#ids.findPrefix(texts, textAt(value), textLength(value), textHash(value));
      if (prefix === UNKNOWN) return false;
      if (prefix === UNMONITORED) {
        this.#unmonitored++;
        continue;
      }
      if (this.#prefixCount === this.prefixes.length) this.prefixes = grown(this.prefixes);
      this.prefixes[this.#prefixCount++] = prefix;
    }
    return true;
  }

  /** The last that can be in doubt: what it retains would otherwise stay. */
  #readPath(frame: number, place: number): boolean {
    const ids = this.#ids;
    const value = valueAt(frame, AS_PATH);
    const isNeeded = this.#prefixCount > this.withdrawnEnds[place];
    const known = ids.findPath(texts, textAt(value), textLength(value), textHash(value));
    if (known !== UNKNOWN) {
      if (isNeeded) ids.retainPath((this.paths[place] = known));
      return true;
    }
    const path = ids.internPath(texts, textAt(value), textLength(value), textHash(value), this.vps[place]);
    if (path === UNKNOWN) return false;
    if (isNeeded) ids.retainPath((this.paths[place] = path));
    else ids.discardPath(path);
    return true;
  }
}

function hashOf(frame: number, place: number, met: number): number {
  return (met & (1 << place)) === 0 ? HASH_OF_NOTHING : textHash(valueAt(frame, place));
}

function grown(list: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(list.length * 2);
  longer.set(list);
  return longer;
}
