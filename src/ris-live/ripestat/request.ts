/** One request to RIPEstat, from the first byte to its envelope: no retries, no pace, never a rejection. */
import { codeOfStatus, type DataApiErrorCode } from '../../errors.ts';
import { deadline } from '../../http/deadline.ts';
import { request } from '../../http/http-request.ts';
import { type JsonBounds, JsonReader } from '../../http/json-reader.ts';
import { parseRetryAfter } from '../../http/retry-after.ts';
import { urlUnder } from '../../http/service-url.ts';
import { errorText, foreignText, redactor } from '../../secrets/redaction.ts';
import type { RipestatCall } from '../../stream/history.ts';
import type { Timers } from '../../stream/timers.ts';
import { isObject, timeOf } from './rows.ts';

/**
 * What one answer may hold. An honest one: 1,500 peers have 0.3 MB; the 360 routes of a prefix 0.1 MB and 7,000 values. Eight
 * answers may be in memory at once.
 */
export const RIPESTAT_BOUNDS: JsonBounds = { bytes: 8 * 1024 * 1024, values: 400_000, depth: 32 };

/** The body of an error is an envelope without data. */
const MAX_ERROR_BYTES = 64 * 1024;

/** A smaller difference, ms, says nothing: the network's delay and times in whole seconds make as much of a right clock. */
const MIN_CLOCK_OFFSET_MS = 5_000;

/** These requests hold no secrets; texts of strangers are cleaned for a log line all the same. */
const redactText = redactor([]);

export interface RipestatRequest {
  /** Such as `https://stat.ripe.net`. */
  readonly baseUrl: string;
  readonly call: RipestatCall;
  readonly query: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly userAgent: string | undefined;
  readonly timers: Timers;
  readonly signal: AbortSignal;
}

export type RipestatAnswer =
  | {
      readonly kind: 'success';
      readonly data: unknown;
      /** How far the clock of the service is ahead of ours, ms; 0 when they agree, undefined when it is not told. */
      readonly clockOffsetMs: number | undefined;
    }
  | {
      readonly kind: 'failure';
      readonly code: DataApiErrorCode;
      /** Undefined when there was no answer. */
      readonly status: number | undefined;
      /** One line, bounded. */
      readonly text: string;
      readonly retryAfterMs: number | undefined;
      /** The answer is larger than can be read: fewer prefixes may get one that is not. */
      readonly isTooLarge: boolean;
    }
  | { readonly kind: 'aborted' };

export async function askRipestat(asked: RipestatRequest): Promise<RipestatAnswer> {
  const { timers, timeoutMs, signal } = asked;
  if (signal.aborted) return { kind: 'aborted' };
  const limit = deadline(timeoutMs, [signal], (work, ms) => timers.schedule(work, ms));
  try {
    return await exchange(asked, limit.signal);
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted' };
    if (limit.isOver) return failure('TIMEOUT', undefined, `no complete answer within ${timeoutMs / 1000} s`);
    return failure('NETWORK_ERROR', undefined, errorText(error, redactText));
  } finally {
    limit.leave();
  }
}

async function exchange(asked: RipestatRequest, signal: AbortSignal): Promise<RipestatAnswer> {
  const url = urlUnder(asked.baseUrl, `/data/${asked.call}/data.json`);
  for (const [name, value] of Object.entries(asked.query)) url.searchParams.set(name, value);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (asked.userAgent !== undefined) headers['user-agent'] = asked.userAgent;
  const reader = new JsonReader(RIPESTAT_BOUNDS);
  const askedAtMs = asked.timers.now();
  const { status, body, ...answer } = await request(url, {
    method: 'GET',
    headers,
    maxBytes: () => MAX_ERROR_BYTES,
    take: (code) => (code === 200 ? (chunk) => reader.push(chunk) : undefined),
    signal,
  });
  const cameAtMs = asked.timers.now();
  if (status !== 200) {
    const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], cameAtMs);
    return failure(codeOfStatus(status), status, foreignText(body?.toString() ?? '', redactText), retryAfterMs);
  }
  const read = reader.end();
  if (read.kind === 'too_large')
    return { ...failure('INVALID_RESPONSE', status, `an answer of ${read.text}`), isTooLarge: true };
  const envelope = read.kind === 'value' ? read.value : undefined;
  if (!isObject(envelope) || !('data' in envelope))
    return failure('INVALID_RESPONSE', status, 'an answer that is not the documented JSON envelope');
  // The envelope has a status of its own, which an intermediate server does not know.
  if (envelope.status !== undefined && envelope.status !== 'ok') {
    const inner = typeof envelope.status_code === 'number' ? envelope.status_code : 500;
    return failure(
      codeOfStatus(inner === 200 ? 500 : inner),
      status,
      foreignText(messagesOf(envelope.messages), redactText),
    );
  }
  return { kind: 'success', data: envelope.data, clockOffsetMs: clockOffset(envelope, askedAtMs, cameAtMs) };
}

function failure(code: DataApiErrorCode, status: number | undefined, text: string, retryAfterMs?: number) {
  return { kind: 'failure', code, status, text, retryAfterMs, isTooLarge: false } as const;
}

/** `[["error", "the resource is not valid"]]` as a line. */
function messagesOf(messages: unknown): string {
  if (!Array.isArray(messages)) return 'an answer whose status is not ok';
  return messages
    .slice(0, 5)
    .map((message: unknown) => (Array.isArray(message) ? message.slice(0, 2).join(': ') : String(message)))
    .join('; ');
}

/** The Date of an answer from a cache may be of another day. */
function clockOffset(
  envelope: Readonly<Record<string, unknown>>,
  askedAtMs: number,
  cameAtMs: number,
): number | undefined {
  const serverMs = envelope.cached === true ? undefined : timeOf(envelope.time);
  if (serverMs === undefined) return undefined;
  const offset = serverMs < askedAtMs ? serverMs - askedAtMs : Math.max(0, serverMs - cameAtMs);
  return Math.abs(offset) < MIN_CLOCK_OFFSET_MS ? 0 : offset;
}
