/**
 * Which sources are active for which prefix: their word may count (see table/ownership.ts). A session that goes down stays
 * active for a grace, so that a short cut moves nothing; then another source takes over what it delivers too, and the rest
 * leaves the prefix as `source_down`. When the session is back it is active again for each prefix as soon as that is read up
 * to where its stream goes on.
 */
import type { Timers } from '../stream/timers.ts';
import { setActiveSources } from '../table/owner-changes.ts';
import type { MonitoredPrefix } from '../table/prefix-state.ts';
import type { RoutingTable } from '../table/routing-table.ts';

/** How long a session that is down, or has not connected yet, counts as active, ms. */
export const GRACE_MS = 60_000;

export interface SourceActivityOptions {
  readonly table: RoutingTable;
  readonly timers: Timers;
  /** How many there are, numbered over all sources. */
  readonly sessions: number;
  /** Whether what the session delivers of a prefix follows on what was read of it. */
  readonly isCurrent: (session: number, prefix: string) => boolean;
  /** Called when a grace has ended: then `apply`. */
  readonly onChange: () => void;
  /** Routes of a prefix that the session delivered are gone: it must be read as a whole. */
  readonly onCut: (session: number, prefix: string) => void;
  /** VPs whose owner is lost passed to another source (its place). */
  readonly onPassed: (vps: ReadonlySet<number>, source: number) => void;
}

/** `up`, or down for less than the grace; `down` for longer; `back`: up again after that, and still being read. */
type Activity = 'active' | 'down' | 'back';

export class SourceActivity {
  readonly #options: SourceActivityOptions;
  readonly #activities: Activity[];
  /** By session: ends the wait for the end of its grace. */
  readonly #cancels: (() => void)[];

  constructor(options: SourceActivityOptions) {
    this.#options = options;
    this.#activities = Array.from({ length: options.sessions }, () => 'active');
    this.#cancels = Array.from({ length: options.sessions }, () => () => {});
    // With one source nobody could take over.
    if (options.table.ownership.isShared) for (const session of this.#activities.keys()) this.#await(session);
  }

  connected(session: number): void {
    this.#cancels[session]?.();
    if (this.#activities[session] === 'down') this.#activities[session] = 'back';
  }

  disconnected(session: number): void {
    if (!this.#options.table.ownership.isShared) return;
    if (this.#activities[session] === 'back') this.#activities[session] = 'down';
    else if (this.#activities[session] === 'active') this.#await(session);
  }

  /** Tells the table. */
  apply(): void {
    const { table, onCut, onPassed } = this.#options;
    if (!table.ownership.isShared) return;
    const heirs = new Map<number, Set<number>>();
    const behind = new Set<number>();
    for (const monitored of table.prefixes.monitored()) {
      const before = monitored.active;
      const change = setActiveSources(table, monitored, this.#activeFor(monitored, behind));
      for (const [heir, vps] of change.heirs) {
        const passed = heirs.get(heir);
        if (passed === undefined) heirs.set(heir, new Set(vps));
        else for (const vp of vps) passed.add(vp);
      }
      if (!change.isCut) continue;
      for (const session of monitored.watched.sessions) {
        const bit = 1 << table.ownership.sourceOf(session);
        if ((before & ~monitored.active & bit) !== 0) onCut(session, monitored.state.prefix.text);
      }
    }
    for (const [session, activity] of this.#activities.entries())
      if (activity === 'back' && !behind.has(session)) this.#activities[session] = 'active';
    for (const [heir, vps] of heirs) onPassed(vps, heir);
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }

  /** @param behind gets the sessions that are back and have not been read so far of this prefix */
  #activeFor({ watched, state }: MonitoredPrefix, behind: Set<number>): number {
    const { table, isCurrent } = this.#options;
    let active = 0;
    for (const session of watched.sessions) {
      const activity = this.#activities[session];
      if (activity === 'down') continue;
      if (activity === 'back' && !isCurrent(session, state.prefix.text)) {
        behind.add(session);
        continue;
      }
      active |= 1 << table.ownership.sourceOf(session);
    }
    return active;
  }

  #await(session: number): void {
    this.#cancels[session]();
    this.#cancels[session] = this.#options.timers.schedule(() => {
      this.#activities[session] = 'down';
      this.#options.onChange();
    }, GRACE_MS);
  }
}
