/**
 * Whether what is seen of the monitored prefixes is legitimate. The fold does not know of it, so that a frame costs the
 * same with and without it: a prefix of which something changed is counted when a scrape asks for it, by the verdicts on its
 * distinct origins and paths.
 */
import type { AsOrSet } from '../../bgp/as-path.ts';
import { PATH_ANOMALIES, type PathRules } from '../../bgp/path-sanity.ts';
import type { Prefix } from '../../bgp/prefix.ts';
import { VALIDITIES, type Validity, validate } from '../../rpki/origin-validation.ts';
import { ASPA_VERDICTS } from '../../rpki/path-verification.ts';
import type { RpkiData } from '../../rpki/rpki-data.ts';
import type { ValidatedData } from '../../rpki/validated-data.ts';
import type { Vrp } from '../../rpki/vrp-set.ts';
import { DEFAULT_SERIES } from '../../table/bounds.ts';
import { isExpected } from '../../table/expectation.ts';
import type { MonitoredPrefix, PrefixState } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { legitimacyMetrics } from '../catalogue.ts';
import { type FamilySource, Labels, type Metric, type PointGroup, type PointSink } from '../metric.ts';
import type { PathVerdicts } from '../path-verdicts.ts';
import type { DroppedSeries } from './prefix-view.ts';

type Key = keyof typeof legitimacyMetrics;

export interface LegitimacyOptions {
  readonly table: RoutingTable;
  /** Undefined: nothing is said of the RPKI. */
  readonly validated: ValidatedData | undefined;
  /** Undefined: nothing is said of path anomalies. */
  readonly paths: PathRules | undefined;
  /** Origins of a prefix that have a series. Default: see bounds.ts. */
  readonly maxOrigins?: number;
  /** What the machine's clock shows, Unix ms: validated data expires by such a clock. */
  readonly unixMs: () => number;
  /** The verdicts on the paths of the table, by the same rules. */
  readonly verdicts: PathVerdicts;
}

/** What all prefixes are judged by at one collection. */
class Judge {
  readonly table: RoutingTable;
  readonly verdicts: PathVerdicts;
  readonly saysAnomalies: boolean;
  /** Origins of a prefix that have a series. */
  readonly maxOrigins: number;
  readonly #validated: ValidatedData | undefined;
  data: RpkiData | undefined;
  nowS = 0;
  /** Grows when another verdict is possible for whatever reason but expiry. */
  edition = 0;
  /** The edition of the verdicts on paths. */
  pathEdition = 0;
  /** Whether there are verdicts of ASPA. */
  saysAspa = false;
  #former = '';

  constructor({ table, validated, paths, maxOrigins = DEFAULT_SERIES.origin, unixMs, verdicts }: LegitimacyOptions) {
    this.table = table;
    this.maxOrigins = maxOrigins;
    this.#validated = validated;
    this.saysAnomalies = paths !== undefined;
    this.verdicts = verdicts;
    // Paths are judged when the data comes, not when the next scrape does: it finds the new verdicts.
    validated?.onNews(() => this.verdicts.use(validated.usable(unixMs())?.data.aspas));
  }

  /** Call it once a collection. */
  renew(nowMs: number): void {
    this.nowS = nowMs / 1_000;
    this.data = this.#validated?.usable(nowMs)?.data;
    this.verdicts.use(this.data?.aspas);
    this.pathEdition = this.verdicts.edition;
    this.saysAspa = this.verdicts.isReady;
    const now = `${this.#validated?.edition ?? 0} ${this.pathEdition}`;
    if (now === this.#former) return;
    this.#former = now;
    this.edition++;
  }
}

/** VRPs that cover a prefix, and until when nothing of them expires. */
interface Covering {
  readonly vrps: readonly Vrp[];
  readonly untilS: number;
}

function coveringOf(data: RpkiData, prefix: Prefix, nowS: number): Covering {
  const vrps = data.vrps.covering(prefix, nowS);
  let untilS = Number.POSITIVE_INFINITY;
  for (const { expiresS } of vrps) if (expiresS !== 0) untilS = Math.min(untilS, expiresS);
  return { vrps, untilS };
}

/** Routes of a more-specific by origin, as of a version of its state. */
interface OriginCounts {
  readonly version: number;
  readonly origins: ReadonlyMap<number, number>;
}

class LegitimacyGroup implements PointGroup {
  readonly #judge: Judge;
  readonly #prefix: MonitoredPrefix;
  readonly #text: string;
  readonly #base: Labels;
  readonly #validities: readonly Labels[];
  readonly #verdicts: readonly Labels[];
  readonly #anomalies: readonly Labels[];
  readonly #infos = new Map<string, Labels>();
  readonly #originsOf = new WeakMap<PrefixState, OriginCounts>();
  /** What the version is of. */
  #seen = { state: -1, moreSpecifics: -1, generation: -1, edition: -1, untilS: Number.POSITIVE_INFINITY };
  #version = 0;
  /** The version that the counts below are of. */
  #countedVersion = -1;
  /** What the counts of paths are of. */
  #countedPaths = { state: -1, generation: -1, edition: -1 };
  #covering: readonly Vrp[] | undefined;
  readonly #rpkiVps = new Uint32Array(VALIDITIES.length);
  readonly #moreSpecificVps = new Uint32Array(VALIDITIES.length);
  readonly #aspaVps = new Uint32Array(ASPA_VERDICTS.length);
  readonly #anomalyVps = new Uint32Array(PATH_ANOMALIES.length);

  constructor(judge: Judge, prefix: MonitoredPrefix) {
    const { text } = prefix.state.prefix;
    this.#judge = judge;
    this.#prefix = prefix;
    this.#text = text;
    this.#base = new Labels(['prefix'], [text]);
    this.#validities = VALIDITIES.map((validity) => new Labels(['prefix', 'validity'], [text, validity]));
    this.#verdicts = ASPA_VERDICTS.map((verdict) => new Labels(['prefix', 'verdict'], [text, verdict]));
    this.#anomalies = PATH_ANOMALIES.map((anomaly) => new Labels(['prefix', 'anomaly'], [text, anomaly]));
  }

  get startTimeMs(): number {
    return this.#prefix.sinceMs;
  }

  get version(): number {
    const { table, edition, nowS } = this.#judge;
    const { state } = this.#prefix;
    // Their sum is enough: a more-specific that goes changes the version of the monitored prefix too.
    let moreSpecifics = 0;
    for (const one of this.#prefix.moreSpecifics) moreSpecifics += one.version;
    const seen = this.#seen;
    const isSame =
      seen.state === state.version &&
      seen.moreSpecifics === moreSpecifics &&
      seen.generation === table.generation &&
      seen.edition === edition &&
      nowS < seen.untilS;
    if (!isSame) {
      this.#version++;
      this.#seen = { state: state.version, moreSpecifics, generation: table.generation, edition, untilS: seen.untilS };
      if (nowS >= seen.untilS) this.#seen.untilS = Number.POSITIVE_INFINITY;
    }
    return this.#version;
  }

  visit(metric: Metric, sink: PointSink): void {
    if (this.#countedVersion !== this.version) this.#count();
    this.#write(metric.key as Key, sink);
  }

  #write(key: Key, sink: PointSink): void {
    if (key === 'prefixPathAnomalyVps') {
      if (this.#judge.saysAnomalies) writeEach(sink, this.#anomalies, this.#anomalyVps);
      return;
    }
    const covering = this.#covering;
    if (covering === undefined) return;
    switch (key) {
      case 'prefixRpkiVps':
        writeEach(sink, this.#validities, this.#rpkiVps);
        break;
      case 'prefixMoreSpecificRpkiVps':
        writeEach(sink, this.#validities, this.#moreSpecificVps);
        break;
      case 'prefixAspaVps':
        if (this.#judge.saysAspa) writeEach(sink, this.#verdicts, this.#aspaVps);
        break;
      case 'prefixCoveringVrps':
        sink.number(this.#base, covering.length);
        break;
      case 'prefixOriginRpkiInfo':
        this.#writeInfos(covering, sink);
        break;
    }
  }

  /** How many origins have no room. */
  get droppedInfos(): number {
    if (this.#covering === undefined) return 0;
    return Math.max(0, this.#origins().length - this.#judge.maxOrigins);
  }

  #count(): void {
    this.#countedVersion = this.#version;
    const { data, nowS } = this.#judge;
    const { state } = this.#prefix;
    // The data has no VRPs of a prefix that is monitored only since the data was read.
    const isKept = data?.vrps.scope.prefixes.has(this.#text) === true;
    const covering = isKept ? coveringOf(data, state.prefix, nowS) : undefined;
    this.#covering = covering?.vrps;
    this.#seen.untilS = covering?.untilS ?? Number.POSITIVE_INFINITY;
    this.#rpkiVps.fill(0);
    this.#moreSpecificVps.fill(0);
    if (covering !== undefined) {
      this.#countOrigins(covering.vrps, state.prefix.length, this.#prefix.origins.entries(), this.#rpkiVps);
      for (const one of this.#prefix.moreSpecifics) this.#countMoreSpecific(one);
    }
    this.#countPaths();
  }

  #countOrigins(
    covering: readonly Vrp[],
    length: number,
    origins: Iterable<readonly [number, number]>,
    into: Uint32Array,
  ): void {
    const { paths } = this.#judge.table;
    for (const [origin, count] of origins) into[placeOf(validate(covering, length, paths.asOrSet(origin)))] += count;
  }

  #countMoreSpecific(state: PrefixState): void {
    const { data, nowS } = this.#judge;
    if (state.visible === 0 || data === undefined) return;
    const { vrps, untilS } = coveringOf(data, state.prefix, nowS);
    this.#seen.untilS = Math.min(this.#seen.untilS, untilS);
    let counts = this.#originsOf.get(state);
    if (counts?.version !== state.version) {
      const { paths } = this.#judge.table;
      const origins = new Map<number, number>();
      this.#walk(state, (path) => {
        const origin = paths.origin(path);
        origins.set(origin, (origins.get(origin) ?? 0) + 1);
      });
      counts = { version: state.version, origins };
      this.#originsOf.set(state, counts);
    }
    this.#countOrigins(vrps, state.prefix.length, counts.origins, this.#moreSpecificVps);
  }

  /** The counts of paths, which do not depend on VRPs. */
  #countPaths(): void {
    const { verdicts, saysAnomalies, saysAspa, pathEdition, table } = this.#judge;
    const { state } = this.#prefix;
    const counted = this.#countedPaths;
    const { generation } = table;
    if (counted.state === state.version && counted.generation === generation && counted.edition === pathEdition) return;
    this.#countedPaths = { state: state.version, generation, edition: pathEdition };
    this.#aspaVps.fill(0);
    this.#anomalyVps.fill(0);
    if (!saysAspa && !saysAnomalies) return;
    this.#walk(state, (path) => {
      this.#aspaVps[verdicts.aspa(path)]++;
      for (let left = verdicts.anomalies(path); left !== 0; left &= left - 1)
        this.#anomalyVps[31 - Math.clz32(left & -left)]++;
    });
  }

  #walk(state: PrefixState, take: (path: number) => void): void {
    const { cells, vps } = this.#judge.table;
    for (let vp = cells.nextVp(state, 0); vp < vps.end; vp = cells.nextVp(state, vp + 1)) {
      const path = cells.path(cells.find(state, vp));
      if (path !== 0) take(path);
    }
  }

  /** Configured origins first, then those that most VPs see. */
  #origins(): AsOrSet[] {
    const { paths } = this.#judge.table;
    const { origins: configured } = this.#prefix.watched;
    const seen = [...this.#prefix.origins.entries()].sort(([a, countA], [b, countB]) => countB - countA || a - b);
    return [...new Set([...configured, ...seen.map(([origin]) => paths.asOrSet(origin))])];
  }

  #writeInfos(covering: readonly Vrp[], sink: PointSink): void {
    const { paths } = this.#judge.table;
    const { origins: configured } = this.#prefix.watched;
    const shown = new Set<string>();
    for (const origin of this.#origins().slice(0, this.#judge.maxOrigins)) {
      const validity = validate(covering, this.#prefix.state.prefix.length, origin);
      const number = paths.numberOf(origin);
      const isOurs = configured.includes(origin) || (number !== undefined && isExpected(number, configured, paths));
      const expected = configured.length === 0 ? '' : String(isOurs);
      const key = `${origin} ${validity} ${expected}`;
      let labels = this.#infos.get(key);
      if (labels === undefined) {
        labels = new Labels(legitimacyMetrics.prefixOriginRpkiInfo.labels, [
          this.#text,
          String(origin),
          validity,
          expected,
        ]);
        this.#infos.set(key, labels);
      }
      shown.add(key);
      sink.number(labels, 1);
    }
    for (const key of this.#infos.keys()) if (!shown.has(key)) this.#infos.delete(key);
  }
}

function placeOf(validity: Validity): number {
  return VALIDITIES.indexOf(validity);
}

function writeEach(sink: PointSink, labels: readonly Labels[], values: Uint32Array): void {
  for (const [i, value] of values.entries()) sink.number(labels[i], value);
}

/** All monitored prefixes of a table. */
export class LegitimacyView {
  readonly #options: LegitimacyOptions;
  readonly #judge: Judge;
  readonly #groups = new Map<MonitoredPrefix, LegitimacyGroup>();
  #list: readonly LegitimacyGroup[] = [];
  #generation = -1;

  constructor(options: LegitimacyOptions) {
    this.#options = options;
    this.#judge = new Judge(options);
  }

  collect(): FamilySource {
    this.#judge.renew(this.#options.unixMs());
    this.#refresh();
    return { metrics: METRICS, groups: this.#list };
  }

  /** Origins over the bound, as of the last collection. */
  droppedSeries(): DroppedSeries {
    const dropped = this.#list.reduce((sum, group) => sum + group.droppedInfos, 0);
    return new Map([[legitimacyMetrics.prefixOriginRpkiInfo.name, dropped]]);
  }

  /** The set of prefixes changes only with the table's generation. */
  #refresh(): void {
    const { table } = this.#options;
    if (this.#generation === table.generation) return;
    this.#generation = table.generation;
    const current = new Set(table.prefixes.shown());
    for (const prefix of this.#groups.keys()) if (!current.has(prefix)) this.#groups.delete(prefix);
    for (const prefix of current)
      if (!this.#groups.has(prefix)) this.#groups.set(prefix, new LegitimacyGroup(this.#judge, prefix));
    this.#list = [...this.#groups.values()];
  }
}

const METRICS: readonly Metric[] = Object.values(legitimacyMetrics);
