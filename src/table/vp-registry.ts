/** The vantage points heard of, each a small integer. */
import { type Speaker, type VantagePoint, vantagePointKey } from '../bgp/vantage-point.ts';
import { TextIndex } from './text-index.ts';

/** What `find` and `add` give when the bound is reached. */
export const VP_LIMIT = -2;

export class VpRegistry {
  readonly #limit: number;
  readonly #byKey = new Map<string, number>();
  /** BGP VPs by `ASN_IP`. */
  readonly #bgp = new TextIndex();
  /** Monitored routers (RFC 7854) by `ASN_IP`, and by the number of each its peers, which are the VPs. */
  readonly #routers = new TextIndex();
  readonly #peers: TextIndex[] = [];
  readonly #freeRouters: number[] = [];
  readonly #vps: (VantagePoint | undefined)[] = [];
  readonly #free: number[] = [];
  /** By VP: receipt of the last message, Unix ms; 0 before the first. */
  readonly lastHeardMs: number[] = [];
  /** By VP: cells of the table that hold a route or count as expected; a VP with none may be forgotten. */
  readonly cells: number[] = [];
  /** By VP: 1 while the list of VPs calls it down or ignored, or has it no more, and nothing was heard since. */
  readonly down: number[] = [];
  /** By VP: 1 while counted in `bgp_vps`. */
  readonly counted: number[] = [];
  /** By VP: 1 once a list of VPs had it, so that it means something when it is missing there. */
  readonly listed: number[] = [];
  /** By VP: how far its clock is behind, microseconds; 0 while it is right, or fast, or never told. */
  readonly clockOffsetUs: number[] = [];
  /** VPs whose clock is behind. */
  slowClocks = 0;
  /** By VP: bit 1 full feed in IPv4, bit 2 in IPv6. */
  readonly fullFeed: number[] = [];

  /** @param limit most VPs at once */
  constructor(limit: number) {
    this.#limit = limit;
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
    return this.#bgp.findWords(words, at, length, hash);
  }

  /** The monitored router that the stream spells with these bytes, or -1. */
  findRouter(words: Int32Array, at: number, length: number, hash: number): number {
    return this.#routers.findWords(words, at, length, hash);
  }

  /** The BMP VP that is the peer, spelt with these bytes, of a router that `findRouter` gave; or -1. */
  findPeer(router: number, words: Int32Array, at: number, length: number, hash: number): number {
    return this.#peers[router].findWords(words, at, length, hash);
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
    if (vp.parent === undefined) this.#bgp.set(spelling(vp), number);
    else this.#addPeer(vp.parent, vp, number);
    this.lastHeardMs[number] = 0;
    this.cells[number] = 0;
    this.down[number] = 0;
    this.counted[number] = 0;
    this.clockOffsetUs[number] = 0;
    this.fullFeed[number] = 0;
    this.listed[number] = 0;
    return number;
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
    if (known.parent === undefined) this.#bgp.delete(spelling(known));
    else this.#removePeer(known.parent, known);
  }

  #addPeer(parent: Speaker, peer: Speaker, number: number): void {
    let router = this.#routers.find(spelling(parent));
    if (router === -1) {
      router = this.#freeRouters.pop() ?? this.#peers.length;
      this.#routers.set(spelling(parent), router);
      this.#peers[router] = new TextIndex();
    }
    this.#peers[router].set(spelling(peer), number);
  }

  #removePeer(parent: Speaker, peer: Speaker): void {
    const router = this.#routers.find(spelling(parent));
    this.#peers[router].delete(spelling(peer));
    if (this.#peers[router].size > 0) return;
    this.#routers.delete(spelling(parent));
    this.#freeRouters.push(router);
  }
}

/** As the stream spells it when it spells it canonically. */
function spelling({ asn, ip }: Speaker): string {
  return `${asn}_${ip}`;
}
