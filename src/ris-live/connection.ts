/**
 * One connection to RIS Live and its subscriptions. Up means: connected, and everything that was asked for was answered.
 *
 * The service can fall silent without closing the connection, and it can fall behind. Both are a gap: the connection is
 * made once more.
 */
import type { Logger } from '../logger.ts';
import { foreignText, redactor } from '../secrets/redaction.ts';
import type { DisconnectReason } from '../stream/source.ts';
import type { Timers } from '../stream/timers.ts';
import { type SessionSettings, WebSocketSession } from '../stream/websocket-session.ts';
import { DelayWatch, LATE_FOR_MS } from './delay-watch.ts';
import { decodeRisFrame } from './message.ts';
import { ALL_PEERS, ONLY_LIFE, Subscriber } from './subscriber.ts';

export interface RisConnectionOptions {
  readonly url: URL;
  readonly userAgent: string | undefined;
  /** No frame of any kind for so long is a gap, ms. */
  readonly staleAfterMs: number;
  readonly connection: Partial<SessionSettings> | undefined;
  /** False: ends with its first connection or failed attempt. */
  readonly reconnect: boolean;
  readonly timers: Timers;
  readonly log: Logger;
}

export interface RisConnectionEvents {
  /** No more is read until a promise that it gives is fulfilled. */
  frames(frames: readonly Buffer[], receivedAtMs: number): Promise<void> | void;
  /** What was asked for is answered, and the service speaks; called each time. */
  settled(): void;
  /** The connection ended, an attempt at one failed, or nothing since `atMs` can be relied on. */
  lost(reason: DisconnectReason, atMs: number, detail: string, refused: boolean): void;
  /** The service does not take this prefix, or something else that was asked for; `text` is what it says. */
  refused(what: string, text: string): void;
  /** The service takes no more on this connection; these prefixes are the connection's no longer. */
  full(prefixes: readonly string[], text: string): void;
}

/** Between two questions whether the service still answers, ms. */
const PING_MS = 30_000;

/** A silence is counted in so many beats, so that a process that was suspended does not take its own absence for it. */
const BEATS = 6;

/** An error that ends the connection; recorded: "Closing connection after being behind by more than …". */
const CLOSING = /^closing connection/i;

const PING = JSON.stringify({ type: 'ping', data: null });
const redactText = redactor([]);

export class RisConnection {
  readonly #options: RisConnectionOptions;
  readonly #events: RisConnectionEvents;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #delay = new DelayWatch();
  readonly #socket: WebSocketSession;
  readonly #isFirst: boolean;
  #subscriber: Subscriber | undefined;
  #prefixes: readonly string[];
  /** It was told as lost before the connection ended, and the next one is made at once. */
  #isAgain = false;
  #cancelTimers: (() => void)[] = [];
  /** Frames of this connection so far, how many of them are messages, and when the newest frame came, Unix ms. */
  #frames = 0;
  #messages = 0;
  #lastFrameAtMs = 0;
  /** Beats in a row without a frame, and without a message; and beats in a row that had messages. */
  #silent = 0;
  #mute = 0;
  #lively = 0;
  /** The service has refused to take more. */
  isFull = false;

  /**
   * @param isFirst it tells the states of the peers, which one connection of a session is enough for
   * @param closing resolves when those before it are closed
   */
  constructor(
    options: RisConnectionOptions,
    prefixes: readonly string[],
    isFirst: boolean,
    closing: () => Promise<void>,
    events: RisConnectionEvents,
  ) {
    const { url, userAgent, connection, reconnect, timers, log } = options;
    this.#options = options;
    this.#events = events;
    this.#timers = timers;
    this.#log = log;
    this.#prefixes = prefixes;
    this.#isFirst = isFirst;
    this.#socket = new WebSocketSession(
      {
        ...{ url, reconnect, timers, redactText, log },
        headers: userAgent === undefined ? {} : { 'user-agent': userAgent },
        settings: connection ?? {},
        prepare: async () => {
          await closing();
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
          if (!wasTold) events.lost(reason, atMs, detail, refused);
        },
      },
    );
  }

  start(): void {
    this.#socket.start();
  }

  /** The prefixes that the connection is to carry. */
  get prefixes(): readonly string[] {
    return this.#prefixes;
  }

  /** How many of them the service has taken. */
  get accepted(): number {
    return this.#subscriber?.accepted.size ?? 0;
  }

  /** The connection is up when the service has said something and has answered what was asked for. */
  get isUp(): boolean {
    return this.#frames > 0 && this.#subscriber?.isSettled === true;
  }

  /** An open connection is asked for the difference; `settled` follows. */
  setPrefixes(prefixes: readonly string[]): void {
    this.#prefixes = prefixes;
    this.#subscriber?.change(prefixes);
  }

  async stop(): Promise<void> {
    this.#leave();
    this.#isAgain = false;
    await this.#socket.stop();
  }

  /** A connection is there: everything is asked for. */
  #begin(): void {
    this.#frames = this.#messages = this.#silent = this.#mute = this.#lively = 0;
    this.#lastFrameAtMs = this.#timers.now();
    this.#delay.reset();
    this.#repeat(PING_MS, () => this.#socket.send(PING));
    const { staleAfterMs } = this.#options;
    let [frames, messages] = [0, 0];
    this.#repeat(staleAfterMs / BEATS, () => {
      this.#beat(this.#frames - frames, this.#messages - messages);
      [frames, messages] = [this.#frames, this.#messages];
    });
    // Sent at once, so that a service that answers nothing else shows whether it lives.
    this.#socket.send(PING);
    this.isFull = false;
    this.#subscriber = new Subscriber(
      {
        timers: this.#timers,
        send: (text) => this.#socket.send(text),
        onSettled: () => {
          if (this.#frames > 0) this.#events.settled();
        },
        onRefused: (what, text) => this.#events.refused(what, text),
        onFull: (left, text) => this.#full(left, text),
      },
      this.#prefixes,
      this.#isFirst ? ALL_PEERS : ONLY_LIFE,
    );
  }

  #full(left: readonly string[], text: string): void {
    const isLeft = new Set(left);
    this.#prefixes = this.#prefixes.filter((prefix) => !isLeft.has(prefix));
    this.isFull = true;
    this.#events.full(left, text);
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

  #take(frames: readonly Buffer[], receivedAtMs: number): Promise<void> | void {
    const wasUp = this.isUp;
    this.#lastFrameAtMs = receivedAtMs;
    let stampMs: number | undefined;
    for (const frame of frames) {
      const head = headOf(frame);
      if (isMessage(head)) {
        this.#messages++;
        stampMs ??= stampOf(head);
      } else this.#control(frame, receivedAtMs);
    }
    this.#frames += frames.length;
    const caughtUp = this.#events.frames(frames, receivedAtMs);
    if (!wasUp && this.isUp) this.#events.settled();
    if (stampMs !== undefined && this.#delay.note(this.#timers.elapsed(), receivedAtMs - stampMs)) {
      const seconds = Math.round(this.#delay.behindMs / 1000);
      this.#lose(
        receivedAtMs - this.#delay.behindMs,
        `messages have been late for ${LATE_FOR_MS / 60_000} minutes, now by ${seconds} s`,
      );
    }
    return caughtUp;
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
    // Missing messages mean something only where messages came all the time before. Pongs prove little, because a proxy may send them.
    if (this.#mute >= BEATS && this.#lively >= BEATS) {
      this.#lose(this.#timers.now() - this.#options.staleAfterMs, `no message for ${seconds} s`);
      return;
    }
    if (messages > 0) this.#lively++;
    else if (this.#lively < BEATS) this.#lively = 0;
  }

  /** Nothing that came since `atMs` can be relied on: the connection is made once more. */
  #lose(atMs: number, detail: string, reason: DisconnectReason = 'timeout'): void {
    if (this.#subscriber === undefined) return;
    this.#leave();
    this.#isAgain = true;
    this.#log.warn('the stream is not reliable: connecting again', { detail });
    this.#events.lost(reason, atMs, detail, false);
    this.#socket.connectAgain();
  }

  /** The connection is over, or is not listened to any more. */
  #leave(): void {
    for (const cancel of this.#cancelTimers.splice(0)) cancel();
    this.#subscriber?.stop();
    this.#subscriber = undefined;
  }
}

/** The first bytes of a frame, as text: what kind it is of, and most often its timestamp. */
export function headOf(frame: Buffer): string {
  return frame.toString('latin1', 0, 80);
}

/** Whether the frame is about a peer rather than about the connection. */
export function isMessage(head: string): boolean {
  return head.includes('"ris_message"');
}

/** Unix ms of a message, by its first bytes; undefined where the timestamp stands elsewhere. */
function stampOf(head: string): number | undefined {
  const match = /"timestamp": ?"?([0-9]{1,10}(?:\.[0-9]{1,9})?)/.exec(head);
  return match === null ? undefined : Number(match[1]) * 1000;
}
