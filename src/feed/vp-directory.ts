/** The VPs that the Data API knows: whom to ask for routes, who is down, who has a full feed. */
import { vantagePointKey } from '../bgp/vantage-point.ts';
import { DataApiError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import type { ApiVantagePoint, SeedApi } from './seed-api.ts';

/** A table of at least this many routes is a full feed; the whole Internet had about 1,000,000 and 230,000 in 2025. */
const FULL_FEED = { ipv4: 800_000, ipv6: 150_000 } as const;

const NO_FULL_FEED = { ipv4: false, ipv6: false } as const;

export interface VpDirectoryOptions {
  readonly table: RoutingTable;
  /** Unix ms. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Called with VPs that were down and are up again: their routes are to be read anew. */
  readonly onBack: (vps: readonly ApiVantagePoint[]) => void;
  /** Called with `clockOffsetMs` when it has changed. */
  readonly onClockOffset: (offsetMs: number) => void;
}

export class VpDirectory {
  readonly #options: VpDirectoryOptions;
  #vps: readonly ApiVantagePoint[] = [];
  #clockOffsetMs = 0;
  #askedAtMs: number | undefined;
  #readAtMs: number | undefined;
  /** By key and not by id: a BGP and a BMP VP may have the same id. */
  readonly #down = new Set<string>();

  constructor(options: VpDirectoryOptions) {
    this.#options = options;
  }

  /** VPs whose routes count: of live sources, and neither down nor ignored. */
  get live(): readonly ApiVantagePoint[] {
    return this.#vps.filter((vp) => vp.status === 'up' || vp.status === 'unknown');
  }

  /** How far the API's clock is ahead of this machine's, ms. Its times are by its own clock, as those of the stream. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs;
  }

  /** Reads the list unless it was asked for after this time (Unix ms). */
  async ensure(api: SeedApi, askedAfterMs: number, signal: AbortSignal): Promise<void> {
    if (this.#askedAtMs === undefined || this.#askedAtMs < askedAfterMs) await this.refresh(api, signal);
  }

  /** Reads the list and applies it to the table. */
  async refresh(api: SeedApi, signal: AbortSignal): Promise<void> {
    const askedAtMs = this.#options.now();
    const vps = await api.vantagePoints(signal);
    this.#noteClock(api.clockOffsetMs);
    // Thousands of VPs do not go at once: with nobody to ask for routes, an empty table would pass for a complete one.
    if (vps.length === 0) throw new DataApiError('INVALID_RESPONSE', 'Data API, vantage_points: the list is empty');
    const { options, vps: registry } = this.#options.table;
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
        if (number >= 0) this.#options.table.setVpUp(number);
        continue;
      }
      this.#down.add(key);
      if (number < 0 || registry.down[number] === 1) continue;
      // Heard after the list was asked for, or since the last one although that called it down already: the VP knows better.
      const heardMs = registry.lastHeardMs[number];
      const heardSince = this.#readAtMs !== undefined && heardMs > this.#readAtMs;
      if (heardMs > askedAtMs || (wasDown && heardSince)) continue;
      this.#options.table.setVpDown(number);
      wentDown++;
    }
    this.#vps = vps;
    this.#askedAtMs = askedAtMs;
    this.#readAtMs = this.#options.now();
    if (wentDown > 0 || back.length > 0)
      this.#options.logger.info('vantage points changed', { down: wentDown, up: back.length });
    if (back.length > 0) this.#options.onBack(back);
  }

  #noteClock(offsetMs: number): void {
    if (offsetMs === this.#clockOffsetMs) return;
    const agreed = this.#clockOffsetMs === 0;
    this.#clockOffsetMs = offsetMs;
    this.#options.onClockOffset(offsetMs);
    if (!agreed) return;
    this.#options.logger.warn(
      'the clock of this machine is not that of the service: delays are measured wrong, set it by NTP',
      {
        ahead_seconds: Math.round(-offsetMs / 1000),
      },
    );
  }

  /** Of those that the service ignores, or that left the list, nobody expects a route. */
  #readFullFeeds(vps: readonly ApiVantagePoint[]): void {
    const { vps: registry } = this.#options.table;
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
      if (registry.get(number) !== undefined) this.#options.table.setFullFeed(number, full.get(number) ?? NO_FULL_FEED);
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
