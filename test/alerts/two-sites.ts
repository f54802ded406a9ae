/**
 * Two exporters of one job and instance, told apart by a label of the user's own, as a sidecar has that is scraped as
 * localhost, or a ruler above several Prometheus. Every case is played at `ams`; at `fra` either the same happens or nothing.
 */
import { type Fired, type Message, type RuleTest, worldOf } from './cases.ts';
import { healthy, type World } from './world.ts';

function at(site: string, world: World): World {
  return Object.fromEntries(
    Object.entries(world)
      .filter(([, values]) => values !== '')
      .map(([selector, values]) => [selector.replace(/\}$/, `,site="${site}"}`), values]),
  );
}

function on(sites: readonly string[], test: RuleTest, elsewhere: World): RuleTest {
  const everywhere = (fired: Fired): Fired[] => sites.map((site) => ({ ...fired, site }));
  const messages = (message: Message): Message[] => [
    { ...message, labels: sites.map((site) => ({ ...[message.labels].flat()[0]!, site })) },
  ];
  return {
    ...test,
    name: `${test.name} (${sites.length === 1 ? 'at one site of two' : 'at both sites'})`,
    world: { ...at('ams', worldOf(test)), ...at('fra', elsewhere) },
    checks: test.checks.map((check) => ({ ...check, firing: check.firing.flatMap(everywhere) })),
    message: test.message?.flatMap(messages),
  };
}

export function atTwoSites(test: RuleTest): RuleTest[] {
  const one = on(['ams'], test, healthy(test.minutes));
  // Where nothing fires, twice nothing proves no more.
  return test.kinds.includes('firing') ? [one, on(['ams', 'fra'], test, worldOf(test))] : [one];
}
