/** Claim 6: points are collected and serialized for OTLP faster than by the SDK's instruments and serializer, all of them. */
import type { Attributes } from '@opentelemetry/api';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { emptyResource } from '@opentelemetry/resources';
import { type Histogram, MeterProvider, MetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { FamilySource, HistogramValue, Labels, Metric, PointSink } from '../src/metrics/metric.ts';
import { requestsOf } from '../src/outputs/otlp/delivery/requests.ts';
import { ProtobufSerializer } from '../src/outputs/otlp/encoding/protobuf-serializer.ts';
import type { OwnMetricData } from '../src/outputs/otlp/metric-data.ts';
import { createMetricProducer, SCOPE_NAME } from '../src/outputs/otlp/producer.ts';
import { atLeast, type BenchContext, type Claim, type Finding, mustEqual } from './claim.ts';
import { FilledTable } from './filled-table.ts';
import { costOf, interleaved } from './rounds.ts';

const SHAPE = { vps: 60, origins: 5 };
const ROUNDS = 7;
const VERSION = '0.0.0';

class ManualReader extends MetricReader {
  constructor() {
    // The SDK's own limit is 2,000 series; beyond it points are lost.
    super({ cardinalitySelector: () => 1_000_000 });
  }
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** The same points in instruments of the SDK. */
function readerOf({ metrics, groups }: FamilySource): ManualReader {
  const reader = new ManualReader();
  const meter = new MeterProvider({ readers: [reader], resource: emptyResource() }).getMeter(SCOPE_NAME, VERSION);
  for (const metric of metrics) {
    let sink: PointSink | undefined;
    const lazily: PointSink = {
      number: (labels, value) => (sink ??= sinkOf(metric, meter, [])).number(labels, value),
      histogram: (labels, value) => (sink ??= sinkOf(metric, meter, value.bounds)).histogram(labels, value),
    };
    for (const group of groups) group.visit(metric, lazily);
  }
  return reader;
}

function sinkOf(metric: Metric, meter: ReturnType<MeterProvider['getMeter']>, bounds: readonly number[]): PointSink {
  const options = { description: metric.help, unit: metric.unit };
  if (metric.kind === 'histogram') {
    const histogram = meter.createHistogram(metric.otlpName, {
      ...options,
      advice: { explicitBucketBoundaries: [...bounds] },
    });
    const observe = (labels: Labels, { counts }: HistogramValue) => {
      for (let bucket = 0; bucket < bounds.length; bucket++)
        for (let i = 0; i < counts[bucket]; i++) histogram.record(bounds[bucket], attributes(labels));
    };
    return { number: () => {}, histogram: observe };
  }
  if (metric.kind === 'counter') {
    const counter = meter.createCounter(metric.otlpName, options);
    return { number: (labels, value) => counter.add(value, attributes(labels)), histogram: () => {} };
  }
  const gauge = meter.createGauge(metric.otlpName, options);
  return { number: (labels, value) => gauge.record(value, attributes(labels)), histogram: () => {} };
}

function attributes({ keys, values }: Labels): Attributes {
  return Object.fromEntries(keys.map((key, i) => [key, values[i]]));
}

/** Every point as text, in order. */
function pointsOf({ scopeMetrics }: ResourceMetrics): string[] {
  const points: string[] = [];
  for (const { metrics } of scopeMetrics) {
    for (const { descriptor, dataPoints } of metrics) {
      for (const point of dataPoints) {
        const labels = Object.entries(point.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
        const { value } = point;
        const shown =
          typeof value === 'number'
            ? value
            : [(value as Histogram).buckets.counts, (value as Histogram).sum, (value as Histogram).count];
        points.push(JSON.stringify([descriptor.name, labels, shown]));
      }
    }
  }
  return points.sort();
}

async function measureSize(points: number, { progress }: BenchContext): Promise<Finding> {
  const sample = new FilledTable({ ...SHAPE, prefixes: 20 });
  const producerOf = (filled: FilledTable) =>
    createMetricProducer({ collect: () => [filled.view.collect()], version: VERSION, now: () => 1_767_225_600_000 });
  const perPrefix = pointsOf((await producerOf(sample).collect()).resourceMetrics).length / 20;
  const filled = new FilledTable({ ...SHAPE, prefixes: Math.round(points / perPrefix) });

  const producer = producerOf(filled);
  const serializer = new ProtobufSerializer();
  const reader = readerOf(filled.view.collect());
  const scope = { name: SCOPE_NAME, version: VERSION };
  const ours = async () => {
    const { resourceMetrics } = await producer.collect();
    const { resource, scopeMetrics } = resourceMetrics;
    let bytes = 0;
    for (const metrics of requestsOf(scopeMetrics[0].metrics as OwnMetricData[]))
      bytes += serializer.serialize({ resource, scope, metrics }).length;
    return { resourceMetrics, bytes };
  };
  const sdk = async () => {
    const { resourceMetrics } = await reader.collect();
    return { resourceMetrics, bytes: ProtobufMetricsSerializer.serializeRequest(resourceMetrics)?.length ?? 0 };
  };

  const { resourceMetrics } = await ours();
  mustEqual('points', pointsOf(resourceMetrics), pointsOf((await sdk()).resourceMetrics));
  const { resource, scopeMetrics } = resourceMetrics;
  mustEqual(
    'serialized points',
    Buffer.from(
      serializer.serialize({ resource, scope, metrics: scopeMetrics[0].metrics as OwnMetricData[] }),
    ).toString('base64'),
    Buffer.from(ProtobufMetricsSerializer.serializeRequest(resourceMetrics) ?? []).toString('base64'),
  );
  const { bytes } = await ours();
  progress(`${pointsOf(resourceMetrics).length} points are the same, in metric data and in bytes; ${bytes} bytes`);

  const repeat = Math.max(1, Math.round(50_000 / points));
  const contestant = (run: () => Promise<unknown>) => () =>
    costOf(async () => {
      for (let i = 0; i < repeat; i++) await run();
    });
  const measured = await interleaved({ ours: contestant(ours), sdk: contestant(sdk) }, ROUNDS, progress);
  progress(
    `ours ${(measured.median('ours') / repeat / 1_000).toFixed(2)} ms, ` +
      `SDK ${(measured.median('sdk') / repeat / 1_000).toFixed(2)} ms`,
  );
  return atLeast(
    `OTLP collect and serialize of ${points.toLocaleString('en')} points against the SDK is faster, no point lost`,
    3,
    measured.ratio('sdk', 'ours'),
  );
}

export const claim: Claim = {
  number: 6,
  title: 'OTLP',
  measure: async (context) => [await measureSize(10_000, context), await measureSize(100_000, context)],
};
