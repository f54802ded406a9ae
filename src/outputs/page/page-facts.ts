/**
 * What the page and the JSON API say of the monitored prefixes: the numbers of the metrics, read from the same totals, and their
 * past. A list of prefixes never walks routes; the detail of one prefix walks its own.
 */
import type { AsOrSet } from '../../bgp/as-path.ts';
import { type Prefix, parsePrefix } from '../../bgp/prefix.ts';
import { REGIONS } from '../../bgp/regions.ts';
import type { VantagePoint } from '../../bgp/vantage-point.ts';
import type { Mark } from '../../history/marks.ts';
import type { HistoryWindow, PastChange, PrefixHistory, ShareSeries } from '../../history/prefix-history.ts';
import { conditionOf, type PrefixStanding, standingOf } from '../../history/prefix-standing.ts';
import { SAMPLE_MS, type TableHistory } from '../../history/table-history.ts';
import { inTurns } from '../../in-turns.ts';
import { type AsFact, prefixFacts } from '../../metrics/prefix-facts.ts';
import type { AsNames } from '../../names/as-names.ts';
import type { Validity } from '../../rpki/origin-validation.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { expectedVps, missingFullFeeds } from '../../table/vps/denominator.ts';
import { PlaceCounter } from '../../table/vps/place-counter.ts';
import type {
  AsCount,
  ChangeAnswer,
  ChangeList,
  MarkAnswer,
  PastAnswer,
  PrefixDetail,
  PrefixSummary,
  Status,
} from './api-schemas.ts';
import { pathLinks } from './path-links.ts';

type SparkAnswer = Pick<PrefixSummary, 'spark' | 'spark_step_seconds'>;
type NameFinder = Pick<AsNames, 'find'>;

export interface PageFactsOptions {
  readonly table: RoutingTable;
  readonly history: TableHistory;
  /** Whether a session is up now. */
  readonly isUp: (session: number) => boolean;
  /** Undefined: there is no validated data for the prefix. */
  readonly validity: (prefix: Prefix, origin: AsOrSet) => Validity | undefined;
  /** Names of ASes; undefined where there is no file of them, or it was not read. */
  readonly names: () => NameFinder | undefined;
  /** Unix ms, by the clock of the table. */
  readonly now: () => number;
  /** What the machine's clock shows at a time of the table, both Unix ms. */
  readonly machineMs: (ms: number) => number;
  /** What is said of the exporter as a whole, but for what the table tells. */
  readonly exporter: () => Omit<Status, 'now' | 'routes' | 'prefixes' | 'trusted_prefixes'>;
}

/** Entries of a list of ASes or prefixes; how many there are is beside it. */
const MAX_LISTED = 8;
const MAX_MISSING = 200;
const MAX_RECENT_MARKS = 50;
const MAX_RECENT_CHANGES = 30;
/** Names of ASes that are kept beside the file. */
const MAX_NAMES_KEPT = 10_000;

export class PageFacts {
  readonly #options: PageFactsOptions;
  readonly #places: PlaceCounter;
  readonly #sparks = new WeakMap<PrefixHistory, { readonly key: string; readonly answer: SparkAnswer }>();
  /** Names that were found in a file: a look into it reads a line. */
  #named: { readonly file: NameFinder | undefined; readonly names: Map<number, string | null> } = {
    ...{ file: undefined, names: new Map() },
  };

  constructor(options: PageFactsOptions) {
    this.#options = options;
    this.#places = new PlaceCounter(options.table);
  }

  status(): Status {
    const { table, now, exporter } = this.#options;
    let prefixes = 0;
    let trusted = 0;
    for (const prefix of table.prefixes.shown()) {
      prefixes++;
      if (prefix.trusted && this.#isUp(prefix)) trusted++;
    }
    return { now: this.#time(now()), ...exporter(), routes: table.routes, prefixes, trusted_prefixes: trusted };
  }

  /** In the order of the configuration. */
  *prefixes(): Generator<MonitoredPrefix> {
    yield* this.#options.table.prefixes.shown();
  }

  /** The monitored prefix that a text names, however it is spelt. */
  find(text: string): MonitoredPrefix | undefined {
    const canonical = parsePrefix(text)?.text;
    return canonical === undefined ? undefined : this.#options.table.prefixes.find(canonical)?.monitored;
  }

  /** Differs from before whenever the summary of the prefix may. */
  versionOf(prefix: MonitoredPrefix): string {
    const { table, now } = this.#options;
    const sample = Math.floor(now() / SAMPLE_MS);
    return `${prefix.state.version + table.generation} ${this.#isUp(prefix)} ${sample}`;
  }

  /** The `state` of its summary. */
  standing(prefix: MonitoredPrefix): PrefixStanding {
    return standingOf(conditionOf(this.#options.table, prefix), this.#isUp(prefix));
  }

  /** The summaries of all prefixes, in the order of the configuration; others have their turns between one prefix and the next. */
  summaries(): Promise<PrefixSummary[]> {
    return inTurns(this.#summaries());
  }

  *#summaries(): Generator<void, PrefixSummary[]> {
    const summaries: PrefixSummary[] = [];
    for (const prefix of [...this.prefixes()]) {
      summaries.push(this.summary(prefix));
      yield;
    }
    return summaries;
  }

  summary(prefix: MonitoredPrefix): PrefixSummary {
    const { table, history, now, validity } = this.#options;
    const { state, watched, lengthSum } = prefix;
    const condition = conditionOf(table, prefix);
    const { visible, expected, origins, upstreams, moreSpecifics } = prefixFacts(table, prefix, MAX_LISTED);
    const isUp = this.#isUp(prefix);
    const past = history.of(state.prefix.text);
    const nowMs = now();
    const spark = past && this.#sparkOf(past, nowMs);
    return {
      prefix: state.prefix.text,
      description: watched.description,
      group: watched.group,
      state: standingOf(condition, isUp),
      trusted: prefix.trusted && isUp,
      visible_vps: visible,
      expected_vps: expected,
      visibility_ratio: expected === 0 ? null : visible / expected,
      unexpected_origin_vps: watched.origins.length === 0 ? null : condition.unexpectedOriginVps,
      unexpected_upstream_vps: watched.upstreams.length === 0 ? null : condition.unexpectedUpstreamVps,
      origins: origins.map((fact) => ({
        ...this.#asCount(fact),
        validity: validity(state.prefix, fact.as) ?? null,
      })),
      origin_count: prefix.origins.distinct,
      upstreams: upstreams.map((fact) => this.#asCount(fact)),
      upstream_count: prefix.upstreams.distinct,
      more_specifics: moreSpecifics.slice(0, MAX_LISTED).map((one) => ({ prefix: one.prefix.text, vps: one.visible })),
      more_specific_count: moreSpecifics.length,
      as_path_length_mean: visible === 0 ? null : lengthSum / visible,
      events_per_minute: past?.eventsOfMinute(nowMs) ?? null,
      sources: this.#sourcesOf(prefix),
      ...(spark ?? { spark: [], spark_step_seconds: null }),
    };
  }

  /** A picture of the past changes with each sample, and with the time of the finest ones. */
  #sparkOf(past: PrefixHistory, nowMs: number): SparkAnswer {
    const key = `${past.samples} ${Math.floor(nowMs / SAMPLE_MS)}`;
    let known = this.#sparks.get(past);
    if (known?.key !== key) {
      const { values, stepMs } = past.spark(nowMs);
      known = { key, answer: { spark: values.map(orNull), spark_step_seconds: stepMs / 1_000 } };
      this.#sparks.set(past, known);
    }
    return known.answer;
  }

  detail(prefix: MonitoredPrefix, window: HistoryWindow): PrefixDetail {
    const { history, table, now } = this.#options;
    history.take();
    const past = history.of(prefix.state.prefix.text);
    const { lengths, announcements, withdrawals, pathChanges, originChanges, repeats, gains, losses } = prefix;
    const { vantagePoints, missing, missingCount } = this.#vantagePoints(prefix);
    const links = pathLinks(table, prefix);
    const all = [...lengths.keys()];
    return {
      ...this.summary(prefix),
      now: this.#time(now()),
      as_path_length_min: all.length === 0 ? null : Math.min(...all),
      as_path_length_max: all.length === 0 ? null : Math.max(...all),
      prepended_vps: prefix.prepended,
      counters: {
        since: this.#time(prefix.sinceMs),
        ...{ announcements, withdrawals, path_changes: pathChanges, origin_changes: originChanges, repeats },
        ...{ vp_gains: gains, vp_losses: { ...losses } },
      },
      last_announcement_at: this.#stamp(prefix.lastAnnouncementUs),
      last_withdrawal_at: this.#stamp(prefix.lastWithdrawalUs),
      vantage_points: vantagePoints,
      regions: this.#regions(prefix),
      missing,
      missing_count: missingCount,
      path_links: links,
      as_names: this.#namesOf(links),
      marks: newest(past?.marks ?? [], MAX_RECENT_MARKS).map((mark) => this.#mark(mark)),
      changes: newest(past?.changes ?? [], MAX_RECENT_CHANGES).map((change) => this.#change(change)),
      missed_changes: past?.missed ?? 0,
      history: past === undefined ? null : this.#past(past, window, now()),
    };
  }

  changes(prefix: MonitoredPrefix): ChangeList {
    const { history } = this.#options;
    history.take();
    const past = history.of(prefix.state.prefix.text);
    return {
      prefix: prefix.state.prefix.text,
      missed: past?.missed ?? 0,
      changes: newest(past?.changes ?? []).map((change) => this.#change(change)),
      marks: newest(past?.marks ?? []).map((mark) => this.#mark(mark)),
    };
  }

  #isUp({ watched }: MonitoredPrefix): boolean {
    return watched.sessions.some(this.#options.isUp);
  }

  #asCount({ as, text, vps, expected }: AsFact): AsCount {
    return { as: text, name: this.#nameOf(as), vps, expected };
  }

  #sourcesOf({ state, watched, visibleBySource }: MonitoredPrefix): PrefixSummary['sources'] {
    const { ownership } = this.#options.table;
    return watched.sessions.map((session) => {
      const source = ownership.sourceOf(session);
      return {
        source: ownership.sources[source],
        vps: visibleBySource === undefined ? state.visible : visibleBySource[source],
      };
    });
  }

  /** Walks the cells of the prefix. */
  #vantagePoints(prefix: MonitoredPrefix) {
    const { table } = this.#options;
    const { cells, vps, ownership, clock } = table;
    const { state } = prefix;
    const groups = new Map<number, PrefixDetail['vantage_points'][number]>();
    const missing: { vp: VantagePoint; sinceMs: number }[] = [];
    const add = (vp: number, isVisible: boolean): void => {
      const known = vps.get(vp);
      if (known === undefined) return;
      const owner = ownership.isShared ? ownership.shownOwner(prefix, vp) : 0;
      const key = 2 * owner + Number(known.protocol === 'bmp');
      let group = groups.get(key);
      if (group === undefined) {
        const source = owner === -1 ? 'none' : ownership.sources[owner];
        group = { source, protocol: known.protocol, visible: 0, expected: 0 };
        groups.set(key, group);
      }
      group.expected++;
      if (isVisible) group.visible++;
      else {
        const cell = cells.find(state, vp);
        // A VP that is expected only because of the history or its full feed has never sent anything about the prefix.
        missing.push({ vp: known, sinceMs: cell === -1 ? 0 : clock.saidUs(cell, vp) / 1000 });
      }
    };
    const countsFullFeeds = expectedVps(table, prefix) > prefix.expected;
    for (let vp = cells.nextVp(state, 0); vp < vps.end; vp = cells.nextVp(state, vp + 1)) {
      const cell = cells.find(state, vp);
      if (cells.path(cell) !== 0) add(vp, true);
      else if (!countsFullFeeds && cells.mark(cell) !== 0) add(vp, false);
    }
    if (countsFullFeeds) for (const vp of missingFullFeeds(table, prefix)) add(vp, false);
    missing.sort((a, b) => b.sinceMs - a.sinceMs);
    return {
      vantagePoints: [...groups.values()].sort((a, b) => b.expected - a.expected),
      missing: missing.slice(0, MAX_MISSING).map(({ vp, sinceMs }) => ({
        vp: this.#vpAnswer(vp),
        since: sinceMs === 0 ? null : new Date(sinceMs).toISOString(),
      })),
      missingCount: missing.length,
    };
  }

  /** The regions in which a VP sees the prefix or ought to. */
  #regions(prefix: MonitoredPrefix): PrefixDetail['regions'] {
    const { all } = this.#options.table.vps.places;
    const regions = REGIONS.map((region) => ({ region, visible: 0, expected: 0 }));
    const counter = this.#places;
    counter.count(prefix);
    for (const [place, { region }] of all.entries()) {
      const part = regions[REGIONS.indexOf(region)];
      part.visible += counter.visible[place];
      part.expected += counter.visible[place] + counter.missing[place];
    }
    return regions.filter(({ expected }) => expected > 0).sort((a, b) => b.expected - a.expected);
  }

  #past(past: PrefixHistory, window: HistoryWindow, nowMs: number): PastAnswer {
    const { counts, shares } = past.read(window, nowMs);
    const seriesAnswer = ({ as, vps }: ShareSeries) => ({ as: as ?? 'other', vps: vps.map(orNull) });
    return {
      window,
      counts: {
        from: this.#time(counts.fromMs),
        step_seconds: counts.stepMs / 1000,
        visible_vps: counts.visible.map(orNull),
        expected_vps: counts.expected.map(orNull),
        events: counts.events.map(orNull),
      },
      shares: {
        from: this.#time(shares.fromMs),
        step_seconds: shares.stepMs / 1000,
        as_path_length_mean: shares.meanPathLength.map(orNull),
        origins: shares.origins.map(seriesAnswer),
        upstreams: shares.upstreams.map(seriesAnswer),
      },
    };
  }

  #mark({ atMs, kind, vps }: Mark): MarkAnswer {
    return { at: this.#time(atMs), kind, vps };
  }

  #change({ atMs, vp, before, after }: PastChange): ChangeAnswer {
    return { at: new Date(atMs).toISOString(), vp: this.#vpAnswer(vp), before: orNull(before), after: orNull(after) };
  }

  #vpAnswer({ asn, ip, protocol }: VantagePoint): ChangeAnswer['vp'] {
    return { asn, name: this.#nameOf(asn), ip, protocol };
  }

  /** The names of the ASes of links, as far as they have one. */
  #namesOf(links: PrefixDetail['path_links']): Record<string, string> {
    const names: Record<string, string> = {};
    for (const as of new Set(links.flatMap(({ from, to }) => [from, to]))) {
      const name = /^\d+$/.test(as) ? this.#nameOf(Number(as)) : null;
      if (name !== null && name !== '') names[as] = name;
    }
    return names;
  }

  #nameOf(as: AsOrSet): string | null {
    const file = this.#options.names();
    if (file === undefined || typeof as !== 'number') return null;
    if (file !== this.#named.file || this.#named.names.size >= MAX_NAMES_KEPT) this.#named = { file, names: new Map() };
    const { names } = this.#named;
    let name = names.get(as);
    if (name === undefined) {
      name = file.find(as)?.name ?? null;
      names.set(as, name);
    }
    return name;
  }

  #time(ms: number): string {
    return new Date(this.#options.machineMs(ms)).toISOString();
  }

  /** A stamp of a message: it is by the clock of the service already. */
  #stamp(timeUs: number): string | null {
    return timeUs === 0 ? null : new Date(timeUs / 1000).toISOString();
  }
}

function newest<T>(oldestFirst: readonly T[], count = oldestFirst.length): T[] {
  return oldestFirst.slice(Math.max(0, oldestFirst.length - count)).reverse();
}

function orNull<T>(value: T | undefined): T | null {
  return value ?? null;
}
