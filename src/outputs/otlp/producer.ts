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
import type { Collect, FamilySource, HistogramValue, Labels, Metric, PointSink } from '../../metrics/metric.ts';
import { attributesOf, hrTime, type OwnMetricData, type Point } from './metric-data.ts';

/** Instrumentation scope of all metrics; what else the process may record is not sent. */
export const SCOPE_NAME = 'bgproutes-exporter';

export interface MetricProducerOptions {
  readonly collect: Collect;
  /** Awaited before each collection, for what can only be measured asynchronously. */
  readonly refresh?: () => Promise<void>;
  /** Of the exporter; the version of the scope. */
  readonly version: string;
  /** Told of a part that threw; its points are missing from that collection, the others are there. */
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
        metrics = metricDataOf(collect(), hrTime(now()), report);
      } catch (error) {
        report(error);
      }
      return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics }] }, errors };
    },
  };
}

/** Metrics without a point are left out. What a group wrote before it threw is left out too. */
export function metricDataOf(
  sources: readonly FamilySource[],
  endTime: HrTime,
  onError: (error: unknown) => void,
): OwnMetricData[] {
  const all: OwnMetricData[] = [];
  const sink = new CollectingSink(endTime);
  // Most groups start together. The serializers write a time anew only when it is another object.
  const known = new Map<number, HrTime>();
  for (const { metrics, groups } of sources) {
    const startTimes = groups.map(({ startTimeMs }) => {
      let time = known.get(startTimeMs);
      if (time === undefined) known.set(startTimeMs, (time = hrTime(startTimeMs)));
      return time;
    });
    for (const metric of metrics) {
      sink.begin();
      for (let i = 0; i < groups.length; i++) {
        const before = sink.count;
        sink.startTime = startTimes[i];
        try {
          groups[i].visit(metric, sink);
        } catch (error) {
          sink.truncate(before);
          onError(error);
        }
      }
      if (sink.count > 0) all.push(metricData(metric, sink));
    }
  }
  return all;
}

class CollectingSink implements PointSink {
  startTime: HrTime = [0, 0];
  numbers: Point<number>[] = [];
  histograms: Point<Histogram>[] = [];
  readonly #endTime: HrTime;

  constructor(endTime: HrTime) {
    this.#endTime = endTime;
  }

  get count(): number {
    return this.numbers.length + this.histograms.length;
  }

  begin(): void {
    this.numbers = [];
    this.histograms = [];
  }

  /** A metric has points of one kind, so one of the two is empty. */
  truncate(count: number): void {
    this.numbers.length = Math.min(this.numbers.length, count);
    this.histograms.length = Math.min(this.histograms.length, count);
  }

  number(labels: Labels, value: number): void {
    const attributes = attributesOf(labels);
    this.numbers.push({ startTime: this.startTime, endTime: this.#endTime, attributes, value });
  }

  histogram(labels: Labels, { bounds, counts, sum, count }: HistogramValue): void {
    // A copy: what is passed is valid only during the call.
    const value = { buckets: { boundaries: bounds.slice(), counts: Array.from(counts) }, sum, count };
    const attributes = attributesOf(labels);
    this.histograms.push({ startTime: this.startTime, endTime: this.#endTime, attributes, value });
  }
}

function metricData(metric: Metric, { numbers, histograms }: CollectingSink): OwnMetricData {
  const descriptor = {
    name: metric.otlpName,
    description: metric.help,
    unit: metric.unit,
    valueType: ValueType.DOUBLE,
  };
  const aggregationTemporality = AggregationTemporality.CUMULATIVE;
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
    case 'histogram':
      return { descriptor, aggregationTemporality, dataPointType: DataPointType.HISTOGRAM, dataPoints: histograms };
  }
}
