/** The VPs that the Data API knows: whom to ask for routes, who is down, who has a full feed. */
import type { Logger } from '../logger.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import type { ApiVantagePoint, SeedApi } from './seed-api.ts';

/** A table of at least this many routes is a full feed; the whole Internet had about 1,000,000 and 230,000 in 2025. */
const FULL_FEED = { ipv4: 800_000, ipv6: 150_000 } as const;

export class VpDirectory {
  readonly #table: RoutingTable;
  readonly #now: () => number;
  readonly #logger: Logger;
  #vps: readonly ApiVantagePoint[] = [];
  #readAtMs: number | undefined;
  readonly #down = new Set<string>();

  constructor(table: RoutingTable, now: () => number, logger: Logger) {
    this.#table = table;
    this.#now = now;
    this.#logger = logger;
  }

  /** When it was last read, Unix ms. */
  get readAtMs(): number | undefined {
    return this.#readAtMs;
  }

  /** VPs whose routes count: of live sources, and neither down nor ignored. */
  get live(): readonly ApiVantagePoint[] {
    return this.#vps.filter((vp) => vp.status === 'up' || vp.status === 'unknown');
  }

  /**
   * Reads the list and applies it to the table.
   * @returns VPs that were down and are up again: their routes are to be read anew
   */
  async refresh(api: SeedApi, signal: AbortSignal): Promise<readonly ApiVantagePoint[]> {
    const vps = await api.vantagePoints(signal);
    const { options, vps: registry } = this.#table;
    const back: ApiVantagePoint[] = [];
    let wentDown = 0;
    for (const one of vps) {
      const number = options.expectedVps === 'full_feed' ? registry.add(one.vp) : registry.find(one.vp);
      if (number >= 0 && options.expectedVps === 'full_feed') {
        this.#table.setFullFeed(number, {
          ipv4: (one.ribSizeV4 ?? 0) >= FULL_FEED.ipv4,
          ipv6: (one.ribSizeV6 ?? 0) >= FULL_FEED.ipv6,
        });
      }
      const wasDown = this.#down.has(one.id);
      if (one.status !== 'down') {
        if (!wasDown) continue;
        this.#down.delete(one.id);
        back.push(one);
        if (number >= 0) this.#table.setVpUp(number);
        continue;
      }
      this.#down.add(one.id);
      // Heard since the last reading although that one called it down: the VP knows better than the list.
      const heard = number >= 0 && this.#readAtMs !== undefined && registry.lastHeardMs[number] > this.#readAtMs;
      if (number < 0 || registry.down[number] === 1 || (wasDown && heard)) continue;
      this.#table.setVpDown(number);
      wentDown++;
    }
    this.#vps = vps;
    this.#readAtMs = this.#now();
    if (wentDown > 0 || back.length > 0)
      this.#logger.info('vantage points changed', { down: wentDown, up: back.length });
    return back;
  }
}
