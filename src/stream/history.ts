/** What seeding needs of the Data API; the client of bgproutes/ gives it. */
import type { VantagePoint } from '../bgp/vantage-point.ts';

/** A VP as the Data API lists it; only those of sources that stream live are given. */
export interface ApiVantagePoint {
  /** Unique among VPs of one protocol only. */
  readonly id: string;
  readonly vp: VantagePoint;
  readonly status: 'up' | 'down' | 'ignored' | 'unknown';
  /** Routes in its table; undefined when unknown. */
  readonly ribSizeV4: number | undefined;
  readonly ribSizeV6: number | undefined;
}

export interface ApiRoute {
  readonly vp: VantagePoint;
  /** Canonical text. */
  readonly prefix: string;
  readonly asPath: string;
}

export interface ApiUpdate {
  readonly vp: VantagePoint;
  readonly prefix: string;
  /** Unix microseconds. */
  readonly timeUs: number;
  readonly kind: 'A' | 'W';
  readonly asPath: string;
}

/** A part of an answer. All rows of one VP and prefix are in one batch, or in batches that follow one another. */
export interface ApiBatch<Row> {
  readonly rows: readonly Row[];
  /** VPs of which the API has no data for that time: that they have no rows says nothing. */
  readonly unavailable: readonly { readonly vp: VantagePoint }[];
}

/** The very prefixes, which take one request for ten of them, their more-specifics, which take about one each, or both. */
export type UpdatesOf = 'exact' | 'more_specific' | 'all';

/** Every call rejects with a DataApiError when it fails for good; all obey the limits of the key. */
export interface SeedApi {
  /** How far the API's clock is ahead of this machine's, ms, by its last answer; 0 when they agree. */
  readonly clockOffsetMs: number;
  /** Asks something small, for `clockOffsetMs`. */
  readClock(signal: AbortSignal): Promise<void>;
  vantagePoints(signal: AbortSignal): Promise<readonly ApiVantagePoint[]>;
  /** What these VPs held at a time (Unix ms), for these prefixes and all their more-specifics. */
  rib(
    vps: readonly ApiVantagePoint[],
    prefixes: readonly string[],
    atMs: number,
    signal: AbortSignal,
  ): AsyncIterable<ApiBatch<ApiRoute>>;
  /** Who of these VPs held these very prefixes at a time (Unix ms); more-specifics are not asked for. */
  holders(
    vps: readonly ApiVantagePoint[],
    prefixes: readonly string[],
    atMs: number,
    signal: AbortSignal,
  ): AsyncIterable<ApiBatch<ApiRoute>>;
  /** What these VPs announced and withdrew in between, in order of time for each VP and prefix. `of` is `all` by default. */
  updates(
    vps: readonly ApiVantagePoint[],
    prefixes: readonly string[],
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
    of?: UpdatesOf,
  ): AsyncIterable<ApiBatch<ApiUpdate>>;
}
