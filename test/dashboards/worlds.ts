/**
 * Exporters that the dashboards are tried on, each world under a job of its own: every series that an exporter has, from the
 * catalogue, for half an hour, in OpenMetrics.
 */

import { legitimacyMetrics } from '../../src/metrics/catalogue/legitimacy-metrics.ts';
import { ownMetrics } from '../../src/metrics/catalogue.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';

export type Labels = Readonly<Record<string, string>>;

/** Of all worlds: Unix seconds, and the step of the samples. A block of Prometheus begins there. */
export const START = Date.UTC(2026, 0, 5) / 1000;
export const STEP = 30;
export const POINTS = 61;
export const END = START + STEP * (POINTS - 1);

/** What one exporter holds of one prefix; a function is asked with the number of the sample. */
export interface PrefixState {
  readonly info: Labels;
  readonly trusted: number | ((at: number) => number);
  readonly visible: number | ((at: number) => number);
  readonly expected: number;
  readonly unexpectedOrigin?: number;
  readonly moreSpecifics?: Readonly<Record<string, number>>;
  /** Shares of the visible VPs by origin and upstream; the first is the rest. */
  readonly origins: Readonly<Record<string, number>>;
  readonly upstreams: Readonly<Record<string, number>>;
  /** Announcements a sample. */
  readonly announcements: number;
  readonly expectedKnown?: number;
}

export interface ExporterState {
  /** Beside the job. */
  readonly target: Labels;
  readonly up: number;
  readonly prefixes: Readonly<Record<string, PrefixState>>;
  /** What the rules record of its prefixes, where they are loaded. */
  readonly trustedByRules?: number;
  readonly visibilityByRules?: number;
  readonly build?: Labels;
}

const SESSION = { source: 'bgproutes', session: '0' };
const LE = ['1', '4', '+Inf'];

function line(name: string, labels: Labels, value: (at: number) => number | undefined): string {
  const text = Object.entries(labels)
    .filter(([, of]) => of !== '')
    .map(([label, of]) => `${label}="${of}"`)
    .join(',');
  const lines: string[] = [];
  for (let at = 0; at < POINTS; at++) {
    const of = value(at);
    if (of !== undefined) lines.push(`${name}{${text}} ${of} ${START + at * STEP}\n`);
  }
  return lines.join('');
}

const number = (of: number | ((at: number) => number), at: number) => (typeof of === 'number' ? of : of(at));

/** Samples of a gauge of a prefix by its labels beside it; undefined for those that are not told apart here. */
function gaugesOf(key: string, state: PrefixState): readonly (readonly [Labels, (at: number) => number | undefined])[] {
  const visible = (at: number) => number(state.visible, at);
  const split = (label: string, parts: Readonly<Record<string, number>>) => {
    const others = Object.entries(parts).slice(1);
    const rest = others.reduce((sum, [, of]) => sum + of, 0);
    const [first] = Object.keys(parts);
    return [
      [{ [label]: first! }, (at: number) => Math.max(0, visible(at) - rest)] as const,
      ...others.map(([of, count]) => [{ [label]: of }, (at: number) => Math.min(count, visible(at))] as const),
    ];
  };
  const seen = (value: number) => (at: number) => (visible(at) === 0 ? undefined : value);
  switch (key) {
    case 'prefixInfo':
      return [[state.info, () => 1]];
    case 'prefixTrusted':
      return [[{}, (at) => number(state.trusted, at)]];
    case 'prefixExpectedKnown':
      return [[{}, () => state.expectedKnown ?? 1]];
    case 'prefixSessionInfo':
      return [[SESSION, () => 1]];
    case 'prefixVisibleVps':
      return [[{}, visible]];
    case 'prefixSourceTrusted':
      return [[{ source: SESSION.source }, (at) => number(state.trusted, at)]];
    case 'prefixSourceVps':
      return [[{ source: SESSION.source }, visible]];
    case 'prefixExpectedVps':
      return [[{}, () => state.expected]];
    case 'prefixRegionVisibleVps':
      return [[{ region: 'europe' }, visible]];
    case 'prefixRegionExpectedVps':
      return [[{ region: 'europe' }, () => state.expected]];
    case 'prefixVpSourceVisibleVps':
      return [[{ vp_source: 'ris' }, visible]];
    case 'prefixVpSourceExpectedVps':
      return [[{ vp_source: 'ris' }, () => state.expected]];
    case 'prefixCountryVisibleVps':
    case 'prefixCountryExpectedVps':
      // No countries are listed.
      return [];
    case 'prefixVisibilityRatio':
      return [[{}, (at) => (state.expected === 0 ? undefined : visible(at) / state.expected)]];
    case 'prefixOriginVps':
      return split('origin_as', state.origins);
    case 'prefixUpstreamVps':
      return split('upstream_as', state.upstreams);
    case 'prefixOrigins':
      return [[{}, () => Object.keys(state.origins).length]];
    case 'prefixUnexpectedOriginVps':
      return state.unexpectedOrigin === undefined ? [] : [[{}, () => state.unexpectedOrigin]];
    case 'prefixUnexpectedUpstreamVps':
      return [[{}, () => 0]];
    case 'prefixAsPathLengthVps':
      return [
        [{ length: '3' }, (at) => Math.floor(visible(at) / 2)],
        [{ length: '12' }, (at) => Math.ceil(visible(at) / 2)],
      ];
    case 'prefixAsPathLengthMin':
      return [[{}, seen(3)]];
    case 'prefixAsPathLengthMean':
      return [[{}, seen(4.5)]];
    case 'prefixAsPathLengthMax':
      return [[{}, seen(12)]];
    case 'prefixPrependedVps':
      return [[{}, () => 1]];
    case 'prefixMoreSpecifics':
      return [[{}, () => Object.keys(state.moreSpecifics ?? {}).length]];
    case 'prefixMoreSpecificVps':
      return Object.entries(state.moreSpecifics ?? {}).map(([of, count]) => [{ more_specific: of }, () => count]);
    case 'prefixLastAnnouncement':
    case 'prefixLastWithdrawal':
      return [[{}, () => END - 600]];
    default:
      // Nobody has configured `rpki` or `paths` here.
      if (key in legitimacyMetrics) return [];
      throw new Error(`what is ${key} of a prefix?`);
  }
}

function prefixSeries(metric: Metric, target: Labels, prefix: string, state: PrefixState): string {
  const labels = { ...target, prefix };
  if (metric.kind === 'gauge') {
    return gaugesOf(metric.key, state)
      .map(([more, value]) => line(metric.name, { ...labels, ...more }, value))
      .join('');
  }
  const each = state.announcements;
  if (metric.kind === 'histogram') {
    return LE.map((le, index) =>
      line(`${metric.name}_bucket`, { ...labels, le }, (at) => at * each * (index + 1)),
    ).join('');
  }
  const reasons = metric.labels.includes('reason') ? ['withdrawn', 'vp_down', 'source_down', 'expired'] : [''];
  return reasons
    .map((reason, index) => line(metric.name, { ...labels, reason }, (at) => at * each * (index + 1)))
    .join('');
}

/** Values of labels of metrics that speak of no prefix: enough to tell them apart. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  source: [SESSION.source],
  session: [SESSION.session],
  reason: ['closed', 'invalid_json'],
  protocol: ['bgp', 'bmp'],
  result: ['success', 'error'],
  endpoint: ['rib'],
  metric: ['bgp_prefix_origin_vps'],
  kind: ['minor', 'major'],
};

function otherSeries(metric: Metric, { target, up, build }: ExporterState, job: string): string {
  const own = { ...target, job };
  let combinations: Labels[] = [{}];
  for (const label of metric.labels) {
    const values = build?.[label] === undefined ? (VALUES[label] ?? ['x']) : [build[label]];
    combinations = combinations.flatMap((each) => values.map((value) => ({ ...each, [label]: value })));
  }
  const timestamp = metric.name.endsWith('_timestamp_seconds');
  const value = (at: number) => {
    if (metric.key === 'streamUp' || metric.key === 'tableSeeded') return up;
    if (['exporterConfigLastReloadSuccessful', 'exporterBuildInfo', 'tableFullFeedUsable'].includes(metric.key))
      return 1;
    if (timestamp || metric.key === 'processStartTime') return START - 3600;
    return metric.kind === 'gauge' ? 20 : at * 2;
  };
  return combinations
    .map((labels) => {
      if (metric.kind !== 'histogram') return line(metric.name, { ...own, ...labels }, value);
      const buckets = LE.map((le, index) =>
        line(`${metric.name}_bucket`, { ...own, ...labels, le }, (at) => at * (index + 1)),
      );
      const rest = ['_sum', '_count'].map((suffix) =>
        line(metric.name + suffix, { ...own, ...labels }, (at) => at * 3),
      );
      return [...buckets, ...rest].join('');
    })
    .join('');
}

/** All series of the exporters of one world. */
export function seriesOf(job: string, exporters: readonly ExporterState[]): string {
  const parts: string[] = [];
  for (const exporter of exporters) {
    const target = { ...exporter.target, job };
    for (const metric of [...ownMetrics, ...Object.values(runtimeMetrics)]) {
      if (!metric.labels.includes('prefix')) {
        parts.push(otherSeries(metric, exporter, job));
        continue;
      }
      for (const [prefix, state] of Object.entries(exporter.prefixes)) {
        parts.push(prefixSeries(metric, target, prefix, state));
      }
    }
    if (exporter.trustedByRules === undefined) continue;
    for (const prefix of Object.keys(exporter.prefixes)) {
      parts.push(line('bgp:prefix_trusted:bool', { ...target, prefix }, () => exporter.trustedByRules));
      parts.push(line('bgp:prefix_visibility:ratio', { ...target, prefix }, () => exporter.visibilityByRules));
    }
    parts.push(line('bgp:exporter_trusted:bool', target, () => exporter.trustedByRules));
  }
  return parts.join('');
}

/** An alert of the rules that fires from the first sample on. */
export function firing(labels: Labels): string {
  return (
    line('ALERTS', { ...labels, alertstate: 'firing' }, () => 1) + line('ALERTS_FOR_STATE', labels, () => START - 60)
  );
}

export const NOT_SEEN = '192.0.2.0/24';
export const CALM = '2001:db8::/32';
export const HIJACKED = '198.51.100.0/24';

const SEEN: PrefixState = {
  info: { afi: 'ipv4', group: 'core', description: 'office' },
  trusted: 1,
  visible: 60,
  expected: 60,
  unexpectedOrigin: 0,
  origins: { 64500: 60 },
  upstreams: { 64510: 60, 64511: 20 },
  announcements: 3,
};

/** A healthy exporter that knows all: one prefix fell out of sight half way, one is calm, one is hijacked. */
export const KNOWS: ExporterState = {
  target: { instance: 'a:10479' },
  up: 1,
  prefixes: {
    [NOT_SEEN]: { ...SEEN, visible: (at) => (at < POINTS / 2 ? 60 : 0) },
    [CALM]: { ...SEEN, info: { afi: 'ipv6' }, unexpectedOrigin: undefined, announcements: 0 },
    [HIJACKED]: {
      ...SEEN,
      info: { afi: 'ipv4', group: '007', description: '12' },
      unexpectedOrigin: 12,
      origins: { 64501: 48, 4200000000: 12 },
      moreSpecifics: { '198.51.100.128/25': 9 },
    },
  },
};

/** One whose stream was cut: it keeps what it held, more than the other sees, and describes it otherwise. */
export const CUT: ExporterState = {
  target: { instance: 'b:10479' },
  up: 0,
  prefixes: Object.fromEntries(
    Object.entries(KNOWS.prefixes).map(([prefix, state]) => [
      prefix,
      {
        ...state,
        info: { ...state.info, group: 'elsewhere', description: 'something else' },
        trusted: 0,
        visible: prefix === NOT_SEEN ? 40 : 80,
        expected: prefix === NOT_SEEN ? 40 : 80,
        origins: { 64500: 40, 64999: 15 },
        upstreams: { 64599: 40 },
        moreSpecifics: { '192.0.2.0/26': 5, '192.0.2.64/26': 5 },
        unexpectedOrigin: state.unexpectedOrigin === undefined ? undefined : 15,
        announcements: 50,
        expectedKnown: 0,
      },
    ]),
  ),
};

/** One that began in the middle of an outage: it expects the two that have a stuck route, a usual day has sixty. */
export const FORGOT: ExporterState = {
  ...KNOWS,
  trustedByRules: 1,
  visibilityByRules: 2 / 60,
  prefixes: {
    [CALM]: { ...SEEN, visible: 2, expected: 2, origins: { 64500: 2 }, upstreams: { 64510: 2 }, expectedKnown: 0 },
  },
};

/** Two that are trusted and hear other VPs: 69 and 63 of them. */
export const OVERLAPPING: readonly ExporterState[] = [
  {
    ...KNOWS,
    prefixes: {
      [CALM]: { ...SEEN, visible: 69, expected: 80, origins: { 64500: 40, 64501: 29 }, upstreams: { 1: 40, 2: 29 } },
    },
  },
  {
    ...CUT,
    up: 1,
    prefixes: {
      [CALM]: { ...SEEN, visible: 63, expected: 63, origins: { 64500: 53, 64501: 10 }, upstreams: { 1: 10, 2: 53 } },
    },
  },
];

/** In alphabetical order far behind the first page. */
export const LATE = '10.0.99.0/24';
/** A hundred and twenty prefixes: one was out of sight for three minutes, thirty are always seen by nine in ten. */
export const MANY: ExporterState = {
  ...KNOWS,
  prefixes: Object.fromEntries(
    Array.from({ length: 120 }, (_, index) => {
      const prefix = `10.0.${index}.0/24`;
      const group = `group ${String.fromCharCode(65 + (index % 4))}`;
      const state: PrefixState = {
        ...SEEN,
        info: { afi: 'ipv4', group, description: `number ${index}` },
        visible: prefix === LATE ? (at) => (at >= 20 && at < 26 ? 0 : 60) : index < 30 ? 54 : 60,
        upstreams: Object.fromEntries(Array.from({ length: 40 }, (_none, as) => [64600 + as, 1])),
        announcements: index === 98 ? 100 : 1,
      };
      return [prefix, state];
    }),
  ),
};
