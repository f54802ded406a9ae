/** What the exporter itself does, in numbers: the parts that do it count here, and views/exporter-view.ts shows it. */

import { Labels } from '../metric.ts';
import { Histogram } from './histogram.ts';
import { zeros } from './zeros.ts';

export const OTLP_RESULTS = ['success', 'partial', 'rejected', 'unavailable', 'error'] as const;
export type OtlpResult = (typeof OTLP_RESULTS)[number];

/** Why the web server ended a connection, or refused it. */
export const HTTP_CUT_REASONS = [
  'connection_limit', // too many connections
  'address_limit', // too many connections of one address
  'pipelining', // too many requests on a connection without an answer yet
  'scrape_limit', // too many scrapes, and this one was under way for long
  'page_limit', // too many answers of the page and its API, or too many bytes, and this one was under way for long
  'slow_request', // a request that did not arrive in time
  'slow_answer', // an answer that was not read in time
  'bad_request', // not HTTP, or too many headers
  'tls_handshake', // no TLS on a port of TLS, or no version or suite in common
  'client_certificate', // none, or one that is not trusted or has another name than those allowed
] as const;
export type HttpCutReason = (typeof HTTP_CUT_REASONS)[number];

/** Paths by which requests are counted: all that the web server knows where it has a page, and `other`. */
export const MAX_COUNTED_PATHS = 14;

/** Upper bounds in seconds. */
export const REQUEST_BOUNDS: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/** What the web server did. The caller that counts must bound the number of paths. */
export class HttpFigures {
  readonly requests = new Map<string, { readonly labels: Labels; count: number }>();
  readonly cuts = zeros(HTTP_CUT_REASONS);
  readonly durations = new Map<string, { readonly labels: Labels; readonly histogram: Histogram }>();

  countRequest(path: string, status: number, durationSeconds: number): void {
    const key = `${status} ${path}`;
    let requests = this.requests.get(key);
    if (requests === undefined) {
      requests = { labels: new Labels(['path', 'code'], [path, String(status)]), count: 0 };
      this.requests.set(key, requests);
    }
    requests.count++;
    let duration = this.durations.get(path);
    if (duration === undefined) {
      duration = { labels: new Labels(['path'], [path]), histogram: new Histogram(REQUEST_BOUNDS) };
      this.durations.set(path, duration);
    }
    duration.histogram.observe(durationSeconds);
  }
}

/** Mutable on the side of whoever reloads or exports. */
export class ExporterFigures {
  readonly startTimeMs: number;
  readonly version: string;
  /** The revision of the source that the build was made from; empty when unknown. */
  readonly revision: string;
  readonly nodeVersion: string;
  reloadSuccessful = true;
  /** Unix ms. */
  reloadedAtMs: number;
  /** Whether the current files of --web.config.file are in force. */
  webConfigSuccessful = true;
  readonly otlpExports = zeros(OTLP_RESULTS);
  readonly http = new HttpFigures();

  constructor(
    startTimeMs: number,
    build: { readonly version: string; readonly revision: string; readonly nodeVersion: string },
  ) {
    this.startTimeMs = startTimeMs;
    this.reloadedAtMs = startTimeMs;
    this.version = build.version;
    this.revision = build.revision;
    this.nodeVersion = build.nodeVersion;
  }
}
