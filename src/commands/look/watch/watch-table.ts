/** What the watches keep of each vantage point and prefix, bounded. */
import type { VantagePoint } from '../../../bgp/vantage-point.ts';

export interface WatchEvent {
  /** Message time, Unix microseconds. */
  readonly timestampUs: number;
  readonly prefix: string;
  readonly vp: VantagePoint;
}

/** VPs times prefixes: ten prefixes at 20,000 VPs each. */
const MAX_ENTRIES = 200_000;

export class HeardVps<Seen> {
  readonly #byPrefix = new Map<string, Map<string, Seen>>();
  readonly #maxEntries: number;
  #entries = 0;
  /** VPs and prefixes that there was no room for. */
  refused = 0;

  constructor(maxEntries = MAX_ENTRIES) {
    this.#maxEntries = maxEntries;
  }

  get(prefix: string, vp: string): Seen | undefined {
    return this.#byPrefix.get(prefix)?.get(vp);
  }

  /** False: there is no room for a new one. */
  set(prefix: string, vp: string, seen: Seen): boolean {
    const known = this.#byPrefix.get(prefix);
    if (known?.has(vp) !== true) {
      if (this.#entries >= this.#maxEntries) {
        this.refused++;
        return false;
      }
      this.#entries++;
    }
    if (known === undefined) this.#byPrefix.set(prefix, new Map([[vp, seen]]));
    else known.set(vp, seen);
    return true;
  }

  of(prefix: string): Iterable<Seen> {
    return this.#byPrefix.get(prefix)?.values() ?? [];
  }

  /** VPs heard of for this prefix. */
  count(prefix: string): number {
    return this.#byPrefix.get(prefix)?.size ?? 0;
  }
}
