/**
 * The world that the rule tests play in: one healthy exporter with one session and two prefixes, minute by minute, and
 * what a test changes of it. Written in promtool's notation of series.
 */
import {
  exporterMetrics as exporter,
  prefixMetrics as prefix,
  streamMetrics as stream,
  tableMetrics as table,
} from '../../src/metrics/catalogue.ts';
import { runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';
import { LOSS_REASONS } from '../../src/table/prefixes/prefix-state.ts';

/** `[value, minutes]`, one after the other; `_` is no sample, `stale` the end of the series. */
export type Steps = readonly (readonly [number | '_' | 'stale', number])[];

/** One value until something changes. */
export function levels(...steps: Steps): string {
  return steps
    .filter(([, minutes]) => minutes > 0)
    .map(([value, minutes]) =>
      minutes === 1
        ? `${value}`
        : value === '_'
          ? `_x${minutes}`
          : value === 'stale'
            ? 'stale'
            : `${value}x${minutes - 1}`,
    )
    .join(' ');
}

/** A counter: `[added a minute, minutes]`, one after the other, from 0. */
export function counter(...slopes: readonly (readonly [number, number])[]): string {
  let value = 0;
  const parts: string[] = [];
  for (const [slope, minutes] of slopes) {
    if (minutes === 0) continue;
    parts.push(`${value}+${slope}x${minutes - 1}`);
    value += slope * minutes;
  }
  return parts.join(' ');
}

export const JOB = 'bgproutes-exporter';
export const INSTANCE = 'edge:10479';
export const OURS = '192.0.2.0/24';
export const CALM = '2001:db8::/32';
export const SESSION = { source: 'bgproutes', session: '0' };

function selector(name: string, labels: Readonly<Record<string, string>>): string {
  const all = { job: JOB, instance: INSTANCE, ...labels };
  const text = Object.entries(all)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}="${value}"`)
    .join(',');
  return `${name}{${text}}`;
}

export const of = {
  prefix: (name: string, labels: Readonly<Record<string, string>> = {}) => selector(name, { prefix: OURS, ...labels }),
  session: (name: string, labels: Readonly<Record<string, string>> = {}) => selector(name, { ...SESSION, ...labels }),
  exporter: (name: string, labels: Readonly<Record<string, string>> = {}) => selector(name, labels),
};

/** Series by selector. A test's own replace those of the healthy world; an empty text takes one away. */
export type World = Readonly<Record<string, string>>;

/** Sixty vantage points see our prefix through two upstreams, for `minutes`; nothing happens. */
export function healthy(minutes: number): World {
  const still = (value: number) => levels([value, minutes]);
  const world: Record<string, string> = {
    [of.exporter('up')]: still(1),
    [of.exporter(exporter.exporterBuildInfo.name, { version: '0.1.0' })]: still(1),
    [of.exporter(runtimeMetrics.processStartTime.name)]: still(1),
    [of.session(stream.streamUp.name)]: still(1),
    [of.session(stream.streamLastFrame.name)]: counter([60, minutes]),
    [of.session(stream.streamFrames.name)]: counter([30, minutes]),
    [of.session(stream.streamUpdates.name)]: counter([30, minutes]),
    [of.session(stream.streamSubscriptionExpiry.name)]: `14400+60x${minutes - 1}`,
    [of.session(stream.streamDecodeFailures.name, { reason: 'invalid_json' })]: still(0),
    [of.session(stream.streamDisconnects.name, { reason: 'closed' })]: still(0),
    [of.session(stream.streamSubscriptionRenewals.name, { result: 'success' })]: still(1),
    [of.session(stream.streamSubscriptionRenewals.name, { result: 'error' })]: still(0),
    [of.session(`${stream.streamDelay.name}_bucket`, { le: '60' })]: counter([30, minutes]),
    [of.session(`${stream.streamDelay.name}_bucket`, { le: '300' })]: counter([30, minutes]),
    [of.session(`${stream.streamDelay.name}_bucket`, { le: '+Inf' })]: counter([30, minutes]),
    [of.session(`${stream.streamDelay.name}_count`)]: counter([30, minutes]),
    [of.exporter(table.tableSeeded.name)]: still(1),
    [of.exporter(table.tableRoutes.name)]: still(1000),
    [of.exporter(table.tableSeedCorrections.name)]: still(0),
    [of.exporter(exporter.exporterOtlpExports.name, { result: 'success' })]: counter([1, minutes]),
    [of.exporter(exporter.exporterOtlpExports.name, { result: 'unavailable' })]: still(0),
  };
  for (const [name, info] of [
    [OURS, { afi: 'ipv4', group: 'core', description: 'office' }],
    [CALM, { afi: 'ipv6' }],
  ] as const) {
    const series = (metric: string, labels: Readonly<Record<string, string>> = {}) =>
      of.prefix(metric, { prefix: name, ...labels });
    world[series(prefix.prefixInfo.name, info)] = still(1);
    world[series(prefix.prefixVisibleVps.name)] = still(60);
    world[series(prefix.prefixExpectedVps.name)] = still(60);
    world[series(prefix.prefixExpectedKnown.name)] = still(1);
    world[series(prefix.prefixTrusted.name)] = still(1);
    world[series(prefix.prefixSessionInfo.name, SESSION)] = still(1);
    world[series(prefix.prefixVisibilityRatio.name)] = still(1);
    world[series(prefix.prefixOriginVps.name, { origin_as: '64500' })] = still(60);
    world[series(prefix.prefixUnexpectedOriginVps.name)] = still(0);
    world[series(prefix.prefixUpstreamVps.name, { upstream_as: '64510' })] = still(40);
    world[series(prefix.prefixUpstreamVps.name, { upstream_as: '64511' })] = still(20);
    world[series(prefix.prefixUnexpectedUpstreamVps.name)] = still(0);
    world[series(prefix.prefixAsPathLengthMean.name)] = still(4);
    world[series(prefix.prefixPrependedVps.name)] = still(0);
    world[series(prefix.prefixMoreSpecifics.name)] = still(0);
    world[series(prefix.prefixAnnouncements.name)] = counter([2, minutes]);
    world[series(prefix.prefixRepeats.name)] = counter([1, minutes]);
    world[series(prefix.prefixWithdrawals.name)] = still(0);
    world[series(prefix.prefixVpGains.name)] = still(60);
    for (const reason of LOSS_REASONS) world[series(prefix.prefixVpLosses.name, { reason })] = still(0);
  }
  return world;
}

/** Only the prefix that is seen by `seen` of `expected` VPs in each step, and what follows from it. */
export function visibility(...steps: readonly { minutes: number; seen: number; expected: number }[]): World {
  return {
    [of.prefix(prefix.prefixVisibleVps.name)]: levels(...steps.map((s) => [s.seen, s.minutes] as const)),
    [of.prefix(prefix.prefixExpectedVps.name)]: levels(...steps.map((s) => [s.expected, s.minutes] as const)),
    [of.prefix(prefix.prefixVisibilityRatio.name)]: levels(
      ...steps.map((s) => [s.expected === 0 ? '_' : Number((s.seen / s.expected).toFixed(4)), s.minutes] as const),
    ),
    [of.prefix(prefix.prefixOriginVps.name, { origin_as: '64500' })]: levels(
      ...steps.map((s) => [s.seen, s.minutes] as const),
    ),
    [of.prefix(prefix.prefixAsPathLengthMean.name)]: levels(
      ...steps.map((s) => [s.seen === 0 ? '_' : 4, s.minutes] as const),
    ),
  };
}
