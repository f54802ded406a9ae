/**
 * The single values of the configuration: each reads what YAML or a flag gave and says what it expected otherwise. What
 * was got instead is added by the one who knows where it stands (config.ts), unless it is a secret.
 */
import { z } from 'zod';
import { EXPECTED_KEY, keyFault } from '../api-key.ts';
import { type AsOrSet, asSet, MAX_ASN, parseAsn } from '../bgp/as-path.ts';
import { formatAddress, MAX_LENGTH, maskWords, type Prefix, parseAddress, parsePrefix } from '../bgp/prefix.ts';
import { countryOf } from '../bgp/regions.ts';
import { suggestion } from '../suggestion.ts';
import { parseUrl } from '../url.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { type ListenAddress, parseListenAddress } from './listen-address.ts';

/** How a refused value shows in its message: as it was written, only its kind (it may be a secret), or not at all. */
export type Got = 'value' | 'kind' | 'none';

/** What `params` of a zod issue hold here. */
export interface IssueStyle {
  readonly got: Got;
  /** Added behind what was got. */
  readonly hint: string | undefined;
}

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly hint?: string }
  | { readonly ok: false; readonly message: string };

export const accept = <T>(value: T): Read<T> => ({ ok: true, value });
export const refuse = (hint?: string): Read<never> => (hint === undefined ? { ok: false } : { ok: false, hint });

/** What of a value a JSON schema can say: the kinds that `read` may accept. Such a schema refuses less than `read` does. */
export interface JsonKinds {
  readonly type: string | readonly string[];
  /** The only texts, beside such as hold a variable. */
  readonly words?: readonly string[];
  readonly items?: JsonKinds;
  readonly additionalProperties?: JsonKinds;
}

/** By value, for a JSON schema of the configuration (deploy/helm). */
export const jsonKinds = z.registry<JsonKinds & { readonly description: string }>();

/** A value that `read` accepts; the message for any other is `expected ${expected}, got …`. */
export function value<T>(
  expected: string,
  read: (input: unknown) => Read<T>,
  got: Got = 'value',
  kinds: JsonKinds = { type: 'string' },
) {
  const schema = z.unknown().transform((input, context): T => {
    const result = read(input);
    if (result.ok) return result.value;
    const whole = 'message' in result;
    const params: IssueStyle = whole ? { got: 'none', hint: undefined } : { got, hint: result.hint };
    context.addIssue({ code: 'custom', message: whole ? result.message : `expected ${expected}`, params, input });
    return z.NEVER;
  });
  jsonKinds.add(schema, { description: expected, ...kinds });
  return schema;
}

/** A closed set of keys; a missing or empty one is a map without keys. `expected` is for what is no map. With `.optional()`, a missing one is undefined. */
export function section<T extends z.ZodRawShape>(shape: T, expected?: string) {
  const known = Object.keys(shape).join(', ');
  return z.preprocess(
    (input) => input ?? {},
    z.strictObject(shape, {
      error: (issue) =>
        issue.code === 'unrecognized_keys' ? known : `expected ${expected ?? `a map with keys of ${known}`}`,
    }),
  );
}

/** The message for a key that is not among the `known` (as `section` lists them). */
export function unknownKey(key: string, known: string): string {
  const near = suggestion(key, known.split(', '));
  return near === undefined ? `unknown key, expected one of ${known}` : `unknown key, did you mean ${near}?`;
}

/** A list; missing or empty is no items. */
export function list<T extends z.ZodType>(item: T, expected: string) {
  return z.preprocess((input) => input ?? [], z.array(item, { error: `expected ${expected}` }));
}

/** A map with keys of the user's choice; missing or empty is no entries. `key` says what is wrong with one, if anything. */
export function table(expected: string, key: (name: string) => string | undefined, item: z.ZodType<string>) {
  const entries = z.unknown().transform((input, context): Readonly<Record<string, string>> => {
    if (typeof (input ?? {}) !== 'object' || Array.isArray(input)) {
      const params: IssueStyle = { got: 'kind', hint: undefined };
      context.addIssue({ code: 'custom', message: `expected ${expected}`, params, input });
      return z.NEVER;
    }
    const read: [string, string][] = [];
    for (const [name, text] of Object.entries(input ?? {})) {
      const fault = key(name);
      const result = item.safeParse(text);
      if (fault !== undefined) addFault(context, [name], fault);
      else if (result.success) read.push([name, result.data]);
      else for (const issue of result.error.issues) context.addIssue({ ...issue, path: [name, ...issue.path] });
    }
    return Object.fromEntries(read);
  });
  jsonKinds.add(entries, { description: expected, type: 'object', additionalProperties: { type: 'string' } });
  return entries.default({});
}

/** A problem whose message is whole. */
function addFault(context: z.core.$RefinementCtx, path: PropertyKey[], message: string): void {
  const params: IssueStyle = { got: 'none', hint: undefined };
  context.addIssue({ code: 'custom', path, message, params, input: undefined });
}

const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

export function text(expected: string, maxLength: number) {
  return value<string>(`${expected} of at most ${maxLength} characters`, (input) => {
    if (typeof input === 'string' && input.length <= maxLength && !CONTROL_CHARACTERS.test(input)) return accept(input);
    return typeof input === 'number' || typeof input === 'boolean' ? refuse('put it in quotes') : refuse();
  });
}

/** A name of a file or folder. */
export function path(expected: string) {
  return value<string>(expected, (input) =>
    typeof input === 'string' && input !== '' && !input.includes('\0') ? accept(input) : refuse(),
  );
}

/** A file, or an empty text for none. */
export const fileOrNone = value<string>('the path of a file, or "" for none', (input) =>
  typeof input === 'string' && !input.includes('\0') ? accept(input) : refuse(),
);

/** The path of a file with a secret. Never quoted: the secret itself may have been written there. */
export const secretPath = value<string>(
  'the path of a file',
  (input) => (typeof input === 'string' && input !== '' && !input.includes('\0') ? accept(input) : refuse()),
  'kind',
);

/** Blanks and line breaks around it are left out: a Secret or an `echo` puts them there. Never quoted. */
export const apiKey = value<string>(
  EXPECTED_KEY,
  (input) => {
    if (typeof input !== 'string') return typeof input === 'number' ? refuse('put it in quotes') : refuse();
    const key = input.trim();
    const fault = keyFault(key);
    if (fault === undefined) return accept(key);
    return input === '' ? refuse() : refuse(fault);
  },
  'kind',
);

/** A broker of Kafka, `host:port`. */
export const broker = value<string>('a broker such as kafka.example.net:9092', (input) => {
  const [, host, port] =
    typeof input === 'string' ? (/^(\[[0-9a-fA-F:]+\]|[^\s/:@]+):([0-9]{1,5})$/.exec(input) ?? []) : [];
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return accept(String(input));
  return typeof input === 'string' && /^[^\s/:@]+$/.test(input) ? refuse(`did you mean ${input}:9092?`) : refuse();
});

/** The name of a Kafka topic, or a regular expression for names. */
export const topic = value<string>('the name of a topic, or a regular expression that begins with ^', (input) => {
  if (typeof input !== 'string' || input.length > 500) return refuse();
  if (!input.startsWith('^')) return /^[A-Za-z0-9._-]{1,249}$/.test(input) ? accept(input) : refuse();
  try {
    new RegExp(input);
    return accept(input);
  } catch {
    return refuse('it is no regular expression');
  }
});

/** Who asks a service that takes no key. */
export const clientName = value<string>('1 to 64 letters, digits, - and _', (input) =>
  typeof input === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(input) ? accept(input) : refuse(),
);

/** RFC 9110 section 5.1. */
export function headerName(name: string): string | undefined {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) ? undefined : 'expected the name of an HTTP header';
}

/** Never quoted: it may hold a token. */
export const headerValue = value<string>(
  'the text of an HTTP header in visible ASCII',
  (input) => {
    if (typeof input === 'string' && /^[\x20-\x7e]{1,8192}$/.test(input)) return accept(input);
    return typeof input === 'number' || typeof input === 'boolean' ? refuse('put it in quotes') : refuse();
  },
  'kind',
);

export function attributeName(name: string): string | undefined {
  return name !== '' && name.length <= 255 && !CONTROL_CHARACTERS.test(name)
    ? undefined
    : 'expected the name of an attribute';
}

export function wholeNumber(expected: string, min: number, max: number) {
  return value<number>(
    `${expected} from ${min} to ${max}`,
    (input) => {
      const digits = typeof input === 'string' && /^(?:0|[1-9][0-9]{0,15})$/.test(input);
      const number = digits ? Number(input) : input;
      return typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max
        ? accept(number)
        : refuse();
    },
    'value',
    { type: ['integer', 'string'] },
  );
}

export const trueOrFalse = value<boolean>(
  'true or false',
  (input) => {
    if (typeof input === 'boolean') return accept(input);
    return input === 'true' || input === 'false' ? accept(input === 'true') : refuse();
  },
  'value',
  { type: ['boolean', 'string'] },
);

export const onOrOff = value<boolean>(
  'on or off',
  (input) => {
    if (typeof input === 'boolean') return accept(input); // YAML 1.1 and its tools make one of a bare off
    return input === 'on' || input === 'off' ? accept(input === 'on') : refuse();
  },
  'value',
  { type: ['boolean', 'string'] },
);

export function oneOf<const T extends string>(...known: readonly T[]) {
  return value<T>(
    `one of ${known.join(', ')}`,
    (input) => {
      const found = known.find((word) => word === input);
      if (found !== undefined) return accept(found);
      const near = typeof input === 'string' ? suggestion(input, known) : undefined;
      return near === undefined ? refuse() : refuse(`did you mean ${near}?`);
    },
    'value',
    { type: 'string', words: known },
  );
}

/** `warning` is what half of the world calls `warn`. */
export const logLevel = z.preprocess(
  (input) => (input === 'warning' ? 'warn' : input),
  oneOf('debug', 'info', 'warn', 'error'),
);

const UNIT_WORDS: Readonly<Record<string, string>> = {
  ...{ ms: 'ms', s: 's', m: 'm', h: 'h', d: 'd', w: 'w', y: 'y', sec: 's', min: 'm', hr: 'h' },
  ...{ millisecond: 'ms', second: 's', minute: 'm', hour: 'h', day: 'd', week: 'w', year: 'y' },
};

/** The right spelling of a duration that is almost one: `90 s`, `1.5h`, `2 hours`, `30m1h`; undefined for anything else. */
function nearDuration(text: string): string | undefined {
  const parts = [
    ...text
      .trim()
      .toLowerCase()
      .matchAll(/([0-9]{1,6}(?:\.[0-9]{1,3})?) *([a-z]+)[ ,]*/g),
  ];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text.trim().toLowerCase()) return undefined;
  let ms = 0;
  for (const [, count, word] of parts) {
    const unit = UNIT_WORDS[word] ?? UNIT_WORDS[word.replace(/s$/, '')];
    if (unit === undefined) return undefined;
    ms += Number(count) * (parseDuration(`1${unit}`) ?? 0);
  }
  return ms > 0 && Number.isInteger(ms) ? formatDuration(ms) : undefined;
}

/** `zero` says what 0 means where it is allowed although it is below `minMs`. */
export function duration(minMs: number, maxMs: number, zero?: string) {
  const range = `a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  return value<number>(
    zero === undefined ? range : `${range}, or 0 (${zero})`,
    (input) => {
      const ms = input === 0 ? 0 : typeof input === 'string' ? parseDuration(input) : undefined;
      if (ms !== undefined && ((ms === 0 && zero !== undefined) || (ms >= minMs && ms <= maxMs))) return accept(ms);
      const near = typeof input === 'string' ? nearDuration(input) : undefined;
      if (ms === undefined && near !== undefined) return refuse(`did you mean ${near}?`);
      const bare = typeof input === 'number' || (typeof input === 'string' && /^[0-9]+$/.test(input));
      return bare && Number(input) !== 0 ? refuse(`a unit is missing, such as ${input}s`) : refuse();
    },
    'value',
    { type: ['string', 'integer'] },
  );
}

/** A URL without a user name and password and, unless `mayHaveQuery`, without a query: the exporter adds keys itself. */
export function url(protocols: readonly string[], example: string, mayHaveQuery = false) {
  const schemes = protocols.map((protocol) => `${protocol}//`).join(' or ');
  const expected = `a URL that starts with ${schemes}, such as ${example}`;
  return value<string>(expected, (input) => {
    if (typeof input !== 'string') return refuse();
    const parsed = parseUrl(input);
    if (parsed === undefined || !protocols.includes(parsed.protocol) || !input.includes('://')) {
      return { ok: false, message: `expected ${expected}, got ${printableUrl(input)}` };
    }
    if (parsed.username !== '' || parsed.password !== '') {
      return { ok: false, message: 'expected a URL without a user name and password' };
    }
    if (!mayHaveQuery && /[?#]/.test(input)) {
      return { ok: false, message: 'expected a URL without ? and # (the exporter adds the key itself)' };
    }
    return accept(input.replace(/\/+$/, ''));
  });
}

/** Empty for none. Never quoted: it may hold a password. */
export const proxyUrl = value<string>(
  'the URL of an HTTP proxy such as http://proxy.example.net:3128, or ""',
  (input) => {
    if (input === '') return accept('');
    const url = typeof input === 'string' ? parseUrl(input) : undefined;
    if (url === undefined) return refuse();
    if (/^socks/.test(url.protocol)) return refuse('SOCKS is not spoken here');
    return ['http:', 'https:'].includes(url.protocol) && url.pathname === '/' && url.search === ''
      ? accept(String(input))
      : refuse();
  },
  'kind',
);

/** A wrong URL may still hold a key: nothing behind ? or #, or before @, is shown. */
function printableUrl(input: string): string {
  return JSON.stringify(input.replace(/[?#].*$/s, '…').replace(/^([^/]*\/\/)?.*@/s, '$1…@'));
}

/** `off` rather than undefined, which would be taken for the default. */
export const listenAddress = value<ListenAddress | 'off'>(
  'a listen address such as ":10479", "127.0.0.1:9000" or "[::1]:9000", or "" for no web server',
  (input) => {
    if (input === '') return accept('off');
    const address = typeof input === 'string' ? parseListenAddress(input) : undefined;
    if (address !== undefined) return accept(address);
    if (typeof input !== 'string' && typeof input !== 'number') return refuse();
    if (/^[0-9]{1,5}$/.test(String(input))) return refuse(`did you mean ":${input}"?`);
    const bare = typeof input === 'string' ? /^([0-9a-f:.]*:[0-9a-f:.]*):([0-9]{1,5})$/i.exec(input) : null;
    return bare === null ? refuse() : refuse(`did you mean "[${bare[1]}]:${bare[2]}"?`);
  },
);

const PREFIX_PATH = /^\/?(?:[A-Za-z0-9._~-]+\/)*(?:[A-Za-z0-9._~-]+)?$/;

/** Where others reach the web server; empty: not known. */
export const externalUrl = value<string>('a URL such as https://mon.example.net/bgp/, or ""', (input) => {
  if (input === '') return accept('');
  const url = typeof input === 'string' ? parseUrl(input) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return refuse();
  return url.username === '' && url.search === '' && url.hash === '' && PREFIX_PATH.test(url.pathname)
    ? accept(url.href)
    : refuse();
});

export const routePrefix = value<string>('a path such as /bgp, / for none, or "" for that of external_url', (input) =>
  typeof input === 'string' && (input === '' || PREFIX_PATH.test(input)) ? accept(input) : refuse(),
);

const OWN_PATHS = ['/runbook', '/-/healthy', '/-/ready', '/-/reload'];

export const telemetryPath = value<string>(`a path such as /metrics, not / and not ${OWN_PATHS.join(', ')}`, (input) =>
  typeof input === 'string' && /^(?:\/[A-Za-z0-9._~-]+)+$/.test(input) && !OWN_PATHS.includes(input)
    ? accept(input)
    : refuse(),
);

const AS_KINDS: JsonKinds = { type: ['integer', 'string'] };

/** An AS in plain decimal, also as `AS64500` (RFC 7607: 0 is no AS), or an AS_SET of such in braces. */
const asOrSet = value<AsOrSet>(
  `an AS number from 1 to ${MAX_ASN}, or an AS_SET such as "{64501,64502}"`,
  (input) => {
    // What YAML makes of a set without quotes: a map of keys without values.
    if (isBareSet(input)) return refuse(`put it in quotes: "{${Object.keys(input).join(',')}}"`);
    if (typeof input !== 'number' && typeof input !== 'string') return refuse();
    const text = String(input);
    if (!text.startsWith('{')) return asnOf(text) ?? refuse(asHint(text));
    const members = text.endsWith('}')
      ? text
          .slice(1, -1)
          .trim()
          .split(/ *, *| +/)
      : [];
    if (members.length === 0 || members.length > MAX_SET) return refuse();
    const ases: number[] = [];
    for (const member of members) {
      const asn = asnOf(member);
      if (asn === undefined) return refuse(asHint(member));
      ases.push(asn.value);
    }
    return accept(asSet(ases));
  },
  'value',
  AS_KINDS,
);

/** An AS in plain decimal, also as `AS64500`. */
const asNumber = value<number>(
  `an AS number from 1 to ${MAX_ASN}`,
  (input) => {
    if (typeof input !== 'number' && typeof input !== 'string') return refuse();
    return asnOf(String(input)) ?? refuse(asHint(String(input)));
  },
  'value',
  AS_KINDS,
);

/** ASes, also none. */
export function asList(maxCount: number) {
  return z
    .array(asNumber, { error: 'expected a list of AS numbers' })
    .max(maxCount, `expected at most ${maxCount} AS numbers`);
}

const country = value<string>('a country by its two letters (ISO 3166), such as NL', (input) => {
  const found = typeof input === 'string' && input.length <= 100 ? countryOf(input) : '';
  if (found === '') return refuse();
  return input === found ? accept(found) : refuse(`did you mean ${found}?`);
});

/** Distinct countries, also none. */
export function countries(maxCount: number) {
  return z
    .array(country, { error: 'expected a list of countries such as [NL, DE]' })
    .transform((list, context): readonly string[] => {
      if (list.length > maxCount) addFault(context, [], `expected at most ${maxCount} countries, got ${list.length}`);
      for (const [i, one] of list.entries())
        if (list.indexOf(one) < i) addFault(context, [i], `${one} is listed twice`);
      return list;
    });
}

/** A segment of a path has no more (RFC 4271 section 4.3). */
const MAX_SET = 255;

function asnOf(text: string): { readonly ok: true; readonly value: number } | undefined {
  const digits = text.replace(/^AS/i, '');
  const asn = parseAsn(digits);
  return asn === undefined || asn === 0 || (digits.length > 1 && digits.startsWith('0'))
    ? undefined
    : { ok: true, value: asn };
}

function asHint(text: string): string | undefined {
  return /^(?:AS)?[0-9]+\.[0-9]+$/i.test(text) ? 'asdot is not read, write it in plain decimal' : undefined;
}

function isBareSet(input: unknown): input is object {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return false;
  const entries = Object.entries(input);
  return entries.length > 0 && entries.every(([key, of]) => asnOf(key) !== undefined && of === null);
}

/** Distinct ASes or AS_SETs, at least one: an empty list could mean none or any. */
export function asNumbers(maxCount: number) {
  const schema = z.unknown().transform((input, context): readonly AsOrSet[] => {
    if (!Array.isArray(input)) {
      const one = asOrSet.safeParse(input);
      const item = typeof one.data === 'string' ? JSON.stringify(one.data) : one.data;
      const params: IssueStyle = { got: 'kind', hint: one.success ? `did you mean [${item}]?` : undefined };
      context.addIssue({ code: 'custom', message: 'expected a list of AS numbers', params, input });
      return z.NEVER;
    }
    if (input.length === 0)
      addFault(context, [], 'expected an AS number or more, got none (leave the key out for any)');
    if (input.length > maxCount) addFault(context, [], `expected at most ${maxCount} AS numbers, got ${input.length}`);
    const numbers = new Set<AsOrSet>();
    for (const [i, item] of input.slice(0, maxCount).entries()) {
      const result = asOrSet.safeParse(item);
      if (!result.success) {
        for (const issue of result.error.issues) context.addIssue({ ...issue, path: [i] });
      } else if (numbers.has(result.data))
        addFault(context, [i], `${typeof result.data === 'number' ? 'AS ' : ''}${result.data} is listed twice`);
      else numbers.add(result.data);
    }
    return [...numbers];
  });
  jsonKinds.add(schema, { description: 'a list of AS numbers', type: 'array', items: AS_KINDS });
  return schema;
}

/** A prefix in canonical form; host bits are an error, since the block that was meant is not certain. */
export const prefix = value<Prefix>('a prefix such as 192.0.2.0/24 or 2001:db8::/32', (input) => {
  if (typeof input !== 'string') return refuse();
  const parsed = parsePrefix(input);
  if (parsed === undefined) return refuse(prefixHint(input));
  if (parsed.hadHostBits) return { ok: false, message: `${input}: host bits are set, did you mean ${parsed.text}?` };
  return accept(parsed);
});

/** What is probably wrong with a text that is no prefix. */
function prefixHint(input: string): string | undefined {
  const several = input.split(',');
  if (several.length > 1 && several.every((text) => parsePrefix(text.trim()) !== undefined)) {
    return 'these are several, each is given on its own';
  }
  const [address, length, ...rest] = input.split('/');
  if (rest.length > 0 || input.length > 64) return undefined;
  const words = parseAddress(address);
  if (words !== undefined) {
    if (length === undefined) return 'the length is missing, as /24';
    const [afi, name] = words.length === 1 ? (['ipv4', 'an IPv4'] as const) : (['ipv6', 'an IPv6'] as const);
    return /^[0-9]+$/.test(length) && Number(length) > MAX_LENGTH[afi]
      ? `the length of ${name} prefix is 0 to ${MAX_LENGTH[afi]}`
      : undefined;
  }
  if (!/^[0-9]+(?:\.[0-9]+){0,3}$/.test(address)) return undefined;
  const parts = address.split('.');
  const decimal = parts.map((part) => Number(part));
  const meant = didYouMean([...decimal, 0, 0, 0].slice(0, 4), length);
  if (parts.length < 4) return `an IPv4 address has four parts${meant}`;
  if (parts.some((part) => /^0[0-9]/.test(part))) return `a leading zero makes a part octal to some programs${meant}`;
  return decimal.some((part) => part > 255) ? 'a part of an IPv4 address is at most 255' : undefined;
}

function didYouMean(parts: readonly number[], length: string | undefined): string {
  const words = parseAddress(parts.join('.'));
  if (words === undefined || length === undefined || !/^(?:[0-9]|[12][0-9]|3[0-2])$/.test(length)) return '';
  return `, did you mean ${formatAddress(maskWords(words, Number(length)))}/${length}?`;
}
