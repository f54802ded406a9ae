import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defineMetric,
  type FamilySource,
  Labels,
  type Metric,
  type PointGroup,
  type PointSink,
} from '../../../src/metrics/metric.ts';
import type { ExpositionFormat } from '../../../src/outputs/text/negotiation.ts';
import { TextWriter } from '../../../src/outputs/text/prometheus.ts';
import { formatNumber } from '../../../src/outputs/text/text-bytes.ts';
import { readExposition, seriesOf } from '../../support/exposition.ts';
import { runs } from '../../support/property-runs.ts';

const FORMATS: readonly ExpositionFormat[] = ['text', 'openmetrics'];

function metric(otlpName: string, kind: Metric['kind'], unit = '', help = 'Help.'): Metric {
  return defineMetric(otlpName, { otlpName, kind, unit, labels: [], help, bound: 'one' });
}

const GAUGE = metric('bgp.some.thing', 'gauge', '{vp}');
const COUNTER = metric('bgp.received', 'counter', 'By', 'Bytes "in" C:\\\nsecond line');
const HISTOGRAM = metric('bgp.delay', 'histogram', 's');
const METRICS = [GAUGE, COUNTER, HISTOGRAM];

type Points = ReadonlyMap<Metric, (sink: PointSink) => void>;

/** A group whose points are set from outside. */
class FreeGroup implements PointGroup {
  readonly startTimeMs = 0;
  version = 0;
  points: Points = new Map();

  set(points: Points): void {
    this.points = points;
    this.version++;
  }

  visit(metric: Metric, sink: PointSink): void {
    this.points.get(metric)?.(sink);
  }
}

const labels = (values: Readonly<Record<string, string>>) => new Labels(Object.keys(values), Object.values(values));
const number = (of: Labels, value: number) => (sink: PointSink) => sink.number(of, value);
const source = (...groups: readonly PointGroup[]): FamilySource => ({ metrics: METRICS, groups });
const render = (format: ExpositionFormat, ...groups: readonly PointGroup[]) =>
  new TextWriter(format).render([source(...groups)]).toString();

function group(...points: readonly (readonly [Metric, (sink: PointSink) => void])[]): FreeGroup {
  const made = new FreeGroup();
  made.set(new Map(points));
  return made;
}

describe('the two formats, line by line', () => {
  const histogram = (sink: PointSink) =>
    sink.histogram(labels({ session: '0' }), { bounds: [0.1, 1, 5], counts: [2, 0, 3, 1], sum: 17.25, count: 6 });
  const all = group(
    [GAUGE, number(labels({ prefix: '198.51.100.0/24' }), 1.5)],
    [COUNTER, number(Labels.none, 7)],
    [HISTOGRAM, histogram],
  );

  it('Prometheus text 0.0.4', () => {
    expect(render('text', all)).toBe(
      [
        '# HELP bgp_some_thing Help.',
        '# TYPE bgp_some_thing gauge',
        'bgp_some_thing{prefix="198.51.100.0/24"} 1.5',
        '# HELP bgp_received_bytes_total Bytes "in" C:\\\\\\nsecond line',
        '# TYPE bgp_received_bytes_total counter',
        'bgp_received_bytes_total 7',
        '# HELP bgp_delay_seconds Help.',
        '# TYPE bgp_delay_seconds histogram',
        'bgp_delay_seconds_bucket{session="0",le="0.1"} 2',
        'bgp_delay_seconds_bucket{session="0",le="1"} 2',
        'bgp_delay_seconds_bucket{session="0",le="5"} 5',
        'bgp_delay_seconds_bucket{session="0",le="+Inf"} 6',
        'bgp_delay_seconds_sum{session="0"} 17.25',
        'bgp_delay_seconds_count{session="0"} 6',
        '',
      ].join('\n'),
    );
  });

  it('OpenMetrics 1.0: counters without _total in their headers, units, canonical bounds, the end', () => {
    expect(render('openmetrics', all)).toBe(
      [
        '# HELP bgp_some_thing Help.',
        '# TYPE bgp_some_thing gauge',
        'bgp_some_thing{prefix="198.51.100.0/24"} 1.5',
        '# HELP bgp_received_bytes Bytes \\"in\\" C:\\\\\\nsecond line',
        '# TYPE bgp_received_bytes counter',
        '# UNIT bgp_received_bytes bytes',
        'bgp_received_bytes_total 7',
        '# HELP bgp_delay_seconds Help.',
        '# TYPE bgp_delay_seconds histogram',
        '# UNIT bgp_delay_seconds seconds',
        'bgp_delay_seconds_bucket{session="0",le="0.1"} 2',
        'bgp_delay_seconds_bucket{session="0",le="1.0"} 2',
        'bgp_delay_seconds_bucket{session="0",le="5.0"} 5',
        'bgp_delay_seconds_bucket{session="0",le="+Inf"} 6',
        'bgp_delay_seconds_sum{session="0"} 17.25',
        'bgp_delay_seconds_count{session="0"} 6',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  it('a histogram without labels has no braces but those of its bounds', () => {
    const bare = group([
      HISTOGRAM,
      (sink) => sink.histogram(Labels.none, { bounds: [1], counts: [0, 1], sum: 2, count: 1 }),
    ]);
    expect(render('text', bare)).toContain(
      'bgp_delay_seconds_bucket{le="1"} 0\nbgp_delay_seconds_bucket{le="+Inf"} 1\nbgp_delay_seconds_sum 2\nbgp_delay_seconds_count 1\n',
    );
  });

  it('a family without points has no header, and nothing at all is an empty text', () => {
    expect(render('text', group([COUNTER, number(Labels.none, 1)]))).not.toContain('bgp_some_thing');
    expect(render('text', group())).toBe('');
    expect(render('openmetrics', group())).toBe('# EOF\n');
    expect(render('text')).toBe('');
  });

  it('groups of one family stand together, in their order', () => {
    const a = group([GAUGE, number(labels({ p: 'a' }), 1)], [COUNTER, number(labels({ p: 'a' }), 2)]);
    const b = group([GAUGE, number(labels({ p: 'b' }), 3)], [COUNTER, number(labels({ p: 'b' }), 4)]);
    const samples = render('text', a, b)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(samples).toEqual([
      'bgp_some_thing{p="a"} 1',
      'bgp_some_thing{p="b"} 3',
      'bgp_received_bytes_total{p="a"} 2',
      'bgp_received_bytes_total{p="b"} 4',
    ]);
  });
});

describe('values', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [1, '1'],
    [0.1, '0.1'],
    [-2.5, '-2.5'],
    [1_700_000_000.123456, '1700000000.123456'],
    [1e21, '1e+21'],
    [1e-7, '1e-7'],
    [2 ** 53, '9007199254740992'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ])('%d is written %s', (value, text) => expect(formatNumber(value)).toBe(text));

  it('labels of any text come back, in both formats', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({
        unit: fc.constantFrom('"', '\\', '\n', 'n', '\r', '\t', '{', '}', ',', '=', '#', ' ', 'ü', '\u2028'),
      }),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(text, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(...FORMATS),
        (values, format) => {
          const groups = values.map((value, i) => group([GAUGE, number(labels({ a: value, b: 'x' }), i)]));
          const families = readExposition(new TextWriter(format).render([source(...groups)]), format);
          const read = (families.get('bgp_some_thing')?.samples ?? []).map((sample) => [sample.labels.a, sample.value]);
          expect(read).toEqual(values.map((value, i) => [value, i]));
        },
      ),
      runs(300),
    );
  });

  it('half a surrogate pair becomes a replacement character, not broken UTF-8', () => {
    const body = new TextWriter('text').render([source(group([GAUGE, number(labels({ a: 'x\ud800y' }), 1)]))]);
    expect(body.toString('utf8')).toContain('a="x\ufffdy"');
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(body)).not.toThrow();
  });
});

describe('a group that throws', () => {
  const broken = (lines: number) =>
    group(
      [
        GAUGE,
        (sink) => {
          for (let i = 0; i < lines; i++) sink.number(labels({ broken: String(i) }), i);
          throw new Error('of a bug');
        },
      ],
      [COUNTER, number(labels({ p: 'broken' }), 9)],
    );
  const fine = (p: string) => group([GAUGE, number(labels({ p }), 1)], [COUNTER, number(labels({ p }), 2)]);

  it.each(FORMATS)('costs only its lines of that metric (%s)', (format) => {
    const told: unknown[] = [];
    const writer = new TextWriter(format, (error, metric) => told.push(`${metric.name}: ${(error as Error).message}`));
    const body = writer.render([source(fine('a'), broken(2), fine('b'))]);
    expect([...seriesOf(readExposition(body, format))]).toEqual([
      ['bgp_some_thing{p="a"}', 1],
      ['bgp_some_thing{p="b"}', 1],
      ['bgp_received_bytes_total{p="a"}', 2],
      ['bgp_received_bytes_total{p="broken"}', 9],
      ['bgp_received_bytes_total{p="b"}', 2],
    ]);
    expect(told).toEqual(['bgp_some_thing: of a bug']);
  });

  it.each(FORMATS)('as one does that gives a point of another kind than its metric (%s)', (format) => {
    const told: string[] = [];
    const writer = new TextWriter(format, (error, metric) => told.push(`${metric.name}: ${(error as Error).message}`));
    const value = { bounds: [1], counts: [0, 0], sum: 0, count: 0 };
    const confused = group(
      [GAUGE, (sink) => sink.histogram(labels({ p: 'confused' }), value)],
      [HISTOGRAM, number(labels({ p: 'confused' }), 1)],
    );
    const body = writer.render([source(confused, fine('b'))]);
    expect([...seriesOf(readExposition(body, format)).keys()]).toEqual([
      'bgp_some_thing{p="b"}',
      'bgp_received_bytes_total{p="b"}',
    ]);
    expect(told).toEqual([GAUGE, HISTOGRAM].map(({ name }) => `${name}: a point of another kind than its metric`));
  });

  it('takes no header with it when it is alone', () => {
    expect(render('text', broken(1))).not.toContain('bgp_some_thing');
  });

  it('is asked again at the next body, changed or not: a fault that passes leaves no hole', () => {
    let faulty = true;
    const unsteady = group([
      GAUGE,
      (sink) => {
        if (faulty) throw new Error('for now');
        sink.number(labels({ p: 'b' }), 5);
      },
    ]);
    const writer = new TextWriter('text');
    const sources = [source(fine('a'), unsteady)];
    expect(writer.render(sources).toString()).not.toContain('p="b"');
    faulty = false;
    expect(writer.render(sources).toString()).toContain('bgp_some_thing{p="b"} 5\n');
  });
});

describe('a body written in turns', () => {
  /** Groups that take so long that others have their turn before all are asked. */
  class SlowGroup extends FreeGroup {
    override visit(metric: Metric, sink: PointSink): void {
      const until = performance.now() + 0.1;
      while (performance.now() < until);
      super.visit(metric, sink);
    }
  }
  const slow = (name: string, value: number) => {
    const made = new SlowGroup();
    made.set(
      new Map([
        [GAUGE, number(labels({ name }), value)],
        [COUNTER, number(labels({ name }), value)],
      ]),
    );
    return made;
  };
  const valuesOf = (body: Buffer) => [...seriesOf(readExposition(body, 'text')).values()];

  it('has each group of one moment, and lets others have their turn', async () => {
    const groups = [...Array(300).keys()].map((i) => slow(`g${i}`, 0));
    const writer = new TextWriter('text');
    let turns = 0;
    let writing = true;
    const others = () => {
      turns++;
      for (const [i, one] of groups.entries()) {
        const same = number(labels({ name: `g${i}` }), turns);
        one.set(
          new Map([
            [GAUGE, same],
            [COUNTER, same],
          ]),
        );
      }
      if (writing) setImmediate(others);
    };
    setImmediate(others);
    const body = (await writer.renderInTurns(() => [source(...groups)])).toString();
    writing = false;
    expect(turns).toBeGreaterThan(3);
    const seen = groups.map((_, i) =>
      [...body.matchAll(new RegExp(`name="g${i}"} (\\d+)`, 'g'))].map(([, value]) => Number(value)),
    );
    for (const values of seen) expect(values).toEqual([values[0], values[0]]);
    // Not of one moment altogether, or nothing happened between its turns.
    expect(new Set(seen.flat()).size).toBeGreaterThan(2);
    // What changed after a group was asked is in the next body.
    await new Promise(setImmediate);
    const next = await writer.renderInTurns(() => [source(...groups)]);
    expect(next.toString()).toBe(render('text', ...groups));
  });

  it('waits for the one before it, and asks for what there is then', async () => {
    const one = slow('a', 1);
    const writer = new TextWriter('text');
    const collected: string[] = [];
    const bodies = ['first', 'second', 'third'].map((name) =>
      writer.renderInTurns(() => {
        collected.push(name);
        return [source(one, ...[...Array(100).keys()].map((i) => slow(`${name}${i}`, i)))];
      }),
    );
    await new Promise(setImmediate);
    expect(collected).toEqual(['first']);
    expect(() => writer.render([source(one)])).toThrow('a body is being written');
    one.set(new Map([[GAUGE, number(labels({ name: 'a' }), 7)]]));
    expect((await Promise.all(bodies)).map((body) => body.includes('name="a"} 7'))).toEqual([false, true, true]);
    expect(valuesOf(writer.render([source(one)]))).toHaveLength(1);
  });

  it('that fails does not keep the next from being written', async () => {
    const writer = new TextWriter('text');
    const failed = writer.renderInTurns(() => {
      throw new Error('nothing to collect');
    });
    const next = writer.renderInTurns(() => [source(slow('a', 5))]);
    await expect(failed).rejects.toThrow('nothing to collect');
    expect(valuesOf(await next)).toEqual([5, 5]);
  });
});

describe('copying what did not change', () => {
  /** Points of a group at one time: by metric how many lines, and a value. */
  const state = fc.record({
    gauge: fc.nat(3),
    counter: fc.nat(2),
    histogram: fc.boolean(),
    value: fc.nat(10 ** 6),
    label: fc.string({ unit: 'grapheme', maxLength: 5 }),
  });
  type State = typeof state extends fc.Arbitrary<infer S> ? S : never;
  const kept = new Map<string, Labels>();
  const keptLabels = (values: Readonly<Record<string, string>>) => {
    const key = JSON.stringify(values);
    let known = kept.get(key);
    if (known === undefined) kept.set(key, (known = labels(values)));
    return known;
  };

  const pointsOf = (name: string, { gauge, counter, histogram, value, label }: State): Points =>
    new Map<Metric, (sink: PointSink) => void>([
      [
        GAUGE,
        (sink) =>
          [...Array(gauge).keys()].forEach((i) => {
            sink.number(keptLabels({ name, label, i: String(i) }), value + i);
          }),
      ],
      [
        COUNTER,
        (sink) =>
          [...Array(counter).keys()].forEach((i) => {
            sink.number(keptLabels({ name, i: String(i) }), value);
          }),
      ],
      [
        HISTOGRAM,
        (sink) => {
          if (histogram)
            sink.histogram(keptLabels({ name }), { bounds: [1], counts: [value, 1], sum: value, count: value + 1 });
        },
      ],
    ]);

  it('gives the bytes that a new writer gives, whatever changes, comes and goes between two bodies', () => {
    const step = fc.record({
      change: fc.array(fc.tuple(fc.nat(5), state), { maxLength: 4 }),
      /** Which groups are there, by source; undefined: as before. */
      members: fc.option(fc.tuple(fc.subarray([0, 1, 2, 3]), fc.subarray([4, 5])), { nil: undefined }),
      sources: fc.constantFrom(2, 2, 2, 1),
      /** Whether the body's reader is done with it at once. */
      release: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.constantFrom(...FORMATS), fc.array(step, { maxLength: 12 }), (format, steps) => {
        const groups = [...Array(6)].map(() => new FreeGroup());
        const writer = new TextWriter(format);
        let lists: PointGroup[][] = [groups.slice(0, 4), groups.slice(4)];
        const bodies: [Buffer, string][] = [];
        for (const { change, members, sources, release } of steps) {
          for (const [i, of] of change) groups[i].set(pointsOf(`g${i}`, of));
          if (members !== undefined) lists = members.map((list) => list.map((i) => groups[i]));
          const given = lists.slice(0, sources).map((list) => source(...list));
          const body = writer.render(given);
          expect(body.toString()).toBe(new TextWriter(format).render(given).toString());
          if (release) writer.release(body);
          else bodies.push([body, body.toString()]);
        }
        // a body that was given away is not written to again before its reader is done with it
        for (const [body, text] of bodies) expect(body.toString()).toBe(text);
      }),
      runs(300),
    );
  });

  it('writes a body into memory that nobody reads any more, but never into that of the last one', () => {
    const writer = new TextWriter('text');
    const one = new FreeGroup();
    const bodies = Array.from({ length: 6 }, (_, i) => {
      one.set(new Map([[GAUGE, number(labels({ p: 'a' }), i)]]));
      const body = writer.render([source(one)]);
      expect(body.toString()).toContain(`bgp_some_thing{p="a"} ${i}\n`);
      if (i !== 2) writer.release(body);
      return body.buffer;
    });
    // The third is still read.
    expect(bodies.map((memory) => bodies.indexOf(memory))).toEqual([0, 1, 0, 1, 4, 1]);
  });

  it('grows past any size', () => {
    const writer = new TextWriter('text');
    const big = new FreeGroup();
    const sources = [source(group([GAUGE, number(labels({ p: 'first' }), 1)]), big)];
    for (const lines of [1, 4_000, 3, 9_000]) {
      big.set(
        new Map([
          [
            GAUGE,
            (sink: PointSink) => {
              for (let i = 0; i < lines; i++) sink.number(labels({ i: String(i), long: 'ü'.repeat(20) }), i);
            },
          ],
        ]),
      );
      const read = readExposition(writer.render(sources), 'text').get('bgp_some_thing')?.samples;
      expect(read?.length).toBe(lines + 1);
      expect(read?.at(-1)?.value).toBe(lines - 1);
    }
  });
});
