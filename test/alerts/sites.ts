/**
 * Exporters of one job and instance, told apart by a label of the user's own, as sidecars have that are scraped as localhost,
 * or a ruler above several Prometheus. Every case is played at `ams`; at `fra` either the same happens or nothing. Long ones
 * share a world, each at a site of its own: of twenty sites a rule costs little more than of two, and each site must show
 * what its own case shows alone.
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

/**
 * Cases of one world, each at a site of its own, beside a site that is well; without one where exporters are away for long:
 * it would speak for them.
 */
export function eachAtItsSite(alert: string, name: string, tests: readonly RuleTest[]): RuleTest {
  const minutes = Math.max(...tests.map((test) => test.minutes));
  const calm = tests.some((test) => test.mishap?.isAway) ? undefined : 'calm';
  const sites = tests.map((test, number) => atItsSite(test, `site${number + 1}`));
  return {
    alert,
    kinds: ['sites'],
    name,
    minutes,
    world: Object.assign({}, calm && at(calm, healthy(minutes)), ...sites.map(({ world }) => world)) as World,
    checks: [
      ...sites.flatMap(({ checks }) => checks),
      ...sites.flatMap(({ checks }) =>
        calm === undefined ? [] : checks.map((check) => ({ at: check.at, site: calm, firing: [] })),
      ),
    ],
    values: sites.flatMap(({ values }) => values),
  };
}

function atItsSite(test: RuleTest, site: string) {
  return {
    world: at(site, worldOf(test)),
    checks: test.checks.map(({ at, firing }) => ({ at, site, firing: firing.map((fired) => ({ ...fired, site })) })),
    values: (test.values ?? []).map((value) => ({
      ...value,
      expr: value.expr.replaceAll('ALERTS{', `ALERTS{site="${site}", `),
    })),
  };
}
