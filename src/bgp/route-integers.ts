/**
 * What a decoder may ask of whoever keeps the routes, so that a frame becomes integers without a string in between. A text
 * comes as 32-bit words of ASCII, the first byte lowest: where it begins in a list of words, its length in bytes (what is
 * left of its last word is zero), and its hash, as `hashText` (table/store/text-index.ts) makes it.
 */

/** Where a hash begins: part of the contract, because the decoder hashes while it scans. */
export const HASH_BASIS = 0x811c9dc5 | 0;

/**
 * Adds a word to a hash. A step costs the same as FNV-1a takes for one byte, and mixes better: what the product carries
 * into the high bits comes back into the low ones.
 */
export function hashWord(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}

/** The hash by which a BMP VP is found, from that of its router and that of its peer. */
export function bmpHash(router: number, peer: number): number {
  return hashWord(router, peer);
}

/** Nobody asked for that prefix. */
export const UNMONITORED = 0;
/** Not met yet in this spelling: the general decoder has to find out. */
export const UNKNOWN = -1;

export interface RouteIds {
  /** The BGP VP spelt so (`ASN_IP`), or UNKNOWN. */
  findVp(words: Int32Array, at: number, length: number, hash: number): number;
  /** The router whose BMP feed it is (`ASN_IP`), or UNKNOWN. */
  findRouter(words: Int32Array, at: number, length: number, hash: number): number;
  /** The BMP VP: the peer (`ASN_IP`) of a router that `findRouter` gave, or UNKNOWN. The hash is `bmpHash` of both. */
  findPeer(router: number, words: Int32Array, at: number, length: number, hash: number): number;
  /** Begins to fetch from memory what `findVp` and `findPeer` will read for these hashes, so that the waits for it overlap. */
  prefetchVps(hashes: Int32Array, count: number): void;
  /** A prefix with state (above 0), UNMONITORED, or UNKNOWN. */
  findPrefix(words: Int32Array, at: number, length: number, hash: number): number;
  /** Begins to fetch from memory what `findPath` will read for these hashes, so that the waits for it overlap. */
  prefetchPaths(hashes: Int32Array, count: number): void;
  /** The path, or UNKNOWN: then `internPath`. */
  findPath(words: Int32Array, at: number, length: number, hash: number): number;
  /** The path, added when new; UNKNOWN when the text is not a path, or one for which there is no room. */
  internPath(words: Int32Array, at: number, length: number, hash: number, vp: number): number;
  /** Holds a path that `findPath` or `internPath` gave, until whoever takes the frame lets it go. */
  retainPath(path: number): void;
  /** Forgets a path that `internPath` added and that is not needed after all. */
  discardPath(path: number): void;
}

/**
 * Messages that came one after the other, as integers, side by side; valid until the next are read. The path of each is
 * retained, for whoever takes the frames to release it.
 */
export interface DecodedUpdates {
  readonly count: number;
  readonly vps: Int32Array;
  /** Unix microseconds. */
  readonly timesUs: Float64Array;
  /** 0 where nothing is announced. */
  readonly paths: Int32Array;
  /** Only with announcements. */
  readonly fingerprints: Uint32Array;
  /** Prefixes with state, of all frames: of each first those withdrawn, then those announced. */
  readonly prefixes: Int32Array;
  /** By frame: one behind its last withdrawn, and its last announced prefix. */
  readonly withdrawnEnds: Int32Array;
  readonly announcedEnds: Int32Array;
  /** Announcements and withdrawals of prefixes that nobody asked for. */
  readonly unmonitored: Int32Array;
}

/** Tells announcements with the same path apart, from the hashes of their other attributes; never 0, which is unknown. */
export function attributeFingerprint(communities: number, nextHop: number, originAttribute: number): number {
  const mixed = Math.imul(Math.imul(communities, 31) ^ nextHop, 0x9e3779b1) ^ originAttribute;
  return mixed >>> 0 || 1;
}

/** The place of the first frame that has prefixes, none of which is monitored. */
export function firstUnmonitored({ count, unmonitored, announcedEnds }: DecodedUpdates): number | undefined {
  for (let place = 0, from = 0; place < count; from = announcedEnds[place++]) {
    if (unmonitored[place] > 0 && announcedEnds[place] === from) return place;
  }
  return undefined;
}
