/**
 * `npm run fuzz -- --runs=N --seed=N --only=NAME`: so many inputs, divided among all kinds or all of one. Exit code 1 and the
 * input with the first that something does not hold for.
 */
import { parseArgs } from 'node:util';
import { TARGETS } from './targets.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
    only: { type: 'string', default: '' },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed))
  throw new Error('--runs and --seed: expected whole numbers');
const chosen = TARGETS.filter(({ name }) => name.includes(values.only));
const shares = chosen.reduce((sum, { share }) => sum + share, 0);
for (const { name, share, run } of chosen) {
  const own = Math.ceil((runs * share) / shares);
  const beganMs = performance.now();
  const sensible = await run(own, seed);
  const seconds = Math.round((performance.now() - beganMs) / 1_000);
  process.stdout.write(`${name}: ${own} inputs in ${seconds} s, seed ${seed}, ${sensible} made sense, all held\n`);
}
