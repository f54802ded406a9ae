/** OTLP in JSON (the protobuf JSON mapping with OTLP's own rules): plain objects, and `JSON.stringify`. */
import type { HrTime } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type Histogram } from '@opentelemetry/sdk-metrics';
import type { OwnMetricData, Point } from '../metric-data.ts';
import type { MetricsRequest, PartialSuccess, Serializer } from './serializer.ts';

export class JsonSerializer implements Serializer {
  readonly contentType = 'application/json';

  serialize({ resource, scope, metrics }: MetricsRequest): Uint8Array {
    const request = {
      resourceMetrics: [
        {
          resource: { attributes: keyValues(resource.attributes), droppedAttributesCount: 0 },
          scopeMetrics: [{ scope: { name: scope.name, version: scope.version }, metrics: metrics.map(metricOf) }],
        },
      ],
    };
    return Buffer.from(JSON.stringify(request));
  }

  partialSuccess(body: Uint8Array): PartialSuccess | undefined {
    if (body.length === 0) return undefined;
    const response = JSON.parse(new TextDecoder().decode(body)) as unknown;
    const partial = (response as { partialSuccess?: { rejectedDataPoints?: unknown; errorMessage?: unknown } } | null)
      ?.partialSuccess;
    // An int64 is a text in this mapping, but some servers write a number.
    const said = partial?.rejectedDataPoints;
    const number = typeof said === 'string' || typeof said === 'number' ? Number(said) : 0;
    const rejectedPoints = Number.isInteger(number) && number > 0 ? number : 0;
    const message = typeof partial?.errorMessage === 'string' ? partial.errorMessage : '';
    return rejectedPoints === 0 && message === '' ? undefined : { rejectedPoints, message };
  }
}

function metricOf(metric: OwnMetricData): object {
  const { name, description, unit } = metric.descriptor;
  const aggregationTemporality = metric.aggregationTemporality === AggregationTemporality.DELTA ? 1 : 2;
  const timesOf = timesTexts();
  const numberPoint = (point: Point<number>): object => {
    const { startTimeUnixNano, timeUnixNano } = timesOf(point);
    const attributes = keyValues(point.attributes);
    return point.gone
      ? { attributes, startTimeUnixNano, timeUnixNano, flags: NO_RECORDED_VALUE }
      : { attributes, startTimeUnixNano, timeUnixNano, asDouble: jsonNumber(point.value) };
  };
  const histogramPoint = (point: Point<Histogram>): object => {
    const { buckets, count, sum } = point.value;
    return {
      attributes: keyValues(point.attributes),
      bucketCounts: buckets.counts,
      explicitBounds: buckets.boundaries.map(jsonNumber),
      ...{ count, sum: jsonNumber(sum ?? 0) },
      ...timesOf(point),
      ...(point.gone ? { flags: NO_RECORDED_VALUE } : {}),
    };
  };
  switch (metric.dataPointType) {
    case DataPointType.GAUGE:
      return { name, description, unit, gauge: { dataPoints: metric.dataPoints.map(numberPoint) } };
    case DataPointType.SUM: {
      const { isMonotonic } = metric;
      const dataPoints = metric.dataPoints.map(numberPoint);
      return { name, description, unit, sum: { aggregationTemporality, isMonotonic, dataPoints } };
    }
    case DataPointType.HISTOGRAM: {
      const dataPoints = metric.dataPoints.map(histogramPoint);
      return { name, description, unit, histogram: { aggregationTemporality, dataPoints } };
    }
  }
}

/** `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`. */
const NO_RECORDED_VALUE = 1;

/** The times of a point as texts. Neighbours have the same times nearly always, and then the same texts. */
function timesTexts() {
  let start: HrTime | undefined;
  let end: HrTime | undefined;
  let texts = { startTimeUnixNano: '', timeUnixNano: '' };
  return ({ startTime, endTime }: Point<unknown>) => {
    if (startTime !== start || endTime !== end) {
      [start, end] = [startTime, endTime];
      texts = { startTimeUnixNano: nanoseconds(start), timeUnixNano: nanoseconds(end) };
    }
    return texts;
  };
}

function keyValues(attributes: Readonly<Record<string, unknown>>): object[] {
  return Object.keys(attributes).map((key) => ({ key, value: { stringValue: String(attributes[key]) } }));
}

/** An int64 is a text in this mapping. */
function nanoseconds([seconds, nanoseconds]: HrTime): string {
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
}

/** A value that is not a JSON number (NaN, infinite) is a text in this mapping. */
function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
