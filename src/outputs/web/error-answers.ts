import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from '../../logger.ts';
import { knownPaths, type PathsOptions } from './known-paths.ts';

const PLAIN = 'text/plain; charset=utf-8';

/** What is answered where no route answers. */
export function addErrorAnswers(app: FastifyInstance, options: PathsOptions & { readonly logger: Logger }): void {
  const { logger } = options;
  const { methods, pathOf } = knownPaths(options);

  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.get(pathOf(request));
    return allowed === undefined
      ? textAnswer(reply, 404, 'Not found.')
      : textAnswer(reply.header('allow', allowed), 405, `Method not allowed, only ${allowed}.`);
  });

  app.setErrorHandler((error: Error & { readonly statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    reply.removeHeader('content-encoding');
    if (status < 500) return textAnswer(reply, status, `${error.message}.`);
    logger.error('a request failed', { path: pathOf(request), error: error.stack ?? error.message });
    return textAnswer(reply, 500, 'Internal error; the log of the exporter has it.');
  });

  // A body is of no use to any route; it is taken whatever its type, and forgotten.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_, __, done) => done(null));
}

/** One line for people and programs that read no HTML. */
export function textAnswer(reply: FastifyReply, status: number, line: string): FastifyReply {
  return reply.code(status).type(PLAIN).send(`${line}\n`);
}
