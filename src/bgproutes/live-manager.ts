/** The Live Manager API: associates prefixes with a key, so that the stream of the key carries them. */
import { errorText, foreignText, redactor } from '../redaction.ts';
import type { Timers } from '../stream/timers.ts';
import { readBody, urlUnder } from './http-body.ts';

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
export async function associatePrefixes(request: AssociationRequest): Promise<AssociationResult> {
  const { timers, timeoutMs = LIVE_MANAGER_TIMEOUT_MS } = request;
  const redactText = redactor([request.apiKey]);
  const abort = new AbortController();
  const onAbort = () => abort.abort();
  request.signal.addEventListener('abort', onAbort);
  if (request.signal.aborted) abort.abort();
  let timedOut = false;
  const cancelTimeout = timers.schedule(() => {
    timedOut = true;
    abort.abort();
  }, timeoutMs);
  try {
    const url = urlUnder(request.liveManagerUrl, '/update_live_prefixes');
    // By hand: URLSearchParams would write a blank as `+`, which not every server reads back.
    const query = `api_key=${encodeURIComponent(request.apiKey)}&new_pfxs=${encodeURIComponent(request.prefixes.join(','))}`;
    url.search = url.search === '' ? query : `${url.search}&${query}`;
    const response = await fetch(url, {
      signal: abort.signal,
      redirect: 'manual', // the key must not follow to another host
      headers: request.userAgent === undefined ? {} : { 'user-agent': request.userAgent },
    });
    const body = await readBody(response, MAX_BODY_BYTES);
    if (response.status === 200) return { kind: 'success' };
    const text = foreignText(body?.toString() ?? 'an answer that is too long', redactText);
    if (response.status === 408 || response.status === 429 || response.status >= 500) {
      return { kind: 'error', text: `HTTP status ${response.status}${text === '' ? '' : `: ${text}`}` };
    }
    return { kind: 'refused', status: response.status, text };
  } catch (error) {
    if (timedOut) return { kind: 'error', text: `no answer within ${timeoutMs / 1000} s` };
    if (request.signal.aborted) return { kind: 'error', text: 'stopped' };
    // Never the error itself: its causes may hold the URL, and the URL the key.
    return { kind: 'error', text: errorText(error, redactText) };
  } finally {
    cancelTimeout();
    request.signal.removeEventListener('abort', onAbort);
  }
}
