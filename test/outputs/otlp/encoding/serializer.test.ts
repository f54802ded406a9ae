import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HistogramValue, Labels } from '../../../../src/metrics/metric.ts';
import { JsonSerializer } from '../../../../src/outputs/otlp/encoding/json-serializer.ts';
import { ProtobufSerializer } from '../../../../src/outputs/otlp/encoding/protobuf-serializer.ts';
import type { MetricsRequest } from '../../../../src/outputs/otlp/encoding/serializer.ts';
import { hrTime, type OwnMetricData, Point } from '../../../../src/outputs/otlp/metric-data.ts';
import { Collection } from '../../../../src/outputs/otlp/producer.ts';
import { runs } from '../../../support/property-runs.ts';
import { decodeJson, decodeProtobuf } from '../decode.ts';
import { announcements, delay, METRICS, smallWorld, visible, World } from '../world.ts';

const protobuf = new ProtobufSerializer();
const json = new JsonSerializer();
const resource = resourceFromAttributes({ 'service.name': 'bgproutes-exporter', 'site name': 'Zürich 🏔' });
const scope = { name: 'bgproutes-exporter', version: '1.2.3' };

function requestOf(world: World, endMs = 1_800_000_000_123): MetricsRequest {
  const fail = (error: unknown) => {
    throw error;
  };
  return { resource, scope, metrics: new Collection().of(world.collect(), hrTime(endMs), fail) };
}

/** What the SDK's own serializers make of the same. */
const sdk = ({ scope, metrics }: MetricsRequest) => ({ resource, scopeMetrics: [{ scope, metrics: [...metrics] }] });
const sdkProtobuf = (request: MetricsRequest) => ProtobufMetricsSerializer.serializeRequest(sdk(request)) as Uint8Array;
const sdkJson = (request: MetricsRequest) => JsonMetricsSerializer.serializeRequest(sdk(request)) as Uint8Array;

const numbers = fc.oneof(
  fc.integer({ min: 0, max: 5_000 }),
  fc.double(),
  fc.maxSafeNat(),
  fc.constantFrom(0, -0, 0.1, 1e21, -1.5, 999_999_999, 1_000_000_000, 2 ** 31, 2 ** 53, 5e-324, 1.7976931348623157e308),
);
const labels = fc.oneof(
  fc.constantFrom('192.0.2.0/24', '', '"', '\\', '\n', 'ü', '🏔', '\u0000', '{64501,64502}'),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ minLength: 100, maxLength: 300 }),
);
const histograms: fc.Arbitrary<HistogramValue> = fc
  .tuple(
    fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 20 }),
    fc.double({ noNaN: true }),
  )
  .chain(([bounds, sum]) =>
    fc.array(fc.nat(), { minLength: bounds.length + 1, maxLength: bounds.length + 1 }).map((counts) => ({
      bounds: bounds.sort((a, b) => a - b),
      counts,
      sum,
      count: counts.reduce((total, count) => total + count, 0),
    })),
  );

/** Any series of any metric, some of them changed or removed on the way. */
const worlds = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(3), labels, numbers), { maxLength: 40 }),
    fc.array(fc.tuple(labels, histograms), { maxLength: 5 }),
  )
  .map(([points, spreads]) => {
    const world = new World();
    for (const [i, value, number] of points)
      world.set(
        METRICS[i],
        METRICS[i].labels.map(() => value),
        number,
      );
    for (const [value, histogram] of spreads) world.set(delay, [value], histogram);
    return world;
  });

describe('protobuf', () => {
  it('is byte for byte what the SDK writes', () => {
    fc.assert(
      fc.property(worlds, fc.integer({ min: 0, max: 4_000_000_000_000 }), (world, endMs) => {
        const request = requestOf(world, endMs);
        expect(Buffer.from(protobuf.serialize(request)).equals(sdkProtobuf(request))).toBe(true);
      }),
      runs(200),
    );
  });

  it('stays so when series come and go and values change, although labels are kept', () => {
    const world = smallWorld();
    for (let step = 0; step < 50; step++) {
      world.set(visible, [`10.${step}.0.0/16`], step);
      world.set(announcements, ['192.0.2.0/24'], step * 1_000_003);
      if (step % 3 === 0) world.remove(visible, [`10.${step - 1}.0.0/16`]);
      const request = requestOf(world, 1_800_000_000_000 + step * 1_000);
      expect(Buffer.from(protobuf.serialize(request)).equals(sdkProtobuf(request))).toBe(true);
    }
  });

  it('of 20,000 points loses none of them', () => {
    const world = new World();
    const series = new Map(
      Array.from({ length: 20_000 }, (_, i) => [
        new Labels(['prefix'], [`${i >> 16}.${(i >> 8) & 255}.${i & 255}.0/24`]),
        i,
      ]),
    );
    world.series.set(visible, series);
    const request = requestOf(world);
    const body = Buffer.from(protobuf.serialize(request));
    expect(body.equals(sdkProtobuf(request))).toBe(true);
    const [{ points }] = decodeProtobuf(body).metrics;
    expect(points).toHaveLength(20_000);
    expect(points.every(({ value }, i) => value === i)).toBe(true);
  });
});

describe('JSON', () => {
  it('is character for character what the SDK writes, but for numbers that JSON has not', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const request = requestOf(world);
        // The SDK writes null for them, which a collector reads as 0 or refuses.
        const own = Buffer.from(json.serialize(request))
          .toString()
          .replace(/:"(?:NaN|-?Infinity)"/g, ':null');
        expect(own).toBe(Buffer.from(sdkJson(request)).toString());
      }),
      runs(200),
    );
  });

  it('says numbers that JSON has not as protobuf says them in JSON', () => {
    const world = new World();
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      world.set(visible, [String(value)], value);
    }
    const body = json.serialize(requestOf(world));
    expect(Buffer.from(body).toString()).toContain('"asDouble":"-Infinity"');
    const [{ points }] = decodeJson(body).metrics;
    expect(points.map(({ attributes, value }) => [attributes.prefix, value])).toEqual([
      ['NaN', Number.NaN],
      ['Infinity', Number.POSITIVE_INFINITY],
      ['-Infinity', Number.NEGATIVE_INFINITY],
    ]);
  });
});

describe('both encodings', () => {
  it('say the same', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const request = requestOf(world);
        const ofProtobuf = decodeProtobuf(protobuf.serialize(request));
        // Minus zero is zero in JSON.
        const sameZero = (_: string, value: unknown) =>
          typeof value === 'bigint' ? `${value}n` : value === 0 ? 0 : value;
        expect(JSON.stringify(decodeJson(json.serialize(request)), sameZero)).toBe(
          JSON.stringify(ofProtobuf, sameZero),
        );
      }),
      runs(100),
    );
  });

  it('say of a series that is gone its labels and a flag, and no value', () => {
    const metrics = requestOf(smallWorld()).metrics.map((metric) => {
      const gone = (metric.dataPoints as Point<unknown>[]).map(
        ({ startTime, endTime, attributes, value }) => new Point(startTime, { endTime }, attributes, value, true),
      );
      return { ...metric, dataPoints: gone } as OwnMetricData;
    });
    for (const decoded of [
      decodeProtobuf(protobuf.serialize({ resource, scope, metrics })),
      decodeJson(json.serialize({ resource, scope, metrics })),
    ]) {
      expect(decoded.metrics.map(({ name }) => name)).toEqual(METRICS.map(({ otlpName }) => otlpName));
      const points = decoded.metrics.flatMap(({ points }) => points);
      expect(points).toHaveLength(11);
      expect(points.every(({ value }) => value === undefined)).toBe(true);
      expect(points[0].attributes).toEqual({ prefix: '192.0.2.0/24' });
      expect(points.at(-1)?.attributes).toEqual({ session: '0' });
    }
  });

  it('write the bounds of a histogram that is gone', () => {
    const [histogram] = requestOf(smallWorld()).metrics.filter(({ descriptor }) => descriptor.name === delay.otlpName);
    const [{ startTime, endTime, attributes, value }] = histogram.dataPoints as Point<Histogram>[];
    const gone = [new Point(startTime, { endTime }, attributes, value, true)];
    const metrics = [histogram, { ...histogram, dataPoints: gone } as OwnMetricData];
    const [there, notThere] = metrics.map((metric) => ({
      json: Buffer.from(json.serialize({ resource, scope, metrics: [metric] })).toString(),
      protobuf: Buffer.from(protobuf.serialize({ resource, scope, metrics: [metric] })).toString('latin1'),
    }));
    expect(notThere.json).toBe(there.json.replace('}]}}]}]}]}', ',"flags":1}]}}]}]}]}'));
    const bounds = Buffer.from(Float64Array.of(0.5, 1, 60).buffer).toString('latin1');
    expect(there.protobuf).toContain(bounds);
    expect(notThere.protobuf).toContain(bounds);
  });

  it('give a result that is not written to again', () => {
    for (const serializer of [protobuf, json]) {
      const first = serializer.serialize(requestOf(smallWorld()));
      const copy = Buffer.from(first);
      const other = smallWorld();
      other.set(visible, ['203.0.113.0/24'], 9);
      serializer.serialize(requestOf(other));
      expect(copy.equals(first)).toBe(true);
    }
  });
});

describe('partial success', () => {
  it.each([
    ['', undefined],
    ['{}', undefined],
    ['{"partialSuccess":{}}', undefined],
    [
      '{"partialSuccess":{"rejectedDataPoints":"7","errorMessage":"too old"}}',
      { rejectedPoints: 7, message: 'too old' },
    ],
    ['{"partialSuccess":{"rejectedDataPoints":7}}', { rejectedPoints: 7, message: '' }],
    ['{"partialSuccess":{"errorMessage":"soon gone"}}', { rejectedPoints: 0, message: 'soon gone' }],
    ['null', undefined],
    ['{"partialSuccess":{"rejectedDataPoints":"x","errorMessage":5}}', undefined],
    ['{"partialSuccess":{"rejectedDataPoints":"-7"}}', undefined],
    ['{"partialSuccess":{"rejectedDataPoints":1e400}}', undefined],
    ['{"partialSuccess":{"rejectedDataPoints":"0.5"}}', undefined],
    ['{"partialSuccess":{"rejectedDataPoints":[7],"errorMessage":"odd"}}', { rejectedPoints: 0, message: 'odd' }],
  ])('in JSON: %s', (body, partial) => {
    expect(json.partialSuccess(Buffer.from(body))).toEqual(partial);
  });

  it.each([
    ['', undefined],
    ['0a00', undefined],
    ['0a020807', { rejectedPoints: 7, message: '' }],
    ['0a0c08ac021207746f6f206f6c64', { rejectedPoints: 300, message: 'too old' }],
    ['0a0412026868', { rejectedPoints: 0, message: 'hh' }],
    // Fields that a later version of the protocol may have.
    ['1a0178 0a020807'.replace(' ', ''), { rejectedPoints: 7, message: '' }],
  ])('in protobuf: %s', (hex, partial) => {
    expect(protobuf.partialSuccess(Buffer.from(hex, 'hex'))).toEqual(partial);
  });

  it('is read as the SDK reads it, or refused, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (body) => {
        let own: unknown;
        try {
          own = protobuf.partialSuccess(body);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        const { partialSuccess } = ProtobufMetricsSerializer.deserializeResponse(body);
        if (own === undefined) expect(partialSuccess?.rejectedDataPoints ?? 0).toBe(0);
      }),
      runs(500),
    );
    expect(() => json.partialSuccess(Buffer.from('<html>'))).toThrow(SyntaxError);
  });
});

describe('times', () => {
  it.each([
    [0, [0, 0]],
    [1_767_323_045_678, [1_767_323_045, 678_000_000]],
    [999, [0, 999_000_000]],
    [1_000.5, [1, 500_000]],
  ])('%d ms', (ms, time) => {
    expect(hrTime(ms)).toEqual(time);
  });
});
