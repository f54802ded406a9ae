/** The series that the monitored prefixes of a table must have, from a recount of its cells. Only below the bounds of labels. */
import { LENGTH_BOUNDS, type MonitoredPrefix } from '../../src/table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../src/table/routing-table.ts';
import { recountedTotals } from './table-recount.ts';

export function expectedSeries(table: RoutingTable): Map<string, number> {
  const series = new Map<string, number>();
  for (const monitored of table.prefixes.monitored()) addPrefix(table, monitored, series);
  return series;
}

function addPrefix(table: RoutingTable, monitored: MonitoredPrefix, series: Map<string, number>): void {
  const { state, watched } = monitored;
  const prefix = state.prefix.text;
  const add = (name: string, value: number, labels: Readonly<Record<string, string>> = {}) => {
    const all: Record<string, string> = { prefix, ...labels };
    const inner = Object.keys(all)
      .sort()
      .map((key) => `${key}=${JSON.stringify(Buffer.from(all[key]).toString())}`);
    series.set(`bgp_prefix_${name}{${inner.join(',')}}`, value);
  };
  const totals = recountedTotals(table, state);
  const { visible } = totals;
  const countsFullFeeds = table.options.expectedVps === 'full_feed' && table.fullFeedVps[state.prefix.afi] > 0;
  const ofFullFeeds = countsFullFeeds ? expectedOfFullFeeds(table, monitored) : 0;
  const expected = Math.max(totals.expected, ofFullFeeds);
  add('info', 1, { afi: state.prefix.afi, description: watched.description, group: watched.group });
  add('visible_vps', visible);
  add('expected_vps', expected);
  add('expected_known', monitored.expectedKnown || countsFullFeeds ? 1 : 0);
  add('trusted', monitored.trusted ? 1 : 0);
  add('source_trusted', monitored.trusted ? 1 : 0, { source: 'bgproutes' });
  add('source_vps', visible, { source: 'bgproutes' });
  if (expected > 0) add('visibility_ratio', visible / expected);
  addByAs(totals.origins, watched.origins, (as, count) => add('origin_vps', count, { origin_as: as }));
  add('origins', Object.keys(totals.origins).length);
  addByAs(totals.upstreams, watched.upstreams, (as, count) => add('upstream_vps', count, { upstream_as: as }));
  if (watched.origins.length > 0) add('unexpected_origin_vps', unexpected(totals.origins, watched.origins));
  if (watched.upstreams.length > 0) add('unexpected_upstream_vps', unexpected(totals.upstreams, watched.upstreams));

  const lengths = Object.entries(totals.lengths).map(([length, count]) => [Number(length), count] as const);
  for (let i = 0; i <= 15; i++) {
    const count = totals.lengths[i] ?? 0;
    if (i > 0 || count > 0) add('as_path_length_vps', count, { length: String(i) });
  }
  const long = lengths.filter(([length]) => length >= 16).reduce((sum, [, count]) => sum + count, 0);
  add('as_path_length_vps', long, { length: '16+' });
  if (visible > 0) {
    add('as_path_length_min', Math.min(...lengths.map(([length]) => length)));
    add('as_path_length_max', Math.max(...lengths.map(([length]) => length)));
    add('as_path_length_mean', totals.lengthSum / visible);
  }
  add('prepended_vps', totals.prepended);
  const inside = [...table.prefixes.moreSpecifics()].filter(
    (one) => one.parents.includes(monitored) && one.visible > 0,
  );
  add('more_specifics', inside.length);
  for (const one of inside)
    add('more_specific_vps', recountedTotals(table, one).visible, { more_specific: one.prefix.text });

  add('announcements_total', monitored.announcements);
  add('withdrawals_total', monitored.withdrawals);
  add('path_changes_total', monitored.pathChanges);
  add('origin_changes_total', monitored.originChanges);
  add('repeats_total', monitored.repeats);
  add('vp_gains_total', monitored.gains);
  for (const [reason, count] of Object.entries(monitored.losses)) add('vp_losses_total', count, { reason });
  let cumulative = 0;
  for (const [i, bound] of LENGTH_BOUNDS.entries()) {
    cumulative += monitored.announcedLengths[i];
    add('announced_as_path_length_bucket', cumulative, { le: String(bound) });
  }
  add('announced_as_path_length_bucket', monitored.announcements, { le: '+Inf' });
  add('announced_as_path_length_sum', monitored.announcedLengthSum);
  add('announced_as_path_length_count', monitored.announcements);
  if (monitored.lastAnnouncementUs > 0) add('last_announcement_timestamp_seconds', monitored.lastAnnouncementUs / 1e6);
  if (monitored.lastWithdrawalUs > 0) add('last_withdrawal_timestamp_seconds', monitored.lastWithdrawalUs / 1e6);
}

function expectedOfFullFeeds(table: RoutingTable, { state }: MonitoredPrefix): number {
  const bit = state.prefix.afi === 'ipv4' ? 1 : 2;
  let expected = 0;
  for (let vp = 0; vp < table.vps.end; vp++) {
    if (table.vps.get(vp) === undefined || table.vps.down[vp] === 1) continue;
    const cell = table.cells.find(state, vp);
    if (table.vps.fullFeed[vp] & bit || (cell !== -1 && table.cells.path(cell) !== 0)) expected++;
  }
  return expected;
}

function addByAs(
  counts: Readonly<Record<string, number>>,
  configured: readonly (number | string)[],
  add: (as: string, count: number) => void,
): void {
  for (const as of new Set([...configured.map(String), ...Object.keys(counts)])) add(as, counts[as] ?? 0);
}

function unexpected(counts: Readonly<Record<string, number>>, configured: readonly (number | string)[]): number {
  const names = configured.map(String);
  return Object.entries(counts)
    .filter(([as]) => !names.includes(as) && !(as.match(/\d+/g) ?? []).every((member) => names.includes(member)))
    .reduce((sum, [, count]) => sum + count, 0);
}
