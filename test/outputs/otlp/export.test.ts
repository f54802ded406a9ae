import { metrics as globalMetrics } from '@opentelemetry/api';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { OtlpConfig } from '../../../src/config/otlp/otlp-config.ts';
import type { OtlpResult } from '../../../src/metrics/figures/exporter-figures.ts';
import { Labels } from '../../../src/metrics/metric.ts';
import { type OtlpDependencies, type RunningOtlp, startOtlp } from '../../../src/outputs/otlp/setup.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';
import { Receiver } from './receiver.ts';
import { until } from './until.ts';
import { announcements, delay, METRICS, START_MS, smallWorld, visible, type World } from './world.ts';

const started: (RunningOtlp | Receiver)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const one of started.splice(0).reverse()) await one.stop();
});

async function receiver(): Promise<Receiver> {
  const one = await new Receiver().start();
  started.push(one);
  return one;
}

interface Exporting {
  readonly otlp: RunningOtlp;
  readonly results: OtlpResult[];
  readonly logger: RecordingLogger;
}

/** For those whose export is the one of the stop. */
const AT_STOP = { intervalMs: 600_000 };

async function exporting(
  { endpoint }: { readonly endpoint: string },
  { collect }: World,
  options: { readonly config?: Partial<OtlpConfig>; readonly dependencies?: Partial<OtlpDependencies> } = {},
): Promise<Exporting> {
  const config: OtlpConfig = {
    endpoint,
    protocol: 'http/protobuf',
    headers: {},
    // None runs out of time, however busy the machine is.
    intervalMs: 250,
    exportTimeoutMs: 600_000,
    timeoutMs: 600_000,
    compression: 'none',
    temporality: 'cumulative',
    resourceAttributes: {},
    tls: { caFile: undefined, certFile: undefined, keyFile: undefined },
    ...options.config,
  };
  const results: OtlpResult[] = [];
  const logger = new RecordingLogger();
  const otlp = await startOtlp(config, {
    collect,
    logger,
    buildInfo: { version: '9.8.7' },
    onExport: (result) => results.push(result),
    ...options.dependencies,
  });
  started.push(otlp);
  return { otlp, results, logger };
}

describe.each(['http/protobuf', 'http/json'] as const)('an export by %s', (protocol) => {
  it('has every series of the world, with names, units, kinds and values of the catalogue', async () => {
    const collector = await receiver();
    const { results } = await exporting(collector, smallWorld(), { config: { protocol } });
    await until('an export', () => results.includes('success'));
    const { headers, url, decoded } = collector.requests[0];
    expect(url).toBe('/v1/metrics');
    expect(headers['content-type']).toBe(protocol === 'http/json' ? 'application/json' : 'application/x-protobuf');
    expect(headers['user-agent']).toBe('bgproutes-exporter/9.8.7');
    expect(decoded.scope).toEqual({ name: 'bgproutes-exporter', version: '9.8.7' });
    const shown = decoded.metrics.map(({ name, unit, kind, description, temporality, monotonic, points }) => ({
      name,
      unit,
      kind,
      description,
      temporality,
      monotonic,
      points: points.map(({ attributes, value }) => [Object.values(attributes).join(), value]),
    }));
    expect(shown).toEqual([
      {
        name: 'test.prefix.visible_vps',
        unit: '{vp}',
        kind: 'gauge',
        description: 'What visible is.',
        temporality: undefined,
        monotonic: undefined,
        points: [
          ['192.0.2.0/24', 300],
          ['198.51.100.0/24', 301],
          ['2001:db8::/32', 302],
        ],
      },
      expect.objectContaining({ name: 'test.prefix.visibility', unit: '1', kind: 'gauge' }),
      {
        name: 'test.prefix.announcements',
        unit: '{announcement}',
        kind: 'sum',
        description: 'What announcements is.',
        temporality: 'cumulative',
        monotonic: true,
        points: [
          ['192.0.2.0/24', 0],
          ['198.51.100.0/24', 1_000],
          ['2001:db8::/32', 2_000],
        ],
      },
      expect.objectContaining({ name: 'test.stream.gap', unit: 's', kind: 'sum', points: [['', 12.5]] }),
      {
        name: 'test.stream.delay',
        unit: 's',
        kind: 'histogram',
        description: 'What delay is.',
        temporality: 'cumulative',
        monotonic: undefined,
        points: [['0', { bounds: [0.5, 1, 60], counts: [5, 0, 2, 1], sum: 99.75, count: 8 }]],
      },
    ]);
  });

  it('keeps start times, whenever it is made', async () => {
    const collector = await receiver();
    const before = BigInt(Date.now()) * 1_000_000n;
    await exporting(collector, smallWorld(), { config: { protocol } });
    await until('three exports', () => collector.requests.length >= 3);
    const ends = collector.requests.slice(0, 3).map(({ decoded }) => {
      const points = decoded.metrics.flatMap(({ points }) => points);
      expect(points.every(({ start }) => start === BigInt(START_MS) * 1_000_000n)).toBe(true);
      expect(new Set(points.map(({ time }) => time)).size).toBe(1);
      return points[0].time;
    });
    expect(ends[0] >= before && ends[1] > ends[0] && ends[2] > ends[1]).toBe(true);
  });

  it('compresses when asked to', async () => {
    const collector = await receiver();
    await exporting(collector, smallWorld(), { config: { protocol, compression: 'gzip' } });
    await until('an export', () => collector.requests.length > 0);
    const [{ headers, wireBytes, body, decoded }] = collector.requests;
    expect(headers['content-encoding']).toBe('gzip');
    expect(wireBytes).toBeLessThan(body.length / 2);
    expect(decoded.metrics).toHaveLength(METRICS.length);
  });

  it('says of a series that vanished that it did, once, and of no other', async () => {
    const collector = await receiver();
    const world = smallWorld();
    const { results } = await exporting(collector, world, { config: { protocol } });
    await until('an export', () => results.includes('success'));
    world.remove(visible, ['198.51.100.0/24']);
    world.remove(delay, ['0']);
    world.set(visible, ['203.0.113.0/24'], 1);
    const from = collector.requests.length;
    await until('three more exports', () => collector.requests.length >= from + 3);
    const gone = collector.requests.map(({ decoded }) =>
      decoded.metrics.flatMap(({ name, points }) =>
        points.filter(({ value }) => value === undefined).map(({ attributes }) => [name, attributes]),
      ),
    );
    expect(gone.filter((points) => points.length > 0)).toEqual([
      [
        ['test.prefix.visible_vps', { prefix: '198.51.100.0/24' }],
        ['test.stream.delay', { session: '0' }],
      ],
    ]);
    const last = collector.requests.at(-1)?.decoded.metrics ?? [];
    expect(last.map(({ name }) => name)).not.toContain('test.stream.delay');
    expect(last[0].points.map(({ attributes }) => attributes.prefix)).toEqual([
      '192.0.2.0/24',
      '2001:db8::/32',
      '203.0.113.0/24',
    ]);
  });

  it('of 25,000 series has them all, in requests of at most 10,000 numbers', async () => {
    const collector = await receiver();
    const world = smallWorld();
    const many = Array.from(
      { length: 25_000 },
      (_, i) => [new Labels(['prefix'], [`10.${i >> 8}.${i & 255}.0/24`]), i] as const,
    );
    world.series.set(visible, new Map(many));
    const { results } = await exporting(collector, world, { config: { protocol } });
    await until('an export', () => results.length > 0);
    expect(results[0]).toBe('success');
    const requests = collector.requests.slice(0, 3);
    expect(requests.map(({ decoded }) => decoded.metrics.flatMap(({ points }) => points).length)).toEqual([
      10_000,
      10_000,
      5_000 + 8,
    ]);
    const values = requests.flatMap(({ decoded }) =>
      decoded.metrics.filter(({ name }) => name === visible.otlpName).flatMap(({ points }) => points),
    );
    expect(values.every(({ value, attributes }, i) => value === i && attributes.prefix === many[i][0].values[0])).toBe(
      true,
    );
    expect(new Set(values.map(({ time }) => time)).size).toBe(1);
  });
});

describe('the resource', () => {
  it('says what runs and where, and the SDK', async () => {
    const collector = await receiver();
    await exporting(collector, smallWorld(), { dependencies: { address: '[::]:10479' } });
    await until('an export', () => collector.requests.length > 0);
    expect(collector.requests[0].decoded.resource).toEqual({
      'service.name': 'bgproutes-exporter',
      'service.version': '9.8.7',
      'service.instance.id': expect.stringMatching(/^[^:]+:10479$/),
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': expect.stringMatching(/^[0-9.]+$/),
    });
  });

  it("is the user's where they say so, and nothing else is detected", async () => {
    vi.stubEnv('OTEL_NODE_RESOURCE_DETECTORS', 'all');
    const collector = await receiver();
    const resourceAttributes = { 'service.name': 'edge', 'service.instance.id': 'ams-1', site: 'Zürich' };
    await exporting(collector, smallWorld(), { config: { resourceAttributes } });
    await until('an export', () => collector.requests.length > 0);
    const { resource } = collector.requests[0].decoded;
    expect(resource).toMatchObject({ ...resourceAttributes, 'service.version': '9.8.7' });
    expect(Object.keys(resource)).toHaveLength(7);
  });
});

describe('what is exported', () => {
  it('is only ours, whatever else the process records', async () => {
    vi.stubEnv('OTEL_NODE_EXPERIMENTAL_SDK_METRICS', 'true');
    const collector = await receiver();
    await exporting(collector, smallWorld());
    globalMetrics.getMeter('somebody else').createCounter('foreign').add(1);
    await until('three exports', () => collector.requests.length >= 3);
    expect([...collector.metrics().keys()]).toEqual(METRICS.map(({ otlpName }) => otlpName));
  });

  it('lacks what could not be collected, and has all the rest', async () => {
    const collector = await receiver();
    const world = smallWorld();
    const broken = {
      startTimeMs: START_MS,
      version: 0,
      visit: (_: unknown, sink: Parameters<World['visit']>[1]) => {
        sink.number(Labels.none, 1);
        throw new Error('a bug');
      },
    };
    const collect = () => [...world.collect(), { metrics: [announcements], groups: [broken] }];
    const { results, logger } = await exporting(collector, world, {
      dependencies: { collect, refresh: () => Promise.reject(new Error('no /proc here')) },
    });
    await until('an export', () => results.includes('success'));
    expect(collector.requests[0].decoded.metrics.map(({ name }) => name)).toEqual(
      METRICS.map(({ otlpName }) => otlpName),
    );
    expect(logger.values('error')).toEqual(expect.arrayContaining(['no /proc here', 'a bug']));
  });

  it('is what a refresh brought, read in one step', async () => {
    const collector = await receiver();
    const world = smallWorld();
    const refresh = async () => {
      await new Promise((done) => setImmediate(done));
      world.set(visible, ['192.0.2.0/24'], 1_000 + world.version);
    };
    await exporting(collector, world, { dependencies: { refresh } });
    await until('an export', () => collector.requests.length > 0);
    expect(collector.points(visible.otlpName)[0].value).toBeGreaterThan(1_000);
  });
});

describe('a stop', () => {
  it('exports what is true then, and nothing after it', async () => {
    const collector = await receiver();
    const world = smallWorld();
    const { otlp, results } = await exporting(collector, world, {
      config: AT_STOP,
    });
    world.set(visible, ['192.0.2.0/24'], 7);
    await Promise.all([otlp.stop(), otlp.stop()]);
    expect(results).toEqual(['success']);
    expect(collector.requests).toHaveLength(1);
    expect(collector.points(visible.otlpName)[0].value).toBe(7);
    await until('the connection to be closed', () => collector.openSockets === 0);
  });

  it('leaves room for another start in the same process', async () => {
    const collector = await receiver();
    for (let i = 1; i <= 3; i++) {
      const { otlp, logger } = await exporting(collector, smallWorld(), {
        config: AT_STOP,
      });
      await otlp.stop();
      expect(collector.requests).toHaveLength(i);
      expect(logger.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
    }
  });

  it('keeps the meter provider of a program around it', async () => {
    const theirs = { getMeter: globalMetrics.getMeterProvider().getMeter };
    globalMetrics.setGlobalMeterProvider(theirs);
    try {
      const collector = await receiver();
      const { otlp } = await exporting(collector, smallWorld());
      await until('an export', () => collector.requests.length > 0);
      await otlp.stop();
      expect(globalMetrics.getMeterProvider()).toBe(theirs);
    } finally {
      globalMetrics.disable();
    }
  });
});
