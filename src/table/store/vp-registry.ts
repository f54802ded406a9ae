/** The vantage points heard of, each a small integer. */

import { bmpHash } from '../../bgp/route-integers.ts';
import { type Speaker, type VantagePoint, vantagePointKey } from '../../bgp/vantage-point.ts';
import { type ListedPlace, VpPlaces } from '../vps/vp-places.ts';
import { hashText, TextIndex } from './text-index.ts';
import { NO_ROUTER, VpIndex } from './vp-index.ts';

/** What `find` and `add` give when the bound is reached. */
export const VP_LIMIT = -2;

export class VpRegistry {
  readonly #limit: number;
  readonly #byKey = new Map<string, number>();
  /** BGP VPs by `ASN_IP`, BMP VPs by that of the peer and the number of the router. */
  readonly #bySpelling = new VpIndex();
  /** Monitored routers (RFC 7854) by `ASN_IP`, and by the number of each how many of its peers are there. */
  readonly #routers = new TextIndex();
  readonly #peers: number[] = [];
  readonly #freeRouters: number[] = [];
  readonly #vps: (VantagePoint | undefined)[] = [];
  readonly #free: number[] = [];
  /** By VP: receipt of the last message, Unix ms; 0 before the first. */
  readonly lastHeardMs: Float64Array;
  /** By VP: cells of the table that hold a route or count as expected; a VP with none may be forgotten. */
  readonly cells: Uint32Array;
  /** By VP: 1 while the list of VPs calls it down or ignored, or has it no more, and nothing was heard since. */
  readonly down: Uint8Array;
  /** By VP: 1 while counted in `bgp_vps`. */
  readonly counted: Uint8Array;
  /** By VP: 1 once a list of VPs had it, so that it means something when it is missing there. */
  readonly listed: Uint8Array;
  /** By VP: how far its clock is behind, microseconds; 0 while it is right, or fast, or never told. */
  readonly clockOffsetUs: Float64Array;
  /** VPs whose clock is behind. */
  slowClocks = 0;
  /** By VP: bit 1 full feed in IPv4, bit 2 in IPv6. */
  readonly fullFeed: Uint8Array;
  /** By VP: the number of its place in `places`. */
  readonly place: Uint16Array;
  readonly places = new VpPlaces();

  /** @param limit most VPs at once */
  constructor(limit: number) {
    this.#limit = limit;
    // A byte each where that is enough: what every message reads then stays in the nearest cache.
    this.lastHeardMs = new Float64Array(limit);
    this.cells = new Uint32Array(limit);
    this.down = new Uint8Array(limit);
    this.counted = new Uint8Array(limit);
    this.listed = new Uint8Array(limit);
    this.clockOffsetUs = new Float64Array(limit);
    this.fullFeed = new Uint8Array(limit);
    this.place = new Uint16Array(limit);
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** One above the highest number in use. */
  get end(): number {
    return this.#vps.length;
  }

  get(vp: number): VantagePoint | undefined {
    return this.#vps[vp];
  }

  /** The BGP VP that the stream spells with these bytes (`ASN_IP`), or -1. */
  findWords(words: Int32Array, at: number, length: number, hash: number): number {
    return this.#bySpelling.find(NO_ROUTER, words, at, length, hash);
  }

  /** The monitored router that the stream spells with these bytes, or -1. */
  findRouter(words: Int32Array, at: number, length: number, hash: number): number {
    return this.#routers.findWords(words, at, length, hash);
  }

  /** The BMP VP that is the peer, spelt with these bytes, of a router that `findRouter` gave; or -1. The hash is `bmpHash` of both. */
  findPeer(router: number, words: Int32Array, at: number, length: number, hash: number): number {
    return this.#bySpelling.find(router, words, at, length, hash);
  }

  /** Begins to fetch from memory what `findWords` and `findPeer` will read for these hashes. */
  prefetch(hashes: Int32Array, count: number): void {
    this.#bySpelling.prefetch(hashes, count);
  }

  find(vp: VantagePoint): number {
    return this.#byKey.get(vantagePointKey(vp)) ?? -1;
  }

  /** The VP's number, added when new; VP_LIMIT when there is no room. */
  add(vp: VantagePoint): number {
    const key = vantagePointKey(vp);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#byKey.size >= this.#limit) return VP_LIMIT;
    const number = this.#free.pop() ?? this.#vps.length;
    this.#vps[number] = vp;
    this.#byKey.set(key, number);
    this.#bySpelling.add(
      number,
      vp.parent === undefined ? NO_ROUTER : this.#addPeer(vp.parent),
      spelling(vp),
      hashOf(vp),
    );
    this.lastHeardMs[number] = 0;
    this.cells[number] = 0;
    this.down[number] = 0;
    this.counted[number] = 0;
    this.clockOffsetUs[number] = 0;
    this.fullFeed[number] = 0;
    this.listed[number] = 0;
    this.place[number] = this.places.find(key);
    return number;
  }

  /**
   * Takes over where the VPs are, from the list of the source at this place.
   * @returns whether a VP that is here is elsewhere now
   */
  learnPlaces(teller: number, vps: Iterable<ListedPlace>): boolean {
    this.places.learn(teller, vps);
    let hasChanged = false;
    for (const [key, number] of this.#byKey) {
      const place = this.places.find(key);
      if (place !== this.place[number]) hasChanged = true;
      this.place[number] = place;
    }
    return hasChanged;
  }

  /** Notes how far the VP's clock is behind, microseconds. */
  setClockOffset(vp: number, offsetUs: number): void {
    this.slowClocks += (offsetUs === 0 ? 0 : 1) - (this.clockOffsetUs[vp] === 0 ? 0 : 1);
    this.clockOffsetUs[vp] = offsetUs;
  }

  /** Forgets a VP; its number will be given to another, so whoever keeps something by it must have dropped that. */
  remove(vp: number): void {
    const known = this.#vps[vp];
    if (known === undefined) return;
    this.setClockOffset(vp, 0);
    this.#byKey.delete(vantagePointKey(known));
    this.#vps[vp] = undefined;
    this.#free.push(vp);
    this.#bySpelling.delete(vp, hashOf(known));
    if (known.parent !== undefined) this.#removePeer(known.parent);
  }

  /** The router's number, which has one peer more. */
  #addPeer(router: Speaker): number {
    const known = this.#routers.find(spelling(router));
    const number = known !== -1 ? known : (this.#freeRouters.pop() ?? this.#peers.length);
    if (known === -1) {
      this.#routers.set(spelling(router), number);
      this.#peers[number] = 0;
    }
    this.#peers[number]++;
    return number;
  }

  #removePeer(router: Speaker): void {
    const number = this.#routers.find(spelling(router));
    if (--this.#peers[number] > 0) return;
    this.#routers.delete(spelling(router));
    this.#freeRouters.push(number);
  }
}

/** The canonical one of the spellings that the stream may use. */
function spelling({ asn, ip }: Speaker): string {
  return `${asn}_${ip}`;
}

function hashOf(vp: VantagePoint): number {
  const hash = hashText(spelling(vp));
  return vp.parent === undefined ? hash : bmpHash(hashText(spelling(vp.parent)), hash);
}
