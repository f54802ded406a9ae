/** The web server: metrics for scrapers, a page for people, health for orchestrators. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { WebConfig } from '../config/web/web-config.ts';
import { ConfigError, ExporterError } from '../errors.ts';
import type { HttpCutReason } from '../metrics/figures/exporter-figures.ts';
import { answerClientError } from './client-error.ts';
import { Connections, type OpenAnswer } from './connections.ts';
import { isForeign } from './foreign-origin.ts';
import { hasOneHost } from './host-header.ts';
import { HttpServers, type TlsSide } from './http-servers.ts';
import { type ListenOptions, listen } from './listen.ts';
import { addApiRoutes } from './page/api-routes.ts';
import type { LivePage } from './page/live-page.ts';
import { addPageRoutes } from './page/page-routes.ts';
import { MAX_PAGES, PageBodies, type SendPage } from './page-bodies.ts';
import { RUNBOOK_POLICY, readRunbook } from './runbook.ts';
import { MAX_SCRAPES, Scrapes } from './scrapes.ts';
import { acceptsGzip, type ExpositionFormat, negotiateFormat } from './text/negotiation.ts';
import { certificateFault } from './web/client-certificate.ts';
import { addErrorAnswers, textAnswer } from './web/error-answers.ts';
import { Guard, type GuardAnswer } from './web/guard.ts';
import { knownPaths } from './web/known-paths.ts';
import { WatchedWebConfig } from './web/watched-web-config.ts';

/** What of a web server can change while it listens. */
export interface WebRoutes {
  /** Such as `/metrics`. */
  readonly telemetryPath: string;
  /** Before all paths: `/bgp`. Default: none. */
  readonly routePrefix?: string | undefined;
  /** Where others reach this server: a request outside of the prefix is redirected there. Default: the prefix. */
  readonly externalUrl?: string | undefined;
  /** What the page for people and the JSON API tell; undefined: there are none. */
  readonly page?: Pick<LivePage, 'facts' | 'hub' | 'version'> | undefined;
  /** False: `POST /-/reload` answers 403. */
  readonly enableLifecycle: boolean;
}

export interface WebServerOptions extends ListenOptions, WebRoutes {
  /** The metrics now. The buffer is not written to again before `release`. */
  readonly render: (format: ExpositionFormat) => Promise<Buffer>;
  /** Told of a body of `render` that is read no more. */
  readonly release?: (format: ExpositionFormat, body: Buffer) => void;
  /** `reason` without a full stop. */
  readonly ready: () => { readonly ok: true } | { readonly ok: false; readonly reason: string };
  /** The page at `/runbook`; undefined: there is none. Default: what the build has rendered. */
  readonly runbook?: () => Promise<Buffer | undefined>;
  /** What `POST /-/reload` does; rejects with a ConfigError when the new configuration is refused. */
  readonly reload?: () => Promise<void>;
  /** TLS, users, headers, rate limit. Default: plain HTTP for everybody. */
  readonly webConfig?: WatchedWebConfig | undefined;
  /** Called once for every request that was answered or given up. */
  readonly onRequest?: (request: AnsweredRequest) => void;
  /** Called for every connection that was refused or cut. */
  readonly onCut?: (reason: HttpCutReason) => void;
  /** From the connection to the end of the first request's headers, and from the first byte of later ones, ms. Default 5 s. */
  readonly headersTimeoutMs?: number;
  /** From a request to the last byte of its answer, ms. Default 60 s. */
  readonly answerTimeoutMs?: number;
}

export interface AnsweredRequest {
  /** The path of a route of ours, or `other`: as a label it is bounded. */
  readonly path: string;
  readonly method: string;
  readonly status: number;
  readonly durationSeconds: number;
}

export interface WebServer {
  /** The first one as bound: `0.0.0.0:10479`, `[::]:10479`, `unix:/run/bgp.sock`. */
  readonly address: string;
  /** Of the first one; 0: it is a Unix socket. */
  readonly port: number;
  /** What a browser on this machine can open, without a path; undefined: the first one is a Unix socket. */
  readonly url: string | undefined;
  /** Requests from now on find these routes; those under way are answered as they began. Pages of another `page` end. */
  change(routes: WebRoutes): Promise<void>;
  /** Refuses new connections, finishes what is under way for at most `CLOSE_LIMIT_MS`. Idempotent. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 1_024;
const CLOSE_LIMIT_MS = 2_000;

/** The status, known from nginx, for a client that went away before there was an answer. */
const CLIENT_GONE = 499;

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
  const { logger, onCut = () => {}, webConfig = new WatchedWebConfig({ path: undefined, logger }) } = options;
  const connections = new Connections({ onCut, answerTimeoutMs: options.answerTimeoutMs });
  const onClientError = (error: NodeJS.ErrnoException, socket: Socket) => answerClientError(error, socket, onCut);
  const servers = new HttpServers({
    headersTimeoutMs: options.headersTimeoutMs,
    // A certificate that was renewed is that of this very handshake.
    beforeConnection: () => webConfig.look(),
    onConnection: (socket) => connections.accept(socket),
    listensTo: (socket) => connections.listensTo(socket),
    onClientError,
    tls: webConfig.current.tls === undefined ? undefined : () => tlsSide(webConfig.current),
    onTlsError: (error, socket) => {
      refuseTls(socket, 'tls_handshake', error.code ?? error.message);
    },
    onSecured: (socket) => {
      const { tls } = webConfig.current;
      const fault = tls === undefined ? undefined : certificateFault(socket, tls);
      if (fault === undefined) return connections.secured(socket);
      refuseTls(socket, 'client_certificate', fault);
      return false;
    },
  });
  function refuseTls(socket: TLSSocket, reason: HttpCutReason, why: string): void {
    const { remoteAddress = '' } = socket;
    socket.destroy();
    // A client that went away, such as a load balancer that looks whether the port is open, was not refused.
    if (why === 'ECONNRESET') return;
    onCut(reason);
    logger.debug('a client could not connect by TLS', { address: remoteAddress, reason, error: why });
  }
  const guard = new Guard(webConfig.current);
  webConfig.onChange((config) => {
    guard.set(config);
    servers.renewTls();
  });
  const front: Front = { connections, servers, guard, webConfig, onClientError };
  const app = newApp(options, front, (handler) => servers.first(handler));
  const scheme = webConfig.current.tls === undefined ? 'http' : 'https';
  const all = await listen(app, servers, options);
  for (const { address, place } of all) {
    const path = `${options.routePrefix ?? ''}${options.telemetryPath}`;
    const url = place === undefined ? undefined : `${scheme}://${place}${path}`;
    logger.info('web server listens', { address, url });
  }
  const [{ address, port, place }] = all;
  let closing: Promise<void> | undefined;
  let taken: WebRoutes = options;
  return {
    address,
    port,
    url: place === undefined ? undefined : `${scheme}://${place}`,
    change: async (routes) => {
      // Routes take long to build, and most reloads change nothing of them.
      if (isSame(routes, taken)) return;
      let route: RequestListener = () => {};
      const next = newApp({ ...options, ...routes }, front, (handler) => {
        route = handler;
        return createServer(); // never listens: the servers that do hand over what they get
      });
      await next.ready();
      servers.routeTo(route);
      if (taken.page !== routes.page) taken.page?.hub.close();
      taken = routes;
    },
    close: () => {
      taken.page?.hub.close();
      closing ??= close(app, servers, connections, guard);
      return closing;
    },
  };
}

function isSame(a: WebRoutes, b: WebRoutes): boolean {
  return (
    a.telemetryPath === b.telemetryPath &&
    a.routePrefix === b.routePrefix &&
    a.externalUrl === b.externalUrl &&
    a.page === b.page &&
    a.enableLifecycle === b.enableLifecycle
  );
}

/** What all apps that follow one another have in common: whatever belongs to connections rather than to routes. */
interface Front {
  readonly connections: Connections;
  readonly servers: HttpServers;
  readonly guard: Guard;
  readonly webConfig: WatchedWebConfig;
  readonly onClientError: (error: NodeJS.ErrnoException, socket: Socket) => void;
}

function newApp(
  options: WebServerOptions,
  front: Front,
  serverFactory: (handler: RequestListener) => Server,
): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: 'idle',
    serverFactory,
    clientErrorHandler: front.onClientError,
    schemaController: { compilersFactory: WITHOUT_SCHEMAS },
    // The framework's own words quote the path.
    frameworkErrors: (error, _, reply) =>
      textAnswer(reply, error.statusCode ?? 400, 'The path of the request is malformed.'),
  });
  addGuards(app, options, front);
  const { routePrefix = '' } = options;
  addErrorAnswers(app, options);
  app.register(async (scope) => addRoutes(scope, options), { prefix: routePrefix });
  if (routePrefix !== '') {
    // As in blackbox_exporter: a user who knows only the address is led to the page.
    app.get('/', (_, reply) => reply.redirect(options.externalUrl ?? `${routePrefix}/`, 302));
    app.get(routePrefix, (_, reply) => reply.redirect(`${routePrefix}/`, 301));
  }
  return app;
}

function tlsSide({ tls, http2 }: WebConfig): TlsSide {
  return {
    context: tls?.context ?? {},
    asksForCertificate: tls !== undefined && tls.clientAuth !== 'NoClientCert',
    http2,
  };
}

/** The answer that a request waits for, by the request. */
const answers = new WeakMap<FastifyRequest, OpenAnswer>();

const REFUSALS: Readonly<Record<Exclude<GuardAnswer, 'allowed'>, readonly [status: number, line: string]>> = {
  rate_limited: [429, 'Too many requests.'],
  unauthorized: [401, 'Unauthorized'],
  busy: [503, 'Too many passwords are being checked.'],
};

/** What every request goes through before its route. */
function addGuards(app: FastifyInstance, options: WebServerOptions, front: Front): void {
  const { connections, servers, guard, webConfig } = front;
  const { methods, pathOf } = knownPaths(options);
  app.addHook('onRequest', async (request, reply) => {
    const answer = connections.begin(servers.socketOf(request.raw), reply.raw);
    if (answer === undefined) {
      reply.hijack();
      return;
    }
    answers.set(request, answer);
    reply.header('x-content-type-options', 'nosniff');
    answer.whenOver((sent) => {
      const path = pathOf(request);
      options.onRequest?.({
        path: methods.has(path) ? path : 'other',
        method: request.method,
        status: sent ? reply.raw.statusCode : CLIENT_GONE,
        durationSeconds: reply.elapsedTime / 1000,
      });
    });
    webConfig.look();
    const judged = await guard.judge(request, reply, answer.address);
    if (judged !== 'allowed') {
      const [status, line] = REFUSALS[judged];
      if (status === 401) reply.header('www-authenticate', 'Basic');
      else reply.header('retry-after', '1');
      await textAnswer(reply, status, line);
      return;
    }
    if (!hasOneHost(request.raw.rawHeaders)) {
      await textAnswer(endConnection(reply), 400, 'Expected one Host: the name or address of this server.');
      return;
    }
    if (connections.draining) await textAnswer(endConnection(reply), 503, 'The exporter is stopping.');
  });
}

/** Sets `Connection: close`; HTTP/2 has no such header. */
function endConnection(reply: FastifyReply): FastifyReply {
  return reply.request.raw.httpVersionMajor === 1 ? reply.header('connection', 'close') : reply;
}

async function addRoutes(app: FastifyInstance, options: WebServerOptions): Promise<void> {
  const { telemetryPath, ready, reload, enableLifecycle, externalUrl } = options;
  const ownNames = [hostname(), ...(externalUrl === undefined ? [] : [new URL(externalUrl).hostname])];
  const { render, release = () => {}, runbook = () => readRunbook(), page } = options;
  const scrapes = new Scrapes({
    render,
    release,
    compress: (body) => compress(body, { level: constants.Z_BEST_SPEED }),
  });
  app.get(telemetryPath, async (request, reply) => {
    const { format, contentType } = negotiateFormat(request.headers.accept);
    const compressed = acceptsGzip(header(request, 'accept-encoding'));
    const answer = answers.get(request);
    const body = answer === undefined ? undefined : await scrapes.body(format, compressed, answer);
    if (body === undefined)
      return textAnswer(
        reply.header('retry-after', '1'),
        503,
        `over ${MAX_SCRAPES} scrapes at once, or too many of one address`,
      );
    reply.header('vary', 'Accept, Accept-Encoding').type(contentType);
    return (compressed ? reply.header('content-encoding', 'gzip') : reply).send(body);
  });

  const pages = new PageBodies();
  const sendPage: SendPage = async (reply, key, make) => {
    const answer = answers.get(reply.request);
    const body = answer === undefined ? undefined : await pages.body(key, answer, make);
    if (body !== undefined) return reply.send(body);
    const line = `over ${MAX_PAGES} pages at once, or too many of one address`;
    return textAnswer(reply.header('retry-after', '1').header('cache-control', 'no-store'), 503, line);
  };

  app.get('/runbook', async (_, reply) => {
    reply
      .header('content-security-policy', RUNBOOK_POLICY)
      .header('referrer-policy', 'no-referrer')
      .header('cache-control', 'no-cache')
      .type('text/html; charset=utf-8');
    return sendPage(reply, 'runbook', async () => {
      const text = await runbook();
      if (text !== undefined) return text;
      throw Object.assign(new Error('No runbook: the build did not render docs/runbook.md'), { statusCode: 404 });
    });
  });

  if (page !== undefined) {
    addApiRoutes(app, { ...page, sendPage, answerOf: (request) => answers.get(request) });
    await addPageRoutes(app, { facts: page.facts, telemetryPath, sendPage });
  }

  app.get('/-/healthy', (_, reply) => textAnswer(reply, 200, 'bgproutes-exporter is healthy.'));

  app.get('/-/ready', (_, reply) => {
    const state = ready();
    return state.ok
      ? textAnswer(reply, 200, 'bgproutes-exporter is ready.')
      : textAnswer(reply, 503, `bgproutes-exporter is not ready: ${state.reason}.`);
  });

  app.post('/-/reload', async (request, reply) => {
    if (!enableLifecycle || reload === undefined) {
      return textAnswer(reply, 403, 'Reload by HTTP is off. Turn it on with --web.enable-lifecycle, or send SIGHUP.');
    }
    if (isForeign(request.headers, ownNames)) {
      return textAnswer(
        reply,
        403,
        'A web page of another place cannot reload the exporter. Ask by IP address, localhost, or the name of --web.external-url.',
      );
    }
    try {
      await reload();
      return textAnswer(reply, 200, 'The configuration was read again.');
    } catch (error) {
      if (!(error instanceof ExporterError)) throw error;
      const reasons = error instanceof ConfigError ? error.problems : [error.message];
      return textAnswer(
        reply,
        500,
        `The new configuration was refused, the current one stays in force:\n${reasons.join('\n')}`,
      );
    }
  });
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** `node:http` takes a connection for idle as soon as its answer is written, sent or not, and would cut it off. */
async function close(
  app: FastifyInstance,
  servers: HttpServers,
  connections: Connections,
  guard: Guard,
): Promise<void> {
  await connections.drain(CLOSE_LIMIT_MS);
  await Promise.all([servers.close(), app.close(), guard.close()]);
}
