/** The VPs that the history of a source knows: whom to ask for routes, who is down, who has a full feed. */

import { vantagePointKey } from '../bgp/vantage-point.ts';
import { DataApiError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { type HistoryVp, titleOf, type VpTeller } from '../stream/history.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { setFullFeed } from '../table/vps/denominator.ts';
import type { ServiceClock } from './clocks/service-clock.ts';

/** A table of at least this many routes is a full feed; the whole Internet had about 1,000,000 and 230,000 in 2025. */
const FULL_FEED = { ipv4: 800_000, ipv6: 150_000 } as const;

const NO_FULL_FEED = { ipv4: false, ipv6: false } as const;

/** How long a doubted list is doubted at least before another that says the same is believed, ms. */
export const LIST_CONFIRM_MS = 30_000;

export interface VpDirectoryOptions {
  readonly table: RoutingTable;
  /** The place of the source whose history gives the list. */
  readonly source: number;
  /** Unix ms. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Called with VPs that were down and are up again, and with VPs that are new in the list: their routes are to be read. */
  readonly onBack: (vps: readonly HistoryVp[]) => void;
  /** Called with VPs that went down here and that another source (its place) still delivers: its history is to be read. */
  readonly onPassed: (vps: ReadonlySet<number>, source: number) => void;
  /** Settled with each list, before the list is applied. */
  readonly clock: ServiceClock;
  /** Called when a list begins to be doubted, and when one is believed again: `isDoubted` tells which. */
  readonly onDoubt: () => void;
}

export class VpDirectory {
  readonly #options: VpDirectoryOptions;
  #vps: readonly HistoryVp[] = [];
  #askedAtMs: number | undefined;
  #readAtMs: number | undefined;
  /** Unix ms since when a list is doubted that would take away most VPs. */
  #doubtedAtMs: number | undefined;
  #toldNoSizes = false;
  /** The VPs by key, because a BGP and a BMP VP may have the same id. */
  readonly #down = new Set<string>();
  /** VPs that the newest list does not have although they were listed before, by key: when that list was asked for, Unix ms. */
  readonly #missing = new Map<string, number>();

  constructor(options: VpDirectoryOptions) {
    this.#options = options;
  }

  /** VPs whose routes count: of live sources, and neither down nor ignored. */
  get live(): readonly HistoryVp[] {
    return this.#vps.filter((vp) => !isAway(vp));
  }

  /** Whether the newest list would take away so many VPs that it is asked for again before it is believed. */
  get isDoubted(): boolean {
    return this.#doubtedAtMs !== undefined;
  }

  /** How far the API's clock is ahead of this machine's, ms. Its times are by its own clock, as those of the stream. */
  get clockOffsetMs(): number {
    return this.#options.clock.offsetMs;
  }

  /** The VPs among those given (by their numbers in the table) that are live here. */
  liveAmong(numbers: ReadonlySet<number>): HistoryVp[] {
    const { vps } = this.#options.table;
    return this.live.filter(({ vp }) => numbers.has(vps.find(vp)));
  }

  /** The VPs among the given ones (by `vantagePointKey`) that hold a route, or are expected to. */
  holdersAmong(keys: ReadonlySet<string>): ReadonlySet<string> {
    const { vps } = this.#options.table;
    const holders = new Set<string>();
    for (let number = 0; number < vps.end; number++) {
      const vp = vps.get(number);
      if (vp === undefined || vps.cells[number] === 0) continue;
      const key = vantagePointKey(vp);
      if (keys.has(key)) holders.add(key);
    }
    return holders;
  }

  /** How many VPs other than the given ones hold a route, or are expected to. */
  othersThan(asked: readonly HistoryVp[]): number {
    const { vps } = this.#options.table;
    const keys = new Set(asked.map(({ vp }) => vantagePointKey(vp)));
    let others = 0;
    for (let number = 0; number < vps.end; number++) {
      const vp = vps.get(number);
      if (vp !== undefined && vps.cells[number] > 0 && !keys.has(vantagePointKey(vp))) others++;
    }
    return others;
  }

  /** Reads the list unless it was asked for after this time (Unix ms), and the clock of the service unless it is known. */
  async ensure(api: VpTeller, askedAfterMs: number, signal: AbortSignal): Promise<void> {
    if (this.#askedAtMs === undefined || this.#askedAtMs < askedAfterMs) await this.refresh(api, signal);
    else await this.#options.clock.ensure(api, signal);
  }

  /**
   * Reads the list and applies it to the table. VPs that are down or ignored go, with their routes; so do VPs that were listed
   * before and are missing in two lists that follow one another, unless they were heard since. A list that would take away more
   * than half of all VPs at once is not believed before another says the same.
   * @param silent VPs (by `vantagePointKey`) of which a RIB had no data: missing in this one list is enough for them
   */
  async refresh(api: VpTeller, signal: AbortSignal, silent: ReadonlySet<string> = new Set()): Promise<void> {
    const askedAtMs = this.#options.now();
    const vps = await api.vantagePoints(signal);
    await this.#options.clock.settle(api, signal);
    if (signal.aborted) return;
    // Thousands of VPs do not go at once. Without VPs to ask for routes, an empty table would look complete.
    if (vps.length === 0)
      throw new DataApiError('INVALID_RESPONSE', `${titleOf(api)}: its list of vantage points is empty`);
    this.#askedAtMs = askedAtMs;
    const { table, source } = this.#options;
    const listings = byKey(vps);
    const missing = this.#missingIn(listings, askedAtMs);
    const going = this.#goingBy(listings, missing, silent, askedAtMs);
    this.#missing.clear();
    for (const [key, sinceMs] of missing) this.#missing.set(key, sinceMs);
    if (this.#isDoubtful(missing, going)) {
      // The list before it still tells whom to ask.
      if (this.#vps.length === 0) {
        this.#vps = vps;
        table.ledger.learnPlaces(source, vps);
      }
      return;
    }
    this.#settle();
    table.ledger.learnPlaces(source, vps);
    if (table.options.expectedVps === 'full_feed') this.#readFullFeeds(vps);
    const back = this.#backBy(listings);
    this.#takeAway(going);
    for (const [key, listed] of listings) if (listed.every(isAway)) this.#down.add(key);
    for (const { vp } of vps) {
      const number = table.vps.find(vp);
      if (number >= 0) table.vps.listed[number] |= 1 << source;
    }
    this.#vps = vps;
    this.#readAtMs = this.#options.now();
    if (going.length > 0 || back.length > 0)
      this.#options.logger.info('vantage points changed', { down: going.length, up: back.length });
    if (back.length > 0) this.#options.onBack(back);
  }

  /** VPs that were listed before and are not now: since the list that was asked for then (Unix ms). */
  #missingIn(listings: ReadonlyMap<string, unknown>, askedAtMs: number): Map<string, number> {
    const { table, source } = this.#options;
    const { vps } = table;
    const missing = new Map<string, number>();
    const before = new Set(this.#vps.map(({ vp }) => vantagePointKey(vp)));
    for (let number = 0; number < vps.end; number++) {
      const vp = vps.get(number);
      if (vp === undefined) continue;
      const key = vantagePointKey(vp);
      if (listings.has(key)) continue;
      // By the list before this one, or by the notes of a table that was restored.
      if (!before.has(key) && !this.#missing.has(key) && (vps.listed[number] & (1 << source)) === 0) continue;
      const sinceMs = this.#missing.get(key);
      // A VP that spoke since is missing from now on.
      missing.set(key, sinceMs === undefined || table.heardMs(number, source) > sinceMs ? askedAtMs : sinceMs);
    }
    return missing;
  }

  /** The numbers of the VPs that the list takes away. What a VP said itself since the list was asked for is newer. */
  #goingBy(
    listings: ReadonlyMap<string, readonly HistoryVp[]>,
    missing: ReadonlyMap<string, number>,
    silent: ReadonlySet<string>,
    askedAtMs: number,
  ): number[] {
    const { table, source } = this.#options;
    const { vps } = table;
    const going: number[] = [];
    for (let number = 0; number < vps.end; number++) {
      const vp = vps.get(number);
      if (vp === undefined || vps.down[number] === 1 || !table.isDeliveredBy(number, source)) continue;
      const key = vantagePointKey(vp);
      const heardMs = table.heardMs(number, source);
      const listed = listings.get(key);
      const sinceMs = missing.get(key);
      if (sinceMs !== undefined) {
        // That a VP is missing in one list only may be a fault of that list.
        if ((sinceMs < askedAtMs || silent.has(key)) && heardMs <= sinceMs) going.push(number);
      } else if (listed?.every(isAway)) {
        // The last list called it down already, and it was heard since: what the VP itself sent counts more.
        const heardSince = this.#readAtMs !== undefined && heardMs > this.#readAtMs;
        if (heardMs <= askedAtMs && !(this.#down.has(key) && heardSince)) going.push(number);
      }
    }
    return going;
  }

  /** VPs that were away and are back, and those that are new: of both, the routes are to be read. */
  #backBy(listings: ReadonlyMap<string, readonly HistoryVp[]>): HistoryVp[] {
    const { table } = this.#options;
    const known = new Set(this.#vps.map(({ vp }) => vantagePointKey(vp)));
    const back: HistoryVp[] = [];
    for (const [key, listed] of listings) {
      if (listed.every(isAway)) continue;
      const number = table.vps.find(listed[0].vp);
      const wasAway = this.#down.delete(key) || (number >= 0 && table.vps.down[number] === 1);
      const isNew = this.#vps.length > 0 && !known.has(key);
      if (!wasAway && !isNew) continue;
      back.push(...listed.filter((one) => !isAway(one)));
      if (number >= 0) table.setVpUp(number);
    }
    return back;
  }

  /** Begins, or goes on, to doubt a list in which most VPs that hold routes are missing or away; false: it is believed. */
  #isDoubtful(missing: ReadonlyMap<string, unknown>, numbers: readonly number[]): boolean {
    const { table, source, logger, now, onDoubt } = this.#options;
    const { vps } = table;
    const away = new Set(numbers);
    let all = 0;
    let going = 0;
    for (let number = 0; number < vps.end; number++) {
      const vp = vps.get(number);
      if (vp === undefined || vps.down[number] === 1 || vps.cells[number] === 0) continue;
      if (!table.isDeliveredBy(number, source)) continue;
      all++;
      if (away.has(number) || missing.has(vantagePointKey(vp))) going++;
    }
    if (going * 2 <= all) return false;
    if (this.#doubtedAtMs !== undefined) return now() - this.#doubtedAtMs < LIST_CONFIRM_MS;
    this.#doubtedAtMs = now();
    logger.warn('the list of vantage points would take away most of them at once: it will be asked for again', {
      ...{ going, of: all },
    });
    onDoubt();
    return true;
  }

  /** VPs that are down or left, by the list. */
  #takeAway(numbers: readonly number[]): void {
    const { table, source, onPassed } = this.#options;
    const heirs = new Map<number, Set<number>>();
    for (const number of numbers) {
      const heir = table.setVpDown(number, 0, source);
      if (heir !== -1) heirs.set(heir, (heirs.get(heir) ?? new Set()).add(number));
    }
    for (const [heir, passed] of heirs) onPassed(passed, heir);
  }

  #settle(): void {
    if (this.#doubtedAtMs === undefined) return;
    this.#doubtedAtMs = undefined;
    this.#options.onDoubt();
  }

  /** VPs that the service ignores, or that left the list, are not expected to hold a route. */
  #readFullFeeds(vps: readonly HistoryVp[]): void {
    const { table, source } = this.#options;
    const { vps: registry } = table;
    if (!this.#toldNoSizes && vps.every((vp) => vp.ribSizeV4 === undefined && vp.ribSizeV6 === undefined)) {
      this.#toldNoSizes = true;
      this.#options.logger.warn(
        'the list of vantage points has no table sizes: vantage points that held a route are expected, as with expected_vps: seen',
      );
    }
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
      if (registry.get(number) === undefined) continue;
      // A VP that only another source lists is left to that source.
      const isOurs = full.has(number) || (registry.listed[number] & ~(1 << source)) === 0;
      if (isOurs) setFullFeed(table, number, full.get(number) ?? NO_FULL_FEED);
    }
  }
}

/** The routes of a VP that is down, or that the service ignores, do not count. */
function isAway({ status }: HistoryVp): boolean {
  return status === 'down' || status === 'ignored';
}

function byKey(vps: readonly HistoryVp[]): Map<string, HistoryVp[]> {
  const listings = new Map<string, HistoryVp[]>();
  for (const one of vps) {
    const key = vantagePointKey(one.vp);
    const known = listings.get(key);
    if (known === undefined) listings.set(key, [one]);
    else known.push(one);
  }
  return listings;
}
