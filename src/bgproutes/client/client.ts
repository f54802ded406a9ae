/** The client for programs: subscribe to prefixes, then read what vantage points say of them. */
import type { LiveMessage } from '../../bgp/live-message.ts';
import { parsePrefix } from '../../bgp/prefix.ts';
import { DEFAULTS, withDefaults } from '../../defaults.ts';
import { PrefixToAPIKeyError, StoppedError, WebsocketConnectionError } from '../../errors.ts';
import { checkServiceUrl, streamUrlOf } from '../../http/service-url.ts';
import type { Logger } from '../../logger.ts';
import { EXPECTED_KEY, keyFault } from '../../secrets/api-key.ts';
import { Backoff } from '../../stream/backoff.ts';
import { sleep, systemTimers } from '../../stream/timers.ts';
import { DEFAULT_SESSION_SETTINGS, type SessionSettings } from '../../stream/websocket-session.ts';
import { buildInfo } from '../../version.ts';
import { DataApiClient } from '../data-api/client.ts';
import { type AskedService, type ClaimRequest, type ClaimResult, claimKey } from '../live/association/claim.ts';
import { DECODE_FAILURES, type DecodeFailure } from '../live/message.ts';
import { BgproutesSource } from '../live/source.ts';
import { type DebugLevel, DebugLog } from './debug-log.ts';
import type { ClientEvent } from './events.ts';
import { type ClientCounts, MessageStream } from './message-stream.ts';

/** Where the live stream is. */
export const DEFAULT_WEBSOCKET_URL = DEFAULTS.bgproutes.websocketUrl;
/** Where prefixes are associated with a key. */
export const DEFAULT_LIVE_MANAGER_URL = DEFAULTS.bgproutes.liveManagerUrl;
/** Where the Data API is, which tells what was announced before. */
export const DEFAULT_DATA_API_URL = DEFAULTS.bgproutes.dataApiUrl;

/** Attempts of `subscribe` when nobody answers, and the waits between them. */
const SUBSCRIBE_ATTEMPTS = 5;
const SUBSCRIBE_BACKOFF = { baseMs: 1_000, maxMs: 10_000 };
/** An iteration that begins this soon after `subscribe` assumes that the key still has no other session. */
const CLAIM_MS = 30_000;

/** Everything but the key has a default. */
export interface BgproutesLiveClientOptions {
  /** A key has one session and one list of prefixes at a time. Never printed. */
  readonly apiKey: string;
  /** Default `wss://websocket.bgproutes.io`. */
  readonly websocketUrl?: string;
  /** Default `https://live-manager-api.bgproutes.io`. */
  readonly liveManagerUrl?: string;
  /** Default `https://api.bgproutes.io`. */
  readonly dataApiUrl?: string;
  /**
   * Connect again when a connection breaks, within a second at first and later within a minute, or after minutes when the
   * service says no. A refusal before the first connection ends the iteration all the same: the key is wrong, or in use
   * elsewhere. Default true.
   */
  readonly reconnect?: boolean;
  /** 0 nothing, 1 connections and failures, 2 everything, 3 every frame too. Default 0. */
  readonly debugLevel?: DebugLevel;
  /** Appended to. Default: standard error. */
  readonly debugFile?: string;
  /** A logger that is used instead of file and standard error. Its own level decides what is written; `debugLevel` 3 adds the frames. */
  readonly logger?: Logger;
  /** Times and bounds of connections; those of the exporter by default. */
  readonly connection?: Partial<SessionSettings>;
}

/** What `subscribe` takes. */
export interface SubscribeOptions {
  /** Gives up when aborted. */
  readonly signal?: AbortSignal;
  /**
   * Associates without asking whether another session uses the key: one that does then gets these prefixes rather than its
   * own, or nothing. Default false.
   */
  readonly force?: boolean;
  /**
   * Called with the service that is asked next, for programs that say what they wait for: the stream whether another session
   * uses the key (not with `force`), then the Live Manager API to associate the prefixes; again with every attempt.
   */
  readonly onAsk?: (service: AskedService) => void;
}

/** What `messages` takes. */
export interface MessagesOptions {
  /** Ends the iteration at once when aborted, without an error. */
  readonly signal?: AbortSignal;
  /** Also yield what happens to the connection, and what could not be read. Default false. */
  readonly events?: boolean;
}

/** What was counted since the client was made. */
export interface ClientStats {
  /** Whether messages can come now. */
  readonly connected: boolean;
  readonly connects: number;
  /** Connections that ended, for whatever reason. */
  readonly disconnects: number;
  readonly frames: number;
  readonly receivedBytes: number;
  /** Messages made of frames. */
  readonly messages: number;
  /** Frames that came although reading was paused, and were more than the queue holds. */
  readonly droppedFrames: number;
  /** Frames, or parts of them, that could not be read, by reason. */
  readonly unreadable: Readonly<Record<DecodeFailure, number>>;
}

/**
 * A client of the bgproutes.io live stream, for one API key.
 *
 * ```ts
 * const client = new BgproutesLiveClient({ apiKey: process.env.BGP_API_KEY! });
 * await client.subscribe(['192.23.62.0/24', '2a06:3040:10::/48']);
 * for await (const message of client.messages()) console.log(formatMessage(message));
 * ```
 *
 * Reading slowly is safe: at 1,000 unread frames (or 4 MiB) the client stops reading from the socket until 250 (1 MiB) are
 * left, and the service waits. Nothing runs between iterations: no timer, no socket.
 */
export class BgproutesLiveClient {
  readonly #options: BgproutesLiveClientOptions;
  readonly #log: DebugLog;
  readonly #closing = new AbortController();
  readonly #counts: ClientCounts = {
    connects: 0,
    disconnects: 0,
    frames: 0,
    receivedBytes: 0,
    messages: 0,
    droppedFrames: 0,
    unreadable: Object.fromEntries(DECODE_FAILURES.map((reason) => [reason, 0])) as Record<DecodeFailure, number>,
  };
  /** Subscribed to; empty: what the key has already. */
  #prefixes: readonly string[] = [];
  /** When they were associated, by `elapsed`; an iteration that ended may have left the key to somebody else. */
  #claimedAtMs = Number.NEGATIVE_INFINITY;
  #stream: MessageStream | undefined;
  /** The end of the previous connection: the service refuses a second one of the same key. */
  #formerClosed: Promise<void> = Promise.resolve();
  /** The end of the queue of `subscribe`: one at a time, in order. */
  #subscribed: Promise<void> = Promise.resolve();
  #dataApi: DataApiClient | undefined;

  /**
   * Makes no connection yet. Throws a `TypeError` when the key is empty or has characters that no key has, when a URL is not
   * valid or has a user name, a password or a fragment, and when the debug level is unknown. Throws the error of `node:fs` when the debug file cannot be written.
   */
  constructor(options: BgproutesLiveClientOptions) {
    const { logger, debugLevel = 0, debugFile } = options;
    const apiKey: unknown = typeof options.apiKey === 'string' ? options.apiKey.trim() : options.apiKey;
    const fault = typeof apiKey === 'string' ? keyFault(apiKey) : `it is of type ${typeof apiKey}`;
    if (typeof apiKey !== 'string' || fault !== undefined) {
      throw new TypeError(`apiKey: expected ${EXPECTED_KEY}; ${fault}`);
    }
    checkServiceUrl('websocketUrl', options.websocketUrl, ['ws:', 'wss:']);
    checkServiceUrl('liveManagerUrl', options.liveManagerUrl, ['http:', 'https:']);
    checkServiceUrl('dataApiUrl', options.dataApiUrl, ['http:', 'https:']);
    this.#options = { ...options, apiKey };
    this.#log = new DebugLog({
      level: debugLevel,
      file: debugFile,
      secrets: [apiKey],
      ...(logger === undefined ? {} : { logger }),
    });
  }

  /**
   * Associates prefixes with the key: these, and no others, are streamed from now on. A list, or a text with commas. May be
   * called before an iteration, or during one. While iterating, the association is renewed; without an iteration it ends
   * after 4 hours.
   *
   * A key has one list. So that this client does not take it from another that uses the key, the stream is opened first, for a
   * moment: where the service refuses it because of another session, nothing is associated. `force` does not ask.
   *
   * Rejects with a `WebsocketConnectionError` when another session uses the key (`actor` is `operator`, the cause's `code`
   * `in_use`), and when the stream cannot be opened, so that nobody can say (5 attempts, without `reconnect` one). Rejects
   * with a `PrefixToAPIKeyError` when a text is not a prefix, when the service refuses (`status`, `serverText`), and when it
   * does not answer (no `status`; as many attempts). Rejects with the signal's reason when that is aborted, and with a
   * `StoppedError` when the client is closed.
   */
  async subscribe(
    prefixes: string | readonly string[],
    { signal, force = false, onAsk = () => {} }: SubscribeOptions = {},
  ): Promise<void> {
    this.#refuseClosed();
    const wanted = canonicalPrefixes(prefixes);
    const mine = this.#subscribed.then(async () => {
      await this.#associate(wanted, force, signal, onAsk);
      this.#prefixes = wanted;
      this.#claimedAtMs = systemTimers.elapsed();
      this.#stream?.setPrefixes(wanted);
    });
    this.#subscribed = mine.catch(() => {});
    await mine;
  }

  /**
   * The messages of the stream from now on, one iteration at a time. Connects when the first is asked for, and closes the
   * connection when the iteration ends: by `break`, by an error, by the signal or by `close`. Without `subscribe` before,
   * carries the prefixes that the key has already (associated on the website, say), and then renews nothing.
   *
   * The stream tells only changes, not what vantage points hold already; for that see `dataApi`.
   *
   * The iteration throws a `WebsocketConnectionError` or (the prefixes were refused) a `PrefixToAPIKeyError` when the service
   * refuses the first connection, and, without `reconnect`, when a connection breaks or cannot be made. A frame that cannot be
   * read never ends it; it is counted, and with `events` told.
   */
  messages(options?: MessagesOptions & { readonly events?: false }): AsyncIterableIterator<LiveMessage>;
  messages(options: MessagesOptions): AsyncIterableIterator<LiveMessage | ClientEvent>;
  messages({ signal, events = false }: MessagesOptions = {}): AsyncIterableIterator<LiveMessage | ClientEvent> {
    this.#refuseClosed();
    const { apiKey, websocketUrl, liveManagerUrl, reconnect = true, connection } = this.#options;
    return new MessageStream({
      createSource: () =>
        new BgproutesSource({
          websocketUrl: websocketUrl ?? DEFAULT_WEBSOCKET_URL,
          liveManagerUrl: liveManagerUrl ?? DEFAULT_LIVE_MANAGER_URL,
          sessions: [
            {
              ...{ apiKey, prefixes: this.#prefixes, prefixesOfKey: true },
              isAssociated: systemTimers.elapsed() - this.#claimedAtMs < CLAIM_MS,
            },
          ],
          reconnect,
          ...(connection === undefined ? {} : { connection }),
          userAgent: userAgent(),
          log: this.#log,
        }),
      reconnect,
      wantsEvents: events,
      signal,
      counts: this.#counts,
      log: this.#log,
      onBegin: (stream) => {
        this.#refuseClosed();
        if (this.#stream !== undefined)
          throw new Error('a client has one iteration at a time: end the other one first');
        this.#stream = stream;
        return this.#formerClosed;
      },
      onEnd: (stream, closed) => {
        if (this.#stream === stream) this.#stream = undefined;
        this.#formerClosed = Promise.all([this.#formerClosed, closed]).then(() => {});
      },
    });
  }

  /** The Data API with the same key: what vantage points there are, and what they held before. One client, one quota. */
  get dataApi(): DataApiClient {
    this.#dataApi ??= new DataApiClient({
      apiKey: this.#options.apiKey,
      baseUrl: this.#options.dataApiUrl ?? DEFAULT_DATA_API_URL,
      userAgent: userAgent(),
      log: this.#log,
      signal: this.#closing.signal,
    });
    return this.#dataApi;
  }

  /** A copy that does not change. */
  get stats(): ClientStats {
    return {
      ...this.#counts,
      unreadable: { ...this.#counts.unreadable },
      connected: this.#stream?.isConnected ?? false,
    };
  }

  setDebugLevel(level: DebugLevel): void {
    this.#log.setLevel(level);
  }

  /** Appended to from now on; undefined: standard error. Throws as `node:fs` does when it cannot be written. */
  setDebugFile(file: string | undefined): void {
    this.#log.setFile(file);
  }

  /**
   * Ends the iteration, and rejects with a `StoppedError` what waits: a `subscribe`, requests of `dataApi`. Resolves when the
   * connection is closed, within two seconds. Idempotent.
   */
  async close(): Promise<void> {
    this.#closing.abort(new StoppedError('the client was closed'));
    this.#stream?.stop();
    await Promise.all([this.#formerClosed, this.#subscribed]);
  }

  async #associate(
    prefixes: readonly string[],
    force: boolean,
    given: AbortSignal | undefined,
    onAsk: (service: AskedService) => void,
  ): Promise<void> {
    const { apiKey, websocketUrl, liveManagerUrl, reconnect = true, connection } = this.#options;
    const { signal: closing } = this.#closing;
    const signal = given === undefined ? closing : AbortSignal.any([given, closing]);
    const backoff = new Backoff(SUBSCRIBE_BACKOFF, systemTimers.random);
    const attempts = reconnect ? SUBSCRIBE_ATTEMPTS : 1;
    const request: Omit<ClaimRequest, 'isOurs'> = {
      apiKey,
      streamUrl: streamUrlOf(websocketUrl ?? DEFAULT_WEBSOCKET_URL, apiKey),
      liveManagerUrl: liveManagerUrl ?? DEFAULT_LIVE_MANAGER_URL,
      connection: withDefaults(DEFAULT_SESSION_SETTINGS, connection),
      ...{ prefixes, userAgent: userAgent(), timers: systemTimers, signal, onAsk },
    };
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      // An iteration closes its connection while it ends; a connection of our own would be refused until then.
      if (this.#stream === undefined) await this.#formerClosed;
      signal.throwIfAborted();
      // The one session of the key is our own while an iteration is connected.
      const isOurs = force || this.#stream?.isConnected === true;
      this.#log.debug(
        isOurs ? 'associating the prefixes' : 'associating the prefixes unless another session uses the key',
      );
      const result = await claimKey({ ...request, isOurs });
      signal.throwIfAborted();
      if (result.kind === 'success') {
        this.#log.info('prefixes associated with the key', { prefixes: prefixes.length });
        return;
      }
      const { kind, text } = result;
      const detail = kind === 'refused' ? `HTTP status ${result.status}${text === '' ? '' : `: ${text}`}` : text;
      if (attempt === attempts || kind === 'refused' || kind === 'in_use') {
        this.#log.error('the prefixes could not be associated with the key', { detail });
        throw claimFailure(result, detail);
      }
      this.#log.warn('the prefixes could not be associated with the key', { detail, attempt });
      await sleep(systemTimers, backoff.next(), signal);
    }
  }

  #refuseClosed(): void {
    this.#closing.signal.throwIfAborted();
  }
}

/** Why nothing was associated; the cause's `code` is the kind. */
function claimFailure(result: Exclude<ClaimResult, { readonly kind: 'success' }>, detail: string): Error {
  const { kind, text: serverText } = result;
  const cause = Object.assign(new Error(serverText), { code: kind });
  const said = detail === '' ? '' : `: ${detail}`;
  switch (kind) {
    case 'in_use': {
      const message = `another session uses this API key, so nothing was associated with it${said}`;
      return new WebsocketConnectionError(message, { actor: 'operator', serverText, cause });
    }
    case 'unknown': {
      const message = `the live stream did not say whether another session uses this API key, so nothing was associated with it${said}`;
      return new WebsocketConnectionError(message, { serverText, cause });
    }
    case 'refused': {
      const message = `the prefixes could not be associated with the key${said}`;
      return new PrefixToAPIKeyError(message, { status: result.status, serverText, cause });
    }
    case 'error':
      return new PrefixToAPIKeyError(`the prefixes could not be associated with the key${said}`, { cause });
  }
}

/** What requests call themselves. */
function userAgent(): string {
  return `bgproutes-exporter/${buildInfo({}).version}`;
}

/** Gives the prefixes without duplicates. Throws for a mistake before the service is asked. */
function canonicalPrefixes(prefixes: string | readonly string[]): readonly string[] {
  const texts = typeof prefixes === 'string' ? prefixes.split(',') : prefixes;
  if (!Array.isArray(texts)) throw new TypeError('prefixes: expected a list, or a text with commas');
  const canonical = new Set<string>();
  for (const text of texts) {
    const prefix = parsePrefix(String(text).trim());
    const shown = JSON.stringify(String(text).slice(0, 60));
    if (prefix === undefined) {
      throw new PrefixToAPIKeyError(`not a prefix: ${shown}, expected one such as 192.0.2.0/24 or 2001:db8::/32`, {});
    }
    if (prefix.hadHostBits) {
      throw new PrefixToAPIKeyError(`${shown} has bits set beyond its length, did you mean ${prefix.text}?`, {});
    }
    canonical.add(prefix.text);
  }
  if (canonical.size === 0) throw new PrefixToAPIKeyError('no prefix was given', {});
  return [...canonical];
}
