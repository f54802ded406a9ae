/** What the fold keeps per prefix: the row of cells and the totals that a scrape reads. */
import type { AsOrSet } from '../../bgp/as-path.ts';
import type { Prefix } from '../../bgp/prefix.ts';
import type { Row } from '../store/cell-store.ts';
import { NO_UPSTREAM, type PathTable } from '../store/path-table.ts';

/** Why a VP ceased to see a prefix. Closed list: it becomes a label. */
export const LOSS_REASONS = ['withdrawn', 'vp_down', 'source_down', 'expired'] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

/** Upper bounds of the announced path length histogram, in AS hops; one more bucket takes what is longer. */
export const LENGTH_BOUNDS: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20];

/** With at most this many distinct numbers, a linear scan beats a Map. */
const FEW = 16;

/** How many VPs have each number (an AS, a length). Only numbers with a count are there, in the order in which they came. */
export class Counts {
  /** Each number with its count behind it, as long as there are few: side by side also in memory. */
  readonly #pairs: number[] = [];
  /** Replaces `#pairs` once there are more than FEW numbers. */
  #many: Map<number, number> | undefined;

  get distinct(): number {
    return this.#many?.size ?? this.#pairs.length / 2;
  }

  get(key: number): number {
    if (this.#many !== undefined) return this.#many.get(key) ?? 0;
    const place = this.#placeOf(key);
    return place === -1 ? 0 : this.#pairs[place + 1];
  }

  add(key: number): void {
    if (this.#many !== undefined) {
      this.#many.set(key, (this.#many.get(key) ?? 0) + 1);
      return;
    }
    const place = this.#placeOf(key);
    if (place !== -1) {
      this.#pairs[place + 1]++;
      return;
    }
    this.#pairs.push(key, 1);
    if (this.#pairs.length > 2 * FEW) this.#many = new Map(this.entries());
  }

  remove(key: number): void {
    if (this.#many !== undefined) {
      const count = this.#many.get(key) ?? 0;
      if (count <= 1) this.#many.delete(key);
      else this.#many.set(key, count - 1);
      return;
    }
    const place = this.#placeOf(key);
    if (place === -1 || --this.#pairs[place + 1] > 0) return;
    this.#pairs.splice(place, 2);
  }

  entries(): Iterable<[number, number]> {
    if (this.#many !== undefined) return this.#many;
    const entries: [number, number][] = [];
    for (let place = 0; place < this.#pairs.length; place += 2)
      entries.push([this.#pairs[place], this.#pairs[place + 1]]);
    return entries;
  }

  keys(): Iterable<number> {
    if (this.#many !== undefined) return this.#many.keys();
    const keys: number[] = [];
    for (let place = 0; place < this.#pairs.length; place += 2) keys.push(this.#pairs[place]);
    return keys;
  }

  #placeOf(key: number): number {
    const pairs = this.#pairs;
    for (let place = 0; place < pairs.length; place += 2) if (pairs[place] === key) return place;
    return -1;
  }
}

/** Any prefix that has a row: monitored, or a more-specific of one. */
export class PrefixState implements Row {
  readonly prefix: Prefix;
  /** Its place in the table. */
  readonly number: number;
  blocks: number[] = [];
  /** VPs that hold a route now. */
  visible = 0;
  /** Grows with every change of what a scrape would show of it. */
  version = 1;
  /** Receipt of the newest event of a more-specific, Unix ms: one that nobody holds lingers from then on. */
  lastEventMs = 0;
  readonly monitored: MonitoredPrefix | undefined;
  /** Monitored prefixes that contain it and list it; empty for a monitored one. */
  readonly parents: readonly MonitoredPrefix[];
  /** Monitored prefixes around the nearest one that contain it and had no room to list it. */
  readonly unlistedBy: readonly MonitoredPrefix[];

  constructor(
    prefix: Prefix,
    number: number,
    parents: readonly MonitoredPrefix[],
    watched?: WatchedPrefix,
    sinceMs = 0,
    unlistedBy: readonly MonitoredPrefix[] = [],
  ) {
    this.prefix = prefix;
    this.number = number;
    this.parents = parents;
    this.unlistedBy = unlistedBy;
    this.monitored = watched && new MonitoredPrefix(this, watched, sinceMs);
  }
}

/** What the configuration says of a monitored prefix. */
export interface WatchedPrefix {
  readonly prefix: Prefix;
  readonly description: string;
  readonly group: string;
  /** ASes and AS_SETs that may originate it; empty: not said. What they mean is decided in expectation.ts. */
  readonly origins: readonly AsOrSet[];
  readonly upstreams: readonly AsOrSet[];
  /** Which sessions deliver it: one a source at the most, in the order of the sources. One at least. */
  readonly sessions: readonly number[];
}

/** Places in the moments of a monitored prefix, before its announced lengths. */
const ANNOUNCED_AT = 0;
const WITHDRAWN_AT = 1;
const LENGTH_SUM = 2;
const FIRST_LENGTH = 3;

/**
 * Totals of a monitored prefix, kept current by the fold. What most events touch is declared first, and so lies side by side
 * in memory: in a table of many prefixes each further line of the cache costs as much as the work itself.
 */
export class MonitoredPrefix {
  /** The first of its sessions: most prefixes have no other. */
  firstSession: number;
  /** Bits of the sources that are current: see ownership.ts. With one source 0. */
  current = 0;
  announcements = 0;
  pathChanges = 0;
  repeats = 0;
  readonly upstreams = new Counts();
  readonly lengths = new Counts();
  lengthSum = 0;
  prepended = 0;
  /**
   * Numbers that are too large for a small integer: as a field, each would be an object of its own. After them follows how many
   * announcements had a path of each length.
   */
  readonly #numbers = new Float64Array(FIRST_LENGTH + LENGTH_BOUNDS.length + 1);
  readonly origins = new Counts();
  originChanges = 0;
  withdrawals = 0;
  gains = 0;
  /** VPs that hold a route or lost it within the window, less those down. */
  expected = 0;
  readonly state: PrefixState;
  /** Bits of the sources whose routes are kept: see ownership.ts. With one source 0. */
  kept = 0;
  /** Visible VPs by their owner; only where there are several sources. */
  visibleBySource: number[] | undefined;
  readonly losses: Record<LossReason, number> = { withdrawn: 0, vp_down: 0, source_down: 0, expired: 0 };
  #watched: WatchedPrefix;
  /** Unix ms since when its counters count. */
  sinceMs: number;
  /** Unix ms since when the prefix is watched without a break; a snapshot takes it over a restart. */
  watchedSinceMs: number;
  /**
   * For how long the window of the denominator has stood still so far, ms: while hardly anybody sees the prefix, no loss
   * grows older. The second of a loss in a cell's mark is counted on the prefix's own clock, which is late by this.
   */
  stoodStillMs = 0;
  /** Until when time has passed for the prefix, Unix ms. */
  sweptAtMs: number;
  /** Whether `expected` covers a whole window. */
  expectedKnown = false;
  /** Bits of the sources whose part of the prefix is complete and current: set by whoever keeps it so. */
  trustedBy = 0;
  /** Visible VPs without a full feed; only for `expected_vps: full_feed`. */
  visiblePartial = 0;
  readonly moreSpecifics = new Set<PrefixState>();
  /** False means that each more-specific is held, so none can make room. True means nothing. */
  mayMakeRoom = false;
  /** More-specifics with state that are missing there because it was full. */
  unlisted = 0;
  /** Announcements by the length of their path: see LENGTH_BOUNDS. */
  readonly announcedLengths = this.#numbers.subarray(FIRST_LENGTH);

  constructor(state: PrefixState, watched: WatchedPrefix, sinceMs: number) {
    this.state = state;
    this.#watched = watched;
    this.firstSession = watched.sessions[0];
    this.sinceMs = sinceMs;
    this.watchedSinceMs = sinceMs;
    this.sweptAtMs = sinceMs;
  }

  /** Whether what the table says of the prefix is complete and current, by one source at least. */
  get trusted(): boolean {
    return this.trustedBy !== 0;
  }

  /** Message time of the newest announcement, Unix microseconds; 0 before the first. */
  get lastAnnouncementUs(): number {
    return this.#numbers[ANNOUNCED_AT];
  }

  set lastAnnouncementUs(timeUs: number) {
    this.#numbers[ANNOUNCED_AT] = timeUs;
  }

  get lastWithdrawalUs(): number {
    return this.#numbers[WITHDRAWN_AT];
  }

  set lastWithdrawalUs(timeUs: number) {
    this.#numbers[WITHDRAWN_AT] = timeUs;
  }

  get announcedLengthSum(): number {
    return this.#numbers[LENGTH_SUM];
  }

  set announcedLengthSum(sum: number) {
    this.#numbers[LENGTH_SUM] = sum;
  }

  get watched(): WatchedPrefix {
    return this.#watched;
  }

  set watched(watched: WatchedPrefix) {
    this.#watched = watched;
    this.firstSession = watched.sessions[0];
  }

  /** Notes that the denominator covers a whole window from now on. */
  setExpectedKnown(): void {
    if (this.expectedKnown) return;
    this.expectedKnown = true;
    this.state.version++;
  }

  /** @param sources bits of the sources whose part of the prefix is complete and current; 0: what the table says is not trusted */
  setTrusted(sources: number): void {
    if (this.trustedBy === sources) return;
    this.trustedBy = sources;
    this.state.version++;
  }

  /** The second of a loss that is learnt now (Unix ms), on the prefix's own clock. At least 1: 0 means no loss. */
  lossSecond(nowMs: number): number {
    return Math.max(1, Math.floor((nowMs - this.stoodStillMs) / 1000));
  }

  addPath(paths: PathTable, path: number): void {
    this.origins.add(paths.origin(path));
    if (paths.upstream(path) !== NO_UPSTREAM) this.upstreams.add(paths.upstream(path));
    this.lengths.add(paths.length(path));
    this.lengthSum += paths.length(path);
    this.prepended += paths.prepended(path);
  }

  removePath(paths: PathTable, path: number): void {
    this.origins.remove(paths.origin(path));
    if (paths.upstream(path) !== NO_UPSTREAM) this.upstreams.remove(paths.upstream(path));
    this.lengths.remove(paths.length(path));
    this.lengthSum -= paths.length(path);
    this.prepended -= paths.prepended(path);
  }

  /** Does what removing one and adding the other would do, and leaves alone what they have in common. */
  replacePath(paths: PathTable, from: number, to: number): void {
    if (paths.origin(from) !== paths.origin(to)) {
      this.origins.remove(paths.origin(from));
      this.origins.add(paths.origin(to));
    }
    const fromUpstream = paths.upstream(from);
    const toUpstream = paths.upstream(to);
    if (fromUpstream !== toUpstream) {
      if (fromUpstream !== NO_UPSTREAM) this.upstreams.remove(fromUpstream);
      if (toUpstream !== NO_UPSTREAM) this.upstreams.add(toUpstream);
    }
    const fromLength = paths.length(from);
    const toLength = paths.length(to);
    if (fromLength !== toLength) {
      this.lengths.remove(fromLength);
      this.lengths.add(toLength);
      this.lengthSum += toLength - fromLength;
    }
    this.prepended += paths.prepended(to) - paths.prepended(from);
  }

  countAnnouncedLength(length: number): void {
    const numbers = this.#numbers;
    numbers[FIRST_LENGTH + (length <= 15 ? Math.max(0, length - 1) : length <= 20 ? 15 : 16)]++;
    numbers[LENGTH_SUM] += length;
  }
}
