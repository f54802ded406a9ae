/** The exporter's own numbers about an event of the demo, as its metrics show them at that moment. */

import type { AsOrSet } from '../../bgp/as-path.ts';
import type { RunningExporter } from '../../exporter.ts';
import { type AsFact, prefixFacts } from '../../metrics/prefix-facts.ts';
import type { Validity } from '../../rpki/origin-validation.ts';
import type { StepReport } from '../../simulator/scenario/steps.ts';
import type { MonitoredPrefix, PrefixState } from '../../table/prefixes/prefix-state.ts';
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

/** One line that tells in metrics what the line about the event has told. */
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
  const { state, prepended } = monitored;
  const { visible, expected, origins, upstreams, moreSpecifics } = prefixFacts(table, monitored);
  const since = told.since(prefix, monitored);
  const showsUpstreams = kind === 'upstream_change' || upstreams.some((upstream) => !upstream.expected);
  return [
    `metrics: visible at ${visible} of ${expected} VPs`,
    `origin ${listed(origins, (as) => rpkiNote(exporter.validity(state.prefix, as)))}`,
    ...(showsUpstreams ? [`upstream ${listed(upstreams)}`] : []),
    ...(kind === 'prepend' || prepended > 0 ? [`prepended at ${prepended}`] : []),
    ...(kind === 'flap'
      ? [`${since.withdrawals} withdrawals and ${since.gains} gains since the last line about it`]
      : []),
    ...moreSpecifics.map((part) => {
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
function listed(facts: readonly AsFact[], noteOf: (as: AsOrSet) => string = () => ''): string {
  if (facts.length === 0) return 'none';
  const texts = facts.slice(0, MAX_LISTED).map(({ as, text, vps, expected }) => {
    const notes = [expected ? '' : 'unexpected', noteOf(as)];
    const note = notes.filter((text) => text !== '').join(', ');
    return `AS${text} at ${vps}${note === '' ? '' : ` (${note})`}`;
  });
  const rest = facts.slice(MAX_LISTED).reduce((sum, { vps }) => sum + vps, 0);
  return `${texts.join(', ')}${rest === 0 ? '' : `, others at ${rest}`}`;
}

/** Names only what is wrong. */
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
