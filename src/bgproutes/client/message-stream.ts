/** One iteration over the live stream: frames from the source through a bounded queue to whoever reads. */

import { type LiveMessage, messagesOf } from '../../bgp/live-message.ts';
import { PrefixToAPIKeyError, WebsocketConnectionError } from '../../errors.ts';
import type { DisconnectReason, SourceListener } from '../../stream/source.ts';
import { type DecodeFailure, decodeMessage } from '../live/message.ts';
import type { BgproutesSource } from '../live/source.ts';
import type { DebugLog } from './debug-log.ts';
import type { ClientEvent } from './events.ts';
import { ClientQueue, type QueueBounds } from './queue.ts';

/** What a client has gone through since it was made. Mutable on the client's side only. */
export interface ClientCounts {
  connects: number;
  disconnects: number;
  frames: number;
  receivedBytes: number;
  messages: number;
  droppedFrames: number;
  readonly unreadable: Record<DecodeFailure, number>;
}

export interface MessageStreamOptions {
  /** Makes a source of one session; called once, when somebody begins to read. The stream starts and stops it. */
  readonly createSource: () => BgproutesSource;
  readonly reconnect: boolean;
  readonly wantsEvents: boolean;
  readonly signal: AbortSignal | undefined;
  readonly counts: ClientCounts;
  readonly log: DebugLog;
  readonly queueBounds?: QueueBounds;
  /** Called when somebody begins to read; throws when that cannot be. Resolves when a connection may be made. */
  readonly onBegin: (stream: MessageStream) => Promise<void>;
  /** Called once when the stream is over; `closed` settles when its connection is. */
  readonly onEnd: (stream: MessageStream, closed: Promise<void>) => void;
}

type Item = LiveMessage | ClientEvent;
type Result = IteratorResult<Item, undefined>;

interface Waiter {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

const DONE: Result = { done: true, value: undefined };

export class MessageStream implements AsyncIterableIterator<Item> {
  readonly #options: MessageStreamOptions;
  readonly #queue: ClientQueue;
  #source: BgproutesSource | undefined;
  readonly #waiters: Waiter[] = [];
  /** Messages of the last frame that were decoded and not read yet. */
  #ready: Item[] = [];
  #state: 'new' | 'running' | 'over' = 'new';
  /** Thrown once, when everything that came before was read. */
  #failure: Error | undefined;
  #isPaused = false;
  #isConnected = false;
  #everConnected = false;
  #goneSinceMs: number | undefined;
  #closed: Promise<void> = Promise.resolve();
  readonly #reported = new Set<DecodeFailure>();

  constructor(options: MessageStreamOptions) {
    this.#options = options;
    this.#queue = new ClientQueue(options.queueBounds);
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#state === 'new') {
      if (this.#options.signal?.aborted === true) this.stop();
      else {
        try {
          this.#begin();
        } catch (error) {
          return Promise.reject(error);
        }
      }
    }
    const item = this.#take();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    if (this.#state === 'over') return this.#end();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** What `break` does: closes the connection; resolves when it is closed, within two seconds. */
  async return(): Promise<Result> {
    this.stop();
    await this.#closed;
    return DONE;
  }

  /** Other prefixes from now on; what went wrong with them is the source's to repeat and to log. */
  setPrefixes(prefixes: readonly string[]): void {
    this.#source?.setPrefixes(0, prefixes).catch(() => {});
  }

  /** Ends at once: what was not read is forgotten, and everybody who waits is told that it is over. */
  stop(): void {
    this.#failure = undefined;
    this.#queue.clear();
    this.#ready = [];
    this.#finish();
    for (const { resolve } of this.#waiters.splice(0)) resolve(DONE);
  }

  #begin(): void {
    const { createSource, signal, onBegin } = this.#options;
    const mayConnect = onBegin(this);
    this.#state = 'running';
    signal?.addEventListener('abort', this.#onAbort);
    void mayConnect.then(() => {
      if (this.#state !== 'running') return;
      this.#source = createSource();
      this.#source.start(this.#listener);
    });
  }

  readonly #onAbort = (): void => this.stop();

  #finish(): void {
    if (this.#state === 'over') return;
    const wasRunning = this.#state === 'running';
    this.#state = 'over';
    if (this.#isConnected) this.#options.counts.disconnects++;
    this.#isConnected = false;
    if (!wasRunning) return;
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#closed = this.#source?.stop() ?? Promise.resolve();
    this.#options.onEnd(this, this.#closed);
  }

  async #end(): Promise<Result> {
    const failure = this.#failure;
    if (failure === undefined) return DONE;
    this.#failure = undefined;
    // The error comes only when the connection is closed: a caller that tries again at once must not be a second session of the key.
    await this.#closed;
    throw failure;
  }

  #takeIn(data: Buffer, receivedAtMs: number): void {
    if (this.#state !== 'running') return;
    const { counts, log } = this.#options;
    counts.frames++;
    counts.receivedBytes += data.length;
    log.frame(data);
    if (!this.#queue.pushFrame(data, receivedAtMs)) counts.droppedFrames++;
    this.#serve();
    if (!this.#isPaused && this.#queue.wantsPause) {
      this.#isPaused = true;
      this.#source?.pause(0);
    }
  }

  readonly #listener: SourceListener = {
    frames: (_session, frames, receivedAtMs) => {
      for (const frame of frames) this.#takeIn(frame, receivedAtMs);
    },
    connected: (_session, atMs) => {
      if (this.#state !== 'running') return;
      this.#options.counts.connects++;
      const gapMs = this.#goneSinceMs === undefined ? undefined : Math.max(0, atMs - this.#goneSinceMs);
      this.#goneSinceMs = undefined;
      this.#isConnected = true;
      this.#everConnected = true;
      this.#tell({ type: 'connected', atMs, gapMs });
    },
    disconnected: (_session, reason, atMs, detail, refused) => {
      if (this.#state !== 'running') return;
      if (this.#isConnected) {
        this.#options.counts.disconnects++;
        this.#goneSinceMs = atMs;
      }
      this.#isConnected = false;
      // A refusal before the first connection is the key's, or the prefixes': nothing that waiting would mend.
      // `stopped` does not end it either: the source connects once more, with other prefixes.
      const willReconnect = reason === 'stopped' || (this.#options.reconnect && (!refused || this.#everConnected));
      this.#tell({ type: 'disconnected', atMs, reason, detail, refused, willReconnect });
      if (!willReconnect) this.#fail(failureOf(reason, detail, refused));
    },
  };

  #tell(event: ClientEvent): void {
    if (!this.#options.wantsEvents) return;
    this.#queue.pushEvent(event);
    this.#serve();
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#finish();
    const [first, ...others] = this.#waiters.splice(0);
    if (first !== undefined) void this.#end().then(first.resolve, first.reject);
    for (const { resolve } of others) resolve(DONE);
  }

  #serve(): void {
    while (this.#waiters.length > 0) {
      const item = this.#take();
      if (item === undefined) return;
      this.#waiters.shift()?.resolve({ done: false, value: item });
    }
  }

  /** The next message or event, if there is one. */
  #take(): Item | undefined {
    while (this.#ready.length === 0) {
      const item = this.#queue.shift();
      if (this.#isPaused && !this.#queue.wantsPause) {
        this.#isPaused = false;
        this.#source?.resume(0);
      }
      if (item === undefined) return undefined;
      if (item.type !== 'frame') this.#ready.push(item);
      else this.#decode(item.data, item.receivedAtMs);
    }
    return this.#ready.shift();
  }

  #decode(data: Buffer, receivedAtMs: number): void {
    const { counts } = this.#options;
    const result = decodeMessage(data);
    if (!result.ok) {
      this.#unreadable(result.reason, receivedAtMs, result.keys);
      return;
    }
    for (const reason of result.failures) this.#unreadable(reason, receivedAtMs);
    const { withdrawn, announced } = result.update;
    // Later: what the source then tells must come after the message, and not in the middle of reading it.
    queueMicrotask(() => this.#source?.heard(0, [...withdrawn, ...announced], receivedAtMs));
    const messages = messagesOf(result.update);
    counts.messages += messages.length;
    this.#ready.push(...messages);
  }

  #unreadable(reason: DecodeFailure, atMs: number, keys?: readonly string[]): void {
    const { counts, log, wantsEvents } = this.#options;
    counts.unreadable[reason]++;
    if (!this.#reported.has(reason)) {
      this.#reported.add(reason);
      log.warn('a frame could not be read; others for the same reason are only counted', {
        reason,
        keys: keys?.join(' '),
      });
    }
    if (wantsEvents) this.#ready.push({ type: 'unreadable', atMs, reason, ...(keys === undefined ? {} : { keys }) });
  }
}

/** What was said is in the message, in `serverText`, and in a cause whose `code` is the reason. */
function failureOf(reason: DisconnectReason, detail: string, refused: boolean): Error {
  const said = detail === '' ? '' : `: ${detail}`;
  const cause = Object.assign(new Error(detail === '' ? reason : detail), { code: reason });
  if (reason === 'association_failed') {
    const message = `the prefixes could not be associated with the key${said}`;
    return new PrefixToAPIKeyError(message, { serverText: detail, cause });
  }
  const what = refused ? 'the service refused the live stream' : 'the live stream was cut off, or could not be opened';
  return new WebsocketConnectionError(`${what}${said}`, {
    actor: refused ? 'operator' : 'service',
    serverText: detail,
    cause,
  });
}
