/** The rows of the Exporter dashboard about its streams, and about what of them was refused. */
import { streamMetrics as s, tableMetrics as t } from '../../src/metrics/catalogue.ts';
import { events, levels, ofExporters, ofSessions, type Row } from './exporter-lines.ts';
import { heatmap, NEUTRAL, timeline, words } from './panels.ts';
import { age, count, rate, select } from './selectors.ts';
import { SESSION } from './variables.ts';

function delayQuantile(quantile: number): string {
  return `histogram_quantile(${quantile}, ${rate(s.streamDelay, '', '_bucket')})`;
}

/** Whether the streams bring what they should, and how late. */
export const streams: Row = {
  title: 'Streams',
  panels: [
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
    levels({
      title: 'Silence',
      description:
        'Time since the last frame, and since the canary was last heard where one is configured. Frames old but canary young: calm. Canary older than 2.5 hours: the stream is dead though connected.',
      unit: 's',
      width: 12,
      height: 7,
      queries: ofSessions([age(s.streamLastFrame), 'last frame'], [age(s.streamCanaryTimestamp), 'canary']),
    }),
    events({
      title: 'Connects and disconnects',
      description:
        'Within the last interval, by reason. refused: key wrong or in use elsewhere; association_failed: Live Manager API; timeout and closed: network or service; stopped: your own doing.',
      width: 12,
      queries: ofSessions([count(s.streamConnects), 'connects'], [count(s.streamDisconnects), '{{reason}}']),
    }),
    levels({
      title: 'Time without a connection',
      description:
        'Share of the time without a connection: 1 is always. What happened then was not received; after it the table is healed from the Data API.',
      unit: 'percentunit',
      width: 12,
      queries: ofSessions([rate(s.streamGap)]),
    }),
    levels({
      title: 'Frames',
      description:
        'Received a second, how many of them were messages about routes, and how many took the general decoder. Frames without messages: keep-alives only, or messages that are not read. Many slow ones: the service writes its messages differently from before; correct, but dearer.',
      unit: 'cps',
      queries: ofSessions(
        [rate(s.streamFrames)],
        [rate(s.streamUpdates), 'messages'],
        [rate(s.streamSlowDecodes), 'slow decodes'],
      ),
    }),
    levels({
      title: 'Messages by source',
      description:
        'Messages about routes a second by source, and events that one source told of a vantage point that is another one\'s to tell. One source at 0 while the other goes on: see "Sessions".',
      unit: 'cps',
      queries: ofExporters(
        [`sum without (session) (${rate(s.streamUpdates)})`, 'messages, {{source}}'],
        [
          `sum without (session, reason) (${rate(s.streamDroppedEvents, 'reason="other_source"')})`,
          'left to another source, {{source}}',
        ],
      ),
    }),
    levels({
      title: 'Bytes',
      description:
        'Bytes of frames received a second. Falls with the frames; if frames stay and bytes fall, messages lost fields.',
      unit: 'Bps',
      queries: ofSessions([rate(s.streamReceived)]),
    }),
    levels({
      title: 'Delay',
      description:
        'How old messages are when they arrive: half, nine tenths, 99 % are younger. Minutes: check the clock of the machine, then CPU and event loop below.',
      unit: 's',
      queries: ofSessions([delayQuantile(0.5), '50 %'], [delayQuantile(0.9), '90 %'], [delayQuantile(0.99), '99 %']),
    }),
    heatmap({
      title: 'Delay, all messages',
      description:
        'Rows are delays, darker is more messages. Two bands: part of the sources is late; one band that climbs: the exporter or the service falls behind.',
      unit: 's',
      width: 8,
      height: 9,
      query: `sum by (le) (increase(${select(s.streamDelay, '', '_bucket')}[$__rate_interval]))`,
      legend: '{{le}}',
      buckets: true,
    }),
    events({
      title: 'Renewals of the association',
      description:
        'Within the last interval, by result. refused: the API said no (its words are in the log); error: no usable answer. list replaced: another client with the same key put its own prefixes there. Without a success within four hours the stream falls silent.',
      width: 8,
      queries: ofSessions(
        [count(s.streamSubscriptionRenewals), '{{result}}'],
        [count(s.streamSubscriptionLosses), 'list replaced'],
      ),
    }),
  ],
};

/** What came and did not go into the table. */
export const refused: Row = {
  title: 'What was refused',
  panels: [
    events({
      title: 'Decode failures',
      description:
        'Frames, or parts, that could not be read within the last interval, by reason. Withdrawals in which no prefix was found are the worst: prefixes then look visible that are gone.',
      queries: ofSessions([count(s.streamDecodeFailures), '{{reason}}']),
    }),
    events({
      title: 'Events not applied',
      description:
        'Events that were read but not applied, within the last interval, by reason. out_of_order is normal in small numbers; vp_limit, more_specific_limit and path_limit: a bound is reached; hold_overflow: too much came while seeding, a gap fill follows.',
      queries: [
        ...ofSessions([count(s.streamDroppedEvents), '{{reason}}']),
        ...ofExporters([count(t.tableDroppedRoutes), '{{reason}}, routes of a seed']),
      ],
    }),
    levels({
      title: 'Odd messages',
      description:
        "A second: prefixes that nobody asked for, messages stamped more than a minute after their receipt, and messages without a time. From the future: a clock is wrong, yours or a collector's.",
      unit: 'cps',
      onlyWhatHappened: true,
      queries: ofSessions(
        [rate(s.streamUnmonitoredPrefixes), 'not monitored'],
        [rate(s.streamFutureTimestamps), 'from the future'],
        [rate(s.streamUntimedMessages), 'without a time'],
      ),
    }),
  ],
};
