/**
 * A session that lasts: one WebSocket connection after the other, with waits between them that spare the service. It
 * retries for ever, or ends with the first connection when told so. An attempt may begin with a trial: a connection that
 * only asks whether the service accepts us.
 */
import { withDefaults } from '../defaults.ts';
import type { Logger } from '../logger.ts';
import type { Redactor } from '../secrets/redaction.ts';
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
  /**
   * Waits after a refusal that is due to a session of our own whose end the service has not noticed yet. Default 5, 10, 20 s and so
   * on up to 60 s, less a tenth at most.
   */
  readonly ghostBackoff: BackoffOptions;
  /** After a connection that lasted this long `backoff` and `refusalBackoff` start from their first wait, ms. Default 60 s. */
  readonly stableAfterMs: number;
}

export const DEFAULT_SESSION_SETTINGS: SessionSettings = {
  ...DEFAULT_CONNECTION_SETTINGS,
  backoff: { baseMs: 1_000, maxMs: 60_000 },
  refusalBackoff: { floorMs: 60_000, baseMs: 120_000, maxMs: 600_000 },
  ghostBackoff: { baseMs: 5_000, maxMs: 60_000, jitter: 0.1 },
  stableAfterMs: 60_000,
};

/** Why an attempt ends without a connection. */
export interface AttemptFailure {
  readonly reason: DisconnectReason;
  readonly detail: string;
  readonly refused: boolean;
  /** What the operator can do, for the log. With it the failure is an error, as it does not pass by itself. */
  readonly hint?: string | undefined;
}

/** Whether a connection may be made now; with `trial`, a trial comes first. */
export type Preparation =
  | { readonly ok: true; readonly trial?: Trial | undefined }
  | ({ readonly ok: false } & AttemptFailure);

/**
 * What follows a connection that only asks whether the service accepts us. Its frames are handed to nobody, as they may
 * belong to somebody else's subscription, and no event speaks of it. Must not reject.
 */
export interface Trial {
  /** The service accepted it. It stays open until this resolves. */
  accepted(): Promise<TrialVerdict>;
  /** The service refused it, with this text. `keep` lets the attempt end with the refusal. */
  refused(detail: string): Promise<TrialVerdict>;
}

/**
 * `connect_again`: the connection that counts is made now, at once. `keep`: the trial is the connection that counts; where it
 * is over, the attempt ends with how it ended. Otherwise the attempt has failed.
 */
export type TrialVerdict = 'connect_again' | 'keep' | AttemptFailure;

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
  /** False: it ends with its first connection or failed attempt, and `connectAgain` does nothing. Default true. */
  readonly reconnect?: boolean;
  /** What must be done before each attempt. Must give up soon after the signal is aborted; must not reject. */
  readonly prepare?: (signal: AbortSignal) => Promise<Preparation>;
  /** The wait after this failure, ms; undefined: that of the settings. */
  readonly delayAfter?: (failure: AttemptFailure) => number | undefined;
  /** See `ConnectionOptions`. */
  readonly refusalOf?: ((frame: Buffer) => string | undefined) | undefined;
  readonly greeting?: (() => Iterable<string>) | undefined;
  readonly timers: Timers;
  readonly redactText: Redactor;
  readonly log: Logger;
}

/** How an attempt ended. */
interface Outcome extends AttemptFailure {
  readonly atMs: number;
  readonly connectedAtMs: number | undefined;
}

/** A connection whose events are handed on, or not yet. */
interface GatedConnection {
  readonly connection: WebSocketConnection;
  /** Resolves when the service has accepted it. */
  readonly accepted: Promise<'accepted'>;
  /** Hands on its events from now on; it counts as connected at once when it was accepted. */
  readonly open: () => void;
}

export class WebSocketSession {
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #settings: SessionSettings;
  readonly #backoff: Backoff;
  readonly #refusalBackoff: Backoff;
  readonly #stopping = new AbortController();
  #connection: WebSocketConnection | undefined;
  /** The same, once its events are handed on. */
  #live: WebSocketConnection | undefined;
  #running: Promise<void> | undefined;
  #paused = false;
  #waiting: AbortController | undefined;
  #again = false;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    this.#settings = withDefaults(DEFAULT_SESSION_SETTINGS, options.settings);
    this.#backoff = new Backoff(this.#settings.backoff, () => options.timers.random());
    this.#refusalBackoff = new Backoff(this.#settings.refusalBackoff, () => options.timers.random());
  }

  /** Begins to connect; returns at once. May be called once. */
  start(): void {
    if (this.#running !== undefined) throw new Error('a WebSocketSession is started once');
    this.#running = this.#run(this.#stopping.signal);
  }

  /**
   * Closes the connection and ends all waits; resolves when closed, within two seconds. The last event is `disconnected`
   * by reason `stopped`, if there was a connection or an attempt at one. Idempotent.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#waiting?.abort();
    this.#connection?.close();
    await this.#running;
  }

  /** Ends the wait for the next attempt, if there is one: what it waited for has changed. */
  retryNow(): void {
    this.#waiting?.abort();
  }

  /**
   * Closes the connection, or ends the wait for one, and connects again at once. An attempt that is under way goes on: its
   * connection is young enough.
   */
  connectAgain(): void {
    if (this.#waiting !== undefined) this.#waiting.abort();
    else if (this.#live !== undefined) {
      this.#again = true;
      this.#live.close();
    }
  }

  /** Sends a text frame. False: there is no connection that is open, and nothing was sent. */
  send(text: string): boolean {
    return this.#live?.send(text) === true;
  }

  /** Backpressure: stops reading, across reconnects, until `resume`. Up to 64 KiB that were read already still come. */
  pause(): void {
    this.#paused = true;
    this.#live?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#live?.resume();
  }

  async #run(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      const outcome = await this.#attempt(stopped);
      if (outcome === undefined) return;
      const isAgain = this.#again && outcome.reason === 'stopped' && !stopped.aborted;
      this.#again = false;
      this.#events.disconnected(outcome.reason, outcome.atMs, outcome.detail, outcome.refused);
      if (isAgain) {
        this.#report(outcome, 0);
        continue;
      }
      if (stopped.aborted || this.#options.reconnect === false) {
        this.#report(outcome, undefined);
        return;
      }
      const lastedMs = outcome.connectedAtMs === undefined ? 0 : outcome.atMs - outcome.connectedAtMs;
      if (lastedMs >= this.#settings.stableAfterMs) {
        this.#backoff.reset();
        this.#refusalBackoff.reset();
      }
      const delayMs =
        this.#options.delayAfter?.(outcome) ?? (outcome.refused ? this.#refusalBackoff : this.#backoff).next();
      this.#report(outcome, delayMs);
      this.#waiting = new AbortController();
      await sleep(this.#options.timers, delayMs, this.#waiting.signal);
      this.#waiting = undefined;
    }
  }

  /** One connection, after a trial where one is due. Undefined when stopped before there was any. */
  async #attempt(stopped: AbortSignal): Promise<Outcome | undefined> {
    const { timers, prepare } = this.#options;
    const prepared = prepare === undefined ? { ok: true as const } : await prepare(stopped);
    if (stopped.aborted) return undefined;
    if (!prepared.ok) return { ...prepared, atMs: timers.now(), connectedAtMs: undefined };
    if (prepared.trial !== undefined) {
      const outcome = await this.#try(prepared.trial, stopped);
      if (outcome !== 'connect_again') return outcome;
    }
    const { connection, open } = this.#connect(false);
    open();
    const end = await connection.ended;
    this.#connection = this.#live = undefined;
    return end;
  }

  async #try(trial: Trial, stopped: AbortSignal): Promise<Outcome | 'connect_again'> {
    const { connection, accepted, open } = this.#connect(true);
    const answer = await Promise.race([connection.ended, accepted]);
    let verdict: TrialVerdict;
    if (answer === 'accepted') verdict = await trial.accepted();
    else if (answer.refused && !stopped.aborted) verdict = await trial.refused(answer.detail);
    else verdict = answer;
    if (verdict === 'keep') open();
    else connection.close();
    const end = await connection.ended;
    this.#connection = this.#live = undefined;
    if (verdict === 'keep' || stopped.aborted) return end;
    if (verdict === 'connect_again') return verdict;
    return { ...verdict, atMs: this.#options.timers.now(), connectedAtMs: undefined };
  }

  #connect(isTrial: boolean): GatedConnection {
    const { timers, log } = this.#options;
    let isLive = false;
    let isAccepted = false;
    let accept: (value: 'accepted') => void;
    const accepted = new Promise<'accepted'>((resolve) => {
      accept = resolve;
    });
    const connected = (atMs: number) => {
      log.info('stream connected');
      this.#events.connected(atMs);
    };
    const connection = new WebSocketConnection(
      { ...this.#options, settings: this.#settings, isTrial },
      {
        opened: (atMs) => {
          if (isLive) this.#events.opened?.(atMs);
        },
        connected: (atMs) => {
          isAccepted = true;
          accept('accepted');
          if (isLive) connected(atMs);
        },
        frames: (frames, receivedAtMs) => (isLive ? this.#events.frames(frames, receivedAtMs) : undefined),
      },
    );
    this.#connection = connection;
    const open = () => {
      isLive = true;
      this.#live = connection;
      if (this.#paused) connection.pause();
      if (isAccepted && connection.isOpen) connected(timers.now());
    };
    return { connection, accepted, open };
  }

  #report({ reason, detail, refused, hint, connectedAtMs }: Outcome, delayMs: number | undefined): void {
    const fields = {
      reason,
      detail: detail === '' ? undefined : detail,
      hint,
      retry_in_seconds: delayMs === undefined ? undefined : Math.round(delayMs) / 1000,
    };
    const { log } = this.#options;
    const ended = connectedAtMs === undefined ? 'stream could not be opened' : 'stream disconnected';
    if (reason === 'stopped') log.info('stream closed', fields);
    else {
      const refusal = refused ? 'stream refused by the service' : ended;
      const what = reason === 'association_failed' ? 'prefixes could not be associated with the key' : refusal;
      log[hint === undefined ? 'warn' : 'error'](what, fields);
    }
  }
}
