/**
 * Web configurations, by name, as exporter-toolkit tests its own and some more. `server.crt`, `server.key` and `other.key` are
 * there, and `ca.crt`; `notes.txt` is no PEM.
 */

export interface WebCase {
  readonly name: string;
  readonly yaml: string;
  /** What must be said, at its place; undefined: it is right. */
  readonly problem?: string;
  /** What the toolkit says where it is of another opinion. */
  readonly toolkit?: 'right';
  /** Whether promtool of Debian 12 knows the keys. Default true. */
  readonly promtool?: false;
}

const PAIR = 'cert_file: server.crt, key_file: server.key';
const tls = (rest: string) => `tls_server_config: {${PAIR}${rest === '' ? '' : `, ${rest}`}}\n`;
const headers = (text: string) => `http_server_config: {headers: {${text}}}\n`;
const HASH = '$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG';
const hashed = (start: string, end = '') => `basic_auth_users: {alice: ${start}${HASH.slice(7)}${end}}\n`;

const LESS =
  'without a certificate would be served as plain HTTP: give cert_file and key_file, or leave the section out';
const NO_CERT = 'tls_server_config: the certificate is missing: give cert_file or cert';
const NO_KEY = 'tls_server_config: its key is missing: give key_file or key';
const NO_HASH = 'expected a bcrypt hash such as $2y$10$…, got';

export const WEB_CASES: readonly WebCase[] = [
  { name: 'empty', yaml: '' },
  { name: 'null', yaml: 'null\n' },
  { name: 'an empty map', yaml: '{}\n' },
  { name: 'empty sections', yaml: 'tls_server_config:\nhttp_server_config:\nbasic_auth_users:\n' },
  { name: 'junk', yaml: 'hWkNKCp3fvIx3jKnsaBI\nTuEjdzEPS390\n', problem: 'web.yml:1:1: expected a map with keys of' },
  { name: 'a list', yaml: '[1]\n', problem: 'web.yml:1:1: expected a map with keys of' },
  {
    name: 'junk_key',
    yaml: 'tls_server_config: {cert_filse: server.crt}\n',
    problem: 'tls_server_config.cert_filse: unknown key, did you mean cert_file?',
  },
  {
    name: 'unknown-top',
    yaml: 'tls_config: {}\n',
    problem: 'tls_config: unknown key, expected one of tls_server_config',
  },
  {
    name: 'duplicate-key',
    yaml: `${tls('')}${tls('')}`,
    problem: 'web.yml:2:1: tls_server_config: given twice, first at 1:1',
  },
  {
    name: 'a second document',
    yaml: `${tls('')}---\njunk: 1\n`,
    problem: 'not YAML: expected one document, got a second one',
    toolkit: 'right',
  },
  // --- certificate and key
  { name: 'noAuth.good', yaml: tls('client_auth_type: VerifyClientCertIfGiven') },
  {
    name: 'noAuth_certPath_empty.bad',
    yaml: 'tls_server_config: {cert_file: "", key_file: server.key, client_auth_type: VerifyClientCertIfGiven}\n',
    problem: NO_CERT,
  },
  {
    name: 'noAuth_keyPath_empty.bad',
    yaml: 'tls_server_config: {cert_file: server.crt, key_file: ""}\n',
    problem: NO_KEY,
  },
  {
    name: 'noAuth_certPath_keyPath_empty.bad',
    yaml: 'tls_server_config: {cert_file: "", key_file: "", client_auth_type: VerifyClientCertIfGiven}\n',
    problem: NO_CERT,
  },
  {
    name: 'noAuth_cert_empty.bad',
    yaml: 'tls_server_config: {cert: "", key_file: server.key}\n',
    problem: NO_CERT,
    promtool: false,
  },
  {
    name: 'noAuth_certPath_invalid.bad',
    yaml: 'tls_server_config: {cert_file: gone.crt, key_file: server.key}\n',
    problem: 'tls_server_config.cert_file: gone.crt cannot be read',
  },
  {
    name: 'noAuth_keyPath_invalid.bad',
    yaml: 'tls_server_config: {cert_file: server.crt, key_file: gone.key}\n',
    problem: 'tls_server_config.key_file: gone.key cannot be read',
  },
  {
    name: 'no PEM',
    yaml: 'tls_server_config: {cert_file: notes.txt, key_file: server.key}\n',
    problem: 'tls_server_config.cert_file: no certificate in PEM that can be read (ERR_OSSL_PEM_NO_START_LINE)',
  },
  {
    name: 'key-of-another',
    yaml: 'tls_server_config: {cert_file: server.crt, key_file: other.key}\n',
    problem: 'tls_server_config.key_file: the key is not that of the certificate (ERR_OSSL_X509_KEY_VALUES_MISMATCH)',
  },
  // --- client certificates
  {
    name: 'noAuth.bad',
    yaml: tls('client_ca_file: ca.crt'),
    problem: 'tls_server_config.client_ca_file: CAs of clients without a client_auth_type that asks for certificates',
  },
  {
    name: 'auth_clientCAs_invalid.bad',
    yaml: tls('client_auth_type: RequireAndVerifyClientCert, client_ca_file: gone.crt'),
    problem: 'tls_server_config.client_ca_file: gone.crt cannot be read',
  },
  { name: 'auth_clientCAs_missing.bad', yaml: tls('client_auth_type: RequireAndVerifyClientCert') },
  { name: 'requireanyclientcert.good', yaml: tls('client_auth_type: RequireAnyClientCert') },
  { name: 'the old name', yaml: tls('client_auth_type: RequireClientCert') },
  {
    name: 'requireandverifyclientcert.good',
    yaml: tls('client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt'),
  },
  {
    name: 'auth-type-case',
    yaml: tls('client_auth_type: requireandverifyclientcert'),
    problem: 'tls_server_config.client_auth_type: expected one of NoClientCert',
  },
  {
    name: 'auth_client_san.good',
    yaml: tls('client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.crt, client_allowed_sans: [test3]'),
    promtool: false,
  },
  {
    name: 'ca-not-a-cert',
    yaml: tls('client_auth_type: RequireAndVerifyClientCert, client_ca_file: notes.txt'),
    problem: 'tls_server_config.client_ca_file: there is no certificate in it, so no client could get in',
    toolkit: 'right',
  },
  // --- versions, suites, curves
  {
    name: 'noAuth_inventedCiphers.bad',
    yaml: tls('cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA2048]'),
    problem: 'tls_server_config.cipher_suites[0]: expected one of',
  },
  {
    name: 'noAuth_inventedCurves.bad',
    yaml: tls('curve_preferences: [CurveP257]'),
    problem:
      'tls_server_config.curve_preferences[0]: expected one of CurveP256, CurveP384, CurveP521, X25519, got "CurveP257" (did you mean CurveP256?)',
  },
  {
    name: 'a curve that Go has and the format has not',
    yaml: tls('curve_preferences: [X25519MLKEM768]'),
    problem: 'tls_server_config.curve_preferences[0]: expected one of',
  },
  {
    name: 'noAuth_wrongTLSVersion.bad',
    yaml: tls('min_version: TLS111'),
    problem: 'tls_server_config.min_version: expected one of TLS10, TLS11, TLS12, TLS13, got "TLS111"',
  },
  {
    name: 'version-number',
    yaml: tls('min_version: 1.2'),
    problem: 'tls_server_config.min_version: expected one of TLS10, TLS11, TLS12, TLS13, got',
  },
  { name: 'noAuth_allCurves.good', yaml: tls('curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]') },
  {
    name: 'noAuth_someCiphers.good',
    yaml: tls(
      'min_version: TLS12, max_version: TLS12, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]',
    ),
  },
  {
    name: 'noAuth_noHTTP2.good',
    yaml: `${tls('max_version: TLS12, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]')}http_server_config: {http2: false}\n`,
  },
  {
    name: 'noAuth_noHTTP2Cipher.bad',
    yaml: tls('max_version: TLS12, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]'),
    problem: 'tls_server_config.cipher_suites: HTTP/2 needs TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or',
    toolkit: 'right',
  },
  {
    name: 'min-over-max',
    yaml: tls('min_version: TLS13, max_version: TLS12'),
    problem: 'tls_server_config.max_version: min_version TLS13 is above max_version TLS12: no client could connect',
    toolkit: 'right',
  },
  {
    name: 'tls-only-min-version',
    yaml: 'tls_server_config: {min_version: TLS13}\n',
    problem: `tls_server_config: min_version ${LESS}`,
    toolkit: 'right',
  },
  {
    name: 'tls-only-ciphers',
    yaml: 'tls_server_config: {cipher_suites: [TLS_AES_128_GCM_SHA256]}\n',
    problem: `tls_server_config: cipher_suites ${LESS}`,
    toolkit: 'right',
  },
  {
    name: 'tls-only-sans',
    yaml: 'tls_server_config: {client_allowed_sans: [a]}\n',
    problem: `tls_server_config: client_allowed_sans ${LESS}`,
    promtool: false,
  },
  {
    name: 'tls-only-auth-type',
    yaml: 'tls_server_config: {client_auth_type: RequireAnyClientCert}\n',
    problem: NO_CERT,
  },
  // --- headers
  {
    name: 'headers.good',
    yaml: headers(
      `Content-Security-Policy: "default-src 'self'", Strict-Transport-Security: max-age=1, X-Content-Type-Options: nosniff, X-Frame-Options: sameorigin, X-XSS-Protection: 1`,
    ),
  },
  {
    name: 'headers_content_type_options.bad',
    yaml: headers('X-Content-Type-Options: sniff'),
    problem: 'http_server_config.headers.X-Content-Type-Options: expected one of nosniff, got "sniff"',
  },
  {
    name: 'headers_frame_options.bad',
    yaml: headers('X-Frame-Options: foo'),
    problem: 'http_server_config.headers.X-Frame-Options: expected one of deny, sameorigin, got "foo"',
  },
  {
    name: 'headers_extra_header.bad',
    yaml: headers('Content-Type: text/plain'),
    problem: 'http_server_config.headers.Content-Type: unknown key',
  },
  {
    name: 'header-case',
    yaml: headers('x-frame-options: deny'),
    problem: 'http_server_config.headers.x-frame-options: unknown key',
  },
  {
    name: 'header-enum-case',
    yaml: headers('X-Frame-Options: DENY'),
    problem: 'http_server_config.headers.X-Frame-Options: expected one of',
  },
  {
    name: 'header-blank-enum',
    yaml: headers('X-Frame-Options: ""'),
    problem: 'http_server_config.headers.X-Frame-Options: expected one of',
  },
  { name: 'a blank free header', yaml: headers('X-XSS-Protection: ""') },
  { name: 'http2: yes, as YAML 1.1 reads it', yaml: 'http_server_config: {http2: yes}\n' },
  // --- users
  { name: 'users_noTLS.good', yaml: `basic_auth_users: {alice: ${HASH}, bob: ${HASH.replace('$10$', '$18$')}}\n` },
  { name: 'no users', yaml: 'basic_auth_users: {}\n' },
  {
    name: 'auth_user_list_invalid.bad',
    yaml: 'basic_auth_users: {john: doe}\n',
    problem: `basic_auth_users.john: ${NO_HASH} a text`,
  },
  {
    name: 'users-list',
    yaml: `basic_auth_users: [alice]\n`,
    problem: 'basic_auth_users: expected a map of users to bcrypt hashes, got a list',
  },
  {
    name: 'users-empty-hash',
    yaml: 'basic_auth_users: {alice: ""}\n',
    problem: `basic_auth_users.alice: ${NO_HASH} an empty text`,
  },
  {
    name: 'users-cost-3',
    yaml: hashed('$2y$03$'),
    problem: 'basic_auth_users.alice: expected a bcrypt hash such as $2y$10$…, got a text (its cost must be 4 to 31)',
  },
  { name: 'users-cost-99', yaml: hashed('$2y$99$'), problem: `basic_auth_users.alice: ${NO_HASH}` },
  { name: 'users-2b', yaml: hashed('$2b$10$') },
  { name: 'users-2x', yaml: hashed('$2x$10$') },
  { name: 'users-too-long', yaml: hashed('$2y$10$', 'abc') },
  { name: 'users-empty-name', yaml: `basic_auth_users: {"": ${HASH}}\n` },
  // --- rate limit
  { name: 'rate_limiter_nonblocking', yaml: 'rate_limit: {interval: 0}\n', promtool: false },
  { name: 'rate_limiter_one_second', yaml: 'rate_limit: {interval: 1s}\n', promtool: false },
  { name: 'rate-int', yaml: 'rate_limit: {interval: 1000000000, burst: 1}\n', promtool: false },
  { name: 'rate-negative', yaml: 'rate_limit: {interval: -1s, burst: 1}\n', promtool: false },
  { name: 'rate-no-burst', yaml: 'rate_limit: {interval: 1h30m}\n', promtool: false },
  {
    name: 'rate-1d',
    yaml: 'rate_limit: {interval: 1d}\n',
    problem: 'rate_limit.interval: expected a duration such as 1s, 500ms or 1h30m, got "1d" (the largest unit is h)',
    promtool: false,
  },
];

/** The files that the cases name, by their names. */
export function filesOfCases(
  server: { readonly cert: string; readonly key: string },
  other: { readonly cert: string; readonly key: string },
): Readonly<Record<string, string>> {
  return {
    'server.crt': server.cert,
    'server.key': server.key,
    'other.key': other.key,
    'ca.crt': other.cert,
    'notes.txt': 'this is no PEM\n',
  };
}
