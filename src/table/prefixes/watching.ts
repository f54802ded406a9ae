/**
 * A change of what is monitored. Every more-specific's parents may differ after it, so all are taken out of the table and what
 * still belongs somewhere is put back.
 */

import type { TableParts } from '../table-parts.ts';
import { PrefixState, type WatchedPrefix } from './prefix-state.ts';

/** A route that is on its way to another state; its path is retained. */
interface Route {
  readonly vp: number;
  readonly path: number;
  readonly fingerprint: number;
  /** The time as the cell has it, with its sign. */
  readonly timeUs: number;
}

/**
 * Makes these the monitored prefixes. Those that stay keep routes and counters; routes of prefixes that turn from
 * monitored to more-specific or back are kept where they still belong and find room (see `droppedRoutes`).
 * @returns whether anything but descriptions changed: then spellings resolved before must be forgotten
 */
export function watchPrefixes(table: TableParts, watched: readonly WatchedPrefix[], nowMs: number): boolean {
  const wanted = new Map(watched.map((entry) => [entry.prefix.text, entry]));
  const removed = [...table.prefixes.monitored()]
    .filter((one) => !wanted.has(one.state.prefix.text))
    .map((one) => one.state);
  const added = watched.filter((entry) => table.prefixes.find(entry.prefix.text)?.monitored === undefined);
  for (const entry of watched) {
    const monitored = table.prefixes.find(entry.prefix.text)?.monitored;
    if (monitored === undefined) continue;
    monitored.watched = entry;
    monitored.state.version++;
  }
  if (added.length === 0 && removed.length === 0) return false;
  const displaced = [...table.prefixes.moreSpecifics(), ...removed].map((state) => ({
    prefix: state.prefix,
    routes: takeRoutes(table, state),
  }));
  for (const entry of added) addMonitored(table, entry, nowMs);
  for (const { prefix, routes } of displaced) {
    const state = table.prefixes.stateFor(prefix, routes.length > 0);
    if (!(state instanceof PrefixState)) {
      for (const route of routes) table.paths.release(route.path);
      // What was inside two monitored prefixes, each with room, may be too much for the one that is left.
      if (state === 'more_specific_limit') table.ledger.droppedRoutes.more_specific_limit += routes.length;
      continue;
    }
    for (const { vp, path, fingerprint, timeUs } of routes) {
      table.ledger.hold(state, vp, table.cells.make(state, vp), path, fingerprint, timeUs);
      table.paths.release(path);
    }
  }
  table.ledger.generation++;
  return true;
}

function addMonitored(table: TableParts, entry: WatchedPrefix, nowMs: number): void {
  table.prefixes.addMonitored(entry, nowMs);
  const monitored = table.prefixes.find(entry.prefix.text)?.monitored;
  if (monitored === undefined) return;
  if (!table.ownership.isShared) return;
  // Each source gets the time that it needs to connect and to be read.
  for (const session of entry.sessions) monitored.kept |= 1 << table.ownership.sourceOf(session);
  monitored.visibleBySource = table.ownership.sources.map(() => 0);
}

/** Takes a state out of the table and hands over its routes, their paths still retained. */
function takeRoutes(table: TableParts, state: PrefixState): Route[] {
  const routes: Route[] = [];
  for (let vp = 0; vp < table.vps.end; vp++) {
    const cell = table.cells.find(state, vp);
    if (cell === -1) continue;
    const path = table.cells.path(cell);
    if (path !== 0) {
      routes.push({ vp, path, fingerprint: table.cells.mark(cell), timeUs: table.cells.signedTime(cell) });
      table.paths.retain(path);
      table.ledger.drop(state, vp, cell, 0, 0);
    } else if (table.cells.mark(cell) !== 0) {
      table.ledger.unexpect(state, vp, cell);
    }
  }
  table.prefixes.remove(state);
  return routes;
}
