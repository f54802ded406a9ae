/** From where the monitored prefixes are seen: a prefix of which something changed is counted when a scrape asks for it. */
import { REGIONS } from '../../bgp/regions.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { PlaceCounter } from '../../table/vps/place-counter.ts';
import { VP_SOURCES } from '../../table/vps/vp-places.ts';
import { placeMetrics } from '../catalogue.ts';
import { type FamilySource, Labels, type Metric, type PointGroup, type PointSink } from '../metric.ts';
import { OTHER } from './prefix-view.ts';

type Key = keyof typeof placeMetrics;

/** The ways to split VPs: how many parts each has, and in which part a place is. */
interface Split {
  readonly label: string;
  readonly values: readonly string[];
  /** By the number of a place. */
  parts: Uint8Array;
}

const REGION = 0;
const SOURCE = 1;
const COUNTRY = 2;

/** What all prefixes are counted by. */
class Counter {
  readonly splits: readonly Split[];
  readonly #table: RoutingTable;
  readonly #places: PlaceCounter;

  constructor(table: RoutingTable, countries: readonly string[]) {
    this.#table = table;
    this.#places = new PlaceCounter(table);
    const none = new Uint8Array(0);
    this.splits = [
      { label: 'region', values: REGIONS, parts: none },
      { label: 'vp_source', values: VP_SOURCES, parts: none },
      { label: 'country', values: countries.length === 0 ? [] : [...countries, OTHER], parts: none },
    ];
  }

  /** Counts the VPs of a prefix into the parts of each split. */
  count(prefix: MonitoredPrefix, visible: readonly Uint32Array[], expected: readonly Uint32Array[]): void {
    this.#takePlaces();
    this.#places.count(prefix);
    for (const [i, { parts }] of this.splits.entries()) {
      visible[i].fill(0);
      expected[i].fill(0);
      if (visible[i].length === 0) continue;
      for (let place = 0; place < parts.length; place++) {
        visible[i][parts[place]] += this.#places.visible[place];
        expected[i][parts[place]] += this.#places.visible[place] + this.#places.missing[place];
      }
    }
  }

  /** Places are only ever added. */
  #takePlaces(): void {
    const { all } = this.#table.vps.places;
    if (this.splits[REGION].parts.length === all.length) return;
    const countries = this.splits[COUNTRY].values;
    this.splits[REGION].parts = Uint8Array.from(all, ({ region }) => REGIONS.indexOf(region));
    this.splits[SOURCE].parts = Uint8Array.from(all, ({ source }) => VP_SOURCES.indexOf(source));
    this.splits[COUNTRY].parts = Uint8Array.from(all, ({ country }) => {
      const at = countries.indexOf(country);
      return at === -1 ? Math.max(0, countries.length - 1) : at;
    });
  }
}

class PlaceGroup implements PointGroup {
  readonly #counter: Counter;
  readonly #table: RoutingTable;
  readonly #prefix: MonitoredPrefix;
  /** By split. */
  readonly #labels: readonly (readonly Labels[])[];
  readonly #visible: readonly Uint32Array[];
  readonly #expected: readonly Uint32Array[];
  /** The version that the counts are of. */
  #counted = -1;

  constructor(counter: Counter, table: RoutingTable, prefix: MonitoredPrefix) {
    const { text } = prefix.state.prefix;
    this.#counter = counter;
    this.#table = table;
    this.#prefix = prefix;
    this.#labels = counter.splits.map(({ label, values }) =>
      values.map((value) => new Labels(['prefix', label], [text, value])),
    );
    this.#visible = counter.splits.map(({ values }) => new Uint32Array(values.length));
    this.#expected = counter.splits.map(({ values }) => new Uint32Array(values.length));
  }

  get startTimeMs(): number {
    return this.#prefix.sinceMs;
  }

  get version(): number {
    return this.#prefix.state.version + this.#table.generation;
  }

  visit(metric: Metric, sink: PointSink): void {
    const { version } = this;
    if (this.#counted !== version) {
      this.#counted = version;
      this.#counter.count(this.#prefix, this.#visible, this.#expected);
    }
    switch (metric.key as Key) {
      case 'prefixRegionVisibleVps':
        this.#write(REGION, this.#visible, sink);
        break;
      case 'prefixRegionExpectedVps':
        this.#write(REGION, this.#expected, sink);
        break;
      case 'prefixVpSourceVisibleVps':
        this.#write(SOURCE, this.#visible, sink);
        break;
      case 'prefixVpSourceExpectedVps':
        this.#write(SOURCE, this.#expected, sink);
        break;
      case 'prefixCountryVisibleVps':
        this.#write(COUNTRY, this.#visible, sink);
        break;
      case 'prefixCountryExpectedVps':
        this.#write(COUNTRY, this.#expected, sink);
        break;
    }
  }

  #write(split: number, counts: readonly Uint32Array[], sink: PointSink): void {
    for (const [i, labels] of this.#labels[split].entries()) sink.number(labels, counts[split][i]);
  }
}

/** All monitored prefixes of a table. */
export class PlaceView {
  readonly #table: RoutingTable;
  readonly #counter: Counter;
  readonly #groups = new Map<MonitoredPrefix, PlaceGroup>();
  #list: readonly PlaceGroup[] = [];
  #generation = -1;

  /** @param countries ISO 3166-1 alpha-2 in capitals, distinct, at most 254: those that have series of their own */
  constructor(table: RoutingTable, countries: readonly string[] = []) {
    this.#table = table;
    this.#counter = new Counter(table, countries);
  }

  collect(): FamilySource {
    this.#refresh();
    return { metrics: METRICS, groups: this.#list };
  }

  /** The set of prefixes changes only with the table's generation. */
  #refresh(): void {
    const { generation, prefixes } = this.#table;
    if (this.#generation === generation) return;
    this.#generation = generation;
    const current = new Set(prefixes.shown());
    for (const prefix of this.#groups.keys()) if (!current.has(prefix)) this.#groups.delete(prefix);
    for (const prefix of current)
      if (!this.#groups.has(prefix)) this.#groups.set(prefix, new PlaceGroup(this.#counter, this.#table, prefix));
    this.#list = [...this.#groups.values()];
  }
}

const METRICS: readonly Metric[] = Object.values(placeMetrics);
