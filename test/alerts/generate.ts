/** Writes the cases as promtool's unit tests: .cache/alert-tests/NAME.test.yml, one file an alert. `npm run alerts:tests` */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { ruleTests, worldOf } from './cases.ts';
import type { Fired, RuleTest } from './rule-test.ts';
import { readRules } from './rules-file.ts';
import { besideOneThatIsWell, bySite, canShare, caseName, eachAtItsSite, strangers } from './sites.ts';

/** Labels that tell alerts of one name apart; what fires is compared by these. */
const KEYS = [
  'alertname',
  'severity',
  'prefix',
  'more_specific',
  'region',
  'source',
  'session',
  'why',
  'site',
] as const;

function sample(fired: Fired): string {
  const pairs = KEYS.filter((key) => fired[key] !== undefined).map((key) => `${key}="${fired[key]}"`);
  return `{${pairs.join(', ')}}`;
}

/** The exporter that the alert is of serves the runbook. */
function runbook(alert: string, instance = ''): string {
  return `http://${instance}/runbook#${alert.toLowerCase()}`;
}

function group(test: RuleTest): object {
  return {
    name: caseName(test),
    interval: '1m',
    input_series: Object.entries(worldOf(test)).map(([series, values]) => ({ series, values })),
    promql_expr_test: [
      ...test.checks.map((check) => ({
        expr: `group by (${KEYS.join(', ')}) (ALERTS{${check.site === undefined ? '' : `site="${check.site}", `}alertstate="firing"})`,
        eval_time: `${check.at}m`,
        ...(check.firing.length === 0
          ? {}
          : { exp_samples: check.firing.map((fired) => ({ labels: sample(fired), value: 1 })) }),
      })),
      ...(test.values ?? []).map(({ at, expr, value }) => ({
        expr,
        eval_time: `${at}m`,
        ...(value === undefined ? {} : { exp_samples: [{ labels: '{}', value }] }),
      })),
    ],
    ...(test.message === undefined
      ? {}
      : {
          alert_rule_test: test.message.map((message) => ({
            alertname: test.alert,
            eval_time: `${message.at}m`,
            exp_alerts: [message.labels].flat().map((labels) => ({
              exp_labels: { severity: message.severity, ...labels },
              exp_annotations: {
                summary: message.summary,
                description: message.description,
                runbook_url: runbook(test.alert, message.server ?? (labels as { readonly instance?: string }).instance),
              },
            })),
          })),
        }),
  };
}

/** What a test's file is named after. */
function fileOf({ alert, kinds, ruleFiles }: RuleTest): string {
  if (ruleFiles !== undefined) return 'thresholds';
  if (kinds.includes('goes on')) return `outage.${alert}`;
  return kinds.includes('nothing begins') ? 'outage.none' : alert;
}

/** File name to text, of tests of the rules in `folder`, as seen from the files. */
function written(tests: readonly RuleTest[], folder: string): ReadonlyMap<string, string> {
  const files = new Map<string, RuleTest[]>();
  for (const test of tests) files.set(fileOf(test), [...(files.get(fileOf(test)) ?? []), test]);
  return new Map(
    [...files].map(([name, of]) => {
      const document = {
        rule_files: ['bgproutes.rules.yml', ...(of[0]!.ruleFiles ?? [])].map((file) => folder + file),
        evaluation_interval: '1m',
        // Without it promtool takes the groups in an order of chance.
        group_eval_order: readRules().groups.map((each) => each.name),
        tests: of.map(group),
      };
      const text = stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
      return [`${name}.test.yml`, `# Written by test/alerts/generate.ts from the cases beside it.\n${text}`];
    }),
  );
}

/** Every case, each in a world of its own. */
export function ruleTestFiles(): ReadonlyMap<string, string> {
  return written(ruleTests, '../../alerts/');
}

/** So many cases share a world. More would cost less, but with fewer worlds than processors some processors would be idle. */
const SHARING = 24;

/** Parts of at most SHARING, each of cases that last about as long. */
function parts(tests: readonly RuleTest[]): RuleTest[][] {
  const sorted = [...tests].sort((a, b) => a.minutes - b.minutes);
  const count = Math.ceil(sorted.length / SHARING);
  const size = Math.ceil(sorted.length / count);
  return Array.from({ length: count }, (_, part) => sorted.slice(part * size, (part + 1) * size));
}

/** The cases in one world, each at a site of its own: file name and text. */
export function sharedTestFile(name: string, tests: readonly RuleTest[], folder: string): [string, string] {
  const test = eachAtItsSite(tests[0]!.alert, `${tests.length} sites, each with a case of its own`, tests);
  return [`${name}.test.yml`, [...written([test], folder).values()][0]!];
}

const DAYS = 600;

/**
 * Every case for itself. A world of its own costs four times as much as a share of one; so it is for the cases about the
 * exporter, which speak of whole jobs, and for those with messages. The others share a world as strangers: no two of them
 * have a job, an instance, a prefix or a site in common.
 */
export function soleTestFiles(folder: string): ReadonlyMap<string, string> {
  const isStranger = (test: RuleTest) => canShare(test) && test.alert.startsWith('BGPPrefix');
  const alone = ruleTests.filter((test) => !isStranger(test) && test.minutes < DAYS);
  const days = ruleTests.filter((test) => canShare(test) && test.minutes >= DAYS);
  const others = ruleTests.filter((test) => isStranger(test) && test.minutes < DAYS);
  return new Map([
    ...written(alone, folder),
    sharedTestFile('strangers.days', strangers(days), folder),
    ...parts(others).map((tests, part) => sharedTestFile(`strangers.${part + 1}`, strangers(tests), folder)),
  ]);
}

/** Every case at a site beside others of equal job, instance and prefixes. `folder`: where the rules are. */
export function siteTestFiles(folder: string): ReadonlyMap<string, string> {
  const short = ruleTests.filter(({ mishap, minutes }) => minutes < DAYS && mishap === undefined);
  const sharing = new Map<string, RuleTest[]>();
  for (const test of ruleTests) {
    const name = test.mishap?.isAway ? 'away' : test.mishap ? fileOf(test) : test.minutes >= DAYS ? 'days' : undefined;
    if (name !== undefined) sharing.set(name, [...(sharing.get(name) ?? []), test]);
  }
  return new Map([
    ...written(short.filter((test) => !canShare(test)).map(besideOneThatIsWell), folder),
    ...parts(short.filter(canShare).flatMap(bySite)).map((tests, part) =>
      sharedTestFile(`sites.${part + 1}`, tests, folder),
    ),
    ...[...sharing].map(([name, tests]) => sharedTestFile(`sites.${name}`, tests, folder)),
  ]);
}

/** In the checkout, but not committed: they are ten times as long as the cases. */
export const TESTS_FOLDER = fileURLToPath(new URL('../../.cache/alert-tests/', import.meta.url));

/** Writes `ruleTestFiles` into an empty TESTS_FOLDER. Returns their names, sorted. */
export function writeRuleTests(): string[] {
  rmSync(TESTS_FOLDER, { recursive: true, force: true });
  mkdirSync(TESTS_FOLDER, { recursive: true });
  const files = ruleTestFiles();
  for (const [name, text] of files) writeFileSync(TESTS_FOLDER + name, text);
  return [...files.keys()].sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(`${writeRuleTests().length} files in ${TESTS_FOLDER}`);
