/** Keeps, for each vantage point and prefix, whether it holds a route. */

import type { LiveMessage } from '../../../bgp/live-message.ts';
import { vantagePointKey } from '../../../bgp/vantage-point.ts';
import { HeardVps, type WatchEvent } from './watch-table.ts';

export interface VisibilityEvent extends WatchEvent {
  readonly type: 'lost' | 'regained';
  /** False: the withdrawal is the first that is heard of this VP; it must have held the route before. */
  readonly known: boolean;
  /** VPs that hold a route now, and all that were heard of. */
  readonly visibleVps: number;
  readonly heardVps: number;
}

export class VisibilityWatch {
  readonly vps = new HeardVps<boolean>();
  readonly #visible = new Map<string, number>();

  apply(message: LiveMessage): VisibilityEvent[] {
    const key = vantagePointKey(message.vp);
    const held = message.type === 'announcement';
    const events: VisibilityEvent[] = [];
    for (const prefix of message.prefixes) {
      const before = this.vps.get(prefix, key);
      if (before === held || !this.vps.set(prefix, key, held)) continue;
      const visibleVps = (this.#visible.get(prefix) ?? 0) + (held ? 1 : before === true ? -1 : 0);
      this.#visible.set(prefix, visibleVps);
      // The first announcement of a VP does not count as a regain: it is not known what the VP held before.
      if (held && before === undefined) continue;
      events.push({
        type: held ? 'regained' : 'lost',
        timestampUs: message.timestampUs,
        prefix,
        vp: message.vp,
        known: before !== undefined,
        visibleVps,
        heardVps: this.vps.count(prefix),
      });
    }
    return events;
  }
}
