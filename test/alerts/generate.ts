/** Writes the cases as promtool's unit tests: alerts/tests/NAME.test.yml, one file an alert. `tsx test/alerts/generate.ts` */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type Fired, type RuleTest, ruleTests, worldOf } from './cases.ts';

/** Labels that tell alerts of one name apart; what fires is compared by these. */
const KEYS = ['alertname', 'severity', 'prefix', 'more_specific', 'source', 'session', 'why'] as const;

function sample(fired: Fired): string {
  const pairs = KEYS.filter((key) => fired[key] !== undefined).map((key) => `${key}="${fired[key]}"`);
  return `{${pairs.join(', ')}}`;
}

function runbook(alert: string): string {
  return `https://github.com/bgproutes-io/bgproutes-exporter/blob/main/docs/runbook.md#${alert.toLowerCase()}`;
}

function group(test: RuleTest): object {
  return {
    name: `${test.alert}, ${test.kinds.join(' and ')}: ${test.name}`,
    interval: '1m',
    input_series: Object.entries(worldOf(test)).map(([series, values]) => ({ series, values })),
    promql_expr_test: test.checks.map((check) => ({
      expr: `group by (${KEYS.join(', ')}) (ALERTS{alertstate="firing"})`,
      eval_time: `${check.at}m`,
      ...(check.firing.length === 0
        ? {}
        : { exp_samples: check.firing.map((fired) => ({ labels: sample(fired), value: 1 })) }),
    })),
    ...(test.message === undefined
      ? {}
      : {
          alert_rule_test: test.message.map((message) => ({
            alertname: test.alert,
            eval_time: `${message.at}m`,
            exp_alerts: [
              {
                exp_labels: { severity: message.severity, ...message.labels },
                exp_annotations: {
                  summary: message.summary,
                  description: message.description,
                  runbook_url: runbook(test.alert),
                },
              },
            ],
          })),
        }),
  };
}

/** File name to text. */
export function ruleTestFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const keys = new Map<string, RuleTest[]>();
  for (const test of ruleTests) {
    const name = test.ruleFiles === undefined ? test.alert : 'thresholds';
    keys.set(name, [...(keys.get(name) ?? []), test]);
  }
  for (const [name, tests] of keys) {
    const document = {
      rule_files: ['../bgproutes.rules.yml', ...(tests[0]!.ruleFiles ?? [])],
      evaluation_interval: '1m',
      tests: tests.map(group),
    };
    files.set(
      `${name}.test.yml`,
      `# Written by test/alerts/generate.ts from test/alerts/cases.ts; edit those.\n${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`,
    );
  }
  return files;
}

export const TESTS_FOLDER = fileURLToPath(new URL('../../alerts/tests/', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(TESTS_FOLDER, { recursive: true });
  const files = ruleTestFiles();
  for (const old of readdirSync(TESTS_FOLDER))
    if (old.endsWith('.test.yml') && !files.has(old)) rmSync(TESTS_FOLDER + old);
  for (const [name, text] of files) writeFileSync(TESTS_FOLDER + name, text);
}
