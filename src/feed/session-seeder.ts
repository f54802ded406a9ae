/**
 * Keeps the part of the table that one session answers for complete: seeds it, fills every gap, compares it from time to
 * time. Knows for each prefix until when the table is complete, and says so.
 *
 * The order that loses nothing: the stream is open and its frames are held; the RIB at T and the updates from T on are
 * applied; then what was held; then it is live. The Data API lags the stream, so what happened just before the stream
 * opened may not be in the first answer: once the lag has passed the updates of that time are read again, and only then is
 * the table called complete. No order can do harm: a cell takes nothing older than what it has.
 */
import { DataApiError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { SeedResult, TableFigures } from '../metrics/table-view.ts';
import { Backoff, type BackoffOptions } from '../stream/backoff.ts';
import { sleep, type Timers } from '../stream/timers.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import type { ApiVantagePoint, SeedApi } from './seed-api.ts';
import type { SessionFeed } from './session-feed.ts';
import { applyHistory, RibReader } from './table-seed.ts';
import type { VpDirectory } from './vp-directory.ts';

export interface SeederOptions {
  readonly session: number;
  readonly feed: SessionFeed;
  readonly table: RoutingTable;
  readonly api: SeedApi;
  readonly directory: VpDirectory;
  readonly figures: TableFigures;
  readonly logger: Logger;
  readonly timers: Timers;
  /** How far the Data API is behind the stream. */
  readonly lagMs: number;
  /** How long frames are held at most for a seed; then the stream goes live and the seed goes on beside it. Default 60 s. */
  readonly holdMs?: number;
  /** Waits between attempts; 1 s to 5 min by default. */
  readonly retry?: BackoffOptions;
  /** Called whenever `complete` may have changed. */
  readonly onChange: () => void;
}

/** A gap longer than this is healed by a RIB: the updates would be the longer answer. */
const LONG_GAP_MS = 2 * 3_600_000;
/** How old the list of VPs may be for a comparison. */
const LIST_AGE_MS = 60_000;
/** Clocks of the services differ a little. */
const OVERLAP_MS = 2_000;
const RETRY = { baseMs: 5_000, maxMs: 300_000, floorMs: 1_000 } as const;
/** An invalid key does not become valid by asking again. */
const FORBIDDEN_RETRY_MS = 600_000;
/** A comparison that would drop more than half of more routes than this is asked twice before it is believed. */
const FEW_ROUTES = 10;

export class SessionSeeder {
  readonly #options: SeederOptions;
  /** By prefix: until when (Unix ms) the table is complete for it; none: never seeded. */
  readonly #completeUntil = new Map<string, number>();
  /** The monitored prefixes of the session. */
  #wanted: readonly string[] = [];
  /** Those that the stream delivers: only of them can a gap be filled. */
  #prefixes: readonly string[] = [];
  /** Those that the fill under way has begun with. */
  #filling: readonly string[] = [];
  #connectedAtMs: number | undefined;
  /** VPs that came back and whose routes are still to be read; by protocol and id. */
  readonly #returned = new Map<string, ApiVantagePoint>();
  #complete = false;
  /** The fill under way has begun when its connection opened, which the service may still refuse. */
  #early = false;
  #controller = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: SeederOptions) {
    this.#options = options;
  }

  /** Whether the table has all that the session's prefixes have had, up to now. */
  get complete(): boolean {
    return (
      this.#wanted.length === 0 || (this.#complete && this.#wanted.every((prefix) => this.#completeUntil.has(prefix)))
    );
  }

  /** Whether the stream delivers a prefix that was never read, nor is being read. */
  get needsFill(): boolean {
    return this.#prefixes.some((prefix) => !this.#completeUntil.has(prefix) && !this.#filling.includes(prefix));
  }

  /** The table was restored, and was complete until then (Unix ms) for these prefixes. */
  restored(completeUntil: Readonly<Record<string, number>>): void {
    for (const prefix of this.#prefixes) {
      const until = completeUntil[prefix];
      if (until !== undefined) this.#completeUntil.set(prefix, Math.min(until, this.#options.timers.now()));
    }
  }

  /** By prefix: until when the table is surely complete; a prefix that was never seeded is not there. */
  completeUntil(): Record<string, number> {
    const untilMs = this.#heardUntilMs();
    const known = [...this.#completeUntil].map(
      ([prefix, until]) => [prefix, this.#complete ? untilMs : until] as const,
    );
    return Object.fromEntries(known);
  }

  /**
   * A dead connection is noticed late, so the table is complete only up to the last message. For a quiet prefix this makes
   * the gap look longer than it was; filling it again costs one empty answer.
   */
  #heardUntilMs(): number {
    return Math.max(this.#connectedAtMs ?? 0, this.#options.feed.lastUpdateAtMs ?? 0);
  }

  /** The monitored prefixes of the session; until the stream delivers all of them the table is not complete. */
  setWanted(prefixes: readonly string[]): void {
    this.#wanted = prefixes;
    this.#options.onChange();
  }

  /** What the stream delivers from now on. New ones are seeded by the next `connected`. */
  setDelivered(prefixes: readonly string[]): void {
    const kept = new Set(prefixes);
    for (const prefix of this.#completeUntil.keys()) if (!kept.has(prefix)) this.#completeUntil.delete(prefix);
    this.#prefixes = prefixes;
    this.#options.onChange();
  }

  /** From `atMs` on the stream delivers all prefixes, unless the service refuses: `connected` or `disconnected` tells. */
  opened(atMs: number): void {
    this.connected(atMs);
    this.#early = true;
  }

  /** From `atMs` on, or since `opened`, the stream delivers all prefixes. */
  connected(atMs: number): void {
    const hasBegun = this.#early && !this.needsFill;
    this.#early = false;
    if (hasBegun) return;
    this.#interrupt(atMs);
    if (this.#prefixes.length === 0) return;
    this.#connectedAtMs = atMs;
    this.#options.feed.hold();
    const { signal } = (this.#controller = new AbortController());
    this.#filling = this.#prefixes;
    this.#running = this.#fillUntilComplete(atMs, signal);
  }

  /** The stream is lost; nothing that came until `atMs` is. */
  disconnected(atMs: number): void {
    this.#interrupt(atMs);
    this.#connectedAtMs = undefined;
  }

  /** Ends what runs; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#running;
    this.#options.feed.release();
  }

  #interrupt(atMs: number): void {
    this.#controller.abort();
    this.#early = false;
    this.#filling = [];
    if (this.#complete) {
      const untilMs = Math.min(atMs, this.#heardUntilMs());
      for (const prefix of this.#completeUntil.keys()) this.#completeUntil.set(prefix, untilMs);
    }
    this.#setComplete(false);
    this.#options.feed.release();
  }

  #setComplete(complete: boolean): void {
    if (this.#complete === complete) return;
    this.#complete = complete;
    this.#options.onChange();
  }

  async #fillUntilComplete(connectedAtMs: number, signal: AbortSignal): Promise<void> {
    const { timers, feed, holdMs = 60_000 } = this.#options;
    let overflowed = false;
    const release = () => {
      if (!signal.aborted && !feed.release()) overflowed = true;
    };
    const cancelHold = timers.schedule(release, holdMs);
    try {
      const backoff = new Backoff(this.#options.retry ?? RETRY, timers.random);
      while (!signal.aborted) {
        const failure = await this.#attempt(() => this.#fill(connectedAtMs, release, signal), signal);
        if (failure === undefined && overflowed) {
          // What found no room is in the history by now, or will be when the lag has passed.
          overflowed = false;
          await sleep(timers, this.#options.lagMs, signal);
          continue;
        }
        if (failure === undefined) {
          if (signal.aborted) return;
          this.#setComplete(true);
          await this.readVps([]);
          return;
        }
        release();
        const wait = failure === 'forbidden' ? FORBIDDEN_RETRY_MS : backoff.next();
        await sleep(timers, wait, signal);
      }
    } finally {
      cancelHold();
      if (!signal.aborted) {
        this.#filling = [];
        feed.release();
      }
    }
  }

  /** Counts and logs one reading of the Data API; gives what it failed of. */
  async #attempt(read: () => Promise<void>, signal: AbortSignal): Promise<Exclude<SeedResult, 'success'> | undefined> {
    const { figures, logger, session, timers } = this.#options;
    try {
      await read();
      if (signal.aborted) return 'aborted';
      figures.seeds.success++;
      figures.seedAtMs = timers.now();
      return undefined;
    } catch (error) {
      const result = signal.aborted ? 'aborted' : seedFailure(error);
      figures.seeds[result]++;
      if (result === 'aborted') return result;
      const text = error instanceof Error ? error.message : String(error);
      if (result === 'forbidden')
        logger.error('the Data API refuses the key: the table stays unseeded', { session, error: text });
      else logger.warn('the table could not be read from the Data API, trying again', { session, result, error: text });
      return result;
    }
  }

  async #fill(connectedAtMs: number, release: () => void, signal: AbortSignal): Promise<void> {
    const { api, directory, timers, lagMs } = this.#options;
    // A VP that came back before the stream did must be asked; one that comes back later is heard.
    await directory.ensure(api, directory.live.length === 0 ? timers.now() : connectedAtMs, signal);
    if (signal.aborted) return;
    const vps = directory.live;
    if (vps.length === 0) {
      throw new DataApiError('INVALID_RESPONSE', 'Data API: no vantage point is up: there is nobody to ask for routes');
    }
    const startMs = timers.now();
    const ribAtMs = wholeSecond(connectedAtMs - lagMs - 1_000);
    const prefixes = (this.#filling = this.#prefixes);
    const fresh = prefixes.filter((prefix) => {
      const until = this.#completeUntil.get(prefix);
      return until === undefined || startMs - until > LONG_GAP_MS;
    });
    if (fresh.length > 0) {
      await this.#readRib(vps, fresh, ribAtMs, signal);
      if (signal.aborted) return;
      this.#setCompleteUntil(fresh, ribAtMs);
    }
    // The stream is late too, by as much as the API at most: what was under way when it was cut is older than the cut.
    const fromMs = Math.min(...prefixes.map((prefix) => this.#completeUntil.get(prefix) ?? ribAtMs)) - lagMs;
    await this.#readHistory(vps, prefixes, fromMs - OVERLAP_MS, startMs, connectedAtMs, signal);
    if (signal.aborted) return;
    release();
    const settledMs = connectedAtMs + lagMs + 1_000;
    if (lagMs > 0 && startMs < settledMs) {
      await sleep(timers, settledMs - timers.now(), signal);
      if (signal.aborted) return;
      const againFromMs = Math.min(startMs, connectedAtMs) - lagMs - OVERLAP_MS;
      await this.#readHistory(vps, prefixes, againFromMs, connectedAtMs + OVERLAP_MS, connectedAtMs, signal);
      if (signal.aborted) return;
    }
    this.#setCompleteUntil(prefixes, connectedAtMs);
  }

  /** Of prefixes that are still delivered: one that went meanwhile, and comes again, is to be read anew. */
  #setCompleteUntil(prefixes: readonly string[], untilMs: number): void {
    for (const prefix of prefixes) if (this.#prefixes.includes(prefix)) this.#completeUntil.set(prefix, untilMs);
  }

  /** What is the time there when it is `ourMs` here: a table that is newer than the stream by our clock would take no event. */
  #serviceTime(ourMs: number): number {
    return ourMs + this.#options.directory.clockOffsetMs;
  }

  async #readHistory(
    vps: readonly ApiVantagePoint[],
    prefixes: readonly string[],
    fromMs: number,
    toMs: number,
    heardFromMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { api, table, session, timers } = this.#options;
    const [from, to] = [wholeSecond(this.#serviceTime(fromMs)), Math.ceil(this.#serviceTime(toMs) / 1000) * 1000];
    const batches = api.updates(vps, prefixes, from, to, signal);
    await applyHistory(table, session, batches, this.#serviceTime(heardFromMs), () => timers.now());
  }

  async #readRib(
    vps: readonly ApiVantagePoint[],
    prefixes: readonly string[],
    ourMs: number,
    signal: AbortSignal,
    onCorrected: () => void = () => {},
  ): Promise<RibReader> {
    const { api, table, session, timers } = this.#options;
    const atMs = wholeSecond(this.#serviceTime(ourMs));
    const rib = new RibReader(table, session, atMs, onCorrected);
    await rib.read(api.rib(vps, prefixes, atMs, signal));
    if (signal.aborted) return rib;
    const asked = vps.map((one) => one.vp);
    const wanted = new Set(prefixes);
    let absences = rib.absences(asked, wanted);
    if (absences.length > FEW_ROUTES && absences.length * 2 > rib.rows + absences.length) {
      // So much that an answer cut short is the likelier cause: believe it only when it says so twice.
      const again = new RibReader(table, session, atMs, onCorrected);
      await again.read(api.rib(vps, prefixes, atMs, signal));
      if (signal.aborted) return rib;
      absences = again.absences(asked, wanted);
    }
    rib.drop(absences, timers.now());
    return rib;
  }

  /** Compares the table with the Data API, corrects what differs and counts it as drift. Nothing while a gap is open. */
  async compare(): Promise<void> {
    if (!this.#complete || this.#prefixes.length === 0) return;
    const { directory, figures, timers, lagMs, session, logger } = this.#options;
    const { signal } = this.#controller;
    let corrected = 0;
    // One by one: what was corrected before an answer broke off is corrected all the same.
    const onCorrected = () => {
      corrected++;
      figures.corrections++;
    };
    await this.#attempt(async () => {
      await directory.ensure(this.#options.api, timers.now() - LIST_AGE_MS, signal);
      if (signal.aborted) return;
      const atMs = timers.now() - lagMs - OVERLAP_MS;
      const rib = await this.#readRib(directory.live, this.#prefixes, atMs, signal, onCorrected);
      logger.info('table compared with the Data API', { session, routes: rib.rows, corrected });
    }, signal);
  }

  /**
   * Reads the routes of VPs that came back, and of those that could not be read before; while a gap is open, when it is
   * filled.
   */
  async readVps(vps: readonly ApiVantagePoint[]): Promise<void> {
    if (this.#prefixes.length === 0) return;
    this.#addReturned(vps);
    if (!this.#complete || this.#returned.size === 0) return;
    const { timers, lagMs } = this.#options;
    const { signal } = this.#controller;
    const asked = [...this.#returned.values()];
    this.#returned.clear();
    const failure = await this.#attempt(async () => {
      await this.#readRib(asked, this.#prefixes, timers.now() - lagMs - OVERLAP_MS, signal);
    }, signal);
    if (failure !== undefined) this.#addReturned(asked);
  }

  #addReturned(vps: readonly ApiVantagePoint[]): void {
    for (const one of vps) this.#returned.set(`${one.vp.protocol} ${one.id}`, one);
  }
}

function wholeSecond(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000)) * 1000;
}

function seedFailure(error: unknown): Exclude<SeedResult, 'success' | 'aborted'> {
  if (!(error instanceof DataApiError)) return 'invalid'; // a fault of ours: the stream goes on, the table says that it is not seeded
  if (error.code === 'FORBIDDEN') return 'forbidden';
  if (error.code === 'BAD_REQUEST' || error.code === 'NOT_FOUND') return 'refused';
  return error.code === 'INVALID_RESPONSE' ? 'invalid' : 'unavailable';
}
