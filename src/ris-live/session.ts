/**
 * One connection to RIS Live and its subscriptions. Up means: connected, and everything that was asked for was answered.
 *
 * The service can fall silent without closing the connection, and it can fall behind. Both are a gap: the connection is
 * made once more.
 */
import { StoppedError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { foreignText, redactor } from '../redaction.ts';
import type { DisconnectReason, SourceListener, StreamStats } from '../stream/source.ts';
import { createStreamStats, markDown, markIdle, markUp } from '../stream/stream-health.ts';
import type { Timers } from '../stream/timers.ts';
import { type SessionSettings, WebSocketSession } from '../stream/websocket-session.ts';
import { DelayWatch, LATE_FOR_MS } from './delay-watch.ts';
import { decodeRisFrame } from './message.ts';
import { Subscriber } from './subscriber.ts';

export interface RisSessionOptions {
  readonly url: URL;
  readonly userAgent: string | undefined;
  /** No frame of any kind for so long is a gap, ms. */
  readonly staleAfterMs: number;
  readonly connection: Partial<SessionSettings> | undefined;
  /** False: the session ends with its first connection or failed attempt. */
  readonly reconnect: boolean;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Between two questions whether the service still answers, ms. */
const PING_MS = 30_000;

/** A silence is counted in so many beats, so that a process that was suspended does not take its own absence for it. */
const BEATS = 6;

/** An error that ends the connection; recorded: "Closing connection after being behind by more than …". */
const CLOSING = /^closing connection/i;

/** Refused prefixes that are named in the log one by one. */
const MAX_TOLD = 10;

const PING = JSON.stringify({ type: 'ping', data: null });
const redactText = redactor([]);

export class RisSession {
  readonly stats: StreamStats;
  readonly #index: number;
  readonly #options: RisSessionOptions;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #delay = new DelayWatch();
  #listener: SourceListener | undefined;
  #socket: WebSocketSession | undefined;
  #subscriber: Subscriber | undefined;
  #prefixes: readonly string[];
  readonly #refused = new Set<string>();
  #isStopped = false;
  /** It was told as down before the connection ended, and the next one is made at once. */
  #isAgain = false;
  /** The connection before, while it closes. */
  #closing: Promise<void> = Promise.resolve();
  #cancelTimers: (() => void)[] = [];
  /** Of this connection: frames so far, those of them that are messages, and receipt of the newest as Unix ms. */
  #frames = 0;
  #messages = 0;
  #lastFrameAtMs = 0;
  /** Beats in a row without a frame, and without a message; and beats in a row that had messages. */
  #silent = 0;
  #mute = 0;
  #lively = 0;
  /** Who waits until the prefixes are subscribed. */
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  constructor(source: string, index: number, prefixes: readonly string[], options: RisSessionOptions) {
    this.#index = index;
    this.#options = options;
    this.#timers = options.timers;
    this.#log = options.log.child({ source, session: String(index) });
    this.#prefixes = prefixes;
    this.stats = createStreamStats(source, String(index), options.timers.now());
    this.stats.idle = prefixes.length === 0;
  }

  start(listener: SourceListener): void {
    if (this.#listener !== undefined) throw new Error('a source is started once');
    this.#listener = listener;
    if (this.#prefixes.length > 0) this.#connect();
  }

  /** The connection stays, and is asked for the difference. */
  setPrefixes(prefixes: readonly string[]): Promise<void> {
    if (this.#isStopped) return Promise.reject(new StoppedError('the source was stopped'));
    this.#rejectWaiting('the prefixes were replaced again');
    this.#prefixes = prefixes;
    if (prefixes.length === 0) return this.#becomeIdle();
    this.stats.idle = false;
    for (const prefix of this.#refused) if (!prefixes.includes(prefix)) this.#refused.delete(prefix);
    const settled = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    settled.catch(() => {}); // whoever asked may have stopped waiting
    if (this.#subscriber !== undefined) this.#subscriber.change(prefixes);
    else if (this.#socket === undefined && this.#listener !== undefined) this.#connect();
    return settled;
  }

  unhealthy(): string | undefined {
    if (this.#refused.size === 0) return undefined;
    const [first] = this.#refused;
    const others = this.#refused.size === 1 ? '' : ` and ${this.#refused.size - 1} more`;
    return `RIS Live refuses the subscription of ${first}${others}`;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#isAgain = false;
    this.#leave();
    this.#rejectWaiting('the source was stopped');
    await Promise.all([this.#socket?.stop(), this.#closing]);
  }

  #connect(): void {
    const { url, userAgent, connection, reconnect, timers } = this.#options;
    this.#socket = new WebSocketSession(
      {
        ...{ url, reconnect, timers, redactText, log: this.#log },
        headers: userAgent === undefined ? {} : { 'user-agent': userAgent },
        settings: connection ?? {},
        prepare: async () => {
          await this.#closing;
          return { ok: true };
        },
      },
      {
        connected: () => this.#begin(),
        frames: (frames, receivedAtMs) => this.#take(frames, receivedAtMs),
        disconnected: (reason, atMs, detail, refused) => {
          this.#leave();
          // It was told when that was decided.
          const wasTold = this.#isAgain && reason === 'stopped';
          this.#isAgain = false;
          if (!wasTold) this.#down(reason, atMs, detail, refused);
        },
      },
    );
    this.#socket.start();
  }

  /** A connection is there: everything is asked for. */
  #begin(): void {
    this.#frames = this.#messages = this.#silent = this.#mute = this.#lively = 0;
    this.#lastFrameAtMs = this.#timers.now();
    this.#delay.reset();
    this.#repeat(PING_MS, () => this.#socket?.send(PING));
    const { staleAfterMs } = this.#options;
    let [frames, messages] = [0, 0];
    this.#repeat(staleAfterMs / BEATS, () => {
      this.#beat(this.#frames - frames, this.#messages - messages);
      [frames, messages] = [this.#frames, this.#messages];
    });
    // Sent at once, so that a service that answers nothing else shows whether it lives.
    this.#socket?.send(PING);
    this.#subscriber = new Subscriber(
      {
        timers: this.#timers,
        send: (text) => this.#socket?.send(text),
        onSettled: () => this.#settled(),
        onRefused: (what, text) => this.#onRefused(what, text),
      },
      this.#prefixes,
    );
  }

  #repeat(everyMs: number, work: () => void): void {
    const place = this.#cancelTimers.length;
    const again = (): void => {
      this.#cancelTimers[place] = this.#timers.schedule(() => {
        again();
        work();
      }, everyMs);
    };
    again();
  }

  /** Everything was asked for. Where the service has not said a word yet, its first one counts. */
  #settled(): void {
    const { stats } = this;
    stats.subscribedPrefixes = this.#subscriber?.accepted.size ?? 0;
    if (this.#frames === 0) return;
    if (!stats.up) {
      markUp(stats, this.#timers.elapsed());
      stats.connects++;
      this.#listener?.connected(this.#index, this.#timers.now());
    }
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #take(frames: readonly Buffer[], receivedAtMs: number): void {
    const { stats } = this;
    stats.frames += frames.length;
    this.#lastFrameAtMs = receivedAtMs;
    let stampMs: number | undefined;
    for (const frame of frames) {
      stats.receivedBytes += frame.length;
      const head = frame.toString('latin1', 0, 80);
      if (head.includes('"ris_message"')) {
        this.#messages++;
        stampMs ??= stampOf(head);
      } else this.#control(frame, receivedAtMs);
    }
    this.#frames += frames.length;
    this.#listener?.frames(this.#index, frames, receivedAtMs);
    if (!stats.up && this.#subscriber?.isSettled === true) this.#settled();
    if (stampMs !== undefined && this.#delay.note(this.#timers.elapsed(), receivedAtMs - stampMs)) {
      const seconds = Math.round(this.#delay.behindMs / 1000);
      this.#lose(
        receivedAtMs - this.#delay.behindMs,
        `messages have been late for ${LATE_FOR_MS / 60_000} minutes, now by ${seconds} s`,
      );
    }
  }

  /** A frame that is about the connection. */
  #control(data: Buffer, receivedAtMs: number): void {
    const frame = decodeRisFrame(data);
    if (frame.kind === 'subscribed') this.#subscriber?.acknowledged();
    if (frame.kind !== 'error') return;
    const text = foreignText(frame.text, redactText);
    if (CLOSING.test(text)) this.#lose(receivedAtMs, text, 'closed');
    else if (this.#subscriber?.refused(text) !== true) this.#log.warn('RIS Live reports an error', { detail: text });
  }

  /** What came since the last beat. */
  #beat(frames: number, messages: number): void {
    this.#silent = frames > 0 ? 0 : this.#silent + 1;
    this.#mute = messages > 0 ? 0 : this.#mute + 1;
    const seconds = this.#options.staleAfterMs / 1000;
    if (this.#silent >= BEATS) {
      this.#lose(this.#lastFrameAtMs, `no frame for ${seconds} s`);
      return;
    }
    // Only where messages came all the time does their absence say something: pongs alone may be answered by a proxy.
    if (this.#mute >= BEATS && this.#lively >= BEATS) {
      this.#lose(this.#timers.now() - this.#options.staleAfterMs, `no message for ${seconds} s`);
      return;
    }
    if (messages > 0) this.#lively++;
    else if (this.#lively < BEATS) this.#lively = 0;
  }

  #onRefused(what: string, text: string): void {
    const isPrefix = this.#prefixes.includes(what);
    if (!isPrefix) {
      this.#log.info('RIS Live refuses a subscription that the exporter can do without', { what, detail: text });
      return;
    }
    this.#refused.add(what);
    if (this.#refused.size <= MAX_TOLD) this.#log.error('RIS Live refuses a prefix', { prefix: what, detail: text });
  }

  /** Nothing that came since `atMs` can be relied on: the connection is made once more. */
  #lose(atMs: number, detail: string, reason: DisconnectReason = 'timeout'): void {
    if (this.#subscriber === undefined) return;
    this.#leave();
    this.#isAgain = true;
    this.#log.warn('the stream is not to be relied on: connecting again', { detail });
    this.#down(reason, atMs, detail, false);
    this.#socket?.connectAgain();
  }

  #down(reason: DisconnectReason, atMs: number, detail: string, refused: boolean): void {
    markDown(this.stats, this.#timers.elapsed());
    this.stats.disconnects[reason]++;
    this.#listener?.disconnected(this.#index, reason, atMs, detail, refused);
  }

  /** The connection is over, or is not listened to any more. */
  #leave(): void {
    for (const cancel of this.#cancelTimers.splice(0)) cancel();
    this.#subscriber?.stop();
    this.#subscriber = undefined;
    this.stats.subscribedPrefixes = 0;
  }

  #becomeIdle(): Promise<void> {
    const socket = this.#socket;
    this.#leave();
    this.#refused.clear();
    this.#isAgain = false;
    markIdle(this.stats, this.#timers.elapsed());
    if (socket === undefined) return this.#closing;
    this.#socket = undefined;
    this.#closing = socket.stop();
    return this.#closing;
  }

  #rejectWaiting(why: string): void {
    for (const { reject } of this.#waiting.splice(0)) reject(new StoppedError(why));
  }
}

/** Unix ms of a message, by its first bytes; undefined where the timestamp stands elsewhere. */
function stampOf(head: string): number | undefined {
  const match = /"timestamp": ?"?([0-9]{1,10}(?:\.[0-9]{1,9})?)/.exec(head);
  return match === null ? undefined : Number(match[1]) * 1000;
}
