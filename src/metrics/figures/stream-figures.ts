/** What is counted of one session of a live stream; feed/session-feed.ts counts it, and views/stream-view.ts shows it. */
import type { HistogramValue } from '../metric.ts';

/** Upper bounds in seconds. */
export const DELAY_BOUNDS: readonly number[] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900];

/**
 * What the view reads of one session; times are Unix ms, but `gapSinceMs` is by `elapsed`. Records have every member of their
 * closed list.
 */
export interface SessionFigures {
  readonly stream: {
    readonly source: string;
    readonly session: string;
    readonly startTimeMs: number;
    readonly up: boolean;
    /** It has no prefixes, so it does not connect; absent is false. */
    readonly idle?: boolean | undefined;
    readonly isElsewhere?: boolean | undefined;
    readonly connects: number;
    readonly disconnects: Readonly<Record<string, number>>;
    readonly gapMs: number;
    readonly gapSinceMs: number | undefined;
    readonly frames: number;
    readonly receivedBytes: number;
    readonly subscribedPrefixes: number;
    /** Only sources whose subscriptions expire have it. */
    readonly subscription?:
      | {
          readonly renewals: Readonly<Record<string, number>>;
          readonly expiresAtMs: number | undefined;
          readonly losses: number;
        }
      | undefined;
    /** Only sources that spread a session over several connections have it. */
    readonly connections?: (() => number) | undefined;
    /** Only sources that read logs have it. */
    readonly lags?:
      | (() => Iterable<{ readonly topic: string; readonly partition: number; readonly records: number }>)
      | undefined;
  };
  readonly decodeFailures: Readonly<Record<string, number>>;
  /** Absent: the source sends nothing of the kind. */
  readonly unused?: Readonly<Record<string, number>>;
  /** Frames that the decoder's fast way gave up; undefined where it has none. */
  readonly generalDecodes: number | undefined;
  /** Messages that were decoded. */
  readonly updates: number;
  readonly lastUpdateAtMs: number | undefined;
  readonly counts: {
    readonly dropped: Readonly<Record<string, number>>;
    readonly unmonitoredPrefixes: number;
    readonly futureTimestamps: number;
    readonly untimed: number;
    readonly slowClocks: number;
  };
  /** Receipt minus message time, with DELAY_BOUNDS. */
  readonly delay: HistogramValue;
  readonly canaryAtMs: number | undefined;
}
