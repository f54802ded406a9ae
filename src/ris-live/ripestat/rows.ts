/**
 * Reads the answers of RIPEstat (https://stat.ripe.net/docs/data_api): the peers of the collectors, and which route each of
 * them held. Total: what cannot be read is counted by a reason from a closed list, and left out.
 */
import type { Afi, Prefix } from '../../bgp/prefix.ts';
import { containsPrefix, formatAddress, parseAddress, parsePrefix } from '../../bgp/prefix.ts';
import { countryOf } from '../../bgp/regions.ts';
import type { VantagePoint } from '../../bgp/vantage-point.ts';
import { asnOf, communitiesText, pathText } from '../route-text.ts';

/** Why a route of an answer is left out. */
export const RIPESTAT_SKIPPED = [
  'shape', // not an object with the documented keys
  'source', // a source_id that is not `COLLECTOR-ADDRESS`
  'prefix',
  'as_path',
  'kind', // an update that is neither an announcement nor a withdrawal, or has no time
  'unasked', // a prefix that was not asked for
  'unlisted_peer', // a peer that rrc-info does not list, or lists without prefixes of the family: its routes are stale
  'duplicate', // two collectors hear the same peer: the first collector counts
] as const;
/** One of `RIPESTAT_SKIPPED`. */
export type RipestatSkipped = (typeof RIPESTAT_SKIPPED)[number];
export type SkippedCounts = Record<RipestatSkipped, number>;

/** Reasons that show an answer in another form than the documented one. */
const DAMAGE: readonly RipestatSkipped[] = ['shape', 'source', 'prefix', 'as_path', 'kind'];

/** One peer of one collector. */
export interface RisPeer {
  /** In its short name, `rrc21`. */
  readonly collector: string;
  /** Where the collector and its peer are: the two letters of ISO 3166. Empty for a multi-hop collector, whose peers are anywhere. */
  readonly country: string;
  /** Unique: collector, address and AS, `rrc21 192.0.2.1 64496`. */
  readonly id: string;
  readonly vp: VantagePoint;
  /** Prefixes that the peer announces. */
  readonly prefixes: Readonly<Record<Afi, number>>;
  /** Whether RIPE counts it as a peer with a full table. */
  readonly fullFeed: Readonly<Record<Afi, boolean>>;
}

/** What one peer held for one prefix. */
export interface StateRow {
  readonly vp: VantagePoint;
  /** Canonical text. */
  readonly prefix: string;
  /** Known to parse (see as-path.ts). */
  readonly asPath: string;
  /** Blank separated; empty when there are none. */
  readonly communities: string;
}

/** One announcement or withdrawal of one peer and prefix. */
export interface ToldRow extends StateRow {
  /** Unix microseconds, of a whole second. */
  readonly timeUs: number;
  /** Announcement or withdrawal; path and communities of a withdrawal are empty. */
  readonly kind: 'A' | 'W';
}

/** An answer of bgp-state. */
export interface StateAnswer {
  /** The time of the state, Unix ms: what the service says, not what it was asked. */
  readonly atMs: number;
  readonly rows: readonly StateRow[];
  readonly skipped: Readonly<SkippedCounts>;
}

type JsonObject = Readonly<Record<string, unknown>>;

export function noneSkipped(): SkippedCounts {
  return Object.fromEntries(RIPESTAT_SKIPPED.map((reason) => [reason, 0])) as SkippedCounts;
}

/** How many rows were skipped because the answer is not as documented. */
export function damageOf(skipped: Readonly<SkippedCounts>): number {
  return DAMAGE.reduce((sum, reason) => sum + skipped[reason], 0);
}

/**
 * `data` of rrc-info: the peers of all collectors that are active. Undefined when it is not the documented form.
 * @returns peers in the order of the answer, and how many could not be read
 */
export function readPeers(data: unknown): { readonly peers: readonly RisPeer[]; readonly unread: number } | undefined {
  const rrcs = isObject(data) ? data.rrcs : undefined;
  if (!Array.isArray(rrcs)) return undefined;
  const peers: RisPeer[] = [];
  let unread = 0;
  for (const rrc of rrcs as readonly unknown[]) {
    const collector = isObject(rrc) ? collectorOf(rrc.id, rrc.name) : undefined;
    if (!isObject(rrc) || collector === undefined || !Array.isArray(rrc.peers)) {
      unread++;
      continue;
    }
    if (typeof rrc.deactivated_on === 'string' && rrc.deactivated_on !== '') continue;
    const country = countryOfCollector(rrc);
    for (const peer of rrc.peers as readonly unknown[]) {
      const read = isObject(peer) ? readPeer(peer, collector, country) : undefined;
      if (read === undefined) unread++;
      else peers.push(read);
    }
  }
  return { peers, unread };
}

function readPeer(peer: JsonObject, collector: string, country: string): RisPeer | undefined {
  const asn = asnOf(peer.asn);
  const ip = addressOf(peer.ip);
  if (asn === undefined || ip === undefined) return undefined;
  return {
    collector,
    country,
    id: `${collector} ${ip} ${asn}`,
    vp: { protocol: 'bgp', asn, ip },
    prefixes: { ipv4: countOf(peer.v4_prefix_count), ipv6: countOf(peer.v6_prefix_count) },
    fullFeed: { ipv4: peer.is_full_feed_v4 === true, ipv6: peer.is_full_feed_v6 === true },
  };
}

/** The country of a place such as `London, GB`, `Palo Alto, CA, US` or `Amsterdam, Netherlands`. */
function countryOfCollector({ multihop, geographical_location: place }: JsonObject): string {
  if (multihop === true || typeof place !== 'string' || place.length > 200) return '';
  return countryOf(place.slice(place.lastIndexOf(',') + 1));
}

/** `rrc00` of the number 0, or of a name such as `RRC00`. */
function collectorOf(id: unknown, name: unknown): string | undefined {
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= 999)
    return `rrc${String(id).padStart(2, '0')}`;
  return typeof name === 'string' && /^rrc[0-9]{2,3}$/i.test(name) ? name.toLowerCase() : undefined;
}

/** Canonical text. */
function addressOf(value: unknown): string | undefined {
  const words = typeof value === 'string' && value.length <= 45 ? parseAddress(value) : undefined;
  return words === undefined ? undefined : formatAddress(words);
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;
}

/** Finds a peer by the `source_id` of a route. */
export class PeerIndex {
  /** By `COLLECTOR ADDRESS`: sessions with different ASes may share an address. */
  readonly #byAddress = new Map<string, RisPeer[]>();

  constructor(peers: readonly RisPeer[]) {
    for (const peer of peers) {
      const key = `${peer.collector} ${peer.vp.ip}`;
      const known = this.#byAddress.get(key);
      if (known === undefined) this.#byAddress.set(key, [peer]);
      else known.push(peer);
    }
  }

  /**
   * The peer that the route of a prefix came from. The service does not tell the AS: where an address has several, it is the
   * one that the path begins with. Undefined where the list has no such peer, or one that announces nothing of the family.
   */
  find(collector: string, ip: string, firstAsn: string, afi: Afi): RisPeer | undefined {
    const peers = this.#byAddress.get(`${collector} ${ip}`)?.filter(({ prefixes }) => prefixes[afi] > 0) ?? [];
    return peers.length === 1 ? peers[0] : peers.find(({ vp }) => String(vp.asn) === firstAsn);
  }
}

/**
 * `data` of bgp-state. Undefined when it is not the documented form, or does not tell its time.
 * @param asked the prefixes that were asked for, canonical; rows of others are left out
 */
export function readState(data: unknown, asked: ReadonlySet<string>, peers: PeerIndex): StateAnswer | undefined {
  if (!isObject(data) || !Array.isArray(data.bgp_state)) return undefined;
  const atMs = timeOf(data.timestamp) ?? timeOf(data.query_time);
  if (atMs === undefined) return undefined;
  const skipped = noneSkipped();
  /** By prefix and VP: the row, and the collector that it came from. */
  const found = new Map<string, { readonly collector: string; readonly row: StateRow }>();
  const prefixes = new Map<unknown, Prefix | undefined>();
  for (const entry of data.bgp_state as readonly unknown[]) {
    const read = isObject(entry) ? readRoute(entry, asked, peers, prefixes) : 'shape';
    if (typeof read === 'string') {
      skipped[read]++;
      continue;
    }
    const { row } = read;
    const key = `${row.prefix} ${row.vp.asn} ${row.vp.ip}`;
    const other = found.get(key);
    if (other !== undefined) skipped.duplicate++;
    if (other === undefined || read.collector < other.collector) found.set(key, read);
  }
  return { atMs, rows: [...found.values()].map(({ row }) => row), skipped };
}

/** The fields of one route or one update; a withdrawal has no path. */
function readRoute(
  entry: JsonObject,
  asked: ReadonlySet<string>,
  peers: PeerIndex,
  prefixes: Map<unknown, Prefix | undefined>,
  isWithdrawal = false,
): { readonly collector: string; readonly row: StateRow } | RipestatSkipped {
  const text = entry.target_prefix;
  if (!prefixes.has(text)) prefixes.set(text, typeof text === 'string' ? parsePrefix(text) : undefined);
  const prefix = prefixes.get(text);
  if (prefix === undefined) return 'prefix';
  if (!asked.has(prefix.text)) return 'unasked';
  const source = sourceOf(entry.source_id);
  if (source === undefined) return 'source';
  const asPath = isWithdrawal ? '' : pathText(entry.path);
  if (asPath === undefined) return 'as_path';
  const peer = peers.find(source.collector, source.ip, asPath.split(' ', 1)[0], prefix.afi);
  if (peer === undefined) return 'unlisted_peer';
  const communities = isWithdrawal ? '' : (communitiesText(entry.community) ?? '');
  return { collector: source.collector, row: { vp: peer.vp, prefix: prefix.text, asPath, communities } };
}

/** `data` of bgp-updates, in order of time. Undefined when it is not the documented form. */
export function readUpdates(
  data: unknown,
  asked: ReadonlySet<string>,
  peers: PeerIndex,
): { readonly rows: readonly ToldRow[]; readonly skipped: Readonly<SkippedCounts> } | undefined {
  if (!isObject(data) || !Array.isArray(data.updates)) return undefined;
  const skipped = noneSkipped();
  const rows: ToldRow[] = [];
  const prefixes = new Map<unknown, Prefix | undefined>();
  for (const entry of data.updates as readonly unknown[]) {
    const attrs = isObject(entry) ? entry.attrs : undefined;
    if (!isObject(entry) || !isObject(attrs)) {
      skipped.shape++;
      continue;
    }
    const { type: kind } = entry;
    const atMs = timeOf(entry.timestamp);
    if ((kind !== 'A' && kind !== 'W') || atMs === undefined) {
      skipped.kind++;
      continue;
    }
    const read = readRoute(attrs, asked, peers, prefixes, kind === 'W');
    if (typeof read === 'string') skipped[read]++;
    else rows.push({ ...read.row, timeUs: atMs * 1000, kind });
  }
  return { rows: rows.sort((a, b) => a.timeUs - b.timeUs), skipped };
}

/** `00-165.16.221.66`: the number of the collector, then the address of the peer. */
function sourceOf(value: unknown): { readonly collector: string; readonly ip: string } | undefined {
  const match = typeof value === 'string' ? /^([0-9]{2,3})-([0-9a-fA-F:.]{2,45})$/.exec(value) : null;
  const ip = addressOf(match?.[2]);
  return match === null || ip === undefined ? undefined : { collector: `rrc${match[1]}`, ip };
}

/** Unix ms of `YYYY-MM-DDTHH:MM:SS`, which is UTC, or of Unix seconds. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value > 0 && value < 1e11 ? Math.round(value * 1_000) : undefined;
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z?$/.test(value))
    return undefined;
  const atMs = Date.parse(`${value.slice(0, 10)}T${value.slice(11, 19)}Z`);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/**
 * `data` of related-prefixes: the prefixes inside `outer` that are announced, canonical, at most `limit`. Undefined when it
 * is not the documented form.
 */
export function readMoreSpecifics(data: unknown, outer: Prefix, limit: number): readonly string[] | undefined {
  if (!isObject(data) || !Array.isArray(data.prefixes)) return undefined;
  const inside = new Set<string>();
  for (const entry of data.prefixes as readonly unknown[]) {
    const text = isObject(entry) ? entry.prefix : undefined;
    const prefix = typeof text === 'string' ? parsePrefix(text) : undefined;
    if (prefix === undefined || prefix.length <= outer.length || !containsPrefix(outer, prefix)) continue;
    if (inside.size >= limit) break;
    inside.add(prefix.text);
  }
  return [...inside];
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
