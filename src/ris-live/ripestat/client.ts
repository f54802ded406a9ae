/**
 * Client of RIPEstat: who the peers of RIS are, and what they held. It needs no key. It keeps the rules of the service: at
 * most 8 requests at once from one address, and a name for the caller in each of them; whoever asks more than 1,000 times a
 * day is told that RIPE NCC wants to know.
 */
import type { Prefix } from '../../bgp/prefix.ts';
import { DEFAULTS, withDefaults } from '../../defaults.ts';
import { DataApiError } from '../../errors.ts';
import { joinSignals } from '../../http/joined-signal.ts';
import { checkServiceUrl } from '../../http/service-url.ts';
import type { Logger } from '../../logger.ts';
import { Backoff, type BackoffOptions } from '../../stream/backoff.ts';
import type { DataApiResult, RipestatCall } from '../../stream/history.ts';
import { sleep, systemTimers, type Timers } from '../../stream/timers.ts';
import { Pace, type PaceLimits } from './pace.ts';
import { askRipestat, type RipestatAnswer } from './request.ts';
import {
  damageOf,
  type PeerIndex,
  type RisPeer,
  readMoreSpecifics,
  readPeers,
  readState,
  readUpdates,
  type StateAnswer,
  type ToldRow,
} from './rows.ts';

export interface RipestatSettings extends PaceLimits {
  /** Time for one request, ms. Default 60 s. */
  readonly timeoutMs: number;
  /** How often a request is made at most. Default 3. */
  readonly attempts: number;
  /** Waits between them. Default 2 s to 1 min. */
  readonly retry: BackoffOptions;
  /**
   * Prefixes in one question. The longest list that the service takes is not documented: where it refuses one, or answers
   * only a part of it, shorter ones follow. Default 8.
   */
  readonly listLength: number;
}

/** Requests at once and their distance: what the service allows, and some eight a second. */
export const DEFAULT_RIPESTAT_SETTINGS: RipestatSettings = {
  atOnce: 8,
  intervalMs: 125,
  timeoutMs: 60_000,
  attempts: 3,
  retry: { baseMs: 5_000, maxMs: 60_000, floorMs: 2_000 },
  listLength: 8,
};

/** Requests a day from which on RIPE NCC asks for a registration. */
export const REQUESTS_A_DAY = 1_000;
const DAY_MS = 86_400_000;
const HOURS = 24;

/** Most more-specifics of one prefix: more than the table keeps. */
const MAX_MORE_SPECIFICS = 1_000;

export interface RipestatClientOptions {
  /** Default `https://stat.ripe.net`. */
  readonly baseUrl?: string;
  /** Who asks: letters, digits, `-` and `_`. */
  readonly sourceApp: string;
  /** What requests call themselves, `name/version`. */
  readonly userAgent?: string;
  readonly settings?: Partial<RipestatSettings>;
  /** Default: the real clock. */
  readonly timers?: Timers;
  readonly log: Logger;
  /** Called after every attempt that came to an end. */
  readonly onRequest?: (call: RipestatCall, result: DataApiResult) => void;
}

type Success = Extract<RipestatAnswer, { readonly kind: 'success' }>;
type Failure = Extract<RipestatAnswer, { readonly kind: 'failure' }>;

/** An answer about some of the prefixes that were asked for. */
export interface StatePart extends StateAnswer {
  readonly prefixes: readonly string[];
}

export class RipestatClient {
  readonly #options: RipestatClientOptions;
  readonly #settings: RipestatSettings;
  readonly #timers: Timers;
  readonly #pace: Pace;
  #listLength: number;
  #clockOffsetMs = 0;
  /** Requests by hour, newest last, and the hour of the newest. */
  #hourly: number[] = [0];
  #hour: number;
  #toldBudget = false;

  /** Throws a `TypeError` when the URL is not one, or `sourceApp` has other characters. */
  constructor(options: RipestatClientOptions) {
    checkServiceUrl('baseUrl', options.baseUrl, ['https:', 'http:']);
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(options.sourceApp))
      throw new TypeError('sourceApp: expected 1 to 64 letters, digits, - and _');
    this.#options = options;
    this.#settings = withDefaults(DEFAULT_RIPESTAT_SETTINGS, options.settings);
    this.#timers = options.timers ?? systemTimers;
    this.#pace = new Pace(this.#settings, this.#timers);
    this.#listLength = Math.max(1, this.#settings.listLength);
    this.#hour = this.#currentHour();
  }

  /** How far the clock of the service is ahead of this machine's, ms, by its last answer; 0 when they agree. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  /** Requests of the last 24 hours. */
  get requestsOfDay(): number {
    this.#turnHours();
    return this.#hourly.reduce((sum, count) => sum + count, 0);
  }

  /** Prefixes that so many requests ask for, while the service takes the lists that it is given. */
  prefixesOf(requests: number): number {
    return requests * this.#listLength;
  }

  /** Asks for as little as can be asked for, so that `clockOffsetMs` is new. */
  async readClock(signal: AbortSignal): Promise<void> {
    await this.#ask('whats-my-ip', {}, signal);
  }

  /** The peers of all active collectors. Rejects with a `DataApiError`; so do all calls below. */
  async peers(signal: AbortSignal): Promise<readonly RisPeer[]> {
    const { data } = await this.#ask('rrc-info', {}, signal);
    const read = readPeers(data);
    if (read === undefined || read.unread > read.peers.length)
      throw invalid('rrc-info', 'an answer that is not the documented list of peers');
    if (read.unread > 0) this.#options.log.warn('RIPEstat lists peers that cannot be read', { peers: read.unread });
    return read.peers;
  }

  /** The prefixes inside this one that are announced, canonical, at most 1,000. */
  async moreSpecifics(outer: Prefix, signal: AbortSignal): Promise<readonly string[]> {
    const { data } = await this.#ask('related-prefixes', { resource: outer.text }, signal);
    const inside = readMoreSpecifics(data, outer, MAX_MORE_SPECIFICS);
    if (inside === undefined)
      throw invalid('related-prefixes', 'an answer that is not the documented list of prefixes');
    return inside;
  }

  /**
   * What the peers held for these very prefixes, in parts; each part says of what time it is. Several questions run at once.
   * @param prefixes canonical
   * @param atMs Unix ms; undefined: the newest that there is
   */
  async *state(
    prefixes: readonly string[],
    peers: PeerIndex,
    atMs: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<StatePart> {
    const stop = new AbortController();
    const joined = joinSignals([signal, stop.signal]);
    const pending: Promise<readonly StatePart[]>[] = [];
    try {
      for (let from = 0; from < prefixes.length; ) {
        const list = prefixes.slice(from, from + this.#listLength);
        from += list.length;
        const part = this.#stateOf(list, peers, atMs, joined.signal);
        part.catch(() => {}); // it is awaited below, unless another one fails before it
        pending.push(part);
        if (pending.length >= this.#settings.atOnce) yield* await (pending.shift() as (typeof pending)[number]);
      }
      for (const part of pending) yield* await part;
    } finally {
      stop.abort();
      joined.leave();
    }
  }

  /** What the peers said about this very prefix from one time to another (Unix ms), in order of time. */
  async updates(
    prefix: string,
    peers: PeerIndex,
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
  ): Promise<readonly ToldRow[]> {
    const query = { resource: prefix, starttime: dateOf(fromMs), endtime: dateOf(toMs) };
    const { data } = await this.#ask('bgp-updates', query, signal);
    const read = readUpdates(data, new Set([prefix]), peers);
    if (read === undefined || damageOf(read.skipped) > read.rows.length)
      throw invalid('bgp-updates', 'an answer that is not the documented list of updates');
    return read.rows;
  }

  /** One list; where the service does not take it, or does not answer all of it, its parts. */
  async #stateOf(
    prefixes: readonly string[],
    peers: PeerIndex,
    atMs: number | undefined,
    signal: AbortSignal,
  ): Promise<readonly StatePart[]> {
    const query: Record<string, string> = { resource: prefixes.join(',') };
    if (atMs !== undefined) query.timestamp = dateOf(atMs);
    const answer = await this.#answer('bgp-state', query, signal);
    if (answer.kind === 'failure') {
      const isListRefused = answer.isTooLarge || answer.code === 'BAD_REQUEST' || answer.code === 'NOT_FOUND';
      if (prefixes.length === 1 || !isListRefused) throw errorOf('bgp-state', answer);
      return this.#inHalves(prefixes, peers, atMs, signal);
    }
    const state = readState(answer.data, new Set(prefixes), peers);
    if (state === undefined) {
      if (prefixes.length > 1) return this.#inHalves(prefixes, peers, atMs, signal);
      throw invalid('bgp-state', 'an answer that is not the documented state');
    }
    if (damageOf(state.skipped) > state.rows.length)
      throw invalid('bgp-state', 'an answer of which more cannot be read than can');
    const answered = new Set(state.rows.map((row) => row.prefix));
    const rest = prefixes.filter((prefix) => !answered.has(prefix));
    // Either nobody announces the prefix, or the service did not read the list to its end: only a request for the prefix alone tells which.
    if (prefixes.length === 1 || rest.length === 0) return [{ ...state, prefixes }];
    const first = { ...state, prefixes: prefixes.filter((prefix) => answered.has(prefix)) };
    const others = await Promise.all(rest.map((prefix) => this.#stateOf([prefix], peers, atMs, signal)));
    const found = others.flat();
    if (found.some(({ rows }) => rows.length > 0)) this.#shorten(Math.max(1, first.prefixes.length));
    return first.prefixes.length === 0 ? found : [first, ...found];
  }

  async #inHalves(
    prefixes: readonly string[],
    peers: PeerIndex,
    atMs: number | undefined,
    signal: AbortSignal,
  ): Promise<readonly StatePart[]> {
    const half = Math.ceil(prefixes.length / 2);
    this.#shorten(half);
    const [left, right] = await Promise.all([
      this.#stateOf(prefixes.slice(0, half), peers, atMs, signal),
      this.#stateOf(prefixes.slice(half), peers, atMs, signal),
    ]);
    return [...left, ...right];
  }

  #shorten(length: number): void {
    if (length >= this.#listLength) return;
    this.#listLength = length;
    this.#options.log.info('RIPEstat does not answer long lists: shorter ones are asked for', { prefixes: length });
  }

  async #ask(call: RipestatCall, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Success> {
    const answer = await this.#answer(call, query, signal);
    if (answer.kind === 'failure') throw errorOf(call, answer);
    return answer;
  }

  /** The answer after as many attempts as make sense. Rejects with the reason of the signal when that is aborted. */
  async #answer(
    call: RipestatCall,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Success | Failure> {
    const { baseUrl = DEFAULTS.risLive.ripestatUrl, sourceApp, userAgent } = this.#options;
    const { timeoutMs, attempts, retry } = this.#settings;
    const backoff = new Backoff(retry, () => this.#timers.random());
    for (let attempt = 1; ; attempt++) {
      const end = await this.#pace.turn(signal);
      if (end === undefined) throw signal.reason;
      this.#count();
      const answer = await askRipestat({
        ...{ baseUrl, call, timeoutMs, userAgent, signal, timers: this.#timers },
        query: { ...query, sourceapp: sourceApp },
      }).finally(end);
      if (answer.kind === 'aborted') throw signal.reason;
      this.#options.onRequest?.(call, answer.kind === 'success' ? 'success' : resultOf(answer.code));
      if (answer.kind === 'success') {
        this.#clockOffsetMs = answer.clockOffsetMs ?? this.#clockOffsetMs;
        return answer;
      }
      if (attempt >= attempts || !isPassing(answer)) return answer;
      const waitMs = Math.min(Math.max(answer.retryAfterMs ?? 0, backoff.next()), 10 * retry.maxMs);
      // When the service asks one request to wait, no other request is made meanwhile.
      if (answer.code === 'RATE_LIMITED') this.#pace.holdFor(waitMs);
      await sleep(this.#timers, waitMs, signal);
    }
  }

  #count(): void {
    this.#turnHours();
    this.#hourly[this.#hourly.length - 1]++;
    const isOver = this.requestsOfDay > REQUESTS_A_DAY;
    if (isOver && !this.#toldBudget) {
      this.#options.log.warn(
        'more than 1,000 requests to RIPEstat within a day: RIPE NCC asks for a mail that names the sourceapp',
        { sourceapp: this.#options.sourceApp },
      );
    }
    this.#toldBudget = isOver;
  }

  #currentHour(): number {
    return Math.floor(this.#timers.elapsed() / (DAY_MS / HOURS));
  }

  #turnHours(): void {
    const hour = this.#currentHour();
    const passed = Math.min(hour - this.#hour, HOURS);
    for (let i = 0; i < passed; i++) this.#hourly.push(0);
    this.#hourly.splice(0, Math.max(0, this.#hourly.length - HOURS));
    this.#hour = hour;
  }
}

/** `YYYY-MM-DDTHH:MM:SS` of Unix ms, UTC. */
function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

/** Whether the same request may get another answer soon. */
function isPassing({ code }: Failure): boolean {
  return code === 'RATE_LIMITED' || code === 'SERVER_ERROR' || code === 'TIMEOUT' || code === 'NETWORK_ERROR';
}

function resultOf(code: Failure['code']): DataApiResult {
  return code.toLowerCase() as Lowercase<typeof code>;
}

function errorOf(call: RipestatCall, { code, status, text }: Failure): DataApiError {
  const told = text === '' ? `HTTP status ${status}` : text;
  return new DataApiError(code, `RIPEstat, ${call}: ${told}`, status === undefined ? {} : { status });
}

function invalid(call: RipestatCall, text: string): DataApiError {
  return new DataApiError('INVALID_RESPONSE', `RIPEstat, ${call}: ${text}`);
}
