/** The metrics of the monitored prefixes, read from the totals that the fold keeps; it never walks the routes. */

import type { AsOrSet } from '../../bgp/as-path.ts';
import { DEFAULT_SERIES, type SeriesBounds } from '../../table/bounds.ts';
import { isConfigured, isExpected } from '../../table/expectation.ts';
import type { Counts, MonitoredPrefix, PrefixState } from '../../table/prefixes/prefix-state.ts';
import { LENGTH_BOUNDS, LOSS_REASONS } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import type { PathTable } from '../../table/store/path-table.ts';
import { expectedVps, isExpectedKnown } from '../../table/vps/denominator.ts';
import { PATH_LENGTHS } from '../catalogue/prefix-metrics.ts';
import { prefixMetrics } from '../catalogue.ts';
import { type FamilySource, Labels, type Metric, type PointGroup, type PointSink } from '../metric.ts';

/** What is beyond a bound of series is summed under this, the smallest counts first. */
export const OTHER = 'other';

type Key = keyof typeof prefixMetrics;

/** Series that are summed as `other` now or have no room at all, by the name of the metric. */
export type DroppedSeries = Map<string, number>;

/** `source`: its place. */
interface SourceLabels {
  readonly source: number;
  readonly labels: Labels;
}

/** One monitored prefix. Labels are made once and live as long as the series does. */
class PrefixGroup implements PointGroup {
  readonly #table: RoutingTable;
  readonly #sessions: readonly SessionName[];
  readonly #prefix: MonitoredPrefix;
  readonly #bounds: SeriesBounds;
  readonly #base: Labels;
  readonly #losses: readonly Labels[];
  readonly #lengths: readonly Labels[];
  readonly #origins: LabelCache;
  readonly #upstreams: LabelCache;
  readonly #moreSpecifics = new WeakMap<PrefixState, Labels>();
  readonly #otherMoreSpecific: Labels;
  #info: Labels | undefined;
  #infoOf: unknown;
  #sessionInfo: readonly Labels[] = [];
  #sessionInfoOf: readonly number[] | undefined;
  #sources: readonly SourceLabels[] = [];
  #sourcesOf: readonly number[] | undefined;

  constructor(table: RoutingTable, prefix: MonitoredPrefix, sessions: readonly SessionName[], bounds: SeriesBounds) {
    this.#bounds = bounds;
    const text = prefix.state.prefix.text;
    this.#table = table;
    this.#sessions = sessions;
    this.#prefix = prefix;
    this.#base = new Labels(['prefix'], [text]);
    this.#losses = LOSS_REASONS.map((reason) => new Labels(['prefix', 'reason'], [text, reason]));
    this.#lengths = PATH_LENGTHS.map((length) => new Labels(['prefix', 'length'], [text, length]));
    this.#origins = new LabelCache('origin_as', text);
    this.#upstreams = new LabelCache('upstream_as', text);
    this.#otherMoreSpecific = new Labels(['prefix', 'more_specific'], [text, OTHER]);
  }

  get startTimeMs(): number {
    return this.#prefix.sinceMs;
  }

  get version(): number {
    return this.#prefix.state.version + this.#table.generation;
  }

  visit(metric: Metric, sink: PointSink): void {
    WRITERS[metric.key as Key]?.(this, sink);
  }

  /** Distinct label values over the bounds, by metric. */
  addDropped(dropped: DroppedSeries): void {
    const { origins, upstreams, watched } = this.#prefix;
    const over = (counts: Counts, configured: readonly AsOrSet[], bound: number) =>
      overBound(counts, configured, bound, this.#table.paths);
    addTo(dropped, prefixMetrics.prefixOriginVps.name, over(origins, watched.origins, this.#bounds.origin));
    addTo(dropped, prefixMetrics.prefixUpstreamVps.name, over(upstreams, watched.upstreams, this.#bounds.upstream));
    const { unlisted } = this.#prefix;
    if (unlisted > 0) addTo(dropped, prefixMetrics.prefixMoreSpecificVps.name, unlisted);
    if (this.#prefix.moreSpecifics.size > this.#bounds.moreSpecific) {
      addTo(
        dropped,
        prefixMetrics.prefixMoreSpecificVps.name,
        Math.max(0, this.seenMoreSpecifics().length - this.#bounds.moreSpecific),
      );
    }
  }

  seenMoreSpecifics(): PrefixState[] {
    const seen: PrefixState[] = [];
    for (const state of this.#prefix.moreSpecifics) if (state.visible > 0) seen.push(state);
    return seen;
  }

  info(sink: PointSink): void {
    const { watched, state } = this.#prefix;
    if (this.#info === undefined || this.#infoOf !== watched) {
      const values = [state.prefix.text, state.prefix.afi, watched.description, watched.group];
      this.#info = new Labels(prefixMetrics.prefixInfo.labels, values);
      this.#infoOf = watched;
    }
    sink.number(this.#info, 1);
  }

  /** Has no points when the names of the sessions were not given. */
  sessionInfo(sink: PointSink): void {
    const { sessions } = this.#prefix.watched;
    if (this.#sessionInfoOf !== sessions) {
      this.#sessionInfo = sessions.flatMap((session) => {
        const name = this.#sessions[session];
        if (name === undefined) return [];
        const values = [this.#base.values[0], name.source, name.session];
        return [new Labels(prefixMetrics.prefixSessionInfo.labels, values)];
      });
      this.#sessionInfoOf = sessions;
    }
    for (const labels of this.#sessionInfo) sink.number(labels, 1);
  }

  sourceVps(sink: PointSink): void {
    const { visibleBySource } = this.#prefix;
    for (const { source, labels } of this.#bySource())
      sink.number(labels, visibleBySource === undefined ? this.visible : visibleBySource[source]);
  }

  sourceTrusted(sink: PointSink): void {
    const { trustedBy } = this.#prefix;
    for (const { source, labels } of this.#bySource()) sink.number(labels, (trustedBy >> source) & 1);
  }

  /** Every source that carries the prefix has a point, at 0 too. */
  #bySource(): readonly SourceLabels[] {
    const { sessions } = this.#prefix.watched;
    const { ownership } = this.#table;
    if (this.#sourcesOf !== sessions) {
      const places = sessions.map((session) => ownership.sourceOf(session));
      this.#sources = places.map((source) => ({
        source,
        labels: new Labels(['prefix', 'source'], [this.#base.values[0], ownership.sources[source]]),
      }));
      this.#sourcesOf = sessions;
    }
    return this.#sources;
  }

  one(sink: PointSink, value: number | undefined): void {
    if (value !== undefined) sink.number(this.#base, value);
  }

  get totals(): MonitoredPrefix {
    return this.#prefix;
  }

  get visible(): number {
    return this.#prefix.state.visible;
  }

  get expected(): number {
    return expectedVps(this.#table, this.#prefix);
  }

  get expectedKnown(): boolean {
    return isExpectedKnown(this.#table, this.#prefix);
  }

  unexpected(counts: Counts, configured: readonly AsOrSet[]): number | undefined {
    if (configured.length === 0) return undefined;
    const { paths } = this.#table;
    let unexpected = 0;
    for (const [as, count] of counts.entries()) if (!isExpected(as, configured, paths)) unexpected += count;
    return unexpected;
  }

  lengths(sink: PointSink): void {
    const longest = PATH_LENGTHS.length - 1;
    const counts = new Array<number>(PATH_LENGTHS.length).fill(0);
    for (const [length, count] of this.#prefix.lengths.entries()) counts[Math.min(length, longest)] += count;
    for (const [i, count] of counts.entries()) if (i > 0 || count > 0) sink.number(this.#lengths[i], count);
  }

  /** The entries that get a series: configured ones first, then the biggest counts, ties by the lower number. */
  byAs(sink: PointSink, counts: Counts, configured: readonly AsOrSet[], bound: number, cache: LabelCache): void {
    const { paths } = this.#table;
    for (const as of configured) sink.number(cache.get(as), countOf(as, counts, paths));
    let entries =
      configured.length === 0
        ? [...counts.entries()]
        : [...counts.entries()].filter(([as]) => !isConfigured(as, configured, paths));
    const room = Math.max(0, bound - configured.length);
    if (entries.length > room) {
      entries.sort(([a, countA], [b, countB]) => countB - countA || a - b);
      const other = entries.slice(room).reduce((sum, [, count]) => sum + count, 0);
      entries = entries.slice(0, room);
      sink.number(cache.other, other);
    }
    for (const [as, count] of entries) sink.number(cache.get(paths.asOrSet(as)), count);
    cache.trim(counts, configured, paths);
  }

  origins(sink: PointSink): void {
    this.byAs(sink, this.#prefix.origins, this.#prefix.watched.origins, this.#bounds.origin, this.#origins);
  }

  upstreams(sink: PointSink): void {
    this.byAs(sink, this.#prefix.upstreams, this.#prefix.watched.upstreams, this.#bounds.upstream, this.#upstreams);
  }

  moreSpecifics(sink: PointSink): void {
    const seen = this.seenMoreSpecifics();
    if (seen.length > this.#bounds.moreSpecific) {
      seen.sort((a, b) => b.visible - a.visible || (a.prefix.text < b.prefix.text ? -1 : 1));
      const rest = seen.splice(this.#bounds.moreSpecific);
      sink.number(
        this.#otherMoreSpecific,
        rest.reduce((sum, state) => sum + state.visible, 0),
      );
    }
    for (const state of seen) {
      let labels = this.#moreSpecifics.get(state);
      if (labels === undefined) {
        labels = new Labels(['prefix', 'more_specific'], [this.#base.values[0], state.prefix.text]);
        this.#moreSpecifics.set(state, labels);
      }
      sink.number(labels, state.visible);
    }
  }

  losses(sink: PointSink): void {
    for (const [i, reason] of LOSS_REASONS.entries()) sink.number(this.#losses[i], this.#prefix.losses[reason]);
  }

  announcedLengths(sink: PointSink): void {
    const prefix = this.#prefix;
    let count = 0;
    for (let i = 0; i < prefix.announcedLengths.length; i++) count += prefix.announcedLengths[i];
    sink.histogram(this.#base, {
      bounds: LENGTH_BOUNDS,
      counts: prefix.announcedLengths,
      sum: prefix.announcedLengthSum,
      count,
    });
  }
}

const WRITERS: Readonly<Record<Key, (group: PrefixGroup, sink: PointSink) => void>> = {
  prefixInfo: (group, sink) => group.info(sink),
  prefixVisibleVps: (group, sink) => group.one(sink, group.visible),
  prefixExpectedVps: (group, sink) => group.one(sink, group.expected),
  prefixExpectedKnown: (group, sink) => group.one(sink, group.expectedKnown ? 1 : 0),
  prefixTrusted: (group, sink) => group.one(sink, group.totals.trusted ? 1 : 0),
  prefixSessionInfo: (group, sink) => group.sessionInfo(sink),
  prefixSourceTrusted: (group, sink) => group.sourceTrusted(sink),
  prefixSourceVps: (group, sink) => group.sourceVps(sink),
  prefixVisibilityRatio: (group, sink) =>
    group.one(sink, group.expected === 0 ? undefined : group.visible / group.expected),
  prefixOriginVps: (group, sink) => group.origins(sink),
  prefixOrigins: (group, sink) => group.one(sink, group.totals.origins.distinct),
  prefixUnexpectedOriginVps: (group, sink) =>
    group.one(sink, group.unexpected(group.totals.origins, group.totals.watched.origins)),
  prefixUpstreamVps: (group, sink) => group.upstreams(sink),
  prefixUnexpectedUpstreamVps: (group, sink) =>
    group.one(sink, group.unexpected(group.totals.upstreams, group.totals.watched.upstreams)),
  prefixAsPathLengthVps: (group, sink) => group.lengths(sink),
  prefixAsPathLengthMin: (group, sink) => group.one(sink, extreme(group.totals.lengths, Math.min)),
  prefixAsPathLengthMean: (group, sink) =>
    group.one(sink, group.visible === 0 ? undefined : group.totals.lengthSum / group.visible),
  prefixAsPathLengthMax: (group, sink) => group.one(sink, extreme(group.totals.lengths, Math.max)),
  prefixPrependedVps: (group, sink) => group.one(sink, group.totals.prepended),
  prefixMoreSpecifics: (group, sink) => group.one(sink, group.seenMoreSpecifics().length),
  prefixMoreSpecificVps: (group, sink) => group.moreSpecifics(sink),
  prefixAnnouncements: (group, sink) => group.one(sink, group.totals.announcements),
  prefixWithdrawals: (group, sink) => group.one(sink, group.totals.withdrawals),
  prefixPathChanges: (group, sink) => group.one(sink, group.totals.pathChanges),
  prefixOriginChanges: (group, sink) => group.one(sink, group.totals.originChanges),
  prefixRepeats: (group, sink) => group.one(sink, group.totals.repeats),
  prefixVpGains: (group, sink) => group.one(sink, group.totals.gains),
  prefixVpLosses: (group, sink) => group.losses(sink),
  prefixAnnouncedAsPathLength: (group, sink) => group.announcedLengths(sink),
  prefixLastAnnouncement: (group, sink) => group.one(sink, timestamp(group.totals.lastAnnouncementUs)),
  prefixLastWithdrawal: (group, sink) => group.one(sink, timestamp(group.totals.lastWithdrawalUs)),
};

/** Labels by AS or AS_SET, kept while it is counted or configured. */
class LabelCache {
  readonly #key: string;
  readonly #prefix: string;
  readonly #labels = new Map<AsOrSet, Labels>();
  readonly other: Labels;

  constructor(key: string, prefix: string) {
    this.#key = key;
    this.#prefix = prefix;
    this.other = new Labels(['prefix', key], [prefix, OTHER]);
  }

  get(as: AsOrSet): Labels {
    let labels = this.#labels.get(as);
    if (labels === undefined) {
      labels = new Labels(['prefix', this.#key], [this.#prefix, String(as)]);
      this.#labels.set(as, labels);
    }
    return labels;
  }

  trim(counts: Counts, configured: readonly AsOrSet[], paths: PathTable): void {
    if (this.#labels.size <= counts.distinct + configured.length) return;
    for (const as of this.#labels.keys())
      if (countOf(as, counts, paths) === 0 && !configured.includes(as)) this.#labels.delete(as);
  }
}

function countOf(as: AsOrSet, counts: Counts, paths: PathTable): number {
  const number = paths.numberOf(as);
  return number === undefined ? 0 : counts.get(number);
}

function extreme(lengths: Counts, choose: (a: number, b: number) => number): number | undefined {
  let found: number | undefined;
  for (const length of lengths.keys()) found = found === undefined ? length : choose(found, length);
  return found;
}

function timestamp(timeUs: number): number | undefined {
  return timeUs === 0 ? undefined : timeUs / 1_000_000;
}

function overBound(counts: Counts, configured: readonly AsOrSet[], bound: number, paths: PathTable): number {
  if (counts.distinct + configured.length <= bound) return 0;
  let others = counts.distinct;
  for (const as of configured) if (countOf(as, counts, paths) > 0) others--;
  return Math.max(0, others - Math.max(0, bound - configured.length));
}

function addTo(dropped: DroppedSeries, name: string, count: number): void {
  dropped.set(name, (dropped.get(name) ?? 0) + count);
}

/** What a session of the stream is called in labels. */
export interface SessionName {
  readonly source: string;
  readonly session: string;
}

/** All monitored prefixes of a table. */
export class PrefixView {
  readonly #table: RoutingTable;
  readonly #sessions: readonly SessionName[];
  readonly #bounds: SeriesBounds;
  readonly #groups = new Map<MonitoredPrefix, PrefixGroup>();
  #list: readonly PrefixGroup[] = [];
  #generation = -1;

  /** @param sessions what the sessions are called, by their place; none: `prefixSessionInfo` has no points */
  constructor(table: RoutingTable, sessions: readonly SessionName[] = [], bounds: SeriesBounds = DEFAULT_SERIES) {
    this.#bounds = bounds;
    this.#table = table;
    this.#sessions = sessions;
  }

  collect(): FamilySource {
    this.#refresh();
    return { metrics: METRICS, groups: this.#list };
  }

  droppedSeries(): DroppedSeries {
    this.#refresh();
    const dropped: DroppedSeries = new Map();
    for (const group of this.#list) group.addDropped(dropped);
    return dropped;
  }

  /** The set of prefixes changes only with the table's generation. */
  #refresh(): void {
    if (this.#generation === this.#table.generation) return;
    this.#generation = this.#table.generation;
    const current = new Set(this.#table.prefixes.shown());
    for (const prefix of this.#groups.keys()) if (!current.has(prefix)) this.#groups.delete(prefix);
    for (const prefix of current)
      if (!this.#groups.has(prefix))
        this.#groups.set(prefix, new PrefixGroup(this.#table, prefix, this.#sessions, this.#bounds));
    this.#list = [...this.#groups.values()];
  }
}

const METRICS: readonly Metric[] = Object.values(prefixMetrics);
