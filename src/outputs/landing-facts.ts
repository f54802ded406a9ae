/** What the page for people says of the monitored prefixes, read from the table's totals: it never walks the routes. */
import { expectedVps } from '../table/denominator.ts';
import { isExpected } from '../table/expectation.ts';
import type { Counts, MonitoredPrefix } from '../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import type { LandingAs, LandingPrefix, LandingTrust } from './landing-page.ts';

/** @param isUp whether a session is up now */
export function landingPrefixes(table: RoutingTable, isUp: (session: number) => boolean): LandingPrefix[] {
  return [...table.prefixes.monitored()].map((prefix) => {
    const { origins, upstreams, watched, state } = prefix;
    const list = (counts: Counts, configured: typeof watched.origins): LandingAs[] =>
      [...counts.entries()]
        .sort(([a, countA], [b, countB]) => countB - countA || a - b)
        .map(([as, vps]) => ({
          as: table.paths.asText(as),
          vps,
          expected: isExpected(as, configured, table.paths),
        }));
    const moreSpecifics = [...prefix.moreSpecifics]
      .filter(({ visible }) => visible > 0)
      .sort((a, b) => b.visible - a.visible || (a.prefix.text < b.prefix.text ? -1 : 1))
      .map((part) => ({ prefix: part.prefix.text, vps: part.visible }));
    return {
      prefix: state.prefix.text,
      description: watched.description,
      group: watched.group,
      visibleVps: state.visible,
      expectedVps: expectedVps(table, prefix),
      trust: trustOf(prefix, watched.sessions.some(isUp)),
      origins: list(origins, watched.origins),
      unexpectedUpstreams: list(upstreams, watched.upstreams).filter(({ expected }) => !expected),
      moreSpecifics,
    };
  });
}

function trustOf({ trusted }: MonitoredPrefix, isUp: boolean): LandingTrust {
  if (!isUp) return 'old';
  return trusted ? 'trusted' : 'incomplete';
}
