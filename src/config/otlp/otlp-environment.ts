/**
 * The variables of the OpenTelemetry specification that concern metrics over HTTP, read here because the SDK ignores many of
 * them when a reader is made by hand, and answers a wrong value with a default. Where there is a variable for all signals
 * and one for metrics, the latter wins. An empty variable is an unset one.
 */
import { parseUrl } from '../../input/url.ts';
import type { Environment } from '../file/substitution.ts';
import { attributeName, headerName, headerValue } from '../values.ts';
import type { OtlpProtocol, OtlpTemporality } from './otlp-config.ts';

/** What the variables say; what they leave open is undefined or empty. */
export interface OtlpSettings {
  readonly endpoint: string;
  readonly protocol: OtlpProtocol | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number | undefined;
  readonly exportTimeoutMs: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly compression: 'none' | 'gzip' | undefined;
  readonly temporality: OtlpTemporality | undefined;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly tls: {
    readonly caFile: string | undefined;
    readonly certFile: string | undefined;
    readonly keyFile: string | undefined;
  };
}

export type OtlpEnvironment =
  | {
      readonly on: false;
      /** The variable that turned it off, in words; undefined when nothing asked for OTLP. */
      readonly because: string | undefined;
      readonly problems: readonly string[];
    }
  | { readonly on: true; readonly settings: OtlpSettings; readonly problems: readonly string[] };

/** What is added to the endpoint of all signals. */
export const METRICS_PATH = '/v1/metrics';

const DEFAULT_ENDPOINT = `http://localhost:4318${METRICS_PATH}`;

/** What `OTEL_METRICS_EXPORTER` may name; `prometheus` needs nothing here, since /metrics is there anyway. */
const EXPORTERS = ['otlp', 'none', 'prometheus'];

/**
 * `hasEndpoint`: the file or a flag names one, so that OTLP is on unless the environment turns it off, by
 * `OTEL_SDK_DISABLED=true` or `OTEL_METRICS_EXPORTER=none`.
 */
export function readOtlpEnvironment(env: Environment, hasEndpoint: boolean): OtlpEnvironment {
  const reader = new Reader(env);
  const exporters = reader.words('OTEL_METRICS_EXPORTER');
  if (reader.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') {
    return { on: false, because: 'OTEL_SDK_DISABLED is true', problems: [] };
  }
  if (exporters.includes('none')) return { on: false, because: 'OTEL_METRICS_EXPORTER is none', problems: [] };
  const unknown = exporters.find((name) => !EXPORTERS.includes(name));
  if (unknown !== undefined) {
    reader.problem('OTEL_METRICS_EXPORTER', `expected otlp or none, got ${JSON.stringify(unknown)}`);
  }
  const named = reader.first('ENDPOINT') !== undefined;
  const on = hasEndpoint || (exporters.length > 0 ? exporters.includes('otlp') : named);
  if (!on) {
    const because = exporters.length > 0 ? 'OTEL_METRICS_EXPORTER does not name otlp' : undefined;
    return { on, because, problems: reader.problems };
  }
  const settings: OtlpSettings = {
    endpoint: hasEndpoint ? '' : (reader.endpoint() ?? DEFAULT_ENDPOINT),
    protocol: reader.protocol(),
    headers: {
      ...reader.headers('OTEL_EXPORTER_OTLP_HEADERS'),
      ...reader.headers('OTEL_EXPORTER_OTLP_METRICS_HEADERS'),
    },
    intervalMs: reader.milliseconds('OTEL_METRIC_EXPORT_INTERVAL', 1_000, 3_600_000),
    exportTimeoutMs: reader.milliseconds('OTEL_METRIC_EXPORT_TIMEOUT', 100, 3_600_000),
    timeoutMs: reader.milliseconds(reader.first('TIMEOUT'), 100, 600_000),
    compression: reader.oneOf(reader.first('COMPRESSION'), ['none', 'gzip']),
    temporality: reader.oneOf('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', [
      'cumulative',
      'delta',
      'lowmemory',
    ]),
    resourceAttributes: reader.resourceAttributes(),
    tls: reader.tls(),
  };
  return { on, settings, problems: reader.problems };
}

class Reader {
  readonly problems: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  problem(variable: string, message: string): void {
    this.problems.push(`${variable}: ${message}`);
  }

  text(variable: string | undefined): string | undefined {
    const text = variable === undefined ? undefined : this.#env[variable]?.trim();
    return text === '' ? undefined : text;
  }

  words(variable: string): readonly string[] {
    return (this.text(variable)?.split(',') ?? []).map((word) => word.trim()).filter((word) => word !== '');
  }

  /** The variable that counts: the one of metrics, else the one of all signals, if any is set. */
  first(name: string): string | undefined {
    return [`OTEL_EXPORTER_OTLP_METRICS_${name}`, `OTEL_EXPORTER_OTLP_${name}`].find(
      (variable) => this.text(variable) !== undefined,
    );
  }

  /** The endpoint of the metrics is taken as it is; to the endpoint of all signals a path is added. */
  endpoint(): string | undefined {
    const variable = this.first('ENDPOINT');
    const text = this.text(variable);
    if (variable === undefined || text === undefined) return undefined;
    const url = parseUrl(text);
    if (url === undefined || !/^https?:\/\//i.test(text)) {
      // Not quoted: it may hold a password or a token.
      this.problem(variable, 'expected a URL that starts with http:// or https://, such as http://localhost:4318');
      return undefined;
    }
    if (url.username !== '' || url.password !== '') {
      this.problem(
        variable,
        'expected a URL without a user name and password (OTEL_EXPORTER_OTLP_HEADERS can hold them)',
      );
      return undefined;
    }
    if (variable.includes('METRICS')) return url.href;
    url.pathname = `${url.pathname.replace(/\/+$/, '')}${METRICS_PATH}`;
    return url.href;
  }

  protocol(): OtlpProtocol | undefined {
    const variable = this.first('PROTOCOL');
    if (variable !== undefined && this.text(variable) === 'grpc') {
      const message =
        'expected one of http/protobuf, http/json, got "grpc" (take the HTTP port of the collector, 4318)';
      this.problem(variable, message);
      return undefined;
    }
    return this.oneOf(variable, ['http/protobuf', 'http/json']);
  }

  oneOf<const T extends string>(variable: string | undefined, known: readonly T[]): T | undefined {
    const text = this.text(variable);
    if (variable === undefined || text === undefined) return undefined;
    const found = known.find((word) => word === text.toLowerCase());
    if (found === undefined) this.problem(variable, `expected one of ${known.join(', ')}, got ${JSON.stringify(text)}`);
    return found;
  }

  milliseconds(variable: string | undefined, min: number, max: number): number | undefined {
    const text = this.text(variable);
    if (variable === undefined || text === undefined) return undefined;
    const ms = /^[0-9]{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (ms >= min && ms <= max) return ms;
    this.problem(variable, `expected milliseconds from ${min} to ${max}, got ${JSON.stringify(text)}`);
    return undefined;
  }

  headers(variable: string): Readonly<Record<string, string>> {
    return this.#pairs(variable, (name, text) => {
      if (headerName(name) !== undefined) return 'expected names of HTTP headers before the =';
      // The text of a wrong header is never shown.
      return headerValue.safeParse(text).success ? undefined : `expected visible ASCII as the value of ${name}`;
    });
  }

  resourceAttributes(): Readonly<Record<string, string>> {
    const attributes = this.#pairs('OTEL_RESOURCE_ATTRIBUTES', (name) =>
      attributeName(name) === undefined ? undefined : 'expected names of attributes before the =',
    );
    const serviceName = this.text('OTEL_SERVICE_NAME');
    return serviceName === undefined ? attributes : { ...attributes, 'service.name': serviceName };
  }

  tls(): OtlpSettings['tls'] {
    const certificate = this.first('CLIENT_CERTIFICATE');
    const key = this.first('CLIENT_KEY');
    if (certificate !== undefined && key === undefined) {
      this.problem(certificate, `expected ${certificate.replace('CERTIFICATE', 'KEY')} beside it`);
    }
    if (key !== undefined && certificate === undefined) {
      this.problem(key, `expected ${key.replace('KEY', 'CERTIFICATE')} beside it`);
    }
    return {
      caFile: this.text(this.first('CERTIFICATE')),
      certFile: this.text(certificate),
      keyFile: this.text(key),
    };
  }

  /** `name=value,name=value`, values percent-encoded, as in W3C baggage. */
  #pairs(variable: string, fault: (name: string, text: string) => string | undefined): Record<string, string> {
    const pairs: [string, string][] = [];
    for (const entry of this.words(variable)) {
      const equals = entry.indexOf('=');
      const name = decoded(entry.slice(0, Math.max(equals, 0)).trim());
      const text = decoded(entry.slice(equals + 1).trim());
      if (equals <= 0 || name === undefined || text === undefined) {
        this.problem(variable, 'expected name=value,name=value with percent-encoded values');
        return {};
      }
      const message = fault(name, text);
      if (message !== undefined) {
        this.problem(variable, message);
        return {};
      }
      pairs.push([name, text]);
    }
    return Object.fromEntries(pairs);
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
