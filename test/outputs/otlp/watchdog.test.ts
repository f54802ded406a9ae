import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { expect, it } from 'vitest';
import type { OtlpResult } from '../../../src/metrics/figures/exporter-figures.ts';
import { Delivery } from '../../../src/outputs/otlp/delivery/delivery.ts';
import type { HttpPost, PostResult } from '../../../src/outputs/otlp/delivery/http-post.ts';
import { DeltaConverter } from '../../../src/outputs/otlp/delta.ts';
import { ProtobufSerializer } from '../../../src/outputs/otlp/encoding/protobuf-serializer.ts';
import { hrTime } from '../../../src/outputs/otlp/metric-data.ts';
import { Collection, SCOPE_NAME } from '../../../src/outputs/otlp/producer.ts';
import { VanishedSeries } from '../../../src/outputs/otlp/vanished-series.ts';
import { redactor } from '../../../src/secrets/redaction.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';
import { START_MS, smallWorld } from './world.ts';

it('gives up an export that never ends, says so, and the next one goes out; the first one changes nothing any more', async () => {
  const results: OtlpResult[] = [];
  const logger = new RecordingLogger();
  const answers: ((result: PostResult) => void)[] = [];
  const signals: AbortSignal[] = [];
  const post: Pick<HttpPost, 'send' | 'close'> = {
    send: (_body, _headers, signal) => {
      signals.push(signal);
      return new Promise((resolve) => answers.push(resolve));
    },
    close: () => {},
  };
  const accepted: PostResult = { kind: 'answer', status: 200, headers: {}, body: Buffer.alloc(0) };
  const delivery = new Delivery({
    ...{ post: post as HttpPost, serializer: new ProtobufSerializer(), headers: {}, compression: 'none' },
    ...{ timeoutMs: 5, exportTimeoutMs: 10, watchdogMs: 5 },
    ...{ vanished: new VanishedSeries(), deltas: new DeltaConverter(() => false), logger, redact: redactor([]) },
    onExport: (result) => results.push(result),
  });
  const metrics = new Collection().of(smallWorld().collect(), hrTime(START_MS), () => {});
  const collected = {
    resource: { attributes: {} },
    scopeMetrics: [{ scope: { name: SCOPE_NAME }, metrics }],
  } as unknown as ResourceMetrics;

  expect(await delivery.export(collected)).toBe('error');
  expect(signals[0].aborted).toBe(true);
  const [warning] = logger.lines.filter(({ level }) => level === 'warn');
  expect(warning.fields.detail).toBe('the export did not end within 0.01 s and was given up');

  const next = delivery.export(collected);
  while (answers.length < 2) await Promise.resolve(); // no timer runs meanwhile
  answers[0](accepted);
  answers[1](accepted);
  expect(await next).toBe('success');
  await delivery.idle();
  expect(results).toEqual(['error', 'success']);
});
