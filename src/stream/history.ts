/** What tells the past of a source: who its VPs are, what they held at a time, and what they said since. */
import type { VantagePoint } from '../bgp/vantage-point.ts';

/** What of the Data API is used: labels of its metrics, and the names in its paths. */
export const DATA_API_ENDPOINTS = ['vantage_points', 'rib', 'updates'] as const;
/** One of `DATA_API_ENDPOINTS`. */
export type DataApiEndpoint = (typeof DATA_API_ENDPOINTS)[number];

/** The data calls of RIPEstat that are used, as the service names them. Closed list: it becomes a label. */
export const RIPESTAT_CALLS = ['rrc-info', 'bgp-state', 'bgp-updates', 'related-prefixes', 'whats-my-ip'] as const;
/** One of `RIPESTAT_CALLS`. */
export type RipestatCall = (typeof RIPESTAT_CALLS)[number];

/** How one request ended. Closed list: it becomes a label. */
export const DATA_API_RESULTS = [
  'success',
  'bad_request',
  'forbidden',
  'not_found',
  'rate_limited',
  'server_error',
  'timeout',
  'network_error',
  'invalid_response',
] as const;
/** One of `DATA_API_RESULTS`. */
export type DataApiResult = (typeof DATA_API_RESULTS)[number];

/** What a history says of the session of a VP. */
export const VP_STATUSES = ['up', 'down', 'ignored', 'unknown'] as const;
/** One of `VP_STATUSES`. */
export type VpStatus = (typeof VP_STATUSES)[number];

/** A VP as a question names it: its id at the service, and who that is. */
export interface ListedVp {
  /** Unique among VPs of one protocol only. */
  readonly id: string;
  readonly vp: VantagePoint;
}

/** A VP as a history lists it; only those that stream live are given. */
export interface HistoryVp extends ListedVp {
  readonly status: VpStatus;
  /** Routes in its table; undefined when unknown. */
  readonly ribSizeV4: number | undefined;
  readonly ribSizeV6: number | undefined;
  /** Where its session's address is: the two letters of ISO 3166, or an English name; empty or absent: not told. */
  readonly country?: string;
  /** Where the organisation is that runs it, in the same form. */
  readonly orgCountry?: string;
  /** Whose collector hears it: `bgproutes.io`, `ris` or `routeviews`; empty or absent: not told. */
  readonly source?: string;
}

/** The route of one VP to one prefix. */
export interface RibRow {
  readonly vp: VantagePoint;
  /** Canonical text. */
  readonly prefix: string;
  /** Known to parse (see as-path.ts). */
  readonly asPath: string;
  /** Blank separated; empty when there are none, or when they were not asked for. */
  readonly communities: string;
}

/** One announcement or withdrawal of one VP and prefix. */
export interface UpdateRow extends RibRow {
  /** Unix microseconds; whole seconds when the history gives no more. */
  readonly timeUs: number;
  /** Announcement or withdrawal; path and communities of a withdrawal are empty. */
  readonly kind: 'A' | 'W';
}

/** Of the more-specifics of the monitored prefix `of`, only these were asked for. All are canonical. */
export interface AskedInside {
  readonly of: string;
  readonly prefixes: readonly string[];
}

/** A part of an answer. All rows of one VP and prefix are in one part, or in parts that follow one another. */
export interface HistoryRows<Row> {
  readonly rows: readonly Row[];
  /** VPs of which there is no complete data for that time: that they have no rows says nothing. */
  readonly unavailable: readonly { readonly vp: VantagePoint }[];
}

/** A part of a RIB. */
export interface RibRows extends HistoryRows<RibRow> {
  /**
   * Set when a service takes no question for everything inside a prefix. Then a more-specific that is not named here and has no
   * rows may exist all the same.
   */
  readonly askedInside?: readonly AskedInside[];
}

/** The very prefixes, which take one request for ten of them, their more-specifics, which take about one each, or both. */
export type UpdatesOf = 'exact' | 'more_specific' | 'all';

/** What people call the service that tells a history. */
export function titleOf(history: Pick<History, 'title'>): string {
  return history.title ?? 'the Data API';
}

/** Each once. */
export function titlesOf(histories: readonly Pick<History, 'title'>[]): string {
  return [...new Set(histories.map(titleOf))].join(' and ');
}

/** Every call rejects with a DataApiError when it fails for good; all obey the limits of the service. */
export interface History {
  /** What people call the service that tells it, for the log: see `titleOf`. */
  readonly title?: string;
  /**
   * Whether `rib` waits until the service has a state of that time or a later one, however far it lags. Then a RIB of the
   * moment at which the stream stood needs no updates behind it. Absent is false.
   */
  readonly ribWaits?: boolean;
  /** About which share of an hour's quota it costs to fill one gap of these prefixes. Absent: there is no such quota. */
  fillShare?(prefixes: readonly string[]): number;
  /** Whether `rib` rejects, rather than give no route at all, where the service may have lost its data. Absent is false. */
  readonly provesEmptiness?: boolean;
  /** For how many prefixes a day comparisons may ask, so that the service is not asked more than it likes; absent: any number. */
  readonly comparedADay?: number;
  /** How far the clock of the service is ahead of this machine's, ms, by its last answer; 0 when they agree. */
  readonly clockOffsetMs: number;
  /** Asks something small, for `clockOffsetMs`. */
  readClock(signal: AbortSignal): Promise<void>;
  vantagePoints(signal: AbortSignal): Promise<readonly HistoryVp[]>;
  /** What these VPs held at a time (Unix ms), for these prefixes and all their more-specifics. */
  rib(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    atMs: number,
    signal: AbortSignal,
  ): AsyncIterable<RibRows>;
  /** Which of the VPs held these very prefixes at a time (Unix ms); more-specifics are not asked for. */
  holders(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    atMs: number,
    signal: AbortSignal,
  ): AsyncIterable<HistoryRows<RibRow>>;
  /** What these VPs announced and withdrew in between, in order of time for each VP and prefix. `of` is `all` by default. */
  updates(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    fromMs: number,
    toMs: number,
    signal: AbortSignal,
    of?: UpdatesOf,
  ): AsyncIterable<HistoryRows<UpdateRow>>;
}

/** The part that tells who the VPs are, and what time it is there. */
export type VpTeller = Pick<History, 'title' | 'vantagePoints' | 'clockOffsetMs' | 'readClock'>;
