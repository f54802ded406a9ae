/**
 * A prefix that goes from one exporter of a fleet to another: its series end under one instance and come back under another
 * minutes later, counters as they were. What fires goes on, and nothing begins.
 */
import { fleetMetrics as fleet, prefixMetrics as prefix } from '../../src/metrics/catalogue.ts';
import type { RuleTest } from './rule-test.ts';
import { type Sample, type Series, seriesOf, worldOfSeries } from './samples.ts';
import { CALM, healthy, levels, OURS, of, visibility, type World } from './world.ts';

const BEGINS = 60;
const HAND_OVER = 90;
/** Session, restore and scrapes. */
const GAP = 3;
const ENDS = 150;
const MINUTES = 200;
const OTHER = 'other:10479';

/** @param crashes the first exporter is gone; otherwise it goes on without the prefix */
function handedOver(event: World, crashes: boolean): World {
  const still = (value: number) => levels([value, MINUTES]);
  const all = seriesOf({
    ...healthy(MINUTES),
    ...event,
    [of.exporter(fleet.fleetPartitions.name)]: still(64),
    [of.exporter(fleet.fleetPartitionsOwned.name)]: still(64),
  }).filter(({ labels }) => labels.get('prefix') !== CALM);
  const change = (series: Series, sample: (minute: number, was: Sample) => Sample): Series => ({
    ...series,
    samples: series.samples.map((was, minute) => sample(minute, was)),
  });
  const first = all.map((series) => {
    if (!crashes && !series.labels.has('prefix')) return series;
    return change(series, (minute, was) => {
      if (minute < HAND_OVER) return was;
      if (series.metric === 'up') return 0;
      return minute === HAND_OVER ? 'stale' : '_';
    });
  });
  const second = all.map((series) => ({
    ...change(series, (minute, was) => (series.labels.has('prefix') && minute < HAND_OVER + GAP ? '_' : was)),
    labels: new Map([...series.labels, ['instance', OTHER]]),
  }));
  return worldOfSeries([...first, ...second]);
}

const seen = (number: number, expected = 60): World =>
  visibility(
    { minutes: BEGINS, seen: 60, expected: 60 },
    { minutes: ENDS - BEGINS, seen: number, expected },
    { minutes: MINUTES - ENDS, seen: 60, expected: 60 },
  );
const withdrawn = (number: number): World => ({
  [of.prefix(prefix.prefixVpLosses.name, { reason: 'withdrawn' })]: levels([0, BEGINS], [number, MINUTES - BEGINS]),
});
const during = (normal: number, event: number) =>
  levels([normal, BEGINS], [event, ENDS - BEGINS], [normal, MINUTES - ENDS]);

const FAULTS: readonly (readonly [alert: string, severity: 'critical' | 'warning', event: World])[] = [
  ['BGPPrefixNotVisible', 'critical', { ...seen(0), ...withdrawn(60) }],
  ['BGPPrefixVisibilityDrop', 'critical', { ...seen(25), ...withdrawn(35) }],
  ['BGPPrefixVisibilityDrop', 'warning', { ...seen(40), ...withdrawn(20) }],
  ['BGPPrefixUnexpectedOrigin', 'critical', { [of.prefix(prefix.prefixUnexpectedOriginVps.name)]: during(0, 9) }],
  ['BGPPrefixPathLengthened', 'warning', { [of.prefix(prefix.prefixAsPathLengthMean.name)]: during(4, 6) }],
];

/** In how many minutes up to the check an alert fired, of whichever exporter. */
const minutesFired = (alert: string, severity: string, minutes: number): string =>
  `sum(count_over_time((group by (job) (ALERTS{alertname="${alert}", severity="${severity}", prefix="${OURS}", alertstate="firing"}))[${minutes}m30s:1m]))`;

/** From which minute of the fault on each is sure to fire. */
const SURE = 15;

const goesOn = FAULTS.flatMap(([alert, severity, event]) =>
  [false, true].map(
    (crashes): RuleTest => ({
      alert,
      kinds: ['goes on'],
      name: `${severity}: its exporter ${crashes ? 'crashes' : 'goes on without it'}, and another has it ${GAP} minutes later`,
      minutes: MINUTES,
      world: handedOver(event, crashes),
      checks: [],
      values: [
        { at: BEGINS - 1, expr: minutesFired(alert, severity, BEGINS), value: undefined },
        { at: ENDS, expr: minutesFired(alert, severity, ENDS - BEGINS - SURE), value: ENDS - BEGINS - SURE + 1 },
        { at: MINUTES - 1, expr: minutesFired(alert, severity, 20), value: undefined },
      ],
    }),
  ),
);

/** The fault ends while nobody shows the prefix. */
const endsMeanwhile: RuleTest = {
  alert: 'BGPPrefixNotVisible',
  kinds: ['goes on'],
  name: 'it ends during a hand-over, and resolves when the other exporter has known the prefix for ten minutes',
  minutes: MINUTES,
  world: handedOver(
    {
      ...visibility(
        { minutes: BEGINS, seen: 60, expected: 60 },
        { minutes: HAND_OVER + 1 - BEGINS, seen: 0, expected: 60 },
        { minutes: MINUTES - HAND_OVER - 1, seen: 60, expected: 60 },
      ),
      ...withdrawn(60),
    },
    false,
  ),
  checks: [],
  values: [
    { at: HAND_OVER + 10, expr: minutesFired('BGPPrefixNotVisible', 'critical', 10), value: 11 },
    { at: HAND_OVER + 40, expr: minutesFired('BGPPrefixNotVisible', 'critical', 15), value: undefined },
  ],
};

const nothingBegins = (
  [
    ['of a prefix that is well', {}],
    [
      'of a prefix whose VPs went down before',
      {
        ...seen(1, 1),
        [of.prefix(prefix.prefixVpLosses.name, { reason: 'vp_down' })]: levels([0, BEGINS], [59, MINUTES - BEGINS]),
      },
    ],
  ] as const
).flatMap(([name, event]) =>
  [false, true].map(
    (crashes): RuleTest => ({
      alert: 'BGPPrefixNotVisible',
      kinds: ['not firing'],
      name: `by a hand-over alone, ${name}; its exporter ${crashes ? 'crashes' : 'goes on'}`,
      minutes: MINUTES,
      world: handedOver(event, crashes),
      checks: [],
      values: [
        {
          at: MINUTES - 1,
          expr: `count(count_over_time(ALERTS{alertname=~"BGPPrefix.+", alertstate="firing"}[${MINUTES}m]))`,
          value: undefined,
        },
      ],
    }),
  ),
);

export const handOverTests: readonly RuleTest[] = [...goesOn, endsMeanwhile, ...nothingBegins];
