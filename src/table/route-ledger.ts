/**
 * What the table holds and the totals of it, and the few steps by which both change together: whatever happens to the table
 * is made of these steps. Each costs the same however large the table is.
 */
import type { Afi } from '../bgp/prefix.ts';
import { Ownership, type TableSource } from './ownership/ownership.ts';
import type { LossReason, MonitoredPrefix, PrefixState } from './prefixes/prefix-state.ts';
import { CellStore } from './store/cell-store.ts';
import { PathTable } from './store/path-table.ts';
import { VpRegistry } from './store/vp-registry.ts';
import type { ListedPlace } from './vps/vp-places.ts';

/** The bounds of the table. Closed list: it becomes a label. */
export const TABLE_BOUNDS = ['vp_limit', 'more_specific_limit', 'path_limit'] as const;
export type TableBound = (typeof TABLE_BOUNDS)[number];

export class RouteLedger {
  readonly paths = new PathTable();
  readonly vps: VpRegistry;
  readonly ownership: Ownership;
  readonly cells = new CellStore();
  /** Routes held now. */
  routes = 0;
  /** Grows when something changes that every prefix shows. */
  generation = 0;
  /**
   * Routes of a seed, a snapshot or a change of what is monitored that found no room, by the bound. Those of the stream are
   * counted by its sessions.
   */
  readonly droppedRoutes: Record<TableBound, number> = { vp_limit: 0, more_specific_limit: 0, path_limit: 0 };
  /** VPs heard of within the window and not down. */
  readonly vpsByProtocol = { bgp: 0, bmp: 0 };
  /** VPs with a full feed that are not down. */
  readonly fullFeedVps: Record<Afi, number> = { ipv4: 0, ipv6: 0 };

  /**
   * @param maxVps VPs at once
   * @param sources in the order of precedence; one by default
   */
  constructor(maxVps: number, sources?: readonly TableSource[]) {
    this.vps = new VpRegistry(maxVps);
    this.ownership = new Ownership(maxVps, sources);
  }

  hold(state: PrefixState, vp: number, cell: number, path: number, fingerprint: number, timeUs: number): void {
    const wasExpected = this.cells.mark(cell) !== 0;
    if (!wasExpected) this.vps.cells[vp]++;
    if (this.vps.counted[vp] === 0) this.countVp(vp, 1);
    this.paths.retain(path);
    this.cells.set(cell, path, fingerprint, timeUs);
    this.routes++;
    state.visible++;
    const monitored = state.monitored;
    if (monitored !== undefined) {
      if (!wasExpected) monitored.expected++;
      if (!this.isFull(vp, state)) monitored.visiblePartial++;
      if (monitored.visibleBySource !== undefined) this.attribute(monitored, vp, 1);
      monitored.addPath(this.paths, path);
    }
    this.touch(state);
  }

  exchange(state: PrefixState, cell: number, held: number, path: number, fingerprint: number, timeUs: number): void {
    this.paths.retain(path);
    state.monitored?.replacePath(this.paths, held, path);
    this.paths.release(held);
    this.cells.set(cell, path, fingerprint, timeUs);
    state.version++;
  }

  /** `lostAtMs` (Unix ms) is when the loss was learnt; 0: the VP leaves the denominator too. */
  drop(state: PrefixState, vp: number, cell: number, timeUs: number, lostAtMs: number): void {
    const path = this.cells.path(cell);
    const monitored = state.monitored;
    const staysExpected = monitored !== undefined && lostAtMs !== 0;
    if (!staysExpected) this.vps.cells[vp]--;
    this.cells.set(cell, 0, staysExpected ? monitored.lossSecond(lostAtMs) : 0, timeUs);
    this.routes--;
    state.visible--;
    if (monitored !== undefined) {
      if (!staysExpected) monitored.expected--;
      if (!this.isFull(vp, state)) monitored.visiblePartial--;
      if (monitored.visibleBySource !== undefined) this.attribute(monitored, vp, -1);
      monitored.removePath(this.paths, path);
    } else if (state.visible === 0) for (const parent of state.parents) parent.mayMakeRoom = true;
    this.paths.release(path);
    this.touch(state);
  }

  /** Counts the VP in the denominator although it holds no route, as if it had lost one at that time (Unix ms). */
  expect(monitored: MonitoredPrefix, vp: number, cell: number, lostAtMs: number): void {
    this.cells.setMark(cell, monitored.lossSecond(lostAtMs));
    this.vps.cells[vp]++;
    monitored.expected++;
    monitored.state.version++;
  }

  unexpect(state: PrefixState, vp: number, cell: number): void {
    this.cells.setMark(cell, 0);
    this.vps.cells[vp]--;
    if (state.monitored !== undefined) state.monitored.expected--;
    state.version++;
  }

  countLoss(state: PrefixState, reason: LossReason): void {
    if (state.monitored !== undefined) state.monitored.losses[reason]++;
  }

  /** Counts a visible VP under its owner, or no longer. */
  attribute(monitored: MonitoredPrefix, vp: number, change: 1 | -1): void {
    const owner = this.ownership.shownOwner(monitored, vp);
    if (owner !== -1 && monitored.visibleBySource !== undefined) monitored.visibleBySource[owner] += change;
  }

  touch(state: PrefixState): void {
    state.version++;
    for (const parent of state.parents) parent.state.version++;
  }

  isFull(vp: number, state: PrefixState): boolean {
    return (this.vps.fullFeed[vp] & (state.prefix.afi === 'ipv4' ? 1 : 2)) !== 0;
  }

  countVp(vp: number, change: 1 | -1): void {
    const known = this.vps.get(vp);
    if (known === undefined) return;
    this.vps.counted[vp] = change === 1 ? 1 : 0;
    this.vpsByProtocol[known.protocol] += change;
  }

  /** Takes over where the VPs are, from the list of the source at this place. */
  learnPlaces(source: number, vps: Iterable<ListedPlace>): void {
    if (this.vps.learnPlaces(source, vps)) this.generation++;
  }

  countFullFeed(vp: number, change: 1 | -1): void {
    const bits = this.vps.fullFeed[vp];
    if (bits === 0) return;
    if (bits & 1) this.fullFeedVps.ipv4 += change;
    if (bits & 2) this.fullFeedVps.ipv6 += change;
    this.generation++;
  }
}
