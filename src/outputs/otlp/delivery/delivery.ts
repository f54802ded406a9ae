/**
 * Sends what the reader collected: a few requests one after the other, each retried while there is time, and says how it
 * went as one result. The SDK's own delivery cannot be stopped, does not bound a slow answer, and tells nobody of a partial
 * success; this one is bounded in time and memory whatever the collector does.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { deadline, type Schedule } from '../../../http/deadline.ts';
import { parseRetryAfter } from '../../../http/retry-after.ts';
import type { Logger } from '../../../logger.ts';
import type { OtlpResult } from '../../../metrics/figures/exporter-figures.ts';
import { errorText, foreignText, type Redactor } from '../../../secrets/redaction.ts';
import type { DeltaConverter } from '../delta.ts';
import type { PartialSuccess, Serializer } from '../encoding/serializer.ts';
import { hrTime, type OwnMetricData } from '../metric-data.ts';
import { SCOPE_NAME } from '../producer.ts';
import type { Held, VanishedSeries } from '../vanished-series.ts';
import { grpcHint } from './grpc-port.ts';
import type { HttpPost, PostResult } from './http-post.ts';
import { requestsOf } from './requests.ts';

const compress = promisify(gzip);

export interface DeliveryOptions {
  readonly post: HttpPost;
  readonly serializer: Serializer;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'none' | 'gzip';
  /** Time for one request with its retries, ms. */
  readonly timeoutMs: number;
  /** Time for one export with all its requests, ms. */
  readonly exportTimeoutMs: number;
  readonly vanished: VanishedSeries;
  readonly deltas: DeltaConverter;
  readonly logger: Logger;
  readonly redact: Redactor;
  /** Called once an export. */
  readonly onExport: (result: OtlpResult) => void;
  /** Before the first retry; grows by half up to ten times as much. Default 1 s. */
  readonly backoffMs?: number;
  /** How long after `exportTimeoutMs` an export that has not ended is given up, and the next one begins, ms. Default 1 s. */
  readonly watchdogMs?: number;
  /** Unix ms, for dates and times of points; the clock by default. */
  readonly now?: () => number;
  /** 0 to 1; `Math.random` by default. */
  readonly random?: () => number;
}

/** How a request went. */
interface Outcome {
  readonly result: OtlpResult;
  readonly held: Held;
  /** For the log: what the server or the network said, one line, redacted. */
  readonly detail: string;
  readonly status?: number;
  /** Set where a retry may help: wait so long, or 0 for the usual time. */
  readonly retryAfterMs?: number;
}

/** An export on its way, and how to end it: its waiting for a retry, or all of it. */
interface Ongoing {
  readonly retries: AbortController;
  readonly all: AbortController;
  /** Given up by the watchdog: whatever result it still has must change nothing. */
  abandoned: boolean;
}

/** The worst of several results is that of the export. */
const SEVERITY: readonly OtlpResult[] = ['success', 'partial', 'rejected', 'error', 'unavailable'];

/** OTLP specification, "Retryable Response Codes". */
const RETRYABLE_STATUS = new Set([429, 502, 503, 504]);

/** Errors of Node that pass: nobody listens, no route, no name yet, a connection that broke. Not those of TLS. */
const PASSING_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  'ENOTFOUND',
]);

/** How long after its time an export counts as stuck, ms. */
const WATCHDOG_MS = 1_000;

/** A Retry-After beyond this is cut: a collector that comes back early should not wait for us for an hour. */
const MAX_RETRY_AFTER_MS = 300_000;

/** Milliseconds since the start, by which all times here are measured: a clock that is set back must not make a wait longer. */
const elapsed = (): number => performance.now();

const schedule: Schedule = (work, delayMs) => {
  const timer = setTimeout(work, delayMs);
  return () => clearTimeout(timer);
};

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #now: () => number;
  readonly #random: () => number;
  #ongoing: Ongoing | undefined;
  /** Exports on their way, one of them waiting for the other: at most two. */
  #pending = 0;
  #tail: Promise<void> = Promise.resolve();
  /** The collector has asked for no requests until this time. */
  #quietUntilMs = 0;
  /** Set once by `stopWithin`. */
  #stopAtMs: number | undefined;
  #lastFailure: string | undefined;
  #failures = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
  }

  /**
   * Never rejects. Ends within `exportTimeoutMs`, at the latest when the watchdog gives it up; when another one is on its way
   * (the reader gave up waiting for it), within twice that. A third one at the same time is an `error`.
   */
  async export(collected: ResourceMetrics): Promise<OtlpResult> {
    if (this.#pending === 2) return this.#settle({ result: 'error', held: 'no', detail: 'exports overlap' }, 0);
    this.#pending++;
    const metrics = ownMetrics(collected);
    const setTime = metrics[0]?.dataPoints[0]?.holdTime() ?? (() => {});
    const result = this.#tail.then(() => this.#export(collected, setTime));
    this.#tail = result.then(() => {
      this.#pending--;
    });
    return result;
  }

  /** Resolves when no export is on its way or waits for another one. */
  async idle(): Promise<void> {
    while (this.#pending > 0) await this.#tail;
  }

  /**
   * Ends everything within `limitMs`. An export on its way is not retried and gets half of that time; the last export, which is
   * still to come, gets the rest.
   */
  stopWithin(limitMs: number): void {
    this.#stopAtMs = elapsed() + limitMs;
    this.#quietUntilMs = 0;
    const ongoing = this.#ongoing;
    if (ongoing === undefined) return;
    ongoing.retries.abort();
    setTimeout(() => ongoing.all.abort(), limitMs / 2).unref();
  }

  close(): void {
    this.#options.post.close();
  }

  /** @param setTime sets the time of its points, which each later collection changes; called before they are read */
  async #export(collected: ResourceMetrics, setTime: () => void): Promise<OtlpResult> {
    const ongoing: Ongoing = { retries: new AbortController(), all: new AbortController(), abandoned: false };
    this.#ongoing = ongoing;
    const { exportTimeoutMs, watchdogMs = WATCHDOG_MS } = this.#options;
    const startedAtMs = elapsed();
    const deadlineMs = Math.min(startedAtMs + exportTimeoutMs, this.#stopAtMs ?? Number.POSITIVE_INFINITY);
    let watchdog: NodeJS.Timeout | undefined;
    const overdue = new Promise<Outcome>((resolve) => {
      watchdog = setTimeout(
        () => {
          ongoing.abandoned = true;
          ongoing.retries.abort();
          ongoing.all.abort();
          const limit = this.#options.exportTimeoutMs / 1_000;
          resolve({
            result: 'error',
            held: 'maybe',
            detail: `the export did not end within ${limit} s and was given up`,
          });
        },
        deadlineMs - startedAtMs + watchdogMs,
      );
    });
    const outcome = await Promise.race([this.#deliver(collected, setTime, deadlineMs, ongoing), overdue]);
    clearTimeout(watchdog);
    this.#ongoing = undefined;
    return this.#settle(outcome, elapsed() - startedAtMs);
  }

  /** Never rejects. */
  async #deliver(
    collected: ResourceMetrics,
    setTime: () => void,
    deadlineMs: number,
    ongoing: Ongoing,
  ): Promise<Outcome> {
    const { resource } = collected;
    const own = ownScope(collected);
    const metrics = ownMetrics(collected);
    if (own === undefined || metrics.length === 0)
      return { result: 'error', held: 'no', detail: 'there was nothing to export' };
    try {
      return await this.#sendAll(metrics, setTime, async (part) => {
        const outcome = await this.#sendRequest(
          this.#options.serializer.serialize({ resource, scope: own.scope, metrics: part }),
          Math.min(elapsed() + this.#options.timeoutMs, deadlineMs),
          ongoing,
        );
        // The next export goes on from what is known now, and must not find it changed by this one.
        if (ongoing.abandoned) throw new Error('given up');
        return outcome;
      });
    } catch (error) {
      return { result: 'error', held: 'maybe', detail: errorText(error, this.#options.redact) };
    }
  }

  async #sendAll(
    metrics: OwnMetricData[],
    setTime: () => void,
    send: (part: readonly OwnMetricData[]) => Promise<Outcome>,
  ): Promise<Outcome> {
    const { vanished, deltas } = this.#options;
    const quietMs = this.#quietUntilMs - elapsed();
    if (quietMs > 0) {
      const detail = `the collector asked to be left alone for ${Math.ceil(quietMs / 1_000)} s more`;
      return { result: 'unavailable', held: 'no', detail };
    }
    setTime();
    const gone = vanished.pointsFor(metrics, hrTime(this.#now()));
    let worst: Outcome = { result: 'success', held: 'yes', detail: '' };
    let held: Held = 'no';
    let all = true;
    for (const part of requestsOf([...metrics, ...gone])) {
      const { metrics: converted, commit } = deltas.convert(part);
      const outcome = await send(converted);
      setTime(); // another collection may have taken place meanwhile
      if (outcome.held === 'yes') commit();
      if (outcome.held !== 'no') held = 'maybe';
      if (outcome.held !== 'yes') all = false;
      if (SEVERITY.indexOf(outcome.result) > SEVERITY.indexOf(worst.result) || worst.detail === '') worst = outcome;
      // The next request would only wait for the same collector.
      if (outcome.result === 'unavailable' || outcome.result === 'error') break;
    }
    vanished.settle(metrics, all ? 'yes' : held);
    if (all) deltas.retain(metrics);
    return worst;
  }

  async #sendRequest(body: Uint8Array, deadlineMs: number, ongoing: Ongoing): Promise<Outcome> {
    const { post, serializer, compression, backoffMs = 1_000 } = this.#options;
    const headers: Record<string, string> = { ...this.#options.headers, 'content-type': serializer.contentType };
    if (compression === 'gzip') headers['content-encoding'] = 'gzip';
    const content = compression === 'gzip' ? await compress(body) : body;
    for (let waitMs = backoffMs; ; waitMs = Math.min(waitMs * 1.5, backoffMs * 10)) {
      const leftMs = Math.max(0, deadlineMs - elapsed());
      const limit = deadline(leftMs, [ongoing.all.signal], schedule);
      const outcome = this.#outcomeOf(await post.send(content, headers, limit.signal), leftMs);
      limit.leave();
      if (outcome.retryAfterMs === undefined || limit.signal.aborted) return outcome;
      // ±20 %, so that exporters that lost the same collector do not come back all at once.
      const delayMs = outcome.retryAfterMs > 0 ? outcome.retryAfterMs : waitMs * (0.8 + 0.4 * this.#random());
      if (elapsed() + delayMs >= deadlineMs || ongoing.retries.signal.aborted) {
        if (this.#stopAtMs === undefined) this.#quietUntilMs = elapsed() + outcome.retryAfterMs;
        return outcome;
      }
      await sleep(delayMs, undefined, { signal: ongoing.retries.signal }).catch(() => {});
      if (ongoing.retries.signal.aborted) return outcome;
    }
  }

  #outcomeOf(answer: PostResult, leftMs: number): Outcome {
    const { redact, post } = this.#options;
    const hint = grpcHint(answer, post.port);
    if (answer.kind === 'none') {
      const { error, sent } = answer;
      const held = sent ? 'maybe' : 'no';
      if (error.name === 'AbortError') {
        return { result: 'unavailable', held, detail: `no answer within ${Math.round(leftMs)} ms` };
      }
      const detail = hint === undefined ? errorText(error, redact) : `${hint}: ${errorText(error, redact)}`;
      return PASSING_ERRORS.has(error.code ?? '')
        ? { result: 'unavailable', held, detail, retryAfterMs: 0 }
        : { result: 'error', held, detail };
    }
    const { status, headers, body } = answer;
    if (status >= 200 && status < 300 && hint === undefined) return this.#accepted(status, body);
    const text = foreignText(body.toString('utf8'), redact);
    const to = status < 400 && headers.location !== undefined ? ` to ${this.#place(headers.location)}` : '';
    const said = `HTTP status ${status}${to}${text === '' ? '' : `: ${text}`}`;
    const detail = hint === undefined ? said : `${hint}: ${said}`;
    if (RETRYABLE_STATUS.has(status)) {
      return {
        result: 'unavailable',
        held: 'no',
        detail,
        status,
        retryAfterMs: Math.min(parseRetryAfter(headers['retry-after'], this.#now()) ?? 0, MAX_RETRY_AFTER_MS),
      };
    }
    return { result: status >= 500 ? 'error' : 'rejected', held: 'no', detail, status };
  }

  /**
   * Where a redirect leads, for the log. It is not followed; most often the URL should have begun with https. Queries may hold a
   * token.
   */
  #place(location: string): string {
    return foreignText(location.replace(/[?#].*$/s, '…').replace(/\/\/[^/]*@/, '//…@'), this.#options.redact);
  }

  #accepted(status: number, body: Buffer): Outcome {
    const { serializer, redact } = this.#options;
    let partial: PartialSuccess | undefined;
    try {
      partial = serializer.partialSuccess(body);
    } catch {
      // Many receivers answer with an empty page or a line of text. The status is what counts.
    }
    if (partial === undefined) return { result: 'success', held: 'yes', detail: '', status };
    const { rejectedPoints } = partial;
    const message = foreignText(partial.message, redact);
    return rejectedPoints > 0
      ? { result: 'partial', held: 'yes', detail: `${rejectedPoints} points were refused: ${message}`, status }
      : { result: 'success', held: 'yes', detail: `warning: ${message}`, status };
  }

  /** Counts, and says in the log when exports begin to fail, fail in another way, and succeed again. */
  #settle(outcome: Outcome, tookMs: number): OtlpResult {
    const { logger, onExport } = this.#options;
    const { result, detail, status } = outcome;
    onExport(result);
    const fields = { result, status, detail, took_ms: Math.round(tookMs) };
    if (result === 'success') {
      if (this.#failures > 0) logger.info('OTLP exports succeed again', { after_failures: this.#failures });
      this.#failures = 0;
      this.#lastFailure = undefined;
      if (detail !== '') logger.warn('the OTLP collector accepted an export with a warning', fields);
      else logger.debug('OTLP export done', fields);
      return result;
    }
    this.#failures++;
    const failure = `${result} ${status ?? ''}`;
    if (failure === this.#lastFailure) logger.debug('OTLP export failed again', fields);
    else logger.warn(result === 'partial' ? 'an OTLP export was refused in part' : 'OTLP export failed', fields);
    this.#lastFailure = failure;
    return result;
  }
}

/** What others in this process may have recorded is not ours to send. */
function ownScope({ scopeMetrics }: ResourceMetrics): ResourceMetrics['scopeMetrics'][number] | undefined {
  return scopeMetrics.find(({ scope }) => scope.name === SCOPE_NAME);
}

function ownMetrics(collected: ResourceMetrics): OwnMetricData[] {
  return (ownScope(collected)?.metrics ?? []) as OwnMetricData[];
}
