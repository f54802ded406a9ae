/** The words of the Data API client: what can be asked, what is answered. */
import type { HistoryRows, HistoryVp, ListedVp, VpStatus } from '../../stream/history.ts';

export {
  DATA_API_ENDPOINTS,
  DATA_API_RESULTS,
  type DataApiEndpoint,
  type DataApiResult,
} from '../../stream/history.ts';

/** Sources whose VPs stream live; the others (`pch`, `cgtf`) are history only and must not count as visible. */
export const LIVE_SOURCES = ['bgproutes.io', 'ris', 'routeviews'] as const;

/** Why something in an answer was skipped, or was not taken as it came. */
export const UNREADABLE_REASONS = [
  'shape', // a record or row that is not built as documented
  'vp', // a VP without a valid id, ASN, IP or (BMP) parent
  'prefix',
  'as_path',
  'communities', // the row was kept, without them
  'timestamp',
  'kind', // neither announcement nor withdrawal
  'unasked', // a VP or prefix that was not asked for
  'duplicate', // another feed, or another listing, of the same VP and prefix
] as const;
/** One of `UNREADABLE_REASONS`. */
export type UnreadableReason = (typeof UNREADABLE_REASONS)[number];
/** The reasons that tell of another format than the documented one, and not of too much in the answer. */
export const DAMAGE: ReadonlySet<UnreadableReason> = new Set(['shape', 'vp', 'prefix', 'as_path', 'timestamp', 'kind']);
/** How often each thing happened. */
export type Unreadable = Readonly<Record<UnreadableReason, number>>;

/** A VP as the Data API lists it. Texts are empty and sizes undefined where it says nothing. */
export interface VantagePointRecord extends HistoryVp {
  readonly source: string;
  /**
   * Of the session. Where each feed type has its own: `up` when one is up, else `unknown` when one is, else `down` when one
   * is, else `ignored`: a VP is down only when nothing speaks against it.
   */
  readonly status: VpStatus;
  readonly country: string;
  readonly orgName: string;
  readonly orgCountry: string;
  /** Only BMP VPs have feed types. */
  readonly feedTypes: readonly string[];
}

/** `['>', 900_000]`. */
export type Comparison = readonly ['<' | '<=' | '>' | '>=' | '=', number];

/** Filters of `/vantage_points`; all optional, all must hold. */
export interface VantagePointsParams {
  readonly asns?: readonly number[];
  readonly ips?: readonly string[];
  readonly protocols?: readonly ('bgp' | 'bmp')[];
  readonly afis?: readonly (4 | 6)[];
  /** For example `LIVE_SOURCES`. */
  readonly sources?: readonly string[];
  readonly countries?: readonly string[];
  readonly orgCountries?: readonly string[];
  readonly ribSizeV4?: Comparison;
  readonly ribSizeV6?: Comparison;
  readonly statuses?: readonly VpStatus[];
  /** Unix ms; cut to whole seconds. */
  readonly dateMs?: number;
  readonly dateEndMs?: number;
  readonly signal?: AbortSignal;
}

/** The list, and what of the answer was no record of it. */
export interface VantagePointsAnswer {
  readonly vantagePoints: readonly VantagePointRecord[];
  readonly unreadable: Unreadable;
}

/**
 * Which prefixes are meant: the very ones, or those inside them and longer. Together is two questions: `exact` and
 * `more_specific` cannot be had in one request.
 */
export type PrefixMatch = 'exact' | 'more_specific';

/** What both questions about routes have in common. */
export interface RouteParams {
  /** Whom to ask; with nobody there is nothing to answer. */
  readonly vps: readonly ListedVp[];
  /** Canonical texts. */
  readonly prefixes: readonly string[];
  /** Default `exact`. */
  readonly match?: PrefixMatch;
  /** Default true. */
  readonly communities?: boolean;
  readonly signal?: AbortSignal;
}

/** A question about a moment. */
export interface RibParams extends RouteParams {
  /** Unix ms; cut to whole seconds. */
  readonly dateMs: number;
}

/** A question about a time. */
export interface UpdatesParams extends RouteParams {
  /** Unix ms; cut to whole seconds. */
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * A part of an answer, at most about `ROWS_PER_BATCH` rows. All rows of one VP and prefix are in one batch or in batches
 * that follow one another; updates of one VP are in order of time.
 */
export interface RowBatch<Row> extends HistoryRows<Row> {
  /** What was skipped in this part. */
  readonly unreadable: Unreadable;
  /**
   * VPs of whom the answer is not complete: the API said that it has no data of them (they were down then), or something of
   * theirs could not be read. That they lack a row says nothing.
   */
  readonly unavailable: readonly ListedVp[];
}

/** Enough to make an iteration cheap, few enough to keep the event loop turning: some milliseconds. */
export const ROWS_PER_BATCH = 1_000;
