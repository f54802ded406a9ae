/**
 * The layout of a snapshot, little endian: MAGIC, version (u32), then sections of kind (u32), length (u32) and payload; the
 * last one (END) holds the CRC-32 of all before it. VPs and paths are numbered in the order in which they appear. A prefix
 * section is a JSON head (u32 length before it), a count, then vps, paths, marks (u32 each) and times (f64).
 */
import type { VantagePoint } from '../../bgp/vantage-point.ts';
import type { LossReason } from '../prefixes/prefix-state.ts';

export const MAGIC = Buffer.from('bgproutes-table\n', 'latin1');
/** Raised with every change of the layout; a file of another version is not read. */
export const SNAPSHOT_VERSION = 1;
export const SECTION = { END: 0, META: 1, VPS: 2, PATHS: 3, PREFIX: 4 } as const;
export const HEAD = MAGIC.length + 4;
export const SECTION_HEAD = 8;
export const BYTES_PER_CELL = 20;
/**
 * Most bytes of a section of JSON, or of the head of a prefix. Each is read as a whole, and takes several times as much memory
 * then.
 */
export const MAX_JSON_BYTES = 8 * 1024 ** 2;
/** VPs, or paths, that are written into one section. */
export const RECORDS_A_SECTION = 1_024;

export interface SnapshotMeta {
  /** When the table was read, Unix ms: what happened later is missing. */
  readonly createdAtMs: number;
  /**
   * By monitored prefix: until when (Unix ms) the table was complete in what `bgproutes` delivers; a prefix that was never
   * seeded is not there. Files of earlier versions say nothing of other sources.
   */
  readonly completeUntil: Readonly<Record<string, number>>;
  /**
   * Until when the table was complete, for every source in their order; `VpRecord.by` counts them. Files of earlier versions do
   * not have it.
   */
  readonly sources?: readonly SourceRecord[];
  /**
   * True when a clean stop wrote it and no process has restored its counters yet. Counters of any other snapshot are
   * dropped: one that came back lower than last scraped would look like a reset, and `increase()` would count all of it at
   * once.
   */
  readonly final?: boolean;
  /** The times are those of the cells, below 0 where the history said so; files of storage are not so. */
  readonly exact?: boolean;
}

export interface SourceRecord {
  readonly name: string;
  readonly completeUntil: Readonly<Record<string, number>>;
}

/** The only source of a file that has no list of sources. */
export const FIRST_SOURCE = 'bgproutes';

export interface VpRecord {
  readonly vp: VantagePoint;
  readonly heardMs: number;
  /** 1: a list of VPs had it; files of earlier versions do not say. */
  readonly listed?: number;
  /** The sources that deliver it, a bit each by their places in `SnapshotMeta.sources`; only where there are several. */
  readonly by?: number;
}

/** A path's text, and the VP's own AS where that is the origin. */
export type PathRecord = readonly [text: string, own: number | null];

/** Counters of a monitored prefix, and since when (Unix ms) they count. */
export interface CountersRecord {
  readonly sinceMs: number;
  readonly announcements: number;
  readonly withdrawals: number;
  readonly pathChanges: number;
  readonly originChanges: number;
  readonly repeats: number;
  readonly gains: number;
  readonly losses: Readonly<Record<LossReason, number>>;
  readonly announcedLengths: readonly number[];
  readonly announcedLengthSum: number;
  readonly lastAnnouncementUs: number;
  readonly lastWithdrawalUs: number;
}

export interface PrefixHead {
  readonly prefix: string;
  /** A more-specific has it: the monitored prefixes that list it. */
  readonly listedBy?: readonly string[];
  /** A monitored prefix has it: what its denominator needs to go on. Files of earlier versions do not have it. */
  readonly window?: { readonly watchedSinceMs: number; readonly stoodStillMs: number; readonly expectedKnown: boolean };
  readonly counters?: CountersRecord;
}

/** A part of the file; the payload is a view of it, not a copy. */
export interface Section {
  readonly kind: number;
  readonly payload: Buffer;
}

/** The sections before the last one. The bytes must have been checked: each section ends where it says. */
export function* sectionsOf(bytes: Buffer): Generator<Section> {
  for (let at = HEAD; ; ) {
    const kind = bytes.readUInt32LE(at);
    if (kind === SECTION.END) return;
    const end = at + SECTION_HEAD + bytes.readUInt32LE(at + 4);
    yield { kind, payload: bytes.subarray(at + SECTION_HEAD, end) };
    at = end;
  }
}
