/** Which names may be written in a dashboard, a rule or a document: those of the catalogue, and what rules record. */
import { ownMetrics } from '../../src/metrics/catalogue.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';
import { parsePromql, withoutGrafana } from './promql.ts';

export const CATALOGUE: readonly Metric[] = [...ownMetrics, ...Object.values(runtimeMetrics)];

const BY_SAMPLE = new Map<string, Metric>();
for (const metric of CATALOGUE) {
  const suffixes = metric.kind === 'histogram' ? ['', '_bucket', '_sum', '_count'] : [''];
  for (const suffix of suffixes) BY_SAMPLE.set(metric.name + suffix, metric);
}

export function metricOf(sample: string): Metric | undefined {
  return BY_SAMPLE.get(sample);
}

/** Labels that every scraped series has, and `le` of buckets. */
const TARGET_LABELS = ['job', 'instance'];

/** What is wrong with the names in a query: not PromQL, metrics nobody exports, labels that a metric has not. */
export function wrongNames(query: string, recorded: ReadonlySet<string>): string[] {
  const { errors, selectors } = parsePromql(withoutGrafana(query));
  const wrong = errors.map((error) => `not PromQL ${error}: ${query}`);
  for (const { metric: sample, matchers } of selectors) {
    if (sample === 'up' || recorded.has(sample)) continue;
    const metric = metricOf(sample);
    if (metric === undefined) {
      wrong.push(`no metric ${sample}: ${query}`);
      continue;
    }
    for (const label of matchers.keys()) {
      const known = [...TARGET_LABELS, ...metric.labels, ...(sample.endsWith('_bucket') ? ['le'] : [])];
      if (!known.includes(label)) wrong.push(`${sample} has no label ${label}: ${query}`);
    }
  }
  return wrong;
}

/** The catalogue's metrics that a query reads. */
export function metricsIn(query: string): Metric[] {
  return parsePromql(withoutGrafana(query))
    .selectors.map(({ metric }) => metricOf(metric))
    .filter((metric) => metric !== undefined);
}

/** Every word in a text that looks like the name of a metric of ours, or of a recorded one. */
export function namesIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w:./-])(?:(?:bgp|process|nodejs)_[a-z0-9_]+|bgp:[a-z0-9_:]+)(?![\w:]*[*…])/g)].map(
    ([name]) => name.replace(/[_:]$/, ''),
  );
}
