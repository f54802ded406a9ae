/**
 * `npm run attack -- --only=NAME`: every attack at its full size, or those of this name, a table of what they cost, and exit
 * code 1 when a bound did not hold.
 */
import { parseArgs } from 'node:util';
import { ATTACKS } from './attacks.ts';
import { HELD, type Outcome, runAttack } from './run-attack.ts';

const BYTES = 100 * 1024 * 1024;
const MS = 15_000;

/** `healthy` is the time until `/-/healthy` answered, `own` is that without waits for a core: others run on the machine. */
const HEAD = ['attack', 'peak MB', 'healthy ms', 'p99', 'own ms', 'p99', 'turn ms', 'stop ms', 'asked', ''];
const row = (cells: readonly string[]) =>
  `${cells[0].padEnd(16)}${cells
    .slice(1, -1)
    .map((cell) => cell.padStart(11))
    .join('')}  ${cells.at(-1)}`;

const rounded = (value: number | undefined) => (value === undefined ? '-' : String(Math.round(value)));

function broken(outcome: Outcome): string {
  const over = (Object.keys(HELD) as (keyof typeof HELD)[]).filter((bound) => (outcome[bound] ?? 0) > HELD[bound]);
  return over.map((bound) => `${bound} above ${HELD[bound]}`).join(', ');
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const chosen = ATTACKS.filter(({ name, answers, clients }) => {
  const isAttack = answers !== undefined || clients !== undefined;
  return !isAttack || name.includes(values.only);
});

console.log(row(HEAD));
for (const attack of chosen) {
  const outcome = await runAttack(attack, BYTES, MS);
  const { peakMb, longestPauseMs, p99PauseMs, longestOwnPauseMs, p99OwnPauseMs } = outcome;
  const { longestTurnMs, stopMs, attacked } = outcome;
  const verdict = broken(outcome);
  if (verdict !== '') process.exitCode = 1;
  const pauses = [longestPauseMs, p99PauseMs, longestOwnPauseMs, p99OwnPauseMs];
  console.log(row([attack.name, ...[peakMb, ...pauses, longestTurnMs, stopMs, attacked].map(rounded), verdict]));
}
