import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FamilySource, Metric, PointGroup } from '../../../src/metrics/metric.ts';
import { ProtobufSerializer } from '../../../src/outputs/otlp/encoding/protobuf-serializer.ts';
import { hrTime, type OwnMetricData } from '../../../src/outputs/otlp/metric-data.ts';
import { Collection } from '../../../src/outputs/otlp/producer.ts';
import { runs } from '../../support/property-runs.ts';
import { announcements, delay, gap, METRICS, START_MS, visible, World } from './world.ts';

const serializer = new ProtobufSerializer();
const scope = { name: 'bgproutes-exporter' };
const bytes = (metrics: readonly OwnMetricData[]) =>
  Buffer.from(serializer.serialize({ resource: { attributes: {} }, scope, metrics })).toString('hex');

function source(...groups: readonly PointGroup[]): FamilySource {
  return { metrics: METRICS, groups };
}
const fail = (error: unknown): void => {
  throw error;
};

/** Counts its visits, and throws when told to. */
class WatchedWorld extends World {
  visits = 0;
  broken: Metric | undefined;

  override visit(metric: Metric, sink: Parameters<World['visit']>[1]): void {
    this.visits++;
    super.visit(metric, sink);
    if (metric === this.broken) throw new Error(`a bug in ${metric.key}`);
  }
}

describe('a collection', () => {
  it('visits a group that did not change once, and gives its points the time of each collection', () => {
    const [calm, busy] = [new WatchedWorld(), new WatchedWorld()];
    for (const [i, world] of [calm, busy].entries()) world.set(visible, [`10.${i}.0.0/16`], i);
    const collection = new Collection();
    collection.of([source(calm, busy)], hrTime(START_MS), fail);
    busy.set(visible, ['10.1.0.0/16'], 7);
    const [metric] = collection.of([source(calm, busy)], hrTime(START_MS + 60_000), fail);
    expect([calm.visits, busy.visits]).toEqual([METRICS.length, 2 * METRICS.length]);
    expect(metric.dataPoints.map(({ value, endTime }) => [value, endTime])).toEqual([
      [0, hrTime(START_MS + 60_000)],
      [7, hrTime(START_MS + 60_000)],
    ]);
  });

  it('leaves out what a group wrote before it threw, and asks it again although it did not change', () => {
    const [whole, broken] = [new WatchedWorld(), new WatchedWorld()];
    for (const world of [whole, broken]) {
      world.set(visible, ['192.0.2.0/24'], 1);
      world.set(announcements, ['192.0.2.0/24'], 2);
    }
    broken.broken = visible;
    const collection = new Collection();
    const errors: unknown[] = [];
    const sizes = () =>
      collection
        .of([source(whole, broken)], hrTime(START_MS), (error) => errors.push(error))
        .map(({ dataPoints }) => dataPoints.length);
    expect(sizes()).toEqual([1, 2]);
    expect(String(errors)).toBe('Error: a bug in visible');
    broken.broken = undefined;
    expect(sizes()).toEqual([2, 2]);
  });

  it('takes over a group that began to count from 0 again', () => {
    const world = new World();
    const group = { startTimeMs: START_MS, version: 1, visit: world.visit.bind(world) };
    world.set(gap, [], 5);
    const collection = new Collection();
    collection.of([source(group)], hrTime(START_MS), fail);
    group.startTimeMs = START_MS + 1;
    const [metric] = collection.of([source(group)], hrTime(START_MS + 2), fail);
    expect(metric.dataPoints[0].startTime).toEqual(hrTime(START_MS + 1));
  });

  it('is what a new one would be, whatever groups and series came and went, changed or threw', () => {
    const change = fc.record({
      group: fc.nat(5),
      there: fc.boolean(),
      metric: fc.nat(4),
      label: fc.nat(2),
      value: fc.option(fc.nat(9), { nil: undefined }),
      breaks: fc.option(fc.nat(4), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const worlds = Array.from({ length: 6 }, () => new WatchedWorld());
        const present = new Set([0, 1, 2]);
        const cached = new Collection();
        for (const [i, { group, there, metric, label, value, breaks }] of changes.entries()) {
          if (there) present.add(group);
          else present.delete(group);
          const world = worlds[group];
          const values = METRICS[metric].labels.map(() => `${group}-${label}`);
          if (value === undefined) world.remove(METRICS[metric], values);
          else if (METRICS[metric] === delay) {
            world.set(delay, values, { bounds: [1, value + 2], counts: [value, 0, 1], sum: value, count: value + 1 });
          } else world.set(METRICS[metric], values, value);
          world.broken = breaks === undefined ? undefined : METRICS[breaks];
          const groups = worlds.filter((_, n) => present.has(n));
          const sources = [source(...groups), { metrics: [gap], groups: groups.slice(0, 1) }];
          const time = hrTime(START_MS + i);
          expect(bytes(cached.of(sources, time, () => {}))).toBe(bytes(new Collection().of(sources, time, () => {})));
        }
      }),
      runs(150),
    );
  });
});
