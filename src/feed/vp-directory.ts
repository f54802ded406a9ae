/** The VPs that the Data API knows: whom to ask for routes, who is down, who has a full feed. */
import { vantagePointKey } from '../bgp/vantage-point.ts';
import { DataApiError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import type { ApiVantagePoint, SeedApi } from './seed-api.ts';

/** A table of at least this many routes is a full feed; the whole Internet had about 1,000,000 and 230,000 in 2025. */
const FULL_FEED = { ipv4: 800_000, ipv6: 150_000 } as const;

const NO_FULL_FEED = { ipv4: false, ipv6: false } as const;

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
    if (options.expectedVps === 'full_feed') this.#readFullFeeds(vps);
    const back: ApiVantagePoint[] = [];
    let wentDown = 0;
    for (const [key, listings] of byKey(vps)) {
      const number = registry.find(listings[0].vp);
      const wasDown = this.#down.has(key);
      // A router may have a session with each of several collectors: it is down when all of them are.
      if (!listings.every(({ status }) => status === 'down')) {
        if (!wasDown) continue;
        this.#down.delete(key);
        back.push(...listings.filter(({ status }) => status !== 'down'));
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

  /** Of those that the service ignores, or that left the list, nobody expects a route. */
  #readFullFeeds(vps: readonly ApiVantagePoint[]): void {
    const { vps: registry } = this.#table;
    const full = new Map<number, Record<'ipv4' | 'ipv6', boolean>>();
    for (const { vp, status, ribSizeV4 = 0, ribSizeV6 = 0 } of vps) {
      const number = status === 'ignored' ? -1 : registry.add(vp);
      if (number < 0) continue;
      const other = full.get(number); // a VP may be listed by two collectors
      full.set(number, {
        ipv4: ribSizeV4 >= FULL_FEED.ipv4 || other?.ipv4 === true,
        ipv6: ribSizeV6 >= FULL_FEED.ipv6 || other?.ipv6 === true,
      });
    }
    for (let number = 0; number < registry.end; number++) {
      if (registry.get(number) !== undefined) this.#table.setFullFeed(number, full.get(number) ?? NO_FULL_FEED);
    }
  }
}

function byKey(vps: readonly ApiVantagePoint[]): Map<string, ApiVantagePoint[]> {
  const listings = new Map<string, ApiVantagePoint[]>();
  for (const one of vps) {
    const key = vantagePointKey(one.vp);
    const known = listings.get(key);
    if (known === undefined) listings.set(key, [one]);
    else known.push(one);
  }
  return listings;
}
