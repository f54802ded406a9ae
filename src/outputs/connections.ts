/**
 * Connections of the web server: who may have one, how many requests may wait on it, and for how long an answer may take.
 * A stranger who opens many, or does not read, loses his own connections; the answers of others are not delayed.
 */
import type { ServerResponse } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { HttpCutReason } from '../metrics/figures/exporter-figures.ts';

/** Connections from other machines. */
export const MAX_CONNECTIONS = 512;
/** Connections from one address of another machine; an IPv6 network of 64 bits counts as one address. */
export const MAX_CONNECTIONS_PER_ADDRESS = 128;
/** Connections from this machine, which no other machine can take away: a health check needs one. */
export const MAX_LOCAL_CONNECTIONS = 256;
/** Requests on one connection that have no answer yet. No scraper or browser sends a second one before the first answer. */
export const MAX_PIPELINED = 4;
/** From the request that was one too many to the end of its connection, ms, at least. */
const LINGER_MS = 1_000;
/**
 * Connections that were cut together end one after the other, this far apart (ms), in rounds of LINGER_ROUND. Clients that come back at
 * once would otherwise come back together, and a packet of each would be read in one turn of the event loop.
 */
const LINGER_STEP_MS = 75;
const LINGER_ROUND = 16;
/**
 * Connections that found no room and are ended at once, in a second. More of them are a storm: they are kept for a while, unread,
 * because clients that are cut come back at once, and each time they come costs time and memory.
 */
const CUTS_A_SECOND = 16;
/** Connections that are kept so; further ones are ended at once. */
export const MAX_KEPT_AWAY = 512;
/** No scrape timeout in use is longer. */
const ANSWER_TIMEOUT_MS = 60_000;

/** The address under which all connections from this machine are counted. */
const LOCAL = 'local';

/** A request whose answer is not with the system yet. */
export interface OpenAnswer {
  readonly address: string;
  readonly startedAtMs: number;
  /** Calls back when the answer is sent to its last byte, or its connection gone; at once when that is so already. */
  whenOver(callback: (sent: boolean) => void): void;
  /** The answer has no end: it may take as long as it likes. */
  keepOpen(): void;
  /** Ends the connection. */
  cut(reason: HttpCutReason): void;
}

interface Client {
  readonly address: string;
  readonly answers: Set<() => void>;
  /** Whether one of its requests was answered. */
  served: boolean;
  /** Whether its socket is the one of TLS, behind the handshake. */
  secured: boolean;
  /** Nothing more is read from it, and it will end. */
  lingers: boolean;
}

export interface ConnectionsOptions {
  /** Called for each connection that is refused or cut. */
  readonly onCut: (reason: HttpCutReason) => void;
  /** From a request to the last byte of its answer, ms. Default 60 s. */
  readonly answerTimeoutMs?: number | undefined;
  /** Milliseconds that only go forward. Default `performance.now`. */
  readonly elapsed?: () => number;
}

export class Connections {
  /** In the order in which they came, or were last used. */
  readonly #clients = new Map<Socket, Client>();
  readonly #onCut: (reason: HttpCutReason) => void;
  readonly #answerTimeoutMs: number;
  readonly #elapsed: () => number;
  /** Those that found no room, and will end. */
  readonly #away = new Set<Socket>();
  #open = 0;
  #lingered = 0;
  #cuts = 0;
  #cutsSinceMs = 0;
  #draining = false;
  #drained: () => void = () => {};

  constructor(options: ConnectionsOptions) {
    this.#onCut = options.onCut;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS;
    this.#elapsed = options.elapsed ?? (() => performance.now());
  }

  /** Takes a new connection. Where there is no room, one that waits for nothing makes room; if all are busy, the new one ends. */
  accept(socket: Socket): void {
    const address = addressOf(socket.remoteAddress);
    if (!this.#hasRoom(address)) {
      this.#turnAway(socket, this.#isFull(address) ?? 'connection_limit');
      return;
    }
    this.#add(socket, address);
  }

  /**
   * Tells that a connection has become this TLS connection: it takes the place of the one that was accepted. The handshake is read
   * from one that was turned away, too, and then it ends.
   * @returns whether it may speak
   */
  secured(socket: TLSSocket): boolean {
    const address = addressOf(socket.remoteAddress);
    for (const away of this.#away) {
      if (away.remotePort !== socket.remotePort || addressOf(away.remoteAddress) !== address) continue;
      away.destroy();
      socket.destroy();
      return false;
    }
    // Connections of a Unix socket cannot be told apart. They need not be, because each counts as one.
    for (const [accepted, client] of this.#clients) {
      if (client.address !== address || accepted.remotePort !== socket.remotePort || client.secured) continue;
      this.#clients.delete(accepted);
      break;
    }
    this.#add(socket, address).secured = true;
    return true;
  }

  /**
   * Begins the answer to a request of a connection; undefined when the connection was cut, for too many requests at once.
   * The socket is the one that was accepted, or secured.
   */
  begin(socket: Socket, response: Pick<ServerResponse, 'once'>): OpenAnswer | undefined {
    if (socket.destroyed) return undefined;
    const client = this.#clients.get(socket);
    if (client === undefined || client.lingers) return undefined; // it was cut
    if (client.answers.size >= MAX_PIPELINED) {
      this.#linger(socket, client);
      return undefined;
    }
    const callbacks: ((sent: boolean) => void)[] = [];
    let over = false;
    let sent = false;
    // Node says 'finish' too when the connection was ended with half of the answer unsent.
    response.once('finish', () => {
      sent = !socket.destroyed;
    });
    const timeout = setTimeout(() => this.#cut(socket, 'slow_answer'), this.#answerTimeoutMs);
    timeout.unref();
    this.#open++;
    const end = (): void => {
      if (over) return;
      over = true;
      clearTimeout(timeout);
      client.answers.delete(end);
      this.#settle(socket, client, sent);
      for (const callback of callbacks) callback(sent);
      if (--this.#open === 0) this.#drained();
    };
    client.answers.add(end);
    response.once('close', end);
    return {
      address: client.address,
      startedAtMs: this.#elapsed(),
      whenOver: (callback) => {
        if (over) callback(sent);
        else callbacks.push(callback);
      },
      keepOpen: () => clearTimeout(timeout),
      cut: (reason) => this.#cut(socket, reason),
    };
  }

  /** Whether requests of the connection are listened to: a packet may have hundreds behind the one for which it was cut. */
  listensTo(socket: Socket): boolean {
    return !socket.destroyed && !this.#away.has(socket) && this.#clients.get(socket)?.lingers !== true;
  }

  /** Whether `drain` was called: what is asked from then on is not answered any more. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Resolves when the last byte of every answer is with the system, at the latest after `limitMs`; then all connections end. */
  async drain(limitMs: number): Promise<void> {
    this.#draining = true;
    if (this.#open > 0) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, limitMs);
        this.#drained = () => {
          clearTimeout(limit);
          resolve();
        };
      });
    }
    for (const socket of [...this.#clients.keys(), ...this.#away]) socket.destroy();
  }

  #add(socket: Socket, address: string): Client {
    const client: Client = { address, answers: new Set(), served: false, secured: false, lingers: false };
    this.#clients.set(socket, client);
    socket.once('close', () => {
      this.#clients.delete(socket);
      // An answer that waits behind another one on the same connection is not told that the connection is gone.
      for (const end of [...client.answers]) end();
    });
    return client;
  }

  /** Moves a connection that was used to the end of the order in which they make room. */
  #settle(socket: Socket, client: Client, served: boolean): void {
    if (served) client.served = true;
    if (client.answers.size === 0 && this.#clients.delete(socket)) this.#clients.set(socket, client);
  }

  #hasRoom(address: string): boolean {
    const full = this.#isFull(address);
    if (full === undefined) return true;
    const idle = this.#idle(full === 'address_limit' ? address : undefined);
    if (idle === undefined) return false;
    this.#turnAway(idle, full);
    return this.#hasRoom(address);
  }

  #isFull(address: string): 'address_limit' | 'connection_limit' | undefined {
    let same = 0;
    let foreign = 0;
    for (const client of this.#clients.values()) {
      if (client.address === address) same++;
      if (client.address !== LOCAL) foreign++;
    }
    if (same >= (address === LOCAL ? MAX_LOCAL_CONNECTIONS : MAX_CONNECTIONS_PER_ADDRESS)) return 'address_limit';
    return address !== LOCAL && foreign >= MAX_CONNECTIONS ? 'connection_limit' : undefined;
  }

  /** The connection that can best be spared: one that never got as far as a request, else the one that is idle for longest. */
  #idle(address: string | undefined): Socket | undefined {
    let idle: Socket | undefined;
    for (const [socket, client] of this.#clients) {
      const counts = address === undefined ? client.address !== LOCAL : client.address === address;
      if (!counts || client.answers.size > 0) continue;
      if (!client.served) return socket;
      idle ??= socket;
    }
    return idle;
  }

  /** Reads nothing more, and ends the connection after a while: a client that is cut at once is back at once. */
  #linger(socket: Socket, client: Client): void {
    client.lingers = true;
    closeWithoutStacks(socket);
    this.#endLater(socket);
    this.#onCut('pipelining');
  }

  #endLater(socket: Socket): void {
    socket.pause();
    const lingerMs = LINGER_MS + (this.#lingered++ % LINGER_ROUND) * LINGER_STEP_MS;
    const end = setTimeout(() => socket.destroy(), lingerMs);
    end.unref();
    socket.once('close', () => clearTimeout(end));
  }

  /** For whom there is no room, or who makes room. A client that was served may ask again, and is told at once that it is cut. */
  #turnAway(socket: Socket, reason: HttpCutReason): void {
    const isServed = this.#clients.get(socket)?.served === true;
    const nowMs = this.#elapsed();
    if (nowMs - this.#cutsSinceMs >= 1_000) {
      this.#cuts = 0;
      this.#cutsSinceMs = nowMs;
    }
    if (isServed || ++this.#cuts <= CUTS_A_SECOND || this.#away.size >= MAX_KEPT_AWAY || socket.destroyed) {
      this.#cut(socket, reason);
      return;
    }
    this.#clients.delete(socket);
    this.#away.add(socket);
    socket.once('close', () => this.#away.delete(socket));
    this.#endLater(socket);
    this.#onCut(reason);
  }

  #cut(socket: Socket, reason: HttpCutReason): void {
    if (socket.destroyed) return;
    this.#clients.delete(socket);
    socket.destroy();
    this.#onCut(reason);
  }
}

/**
 * When a connection ends, Node makes an error for each of its requests without an answer. There may be hundreds, and the
 * stacks of those errors, which nobody reads, would take longer than all else.
 */
function closeWithoutStacks(socket: Socket): void {
  const { stackTraceLimit } = Error;
  socket.prependOnceListener('close', () => {
    Error.stackTraceLimit = 0;
  });
  socket.once('close', () => {
    Error.stackTraceLimit = stackTraceLimit;
  });
}

/** Under which name a client's connections are counted. */
export function addressOf(remote: string | undefined): string {
  const address = remote?.replace(/^::ffff:(?=\d+\.)/i, '') ?? '';
  if (address === '::1' || address.startsWith('127.')) return LOCAL;
  if (!isIPv6(address)) return address;
  // The network of 64 bits: its owner has as many addresses as he likes.
  const [head = '', tail] = address.toLowerCase().split('%', 1)[0].split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const end = tail === '' ? 0 : tail.split(':').length;
    while (groups.length + end < 8) groups.push('0');
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
