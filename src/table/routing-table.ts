/**
 * The table: for every monitored prefix and its more-specifics the route that each VP holds (the Adj-RIBs-In of RFC 4271
 * section 1.1, cut down to what is watched), and totals that stay current with every event.
 *
 * Invariants, proven by a recount in the tests:
 * - a cell never goes back in time: an event older than the cell's newest changes nothing. Among events of the stream their
 *   stamps tell; against a row of the history the difference of the VP's clock is added;
 * - no cell is ahead of now, so that no event can keep all later ones out;
 * - totals equal what a walk over all cells would count;
 * - an event costs the same however large the table is; only `watch`, `setVpDown`, `setFullFeed` and `sweep` walk.
 */

import type { Afi } from '../bgp/prefix.ts';
import type { DecodedUpdates } from '../bgp/route-integers.ts';
import type { VantagePoint } from '../bgp/vantage-point.ts';
import { ChangeLog, type RouteChange } from './change-log.ts';
import { deliverVp, undeliverVp } from './ownership/owner-changes.ts';
import type { Ownership, TableSource } from './ownership/ownership.ts';
import { PrefixDirectory } from './prefixes/prefix-directory.ts';
import type { MonitoredPrefix, PrefixState, WatchedPrefix } from './prefixes/prefix-state.ts';
import { watchPrefixes } from './prefixes/watching.ts';
import { RouteLedger, type TableBound } from './route-ledger.ts';
import type { CellStore } from './store/cell-store.ts';
import type { PathTable } from './store/path-table.ts';
import { VP_LIMIT, type VpRegistry } from './store/vp-registry.ts';
import { VpRoom } from './store/vp-room.ts';
import { Sweep } from './sweep.ts';
import { TableClock } from './table-clock.ts';
import { type TableOptions, tableOptions } from './table-options.ts';
import type { TableParts } from './table-parts.ts';
import { dropVp, forgetVp } from './vps/vp-loss.ts';

/** What an event did at one VP and prefix. */
export type Change = 'gain' | 'path' | 'attributes' | 'repeat' | 'loss' | 'absent' | 'out_of_order';
/** What a row of a seed did: nothing, a correction, or nothing because the table knows something newer. */
export type SeedChange = 'same' | 'corrected' | 'newer';

export class RoutingTable implements TableParts {
  options: Required<TableOptions>;
  readonly prefixes: PrefixDirectory;
  readonly ledger: RouteLedger;
  readonly clock: TableClock;
  readonly paths: PathTable;
  readonly vps: VpRegistry;
  readonly ownership: Ownership;
  readonly cells: CellStore;
  /** Where changes of routes are noted; undefined: nowhere. See `logChanges`. */
  changes: ChangeLog | undefined;
  readonly #vpRoom: VpRoom;
  /** The same object as in `ownership`; a copy here saves a read of memory for each event. */
  isShared: boolean;
  readonly #sweep = new Sweep(this);
  /** Used by `prefetch` only: cells, then their paths. */
  readonly #prefetched = new Int32Array(64);

  /** @param sources whose sessions deliver the prefixes, in the order of precedence; one by default */
  constructor(options: TableOptions = {}, sources?: readonly TableSource[]) {
    this.options = tableOptions(options);
    this.ledger = new RouteLedger(this.options.maxVps, sources);
    this.paths = this.ledger.paths;
    this.vps = this.ledger.vps;
    this.ownership = this.ledger.ownership;
    this.cells = this.ledger.cells;
    this.clock = new TableClock(this.cells, this.vps);
    this.#vpRoom = new VpRoom(this.vps);
    this.isShared = this.ownership.isShared;
    this.prefixes = new PrefixDirectory(this.options.maxMoreSpecifics, (state) => this.cells.free(state));
  }

  /**
   * From now on each change of a route of a monitored prefix is noted, but for what a seed or a snapshot brings. `changes.take`
   * must be called before paths are counted.
   */
  logChanges(onTaken: (change: RouteChange) => void): void {
    this.changes = new ChangeLog(this.paths, this.vps, onTaken);
  }

  /**
   * Takes the options that can change while the table exists, which is all but the number of VPs. They take effect with the next
   * sweep.
   */
  setOptions(options: Omit<TableOptions, 'maxVps'>): void {
    this.options = { ...tableOptions(options), maxVps: this.options.maxVps };
    this.prefixes.maxMoreSpecifics = this.options.maxMoreSpecifics;
    this.ledger.generation++;
  }

  /** Routes held now. */
  get routes(): number {
    return this.ledger.routes;
  }

  /** Grows when something changes that every prefix shows. */
  get generation(): number {
    return this.ledger.generation + (this.prefixes.hiding?.changes() ?? 0);
  }

  /** Routes of a seed, a snapshot or a change of what is monitored that found no room, by the bound. */
  get droppedRoutes(): Record<TableBound, number> {
    return this.ledger.droppedRoutes;
  }

  /** VPs heard of within the window and not down. */
  get vpsByProtocol(): Readonly<Record<VantagePoint['protocol'], number>> {
    return this.ledger.vpsByProtocol;
  }

  /** VPs with a full feed that are not down. */
  get fullFeedVps(): Readonly<Record<Afi, number>> {
    return this.ledger.fullFeedVps;
  }

  /**
   * Makes these the monitored prefixes. Those that stay keep routes and counters; routes of prefixes that turn from
   * monitored to more-specific or back are kept where they still belong and find room (see `droppedRoutes`).
   * @returns whether anything but descriptions changed: then spellings resolved before must be forgotten
   */
  watch(watched: readonly WatchedPrefix[], nowMs: number): boolean {
    return watchPrefixes(this, watched, nowMs);
  }

  /** Notes how far the service's clock is ahead. Cells that are then ahead of now are set back to now. */
  setClockOffset(offsetMs: number, nowMs: number): void {
    this.clock.offsetMs = offsetMs;
    const serviceNowUs = this.clock.serviceNowUs(nowMs);
    for (const state of this.prefixes.states()) {
      for (let vp = this.cells.nextVp(state, 0); vp < this.vps.end; vp = this.cells.nextVp(state, vp + 1)) {
        const cell = this.cells.find(state, vp);
        if (this.cells.time(cell) <= serviceNowUs) continue;
        this.cells.setTime(cell, this.cells.signedTime(cell) < 0 ? -serviceNowUs : serviceNowUs);
      }
      const { monitored } = state;
      if (monitored === undefined) continue;
      monitored.lastAnnouncementUs = Math.min(monitored.lastAnnouncementUs, serviceNowUs);
      monitored.lastWithdrawalUs = Math.min(monitored.lastWithdrawalUs, serviceNowUs);
      state.version++;
    }
  }

  // --- events ---------------------------------------------------------------------------------------------------

  /** Begins to fetch from memory what the events of these frames will read of the table. */
  prefetch({ count, vps, prefixes, announcedEnds }: DecodedUpdates): void {
    const cells = this.#prefetched;
    let found = 0;
    let at = 0;
    for (let frame = 0; frame < count; frame++) {
      const vp = vps[frame];
      for (; at < announcedEnds[frame] && found < cells.length; at++) {
        const state = this.prefixes.get(prefixes[at] - 1);
        const cell = state === undefined ? -1 : this.cells.find(state, vp);
        if (cell !== -1) cells[found++] = cell;
      }
    }
    // These loops do little else, so that many reads are under way at once.
    this.cells.paths(cells, found);
    this.paths.prefetch(cells, found);
  }

  /**
   * The number of a VP, added when new. When there are as many as there may be, one without a route makes room; VP_LIMIT when
   * there is none. Numbers of VPs without routes that were got before may then stand for other VPs.
   */
  addVp(vp: VantagePoint): number {
    const number = this.vps.add(vp);
    if (number !== VP_LIMIT) return number;
    const forgotten = this.#vpRoom.next();
    if (forgotten === -1) return VP_LIMIT;
    if (this.vps.counted[forgotten] === 1) this.ledger.countVp(forgotten, -1);
    forgetVp(this, forgotten);
    return this.vps.add(vp);
  }

  /** A message of the VP came by a source. Call once a message, before its events. */
  hear(vp: number, nowMs: number, source = 0): void {
    // A message that is read once more from a log does not say that the VP is heard now.
    if (nowMs >= this.vps.lastHeardMs[vp]) {
      this.vps.lastHeardMs[vp] = nowMs;
      if (this.vps.down[vp] === 1) this.setVpUp(vp);
    }
    if (this.vps.counted[vp] === 0) this.ledger.countVp(vp, 1);
    if (this.isShared) {
      this.ownership.heardMs[source][vp] = nowMs;
      deliverVp(this, vp, source);
    }
  }

  /** The history of a source has the VP: it delivers it, unless the VP is known to be down. */
  list(vp: number, source: number): void {
    if (this.ownership.isShared && this.vps.down[vp] === 0) deliverVp(this, vp, source);
  }

  /** When the VP was last heard by a source, Unix ms. */
  heardMs(vp: number, source: number): number {
    return this.ownership.isShared ? this.ownership.heardMs[source][vp] : this.vps.lastHeardMs[vp];
  }

  /** Whether a source delivers the VP, for all that is known. */
  isDeliveredBy(vp: number, source: number): boolean {
    return !this.ownership.isShared || (this.ownership.delivers[vp] & (1 << source)) !== 0;
  }

  /**
   * An announcement. The path must be live (see PathTable.intern). `fingerprint` tells its other attributes apart; 0 means
   * unknown and equals every other one.
   */
  announce(state: PrefixState, vp: number, path: number, fingerprint: number, timeUs: number, nowMs: number): Change {
    const cell = this.cells.make(state, vp);
    if (timeUs < this.cells.time(cell) && !this.clock.isNews(cell, vp, timeUs)) return 'out_of_order';
    const held = this.cells.path(cell);
    const monitored = state.monitored;
    if (monitored !== undefined) {
      state.version++;
      monitored.announcements++;
      monitored.countAnnouncedLength(this.paths.length(path));
      if (timeUs > monitored.lastAnnouncementUs) monitored.lastAnnouncementUs = timeUs;
    } else {
      state.lastEventMs = nowMs;
    }
    if (held === path) {
      const before = this.cells.mark(cell);
      this.cells.set(cell, path, fingerprint === 0 ? before : fingerprint, timeUs);
      if (before !== fingerprint && before !== 0 && fingerprint !== 0) return 'attributes';
      if (monitored !== undefined) monitored.repeats++;
      return 'repeat';
    }
    if (held === 0) {
      this.ledger.hold(state, vp, cell, path, fingerprint, timeUs);
      if (monitored !== undefined) {
        monitored.gains++;
        this.changes?.note(monitored, vp, 0, path, timeUs);
      }
      return 'gain';
    }
    if (monitored !== undefined) {
      monitored.pathChanges++;
      this.changes?.note(monitored, vp, held, path, timeUs);
      if (this.paths.origin(held) !== this.paths.origin(path)) monitored.originChanges++;
    }
    this.ledger.exchange(state, cell, held, path, fingerprint, timeUs);
    return 'path';
  }

  /** A withdrawal. It is remembered even when the VP holds no route, so that an older announcement has no effect. */
  withdraw(state: PrefixState, vp: number, timeUs: number, nowMs: number): Change {
    const cell = this.cells.make(state, vp);
    if (timeUs < this.cells.time(cell) && !this.clock.isNews(cell, vp, timeUs)) return 'out_of_order';
    const monitored = state.monitored;
    if (monitored !== undefined) {
      state.version++;
      monitored.withdrawals++;
      if (timeUs > monitored.lastWithdrawalUs) monitored.lastWithdrawalUs = timeUs;
    } else {
      state.lastEventMs = nowMs;
    }
    if (this.cells.path(cell) === 0) {
      this.cells.setTime(cell, timeUs);
      return 'absent';
    }
    if (monitored !== undefined) {
      monitored.losses.withdrawn++;
      this.changes?.note(monitored, vp, this.cells.path(cell), 0, timeUs);
    }
    this.ledger.drop(state, vp, cell, timeUs, nowMs);
    return 'loss';
  }

  // --- what a history says: not events, so no counter of events moves -----------------------------------------------

  /** The VP held this route at `timeUs`. Nothing is taken from a VP that is down by now: its routes left with it. */
  seedRoute(state: PrefixState, vp: number, path: number, fingerprint: number, timeUs: number): SeedChange {
    const cell = this.cells.make(state, vp);
    if (this.vps.down[vp] === 1 || timeUs < this.clock.saidUs(cell, vp)) return 'newer';
    const held = this.cells.path(cell);
    if (held === path) {
      this.cells.setTime(cell, -timeUs);
      if (this.cells.mark(cell) === 0) this.cells.setMark(cell, fingerprint);
      return 'same';
    }
    if (held === 0) this.ledger.hold(state, vp, cell, path, fingerprint, -timeUs);
    else this.ledger.exchange(state, cell, held, path, fingerprint, -timeUs);
    return 'corrected';
  }

  /** The VP held no route at `timeUs`, which keeps older events out; `nowMs` is when that was learnt. */
  seedAbsence(state: PrefixState, vp: number, timeUs: number, nowMs: number): SeedChange {
    const cell = this.cells.make(state, vp);
    if (timeUs < this.clock.saidUs(cell, vp)) return 'newer';
    if (this.cells.path(cell) === 0) {
      this.cells.setTime(cell, -timeUs);
      return 'same';
    }
    this.ledger.drop(state, vp, cell, -timeUs, nowMs);
    return 'corrected';
  }

  /**
   * The VP held the prefix one window ago, and is up. When it holds no route now it counts as expected from now on (Unix
   * ms), as if it had lost the route now. A VP that is down is not expected.
   */
  seedExpected(monitored: MonitoredPrefix, vp: number, nowMs: number): void {
    if (this.vps.down[vp] === 1) return;
    const cell = this.cells.make(monitored.state, vp);
    if (this.cells.path(cell) === 0 && this.cells.mark(cell) === 0) this.ledger.expect(monitored, vp, cell, nowMs);
  }

  /** Puts back a VP of a snapshot, last heard then. */
  restoreVp(vp: number, heardMs: number): void {
    this.vps.lastHeardMs[vp] = Math.max(heardMs, this.vps.lastHeardMs[vp]);
    if (this.vps.counted[vp] === 0) this.ledger.countVp(vp, 1);
  }

  /** Puts back a cell of a snapshot into a table that has none there; path 0: a VP that lost its route at second `mark`. */
  restoreCell(state: PrefixState, vp: number, path: number, mark: number, timeUs: number): void {
    const cell = this.cells.make(state, vp);
    // A snapshot is history as well: what comes live is newer, whatever its sender's clock says.
    if (path !== 0) {
      this.ledger.hold(state, vp, cell, path, mark, -timeUs);
      return;
    }
    // A prefix that was monitored when the snapshot was written may be a more-specific now, and those have no expected VPs.
    if (mark === 0 || state.monitored === undefined) {
      this.cells.set(cell, 0, 0, -timeUs);
      return;
    }
    this.cells.set(cell, 0, mark, -timeUs);
    this.vps.cells[vp]++;
    state.monitored.expected++;
  }

  // --- vantage points ---------------------------------------------------------------------------------------------

  /**
   * The VP's session is down, by the word of a source: its routes leave numerator and denominator, unless another source
   * delivers it. Routes it announces later count again.
   * @param sinceUs Unix microseconds, by the stamps of the stream: an announcement that is older stays out
   * @returns the place of another source to which the VP passed, whose history is to be read for it; -1: none
   */
  setVpDown(vp: number, sinceUs = 0, source = 0): number {
    if (this.vps.down[vp] === 1) return -1;
    const { ownership } = this;
    if (ownership.isShared && (ownership.delivers[vp] & ~(1 << source)) !== 0) return undeliverVp(this, vp, source);
    if (this.vps.counted[vp] === 1) this.ledger.countVp(vp, -1);
    this.ledger.countFullFeed(vp, -1);
    this.vps.down[vp] = 1;
    dropVp(this, vp, this.prefixes.states(), sinceUs);
    if (ownership.isShared) ownership.delivers[vp] = 0;
    return -1;
  }

  /** The VP's session is up again, or the VP was heard; its routes come back as it announces them or a seed brings them. */
  setVpUp(vp: number): void {
    if (this.vps.down[vp] === 0) return;
    this.vps.down[vp] = 0;
    this.ledger.countFullFeed(vp, 1);
  }

  // --- time -------------------------------------------------------------------------------------------------------

  /**
   * Lets time pass for up to `rows` prefixes, going on where the last call ended: VPs leave the denominator, routes
   * expire, forgotten more-specifics go. When a whole round is done, VPs not heard of go too.
   * @returns whether the round is done
   */
  sweep(nowMs: number, rows: number): boolean {
    return this.#sweep.run(nowMs, rows);
  }
}
