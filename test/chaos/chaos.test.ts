/** A short run of `npm run chaos`, which see. */
import { expect, it } from 'vitest';
import { runChaos } from './chaos.ts';
import { SOURCES } from './world.ts';

it.each([
  { seed: 1, sources: SOURCES },
  { seed: 2, sources: SOURCES },
  { seed: 3, sources: ['bgproutes'] as const },
  { seed: 1, sources: ['ris-live'] as const },
])(
  'after faults drawn from seed $seed and one heal the table of $sources equals the simulator, route by route',
  async ({ seed, sources }) => {
    const result = await runChaos({ seed, faults: 30, sources });
    expect(result.differences, result.log.slice(-60).join('\n')).toEqual([]);
    expect(result.unexplained, result.log.slice(-60).join('\n')).toEqual([]);
    expect(result.routes).toBeGreaterThan(20);
  },
  900_000,
);
