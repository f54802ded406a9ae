/** The exporter's own numbers about an event of the demo, as its metrics show them at that moment. */

import type { AsOrSet } from '../../bgp/as-path.ts';
import { containsPrefix } from '../../bgp/prefix.ts';
import type { RunningExporter } from '../../exporter.ts';
import type { Validity } from '../../rpki/origin-validation.ts';
import type { StepReport } from '../../simulator/steps.ts';
import { expectedVps } from '../../table/denominator.ts';
import { isExpected } from '../../table/expectation.ts';
import type { Counts, MonitoredPrefix, PrefixState } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';

/** Counters as they were told last, by prefix: what is told is by how much they grew. */
export class Told {
  readonly #last = new Map<string, Pick<MonitoredPrefix, 'withdrawals' | 'gains'>>();

  /** Withdrawals, and VPs that saw the prefix again, since the last call for it. */
  since(prefix: string, { withdrawals, gains }: MonitoredPrefix): { withdrawals: number; gains: number } {
    const last = this.#last.get(prefix) ?? { withdrawals: 0, gains: 0 };
    this.#last.set(prefix, { withdrawals, gains });
    return { withdrawals: withdrawals - last.withdrawals, gains: gains - last.gains };
  }
}

/** One line: what the line about the event told, in metrics. */
export function exporterSays(
  exporter: Pick<RunningExporter, 'table' | 'figures' | 'validity'>,
  { kind, prefix }: StepReport,
  told: Told,
): string {
  const { table, figures } = exporter;
  const monitored = prefix === undefined ? undefined : table.prefixes.find(prefix)?.monitored;
  if (prefix === undefined || monitored === undefined) {
    const { bgp, bmp } = table.vpsByProtocol;
    return `metrics: ${bgp + bmp} of the VPs that are up hold a route for one of these prefixes; ${table.routes} routes`;
  }
  const { state, origins, upstreams, watched, prepended } = monitored;
  const since = told.since(prefix, monitored);
  const parts = [...table.prefixes.moreSpecifics()].filter(
    (part) => part.visible > 0 && containsPrefix(state.prefix, part.prefix),
  );
  const showsUpstreams = kind === 'upstream_change' || unexpected(table, upstreams, watched.upstreams) > 0;
  return [
    `metrics: visible at ${state.visible} of ${expectedVps(table, monitored)} VPs`,
    `origin ${listed(table, origins, watched.origins, (as) => rpkiNote(exporter.validity(state.prefix, as)))}`,
    ...(showsUpstreams ? [`upstream ${listed(table, upstreams, watched.upstreams)}`] : []),
    ...(kind === 'prepend' || prepended > 0 ? [`prepended at ${prepended}`] : []),
    ...(kind === 'flap'
      ? [`${since.withdrawals} withdrawals and ${since.gains} gains since the last line about it`]
      : []),
    ...parts.map((part) => {
      const origin = originOf(table, part);
      const note = origin === undefined ? '' : rpkiNote(exporter.validity(part.prefix, origin, state.prefix));
      return `more-specific ${part.prefix.text} at ${part.visible}${note === '' ? '' : ` (${note})`}`;
    }),
    ...(figures.seeded ? [] : ['the table is not seeded yet']),
  ].join('; ');
}

/** ASes listed in a line. */
const MAX_LISTED = 4;

/** `AS64501 at 130, AS64666 at 50 (unexpected)`, most VPs first. */
function listed(
  table: RoutingTable,
  counts: Counts,
  configured: MonitoredPrefix['watched']['origins'],
  noteOf: (as: AsOrSet) => string = () => '',
): string {
  const byCount = [...counts.entries()].sort(([, a], [, b]) => b - a);
  if (byCount.length === 0) return 'none';
  const texts = byCount.slice(0, MAX_LISTED).map(([as, vps]) => {
    const notes = [isExpected(as, configured, table.paths) ? '' : 'unexpected', noteOf(table.paths.asOrSet(as))];
    const note = notes.filter((text) => text !== '').join(', ');
    return `AS${table.paths.asText(as)} at ${vps}${note === '' ? '' : ` (${note})`}`;
  });
  const rest = byCount.slice(MAX_LISTED).reduce((sum, [, vps]) => sum + vps, 0);
  return `${texts.join(', ')}${rest === 0 ? '' : `, others at ${rest}`}`;
}

/** Only what is wrong is worth a word. */
function rpkiNote(validity: Validity | undefined): string {
  return validity === 'invalid_as' || validity === 'invalid_length' ? `RPKI ${validity}` : '';
}

/** The origin of the first route that is held; undefined: there is none. */
function originOf({ cells, vps, paths }: RoutingTable, state: PrefixState): AsOrSet | undefined {
  for (let vp = cells.nextVp(state, 0); vp < vps.end; vp = cells.nextVp(state, vp + 1)) {
    const path = cells.path(cells.find(state, vp));
    if (path !== 0) return paths.asOrSet(paths.origin(path));
  }
  return undefined;
}

function unexpected(table: RoutingTable, counts: Counts, configured: MonitoredPrefix['watched']['origins']): number {
  let vps = 0;
  for (const [as, count] of counts.entries()) if (!isExpected(as, configured, table.paths)) vps += count;
  return vps;
}
