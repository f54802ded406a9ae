/**
 * PromQL of the dashboards, from the catalogue. Every selector carries the job and instance that were chosen, so that one
 * dashboard serves one exporter or many, scraped or through OTLP.
 */
import { prefixMetrics, streamMetrics, tableMetrics } from '../../src/metrics/catalogue.ts';
import type { Metric } from '../../src/metrics/metric.ts';

const CHOSEN = 'job=~"$job", instance=~"$instance"';

/** `bgp_…{job=~"$job", instance=~"$instance", …}`. `suffix` is `_bucket`, `_sum` or `_count` of a histogram. */
export function select(metric: Metric, matchers = '', suffix = ''): string {
  return `${metric.name}${suffix}{${CHOSEN}${matchers === '' ? '' : `, ${matchers}`}}`;
}

/** Events a second. */
export function rate(metric: Metric, matchers = ''): string {
  return `rate(${select(metric, matchers)}[$__rate_interval])`;
}

/** Events within the last interval: of what is rare, a number a second says little. */
export function count(metric: Metric, matchers = ''): string {
  return `increase(${select(metric, matchers)}[$__rate_interval])`;
}

/** Events within the time range of the dashboard. */
export function increaseOverRange(metric: Metric, matchers = ''): string {
  return `increase(${select(metric, matchers)}[$__range])`;
}

/**
 * Sessions that do not bring news: not connected, their prefixes not associated, or their exporter gone. A session whose
 * exporter is gone has no series any more, so it is told by those of the last hour.
 */
export const sessionsDown = `count(last_over_time(${select(streamMetrics.streamUp)}[1h]) unless on (job, instance, source, session) (${select(streamMetrics.streamUp)} == 1)) or 0 * count(${select(streamMetrics.streamUp)})`;

/** Exporters that know what they say of prefixes: every session up, and the table complete. */
export const exportersThatKnow = `(min by (job, instance) (${select(streamMetrics.streamUp)}) == 1 and on (job, instance) ${select(tableMetrics.tableSeeded)} == 1)`;

const CHOSEN_PREFIXES = select(prefixMetrics.prefixInfo, 'group=~"$group", prefix=~"$prefix"');

/** Of the chosen groups and prefixes only: series of a prefix do not carry its group, `bgp_prefix_info` does. */
export function inGroup(expression: string): string {
  return `(${expression} and on (job, instance, prefix) ${CHOSEN_PREFIXES})`;
}

/**
 * One series a prefix, the largest over exporters: two exporters that watch the same prefix are a pair, and the one that
 * knows less (just started, fewer VPs) must not lower what is shown.
 */
export function byPrefix(expression: string): string {
  return `max by (prefix) ${inGroup(expression)}`;
}

/** A gauge of the chosen prefixes, one series a prefix. */
export function gaugeByPrefix(metric: Metric): string {
  return byPrefix(select(metric, 'prefix=~"$prefix"'));
}

export const infoOfPrefixes = `max by (prefix, group, description, afi) (${CHOSEN_PREFIXES})`;

/** 0 for every chosen prefix: what stands for a metric that only some prefixes have. */
export const zeroByPrefix = `0 * max by (prefix) (${CHOSEN_PREFIXES})`;
