/** A collection that takes place while the export before it is still on its way. */
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { expect, it } from 'vitest';
import type { OtlpResult } from '../../../../src/metrics/figures/exporter-figures.ts';
import { Labels } from '../../../../src/metrics/metric.ts';
import { Delivery } from '../../../../src/outputs/otlp/delivery/delivery.ts';
import type { HttpPost, PostResult } from '../../../../src/outputs/otlp/delivery/http-post.ts';
import { DeltaConverter } from '../../../../src/outputs/otlp/delta.ts';
import { ProtobufSerializer } from '../../../../src/outputs/otlp/encoding/protobuf-serializer.ts';
import { hrTime } from '../../../../src/outputs/otlp/metric-data.ts';
import { Collection, SCOPE_NAME } from '../../../../src/outputs/otlp/producer.ts';
import { VanishedSeries } from '../../../../src/outputs/otlp/vanished-series.ts';
import { redactor } from '../../../../src/secrets/redaction.ts';
import { RecordingLogger } from '../../../stream/recording-logger.ts';
import { decodeProtobuf } from '../decode.ts';
import { announcements, START_MS, smallWorld, visible } from '../world.ts';

const ACCEPTED: PostResult = { kind: 'answer', status: 200, headers: {}, body: Buffer.alloc(0) };

it.each([
  ['cumulative', (): boolean => false],
  ['of deltas', (): boolean => true],
] as const)('leaves the time of every point of that export, %s, as it was', async (_, isDelta) => {
  const bodies: Uint8Array[] = [];
  const answers: ((result: PostResult) => void)[] = [];
  const post: Pick<HttpPost, 'send' | 'close'> = {
    send: (body) => {
      bodies.push(body);
      return new Promise((resolve) => answers.push(resolve));
    },
    close: () => {},
  };
  const results: OtlpResult[] = [];
  const delivery = new Delivery({
    ...{ post: post as HttpPost, serializer: new ProtobufSerializer(), headers: {}, compression: 'none' },
    ...{ timeoutMs: 600_000, exportTimeoutMs: 600_000, vanished: new VanishedSeries() },
    ...{ deltas: new DeltaConverter(isDelta), logger: new RecordingLogger(), redact: redactor([]) },
    onExport: (result) => results.push(result),
  });
  const world = smallWorld();
  // More than one request has room for.
  const many = Array.from({ length: 15_000 }, (_, i) => new Labels(['prefix'], [`10.${i >> 8}.${i & 255}.0/24`]));
  world.series.set(visible, new Map(many.map((labels, i) => [labels, i])));
  const collection = new Collection();
  const collect = (ms: number) =>
    ({
      resource: { attributes: {} },
      scopeMetrics: [
        { scope: { name: SCOPE_NAME }, metrics: collection.of(world.collect(), hrTime(START_MS + ms), () => {}) },
      ],
    }) as unknown as ResourceMetrics;
  const request = async (count: number) => {
    while (bodies.length < count) await Promise.resolve();
    return decodeProtobuf(bodies[count - 1]).metrics;
  };
  const timesOf = (metrics: Awaited<ReturnType<typeof request>>) => [
    ...new Set(metrics.flatMap(({ points }) => points.map(({ time }) => time))),
  ];
  const at = (ms: number) => BigInt(START_MS + ms) * 1_000_000n;

  const first = delivery.export(collect(10_000));
  expect(timesOf(await request(1))).toEqual([at(10_000)]);
  const second = delivery.export(collect(20_000));
  answers[0](ACCEPTED);
  expect(timesOf(await request(2))).toEqual([at(10_000)]);
  answers[1](ACCEPTED);
  expect(await first).toBe('success');
  expect(timesOf(await request(3))).toEqual([at(20_000)]);
  answers[2](ACCEPTED);
  const last = await request(4);
  expect(timesOf(last)).toEqual([at(20_000)]);
  // A delta begins where the one before it ended.
  const [{ start }] = last.find(({ name }) => name === announcements.otlpName)?.points ?? [];
  expect(start).toBe(isDelta() ? at(10_000) : at(0));
  answers[3](ACCEPTED);
  expect(await second).toBe('success');
  expect(results).toEqual(['success', 'success']);
});
