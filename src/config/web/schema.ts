/** The keys of `--web.config.file`, in the format of Prometheus' exporter-toolkit. Unknown keys are refused. */
import { z } from 'zod';
import * as values from '../values.ts';
import { parseGoDuration } from './go-duration.ts';
import { CIPHER_SUITES, CURVE_NAMES, TLS_VERSION_NAMES } from './tls-names.ts';
import { CLIENT_AUTH_TYPES } from './web-config.ts';

const { accept, refuse, value } = values;

/** Never quoted: it may be a private key. Empty is as good as left out. */
const pem = value<string>('PEM text', (input) => (typeof input === 'string' ? accept(input) : refuse()), 'kind');

/** Empty is as good as left out. */
const file = value<string>('the path of a file', (input) =>
  typeof input === 'string' && !input.includes('\0') ? accept(input) : refuse(),
);

/** Visible characters, blanks and tabs (RFC 9110 section 5.5). */
const freeHeader = value<string>('the text of a header', (input) => {
  if (input === null) return accept('');
  return typeof input === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(input) ? accept(input) : refuse();
});

const names = (expected: string) =>
  values.list(
    value<string>(expected, (input) => (typeof input === 'string' ? accept(input) : refuse())),
    `a list of names`,
  );

/** A bcrypt hash: 2 and a letter, the cost, 22 characters of salt and 31 of the hash. What follows is not looked at. */
const BCRYPT = /^\$2[abxy]?\$([0-9]{2})\$[./A-Za-z0-9]{53}/;

/** Never quoted: it is a secret. */
const bcryptHash = value<string>(
  'a bcrypt hash such as $2y$10$…',
  (input) => {
    if (typeof input !== 'string') return refuse();
    const [, cost] = BCRYPT.exec(input) ?? [];
    if (cost === undefined) return refuse('make one with htpasswd -nBC 10 ""');
    return Number(cost) >= 4 && Number(cost) <= 31 ? accept(input) : refuse('its cost must be 4 to 31');
  },
  'kind',
);

const goDuration = value<number>('a duration such as 1s, 500ms or 1h30m', (input) => {
  const ms = typeof input === 'string' ? parseGoDuration(input) : undefined;
  if (ms !== undefined) return accept(ms);
  return typeof input === 'string' && /^[0-9]+[dwy]$/.test(input) ? refuse('the largest unit is h') : refuse();
});

/** The section of its own, so that its files are looked at although another section is wrong. */
export const tlsSchema = values.section({
  cert: pem.default(''),
  cert_file: file.default(''),
  key: pem.default(''),
  key_file: file.default(''),
  client_ca: pem.default(''),
  client_ca_file: file.default(''),
  client_auth_type: z.preprocess(
    (input) => (input === '' ? undefined : input),
    values.oneOf(...CLIENT_AUTH_TYPES).optional(),
  ),
  client_allowed_sans: names('a name').optional(),
  min_version: values.oneOf(...TLS_VERSION_NAMES).default('TLS12'),
  max_version: values.oneOf(...TLS_VERSION_NAMES).default('TLS13'),
  cipher_suites: values.list(values.oneOf(...CIPHER_SUITES), 'a list of cipher suites'),
  prefer_server_cipher_suites: values.trueOrFalse.default(true),
  curve_preferences: values.list(values.oneOf(...CURVE_NAMES), 'a list of curves'),
});

export const webConfigSchema = values.section({
  tls_server_config: tlsSchema.optional(),
  http_server_config: values.section({
    http2: values.trueOrFalse.default(true),
    headers: values.section({
      'Content-Security-Policy': freeHeader.optional(),
      'Strict-Transport-Security': freeHeader.optional(),
      'X-Content-Type-Options': values.oneOf('nosniff').optional(),
      'X-Frame-Options': values.oneOf('deny', 'sameorigin').optional(),
      'X-XSS-Protection': freeHeader.optional(),
    }),
  }),
  basic_auth_users: values.table('a map of users to bcrypt hashes', () => undefined, bcryptHash),
  rate_limit: values.section({
    interval: goDuration.default(0),
    burst: values.wholeNumber('a whole number', 0, 1_000_000_000).default(0),
  }),
});

export type RawTls = z.output<typeof tlsSchema>;
