/** The rows of the Exporter dashboard about its table, its outputs and what it uses of the machine. */
import { exporterMetrics as e, prefixMetrics as p, tableMetrics as t } from '../../src/metrics/catalogue.ts';
import { runtimeMetrics as r } from '../../src/metrics/runtime-metrics.ts';
import { events, levels, ofExporters, ofSessions, type Row } from './exporter-lines.ts';
import { age, count, rate, select } from './selectors.ts';

/** What is held, and how it is kept right. */
export const tableRow: Row = {
  title: 'Table',
  panels: [
    levels({
      title: 'Routes and vantage points',
      description:
        'Routes held, and vantage points heard of, by source and protocol. A fall of vantage points is a loss at the service. Memory follows the routes.',
      unit: 'short',
      queries: ofExporters([select(t.tableRoutes), 'routes'], [select(t.vps), 'VPs of {{source}} by {{protocol}}']),
    }),
    levels({
      title: 'Prefixes not trusted',
      description:
        'By session: prefixes of which the exporter does not know enough, since the session is down, or their part of the table is not complete. Falls to 0 within minutes of a start or a gap; if it stays, see "Data API" and "Sessions".',
      unit: 'short',
      decimals: 0,
      queries: ofSessions([
        `sum without (prefix) (${select(p.prefixSessionInfo)} * ignoring (source, session) group_left () (1 - ${select(p.prefixTrusted)}))`,
      ]),
    }),
    levels({
      title: 'Prefixes complete',
      description:
        'By source: prefixes whose routes were read from its history, with no gap since. One complete source is enough for a prefix to be trusted. Climbs for minutes after a start with many prefixes.',
      unit: 'short',
      decimals: 0,
      queries: ofExporters([select(t.tableSeededPrefixes), '{{source}}']),
    }),
    events({
      title: 'Seeds and corrections',
      width: 12,
      description:
        'Readings of the Data API, or of RIPEstat, into the table by result, and routes that a comparison had to correct, within the last interval. Failures: see "Data API". Corrections every hour: drift.',
      queries: ofExporters(
        [count(t.tableSeeds), 'seeds, {{result}}'],
        [count(t.tableSeedCorrections), 'corrected routes'],
        [count(t.tableFutureTimes), 'times ahead of now, {{origin}}'],
      ),
    }),
    events({
      title: 'Data API',
      width: 12,
      description:
        'Requests to the Data API and to RIPEstat within the last interval, by endpoint and result. forbidden: the key may not use the Data API; rate_limited: its hourly quota is used up; the exporter waits and tries again. not believed: an answer would have taken away most of the table, and is asked again.',
      noValue: 'no request yet',
      queries: ofExporters(
        [count(t.dataApiRequests), '{{endpoint}}, {{result}}'],
        [count(t.ripestatRequests), 'RIPEstat {{call}}, {{result}}'],
        [count(t.tableDoubtedAnswers), '{{endpoint}}, not believed'],
      ),
    }),
    levels({
      title: 'Age of what is kept',
      width: 12,
      description:
        'Time since the last comparison with the Data API or RIPEstat, and since the last snapshot where storage is configured. Growing beyond an hour and some minutes, or a minute or two: they fail.',
      unit: 's',
      queries: ofExporters([age(t.tableSeedTimestamp), 'seed'], [age(t.tableSnapshotTimestamp), 'snapshot']),
    }),
    events({
      title: 'Snapshots and restores',
      width: 12,
      description:
        'Snapshots written, and snapshots read at start, within the last interval, by result. An error is in the log: disk full, or no right to write.',
      noValue: 'storage is not configured',
      queries: ofExporters(
        [count(t.tableSnapshots), 'snapshot, {{result}}'],
        [count(t.tableRestores), 'restore, {{result}}'],
      ),
    }),
  ],
};

/** What goes out. */
export const outputs: Row = {
  title: 'Outputs',
  panels: [
    events({
      title: 'OTLP exports',
      description:
        'Within the last interval, by result; 0 while OTLP is off. rejected: the collector will not take them; unavailable: it is down or overloaded; partial: it refused some points.',
      queries: ofExporters([count(e.exporterOtlpExports), '{{result}}']),
    }),
    events({
      title: 'Connections cut',
      description:
        'Connections that the web server refused or ended within the last interval, by reason. connection_limit, address_limit, scrape_limit: more clients than there is room for; slow_answer: a reader that does not read, or a network that loses the answer; the others: a rude client, or a scanner. A scrape among them is a gap in all metrics.',
      queries: ofExporters([count(e.exporterHttpCutConnections), '{{reason}}']),
    }),
    levels({
      title: 'Series summed as "other"',
      description:
        'Label values beyond their bound. Above 0: a prefix has more origins, upstreams or more-specifics than the exporter keeps apart; the sums stay right.',
      unit: 'short',
      onlyWhatHappened: true,
      queries: ofExporters([select(e.exporterDroppedSeries), '{{metric}}']),
    }),
  ],
};

/** What all of it takes of the machine. */
export const resources: Row = {
  title: 'Resources',
  panels: [
    levels({
      title: 'CPU',
      description:
        'Cores used, user and system. The exporter runs on one core: near 1 it falls behind, and the delay grows.',
      unit: 'none',
      width: 12,
      queries: ofExporters([rate(r.processCpuUser), 'user'], [rate(r.processCpuSystem), 'system']),
    }),
    levels({
      title: 'Memory by kind',
      description:
        'Resident memory, and of it the heap in use and memory of buffers. A staircase that never comes down is a leak: please report it.',
      unit: 'bytes',
      width: 12,
      queries: ofExporters(
        [select(r.processResidentMemory), 'resident'],
        [select(r.nodejsHeapSizeUsed), 'heap used'],
        [select(r.nodejsExternalMemory), 'buffers'],
      ),
    }),
    levels({
      title: 'Event loop delay',
      description:
        'How long the process could not react, 99th percentile and largest between two scrapes. Above 0.1 s: too much input, a scrape that is too large, or too little CPU.',
      unit: 's',
      width: 12,
      queries: ofExporters([select(r.nodejsEventloopLagP99), '99 %'], [select(r.nodejsEventloopLagMax), 'largest']),
    }),
    levels({
      title: 'Garbage collection and files',
      description:
        'Share of the time spent in garbage collection, by kind. Above a few per cent: the heap is too small for the table; raise the memory limit.',
      unit: 'percentunit',
      width: 12,
      queries: ofExporters(
        [rate(r.nodejsGcDuration, '', '_sum'), '{{kind}}'],
        [`${select(r.processOpenFds)} / ${select(r.processMaxFds)}`, 'files open of those allowed'],
      ),
    }),
  ],
};
