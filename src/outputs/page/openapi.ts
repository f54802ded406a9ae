/** The OpenAPI 3.1 document of the JSON API, made of the schemas of its answers. */
import { z } from 'zod';
import { HISTORY_WINDOWS } from '../../history/prefix-history.ts';
import { changeList, prefixDetail, prefixesEvent, prefixList, prefixSummary, problem, status } from './api-schemas.ts';

const SCHEMAS = { PrefixList: prefixList, PrefixDetail: prefixDetail, ChangeList: changeList, Problem: problem };
/** Parts of others that events carry. */
const EVENT_SCHEMAS = { Status: status, PrefixSummary: prefixSummary, PrefixesEvent: prefixesEvent };

/** @param version of the exporter */
export function openApiDocument(version: string): Readonly<Record<string, unknown>> {
  const schemas = Object.fromEntries(
    Object.entries({ ...SCHEMAS, ...EVENT_SCHEMAS }).map(([name, schema]) => {
      const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12' });
      return [name, rest];
    }),
  );
  return {
    openapi: '3.1.1',
    info: {
      title: 'bgproutes-exporter',
      version,
      description: 'What the exporter knows of the monitored prefixes. Read-only; numbers are those of its metrics.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '../..', description: 'Where the exporter listens.' }],
    paths: {
      '/api/v1/prefixes': {
        get: {
          operationId: 'listPrefixes',
          summary: 'All monitored prefixes, in the order of the configuration.',
          responses: { 200: answer('PrefixList', 'The prefixes, and the exporter itself.') },
        },
      },
      '/api/v1/prefixes/{prefix}': {
        get: {
          operationId: 'getPrefix',
          summary: 'One prefix and its past.',
          parameters: [
            PREFIX,
            { name: 'window', in: 'query', schema: { enum: [...HISTORY_WINDOWS], default: HISTORY_WINDOWS[0] } },
          ],
          responses: { 200: answer('PrefixDetail', 'The prefix.'), ...NOT_FOUND, ...BAD_REQUEST },
        },
      },
      '/api/v1/prefixes/{prefix}/changes': {
        get: {
          operationId: 'getChanges',
          summary: 'What happened to the prefix: the last changes of its routes.',
          parameters: [PREFIX],
          responses: { 200: answer('ChangeList', 'The changes.'), ...NOT_FOUND },
        },
      },
      '/api/v1/events': {
        get: {
          operationId: 'streamEvents',
          summary: 'Server-sent events: what changes, once a second.',
          description:
            'Without `prefix`: `status` (Status) and `prefixes` (PrefixesEvent). With `prefix`: `status` and `prefix` (PrefixDetail).',
          parameters: [
            { name: 'prefix', in: 'query', schema: { type: 'string' } },
            { name: 'window', in: 'query', schema: { enum: [...HISTORY_WINDOWS], default: HISTORY_WINDOWS[0] } },
          ],
          responses: {
            200: {
              description: 'Events, without end.',
              content: { 'text/event-stream': { schema: { type: 'string' } } },
            },
            ...NOT_FOUND,
            ...BAD_REQUEST,
            503: answer('Problem', 'As many pages are open as may be.'),
          },
        },
      },
    },
    components: { schemas },
  };
}

const PREFIX = {
  name: 'prefix',
  in: 'path',
  required: true,
  description: 'A monitored prefix, such as 192.0.2.0/24; its slash may be written as %2F.',
  schema: { type: 'string' },
};

function answer(schema: keyof typeof SCHEMAS, description: string) {
  return { description, content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } } };
}

const NOT_FOUND = { 404: answer('Problem', 'The prefix is not monitored.') };
const BAD_REQUEST = { 400: answer('Problem', 'A parameter cannot be read.') };
