/** The row of the Exporter dashboard about a fleet: who shows which partitions, and how far each exporter has read. */
import { fleetMetrics as f } from '../../src/metrics/catalogue.ts';
import { levels, ofExporters, type Row } from './exporter-lines.ts';
import { age, select } from './selectors.ts';

const noValue = 'no fleet is configured';

export const fleetRow: Row = {
  title: 'Fleet',
  panels: [
    levels({
      title: 'Partitions by exporter',
      width: 12,
      description:
        'Partitions that each exporter shows, and that it restores. All together should be those of the fleet: prefixes of the others are watched by nobody. Uneven for long: an exporter has just come or gone, or there are too few partitions.',
      unit: 'short',
      decimals: 0,
      noValue,
      queries: ofExporters(
        [select(f.fleetPartitionsOwned), 'shown'],
        [`sum without (partition) (1 - ${select(f.fleetPartitionOwner)})`, 'being restored'],
        [select(f.fleetPartitions), 'of the fleet'],
      ),
    }),
    levels({
      title: 'Records not applied',
      width: 12,
      description:
        'Records of the partition that is most behind. High for a moment after a restore; if it stays or grows, the exporter is too slow for its prefixes: see "CPU".',
      unit: 'short',
      decimals: 0,
      noValue,
      queries: ofExporters([`max without (partition) (${select(f.fleetLag)})`]),
    }),
    levels({
      title: 'Restore of a partition',
      width: 12,
      description:
        'How long the partition that came last took from its assignment until it was shown. So long, and a session before it, a prefix is absent when its exporter crashes.',
      unit: 's',
      noValue,
      queries: ofExporters([select(f.fleetRestore)]),
    }),
    levels({
      title: 'Age of watermarks and state',
      width: 12,
      description:
        'Of the oldest partition: time since the ingest wrote what was applied last, and since the exporter wrote the state. Watermarks older than 10 s: the ingest or the brokers are down, or the exporter is behind. State older than its interval: it cannot be written, see the log.',
      unit: 's',
      noValue,
      queries: ofExporters(
        [`max without (partition) (${age(f.fleetWatermarkTimestamp)})`, 'watermark'],
        [`max without (partition) (${age(f.fleetStateTimestamp)})`, 'state'],
      ),
    }),
  ],
};
