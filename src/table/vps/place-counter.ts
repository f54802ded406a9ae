/** The VPs of a prefix by where they are. The fold keeps no totals by place, so that frames cost nothing for it. */
import type { MonitoredPrefix } from '../prefixes/prefix-state.ts';
import type { RoutingTable } from '../routing-table.ts';
import { expectedVps, missingFullFeeds } from './denominator.ts';

/** Counts of one prefix at a time, each by the number of a place in `vps.places`. */
export class PlaceCounter {
  /** VPs that hold a route. */
  visible = new Uint32Array(0);
  /** VPs that ought to hold a route and hold none. */
  missing = new Uint32Array(0);
  readonly #table: RoutingTable;

  constructor(table: RoutingTable) {
    this.#table = table;
  }

  /** Walks the cells of the prefix. The counts are of this prefix until the next call. */
  count(prefix: MonitoredPrefix): void {
    const { cells, vps } = this.#table;
    const places = vps.places.all.length;
    // Places are only ever added.
    if (this.visible.length !== places) {
      this.visible = new Uint32Array(places);
      this.missing = new Uint32Array(places);
    }
    this.visible.fill(0);
    this.missing.fill(0);
    cells.countBy(prefix.state, vps.place, vps.end, this.visible, this.missing);
    // Where the denominator is made of the VPs with a full feed, those without a route are all that is missing.
    if (expectedVps(this.#table, prefix) <= prefix.expected) return;
    this.missing.fill(0);
    for (const vp of missingFullFeeds(this.#table, prefix)) this.missing[vps.place[vp]]++;
  }
}
