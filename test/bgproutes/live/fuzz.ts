/** `npm run fuzz -- --runs=N --seed=N`: the differential fuzz test of the decoders for as long as one likes. */
import { parseArgs } from 'node:util';
import { fuzzDecoders } from './decoder-fuzz.ts';
import { fuzzCorpora } from './fuzz-corpora.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed))
  throw new Error('--runs and --seed: expected whole numbers');
for (const { name, lines } of fuzzCorpora(50_000)) {
  const result = fuzzDecoders({
    runs,
    seed,
    corpus: lines,
    progress: (run) => {
      if (run % 100_000 === 0) process.stderr.write(`${name}: ${run} of ${runs} runs, seed ${seed}\n`);
    },
  });
  process.stdout.write(`${name}: ${runs} runs, seed ${seed}: no disagreement; ${JSON.stringify(result)}\n`);
}
