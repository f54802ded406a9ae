/**
 * Exporters of one job and instance, told apart by a label of the user's own, as sidecars have that are scraped as localhost,
 * or a ruler above several Prometheus. A case is played at two sites if something fires in it, else at one, beside a site
 * that is well. Most cases share a world, each at a site of its own: a rule costs little more for twenty sites than for two,
 * and each site must show what its own case shows alone.
 */

import { worldOf } from './cases.ts';
import type { Fired, Message, RuleTest } from './rule-test.ts';
import { healthy, type World } from './world.ts';

function at(site: string, world: World): World {
  return Object.fromEntries(
    Object.entries(world)
      .filter(([, values]) => values !== '')
      .map(([selector, values]) => [selector.replace(/\}$/, `,site="${site}"}`), values]),
  );
}

/** Whether it can share a world: a message names every alert that fires, and so do values that are not asked of a site. */
export function canShare({ message, ruleFiles, values }: RuleTest): boolean {
  return (
    message === undefined && ruleFiles === undefined && (values ?? []).every(({ expr }) => expr.includes('ALERTS{'))
  );
}

/** Once for each site that a case is played at. */
export function bySite(test: RuleTest): RuleTest[] {
  return test.kinds.includes('firing') ? [test, test] : [test];
}

/** A case in a world of its own, at one or two sites beside one that is well. */
export function besideOneThatIsWell(test: RuleTest): RuleTest {
  const sites = bySite(test).map((_, number) => ['ams', 'fra'][number]!);
  const everywhere = (fired: Fired): Fired[] => sites.map((site) => ({ ...fired, site }));
  const messages = (message: Message): Message => ({
    ...message,
    labels: sites.map((site) => ({ ...[message.labels].flat()[0]!, site })),
  });
  return {
    ...test,
    name: `${test.name} (at ${sites.join(' and ')})`,
    world: Object.assign(
      {},
      at('calm', healthy(test.minutes)),
      ...sites.map((site) => at(site, worldOf(test))),
    ) as World,
    checks: test.checks.map((check) => ({ ...check, firing: check.firing.flatMap(everywhere) })),
    message: test.message?.map(messages),
  };
}

/** Labels of a case that shares nothing with the others of its world: no job, no instance and no prefix. */
const IDENTITY = /\b(job|instance|prefix)="/g;

function apart(text: string, number: number): string {
  return text.replace(IDENTITY, `$1="${number}:`);
}

/** The cases, each with a job, an instance and prefixes of its own. */
export function strangers(tests: readonly RuleTest[]): RuleTest[] {
  return tests.map((test, number) => ({
    ...test,
    world: Object.fromEntries(
      Object.entries(worldOf(test)).map(([selector, values]) => [apart(selector, number), values]),
    ),
    checks: test.checks.map((check) => ({
      ...check,
      firing: check.firing.map((fired) =>
        fired.prefix === undefined ? fired : { ...fired, prefix: `${number}:${fired.prefix}` },
      ),
    })),
    values: test.values?.map((value) => ({ ...value, expr: apart(value.expr, number) })),
  }));
}

/**
 * Cases of one world, each at a site of its own, beside a site that is well; without one where exporters are away for long:
 * it would speak for them.
 */
export function eachAtItsSite(alert: string, name: string, tests: readonly RuleTest[]): RuleTest {
  const minutes = Math.max(...tests.map((test) => test.minutes));
  const calm = tests.some((test) => test.mishap?.isAway) ? undefined : 'calm';
  const sites = tests.map((test, number) => atItsSite(test, `${number} ${caseName(test)}`));
  const minutesOfChecks = new Set(sites.flatMap(({ checks }) => checks.map((check) => check.at)));
  return {
    alert,
    kinds: ['sites'],
    name,
    minutes,
    world: Object.assign({}, calm && at(calm, healthy(minutes)), ...sites.map(({ world }) => world)) as World,
    checks: [
      ...sites.flatMap(({ checks }) => checks),
      ...(calm === undefined ? [] : [...minutesOfChecks].map((minute) => ({ at: minute, site: calm, firing: [] }))),
    ],
    values: sites.flatMap(({ values }) => values),
  };
}

/** What promtool prints of a check that fails tells the site, and so the case. */
export function caseName({ alert, kinds, name }: RuleTest): string {
  return `${alert}, ${kinds.join(' and ')}: ${name}`;
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
