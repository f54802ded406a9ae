/**
 * The association of one key with its prefixes: made when the key has no other session, renewed while connected, and lost
 * silently four hours after the key was last used, or when another client replaces it. One request at a time; the newest
 * list of prefixes wins.
 */
import { PrefixToAPIKeyError, StoppedError } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { Backoff, type BackoffOptions } from '../../../stream/backoff.ts';
import type { SubscribedStats } from '../../../stream/source.ts';
import type { Timers } from '../../../stream/timers.ts';
import { type AssociationResult, associatePrefixes, isUnknownKey, LIVE_MANAGER_TIMEOUT_MS } from './live-manager.ts';
import type { SessionKey } from './session-key.ts';

export interface AssociationSettings {
  /** How long an association lasts without activity, ms. Default 4 h, as the service documents. */
  readonly ttlMs: number;
  /**
   * Time from a success to the next renewal, ms, give or take a tenth. Default 10 min: a list that another client replaced
   * stays unnoticed that long where none of that client's prefixes is heard.
   */
  readonly renewalIntervalMs: number;
  /** Time for one request, ms. Default 15 s. */
  readonly timeoutMs: number;
  /** Waits after a renewal that failed for want of an answer. Default 5 s to 5 min. */
  readonly errorBackoff: BackoffOptions;
  /** Waits after a renewal that was refused. Default 1 to 2 minutes, up to 10. */
  readonly refusalBackoff: BackoffOptions;
}

/** The settings with their defaults. */
export function associationSettings(given: Partial<AssociationSettings> = {}): AssociationSettings {
  const ttlMs = given.ttlMs ?? 4 * 3_600_000;
  return {
    ttlMs,
    renewalIntervalMs: given.renewalIntervalMs ?? Math.min(600_000, ttlMs / 4),
    timeoutMs: given.timeoutMs ?? LIVE_MANAGER_TIMEOUT_MS,
    errorBackoff: given.errorBackoff ?? { floorMs: 1_000, baseMs: 10_000, maxMs: 300_000 },
    refusalBackoff: given.refusalBackoff ?? { floorMs: 60_000, baseMs: 120_000, maxMs: 600_000 },
  };
}

export interface AssociationOptions {
  readonly key: SessionKey;
  readonly liveManagerUrl: string;
  readonly userAgent?: string;
  readonly settings: AssociationSettings;
  /** The session's numbers; those about the subscription are kept up to date here. */
  readonly stats: SubscribedStats;
  readonly timers: Timers;
  readonly log: Logger;
  /** Associated: newly, again, or still. */
  readonly onAssociated: (atMs: number) => void;
  /** The service does not know the key. */
  readonly onKeyRefused?: (() => void) | undefined;
  /** Not renewed for so long that it may be over. */
  readonly onExpired: (atMs: number) => void;
}

/** Somebody who waits until these very prefixes are associated. */
interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: PrefixToAPIKeyError | StoppedError) => void;
}

export class Association {
  readonly #options: AssociationOptions;
  readonly #errorBackoff: Backoff;
  readonly #refusalBackoff: Backoff;
  readonly #stopping = new AbortController();
  /** What is to be associated. Compared by identity: every `setPrefixes` makes a new list. */
  #wanted: readonly string[];
  /** What was at the last success; undefined before the first. */
  #held: readonly string[] | undefined;
  #lastResult: AssociationResult['kind'] = 'success';
  #waiter: Waiter | undefined;
  #request: { readonly prefixes: readonly string[]; readonly result: Promise<AssociationResult> } | undefined;
  #renewing = false;
  #cancelRenewal: () => void = () => {};
  #cancelExpiry: () => void = () => {};

  constructor(options: AssociationOptions, prefixes: readonly string[]) {
    this.#options = options;
    this.#wanted = [...prefixes];
    this.#errorBackoff = new Backoff(options.settings.errorBackoff, () => options.timers.random());
    this.#refusalBackoff = new Backoff(options.settings.refusalBackoff, () => options.timers.random());
  }

  get prefixes(): readonly string[] {
    return this.#wanted;
  }

  /** What was associated last; undefined before the first success, and since somebody else replaced it. */
  get associated(): readonly string[] | undefined {
    return this.#held;
  }

  /** Whether the key has what is wanted, for all that is known here. */
  isHeld(nowMs: number): boolean {
    return this.#held === this.#wanted && this.isValid(nowMs);
  }

  /** Notes that somebody on our side has just associated what is wanted. */
  adopt(): void {
    const nowMs = this.#options.timers.now();
    this.#hold(this.#wanted, nowMs);
  }

  /** The key has the prefixes of somebody else: nothing of ours is valid until the next success. */
  forget(): void {
    this.#cancelExpiry();
    this.#held = undefined;
    this.#options.stats.subscribedPrefixes = 0;
    this.#options.stats.subscription.expiresAtMs = undefined;
  }

  /** Whether the key may still carry prefixes, by the last success. */
  isValid(nowMs: number): boolean {
    const expiresAtMs = this.#options.stats.subscription.expiresAtMs;
    return expiresAtMs !== undefined && nowMs < expiresAtMs;
  }

  /** False when the last request failed and less than half of the association's time is left, or there is none. */
  isHealthy(nowMs: number): boolean {
    if (this.#lastResult === 'success') return true;
    const { stats, settings } = this.#options;
    return (stats.subscription.expiresAtMs ?? nowMs) - nowMs >= settings.ttlMs / 2;
  }

  /**
   * Wants other prefixes, at least one. The promise is settled by the requests that follow: the one made here when `now`,
   * the one of the next connection, or a renewal.
   */
  setPrefixes(prefixes: readonly string[], now: boolean): Promise<void> {
    this.#supersede('the prefixes were replaced once more');
    this.#wanted = [...prefixes];
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      if (now) void this.associate();
    });
  }

  /** Begins to renew, because there is a connection that needs it. */
  startRenewing(): void {
    this.#renewing = true;
    this.#scheduleRenewal();
  }

  /** Without a connection nothing is renewed: another client may have the key meanwhile. */
  stopRenewing(): void {
    this.#renewing = false;
    this.#cancelRenewal();
  }

  /** Wants nothing more; what the service knows of the key is left to expire. */
  clear(): void {
    this.#supersede('the session has no prefixes any more');
    this.stopRenewing();
    this.#cancelExpiry();
    this.#wanted = [];
    this.#held = undefined;
    this.#lastResult = 'success';
    this.#options.stats.subscribedPrefixes = 0;
    this.#options.stats.subscription.expiresAtMs = undefined;
  }

  /** Ends all requests and timers. */
  stop(): void {
    this.#stopping.abort();
    this.stopRenewing();
    this.#cancelExpiry();
    this.#supersede('the source was stopped');
  }

  #supersede(why: string): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.reject(new StoppedError(why));
  }

  /** Associates what is wanted when it is this request's turn, and still what is wanted when it is done. */
  async associate(): Promise<AssociationResult> {
    for (;;) {
      const wanted = this.#wanted;
      const result = await this.#requestOnce(wanted);
      if (wanted === this.#wanted || this.#stopping.signal.aborted) return result;
    }
  }

  /** One request at a time: joins the one that runs for the same prefixes, waits for one that runs for others. */
  async #requestOnce(prefixes: readonly string[]): Promise<AssociationResult> {
    while (this.#request !== undefined && this.#request.prefixes !== prefixes) await this.#request.result;
    if (prefixes !== this.#wanted) return { kind: 'error', text: 'superseded' };
    if (this.#request === undefined) {
      const result = this.#send(prefixes);
      this.#request = { prefixes, result };
    }
    return this.#request.result;
  }

  async #send(prefixes: readonly string[]): Promise<AssociationResult> {
    const options = this.#options;
    const apiKey = options.key.text;
    const sentAtMs = options.timers.now();
    const result = await associatePrefixes({
      liveManagerUrl: options.liveManagerUrl,
      apiKey,
      prefixes,
      timeoutMs: options.settings.timeoutMs,
      userAgent: options.userAgent,
      timers: options.timers,
      signal: this.#stopping.signal,
    });
    this.#request = undefined;
    if (apiKey !== options.key.text) return { kind: 'error', text: 'the key was replaced meanwhile' };
    if (!this.#stopping.signal.aborted) this.#take(result, prefixes, sentAtMs);
    return result;
  }

  #take(result: AssociationResult, prefixes: readonly string[], sentAtMs: number): void {
    const { stats, timers, log, onAssociated } = this.#options;
    stats.subscription.renewals[result.kind]++;
    const current = prefixes === this.#wanted;
    this.#lastResult = result.kind;
    if (result.kind === 'success') {
      log.debug('prefixes associated with the key', { prefixes: prefixes.length });
      this.#errorBackoff.reset();
      this.#refusalBackoff.reset();
      if (this.#wanted.length === 0) return; // cleared meanwhile
      // From when it was asked for: when the service did it is not known, and later would be too hopeful.
      this.#hold(prefixes, sentAtMs);
      if (current) {
        const waiter = this.#waiter;
        this.#waiter = undefined;
        waiter?.resolve();
      }
      onAssociated(timers.now());
    } else {
      const detail = result.kind === 'refused' ? `HTTP status ${result.status}: ${result.text}` : result.text;
      const asked = { prefixes: prefixes.length, result: result.kind, detail };
      // Without a connection the attempt at one has failed, and that is told with the time of the next.
      log[this.#renewing ? 'warn' : 'debug']('prefixes could not be associated with the key', asked);
      if (result.kind === 'refused' && current) this.#giveUp(result.status, result.text);
      if (result.kind === 'refused' && isUnknownKey(result.status)) this.#options.onKeyRefused?.();
    }
    this.#scheduleRenewal();
  }

  #hold(prefixes: readonly string[], sinceMs: number): void {
    const { stats, settings, timers, log, onExpired } = this.#options;
    this.#held = prefixes;
    stats.subscribedPrefixes = prefixes.length;
    stats.subscription.expiresAtMs = sinceMs + settings.ttlMs;
    this.#cancelExpiry();
    this.#cancelExpiry = timers.schedule(
      () => {
        stats.subscribedPrefixes = 0;
        log.error('the association of the prefixes with the key could not be renewed and may have expired', {
          prefixes: prefixes.length,
        });
        onExpired(timers.now());
      },
      Math.max(0, stats.subscription.expiresAtMs - timers.now()),
    );
  }

  /** The service will not have these prefixes. Who asked for them is told; those before are wanted (and associated) again. */
  #giveUp(status: number, text: string): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    this.#waiter = undefined;
    if (this.#held !== undefined) this.#wanted = this.#held;
    const message = `the prefixes could not be associated with the key: HTTP status ${status}${text === '' ? '' : `: ${text}`}`;
    waiter.reject(new PrefixToAPIKeyError(message, { status, serverText: text }));
  }

  #scheduleRenewal(): void {
    this.#cancelRenewal();
    if (!this.#renewing) return;
    const { timers, settings } = this.#options;
    const delayMs =
      this.#lastResult === 'success'
        ? settings.renewalIntervalMs * (0.9 + 0.2 * timers.random())
        : (this.#lastResult === 'refused' ? this.#refusalBackoff : this.#errorBackoff).next();
    this.#cancelRenewal = timers.schedule(() => void this.associate(), delayMs);
  }
}
