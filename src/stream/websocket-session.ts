/**
 * A session that lasts: one WebSocket connection after the other, with waits between them that spare the service. It
 * retries for ever, or ends with the first connection when told so.
 */
import { withDefaults } from '../defaults.ts';
import type { Logger } from '../logger.ts';
import type { Redactor } from '../redaction.ts';
import { Backoff, type BackoffOptions } from './backoff.ts';
import type { DisconnectReason } from './source.ts';
import { sleep, type Timers } from './timers.ts';
import {
  type ConnectionEvents,
  type ConnectionSettings,
  DEFAULT_CONNECTION_SETTINGS,
  WebSocketConnection,
} from './websocket-connection.ts';

/** Times and bounds of connections that follow one another. */
export interface SessionSettings extends ConnectionSettings {
  /** Waits after a connection that broke or could not be made. Default within 1 s at first, later within 60 s. */
  readonly backoff: BackoffOptions;
  /** Waits after the service said no: an invalid key must not hammer it. Default 1 to 2 minutes, up to 10. */
  readonly refusalBackoff: BackoffOptions;
  /** After a connection that lasted this long both begin anew, ms. Default 60 s. */
  readonly stableAfterMs: number;
}

export const DEFAULT_SESSION_SETTINGS: SessionSettings = {
  ...DEFAULT_CONNECTION_SETTINGS,
  backoff: { baseMs: 1_000, maxMs: 60_000 },
  refusalBackoff: { floorMs: 60_000, baseMs: 120_000, maxMs: 600_000 },
  stableAfterMs: 60_000,
};

/** Whether a connection may be made now. */
export type Preparation =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: DisconnectReason; readonly detail: string; readonly refused: boolean };

export interface SessionEvents extends ConnectionEvents {
  /**
   * After every connection that ended and every attempt that failed; `detail` is one line for people, maybe empty. `refused`:
   * the service said no, and trying again soon will not help.
   */
  disconnected(reason: DisconnectReason, atMs: number, detail: string, refused: boolean): void;
}

export interface SessionOptions {
  /** With the key in it: never printed. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Defaults to `DEFAULT_SESSION_SETTINGS`, setting by setting. */
  readonly settings?: Partial<SessionSettings>;
  /** False: ends with its first connection or failed attempt. Default true. */
  readonly reconnect?: boolean;
  /** What must be done before each connection. Must give up soon after the signal is aborted; must not reject. */
  readonly prepare?: (signal: AbortSignal) => Promise<Preparation>;
  readonly timers: Timers;
  readonly redactText: Redactor;
  readonly log: Logger;
}

/** How an attempt ended. */
interface Outcome {
  readonly reason: DisconnectReason;
  readonly detail: string;
  readonly refused: boolean;
  readonly atMs: number;
  readonly connectedAtMs: number | undefined;
}

export class WebSocketSession {
  private readonly options: SessionOptions;
  private readonly events: SessionEvents;
  private readonly settings: SessionSettings;
  private readonly backoff: Backoff;
  private readonly refusalBackoff: Backoff;
  private readonly stopping = new AbortController();
  private connection: WebSocketConnection | undefined;
  private running: Promise<void> | undefined;
  private paused = false;
  private waiting: AbortController | undefined;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.options = options;
    this.events = events;
    this.settings = withDefaults(DEFAULT_SESSION_SETTINGS, options.settings);
    this.backoff = new Backoff(this.settings.backoff, () => options.timers.random());
    this.refusalBackoff = new Backoff(this.settings.refusalBackoff, () => options.timers.random());
  }

  /** Begins to connect; returns at once. May be called once. */
  start(): void {
    if (this.running !== undefined) throw new Error('a WebSocketSession is started once');
    this.running = this.run(this.stopping.signal);
  }

  /**
   * Closes the connection and ends all waits; resolves when closed, within two seconds. The last event is `disconnected`
   * by reason `stopped`, if there was a connection or an attempt at one. Idempotent.
   */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.waiting?.abort();
    this.connection?.close();
    await this.running;
  }

  /** Ends the wait for the next attempt, if there is one: what it waited for has changed. */
  retryNow(): void {
    this.waiting?.abort();
  }

  /** Backpressure: stops reading, across reconnects, until `resume`. Up to 64 KiB that were read already still come. */
  pause(): void {
    this.paused = true;
    this.connection?.pause();
  }

  resume(): void {
    this.paused = false;
    this.connection?.resume();
  }

  private async run(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      const outcome = await this.attempt(stopped);
      if (outcome === undefined) return;
      this.events.disconnected(outcome.reason, outcome.atMs, outcome.detail, outcome.refused);
      if (stopped.aborted || this.options.reconnect === false) {
        this.report(outcome, undefined);
        return;
      }
      const lastedMs = outcome.connectedAtMs === undefined ? 0 : outcome.atMs - outcome.connectedAtMs;
      if (lastedMs >= this.settings.stableAfterMs) {
        this.backoff.reset();
        this.refusalBackoff.reset();
      }
      const delayMs = (outcome.refused ? this.refusalBackoff : this.backoff).next();
      this.report(outcome, delayMs);
      this.waiting = new AbortController();
      await sleep(this.options.timers, delayMs, this.waiting.signal);
      this.waiting = undefined;
    }
  }

  /** One connection. Undefined when stopped before there was any. */
  private async attempt(stopped: AbortSignal): Promise<Outcome | undefined> {
    const { timers, prepare, log } = this.options;
    const prepared = prepare === undefined ? { ok: true as const } : await prepare(stopped);
    if (stopped.aborted) return undefined;
    if (!prepared.ok) return { ...prepared, atMs: timers.now(), connectedAtMs: undefined };
    const connection = new WebSocketConnection(
      { ...this.options, settings: this.settings },
      {
        opened: (atMs) => this.events.opened?.(atMs),
        connected: (atMs) => {
          log.info('stream connected');
          this.events.connected(atMs);
        },
        frames: (frames, receivedAtMs) => this.events.frames(frames, receivedAtMs),
      },
    );
    this.connection = connection;
    if (this.paused) connection.pause();
    const end = await connection.ended;
    this.connection = undefined;
    return end;
  }

  private report({ reason, detail, refused }: Outcome, delayMs: number | undefined): void {
    const fields = {
      reason,
      detail: detail === '' ? undefined : detail,
      retry_in_seconds: delayMs === undefined ? undefined : delayMs / 1000,
    };
    if (reason === 'stopped') this.options.log.info('stream disconnected', fields);
    else this.options.log.warn(refused ? 'stream refused by the service' : 'stream disconnected', fields);
  }
}
