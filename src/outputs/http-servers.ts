/**
 * The HTTP servers behind one listen address. `localhost` is an IPv4 and an IPv6 address, each with a server of its own:
 * times, bounds of clients and the end of it all hold for both.
 */
import { lookup } from 'node:dns/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';

const MAX_HEADER_BYTES = 16_384;
const HEADERS_TIMEOUT_MS = 5_000;
/** For a request to arrive whole. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How often both are looked at. */
const CHECK_INTERVAL_MS = 1_000;
/** Without a byte in either direction. */
const CONNECTION_TIMEOUT_MS = 60_000;
/** For the next request of a connection. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/** Whether an address cannot be bound because the machine does not have it, as where IPv6 is off. */
export function isNoSuchAddress(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT');
}

export interface HttpServersOptions {
  readonly headersTimeoutMs?: number | undefined;
  /** Called with each connection of each server. */
  readonly onConnection: (socket: Socket) => void;
  /** What is no HTTP, or too large, or too slow. */
  readonly onClientError: (error: NodeJS.ErrnoException, socket: Socket) => void;
}

/** The addresses of a name, at least one, or the error of the system. */
export type Resolve = (name: string) => Promise<readonly string[]>;

export const systemResolve: Resolve = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

export class HttpServers {
  readonly #options: HttpServersOptions;
  readonly #servers: Server[] = [];
  #handler: RequestListener = () => {};

  constructor(options: HttpServersOptions) {
    this.#options = options;
  }

  /** The server that whoever routes the requests listens with; errors of its clients are that one's to hand on. */
  first(handler: RequestListener): Server {
    this.#handler = handler;
    return this.#create();
  }

  /** Listens at further addresses as the first one does at its own. Gives the errors of those where it cannot. */
  async listenToo(addresses: readonly string[], port: number): Promise<readonly Error[]> {
    const errors: Error[] = [];
    for (const host of addresses) {
      const server = this.#create();
      server.on('clientError', this.#options.onClientError);
      const error = await new Promise<Error | undefined>((resolve) => {
        server.once('error', resolve);
        server.listen({ host, port }, () => resolve(undefined));
      });
      if (error !== undefined && !isNoSuchAddress(error)) errors.push(error);
    }
    return errors;
  }

  /** Ends all connections, and takes no more. */
  close(): void {
    for (const server of this.#servers) {
      if (server !== this.#servers[0]) server.close();
      server.closeAllConnections();
    }
  }

  #create(): Server {
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: this.#options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        connectionsCheckingInterval: CHECK_INTERVAL_MS,
      },
      this.#handler,
    );
    server.setTimeout(CONNECTION_TIMEOUT_MS);
    server.on('connection', this.#options.onConnection);
    this.#servers.push(server);
    return server;
  }
}
