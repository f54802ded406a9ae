/** The VPs that the Data API knows: whom to ask for routes, who is down, who has a full feed. */
import { vantagePointKey } from '../bgp/vantage-point.ts';
import { DataApiError } from '../errors.ts';
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
  #askedAtMs: number | undefined;
  #readAtMs: number | undefined;
  /** Called with VPs that were down and are up again: their routes are to be read anew. */
  readonly #onBack: (vps: readonly ApiVantagePoint[]) => void;
  /** By key and not by id: a BGP and a BMP VP may have the same id. */
  readonly #down = new Set<string>();

  constructor(
    table: RoutingTable,
    now: () => number,
    logger: Logger,
    onBack: (vps: readonly ApiVantagePoint[]) => void,
  ) {
    this.#table = table;
    this.#now = now;
    this.#logger = logger;
    this.#onBack = onBack;
  }

  /** VPs whose routes count: of live sources, and neither down nor ignored. */
  get live(): readonly ApiVantagePoint[] {
    return this.#vps.filter((vp) => vp.status === 'up' || vp.status === 'unknown');
  }

  /** Reads the list unless it was asked for after this time (Unix ms). */
  async ensure(api: SeedApi, askedAfterMs: number, signal: AbortSignal): Promise<void> {
    if (this.#askedAtMs === undefined || this.#askedAtMs < askedAfterMs) await this.refresh(api, signal);
  }

  /** Reads the list and applies it to the table. */
  async refresh(api: SeedApi, signal: AbortSignal): Promise<void> {
    const askedAtMs = this.#now();
    const vps = await api.vantagePoints(signal);
    // Thousands of VPs do not go at once: with nobody to ask for routes, an empty table would pass for a complete one.
    if (vps.length === 0) throw new DataApiError('INVALID_RESPONSE', 'Data API, vantage_points: the list is empty');
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
      const key = vantagePointKey(one.vp);
      const wasDown = this.#down.has(key);
      if (one.status !== 'down') {
        if (!wasDown) continue;
        this.#down.delete(key);
        back.push(one);
        if (number >= 0) this.#table.setVpUp(number);
        continue;
      }
      this.#down.add(key);
      if (number < 0 || registry.down[number] === 1) continue;
      // Heard after the list was asked for, or since the last one although that called it down already: the VP knows better.
      const heardMs = registry.lastHeardMs[number];
      const heardSince = this.#readAtMs !== undefined && heardMs > this.#readAtMs;
      if (heardMs > askedAtMs || (wasDown && heardSince)) continue;
      this.#table.setVpDown(number);
      wentDown++;
    }
    this.#vps = vps;
    this.#askedAtMs = askedAtMs;
    this.#readAtMs = this.#now();
    if (wentDown > 0 || back.length > 0)
      this.#logger.info('vantage points changed', { down: wentDown, up: back.length });
    if (back.length > 0) this.#onBack(back);
  }
}
