/** The web server: metrics for scrapers, a page for people, health for orchestrators. */
import type { ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { ConfigError, ExporterError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { CONTENT_SECURITY_POLICY, type LandingFacts, landingPage } from './landing-page.ts';
import { acceptsGzip, type ExpositionFormat, negotiateFormat } from './negotiation.ts';

export interface WebServerOptions {
  /** `host` empty: all interfaces, IPv4 and IPv6. `port` 0: one that is free. */
  readonly listenAddress: { readonly host: string; readonly port: number };
  /** Such as `/metrics`. */
  readonly telemetryPath: string;
  /** The metrics now. The buffer is not written to again before `release`. */
  readonly render: (format: ExpositionFormat) => Promise<Buffer>;
  /** Told of a body of `render` that is read no more. */
  readonly release?: (format: ExpositionFormat, body: Buffer) => void;
  /** `reason` without a full stop. */
  readonly ready: () => { readonly ok: true } | { readonly ok: false; readonly reason: string };
  readonly landing: () => LandingFacts;
  /** What `POST /-/reload` does; rejects with a ConfigError when the new configuration is refused. */
  readonly reload?: () => Promise<void>;
  /** False: `POST /-/reload` answers 403. */
  readonly enableLifecycle: boolean;
  readonly logger: Logger;
  /** Called once for every request that was answered or given up. */
  readonly onRequest?: (request: AnsweredRequest) => void;
}

export interface AnsweredRequest {
  /** The path of a route of ours, or `other`: as a label it is bounded. */
  readonly path: string;
  readonly method: string;
  readonly status: number;
  readonly durationSeconds: number;
}

export interface WebServer {
  /** As bound: `0.0.0.0:10479`, `[::]:10479`. */
  readonly address: string;
  readonly port: number;
  /** What a browser on this machine can open, without a path. */
  readonly url: string;
  /** Refuses new connections, finishes what is under way for at most `CLOSE_LIMIT_MS`. Idempotent. */
  close(): Promise<void>;
}

/** The address cannot be bound. */
export class ListenError extends ExporterError {
  constructor(message: string, cause: unknown) {
    super('LISTEN', message, { actor: 'operator', cause });
  }
}

/** Scrapes under way at once; a body may be of many megabytes, and a slow reader holds it. */
const MAX_SCRAPES = 40;
const MAX_CONNECTIONS = 512;
const MAX_HEADER_BYTES = 16_384;
const MAX_BODY_BYTES = 1_024;
/** For a request to arrive whole. */
const REQUEST_TIMEOUT_MS = 10_000;
/** Without a byte in either direction. */
const CONNECTION_TIMEOUT_MS = 60_000;
const CLOSE_LIMIT_MS = 2_000;

/** What nginx made known for a client that went away before there was an answer. */
const CLIENT_GONE = 499;

const PLAIN = 'text/plain; charset=utf-8';

/** In a thread of the pool: compressing megabytes must not hold up the fold. */
const compress = promisify(gzip);

/**
 * No route has a schema. Fastify loads the compilers for them all the same, over a hundred modules, unless others
 * are named.
 */
const WITHOUT_SCHEMAS = { buildValidator: noSchema, buildSerializer: noSchema };

function noSchema(): never {
  throw new Error('a route with a schema: give it the compilers that fastify has by default');
}

/**
 * Starts to listen.
 * @throws ListenError when the address is in use, not allowed or not of this machine.
 */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const { logger, listenAddress } = options;
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: MAX_HEADER_BYTES },
    clientErrorHandler: answerClientError,
    schemaController: { compilersFactory: WITHOUT_SCHEMAS },
    frameworkErrors: (error, _, reply) => text(reply, error.statusCode ?? 400, `${error.message}.`),
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  const traffic = new Traffic(app);
  addRoutes(app, options);
  await listen(app, listenAddress);
  const { address, family, port } = app.server.address() as AddressInfo;
  const bound = `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  const any = address === '::' || address === '0.0.0.0';
  const url = `http://${any ? `localhost:${port}` : bound}`;
  logger.info('web server listens', { address: bound, url: `${url}${options.telemetryPath}` });
  let closing: Promise<void> | undefined;
  return {
    address: bound,
    port,
    url,
    close: () => {
      closing ??= close(app, traffic);
      return closing;
    },
  };
}

function addRoutes(app: FastifyInstance, options: WebServerOptions): void {
  const { telemetryPath, ready, landing, reload, enableLifecycle, logger } = options;
  let scrapes = 0;

  app.get(telemetryPath, async (request, reply) => {
    if (scrapes >= MAX_SCRAPES)
      return text(reply.header('retry-after', '1'), 503, `over ${MAX_SCRAPES} scrapes at once`);
    // Counts until the last byte is taken or the reader is gone: so long the body is held. A response that is closed
    // already will not say so again.
    if (!reply.raw.closed) {
      scrapes++;
      reply.raw.once('close', () => scrapes--);
    }
    const { format, contentType } = negotiateFormat(request.headers.accept);
    const body = await options.render(format);
    reply.header('vary', 'Accept, Accept-Encoding').type(contentType);
    if (!acceptsGzip(header(request, 'accept-encoding'))) return reply.send(body);
    const compressed = await compress(body, { level: constants.Z_BEST_SPEED });
    options.release?.(format, body);
    return reply.header('content-encoding', 'gzip').send(compressed);
  });

  app.get('/', (_, reply) => {
    const state = ready();
    const page = landingPage(landing(), { telemetryPath, notReadyReason: state.ok ? undefined : state.reason });
    return reply
      .header('content-security-policy', CONTENT_SECURITY_POLICY)
      .header('referrer-policy', 'no-referrer')
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(page);
  });

  app.get('/-/healthy', (_, reply) => text(reply, 200, 'bgproutes-exporter is healthy.'));

  app.get('/-/ready', (_, reply) => {
    const state = ready();
    return state.ok
      ? text(reply, 200, 'bgproutes-exporter is ready.')
      : text(reply, 503, `bgproutes-exporter is not ready: ${state.reason}.`);
  });

  app.post('/-/reload', async (_, reply) => {
    if (!enableLifecycle || reload === undefined) {
      return text(reply, 403, 'Reload by HTTP is off. Turn it on with --web.enable-lifecycle, or send SIGHUP.');
    }
    try {
      await reload();
      return text(reply, 200, 'The configuration was read again.');
    } catch (error) {
      if (!(error instanceof ExporterError)) throw error;
      const reasons = error instanceof ConfigError ? error.problems : [error.message];
      return text(reply, 500, `The former configuration still holds:\n${reasons.join('\n')}`);
    }
  });

  /** Paths with the methods that they know, for 405. */
  const methods = new Map([telemetryPath, '/', '/-/healthy', '/-/ready'].map((path) => [path, 'GET, HEAD']));
  methods.set('/-/reload', 'POST');
  const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0];

  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.get(pathOf(request));
    return allowed === undefined
      ? text(reply, 404, 'Not found.')
      : text(reply.header('allow', allowed), 405, `Method not allowed, only ${allowed}.`);
  });

  app.setErrorHandler((error: Error & { readonly statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    reply.removeHeader('content-encoding');
    if (status < 500) return text(reply, status, `${error.message}.`);
    logger.error('a request failed', { path: pathOf(request), error: error.stack ?? error.message });
    return text(reply, 500, 'Internal error; the log of the exporter has it.');
  });

  // A body is of no use to any route; it is taken whatever its type, and forgotten.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, __, done) => done(null));

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    if (options.onRequest === undefined) return;
    const startMs = performance.now();
    reply.raw.once('close', () => {
      const path = pathOf(request);
      options.onRequest?.({
        path: methods.has(path) ? path : 'other',
        method: request.method,
        // The status that nobody has set yet reads 200.
        status: reply.raw.headersSent ? reply.raw.statusCode : CLIENT_GONE,
        durationSeconds: (performance.now() - startMs) / 1000,
      });
    });
  });
}

function text(reply: FastifyReply, status: number, line: string): FastifyReply {
  return reply.code(status).type(PLAIN).send(`${line}\n`);
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** What is no HTTP, or too large, or too slow, before there is a request. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    { HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large', ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout' }[
      error.code ?? ''
    ] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: ${PLAIN}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

/** All interfaces are `::` with IPv4 inside; where IPv6 is off, `0.0.0.0`. */
async function listen(app: FastifyInstance, { host, port }: { host: string; port: number }): Promise<void> {
  try {
    await app.listen({ host: host === '' ? '::' : host, port, ipv6Only: false });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (host === '' && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')) {
      await listen(app, { host: '0.0.0.0', port });
      return;
    }
    await app.close();
    const shown = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const reasons: Readonly<Record<string, string>> = {
      EADDRINUSE: 'the port is in use: stop the program that has it, or choose another one with --web.listen-address',
      EACCES: 'not allowed: ports below 1024 need a privilege, choose another one with --web.listen-address',
      EADDRNOTAVAIL: 'the address is not of this machine: choose another one with --web.listen-address',
      ENOTFOUND: 'the host name is unknown: choose another one with --web.listen-address',
    };
    const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
    throw new ListenError(`cannot listen on ${shown}: ${reason}`, error);
  }
}

/** Requests under way, so that a stop can wait for them. */
class Traffic {
  /** As many as there are connections at most. */
  readonly #open = new Set<ServerResponse>();
  #draining = false;
  #drained: () => void = () => {};

  constructor(app: FastifyInstance) {
    app.addHook('onRequest', async (_, reply) => {
      if (this.#draining) await text(reply.header('connection', 'close'), 503, 'The exporter is stopping.');
      if (reply.raw.closed) return;
      this.#open.add(reply.raw);
      reply.raw.once('close', () => {
        this.#open.delete(reply.raw);
        if (this.#open.size === 0) this.#drained();
      });
    });
  }

  /** Resolves when the last byte of every answer is with the system, at the latest after `limitMs`. */
  drain(limitMs: number): Promise<void> {
    this.#draining = true;
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, limitMs);
      this.#drained = () => {
        clearTimeout(limit);
        resolve();
      };
    });
  }
}

/** `node:http` takes a connection for idle as soon as its answer is written, sent or not, and would cut it off. */
async function close(app: FastifyInstance, traffic: Traffic): Promise<void> {
  await traffic.drain(CLOSE_LIMIT_MS);
  app.server.closeAllConnections();
  await app.close();
}
