/** Reads PromQL with Prometheus' own editor grammar: is it valid, which series does it select, within what? */
import { parser } from '@prometheus-io/lezer-promql';

export interface Selector {
  readonly metric: string;
  /** Label to operator and value, as written. */
  readonly matchers: ReadonlyMap<string, { readonly operator: string; readonly value: string }>;
  /** `5m` of `x[5m]`; undefined for an instant selector. */
  readonly range: string | undefined;
  /** The function that takes it directly: `rate` of `rate(x[5m])`. */
  readonly calledBy: string | undefined;
}

export interface Expression {
  /** Texts that do not parse; empty when the expression is valid. */
  readonly errors: readonly string[];
  readonly selectors: readonly Selector[];
  /** Labels of by, without, on, ignoring, group_left and group_right. */
  readonly grouping: readonly string[];
}

type Cursor = ReturnType<ReturnType<typeof parser.parse>['cursor']>;
type Node = Cursor['node'];

function descend(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (let child = node.firstChild; child !== null; child = child.nextSibling) descend(child, visit);
}

export function parsePromql(text: string): Expression {
  const errors: string[] = [];
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  const of = (node: Node) => text.slice(node.from, node.to);
  descend(parser.parse(text).topNode, (node) => {
    if (node.type.isError) errors.push(`at ${node.from}: ${JSON.stringify(text.slice(node.from, node.from + 30))}`);
    if (node.name === 'GroupingLabels') descend(node, (n) => n.name === 'LabelName' && grouping.push(of(n)));
    if (node.name !== 'VectorSelector') return;
    let metric = '';
    const matchers = new Map<string, { operator: string; value: string }>();
    descend(node, (n) => {
      if (n.name === 'Identifier' && metric === '') metric = of(n);
      if (n.name !== 'UnquotedLabelMatcher') return;
      const [label, operator, value] = [n.firstChild!, n.firstChild!.nextSibling!, n.lastChild!];
      matchers.set(of(label), { operator: of(operator), value: of(value).slice(1, -1) });
    });
    let parent = node.parent;
    let range: string | undefined;
    if (parent?.name === 'MatrixSelector') {
      range = of(parent.lastChild!).replace(/^\[|\]$/g, '');
      parent = parent.parent;
    }
    while (
      parent !== null &&
      ['OffsetExpr', 'StepInvariantExpr', 'ParenExpr', 'FunctionCallBody'].includes(parent.name)
    )
      parent = parent.parent;
    const calledBy = parent?.name === 'FunctionCall' ? of(parent.firstChild!) : undefined;
    selectors.push({ metric, matchers, range, calledBy });
  });
  return { errors, selectors, grouping };
}

/** What Grafana puts in place of its variables; the values are such that the linter's rules still see them. */
export function withoutGrafana(text: string): string {
  return text
    .replaceAll('$__rate_interval', '4h20m11s')
    .replaceAll('$__range', '1h2m3s')
    .replaceAll('$__interval', '13s');
}

/** What is chosen on a dashboard, and the durations that Grafana would take. */
export interface Choice {
  readonly job?: string;
  readonly instance?: string;
  readonly group?: string;
  readonly prefix?: string;
  readonly range: string;
  readonly interval: string;
  readonly rateInterval: string;
}

/** A query as Grafana would send it; "All" where nothing is chosen. */
export function filled(query: string, choice: Choice): string {
  return query
    .replaceAll('$__rate_interval', choice.rateInterval)
    .replaceAll('$__range', choice.range)
    .replaceAll('$__interval', choice.interval)
    .replaceAll('$job', choice.job ?? '.+')
    .replaceAll('$instance', choice.instance ?? '.+')
    .replaceAll('$group', choice.group ?? '.*')
    .replaceAll('$prefix', choice.prefix ?? '.+');
}
