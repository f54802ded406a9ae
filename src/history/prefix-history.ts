/** The past of one monitored prefix: samples of its numbers, what happened to it, and the last changes of its routes. */
import type { VantagePoint } from '../bgp/vantage-point.ts';
import type { RouteChange } from '../table/change-log.ts';
import type { Counts, MonitoredPrefix } from '../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { expectedVps } from '../table/vps/denominator.ts';
import { type Mark, MarkFinder } from './marks.ts';
import { roundingOf } from './packed-rows.ts';
import { conditionOf } from './prefix-standing.ts';
import { type Column, SampleRing, type Tier } from './sample-ring.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What a page can show: the last hour, day and week. */
export const HISTORY_WINDOWS = ['1h', '24h', '7d'] as const;
export type HistoryWindow = (typeof HISTORY_WINDOWS)[number];

export const WINDOW_MS: Readonly<Record<HistoryWindow, number>> = { '1h': HOUR_MS, '24h': DAY_MS, '7d': 7 * DAY_MS };

/** Numbers of VPs up to 4,095 are exact, larger ones up to 262,000 to 1 in 4,096. */
const VPS_BITS = 14;
/** Events of a step, and path lengths in hundredths: up to 1,023 they are exact, larger ones up to 65,000 to 1 in 1,024. */
const OTHER_BITS = 12;

/** Columns for the numbers of a prefix. */
const COUNT_TIERS: Readonly<Record<HistoryWindow, Tier>> = {
  '1h': { stepMs: 10 * SECOND_MS, slots: 360 },
  '24h': { stepMs: MINUTE_MS, slots: 1_440 },
  '7d': { stepMs: 10 * MINUTE_MS, slots: 1_008 },
};
const COUNT_COLUMNS: readonly Column[] = [
  { combine: 'least', bits: VPS_BITS },
  { combine: 'last', bits: VPS_BITS },
  { combine: 'sum', bits: OTHER_BITS },
];
/** Where the numbers stand in the rings of counts. */
const [VISIBLE, EXPECTED, EVENTS] = [0, 1, 2];
/** Columns for the shares of origins and upstreams: more numbers, so fewer samples. */
const SHARE_TIERS: Readonly<Record<HistoryWindow, Tier>> = {
  '1h': { stepMs: 30 * SECOND_MS, slots: 120 },
  '24h': { stepMs: 10 * MINUTE_MS, slots: 144 },
  '7d': { stepMs: HOUR_MS, slots: 168 },
};

/** How many origins and upstreams have a column of their own; the others share one. */
export const ORIGIN_COLUMNS = 2;
export const UPSTREAM_COLUMNS = 4;
/** Path lengths are kept in hundredths. */
const LENGTH_SCALE = 100;
/** Before the columns of origins and upstreams: all routes, and the mean path length. */
const FIRST_SHARE = 2;
const SHARE_COLUMNS: readonly Column[] = [
  { combine: 'last', bits: VPS_BITS },
  { combine: 'last', bits: OTHER_BITS },
  ...new Array<Column>(ORIGIN_COLUMNS + UPSTREAM_COLUMNS).fill({ combine: 'last', bits: VPS_BITS }),
];

/** Marks a prefix; the oldest go first. */
export const MAX_MARKS = 200;

/** A change of a route in words. Times are Unix ms. */
export interface PastChange {
  readonly atMs: number;
  readonly vp: VantagePoint;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** A series by AS; `as` undefined: all others. */
export interface ShareSeries {
  readonly as: string | undefined;
  readonly vps: readonly (number | undefined)[];
}

/** One window of the past; series have one value a step, undefined where nothing was sampled. */
export interface PastWindow {
  /** Each step has the fewest VPs that were visible in it, the newest number of expected VPs, and all events. */
  readonly counts: {
    readonly fromMs: number;
    readonly stepMs: number;
    readonly visible: readonly (number | undefined)[];
    readonly expected: readonly (number | undefined)[];
    /** Announcements and withdrawals within the step. */
    readonly events: readonly (number | undefined)[];
  };
  /** At the end of each step. */
  readonly shares: {
    readonly fromMs: number;
    readonly stepMs: number;
    readonly meanPathLength: readonly (number | undefined)[];
    readonly origins: readonly ShareSeries[];
    readonly upstreams: readonly ShareSeries[];
  };
}

/** The small picture of a prefix: its steps have one of these lengths; the last 4 hours are shown. */
export const SPARK_STEPS = 48;
const LONGEST_SPARK_STEP_MS = 5 * MINUTE_MS;
const SPARK_STEPS_MS = [10 * SECOND_MS, MINUTE_MS];

/** Oldest first, undefined where nothing was sampled; the last step is of now. */
export interface Spark {
  readonly stepMs: number;
  readonly values: readonly (number | undefined)[];
}

/** Which AS each column is of. */
type Keys = (string | undefined)[];

export class PrefixHistory {
  readonly counts: Readonly<Record<HistoryWindow, SampleRing>>;
  readonly shares: Readonly<Record<HistoryWindow, SampleRing>>;
  readonly origins: Keys = new Array<string | undefined>(ORIGIN_COLUMNS).fill(undefined);
  readonly upstreams: Keys = new Array<string | undefined>(UPSTREAM_COLUMNS).fill(undefined);
  /** Oldest first. */
  readonly marks: Mark[] = [];
  /** Oldest first. */
  readonly changes: PastChange[] = [];
  #maxChanges: number;
  readonly #finder = new MarkFinder();
  #lookedAt = -1;
  #events: number | undefined;
  /** The counters of changes at the last look, how much they have grown since the first look, and how many changes were noted. */
  #counted: number | undefined;
  #due = 0;
  #noted = 0;
  /** Another number after each sample. */
  samples = 0;

  /** @param maxChanges changes that are kept */
  constructor(maxChanges: number) {
    this.#maxChanges = maxChanges;
    const rings = (tiers: Readonly<Record<HistoryWindow, Tier>>, make: (tier: Tier) => SampleRing) => ({
      '1h': make(tiers['1h']),
      '24h': make(tiers['24h']),
      '7d': make(tiers['7d']),
    });
    this.counts = rings(COUNT_TIERS, (tier) => new SampleRing(tier, COUNT_COLUMNS));
    this.shares = rings(SHARE_TIERS, (tier) => new SampleRing(tier, SHARE_COLUMNS));
  }

  /** Bytes that the samples take, however long they have been taken. */
  get bytes(): number {
    return HISTORY_WINDOWS.reduce((sum, window) => sum + this.counts[window].bytes + this.shares[window].bytes, 0);
  }

  /** Changes that came faster than they could be noted, since the start. */
  get missed(): number {
    return Math.max(0, this.#due - this.#noted);
  }

  /** Looks at the prefix: finds what happened since the last look. Costs little where nothing did. */
  look(table: RoutingTable, prefix: MonitoredPrefix, atMs: number): void {
    const version = prefix.state.version + table.generation;
    if (version === this.#lookedAt) return;
    this.#lookedAt = version;
    const { losses, pathChanges, gains } = prefix;
    const silentLosses = losses.vp_down + losses.source_down + losses.expired;
    for (const mark of this.#finder.find(atMs, conditionOf(table, prefix), { pathChanges, silentLosses })) {
      this.marks.push(mark);
      if (this.marks.length > MAX_MARKS) this.marks.shift();
    }
    const counted = pathChanges + gains + losses.withdrawn + silentLosses;
    // What a snapshot or a first seed brought was no change that could be noted.
    if (this.#counted === undefined) this.#noted = 0;
    else this.#due += Math.max(0, counted - this.#counted);
    this.#counted = counted;
  }

  /** Puts marks of an earlier run before those of this one: what had begun then is not told again. */
  resume(marks: readonly Mark[]): void {
    this.marks.unshift(...marks);
    this.marks.splice(0, this.marks.length - MAX_MARKS);
    this.#finder.resume(marks);
  }

  /** Samples the numbers as they are. */
  sample(table: RoutingTable, prefix: MonitoredPrefix, atMs: number): void {
    this.samples++;
    const { announcements, withdrawals, state, lengthSum } = prefix;
    const events = announcements + withdrawals;
    const fresh = this.#events === undefined ? 0 : Math.max(0, events - this.#events);
    this.#events = events;
    const expected = expectedVps(table, prefix);
    // While nobody is expected to see it, as at a start, nobody misses it: that is no outage of the step.
    const numbers = [expected === 0 ? undefined : state.visible, expected, fresh];
    for (const window of HISTORY_WINDOWS) this.counts[window].put(atMs, numbers);
    const length = state.visible === 0 ? undefined : (LENGTH_SCALE * lengthSum) / state.visible;
    const shares = [
      state.visible,
      length,
      ...this.#sharesOf(table, prefix.origins, this.origins, FIRST_SHARE),
      ...this.#sharesOf(table, prefix.upstreams, this.upstreams, FIRST_SHARE + ORIGIN_COLUMNS),
    ];
    for (const window of HISTORY_WINDOWS) this.shares[window].put(atMs, shares);
  }

  /** The counts of the ASes that have a column. An AS that is seen takes the column of one that is not seen any more. */
  #sharesOf(table: RoutingTable, counts: Counts, keys: Keys, firstColumn: number): (number | undefined)[] {
    const seen = new Map<string, number>();
    for (const [as, count] of counts.entries()) seen.set(table.paths.asText(as), count);
    const newcomers = [...seen].filter(([as]) => !keys.includes(as)).sort(([, a], [, b]) => b - a);
    for (const [as] of newcomers) {
      const free = keys.indexOf(undefined);
      const place = free !== -1 ? free : keys.findIndex((key) => key !== undefined && !seen.has(key));
      if (place === -1) break;
      keys[place] = as;
      for (const window of HISTORY_WINDOWS) this.shares[window].clear(firstColumn + place);
    }
    return keys.map((key) => (key === undefined ? undefined : (seen.get(key) ?? 0)));
  }

  /** How many changes are kept. When one more comes, the oldest goes. */
  get maxChanges(): number {
    return this.#maxChanges;
  }

  set maxChanges(maxChanges: number) {
    this.#maxChanges = maxChanges;
    this.changes.splice(0, this.changes.length - maxChanges);
  }

  /** Notes a change of a route; `nowMs` is its time where it has none. */
  note({ vp, timeUs, before, after }: RouteChange, nowMs: number): void {
    this.#noted++;
    if (this.maxChanges === 0) return;
    this.changes.push({ atMs: timeUs === 0 ? nowMs : Math.floor(timeUs / 1000), vp, before, after });
    if (this.changes.length > this.maxChanges) this.changes.shift();
  }

  read(window: HistoryWindow, nowMs: number): PastWindow {
    const counts = this.counts[window].read(nowMs);
    const shares = this.shares[window].read(nowMs);
    const [visible, expected, events] = counts.columns;
    const [all, lengths, ...rest] = shares.columns;
    return {
      counts: { fromMs: counts.fromMs, stepMs: counts.stepMs, visible, expected, events },
      shares: {
        fromMs: shares.fromMs,
        stepMs: shares.stepMs,
        meanPathLength: lengths.map((length) => (length === undefined ? undefined : length / LENGTH_SCALE)),
        origins: seriesOf(this.origins, rest.slice(0, ORIGIN_COLUMNS), all),
        upstreams: seriesOf(this.upstreams, rest.slice(ORIGIN_COLUMNS), all),
      },
    };
  }

  /**
   * The lowest share of expected VPs that saw the prefix in each step, in percent, rounded down. Steps are as long as the past
   * needs to fit: 10 seconds at first, then a minute, then five.
   */
  spark(nowMs: number): Spark {
    const oldestMs = this.counts['24h'].oldestMs(VISIBLE) ?? nowMs;
    const fits = (stepMs: number) => nowMs - oldestMs <= (SPARK_STEPS - 1) * stepMs;
    const stepMs = SPARK_STEPS_MS.find(fits) ?? LONGEST_SPARK_STEP_MS;
    const ring = this.counts[stepMs < MINUTE_MS ? '1h' : '24h'];
    const slotMs = ring.tier.stepMs;
    // A step that has only begun may have no sample yet: the one before is the last then.
    const isSampled = ring.at(VISIBLE, nowMs) !== undefined;
    const last = Math.floor(nowMs / stepMs) - (isSampled || stepMs > slotMs ? 0 : 1);
    const values = Array.from({ length: SPARK_STEPS }, (_, i): number | undefined => {
      const startMs = (last - SPARK_STEPS + 1 + i) * stepMs;
      let least: number | undefined;
      for (let atMs = startMs; atMs < startMs + stepMs; atMs += slotMs) {
        const [seen, of] = [ring.at(VISIBLE, atMs), ring.at(EXPECTED, atMs)];
        if (seen === undefined || of === undefined || of === 0) continue;
        const percent = Math.min(100, Math.floor((100 * seen) / of));
        least = least === undefined ? percent : Math.min(least, percent);
      }
      return least;
    });
    return { stepMs, values };
  }

  /** Announcements and withdrawals of the last minute. */
  eventsOfMinute(nowMs: number): number {
    const ring = this.counts['1h'];
    let events = 0;
    for (let atMs = nowMs; atMs > nowMs - MINUTE_MS; atMs -= ring.tier.stepMs) events += ring.at(EVENTS, atMs) ?? 0;
    return events;
  }
}

/** One series for each AS that was seen, and one for all other routes, if there are any. */
function seriesOf(
  keys: Keys,
  columns: readonly (readonly (number | undefined)[])[],
  all: readonly (number | undefined)[],
): ShareSeries[] {
  const series = keys.flatMap((as, i): ShareSeries[] => (as === undefined ? [] : [{ as, vps: columns[i] }]));
  const rest = all.map((total, slot) => {
    if (total === undefined) return undefined;
    const named = series.map(({ vps }) => vps[slot] ?? 0);
    const left = total - named.reduce((sum, vps) => sum + vps, 0);
    // What only the rounding of large numbers has left over belongs to no other AS.
    const rounding = [total, ...named].reduce((sum, vps) => sum + roundingOf(vps, VPS_BITS), 0);
    return left > rounding ? left : 0;
  });
  return rest.some((vps) => (vps ?? 0) > 0) ? [...series, { as: undefined, vps: rest }] : series;
}
