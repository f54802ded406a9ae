/** What each alert must and must not do, as worlds and the alerts that fire in them. `generate.ts` writes it for promtool. */
import { prefixMetrics as prefix } from '../../src/metrics/catalogue.ts';
import { exporterTests } from './exporter-cases.ts';
import { fleetTests } from './fleet-cases.ts';
import { handOverTests } from './hand-over-cases.ts';
import { memoryTests } from './memory-cases.ts';
import { outageTests } from './outage-cases.ts';
import { prefixTests } from './prefix-cases.ts';
import { prefixEvents } from './prefix-events.ts';
import { rpkiTests } from './rpki-cases.ts';
import type { RuleTest } from './rule-test.ts';
import { sourceTests } from './source-cases.ts';
import { streamTests } from './stream-cases.ts';
import { thresholdTests } from './threshold-cases.ts';
import { troubleTests } from './trouble-cases.ts';
import { sourceLossTests, vpLossTests } from './vp-loss-cases.ts';
import { healthy, SESSION, type World } from './world.ts';

export const ruleTests: readonly RuleTest[] = [
  ...prefixTests,
  ...vpLossTests,
  ...sourceLossTests,
  ...streamTests,
  ...exporterTests,
  ...rpkiTests,
  ...fleetTests,
  ...handOverTests,
  ...thresholdTests,
  ...memoryTests,
  ...sourceTests,
  ...outageTests(prefixEvents),
  ...troubleTests,
];

export const worldOf = (test: RuleTest): World => withSources(ownWorld(test));

/** Where a world says nothing of the sources one by one there is one, and it knows what the exporter knows. */
function withSources(world: World): World {
  const name = prefix.prefixSourceTrusted.name;
  const said = new Set(Object.keys(world).map((selector) => selector.replace(/,source="[^"]*"/, '')));
  const derived = Object.entries(world).flatMap(([selector, values]) => {
    const labels = new RegExp(`^${prefix.prefixTrusted.name}({.*)}$`).exec(selector)?.[1];
    if (labels === undefined || said.has(`${name}${labels}}`)) return [];
    return [[`${name}${labels},source="${SESSION.source}"}`, values] as const];
  });
  return { ...world, ...Object.fromEntries(derived) };
}

const ownWorld = (test: RuleTest): World => {
  const all: Record<string, string> = test.world ?? { ...healthy(test.minutes), ...test.changes };
  return Object.fromEntries(Object.entries(all).filter(([, values]) => values !== ''));
};
