/** One HTTP request to the Data API, from the first byte to its envelope: no retries, no limits, never a rejection. */
import { codeOfStatus, type DataApiErrorCode } from '../../errors.ts';
import { deadline } from '../../http/deadline.ts';
import { request } from '../../http/http-request.ts';
import { type JsonBounds, type JsonParts, JsonReader, readJson } from '../../http/json-reader.ts';
import { parseHttpDate, parseRetryAfter } from '../../http/retry-after.ts';
import { urlUnder } from '../../http/service-url.ts';
import { errorText, foreignText, type Redactor } from '../../secrets/redaction.ts';
import type { Timers } from '../../stream/timers.ts';
import type { DataApiEndpoint } from './types.ts';

/** Deepest nesting of any answer. `{"data": {"bgp": {VP: {PREFIX: [ROW…]}}}}` with lists in the rows has 7 levels. */
const MAX_DEPTH = 32;

/**
 * What one answer may hold; the client asks for less where it has more. Honest ones: a list of 10,000 VPs has 3 MB and 250,000
 * values, a RIB of 2,000 VPs and 10 prefixes 20,000 routes of 6 values; an update has 9. Two answers may be in memory at once.
 */
export const ANSWER_BOUNDS: Readonly<Record<DataApiEndpoint, JsonBounds>> = {
  vantage_points: { bytes: 12 * 1024 * 1024, values: 500_000, depth: MAX_DEPTH },
  rib: { bytes: 12 * 1024 * 1024, values: 300_000, depth: MAX_DEPTH },
  updates: { bytes: 12 * 1024 * 1024, values: 450_000, depth: MAX_DEPTH },
};

/** The body of an error is a sentence. */
const ERROR_BOUNDS: JsonBounds = { bytes: 64 * 1024, values: 10_000, depth: MAX_DEPTH };

/** A smaller difference, ms, says nothing: a busy machine and times in whole seconds make as much of a right clock. */
const MIN_CLOCK_OFFSET_MS = 5_000;

/** Names and values as the API has them; lists as comma-separated text, in POST bodies too, as the public client does. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** How the answer of one attempt is read. */
export interface AnswerReading<T> {
  /** Takes parts of the answer while it arrives; undefined: it is kept until it is whole. */
  readonly parts?: JsonParts | undefined;
  /** Reads the envelope's data. Undefined when it is not built as documented. */
  readonly decode: (data: unknown) => T | undefined;
}

export interface RequestOptions {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly endpoint: DataApiEndpoint;
  readonly method: 'GET' | 'POST';
  readonly query: Query;
  readonly timeoutMs: number;
  /** A further bound of the answer; undefined: only `ANSWER_BOUNDS` hold. */
  readonly maxBodyBytes: number | undefined;
  readonly userAgent: string | undefined;
  readonly timers: Timers;
  readonly redactText: Redactor;
  /** Takes parts of the answer while it arrives. */
  readonly parts?: JsonParts | undefined;
  readonly signal: AbortSignal;
}

export interface Success {
  readonly kind: 'success';
  readonly data: unknown;
  /** What the request cost, by the envelope: server time in ms, and bytes. */
  readonly serverMs: number;
  readonly bytes: number;
  /** How far the server's clock is ahead of ours, ms; 0 while the difference may be that of the way, undefined when not told. */
  readonly clockOffsetMs: number | undefined;
}

export interface Failure {
  readonly kind: 'failure';
  readonly code: DataApiErrorCode;
  /** Undefined when there was no answer. */
  readonly status: number | undefined;
  /** One line, bounded, without the key. */
  readonly text: string;
  /** What the system calls it, such as `ECONNREFUSED`; undefined when it was not the network. */
  readonly systemCode?: string;
  /** By the Retry-After header; undefined without one. */
  readonly retryAfterMs: number | undefined;
  /** The answer is larger than can be read; a question about less may get an answer that can be. */
  readonly isTooLarge?: true;
}

export type Answer = Success | Failure | { readonly kind: 'aborted' };

export async function requestOnce(options: RequestOptions): Promise<Answer> {
  const { timers, timeoutMs, redactText, signal } = options;
  if (signal.aborted) return { kind: 'aborted' };
  const limit = deadline(timeoutMs, [signal], (work, ms) => timers.schedule(work, ms));
  try {
    return await exchange(options, limit.signal);
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    if (limit.isOver) return failure('TIMEOUT', undefined, `no complete answer within ${timeoutMs / 1000} s`);
    // The error itself is never shown: that of an invalid header quotes the header's value, which is the key.
    const systemCode = systemCodeOf(error);
    const failed = failure('NETWORK_ERROR', undefined, errorText(error, redactText));
    return systemCode === undefined ? failed : { ...failed, systemCode };
  } finally {
    limit.leave();
  }
}

async function exchange(options: RequestOptions, signal: AbortSignal): Promise<Answer> {
  const { timers, redactText } = options;
  const url = urlUnder(options.baseUrl.replace(/\/v1\/?$/, ''), `/v1/${options.endpoint}`);
  // An answer from a cache is old, and so is its Date.
  const headers: Record<string, string> = {
    ...{ accept: 'application/json', 'cache-control': 'no-cache', 'x-api-key': options.apiKey },
  };
  if (options.userAgent !== undefined) headers['user-agent'] = options.userAgent;
  const given = Object.entries(options.query).filter(([, value]) => value !== undefined);
  let body: string | undefined;
  if (options.method === 'GET') {
    for (const [name, value] of given) url.searchParams.set(name, String(value));
  } else {
    headers['content-type'] = 'application/json';
    body = JSON.stringify(Object.fromEntries(given));
  }
  const startedAtMs = timers.now();
  let cameAtMs = startedAtMs;
  const bounds = ANSWER_BOUNDS[options.endpoint];
  const bytes = Math.min(bounds.bytes, options.maxBodyBytes ?? bounds.bytes);
  const reader = new JsonReader({ ...bounds, bytes }, options.parts);
  const take = (status: number) => {
    cameAtMs = timers.now();
    return status === 200 ? (chunk: Buffer) => reader.push(chunk) : undefined;
  };
  const maxBytes = () => ERROR_BOUNDS.bytes;
  const answer = await request(url, { method: options.method, headers, body, maxBytes, take, signal });
  const { status } = answer;
  const serverTimeMs = serverTime(answer.headers.date, answer.headers.age);
  const clockOffsetMs = clockOffset(serverTimeMs, startedAtMs, cameAtMs);
  if (status !== 200) {
    const text = answer.body === undefined ? 'an answer that is too long' : detailOf(answer.body);
    const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], serverTimeMs ?? timers.now());
    return failure(codeOfStatus(status), status, foreignText(text, redactText), retryAfterMs);
  }
  const read = reader.end();
  if (read.kind === 'too_large') {
    return { ...failure('INVALID_RESPONSE', status, `an answer of ${read.text}`), isTooLarge: true };
  }
  const envelope = read.kind === 'value' ? read.value : undefined;
  if (typeof envelope !== 'object' || envelope === null || !('data' in envelope)) {
    return failure('INVALID_RESPONSE', status, 'an answer that is not the documented JSON envelope');
  }
  const { data, seconds, bytes: stated } = envelope as { data: unknown; seconds?: unknown; bytes?: unknown };
  return {
    kind: 'success',
    data,
    // Bounded by what a request can really cost: a wrong number must not stop us for an hour.
    serverMs: Math.min(amount(seconds) * 1000, Math.max(0, timers.now() - startedAtMs)),
    bytes: stated === undefined ? reader.bytes : Math.min(amount(stated), 2 * reader.bytes),
    clockOffsetMs,
  };
}

/**
 * What the time was at the server when it answered, Unix ms: the Date header (RFC 9110 section 6.6.1), which has whole
 * seconds, and the Age header (RFC 9111 section 5.1) where a cache answered instead.
 */
export function serverTime(date: string | undefined, age: string | undefined): number | undefined {
  const atMs = date === undefined ? undefined : parseHttpDate(date);
  if (atMs === undefined) return undefined;
  return atMs + (age !== undefined && /^\d{1,9}$/.test(age.trim()) ? Number(age) * 1000 : 0);
}

/** How far the server's clock is ahead (ms), by the time of an answer that was asked for and came at these times of our clock. */
export function clockOffset(serverMs: number | undefined, askedAtMs: number, cameAtMs: number): number | undefined {
  if (serverMs === undefined) return undefined;
  const offset = serverMs < askedAtMs ? serverMs - askedAtMs : Math.max(0, serverMs - cameAtMs);
  return Math.abs(offset) < MIN_CLOCK_OFFSET_MS ? 0 : offset;
}

function failure(code: DataApiErrorCode, status: number | undefined, text: string, retryAfterMs?: number): Failure {
  return { kind: 'failure', code, status, text, retryAfterMs };
}

/** The innermost code of an error and what caused it. */
function systemCodeOf(error: unknown): string | undefined {
  let code: string | undefined;
  let current: unknown = error;
  for (let depth = 0; depth < 4 && current instanceof Error; depth++) {
    if ('code' in current && typeof current.code === 'string') code = current.code;
    current = current.cause;
  }
  return code;
}

/** Gives the text of `{"detail": "…"}`, the JSON of `{"detail": …}`, and the body of anything else or of what is nested too deep. */
function detailOf(body: Buffer): string {
  const read = readJson(body, ERROR_BOUNDS);
  const value = read.kind === 'value' ? read.value : undefined;
  if (typeof value !== 'object' || value === null || !('detail' in value)) return body.toString();
  return typeof value.detail === 'string' ? value.detail : JSON.stringify(value.detail);
}

/** A number, or a number as text, not negative; 0 for anything else. */
function amount(value: unknown): number {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : 0;
}
