/**
 * The OTLP part of the configuration, read and checked. In a file of its own, without a schema: programs that use the library
 * compile these types, and should not have to compile those of a schema library with them.
 */

/** How exports are encoded, over HTTP. */
export type OtlpProtocol = 'http/protobuf' | 'http/json';
/** How counters and histograms are sent; gauges are the same in all of them. */
export type OtlpTemporality = 'cumulative' | 'delta' | 'lowmemory';

/** Where metrics are pushed to. */
export interface OtlpConfig {
  /** The whole URL that is posted to. */
  readonly endpoint: string;
  readonly protocol: OtlpProtocol;
  /** Names as given, each once whatever its case; the values are secrets and never print. */
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  /** Time for one export with all its requests; at most `intervalMs`. */
  readonly exportTimeoutMs: number;
  /** Time for one request with its retries; at most `exportTimeoutMs`. */
  readonly timeoutMs: number;
  readonly compression: 'none' | 'gzip';
  readonly temporality: OtlpTemporality;
  /** What the user said; `service.name` and the like have their defaults elsewhere. */
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** Paths of PEM files. A certificate and its key come together. */
  readonly tls: {
    readonly caFile: string | undefined;
    readonly certFile: string | undefined;
    readonly keyFile: string | undefined;
  };
}
