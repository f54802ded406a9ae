/**
 * The OTLP part of the configuration: where the metrics are pushed to, and how. Flags win over the file, and the file over
 * the environment (otlp-environment.ts). Off unless one of them names an endpoint or asks for it.
 */
import type { z } from 'zod';
import { DEFAULTS } from '../../defaults.ts';
import { formatDuration } from '../duration.ts';
import type { Environment } from '../file/substitution.ts';
import * as values from '../values.ts';
import type { OtlpConfig } from './otlp-config.ts';
import { METRICS_PATH, readOtlpEnvironment } from './otlp-environment.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Shorter texts are not treated as secrets: redacting them would make log lines unreadable. */
const MIN_SECRET_LENGTH = 6;

const otlpKeys = values.section({
  endpoint: values.url(['http:', 'https:'], 'http://localhost:4318', true).optional(),
  protocol: values.oneOf('http/protobuf', 'http/json').optional(),
  headers: values.table('a map of header names and values', values.headerName, values.headerValue),
  interval: values.duration(SECOND_MS, HOUR_MS).optional(),
  timeout: values.duration(100, 10 * MINUTE_MS).optional(),
  compression: values.oneOf('none', 'gzip').optional(),
  temporality: values.oneOf('cumulative', 'delta', 'lowmemory').optional(),
  resource_attributes: values.table(
    'a map of attribute names and values',
    values.attributeName,
    values.text('a text', 1_000),
  ),
  tls: values.section({
    ca_file: values.path('the path of a PEM file').optional(),
    cert_file: values.path('the path of a PEM file').optional(),
    key_file: values.path('the path of a PEM file').optional(),
  }),
});

export const otlpSection = otlpKeys.superRefine(({ timeout, interval, tls }, context) => {
  // An export that outlasts its interval would meet the next one.
  if (timeout !== undefined && interval !== undefined && timeout > interval) {
    const message = `expected at most the interval of ${formatDuration(interval)}`;
    context.addIssue({ code: 'custom', path: ['timeout'], message, params: { got: 'value', hint: undefined } });
  }
  for (const [one, other] of [
    ['cert_file', 'key_file'],
    ['key_file', 'cert_file'],
  ] as const) {
    if (tls[one] === undefined || tls[other] !== undefined) continue;
    const message = `expected otlp.tls.${other} beside it`;
    context.addIssue({ code: 'custom', path: ['tls', one], message, params: { got: 'none', hint: undefined } });
  }
});

export interface ResolvedOtlp {
  /** Undefined: off. */
  readonly config: OtlpConfig | undefined;
  /** Off by a variable: which, in words. */
  readonly offBecause: string | undefined;
  /** What is wrong with variables that count, each with its name first. */
  readonly problems: readonly string[];
}

/**
 * Lays the section (of file and flags) over the environment. `resolvePath` makes a path of the section one of the working
 * directory. Variables are looked at only when OTLP is on.
 */
export function resolveOtlp(
  section: z.output<typeof otlpSection>,
  env: Environment,
  resolvePath: (key: 'ca_file' | 'cert_file' | 'key_file', path: string) => string = (_, path) => path,
): ResolvedOtlp {
  const environment = readOtlpEnvironment(env, section.endpoint !== undefined);
  if (!environment.on) {
    return { config: undefined, offBecause: environment.because, problems: environment.problems };
  }
  const { settings, problems } = environment;
  const intervalMs = section.interval ?? settings.intervalMs ?? DEFAULTS.otlp.intervalMs;
  const wantedMs = section.timeout ?? settings.timeoutMs ?? DEFAULTS.otlp.timeoutMs;
  const exportTimeoutMs = Math.min(
    settings.exportTimeoutMs ?? Math.max(DEFAULTS.otlp.exportTimeoutMs, wantedMs),
    intervalMs,
  );
  const file = (key: 'ca_file' | 'cert_file' | 'key_file'): string | undefined => {
    const path = section.tls[key];
    return path === undefined ? undefined : resolvePath(key, path);
  };
  // Client certificate and key are taken from one place, never mixed.
  const ownClient = section.tls.cert_file !== undefined;
  const config: OtlpConfig = {
    endpoint: section.endpoint === undefined ? settings.endpoint : withMetricsPath(section.endpoint),
    protocol: section.protocol ?? settings.protocol ?? DEFAULTS.otlp.protocol,
    headers: mergedHeaders(settings.headers, section.headers),
    intervalMs,
    exportTimeoutMs,
    timeoutMs: Math.min(wantedMs, exportTimeoutMs),
    compression: section.compression ?? settings.compression ?? DEFAULTS.otlp.compression,
    temporality: section.temporality ?? settings.temporality ?? DEFAULTS.otlp.temporality,
    resourceAttributes: { ...settings.resourceAttributes, ...section.resource_attributes },
    tls: {
      caFile: file('ca_file') ?? settings.tls.caFile,
      certFile: ownClient ? file('cert_file') : settings.tls.certFile,
      keyFile: ownClient ? file('key_file') : settings.tls.keyFile,
    },
  };
  return { config, offBecause: undefined, problems };
}

/** Values of headers, also without the `Bearer` before them, and of the URL's query: what must never be printed. */
export function otlpSecrets({ headers, endpoint }: OtlpConfig): string[] {
  const texts = Object.values(headers).flatMap((text) => [text, ...text.split(' ')]);
  return [...texts, ...new URL(endpoint).searchParams.values()].filter((text) => text.length >= MIN_SECRET_LENGTH);
}

/** `https://host:4318` and `https://host:4318/v1/metrics` are the same here. */
function withMetricsPath(endpoint: string): string {
  const url = new URL(endpoint);
  if (!url.pathname.endsWith(METRICS_PATH)) url.pathname = `${url.pathname.replace(/\/+$/, '')}${METRICS_PATH}`;
  return url.href;
}

/** Names of headers are compared without regard to case. */
function mergedHeaders(...sources: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, string>> {
  const byName = new Map<string, readonly [string, string]>();
  for (const source of sources) {
    for (const [name, text] of Object.entries(source)) byName.set(name.toLowerCase(), [name, text]);
  }
  return Object.fromEntries(byName.values());
}
