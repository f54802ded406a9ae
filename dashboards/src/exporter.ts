/** Does the exporter know what it says? */
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  exporterMetrics as e,
  prefixMetrics as p,
  streamMetrics as s,
  tableMetrics as t,
} from '../../src/metrics/catalogue.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { runtimeMetrics as r } from '../../src/metrics/runtime-metrics.ts';
import { FILL, INK } from './colours.ts';
import { GOOD_IS_ZERO, heatmap, lines, NEUTRAL, stat, timeline, words } from './panels.ts';
import { count, increaseOverRange, rate, select, sessionsDown } from './selectors.ts';
import { table } from './tables.ts';
import { DASHBOARDS, dashboard, EXPORTER, SESSION } from './variables.ts';

/** A row of the table of exporters: job and instance in one label. */
function byExporter(expression: string): string {
  return `label_join(${expression}, "exporter", " ", "job", "instance")`;
}
function withoutBuild(expression: string): string {
  return `max without (version, revision, node_version) (${expression})`;
}
function age(metric: Metric): string {
  return `time() - ${select(metric)}`;
}
function delayQuantile(quantile: number): string {
  return `histogram_quantile(${quantile}, ${rate(s.streamDelay, '', '_bucket')})`;
}

export function exporter() {
  return dashboard(
    DASHBOARDS.exporter,
    'exporter',
    'Do the exporters know what they say: streams, seeds, losses, resources?',
  )
    .withRow(new RowBuilder('Now'))
    .withPanel(
      stat({
        title: 'Sessions down',
        description:
          'Sessions that are not connected, whose prefixes are not associated with their key, or whose exporter went within the last hour. Above 0: alerts about prefixes are quiet; the reasons are below under "Connects and disconnects".',
        unit: 'none',
        width: 3,
        height: 4,
        query: sessionsDown,
        steps: GOOD_IS_ZERO,
      }),
    )
    .withPanel(
      stat({
        title: 'Table',
        description:
          'Whether every exporter knows its whole table to be complete. Incomplete for long: the Data API does not answer; see "Data API".',
        unit: 'none',
        width: 3,
        height: 4,
        query: `min(${select(t.tableSeeded)})`,
        steps: NEUTRAL,
        mappings: words('complete', 'incomplete', INK),
      }),
    )
    .withPanel(
      stat({
        title: 'Association ends in',
        description:
          'Time until the first session loses the association of its prefixes with its key. It is renewed well before; below an hour the renewals fail, see "Renewals".',
        unit: 's',
        width: 3,
        height: 4,
        query: `min(${select(s.streamSubscriptionExpiry)} - time())`,
        steps: [
          { value: null, color: INK.gone },
          { value: 3600, color: INK.ok },
        ],
        noValue: 'not yet associated',
      }),
    )
    .withPanel(
      stat({
        title: 'Frames not read',
        description:
          'Frames, or parts, that could not be read in the time range. A few are nothing; a stream of them is a changed format: withdrawals may be missed.',
        unit: 'none',
        width: 3,
        height: 4,
        decimals: 0,
        query: `sum(${increaseOverRange(s.streamDecodeFailures)})`,
        steps: [
          { value: null, color: INK.ok },
          { value: 10, color: INK.low },
        ],
      }),
    )
    .withPanel(
      stat({
        title: 'Routes corrected',
        description:
          'Routes that comparisons with the Data API had to correct in the time range: drift. More than some per mille of the table an hour: messages get lost.',
        unit: 'none',
        width: 3,
        height: 4,
        decimals: 0,
        query: `sum(${increaseOverRange(t.tableSeedCorrections)})`,
        steps: NEUTRAL,
      }),
    )
    .withPanel(
      stat({
        title: 'Configuration',
        description:
          'Whether the configuration in force is the one in the file. Refused: the last reload had a mistake and the former configuration still holds; the log says what is wrong.',
        unit: 'none',
        width: 3,
        height: 4,
        query: `min(${select(e.exporterConfigLastReloadSuccessful)})`,
        steps: NEUTRAL,
        mappings: words('loaded', 'refused', INK),
      }),
    )
    .withPanel(
      stat({
        title: 'Memory',
        description:
          'Resident memory of the largest exporter. It follows routes and series, and should be flat; compare with the limit of its container.',
        unit: 'bytes',
        width: 3,
        height: 4,
        query: `max(${select(r.processResidentMemory)})`,
        steps: NEUTRAL,
      }),
    )
    .withPanel(
      stat({
        title: 'Up since',
        description:
          'When the youngest process started. Younger than you expect: it restarted; its last log lines say why.',
        unit: 'dateTimeFromNow',
        width: 3,
        height: 4,
        query: `1000 * max(${select(r.processStartTime)})`,
        steps: NEUTRAL,
      }),
    )
    .withPanel(
      table({
        title: 'Exporters',
        description:
          'What runs where, and when its configuration was read; those that went within the last hour are gone. Full feeds, only where table.expected_vps asks for them: not known is a list of VPs without table sizes. Different versions in one job: an update that stopped half way.',
        unit: 'none',
        width: 24,
        height: 5,
        key: { label: 'exporter', name: 'Exporter' },
        columns: [
          {
            name: 'Built',
            query: byExporter(
              `max by (job, instance, version, revision, node_version) (${select(e.exporterBuildInfo)})`,
            ),
            labelsOnly: true,
          },
          {
            name: 'State',
            // Of exporters that only a label of the user's tells apart, one that is gone counts.
            query: byExporter(
              `min by (job, instance) (${withoutBuild(select(e.exporterBuildInfo))} or 0 * ${withoutBuild(`last_over_time(${select(e.exporterBuildInfo)}[1h])`)})`,
            ),
            mappings: words('running', 'gone'),
            width: 80,
          },
          {
            name: 'Prefixes',
            query: byExporter(`count by (job, instance) (${select(p.prefixTrusted)})`),
            unit: 'short',
          },
          {
            name: 'Trusted prefixes',
            query: byExporter(`sum by (job, instance) (${select(p.prefixTrusted)})`),
            unit: 'short',
          },
          { name: 'Routes', query: byExporter(`sum by (job, instance) (${select(t.tableRoutes)})`), unit: 'short' },
          {
            name: 'Prefixes associated',
            query: byExporter(`sum by (job, instance) (${select(s.streamSubscribedPrefixes)})`),
            unit: 'short',
          },
          {
            name: 'Full feeds',
            query: byExporter(`min by (job, instance) (${select(t.tableFullFeedUsable)})`),
            mappings: words('known', 'not known', { ok: 'transparent', gone: FILL.low }),
            width: 80,
          },
          {
            name: 'Configuration read',
            query: byExporter(`1000 * min by (job, instance) (${select(e.exporterConfigLastReloadSuccessTimestamp)})`),
            unit: 'dateTimeFromNow',
          },
          { label: 'version', name: 'Version' },
          { label: 'revision', name: 'Revision' },
          { label: 'node_version', name: 'Node.js' },
        ],
      }),
    )
    .withRow(new RowBuilder('Streams'))
    .withPanel(
      timeline({
        title: 'Sessions',
        description:
          'Blue while connected and associated. Dark red stripes at a fixed rhythm: a proxy or firewall ends long connections.',
        unit: 'none',
        width: 12,
        height: 7,
        queries: [[select(s.streamUp), SESSION]],
        steps: NEUTRAL,
        mappings: words('up', 'down'),
      }),
    )
    .withPanel(
      lines({
        title: 'Silence',
        description:
          'Time since the last frame, and since the canary was last heard where one is configured. Frames old but canary young: calm. Canary older than 2.5 hours: the stream is dead though connected.',
        unit: 's',
        width: 12,
        height: 7,
        min: 0,
        queries: [
          [age(s.streamLastFrame), `${SESSION}: last frame`],
          [age(s.streamCanaryTimestamp), `${SESSION}: canary`],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Connects and disconnects',
        description:
          'Within the last interval, by reason. refused: key wrong or in use elsewhere; association_failed: Live Manager API; timeout and closed: network or service; stopped: your own doing.',
        unit: 'short',
        width: 12,
        height: 8,
        decimals: 0,
        onlyWhatHappened: true,
        min: 0,
        queries: [
          [count(s.streamConnects), `${SESSION}: connects`],
          [count(s.streamDisconnects), `${SESSION}: {{reason}}`],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Time without a connection',
        description:
          'Share of the time without a connection: 1 is always. What happened then was not received; after it the table is healed from the Data API.',
        unit: 'percentunit',
        width: 12,
        height: 8,
        min: 0,
        queries: [[rate(s.streamGap), SESSION]],
      }),
    )
    .withPanel(
      lines({
        title: 'Frames',
        description:
          'Received a second, and how many of them took the general decoder. Many slow ones: the service writes its messages differently from before; correct, but dearer.',
        unit: 'cps',
        width: 8,
        height: 8,
        min: 0,
        queries: [
          [rate(s.streamFrames), SESSION],
          [rate(s.streamSlowDecodes), `${SESSION}: slow decodes`],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Bytes',
        description:
          'Bytes of frames received a second. Falls with the frames; if frames stay and bytes fall, messages lost fields.',
        unit: 'Bps',
        width: 8,
        height: 8,
        min: 0,
        queries: [[rate(s.streamReceived), SESSION]],
      }),
    )
    .withPanel(
      lines({
        title: 'Delay',
        description:
          'How old messages are when they arrive: half, nine tenths, 99 % are younger. Minutes: check the clock of the machine, then CPU and event loop below.',
        unit: 's',
        width: 8,
        height: 8,
        min: 0,
        queries: [
          [delayQuantile(0.5), `${SESSION}: 50 %`],
          [delayQuantile(0.9), `${SESSION}: 90 %`],
          [delayQuantile(0.99), `${SESSION}: 99 %`],
        ],
      }),
    )
    .withPanel(
      heatmap({
        title: 'Delay, all messages',
        description:
          'Rows are delays, darker is more messages. Two bands: part of the sources is late; one band that climbs: the exporter or the service falls behind.',
        unit: 's',
        width: 12,
        height: 8,
        query: `sum by (le) (increase(${select(s.streamDelay, '', '_bucket')}[$__rate_interval]))`,
        legend: '{{le}}',
        buckets: true,
      }),
    )
    .withPanel(
      lines({
        title: 'Renewals of the association',
        description:
          'Within the last interval, by result. refused: the API said no (its words are in the log); error: no usable answer. Without a success within four hours the stream falls silent.',
        unit: 'short',
        width: 12,
        height: 8,
        decimals: 0,
        onlyWhatHappened: true,
        min: 0,
        queries: [[count(s.streamSubscriptionRenewals), `${SESSION}: {{result}}`]],
      }),
    )
    .withRow(new RowBuilder('What was refused'))
    .withPanel(
      lines({
        title: 'Decode failures',
        description:
          'Frames, or parts, that could not be read within the last interval, by reason. Withdrawals in which no prefix was found are the worst: prefixes then look visible that are gone.',
        unit: 'short',
        width: 8,
        height: 8,
        decimals: 0,
        onlyWhatHappened: true,
        min: 0,
        queries: [[count(s.streamDecodeFailures), `${SESSION}: {{reason}}`]],
      }),
    )
    .withPanel(
      lines({
        title: 'Events not applied',
        description:
          'Events that were read but not applied, within the last interval, by reason. out_of_order is normal in small numbers; vp_limit and more_specific_limit: a bound is reached; hold_overflow: too much came while seeding, a gap fill follows.',
        unit: 'short',
        width: 8,
        height: 8,
        decimals: 0,
        onlyWhatHappened: true,
        min: 0,
        queries: [[count(s.streamDroppedEvents), `${SESSION}: {{reason}}`]],
      }),
    )
    .withPanel(
      lines({
        title: 'Odd messages',
        description:
          "A second: prefixes that nobody asked for, and messages stamped more than a minute after their receipt. The second means that a clock is wrong: yours or a collector's.",
        unit: 'cps',
        width: 8,
        height: 8,
        onlyWhatHappened: true,
        min: 0,
        queries: [
          [rate(s.streamUnmonitoredPrefixes), `${SESSION}: not monitored`],
          [rate(s.streamFutureTimestamps), `${SESSION}: from the future`],
        ],
      }),
    )
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
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Data API',
        description:
          'Requests within the last interval, by endpoint and result. forbidden: the key may not use the Data API; rate_limited: its hourly quota is used up; the exporter waits and tries again.',
        unit: 'short',
        width: 8,
        height: 8,
        decimals: 0,
        onlyWhatHappened: true,
        min: 0,
        noValue: 'no request yet',
        queries: [[count(t.dataApiRequests), `${EXPORTER}: {{endpoint}}, {{result}}`]],
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
