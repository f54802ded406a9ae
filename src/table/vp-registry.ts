/** The vantage points heard of, each a small integer. */
import { parseSpeaker, type VantagePoint, vantagePointKey } from '../bgp/vantage-point.ts';
import { TextIndex } from './text-index.ts';

/** What `find` and `add` give when the bound is reached. */
export const VP_LIMIT = -2;

/** Spellings of one VP kept beside its canonical key; what is over this is looked up the slow way. */
const MAX_SPELLINGS = 65_536;

export class VpRegistry {
  readonly #limit: number;
  readonly #byKey = new Map<string, number>();
  /** `ASN_IP` of BGP VPs as the stream spells them. */
  readonly #spellings = new TextIndex();
  readonly #vps: (VantagePoint | undefined)[] = [];
  readonly #free: number[] = [];
  /** By VP: receipt of the last message, Unix ms; 0 before the first. */
  readonly lastHeardMs: number[] = [];
  /** By VP: cells of the table that hold a route or count as expected; a VP with none may be forgotten. */
  readonly cells: number[] = [];
  /** By VP: 1 while the Data API says that its session is down and nothing was heard since. */
  readonly down: number[] = [];
  /** By VP: 1 while counted in `bgp_vps`. */
  readonly counted: number[] = [];
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
  findBytes(bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.#spellings.findBytes(bytes, start, end, hash);
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
    this.lastHeardMs[number] = 0;
    this.cells[number] = 0;
    this.down[number] = 0;
    this.counted[number] = 0;
    this.fullFeed[number] = 0;
    return number;
  }

  /** Remembers how the stream spells a BGP VP, so that the next message needs no string. */
  addSpelling(text: string, vp: number): void {
    if (this.#spellings.size >= MAX_SPELLINGS) this.#spellings.clear();
    this.#spellings.set(text, vp);
  }

  /** Forgets a VP; its number will be given to another, so whoever keeps something by it must have dropped that. */
  remove(vp: number): void {
    const known = this.#vps[vp];
    if (known === undefined) return;
    this.#byKey.delete(vantagePointKey(known));
    this.#vps[vp] = undefined;
    this.#free.push(vp);
    this.#spellings.clear();
  }
}

/** A BGP VP from the stream's `ASN_IP`; undefined when it is not one. */
export function bgpVantagePoint(text: string): VantagePoint | undefined {
  const speaker = parseSpeaker(text);
  return speaker && { protocol: 'bgp', ...speaker };
}
