/** What is done to keep the table right, in numbers: the parts that do it count here, and views/table-view.ts shows it. */
import type { DataApiEndpoint, DataApiResult, RipestatCall } from '../../stream/history.ts';
import { zeros } from './zeros.ts';

/** Results of reading a history into the table. Closed list: it becomes a label. */
export const SEED_RESULTS = ['success', 'forbidden', 'refused', 'unavailable', 'invalid', 'aborted'] as const;
export type SeedResult = (typeof SEED_RESULTS)[number];

export const SNAPSHOT_RESULTS = ['success', 'error'] as const;
export type SnapshotResult = (typeof SNAPSHOT_RESULTS)[number];

/** Results of reading a snapshot at start. All but `success` and `missing` set the file aside. */
export const RESTORE_RESULTS = ['success', 'missing', 'too_old', 'truncated', 'version', 'foreign', 'corrupt'] as const;
export type RestoreResult = (typeof RESTORE_RESULTS)[number];

/** Answers that can be doubted. Closed list: it becomes a label. */
export const DOUBTED_ANSWERS = ['vantage_points', 'rib'] as const;

/** What keeps the table right, as numbers since `startTimeMs`; mutable on the side of whoever does it. */
export class TableFigures {
  readonly startTimeMs: number;
  seeded = false;
  /** By source: monitored prefixes whose routes by that source are complete. */
  seededPrefixes: ReadonlyMap<string, number> = new Map();
  /** Unix ms. */
  seedAtMs: number | undefined;
  readonly seeds = zeros(SEED_RESULTS);
  corrections = 0;
  /** How far the clock of the service is ahead, ms; undefined while it is not known. */
  clockOffsetMs: number | undefined;
  clockSteps = 0;
  refusedClockAnswers = 0;
  readonly doubtedAnswers = zeros(DOUBTED_ANSWERS);
  readonly snapshots = zeros(SNAPSHOT_RESULTS);
  /** Unix ms. */
  snapshotAtMs: number | undefined;
  readonly restores = zeros(RESTORE_RESULTS);
  /** When the snapshot that the table began with was written, Unix ms; undefined: it began empty. */
  restoredFromMs: number | undefined;
  /** By endpoint or call, and result. */
  readonly requests = new Map<string, number>();

  constructor(startTimeMs: number) {
    this.startTimeMs = startTimeMs;
  }

  countRequest(endpoint: DataApiEndpoint | RipestatCall, result: DataApiResult): void {
    const key = `${endpoint} ${result}`;
    this.requests.set(key, (this.requests.get(key) ?? 0) + 1);
  }
}
