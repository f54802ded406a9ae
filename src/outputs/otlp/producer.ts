/** The one list of metric families as the SDK's metric data: instruments of the SDK would keep series that are gone. */
import { type HrTime, ValueType } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type Histogram,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type {
  Collect,
  FamilySource,
  HistogramValue,
  Labels,
  Metric,
  PointGroup,
  PointSink,
} from '../../metrics/metric.ts';
import { attributesOf, type CollectionTime, hrTime, type OwnMetricData, Point } from './metric-data.ts';

/** Instrumentation scope of all metrics; what else the process may record is not sent. */
export const SCOPE_NAME = 'bgproutes-exporter';

export interface MetricProducerOptions {
  readonly collect: Collect;
  /** Awaited before each collection, for what can only be measured asynchronously. */
  readonly refresh?: () => Promise<void>;
  /** The exporter's version, which becomes the version of the scope. */
  readonly version: string;
  /** Called with the error of a part that threw; its points are missing from that collection, the others are there. */
  readonly onError?: (error: unknown) => void;
  /** Unix ms; the clock by default. */
  readonly now?: () => number;
}

/**
 * Reads `collect()` in one synchronous step, so that every point is of the same moment. Cumulative; the start time of a
 * point is that of its group, whatever was exported before.
 */
export function createMetricProducer(options: MetricProducerOptions): MetricProducer {
  const { collect, refresh, version, onError = () => {}, now = Date.now } = options;
  const scope = { name: SCOPE_NAME, version };
  const collection = new Collection();
  // The reader takes the resource from the SDK, not from here.
  const resource = emptyResource();
  return {
    async collect(): Promise<CollectionResult> {
      const errors: unknown[] = [];
      const report = (error: unknown): void => {
        errors.push(error);
        onError(error);
      };
      await refresh?.().catch(report);
      let metrics: OwnMetricData[] = [];
      try {
        metrics = collection.of(collect(), hrTime(now()), report);
      } catch (error) {
        report(error);
      }
      return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics }] }, errors };
    },
  };
}

type AnyPoint = Point<number> | Point<Histogram>;

/** The points of a source at the last collection, and what they are of. */
interface Collected {
  readonly metrics: readonly Metric[];
  readonly groups: readonly PointGroup[];
  /** The version of each group when it was collected; NaN (which equals nothing) where the group threw. */
  readonly versions: Float64Array;
  readonly startTimesMs: Float64Array;
  /** By metric: the points of all groups in order. */
  readonly points: readonly AnyPoint[][];
  /** By metric times group: how many points. */
  readonly counts: Uint32Array;
}

/**
 * Metric data of the sources. A group that did not change is not visited again: its points are those of the last time. Where
 * none did, even the lists are, so the export of a calm table costs little more than its bytes.
 */
export class Collection {
  readonly #time: CollectionTime = { endTime: [0, 0] };
  #collected: readonly Collected[] = [];

  /** Metrics without a point are left out, as are the points of a group that threw. */
  of(sources: readonly FamilySource[], endTime: HrTime, onError: (error: unknown) => void): OwnMetricData[] {
    this.#time.endTime = endTime;
    this.#collected = sources.map((source, i) => this.#collect(source, this.#collected[i], onError));
    return this.#collected.flatMap(({ metrics, points }) =>
      metrics.flatMap((metric, m) => (points[m].length === 0 ? [] : [metricData(metric, points[m])])),
    );
  }

  #collect(
    { metrics, groups }: FamilySource,
    last: Collected | undefined,
    onError: (error: unknown) => void,
  ): Collected {
    const known = last !== undefined && last.metrics === metrics && sameGroups(last.groups, groups) ? last : undefined;
    const versions = Float64Array.from(groups, ({ version }) => version);
    const startTimesMs = Float64Array.from(groups, ({ startTimeMs }) => startTimeMs);
    const dirty: number[] = [];
    for (let i = 0; i < groups.length; i++) {
      const same = known?.versions[i] === versions[i] && known.startTimesMs[i] === startTimesMs[i];
      if (!same) dirty.push(i);
    }
    if (known !== undefined && dirty.length === 0) return known;
    const startTimes = timesOf(startTimesMs);
    const counts = new Uint32Array(metrics.length * groups.length);
    const sink = new CollectingSink(this.#time);
    const points = metrics.map((metric, m) => {
      const list: AnyPoint[] = [];
      const before = known?.points[m] ?? [];
      const first = m * groups.length;
      let at = 0;
      let next = 0;
      for (let i = 0; i < groups.length; i++) {
        const had = known?.counts[first + i] ?? 0;
        if (next === dirty.length || dirty[next] !== i) {
          for (let p = at; p < at + had; p++) list.push(before[p]);
          counts[first + i] = had;
        } else {
          next++;
          sink.begin(startTimes[i], list);
          try {
            groups[i].visit(metric, sink);
          } catch (error) {
            list.length = sink.beganAt;
            versions[i] = Number.NaN;
            onError(error);
          }
          counts[first + i] = list.length - sink.beganAt;
        }
        at += had;
      }
      return list;
    });
    return { metrics, groups, versions, startTimesMs, points, counts };
  }
}

function sameGroups(a: readonly PointGroup[], b: readonly PointGroup[]): boolean {
  return a === b || (a.length === b.length && a.every((group, i) => group === b[i]));
}

/** Most groups start together. The serializers encode a time again only when it is another object. */
function timesOf(startTimesMs: Float64Array): HrTime[] {
  const known = new Map<number, HrTime>();
  return Array.from(startTimesMs, (ms) => {
    let time = known.get(ms);
    if (time === undefined) known.set(ms, (time = hrTime(ms)));
    return time;
  });
}

class CollectingSink implements PointSink {
  /** Where in the list the points of this group begin. */
  beganAt = 0;
  #points: AnyPoint[] = [];
  #startTime: HrTime = [0, 0];
  readonly #time: CollectionTime;
  #bounds: readonly number[] = [];
  #boundsCopy: number[] = [];

  constructor(time: CollectionTime) {
    this.#time = time;
  }

  begin(startTime: HrTime, points: AnyPoint[]): void {
    this.#startTime = startTime;
    this.#points = points;
    this.beganAt = points.length;
  }

  number(labels: Labels, value: number): void {
    this.#points.push(new Point(this.#startTime, this.#time, attributesOf(labels), value));
  }

  histogram(labels: Labels, { bounds, counts, sum, count }: HistogramValue): void {
    // Copies: what is passed is valid only during the call.
    const ownCounts: number[] = [];
    for (let i = 0; i < counts.length; i++) ownCounts.push(counts[i]);
    if (bounds !== this.#bounds) {
      this.#bounds = bounds;
      this.#boundsCopy = bounds.slice();
    }
    const value = { buckets: { boundaries: this.#boundsCopy, counts: ownCounts }, sum, count };
    this.#points.push(new Point(this.#startTime, this.#time, attributesOf(labels), value));
  }
}

/** The points of a metric are of its kind. */
function metricData(metric: Metric, points: AnyPoint[]): OwnMetricData {
  const descriptor = {
    name: metric.otlpName,
    description: metric.help,
    unit: metric.unit,
    valueType: ValueType.DOUBLE,
  };
  const aggregationTemporality = AggregationTemporality.CUMULATIVE;
  const numbers = points as Point<number>[];
  switch (metric.kind) {
    case 'counter':
      return {
        descriptor,
        aggregationTemporality,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints: numbers,
      };
    case 'gauge':
      return { descriptor, aggregationTemporality, dataPointType: DataPointType.GAUGE, dataPoints: numbers };
    case 'histogram': {
      const dataPoints = points as Point<Histogram>[];
      return { descriptor, aggregationTemporality, dataPointType: DataPointType.HISTOGRAM, dataPoints };
    }
  }
}
