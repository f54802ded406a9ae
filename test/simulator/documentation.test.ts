import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { simulateCommand } from '../../src/commands/simulator/simulate.ts';
import { parseScenario } from '../../src/simulator/scenario/scenario.ts';
import { CONTROL_FAULTS } from '../../src/simulator/services/control.ts';

const page = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');

it('the scenario of the page is one', () => {
  const [, yaml] = /```yaml\n([\s\S]*?)```/.exec(page)!;
  expect(parseScenario(yaml)).toMatchObject({ ok: true });
});

it('every flag of the command is on the page, and no other', () => {
  const flagsOf = (text: string) => new Set([...text.matchAll(/--([a-z][a-z.-]+)/g)].map(([, name]) => name));
  const known = flagsOf(simulateCommand.help);
  for (const common of ['help', 'version']) known.delete(common);
  const told = flagsOf(page);
  told.delete('no-loop');
  expect([...told].sort()).toEqual([...known].sort());
});

it('every step and every fault is on the page', () => {
  const source = (name: string) => readFileSync(new URL(`../../src/simulator/${name}`, import.meta.url), 'utf8');
  const steps = [...source('scenario/scenario.ts').matchAll(/do: z\.literal\('(\w+)'\)/g)].map(([, name]) => name);
  expect(steps).toHaveLength(13);
  for (const name of [...steps, ...CONTROL_FAULTS]) expect(page).toContain(`\`${name}\``);
});
