/**
 * The bgproutes.io live stream as a source: one session a key, each with its own connection, association and fate.
 */
import { StoppedError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { redactor } from '../redaction.ts';
import type { DisconnectReason, SourceListener, StreamSource, StreamStats } from '../stream/source.ts';
import { createStreamStats, markDown, markIdle, markUp } from '../stream/stream-health.ts';
import { systemTimers, type Timers } from '../stream/timers.ts';
import { type SessionSettings, WebSocketSession } from '../stream/websocket-session.ts';
import { Association, type AssociationSettings, associationSettings } from './association.ts';

/** A key and what its session is to carry. */
export interface SessionOfKey {
  readonly apiKey: string;
  readonly prefixes: readonly string[];
  /**
   * Connect without prefixes too, for those that the key was given elsewhere: nothing is associated and nothing renewed
   * until `setPrefixes`. Default false: a session without prefixes is idle.
   */
  readonly prefixesOfKey?: boolean;
}

export interface BgproutesSourceOptions {
  /** Such as `wss://websocket.bgproutes.io`. */
  readonly websocketUrl: string;
  /** Such as `https://live-manager-api.bgproutes.io`. */
  readonly liveManagerUrl: string;
  /** One a key: the service has one session a key at a time. Prefixes in canonical text; none: the session is idle. */
  readonly sessions: readonly SessionOfKey[];
  readonly association?: Partial<AssociationSettings>;
  readonly connection?: Partial<SessionSettings>;
  /** False: every session ends with its first connection or failed attempt. Default true. */
  readonly reconnect?: boolean;
  /** What requests call themselves, `name/version`. */
  readonly userAgent?: string;
  /** Default: the real clock. */
  readonly timers?: Timers;
  readonly log: Logger;
}

export class BgproutesSource implements StreamSource {
  readonly name = 'bgproutes';
  readonly stats: readonly StreamStats[];
  private readonly sessions: readonly KeySession[];

  /** Throws a `TypeError` when a URL is none. */
  constructor(options: BgproutesSourceOptions) {
    this.sessions = options.sessions.map((session, index) => new KeySession(this.name, index, session, options));
    this.stats = this.sessions.map((session) => session.stats);
  }

  start(listener: SourceListener): void {
    for (const session of this.sessions) session.start(listener);
  }

  setPrefixes(session: number, prefixes: readonly string[]): Promise<void> {
    return this.at(session).setPrefixes(prefixes);
  }

  /**
   * False when the session's last renewal failed and less than half of the association's time is left: somebody should look
   * before the stream falls silent. True for an idle session.
   */
  renewalHealthy(session: number): boolean {
    return this.at(session).renewalHealthy();
  }

  /** Backpressure: stops reading, across reconnects, until `resume`. Up to 64 KiB that were read already still come. */
  pause(session: number): void {
    this.at(session).pause();
  }

  resume(session: number): void {
    this.at(session).resume();
  }

  async stop(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.stop()));
  }

  private at(index: number): KeySession {
    const session = this.sessions[index];
    if (session === undefined) throw new RangeError(`there is no session ${index}`);
    return session;
  }
}

/** A key's connection and association. Up means: connected, and associated for all that is known. */
class KeySession {
  readonly stats: StreamStats;
  private readonly index: number;
  private readonly url: URL;
  private readonly options: BgproutesSourceOptions;
  private readonly timers: Timers;
  private readonly log: Logger;
  private readonly association: Association;
  private readonly redactText: (text: string) => string;
  private listener: SourceListener | undefined;
  private socket: WebSocketSession | undefined;
  private connected = false;
  /** The former connection, while it closes: the service refuses a second one of the same key. */
  private closing: Promise<void> = Promise.resolve();
  private paused = false;
  private stopped = false;

  constructor(
    source: string,
    index: number,
    { apiKey, prefixes, prefixesOfKey = false }: SessionOfKey,
    options: BgproutesSourceOptions,
  ) {
    this.index = index;
    this.options = options;
    this.timers = options.timers ?? systemTimers;
    this.log = options.log.child({ source, session: String(index) });
    this.redactText = redactor([apiKey]);
    this.url = new URL(options.websocketUrl);
    const key = `api_key=${encodeURIComponent(apiKey)}`;
    this.url.search = this.url.search === '' ? key : `${this.url.search}&${key}`;
    this.stats = createStreamStats(source, String(index), this.timers.now());
    this.stats.idle = prefixes.length === 0 && !prefixesOfKey;
    this.association = new Association(
      {
        apiKey,
        liveManagerUrl: new URL(options.liveManagerUrl).href,
        userAgent: options.userAgent,
        settings: associationSettings(options.association),
        stats: this.stats,
        timers: this.timers,
        log: this.log,
        onAssociated: (atMs) => this.onAssociated(atMs),
        onExpired: (atMs) => this.onExpired(atMs),
      },
      prefixes,
    );
  }

  start(listener: SourceListener): void {
    if (this.listener !== undefined) throw new Error('a source is started once');
    this.listener = listener;
    if (this.stats.idle !== true) this.connect();
  }

  setPrefixes(prefixes: readonly string[]): Promise<void> {
    if (this.stopped) return Promise.reject(new StoppedError('the source was stopped'));
    if (prefixes.length === 0) return this.becomeIdle();
    const running = this.socket !== undefined;
    const done = this.association.setPrefixes(prefixes, running);
    if (this.connected) this.association.startRenewing();
    this.stats.idle = false;
    if (!running && this.listener !== undefined) this.connect();
    return done;
  }

  renewalHealthy(): boolean {
    return this.stats.idle === true || this.association.isHealthy(this.timers.now());
  }

  pause(): void {
    this.paused = true;
    this.socket?.pause();
  }

  resume(): void {
    this.paused = false;
    this.socket?.resume();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.association.stop();
    await Promise.all([this.socket?.stop(), this.closing]);
  }

  private connect(): void {
    const { options, timers, log, url, redactText, association } = this;
    const socket = new WebSocketSession(
      {
        url,
        headers: options.userAgent === undefined ? {} : { 'user-agent': options.userAgent },
        settings: options.connection,
        reconnect: options.reconnect,
        prepare: async () => {
          await this.closing;
          return association.prefixes.length === 0 ? { ok: true } : association.prepare();
        },
        timers,
        redactText,
        log,
      },
      {
        opened: (atMs) => {
          if (this.isAssociated(atMs)) this.listener?.opened?.(this.index, atMs);
        },
        connected: (atMs) => this.onConnected(atMs),
        frames: (frames, receivedAtMs) => {
          this.stats.frames += frames.length;
          for (const { length } of frames) this.stats.receivedBytes += length;
          this.listener?.frames(this.index, frames, receivedAtMs);
        },
        disconnected: (reason, atMs, detail, refused) => {
          this.connected = false;
          this.association.stopRenewing();
          this.down(reason, atMs, detail, refused);
        },
      },
    );
    this.socket = socket;
    if (this.paused) socket.pause();
    socket.start();
  }

  private becomeIdle(): Promise<void> {
    const { socket } = this;
    this.association.clear();
    markIdle(this.stats, this.timers.elapsed());
    if (socket === undefined) return this.closing;
    this.socket = undefined;
    this.closing = socket.stop();
    return this.closing;
  }

  private onConnected(atMs: number): void {
    this.connected = true;
    this.stats.connects++;
    if (this.association.prefixes.length > 0) this.association.startRenewing();
    if (this.isAssociated(atMs)) this.up(atMs);
  }

  /** With the prefixes that are known here; without any, those that the key was given elsewhere count. */
  private isAssociated(atMs: number): boolean {
    return this.association.prefixes.length === 0 || this.association.isValid(atMs);
  }

  private onAssociated(atMs: number): void {
    if (this.connected) this.up(atMs);
    else this.socket?.retryNow();
  }

  /** The connection stays: it may still speak, and without the Live Manager API another could not be had. */
  private onExpired(atMs: number): void {
    if (this.stats.up) this.down('association_failed', atMs, 'the association of the prefixes may have expired', false);
  }

  private up(atMs: number): void {
    if (this.stats.up) return;
    markUp(this.stats, this.timers.elapsed());
    this.listener?.connected(this.index, atMs);
  }

  private down(reason: DisconnectReason, atMs: number, detail: string, refused: boolean): void {
    this.stats.disconnects[reason]++;
    // `atMs` may be some seconds ago, the last sign of life; by the clock that is not set it is as long ago.
    markDown(this.stats, this.timers.elapsed() - Math.max(0, this.timers.now() - atMs));
    this.listener?.disconnected(this.index, reason, atMs, detail, refused);
  }
}
