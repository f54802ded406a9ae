/** An outage that goes on while something else happens: for each alert about a prefix, and each mishap. */
import { prefixMetrics as prefix } from '../../src/metrics/catalogue.ts';
import { MISHAPS, type Mishap } from './mishaps.ts';
import type { PrefixEvent, RuleTest } from './rule-test.ts';
import { type Series, seriesOf, stretch, worldOfSeries } from './samples.ts';
import { CALM, healthy, levels, OURS, of, visibility, type World } from './world.ts';

/** The events of the cases begin at minute 60, last 30, and 30 more follow. Here each phase is longer by so much. */
const HISTORY = 60;
const LONGER = 80;
const REST = 20;
const BEGINS = 60 + HISTORY;
const ENDS = 90 + HISTORY + LONGER;
const MINUTES = ENDS + 30 + REST;
/** When the mishap begins: every alert fires by then. */
const MISHAP = BEGINS + 25;

function longWorld(event: World, lasts: number): Series[] {
  return seriesOf({ ...healthy(120), ...event })
    .filter(({ labels }) => labels.get('prefix') !== CALM)
    .map((series) => stretch(series, 110, REST))
    .map((series) => stretch(series, 80, lasts))
    .map((series) => stretch(series, 30, HISTORY));
}

/** How often it fired in the minutes up to the check. */
function timesFired(alertname: string, severity: string, minutes: number): string {
  return `sum(count_over_time(ALERTS{alertname="${alertname}", severity="${severity}", prefix="${OURS}", alertstate="firing"}[${minutes}m30s]))`;
}

/** Two routes that are stuck: seen by 2 of 60. */
const stuck: World = {
  ...visibility(
    { minutes: 60, seen: 60, expected: 60 },
    { minutes: 30, seen: 2, expected: 60 },
    { minutes: 30, seen: 60, expected: 60 },
  ),
  [of.prefix(prefix.prefixVpLosses.name, { reason: 'withdrawn' })]: levels([0, 60], [58, 60]),
};

export function outageTests(events: readonly PrefixEvent[]): RuleTest[] {
  const notVisible = events.find(({ alert }) => alert === 'BGPPrefixNotVisible')!;
  const faults = [
    ...events.map((event) => ({ event, with: '' })),
    { event: { ...notVisible, event: stuck }, with: ', two routes being stuck' },
  ];
  return [
    ...faults.flatMap(({ event, with: how }) =>
      MISHAPS.flatMap((mishap) => [
        goesOn(event, how, mishap),
        ...(mishap.minutes > 3 ? [endsMeanwhile(event, how, mishap)] : []),
      ]),
    ),
    ...MISHAPS.map(nothingBegins),
  ];
}

function goesOn(event: PrefixEvent, how: string, mishap: Mishap): RuleTest {
  const first = BEGINS + event.fires;
  const last = ENDS + event.kept;
  return {
    alert: event.alert,
    kinds: ['goes on'],
    mishap,
    name: `${event.severity}${how}: over ${mishap.name}; it resolves when it has ended`,
    minutes: MINUTES,
    world: worldOfSeries(mishap.apply(longWorld(event.event, LONGER), MISHAP)),
    checks: [
      { at: BEGINS - 1, firing: [] },
      { at: MINUTES - 1, firing: [] },
    ],
    values: [
      { at: BEGINS + event.notYet, expr: timesFired(event.alert, event.severity, BEGINS), value: undefined },
      { at: last, expr: timesFired(event.alert, event.severity, last - first), value: last - first + 1 },
    ],
  };
}

/** The fault ends two minutes before the exporter knows the prefix again. */
function endsMeanwhile(event: PrefixEvent, how: string, mishap: Mishap): RuleTest {
  const ends = MISHAP + mishap.minutes - 2;
  const shorter = ends - BEGINS - 30;
  const minutes = ends + 30 + REST;
  const first = BEGINS + event.fires;
  return {
    alert: event.alert,
    kinds: ['goes on'],
    mishap,
    name: `${event.severity}${how}: it ends during ${mishap.name}, and resolves after it`,
    minutes,
    world: worldOfSeries(mishap.apply(longWorld(event.event, shorter), MISHAP)),
    checks: [{ at: minutes - 1, firing: [] }],
    values: [{ at: ends, expr: timesFired(event.alert, event.severity, ends - first), value: ends - first + 1 }],
  };
}

function nothingBegins(mishap: Mishap): RuleTest {
  return {
    alert: 'BGPPrefixNotVisible',
    kinds: ['nothing begins'],
    mishap,
    name: `by ${mishap.name} alone`,
    minutes: MINUTES,
    world: worldOfSeries(mishap.apply(longWorld({}, LONGER), MISHAP)),
    checks: [{ at: MINUTES - 1, firing: [] }],
    values: [
      {
        at: MINUTES - 1,
        expr: `count(count_over_time(ALERTS{alertname=~"BGPPrefix.+"}[${MINUTES}m]))`,
        value: undefined,
      },
    ],
  };
}
