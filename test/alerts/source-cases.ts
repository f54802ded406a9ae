/**
 * Two sources of one exporter, of which one fails. It shows what the exporter does then (feed/source-activity.ts): a prefix stays
 * trusted as long as one source knows it, and what only the other delivers leaves it as `source_down`, after a minute where the
 * source is away, and after a quarter of an hour where it is connected and its history does not answer.
 */
import {
  prefixMetrics as prefix,
  streamMetrics as stream,
  tableMetrics as table,
} from '../../src/metrics/catalogue.ts';
import { runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';
import type { Fired, RuleTest } from './rule-test.ts';
import { CALM, counter, healthy, INSTANCE, JOB, levels, OURS, of, SESSION, type Steps, type World } from './world.ts';

const RIS = { source: 'ris-live', session: '0' };
const FAILS = 60;
const RIS_DOWN: Fired = { alertname: 'BGPStreamDown', severity: 'critical', ...RIS };
const FIRST_DOWN: Fired = { alertname: 'BGPStreamDown', severity: 'critical', ...SESSION };
const FIRST_STALE: Fired = { alertname: 'BGPStreamStale', severity: 'warning', ...SESSION, why: 'canary' };
const KAFKA = { source: 'kafka', session: '0' };
const UNSEEDED: Fired = { alertname: 'BGPTableNotSeeded', severity: 'warning' };
const RIS_UNREAD: Fired = { alertname: 'BGPTableSourceNotSeeded', severity: 'warning', ...RIS };
const DEAD_FOR_GOOD = 1700;
const NOT_VISIBLE: Fired = { alertname: 'BGPPrefixNotVisible', severity: 'critical', prefix: OURS };
const DROP: Fired = { alertname: 'BGPPrefixVisibilityDrop', severity: 'critical', prefix: OURS };
const DROP_WARNING: Fired = { ...DROP, severity: 'warning' };
const HIJACK: Fired = { alertname: 'BGPPrefixUnexpectedOrigin', severity: 'critical', prefix: OURS };

/** Of the sixty VPs twenty are delivered by RIS Live alone, twenty by both sources. */
const ALL_VPS = 60;
const BY_FIRST = 40;
const BY_RIS = 40;

const knows = (source: string) => of.prefix(prefix.prefixSourceTrusted.name, { source });

/** The healthy world with RIS Live as the second source, and without the other prefix. */
function both(minutes: number, changes: World): World {
  const world = {
    ...healthy(minutes),
    [of.session(stream.streamUp.name, RIS)]: levels([1, minutes]),
    [of.session(stream.streamLastFrame.name, RIS)]: counter([60, minutes]),
    [of.session(stream.streamFrames.name, RIS)]: counter([60, minutes]),
    [of.session(stream.streamUpdates.name, RIS)]: counter([30, minutes]),
    [of.session(stream.streamDecodeFailures.name, { ...RIS, reason: 'invalid_json' })]: levels([0, minutes]),
    [of.prefix(prefix.prefixSessionInfo.name, RIS)]: levels([1, minutes]),
    [knows('bgproutes')]: levels([1, minutes]),
    [knows('ris-live')]: levels([1, minutes]),
    ...changes,
  };
  return Object.fromEntries(Object.entries(world).filter(([selector]) => !selector.includes(CALM)));
}

/** How many VPs the prefix has, in steps, all of them seeing it; what it loses its source has lost. */
function vps(...steps: Steps): World {
  const seen = levels(...steps);
  let [lost, gained, before] = [0, ALL_VPS, ALL_VPS];
  const [losses, gains]: [[number, number][], [number, number][]] = [[], []];
  for (const [value, minutes] of steps) {
    const now = Number(value);
    lost += Math.max(0, before - now);
    gained += Math.max(0, now - before);
    losses.push([lost, minutes]);
    gains.push([gained, minutes]);
    before = now;
  }
  return {
    [of.prefix(prefix.prefixVisibleVps.name)]: seen,
    [of.prefix(prefix.prefixExpectedVps.name)]: seen,
    [of.prefix(prefix.prefixOriginVps.name, { origin_as: '64500' })]: seen,
    [of.prefix(prefix.prefixVpLosses.name, { reason: 'source_down' })]: levels(...losses),
    [of.prefix(prefix.prefixVpGains.name)]: levels(...gains),
  };
}

/** A session that is down from FAILS on, for so long; `reads` more minutes until what it missed is read. */
const cut = (session: typeof RIS, lasts: number, minutes: number, reads = 3): World => ({
  [knows(session.source)]: levels([1, FAILS], [0, lasts + reads], [1, minutes - FAILS - lasts - reads]),
  [of.session(stream.streamUp.name, session)]: levels([1, FAILS], [0, lasts], [1, minutes - FAILS - lasts]),
  [of.session(stream.streamUpdates.name, session)]: counter([30, FAILS], [0, lasts], [30, minutes - FAILS - lasts]),
  [of.session(stream.streamDisconnects.name, { ...session, reason: 'closed' })]: levels(
    [0, FAILS],
    [1, minutes - FAILS],
  ),
});

const quietAt = (...minutes: readonly number[]) => minutes.map((at) => ({ at, firing: [] }));

const RIS_CUT_MINUTES = 190;
const risCut: World = {
  ...cut(RIS, 90, RIS_CUT_MINUTES),
  ...vps([ALL_VPS, FAILS + 1], [BY_FIRST, 93], [ALL_VPS, RIS_CUT_MINUTES - FAILS - 94]),
};

export const sourceTests: readonly RuleTest[] = [
  {
    alert: 'BGPPrefixPathLengthened',
    kinds: ['not firing'],
    name: 'the second of two sources is cut for an hour and a half: nothing is said of the prefixes, neither then nor when it is back',
    minutes: RIS_CUT_MINUTES,
    // The paths of what is left are longer: that is no news of the prefix.
    world: both(RIS_CUT_MINUTES, {
      ...risCut,
      [of.prefix(prefix.prefixAsPathLengthMean.name)]: levels(
        [4, FAILS + 1],
        [5.5, 93],
        [4, RIS_CUT_MINUTES - FAILS - 94],
      ),
    }),
    checks: [
      ...quietAt(FAILS),
      ...[5, 20, 33, 50, 70, 89].map((after) => ({ at: FAILS + after, firing: [RIS_DOWN] })),
      ...quietAt(160, 175, RIS_CUT_MINUTES - 1),
    ],
  },
  {
    alert: 'BGPPrefixVisibilityDrop',
    kinds: ['not firing'],
    name: 'the first of two sources is cut: what both deliver passes to the second',
    minutes: 150,
    world: both(150, { ...cut(SESSION, 60, 150), ...vps([ALL_VPS, FAILS + 1], [BY_RIS, 60], [ALL_VPS, 29]) }),
    checks: [...[5, 35, 59].map((after) => ({ at: FAILS + after, firing: [FIRST_DOWN] })), ...quietAt(FAILS + 66, 149)],
  },
  {
    alert: 'BGPPrefixVisibilityDrop',
    kinds: ['not firing'],
    name: 'the second of two sources refuses from the start',
    minutes: 120,
    world: both(120, {
      [knows('ris-live')]: levels([0, 120]),
      [of.session(stream.streamUp.name, RIS)]: levels([0, 120]),
      [of.session(stream.streamUpdates.name, RIS)]: levels([0, 120]),
      [of.session(stream.streamLastFrame.name, RIS)]: '',
      [of.session(stream.streamDisconnects.name, { ...RIS, reason: 'refused' })]: counter([1, 120]),
      ...vps([BY_FIRST, 120]),
      [of.prefix(prefix.prefixVpLosses.name, { reason: 'source_down' })]: levels([0, 120]),
    }),
    checks: [10, 45, 119].map((at) => ({ at, firing: [RIS_DOWN] })),
  },
  {
    alert: 'BGPExporterUnstable',
    kinds: ['not firing'],
    name: 'one of two sources comes and goes for hours: the other knows the prefixes all the time',
    minutes: 180,
    world: both(180, {
      [of.session(stream.streamUp.name, RIS)]: levels(
        [1, FAILS],
        ...Array.from(
          { length: 30 },
          () =>
            [
              [0, 3],
              [1, 1],
            ] as const,
        ).flat(),
      ),
    }),
    checks: [90, 120, 179].map((at) => ({ at, firing: [RIS_DOWN] })),
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['firing'],
    name: 'the first of two sources is silent, and the second tells that the prefix is lost; with that cut, too, nobody knows it',
    minutes: 130,
    world: both(130, {
      [of.session(stream.streamUpdates.name)]: levels([0, 130]),
      // The canary was heard last so long ago that it is missed from minute FAILS on.
      [of.session(stream.streamCanaryTimestamp.name)]: levels([(FAILS - 151) * 60, 130]),
      // What only the silent one delivers stays, since nobody takes it back.
      ...lostBy(130, 80, 20),
      [of.session(stream.streamUp.name, RIS)]: levels([1, 100], [0, 30]),
    }),
    checks: [
      { at: 75, firing: [FIRST_STALE] },
      { at: 99, firing: [FIRST_STALE, DROP, DROP_WARNING] },
      { at: 129, firing: [FIRST_STALE, DROP, DROP_WARNING, RIS_DOWN] },
    ],
    values: [
      { at: 99, expr: 'min(bgp:prefix_trusted:bool)', value: 1 },
      { at: 129, expr: 'min(bgp:prefix_trusted:bool)', value: 0 },
    ],
  },
  {
    alert: 'BGPTableSourceNotSeeded',
    kinds: ['firing', 'resolving'],
    name: 'the history of the second of two sources is dead after a short cut: what only it delivers leaves after a quarter of an hour',
    minutes: 180,
    world: both(180, {
      ...cut(RIS, 1, 180, 75),
      ...vps([ALL_VPS, FAILS + 16], [BY_FIRST, 60], [ALL_VPS, 180 - FAILS - 76]),
      [of.exporter(table.ripestatRequests.name, { call: 'bgp-state', result: 'server_error' })]: counter(
        [0, FAILS],
        [1, 76],
        [0, 180 - FAILS - 76],
      ),
    }),
    checks: [
      ...quietAt(FAILS + 14, FAILS + 20, FAILS + 50, FAILS + 60),
      ...[63, 75, 85].map((after) => ({ at: FAILS + after, firing: [RIS_UNREAD] })),
      ...quietAt(FAILS + 95, 179),
    ],
    message: [
      {
        at: FAILS + 70,
        severity: 'warning',
        labels: { job: JOB, instance: INSTANCE, ...RIS },
        summary: `Stream ris-live/0 of ${INSTANCE} is connected, but its part of the table is not complete`,
        description:
          'For an hour 1 of its prefixes have not been read from its history (the Data API, RIPEstat). Another source knows them, so that alerts about them go on; but what only vantage points of this one show is not seen, and an alert of presence that rests on them (a hijack) cannot end. ' +
          "Check first the exporter's log for what the history answers, and the results of its requests (bgp_data_api_requests_total, bgp_ripestat_requests_total).",
      },
    ],
  },
  {
    alert: 'BGPTableSourceNotSeeded',
    kinds: ['not firing'],
    name: 'a session that is down, a table that nobody knows, and Kafka without a history are not what it tells of',
    minutes: 190,
    world: both(190, {
      [knows('ris-live')]: levels([1, 30], [0, 160]),
      [of.session(stream.streamUp.name, RIS)]: levels([1, 30], [0, 80], [1, 80]),
      [knows('bgproutes')]: levels([1, 110], [0, 80]),
      [of.exporter(table.tableSeeded.name)]: levels([1, 110], [0, 80]),
      [of.prefix(prefix.prefixTrusted.name)]: levels([1, 110], [0, 80]),
      [knows('kafka')]: levels([0, 190]),
      [of.prefix(prefix.prefixSessionInfo.name, KAFKA)]: levels([1, 190]),
      [of.session(stream.streamUp.name, KAFKA)]: levels([1, 190]),
    }),
    checks: [
      ...[95, 109].map((at) => ({ at, firing: [RIS_DOWN] })),
      ...[130, 189].map((at) => ({ at, firing: [UNSEEDED] })),
    ],
  },
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['firing', 'resolving'],
    name: 'the prefix is lost while the second of two sources is cut',
    minutes: RIS_CUT_MINUTES,
    world: both(RIS_CUT_MINUTES, {
      ...risCut,
      [of.prefix(prefix.prefixVisibleVps.name)]: levels([60, 61], [40, 39], [0, 30], [40, 24], [60, 36]),
      [of.prefix(prefix.prefixOriginVps.name, { origin_as: '64500' })]: levels(
        [60, 61],
        [40, 39],
        [0, 30],
        [40, 24],
        [60, 36],
      ),
      [of.prefix(prefix.prefixVisibilityRatio.name)]: levels([1, 100], [0, 30], [1, 60]),
      [of.prefix(prefix.prefixVpLosses.name, { reason: 'withdrawn' })]: levels([0, 100], [40, 90]),
      [of.prefix(prefix.prefixVpGains.name)]: levels([60, 130], [100, 24], [120, 36]),
    }),
    checks: [
      { at: 95, firing: [RIS_DOWN] },
      { at: 105, firing: [RIS_DOWN, NOT_VISIBLE, DROP, DROP_WARNING] },
      { at: 129, firing: [RIS_DOWN, NOT_VISIBLE, DROP, DROP_WARNING] },
      { at: 140, firing: [RIS_DOWN] },
      ...quietAt(175),
    ],
  },
  {
    alert: 'BGPPrefixUnexpectedOrigin',
    kinds: ['firing', 'resolving'],
    name: 'a hijack that only the second of two sources shows goes on while that source is cut, until it is back and shows none',
    minutes: 200,
    world: both(200, {
      ...cut(RIS, 60, 200),
      ...vps([ALL_VPS, FAILS + 1], [BY_FIRST, 62], [ALL_VPS, 77]),
      [of.prefix(prefix.prefixUnexpectedOriginVps.name)]: levels([0, 40], [8, FAILS + 1 - 40], [0, 139]),
    }),
    checks: [
      { at: 50, firing: [HIJACK] },
      ...[65, 75, 90, 119].map((at) => ({ at, firing: [HIJACK, RIS_DOWN] })),
      { at: 127, firing: [HIJACK] },
      ...quietAt(150, 199),
    ],
  },
  ...(['unseen', 'forgotten'] as const).map(hijackOfDeadHistory),
  {
    alert: 'BGPPrefixUnexpectedOrigin',
    kinds: ['firing'],
    name: 'a hijack that only a source whose history stays dead showed is told for longer than a day',
    minutes: DEAD_FOR_GOOD,
    world: both(DEAD_FOR_GOOD, {
      ...cut(RIS, 1, DEAD_FOR_GOOD, DEAD_FOR_GOOD - FAILS - 1),
      ...vps([ALL_VPS, FAILS + 16], [BY_FIRST, DEAD_FOR_GOOD - FAILS - 16]),
      [of.prefix(prefix.prefixUnexpectedOriginVps.name)]: levels([0, 40], [8, FAILS - 24], [0, DEAD_FOR_GOOD - 76]),
    }),
    checks: [
      { at: 100, firing: [HIJACK] },
      { at: DEAD_FOR_GOOD - 1, firing: [HIJACK, RIS_UNREAD] },
    ],
  },
  {
    alert: 'BGPPrefixUnexpectedOrigin',
    kinds: ['resolving'],
    name: 'a hijack that both of two sources show ends while the second is cut, as the first tells',
    minutes: 150,
    world: both(150, {
      ...cut(RIS, 90, 150),
      ...vps([ALL_VPS, FAILS + 1], [BY_FIRST, 89]),
      [of.prefix(prefix.prefixUnexpectedOriginVps.name)]: levels([0, 40], [12, FAILS + 1 - 40], [8, 20], [0, 69]),
    }),
    checks: [
      { at: 79, firing: [HIJACK, RIS_DOWN] },
      { at: 90, firing: [RIS_DOWN] },
    ],
  },
];

/** `minutes` of a prefix that all VPs but `seen` lose at `from`. */
function lostBy(minutes: number, from: number, seen: number): World {
  const steps = [
    [ALL_VPS, from],
    [seen, minutes - from],
  ] as const;
  return {
    [of.prefix(prefix.prefixVisibleVps.name)]: levels(...steps),
    [of.prefix(prefix.prefixOriginVps.name, { origin_as: '64500' })]: levels(...steps),
    [of.prefix(prefix.prefixVisibilityRatio.name)]: levels(
      [1, from],
      [Number((seen / ALL_VPS).toFixed(4)), minutes - from],
    ),
    [of.prefix(prefix.prefixVpLosses.name, { reason: 'withdrawn' })]: levels(
      [0, from],
      [ALL_VPS - seen, minutes - from],
    ),
  };
}

/**
 * Only RIS Live shows the hijack. It is connected again after a minute, and its history answers two hours later only: by then
 * its routes have left the table, or the exporter has restarted and the history that is alive makes the prefix trusted.
 */
function hijackOfDeadHistory(by: 'unseen' | 'forgotten'): RuleTest {
  const minutes = 270;
  const [gone, back] = [FAILS + (by === 'unseen' ? 16 : 1), FAILS + 121];
  const restarted = {
    [of.exporter(runtimeMetrics.processStartTime.name)]: levels([1, FAILS], [FAILS * 60, minutes - FAILS]),
    [knows('bgproutes')]: levels([1, FAILS], [0, 3], [1, minutes - FAILS - 3]),
    [of.prefix(prefix.prefixTrusted.name)]: levels([1, FAILS], [0, 3], [1, minutes - FAILS - 3]),
    [of.exporter(table.tableSeeded.name)]: levels([1, FAILS], [0, 3], [1, minutes - FAILS - 3]),
    [of.prefix(prefix.prefixVpLosses.name, { reason: 'source_down' })]: levels([0, minutes]),
  };
  return {
    alert: 'BGPPrefixUnexpectedOrigin',
    kinds: ['firing', 'resolving'],
    name: `a hijack that only a connected source with a dead history showed goes on until that is read (${by})`,
    minutes,
    world: both(minutes, {
      ...cut(RIS, 1, minutes, 120),
      ...vps([ALL_VPS, gone], [BY_FIRST, back - gone], [ALL_VPS, minutes - back]),
      [of.prefix(prefix.prefixUnexpectedOriginVps.name)]: levels([0, 40], [8, gone - 40], [0, minutes - gone]),
      ...(by === 'forgotten' ? restarted : {}),
    }),
    checks: [
      ...[50, FAILS + 5, FAILS + 19, FAILS + 30, FAILS + 60].map((at) => ({ at, firing: [HIJACK] })),
      { at: FAILS + 119, firing: [HIJACK, RIS_UNREAD] },
      { at: back + 7, firing: [RIS_UNREAD] },
      ...quietAt(back + 20, minutes - 1),
    ],
  };
}
