/**
 * One frame of RIPE RIS Live (https://ris-live.ripe.net/manual/) as values of the exporter's vocabulary. Strict, and total:
 * whatever comes in, what comes out is one of a closed union, and what could not be read has a reason from a closed list.
 * All spellings that the service has used since 2019 are read.
 *
 * A peer of a collector is a `bgp` vantage point: its AS and its address. Two collectors that hear one address therefore
 * speak of one VP, as in the bgproutes.io stream.
 */
import { parsePrefix } from '../bgp/prefix.ts';
import type { RouteAttributes, RouteUpdate } from '../bgp/route-event.ts';
import { MAX_UPDATE_BYTES, MAX_UPDATE_PREFIXES, MAX_UPDATE_TEXT, prefixBytes } from '../bgp/update-bounds.ts';
import { parseSpeaker, type VantagePoint } from '../bgp/vantage-point.ts';
import { parseJson, whyNoObject } from '../input/json.ts';
import { asnOf, communitiesText, pathText } from './route-text.ts';

/** Closed list: it becomes a label. Reasons that the bgproutes.io stream has too have the same name. */
export const RIS_DECODE_FAILURES = [
  'too_large', // longer than JSON about one BGP message can be, or more prefixes than one can carry
  'invalid_json',
  'not_an_object',
  'service_error', // a `ris_error`: the service refused a request, or is about to close the connection
  'unknown_record_type',
  'invalid_vp',
  'invalid_time',
  'invalid_prefix', // at least one entry of a list; the others are applied
  'invalid_as_path', // the announcement is lost; withdrawals of the same message are applied
  'missing_as_path',
  'invalid_next_hop', // the announcement is applied without a next hop
  'invalid_communities', // the announcement is applied without communities
  'no_prefix', // path attributes without an announced prefix
  'invalid_peer_state', // a state that is neither up nor down
] as const;
/** One of `RIS_DECODE_FAILURES`. */
export type RisDecodeFailure = (typeof RIS_DECODE_FAILURES)[number];

/** The failures of frames that are not messages about routes: no route is lost with them. */
export const RIS_NOT_MESSAGES: readonly RisDecodeFailure[] = ['service_error', 'unknown_record_type'];

/** What every message about a peer has. */
export interface RisMessageFields {
  readonly vp: VantagePoint;
  /** When the collector had it, Unix microseconds. */
  readonly timeUs: number;
  /** The collector in its short name, `rrc21`; empty when the frame does not tell. */
  readonly host: string;
}

export type RisFrame =
  | (RisMessageFields & {
      readonly kind: 'routes';
      /**
       * At least one. All have the time and VP of the frame; the withdrawals are in the first. There are several when the
       * message announces prefixes with different next hops.
       */
      readonly updates: readonly RouteUpdate[];
      /** What of the message could not be read; mostly empty. */
      readonly failures: readonly RisDecodeFailure[];
    })
  /** The collector's connection to the peer: went up, or down, by a state message or a NOTIFICATION. */
  | (RisMessageFields & { readonly kind: 'peer_state'; readonly up: boolean })
  /** OPEN, KEEPALIVE, an End-of-RIB marker: the peer is alive, and no route changes. */
  | (RisMessageFields & { readonly kind: 'quiet' })
  | { readonly kind: 'pong' }
  /** A subscription was accepted. */
  | { readonly kind: 'subscribed' }
  /** The answer to `request_rrc_list`. */
  | { readonly kind: 'collectors'; readonly names: readonly string[] }
  /** `text`: what the service says, as it came, at most 300 characters. */
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: RisDecodeFailure };

type JsonObject = Readonly<Record<string, unknown>>;

/** Beyond the year 2200: not a time in seconds. */
const MAX_SEC = 7_258_118_400;
const MAX_ERROR_TEXT = 300;
const MAX_COLLECTORS = 256;
/** Texts of each kind that are remembered, and the longest of them. */
const MAX_REMEMBERED = 16_384;
const MAX_REMEMBERED_LENGTH = 49;
/** NOTIFICATION of a collision of two connections (RFC 4271 section 6.8): one of the two survives. */
const [CEASE, COLLISION] = [6, 7];

/**
 * Texts that were read already: a stream repeats its few thousand peers and prefixes all day, and to read an address costs
 * more than to parse the JSON around it. What is remembered changes no result.
 */
export class RisTexts {
  readonly #prefixes = new Map<string, string | undefined>();
  readonly #speakers = new Map<string, VantagePoint>();

  /** Canonical text; undefined when the text is not a prefix. */
  prefix(text: string): string | undefined {
    const known = this.#prefixes.get(text);
    if (known !== undefined || this.#prefixes.has(text)) return known;
    const canonical = parsePrefix(text)?.text;
    if (text.length <= MAX_REMEMBERED_LENGTH) {
      if (this.#prefixes.size >= MAX_REMEMBERED) this.#prefixes.clear();
      this.#prefixes.set(text, canonical);
    }
    return canonical;
  }

  /** The VP of an AS at an address; undefined when the text is not an address. */
  vp(asn: number, peer: string): VantagePoint | undefined {
    const known = this.#speakers.get(peer);
    if (known?.asn === asn) return known;
    const speaker = parseSpeaker(`${asn}_${peer}`);
    if (speaker === undefined) return undefined;
    const vp: VantagePoint = { protocol: 'bgp', asn: speaker.asn, ip: speaker.ip };
    if (this.#speakers.size >= MAX_REMEMBERED) this.#speakers.clear();
    this.#speakers.set(peer, vp);
    return vp;
  }
}

/**
 * @param text one text frame; bytes are read as UTF-8
 * @param texts the memory of texts, which a caller that decodes many frames keeps
 */
export function decodeRisFrame(text: string | Buffer, texts: RisTexts = new RisTexts()): RisFrame {
  if (text.length > MAX_UPDATE_TEXT) return failed('too_large');
  const failure = whyNoObject(text);
  if (failure !== undefined) return failed(failure);
  const value = parseJson(typeof text === 'string' ? text : text.toString('utf8'));
  if (value === undefined) return failed('invalid_json');
  if (!isObject(value)) return failed('not_an_object');
  switch (value.type) {
    case 'ris_message':
      return isObject(value.data) ? decodeMessage(value.data, texts) : failed('not_an_object');
    case 'pong':
      return { kind: 'pong' };
    case 'ris_subscribe_ok':
    case 'ris_unsubscribe_ok':
      return { kind: 'subscribed' };
    case 'ris_rrc_list':
      return { kind: 'collectors', names: namesOf(value.data) };
    case 'ris_error':
      return { kind: 'error', text: errorTextOf(value.data) };
    default:
      return failed('unknown_record_type');
  }
}

function failed(reason: RisDecodeFailure): RisFrame {
  return { kind: 'failed', reason };
}

function decodeMessage(data: JsonObject, texts: RisTexts): RisFrame {
  const { type } = data;
  if (!isMessageType(type)) return failed('unknown_record_type');
  const vp = vantagePointOf(data, texts);
  if (vp === undefined) return failed('invalid_vp');
  const timeUs = timeOf(data.timestamp);
  if (timeUs === undefined) return failed('invalid_time');
  const host = hostOf(data.host);
  switch (type) {
    case 'UPDATE':
      return decodeUpdate(data, { vp, timeUs, host }, texts);
    case 'STATE':
    case 'RIS_PEER_STATE':
      if (data.state === 'down') return { kind: 'peer_state', vp, timeUs, host, up: false };
      if (data.state !== 'connected' && data.state !== 'up') return failed('invalid_peer_state');
      return { kind: 'peer_state', vp, timeUs, host, up: true };
    case 'NOTIFICATION':
      return isCollision(data.notification)
        ? { kind: 'quiet', vp, timeUs, host }
        : { kind: 'peer_state', vp, timeUs, host, up: false };
    case 'OPEN':
    case 'KEEPALIVE':
      return { kind: 'quiet', vp, timeUs, host };
  }
}

const MESSAGE_TYPES = ['UPDATE', 'STATE', 'RIS_PEER_STATE', 'NOTIFICATION', 'OPEN', 'KEEPALIVE'] as const;

function isMessageType(type: unknown): type is (typeof MESSAGE_TYPES)[number] {
  return MESSAGE_TYPES.includes(type as (typeof MESSAGE_TYPES)[number]);
}

function vantagePointOf({ peer, peer_asn: peerAsn }: JsonObject, texts: RisTexts): VantagePoint | undefined {
  const asn = asnOf(peerAsn);
  return asn === undefined || typeof peer !== 'string' ? undefined : texts.vp(asn, peer);
}

/** Unix microseconds of seconds with a fraction, a number or its decimal text. */
function timeOf(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^[0-9]{1,10}(?:\.[0-9]{1,9})?$/.test(value) ? Number(value) : value;
  return typeof seconds === 'number' && seconds >= 0 && seconds < MAX_SEC ? Math.round(seconds * 1_000_000) : undefined;
}

function hostOf(value: unknown): string {
  if (typeof value !== 'string' || !/^rrc[0-9]{1,3}(?:\.ripe\.net)?$/.test(value)) return '';
  const dot = value.indexOf('.');
  return dot === -1 ? value : value.slice(0, dot);
}

function isCollision(notification: unknown): boolean {
  return isObject(notification) && notification.code === CEASE && notification.subcode === COLLISION;
}

/** What of an UPDATE is still free for prefixes. Below 0: the message had more than an UPDATE can carry, and reading has ended. */
interface Room {
  bytes: number;
  prefixes: number;
}

function isExceeded({ bytes, prefixes }: Room): boolean {
  return bytes < 0 || prefixes < 0;
}

/** Announced prefixes that share a next hop. */
interface Group {
  readonly prefixes: readonly string[];
  nextHop: string;
}

function decodeUpdate(data: JsonObject, fields: RisMessageFields, texts: RisTexts): RisFrame {
  const { vp, timeUs } = fields;
  const failures: RisDecodeFailure[] = [];
  const room: Room = { bytes: MAX_UPDATE_BYTES, prefixes: MAX_UPDATE_PREFIXES };
  const withdrawn = prefixesOf(data.withdrawals, failures, texts, room);
  const groups = groupsOf(data.announcements, failures, texts, room);
  if (isExceeded(room)) return failed('too_large');
  const attributes = groups.length === 0 ? undefined : attributesOf(data, failures);
  const updates: RouteUpdate[] = [];
  if (attributes !== undefined) {
    for (const { prefixes, nextHop } of groups) {
      const isFirst = updates.length === 0;
      updates.push({
        vp,
        timeUs,
        withdrawn: isFirst ? withdrawn : [],
        announced: prefixes,
        attributes: { ...attributes, nextHop },
      });
    }
  } else if (withdrawn.length > 0) updates.push({ vp, timeUs, withdrawn, announced: [] });
  if (updates.length > 0) return { kind: 'routes', ...fields, updates, failures };
  if (failures.length > 0) return failed(failures[0]);
  // An UPDATE of nothing ends the table that a peer sends at first (RFC 4724 section 2).
  const hasPath = Array.isArray(data.path) && data.path.length > 0;
  return hasPath ? failed('no_prefix') : { kind: 'quiet', ...fields };
}

function attributesOf(data: JsonObject, failures: RisDecodeFailure[]): Omit<RouteAttributes, 'nextHop'> | undefined {
  if (data.path === undefined || data.path === null) {
    note(failures, 'missing_as_path');
    return undefined;
  }
  const asPath = pathText(data.path);
  if (asPath === undefined) {
    note(failures, 'invalid_as_path');
    return undefined;
  }
  const communities = communitiesText(data.community);
  if (communities === undefined) note(failures, 'invalid_communities');
  return { asPath, communities: communities ?? '', originAttribute: originOf(data.origin) };
}

/**
 * `[{"next_hop": TEXT, "prefixes": [TEXT…]}…]`. Until 2021 an IPv6 route with a link-local next hop had two entries with
 * the same prefixes, one for each next hop: they are one announcement, as is a prefix that different entries repeat.
 */
function groupsOf(value: unknown, failures: RisDecodeFailure[], texts: RisTexts, room: Room): Group[] {
  const groups: Group[] = [];
  if (value === undefined || value === null) return groups;
  if (!Array.isArray(value)) {
    note(failures, 'invalid_prefix');
    return groups;
  }
  let announced: Set<string> | undefined;
  for (const entry of value as readonly unknown[]) {
    if (!isObject(entry)) {
      note(failures, 'invalid_prefix');
      continue;
    }
    const { bytes, prefixes: count } = room;
    let prefixes = prefixesOf(entry.prefixes, failures, texts, room);
    if (isExceeded(room)) return groups;
    if (prefixes.length === 0) continue;
    const nextHop = nextHopOf(entry.next_hop, failures);
    if (groups.length > 0) {
      announced ??= new Set(groups[0].prefixes);
      const known = announced;
      const last = groups[groups.length - 1];
      if (isSame(last.prefixes, prefixes)) {
        Object.assign(room, { bytes, prefixes: count }); // the message had them once
        if (nextHop !== '' && isFirstHopAlone(last.nextHop)) last.nextHop += `,${nextHop}`;
        continue;
      }
      prefixes = prefixes.filter((prefix) => !known.has(prefix));
      for (const prefix of prefixes) known.add(prefix);
      if (prefixes.length === 0) continue;
    }
    groups.push({ prefixes, nextHop });
  }
  return groups;
}

/** Each reason once a frame. */
function note(failures: RisDecodeFailure[], reason: RisDecodeFailure): void {
  if (!failures.includes(reason)) failures.push(reason);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((prefix, i) => prefix === b[i]);
}

/** A route has two next hops at most: a global and a link-local one (RFC 2545 section 3). */
function isFirstHopAlone(nextHop: string): boolean {
  return nextHop !== '' && !nextHop.includes(',');
}

/**
 * Canonical texts, as far as there is room; what is not a prefix is left out and told. `eor` marks the end of a table and is
 * not a route.
 */
function prefixesOf(value: unknown, failures: RisDecodeFailure[], texts: RisTexts, room: Room): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    note(failures, 'invalid_prefix');
    return [];
  }
  const prefixes: string[] = [];
  for (const text of value as readonly unknown[]) {
    const prefix = typeof text === 'string' ? texts.prefix(text) : undefined;
    if (prefix !== undefined) prefixes.push(prefix);
    else if (text !== 'eor') note(failures, 'invalid_prefix');
    room.bytes -= prefix === undefined ? 1 : prefixBytes(Number(prefix.slice(prefix.indexOf('/') + 1)));
    room.prefixes--;
    if (isExceeded(room)) break;
  }
  return prefixes;
}

/** One address, or a global and a link-local one separated by a comma; as it came. */
function nextHopOf(value: unknown, failures: RisDecodeFailure[]): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string' && value.length <= 91 && /^[0-9a-fA-F:.]+(?:,[0-9a-fA-F:.]+)?$/.test(value))
    return value;
  note(failures, 'invalid_next_hop');
  return '';
}

const ORIGINS: Readonly<Record<string, string>> = {
  igp: 'IGP',
  IGP: 'IGP',
  egp: 'EGP',
  EGP: 'EGP',
  incomplete: 'INCOMPLETE',
  INCOMPLETE: 'INCOMPLETE',
};

function originOf(value: unknown): string {
  return typeof value === 'string' && Object.hasOwn(ORIGINS, value) ? ORIGINS[value] : '';
}

function errorTextOf(data: unknown): string {
  const text = isObject(data) ? data.message : data;
  return typeof text === 'string' ? text.slice(0, MAX_ERROR_TEXT) : '';
}

function namesOf(data: unknown): readonly string[] {
  if (!Array.isArray(data)) return [];
  return data
    .slice(0, MAX_COLLECTORS)
    .map(hostOf)
    .filter((name) => name !== '');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
