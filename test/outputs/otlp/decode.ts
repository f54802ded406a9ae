/** Requests of OTLP read back, from protobuf and from JSON, into one form; written from the .proto files. */

export interface DecodedPoint {
  readonly attributes: Readonly<Record<string, string>>;
  /** Unix nanoseconds. */
  readonly start: bigint;
  readonly time: bigint;
  /** A number, a histogram, or undefined for "no recorded value". */
  readonly value:
    | number
    | {
        readonly bounds: readonly number[];
        readonly counts: readonly number[];
        readonly sum: number;
        readonly count: number;
      }
    | undefined;
}

export interface DecodedMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'sum' | 'histogram';
  readonly temporality: 'cumulative' | 'delta' | undefined;
  readonly monotonic: boolean | undefined;
  readonly points: readonly DecodedPoint[];
}

export interface DecodedRequest {
  readonly resource: Readonly<Record<string, string>>;
  readonly scope: { readonly name: string; readonly version: string };
  readonly metrics: readonly DecodedMetric[];
}

const TEMPORALITY = [undefined, 'delta', 'cumulative'] as const;

// --- protobuf -------------------------------------------------------------------------------------------------------

interface Field {
  readonly number: number;
  varint: bigint;
  fixed: Buffer;
  bytes: Buffer;
}

function fieldsOf(message: Buffer): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const key = Number(varint());
    const field: Field = { number: key >> 3, varint: 0n, fixed: Buffer.alloc(0), bytes: Buffer.alloc(0) };
    if ((key & 7) === 0) field.varint = varint();
    else if ((key & 7) === 1) field.fixed = message.subarray(at, (at += 8));
    else if ((key & 7) === 2) {
      const length = Number(varint());
      if (at + length > message.length) throw new Error('a field is longer than its message');
      field.bytes = message.subarray(at, (at += length));
    } else throw new Error(`wire type ${key & 7}`);
    fields.push(field);
  }
  return fields;
}

const all = (fields: readonly Field[], number: number) => fields.filter((field) => field.number === number);
const one = (fields: readonly Field[], number: number) => fields.findLast((field) => field.number === number);
const text = (fields: readonly Field[], number: number) => one(fields, number)?.bytes.toString('utf8') ?? '';

function doubles(bytes: Buffer | undefined): number[] {
  return Array.from({ length: (bytes?.length ?? 0) / 8 }, (_, i) => bytes?.readDoubleLE(i * 8) ?? 0);
}

function fixed64s(bytes: Buffer | undefined): number[] {
  return Array.from({ length: (bytes?.length ?? 0) / 8 }, (_, i) => Number(bytes?.readBigUInt64LE(i * 8)));
}

function attributesOf(fields: readonly Field[]): Record<string, string> {
  return Object.fromEntries(
    fields.map(({ bytes }) => {
      const keyValue = fieldsOf(bytes);
      return [text(keyValue, 1), text(fieldsOf(one(keyValue, 2)?.bytes ?? Buffer.alloc(0)), 1)];
    }),
  );
}

function numberPoint({ bytes }: Field): DecodedPoint {
  const fields = fieldsOf(bytes);
  return {
    attributes: attributesOf(all(fields, 7)),
    start: one(fields, 2)?.fixed.readBigUInt64LE() ?? 0n,
    time: one(fields, 3)?.fixed.readBigUInt64LE() ?? 0n,
    value: one(fields, 8)?.varint === 1n ? undefined : one(fields, 4)?.fixed.readDoubleLE(),
  };
}

function histogramPoint({ bytes }: Field): DecodedPoint {
  const fields = fieldsOf(bytes);
  const value = {
    bounds: doubles(one(fields, 7)?.bytes),
    counts: fixed64s(one(fields, 6)?.bytes),
    sum: one(fields, 5)?.fixed.readDoubleLE() ?? Number.NaN,
    count: Number(one(fields, 4)?.fixed.readBigUInt64LE()),
  };
  return {
    attributes: attributesOf(all(fields, 9)),
    start: one(fields, 2)?.fixed.readBigUInt64LE() ?? 0n,
    time: one(fields, 3)?.fixed.readBigUInt64LE() ?? 0n,
    value: one(fields, 10)?.varint === 1n ? undefined : value,
  };
}

function metricOf({ bytes }: Field): DecodedMetric {
  const fields = fieldsOf(bytes);
  const names = { name: text(fields, 1), description: text(fields, 2), unit: text(fields, 3) };
  const [gauge, sum, histogram] = [5, 7, 9].map((number) => one(fields, number));
  if (gauge !== undefined) {
    const points = all(fieldsOf(gauge.bytes), 1).map(numberPoint);
    return { ...names, kind: 'gauge', temporality: undefined, monotonic: undefined, points };
  }
  const data = fieldsOf((sum ?? histogram)?.bytes ?? Buffer.alloc(0));
  const temporality = TEMPORALITY[Number(one(data, 2)?.varint ?? 0n)];
  return sum === undefined
    ? { ...names, kind: 'histogram', temporality, monotonic: undefined, points: all(data, 1).map(histogramPoint) }
    : {
        ...names,
        kind: 'sum',
        temporality,
        monotonic: one(data, 3)?.varint === 1n,
        points: all(data, 1).map(numberPoint),
      };
}

export function decodeProtobuf(body: Uint8Array): DecodedRequest {
  const [resourceMetrics, ...more] = all(fieldsOf(Buffer.from(body)), 1);
  const fields = fieldsOf(resourceMetrics.bytes);
  const [scopeMetrics, ...moreScopes] = all(fields, 2);
  if (more.length > 0 || moreScopes.length > 0) throw new Error('more than one resource or scope');
  const inScope = fieldsOf(scopeMetrics.bytes);
  const scope = fieldsOf(one(inScope, 1)?.bytes ?? Buffer.alloc(0));
  return {
    resource: attributesOf(all(fieldsOf(one(fields, 1)?.bytes ?? Buffer.alloc(0)), 1)),
    scope: { name: text(scope, 1), version: text(scope, 2) },
    metrics: all(inScope, 2).map(metricOf),
  };
}

// --- JSON -------------------------------------------------------------------------------------------------------------

interface JsonAttribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

/** A number may be a text: NaN, infinities, and whole numbers of 64 bits. */
type JsonNumber = number | string;

interface JsonPoint {
  /** A program that leaves out what is empty has none where there are none. */
  readonly attributes?: readonly JsonAttribute[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly flags?: number;
  readonly asDouble?: JsonNumber;
  readonly bucketCounts?: readonly JsonNumber[];
  readonly explicitBounds?: readonly JsonNumber[];
  readonly sum?: JsonNumber;
  readonly count?: JsonNumber;
}

interface JsonData {
  readonly dataPoints: readonly JsonPoint[];
  readonly aggregationTemporality?: number;
  readonly isMonotonic?: boolean;
}

interface JsonMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly gauge?: JsonData;
  readonly sum?: JsonData;
  readonly histogram?: JsonData;
}

interface JsonRequest {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly JsonAttribute[] };
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string; readonly version?: string };
      readonly metrics: readonly JsonMetric[];
    }[];
  }[];
}

function jsonAttributes(list: readonly JsonAttribute[] = []): Record<string, string> {
  return Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue]));
}

function jsonPoint(point: JsonPoint): DecodedPoint {
  const value =
    point.bucketCounts === undefined
      ? Number(point.asDouble)
      : {
          bounds: point.explicitBounds?.map(Number) ?? [],
          counts: point.bucketCounts.map(Number),
          sum: Number(point.sum),
          count: Number(point.count),
        };
  return {
    attributes: jsonAttributes(point.attributes),
    start: BigInt(point.startTimeUnixNano),
    time: BigInt(point.timeUnixNano),
    value: point.flags === 1 ? undefined : value,
  };
}

function jsonMetric({ name, description, unit, gauge, sum, histogram }: JsonMetric): DecodedMetric {
  const data = gauge ?? sum ?? histogram ?? { dataPoints: [] };
  return {
    name,
    description,
    unit,
    kind: gauge !== undefined ? 'gauge' : sum !== undefined ? 'sum' : 'histogram',
    temporality: TEMPORALITY[data.aggregationTemporality ?? 0],
    monotonic: sum?.isMonotonic,
    points: data.dataPoints.map(jsonPoint),
  };
}

export function decodeJson(body: Uint8Array): DecodedRequest {
  const { resourceMetrics } = JSON.parse(Buffer.from(body).toString('utf8')) as JsonRequest;
  const [{ resource, scopeMetrics }] = resourceMetrics;
  const [{ scope, metrics }] = scopeMetrics;
  if (resourceMetrics.length > 1 || scopeMetrics.length > 1) throw new Error('more than one resource or scope');
  return {
    resource: jsonAttributes(resource.attributes),
    scope: { name: scope.name, version: scope.version ?? '' },
    metrics: metrics.map(jsonMetric),
  };
}
