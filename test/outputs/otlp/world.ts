/** Families of metrics made by hand: series that a test adds, changes and removes. */
import {
  defineMetric,
  type FamilySource,
  type HistogramValue,
  Labels,
  type Metric,
  type PointGroup,
} from '../../../src/metrics/metric.ts';

const define = (key: string, otlpName: string, kind: Metric['kind'], unit: string, labels: readonly string[]) =>
  defineMetric(key, { otlpName, kind, unit, labels, help: `What ${key} is.`, bound: 'some' });

export const visible = define('visible', 'test.prefix.visible_vps', 'gauge', '{vp}', ['prefix']);
export const ratio = define('ratio', 'test.prefix.visibility', 'gauge', '1', ['prefix']);
export const announcements = define('announcements', 'test.prefix.announcements', 'counter', '{announcement}', [
  'prefix',
]);
export const gap = define('gap', 'test.stream.gap', 'counter', 's', []);
export const delay = define('delay', 'test.stream.delay', 'histogram', 's', ['session']);
export const METRICS = [visible, ratio, announcements, gap, delay] as const;

/** 2026-01-02T03:04:05.678Z. */
export const START_MS = 1_767_323_045_678;

/** One group; `series.get(metric)` is what it has. */
export class World implements PointGroup {
  readonly startTimeMs: number = START_MS;
  version = 0;
  readonly series = new Map<Metric, Map<Labels, number | HistogramValue>>();

  set(metric: Metric, values: readonly string[], value: number | HistogramValue): Labels {
    let points = this.series.get(metric);
    if (points === undefined) this.series.set(metric, (points = new Map()));
    const known = [...points.keys()].find((labels) => labels.values.join('\0') === values.join('\0'));
    const labels = known ?? new Labels(metric.labels, values);
    points.set(labels, value);
    this.version++;
    return labels;
  }

  remove(metric: Metric, values: readonly string[]): void {
    const points = this.series.get(metric);
    for (const labels of points?.keys() ?? []) {
      if (labels.values.join('\0') === values.join('\0')) points?.delete(labels);
    }
    this.version++;
  }

  visit(metric: Metric, sink: Parameters<PointGroup['visit']>[1]): void {
    for (const [labels, value] of this.series.get(metric) ?? []) {
      if (typeof value === 'number') sink.number(labels, value);
      else sink.histogram(labels, value);
    }
  }

  readonly collect = (): readonly FamilySource[] => [{ metrics: METRICS, groups: [this] }];
}

/** Three prefixes, a counter without labels, a histogram. */
export function smallWorld(): World {
  const world = new World();
  for (const [i, prefix] of ['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/32'].entries()) {
    world.set(visible, [prefix], 300 + i);
    world.set(ratio, [prefix], 0.25 * (i + 1));
    world.set(announcements, [prefix], 1_000 * i);
  }
  world.set(gap, [], 12.5);
  world.set(delay, ['0'], { bounds: [0.5, 1, 60], counts: [5, 0, 2, 1], sum: 99.75, count: 8 });
  return world;
}
