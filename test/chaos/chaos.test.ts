/** A short run of `npm run chaos`, which see. */
import { expect, it } from 'vitest';
import { runChaos } from './chaos.ts';

it.each([1, 2])(
  'after faults drawn from seed %i and one heal the table equals the simulator, route by route',
  async (seed) => {
    const result = await runChaos({ seed, faults: 30 });
    expect(result.differences, result.log.slice(-60).join('\n')).toEqual([]);
    expect(result.unexplained, result.log.slice(-60).join('\n')).toEqual([]);
    expect(result.routes).toBeGreaterThan(20);
  },
  240_000,
);
