/** How a monitored prefix stands, in one word: the worst of what is wrong with it. */

import { isExpected } from '../table/expectation.ts';
import type { Counts, MonitoredPrefix } from '../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { expectedVps } from '../table/vps/denominator.ts';

/**
 * Worst first; a prefix is in the first state that fits.
 * `old`: the streams that carry it are down. `hijack`: an unexpected origin is seen. `outage`: fewer than half of the expected
 * VPs see it. `more_specific`: a more-specific is seen. `incomplete`: its part of the table is not known to be complete.
 * `degraded`: fewer than 95 % of the expected VPs see it. `upstream`: an unexpected upstream is seen. `unseen`: no VP is
 * expected to see it yet.
 */
export const PREFIX_STATES = [
  ...(['hijack', 'outage', 'more_specific', 'old', 'incomplete', 'degraded', 'upstream', 'unseen', 'ok'] as const),
] as const;
export type PrefixStanding = (typeof PREFIX_STATES)[number];

/** Below this share of the expected VPs a prefix is out, and below the other it is degraded. */
export const OUTAGE_RATIO = 0.5;
export const DEGRADED_RATIO = 0.95;

export interface PrefixCondition {
  readonly visible: number;
  readonly expected: number;
  readonly unexpectedOriginVps: number;
  readonly unexpectedUpstreamVps: number;
  /** More-specifics that a VP sees now. */
  readonly moreSpecifics: number;
  readonly trusted: boolean;
}

/** What the totals say of a prefix: the same numbers as its metrics. */
export function conditionOf(table: RoutingTable, prefix: MonitoredPrefix): PrefixCondition {
  const { state, origins, upstreams, watched, moreSpecifics, trusted } = prefix;
  const unexpected = (counts: Counts, configured: typeof watched.origins): number => {
    if (configured.length === 0) return 0;
    let vps = 0;
    for (const [as, count] of counts.entries()) if (!isExpected(as, configured, table.paths)) vps += count;
    return vps;
  };
  let seen = 0;
  for (const one of moreSpecifics) if (one.visible > 0) seen++;
  return {
    visible: state.visible,
    expected: expectedVps(table, prefix),
    unexpectedOriginVps: unexpected(origins, watched.origins),
    unexpectedUpstreamVps: unexpected(upstreams, watched.upstreams),
    moreSpecifics: seen,
    trusted,
  };
}

/** @param isUp whether a stream that carries the prefix is up: if not, what the table says is from before it went down */
export function standingOf(condition: PrefixCondition, isUp: boolean): PrefixStanding {
  const { visible, expected, trusted } = condition;
  if (!isUp) return 'old';
  if (condition.unexpectedOriginVps > 0) return 'hijack';
  if (trusted && expected > 0 && visible < OUTAGE_RATIO * expected) return 'outage';
  if (condition.moreSpecifics > 0) return 'more_specific';
  if (!trusted) return 'incomplete';
  if (expected === 0) return 'unseen';
  if (visible < DEGRADED_RATIO * expected) return 'degraded';
  return condition.unexpectedUpstreamVps > 0 ? 'upstream' : 'ok';
}
