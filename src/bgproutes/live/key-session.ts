/**
 * A key's connection and association. Up means: connected, and associated for all that is known.
 *
 * The service has one session and one list of prefixes a key. So that a client that the service is about to refuse takes no
 * list from the one that lives, a connection comes first, with whatever list the key has; only when that is accepted, or
 * refused for another reason, are the prefixes associated, and then the connection is made that counts. No source says
 * whether a session that is open takes a new list: nothing here depends on it.
 */
import { StoppedError } from '../../errors.ts';
import { streamUrlOf } from '../../http/service-url.ts';
import type { Logger } from '../../logger.ts';
import type { DisconnectReason, SourceListener, SubscribedStats } from '../../stream/source.ts';
import { createStreamStats, createSubscriptionStats, markDown, markIdle, markUp } from '../../stream/stream-health.ts';
import { systemTimers, type Timers } from '../../stream/timers.ts';
import { DEFAULT_SESSION_SETTINGS, WebSocketSession } from '../../stream/websocket-session.ts';
import { Association, associationSettings } from './association/association.ts';
import { KeyTrial } from './association/key-trial.ts';
import { refusalText } from './association/refusal.ts';
import { SessionKey } from './association/session-key.ts';
import { Contest } from './contest.ts';
import { Ghost } from './ghost.ts';
import { ListGuard } from './list-guard.ts';
import { Silence } from './silence.ts';
import type { BgproutesSourceOptions, SessionOfKey } from './source-options.ts';

/** After a gap of up to this, the list is taken for ours still, and only renewed once the connection is there. */
const BRIEF_GAP_MS = 60_000;

export class KeySession {
  readonly stats: SubscribedStats;
  readonly #index: number;
  readonly #key: SessionKey;
  readonly #options: BgproutesSourceOptions;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #association: Association;
  #listener: SourceListener | undefined;
  #socket: WebSocketSession | undefined;
  #connected = false;
  #isConnectingAgain = false;
  /** The connection before, while it closes: the service refuses a second one of the same key. */
  #closing: Promise<void> = Promise.resolve();
  #paused = false;
  #stopped = false;

  readonly #ghost: Ghost;

  /** Until when the list of the key was ours, by `elapsed`, for all that is known. */
  #oursUntilMs = Number.NEGATIVE_INFINITY;
  /** The list was associated for the connection that is made next. */
  #isFresh = false;
  readonly #trial: KeyTrial;
  /** The connection that is made began as a trial, or followed one. */
  #hadTrial = false;
  /** What the key surely had when the connection was made. */
  #connectedWith: readonly string[] = [];
  readonly #guard = new ListGuard();
  readonly #seen = new Set<string>();

  /** Somebody has replaced the list, and ours was not associated since. */
  #isReplaced = false;
  readonly #contest: Contest;
  #cancelReclaim: () => void = () => {};

  readonly #silence = new Silence();

  constructor(source: string, index: number, session: SessionOfKey, options: BgproutesSourceOptions) {
    const { prefixes, prefixesOfKey = false, isAssociated = false } = session;
    this.#key = new SessionKey(session);
    const { timers = systemTimers } = options;
    this.#index = index;
    this.#options = options;
    this.#timers = timers;
    this.#log = options.log.child({ source, session: String(index) });
    this.stats = {
      ...createStreamStats(source, String(index), timers.now()),
      subscription: createSubscriptionStats(),
    };
    this.stats.idle = prefixes.length === 0 && !prefixesOfKey;
    this.#ghost = new Ghost(timers, options.connection?.ghostBackoff ?? DEFAULT_SESSION_SETTINGS.ghostBackoff);
    this.#contest = new Contest(timers);
    this.#association = new Association(
      {
        key: this.#key,
        onKeyRefused: session.onKeyRefused,
        liveManagerUrl: new URL(options.liveManagerUrl).href,
        userAgent: options.userAgent,
        settings: associationSettings(options.association),
        stats: this.stats,
        timers,
        log: this.#log,
        onAssociated: (atMs) => this.#onAssociated(atMs),
        onExpired: (atMs) => this.#onExpired(atMs),
      },
      prefixes,
    );
    const onOpen = () => this.#ghost.seen();
    this.#trial = new KeyTrial({ association: this.#association, timers, log: this.#log, onOpen });
    if (isAssociated && prefixes.length > 0) {
      this.#association.adopt();
      this.#noteAssociated(timers.now());
      this.#ghost.seen();
    }
  }

  start(listener: SourceListener): void {
    if (this.#listener !== undefined) throw new Error('a source is started once');
    this.#listener = listener;
    if (this.stats.idle !== true) this.#connect();
  }

  setPrefixes(prefixes: readonly string[]): Promise<void> {
    if (this.#stopped) return Promise.reject(new StoppedError('the source was stopped'));
    if (prefixes.length === 0) return this.#becomeIdle();
    const running = this.#socket !== undefined;
    // Without a session of ours another client may have one, and this list is not to be taken from it.
    const done = this.#association.setPrefixes(prefixes, this.#connected);
    this.#guard.want(prefixes);
    if (this.#connected) this.#association.startRenewing();
    else this.#socket?.retryNow();
    this.stats.idle = false;
    if (!running && this.#listener !== undefined) this.#connect();
    return done;
  }

  /**
   * A message came about these prefixes. It may show that the list of the key is somebody else's; nothing need be told of a
   * message in which something is monitored.
   * @param receivedAtMs a message that was held is looked at late
   */
  heard(prefixes: readonly string[], receivedAtMs: number): void {
    if (!this.stats.up || this.#association.prefixes.length === 0) return;
    switch (this.#guard.judge(prefixes, receivedAtMs, this.#timers.elapsed())) {
      case 'ours':
        return;
      case 'former':
        this.#tellList('an open session keeps the list that its key had when it began');
        return;
      case 'foreign':
        // The list was ours when the connection began.
        if (this.#connectedWith.length > 0) this.#tellList('an open session follows the list of its key');
        this.#onReplaced(prefixes[0]);
    }
  }

  /** The key is another one from now on. What the service knows of the one before is left to expire. */
  keyReplaced(): void {
    this.#key.replaced(this.#connected);
    if (this.#stopped || this.stats.idle === true) return;
    this.#log.info('the API key was replaced: connecting with the new one');
    this.#cancelReclaim();
    this.#association.forget();
    if (this.#connected) this.#connectAgain(this.#timers.now(), 'with the new API key');
    else this.#socket?.connectAgain();
    this.#isReplaced = this.#isFresh = false;
    this.#oursUntilMs = Number.NEGATIVE_INFINITY;
    this.#ghost.forget();
  }

  unhealthy(): string | undefined {
    const isHealthy = this.stats.idle === true || this.#association.isHealthy(this.#timers.now());
    return isHealthy ? undefined : 'the association of its prefixes could not be renewed';
  }

  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket?.resume();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelReclaim();
    this.#association.stop();
    this.#isConnectingAgain = false;
    await Promise.all([this.#socket?.stop(), this.#closing]);
  }

  /** No document says what the service does with a new list while a session is open, so what is seen is logged, once. */
  #tellList(seen: string): void {
    if (this.#seen.has(seen)) return;
    this.#seen.add(seen);
    this.#log.info(seen);
  }

  #connect(): void {
    const options = this.#options;
    const key = this.#key;
    const socket = new WebSocketSession(
      {
        get url() {
          return streamUrlOf(options.websocketUrl, key.text);
        },
        headers: options.userAgent === undefined ? {} : { 'user-agent': options.userAgent },
        settings: options.connection,
        reconnect: options.reconnect,
        prepare: async () => {
          await this.#closing;
          key.try();
          this.#hadTrial = !this.#hasOurList();
          return { ok: true, trial: this.#hadTrial ? this.#trial : undefined };
        },
        delayAfter: (failure) =>
          key.takeRetry() ? 0 : this.#ghost.isMet(failure) ? this.#ghost.nextDelayMs() : undefined,
        timers: this.#timers,
        refusalOf: refusalText,
        redactText: key.redact,
        log: this.#log,
      },
      {
        opened: (atMs) => {
          // This is told only where a refusal is unlikely, because the key had no other session a moment ago.
          if (this.#isFresh && this.#isAssociated(atMs)) this.#listener?.opened?.(this.#index, atMs);
        },
        connected: (atMs) => this.#onConnected(atMs),
        frames: (frames, receivedAtMs) => {
          this.stats.frames += frames.length;
          for (const { length } of frames) this.stats.receivedBytes += length;
          return this.#listener?.frames(this.#index, frames, receivedAtMs);
        },
        disconnected: (reason, atMs, detail, refused) => this.#onDisconnected(reason, atMs, detail, refused),
      },
    );
    this.#socket = socket;
    if (this.#paused) socket.pause();
    socket.start();
  }

  /**
   * Whether a connection can be made without a trial: the key still has a list of ours, or none is ours to give. Where a
   * reload has asked for another one meanwhile, that is associated once the connection is there.
   */
  #hasOurList(): boolean {
    const { prefixes } = this.#association;
    if (prefixes.length === 0) return true;
    const isBrief = this.#timers.elapsed() - this.#oursUntilMs < BRIEF_GAP_MS;
    return isBrief && this.#association.isValid(this.#timers.now());
  }

  #onConnected(atMs: number): void {
    if (this.#key.isOutdated) {
      this.#isConnectingAgain = true;
      this.#socket?.connectAgain();
      return;
    }
    const isFresh = this.#isFresh;
    // Nobody answered, so the trial was kept: whose list it carries is not sure.
    const isKept = this.#hadTrial && !isFresh;
    this.#isFresh = false;
    this.#connected = true;
    this.#ghost.passed();
    this.stats.connects++;
    const association = this.#association;
    this.#connectedWith = isKept ? [] : (association.associated ?? []);
    this.#guard.begin();
    this.#guard.want(association.prefixes);
    this.#guard.add(association.associated ?? []);
    this.#silence.begin(this.#updates());
    if (this.#isAssociated(atMs)) this.#up(atMs);
    if (association.prefixes.length === 0) return;
    association.startRenewing();
    // In the gap another client may have come and gone, or a reload have asked for other prefixes.
    if (!isKept && !(isFresh && association.isHeld(atMs))) void association.associate();
  }

  #onDisconnected(reason: DisconnectReason, atMs: number, detail: string, refused: boolean): void {
    const nowMs = this.#timers.elapsed();
    if (this.#connected) this.#ghost.seen();
    if (this.stats.up) this.#oursUntilMs = nowMs;
    this.#connected = false;
    this.#cancelReclaim();
    this.#association.stopRenewing();
    const isAgain = this.#isConnectingAgain && reason === 'stopped';
    this.#isConnectingAgain = false;
    // A connection that is made once more was told as down when that was decided.
    if (isAgain) return;
    this.#isFresh = false;
    this.#down(reason, atMs, detail, refused && !this.#ghost.isMet({ refused, detail }));
  }

  #becomeIdle(): Promise<void> {
    const socket = this.#socket;
    this.#cancelReclaim();
    this.#isReplaced = this.#isConnectingAgain = false;
    this.#association.clear();
    markIdle(this.stats, this.#timers.elapsed());
    if (socket === undefined) return this.#closing;
    this.#socket = undefined;
    this.#closing = socket.stop();
    return this.#closing;
  }

  /** The list of a session that is open may be that of its beginning: a new connection surely has the new one. */
  #connectAgain(atMs: number, why = 'with the new prefixes'): void {
    this.#isFresh = this.#isConnectingAgain = true;
    if (this.stats.up) this.#down('stopped', atMs, `connecting once more, ${why}`, false);
    this.#socket?.connectAgain();
  }

  /** Whether the key has the prefixes that are known here. If none are known, the prefixes that it was given elsewhere count. */
  #isAssociated(atMs: number): boolean {
    return this.#association.prefixes.length === 0 || this.#association.isValid(atMs);
  }

  #noteAssociated(atMs: number): void {
    this.#oursUntilMs = this.#timers.elapsed();
    this.#guard.associated(atMs, this.#oursUntilMs);
    this.#isFresh = true;
  }

  #onAssociated(atMs: number): void {
    const sinceMs = this.#guard.associatedAtMs;
    this.#noteAssociated(atMs);
    this.#cancelReclaim();
    if (!this.#connected) return;
    const has = new Set(this.#connectedWith);
    const hasAll = this.#association.associated?.every((prefix) => has.has(prefix)) === true;
    const { up } = this.stats;
    if (this.#isReplaced || !up || !hasAll) {
      this.#isReplaced = false;
      this.#connectAgain(atMs);
    } else {
      this.#isFresh = false;
      this.#lookForSilence(atMs, sinceMs);
    }
  }

  /** The connection stays: it may still speak, and without the Live Manager API another could not be had. */
  #onExpired(atMs: number): void {
    if (this.stats.up) {
      this.#down('association_failed', atMs, 'the association of the prefixes may have expired', false);
    }
  }

  /** When it was replaced is not known: nothing since the last association can be relied on. */
  #onReplaced(prefix: string): void {
    const { stats } = this;
    stats.subscription.losses++;
    const { isContested, delayMs } = this.#contest.replaced(this.#timers.elapsed());
    this.#isReplaced = true;
    this.#association.forget();
    this.#oursUntilMs = Number.NEGATIVE_INFINITY;
    const what = isContested
      ? 'the list of the key was replaced once more: another client fights over this key'
      : 'another client has replaced the list of the key: the stream carries its prefixes, not ours';
    this.#log.error(what, { heard: prefix, associated_again_in_seconds: delayMs / 1000 });
    this.#down(
      'association_failed',
      this.#guard.associatedAtMs,
      'another client replaced the prefixes of the key',
      false,
    );
    this.#cancelReclaim();
    this.#cancelReclaim = this.#timers.schedule(() => void this.#association.associate(), delayMs);
  }

  /** Where the session fell silent, the list may have been somebody else's: what may be missing is read from the history. */
  #lookForSilence(atMs: number, sinceMs: number): void {
    if (!this.#silence.renewed(this.#updates())) return;
    this.#log.warn(
      'no message since the last renewal: another client may have replaced the list of the key meanwhile',
      {
        silent_seconds: Math.round((atMs - sinceMs) / 1000),
      },
    );
    this.#down(
      'stopped',
      sinceMs,
      'the stream was silent, perhaps because another client had replaced the list of the key',
      false,
    );
    this.#connectAgain(atMs);
  }

  #updates(): number {
    return this.#listener?.updates?.(this.#index) ?? this.stats.frames;
  }

  #up(atMs: number): void {
    if (this.stats.up) return;
    markUp(this.stats, this.#timers.elapsed());
    this.#listener?.connected(this.#index, atMs);
  }

  #down(reason: DisconnectReason, atMs: number, detail: string, refused: boolean): void {
    this.stats.disconnects[reason]++;
    // `atMs` may be some seconds ago, the last sign of life; by the clock that is not set it is as long ago.
    markDown(this.stats, this.#timers.elapsed() - Math.max(0, this.#timers.now() - atMs));
    this.#listener?.disconnected(this.#index, reason, atMs, detail, refused);
  }
}
