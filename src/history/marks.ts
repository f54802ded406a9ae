/** What happened to a prefix, found by comparing how it stands with how it stood: what a line of time is marked with. */
import { DEGRADED_RATIO, OUTAGE_RATIO, type PrefixCondition } from './prefix-standing.ts';

/** Closed list; a page has a word and a shape for each. */
export const MARK_KINDS = [
  'hijack', // an unexpected origin appeared
  'hijack_over',
  'outage', // fewer than half of the expected VPs see it
  'recovery', // 95 % of them see it again
  'more_specific', // a more-specific appeared
  'more_specific_over',
  'path_change', // a tenth of the VPs changed their path within a few seconds
  'vp_loss', // VPs went down, or their source did, or routes expired
  'gap', // the prefix is not trusted any more
  'gap_over',
] as const;
export type MarkKind = (typeof MARK_KINDS)[number];

export interface Mark {
  /** Unix ms. */
  readonly atMs: number;
  readonly kind: MarkKind;
  /** VPs concerned: those that see the origin, that lost or changed their path. */
  readonly vps: number;
}

/** Counters whose growth tells what happened meanwhile. */
export interface MarkCounters {
  readonly pathChanges: number;
  /** Losses without a withdrawal. */
  readonly silentLosses: number;
}

/** Changes of paths are added up for so long. */
const PATH_CHANGE_WINDOW_MS = 10_000;
const PATH_CHANGE_SHARE = 0.1;
/** A change of fewer VPs than this is not marked. */
const MIN_PATH_CHANGES = 5;

export class MarkFinder {
  #hijacked = false;
  #out = false;
  #moreSpecific = false;
  #trusted = false;
  #gap = false;
  #counters: MarkCounters | undefined;
  #windowFromMs = 0;
  #windowChanges = 0;
  #toldChange = false;

  /** Learns from earlier marks what has begun and is not over, so that it is not told again. */
  resume(marks: readonly Mark[]): void {
    for (const { kind } of marks) {
      if (kind === 'hijack' || kind === 'hijack_over') this.#hijacked = kind === 'hijack';
      else if (kind === 'more_specific' || kind === 'more_specific_over') this.#moreSpecific = kind === 'more_specific';
      else if (kind === 'outage' || kind === 'recovery') this.#out = kind === 'outage';
      else if (kind === 'gap' || kind === 'gap_over') this.#gap = kind === 'gap';
    }
  }

  /** What happened since the last call. */
  find(atMs: number, now: PrefixCondition, counters: MarkCounters): Mark[] {
    const marks: Mark[] = [];
    const mark = (kind: MarkKind, vps: number): void => {
      marks.push({ atMs, kind, vps });
    };
    const { visible, expected, unexpectedOriginVps, moreSpecifics, trusted } = now;
    // After a start nothing is trusted yet: that is not a gap, and its end is not the end of one.
    if (this.#gap ? trusted : this.#trusted && !trusted) {
      this.#gap = !this.#gap;
      mark(this.#gap ? 'gap' : 'gap_over', visible);
    }
    this.#trusted = trusted;
    if (this.#hijacked !== unexpectedOriginVps > 0) {
      this.#hijacked = !this.#hijacked;
      mark(this.#hijacked ? 'hijack' : 'hijack_over', unexpectedOriginVps);
    }
    if (this.#moreSpecific !== moreSpecifics > 0) {
      this.#moreSpecific = !this.#moreSpecific;
      mark(this.#moreSpecific ? 'more_specific' : 'more_specific_over', moreSpecifics);
    }
    if (trusted && !this.#out && expected > 0 && visible < OUTAGE_RATIO * expected) {
      this.#out = true;
      mark('outage', expected - visible);
    } else if (this.#out && visible >= DEGRADED_RATIO * expected) {
      this.#out = false;
      mark('recovery', visible);
    }
    this.#compareCounters(atMs, visible, counters, mark);
    return marks;
  }

  #compareCounters(
    atMs: number,
    visible: number,
    counters: MarkCounters,
    mark: (kind: MarkKind, vps: number) => void,
  ): void {
    const before = this.#counters ?? counters;
    this.#counters = counters;
    // Counters of a restored snapshot may be anything.
    const lost = Math.max(0, counters.silentLosses - before.silentLosses);
    if (lost > 0) mark('vp_loss', lost);
    if (atMs - this.#windowFromMs > PATH_CHANGE_WINDOW_MS) {
      this.#windowFromMs = atMs;
      this.#windowChanges = 0;
      this.#toldChange = false;
    }
    this.#windowChanges += Math.max(0, counters.pathChanges - before.pathChanges);
    if (this.#toldChange || this.#windowChanges < Math.max(MIN_PATH_CHANGES, PATH_CHANGE_SHARE * visible)) return;
    this.#toldChange = true;
    mark('path_change', this.#windowChanges);
  }
}
