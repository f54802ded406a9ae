/**
 * Measures every claim and prints one table. `--json`: only an array of findings on standard output. `--claim=N`
 * (repeatable): only these. `--recording=FILE`: messages of a recording instead of made-up ones, where they are sent.
 * Exit code 1 when a claim does not hold.
 */
import { parseArgs } from 'node:util';
import type { Claim, Finding } from './claim.ts';

const CLAIMS: readonly (() => Promise<{ readonly claim: Claim }>)[] = [
  () => import('./claim-1-ingest.ts'),
  () => import('./claim-2-naive.ts'),
  () => import('./claim-3-decode.ts'),
  () => import('./claim-4-text.ts'),
  () => import('./claim-5-scrape.ts'),
  () => import('./claim-6-otlp.ts'),
  () => import('./claim-7-memory.ts'),
  () => import('./claim-8-growth.ts'),
  () => import('./claim-9-start.ts'),
  () => import('./claim-10-kafka.ts'),
  () => import('./claim-11-rpki.ts'),
  () => import('./claim-12-page.ts'),
  () => import('./claim-13-passwords.ts'),
  () => import('./claim-14-restore.ts'),
];

function table(findings: readonly Finding[]): string {
  const rows = [
    ['claim', 'goal', 'measured', 'held'],
    ...findings.map(({ claim, goal, measured, held }) => [claim, goal, measured, held ? 'yes' : 'NO']),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  return [line(rows[0]), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.slice(1).map(line)].join('\n');
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    claim: { type: 'string', multiple: true },
    recording: { type: 'string' },
  },
});
const findings: Finding[] = [];
for (const load of CLAIMS) {
  const { claim } = await load();
  if (values.claim !== undefined && !values.claim.includes(String(claim.number))) continue;
  const name = `claim ${claim.number}, ${claim.title}`;
  process.stderr.write(`${name}\n`);
  const measured = await claim.measure({
    progress: (text) => process.stderr.write(`  ${text}\n`),
    recording: values.recording,
  });
  for (const finding of measured) {
    findings.push({ ...finding, claim: `${claim.number}. ${finding.claim}` });
    process.stderr.write(`  ${finding.claim}: ${finding.measured} (${finding.goal})\n`);
  }
}
process.stdout.write(values.json ? `${JSON.stringify(findings, null, 2)}\n` : `${table(findings)}\n`);
process.exitCode = findings.every(({ held }) => held) ? 0 : 1;
