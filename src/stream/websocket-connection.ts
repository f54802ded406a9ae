/**
 * One WebSocket (RFC 6455) from handshake to end. Frames are handed on undecoded; everything that can go wrong ends in
 * one value. What comes after it (waiting, connecting again) is websocket-session.ts.
 */
import type { SecureContext } from 'node:tls';
import { type ClientOptions, WebSocket } from 'ws';
import { trustedCas, tunnelTo } from '../http/ways-out.ts';
import { errorText, foreignText, type Redactor } from '../secrets/redaction.ts';
import type { DisconnectReason } from './source.ts';
import type { Timers } from './timers.ts';

/** Bounds and times of one connection. */
export interface ConnectionSettings {
  /** From the first packet to the answer 101, ms. Default 15 s. */
  readonly handshakeTimeoutMs: number;
  /**
   * A refusal comes as the first frame. A connection counts as connected when its first frame is not a refusal, or when it has been
   * open this long without a frame, ms. Default 250.
   */
  readonly settleMs: number;
  /** Time between pings, ms. Default 10 s. */
  readonly pingIntervalMs: number;
  /** Without any sign of life after a ping for this long, the connection is dead, ms. Default 30 s. */
  readonly pingTimeoutMs: number;
  /** Largest frame, bytes; a larger one ends the connection. Default 1 MiB. */
  readonly maxFrameBytes: number;
}

export const DEFAULT_CONNECTION_SETTINGS: ConnectionSettings = {
  handshakeTimeoutMs: 15_000,
  settleMs: 250,
  pingIntervalMs: 10_000,
  pingTimeoutMs: 30_000,
  maxFrameBytes: 1024 * 1024,
};

/** How long the closing handshake may take, ms. Less than the two seconds a source has for stopping. */
const CLOSE_TIMEOUT_MS = 1_000;

/** How much of the body of an answer other than 101 is read for its text, bytes. */
const MAX_ANSWER_BYTES = 4 * 1024;

/**
 * Packets (64 KiB at most) that are read before all others have their turn, some milliseconds of work. libuv alone would
 * read up to 32 of them: scrapes and timers would wait for 8,000 frames.
 */
const PACKETS_A_TURN = 4;
/**
 * After this much work, ms, the turn takes no more packets: one of tiny or broken frames costs far more than one of messages.
 * The time is apart from in-turns.ts because the socket gives the packets: it is paused and resumed, and not asked for the next.
 */
const TURN_MS = 5;

/** The least time that a trial waits for a refusal, ms, unless connections settle sooner. */
const TRIAL_SETTLE_MS = 50;

/** HTTP statuses that a repetition will not change soon: the key, or too many requests. */
const REFUSING_STATUSES: ReadonlySet<number> = new Set([401, 403, 429]);

export interface ConnectionEnd {
  readonly reason: DisconnectReason;
  /** For people: what the server or the network said; one line, bounded, secrets redacted. May be empty. */
  readonly detail: string;
  /** The service said no: trying again soon will not help. */
  readonly refused: boolean;
  /** Unix ms. For `timeout` the last sign of life. */
  readonly atMs: number;
  /** When it counted as connected, Unix ms; undefined when it never did. */
  readonly connectedAtMs: number | undefined;
}

export interface ConnectionEvents {
  /** Open; whether the service refuses it shows within `settleMs`. */
  opened?(atMs: number): void;
  connected(atMs: number): void;
  /**
   * The frames of a packet, after `connected`. The buffers share memory with what came in the same packet: copy one to keep
   * it for long. No more are read until a promise that it gives is fulfilled; those of a packet may still come.
   */
  frames(frames: readonly Buffer[], receivedAtMs: number): Promise<void> | void;
}

export interface ConnectionOptions {
  /** With the key in it: never printed. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly settings: ConnectionSettings;
  readonly timers: Timers;
  readonly redactText: Redactor;
  /**
   * The service's text when a frame says that it refuses us, which ends the connection; undefined for any other frame.
   * Called for every frame. Default: no frame is a refusal.
   */
  readonly refusalOf?: ((frame: Buffer) => string | undefined) | undefined;
  /** Texts that are sent, in their order, as soon as the connection is open: what the service must be told first. Default: none. */
  readonly greeting?: (() => Iterable<string>) | undefined;
  /**
   * Only asks whether the service refuses. Waits for that three times as long as the handshake took, 50 ms at least: longer
   * than `settleMs` where the service is far away, as somebody else's session hangs on it, and shorter where it is near.
   * Default false.
   */
  readonly isTrial?: boolean;
}

export class WebSocketConnection {
  /** Resolves once, when the connection is over or could not be made; never rejects. No event follows. */
  readonly ended: Promise<ConnectionEnd>;
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #socket: WebSocket;
  #resolveEnded!: (end: ConnectionEnd) => void;
  #opened = false;
  #closing = false;
  #over = false;
  #connectedAtMs: number | undefined;
  #paused = false;
  /** Promises of the listener that are not fulfilled: it has enough frames for now. */
  #waitsFor = 0;
  #lastLifeAtMs: number;
  /** Frames of the packet that is being read, and when it came, Unix ms. */
  #packet: Buffer[] = [];
  #packetAtMs = 0;
  /** Packets that were read in this turn of the event loop. */
  #packets = 0;
  /** When the first packet of this turn came, by `elapsed`. */
  #turnBeganMs = 0;
  /** Whether anything came since the last ping. */
  #alive = true;
  #silentMs = 0;
  #cancelTimer: () => void = () => {};
  /** When the attempt began, by `elapsed`. */
  readonly #beganMs: number;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#beganMs = options.timers.elapsed();
    this.#events = events;
    this.#lastLifeAtMs = options.timers.now();
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const { settings, timers } = options;
    const socketOptions: ClientOptions & {
      readonly closeTimeout: number;
      readonly secureContext: SecureContext | undefined;
    } = {
      // Inflating costs about 100 times what reading plain frames does.
      perMessageDeflate: false,
      maxPayload: settings.maxFrameBytes,
      // A frame that is not UTF-8 is the decoder's to refuse and count; validated here it would end the connection.
      skipUTF8Validation: true,
      followRedirects: false,
      headers: { ...options.headers },
      closeTimeout: CLOSE_TIMEOUT_MS,
      agent: tunnelTo(options.url),
      secureContext: options.url.protocol === 'wss:' ? trustedCas() : undefined,
    };
    this.#socket = new WebSocket(options.url, socketOptions);
    this.#socket.on('error', this.#onError);
    this.#socket.on('unexpected-response', (request, response) => {
      const status = response.statusCode ?? 0;
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = () => {
        const text = foreignText(Buffer.concat(chunks).toString(), options.redactText);
        const detail = `HTTP status ${status}${text === '' ? '' : `: ${text}`}`;
        this.#end('connect_failed', detail, REFUSING_STATUSES.has(status));
        request.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk.subarray(0, MAX_ANSWER_BYTES - size));
        size += chunk.length;
        if (size >= MAX_ANSWER_BYTES) finish();
      });
      response.on('end', finish);
      response.on('error', finish);
    });
    this.#socket.on('open', this.#onOpen);
    this.#socket.on('message', this.#onMessage);
    this.#socket.on('ping', this.#onLife);
    this.#socket.on('pong', this.#onLife);
    this.#socket.on('close', this.#onClose);
    // This is the time for the whole handshake: the timeout that `ws` has starts again with every byte.
    this.#cancelTimer = timers.schedule(() => {
      this.#end('connect_failed', `no answer to the handshake within ${settings.handshakeTimeoutMs / 1000} s`);
    }, settings.handshakeTimeoutMs);
  }

  /** Whether frames can still come. */
  get isOpen(): boolean {
    return this.#opened && !this.#over && !this.#closing;
  }

  /** Ends the connection from our side, with a closing handshake when it is open. Idempotent. */
  close(): void {
    if (this.#over || this.#closing) return;
    this.#closing = true;
    if (!this.#opened) {
      this.#end('stopped', '');
      return;
    }
    // No more events; `ended` waits for the handshake, which has a second. A paused socket would not see it.
    this.#packet = [];
    this.#silence();
    this.#socket.resume();
    this.#socket.close(1000);
  }

  /** Sends a text frame. False: the connection is not open, and nothing was sent. */
  send(text: string): boolean {
    if (!this.isOpen) return false;
    this.#socket.send(text);
    return true;
  }

  /**
   * Stops reading: the server's TCP window fills, nothing is dropped here. Frames of the packet that is being read (up to
   * 64 KiB) still come. The heartbeat waits meanwhile.
   */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#silentMs = 0;
    this.#alive = true;
    if (this.#waitsFor === 0) this.#socket.resume();
  }

  readonly #onOpen = (): void => {
    if (this.#over) return;
    const { settings, timers } = this.#options;
    this.#cancelTimer();
    this.#opened = true;
    this.#lastLifeAtMs = timers.now();
    if (this.#paused) this.#socket.pause();
    const handshakeMs = timers.elapsed() - this.#beganMs;
    const settleMs =
      this.#options.isTrial === true
        ? Math.max(Math.min(settings.settleMs, TRIAL_SETTLE_MS), 3 * handshakeMs)
        : settings.settleMs;
    // A refusal may have come while this process did other work: the sockets are read once more before it is over.
    this.#cancelTimer = timers.schedule(() => setImmediate(this.#settle), settleMs);
    for (const text of this.#options.greeting?.() ?? []) this.#socket.send(text);
    this.#events.opened?.(this.#lastLifeAtMs);
  };

  /** Nobody refused us: from here on the connection counts. */
  readonly #settle = (): void => {
    if (this.#connectedAtMs !== undefined || this.#socket.readyState !== WebSocket.OPEN) return;
    const { settings, timers } = this.#options;
    this.#cancelTimer();
    this.#connectedAtMs = timers.now();
    this.#socket.ping();
    this.#cancelTimer = timers.schedule(this.#beat, settings.pingIntervalMs);
    this.#events.connected(this.#connectedAtMs);
  };

  /**
   * Counts silence in beats rather than by the clock: a process that was suspended, or whose clock was set, does not take
   * its own absence for the server's.
   */
  readonly #beat = (): void => {
    const { settings, timers } = this.#options;
    this.#silentMs = this.#alive || this.#paused || this.#waitsFor > 0 ? 0 : this.#silentMs + settings.pingIntervalMs;
    this.#alive = false;
    if (this.#silentMs >= settings.pingTimeoutMs) {
      this.#end('timeout', `no answer to a ping within ${settings.pingTimeoutMs / 1000} s`);
      return;
    }
    this.#socket.ping();
    this.#cancelTimer = timers.schedule(this.#beat, settings.pingIntervalMs);
  };

  readonly #onLife = (): void => {
    this.#alive = true;
    this.#lastLifeAtMs = this.#options.timers.now();
  };

  readonly #onMessage = (data: WebSocket.RawData): void => {
    const frame = data as Buffer; // `ws` gives one Buffer a message unless told otherwise
    const refusal = this.#options.refusalOf?.(frame);
    if (refusal !== undefined) {
      this.#end('refused', foreignText(refusal, this.#options.redactText), true);
      return;
    }
    if (this.#packet.length === 0) this.#beginPacket();
    this.#packet.push(frame);
  };

  /**
   * Frames of one packet were received at one moment, and are handed on together: what is done for many at once costs each
   * of them much less.
   */
  #beginPacket(): void {
    const nowMs = this.#options.timers.now();
    this.#packetAtMs = nowMs;
    process.nextTick(this.#endPacket);
    if (this.#packets++ === 0) {
      setImmediate(this.#endTurn);
      this.#turnBeganMs = this.#options.timers.elapsed();
    }
    if (this.#packets === PACKETS_A_TURN) this.#socket.pause();
    this.#alive = true;
    this.#lastLifeAtMs = nowMs;
    if (this.#connectedAtMs === undefined) this.#settle();
  }

  readonly #endPacket = (): void => {
    const frames = this.#packet;
    if (frames.length === 0) return;
    this.#packet = [];
    const caughtUp = this.#events.frames(frames, this.#packetAtMs);
    if (caughtUp instanceof Promise) this.#wait(caughtUp);
    if (this.#over || this.#closing || this.#packets >= PACKETS_A_TURN) return;
    if (this.#options.timers.elapsed() - this.#turnBeganMs < TURN_MS) return;
    this.#packets = PACKETS_A_TURN;
    this.#socket.pause();
  };

  #wait(caughtUp: Promise<void>): void {
    if (this.#over || this.#closing) return;
    this.#waitsFor++;
    this.#socket.pause();
    void caughtUp.then(() => {
      if (--this.#waitsFor === 0 && !this.#paused) this.resume();
    });
  }

  readonly #endTurn = (): void => {
    const waits = this.#packets >= PACKETS_A_TURN;
    this.#packets = 0;
    if (waits && !this.#paused && this.#waitsFor === 0) this.#socket.resume();
  };

  readonly #onError = (error: Error & { readonly code?: unknown }): void => {
    if (this.#over) return;
    const detail = errorText(error, this.#options.redactText);
    const code = typeof error.code === 'string' ? error.code : '';
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code === 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH') {
      this.#end('frame_too_large', `a frame of more than ${this.#options.settings.maxFrameBytes} bytes`);
    } else if (code.startsWith('WS_ERR_')) {
      this.#end('protocol_error', detail);
    } else {
      this.#end(this.#opened ? 'closed' : 'connect_failed', detail);
    }
  };

  readonly #onClose = (code: number, text: Buffer): void => {
    const said = foreignText(text.toString(), this.#options.redactText);
    // 1008 is "policy violation", 4000 to 4999 are the application's own (RFC 6455 section 7.4): a server that turns us away.
    const refused = this.#connectedAtMs === undefined && (code === 1008 || (code >= 4000 && code <= 4999));
    this.#end('closed', `close code ${code}${said === '' ? '' : `: ${said}`}`, refused);
  };

  /** The first cause counts; what follows from it (a close after an error) does not. */
  #end(reason: DisconnectReason, detail: string, refused = false): void {
    if (this.#over) return;
    this.#endPacket();
    this.#silence();
    this.#over = true;
    this.#socket.terminate();
    this.#resolveEnded({
      reason: this.#closing ? 'stopped' : reason,
      detail: this.#closing ? '' : detail,
      refused,
      atMs: reason === 'timeout' ? this.#lastLifeAtMs : this.#options.timers.now(),
      connectedAtMs: this.#connectedAtMs,
    });
  }

  #silence(): void {
    this.#cancelTimer();
    this.#socket.off('message', this.#onMessage);
    this.#socket.off('open', this.#onOpen);
  }
}
