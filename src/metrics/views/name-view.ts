/** Names of the ASes that are labels now. */
import type { AsOrSet } from '../../bgp/as-path.ts';
import type { AsNames } from '../../names/as-names.ts';
import { MAX_NAMED_ASES } from '../../table/bounds.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { nameMetrics } from '../catalogue.ts';
import { type FamilySource, Labels, type Metric, type PointGroup, type PointSink } from '../metric.ts';
import type { DroppedSeries } from './prefix-view.ts';

/** ASes of a prefix, as of a version of it. */
interface PrefixAses {
  readonly version: number;
  readonly ases: readonly number[];
}

export class NameView implements PointGroup {
  readonly startTimeMs = 0;
  readonly #table: RoutingTable;
  readonly #names: () => AsNames | undefined;
  readonly #prefixes = new Map<MonitoredPrefix, PrefixAses>();
  /** In how many prefixes an AS is a label. */
  readonly #uses = new Map<number, number>();
  /** By AS; undefined: the file does not have it. */
  readonly #labels = new Map<number, Labels | undefined>();
  #file: AsNames | undefined;
  #version = 0;

  /** @param names what the file says now; undefined while it was not read */
  constructor(table: RoutingTable, names: () => AsNames | undefined) {
    this.#table = table;
    this.#names = names;
  }

  get version(): number {
    return this.#version;
  }

  collect(): FamilySource {
    const file = this.#names();
    if (file !== this.#file) {
      this.#file = file;
      this.#labels.clear();
      this.#version++;
    }
    if (file !== undefined) this.#count(file);
    return { metrics: METRICS, groups: [this] };
  }

  visit(_metric: Metric, sink: PointSink): void {
    let left = MAX_NAMED_ASES;
    for (const labels of this.#labels.values()) {
      if (labels === undefined) continue;
      if (left-- === 0) return;
      sink.number(labels, 1);
    }
  }

  /** Names without room, as of the last collection. */
  droppedSeries(): DroppedSeries {
    let named = 0;
    for (const labels of this.#labels.values()) if (labels !== undefined) named++;
    return new Map([[nameMetrics.asInfo.name, Math.max(0, named - MAX_NAMED_ASES)]]);
  }

  /** Looks only at prefixes of which something changed. */
  #count(file: AsNames): void {
    const { generation, prefixes } = this.#table;
    const gone = new Set(this.#prefixes.keys());
    for (const prefix of prefixes.shown()) {
      gone.delete(prefix);
      const known = this.#prefixes.get(prefix);
      const version = prefix.state.version + generation;
      if (known?.version === version) continue;
      const ases = this.#asesOf(prefix);
      for (const as of ases) this.#uses.set(as, (this.#uses.get(as) ?? 0) + 1);
      for (const as of known?.ases ?? []) this.#leave(as);
      this.#prefixes.set(prefix, { version, ases });
    }
    for (const prefix of gone) {
      for (const as of this.#prefixes.get(prefix)?.ases ?? []) this.#leave(as);
      this.#prefixes.delete(prefix);
    }
    for (const as of this.#labels.keys()) {
      if (this.#uses.has(as)) continue;
      this.#labels.delete(as);
      this.#version++;
    }
    for (const as of this.#uses.keys()) {
      if (this.#labels.has(as)) continue;
      const found = file.find(as);
      this.#labels.set(as, found && new Labels(nameMetrics.asInfo.labels, [String(as), found.name, found.country]));
      this.#version++;
    }
  }

  #leave(as: number): void {
    const uses = (this.#uses.get(as) ?? 0) - 1;
    if (uses > 0) this.#uses.set(as, uses);
    else this.#uses.delete(as);
  }

  /** An AS_SET gets no name. */
  #asesOf({ watched, origins, upstreams }: MonitoredPrefix): number[] {
    const { paths } = this.#table;
    const seen = new Set<AsOrSet>([...watched.origins, ...watched.upstreams]);
    for (const number of origins.keys()) seen.add(paths.asOrSet(number));
    for (const number of upstreams.keys()) seen.add(paths.asOrSet(number));
    return [...seen].filter((as) => typeof as === 'number');
  }
}

const METRICS: readonly Metric[] = Object.values(nameMetrics);
