import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestsOf } from '../../../../src/outputs/otlp/delivery/requests.ts';
import { hrTime } from '../../../../src/outputs/otlp/metric-data.ts';
import { Collection } from '../../../../src/outputs/otlp/producer.ts';
import { runs } from '../../../support/property-runs.ts';
import { delay, METRICS, smallWorld, World } from '../world.ts';

const fail = (error: unknown) => {
  throw error;
};

describe('requests', () => {
  it('are one for a small export', () => {
    const metrics = new Collection().of(smallWorld().collect(), hrTime(0), fail);
    expect([...requestsOf(metrics)]).toEqual([metrics]);
    expect([...requestsOf([])]).toEqual([]);
  });

  it('have every point once and in order, and no more numbers than fit', () => {
    const sizes = fc.array(fc.nat(30), { minLength: METRICS.length, maxLength: METRICS.length });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 40 }), (counts, max) => {
        const world = new World();
        for (const [i, count] of counts.entries()) {
          for (let n = 0; n < count; n++) {
            const value = METRICS[i] === delay ? { bounds: [], counts: [n], sum: n, count: n } : n;
            world.set(
              METRICS[i],
              METRICS[i].labels.map(() => `${n}`),
              value,
            );
          }
        }
        const metrics = new Collection().of(world.collect(), hrTime(0), fail);
        const requests = [...requestsOf(metrics, max)];
        const points = (list: typeof metrics) =>
          list.flatMap(({ descriptor, dataPoints }) => dataPoints.map((point) => [descriptor.name, point]));
        expect(points(requests.flat())).toEqual(points(metrics));
        for (const request of requests) {
          const numbers = request.map(({ dataPoints, descriptor }) =>
            descriptor.name === delay.otlpName ? dataPoints.length * 5 : dataPoints.length,
          );
          // A histogram that fits in no request is one of its own.
          const size = numbers.reduce((sum, count) => sum + count, 0);
          expect(size > 0 && (size <= max || size === 5)).toBe(true);
          expect(request.every(({ dataPoints }) => dataPoints.length > 0)).toBe(true);
        }
      }),
      runs(100),
    );
  });
});
