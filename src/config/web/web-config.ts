/** What a file of `--web.config.file` says, read and checked. */
import type { SecureContextOptions } from 'node:tls';

/**
 * What is asked of a client's certificate, in the words of exporter-toolkit. `RequireClientCert` is its old name of
 * `RequireAnyClientCert`.
 */
export const CLIENT_AUTH_TYPES = [
  'NoClientCert',
  'RequestClientCert',
  'RequireClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
export type ClientAuthType = (typeof CLIENT_AUTH_TYPES)[number];

export interface WebTls {
  /** Certificate, key, CAs, versions, suites and curves; a context of it can be made. Holds the private key. */
  readonly context: SecureContextOptions;
  readonly clientAuth: ClientAuthType;
  /** Subject alternative names of which a client certificate needs one; undefined: any will do. */
  readonly allowedSans: ReadonlySet<string> | undefined;
}

export interface RateLimit {
  /** A token more each, ms, more than 0. */
  readonly intervalMs: number;
  /** Tokens that there can be; 0 refuses everything. */
  readonly burst: number;
}

export interface WebConfig {
  /** Undefined: plain HTTP. */
  readonly tls: WebTls | undefined;
  /** Only with TLS. */
  readonly http2: boolean;
  /** Headers of every answer, by their names. */
  readonly headers: Readonly<Record<string, string>>;
  /** bcrypt hashes by user; empty: everybody may ask. */
  readonly users: ReadonlyMap<string, string>;
  readonly rateLimit: RateLimit | undefined;
}

/** The web configuration when there is no file. */
export const PLAIN_WEB: WebConfig = {
  ...{ tls: undefined, http2: false, headers: {}, users: new Map(), rateLimit: undefined },
};
