/** One prefix in depth. */
import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { prefixMetrics as p, placeMetrics as place } from '../../src/metrics/catalogue.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { FILL, INK } from './colours.ts';
import { withRow } from './exporter-lines.ts';
import { prefixLegitimacyRow } from './legitimacy.ts';
import {
  BETTER_ZERO,
  GOOD_IS_ZERO,
  heatmap,
  lines,
  markedNumber,
  NEUTRAL,
  NOT_TRUSTED,
  NOT_TRUSTED_BARS,
  type Queries,
  stat,
  timeline,
  VISIBILITY,
  VISIBILITY_BARS,
  words,
} from './panels.ts';
import { overRange, rate } from './selectors.ts';
import { Prefixes, tile } from './speaker.ts';
import { DASHBOARDS, dashboard, EXPORTER } from './variables.ts';

const ONE = 'prefix="$prefix"';
const prefixes = new Prefixes({ matcher: ONE });

function gauge(metric: Metric) {
  return prefixes.gauge(metric);
}
function perSecond(metric: Metric): string {
  return prefixes.said(rate(metric, ONE));
}
/** Without the label of the prefix, so that numbers of both kinds are of equal labels. */
function now(expression: string) {
  return tile(prefixes, `max(${expression})`);
}

/**
 * One line a value of a label. Those that come and go end at 0, else the legend would go on showing what they were before;
 * where the exporter itself says nothing, as in a restart, there is a gap and no outage.
 */
function by(label: string, metric: Metric): string {
  const spoken = prefixes.spoken(prefixes.select(metric), [label]);
  const ended = `0 * max by (${label}) (last_over_time((${spoken})[$__rate_interval:$__interval]))`;
  return `sum by (${label}) (${spoken}) or ${ended} and on () ${prefixes.select(p.prefixVisibleVps)}`;
}

/** More colours can hardly be told apart. */
const LAYERS = 10;

/**
 * Layers by AS that add up to all: those that are largest in the time range, and the rest as one. Colours go by place, so that
 * no two are alike; the largest has the first place, since whoever comes beside it must not take its colour.
 */
function layers(label: string, metric: Metric): Queries {
  const all = `label_replace(${by(label, metric)}, "${label}", "AS$1", "${label}", "([0-9].*)")`;
  const largest = (many: number) => `topk(${many}, ${overRange('avg', all)})`;
  return [
    [`${all} and on (${label}) ${largest(1)}`, `{{${label}}}`],
    [`${all} and on (${label}) (${largest(LAYERS)} unless ${largest(1)})`, `{{${label}}}`],
    [`sum(${all} unless on (${label}) ${largest(LAYERS)})`, 'smaller ones', { colour: INK.unknown }],
  ];
}

export function prefix() {
  const seen = dashboard(
    DASHBOARDS.prefix,
    'one prefix',
    'One prefix: who sees it, from which origin, over which path, how restless is it?',
  )
    .withRow(new RowBuilder('Now'))
    .withPanel(
      stat({
        title: 'Visibility',
        description:
          'Visible over expected vantage points, or over those of a usual day where the rules know of more. Expected are those that hold a route now or held one within a day, less those that are down themselves. A fall is your network or an upstream, not the measurement.',
        unit: 'percentunit',
        width: 3,
        height: 4,
        decimals: 1,
        ...now(prefixes.said(prefixes.ratio)),
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
        ...now(gauge(p.prefixVisibleVps)),
        steps: [
          { value: null, color: INK.gone },
          { value: 1, color: INK.plain },
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
        ...now(gauge(p.prefixOrigins)),
        steps: [
          { value: null, color: INK.plain },
          { value: 2, color: INK.low },
        ],
      }),
    )
    .withPanel(
      stat({
        title: 'Other origin',
        description:
          'Vantage points whose origin is not configured. Above 0: see "VPs by origin" for whose it is. Always 0 where no origins are configured.',
        unit: 'none',
        width: 3,
        height: 4,
        ...now(prefixes.mostOrZero(p.prefixUnexpectedOriginVps)),
        steps: GOOD_IS_ZERO,
        doubtfulSteps: markedNumber(INK.gone),
      }),
    )
    .withPanel(
      stat({
        title: 'Other upstream',
        description:
          'Vantage points that reach the origin through an AS that is not configured. Above 0: a new peering, a leak, or a hijack that forges your AS as origin. Always 0 where no upstreams are configured.',
        unit: 'none',
        width: 3,
        height: 4,
        ...now(prefixes.mostOrZero(p.prefixUnexpectedUpstreamVps)),
        steps: BETTER_ZERO,
        doubtfulSteps: markedNumber(INK.low),
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
        ...now(prefixes.most(p.prefixMoreSpecifics)),
        steps: BETTER_ZERO,
        doubtfulSteps: markedNumber(INK.low),
      }),
    )
    .withPanel(
      stat({
        title: 'Announced',
        description: 'Message time of the newest announcement. Long ago is normal for a stable prefix.',
        unit: 'dateTimeFromNow',
        width: 3,
        height: 4,
        query: `1000 * ${prefixes.most(p.prefixLastAnnouncement)}`,
        steps: NEUTRAL,
        noValue: 'none yet',
      }),
    )
    .withPanel(
      stat({
        title: 'Withdrawn',
        description:
          'Message time of the newest withdrawal by any vantage point. Single vantage points withdraw now and then; many at once show below as losses.',
        unit: 'dateTimeFromNow',
        width: 3,
        height: 4,
        query: `1000 * ${prefixes.most(p.prefixLastWithdrawal)}`,
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
        // Later lines lie on top of earlier ones.
        queries: [
          [gauge(p.prefixExpectedVps), 'expected', { colour: INK.unknown, wide: true }],
          [gauge(p.prefixVisibleVps), 'visible', { colour: INK.ok }],
        ],
      }),
    )
    .withPanel(
      timeline({
        title: 'Visibility over time',
        description:
          'Blue from 95 % of the expected vantage points on, light blue from 80 %, orange below, dark red below 5 %, grey: the exporter is not trusted with it. By exporter: two that are trusted and disagree for long do not hear the same.',
        unit: 'percentunit',
        width: 12,
        height: 9,
        decimals: 0,
        queries: [
          [
            `(${prefixes.ratio}) and ${prefixes.trusted} or 0 * ${prefixes.select(p.prefixVisibleVps)} + ${NOT_TRUSTED}`,
            EXPORTER,
          ],
        ],
        steps: VISIBILITY_BARS,
        mappings: [NOT_TRUSTED_BARS],
      }),
    )
    .withPanel(
      lines({
        title: 'VPs by region',
        description:
          'Vantage points that see the prefix, by where they are, stacked. A colour that vanishes while others stay: that part of the Internet lost it, by an anycast site, a peering or a filter there.',
        unit: 'short',
        width: 12,
        height: 9,
        min: 0,
        stacked: true,
        queries: [[by('region', place.prefixRegionVisibleVps), '{{region}}']],
      }),
    )
    .withPanel(
      lines({
        title: 'Share of the expected VPs, by region',
        description:
          'Visible over expected vantage points of each region in which any are expected. A line far below the others is a region that lost the prefix; of a region with two or three vantage points it means little.',
        unit: 'percentunit',
        width: 12,
        height: 9,
        min: 0,
        max: 1,
        queries: [
          [
            `sum by (region) (${prefixes.spoken(prefixes.select(place.prefixRegionVisibleVps), ['region'])}) / (sum by (region) (${prefixes.spoken(prefixes.select(place.prefixRegionExpectedVps), ['region'])}) > 0)`,
            '{{region}}',
          ],
        ],
      }),
    )
    .withPanel(
      timeline({
        title: 'Expected VPs are known',
        description:
          'By exporter: whether its expected vantage points cover a whole window. Until then they are those seen since it watches the prefix, and a visibility of 100 % may hide a loss that is older.',
        unit: 'none',
        width: 24,
        height: 4,
        queries: [[prefixes.select(p.prefixExpectedKnown), EXPORTER]],
        steps: NEUTRAL,
        mappings: words('whole window', 'since the start', { ok: FILL.ok, gone: FILL.lower }),
      }),
    )
    .withRow(new RowBuilder('From which origin, over which upstream'))
    .withPanel(
      lines({
        title: 'VPs by origin',
        description:
          'Stacked; the top is all visible vantage points, as one exporter counts them. A second colour that grows is another AS announcing your prefix: a hijack unless it is yours.',
        unit: 'short',
        width: 12,
        height: 9,
        min: 0,
        stacked: true,
        queries: layers('origin_as', p.prefixOriginVps),
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
        queries: layers('upstream_as', p.prefixUpstreamVps),
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
        query: `sum by (length) (label_replace(${prefixes.spoken(prefixes.select(p.prefixAsPathLengthVps), ['length'])}, "length", "0$1", "length", "([0-9])"))`,
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
          [gauge(p.prefixAsPathLengthMin), 'shortest', { colour: INK.plain }],
          [gauge(p.prefixAsPathLengthMean), 'mean', { colour: INK.ok }],
          [gauge(p.prefixAsPathLengthMax), 'longest', { colour: INK.low }],
          [
            `histogram_quantile(0.9, sum by (le) (${prefixes.spoken(rate(p.prefixAnnouncedAsPathLength, ONE, '_bucket'), ['le'])}))`,
            'announced, 90 %',
            { colour: INK.unknown },
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
        queries: [[gauge(p.prefixPrependedVps), 'see prepending', { colour: INK.ok }]],
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
          [prefixes.most(p.prefixMoreSpecifics), 'how many', { colour: INK.unknown }],
          [
            `${by('more_specific', p.prefixMoreSpecificVps)} and on (more_specific) topk(${LAYERS}, ${overRange('max', by('more_specific', p.prefixMoreSpecificVps))})`,
            '{{more_specific}}',
          ],
        ],
      }),
    );
  return withRow(seen, prefixLegitimacyRow(prefixes))
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
          [perSecond(p.prefixAnnouncements), 'announcements', { colour: INK.ok }],
          [perSecond(p.prefixWithdrawals), 'withdrawals', { colour: INK.low }],
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
          [perSecond(p.prefixPathChanges), 'path changes', { colour: INK.ok }],
          [perSecond(p.prefixOriginChanges), 'origin changes', { colour: INK.low }],
          [perSecond(p.prefixRepeats), 'repeats', { colour: INK.unknown }],
        ],
      }),
    )
    .withPanel(
      lines({
        title: 'VPs gained and lost',
        description:
          'Vantage points a second that began or ceased to see the prefix. withdrawn: the vantage point said so; vp_down: its session is down; source_down: the stream that brings it is down, and no other does; expired: not confirmed for too long. Only "withdrawn" is news of your network.',
        unit: 'cps',
        width: 12,
        height: 9,
        hasNegative: true,
        queries: [
          [perSecond(p.prefixVpGains), 'gained', { colour: INK.ok }],
          [`-sum by (reason) (${prefixes.spoken(rate(p.prefixVpLosses, ONE), ['reason'])})`, 'lost: {{reason}}'],
        ],
        // Only what was withdrawn is news of the network.
        looks: {
          'lost: withdrawn': { colour: INK.gone },
          'lost: vp_down': { colour: INK.unknown },
          'lost: source_down': { colour: FILL.lower },
          'lost: expired': { colour: INK.plain },
        },
      }),
    )
    .withPanel(
      lines({
        title: 'VPs by source',
        description:
          'Visible vantage points by the source whose word counts about them. When one source is lost, the others take over what they deliver too; the rest leaves a minute later, and that is no news of your network.',
        unit: 'short',
        width: 12,
        height: 9,
        decimals: 0,
        min: 0,
        stacked: true,
        queries: [[by('source', p.prefixSourceVps), '{{source}}']],
      }),
    );
}
