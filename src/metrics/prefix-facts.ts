/**
 * What the totals say of a monitored prefix: one computation for the page, the library and the demo, of the same numbers as the
 * metrics. Walks no routes.
 */
import type { AsOrSet } from '../bgp/as-path.ts';
import { isExpected } from '../table/expectation.ts';
import type { Counts, MonitoredPrefix, PrefixState } from '../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { expectedVps } from '../table/vps/denominator.ts';

export interface AsFact {
  readonly as: AsOrSet;
  readonly text: string;
  /** VPs that see the prefix with this AS now. */
  readonly vps: number;
  /** Whether the configuration expects it. */
  readonly expected: boolean;
}

export interface PrefixFacts {
  readonly visible: number;
  /** The denominator of visibility. */
  readonly expected: number;
  /** Most VPs first, ties by the AS that was seen first. */
  readonly origins: readonly AsFact[];
  readonly upstreams: readonly AsFact[];
  /** The more-specifics that a VP sees now, most VPs first, ties by their text. */
  readonly moreSpecifics: readonly PrefixState[];
}

/** @param most how many origins, and how many upstreams, are given at most */
export function prefixFacts(
  table: RoutingTable,
  prefix: MonitoredPrefix,
  most = Number.POSITIVE_INFINITY,
): PrefixFacts {
  const { state, watched, origins, upstreams, moreSpecifics } = prefix;
  const { paths } = table;
  const asFacts = (counts: Counts, configured: readonly AsOrSet[]): AsFact[] =>
    [...counts.entries()]
      .sort(([a, countA], [b, countB]) => countB - countA || a - b)
      .slice(0, most)
      .map(([as, vps]) => ({
        ...{ as: paths.asOrSet(as), text: paths.asText(as), vps },
        expected: isExpected(as, configured, paths),
      }));
  return {
    visible: state.visible,
    expected: expectedVps(table, prefix),
    origins: asFacts(origins, watched.origins),
    upstreams: asFacts(upstreams, watched.upstreams),
    moreSpecifics: [...moreSpecifics]
      .filter(({ visible }) => visible > 0)
      .sort((a, b) => b.visible - a.visible || (a.prefix.text < b.prefix.text ? -1 : 1)),
  };
}
