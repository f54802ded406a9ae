/** Cumulative points as deltas, for those who prefer them (`delta`, `lowmemory`). */
import type { HrTime } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type Histogram } from '@opentelemetry/sdk-metrics';
import { type OwnHistogram, type OwnMetricData, type OwnSum, Point, seriesId } from './metric-data.ts';

/** What has been delivered of one series. */
interface Delivered<T> {
  /** When the series began to count; another start is another series. */
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly value: T;
}

type State = Map<string, Delivered<number | Histogram>>;

/** Deltas, and how to say that they were delivered. */
export interface Deltas {
  readonly metrics: OwnMetricData[];
  commit(): void;
}

/**
 * Remembers per series what was delivered, and gives what came since. What was not delivered stays in the next delta, so
 * that a collector that is away for a while misses no count. A series that is gone is forgotten by `retain`.
 */
export class DeltaConverter {
  /** By OTLP name, then by series. */
  readonly #delivered = new Map<string, State>();
  readonly #isDelta: (metric: OwnMetricData) => boolean;

  /** @param isDelta which metrics are to be converted; gauges never are */
  constructor(isDelta: (metric: OwnMetricData) => boolean) {
    this.#isDelta = (metric) => metric.dataPointType !== DataPointType.GAUGE && isDelta(metric);
  }

  /**
   * What has been counted so far counts as delivered. To be called once at the start: counters that were restored from a
   * snapshot were exported by an earlier process.
   */
  skip(metrics: readonly OwnMetricData[]): void {
    for (const metric of metrics) {
      if (!this.#isDelta(metric)) continue;
      const state = this.#state(metric);
      remember(metric, state);
    }
  }

  /** Metrics that are not to be converted are given as they are. */
  convert(metrics: readonly OwnMetricData[]): Deltas {
    const commits: (() => void)[] = [];
    const converted = metrics.map((metric): OwnMetricData => {
      if (!this.#isDelta(metric)) return metric;
      const state = this.#state(metric);
      commits.push(() => remember(metric, state));
      return metric.dataPointType === DataPointType.SUM
        ? sumSince(metric, state as Map<string, Delivered<number>>)
        : metric.dataPointType === DataPointType.HISTOGRAM
          ? histogramSince(metric, state as Map<string, Delivered<Histogram>>)
          : metric;
    });
    return {
      metrics: converted,
      commit: () => {
        for (const commit of commits) commit();
      },
    };
  }

  /** Forgets the series that are not among the metrics. */
  retain(metrics: readonly OwnMetricData[]): void {
    const current = new Map(metrics.map((metric) => [metric.descriptor.name, metric]));
    for (const [name, state] of this.#delivered) {
      const ids = new Set(current.get(name)?.dataPoints.map(({ attributes }) => seriesId(attributes)));
      for (const id of state.keys()) if (!ids.has(id)) state.delete(id);
    }
  }

  #state(metric: OwnMetricData): State {
    const { name } = metric.descriptor;
    let state = this.#delivered.get(name);
    if (state === undefined) this.#delivered.set(name, (state = new Map()));
    return state;
  }
}

function remember({ dataPoints }: OwnMetricData, state: State): void {
  for (const { attributes, startTime, endTime, value, gone } of dataPoints) {
    if (gone) state.delete(seriesId(attributes));
    else state.set(seriesId(attributes), { startTime, endTime, value });
  }
}

/** What was delivered of the same series, or nothing when it is new or started again from 0. */
function before<T>(state: Map<string, Delivered<T>>, point: Point<T>, isReset: (former: T) => boolean) {
  const former = point.gone ? undefined : state.get(seriesId(point.attributes));
  if (former === undefined || isReset(former.value)) return undefined;
  const sameStart = former.startTime[0] === point.startTime[0] && former.startTime[1] === point.startTime[1];
  return sameStart ? former : undefined;
}

function sumSince(metric: OwnSum, state: Map<string, Delivered<number>>): OwnSum {
  const dataPoints = metric.dataPoints.map((point) => {
    const former = before(state, point, (value) => value > point.value);
    return former === undefined ? point : since(former, point, point.value - former.value);
  });
  return { ...metric, aggregationTemporality: AggregationTemporality.DELTA, dataPoints };
}

function histogramSince(metric: OwnHistogram, state: Map<string, Delivered<Histogram>>): OwnHistogram {
  const dataPoints = metric.dataPoints.map((point) => {
    const { buckets, sum, count } = point.value;
    const former = before(
      state,
      point,
      (value) => value.count > count || value.buckets.boundaries.length !== buckets.boundaries.length,
    );
    if (former === undefined) return point;
    const { value } = former;
    const counts = buckets.counts.map((bucket, i) => bucket - value.buckets.counts[i]);
    return since(former, point, {
      buckets: { boundaries: buckets.boundaries, counts },
      sum: (sum ?? 0) - (value.sum ?? 0),
      count: count - value.count,
    });
  });
  return { ...metric, aggregationTemporality: AggregationTemporality.DELTA, dataPoints };
}

function since<T extends number | Histogram>(
  former: Delivered<T>,
  { endTime, attributes }: Point<T>,
  value: T,
): Point<T> {
  return new Point(former.endTime, { endTime }, attributes, value);
}
