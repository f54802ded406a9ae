import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MAN_PAGE, manPage } from '../../docs/generate-man.ts';
import { allCommands } from '../../src/command-line.ts';

it('the man page is what `npm run docs:man` writes, and has every command and flag', async () => {
  const page = readFileSync(MAN_PAGE, 'utf8');
  expect(page).toBe(await manPage());
  const plain = page.replaceAll('\\-', '-');
  for (const { name, flags = [] } of await allCommands()) {
    expect(plain).toContain(`.SS ${name}\n`);
    for (const flag of flags) expect(plain).toContain(`\\fB--${flag.name}\\fR`);
  }
});

it('the man page says what the program is for, and its lists stay lists', async () => {
  const page = await manPage();
  expect(page).toContain('\nbgproutes-exporter \\- Prometheus and OpenTelemetry exporter for live BGP streams\n');
  for (const entry of ['create\\-topics\nCreates', 'check\nSays', 'origins\nCompares', 'visibility\nPrints']) {
    expect(page).toContain(`.TP\n.B ${entry}`);
  }
  // What follows a list without indentation is a paragraph of its own.
  expect(page).toContain('.PP\nExit code 0: nothing is wrong.');
});
