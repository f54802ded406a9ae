/** Tables with as many routes and series as a claim needs, filled by the fold as a stream would. */
import type { FamilySource, Labels, Metric, PointSink } from '../src/metrics/metric.ts';
import { PrefixView } from '../src/metrics/views/prefix-view.ts';
import type { PrefixState } from '../src/table/prefixes/prefix-state.ts';
import { RoutingTable } from '../src/table/routing-table.ts';
import { originOf, pathText, prefixTexts } from './messages.ts';
import { watched } from './watched.ts';

export interface TableShape {
  readonly vps: number;
  readonly prefixes: number;
  readonly origins: number;
}

/** When the table is filled: 2026-01-01, Unix ms. */
export const FILLED_AT_MS = 1_767_225_600_000;

export class FilledTable {
  readonly table: RoutingTable;
  readonly view: PrefixView;
  /** By place of the prefix. */
  readonly states: readonly PrefixState[];
  #nowMs = FILLED_AT_MS;

  /** Every VP holds a route for every prefix; each has two paths to an origin, by the prefix. */
  constructor({ vps, prefixes, origins }: TableShape) {
    this.table = new RoutingTable();
    const texts = prefixTexts(prefixes);
    this.table.watch(watched(texts), this.#nowMs);
    this.states = texts.map((text) => {
      const state = this.table.prefixes.find(text);
      if (state === undefined) throw new Error(`no state for ${text}`);
      return state;
    });
    for (let vp = 0; vp < vps; vp++) {
      const asn = 1_000 + ((vp * 7_919) % 400_000);
      const number = this.table.vps.add({ protocol: 'bgp', asn, ip: `10.${vp >> 16}.${(vp >> 8) & 255}.${vp & 255}` });
      this.table.hear(number, this.#nowMs);
      for (let prefix = 0; prefix < prefixes; prefix++) {
        const variant = Math.floor(prefix / origins) % 2;
        this.announce(prefix, number, pathText(asn, originOf(prefix, origins), variant));
      }
    }
    this.view = new PrefixView(this.table);
  }

  announce(prefix: number, vp: number, path: string): void {
    const number = this.table.paths.intern(path, 0);
    if (number === undefined) throw new Error(`not a path: ${path}`);
    this.table.announce(this.states[prefix], vp, number, 1, this.#nowMs * 1_000, this.#nowMs);
    this.table.paths.discard(number);
  }

  /** Something happens to these prefixes: one VP changes its path, so that counters, gauges and the histogram move. */
  change(prefixes: Iterable<number>, round: number): void {
    this.#nowMs += 1_000;
    const vps = this.table.vps.end;
    for (const prefix of prefixes) {
      const asn = this.table.vps.get((prefix + round) % vps)?.asn ?? 0;
      this.announce(prefix, (prefix + round) % vps, pathText(asn, 64_500, 2 + (round % 4)));
    }
  }

  get series(): number {
    return seriesOf([this.view.collect()]);
  }
}

/** How many series the sources have. */
export function seriesOf(sources: readonly FamilySource[]): number {
  const counter = new SeriesCounter();
  for (const { metrics, groups } of sources)
    for (const metric of metrics) for (const group of groups) counter.count(metric, group);
  return counter.series;
}

/** Counts series as a scraper does: a histogram is one for each bucket, and its sum and count. */
class SeriesCounter implements PointSink {
  series = 0;

  count(metric: Metric, group: { visit(metric: Metric, sink: PointSink): void }): void {
    group.visit(metric, this);
  }

  number(): void {
    this.series++;
  }

  histogram(_: Labels, { bounds }: { readonly bounds: readonly number[] }): void {
    this.series += bounds.length + 3;
  }
}

/** The number of prefixes with which a table has about so many series. */
export function prefixesFor(series: number, shape: Omit<TableShape, 'prefixes'>): number {
  const sample = 20;
  return Math.round(series / (new FilledTable({ ...shape, prefixes: sample }).series / sample));
}
