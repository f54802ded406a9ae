/**
 * OTLP in protobuf. The SDK's serializer walks every point twice and encodes every label again; this one copies the labels of
 * a series as it wrote them the first time. A test holds its bytes against those of the SDK's.
 */
import type { HrTime } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type Histogram } from '@opentelemetry/sdk-metrics';
import { type OwnMetricData, type Point, PROTOBUF, PROTOBUF_HISTOGRAM, type SeriesAttributes } from '../metric-data.ts';
import { ByteWriter, copyRun, RUN_SLACK, type Run, runOf } from './byte-writer.ts';
import type { MetricsRequest, PartialSuccess, Serializer } from './serializer.ts';

// Wire types of protobuf.
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const tag = (field: number, wireType: number): number => (field << 3) | wireType;

/** `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`. */
const NO_RECORDED_VALUE = 1;

/** The bytes of a NumberDataPoint: start time, end time and value, each a tag and eight bytes. */
const NUMBER_BYTES = 27;
/** The bytes of a NumberDataPoint whose series is gone: it has flags instead of a value. */
const GONE_BYTES = 20;

export class ProtobufSerializer implements Serializer {
  readonly contentType = 'application/x-protobuf';
  readonly #writer = new ProtobufWriter();

  serialize({ resource, scope, metrics }: MetricsRequest): Uint8Array {
    const writer = this.#writer;
    writer.begin();
    writer.message(tag(1, BYTES), () => {
      writer.message(tag(1, BYTES), () => {
        for (const [key, value] of Object.entries(resource.attributes))
          writer.keyValue(tag(1, BYTES), key, String(value));
        writer.byte(tag(2, VARINT)); // dropped_attributes_count: said although it is 0, as the SDK does
        writer.byte(0);
      });
      writer.message(tag(2, BYTES), () => {
        writer.message(tag(1, BYTES), () => {
          writer.textField(tag(1, BYTES), scope.name);
          if (scope.version) writer.textField(tag(2, BYTES), scope.version);
        });
        for (const metric of metrics) writer.message(tag(2, BYTES), () => writeMetric(writer, metric));
      });
    });
    return writer.finish();
  }

  partialSuccess(body: Uint8Array): PartialSuccess | undefined {
    let rejectedPoints = 0;
    let message = '';
    for (const { field, bytes } of fields(body)) {
      if (field !== 1 || bytes === undefined) continue;
      for (const inner of fields(bytes)) {
        if (inner.field === 1 && inner.bytes === undefined) rejectedPoints = inner.number;
        else if (inner.field === 2 && inner.bytes !== undefined) message = new TextDecoder().decode(inner.bytes);
      }
    }
    return rejectedPoints === 0 && message === '' ? undefined : { rejectedPoints, message };
  }
}

function writeMetric(writer: ProtobufWriter, metric: OwnMetricData): void {
  const { name, description, unit } = metric.descriptor;
  writer.textField(tag(1, BYTES), name);
  if (description !== '') writer.textField(tag(2, BYTES), description);
  if (unit !== '') writer.textField(tag(3, BYTES), unit);
  switch (metric.dataPointType) {
    case DataPointType.GAUGE:
      writer.message(tag(5, BYTES), () => writer.numbers(metric.dataPoints));
      break;
    case DataPointType.SUM:
      writer.message(tag(7, BYTES), () => {
        writer.numbers(metric.dataPoints);
        writer.temporality(metric.aggregationTemporality);
        if (metric.isMonotonic) writer.byteField(tag(3, VARINT), 1);
      });
      break;
    case DataPointType.HISTOGRAM:
      writer.message(tag(9, BYTES), () => {
        writer.histograms(metric.dataPoints);
        writer.temporality(metric.aggregationTemporality);
      });
      break;
  }
}

/** Lengths are canonical varints. */
class ProtobufWriter extends ByteWriter {
  byteField(fieldTag: number, value: number): void {
    this.byte(fieldTag);
    this.byte(value);
  }

  temporality(temporality: AggregationTemporality): void {
    this.byteField(tag(2, VARINT), temporality === AggregationTemporality.DELTA ? 1 : 2);
  }

  textField(fieldTag: number, text: string): void {
    this.reserve(6);
    this.bytes[this.at++] = fieldTag;
    this.#varint(Buffer.byteLength(text));
    this.text(text);
  }

  keyValue(fieldTag: number, key: string, value: string): void {
    this.message(fieldTag, () => {
      this.textField(tag(1, BYTES), key);
      this.message(tag(2, BYTES), () => this.textField(tag(1, BYTES), value));
    });
  }

  /** One byte is left for the length; what is longer is moved up afterwards. */
  message(fieldTag: number, write: () => void): void {
    this.reserve(6);
    this.bytes[this.at++] = fieldTag;
    const lengthAt = this.at++;
    write();
    const length = this.at - lengthAt - 1;
    const moved = varintSize(length) - 1;
    if (moved > 0) {
      this.reserve(moved);
      this.bytes.copyWithin(lengthAt + 1 + moved, lengthAt + 1, this.at);
    }
    this.at = lengthAt;
    this.#varint(length);
    this.at += length;
  }

  /** The inner loop of an export, hence the locals. */
  numbers(points: readonly Point<number>[]): void {
    let { bytes, view, at } = this;
    let start: HrTime | undefined;
    let end: HrTime | undefined;
    let startBits = 0;
    let endBits = 0;
    for (let i = 0; i < points.length; i++) {
      const { attributes, startTime, endTime, value, gone } = points[i];
      const labels = attributes[PROTOBUF] ?? (attributes[PROTOBUF] = encodeAttributes(attributes, 7));
      const most = labels[0] + NUMBER_BYTES + RUN_SLACK + 8;
      if (at + most > bytes.length) {
        this.at = at;
        this.reserve(most);
        ({ bytes, view } = this);
      }
      // All points of a group have the same times.
      if (startTime !== start) startBits = timeBits((start = startTime));
      if (endTime !== end) endBits = timeBits((end = endTime));
      bytes[at++] = tag(1, BYTES);
      let length = labels[0] + (gone ? GONE_BYTES : NUMBER_BYTES);
      while (length > 0x7f) {
        bytes[at++] = (length & 0x7f) | 0x80;
        length >>>= 7;
      }
      bytes[at++] = length;
      bytes[at] = tag(2, FIXED64);
      view.setFloat64(at + 1, startBits, true);
      bytes[at + 9] = tag(3, FIXED64);
      view.setFloat64(at + 10, endBits, true);
      at += 18;
      if (!gone) {
        bytes[at] = tag(4, FIXED64);
        view.setFloat64(at + 1, value, true);
        at += 9;
      }
      at = copyRun(labels, view, at);
      if (gone) {
        bytes[at] = tag(8, VARINT);
        bytes[at + 1] = NO_RECORDED_VALUE;
        at += 2;
      }
    }
    this.at = at;
  }

  histograms(points: readonly Point<Histogram>[]): void {
    for (const { attributes, startTime, endTime, value, gone } of points) {
      const labels =
        attributes[PROTOBUF_HISTOGRAM] ?? (attributes[PROTOBUF_HISTOGRAM] = encodeAttributes(attributes, 9));
      const { buckets, count, sum } = value;
      const { counts, boundaries } = buckets;
      const size = 18 + packedSize(counts.length) + packedSize(boundaries.length);
      this.reserve(size + labels[0] + 18 + RUN_SLACK + 12);
      this.bytes[this.at++] = tag(1, BYTES);
      this.#varint(size + labels[0] + 18 + (gone ? 2 : 0));
      this.#double(tag(2, FIXED64), timeBits(startTime));
      this.#double(tag(3, FIXED64), timeBits(endTime));
      this.bytes[this.at++] = tag(4, FIXED64);
      this.#count(count);
      this.#double(tag(5, FIXED64), sum ?? 0);
      this.#packedHead(tag(6, BYTES), counts.length);
      for (let i = 0; i < counts.length; i++) this.#count(counts[i]);
      this.#packedHead(tag(7, BYTES), boundaries.length);
      for (let i = 0; i < boundaries.length; i++) {
        this.view.setFloat64(this.at, boundaries[i], true);
        this.at += 8;
      }
      this.at = copyRun(labels, this.view, this.at);
      if (gone) this.byteField(tag(10, VARINT), NO_RECORDED_VALUE);
    }
  }

  // The functions below write into room that was reserved before.

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.at++] = rest;
  }

  #double(fieldTag: number, value: number): void {
    this.bytes[this.at] = fieldTag;
    this.view.setFloat64(this.at + 1, value, true);
    this.at += 9;
  }

  /** Writes a number below 2^53 as fixed64. */
  #count(value: number): void {
    this.view.setUint32(this.at, value >>> 0, true);
    this.view.setUint32(this.at + 4, value / 0x1_0000_0000, true);
    this.at += 8;
  }

  #packedHead(fieldTag: number, count: number): void {
    if (count === 0) return;
    this.bytes[this.at++] = fieldTag;
    this.#varint(count * 8);
  }
}

/** Bytes of a packed field of so many numbers of 8 bytes. */
function packedSize(count: number): number {
  return count === 0 ? 0 : 1 + varintSize(count * 8) + count * 8;
}

function nanoseconds(time: HrTime): bigint {
  return BigInt(time[0]) * 1_000_000_000n + BigInt(time[1]);
}

const bitsView = new DataView(new ArrayBuffer(8));

/**
 * The double that has the bits of a time in nanoseconds: writing one is several times faster than writing a BigInt. It
 * would be NaN, whose bits may change, only after the year 2262.
 */
function timeBits(time: HrTime): number {
  bitsView.setBigUint64(0, nanoseconds(time));
  return bitsView.getFloat64(0);
}

const attributeWriter = new ProtobufWriter();

/** Encodes attributes as field 7 of a NumberDataPoint, or field 9 of a HistogramDataPoint. */
function encodeAttributes(attributes: SeriesAttributes, field: 7 | 9): Run {
  attributeWriter.begin();
  for (const [key, value] of Object.entries(attributes)) attributeWriter.keyValue(tag(field, BYTES), key, value);
  return runOf(attributeWriter.bytes.subarray(0, attributeWriter.at));
}

function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}

type Field = { field: number; number: number; bytes: undefined } | { field: number; number: 0; bytes: Uint8Array };

/** The fields of a message in order. Throws a RangeError when the bytes end early or are not a message. */
function* fields(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      if (at >= message.length || factor > 2 ** 63) throw new RangeError('not a protobuf message');
      const byte = message[at++];
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const field = Math.floor(key / 8);
    const wireType = key % 8;
    if (wireType === VARINT) {
      yield { field, number: varint(), bytes: undefined };
      continue;
    }
    if (wireType !== FIXED64 && wireType !== BYTES && wireType !== FIXED32)
      throw new RangeError('not a protobuf message');
    const length = wireType === FIXED64 ? 8 : wireType === FIXED32 ? 4 : varint();
    if (at + length > message.length) throw new RangeError('not a protobuf message');
    const bytes = message.subarray(at, at + length);
    at += length;
    if (wireType === BYTES) yield { field, number: 0, bytes };
  }
}
