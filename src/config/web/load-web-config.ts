/**
 * Reads a file of `--web.config.file`: the format of Prometheus' exporter-toolkit. Some settings that exporter-toolkit accepts
 * cannot be meant, and are refused here: TLS settings that would be served as plain HTTP, versions of which none is left, CAs without a certificate.
 */
import { dirname, isAbsolute, join } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigError } from '../../errors.ts';
import type { ReadFile } from '../api-keys.ts';
import { Draft } from '../file/draft.ts';
import { fileFault, readTextFile } from '../file/text-file.ts';
import { type RawTls, tlsSchema, webConfigSchema } from './schema.ts';
import { CURVES, HTTP2_SUITES, opensslCiphers, TLS_VERSION_NAMES, TLS_VERSIONS } from './tls-names.ts';
import type { WebConfig, WebTls } from './web-config.ts';

/** Any of them turns TLS on. */
const TLS_KEYS = ['cert', 'cert_file', 'key', 'key_file', 'client_ca', 'client_ca_file', 'client_auth_type'] as const;

/**
 * @param path of the file; paths in it start at its folder
 * @throws ConfigError with every problem found: `FILE:LINE:COLUMN: key: expected …, got …`
 */
export function loadWebConfig(path: string, readFile: ReadFile = readTextFile): WebConfig {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    throw webConfigError([`${path}: the web configuration file cannot be read: ${fileFault(error)}`], error);
  }
  const draft = new Draft(path, text, 'yaml-1.1');
  if (!draft.readable) throw webConfigError(draft.problems());
  const parsed = webConfigSchema.safeParse(draft.value);
  if (!parsed.success) draft.addIssues(parsed.error.issues);
  const section = sectionOf(draft.value, 'tls_server_config');
  const rawTls = section === undefined ? undefined : tlsSchema.safeParse(section).data;
  const http2 = sectionOf(draft.value, 'http_server_config')?.http2 ?? true;
  const tls =
    rawTls === undefined ? undefined : toTls(rawTls, http2 === true, new WebFiles(path, draft, readFile), draft);
  const problems = draft.problems();
  if (problems.length > 0 || !parsed.success) throw webConfigError(problems);
  const { http_server_config: http, rate_limit: rate, basic_auth_users: users } = parsed.data;
  return {
    tls,
    http2: http.http2,
    headers: Object.fromEntries(Object.entries(http.headers).filter(([, value]) => value !== undefined)),
    users: new Map(Object.entries(users)),
    // Go's limiter does the same: an interval that is not positive limits nothing.
    rateLimit: rate.interval > 0 ? { intervalMs: rate.interval, burst: rate.burst } : undefined,
  };
}

function webConfigError(problems: readonly string[], cause?: unknown): ConfigError {
  return new ConfigError(problems, cause, 'web configuration');
}

/** A section of the file; undefined where it is left out or no map. */
function sectionOf(value: unknown, name: string): Readonly<Record<string, unknown>> | undefined {
  const section = (value as Readonly<Record<string, unknown>> | null)?.[name];
  return typeof section === 'object' && section !== null && !Array.isArray(section)
    ? (section as Readonly<Record<string, unknown>>)
    : undefined;
}

/** Reads the files that the file names. */
class WebFiles {
  readonly #path: string;
  readonly #draft: Draft;
  readonly #readFile: ReadFile;

  constructor(path: string, draft: Draft, readFile: ReadFile) {
    this.#path = path;
    this.#draft = draft;
    this.#readFile = readFile;
  }

  /** The text of a file, else the text given in its place; undefined where there is neither, or the file cannot be read. */
  textOf(tls: RawTls, key: 'cert' | 'key' | 'client_ca'): string | undefined {
    const file = tls[`${key}_file`];
    if (file === '') return tls[key] === '' ? undefined : tls[key];
    const path = isAbsolute(file) ? file : join(dirname(this.#path), file);
    try {
      return this.#readFile(path);
    } catch (error) {
      this.#draft.addProblem(['tls_server_config', `${key}_file`], `${file} cannot be read: ${fileFault(error)}`);
      return undefined;
    }
  }
}

function toTls(tls: RawTls, http2: boolean, files: WebFiles, draft: Draft): WebTls | undefined {
  const at = (key: keyof RawTls, message: string): void => draft.addProblem(['tls_server_config', key], message);
  const given = Object.keys(sectionOf(draft.value, 'tls_server_config') ?? {});
  if (given.length === 0) return undefined;
  if (TLS_KEYS.every((key) => (tls[key] ?? '') === '')) {
    const message = `${given.join(', ')} without a certificate would be served as plain HTTP: give cert_file and key_file, or leave the section out`;
    draft.addProblem(['tls_server_config'], message);
    return undefined;
  }
  for (const key of ['cert', 'key'] as const) {
    if (tls[key] === '' && tls[`${key}_file`] === '')
      draft.addProblem(
        ['tls_server_config'],
        `${key === 'cert' ? 'the certificate' : 'its key'} is missing: give ${key}_file or ${key}`,
      );
  }
  const cert = files.textOf(tls, 'cert');
  const key = files.textOf(tls, 'key');
  const ca = files.textOf(tls, 'client_ca');
  const caKey = tls.client_ca_file === '' ? 'client_ca' : 'client_ca_file';
  const clientAuth = tls.client_auth_type ?? 'NoClientCert';
  if ((tls.client_ca_file !== '' || tls.client_ca !== '') && clientAuth === 'NoClientCert')
    at(caKey, 'CAs of clients without a client_auth_type that asks for certificates');
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----'))
    at(caKey, 'there is no certificate in it, so no client could get in');
  checkVersions(tls, http2, draft);
  const old = tls.min_version === 'TLS10' || tls.min_version === 'TLS11';
  const suites = tls.cipher_suites.length > 0 ? opensslCiphers(tls.cipher_suites) : old ? 'DEFAULT' : undefined;
  const context: SecureContextOptions = {
    ...{ cert, key },
    ...(ca === undefined ? {} : { ca }),
    minVersion: TLS_VERSIONS[tls.min_version],
    maxVersion: TLS_VERSIONS[tls.max_version],
    honorCipherOrder: tls.prefer_server_cipher_suites,
    // OpenSSL has no TLS 1.0 and 1.1 at its usual level of security.
    ...(suites === undefined ? {} : { ciphers: old ? `${suites}:@SECLEVEL=0` : suites }),
    ...(tls.curve_preferences.length > 0
      ? { ecdhCurve: tls.curve_preferences.map((name) => CURVES[name]).join(':') }
      : {}),
  };
  if (cert !== undefined && key !== undefined) checkContext(context, tls, caKey, at);
  const sans = tls.client_allowed_sans;
  return { context, clientAuth, allowedSans: sans === undefined ? undefined : new Set(sans) };
}

function checkVersions(tls: RawTls, http2: boolean, draft: Draft): void {
  const [min, max] = [tls.min_version, tls.max_version].map((name) => TLS_VERSION_NAMES.indexOf(name));
  if (min > max) {
    const given = sectionOf(draft.value, 'tls_server_config') ?? {};
    const path = ['tls_server_config', 'max_version' in given ? 'max_version' : 'min_version'];
    draft.addProblem(
      path,
      `min_version ${tls.min_version} is above max_version ${tls.max_version}: no client could connect`,
    );
  }
  const { cipher_suites: suites } = tls;
  if (http2 && max < TLS_VERSION_NAMES.indexOf('TLS13') && suites.length > 0) {
    if (!suites.some((suite) => HTTP2_SUITES.includes(suite)))
      draft.addProblem(
        ['tls_server_config', 'cipher_suites'],
        `HTTP/2 needs ${HTTP2_SUITES.join(' or ')}: add one, or set http_server_config.http2 to false`,
      );
  }
}

/** Why OpenSSL makes no context, in words that name the key to look at. */
function checkContext(
  context: SecureContextOptions,
  tls: RawTls,
  caKey: keyof RawTls,
  at: (key: keyof RawTls, message: string) => void,
): void {
  const [certKey, keyKey] = [
    tls.cert_file === '' ? 'cert' : 'cert_file',
    tls.key_file === '' ? 'key' : 'key_file',
  ] as const;
  const tries: readonly (readonly [keyof RawTls, string, SecureContextOptions])[] = [
    [certKey, 'no certificate in PEM that can be read', { cert: context.cert }],
    [keyKey, 'no private key in PEM without a passphrase that can be read', { key: context.key }],
    [keyKey, 'the key is not that of the certificate', { cert: context.cert, key: context.key }],
    [caKey, 'no certificate in PEM that can be read', { ca: context.ca }],
    ['cipher_suites', 'OpenSSL does not take them together', context],
  ];
  for (const [key, message, part] of tries) {
    try {
      createSecureContext(part);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
      at(key, `${message}${code}`);
      return;
    }
  }
}
