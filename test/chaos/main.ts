/** `npm run chaos -- --seeds=20 --faults=200 [--from=1]`: the long run, with progress. */
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    faults: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    log: { type: 'boolean', default: false },
  },
});
const [seeds, faults, from] = [values.seeds, values.faults, values.from].map(Number);
let failed = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const start = Date.now();
  const onProgress = process.stderr.isTTY ? (text: string) => process.stderr.write(`\r\x1b[K${text}`) : () => {};
  try {
    const { done, routes, differences, unexplained, corrections, log } = await runChaos({ seed, faults, onProgress });
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
