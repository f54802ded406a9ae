import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Labels, type Metric } from '../../../src/metrics/metric.ts';
import { hrTime, type OwnMetricData } from '../../../src/outputs/otlp/metric-data.ts';
import { Collection } from '../../../src/outputs/otlp/producer.ts';
import { type Held, VanishedSeries } from '../../../src/outputs/otlp/vanished-series.ts';
import { runs } from '../../support/property-runs.ts';
import { announcements, delay, METRICS, START_MS, smallWorld, visible, World } from './world.ts';

function collect(world: World): OwnMetricData[] {
  return new Collection().of(world.collect(), hrTime(START_MS), (error) => {
    throw error;
  });
}

const names = (metrics: readonly OwnMetricData[]) =>
  metrics.flatMap(({ descriptor, dataPoints }) =>
    dataPoints.map(({ attributes }) => `${descriptor.name} ${Object.values(attributes).join()}`),
  );

describe('series that vanished', () => {
  it('are those that the last accepted export had and this one has not, each as a metric of its own', () => {
    const world = smallWorld();
    const vanished = new VanishedSeries();
    vanished.settle(collect(world), 'yes');
    world.remove(visible, ['192.0.2.0/24']);
    world.remove(visible, ['2001:db8::/32']);
    const gone = vanished.pointsFor(collect(world), hrTime(START_MS + 5));
    expect(gone.map(({ dataPoints }) => dataPoints.length)).toEqual([1, 1]);
    expect(gone[0]).toMatchObject({
      descriptor: { name: visible.otlpName, unit: '{vp}' },
      dataPoints: [{ gone: true, attributes: { prefix: '192.0.2.0/24' }, endTime: hrTime(START_MS + 5) }],
    });
  });

  it('that are histograms keep their bounds, so that Prometheus ends each bucket and the sum', () => {
    const world = smallWorld();
    const vanished = new VanishedSeries();
    vanished.settle(collect(world), 'yes');
    world.remove(delay, ['0']);
    for (const held of ['maybe', 'yes'] as const) {
      const [{ dataPoints }] = vanished.pointsFor(collect(world), hrTime(0));
      expect(dataPoints[0]).toMatchObject({
        gone: true,
        attributes: { session: '0' },
        value: { buckets: { boundaries: [0.5, 1, 60], counts: [0, 0, 0, 0] }, sum: 0, count: 0 },
      });
      vanished.settle(collect(world), held);
    }
  });

  it('stay so until an export is accepted, and no longer', () => {
    const world = smallWorld();
    const vanished = new VanishedSeries();
    vanished.settle(collect(world), 'yes');
    world.remove(visible, ['192.0.2.0/24']);
    for (const held of ['no', 'maybe', 'yes'] as const) {
      expect(names(vanished.pointsFor(collect(world), hrTime(0)))).toEqual([`${visible.otlpName} 192.0.2.0/24`]);
      vanished.settle(collect(world), held);
    }
    expect(vanished.pointsFor(collect(world), hrTime(0))).toEqual([]);
  });

  it('include what a collector may have got although it did not say so', () => {
    const world = smallWorld();
    const vanished = new VanishedSeries();
    world.set(visible, ['203.0.113.0/24'], 1);
    vanished.settle(collect(world), 'maybe');
    world.remove(visible, ['203.0.113.0/24']);
    expect(names(vanished.pointsFor(collect(world), hrTime(0)))).toEqual([`${visible.otlpName} 203.0.113.0/24`]);
  });

  it('are not those whose labels are there as another object', () => {
    const world = smallWorld();
    const vanished = new VanishedSeries();
    vanished.settle(collect(world), 'yes');
    const points = [...(world.series.get(visible) ?? [])];
    world.series.set(visible, new Map(points.map(([{ keys, values }, value]) => [new Labels(keys, values), value])));
    expect(vanished.pointsFor(collect(world), hrTime(0))).toEqual([]);
  });

  it('are told apart by metric although their labels are one object', () => {
    const world = new World();
    const labels = new Labels(['prefix'], ['192.0.2.0/24']);
    world.series.set(visible, new Map([[labels, 1]]));
    world.series.set(announcements, new Map([[labels, 1]]));
    const vanished = new VanishedSeries();
    vanished.settle(collect(world), 'yes');
    world.series.delete(visible);
    expect(names(vanished.pointsFor(collect(world), hrTime(0)))).toEqual([`${visible.otlpName} 192.0.2.0/24`]);
  });

  it('leave a collector with just what is there now, whatever came and went and was lost', () => {
    const change = fc.record({
      metric: fc.nat(1),
      prefix: fc.nat(5),
      there: fc.boolean(),
      held: fc.constantFrom<Held>('yes', 'yes', 'no', 'maybe'),
      arrives: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
        const world = new World();
        const vanished = new VanishedSeries();
        const collector = new Set<string>();
        const step = (metric: Metric, prefix: number, there: boolean, held: Held, arrives: boolean) => {
          const values = [`10.${prefix}.0.0/16`];
          if (there) world.set(metric, values, prefix);
          else world.remove(metric, values);
          const metrics = collect(world);
          const gone = vanished.pointsFor(metrics, hrTime(0));
          if (arrives) {
            for (const name of names(metrics)) collector.add(name);
            for (const name of names(gone)) collector.delete(name);
          }
          vanished.settle(metrics, held);
          return metrics;
        };
        for (const { metric, prefix, there, held, arrives } of changes) {
          step(METRICS[metric], prefix, there, held, held === 'yes' || (held === 'maybe' && arrives));
        }
        const metrics = step(visible, 0, true, 'yes', true);
        expect([...collector].sort()).toEqual(names(metrics).sort());
      }),
      runs(100),
    );
  });
});
