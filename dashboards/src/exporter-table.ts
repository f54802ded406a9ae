/** The rows of the Exporter dashboard about its table, its outputs and what it uses of the machine. */
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { exporterMetrics as e, prefixMetrics as p, tableMetrics as t } from '../../src/metrics/catalogue.ts';
import { runtimeMetrics as r } from '../../src/metrics/runtime-metrics.ts';
import { lines } from './panels.ts';
import { age, count, rate, select } from './selectors.ts';
import { EXPORTER, SESSION } from './variables.ts';

export function withTable(dashboard: DashboardBuilder): DashboardBuilder {
  return dashboard
    .withRow(new RowBuilder('Table'))
    .withPanel(
      lines({
        title: 'Routes and vantage points',
        description:
          'Routes held, and vantage points heard of by protocol. A fall of vantage points is a loss at the service. Memory follows the routes.',
        unit: 'short',
        width: 8,
        height: 8,
        min: 0,
        queries: [
          [select(t.tableRoutes), `${EXPORTER}: routes`],
          [select(t.vps), `${EXPORTER}: VPs by {{protocol}}`],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Prefixes not trusted',
        description:
          'By session: prefixes of which the exporter does not know enough, since the session is down, or their part of the table is not complete. Falls to 0 within minutes of a start or a gap; if it stays, see "Data API" and "Sessions".',
        unit: 'short',
        width: 8,
        height: 8,
        decimals: 0,
        min: 0,
        queries: [
          [
            `sum without (prefix) (${select(p.prefixSessionInfo)} * ignoring (source, session) group_left () (1 - ${select(p.prefixTrusted)}))`,
            SESSION,
          ],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Seeds and corrections',
        description:
          'Readings of the Data API into the table by result, and routes that a comparison had to correct, within the last interval. Failures: see "Data API". Corrections every hour: drift.',
        unit: 'short',
        width: 8,
        height: 8,
        decimals: 0,
        onlyWhatHappened: true,
        min: 0,
        queries: [
          [count(t.tableSeeds), `${EXPORTER}: seeds, {{result}}`],
          [count(t.tableSeedCorrections), `${EXPORTER}: corrected routes`],
          [count(t.tableFutureTimes), `${EXPORTER}: times ahead of now, {{origin}}`],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Data API',
        description:
          'Requests within the last interval, by endpoint and result. forbidden: the key may not use the Data API; rate_limited: its hourly quota is used up; the exporter waits and tries again. not believed: an answer would have taken away most of the table, and is asked again.',
        unit: 'short',
        width: 8,
        height: 8,
        decimals: 0,
        onlyWhatHappened: true,
        min: 0,
        noValue: 'no request yet',
        queries: [
          [count(t.dataApiRequests), `${EXPORTER}: {{endpoint}}, {{result}}`],
          [count(t.tableDoubtedAnswers), `${EXPORTER}: {{endpoint}}, not believed`],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Age of what is kept',
        description:
          'Time since the last comparison with the Data API, and since the last snapshot where storage is configured. Growing beyond an hour and some minutes, or a minute or two: they fail.',
        unit: 's',
        width: 8,
        height: 8,
        min: 0,
        queries: [
          [age(t.tableSeedTimestamp), `${EXPORTER}: seed`],
          [age(t.tableSnapshotTimestamp), `${EXPORTER}: snapshot`],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Snapshots and restores',
        description:
          'Snapshots written, and snapshots read at start, within the last interval, by result. An error is in the log: disk full, or no right to write.',
        unit: 'short',
        width: 8,
        height: 8,
        decimals: 0,
        onlyWhatHappened: true,
        min: 0,
        noValue: 'storage is not configured',
        queries: [
          [count(t.tableSnapshots), `${EXPORTER}: snapshot, {{result}}`],
          [count(t.tableRestores), `${EXPORTER}: restore, {{result}}`],
        ],
      }),
    )
    .withRow(new RowBuilder('Outputs and resources'))
    .withPanel(
      lines({
        title: 'OTLP exports',
        description:
          'Within the last interval, by result; 0 while OTLP is off. rejected: the collector will not take them; unavailable: it is down or overloaded; partial: it refused some points.',
        unit: 'short',
        width: 8,
        height: 8,
        decimals: 0,
        onlyWhatHappened: true,
        min: 0,
        queries: [[count(e.exporterOtlpExports), `${EXPORTER}: {{result}}`]],
      }),
    )
    .withPanel(
      lines({
        title: 'Series summed as "other"',
        description:
          'Label values beyond their bound. Above 0: a prefix has more origins, upstreams or more-specifics than the exporter keeps apart; the sums stay right.',
        unit: 'short',
        width: 8,
        height: 8,
        onlyWhatHappened: true,
        min: 0,
        queries: [[select(e.exporterDroppedSeries), `${EXPORTER}: {{metric}}`]],
      }),
    )
    .withPanel(
      lines({
        title: 'CPU',
        description:
          'Cores used, user and system. The exporter runs on one core: near 1 it falls behind, and the delay grows.',
        unit: 'none',
        width: 8,
        height: 8,
        min: 0,
        queries: [
          [rate(r.processCpuUser), `${EXPORTER}: user`],
          [rate(r.processCpuSystem), `${EXPORTER}: system`],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Memory by kind',
        description:
          'Resident memory, and of it the heap in use and memory of buffers. A staircase that never comes down is a leak: please report it.',
        unit: 'bytes',
        width: 8,
        height: 8,
        min: 0,
        queries: [
          [select(r.processResidentMemory), `${EXPORTER}: resident`],
          [select(r.nodejsHeapSizeUsed), `${EXPORTER}: heap used`],
          [select(r.nodejsExternalMemory), `${EXPORTER}: buffers`],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Event loop delay',
        description:
          'How long the process could not react, 99th percentile and largest between two scrapes. Above 0.1 s: too much input, a scrape that is too large, or too little CPU.',
        unit: 's',
        width: 8,
        height: 8,
        min: 0,
        queries: [
          [select(r.nodejsEventloopLagP99), `${EXPORTER}: 99 %`],
          [select(r.nodejsEventloopLagMax), `${EXPORTER}: largest`],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Garbage collection and files',
        description:
          'Share of the time spent in garbage collection, by kind. Above a few per cent: the heap is too small for the table; raise the memory limit.',
        unit: 'percentunit',
        width: 8,
        height: 8,
        min: 0,
        queries: [
          [rate(r.nodejsGcDuration, '', '_sum'), `${EXPORTER}: {{kind}}`],
          [`${select(r.processOpenFds)} / ${select(r.processMaxFds)}`, `${EXPORTER}: files open of those allowed`],
        ],
      }),
    );
}
