/** Are all my prefixes seen, by whom announced, what changed? */
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { prefixMetrics as p, streamMetrics as s, tableMetrics as t } from '../../src/metrics/catalogue.ts';
import { GOOD_IS_ZERO, lines, NEUTRAL, stat, table, timeline, VISIBILITY, words, wordsFrom } from './panels.ts';
import {
  byPrefix,
  gaugeByPrefix,
  increaseOverRange,
  infoOfPrefixes,
  inGroup,
  rate,
  select,
  sessionsDown,
  zeroByPrefix,
} from './selectors.ts';
import { DASHBOARDS, dashboard } from './variables.ts';

const PREFIX_LINK =
  `/d/${DASHBOARDS.prefix.uid}?var-prefix=` +
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own variables
  '${__value.raw:percentencode}&${datasource:queryparam}&${job:queryparam}&${instance:queryparam}&${group:queryparam}&${__url_time_range}';

const CHOSEN = 'prefix=~"$prefix"';

/** 0 where no VP is expected, so that a prefix that nobody ever saw is red and not missing. */
const visibility = `(${gaugeByPrefix(p.prefixVisibilityRatio)} or ${zeroByPrefix})`;
const unexpectedOrigins = `(${gaugeByPrefix(p.prefixUnexpectedOriginVps)} or ${zeroByPrefix})`;
const unexpectedUpstreams = `(${gaugeByPrefix(p.prefixUnexpectedUpstreamVps)} or ${zeroByPrefix})`;
const ONE_PREFIX = 'on (job, instance, prefix)';
const changes = byPrefix(
  `${rate(p.prefixAnnouncements, CHOSEN)} - ${ONE_PREFIX} ${rate(p.prefixRepeats, CHOSEN)} + ${ONE_PREFIX} ${rate(p.prefixWithdrawals, CHOSEN)}`,
);
/** More than one origin where none are configured: where they are, the unexpected ones are counted. */
const unexplainedMoas = `(${byPrefix(`(${select(p.prefixOrigins, CHOSEN)} > 1) unless ${ONE_PREFIX} ${select(p.prefixUnexpectedOriginVps, CHOSEN)}`)} or ${zeroByPrefix})`;

/** The worst that is true of a prefix: 8 and more, 4 and more, 2 and more, 1, or 0. */
const state = [
  `8 * (${visibility} < bool 0.05)`,
  `4 * (${unexpectedOrigins} > bool 0)`,
  `2 * (${visibility} < bool 0.8)`,
  `((${unexpectedUpstreams} + on (prefix) ${gaugeByPrefix(p.prefixMoreSpecifics)} + on (prefix) ${unexplainedMoas}) > bool 0)`,
].join(' + on (prefix) ');
const STATES = wordsFrom([
  [0, 'ok', 'green'],
  [1, 'look closer', 'yellow'],
  [2, 'low visibility', 'orange'],
  [4, 'other origin', 'red'],
  [8, 'not visible', 'dark-red'],
]);

const topOrigin = `topk by (prefix) (1, max by (prefix, origin_as) (${inGroup(`${select(p.prefixOriginVps, CHOSEN)} > 0`)}))`;

export function overview() {
  return dashboard(
    DASHBOARDS.overview,
    'prefixes',
    'Are all my prefixes seen, by whom are they announced, and what changed?',
  )
    .withRow(new RowBuilder('Now'))
    .withPanel(
      stat({
        title: 'Prefixes',
        description:
          'Monitored prefixes of the chosen groups. Fewer than you configured: look at the variables above, then at the configuration.',
        unit: 'none',
        width: 3,
        height: 4,
        query: `count(max by (prefix) (${infoOfPrefixes}))`,
        steps: NEUTRAL,
      }),
    )
    .withPanel(
      stat({
        title: 'Not visible',
        description:
          'Prefixes that no vantage point sees now. Above 0: find them in the table, then check whether your routers still announce them.',
        unit: 'none',
        width: 3,
        height: 4,
        query: `sum(${gaugeByPrefix(p.prefixVisibleVps)} == bool 0)`,
        steps: GOOD_IS_ZERO,
      }),
    )
    .withPanel(
      stat({
        title: 'Lowest visibility',
        description:
          'The smallest share of expected vantage points that see one of the prefixes. Far below the others in the table: an upstream or a region has lost it.',
        unit: 'percentunit',
        width: 3,
        height: 4,
        decimals: 1,
        query: `min(${visibility})`,
        steps: VISIBILITY,
      }),
    )
    .withPanel(
      stat({
        title: 'Unexpected origins',
        description:
          'Prefixes that some vantage point sees from an origin which is not configured. Above 0: a hijack, a leak, or an origin missing in the configuration; the table says which prefix.',
        unit: 'none',
        width: 3,
        height: 4,
        query: `sum(${unexpectedOrigins} > bool 0)`,
        steps: GOOD_IS_ZERO,
      }),
    )
    .withPanel(
      stat({
        title: 'More-specifics',
        description:
          'Prefixes inside the monitored ones, seen now and not monitored themselves. Above 0 without traffic engineering of your own: somebody takes a part of your traffic.',
        unit: 'none',
        width: 3,
        height: 4,
        query: `sum(${gaugeByPrefix(p.prefixMoreSpecifics)})`,
        steps: [
          { value: null, color: 'green' },
          { value: 1, color: 'orange' },
        ],
      }),
    )
    .withPanel(
      stat({
        title: 'Sessions down',
        description:
          'Sessions of the live stream that are not connected, or whose exporter went within the last hour. Above 0: what is shown may be old; see the Exporter dashboard.',
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
          'Whether every exporter knows its table to be complete (seeded from the Data API, no gap since). Incomplete: counts of vantage points may be too low, and alerts about prefixes are quiet.',
        unit: 'none',
        width: 3,
        height: 4,
        query: `min(${select(t.tableSeeded)})`,
        steps: NEUTRAL,
        mappings: words('complete', 'incomplete'),
      }),
    )
    .withPanel(
      stat({
        title: 'Vantage points',
        description:
          'Vantage points heard of within the expected window. A sudden fall is a loss at the service, not at your network.',
        unit: 'none',
        width: 3,
        height: 4,
        query: `max(sum by (job, instance) (${select(t.vps)}))`,
        steps: NEUTRAL,
      }),
    )
    .withRow(new RowBuilder('Prefixes'))
    .withPanel(
      table({
        title: 'Prefixes now',
        description:
          'One row a prefix, the worst first; click on it for the Prefix dashboard. Visibility is visible over expected vantage points. Origin is the one most of them see. "look closer": an unexpected upstream, a more-specific, or several origins (MOAS) where none are configured.',
        unit: 'short',
        width: 24,
        height: 10,
        key: { label: 'prefix', name: 'Prefix', link: PREFIX_LINK, width: 165 },
        columns: [
          { name: 'Configured', query: infoOfPrefixes, labelsOnly: true },
          { name: 'State', query: state, unit: 'none', mappings: STATES, width: 110 },
          {
            name: 'Visibility',
            query: visibility,
            unit: 'percentunit',
            decimals: 1,
            steps: VISIBILITY,
            gauge: true,
            width: 140,
          },
          { name: 'Visible VPs', query: gaugeByPrefix(p.prefixVisibleVps), width: 80 },
          { name: 'Expected VPs', query: gaugeByPrefix(p.prefixExpectedVps), width: 90 },
          { name: 'VPs of origin', query: topOrigin, labelsOnly: true },
          { label: 'origin_as', name: 'Origin', width: 80 },
          {
            name: 'Origins (MOAS)',
            query: gaugeByPrefix(p.prefixOrigins),
            steps: [
              { value: null, color: 'transparent' },
              { value: 2, color: 'orange' },
            ],
            width: 90,
          },
          {
            name: 'Unexpected origin',
            query: unexpectedOrigins,
            steps: [
              { value: null, color: 'transparent' },
              { value: 1, color: 'red' },
            ],
            width: 105,
          },
          {
            name: 'Unexpected upstream',
            query: unexpectedUpstreams,
            steps: [
              { value: null, color: 'transparent' },
              { value: 1, color: 'orange' },
            ],
            width: 105,
          },
          {
            name: 'More-specifics',
            query: gaugeByPrefix(p.prefixMoreSpecifics),
            steps: [
              { value: null, color: 'transparent' },
              { value: 1, color: 'orange' },
            ],
            width: 90,
          },
          { name: 'Mean path', query: gaugeByPrefix(p.prefixAsPathLengthMean), decimals: 2, width: 75 },
          { name: 'Changes/s', query: changes, unit: 'cps', decimals: 2, width: 95 },
          { label: 'description', name: 'Description' },
          { label: 'group', name: 'Group', width: 100 },
        ],
        sortBy: [
          { column: 'State', descending: true },
          { column: 'Visibility', descending: false },
        ],
      }),
    )
    .withPanel(
      table({
        title: 'What changed in this time range',
        description:
          'Sums over the time range above, largest loss first. Losses by withdrawal are the network speaking; path changes without losses are re-routing; origin changes deserve a look at once.',
        unit: 'short',
        width: 24,
        height: 8,
        decimals: 0,
        key: { label: 'prefix', name: 'Prefix', link: PREFIX_LINK, width: 165 },
        columns: [
          {
            name: 'VPs lost (withdrawn)',
            query: byPrefix(increaseOverRange(p.prefixVpLosses, 'prefix=~"$prefix", reason="withdrawn"')),
            decimals: 0,
          },
          {
            name: 'VPs lost (VP down)',
            query: byPrefix(increaseOverRange(p.prefixVpLosses, 'prefix=~"$prefix", reason="vp_down"')),
            decimals: 0,
          },
          { name: 'VPs gained', query: byPrefix(increaseOverRange(p.prefixVpGains, CHOSEN)), decimals: 0 },
          {
            name: 'Path changes',
            query: byPrefix(increaseOverRange(p.prefixPathChanges, CHOSEN)),
            decimals: 0,
          },
          {
            name: 'Origin changes',
            query: byPrefix(increaseOverRange(p.prefixOriginChanges, CHOSEN)),
            decimals: 0,
            steps: [
              { value: null, color: 'transparent' },
              { value: 1, color: 'orange' },
            ],
          },
          {
            name: 'Announcements',
            query: byPrefix(increaseOverRange(p.prefixAnnouncements, CHOSEN)),
            decimals: 0,
          },
          {
            name: 'Withdrawals',
            query: byPrefix(increaseOverRange(p.prefixWithdrawals, CHOSEN)),
            decimals: 0,
          },
          {
            name: 'Last announcement',
            query: `1000 * ${gaugeByPrefix(p.prefixLastAnnouncement)}`,
            unit: 'dateTimeFromNow',
          },
        ],
        sortBy: [{ column: 'VPs lost (withdrawn)', descending: true }],
      }),
    )
    .withRow(new RowBuilder('Over time'))
    .withPanel(
      timeline({
        title: 'Visibility',
        description:
          'One bar a prefix: green is seen by 95 % and more of the expected vantage points, yellow by 80 %, orange less, red below 5 %. A column of one colour over many prefixes points to a shared upstream, or to the stream (see below).',
        unit: 'percentunit',
        width: 24,
        height: 8,
        decimals: 0,
        queries: [[visibility, '{{prefix}}']],
        steps: VISIBILITY,
      }),
    )
    .withPanel(
      timeline({
        title: 'Vantage points on an unexpected origin',
        description:
          'One bar a prefix, red while any vantage point holds a route from an origin that is not configured. Prefixes without configured origins stay green: configure them.',
        unit: 'none',
        width: 12,
        height: 8,
        queries: [[unexpectedOrigins, '{{prefix}}']],
        steps: GOOD_IS_ZERO,
      }),
    )
    .withPanel(
      lines({
        title: 'Changes by prefix',
        description:
          'Announcements that are news, and withdrawals, a second. One prefix that stands out for long: a flapping session or a storm. All at once: an event at a shared upstream, or a vantage point that reset.',
        unit: 'cps',
        width: 12,
        height: 8,
        min: 0,
        queries: [[changes, '{{prefix}}']],
      }),
    )
    .withRow(new RowBuilder('Stream at a glance'))
    .withPanel(
      timeline({
        title: 'Sessions',
        description:
          'Green while a session is connected and its prefixes are associated with its key. Red: what happened meanwhile was filled in from the Data API afterwards, if it answered.',
        unit: 'none',
        width: 8,
        height: 6,
        queries: [[select(s.streamUp), '{{instance}} {{source}}/{{session}}']],
        steps: NEUTRAL,
        mappings: words('up', 'down'),
      }),
    )
    .withPanel(
      lines({
        title: 'Frames',
        description:
          'Frames received a second. Flat 0 while the session is up is silence: calm prefixes, or a dead stream; the canary on the Exporter dashboard tells them apart.',
        unit: 'cps',
        width: 8,
        height: 6,
        min: 0,
        queries: [[rate(s.streamFrames), '{{instance}} {{source}}/{{session}}']],
      }),
    )
    .withPanel(
      lines({
        title: 'Delay, 90 % of messages',
        description:
          'Nine messages in ten are younger than this when they arrive. Minutes: the numbers are late, and wrong where the clock is; check the clock, then the load of the exporter.',
        unit: 's',
        width: 8,
        height: 6,
        min: 0,
        queries: [
          [
            `histogram_quantile(0.9, sum by (job, instance, source, session, le) (rate(${select(s.streamDelay, '', '_bucket')}[$__rate_interval])))`,
            '{{instance}} {{source}}/{{session}}',
          ],
        ],
      }),
    );
}
