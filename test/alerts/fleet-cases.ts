/** Alerts about a fleet of exporters. */
import {
  fleetMetrics as fleet,
  ingestMetrics as ingest,
  streamMetrics as stream,
} from '../../src/metrics/catalogue.ts';
import { AFTER, ALL, BEFORE, critical, DURING, during, EXPORTER_LABELS, warning } from './events.ts';
import type { RuleTest } from './rule-test.ts';
import { counter, INSTANCE, JOB, levels, of, SESSION, type Steps, type World } from './world.ts';

const PARTITIONS = 64;
const PARTITION = { partition: '46' };
/** The last minute at which something that lasts from BEFORE to the end is looked at. */
const LONG = 150;

/** A member with targets' labels as a Kubernetes has them: what it owns, and whether it is there. */
function member(number: number, minutes: number, ...owned: Steps): World {
  const labels = { instance: `10.0.0.${number}:10479`, pod: `exporter-${number}`, node: `node-${number}` };
  const isGone = owned.some(([value]) => value === '_');
  return {
    [of.exporter(fleet.fleetPartitions.name, labels)]: isGone
      ? levels(...owned.map(([value, lasts]) => [typeof value === 'number' ? PARTITIONS : value, lasts] as const))
      : levels([PARTITIONS, minutes]),
    [of.exporter(fleet.fleetPartitionsOwned.name, labels)]: levels(...owned),
  };
}

/** The whole fleet is the exporter at INSTANCE. */
const alone = (...owned: Steps): World => ({
  [of.exporter(fleet.fleetPartitions.name)]: levels([PARTITIONS, ALL]),
  [of.exporter(fleet.fleetPartitionsOwned.name)]: levels(...owned),
});

/** From minute BEFORE on the watermark stands still for DURING minutes, then all is read. */
const lagging = (lag: Steps): World => ({
  [of.exporter(fleet.fleetWatermarkTimestamp.name, PARTITION)]:
    `${counter([60, BEFORE])} ${levels([BEFORE * 60, DURING])} ${(BEFORE + DURING) * 60}+60x${AFTER - 1}`,
  [of.exporter(fleet.fleetLag.name, PARTITION)]: levels(...lag),
});

const owner = (...steps: Steps): World => ({
  [of.exporter(fleet.fleetPartitionOwner.name, PARTITION)]: levels(...steps),
});

const FLEET_SESSION = { source: 'fleet', session: '46' };

/** Exporters with four partitions each: whether their events come, and none of their prefixes. */
const fedFleet = (instances: readonly string[], ...up: Steps): World => ({
  ...Object.fromEntries(
    instances.flatMap((instance, i) =>
      [0, 1, 2, 3].map((session) => [
        of.session(stream.streamUp.name, { instance, source: 'fleet', session: String(4 * i + session) }),
        levels(...up),
      ]),
    ),
  ),
  ...Object.fromEntries(
    instances.map((instance) => [of.exporter(fleet.fleetPartitions.name, { instance }), levels([PARTITIONS, ALL])]),
  ),
  [of.exporter(fleet.fleetPartitionsOwned.name)]: levels([PARTITIONS, ALL]),
});

const unreadable = (reason: string, ...steps: Steps): World => ({
  [of.exporter(fleet.fleetUnreadable.name, { reason })]: levels(...steps),
});

export const fleetTests: readonly RuleTest[] = [
  {
    alert: 'BGPFleetPartitionUnowned',
    kinds: ['firing', 'resolving'],
    name: 'a partition cannot be restored for half an hour',
    minutes: ALL,
    changes: alone([PARTITIONS, BEFORE], [PARTITIONS - 1, DURING], [PARTITIONS, AFTER]),
    checks: [
      { at: BEFORE + 9, firing: [] },
      { at: BEFORE + 11, firing: [critical('BGPFleetPartitionUnowned', {})] },
      { at: BEFORE + DURING + 4, firing: [critical('BGPFleetPartitionUnowned', {})] },
      { at: BEFORE + DURING + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 11,
        severity: 'critical',
        labels: { job: JOB },
        server: INSTANCE,
        summary: '1 partitions of the fleet bgproutes-exporter are shown by no exporter',
        description:
          'For ten minutes no exporter has shown the prefixes of 1 partitions. No alert about them begins meanwhile; those that fire go on. ' +
          'Check first whether the exporters of the fleet run and are members of the group (bgp_fleet_member), then /-/ready of each: it names the partitions that it restores.',
      },
    ],
  },
  {
    alert: 'BGPFleetPartitionUnowned',
    kinds: ['firing'],
    name: 'one of three crashes, and nobody takes over; told once',
    minutes: ALL,
    changes: {
      ...member(1, ALL, [22, ALL]),
      ...member(2, ALL, [21, ALL]),
      ...member(3, ALL, [21, BEFORE], ['stale', 1], ['_', ALL - BEFORE - 1]),
    },
    checks: [
      { at: BEFORE - 1, firing: [] },
      { at: BEFORE + 11, firing: [critical('BGPFleetPartitionUnowned', {})] },
    ],
    values: [{ at: BEFORE + 11, expr: 'sum(ALERTS{alertname="BGPFleetPartitionUnowned"})', value: 1 }],
  },
  ...[1, 2, 3].map(
    (gone): RuleTest => ({
      alert: 'BGPFleetPartitionUnowned',
      kinds: ['firing'],
      name: `it goes on when exporter ${gone} of three crashes meanwhile`,
      minutes: ALL,
      changes: Object.assign(
        {},
        ...[1, 2, 3].map((number) =>
          number === gone
            ? member(number, ALL, [22, BEFORE], [21, 14], ['stale', 1], ['_', ALL - BEFORE - 15])
            : member(number, ALL, [21, ALL]),
        ),
      ),
      checks: [BEFORE + 11, BEFORE + 21, ALL - 1].map((at) => ({
        at,
        firing: [critical('BGPFleetPartitionUnowned', {})],
      })),
      values: [
        {
          at: ALL - 1,
          expr: `sum(count_over_time(ALERTS{alertname="BGPFleetPartitionUnowned",alertstate="firing"}[${ALL}m]))`,
          value: ALL - BEFORE - 10,
        },
      ],
    }),
  ),
  {
    alert: 'BGPFleetPartitionUnowned',
    kinds: ['not firing'],
    name: 'one of three crashes, and the others have all within five minutes',
    minutes: ALL,
    changes: {
      ...member(1, ALL, [22, BEFORE + 5], [32, ALL - BEFORE - 5]),
      ...member(2, ALL, [21, BEFORE + 4], [32, ALL - BEFORE - 4]),
      ...member(3, ALL, [21, BEFORE], ['stale', 1], ['_', ALL - BEFORE - 1]),
    },
    checks: [BEFORE + 4, BEFORE + 12, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPFleetLagging',
    kinds: ['firing', 'resolving'],
    name: 'nothing is applied for half an hour',
    minutes: ALL,
    changes: lagging([
      [0, BEFORE],
      [900, DURING],
      [0, AFTER],
    ]),
    checks: [
      { at: BEFORE + 6, firing: [] },
      { at: BEFORE + 9, firing: [warning('BGPFleetLagging', {})] },
      { at: BEFORE + DURING + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 10,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `${INSTANCE} is 10m 0s behind the ingest of its fleet`,
        description:
          'What the exporter applies now was written by the ingest 10m 0s ago (limit 1 minute); up to 900 records of a partition wait. Numbers and alerts are late by that much. ' +
          'Check first its CPU and event loop delay on the Exporter dashboard: too few exporters share the prefixes, or the brokers are slow.',
      },
    ],
  },
  {
    alert: 'BGPFleetLagging',
    kinds: ['not firing'],
    name: 'the ingest is gone: there is nothing to read',
    minutes: ALL,
    changes: lagging([[0, ALL]]),
    checks: [BEFORE + 10, BEFORE + DURING, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPFleetLagging',
    kinds: ['not firing'],
    name: 'a clock is two minutes wrong, and a record is on its way at every second scrape',
    minutes: ALL,
    changes: {
      [of.exporter(fleet.fleetWatermarkTimestamp.name, PARTITION)]: `-120+60x${ALL - 1}`,
      [of.exporter(fleet.fleetLag.name, PARTITION)]: levels(
        ...Array.from({ length: ALL / 2 }, () => [[0, 1] as const, [3, 1] as const]).flat(),
      ),
    },
    checks: [BEFORE, BEFORE + DURING, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPFleetStateStale',
    kinds: ['firing', 'resolving'],
    name: 'the state cannot be written for an hour and a half',
    minutes: LONG + 30,
    changes: {
      ...owner([1, LONG + 30]),
      [of.exporter(fleet.fleetStateTimestamp.name, PARTITION)]:
        `${counter([60, BEFORE])} ${levels([(BEFORE - 1) * 60, 90])} ${LONG * 60}+60x29`,
    },
    checks: [
      { at: BEFORE + 69, firing: [] },
      { at: BEFORE + 76, firing: [warning('BGPFleetStateStale', {})] },
      { at: LONG + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 76,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `${INSTANCE} cannot write the state of 1 partitions`,
        description:
          'The state of 1 partitions was not written for 70 minutes. Metrics are right. But an exporter that takes these partitions over must read all events since then, and their counters are lost if events are deleted before that. ' +
          "Check first the exporter's log for the brokers' reason (not permitted, message too large, no space), then `bgproutes-exporter fleet check`.",
      },
    ],
  },
  {
    alert: 'BGPFleetStateStale',
    kinds: ['firing'],
    name: 'the state was never written',
    minutes: LONG,
    changes: owner([0, 2], [1, LONG - 2]),
    checks: [
      { at: 71, firing: [] },
      { at: 79, firing: [warning('BGPFleetStateStale', {})] },
    ],
  },
  {
    alert: 'BGPFleetStateStale',
    kinds: ['not firing'],
    name: 'it is written every hour, and a restart forgets when it was',
    minutes: LONG,
    changes: {
      ...owner([1, LONG]),
      [of.exporter(fleet.fleetStateTimestamp.name, PARTITION)]: levels(
        [0, 60],
        [3_600, 20],
        ['stale', 1],
        ['_', 58],
        [139 * 60, LONG - 139],
      ),
    },
    checks: [62, 100, 138, LONG - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPFleetStateStale',
    kinds: ['not firing'],
    name: 'no exporter is one of a fleet',
    minutes: LONG,
    changes: {},
    checks: [BEFORE, LONG - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPFleetSourceDown',
    kinds: ['firing', 'resolving'],
    name: 'the ingest is dead for half an hour: one alert, however many partitions there are',
    minutes: ALL,
    changes: fedFleet([INSTANCE], [1, BEFORE], [0, DURING], [1, AFTER]),
    checks: [
      { at: BEFORE + 1, firing: [] },
      { at: BEFORE + 3, firing: [critical('BGPFleetSourceDown', {})] },
      { at: BEFORE + DURING + 4, firing: [critical('BGPFleetSourceDown', {})] },
      { at: BEFORE + DURING + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 3,
        severity: 'critical',
        labels: { job: JOB },
        server: INSTANCE,
        summary: '4 partitions of the fleet bgproutes-exporter bring no events',
        description:
          'For two minutes the exporters have had no word that the source of 4 partitions is up. No alert of absence begins about their prefixes, and those that fire go on. ' +
          'Check first whether an ingest of the fleet runs and writes (bgp_ingest_writing is 1), and whether its source is up (its own bgp_stream_up, its log); where only some partitions are concerned, the log of the exporters that have them.',
      },
    ],
  },
  {
    alert: 'BGPFleetSourceDown',
    kinds: ['firing'],
    name: 'the ingest of two exporters is dead: told once for both',
    minutes: ALL,
    changes: fedFleet([INSTANCE, 'other:10479'], [1, BEFORE], [0, DURING + AFTER]),
    checks: [{ at: BEFORE + 3, firing: [critical('BGPFleetSourceDown', {})] }],
    values: [{ at: ALL - 1, expr: 'sum(ALERTS{alertstate="firing"})', value: 1 }],
  },
  {
    alert: 'BGPFleetSourceDown',
    kinds: ['firing'],
    name: 'it goes on when an exporter crashes meanwhile',
    minutes: ALL,
    changes: {
      ...fedFleet([INSTANCE, 'other:10479'], [1, BEFORE], [0, DURING + AFTER]),
      ...fedFleet([INSTANCE], [1, BEFORE], [0, 10], ['stale', 1], ['_', ALL - BEFORE - 11]),
      [of.exporter(fleet.fleetPartitions.name)]: levels(
        [PARTITIONS, BEFORE + 10],
        ['stale', 1],
        ['_', ALL - BEFORE - 11],
      ),
    },
    checks: [BEFORE + 3, BEFORE + 16, ALL - 1].map((at) => ({ at, firing: [critical('BGPFleetSourceDown', {})] })),
    values: [
      {
        at: ALL - 1,
        expr: `sum(count_over_time(ALERTS{alertname="BGPFleetSourceDown",alertstate="firing"}[${ALL}m]))`,
        value: ALL - BEFORE - 2,
      },
    ],
  },
  {
    alert: 'BGPFleetSourceDown',
    kinds: ['not firing'],
    name: 'partitions are restored within a minute',
    minutes: ALL,
    changes: fedFleet([INSTANCE, 'other:10479'], [1, BEFORE], [0, 1], [1, ALL - BEFORE - 1]),
    checks: [BEFORE + 1, BEFORE + 3, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPStreamDown',
    kinds: ['firing'],
    name: 'of two ingests the one that writes loses its source, and the one that waits is no fault',
    minutes: ALL,
    changes: {
      ...during(of.session(stream.streamUp.name), 1, 0),
      [of.exporter(ingest.ingestWriting.name)]: levels([1, ALL]),
      [of.session(stream.streamUp.name, { instance: 'standby:10479' })]: levels([0, ALL]),
      [of.exporter(ingest.ingestWriting.name, { instance: 'standby:10479' })]: levels([0, ALL]),
    },
    checks: [
      { at: BEFORE - 1, firing: [] },
      { at: BEFORE + 5, firing: [critical('BGPStreamDown', SESSION)] },
    ],
  },
  {
    alert: 'BGPStreamStale',
    kinds: ['not firing'],
    name: 'a partition has no prefix',
    minutes: 420,
    changes: {
      [of.session(stream.streamUp.name, FLEET_SESSION)]: levels([1, 420]),
      [of.session(stream.streamUpdates.name, FLEET_SESSION)]: levels([0, 420]),
    },
    checks: [365, 419].map((at) => ({ at, firing: [] })),
    values: [{ at: 419, expr: 'count(bgp:stream_stale:bool{source="fleet", why="mute"})', value: undefined }],
  },
  {
    alert: 'BGPFleetMemberOut',
    kinds: ['firing', 'resolving'],
    name: 'another exporter has its name for half an hour',
    minutes: ALL,
    changes: {
      ...during(of.exporter(fleet.fleetMember.name), 1, 0),
      [of.exporter(fleet.fleetFenced.name)]: levels([0, BEFORE], [1, DURING + AFTER]),
    },
    checks: [
      { at: BEFORE + 4, firing: [] },
      { at: BEFORE + 6, firing: [warning('BGPFleetMemberOut', {})] },
      { at: BEFORE + DURING + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 6,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `${INSTANCE} is no member of its fleet`,
        description:
          'For five minutes the exporter has not been in the group, or has not reached the brokers: it shows no prefix, and the others have its partitions. Another exporter took its name 1 times since its start. ' +
          "Check first the exporter's log: brokers that cannot be reached or refuse it, or a second exporter with the same fleet.instance.",
      },
    ],
  },
  {
    alert: 'BGPFleetMemberOut',
    kinds: ['not firing'],
    name: 'it joins within a session',
    minutes: ALL,
    changes: { [of.exporter(fleet.fleetMember.name)]: levels([1, BEFORE], [0, 2], [1, ALL - BEFORE - 2]) },
    checks: [BEFORE + 2, BEFORE + 6, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPFleetUnreadable',
    kinds: ['firing', 'resolving'],
    name: 'a damaged batch',
    minutes: ALL,
    changes: { ...unreadable('damaged', [0, BEFORE], [7, DURING + AFTER]), ...unreadable('foreign', [0, ALL]) },
    checks: [
      { at: BEFORE - 1, firing: [] },
      { at: BEFORE + 2, firing: [warning('BGPFleetUnreadable', {})] },
      { at: BEFORE + DURING + 6, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 2,
        severity: 'warning',
        labels: EXPORTER_LABELS,
        summary: `${INSTANCE} cannot read what its fleet has written`,
        description:
          'Within 30 minutes 7 records were passed over, by reason: damaged 7. The prefixes of their partitions are not trusted until the next comparison with the history. ' +
          'Check first that all programs of the fleet are of one version (foreign) and of a Node.js that reads zstd (compression), then the disks of the brokers (damaged, state).',
      },
    ],
  },
  {
    alert: 'BGPFleetUnreadable',
    kinds: ['not firing'],
    name: 'some were not read long ago',
    minutes: ALL,
    changes: unreadable('foreign', [7, ALL]),
    checks: [BEFORE, ALL - 1].map((at) => ({ at, firing: [] })),
  },
  {
    alert: 'BGPIngestWriteFailing',
    kinds: ['firing', 'resolving'],
    name: 'the brokers are away for half an hour',
    minutes: ALL,
    changes: { [of.exporter(ingest.ingestFailures.name)]: counter([0, BEFORE], [60, DURING], [0, AFTER]) },
    checks: [
      { at: BEFORE + 5, firing: [] },
      { at: BEFORE + 7, firing: [warning('BGPIngestWriteFailing', { why: 'refused' })] },
      { at: ALL - 3, firing: [] },
    ],
    message: [
      {
        at: BEFORE + 20,
        severity: 'warning',
        labels: { ...EXPORTER_LABELS, why: 'refused' },
        summary: `The ingest ${INSTANCE} cannot write all of its events (refused)`,
        description:
          'Within 10 minutes the brokers did not take 600 requests. Each is repeated, and what waits is bounded: after it events are given up. ' +
          "Check first the ingest's log for the brokers' reason (away, not permitted, too few in-sync replicas, no space), then `bgproutes-exporter fleet check`.",
      },
    ],
  },
  {
    alert: 'BGPIngestWriteFailing',
    kinds: ['firing'],
    name: 'a record is too large',
    minutes: ALL,
    changes: { [of.exporter(ingest.ingestLost.name)]: levels([0, BEFORE], [1, DURING + AFTER]) },
    checks: [
      { at: BEFORE + 4, firing: [] },
      { at: BEFORE + 7, firing: [warning('BGPIngestWriteFailing', { why: 'given up' })] },
    ],
  },
  {
    alert: 'BGPIngestWriteFailing',
    kinds: ['not firing'],
    name: 'a broker is restarted',
    minutes: ALL,
    changes: { [of.exporter(ingest.ingestFailures.name)]: levels([0, BEFORE], [2, DURING + AFTER]) },
    checks: [BEFORE + 2, BEFORE + 8, ALL - 1].map((at) => ({ at, firing: [] })),
  },
];
