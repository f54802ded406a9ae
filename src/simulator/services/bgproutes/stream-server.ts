/** The live stream: who is connected, and who gets which message (PROTOCOL: one session per API key). */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../../../logger.ts';
import { refuseUpgrade, requestUrl } from '../http-exchange.ts';
import type { Association, Associations } from './associations.ts';
import type { StreamMessage } from './stream-message.ts';
import { type StreamCounts, StreamSession } from './stream-session.ts';

export interface StreamServerOptions {
  readonly apiKeys: ReadonlySet<string>;
  readonly associations: Associations;
  readonly maxPendingBytes: number;
  /** 0: clients are not asked for signs of life. */
  readonly heartbeatMs: number;
  readonly logger: Logger | undefined;
  /** Whether a session that is open follows the list of its key; false: it keeps the one of its beginning. */
  readonly sessionTakesList: boolean;
  /** Whether a key without prefixes may connect. */
  readonly acceptsWithoutPrefixes: boolean;
  /** How long a session that is over still takes the place of its key. */
  readonly lingerMs: number;
  readonly now: () => number;
  /** A client has both connected and prefixes: what was held for it may start. */
  readonly onReady: (session: StreamSession) => void;
}

export class StreamServer {
  readonly counts: StreamCounts = {
    connections: 0,
    refusedConnections: 0,
    frames: 0,
    bytes: 0,
    corruptedFrames: 0,
    dropped: { unassociated: 0, muted: 0, stalled: 0, slow: 0 },
  };
  readonly #options: StreamServerOptions;
  readonly #websockets: WebSocketServer;
  readonly #sessions = new Map<string, StreamSession>();
  /** Until when the place of a key is taken by a session that is over. */
  readonly #takenUntilMs = new Map<string, number>();
  /** Every connection that has not ended yet, refused and half-closed ones too: the port is free only without them. */
  readonly #sockets = new Set<Duplex>();
  readonly #heartbeat: NodeJS.Timeout | undefined;
  /** The texts with which the next connections are refused. */
  readonly #refusals: string[] = [];
  #rejectedUpgrades = { count: 0, status: 503 };
  /** New connections are refused, until it is set again. */
  isRefusing = false;
  /** Keys whose sessions say nothing, the next ones too. */
  readonly #muted = new Set<string>();

  constructor(options: StreamServerOptions) {
    this.#options = options;
    this.#websockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: 64 * 1024,
      autoPong: false, // a stalled session must not answer
      clientTracking: false,
    });
    if (options.heartbeatMs > 0) {
      this.#heartbeat = setInterval(() => {
        for (const session of this.#sessions.values()) session.heartbeat();
      }, options.heartbeatMs);
      this.#heartbeat.unref();
    }
  }

  /** Open sessions; with a key, that of the key only. */
  sessions(key?: string): StreamSession[] {
    return [...this.#sessions.values()].filter(
      (session) => session.isOpen && (key === undefined || session.key === key),
    );
  }

  /** The list that decides what the session gets; undefined: none. */
  associationOf(session: StreamSession): Association | undefined {
    const { sessionTakesList, associations } = this.#options;
    return sessionTakesList ? associations.of(session.key) : session.firstAssociation;
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {}); // 'close' follows
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    const url = requestUrl(request);
    if (url.pathname !== '/' || this.#rejectedUpgrades.count > 0) {
      if (url.pathname === '/') this.#rejectedUpgrades.count--;
      refuseUpgrade(socket, url.pathname === '/' ? this.#rejectedUpgrades.status : 404);
      return;
    }
    if (this.isRefusing) {
      refuseUpgrade(socket, 503);
      return;
    }
    const key = url.searchParams.get('api_key') ?? '';
    this.#websockets.handleUpgrade(request, socket, head, (websocket) => this.#connected(key, websocket, socket));
  }

  #connected(key: string, websocket: WebSocket, socket: Duplex): void {
    const { associations, logger, maxPendingBytes, onReady } = this.#options;
    const firstAssociation = associations.of(key);
    const session = new StreamSession({
      ...{ key, websocket, socket, counts: this.counts, maxPendingBytes, firstAssociation },
    });
    const refusal = this.#refusalOf(key);
    if (refusal !== undefined) {
      logger?.info('stream connection refused', { reason: refusal });
      session.refuse(refusal);
      return;
    }
    this.counts.connections++;
    this.#sessions.set(key, session);
    logger?.info('stream connection opened', { sessions: this.sessions().length });
    websocket.on('close', () => {
      if (this.#sessions.get(key) === session) {
        this.#sessions.delete(key);
        this.#takenUntilMs.set(key, this.#options.now() + this.#options.lingerMs);
      }
      logger?.info('stream connection closed', { sessions: this.sessions().length });
    });
    if (this.#muted.has(key)) session.mute();
    if (firstAssociation !== undefined) onReady(session);
  }

  /** Why this connection is not accepted; undefined when it is. */
  #refusalOf(key: string): string | undefined {
    const planned = this.#refusals.shift();
    if (planned !== undefined) return planned;
    const { apiKeys, acceptsWithoutPrefixes, associations, now } = this.#options;
    if (!apiKeys.has(key)) return 'Invalid API key';
    if (this.sessions(key).length > 0 || now() < (this.#takenUntilMs.get(key) ?? 0)) {
      return 'Another client is already connected with this API key';
    }
    if (!acceptsWithoutPrefixes && associations.of(key) === undefined) {
      return 'No prefixes are associated with this API key';
    }
    return undefined;
  }

  /** The next `count` connections are refused with this text. */
  refuseNext(count: number, text: string): void {
    for (let i = 0; i < count; i++) this.#refusals.push(text);
  }

  /** The next `count` handshakes are answered with this HTTP status rather than 101. */
  rejectUpgrades(count: number, status: number): void {
    this.#rejectedUpgrades = { count, status };
  }

  /** The next sessions of the key, or of all keys, say nothing until `unmute`. */
  mute(key?: string): void {
    for (const one of key === undefined ? this.#options.apiKeys : [key]) this.#muted.add(one);
  }

  unmute(key?: string): void {
    if (key === undefined) this.#muted.clear();
    else this.#muted.delete(key);
  }

  clearFaults(): void {
    this.#muted.clear();
    this.#refusals.length = 0;
    this.#rejectedUpgrades.count = 0;
    this.isRefusing = false;
    for (const session of this.#sessions.values()) session.unmute();
  }

  /** Offers the message to everybody; each gets its own part of it. */
  publish(message: StreamMessage, timeUs: number): void {
    for (const session of this.#sessions.values()) {
      session.offer(message, this.associationOf(session), timeUs);
    }
  }

  flush(): void {
    for (const session of this.#sessions.values()) session.flush();
  }

  /** Undefined when all clients keep up; else resolves when those that do not have caught up. */
  backpressure(): Promise<void> | undefined {
    const slow = this.sessions().filter((session) => session.isSaturated);
    return slow.length === 0 ? undefined : Promise.all(slow.map((session) => session.drained())).then(() => {});
  }

  /** Ends all connections at once. */
  cutAll(): void {
    for (const session of this.#sessions.values()) session.cut();
    for (const socket of this.#sockets) socket.destroy();
  }

  stop(): void {
    clearInterval(this.#heartbeat);
    this.cutAll();
  }
}
