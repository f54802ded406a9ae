/** One source of validated RPKI data in the configuration. */
import type { z } from 'zod';
import { parseUrl } from '../../input/url.ts';
import type { RpkiSourceConfig } from '../../rpki/source-config.ts';
import * as values from '../values.ts';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** More would ask validators for nothing: the first usable one answers. */
export const MAX_RPKI_SOURCES = 8;

export const rpkiSource = values.section(
  {
    url: values.url(['http:', 'https:', 'rtr:', 'rtrs:'], 'http://validator:8323/json', true).optional(),
    file: values.path('the path of a file').optional(),
    interval: values.duration(10 * SECOND_MS, DAY_MS).default(10 * 60 * SECOND_MS),
  },
  'a map such as {url: http://validator:8323/json}',
);

/** RFC 8210 section 9. */
const RTR_PORTS = { rtr: 323, rtrs: 324 } as const;

/** Where an RTR URL leads; undefined: it is of another protocol, or without a host. */
export function rtrAddress(url: string): Extract<RpkiSourceConfig, { kind: 'rtr' }> | undefined {
  const parsed = /^rtrs?:/i.test(url) ? parseUrl(url) : undefined;
  if (parsed === undefined) return undefined;
  const { protocol, hostname, port } = parsed;
  const tls = protocol === 'rtrs:';
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === '') return undefined;
  return { kind: 'rtr', host, port: port === '' ? RTR_PORTS[tls ? 'rtrs' : 'rtr'] : Number(port), tls };
}

/** @param resolve makes a path of the file one of the working directory */
export function toRpkiSource(
  { url, file, interval }: z.output<typeof rpkiSource>,
  resolve: (file: string) => string,
): RpkiSourceConfig {
  if (url !== undefined) return rtrAddress(url) ?? { kind: 'url', url, intervalMs: interval };
  return { kind: 'file', path: resolve(file ?? ''), intervalMs: interval };
}
