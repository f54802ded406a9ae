/** The paths of the web server: which methods they know, and what a request is counted as. */
import type { FastifyRequest } from 'fastify';
import { API_PATHS } from '../page/api-routes.ts';
import { PAGE_PATHS } from '../page/page-routes.ts';

export interface KnownPaths {
  /** Paths with the methods that they know, for 405. */
  readonly methods: ReadonlyMap<string, string>;
  /** Of a request, without the prefix of all paths and without the name of an IP prefix; empty outside of it. */
  readonly pathOf: (request: FastifyRequest) => string;
}

export interface PathsOptions {
  readonly telemetryPath: string;
  /** Before all paths. Default: none. */
  readonly routePrefix?: string | undefined;
  /** Undefined: neither page nor API. */
  readonly page?: object | undefined;
}

export function knownPaths({ telemetryPath, page, routePrefix = '' }: PathsOptions): KnownPaths {
  const methods = new Map([telemetryPath, '/runbook', '/-/healthy', '/-/ready'].map((path) => [path, 'GET, HEAD']));
  methods.set('/-/reload', 'POST');
  if (page !== undefined)
    for (const path of [...Object.values(API_PATHS), ...Object.values(PAGE_PATHS)]) methods.set(path, 'GET, HEAD');
  const pathOf = (request: FastifyRequest): string => {
    const [whole] = request.url.split('?', 1);
    if (!whole.startsWith(`${routePrefix}/`)) return '';
    const path = whole.slice(routePrefix.length);
    const parent = [API_PATHS.prefix, PAGE_PATHS.prefix].find((each) => path.startsWith(each));
    return page !== undefined && parent !== undefined ? parent : path;
  };
  return { methods, pathOf };
}
