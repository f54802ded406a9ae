/** The links of the AS paths that lead to a prefix's origin, with how many vantage points use each. */
import { type AsPath, asSet, parseAsPath } from '../../bgp/as-path.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import type { PrefixDetail } from './api-schemas.ts';

type Link = PrefixDetail['path_links'][number];

/** ASes shown before the origin: its upstreams, and two hops above them. */
const HOPS = 3;
/** ASes that are shown at each hop; the others are shown as one. */
const MOST_A_HOP = 6;
const OTHER = 'other';

/** Nearest the origin first, and those that most vantage points use first. */
export function pathLinks(table: RoutingTable, { state }: MonitoredPrefix): Link[] {
  const { cells, vps, paths } = table;
  const counts = new Map<number, number>();
  for (let vp = cells.nextVp(state, 0); vp < vps.end; vp = cells.nextVp(state, vp + 1)) {
    const path = cells.path(cells.find(state, vp));
    if (path !== 0) counts.set(path, (counts.get(path) ?? 0) + 1);
  }
  const routes = [...counts].map(([path, count]) => ({
    hops: paths.lastHops(path, HOPS + 1)?.map(String) ?? lastHops(paths.text(path)),
    count,
  }));
  // By hop, the origin at 0: which ASes have a name there.
  const named = [...Array(HOPS + 1).keys()].map((hop) => {
    const seen = new Map<string, number>();
    for (const { hops, count } of routes)
      if (hop < hops.length) seen.set(hops[hop], (seen.get(hops[hop]) ?? 0) + count);
    return new Set(
      [...seen]
        .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
        .slice(0, MOST_A_HOP)
        .map(([as]) => as),
    );
  });
  const links = new Map<string, Link>();
  for (const { hops, count } of routes)
    for (let hop = 1; hop < Math.min(hops.length, HOPS + 1); hop++) {
      const from = named[hop].has(hops[hop]) ? hops[hop] : OTHER;
      const to = named[hop - 1].has(hops[hop - 1]) ? hops[hop - 1] : OTHER;
      const key = `${hop} ${from} ${to}`;
      const link = links.get(key);
      if (link === undefined) links.set(key, { from, to, hop, vps: count });
      else link.vps += count;
    }
  return [...links.values()].sort((a, b) => a.hop - b.hop || b.vps - a.vps || (a.from < b.from ? -1 : 1));
}

/** Characters at the end of a path in which its last hops mostly are; the longest path that BGP can carry has 180,000. */
const TAIL = 512;

/** The hops of a path that are shown, read from its end: a long path costs what a short one does. */
export function lastHops(text: string): string[] {
  for (let length = TAIL; length < text.length; length *= 4) {
    const tail = text.slice(text.length - length);
    const blank = tail.indexOf(' ');
    // What begins inside a set or a confederation is not a path.
    const path = blank === -1 ? undefined : parseAsPath(tail.slice(blank));
    const hops = path === undefined ? [] : hopsOf(path);
    if (hops.length > HOPS) return hops;
  }
  return hopsOf(parseAsPath(text) ?? []);
}

/** The ASes of a path from its origin on, each once in a row, as far as they are shown. A set counts as one hop, a confederation as no hop. */
function hopsOf(path: AsPath): string[] {
  const hops: string[] = [];
  for (let at = path.length - 1; at >= 0 && hops.length <= HOPS; at--) {
    const segment = path[at];
    if (typeof segment !== 'number' && segment.kind !== 'set') continue;
    const text = String(typeof segment === 'number' ? segment : asSet(segment.members));
    if (hops.at(-1) !== text) hops.push(text);
  }
  return hops;
}
