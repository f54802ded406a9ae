import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeltaConverter } from '../../../src/outputs/otlp/delta.ts';
import { ProtobufSerializer } from '../../../src/outputs/otlp/encoding/protobuf-serializer.ts';
import { hrTime, type OwnMetricData } from '../../../src/outputs/otlp/metric-data.ts';
import { Collection } from '../../../src/outputs/otlp/producer.ts';
import { runs } from '../../support/property-runs.ts';
import { type DecodedMetric, type DecodedPoint, decodeProtobuf } from './decode.ts';
import { announcements, delay, START_MS, smallWorld, visible, World } from './world.ts';

const serializer = new ProtobufSerializer();
const all = () => true;

function collect(world: World, atMs: number): OwnMetricData[] {
  return new Collection().of(world.collect(), hrTime(atMs), (error) => {
    throw error;
  });
}

/** What a receiver would read. */
function sent(metrics: readonly OwnMetricData[]): Map<string, DecodedMetric> {
  const scope = { name: 'bgproutes-exporter' };
  const { metrics: decoded } = decodeProtobuf(serializer.serialize({ resource: { attributes: {} }, scope, metrics }));
  return new Map(decoded.map((metric) => [metric.name, metric]));
}

const point = (metrics: Map<string, DecodedMetric>, name: string, i = 0): DecodedPoint => {
  const found = metrics.get(name)?.points[i];
  if (found === undefined) throw new Error(`no point ${i} of ${name}`);
  return found;
};
const ns = (ms: number) => BigInt(ms) * 1_000_000n;

describe('the first delta', () => {
  it('is all that was counted, since the count began', () => {
    const { metrics } = new DeltaConverter(all).convert(collect(smallWorld(), START_MS + 60_000));
    const decoded = sent(metrics);
    expect(decoded.get(announcements.otlpName)?.temporality).toBe('delta');
    expect(point(decoded, announcements.otlpName, 2)).toEqual({
      attributes: { prefix: '2001:db8::/32' },
      start: ns(START_MS),
      time: ns(START_MS + 60_000),
      value: 2_000,
    });
  });

  it('leaves out what had been counted at the start: an earlier process exported it', () => {
    const world = smallWorld();
    const deltas = new DeltaConverter(all);
    deltas.skip(collect(world, START_MS + 1_000));
    world.set(announcements, ['2001:db8::/32'], 2_005);
    const { metrics } = deltas.convert(collect(world, START_MS + 61_000));
    expect(point(sent(metrics), announcements.otlpName, 2)).toMatchObject({
      start: ns(START_MS + 1_000),
      time: ns(START_MS + 61_000),
      value: 5,
    });
    expect(point(sent(metrics), delay.otlpName).value).toEqual({
      bounds: [0.5, 1, 60],
      counts: [0, 0, 0, 0],
      sum: 0,
      count: 0,
    });
  });
});

describe('the next delta', () => {
  it('is what came since the last one that was delivered', () => {
    const world = smallWorld();
    const deltas = new DeltaConverter(all);
    deltas.convert(collect(world, START_MS + 60_000)).commit();
    world.set(announcements, ['192.0.2.0/24'], 7);
    world.set(delay, ['0'], { bounds: [0.5, 1, 60], counts: [6, 1, 2, 1], sum: 101, count: 10 });
    const lost = deltas.convert(collect(world, START_MS + 120_000));
    expect(point(sent(lost.metrics), announcements.otlpName).value).toBe(7);
    // Not committed: the collector did not get it.
    world.set(announcements, ['192.0.2.0/24'], 10);
    const decoded = sent(deltas.convert(collect(world, START_MS + 180_000)).metrics);
    expect(point(decoded, announcements.otlpName)).toMatchObject({
      start: ns(START_MS + 60_000),
      time: ns(START_MS + 180_000),
      value: 10,
    });
    expect(point(decoded, delay.otlpName)).toMatchObject({
      start: ns(START_MS + 60_000),
      value: { bounds: [0.5, 1, 60], counts: [1, 1, 0, 0], sum: 1.25, count: 2 },
    });
  });

  it('begins at 0 again for a count that did', () => {
    const world = smallWorld();
    const deltas = new DeltaConverter(all);
    deltas.convert(collect(world, START_MS + 60_000)).commit();
    world.set(announcements, ['2001:db8::/32'], 3);
    const decoded = sent(deltas.convert(collect(world, START_MS + 120_000)).metrics);
    expect(point(decoded, announcements.otlpName, 2)).toMatchObject({ start: ns(START_MS), value: 3 });
  });

  it('of a series that was away is all of it again', () => {
    const world = smallWorld();
    const deltas = new DeltaConverter(all);
    const deliver = (atMs: number) => {
      const metrics = collect(world, atMs);
      deltas.convert(metrics).commit();
      deltas.retain(metrics);
    };
    deliver(START_MS + 60_000);
    world.remove(announcements, ['2001:db8::/32']);
    deliver(START_MS + 120_000);
    world.set(announcements, ['2001:db8::/32'], 2_001);
    const decoded = sent(deltas.convert(collect(world, START_MS + 180_000)).metrics);
    expect(point(decoded, announcements.otlpName, 2)).toMatchObject({ start: ns(START_MS), value: 2_001 });
  });

  it('leaves gauges, and what is not asked for, as they are', () => {
    const metrics = collect(smallWorld(), START_MS + 60_000);
    const deltas = new DeltaConverter((metric) => metric.descriptor.name === delay.otlpName);
    const converted = deltas.convert(metrics).metrics;
    expect(sent(converted).get(visible.otlpName)?.temporality).toBeUndefined();
    expect(sent(converted).get(announcements.otlpName)?.temporality).toBe('cumulative');
    expect(sent(converted).get(delay.otlpName)?.temporality).toBe('delta');
    expect(converted.slice(0, 4)).toEqual(metrics.slice(0, 4));
  });
});

describe('deltas added up', () => {
  it('are the count, without gap or overlap in time, whatever is lost and in whatever parts it is delivered', () => {
    const step = fc.record({
      prefix: fc.nat(4),
      add: fc.nat(1_000),
      // The first few metrics of the export, as a request that was the last to be accepted.
      delivered: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        const deltas = new DeltaConverter(all);
        const truth = new Map<string, number>();
        const received = new Map<string, { total: number; end: bigint }>();
        for (const [i, { prefix, add, delivered }] of [...steps, { prefix: 0, add: 1, delivered: 3 }].entries()) {
          const name = `10.${prefix}.0.0/16`;
          truth.set(name, (truth.get(name) ?? 0) + add);
          world.set(announcements, [name], truth.get(name) ?? 0);
          world.set(delay, [name], {
            bounds: [1],
            counts: [truth.get(name) ?? 0, 0],
            sum: 1,
            count: truth.get(name) ?? 0,
          });
          world.set(visible, [name], i);
          const metrics = collect(world, START_MS + 1_000 * (i + 1));
          for (const part of metrics.slice(0, delivered)) {
            const { metrics: converted, commit } = deltas.convert([part]);
            for (const metric of sent(converted).values()) {
              if (metric.temporality !== 'delta') continue;
              for (const { attributes, start, time, value } of metric.points) {
                const id = `${metric.name} ${Object.values(attributes).join()}`;
                const before = received.get(id);
                expect(start).toBe(before?.end ?? ns(START_MS));
                const count = typeof value === 'number' ? value : (value?.count ?? Number.NaN);
                expect(count).toBeGreaterThanOrEqual(0);
                received.set(id, { total: (before?.total ?? 0) + count, end: time });
              }
            }
            commit();
          }
          if (delivered === 3) deltas.retain(metrics);
        }
        for (const [name, total] of truth) {
          expect(received.get(`${announcements.otlpName} ${name}`)?.total).toBe(total);
          expect(received.get(`${delay.otlpName} ${name}`)?.total).toBe(total);
        }
      }),
      runs(60),
    );
  });
});
