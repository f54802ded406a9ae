/** The page for people: documents, their style and their script. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { SendPage } from '../page-bodies.ts';
import { monitored, parameter, prefixAsked, windowOf } from './api-routes.ts';
import { overviewDocument, PAGE_POLICY, type PageLinks, prefixDocument } from './page-document.ts';
import type { PageFacts } from './page-facts.ts';
import { PAGE_STYLE } from './page-style.ts';

/** Paths of the page; behind the last one stands a prefix. */
export const PAGE_PATHS = {
  overview: '/',
  style: '/page/page.css',
  script: '/page/page.js',
  prefix: '/prefix/',
} as const;

/** Made by the build; the sources as they are use it too. */
const SCRIPT = new URL('../../../dist/page.js', import.meta.url);

export interface PageOptions {
  readonly facts: PageFacts;
  readonly telemetryPath: string;
  readonly sendPage: SendPage;
  /** The script's file. Default: what the build has made. */
  readonly script?: URL;
}

interface Asset {
  readonly body: Buffer;
  readonly type: string;
  /** Another for each text: a browser may keep what it got under it. */
  readonly version: string;
}

export async function addPageRoutes(app: FastifyInstance, options: PageOptions): Promise<void> {
  const { facts, telemetryPath, sendPage } = options;
  const style = assetOf(Buffer.from(PAGE_STYLE), 'text/css; charset=utf-8');
  const script = await readScript(options.script ?? SCRIPT);
  const links: PageLinks = {
    telemetryPath: telemetryPath.slice(1),
    style: `page/page.css?v=${style.version}`,
    script: script && `page/page.js?v=${script.version}`,
  };

  app.get(PAGE_PATHS.overview, { prefixTrailingSlash: 'slash' }, (request, reply) => {
    const filter = {
      text: parameter(request, 'q') ?? '',
      state: parameter(request, 'state') ?? '',
      group: parameter(request, 'group') ?? '',
    };
    return sendPage(htmlHeaders(reply), `overview ${JSON.stringify(filter)}`, async () => {
      const summaries = await facts.summaries();
      return overviewDocument(facts.status(), summaries, filter, links);
    });
  });

  app.get(`${PAGE_PATHS.prefix}*`, (request, reply) => {
    const text = prefixAsked(request);
    const prefix = facts.find(text);
    if (prefix === undefined)
      return reply.code(404).type('text/plain; charset=utf-8').send('This prefix is not monitored.\n');
    const window = windowOf(request) ?? '1h';
    return sendPage(htmlHeaders(reply), `page ${prefix.state.prefix.text} ${window}`, () =>
      prefixDocument(facts.status(), facts.detail(monitored(facts, text), window), window, links),
    );
  });

  app.get(PAGE_PATHS.style, (_, reply) => send(reply, style));
  app.get(PAGE_PATHS.script, (_, reply) =>
    script === undefined
      ? reply.code(404).type('text/plain; charset=utf-8').send('The build has made no script.\n')
      : send(reply, script),
  );
}

function assetOf(body: Buffer, type: string): Asset {
  return { body, type, version: createHash('sha256').update(body).digest('hex').slice(0, 12) };
}

async function readScript(file: URL): Promise<Asset | undefined> {
  try {
    return assetOf(await readFile(file), 'text/javascript; charset=utf-8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function htmlHeaders(reply: FastifyReply): FastifyReply {
  return reply
    .header('content-security-policy', PAGE_POLICY)
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8');
}

function send(reply: FastifyReply, { body, type }: Asset): FastifyReply {
  return reply.header('cache-control', 'public, max-age=31536000, immutable').type(type).send(body);
}
