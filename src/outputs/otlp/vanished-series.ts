/**
 * Series that a collector still holds although they are gone here. Nothing in a push says that a series ended: a collector
 * keeps its last value for minutes, Prometheus for its look-back. So each of them is sent once more, without a value and
 * flagged "no recorded value" (OpenTelemetry, "Metrics Data Model"), until an export with that has been accepted.
 * A histogram is sent with its bounds and a sum, because Prometheus ends only the series that the point names.
 */
import type { HrTime } from '@opentelemetry/api';
import { DataPointType, type Histogram } from '@opentelemetry/sdk-metrics';
import { type OwnMetricData, Point, SEEN, type SeriesAttributes, seriesId } from './metric-data.ts';

/** How many series of one metric are remembered while the collector's answers leave open what it holds. */
const MAX_REMEMBERED = 200_000;

/** Whether a collector holds what was sent: it said so, it may, or it said no. */
export type Held = 'yes' | 'maybe' | 'no';

interface Remembered {
  /** Without its points. */
  readonly metric: OwnMetricData;
  /** The bounds of a histogram, which all its series share. */
  readonly bounds: readonly number[];
  readonly series: readonly SeriesAttributes[];
  /** The list of points whose series these are, if they are exactly those; a list never changes. */
  readonly points: OwnMetricData['dataPoints'] | undefined;
}

export class VanishedSeries {
  /** By OTLP name: the series that the collector holds, or may hold. */
  #held = new Map<string, Remembered>();
  /** A number that is new for every metric at every look, because many metrics can share one label set. */
  #mark = 0;

  /**
   * A point for each series that the collector may hold and that is not among the metrics, each as a metric of its own: the
   * collector's Prometheus exporter reads no further in a metric after such a point.
   */
  pointsFor(metrics: readonly OwnMetricData[], time: HrTime): OwnMetricData[] {
    const current = new Map(metrics.map((metric) => [metric.descriptor.name, metric]));
    const gone: OwnMetricData[] = [];
    for (const [name, { metric, bounds, series, points }] of this.#held) {
      const now = current.get(name)?.dataPoints ?? [];
      if (now === points) continue;
      for (const attributes of this.#missing(series, now)) {
        gone.push(goneSeries(metric, bounds, attributes, time));
      }
    }
    return gone;
  }

  /** Must be called with how the export went that sent the points of `pointsFor`. */
  settle(metrics: readonly OwnMetricData[], held: Held): void {
    if (held === 'no') return;
    const next = held === 'maybe' ? new Map(this.#held) : new Map<string, Remembered>();
    for (const metric of metrics) {
      const { name } = metric.descriptor;
      const { dataPoints } = metric;
      const former = this.#held.get(name);
      if (former !== undefined && former.points === dataPoints) {
        next.set(name, former);
        continue;
      }
      const before = next.get(name);
      const also = before === undefined ? [] : this.#missing(before.series, dataPoints);
      const series = [...dataPoints.map(({ attributes }) => attributes), ...also].slice(0, MAX_REMEMBERED);
      next.set(name, {
        metric: withoutPoints(metric),
        bounds: boundsOf(metric),
        series,
        points: also.length === 0 && series.length === dataPoints.length ? dataPoints : undefined,
      });
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

function boundsOf(metric: OwnMetricData): readonly number[] {
  if (metric.dataPointType !== DataPointType.HISTOGRAM || metric.dataPoints.length === 0) return [];
  return metric.dataPoints[0].value.buckets.boundaries;
}

function goneSeries(
  metric: OwnMetricData,
  bounds: readonly number[],
  attributes: SeriesAttributes,
  time: HrTime,
): OwnMetricData {
  const at = { endTime: time };
  switch (metric.dataPointType) {
    case DataPointType.HISTOGRAM: {
      const counts = new Array<number>(bounds.length + 1).fill(0);
      const none = { buckets: { boundaries: [...bounds], counts }, sum: 0, count: 0 };
      return { ...metric, dataPoints: [new Point<Histogram>(time, at, attributes, none, true)] };
    }
    case DataPointType.SUM:
      return { ...metric, dataPoints: [new Point(time, at, attributes, 0, true)] };
    case DataPointType.GAUGE:
      return { ...metric, dataPoints: [new Point(time, at, attributes, 0, true)] };
  }
}
