/** OTLP in JSON (the protobuf JSON mapping with OTLP's own rules). The labels of a series are written once and kept. */
import type { HrTime } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type Histogram } from '@opentelemetry/sdk-metrics';
import { ByteWriter, copyRun, type Run, runOf } from './byte-writer.ts';
import { JSON_TEXT, type OwnMetricData, type Point, type SeriesAttributes } from './metric-data.ts';
import type { MetricsRequest, PartialSuccess, Serializer } from './serializer.ts';

export class JsonSerializer implements Serializer {
  readonly contentType = 'application/json';
  readonly #writer = new JsonWriter();

  serialize({ resource, scope, metrics }: MetricsRequest): Uint8Array {
    const writer = this.#writer;
    const attributes = attributeList(Object.entries(resource.attributes).map(([key, value]) => [key, String(value)]));
    const scopeText = JSON.stringify({ name: scope.name, version: scope.version });
    writer.begin();
    writer.text(
      `{"resourceMetrics":[{"resource":{"attributes":${attributes},"droppedAttributesCount":0},` +
        `"scopeMetrics":[{"scope":${scopeText},"metrics":[`,
    );
    for (const [i, metric] of metrics.entries()) {
      if (i > 0) writer.text(',');
      writeMetric(writer, metric);
    }
    writer.text(']}]}]}');
    return writer.finish();
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

function writeMetric(writer: JsonWriter, metric: OwnMetricData): void {
  const { name, description, unit } = metric.descriptor;
  writer.text(JSON.stringify({ name, description, unit }).slice(0, -1));
  const temporality = metric.aggregationTemporality === AggregationTemporality.DELTA ? 1 : 2;
  switch (metric.dataPointType) {
    case DataPointType.GAUGE:
      writer.text(',"gauge":{"dataPoints":[');
      writer.numbers(metric.dataPoints);
      break;
    case DataPointType.SUM:
      writer.text(`,"sum":{"aggregationTemporality":${temporality},"isMonotonic":${metric.isMonotonic},"dataPoints":[`);
      writer.numbers(metric.dataPoints);
      break;
    case DataPointType.HISTOGRAM:
      writer.text(`,"histogram":{"aggregationTemporality":${temporality},"dataPoints":[`);
      writer.text(metric.dataPoints.map(histogramText).join(','));
      break;
  }
  writer.text(']}}');
}

const COMMA = 0x2c;
const BRACE = 0x7d;
const DIGIT_0 = 0x30;
const ASCII = new TextEncoder();

class JsonWriter extends ByteWriter {
  /** The inner loop of an export, hence the locals. */
  numbers(points: readonly Point<number>[]): void {
    let { bytes, view, at } = this;
    let start: HrTime | undefined;
    let end: HrTime | undefined;
    let times: Run = runOf(new Uint8Array());
    for (let i = 0; i < points.length; i++) {
      const { attributes, startTime, endTime, value, gone } = points[i];
      const labels = attributes[JSON_TEXT] ?? (attributes[JSON_TEXT] = encodeAttributes(attributes));
      // All points of a group have the same times.
      if (startTime !== start || endTime !== end) {
        start = startTime;
        end = endTime;
        times = runOf(ASCII.encode(timesText(start, end)));
      }
      const most = labels[0] + times[0] + MOST_OF_VALUE;
      if (at + most > bytes.length) {
        this.at = at;
        this.reserve(most);
        ({ bytes, view } = this);
      }
      if (i > 0) bytes[at++] = COMMA;
      at = copyRun(labels, view, at);
      at = copyRun(times, view, at);
      if (gone) {
        at = copyRun(FLAGS, view, at);
      } else {
        at = copyRun(AS_DOUBLE, view, at);
        if (value >= 0 && value < 1_000_000_000 && value === (value | 0)) {
          let size = 1;
          for (let limit = 10; value >= limit; limit *= 10) size++;
          let rest = value;
          for (let digit = at + size - 1; digit >= at; digit--) {
            const tens = (rest / 10) | 0;
            bytes[digit] = DIGIT_0 + rest - tens * 10;
            rest = tens;
          }
          at += size;
        } else {
          const text = numberText(value);
          for (let c = 0; c < text.length; c++) bytes[at++] = text.charCodeAt(c);
        }
      }
      bytes[at++] = BRACE;
    }
    this.at = at;
  }
}

const AS_DOUBLE = runOf(ASCII.encode(',"asDouble":'));
/** `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`. */
const FLAGS = runOf(ASCII.encode(',"flags":1'));
/** Comma, key, the longest number (24 characters), brace. */
const MOST_OF_VALUE = 64;

function histogramText({ attributes, startTime, endTime, value, gone }: Point<Histogram>): string {
  const head = `{"attributes":${attributeList(Object.entries(attributes))}`;
  const times = timesText(startTime, endTime);
  const { buckets, count, sum } = value;
  const lists = `"bucketCounts":[${buckets.counts.join(',')}],"explicitBounds":[${buckets.boundaries.map(numberText).join(',')}]`;
  const flags = gone ? ',"flags":1' : '';
  return `${head},${lists},"count":${count},"sum":${numberText(sum ?? 0)},${times}${flags}}`;
}

/** The beginning of a point, up to its times. */
function encodeAttributes(attributes: SeriesAttributes): Run {
  return runOf(ASCII.encode(`{"attributes":${attributeList(Object.entries(attributes))},`));
}

function attributeList(entries: readonly (readonly [key: string, value: string])[]): string {
  return JSON.stringify(entries.map(([key, stringValue]) => ({ key, value: { stringValue } })));
}

function timesText(startTime: HrTime, endTime: HrTime): string {
  return `"startTimeUnixNano":"${nanoseconds(startTime)}","timeUnixNano":"${nanoseconds(endTime)}"`;
}

function nanoseconds(time: HrTime): bigint {
  return BigInt(time[0]) * 1_000_000_000n + BigInt(time[1]);
}

/** Protobuf's JSON mapping: what is no JSON number is a text. */
function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"';
}
