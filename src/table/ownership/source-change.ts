/**
 * What follows when a reload changes the sources of a table. A source that stays keeps all that is known of it, at whatever
 * place it now has. The routes of one that goes pass to the next source that delivers their VP; where there is none they leave
 * numerator and denominator as `source_down`.
 */
import type { RoutingTable } from '../routing-table.ts';
import { setSourceStates } from './owner-changes.ts';
import type { TableSource } from './ownership.ts';

/** To be called while no session is connected: the numbers of the sessions are those of the next sources afterwards. */
export function changeSources(table: RoutingTable, next: readonly TableSource[]): void {
  const { ownership } = table;
  const before = ownership.sources;
  const after = next.map(({ name }) => name);
  if (before.length !== after.length || before.some((name, place) => name !== after[place])) {
    const all = [...before, ...after.filter((name) => !before.includes(name))];
    arrange(table, all);
    for (const monitored of table.prefixes.monitored()) {
      const { current, kept } = monitored;
      const staying = bitsOf(all, (name) => after.includes(name));
      setSourceStates(table, monitored, { current: current & staying, kept: kept & staying });
    }
    arrange(table, after);
    table.ledger.generation++;
  }
  ownership.number(next);
}

function bitsOf(sources: readonly string[], isMeant: (name: string) => boolean): number {
  return sources.reduce((bits, name, place) => (isMeant(name) ? bits | (1 << place) : bits), 0);
}

/** Gives the sources these places. Whatever is known of a source that is not among them is forgotten. */
function arrange(table: RoutingTable, names: readonly string[]): void {
  const { ownership, vps } = table;
  const { sources: before, isShared: wasShared, delivers, heardMs } = ownership;
  const places = before.map((name) => names.indexOf(name));
  const moved = (bits: number) =>
    places.reduce((all, place, from) => (place !== -1 && bits & (1 << from) ? all | (1 << place) : all), 0);
  ownership.name(names);
  for (let vp = 0; vp < vps.end; vp++) {
    vps.listed[vp] = moved(vps.listed[vp]);
    if (!ownership.isShared || vps.get(vp) === undefined || vps.down[vp] === 1) continue;
    // Whatever VP is known came from the only source.
    ownership.delivers[vp] = moved(wasShared ? delivers[vp] : 1);
  }
  for (const [from, place] of places.entries())
    if (place !== -1) ownership.heardMs[place]?.set(wasShared ? heardMs[from] : vps.lastHeardMs);
  vps.places.arrange(places);
  for (const monitored of table.prefixes.monitored()) {
    monitored.current = ownership.isShared ? moved(monitored.current) : 0;
    monitored.kept = ownership.isShared ? moved(wasShared ? monitored.kept : 1) : 0;
    monitored.visibleBySource = ownership.isShared ? names.map(() => 0) : undefined;
    if (ownership.isShared)
      for (const vp of holdersOf(table, monitored.state)) table.ledger.attribute(monitored, vp, 1);
  }
  table.isShared = ownership.isShared;
}

function* holdersOf({ cells, vps }: RoutingTable, state: Parameters<RoutingTable['cells']['nextVp']>[0]) {
  for (let vp = cells.nextVp(state, 0); vp < vps.end; vp = cells.nextVp(state, vp + 1)) {
    if (cells.path(cells.find(state, vp)) !== 0) yield vp;
  }
}
