/**
 * Validated ROA payloads (VRPs, RFC 6811 section 2): prefix, longest length, AS. A set keeps what concerns its scope.
 *
 * A VRP takes 20 bytes for IPv4 and 32 for IPv6, in chunks that never move, beside an index by prefix. Adding one costs
 * little, however many there are: when the index grows, each VRP that is added moves a small part of it.
 */
import { type Afi, formatAddress, MAX_LENGTH, maskWords, type Prefix } from '../bgp/prefix.ts';
import { ADDRESS_WORDS, type RpkiScope } from './scope.ts';

/** One VRP; `maxLength` is at least the length of the prefix. */
export interface Vrp {
  /** Canonical text. */
  readonly prefix: string;
  readonly length: number;
  readonly maxLength: number;
  /** 0: no AS may announce the prefix (RFC 6483 section 4). */
  readonly asn: number;
  /** Unix seconds from which on it must not be used; 0: not said. */
  readonly expiresS: number;
}

/** A VRP as a reader hands it over; the reader may reuse the object. */
export interface ReadVrp {
  readonly afi: Afi;
  /** The address as unsigned words, host bits cleared: one for IPv4, four for IPv6 (more are ignored). */
  readonly words: ArrayLike<number>;
  readonly length: number;
  readonly maxLength: number;
  readonly asn: number;
  /** Unix seconds from which on it must not be used; 0: not said. */
  readonly expiresS: number;
}

/** What adding did: nothing when the scope does not want it, or when it is there already. */
export type Addition = 'added' | 'present' | 'elsewhere' | 'full';

/** Most VRPs of one prefix. The RPKI has some tens for the busiest prefix; thousands would make each look-up slow. */
export const MAX_VRPS_PER_PREFIX = 1_024;

/** VRPs kept of one set, by the number of entries of both families. Twice what the whole RPKI has. */
export const MAX_KEPT_VRPS = 2_000_000;

export class VrpSet {
  readonly scope: RpkiScope;
  readonly #stores: Readonly<Record<Afi, VrpStore>> = { ipv4: new VrpStore('ipv4'), ipv6: new VrpStore('ipv6') };
  /** Grows whenever the set changes. */
  version = 0;

  constructor(scope: RpkiScope) {
    this.scope = scope;
  }

  /** VRPs kept. */
  get size(): number {
    return this.#stores.ipv4.size + this.#stores.ipv6.size;
  }

  /** Bytes that the set takes outside of small objects. */
  get bytes(): number {
    return this.#stores.ipv4.bytes + this.#stores.ipv6.bytes;
  }

  /** `full`: the set or the prefix has as many as it may; such a set must not be used, because a verdict could be wrong. */
  add(vrp: ReadVrp): Addition {
    if (!this.scope.concerns(vrp.afi, vrp.words, vrp.length)) return 'elsewhere';
    const store = this.#stores[vrp.afi];
    const addition = this.size >= MAX_KEPT_VRPS ? store.renew(vrp) : store.add(vrp);
    if (addition === 'added') this.version++;
    return addition;
  }

  /** False when it was not there. */
  remove(vrp: ReadVrp): boolean {
    const removed = this.#stores[vrp.afi].remove(vrp);
    if (removed) this.version++;
    return removed;
  }

  has(vrp: ReadVrp): boolean {
    return this.#stores[vrp.afi].has(vrp);
  }

  /**
   * All VRPs whose prefix contains this one or equals it; shortest first, then by AS and longest length.
   * @param nowS Unix seconds; what has expired by then is left out
   */
  covering(prefix: Prefix, nowS: number): Vrp[] {
    const found = this.#stores[prefix.afi].covering(prefix, nowS);
    return found.sort((a, b) => a.length - b.length || a.asn - b.asn || a.maxLength - b.maxLength);
  }
}

/** Entries of a chunk, as a power of two. */
const CHUNK_BITS = 12;
const CHUNK_MASK = (1 << CHUNK_BITS) - 1;
const FIRST_HEADS = 1 << 10;
/** The index grows eightfold, for the last time at 131,072 entries. */
const HEADS_GROWTH = 8;
const MOST_HEADS = 1 << 19;
/** Heads that an addition moves while the index grows. One would do: it grows again after fourteen times as many additions. */
const HEADS_A_MOVE = 8;

/** The VRPs of one family. Numbers of entries begin at 1; 0 is none. */
class VrpStore {
  size = 0;
  readonly #width: number;
  /** Words of an entry: address, AS, lengths (the prefix's, and above it the longest), expiry, next entry of its chain. */
  readonly #stride: number;
  readonly #chunks: Uint32Array[] = [];
  #heads = new Uint32Array(FIRST_HEADS);
  /** The heads before the index grew, while they are moved: those below `#moved` are in `#heads` by now. */
  #former: Uint32Array | undefined;
  #moved = 0;
  #end = 1;
  /** The first entry that was given back; each has the next one in its last word. */
  #free = 0;
  /** How many VRPs there are by the length of their prefix. */
  readonly #perLength: Uint32Array;

  constructor(afi: Afi) {
    this.#width = ADDRESS_WORDS[afi];
    this.#stride = this.#width + 4;
    this.#perLength = new Uint32Array(MAX_LENGTH[afi] + 1);
  }

  get bytes(): number {
    return (
      this.#heads.byteLength +
      (this.#former?.byteLength ?? 0) +
      this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
    );
  }

  add(vrp: ReadVrp): 'added' | 'present' | 'full' {
    const known = this.#find(vrp, true);
    if (known !== undefined) return known;
    if (this.#former !== undefined) this.#move(this.#former);
    else if (this.size >= 2 * this.#heads.length && this.#heads.length < MOST_HEADS) this.#grow();
    const entry = this.#takeEntry();
    const chunk = this.#chunks[entry >>> CHUNK_BITS];
    const at = (entry & CHUNK_MASK) * this.#stride;
    const width = this.#width;
    for (let i = 0; i < width; i++) chunk[at + i] = vrp.words[i];
    const hash = this.#hash(vrp.words, 0, vrp.length);
    const heads = this.#headsOf(hash);
    const head = hash & (heads.length - 1);
    chunk[at + width] = vrp.asn;
    chunk[at + width + 1] = lengthsOf(vrp);
    chunk[at + width + 2] = vrp.expiresS;
    chunk[at + width + 3] = heads[head];
    heads[head] = entry;
    this.#perLength[vrp.length]++;
    this.size++;
    return 'added';
  }

  /** Takes a VRP into a full set: if the VRP is there, only its expiry changes. */
  renew(vrp: ReadVrp): 'present' | 'full' {
    return this.#find(vrp, true) ?? 'full';
  }

  has(vrp: ReadVrp): boolean {
    return this.#find(vrp, false) === 'present';
  }

  /**
   * `present`: the VRP is there, and with `renews` the later of two expiries holds from now on; `full`: its prefix has as many
   * VRPs as it may; undefined: it is to be added.
   */
  #find(vrp: ReadVrp, renews: boolean): 'present' | 'full' | undefined {
    const width = this.#width;
    const lengths = lengthsOf(vrp);
    let ofPrefix = 0;
    for (let entry = this.#first(vrp.words, vrp.length); entry !== 0; ) {
      const chunk = this.#chunks[entry >>> CHUNK_BITS];
      const at = (entry & CHUNK_MASK) * this.#stride;
      if (isOf(chunk, at, width, vrp.words, vrp.length)) {
        if (chunk[at + width] === vrp.asn && chunk[at + width + 1] === lengths) {
          const before = chunk[at + width + 2];
          const later = before === 0 || vrp.expiresS === 0 ? 0 : Math.max(before, vrp.expiresS);
          if (renews) chunk[at + width + 2] = later;
          return 'present';
        }
        if (++ofPrefix >= MAX_VRPS_PER_PREFIX) return 'full';
      }
      entry = chunk[at + width + 3];
    }
    return undefined;
  }

  remove(vrp: ReadVrp): boolean {
    const width = this.#width;
    const next = width + 3;
    const lengths = lengthsOf(vrp);
    const hash = this.#hash(vrp.words, 0, vrp.length);
    const heads = this.#headsOf(hash);
    const head = hash & (heads.length - 1);
    let before = 0;
    for (let entry = heads[head]; entry !== 0; ) {
      const chunk = this.#chunks[entry >>> CHUNK_BITS];
      const at = (entry & CHUNK_MASK) * this.#stride;
      const after = chunk[at + next];
      const isSame = chunk[at + width] === vrp.asn && chunk[at + width + 1] === lengths;
      if (isSame && isOf(chunk, at, width, vrp.words, vrp.length)) {
        if (before === 0) heads[head] = after;
        else this.#chunks[before >>> CHUNK_BITS][(before & CHUNK_MASK) * this.#stride + next] = after;
        chunk[at + next] = this.#free;
        this.#free = entry;
        this.#perLength[vrp.length]--;
        this.size--;
        return true;
      }
      before = entry;
      entry = after;
    }
    return false;
  }

  covering(prefix: Prefix, nowS: number): Vrp[] {
    const found: Vrp[] = [];
    const width = this.#width;
    for (let length = 0; length <= prefix.length; length++) {
      if (this.#perLength[length] === 0) continue;
      const words = maskWords(prefix.words, length);
      for (let entry = this.#first(words, length); entry !== 0; ) {
        const chunk = this.#chunks[entry >>> CHUNK_BITS];
        const at = (entry & CHUNK_MASK) * this.#stride;
        const expiresS = chunk[at + width + 2];
        if ((expiresS === 0 || expiresS > nowS) && isOf(chunk, at, width, words, length)) {
          const text = `${formatAddress(words)}/${length}`;
          const maxLength = chunk[at + width + 1] >>> 8;
          found.push({ prefix: text, length, maxLength, asn: chunk[at + width], expiresS });
        }
        entry = chunk[at + width + 3];
      }
    }
    return found;
  }

  #first(words: ArrayLike<number>, length: number): number {
    const hash = this.#hash(words, 0, length);
    const heads = this.#headsOf(hash);
    return heads[hash & (heads.length - 1)];
  }

  /** Where the head of the chain is. */
  #headsOf(hash: number): Uint32Array {
    const former = this.#former;
    return former !== undefined && (hash & (former.length - 1)) >= this.#moved ? former : this.#heads;
  }

  #hash(words: ArrayLike<number>, at: number, length: number): number {
    let hash = length;
    for (let i = 0; i < this.#width; i++) {
      hash = Math.imul(hash ^ words[at + i], 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x85ebca6b);
    return (hash ^ (hash >>> 13)) >>> 0;
  }

  #takeEntry(): number {
    const entry = this.#free;
    if (entry !== 0) {
      this.#free = this.#chunks[entry >>> CHUNK_BITS][(entry & CHUNK_MASK) * this.#stride + this.#width + 3];
      return entry;
    }
    if (this.#end >>> CHUNK_BITS === this.#chunks.length)
      this.#chunks.push(new Uint32Array((CHUNK_MASK + 1) * this.#stride));
    return this.#end++;
  }

  #grow(): void {
    this.#former = this.#heads;
    this.#moved = 0;
    this.#heads = new Uint32Array(HEADS_GROWTH * this.#former.length);
  }

  /** Moves the chains of the next few heads. */
  #move(former: Uint32Array): void {
    const next = this.#width + 3;
    const end = Math.min(former.length, this.#moved + HEADS_A_MOVE);
    for (; this.#moved < end; this.#moved++) {
      for (let entry = former[this.#moved]; entry !== 0; ) {
        const chunk = this.#chunks[entry >>> CHUNK_BITS];
        const at = (entry & CHUNK_MASK) * this.#stride;
        const after = chunk[at + next];
        const head = this.#hash(chunk, at, chunk[at + this.#width + 1] & 0xff) & (this.#heads.length - 1);
        chunk[at + next] = this.#heads[head];
        this.#heads[head] = entry;
        entry = after;
      }
    }
    if (end === former.length) this.#former = undefined;
  }
}

function lengthsOf({ length, maxLength }: ReadVrp): number {
  return length | (maxLength << 8);
}

/** Whether the entry at `at` is of this prefix. */
function isOf(chunk: Uint32Array, at: number, width: number, words: ArrayLike<number>, length: number): boolean {
  for (let i = 0; i < width; i++) if (chunk[at + i] !== words[i]) return false;
  return (chunk[at + width + 1] & 0xff) === length;
}
