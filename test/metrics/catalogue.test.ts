import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as catalogue from '../../src/metrics/catalogue.ts';
import { MAX_COUNTED_PATHS } from '../../src/metrics/figures/exporter-figures.ts';
import { defineMetric, type Metric, type MetricKind } from '../../src/metrics/metric.ts';
import { runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';
import { knownPaths } from '../../src/outputs/web/known-paths.ts';
import { readExposition } from '../support/exposition.ts';
import { fixturePath } from '../support/recordings.ts';

/**
 * The rules by which a collector and Prometheus name OTLP metrics ("Prometheus and OpenMetrics Compatibility" of the
 * OpenTelemetry specification, "OTLP Metric points to Prometheus"; strategy UnderscoreEscapingWithSuffixes), written from
 * the specification, not from the catalogue: name split into words, unit word added unless among them, `total` and
 * `ratio` moved to the end.
 */
const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '1': '',
  '%': 'percent',
};

function translate(otlpName: string, unit: string, kind: MetricKind): string {
  const words = otlpName.split(/[^a-zA-Z0-9:]+/).filter((word) => word !== '');
  const bare = unit.replace(/\{[^}]*\}/g, '').trim();
  expect(bare, 'a rate is no unit of the catalogue').not.toContain('/');
  const unitWord = UNITS[bare] ?? bare.replace(/[^a-zA-Z0-9:]+/g, '_');
  let named = unitWord === '' || words.includes(unitWord) ? words : [...words, unitWord];
  const atEnd = (last: string) => [...named.filter((word) => word !== last), last];
  if (kind === 'counter') named = atEnd('total');
  if (unit === '1' && kind === 'gauge') named = atEnd('ratio');
  const name = named.join('_');
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

const all: readonly Metric[] = [...catalogue.ownMetrics, ...Object.values(runtimeMetrics)];

describe('the translation of the specification', () => {
  it.each([
    ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
    ['system.memory.usage', 'By', 'gauge', 'system_memory_usage_bytes'],
    ['requests', '1', 'counter', 'requests_total'],
    ['system.cpu.utilization', '1', 'gauge', 'system_cpu_utilization_ratio'],
    ['a.total.of', '{thing}', 'counter', 'a_of_total'],
    ['seconds.since', 's', 'gauge', 'seconds_since'],
  ] as const)('names %s in %s, a %s, %s', (otlpName, unit, kind, name) => {
    expect(translate(otlpName, unit, kind)).toBe(name);
  });
});

describe.each(all.map((metric) => [metric.name, metric] as const))('%s', (name, metric) => {
  it('is what the translation makes of its OTLP name, unit and kind', () => {
    expect(translate(metric.otlpName, metric.unit, metric.kind)).toBe(name);
    expect(metric.familyName).toBe(metric.kind === 'counter' ? name.replace(/_total$/, '') : name);
  });

  it('has names, unit and labels that both sides take', () => {
    // OpenTelemetry specification, "Instrument name syntax" and "Instrument unit".
    expect(metric.otlpName).toMatch(/^[a-z][a-z0-9._]{0,254}$/);
    expect(metric.unit).toMatch(/^[\x20-\x7e]{0,63}$/);
    expect(name).toMatch(/^[a-z_][a-z0-9_]*$/);
    for (const label of metric.labels) {
      expect(label).toMatch(/^[a-z][a-z0-9_]*$/);
      // Set by Prometheus, or by a histogram's lines.
      expect(['le', 'quantile', 'job', 'instance']).not.toContain(label);
    }
    expect(new Set(metric.labels).size).toBe(metric.labels.length);
  });

  it('has the unit word of OpenMetrics at the end of its family name', () => {
    if (metric.unitWord !== '') expect(metric.familyName.endsWith(`_${metric.unitWord}`)).toBe(true);
    // OpenMetrics: "_total", "_created", "_bucket", "_sum", "_count" and "_info" (but for type info) are suffixes of samples.
    if (metric.kind !== 'counter') expect(name).not.toMatch(/_(?:total|created|bucket|sum|count)$/);
  });

  it('says in a sentence what it is, and how many series there can be', () => {
    expect(metric.help).toMatch(/^[A-Z0-9].*\.$/s);
    expect(metric.help).not.toContain('\n');
    expect(metric.bound).not.toBe('');
  });
});

describe('the catalogue', () => {
  it('has each key, OTLP name and Prometheus name once, samples of histograms and counters included', () => {
    const samples = all.flatMap(({ kind, name }) =>
      kind === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    );
    const created = all.flatMap(({ kind, familyName }) => (kind === 'gauge' ? [] : [`${familyName}_created`]));
    for (const names of [
      all.map(({ key }) => key),
      all.map(({ otlpName }) => otlpName),
      all.map(({ familyName }) => familyName),
      [...samples, ...created],
    ]) {
      expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    }
  });

  it('lists every group of metrics that the module defines', () => {
    const groups = Object.entries(catalogue).filter(([name]) => name.endsWith('Metrics') && name !== 'ownMetrics');
    expect(groups.length).toBeGreaterThan(3);
    expect(new Set(catalogue.ownMetrics)).toEqual(new Set(groups.flatMap(([, group]) => Object.values(group))));
  });

  it('keeps one dotted name from being the beginning of another one', () => {
    // A namespace and a metric of one name cannot both be stored by some OTLP backends.
    const names = all.map(({ otlpName }) => otlpName);
    expect(names.filter((name) => names.some((other) => other.startsWith(`${name}.`)))).toEqual([]);
  });

  it('refuses a unit that it has no word for', () => {
    const definition = {
      otlpName: 'x.y',
      kind: 'gauge',
      unit: 'furlong',
      labels: [],
      help: 'X.',
      bound: 'one',
    } as const;
    expect(() => defineMetric('x', definition)).toThrow('metric x: no Prometheus word is known for the unit "furlong"');
  });
});

describe('the number of series that a metric names', () => {
  // What an exporter with one session of one source wrote: series of closed lists are there from the first scrape.
  const families = readExposition(readFileSync(fixturePath('golden.prom')), 'text');
  const owners: readonly (readonly [words: RegExp, labels: readonly string[]])[] = [
    [/ for each prefix| for each source that carries the prefix/, ['prefix']],
    [/ for each session/, ['source', 'session']],
    [/ for each source/, ['source']],
  ];

  /** Series of each owner; of a histogram its buckets. */
  function seriesOf({ name, kind, bound }: Metric): number[] {
    const sample = kind === 'histogram' ? `${name}_bucket` : name;
    const [, labels] = owners.find(([words]) => words.test(bound)) ?? [undefined, []];
    const counts = new Map<string, number>();
    for (const { samples } of families.values())
      for (const each of samples)
        if (each.name === sample) {
          const owner = labels.map((label) => each.labels[label]).join();
          counts.set(owner, (counts.get(owner) ?? 0) + 1);
        }
    return [...counts.values()];
  }

  const counted = all.flatMap((metric) => {
    const [number] = /^\d+\b(?! \(table)/.exec(metric.bound) ?? [];
    const series = seriesOf(metric);
    return number === undefined || series.length === 0 ? [] : [{ metric, number: Number(number), series }];
  });

  it.each(counted.map((one) => [one.metric.name, one] as const))('is that of %s', (_, { metric, number, series }) => {
    // Of a gauge some may be absent.
    if (metric.kind === 'gauge') expect(Math.max(...series)).toBeLessThanOrEqual(number);
    else expect(series).toEqual(series.map(() => number));
  });

  it('is looked at where there is a closed list', () => {
    expect(counted.length).toBeGreaterThan(15);
  });

  it('counts the paths that the web server knows, and other', () => {
    const { methods } = knownPaths({ telemetryPath: '/metrics', page: {} });
    expect(MAX_COUNTED_PATHS).toBe(methods.size + 1);
  });
});
