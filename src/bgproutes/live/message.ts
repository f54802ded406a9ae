/**
 * One frame of the bgproutes.io live stream to a RouteUpdate: strict, and total: whatever comes in, what comes out is an
 * update, a reason from a closed list, or an update with reasons for the parts that could not be read.
 *
 * This is the general decoder, by JSON.parse; fast-decoder.ts agrees with it on every input and hands it what it doubts.
 */
import { isAsPath } from '../../bgp/as-path.ts';
import type { RouteUpdate } from '../../bgp/route-event.ts';
import { MAX_UPDATE_TEXT } from '../../bgp/update-bounds.ts';
import { parseSpeaker, type VantagePoint } from '../../bgp/vantage-point.ts';
import { parseJson, whyNoObject } from '../../input/json.ts';
import {
  ABSENT,
  decodeList,
  isExceeded,
  type PrefixListResult,
  type Room,
  readLongLists,
  roomAfter,
  WHOLE_UPDATE,
} from './prefix-list.ts';
import { MAX_SEC, MAX_USEC } from './scanner/frame-layout.ts';

/** Closed list: it becomes a label. */
export const DECODE_FAILURES = [
  'too_large', // longer than JSON about one BGP message can be, or more prefixes than one can carry
  'invalid_json',
  'not_an_object',
  'service_error', // {"error": TEXT}: the session closes on it
  'unknown_record_type',
  'invalid_vp',
  'invalid_bmp_peer', // missing or unreadable in a bmp_update
  'invalid_time',
  'invalid_prefix', // at least one entry of a list; the others are applied
  'invalid_as_path', // the announcement is lost; withdrawals of the same message are applied
  'missing_as_path',
  'no_prefix', // an announcement of nothing
  'withdrawal_without_prefix', // most likely a withdrawal under a key that nobody has documented
] as const;
/** One of `DECODE_FAILURES`. */
export type DecodeFailure = (typeof DECODE_FAILURES)[number];

/**
 * The failures of frames that are not messages about routes: no route is lost with such a frame, and it does not show that routes
 * still come.
 */
export const NOT_MESSAGES: readonly DecodeFailure[] = ['service_error', 'unknown_record_type'];

export type DecodeResult =
  | {
      readonly ok: true;
      readonly update: RouteUpdate;
      /** What of the message could not be read; mostly empty. */
      readonly failures: readonly DecodeFailure[];
      /** The undocumented key under which withdrawn prefixes were found, if so. */
      readonly guessedKey?: string;
    }
  | {
      readonly ok: false;
      readonly reason: DecodeFailure;
      /** Names of the message's keys, at most 32 of at most 40 characters; never values. */
      readonly keys?: readonly string[];
    };

/** Spellings under which withdrawn prefixes may come; no source says which one the service uses. */
const WITHDRAWN_KEYS = [
  'withdraws',
  'withdrawn',
  'withdrawals',
  'withdrawn_prefixes',
  'withdraw',
  'withdrawn-prefixes',
];
/** Keys that are not lists of prefixes. */
const TEXT_KEYS: ReadonlySet<string> = new Set([
  'record_type',
  'vp',
  'bmp_peer',
  'sec',
  'Usec',
  'as-path',
  'communities',
  'nexthop',
  'origin',
]);
const KNOWN_KEYS = new Set([...WITHDRAWN_KEYS, 'prefixes', ...TEXT_KEYS]);

/** @param text one text frame; bytes are read as UTF-8 */
export function decodeMessage(text: string | Buffer): DecodeResult {
  const parsed = parseFrame(text);
  return typeof parsed === 'string' ? { ok: false, reason: parsed } : decodeValue(parsed.value);
}

/** Decodes a long frame in steps, none of which takes more than a few milliseconds. */
export function* decodeInSteps(text: Buffer): Generator<void, DecodeResult> {
  const parsed = parseFrame(text);
  if (typeof parsed === 'string') return { ok: false, reason: parsed };
  const { value } = parsed;
  yield;
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    yield* readLongLists(value as Record<string, unknown>, TEXT_KEYS);
  return decodeValue(value);
}

function parseFrame(text: string | Buffer): { readonly value: unknown } | DecodeFailure {
  if (text.length > MAX_UPDATE_TEXT) return 'too_large';
  const failure = whyNoObject(text);
  if (failure !== undefined) return failure;
  const value = parseJson(typeof text === 'string' ? text : text.toString('utf8'));
  return value === undefined ? 'invalid_json' : { value };
}

/** Decodes a value that was parsed already. */
export function decodeValue(value: unknown): DecodeResult {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, reason: 'not_an_object' };
  const message = value as Readonly<Record<string, unknown>>;
  if (message.record_type === undefined && message.error !== undefined) return { ok: false, reason: 'service_error' };
  if (message.record_type !== 'update' && message.record_type !== 'bmp_update')
    return { ok: false, reason: 'unknown_record_type' };
  const vp = decodeVantagePoint(message);
  if (typeof vp === 'string') return { ok: false, reason: vp };
  const timeUs = decodeTime(message.sec, message.Usec);
  if (timeUs === undefined) return { ok: false, reason: 'invalid_time' };

  const failures: DecodeFailure[] = [];
  const announced = decodeList(message.prefixes, WHOLE_UPDATE);
  const roomLeft = roomAfter(announced, WHOLE_UPDATE);
  const { withdrawn, guessedKey } = decodeWithdrawn(message, roomLeft);
  if (isExceeded(roomAfter(withdrawn, roomLeft))) return { ok: false, reason: 'too_large' };
  if (announced.unreadable || withdrawn.unreadable) failures.push('invalid_prefix');

  let attributes: RouteUpdate['attributes'];
  if (announced.prefixes.length > 0) {
    const asPath = message['as-path'];
    if (asPath === undefined || asPath === null) failures.push('missing_as_path');
    else if (typeof asPath !== 'string' || !isAsPath(asPath)) failures.push('invalid_as_path');
    else {
      attributes = {
        asPath,
        communities: textOf(message.communities),
        nextHop: textOf(message.nexthop),
        originAttribute: textOf(message.origin),
      };
    }
  } else if (withdrawn.prefixes.length === 0 && failures.length === 0) {
    if (announced.present) return { ok: false, reason: 'no_prefix' };
    return { ok: false, reason: 'withdrawal_without_prefix', keys: keyNames(message) };
  }
  const kept = attributes === undefined ? [] : announced.prefixes;
  if (kept.length === 0 && withdrawn.prefixes.length === 0) return { ok: false, reason: failures[0] ?? 'no_prefix' };
  const update: RouteUpdate = {
    vp,
    timeUs,
    withdrawn: withdrawn.prefixes,
    announced: kept,
    ...(attributes === undefined ? {} : { attributes }),
  };
  return guessedKey === undefined ? { ok: true, update, failures } : { ok: true, update, failures, guessedKey };
}

function decodeVantagePoint(
  message: Readonly<Record<string, unknown>>,
): VantagePoint | 'invalid_vp' | 'invalid_bmp_peer' {
  const speaker = typeof message.vp === 'string' ? parseSpeaker(message.vp) : undefined;
  if (speaker === undefined) return 'invalid_vp';
  if (message.record_type === 'update') return { protocol: 'bgp', ...speaker };
  const peer = typeof message.bmp_peer === 'string' ? parseSpeaker(message.bmp_peer) : undefined;
  return peer === undefined ? 'invalid_bmp_peer' : { protocol: 'bmp', ...peer, parent: speaker };
}

/**
 * Unix microseconds, 0 when the message has no seconds, or undefined when they are no time. Both parts may be a number or
 * its decimal text; the microseconds may be missing. Seconds with a fraction say all: their microseconds are not added.
 */
export function decodeTime(sec: unknown, usec: unknown): number | undefined {
  const micros = usec === undefined || usec === null ? 0 : wholeNumber(usec, MAX_USEC);
  if (micros === undefined) return undefined;
  if (sec === undefined || sec === null) return 0;
  const seconds = wholeNumber(sec, MAX_SEC);
  if (seconds !== undefined) return seconds * 1_000_000 + micros;
  const fraction = typeof sec === 'string' && /^[0-9]{1,10}\.[0-9]{1,9}$/.test(sec) ? Number(sec) : sec;
  return typeof fraction === 'number' && fraction >= 0 && fraction < MAX_SEC
    ? Math.round(fraction * 1_000_000)
    : undefined;
}

function wholeNumber(value: unknown, max: number): number | undefined {
  const number = typeof value === 'string' && /^[0-9]{1,10}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= max ? number : undefined;
}

function decodeWithdrawn(
  message: Readonly<Record<string, unknown>>,
  room: Room,
): {
  withdrawn: PrefixListResult;
  guessedKey?: string;
} {
  const found: PrefixListResult[] = [];
  let left = room;
  for (const key of WITHDRAWN_KEYS) {
    const list = decodeList(message[key], left);
    found.push(list);
    left = roomAfter(list, left);
  }
  const bytes = room.bytes - left.bytes;
  const entries = room.entries - left.entries;
  const filled = found.filter((list) => list.prefixes.length > 0);
  const prefixes = filled.length === 1 ? filled[0].prefixes : filled.flatMap((list) => list.prefixes);
  const unreadable = found.some((list) => list.unreadable);
  // A known key that holds nothing does not rule out that the withdrawn prefixes are under another.
  if (prefixes.length > 0 || unreadable) return { withdrawn: { present: true, prefixes, unreadable, bytes, entries } };
  // In an announcement another key with a prefix in it (a covering prefix, a ROA) is no withdrawal.
  if (message.prefixes !== undefined && message.prefixes !== null) return { withdrawn: ABSENT };
  for (const [key, value] of Object.entries(message)) {
    if (KNOWN_KEYS.has(key)) continue;
    const list = decodeList(value, room);
    if (list.prefixes.length > 0 && !list.unreadable) return { withdrawn: list, guessedKey: key.slice(0, 40) };
  }
  return { withdrawn: ABSENT };
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : '';
}

function keyNames(message: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(message)
    .slice(0, 32)
    .map((key) => key.slice(0, 40));
}
