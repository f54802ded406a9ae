/** What rules remember of a prefix: its level, why it fell, and faults while nobody knows; and when they forget. */
import {
  prefixMetrics as prefix,
  streamMetrics as stream,
  tableMetrics as table,
} from '../../src/metrics/catalogue.ts';
import { runtimeMetrics } from '../../src/metrics/runtime-metrics.ts';
import { MISHAPS } from './mishaps.ts';
import type { Fired, RuleTest } from './rule-test.ts';
import { seriesOf, worldOfSeries } from './samples.ts';
import { CALM, counter, healthy, levels, OURS, of, SESSION, visibility, type World } from './world.ts';

const NOT_VISIBLE: Fired = { alertname: 'BGPPrefixNotVisible', severity: 'critical', prefix: OURS };
const DROP: Fired = { alertname: 'BGPPrefixVisibilityDrop', severity: 'critical', prefix: OURS };
const DROP_WARNING: Fired = { ...DROP, severity: 'warning' };
const HIJACK: Fired = { alertname: 'BGPPrefixUnexpectedOrigin', severity: 'critical', prefix: OURS };
const EXPORTER_DOWN: Fired = { alertname: 'BGPExporterDown', severity: 'critical' };
const STREAM_DOWN: Fired = { alertname: 'BGPStreamDown', severity: 'critical', ...SESSION };
const UNSEEDED: Fired = { alertname: 'BGPTableNotSeeded', severity: 'warning' };
const losses = (reason: string) => of.prefix(prefix.prefixVpLosses.name, { reason });
const DAY = 1440;

/** The world without the other prefix: long tests take half the time. */
function alone(minutes: number, changes: World): World {
  const series = seriesOf({ ...healthy(minutes), ...changes });
  return worldOfSeries(series.filter(({ labels }) => labels.get('prefix') !== CALM));
}

/** All series of the exporter end at a minute; `up` says so, or ends too. */
function gone(world: World, from: number, up: 'down' | 'gone'): World {
  return worldOfSeries(
    seriesOf(world).map((each) => ({
      ...each,
      samples: each.samples.map((was, minute) =>
        minute < from ? was : each.metric === 'up' && up === 'down' ? 0 : minute === from ? 'stale' : '_',
      ),
    })),
  );
}

const outage = (minutes: number, from = 60): World => ({
  ...visibility({ minutes: from, seen: 60, expected: 60 }, { minutes: minutes - from, seen: 0, expected: 60 }),
  [losses('withdrawn')]: levels([0, from], [60, minutes - from]),
});

const [restart] = MISHAPS;

export const memoryTests: readonly RuleTest[] = [
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['firing'],
    name: 'VPs failed all day, but this fall is of withdrawals: nobody is expected by an exporter without a memory',
    minutes: 120,
    changes: {
      ...visibility({ minutes: 60, seen: 60, expected: 60 }, { minutes: 60, seen: 0, expected: 0 }),
      [losses('vp_down')]: counter([10, 60], [0, 60]),
      [losses('withdrawn')]: levels([0, 60], [60, 60]),
      [of.prefix(prefix.prefixExpectedKnown.name)]: levels([1, 60], [0, 60]),
    },
    checks: [
      { at: 59, firing: [] },
      { at: 70, firing: [NOT_VISIBLE] },
      { at: 119, firing: [NOT_VISIBLE, DROP, DROP_WARNING] },
    ],
  },
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['quiet: VPs lost'],
    name: 'the VPs went, and then the exporter restarts: it is still not the prefix',
    minutes: 160,
    world: worldOfSeries(
      restart!.apply(
        seriesOf({
          ...healthy(160),
          ...visibility({ minutes: 60, seen: 60, expected: 60 }, { minutes: 100, seen: 1, expected: 1 }),
          [losses('vp_down')]: levels([0, 60], [59, 100]),
          [losses('withdrawn')]: levels([0, 60], [3, 100]),
        }),
        90,
      ),
    ),
    checks: [
      { at: 89, firing: [] },
      { at: 110, firing: [] },
      { at: 159, firing: [] },
    ],
  },
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['firing'],
    name: 'it fell while the exporter was away, which knows no denominator: two of two see it, and sixty did',
    minutes: 120,
    changes: {
      ...visibility({ minutes: 60, seen: 60, expected: 60 }, { minutes: 60, seen: 2, expected: 2 }),
      [of.prefix(prefix.prefixExpectedKnown.name)]: levels([1, 60], [0, 60]),
    },
    checks: [{ at: 70, firing: [NOT_VISIBLE, DROP, DROP_WARNING] }],
  },
  {
    alert: 'BGPPrefixVisibilityDrop',
    kinds: ['firing'],
    name: 'it fell while the exporter was away, which knows no denominator: 24 of 24 see it, and sixty did',
    minutes: 120,
    changes: {
      ...visibility({ minutes: 60, seen: 60, expected: 60 }, { minutes: 60, seen: 24, expected: 24 }),
      [of.prefix(prefix.prefixExpectedKnown.name)]: levels([1, 60], [0, 60]),
    },
    checks: [{ at: 70, firing: [DROP, DROP_WARNING] }],
  },
  {
    alert: 'BGPPrefixVisibilityDrop',
    kinds: ['quiet: VPs lost'],
    name: 'VPs go down one by one while the denominator is not known',
    minutes: 180,
    changes: {
      [of.prefix(prefix.prefixVisibleVps.name)]: `60x59 60-0.5x79 20x39`,
      [of.prefix(prefix.prefixExpectedVps.name)]: `60x59 60-0.5x79 20x39`,
      [losses('vp_down')]: `0x59 0+0.5x79 40x39`,
      [of.prefix(prefix.prefixExpectedKnown.name)]: levels([0, 180]),
    },
    checks: [90, 120, 139, 179].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['firing', 'resolving'],
    name: 'an outage of more than a day, with two routes that are stuck and a window that has passed',
    minutes: 1700,
    world: alone(1700, {
      ...visibility(
        { minutes: 60, seen: 60, expected: 60 },
        { minutes: DAY, seen: 2, expected: 60 },
        { minutes: 150, seen: 2, expected: 2 },
        { minutes: 50, seen: 60, expected: 60 },
      ),
      [losses('withdrawn')]: levels([0, 60], [58, 1640]),
    }),
    checks: [
      { at: 70, firing: [NOT_VISIBLE, DROP, DROP_WARNING] },
      { at: 1400, firing: [NOT_VISIBLE, DROP, DROP_WARNING] },
      { at: 1649, firing: [NOT_VISIBLE, DROP, DROP_WARNING] },
      { at: 1660, firing: [] },
    ],
  },
  {
    alert: 'BGPPrefixVisibilityDrop',
    kinds: ['firing', 'resolving'],
    name: 'a drop of more than a day does not become usual, and its window passes',
    minutes: 1700,
    world: alone(1700, {
      ...visibility(
        { minutes: 60, seen: 60, expected: 60 },
        { minutes: DAY, seen: 24, expected: 60 },
        { minutes: 150, seen: 24, expected: 24 },
        { minutes: 50, seen: 60, expected: 60 },
      ),
      [losses('withdrawn')]: levels([0, 60], [36, 1640]),
    }),
    checks: [
      { at: 1400, firing: [DROP, DROP_WARNING] },
      { at: 1649, firing: [DROP, DROP_WARNING] },
      { at: 1660, firing: [] },
    ],
  },
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['resolving'],
    name: 'the prefix leaves the configuration while the stream is down',
    minutes: 160,
    world: worldOfSeries(
      seriesOf({
        ...healthy(160),
        ...outage(160),
        [of.session(stream.streamUp.name)]: levels([1, 80], [0, 80]),
        [of.prefix(prefix.prefixTrusted.name)]: levels([1, 80], [0, 80]),
      }).map((each) =>
        each.labels.get('prefix') !== OURS
          ? each
          : {
              ...each,
              samples: each.samples.map((was, minute) => (minute < 120 ? was : minute === 120 ? 'stale' : '_')),
            },
      ),
    ),
    checks: [
      { at: 119, firing: [NOT_VISIBLE, DROP, DROP_WARNING, STREAM_DOWN] },
      { at: 127, firing: [STREAM_DOWN] },
    ],
  },
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['resolving'],
    name: 'the exporter is away for more than a day',
    minutes: 1700,
    world: gone(alone(1700, outage(1700)), 100, 'down'),
    checks: [
      { at: 1500, firing: [NOT_VISIBLE, DROP, DROP_WARNING, EXPORTER_DOWN] },
      { at: 1560, firing: [EXPORTER_DOWN] },
    ],
  },
  {
    alert: 'BGPPrefixNotVisible',
    kinds: ['resolving'],
    name: 'the exporter is replaced by one of another name, which finds that the outage is over',
    minutes: 160,
    world: {
      ...gone(alone(160, outage(160)), 80, 'gone'),
      ...Object.fromEntries(
        Object.entries(alone(160, {})).map(([selector, values]) => [
          selector.replace('edge:10479', 'new:10479'),
          `_x85 ${values}`,
        ]),
      ),
    },
    checks: [
      { at: 81, firing: [NOT_VISIBLE, DROP, DROP_WARNING] },
      { at: 92, firing: [NOT_VISIBLE, DROP, DROP_WARNING] },
      { at: 103, firing: [] },
    ],
  },
  {
    alert: 'BGPPrefixUnexpectedOrigin',
    kinds: ['firing', 'resolving'],
    name: 'without a seed no prefix is ever trusted: a hijack is told, and its end too',
    minutes: 150,
    changes: {
      [of.exporter(table.tableSeeded.name)]: levels([0, 150]),
      [of.prefix(prefix.prefixTrusted.name)]: levels([0, 150]),
      [of.prefix(prefix.prefixTrusted.name, { prefix: CALM })]: levels([0, 150]),
      [of.prefix(prefix.prefixUnexpectedOriginVps.name)]: levels([0, 60], [12, 40], [0, 50]),
    },
    checks: [
      { at: 59, firing: [UNSEEDED] },
      { at: 62, firing: [HIJACK, UNSEEDED] },
      { at: 99, firing: [HIJACK, UNSEEDED] },
      { at: 107, firing: [UNSEEDED] },
    ],
  },
  {
    alert: 'BGPPrefixUnexpectedOrigin',
    kinds: ['firing', 'resolving'],
    name: 'without a seed a restart forgets the hijack: it is told for a day',
    minutes: 1700,
    world: alone(1700, {
      [of.exporter(table.tableSeeded.name)]: levels([0, 1700]),
      [of.prefix(prefix.prefixTrusted.name)]: levels([0, 1700]),
      [of.prefix(prefix.prefixUnexpectedOriginVps.name)]: levels([0, 60], [12, 40], [0, 1600]),
      [of.exporter(runtimeMetrics.processStartTime.name)]: levels([1, 100], [6000, 1600]),
    }),
    checks: [
      { at: 110, firing: [HIJACK, UNSEEDED] },
      { at: 1500, firing: [HIJACK, UNSEEDED] },
      { at: 1560, firing: [UNSEEDED] },
    ],
  },
  {
    alert: 'BGPStreamDown',
    kinds: ['firing', 'resolving'],
    name: 'the exporter restarts while its key is refused, and its table is not seeded: neither alert resolves',
    minutes: 160,
    world: worldOfSeries(
      restart!.apply(
        seriesOf({
          ...healthy(160),
          [of.session(stream.streamUp.name)]: levels([1, 60], [0, 60], [1, 40]),
          [of.exporter(table.tableSeeded.name)]: levels([1, 60], [0, 60], [1, 40]),
          [of.prefix(prefix.prefixTrusted.name)]: levels([1, 60], [0, 60], [1, 40]),
          [of.prefix(prefix.prefixTrusted.name, { prefix: CALM })]: levels([1, 60], [0, 60], [1, 40]),
        }),
        90,
      ),
    ),
    checks: [
      { at: 89, firing: [STREAM_DOWN, UNSEEDED] },
      { at: 92, firing: [STREAM_DOWN, UNSEEDED, EXPORTER_DOWN] },
      { at: 94, firing: [STREAM_DOWN, UNSEEDED] },
      { at: 96, firing: [STREAM_DOWN, UNSEEDED] },
      { at: 119, firing: [STREAM_DOWN, UNSEEDED] },
      { at: 127, firing: [] },
    ],
  },
  {
    alert: 'BGPTableFullFeedUnusable',
    kinds: ['firing', 'resolving'],
    name: 'the list tells no table sizes for two hours',
    minutes: 240,
    changes: { [of.exporter(table.tableFullFeedUsable.name)]: levels([1, 60], [0, 120], [1, 60]) },
    checks: [
      { at: 119, firing: [] },
      { at: 122, firing: [{ alertname: 'BGPTableFullFeedUnusable', severity: 'warning' }] },
      { at: 187, firing: [] },
    ],
    message: [
      {
        at: 130,
        severity: 'warning',
        labels: { job: 'bgproutes-exporter', instance: 'edge:10479' },
        summary: 'edge:10479 cannot tell which vantage points have a full feed',
        description:
          'The list of vantage points has told no table sizes for an hour. `table.expected_vps: full_feed` counts as `seen` meanwhile: those that hold a route, or held one within the window. ' +
          "Check first the exporter's log for what the list lacks; if it stays so, set `table.expected_vps: seen`.",
      },
    ],
  },
  {
    alert: 'BGPTableFullFeedUnusable',
    kinds: ['not firing'],
    name: 'one list without sizes, and an exporter that does not ask for them',
    minutes: 120,
    changes: { [of.exporter(table.tableFullFeedUsable.name)]: levels([1, 60], [0, 20], [1, 40]) },
    checks: [85, 119].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPTableFull',
    kinds: ['firing', 'resolving'],
    name: 'more vantage points than there may be, for an hour',
    minutes: 180,
    changes: {
      [of.session(stream.streamDroppedEvents.name, { reason: 'vp_limit' })]: counter([0, 60], [2, 60], [0, 60]),
      [of.session(stream.streamDroppedEvents.name, { reason: 'seeded' })]: counter([5, 180]),
    },
    checks: [
      { at: 59, firing: [] },
      { at: 70, firing: [{ alertname: 'BGPTableFull', severity: 'warning' }] },
      { at: 119, firing: [{ alertname: 'BGPTableFull', severity: 'warning' }] },
      { at: 160, firing: [] },
    ],
    message: [
      {
        at: 110,
        severity: 'warning',
        labels: { job: 'bgproutes-exporter', instance: 'edge:10479' },
        summary: 'The table of edge:10479 is full: routes are left out',
        description:
          '60 events or routes within 30 minutes found no room, because a bound on vantage points, more-specifics of a prefix or long AS paths is reached. Numbers of visible vantage points and more-specifics may be too low, and the path of a vantage point may be an old one. ' +
          'Check first which bound it is: the label reason of bgp_stream_dropped_events_total and bgp_table_dropped_routes_total.',
      },
    ],
  },
  {
    alert: 'BGPTableFull',
    kinds: ['firing', 'resolving'],
    name: 'a seed that brings more more-specifics than there may be',
    minutes: 120,
    changes: {
      [of.exporter(table.tableDroppedRoutes.name, { reason: 'more_specific_limit' })]: levels([0, 60], [40, 60]),
    },
    checks: [
      { at: 59, firing: [] },
      { at: 67, firing: [{ alertname: 'BGPTableFull', severity: 'warning' }] },
      { at: 110, firing: [] },
    ],
  },
  {
    alert: 'BGPTableFull',
    kinds: ['firing', 'resolving'],
    name: 'long AS paths for an hour, more than there may be',
    minutes: 180,
    changes: {
      [of.session(stream.streamDroppedEvents.name, { reason: 'path_limit' })]: counter([0, 60], [2, 60], [0, 60]),
    },
    checks: [
      { at: 59, firing: [] },
      { at: 70, firing: [{ alertname: 'BGPTableFull', severity: 'warning' }] },
      { at: 160, firing: [] },
    ],
  },
  {
    alert: 'BGPTableFull',
    kinds: ['not firing'],
    name: 'events that come too late, or belong to another session, are no matter of room',
    minutes: 120,
    changes: {
      [of.session(stream.streamDroppedEvents.name, { reason: 'out_of_order' })]: counter([5, 120]),
      [of.session(stream.streamDroppedEvents.name, { reason: 'other_session' })]: counter([5, 120]),
    },
    checks: [62, 119].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPTableSnapshotFailing',
    kinds: ['firing', 'resolving'],
    name: 'the disk is full for an hour',
    minutes: 180,
    changes: {
      [of.exporter(table.tableSnapshots.name, { result: 'success' })]: counter([1, 60], [0, 60], [1, 60]),
      [of.exporter(table.tableSnapshots.name, { result: 'error' })]: counter([0, 60], [1, 60], [0, 60]),
    },
    checks: [
      { at: 65, firing: [] },
      { at: 80, firing: [{ alertname: 'BGPTableSnapshotFailing', severity: 'warning' }] },
      { at: 119, firing: [{ alertname: 'BGPTableSnapshotFailing', severity: 'warning' }] },
      { at: 128, firing: [] },
    ],
    message: [
      {
        at: 100,
        severity: 'warning',
        labels: { job: 'bgproutes-exporter', instance: 'edge:10479' },
        summary: 'edge:10479 cannot write its snapshot',
        description:
          '40 snapshots of the last 70 minutes could not be written, and none was in the last 10. Metrics are right, but a restart loses the table, the counters and who was expected. ' +
          "Check first the exporter's log for the system's reason (no space, read-only, not permitted), then the disk and the owner of `storage.path`.",
      },
    ],
  },
  {
    alert: 'BGPTableSnapshotFailing',
    kinds: ['not firing'],
    name: 'one of many fails',
    minutes: 180,
    changes: {
      [of.exporter(table.tableSnapshots.name, { result: 'success' })]: counter([1, 60], [0, 1], [1, 119]),
      [of.exporter(table.tableSnapshots.name, { result: 'error' })]: counter([0, 60], [1, 1], [0, 119]),
    },
    checks: [62, 70, 179].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPSubscriptionReplaced',
    kinds: ['firing', 'resolving'],
    name: 'another client puts its list in place of ours, twice',
    minutes: 150,
    changes: { [of.session(stream.streamSubscriptionLosses.name)]: levels([0, 60], [1, 10], [2, 80]) },
    checks: [
      { at: 59, firing: [] },
      { at: 62, firing: [{ alertname: 'BGPSubscriptionReplaced', severity: 'warning', ...SESSION }] },
      { at: 95, firing: [{ alertname: 'BGPSubscriptionReplaced', severity: 'warning', ...SESSION }] },
      { at: 106, firing: [] },
    ],
    message: [
      {
        at: 80,
        severity: 'warning',
        labels: { job: 'bgproutes-exporter', instance: 'edge:10479', ...SESSION },
        summary: 'Somebody else associates other prefixes with the key of session bgproutes/0 of edge:10479',
        description:
          '2 times within 30 minutes the service sent this session the prefixes of another list. The exporter has put its own back each time, and filled the gap; in between it heard nothing of its prefixes. ' +
          'Check first who uses the same key: a second exporter, the commands subscribe and tail, the website. Each needs a key of its own.',
      },
    ],
  },
  {
    alert: 'BGPSubscriptionReplaced',
    kinds: ['not firing'],
    name: 'it was replaced once, hours ago',
    minutes: 120,
    changes: { [of.session(stream.streamSubscriptionLosses.name)]: levels([1, 120]) },
    checks: [5, 60, 119].map((at) => ({ at, firing: [] })),
  },
];
