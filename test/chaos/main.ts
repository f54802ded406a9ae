/** `npm run chaos -- --seeds=20 --faults=200`: the long run, with progress. */
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { SOURCES } from './world.ts';

const USAGE = `Usage: npm run chaos -- [flags]

  --seeds=N    How many runs, each with faults drawn from a seed of its own. Default 20.
  --faults=N   Faults in each. Default 200: two to three minutes a run.
  --from=N     The first seed. Default 1.
  --sources=S  bgproutes, ris-live, or both with a comma: the order is the precedence. Default bgproutes,ris-live.
  --log        Print the exporter's last log lines of a run that failed.
`;

function flags() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20' },
      faults: { type: 'string', default: '200' },
      from: { type: 'string', default: '1' },
      sources: { type: 'string', default: SOURCES.join() },
      log: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const numbers = [values.seeds, values.faults, values.from].map(Number);
  if (!numbers.every((number) => Number.isSafeInteger(number) && number >= 1)) throw new TypeError('expected numbers');
  const sources = values.sources.split(',').map((text) => SOURCES.find((source) => source === text));
  if (!sources.every((source) => source !== undefined))
    throw new TypeError(`sources: expected ${SOURCES.join(' or ')}`);
  return { ...values, numbers, sources };
}

let values: ReturnType<typeof flags>;
try {
  values = flags();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(2);
}
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const { sources } = values;
const [seeds, faults, from] = values.numbers;
let failed = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const start = Date.now();
  const onProgress = process.stderr.isTTY ? (text: string) => process.stderr.write(`\r\x1b[K${text}`) : () => {};
  try {
    const { done, routes, differences, unexplained, corrections, log } = await runChaos({
      seed,
      faults,
      sources,
      onProgress,
    });
    const ok = differences.length === 0 && unexplained.length === 0;
    if (!ok) failed++;
    onProgress('');
    console.log(
      `seed ${seed}: ${ok ? 'equal' : 'NOT EQUAL'}, ${routes} routes, ${differences.length} differences, ${unexplained.length} unexplained, ` +
        `${corrections} corrected by the comparison, ${((Date.now() - start) / 1000).toFixed(0)} s; ${Object.entries(
          done,
        )
          .map(([name, count]) => `${name} ${count}`)
          .join(', ')}`,
    );
    for (const line of [...differences.slice(0, 20), ...unexplained]) console.log(`  ${line}`);
    if (!ok && values.log) console.log(log.join('\n'));
  } catch (error) {
    failed++;
    console.log(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
console.log(`${seeds - failed} of ${seeds} seeds end with equal tables and explained losses`);
process.exitCode = failed === 0 ? 0 : 1;
