/** The JSON API: what the page shows, for programs. Read-only. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HISTORY_WINDOWS, type HistoryWindow } from '../../history/prefix-history.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { OpenAnswer } from '../connections.ts';
import type { SendPage } from '../page-bodies.ts';
import { acceptsGzip } from '../text/negotiation.ts';
import type { PrefixList } from './api-schemas.ts';
import type { EventHub, Topic } from './event-hub.ts';
import type { PageFacts } from './page-facts.ts';

/** Paths of the API; behind the last one stands a prefix. */
export const API_PATHS = {
  prefixes: '/api/v1/prefixes',
  events: '/api/v1/events',
  document: '/api/v1/openapi.json',
  prefix: '/api/v1/prefixes/',
} as const;

const EVENT_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  vary: 'Accept-Encoding',
  'x-content-type-options': 'nosniff',
  // With this header, reverse proxies do not collect the answer before they pass it on.
  'x-accel-buffering': 'no',
} as const;

export interface ApiOptions {
  readonly facts: PageFacts;
  readonly hub: EventHub;
  readonly version: string;
  readonly sendPage: SendPage;
  /** The answer that a request began. */
  readonly answerOf: (request: FastifyRequest) => OpenAnswer | undefined;
}

export function addApiRoutes(app: FastifyInstance, { facts, hub, version, sendPage, answerOf }: ApiOptions): void {
  app.get(API_PATHS.prefixes, (_, reply) =>
    sendPage(jsonHeaders(reply), API_PATHS.prefixes, async () => {
      const list: PrefixList = { status: facts.status(), prefixes: await facts.summaries() };
      return JSON.stringify(list);
    }),
  );

  app.get(`${API_PATHS.prefix}*`, (request, reply) => {
    const asked = prefixAsked(request);
    const text = asked.replace(/\/changes$/, '');
    const prefix = facts.find(text);
    if (prefix === undefined) return json(reply, 404, { error: 'this prefix is not monitored' });
    const key = `${API_PATHS.prefix}${prefix.state.prefix.text}`;
    if (text !== asked)
      return sendPage(jsonHeaders(reply), `${key}/changes`, () =>
        JSON.stringify(facts.changes(monitored(facts, text))),
      );
    const window = windowOf(request);
    if (window === undefined) return badWindow(reply);
    return sendPage(jsonHeaders(reply), `${key} ${window}`, () =>
      JSON.stringify(facts.detail(monitored(facts, text), window)),
    );
  });

  app.get(API_PATHS.events, (request, reply) => {
    const topic = topicOf(request, facts);
    if (topic === 'not_found') return json(reply, 404, { error: 'this prefix is not monitored' });
    if (topic === 'bad_window') return badWindow(reply);
    const isPacked = acceptsGzip(String(request.headers['accept-encoding'] ?? ''));
    const headers = { ...EVENT_HEADERS, ...(isPacked && { 'content-encoding': 'gzip' }) };
    if (request.method === 'HEAD') return reply.headers(headers).send();
    const answer = answerOf(request);
    if (answer === undefined || !hub.hasRoom(answer.address))
      return json(reply.header('retry-after', '5'), 503, { error: 'as many pages are open as may be' });
    answer.keepOpen();
    reply.hijack();
    reply.raw.writeHead(200, headers);
    hub.add({ response: reply.raw, address: answer.address, topic, isPacked });
    return reply;
  });

  app.get(API_PATHS.document, (_, reply) =>
    sendPage(jsonHeaders(reply), API_PATHS.document, async () => {
      const { openApiDocument } = await import('./openapi.ts');
      return JSON.stringify(openApiDocument(version));
    }),
  );
}

/** The prefix when its answer is made: a reload may have come since it was asked for. @throws an error of status 404 */
export function monitored(facts: PageFacts, text: string): MonitoredPrefix {
  const prefix = facts.find(text);
  if (prefix === undefined) throw Object.assign(new Error('This prefix is not monitored'), { statusCode: 404 });
  return prefix;
}

/** What stands behind the route's own path, decoded. */
export function prefixAsked(request: FastifyRequest): string {
  return (request.params as { readonly '*': string })['*'];
}

/** The window of a query, by default the first; undefined: there is no such window. */
export function windowOf(request: FastifyRequest): HistoryWindow | undefined {
  const asked = parameter(request, 'window') ?? HISTORY_WINDOWS[0];
  return HISTORY_WINDOWS.find((window) => window === asked);
}

/** One parameter of a query; the first where there are several. */
export function parameter(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Readonly<Record<string, string | string[] | undefined>>)[name];
  return Array.isArray(value) ? value[0] : value;
}

function topicOf(request: FastifyRequest, facts: PageFacts): Topic | 'not_found' | 'bad_window' {
  const asked = parameter(request, 'prefix');
  if (asked === undefined) return { kind: 'overview' };
  const prefix = facts.find(asked)?.state.prefix.text;
  const window = windowOf(request);
  if (prefix === undefined) return 'not_found';
  return window === undefined ? 'bad_window' : { kind: 'prefix', prefix, window };
}

function badWindow(reply: FastifyReply): FastifyReply {
  return json(reply, 400, { error: `window: expected one of ${HISTORY_WINDOWS.join(', ')}` });
}

function json(reply: FastifyReply, status: number, body: object): FastifyReply {
  return jsonHeaders(reply.code(status)).send(JSON.stringify(body));
}

function jsonHeaders(reply: FastifyReply): FastifyReply {
  return reply.header('cache-control', 'no-store').type('application/json; charset=utf-8');
}
