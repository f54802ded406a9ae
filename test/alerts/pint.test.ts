/**
 * What Cloudflare's linter pint says of the rules without a Prometheus to ask, where it says something: what its marks in the
 * file excuse is what they say, and nothing else hides behind them. Three of its checks, as its documents describe them.
 */
import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { expect, it } from 'vitest';
import { parsePromql } from '../dashboards/promql.ts';
import { ALERTS_FOLDER, type Rule, readRules } from './rules-file.ts';

const { groups } = readRules();
const ALL = groups.flatMap((group) => group.rules);
const isAlert = (rule: Rule) => rule.alert !== undefined;

type Tree = ReturnType<typeof parser.parse>['topNode'];
function children(node: Tree): Tree[] {
  const found: Tree[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}
function hasCondition(text: string, node: Tree): boolean {
  const isCondition = (each: Tree) => /^(?:==|!=|>=|<=|>|<|unless)$/.test(text.slice(each.from, each.to));
  return children(node).some((each) => isCondition(each) || hasCondition(text, each));
}
/** alerts/comparison: an alert fires for whatever its query, or one side of an `or`, says. */
function lacksCondition({ expr }: Rule): boolean {
  const { topNode } = parser.parse(expr);
  const [outermost] = children(topNode);
  const sides = children(outermost!);
  const isOr = sides.some(({ from, to }) => expr.slice(from, to) === 'or');
  const judged = isOr ? sides.filter(({ name }) => /Expr|Selector|Call/.test(name)) : [topNode];
  return judged.some((node) => !hasCondition(expr, node));
}

/** promql/regexp: a pattern that takes a label apart. Of digits alone it may. */
function takesLabelsApart({ expr }: Rule): string[] {
  const patterns = parsePromql(expr).selectors.flatMap(({ matchers }) => [...matchers.values()]);
  return patterns
    .filter(({ operator, value }) => operator.includes('~') && /[^\d.*+|()][.][*+]|[.][*+][^\d|()]/.test(value))
    .map(({ value }) => value);
}

/** rule/dependency: which groups record what the rules of a group record from; alerts do not count. */
function readFrom(name: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { expr } of groups.find((group) => group.name === name)!.rules.filter((rule) => !isAlert(rule))) {
    for (const { metric } of parsePromql(expr).selectors) {
      const makers = groups.filter(({ rules }) => rules.some(({ record }) => record === metric));
      if (makers.length === 0 || makers.some((maker) => maker.name === name)) continue;
      for (const maker of makers) found.set(maker.name, (found.get(maker.name) ?? new Set()).add(metric));
    }
  }
  return found;
}

it('the alerts without a condition are those about prefixes, which fire on a fault that is there', () => {
  const without = ALL.filter((rule) => isAlert(rule) && lacksCondition(rule));
  expect(without.map(({ expr }) => expr.replace(/"[a-z_]+"/, '""').trim())).toEqual(
    without.map(() => 'max without (fault) (bgp:prefix_fault:held{fault=""})'),
  );
  expect(new Set(without.map(({ alert }) => alert))).toEqual(
    new Set(ALL.map(({ alert }) => alert).filter((alert) => alert?.startsWith('BGPPrefix'))),
  );
  // Also where one side of several has none, and where a comparison decides nothing about what there is.
  const alert = (expr: string) => lacksCondition({ alert: 'A', expr });
  expect([alert('up'), alert('up == 0 or absent_up'), alert('up == 0 or up unless x'), alert('sum(up) < 1')]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

it('two alerts take a label apart, and say so', () => {
  const apart = ALL.filter((rule) => takesLabelsApart(rule).length > 0);
  expect(apart.map(({ alert, record }) => alert ?? record)).toEqual(['BGPExporterDown', 'BGPRpkiDataShrunk']);
  expect(new Set(apart.flatMap(takesLabelsApart))).toEqual(new Set(['.*bgproutes.*', '(?i)afrinic.*']));
  expect(takesLabelsApart({ record: 'r', expr: 'a{b=~"drop_.+", c=~"[0-9]+|.+", d!~"x|y"}' })).toEqual(['drop_.+']);
});

it('what is read from another group is usual, a limit, slow by itself, or the last state of a fault', () => {
  const late = new Map(groups.map(({ name }) => [name, readFrom(name)]));
  for (const [name, from] of late) {
    for (const [maker, metrics] of from) {
      for (const metric of metrics) {
        const isMeant =
          ['bgproutes-baseline', 'bgproutes-thresholds'].includes(maker) ||
          ['bgp:stream_stale:bool', 'bgp:rpki_vrps_lost:ratio1h'].includes(metric) ||
          (metric === 'bgp:prefix_trusted:bool' && name === 'bgproutes-exporter') ||
          name === 'bgproutes-baseline';
        expect(isMeant, `${metric} in ${name}`).toBe(true);
      }
    }
  }
  expect([...late.get('bgproutes-prefixes')!.keys()].sort()).toEqual([
    'bgproutes-baseline',
    'bgproutes-exporter',
    'bgproutes-thresholds',
  ]);
});

it('the marks in the file are these and no others', () => {
  const text = readFileSync(`${ALERTS_FOLDER}bgproutes.rules.yml`, 'utf8');
  expect([...text.matchAll(/# (pint \S.*)$/gm)].map(([, mark]) => mark)).toEqual([
    'pint file/disable rule/dependency',
    'pint file/disable alerts/comparison',
    'pint disable promql/regexp',
    'pint disable promql/regexp',
  ]);
});
