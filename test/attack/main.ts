/**
 * `npm run attack -- --only=NAME`: every attack at its full size, or those of this name, a table of what they cost, and exit
 * code 1 when a bound did not hold.
 */
import { parseArgs } from 'node:util';
import { ATTACKS } from './attacks.ts';
import { HELD, type Outcome, runAttack } from './run-attack.ts';

const BYTES = 100 * 1024 * 1024;
const MS = 15_000;

const HEAD = ['attack', 'peak MB', 'pause ms', 'turn ms', 'stop ms', 'asked', ''];
const row = (cells: readonly string[]) =>
  `${cells[0].padEnd(14)}${cells
    .slice(1, -1)
    .map((cell) => cell.padStart(10))
    .join('')}  ${cells.at(-1)}`;

const rounded = (value: number | undefined) => (value === undefined ? '-' : String(Math.round(value)));

/** @param calmPauseMs what the machine itself makes of a probe: others run on it */
function broken({ peakMb = 0, longestPauseMs, longestTurnMs, stopMs }: Outcome, calmPauseMs: number): string {
  const outcome = { peakMb, longestPauseMs: longestPauseMs - calmPauseMs, longestTurnMs, stopMs };
  const over = (Object.keys(HELD) as (keyof typeof HELD)[]).filter((bound) => outcome[bound] > HELD[bound]);
  return over.map((bound) => `${bound} above ${HELD[bound]}`).join(', ');
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const chosen = ATTACKS.filter(({ name, answers, clients }) => {
  const isAttack = answers !== undefined || clients !== undefined;
  return !isAttack || name.includes(values.only);
});

console.log(row(HEAD));
let calmPauseMs: number | undefined;
for (const attack of chosen) {
  const outcome = await runAttack(attack, BYTES, MS);
  const { peakMb, longestPauseMs, longestTurnMs, stopMs, attacked } = outcome;
  // The first is no attack.
  const verdict = broken(outcome, (calmPauseMs ??= longestPauseMs));
  if (verdict !== '') process.exitCode = 1;
  console.log(row([attack.name, ...[peakMb, longestPauseMs, longestTurnMs, stopMs, attacked].map(rounded), verdict]));
}
