/** The Live Manager API: associates prefixes with a key, so that the stream of the key carries them. */

import { deadline } from '../../../http/deadline.ts';
import { request } from '../../../http/http-request.ts';
import { urlUnder } from '../../../http/service-url.ts';
import { errorText, foreignText, redactor } from '../../../secrets/redaction.ts';
import type { Timers } from '../../../stream/timers.ts';

/** Default time for one request, body included, ms. */
export const LIVE_MANAGER_TIMEOUT_MS = 15_000;

/** A refusal is a sentence. */
const MAX_BODY_BYTES = 64 * 1024;

export type AssociationResult =
  | { readonly kind: 'success' }
  /** The API answered no: `text` is its reason, one line, bounded, without the key. */
  | { readonly kind: 'refused'; readonly status: number; readonly text: string }
  /** No usable answer: the network, a timeout, an overloaded or broken server. It may have been done all the same. */
  | { readonly kind: 'error'; readonly text: string };

/** Whether a refusal with this status says that the service does not know the key. */
export function isUnknownKey(status: number): boolean {
  return status === 401 || status === 403;
}

export interface AssociationRequest {
  /** Such as `https://live-manager-api.bgproutes.io`. */
  readonly liveManagerUrl: string;
  readonly apiKey: string;
  /** Canonical texts; they replace those that the key had. */
  readonly prefixes: readonly string[];
  readonly timeoutMs?: number;
  readonly userAgent?: string;
  readonly timers: Timers;
  readonly signal: AbortSignal;
}

/**
 * Replaces the prefixes of a key. Counts as activity of the key, and so renews an association. Never rejects, and nothing
 * that it returns holds the key. 200 is success; 408, 429 and 5xx are errors, worth another try soon; all else is a refusal.
 */
export async function associatePrefixes(asked: AssociationRequest): Promise<AssociationResult> {
  const { timers, timeoutMs = LIVE_MANAGER_TIMEOUT_MS, userAgent } = asked;
  const redactText = redactor([asked.apiKey]);
  const limit = deadline(timeoutMs, [asked.signal], (work, ms) => timers.schedule(work, ms));
  try {
    const url = urlUnder(asked.liveManagerUrl, '/update_live_prefixes');
    // By hand: URLSearchParams would write a blank as `+`, which not every server reads back.
    const query = `api_key=${encodeURIComponent(asked.apiKey)}&new_pfxs=${encodeURIComponent(asked.prefixes.join(','))}`;
    url.search = url.search === '' ? query : `${url.search}&${query}`;
    const { status, body } = await request(url, {
      method: 'GET',
      headers: userAgent === undefined ? {} : { 'user-agent': userAgent },
      maxBytes: () => MAX_BODY_BYTES,
      signal: limit.signal,
    });
    if (status === 200) return { kind: 'success' };
    const text = foreignText(body?.toString() ?? 'an answer that is too long', redactText);
    if (status === 408 || status === 429 || status >= 500) {
      return { kind: 'error', text: `HTTP status ${status}${text === '' ? '' : `: ${text}`}` };
    }
    return { kind: 'refused', status, text };
  } catch (error) {
    if (limit.isOver) return { kind: 'error', text: `no answer within ${timeoutMs / 1000} s` };
    if (asked.signal.aborted) return { kind: 'error', text: 'stopped' };
    // Never the error itself: its causes may hold the URL, and the URL the key.
    return { kind: 'error', text: errorText(error, redactText) };
  } finally {
    limit.leave();
  }
}
