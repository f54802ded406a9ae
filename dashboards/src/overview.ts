/** Are all my prefixes seen, by whom announced, what changed? */
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { prefixMetrics as p, streamMetrics as s, tableMetrics as t } from '../../src/metrics/catalogue.ts';
import { firingAlerts } from './alerts.ts';
import { FILL, INK } from './colours.ts';
import { withRow } from './exporter-lines.ts';
import { legitimacyRow } from './legitimacy.ts';
import {
  byGroup,
  groups,
  increases,
  knownChanges,
  knownExpected,
  knownPathLength,
  knownVisibility,
  knownVisible,
  LINES,
  moreSpecifics,
  mostChanges,
  NO_GROUP,
  notTrusted,
  notVisible,
  prefixes,
  STATES,
  state,
  topOrigin,
  unexpectedOrigins,
  unexpectedUpstreams,
  untrustedVisible,
  worstOrigins,
  worstVisibility,
} from './overview-queries.ts';
import {
  BARS,
  BETTER_ZERO,
  GOOD_IS_ZERO,
  lines,
  marked,
  markedNumber,
  NEUTRAL,
  NONE_BARS,
  NOT_TRUSTED_BARS,
  NOT_TRUSTED_CELL,
  reads,
  stat,
  timeline,
  VISIBILITY,
  VISIBILITY_BARS,
  words,
} from './panels.ts';
import { rate, select, sessionsDown } from './selectors.ts';
import { NOT_VISIBLE_BELOW, tile } from './speaker.ts';
import { table } from './tables.ts';
import { DASHBOARDS, dashboard, SESSION } from './variables.ts';

/** What a link to a dashboard carries beside its own variable; the names of Grafana's own variables are in it. */
const CHOSEN_TOO = ['datasource', 'job', 'instance'].map((name) => `\${${name}:queryparam}`).join('&');
const RANGE_TOO = '$' + '{__url_time_range}';
const CELL = '$' + '{__value.raw:percentencode}';
const PREFIX_LINK = `/d/${DASHBOARDS.prefix.uid}?var-prefix=${CELL}&${CHOSEN_TOO}&\${group:queryparam}&${RANGE_TOO}`;
/** By exporter, whatever protocol and source. */
const heard = `sum without (protocol, source) (${select(t.vps)})`;
const GROUP_LINK = `/d/${DASHBOARDS.overview.uid}?var-group=${CELL}&${CHOSEN_TOO}&${RANGE_TOO}`;

export function overview() {
  const now = dashboard(
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
        query: `count(${prefixes.info})`,
        steps: NEUTRAL,
      }),
    )
    .withPanel(
      stat({
        title: 'Not trusted',
        description:
          'Prefixes of which no exporter knows enough now: its stream is down or silent, or its table is not complete. Their numbers are the last that were heard, and alerts about what is missing are quiet.',
        unit: 'none',
        width: 3,
        height: 4,
        query: `sum(${notTrusted})`,
        steps: BETTER_ZERO,
      }),
    )
    .withPanel(
      stat({
        title: 'Not visible',
        description:
          'Prefixes that less than 5 % of the expected vantage points see now; not 0, since a few keep routes that are gone. Above 0: find them in the table, then check whether your routers still announce them.',
        unit: 'none',
        width: 3,
        height: 4,
        query: `sum(${notVisible}) and on () ${prefixes.anyTrusted}`,
        doubtful: `sum(${prefixes.said(prefixes.ratio)} < bool ${NOT_VISIBLE_BELOW}) unless on () ${prefixes.anyTrusted}`,
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
        query: `min(${knownVisibility})`,
        doubtful: `min(${prefixes.said(prefixes.ratio)}) unless on () ${prefixes.anyTrusted}`,
        steps: VISIBILITY,
      }),
    )
    .withPanel(
      stat({
        title: 'Other origins',
        description:
          'Prefixes that some vantage point sees from an origin which is not configured. Above 0: a hijack, a leak, or an origin missing in the configuration; the table says which prefix.',
        unit: 'none',
        width: 3,
        height: 4,
        ...tile(prefixes, `sum(${unexpectedOrigins} > bool 0)`),
        steps: GOOD_IS_ZERO,
        doubtfulSteps: markedNumber(GOOD_IS_ZERO[1]!.color),
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
        ...tile(prefixes, `sum(${moreSpecifics})`),
        steps: BETTER_ZERO,
        doubtfulSteps: markedNumber(BETTER_ZERO[1]!.color),
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
        title: 'Vantage points',
        description:
          'Vantage points heard of within the expected window, by the trusted exporter that hears most. A sudden fall is a loss at the service, not at your network.',
        unit: 'none',
        width: 3,
        height: 4,
        query: `max(${heard} and ignoring (prefix) ${prefixes.trusted})`,
        doubtful: `max(${heard}) unless on () ${prefixes.trusted}`,
        steps: NEUTRAL,
      }),
    )
    .withPanel(firingAlerts({ width: 13, height: 7 }))
    .withPanel(
      table({
        title: 'By group',
        description:
          'One row a group of the configuration: those with prefixes that are not visible first, then by lowest visibility; click on it to see its prefixes alone. A group that is worse than the others points to what its prefixes share: a site, an upstream.',
        unit: 'none',
        width: 11,
        height: 7,
        key: { label: 'group', name: 'Group', link: GROUP_LINK, mappings: reads(NO_GROUP, 'no group') },
        // So that all columns have room beside it on a screen of 1280 pixels.
        minWidth: 80,
        columns: [
          { name: 'Prefixes', query: `count by (group) (${groups})`, width: 70 },
          {
            name: 'Not visible',
            query: byGroup('sum', notVisible),
            steps: marked(FILL.gone),
            width: 70,
          },
          {
            name: 'Lowest visibility',
            query: byGroup('min', knownVisibility),
            unit: 'percentunit',
            decimals: 1,
            steps: VISIBILITY,
            mappings: [NOT_TRUSTED_CELL],
            ink: true,
            width: 92,
          },
          {
            name: 'Unexpected origins',
            query: byGroup('sum', `${unexpectedOrigins} > bool 0`),
            steps: marked(FILL.gone),
            width: 95,
          },
          {
            name: 'More-specifics',
            query: byGroup('sum', moreSpecifics),
            steps: marked(FILL.low),
            width: 80,
          },
          { name: 'Not trusted', query: byGroup('sum', notTrusted), steps: marked(FILL.unknown), width: 70 },
        ],
        sortBy: [
          { column: 'Not visible', descending: true },
          // Those of which nothing is known have no number, and are before the others.
          { column: 'Lowest visibility', descending: false },
        ],
      }),
    )
    .withRow(new RowBuilder('Prefixes'))
    .withPanel(
      table({
        title: 'Prefixes now',
        description:
          'One row a prefix, the worst first; click on it for the Prefix dashboard. All of a row is what one exporter says: of those that are trusted, the one that sees most. Visibility is visible over expected vantage points, or over those of a usual day where the rules know of more; where nobody is trusted there is none, and "Untrusted VPs" has the last that was heard. Origin is the one most of them see. "look closer": an unexpected upstream, a more-specific, or several origins (MOAS) where none are configured. "ok so far": the expected ones do not cover a whole window yet.',
        unit: 'none',
        width: 24,
        height: 10,
        key: { label: 'prefix', name: 'Prefix', link: PREFIX_LINK, width: 165 },
        columns: [
          { name: 'Configured', query: prefixes.info, labelsOnly: true },
          { name: 'State', query: state, unit: 'none', mappings: STATES, width: 120 },
          {
            name: 'Trusted by',
            query: prefixes.trustedBy,
            unit: 'none',
            mappings: reads('0', 'nobody'),
            steps: [
              { value: null, color: FILL.unknown },
              { value: 1, color: 'transparent' },
            ],
            width: 75,
          },
          {
            name: 'Visibility',
            query: knownVisibility,
            unit: 'percentunit',
            decimals: 1,
            steps: VISIBILITY,
            mappings: [NOT_TRUSTED_CELL],
            ink: true,
            width: 90,
          },
          { name: 'Visible VPs', query: knownVisible, noValue: '-', width: 70 },
          { name: 'Expected VPs', query: knownExpected, noValue: '-', width: 80 },
          {
            name: 'Untrusted VPs',
            query: untrustedVisible,
            steps: [{ value: null, color: INK.unknown }],
            ink: true,
            width: 85,
          },
          { name: 'VPs of origin', query: topOrigin, labelsOnly: true },
          { label: 'origin_as', name: 'Origin', width: 95 },
          {
            name: 'Origins (MOAS)',
            query: prefixes.gauge(p.prefixOrigins),
            steps: [
              { value: null, color: 'transparent' },
              { value: 2, color: FILL.low },
            ],
            width: 80,
          },
          {
            name: 'Unexpected origin',
            query: unexpectedOrigins,
            steps: marked(FILL.gone),
            width: 100,
          },
          {
            name: 'Unexpected upstream',
            query: unexpectedUpstreams,
            steps: marked(FILL.low),
            width: 100,
          },
          {
            name: 'More-specifics',
            query: moreSpecifics,
            steps: marked(FILL.low),
            width: 85,
          },
          { name: 'Mean path', query: knownPathLength, decimals: 2, noValue: '-', width: 60 },
          { name: 'Changes/s', query: knownChanges, unit: 'cps', decimals: 2, noValue: '-', width: 85 },
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
        unit: 'none',
        width: 24,
        height: 8,
        decimals: 0,
        key: { label: 'prefix', name: 'Prefix', link: PREFIX_LINK, width: 165 },
        columns: [
          { name: 'VPs lost (withdrawn)', query: increases(p.prefixVpLosses, 'withdrawn'), decimals: 0, width: 110 },
          { name: 'VPs lost (VP down)', query: increases(p.prefixVpLosses, 'vp_down'), decimals: 0, width: 110 },
          {
            name: 'VPs lost (source down)',
            query: increases(p.prefixVpLosses, 'source_down'),
            decimals: 0,
            width: 110,
          },
          { name: 'VPs gained', query: increases(p.prefixVpGains), decimals: 0, width: 110 },
          { name: 'Path changes', query: increases(p.prefixPathChanges), decimals: 0, width: 110 },
          {
            name: 'Origin changes',
            query: increases(p.prefixOriginChanges),
            decimals: 0,
            steps: marked(FILL.low),
            width: 110,
          },
          { name: 'Announcements', query: increases(p.prefixAnnouncements), decimals: 0, width: 125 },
          { name: 'Withdrawals', query: increases(p.prefixWithdrawals), decimals: 0, width: 110 },
          {
            name: 'Last announcement',
            query: `1000 * ${prefixes.most(p.prefixLastAnnouncement)}`,
            unit: 'dateTimeFromNow',
          },
        ],
        sortBy: [{ column: 'VPs lost (withdrawn)', descending: true }],
      }),
    );
  return withRow(now, legitimacyRow(prefixes))
    .withRow(new RowBuilder('Over time'))
    .withPanel(
      timeline({
        title: 'Visibility',
        description: `One bar a prefix, of the ${BARS} that were seen worst in the time range: blue is seen by 95 % and more of the expected vantage points, light blue by 80 %, orange less, dark red below 5 %, grey: no exporter was trusted. A column of one colour over many prefixes points to a shared upstream.`,
        unit: 'percentunit',
        width: 24,
        height: 8,
        decimals: 0,
        queries: [[worstVisibility, '{{prefix}}']],
        steps: VISIBILITY_BARS,
        mappings: [NOT_TRUSTED_BARS],
      }),
    )
    .withPanel(
      timeline({
        title: 'Vantage points on an unexpected origin',
        description: `One bar a prefix, of the ${BARS} with most in the time range: dark red while any vantage point holds a route from an origin that is not configured. Prefixes without configured origins stay blue: configure them. Grey: none is seen, but no exporter was trusted.`,
        unit: 'none',
        width: 12,
        height: 8,
        queries: [[worstOrigins, '{{prefix}}']],
        steps: NONE_BARS,
        mappings: [NOT_TRUSTED_BARS, ...reads('0', 'none')],
      }),
    )
    .withPanel(
      lines({
        title: 'Changes by prefix',
        description: `Announcements that are news, and withdrawals, a second, of the ${LINES} prefixes with most in the time range. One prefix that stands out for long: a flapping session or a storm. All at once: an event at a shared upstream, or a vantage point that reset.`,
        unit: 'cps',
        width: 12,
        height: 8,
        min: 0,
        highestFirst: true,
        queries: [[mostChanges, '{{prefix}}']],
      }),
    )
    .withRow(new RowBuilder('Stream at a glance'))
    .withPanel(
      timeline({
        title: 'Sessions',
        description:
          'Blue while a session is connected and its prefixes are associated with its key. Dark red: what happened meanwhile was filled in from the Data API afterwards, if it answered.',
        unit: 'none',
        width: 8,
        height: 7,
        queries: [[select(s.streamUp), SESSION]],
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
        height: 7,
        min: 0,
        queries: [[rate(s.streamFrames), SESSION]],
      }),
    )
    .withPanel(
      lines({
        title: 'Delay, 90 % of messages',
        description:
          'Nine messages in ten are younger than this when they arrive. Minutes: the numbers are late, and wrong where the clock is; check the clock, then the load of the exporter.',
        unit: 's',
        width: 8,
        height: 7,
        min: 0,
        queries: [[`histogram_quantile(0.9, ${rate(s.streamDelay, '', '_bucket')})`, SESSION]],
      }),
    );
}
