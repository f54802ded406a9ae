/** PromQL of the overview: what is known of the chosen prefixes, which of them are worst, and sums by group. */
import { prefixMetrics as p } from '../../src/metrics/catalogue.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { FILL } from './colours.ts';
import { BARS, NOT_TRUSTED, wordsFrom } from './panels.ts';
import { increaseOverRange, rate } from './selectors.ts';
import { LOW_BELOW, NOT_VISIBLE_BELOW, Prefixes } from './speaker.ts';

const CHOSEN = 'prefix=~"$prefix"';
const CHOICE = { matcher: CHOSEN, group: 'group=~"$group"' };
export const prefixes = new Prefixes(CHOICE);
/** To choose what is drawn over time: evaluated once, and not at each point. */
const atEnd = new Prefixes({ ...CHOICE, at: 'end' });

export const visible = prefixes.select(p.prefixVisibleVps);
export const knownVisible = prefixes.known(visible);
export const knownVisibility = prefixes.known(prefixes.ratio);
export const knownExpected = prefixes.known(prefixes.select(p.prefixExpectedVps));
export const knownPathLength = prefixes.known(prefixes.select(p.prefixAsPathLengthMean));
/** Only of prefixes that no exporter is trusted with. */
export const untrustedVisible = `${prefixes.said(visible)} unless ${knownVisible}`;
export const unexpectedOrigins = prefixes.mostOrZero(p.prefixUnexpectedOriginVps);
export const unexpectedUpstreams = prefixes.mostOrZero(p.prefixUnexpectedUpstreamVps);
export const moreSpecifics = prefixes.most(p.prefixMoreSpecifics);
const changes = `${rate(p.prefixAnnouncements, CHOSEN)} - ${rate(p.prefixRepeats, CHOSEN)} + ${rate(p.prefixWithdrawals, CHOSEN)}`;
export const knownChanges = prefixes.known(changes);
/** More than one origin where none are configured: where they are, the unexpected ones are counted. */
const unexplainedMoas = `(${prefixes.said(`(${prefixes.select(p.prefixOrigins)} > 1) unless ${prefixes.select(p.prefixUnexpectedOriginVps)}`)} or ${prefixes.zero})`;

/** 2 where no exporter is trusted: neither low nor not visible. */
const UNKNOWN = 2;
const judged = `(${knownVisibility} or ${UNKNOWN} + ${prefixes.zero})`;
/** 1 or 0 for every prefix. */
export const notVisible = `(${judged} < bool ${NOT_VISIBLE_BELOW})`;
const low = `(${judged} < bool ${LOW_BELOW})`;
export const notTrusted = `(${judged} > bool 1)`;
const notKnownLong = `(${prefixes.known(`${prefixes.select(p.prefixExpectedKnown)} == bool 0`)} or ${prefixes.zero})`;

/** The worst that is true of a prefix is the largest power of two in the sum. */
export const state = [
  `32 * ${notVisible}`,
  `16 * (${unexpectedOrigins} > bool 0)`,
  `8 * ${notTrusted}`,
  `4 * ${low}`,
  `2 * ((${unexpectedUpstreams} + ${moreSpecifics} + ${unexplainedMoas}) > bool 0)`,
  notKnownLong,
].join(' + ');
export const STATES = wordsFrom([
  [0, 'ok', FILL.ok],
  [1, 'ok so far', FILL.lower],
  [2, 'look closer', FILL.lower],
  [4, 'low visibility', FILL.low],
  [8, 'not trusted', FILL.unknown],
  [16, 'other origin', FILL.gone],
  [32, 'not visible', FILL.gone],
]);

export const topOrigin = `topk by (prefix) (1, max by (prefix, origin_as) (${prefixes.spoken(`${prefixes.select(p.prefixOriginVps)} > 0`, ['origin_as'])}))`;

/** Shown as "no group"; in a link it is Grafana's own word for all of them. */
export const NO_GROUP = '$__all';
/** Each prefix once, 1, with its group. */
export const groups = `label_replace(max by (prefix, group) (${prefixes.info}) ^ 0, "group", "$${NO_GROUP}", "group", "")`;
/** From one number a prefix to one a group. */
export function byGroup(how: 'sum' | 'min', expression: string): string {
  return `${how} by (group) ((${expression}) * on (prefix) group_left (group) ${groups})`;
}

function lowestAndMean(name: string): string {
  const range = atEnd.rangeNamed(name);
  return `min_over_time(${range}) + avg_over_time(${range})`;
}

/**
 * Those that were seen worst in the time range, by the exporter that speaks at its end: lowest point and mean together, so
 * that a short outage goes before a prefix that is always seen by few, and a long one before what all had for a moment.
 */
const worst = `bottomk(${BARS}, ${atEnd.said(
  `${lowestAndMean('bgp:prefix_visibility:ratio')} or ${lowestAndMean(p.prefixVisibilityRatio.name)} or 0 * ${atEnd.select(p.prefixVisibleVps)}`,
)})`;
const seenWorst = new Prefixes({ matcher: CHOSEN, among: worst });
export const worstVisibility = `${seenWorst.known(seenWorst.ratio)} or ${seenWorst.zero} + ${NOT_TRUSTED}`;

const hijacked = `topk(${BARS}, max by (prefix) (max_over_time(${atEnd.range(p.prefixUnexpectedOriginVps)})) or ${atEnd.zero})`;
const unexpectedMost = new Prefixes({ matcher: CHOSEN, among: hijacked });
/** 0 only where an exporter is trusted. */
export const worstOrigins = `${unexpectedMost.mostOrZero(p.prefixUnexpectedOriginVps)} > 0 or ${unexpectedMost.zero} and ${unexpectedMost.known(visible)} or ${unexpectedMost.zero} + ${NOT_TRUSTED}`;

/** More lines can hardly be told apart. */
export const LINES = 10;
const restless = `topk(${LINES}, ${atEnd.said(
  `increase(${atEnd.range(p.prefixAnnouncements)}) - increase(${atEnd.range(p.prefixRepeats)}) + increase(${atEnd.range(p.prefixWithdrawals)})`,
)})`;
export const mostChanges = new Prefixes({ matcher: CHOSEN, among: restless }).said(changes);

export function increases(metric: Metric, reason?: string): string {
  return reason === undefined
    ? prefixes.said(increaseOverRange(metric, CHOSEN))
    : prefixes.said(increaseOverRange(metric, `${CHOSEN}, reason="${reason}"`), ['reason']);
}
