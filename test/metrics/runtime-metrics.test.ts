import { collectDefaultMetrics, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { HistogramValue, Labels, Metric } from '../../src/metrics/metric.ts';
import { LEFT_OUT, type MeasuredMetric, RuntimeMetrics, runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';

const known = new Map(Object.values(runtimeMetrics).map((metric) => [metric.name, metric]));

async function defaultMetrics(): Promise<{
  registry: Registry;
  measured: readonly (MeasuredMetric & { type: unknown })[];
}> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return { registry, measured: await registry.getMetricsAsJSON() };
}

function pointsOf(runtime: RuntimeMetrics, metric: Metric): [Labels, number | HistogramValue][] {
  const points: [Labels, number | HistogramValue][] = [];
  runtime.visit(metric, {
    number: (labels, value) => points.push([labels, value]),
    histogram: (labels, value) => points.push([labels, value]),
  });
  return points;
}

describe("prom-client's default metrics", () => {
  it('are all in the catalogue, or left out by name', async () => {
    const { measured } = await defaultMetrics();
    const missing = measured.map(({ name }) => name).filter((name) => !known.has(name) && !LEFT_OUT.has(name));
    expect(missing).toEqual([]);
  });

  it('include everything that the catalogue promises', async () => {
    const { measured } = await defaultMetrics();
    const names = new Set(measured.map(({ name }) => name));
    const linuxOnly = ['process_virtual_memory_bytes', 'process_heap_bytes', 'process_open_fds', 'process_max_fds'];
    const expected = [...known.keys()].filter((name) => process.platform === 'linux' || !linuxOnly.includes(name));
    expect(expected.filter((name) => !names.has(name))).toEqual([]);
  });

  it('have the kind and the labels that the catalogue says', async () => {
    const { measured } = await defaultMetrics();
    for (const { name, type, values } of measured) {
      const metric = known.get(name);
      if (metric === undefined) continue;
      expect(type, name).toBe(metric.kind);
      for (const { labels } of values) {
        expect(
          Object.keys(labels).filter((key) => key !== 'le'),
          name,
        ).toEqual(metric.labels);
      }
    }
  });

  it('that are left out are sums of series that are not', async () => {
    const { measured } = await defaultMetrics();
    for (const name of LEFT_OUT) {
      expect(measured.some((metric) => metric.name === name)).toBe(true);
      expect(known.has(name.replace(/_total$/, ''))).toBe(true);
    }
  });
});

describe('RuntimeMetrics', () => {
  it('has no points before the first refresh, and the values of the registry after it', async () => {
    const { registry } = await defaultMetrics();
    const runtime = new RuntimeMetrics(registry, 1_700_000_000_000);
    expect(pointsOf(runtime, runtimeMetrics.processResidentMemory)).toEqual([]);
    const before = runtime.version;
    await runtime.refresh();
    expect(runtime.version).not.toBe(before);
    const [[labels, bytes]] = pointsOf(runtime, runtimeMetrics.processResidentMemory);
    expect(labels.keys).toEqual([]);
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(
      pointsOf(runtime, runtimeMetrics.nodejsVersionInfo).map(([{ values }, value]) => [values[0], value]),
    ).toEqual([[process.version, 1]]);
    expect(pointsOf(runtime, runtimeMetrics.nodejsHeapSpaceSizeUsed).map(([{ values }]) => values[0])).toContain('old');
  });

  it('turns the cumulative lines of a histogram into counts by bucket', async () => {
    const line = (le: string | number, value: number) => ({
      value,
      labels: { le, kind: 'minor' },
      metricName: 'nodejs_gc_duration_seconds_bucket',
    });
    const measured: MeasuredMetric[] = [
      {
        name: 'nodejs_gc_duration_seconds',
        values: [
          line(0.001, 2),
          line(0.01, 2),
          line(0.1, 5),
          line('+Inf', 6),
          { value: 3.25, labels: { kind: 'minor' }, metricName: 'nodejs_gc_duration_seconds_sum' },
          { value: 6, labels: { kind: 'minor' }, metricName: 'nodejs_gc_duration_seconds_count' },
        ],
      },
    ];
    const runtime = new RuntimeMetrics({ getMetricsAsJSON: async () => measured }, 0);
    await runtime.refresh();
    const [[labels, value]] = pointsOf(runtime, runtimeMetrics.nodejsGcDuration);
    expect(labels.values).toEqual(['minor']);
    expect(value).toEqual({ bounds: [0.001, 0.01, 0.1], counts: [2, 0, 3, 1], sum: 3.25, count: 6 });
  });

  it('leaves out what could not be measured', async () => {
    const measured = [{ name: 'nodejs_eventloop_lag_mean_seconds', values: [{ value: Number.NaN, labels: {} }] }];
    const runtime = new RuntimeMetrics({ getMetricsAsJSON: async () => measured }, 0);
    await runtime.refresh();
    expect(pointsOf(runtime, runtimeMetrics.nodejsEventloopLagMean)).toEqual([]);
  });

  it('leaves out event loop delays when there was none since the last reading', async () => {
    const { registry } = await defaultMetrics();
    const runtime = new RuntimeMetrics(registry, 0);
    await runtime.refresh();
    await runtime.refresh();
    for (const metric of [runtimeMetrics.nodejsEventloopLagMin, runtimeMetrics.nodejsEventloopLagP99]) {
      for (const [, seconds] of pointsOf(runtime, metric)) expect(seconds).toBeLessThan(60);
    }
    const measured = [
      { name: 'nodejs_eventloop_lag_min_seconds', values: [{ value: 9_223_372_036.854776, labels: {} }] },
      { name: 'nodejs_eventloop_lag_max_seconds', values: [{ value: 0, labels: {} }] },
      { name: 'nodejs_eventloop_lag_seconds', values: [{ value: 0.001, labels: {} }] },
    ];
    const calm = new RuntimeMetrics({ getMetricsAsJSON: async () => measured }, 0);
    await calm.refresh();
    expect(pointsOf(calm, runtimeMetrics.nodejsEventloopLagMin)).toEqual([]);
    expect(pointsOf(calm, runtimeMetrics.nodejsEventloopLagMax)).toEqual([]);
    expect(pointsOf(calm, runtimeMetrics.nodejsEventloopLag)).toHaveLength(1);
  });

  it('takes a reading of the last second for a new one, so that both outputs show the same', async () => {
    let readings = 0;
    let nowMs = 5_000;
    const measurements = {
      getMetricsAsJSON: async () => [{ name: 'process_open_fds', values: [{ value: ++readings, labels: {} }] }],
    };
    const runtime = new RuntimeMetrics(measurements, 0, () => nowMs);
    const read = async (): Promise<unknown> => {
      await runtime.refresh();
      return pointsOf(runtime, runtimeMetrics.processOpenFds)[0][1];
    };
    expect(await read()).toBe(1);
    nowMs += 999;
    expect(await read()).toBe(1);
    nowMs += 1;
    expect(await read()).toBe(2);
    nowMs -= 60_000; // the clock was set back
    expect(await read()).toBe(3);
  });

  it('shares one reading among callers that meet, and keeps the earlier points when a reading fails', async () => {
    let readings = 0;
    const runtime = new RuntimeMetrics(
      {
        getMetricsAsJSON: async () => {
          readings++;
          if (readings === 2) throw new Error('no /proc');
          return [{ name: 'process_open_fds', values: [{ value: 7, labels: {} }] }];
        },
      },
      0,
    );
    await Promise.all([runtime.refresh(), runtime.refresh()]);
    expect(readings).toBe(1);
    await expect(runtime.refresh()).rejects.toThrow('no /proc');
    expect(pointsOf(runtime, runtimeMetrics.processOpenFds).map(([, value]) => value)).toEqual([7]);
  });
});
