/** The OTLP part of the configuration: where the metrics are pushed to, and how. Off unless an endpoint is given. */
import type { z } from 'zod';
import { formatDuration } from './duration.ts';
import * as values from './values.ts';

export interface OtlpConfig {
  readonly endpoint: string;
  readonly protocol: 'http/protobuf' | 'http/json';
  /** Names as given; the values are secrets and never print. */
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  /** At most `intervalMs`. */
  readonly timeoutMs: number;
  readonly compression: 'none' | 'gzip';
  readonly resourceAttributes: Readonly<Record<string, string>>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DEFAULT_TIMEOUT_MS = 10_000;

const otlpKeys = values.section({
  endpoint: values.url(['http:', 'https:'], 'http://localhost:4318', true).optional(),
  protocol: values.oneOf('http/protobuf', 'http/json').default('http/protobuf'),
  headers: values.table('a map of header names and values', values.headerName, values.headerValue),
  interval: values.duration(1_000, HOUR_MS).default(30_000),
  timeout: values.duration(100, 10 * MINUTE_MS).optional(),
  compression: values.oneOf('none', 'gzip').default('none'),
  resource_attributes: values.table(
    'a map of attribute names and values',
    values.attributeName,
    values.text('a text', 1_000),
  ),
});

/** An export that outlasts its interval would meet the next one. */
export const otlpSection = otlpKeys.superRefine(({ timeout, interval }, context) => {
  if (timeout === undefined || timeout <= interval) return;
  const message = `expected at most the interval of ${formatDuration(interval)}`;
  context.addIssue({ code: 'custom', path: ['timeout'], message, params: { got: 'value', hint: undefined } });
});

/** Undefined: off. */
export function otlpConfig(section: z.output<typeof otlpSection>): OtlpConfig | undefined {
  if (section.endpoint === undefined) return undefined;
  return {
    endpoint: section.endpoint,
    protocol: section.protocol,
    headers: section.headers,
    intervalMs: section.interval,
    timeoutMs: section.timeout ?? Math.min(DEFAULT_TIMEOUT_MS, section.interval),
    compression: section.compression,
    resourceAttributes: section.resource_attributes,
  };
}
