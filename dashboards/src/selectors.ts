/**
 * PromQL of the dashboards, from the catalogue. Every selector carries the job and instance that were chosen, so that one
 * dashboard serves one exporter or many, scraped or through OTLP. Series are matched on all labels of the target, or
 * `ignoring` what a metric has beside them: exporters may have equal job and instance, and differ in a label of the user's.
 */
import { streamMetrics } from '../../src/metrics/catalogue.ts';
import type { Metric } from '../../src/metrics/metric.ts';

const CHOSEN = 'job=~"$job", instance=~"$instance"';

/** `bgp_…{job=~"$job", instance=~"$instance", …}`. `suffix` is `_bucket`, `_sum` or `_count` of a histogram. */
export function select(metric: Metric, matchers = '', suffix = ''): string {
  return selectNamed(`${metric.name}${suffix}`, matchers);
}

/** As `select`, of a series that a rule records. */
export function selectNamed(name: string, matchers = ''): string {
  return `${name}{${CHOSEN}${matchers === '' ? '' : `, ${matchers}`}}`;
}

/** Seconds since a time. */
export function age(metric: Metric): string {
  return `time() - ${select(metric)}`;
}

/** Events a second. */
export function rate(metric: Metric, matchers = '', suffix = ''): string {
  return `rate(${select(metric, matchers, suffix)}[$__rate_interval])`;
}

/** Events within the last interval: of what is rare, a number a second says little. */
export function count(metric: Metric, matchers = ''): string {
  return `increase(${select(metric, matchers)}[$__rate_interval])`;
}

/** Events within the time range of the dashboard. */
export function increaseOverRange(metric: Metric, matchers = ''): string {
  return `increase(${select(metric, matchers)}[$__range])`;
}

/** What an expression was over the whole time range: one value a series, the same at each point of the range. */
export function overRange(how: 'min' | 'max' | 'avg', expression: string): string {
  return `${how}_over_time((${expression})[$__range:$__interval] @ end())`;
}

/**
 * Sessions that do not bring news: not connected, their prefixes not associated, or their exporter gone. A session whose
 * exporter is gone has no series any more, so it is told by those of the last hour.
 */
export const sessionsDown = `count(last_over_time(${select(streamMetrics.streamUp)}[1h]) unless (${select(streamMetrics.streamUp)} == 1)) or 0 * count(${select(streamMetrics.streamUp)})`;
