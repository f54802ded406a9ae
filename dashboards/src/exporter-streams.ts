/** The rows of the Exporter dashboard about its streams, and about what of them was refused. */
import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { streamMetrics as s, tableMetrics as t } from '../../src/metrics/catalogue.ts';
import { heatmap, lines, NEUTRAL, timeline, words } from './panels.ts';
import { age, count, rate, select } from './selectors.ts';
import { EXPORTER, SESSION } from './variables.ts';

function delayQuantile(quantile: number): string {
  return `histogram_quantile(${quantile}, ${rate(s.streamDelay, '', '_bucket')})`;
}

export function withStreams(dashboard: DashboardBuilder): DashboardBuilder {
  return dashboard
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
          'Received a second, how many of them were messages about routes, and how many took the general decoder. Frames without messages: keep-alives only, or messages that are not read. Many slow ones: the service writes its messages differently from before; correct, but dearer.',
        unit: 'cps',
        width: 8,
        height: 8,
        min: 0,
        queries: [
          [rate(s.streamFrames), SESSION],
          [rate(s.streamUpdates), `${SESSION}: messages`],
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
          'Within the last interval, by result. refused: the API said no (its words are in the log); error: no usable answer. list replaced: another client with the same key put its own prefixes there. Without a success within four hours the stream falls silent.',
        unit: 'short',
        width: 12,
        height: 8,
        decimals: 0,
        onlyWhatHappened: true,
        min: 0,
        queries: [
          [count(s.streamSubscriptionRenewals), `${SESSION}: {{result}}`],
          [count(s.streamSubscriptionLosses), `${SESSION}: list replaced`],
        ],
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
          'Events that were read but not applied, within the last interval, by reason. out_of_order is normal in small numbers; vp_limit, more_specific_limit and path_limit: a bound is reached; hold_overflow: too much came while seeding, a gap fill follows.',
        unit: 'short',
        width: 8,
        height: 8,
        decimals: 0,
        onlyWhatHappened: true,
        min: 0,
        queries: [
          [count(s.streamDroppedEvents), `${SESSION}: {{reason}}`],
          [count(t.tableDroppedRoutes), `${EXPORTER}: routes of a seed, {{reason}}`],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Odd messages',
        description:
          "A second: prefixes that nobody asked for, and messages stamped more than a minute after their receipt, and messages without a time. From the future: a clock is wrong, yours or a collector's.",
        unit: 'cps',
        width: 8,
        height: 8,
        onlyWhatHappened: true,
        min: 0,
        queries: [
          [rate(s.streamUnmonitoredPrefixes), `${SESSION}: not monitored`],
          [rate(s.streamFutureTimestamps), `${SESSION}: from the future`],
          [rate(s.streamUntimedMessages), `${SESSION}: without a time`],
        ],
      }),
    );
}
