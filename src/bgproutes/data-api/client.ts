/**
 * Client of the bgproutes.io Data API, which tells what the stream cannot: the routes that were there before. It obeys the
 * limits of a key: one request at a time, and a number of requests an hour.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DEFAULTS, withDefaults } from '../../defaults.ts';
import type { DataApiError } from '../../errors.ts';
import { joinSignals } from '../../http/joined-signal.ts';
import { checkServiceUrl } from '../../http/service-url.ts';
import type { Logger } from '../../logger.ts';
import { type Redactor, redactor } from '../../secrets/redaction.ts';
import { Backoff, type BackoffOptions } from '../../stream/backoff.ts';
import type { RibRow, UpdateRow } from '../../stream/history.ts';
import { sleep, systemTimers, type Timers } from '../../stream/timers.ts';
import { type Batch, groupVps, halvesOf, splitExact } from './batches.ts';
import { errorOf, isTooLarge, REPEATED, UNDOCUMENTED } from './failures.ts';
import { DEFAULT_QUOTA, Quota, type QuotaLimits } from './quota.ts';
import { type AnswerReading, type Query, requestOnce } from './request.ts';
import type { Asked } from './rows/route-fields.ts';
import { type RouteAnswer, ribAnswer, updatesAnswer } from './rows/rows.ts';
import { decodeVantagePoints } from './rows/vantage-points.ts';
import { formatDate } from './time.ts';
import type {
  Comparison,
  DataApiEndpoint,
  DataApiResult,
  RibParams,
  RowBatch,
  UpdatesParams,
  VantagePointsAnswer,
  VantagePointsParams,
} from './types.ts';

/** A request with more VPs or prefixes than this is sent as POST. */
const MAX_GET_VPS = 100;
const MAX_GET_PREFIXES = 10;

/** A question whose answer is too large is halved so often; then it fails, so that a broken service is not asked for long. */
const MAX_SPLITS = 3;

/** From this share of the hourly quota on, whichever of its limits comes first, the log warns; again after less than half. */
const WARN_SHARE = 0.8;

/** A server may ask for patience, but not for ever. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Everything but the key has a default. */
export interface DataApiOptions {
  readonly apiKey: string;
  /** With or without the `/v1` at its end. Default `https://api.bgproutes.io`. */
  readonly baseUrl?: string;
  readonly quota?: Partial<QuotaLimits>;
  /** Time for one attempt, body included, ms. Default 60 s. */
  readonly timeoutMs?: number;
  /**
   * Of an answer, decompressed. Default and most: 12 MiB. Depth and number of values are bounded too. A question about routes
   * whose answer is larger is asked by halves, down to eighths.
   */
  readonly maxBodyBytes?: number;
  /** VPs in one request; less makes answers smaller, more makes fewer requests. Default 2000. */
  readonly maxVpsPerRequest?: number;
  /** Attempts of one request, the first included. Default 5. */
  readonly maxAttempts?: number;
  /** Waits between attempts. Default within 1 s at first, later within 60 s. */
  readonly backoff?: BackoffOptions;
  /** `name/version`. */
  readonly userAgent?: string;
  readonly timers?: Timers;
  readonly log?: Logger;
  /** Ends all requests when aborted, those that wait for the quota too: they reject with its reason. */
  readonly signal?: AbortSignal;
  /** Called after every attempt that came to an end. */
  readonly onRequest?: (endpoint: DataApiEndpoint, result: DataApiResult) => void;
}

/**
 * Every method rejects with a `DataApiError` when its last attempt failed, and with the reason of its signal when that is
 * aborted. Repeated are requests that met 429 (after the time the server asks for), 5xx, a timeout or the network.
 */
export class DataApiClient {
  readonly #options: DataApiOptions;
  readonly #timers: Timers;
  readonly #redactText: Redactor;
  readonly #quota: Quota;
  #lastClockOffsetMs = 0;
  #hasWarned = false;
  /** The end of the queue: settled when its last request is done. */
  #tail: Promise<void> = Promise.resolve();

  /** Throws a `TypeError` when the base URL is not valid, or has a user name, and when the key cannot be a header. */
  constructor(options: DataApiOptions) {
    if (!/^[\x21-\x7e]+$/.test(options.apiKey))
      throw new TypeError('the API key is empty or holds characters that no key has');
    checkServiceUrl('baseUrl', options.baseUrl, ['http:', 'https:']);
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    // The key may be another one later.
    this.#redactText = (text) => redactor([options.apiKey])(text);
    this.#quota = new Quota(withDefaults(DEFAULT_QUOTA, options.quota));
  }

  /** What the key used of its quota within the last hour. */
  get used(): { readonly requests: number; readonly serverMs: number; readonly bytes: number } {
    const { requests, serverMs, bytes } = this.#quota.used(this.#timers.now());
    return { requests, serverMs, bytes };
  }

  /** How far the API's clock is ahead of this machine's by its last answer, ms; 0 when they agree to within 5 s. */
  get clockOffsetMs(): number {
    return this.#lastClockOffsetMs;
  }

  /** The list of VPs, whole. One request. */
  async vantagePoints(params: VantagePointsParams = {}): Promise<VantagePointsAnswer> {
    const query: Query = {
      vp_asns: csv(params.asns),
      vp_ips: csv(params.ips),
      peering_protocol: csv(params.protocols),
      data_afi: csv(params.afis),
      sources: csv(params.sources),
      countries: csv(params.countries),
      org_countries: csv(params.orgCountries),
      rib_size_v4: comparison(params.ribSizeV4),
      rib_size_v6: comparison(params.ribSizeV6),
      status: csv(params.statuses),
      date: optionalDate(params.dateMs),
      date_end: optionalDate(params.dateEndMs),
    };
    return this.#request('vantage_points', 'GET', query, params.signal, () => ({ decode: decodeVantagePoints }));
  }

  /**
   * What VPs held at a time. As many requests as the API's limits need, each made when the one before was consumed. Whether
   * the API takes many VPs in a question for more-specifics is not documented: it may answer BAD_REQUEST to more than 10.
   */
  rib(params: RibParams): AsyncGenerator<RowBatch<RibRow>> {
    return this.#rows('rib', params, { date: formatDate(params.dateMs) }, ribAnswer);
  }

  /** What VPs announced and withdrew within a time, both seconds included. */
  updates(params: UpdatesParams): AsyncGenerator<RowBatch<UpdateRow>> {
    const time = {
      start_date: formatDate(params.startMs),
      end_date: formatDate(params.endMs),
      chronological_order: true,
    };
    return this.#rows('updates', params, time, updatesAnswer);
  }

  get #maxVps(): number {
    return this.#options.maxVpsPerRequest ?? 2_000;
  }

  async *#rows<Row extends RibRow>(
    endpoint: 'rib' | 'updates',
    params: RibParams | UpdatesParams,
    time: Query,
    answerTo: (asked: Asked) => RouteAnswer<Row>,
  ): AsyncGenerator<RowBatch<Row>> {
    const { match = 'exact', communities = true, signal } = params;
    const signals = [signal, this.#options.signal];
    const ask = (batch: Batch, filter: Query): Promise<Generator<RowBatch<Row>>> => {
      const asked: Asked = { ...batch, match, communities };
      const query: Query = { ...vpIds(batch), ...time, ...filter, return_aspath: true, return_community: communities };
      const isSmall = batch.vps.length <= MAX_GET_VPS && batch.prefixes.length <= MAX_GET_PREFIXES;
      return this.#request(endpoint, isSmall ? 'GET' : 'POST', query, signal, () => {
        const answer = answerTo(asked);
        return { parts: answer, decode: (data) => answer.decode(data) };
      });
    };
    const filterOf = ({ prefixes }: Batch): Query =>
      match === 'exact' ? { prefix_exact_match: prefixes.join(',') } : { prefix_filter: `<<:${prefixes[0]}` };
    const answers = async function* (batch: Batch, splits: number): AsyncGenerator<RowBatch<Row>> {
      let parts: Generator<RowBatch<Row>>;
      try {
        parts = await ask(batch, filterOf(batch));
      } catch (error) {
        const halves = isTooLarge(error) && splits < MAX_SPLITS ? halvesOf(batch) : [];
        if (halves.length === 0) throw error;
        for (const half of halves) yield* answers(half, splits + 1);
        return;
      }
      yield* inTurns(parts, signals);
    };
    if (match === 'exact') {
      for (const batch of splitExact(params.vps, params.prefixes, this.#maxVps)) yield* answers(batch, 0);
      return;
    }
    for (const prefix of params.prefixes) {
      for (const vps of groupVps(params.vps, this.#maxVps)) yield* answers({ vps, prefixes: [prefix] }, 0);
    }
  }

  /** One request in its turn, repeated where that may help, its answer read. */
  async #request<T>(
    endpoint: DataApiEndpoint,
    method: 'GET' | 'POST',
    query: Query,
    signal: AbortSignal | undefined,
    reading: () => AnswerReading<T>,
  ): Promise<T> {
    const joined = joinSignals([signal, this.#options.signal]);
    try {
      const leave = await this.#enter(joined.signal);
      try {
        return await this.#attempts(endpoint, method, query, joined.signal, reading);
      } finally {
        leave();
      }
    } finally {
      joined.leave();
    }
  }

  /** Waits for its turn: the API serves one request a key at a time. Call the result when done. */
  async #enter(signal: AbortSignal): Promise<() => void> {
    const before = this.#tail;
    let leave: () => void = () => {};
    const mine = new Promise<void>((resolve) => {
      leave = resolve;
    });
    // A caller that was aborted gives up its turn, but those behind it still wait for those before it.
    this.#tail = before.then(() => mine);
    if (!(await settledOrAborted(before, signal))) {
      leave();
      throw signal.reason;
    }
    return leave;
  }

  async #attempts<T>(
    endpoint: DataApiEndpoint,
    method: 'GET' | 'POST',
    query: Query,
    signal: AbortSignal,
    reading: () => AnswerReading<T>,
  ): Promise<T> {
    const options = this.#options;
    const timers = this.#timers;
    const backoff = new Backoff(options.backoff ?? { baseMs: 1_000, maxMs: 60_000 }, () => timers.random());
    for (let attempt = 1; ; attempt++) {
      await this.#awaitQuota(signal);
      const charge = this.#quota.start(timers.now());
      const { parts, decode } = reading();
      const answer = await requestOnce({
        baseUrl: options.baseUrl ?? DEFAULTS.bgproutes.dataApiUrl,
        apiKey: options.apiKey,
        endpoint,
        method,
        query,
        timeoutMs: options.timeoutMs ?? 60_000,
        maxBodyBytes: options.maxBodyBytes,
        userAgent: options.userAgent,
        timers,
        redactText: this.#redactText,
        parts,
        signal,
      });
      if (answer.kind === 'aborted') throw signal.reason;
      if (answer.kind === 'success') {
        charge(answer.serverMs, answer.bytes);
        this.#lastClockOffsetMs = answer.clockOffsetMs ?? this.#lastClockOffsetMs;
      }
      this.#warnOfQuota();
      const value = answer.kind === 'success' ? decode(answer.data) : undefined;
      if (value !== undefined) {
        options.onRequest?.(endpoint, 'success');
        return value;
      }
      const failed = answer.kind === 'failure' ? answer : UNDOCUMENTED;
      options.onRequest?.(endpoint, resultOf(failed.code));
      if (!REPEATED.has(failed.code) || attempt >= (options.maxAttempts ?? 5)) throw errorOf(endpoint, failed, attempt);
      const delayMs = Math.max(backoff.next(), Math.min(failed.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
      options.log?.warn('request to the Data API failed, will be repeated', {
        endpoint,
        status: failed.status,
        detail: failed.text,
        attempt,
        retry_in_seconds: delayMs / 1000,
      });
      await this.#pause(delayMs, signal);
    }
  }

  /** While there is time to act: when the hour is used up, gaps stay open. */
  #warnOfQuota(): void {
    const { requests, serverMs, bytes, share } = this.#quota.used(this.#timers.now());
    if (share < WARN_SHARE / 2) this.#hasWarned = false;
    if (share < WARN_SHARE || this.#hasWarned) return;
    this.#hasWarned = true;
    this.#options.log?.warn('most of the hourly quota of the Data API is used', {
      ...{ used_percent: Math.floor(share * 100), requests, server_seconds: Math.round(serverMs / 1000), bytes },
    });
  }

  async #awaitQuota(signal: AbortSignal): Promise<void> {
    for (;;) {
      const waitMs = this.#quota.waitMs(this.#timers.now());
      if (waitMs <= 0) return;
      this.#options.log?.warn('the hourly quota of the Data API is used up', {
        wait_seconds: Math.ceil(waitMs / 1000),
      });
      await this.#pause(waitMs, signal);
    }
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    await sleep(this.#timers, delayMs, signal);
    if (signal.aborted) throw signal.reason;
  }
}

function resultOf(code: DataApiError['code']): DataApiResult {
  return code.toLowerCase() as Lowercase<typeof code>;
}

/** Hands on the parts of an answer, letting the event loop turn between them, until a signal is aborted. */
async function* inTurns<T>(parts: Iterable<T>, signals: readonly (AbortSignal | undefined)[]): AsyncGenerator<T> {
  let first = true;
  for (const part of parts) {
    if (!first) await nextTurn();
    first = false;
    for (const signal of signals) signal?.throwIfAborted();
    yield part;
  }
}

/** Whether the promise, which never rejects, was settled before the signal was aborted. */
async function settledOrAborted(promise: Promise<void>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  let onAbort: () => void = () => {};
  const abort = new Promise<void>((resolve) => {
    onAbort = resolve;
    signal.addEventListener('abort', onAbort);
  });
  await Promise.race([promise, abort]);
  signal.removeEventListener('abort', onAbort);
  return !signal.aborted;
}

function vpIds({ vps }: Batch): Query {
  const ids = (protocol: 'bgp' | 'bmp') => csv(vps.filter(({ vp }) => vp.protocol === protocol).map(({ id }) => id));
  return { vp_bgp_ids: ids('bgp'), vp_bmp_ids: ids('bmp') };
}

function csv(values: readonly (string | number)[] | undefined): string | undefined {
  return values === undefined || values.length === 0 ? undefined : values.join(',');
}

function comparison(value: Comparison | undefined): string | undefined {
  return value === undefined ? undefined : `${value[0]},${value[1]}`;
}

function optionalDate(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatDate(ms);
}
