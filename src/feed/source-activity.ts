/**
 * Which sources are current for which prefix, and whose routes are kept (see table/ownership/ownership.ts). A source is current while it
 * is connected and its gap is filled. VPs that another source delivers too pass to that source as soon as a source is not current;
 * the others stay for as long as a short cut or a usual filling takes, and then leave the prefix as `source_down`.
 */
import type { Timers } from '../stream/timers.ts';
import { setSourceStates } from '../table/ownership/owner-changes.ts';
import type { SourceStates } from '../table/ownership/ownership.ts';
import type { MonitoredPrefix } from '../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../table/routing-table.ts';

/** How long the routes of a session that is down, or has not connected yet, are kept, ms. */
export const GRACE_MS = 60_000;

/**
 * How long the routes of a session that is connected are kept while its gap is not filled, ms. RIPEstat is some minutes
 * behind, so that a filling takes as long.
 */
export const HEALING_MS = 15 * 60_000;

export interface SourceActivityOptions {
  readonly table: RoutingTable;
  readonly timers: Timers;
  /** How many there are, numbered over all sources. */
  readonly sessions: number;
  /** Whether the stream of the session goes on, without a gap, where the reading of a prefix ended. */
  readonly isCurrent: (session: number, prefix: string) => boolean;
  /** Called when a time has passed: then `apply`. */
  readonly onChange: () => void;
  /** Routes of a prefix that the session delivered are gone: it must be read as a whole. */
  readonly onCut: (session: number, prefix: string) => void;
  /** For a whole grace these VPs have been another source's (its place), whose history is to be read for them. */
  readonly onPassed: (vps: ReadonlySet<number>, source: number) => void;
}

/** One session. */
interface Activity {
  /** `away`: for a whole grace it has not been connected. */
  connection: 'up' | 'down' | 'away';
  /** How long it has not been current for all its prefixes: `late` after a grace, `overdue` after HEALING_MS. */
  gap: 'none' | 'open' | 'late' | 'overdue';
  /** VPs that passed to another source, by its place, and whose routes there are not read yet. */
  readonly passed: Map<number, Set<number>>;
  cancelAway: () => void;
  cancelGap: () => void;
}

export class SourceActivity {
  readonly #options: SourceActivityOptions;
  readonly #activities: readonly Activity[];

  constructor(options: SourceActivityOptions) {
    this.#options = options;
    this.#activities = Array.from({ length: options.sessions }, () => ({
      connection: 'down' as const,
      gap: 'none' as const,
      passed: new Map<number, Set<number>>(),
      cancelAway: () => {},
      cancelGap: () => {},
    }));
    // With one source nobody could take over.
    if (!options.table.ownership.isShared) return;
    for (const activity of this.#activities) {
      this.#awaitConnection(activity);
      this.#openGap(activity);
    }
  }

  connected(session: number): void {
    if (!this.#options.table.ownership.isShared) return;
    const activity = this.#activities[session];
    activity.cancelAway();
    // Its routes have left already, so the filling may take its whole time.
    if (activity.connection === 'away') this.#openGap(activity);
    activity.connection = 'up';
  }

  disconnected(session: number): void {
    if (!this.#options.table.ownership.isShared) return;
    const activity = this.#activities[session];
    if (activity.connection === 'up') {
      activity.connection = 'down';
      this.#awaitConnection(activity);
    }
    if (activity.gap === 'none') this.#openGap(activity);
  }

  /** Tells the table. */
  apply(): void {
    const { table, onCut } = this.#options;
    if (!table.ownership.isShared) return;
    const behind = new Set<number>();
    for (const monitored of table.prefixes.monitored()) {
      const { kept } = monitored;
      const change = setSourceStates(table, monitored, this.#statesOf(monitored, behind));
      for (const session of monitored.watched.sessions) {
        const source = table.ownership.sourceOf(session);
        for (const [vp, heir] of change.passed.get(source) ?? []) {
          const { passed } = this.#activities[session];
          passed.set(heir, (passed.get(heir) ?? new Set()).add(vp));
        }
        const isLost = (kept & ~monitored.kept & (1 << source)) !== 0;
        if (change.isCut && isLost) onCut(session, monitored.state.prefix.text);
      }
    }
    for (const [session, activity] of this.#activities.entries()) {
      if (activity.connection === 'up' && !behind.has(session)) this.#closeGap(activity);
      else if (activity.gap === 'none') this.#openGap(activity); // it is read again although its connection stood
      if (activity.gap === 'late' || activity.gap === 'overdue') this.#handOver(activity);
    }
  }

  stop(): void {
    for (const { cancelAway, cancelGap } of this.#activities) {
      cancelAway();
      cancelGap();
    }
  }

  /** @param behind gets the sessions that are connected and have not been read so far of this prefix */
  #statesOf({ watched, state, kept: before }: MonitoredPrefix, behind: Set<number>): SourceStates {
    const { table, isCurrent } = this.#options;
    let current = 0;
    let kept = 0;
    for (const session of watched.sessions) {
      const { connection, gap } = this.#activities[session];
      const bit = 1 << table.ownership.sourceOf(session);
      if (connection === 'up' && isCurrent(session, state.prefix.text)) current |= bit;
      else behind.add(session);
      if (connection !== 'away' && gap !== 'overdue') kept |= bit;
    }
    // With one source the table keeps what it has: no other source knows better.
    return { current, kept: current | kept | (current === 0 ? before : 0) };
  }

  #awaitConnection(activity: Activity): void {
    const { timers, onChange } = this.#options;
    activity.cancelAway();
    activity.cancelAway = timers.schedule(() => {
      activity.connection = 'away';
      onChange();
    }, GRACE_MS);
  }

  #openGap(activity: Activity): void {
    const { timers, onChange } = this.#options;
    activity.cancelGap();
    activity.gap = 'open';
    activity.cancelGap = timers.schedule(() => {
      activity.gap = 'late';
      activity.cancelGap = timers.schedule(() => {
        activity.gap = 'overdue';
        onChange();
      }, HEALING_MS - GRACE_MS);
      onChange();
    }, GRACE_MS);
  }

  #closeGap(activity: Activity): void {
    activity.cancelGap();
    activity.gap = 'none';
    activity.passed.clear();
  }

  #handOver({ passed }: Activity): void {
    const heirs = [...passed];
    passed.clear();
    for (const [heir, vps] of heirs) this.#options.onPassed(vps, heir);
  }
}
