/** Is what is seen legitimate: rows of the overview, of the Prefix dashboard and of the Exporter dashboard. */
import { legitimacyMetrics as l, rpkiMetrics as r } from '../../src/metrics/catalogue.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { FILL, INK } from './colours.ts';
import { events, levels, ofExporters, type Row } from './exporter-lines.ts';
import { BETTER_ZERO, GOOD_IS_ZERO, lines, NEUTRAL, stat, timeline, words } from './panels.ts';
import { age, count, select } from './selectors.ts';
import type { Prefixes } from './speaker.ts';
import { EXPORTER } from './variables.ts';

const INVALID = 'validity=~"invalid_as|invalid_length"';
const NO_RPKI = 'no validated data';
const NO_PATHS = 'paths are not looked at';

/** How many prefixes have more than 0 of something. */
function prefixesWith(prefixes: Prefixes, metric: Metric, matchers: string, labels: readonly string[]): string {
  return `sum(${prefixes.said(prefixes.select(metric, matchers), labels)} > bool 0)`;
}

/** Of the chosen prefixes. */
export function legitimacyRow(prefixes: Prefixes): Row {
  const size = { unit: 'none', width: 4, height: 4 } as const;
  return {
    title: 'Legitimacy',
    panels: [
      stat({
        ...size,
        title: 'Own routes invalid',
        description:
          'Prefixes of which a configured origin is RPKI invalid, seen or not. Above 0: a ROA of yours is missing or wrong, and networks that validate drop the route, or would.',
        // An origin has one series, which says how valid it is.
        query: `${prefixesWith(prefixes, l.prefixOriginRpkiInfo, `expected="true", ${INVALID}`, ['origin_as', 'validity', 'expected'])} or 0 * sum(${prefixes.said(prefixes.select(l.prefixCoveringVrps))})`,
        steps: GOOD_IS_ZERO,
        noValue: NO_RPKI,
      }),
      stat({
        ...size,
        title: 'Seen as RPKI invalid',
        description:
          'Prefixes that some vantage point sees from an origin which the RPKI calls invalid. Above 0: a hijack, or an announcement of yours without a ROA; the Prefix dashboard says which origin.',
        query: prefixesWith(prefixes, l.prefixRpkiVps, INVALID, ['validity']),
        steps: GOOD_IS_ZERO,
        noValue: NO_RPKI,
      }),
      stat({
        ...size,
        title: 'More-specifics invalid',
        description:
          'Prefixes inside of which an RPKI invalid route is seen. Above 0: a part of the traffic is taken wherever nobody validates.',
        query: prefixesWith(prefixes, l.prefixMoreSpecificRpkiVps, INVALID, ['validity']),
        steps: GOOD_IS_ZERO,
        noValue: NO_RPKI,
      }),
      stat({
        ...size,
        title: 'Without a ROA',
        description:
          'Prefixes that no VRP covers: origin validation does not protect them. Create ROAs; many at once, and your validator lost a trust anchor.',
        query: `sum(${prefixes.said(prefixes.select(l.prefixCoveringVrps))} == bool 0)`,
        steps: BETTER_ZERO,
        noValue: NO_RPKI,
      }),
      stat({
        ...size,
        title: 'Invalid by ASPA',
        description:
          'Prefixes that some vantage point sees over a path which is invalid by ASPA. Above 0: a route leak, or an ASPA that lacks a provider.',
        query: prefixesWith(prefixes, l.prefixAspaVps, 'verdict="invalid"', ['verdict']),
        steps: BETTER_ZERO,
        noValue: NO_RPKI,
      }),
      stat({
        ...size,
        title: 'Odd paths',
        description:
          'Prefixes that some vantage point sees over a path with an anomaly: a loop, a private AS, a valley between transit-free networks. Above 0: the Prefix dashboard says which.',
        query: prefixesWith(prefixes, l.prefixPathAnomalyVps, '', ['anomaly']),
        steps: BETTER_ZERO,
        noValue: NO_PATHS,
      }),
    ],
  };
}

/** Of one prefix. */
export function prefixLegitimacyRow(prefixes: Prefixes): Row {
  const by = (label: string, metric: Metric) =>
    `sum by (${label}) (${prefixes.spoken(prefixes.select(metric), [label])})`;
  // As wide as that a legend stands beside the lines: below them it would show three of its rows.
  const size = { unit: 'short', height: 8, min: 0 } as const;
  return {
    title: 'Legitimacy',
    panels: [
      lines({
        ...size,
        title: 'VPs by RPKI validity',
        description:
          'Visible vantage points by the validity of their origin, stacked. Invalid: another origin, or one of yours without a fitting ROA. Nothing is drawn while no validated data is fresh enough.',
        width: 12,
        stacked: true,
        highestFirst: true,
        noValue: NO_RPKI,
        queries: [[by('validity', l.prefixRpkiVps), '{{validity}}']],
        looks: {
          valid: { colour: INK.ok },
          invalid_as: { colour: INK.gone },
          invalid_length: { colour: INK.low },
          not_found: { colour: INK.unknown },
        },
      }),
      lines({
        ...size,
        title: 'VPs by ASPA',
        description:
          'Visible vantage points by what ASPA says of their path, stacked. Unknown is usual: few networks have an ASPA. Invalid is a route leak, or an ASPA that lacks a provider.',
        width: 12,
        stacked: true,
        highestFirst: true,
        noValue: NO_RPKI,
        queries: [[by('verdict', l.prefixAspaVps), '{{verdict}}']],
        looks: {
          valid: { colour: INK.ok },
          invalid: { colour: INK.gone },
          unverifiable: { colour: INK.plain },
          unknown: { colour: INK.unknown },
        },
      }),
      lines({
        ...size,
        title: 'VPs by path anomaly',
        description:
          'Vantage points whose path has the anomaly; one path may have several. A valley is a leak; private ASes and confederations escape from a router that should remove them.',
        width: 24,
        noValue: NO_PATHS,
        onlyWhatHappened: true,
        highestFirst: true,
        queries: [[by('anomaly', l.prefixPathAnomalyVps), '{{anomaly}}']],
      }),
    ],
  };
}

/** The sources of validated data. */
export const validatorRow: Row = {
  title: 'Validated data',
  panels: [
    timeline({
      title: 'Validators',
      description:
        'Blue while the last attempt to read the source was answered. Dark red: what was read before is used until it is too old, or the next source answers.',
      unit: 'none',
      width: 8,
      height: 9,
      queries: [[select(r.rpkiUp), `source {{rpki_source}}: ${EXPORTER}`]],
      steps: NEUTRAL,
      mappings: words('up', 'down'),
    }),
    timeline({
      title: 'Validated data is usable',
      description:
        'Blue while a source has data that is younger than rpki.max_age. Grey: nothing is judged by the RPKI, and its alerts are quiet.',
      unit: 'none',
      width: 8,
      height: 9,
      queries: [[select(r.rpkiUsable), EXPORTER]],
      steps: NEUTRAL,
      mappings: words('usable', 'too old', { ok: FILL.ok, gone: FILL.unknown }),
    }),
    levels({
      title: 'Age of validated data',
      description:
        'Since it was made, as far as the source tells, and since the source last answered. A growing age beside a young answer: the validator serves, but no longer validates.',
      unit: 's',
      noValue: 'no validator is configured',
      queries: ofExporters(
        [age(r.rpkiDataTimestamp), 'made, source {{rpki_source}}'],
        [age(r.rpkiUpdateTimestamp), 'answered, source {{rpki_source}}'],
      ),
    }),
    levels({
      title: 'VRPs by trust anchor',
      description:
        'All VRPs of the source, and ASPAs. A step down of one trust anchor: its repository cannot be reached, or the validator has dropped it. RTR does not tell trust anchors.',
      unit: 'short',
      decimals: 0,
      noValue: 'no validator is configured',
      queries: ofExporters(
        [select(r.rpkiVrps), '{{ta}}, source {{rpki_source}}'],
        [select(r.rpkiAspas), 'ASPAs, source {{rpki_source}}'],
      ),
    }),
    events({
      title: 'Attempts to read it',
      description:
        'Within the last interval, by result. Only success replaces the data. empty, truncated and unreadable: a fault of the source, and what was read before stays.',
      noValue: 'no validator is configured',
      queries: ofExporters([count(r.rpkiUpdates), '{{result}}, source {{rpki_source}}']),
    }),
    events({
      title: 'What changed in it',
      description:
        'VRPs and ASPAs that came, changed and went within the last interval, of those that concern your prefixes. Rare where all is well.',
      noValue: 'no validator is configured',
      queries: ofExporters([count(r.rpkiChanges), '{{change}}, source {{rpki_source}}']),
    }),
  ],
};
