/**
 * The HTTP servers behind the listen addresses. Each has a server of its own, and `localhost` one for IPv4 and one for IPv6:
 * times, bounds of clients and the end of it all hold for all of them.
 */
import { lookup } from 'node:dns/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest, type Http2Session } from 'node:http2';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';

const MAX_HEADER_BYTES = 16_384;
const HEADERS_TIMEOUT_MS = 5_000;
/** Time for a whole request to arrive, ms. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often Node checks the times of requests and their headers, ms. */
const CHECK_INTERVAL_MS = 1_000;
/** Streams of a session of HTTP/2 that have no answer yet; one more is refused, and the session goes on. */
const MAX_STREAMS = 16;
/** Memory that a session of HTTP/2 may hold, in the unit of `node:http2`, megabytes. */
const MAX_SESSION_MEGABYTES = 1;
/** How long a session may be without a byte in either direction, ms. */
const CONNECTION_TIMEOUT_MS = 60_000;
/**
 * Connections that wait to be taken; the system may allow fewer (`net.core.somaxconn`). What finds no room waits for a whole
 * second: so when hundreds come at once, a health check must not be one too many.
 */
const BACKLOG = 4_096;
/** How long a connection may wait for its next request, ms. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** Whether an address cannot be bound because the machine does not have it, as where IPv6 is off. */
export function isNoSuchAddress(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT');
}

/** What the servers ask of TLS, at each handshake. */
export interface TlsSide {
  readonly context: SecureContextOptions;
  /** Whether clients are asked for a certificate. */
  readonly asksForCertificate: boolean;
  readonly http2: boolean;
}

export interface HttpServersOptions {
  readonly headersTimeoutMs?: number | undefined;
  /** What TLS is to be like now; undefined: there is none. */
  readonly tls?: (() => TlsSide) | undefined;
  /** Called with a connection that has its TLS; false: it may not speak. */
  readonly onSecured?: ((socket: TLSSocket) => boolean) | undefined;
  /** A handshake that failed; its connection ends. */
  readonly onTlsError?: ((error: NodeJS.ErrnoException, socket: TLSSocket) => void) | undefined;
  /** Called before each connection, and before its handshake. */
  readonly beforeConnection?: (() => void) | undefined;
  /** Called with each connection of each server. */
  readonly onConnection: (socket: Socket) => void;
  /** Whether requests of a connection are to be handled. */
  readonly listensTo: (socket: Socket) => boolean;
  /** Called for bytes that are not HTTP, are too many, or come too slowly. */
  readonly onClientError: (error: NodeJS.ErrnoException, socket: Socket) => void;
}

/** The addresses of a name, at least one, or the error of the system. */
export type Resolve = (name: string) => Promise<readonly string[]>;

export const systemResolve: Resolve = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

type AnyServer = Server | Http2SecureServer;

export class HttpServers {
  readonly #options: HttpServersOptions;
  readonly #servers: AnyServer[] = [];
  /** The connections of sessions of HTTP/2, which hide theirs. */
  readonly #socketBySession = new WeakMap<Http2Session, Socket>();
  #route: RequestListener = () => {};
  /** Made, and does not listen yet. */
  #unbound: AnyServer | undefined;

  constructor(options: HttpServersOptions) {
    this.#options = options;
  }

  /** The server that whoever routes the requests listens with; errors of its clients are that one's to hand on. */
  first(handler: RequestListener): Server {
    this.#route = handler;
    // The framework takes either kind of server: both listen, close and hand on requests in the same way.
    this.#unbound = this.#create();
    return this.#unbound as Server;
  }

  /** Requests from now on are handed to this one, those of open connections too. */
  routeTo(handler: RequestListener): void {
    this.#route = handler;
  }

  /**
   * Listens at one more place, with a server of its own. Gives what is bound; null: a socket without a name.
   * Rejects with the error of the system.
   */
  async listen(where: Omit<ListenOptions, 'backlog'> & { fd?: number }): Promise<AddressInfo | string | null> {
    const server = this.#unbound ?? this.#create();
    if (server !== this.#servers[0] && server !== this.#unbound) server.on('clientError', this.#options.onClientError);
    this.#unbound = server; // for the next one, when it fails
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...where, backlog: BACKLOG }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.#unbound = undefined;
    return server.address();
  }

  /** The connection that a request came by. */
  socketOf(request: IncomingMessage | Http2ServerRequest): Socket {
    const session = 'stream' in request ? request.stream.session : undefined;
    return (session === undefined ? undefined : this.#socketBySession.get(session)) ?? request.socket;
  }

  /** Certificates, versions and whatever else TLS has are as `tls` says now, for new connections and resumed sessions. */
  renewTls(): void {
    const { tls } = this.#options;
    if (tls === undefined) return;
    const { context, asksForCertificate } = tls();
    for (const server of this.#servers) {
      if (!('setSecureContext' in server)) continue;
      // These settings are not part of a context; each handshake reads them.
      Object.assign(server, { requestCert: asksForCertificate });
      server.setSecureContext(context);
    }
  }

  /** Ends all connections, and takes no more. Resolves when every server is closed. */
  async close(): Promise<void> {
    await Promise.all(
      this.#servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            if ('closeAllConnections' in server) server.closeAllConnections();
          }),
      ),
    );
  }

  readonly #handler: RequestListener = (request, response) => {
    // Streams of HTTP/2 have a bound of their own, and their socket is not the one that was accepted.
    if (request.httpVersionMajor > 1 || this.#options.listensTo(request.socket)) this.#route(request, response);
  };

  #create(): AnyServer {
    const { tls, headersTimeoutMs = HEADERS_TIMEOUT_MS, onConnection, beforeConnection } = this.#options;
    const bounds = {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: headersTimeoutMs,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    };
    const server = tls === undefined ? createServer(bounds, this.#handler) : this.#createSecure(tls, bounds);
    server.setTimeout(CONNECTION_TIMEOUT_MS);
    if (beforeConnection !== undefined) server.prependListener('connection', beforeConnection);
    server.on('connection', onConnection);
    this.#servers.push(server);
    return server;
  }

  /** HTTP/2 and HTTP/1.1 on one port. */
  #createSecure(tls: () => TlsSide, bounds: object): Http2SecureServer {
    const { onSecured = () => true, onTlsError = () => {}, headersTimeoutMs = HEADERS_TIMEOUT_MS } = this.#options;
    const { context, asksForCertificate } = tls();
    const server = createSecureServer({
      ...context,
      allowHTTP1: true,
      requestCert: asksForCertificate,
      // What a certificate must be like changes with the file, and is asked when the handshake is over.
      rejectUnauthorized: false,
      handshakeTimeout: headersTimeoutMs,
      ALPNCallback: ({ protocols }) => {
        const known = tls().http2 ? ['h2', 'http/1.1'] : ['http/1.1'];
        return known.find((protocol) => protocols.includes(protocol));
      },
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEADER_BYTES },
      maxSessionMemory: MAX_SESSION_MEGABYTES,
    });
    // This server has no such options of HTTP/1.1, but reads the properties; without the last one it would take any Host.
    Object.assign(server, { ...bounds, requireHostHeader: true });
    server.on('request', this.#handler as Parameters<Http2SecureServer['on']>[1]);
    server.removeAllListeners('tlsClientError');
    server.on('tlsClientError', onTlsError);
    // The listeners of the server itself get only connections that may speak.
    const handOver = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
    server.removeAllListeners('secureConnection');
    let latest: TLSSocket | undefined;
    server.on('secureConnection', (socket) => {
      if (!onSecured(socket)) return;
      latest = socket;
      for (const listener of handOver) listener.call(server, socket);
    });
    // A session is made within the hand-over of its connection.
    server.on('session', (session) => {
      if (latest !== undefined) this.#socketBySession.set(session, latest);
      session.on('error', () => {}); // the connection ends, and with it what was asked
    });
    return server;
  }
}
