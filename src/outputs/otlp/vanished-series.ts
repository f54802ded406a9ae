/**
 * Series that a collector still holds although they are gone here. Nothing in a push says that a series ended: a collector
 * keeps its last value for minutes, Prometheus for its look-back. So each of them is sent once more, without a value and
 * flagged "no recorded value" (OpenTelemetry, "Metrics Data Model"), until an export with that has been accepted.
 */
import type { HrTime } from '@opentelemetry/api';
import { DataPointType } from '@opentelemetry/sdk-metrics';
import { type OwnMetricData, type Point, SEEN, type SeriesAttributes, seriesId } from './metric-data.ts';

/** How many series of one metric are remembered while the collector's answers leave open what it holds. */
const MAX_REMEMBERED = 200_000;

/** Whether a collector holds what was sent: it said so, it may, or it said no. */
export type Held = 'yes' | 'maybe' | 'no';

interface Remembered {
  readonly metric: OwnMetricData;
  readonly series: readonly SeriesAttributes[];
}

export class VanishedSeries {
  /** By OTLP name: the series that the collector holds, or may hold. */
  #held = new Map<string, Remembered>();
  /** Another one for every metric at every look, since one label set can be that of many metrics. */
  #mark = 0;

  /**
   * A point for each series that the collector may hold and that is not among the metrics, each as a metric of its own: the
   * collector's Prometheus exporter reads no further in a metric after such a point.
   */
  pointsFor(metrics: readonly OwnMetricData[], time: HrTime): OwnMetricData[] {
    const current = new Map(metrics.map((metric) => [metric.descriptor.name, metric]));
    const gone: OwnMetricData[] = [];
    for (const [name, { metric, series }] of this.#held) {
      for (const attributes of this.#missing(series, current.get(name)?.dataPoints ?? [])) {
        gone.push(goneSeries(metric, attributes, time));
      }
    }
    return gone;
  }

  /** To be told how the export went for which `pointsFor` was asked. */
  settle(metrics: readonly OwnMetricData[], held: Held): void {
    if (held === 'no') return;
    const next = held === 'maybe' ? new Map(this.#held) : new Map<string, Remembered>();
    for (const metric of metrics) {
      const { name } = metric.descriptor;
      const series = metric.dataPoints.map(({ attributes }) => attributes);
      const before = next.get(name);
      const also = before === undefined ? [] : this.#missing(before.series, metric.dataPoints);
      next.set(name, { metric: withoutPoints(metric), series: [...series, ...also].slice(0, MAX_REMEMBERED) });
    }
    this.#held = next;
  }

  #missing(series: readonly SeriesAttributes[], points: readonly Point<unknown>[]): SeriesAttributes[] {
    const mark = ++this.#mark;
    for (let i = 0; i < points.length; i++) points[i].attributes[SEEN] = mark;
    const unseen = series.filter((attributes) => attributes[SEEN] !== mark);
    if (unseen.length === 0) return unseen;
    // The same labels may have come back as another object.
    const ids = new Set(points.map(({ attributes }) => seriesId(attributes)));
    return unseen.filter((attributes) => !ids.has(seriesId(attributes)));
  }
}

function withoutPoints(metric: OwnMetricData): OwnMetricData {
  return { ...metric, dataPoints: [] };
}

function goneSeries(metric: OwnMetricData, attributes: SeriesAttributes, time: HrTime): OwnMetricData {
  const point = { startTime: time, endTime: time, attributes, gone: true } as const;
  switch (metric.dataPointType) {
    case DataPointType.HISTOGRAM:
      return { ...metric, dataPoints: [{ ...point, value: { buckets: { boundaries: [], counts: [] }, count: 0 } }] };
    case DataPointType.SUM:
      return { ...metric, dataPoints: [{ ...point, value: 0 }] };
    case DataPointType.GAUGE:
      return { ...metric, dataPoints: [{ ...point, value: 0 }] };
  }
}
