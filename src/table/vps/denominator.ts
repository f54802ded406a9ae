/** The denominator of a prefix's visibility: how many VPs ought to see it. */
import type { Afi } from '../../bgp/prefix.ts';
import type { MonitoredPrefix } from '../prefixes/prefix-state.ts';
import type { RoutingTable } from '../routing-table.ts';

/**
 * Whether the denominator can be made of the VPs with a full feed. Without a VP of the family that is known to have one it
 * would shrink with the numerator, and the ratio would always be 1: then VPs that held a route count, as by default.
 */
export function countsFullFeeds(table: RoutingTable, afi: Afi): boolean {
  return table.options.expectedVps === 'full_feed' && table.fullFeedVps[afi] > 0;
}

/**
 * VPs that ought to see the prefix: the denominator of its visibility. Full feeds can only add to it: VPs without one that
 * lost the route stay in it for the window, or an outage among them would shrink it with the numerator.
 */
export function expectedVps(table: RoutingTable, monitored: MonitoredPrefix): number {
  const { afi } = monitored.state.prefix;
  if (!countsFullFeeds(table, afi)) return monitored.expected;
  return Math.max(monitored.expected, table.fullFeedVps[afi] + monitored.visiblePartial);
}

/** Whether that denominator covers a whole window. */
export function isExpectedKnown(table: RoutingTable, monitored: MonitoredPrefix): boolean {
  return monitored.expectedKnown || countsFullFeeds(table, monitored.state.prefix.afi);
}

/** Whether the VP has a full feed, by address family. Only read with `expectedVps: full_feed`. */
export function setFullFeed(table: RoutingTable, vp: number, full: Readonly<Record<Afi, boolean>>): void {
  const bits = (full.ipv4 ? 1 : 0) | (full.ipv6 ? 2 : 0);
  const before = table.vps.fullFeed[vp];
  if (bits === before) return;
  const up = table.vps.down[vp] === 0;
  if (up) table.ledger.countFullFeed(vp, -1);
  table.vps.fullFeed[vp] = bits;
  if (up) table.ledger.countFullFeed(vp, 1);
  for (const state of table.prefixes.states()) {
    if (state.monitored === undefined) continue;
    const bit = state.prefix.afi === 'ipv4' ? 1 : 2;
    if ((bits & bit) === (before & bit)) continue;
    const cell = table.cells.find(state, vp);
    if (cell !== -1 && table.cells.path(cell) !== 0) state.monitored.visiblePartial += bits & bit ? -1 : 1;
  }
}

/** VPs with a full feed of the prefix's family that are up and hold no route for it. */
export function* missingFullFeeds({ cells, vps }: RoutingTable, { state }: MonitoredPrefix): Generator<number, void> {
  const bit = state.prefix.afi === 'ipv4' ? 1 : 2;
  for (let vp = 0; vp < vps.end; vp++) {
    if ((vps.fullFeed[vp] & bit) === 0 || vps.down[vp] === 1 || vps.get(vp) === undefined) continue;
    const cell = cells.find(state, vp);
    if (cell === -1 || cells.path(cell) === 0) yield vp;
  }
}
