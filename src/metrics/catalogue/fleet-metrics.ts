/** How a member of a fleet shares the prefixes with others. */
import { defineMetrics } from '../metric.ts';

const OF_PARTITIONS = 'fleet.partitions';

/** Only where `fleet` is configured. Series of a partition are there while it is the member's own. */
export const fleetMetrics = defineMetrics({
  fleetMember: {
    otlpName: 'bgp.fleet.member',
    kind: 'gauge',
    unit: '',
    labels: [],
    help: '1 while the exporter is a member of the group and has reached the brokers within fleet.session_timeout. 0: it shows no prefix.',
    bound: '1',
  },
  fleetPartitions: {
    otlpName: 'bgp.fleet.partitions',
    kind: 'gauge',
    unit: '{partition}',
    labels: [],
    help: 'Partitions of the fleet: the setting fleet.partitions, the same for all members.',
    bound: '1',
  },
  fleetPartitionsOwned: {
    otlpName: 'bgp.fleet.partitions_owned',
    kind: 'gauge',
    unit: '{partition}',
    labels: [],
    help: 'Partitions whose prefixes the exporter shows now: assigned to it, restored and caught up.',
    bound: '1',
  },
  fleetPartitionOwner: {
    otlpName: 'bgp.fleet.partition_owner',
    kind: 'gauge',
    unit: '',
    labels: ['partition'],
    help: '1 while the exporter shows the prefixes of the partition, 0 while it restores them.',
    bound: OF_PARTITIONS,
  },
  fleetRestore: {
    otlpName: 'bgp.fleet.restore',
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: 'How long the newest partition took from its assignment until it was shown. Absent before the first one.',
    bound: '1',
  },
  fleetLag: {
    otlpName: 'bgp.fleet.lag_records',
    kind: 'gauge',
    unit: '{record}',
    labels: ['partition'],
    help: 'Records in the topic of events that were not applied yet.',
    bound: OF_PARTITIONS,
  },
  fleetWatermarkTimestamp: {
    otlpName: 'bgp.fleet.watermark_timestamp',
    kind: 'gauge',
    unit: 's',
    labels: ['partition'],
    help: 'When the ingest wrote the newest watermark that was applied, by the clock of the ingest; Unix seconds. It writes one each second. Absent before the first one.',
    bound: OF_PARTITIONS,
  },
  fleetStateTimestamp: {
    otlpName: 'bgp.fleet.state_timestamp',
    kind: 'gauge',
    unit: 's',
    labels: ['partition'],
    help: 'When this exporter last wrote the whole state of the partition; Unix seconds. Absent before the first time.',
    bound: OF_PARTITIONS,
  },
  fleetUnreadable: {
    otlpName: 'bgp.fleet.unreadable',
    kind: 'counter',
    unit: '{record}',
    labels: ['reason'],
    help: 'Records that could not be read and were skipped, by reason: foreign (events that another version or another program wrote), compression and damaged (batches of events), state (damaged records of the topic of state). Prefixes that they may be about are untrusted until the next comparison.',
    bound: '4',
  },
  fleetFenced: {
    otlpName: 'bgp.fleet.fenced',
    kind: 'counter',
    unit: '{time}',
    labels: [],
    help: 'How often another exporter joined the fleet with the same fleet.instance. This exporter then waits, and shows no prefix.',
    bound: '1',
  },
});
