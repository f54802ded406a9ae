/** Validated data as JSON, from a validator's HTTP server or a file, read again at an interval. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemReason } from '../../errors/system-error.ts';
import { request } from '../../http/http-request.ts';
import { TurnSlice } from '../../in-turns.ts';
import { openRegularFile } from '../../input/regular-file.ts';
import type { Logger } from '../../logger.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import { RpkiData } from '../rpki-data.ts';
import type { RpkiScope } from '../scope.ts';
import { type RpkiResult, RpkiSourceState } from '../source-state.ts';
import { VrpReader, type VrpReadResult } from './vrp-reader.ts';

/** Where the JSON is. */
export type JsonPlace =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'file'; readonly path: string };

export interface JsonSourceOptions {
  readonly place: JsonPlace;
  /** Between two readings, ms. */
  readonly intervalMs: number;
  /** Data that was made longer ago is not used, ms. */
  readonly maxAgeMs: number;
  readonly scope: RpkiScope;
  readonly timers: Timers;
  /** What the machine's clock shows, Unix ms: times in the data are by such a clock. */
  readonly unixMs: () => number;
  /** Tells the source apart in the log; a URL may hold what nobody else should read. */
  readonly name: string;
  readonly userAgent: string;
  readonly log: Logger;
}

/** A reading has failed when no byte has come for this long, ms. */
const IDLE_LIMIT_MS = 60_000;
/** A whole reading, ms. */
const READ_LIMIT_MS = 15 * 60_000;
/** How soon the source is asked again after a failure, ms, unless the interval is shorter. */
const RETRY_MS = 60_000;
/** How many bytes are read of an answer that is not data. */
const MAX_REFUSAL_BYTES = 16_384;

/** How one reading went. */
type Outcome =
  | { readonly result: 'success'; readonly data: RpkiData; readonly dataAtMs: number; readonly tag: Tag }
  | { readonly result: 'unchanged'; readonly dataAtMs: number | undefined }
  | { readonly result: Exclude<RpkiResult, 'success' | 'unchanged'>; readonly reason: string };

/** What tells that the source has nothing new. */
interface Tag {
  readonly scope: RpkiScope;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

const RESULTS: Readonly<Record<Exclude<VrpReadResult, 'success'>, Exclude<RpkiResult, 'success' | 'unchanged'>>> = {
  truncated: 'truncated',
  not_json: 'unreadable',
  foreign: 'unreadable',
  too_large: 'too_large',
  empty: 'empty',
};

const REASONS: Readonly<Record<Exclude<VrpReadResult, 'success'>, string>> = {
  truncated: 'it ends too early',
  not_json: 'it is not JSON',
  foreign: 'it is JSON without a list of VRPs',
  too_large: 'it is larger than any set of VRPs',
  empty: 'it has no VRP and no ASPA that can be read',
};

export class JsonSource {
  readonly state = new RpkiSourceState();
  readonly #options: JsonSourceOptions;
  readonly #stop = new AbortController();
  #scope: RpkiScope;
  #tag: Tag | undefined;
  /** Ends the wait between two readings. */
  #wake = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: JsonSourceOptions) {
    this.#options = options;
    this.#scope = options.scope;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Sets which prefixes matter. What was kept for others is read again at once. */
  watch(scope: RpkiScope): void {
    this.#scope = scope;
    this.#wake.abort();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { timers, intervalMs } = this.#options;
    while (!this.#stop.signal.aborted) {
      const scope = this.#scope;
      this.#wake = new AbortController();
      const isRead = this.#take(await this.#read(scope));
      if (this.#stop.signal.aborted) return;
      // A tenth more or less, so that a fleet does not ask all at once.
      const waitMs = (isRead ? intervalMs : Math.min(intervalMs, RETRY_MS)) * (0.9 + 0.2 * timers.random());
      if (scope === this.#scope) await sleep(timers, waitMs, this.#wake.signal);
    }
  }

  /** Whether the source has answered. */
  #take(outcome: Outcome): boolean {
    const { state } = this;
    const { log, maxAgeMs, name, unixMs } = this.#options;
    if (this.#stop.signal.aborted) return false;
    const nowMs = unixMs();
    switch (outcome.result) {
      case 'success': {
        const { data } = outcome;
        // The publisher's clock may be ahead; the data cannot be newer than now.
        const dataAtMs = Math.min(outcome.dataAtMs, nowMs);
        const isFirst = state.data === undefined;
        state.replaced(data);
        state.confirmed('success', nowMs, dataAtMs, dataAtMs + maxAgeMs);
        this.#tag = outcome.tag;
        if (isFirst || this.state.hasFailed) {
          const counts = { vrps: data.total, kept: data.vrps.size, aspas: data.aspas.size };
          log.info('validated RPKI data was read', { rpki_source: name, ...counts });
        }
        break;
      }
      case 'unchanged': {
        const dataAtMs = Math.min(Math.max(outcome.dataAtMs ?? 0, state.dataAtMs ?? 0), nowMs);
        state.confirmed('unchanged', nowMs, dataAtMs, dataAtMs + maxAgeMs);
        break;
      }
      default:
        state.failed(outcome.result);
        if (!this.state.hasFailed) {
          const note = state.data === undefined ? 'there is none yet' : 'what was read before is kept';
          const fields = { rpki_source: name, result: outcome.result, reason: outcome.reason };
          log.warn(`validated RPKI data could not be read; ${note}`, fields);
        }
        this.state.hasFailed = true;
        return false;
    }
    this.state.hasFailed = false;
    return true;
  }

  async #read(scope: RpkiScope): Promise<Outcome> {
    const { place, timers, unixMs } = this.#options;
    const limit = new AbortController();
    const giveUp = () => limit.abort();
    let cancelIdle = timers.schedule(giveUp, IDLE_LIMIT_MS);
    const cancelWhole = timers.schedule(giveUp, READ_LIMIT_MS);
    this.#stop.signal.addEventListener('abort', giveUp);
    const reader = new VrpReader(new RpkiData(scope, unixMs() / 1_000, this.state.data));
    const slices = new TurnSlice(() => timers.elapsed());
    const take = async (chunk: Buffer) => {
      if (slices.isOver) {
        cancelIdle();
        cancelIdle = timers.schedule(giveUp, IDLE_LIMIT_MS);
        await nextTurn();
        slices.begin();
      }
      return reader.push(chunk);
    };
    const tag = this.#tag?.scope === scope ? this.#tag : undefined;
    try {
      return place.kind === 'url'
        ? await this.#readUrl(place.url, { scope, reader, tag, take, signal: limit.signal })
        : await this.#readFile(place.path, { scope, reader, tag, take, signal: limit.signal });
    } catch (error) {
      if (limit.signal.aborted) return { result: 'timeout', reason: 'no whole answer in time' };
      const reason = systemReason(error);
      return reader.bytes > 0 ? { result: 'truncated', reason } : { result: 'unavailable', reason };
    } finally {
      cancelIdle();
      cancelWhole();
      this.#stop.signal.removeEventListener('abort', giveUp);
    }
  }

  async #readUrl(url: string, { scope, reader, tag, take, signal }: Reading): Promise<Outcome> {
    const answer = await request(new URL(url), {
      method: 'GET',
      headers: {
        accept: 'application/json',
        'user-agent': this.#options.userAgent,
        ...(tag?.etag !== undefined && { 'if-none-match': tag.etag }),
        ...(tag?.lastModified !== undefined && { 'if-modified-since': tag.lastModified }),
      },
      maxBytes: () => MAX_REFUSAL_BYTES,
      cutBody: true,
      signal,
      take: (status) => (status === 200 ? take : undefined),
    });
    const lastModified = answer.headers['last-modified'];
    const modifiedAtMs = lastModified === undefined ? Number.NaN : Date.parse(lastModified);
    const atMs = Number.isNaN(modifiedAtMs) ? undefined : modifiedAtMs;
    // The validator may have run since with the same result: the time of this answer tells when.
    if (answer.status === 304 && tag !== undefined) return { result: 'unchanged', dataAtMs: atMs };
    if (answer.status !== 200) return { result: 'unavailable', reason: `HTTP status ${answer.status}` };
    return this.#outcome(reader, atMs, { scope, etag: answer.headers.etag, lastModified });
  }

  async #readFile(path: string, { scope, reader, tag, take, signal }: Reading): Promise<Outcome> {
    const file = await openRegularFile(path);
    try {
      const before = await file.stat();
      const lastModified = `${before.mtimeMs} ${before.size} ${before.ino}`;
      if (tag?.lastModified === lastModified) return { result: 'unchanged', dataAtMs: undefined };
      const stream = file.createReadStream({ autoClose: false, signal });
      // A failure is told by the loop. A stop that comes after the last byte is an error too, with nobody left to hear it.
      stream.on('error', () => {});
      for await (const chunk of stream as AsyncIterable<Buffer>) if (!(await take(chunk))) break;
      return this.#outcome(reader, before.mtimeMs, { scope, etag: undefined, lastModified });
    } finally {
      await file.close();
    }
  }

  #outcome(reader: VrpReader, modifiedAtMs: number | undefined, tag: Tag): Outcome {
    const { result, data, madeAtMs } = reader.end();
    if (result !== 'success') return { result: RESULTS[result], reason: REASONS[result] };
    return { result, data, dataAtMs: madeAtMs ?? modifiedAtMs ?? this.#options.unixMs(), tag };
  }
}

interface Reading {
  readonly scope: RpkiScope;
  readonly reader: VrpReader;
  readonly tag: Tag | undefined;
  /** Call it with each part, and with the next one when it has resolved. False means that no more is wanted. */
  readonly take: (chunk: Buffer) => Promise<boolean>;
  readonly signal: AbortSignal;
}
