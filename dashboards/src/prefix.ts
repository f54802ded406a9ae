/** One prefix in depth. */
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { prefixMetrics as p } from '../../src/metrics/catalogue.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { GOOD_IS_ZERO, heatmap, lines, NEUTRAL, stat, timeline, VISIBILITY } from './panels.ts';
import { rate, select } from './selectors.ts';
import { DASHBOARDS, dashboard } from './variables.ts';

const ONE = 'prefix="$prefix"';

/** The largest over exporters: of a pair, the one that knows more. */
function gauge(metric: Metric, matchers = ''): string {
  return `max(${select(metric, matchers === '' ? ONE : `${ONE}, ${matchers}`)})`;
}
/** Series that come and go: one that went ends at 0, else the legend would go on showing what it was before. */
function gaugeBy(label: string, metric: Metric): string {
  const series = select(metric, ONE);
  return `max by (${label}) (${series}) or 0 * max by (${label}) (last_over_time(${series}[$__rate_interval]))`;
}
function perSecond(metric: Metric): string {
  return `max(${rate(metric, ONE)})`;
}

const visibility = `(${gauge(p.prefixVisibilityRatio)} or 0 * ${gauge(p.prefixVisibleVps)})`;
const unexpected = (metric: Metric) => `(${gauge(metric)} or 0 * ${gauge(p.prefixVisibleVps)})`;

export function prefix() {
  return dashboard(
    DASHBOARDS.prefix,
    'one prefix',
    'One prefix: who sees it, from which origin, over which path, how restless is it?',
  )
    .withRow(new RowBuilder('Now'))
    .withPanel(
      stat({
        title: 'Visibility',
        description:
          'Visible over expected vantage points. Expected are those that hold a route now or held one within a day, less those that are down themselves. A fall is your network or an upstream, not the measurement.',
        unit: 'percentunit',
        width: 3,
        height: 4,
        decimals: 1,
        query: visibility,
        steps: VISIBILITY,
      }),
    )
    .withPanel(
      stat({
        title: 'Visible VPs',
        description: 'Vantage points that hold a route now. 0: nobody reaches the prefix; check your announcement.',
        unit: 'none',
        width: 3,
        height: 4,
        query: gauge(p.prefixVisibleVps),
        steps: [
          { value: null, color: 'red' },
          { value: 1, color: 'blue' },
        ],
      }),
    )
    .withPanel(
      stat({
        title: 'Origins',
        description:
          'Distinct origin ASes now. More than 1 is a multiple-origin prefix (MOAS): right for anycast or DDoS mitigation of yours, otherwise a hijack or a leak.',
        unit: 'none',
        width: 3,
        height: 4,
        query: gauge(p.prefixOrigins),
        steps: [
          { value: null, color: 'blue' },
          { value: 2, color: 'orange' },
        ],
      }),
    )
    .withPanel(
      stat({
        title: 'Unexpected origin',
        description:
          'Vantage points whose origin is not configured. Above 0: see "VPs by origin" for whose it is. Always 0 where no origins are configured.',
        unit: 'none',
        width: 3,
        height: 4,
        query: unexpected(p.prefixUnexpectedOriginVps),
        steps: GOOD_IS_ZERO,
      }),
    )
    .withPanel(
      stat({
        title: 'Unexpected upstream',
        description:
          'Vantage points that reach the origin through an AS that is not configured. Above 0: a new peering, a leak, or a hijack that forges your AS as origin. Always 0 where no upstreams are configured.',
        unit: 'none',
        width: 3,
        height: 4,
        query: unexpected(p.prefixUnexpectedUpstreamVps),
        steps: [
          { value: null, color: 'green' },
          { value: 1, color: 'orange' },
        ],
      }),
    )
    .withPanel(
      stat({
        title: 'More-specifics',
        description:
          'Prefixes inside this one, seen now and not monitored themselves. Their names and vantage points are below.',
        unit: 'none',
        width: 3,
        height: 4,
        query: gauge(p.prefixMoreSpecifics),
        steps: [
          { value: null, color: 'green' },
          { value: 1, color: 'orange' },
        ],
      }),
    )
    .withPanel(
      stat({
        title: 'Last announcement',
        description: 'Message time of the newest announcement. Long ago is normal for a stable prefix.',
        unit: 'dateTimeFromNow',
        width: 3,
        height: 4,
        query: `1000 * ${gauge(p.prefixLastAnnouncement)}`,
        steps: NEUTRAL,
        noValue: 'none yet',
      }),
    )
    .withPanel(
      stat({
        title: 'Last withdrawal',
        description:
          'Message time of the newest withdrawal by any vantage point. Single vantage points withdraw now and then; many at once show below as losses.',
        unit: 'dateTimeFromNow',
        width: 3,
        height: 4,
        query: `1000 * ${gauge(p.prefixLastWithdrawal)}`,
        steps: NEUTRAL,
        noValue: 'none yet',
      }),
    )
    .withRow(new RowBuilder('Who sees it'))
    .withPanel(
      lines({
        title: 'Visible and expected VPs',
        description:
          'The gap between the lines is who lost the prefix. Both falling together: vantage points went down, not the prefix.',
        unit: 'short',
        width: 12,
        height: 9,
        min: 0,
        queries: [
          [gauge(p.prefixVisibleVps), 'visible'],
          [gauge(p.prefixExpectedVps), 'expected'],
        ],
      }),
    )
    .withPanel(
      timeline({
        title: 'Visibility over time',
        description:
          'Green from 95 % of the expected vantage points on, yellow from 80 %, orange below, red below 5 %. By exporter: two that disagree for long do not know the same; see their table on the Exporter dashboard.',
        unit: 'percentunit',
        width: 12,
        height: 9,
        decimals: 0,
        queries: [
          [`${select(p.prefixVisibilityRatio, ONE)} or 0 * ${select(p.prefixVisibleVps, ONE)}`, '{{instance}}'],
        ],
        steps: VISIBILITY,
      }),
    )
    .withRow(new RowBuilder('From which origin, over which upstream'))
    .withPanel(
      lines({
        title: 'VPs by origin',
        description:
          'Stacked; the top is all visible vantage points. A second colour that grows is another AS announcing your prefix: a hijack unless it is yours.',
        unit: 'short',
        width: 12,
        height: 9,
        min: 0,
        stacked: true,
        queries: [[gaugeBy('origin_as', p.prefixOriginVps), 'AS{{origin_as}}']],
      }),
    )
    .withPanel(
      lines({
        title: 'VPs by upstream',
        description:
          'Stacked; the AS next to the origin. A colour that vanishes is an upstream that lost your prefix: if the others grow, traffic moved; if not, it is lost.',
        unit: 'short',
        width: 12,
        height: 9,
        min: 0,
        stacked: true,
        queries: [[gaugeBy('upstream_as', p.prefixUpstreamVps), 'AS{{upstream_as}}']],
      }),
    )
    .withRow(new RowBuilder('Paths'))
    .withPanel(
      heatmap({
        title: 'VPs by AS path length',
        description:
          'Rows are lengths, darker is more vantage points. A dark band that moves up: paths became longer, by prepending or by a lost upstream.',
        unit: 'none',
        width: 12,
        height: 9,
        // Two digits, so that 10 does not come before 2.
        query: `max by (length) (label_replace(${select(p.prefixAsPathLengthVps, ONE)}, "length", "0$1", "length", "([0-9])"))`,
        legend: '{{length}}',
        buckets: false,
      }),
    )
    .withPanel(
      lines({
        title: 'AS path length',
        description:
          'Shortest, mean and longest path over visible vantage points, and what nine announcements in ten are no longer than. A mean that stays higher than before: look for a lost upstream or prepending.',
        unit: 'none',
        width: 12,
        height: 9,
        min: 0,
        queries: [
          [gauge(p.prefixAsPathLengthMin), 'shortest'],
          [gauge(p.prefixAsPathLengthMean), 'mean'],
          [gauge(p.prefixAsPathLengthMax), 'longest'],
          [
            `histogram_quantile(0.9, sum by (le) (rate(${select(p.prefixAnnouncedAsPathLength, ONE, '_bucket')}[$__rate_interval])))`,
            'announced, 90 %',
          ],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'Prepending',
        description:
          'Vantage points whose path repeats the origin at its end. More than your own prepending explains: somebody else prepends your AS.',
        unit: 'short',
        width: 12,
        height: 8,
        min: 0,
        queries: [[gauge(p.prefixPrependedVps), 'see prepending']],
      }),
    )
    .withPanel(
      lines({
        title: 'VPs by more-specific',
        description:
          'Vantage points by more-specific. A new one that is not yours takes the traffic of its part of the prefix.',
        unit: 'short',
        width: 12,
        height: 8,
        min: 0,
        queries: [
          [gaugeBy('more_specific', p.prefixMoreSpecificVps), '{{more_specific}}'],
          [gauge(p.prefixMoreSpecifics), 'how many'],
        ],
      }),
    )
    .withRow(new RowBuilder('How restless'))
    .withPanel(
      lines({
        title: 'Announcements and withdrawals',
        description:
          'A second, over all vantage points, repeats included. Spikes are events; a raised floor is a session that flaps somewhere near you.',
        unit: 'cps',
        width: 12,
        height: 9,
        min: 0,
        queries: [
          [perSecond(p.prefixAnnouncements), 'announcements'],
          [perSecond(p.prefixWithdrawals), 'withdrawals'],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'What announcements changed',
        description:
          'Path changes, of which origin changes, and repeats of the route held already. Many repeats and no changes: a vantage point sends its table again, no event of yours.',
        unit: 'cps',
        width: 12,
        height: 9,
        min: 0,
        queries: [
          [perSecond(p.prefixPathChanges), 'path changes'],
          [perSecond(p.prefixOriginChanges), 'origin changes'],
          [perSecond(p.prefixRepeats), 'repeats'],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'VPs gained and lost',
        description:
          'Vantage points a second that began or ceased to see the prefix. withdrawn: the vantage point said so; vp_down: its session is down; expired: not confirmed for too long. Only "withdrawn" is news of your network.',
        unit: 'cps',
        width: 24,
        height: 9,
        queries: [
          [perSecond(p.prefixVpGains), 'gained'],
          [`-max by (reason) (${rate(p.prefixVpLosses, ONE)})`, 'lost: {{reason}}'],
        ],
      }),
    );
}
