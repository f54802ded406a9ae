/** Compares, for each vantage point and prefix, the origin of a route with that of the one before. */

import type { LiveMessage } from '../../../bgp/live-message.ts';
import { vantagePointKey } from '../../../bgp/vantage-point.ts';
import { HeardVps, type WatchEvent } from './watch-table.ts';

interface Seen {
  readonly origin: number | string;
  /** Whether the VP holds the route now: its last origin is remembered beyond a withdrawal. */
  readonly held: boolean;
}

export interface OriginEvent extends WatchEvent {
  readonly type: 'origin';
  /** Undefined: the VP was not heard of before. */
  readonly from: number | string | undefined;
  readonly to: number | string;
  /** By how many VPs, of those heard of, each origin is seen now; most VPs first. */
  readonly origins: readonly { readonly origin: number | string; readonly vps: number }[];
}

export class OriginWatch {
  readonly vps = new HeardVps<Seen>();

  apply(message: LiveMessage): OriginEvent[] {
    const key = vantagePointKey(message.vp);
    const events: OriginEvent[] = [];
    for (const prefix of message.prefixes) {
      const before = this.vps.get(prefix, key);
      if (message.type === 'withdrawal') {
        if (before?.held === true) this.vps.set(prefix, key, { ...before, held: false });
        continue;
      }
      const { origin } = message;
      if (!this.vps.set(prefix, key, { origin, held: true }) || before?.origin === origin) continue;
      events.push({
        type: 'origin',
        timestampUs: message.timestampUs,
        prefix,
        vp: message.vp,
        from: before?.origin,
        to: origin,
        origins: this.#count(prefix),
      });
    }
    return events;
  }

  #count(prefix: string): OriginEvent['origins'] {
    const counts = new Map<number | string, number>();
    for (const { origin, held } of this.vps.of(prefix)) {
      if (held) counts.set(origin, (counts.get(origin) ?? 0) + 1);
    }
    return [...counts]
      .map(([origin, vps]) => ({ origin, vps }))
      .sort((a, b) => b.vps - a.vps || String(a.origin).localeCompare(String(b.origin), 'en', { numeric: true }));
  }
}
