/** Every total of a table, counted anew from its cells. */
import { parseAsPath, pathFacts } from '../../src/bgp/as-path.ts';
import {
  type Counts,
  LOSS_REASONS,
  type MonitoredPrefix,
  type PrefixState,
} from '../../src/table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../src/table/routing-table.ts';
import { tally } from './table-model.ts';

/** What the fold keeps current. */
export function keptTotals(table: RoutingTable, monitored: MonitoredPrefix) {
  const { state } = monitored;
  return {
    visible: state.visible,
    expected: monitored.expected,
    visiblePartial: monitored.visiblePartial,
    origins: byText(table, monitored.origins),
    upstreams: byText(table, monitored.upstreams),
    lengths: Object.fromEntries([...monitored.lengths.entries()].map(([length, count]) => [String(length), count])),
    lengthSum: monitored.lengthSum,
    prepended: monitored.prepended,
    moreSpecifics: [...monitored.moreSpecifics].map((one) => one.prefix.text).sort(),
  };
}

export function keptCounters(monitored: MonitoredPrefix) {
  const { announcements, withdrawals, pathChanges, originChanges, repeats, gains, losses } = monitored;
  const { announcedLengthSum, lastAnnouncementUs, lastWithdrawalUs } = monitored;
  return {
    ...{ announcements, withdrawals, pathChanges, originChanges, repeats, gains, losses: { ...losses } },
    ...{ announcedLengthSum, lastAnnouncementUs, lastWithdrawalUs },
  };
}

/** What a walk over the cells gives; path facts are taken from the path's text, not from the table's numbers. */
export function recountedTotals(table: RoutingTable, state: PrefixState) {
  const origins: string[] = [];
  const upstreams: string[] = [];
  const lengths: number[] = [];
  let expected = 0;
  let visiblePartial = 0;
  let prepended = 0;
  for (let vp = 0; vp < table.vps.end; vp++) {
    const cell = table.cells.find(state, vp);
    if (cell === -1) continue;
    const path = table.cells.path(cell);
    if (path === 0) {
      if (table.cells.mark(cell) !== 0) expected++;
      continue;
    }
    expected++;
    const facts = pathFacts(parseAsPath(table.paths.text(path))!, table.vps.get(vp)!.asn);
    origins.push(String(facts.origin));
    if (facts.upstream !== undefined) upstreams.push(String(facts.upstream));
    lengths.push(facts.length);
    if (facts.prepended) prepended++;
    if ((table.vps.fullFeed[vp] & (state.prefix.afi === 'ipv4' ? 1 : 2)) === 0) visiblePartial++;
  }
  return {
    ...{ visible: lengths.length, expected, visiblePartial },
    ...{ origins: tally(origins), upstreams: tally(upstreams), lengths: tally(lengths.map(String)) },
    ...{ lengthSum: lengths.reduce((sum, length) => sum + length, 0), prepended },
  };
}

/** What the table keeps about itself. */
export function keptOverall(table: RoutingTable) {
  return {
    routes: table.routes,
    paths: table.paths.size,
    vpCells: forVps(table, (vp) => table.vps.cells[vp]),
    vpsByProtocol: { ...table.vpsByProtocol },
    fullFeedVps: { ...table.fullFeedVps },
  };
}

export function recountedOverall(table: RoutingTable) {
  const states = [...table.prefixes.states()];
  const held = new Set<number>();
  const cells = new Map<number, number>();
  let routes = 0;
  for (const state of states) {
    for (let vp = 0; vp < table.vps.end; vp++) {
      const cell = table.cells.find(state, vp);
      if (cell === -1) continue;
      const path = table.cells.path(cell);
      if (path !== 0) {
        routes++;
        held.add(path);
      }
      if (path !== 0 || table.cells.mark(cell) !== 0) cells.set(vp, (cells.get(vp) ?? 0) + 1);
    }
  }
  const known = [...Array(table.vps.end).keys()].filter((vp) => table.vps.get(vp) !== undefined);
  const counted = (protocol: string) =>
    known.filter((vp) => table.vps.counted[vp] === 1 && table.vps.get(vp)?.protocol === protocol).length;
  const full = (bit: number) => known.filter((vp) => table.vps.fullFeed[vp] & bit && table.vps.down[vp] === 0).length;
  return {
    routes,
    paths: held.size,
    vpCells: forVps(table, (vp) => cells.get(vp) ?? 0),
    vpsByProtocol: { bgp: counted('bgp'), bmp: counted('bmp') },
    fullFeedVps: { ipv4: full(1), ipv6: full(2) },
  };
}

/** The routes held, as text: `prefix vp path`. */
export function routesOf(table: RoutingTable): string[] {
  const routes: string[] = [];
  for (const state of table.prefixes.states()) {
    for (let vp = 0; vp < table.vps.end; vp++) {
      const cell = table.cells.find(state, vp);
      const path = cell === -1 ? 0 : table.cells.path(cell);
      if (path === 0) continue;
      const { asn, ip } = table.vps.get(vp)!;
      routes.push(`${state.prefix.text} ${asn}_${ip} ${table.paths.text(path)} @${table.cells.time(cell)}`);
    }
  }
  return routes.sort();
}

export const NO_LOSSES = Object.fromEntries(LOSS_REASONS.map((reason) => [reason, 0]));

function byText(table: RoutingTable, counts: Counts): Record<string, number> {
  return Object.fromEntries([...counts.entries()].map(([as, count]) => [table.paths.asText(as), count]));
}

function forVps(table: RoutingTable, value: (vp: number) => number): Record<string, number> {
  const values: Record<string, number> = {};
  for (let vp = 0; vp < table.vps.end; vp++) {
    const known = table.vps.get(vp);
    if (known !== undefined) values[`${known.protocol} ${known.asn}_${known.ip}`] = value(vp);
  }
  return values;
}
