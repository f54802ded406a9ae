/**
 * Keeps secrets out of texts that leave the program, and makes texts that strangers wrote fit for a log line.
 */
import { networkReason } from '../errors/network-error.ts';
import { tlsReason } from '../errors/tls-error.ts';
import { mergedRanges, SecretFinder, type TextRange } from './secret-finder.ts';

const REPLACEMENT = '[redacted]';

/** A shorter text keeps no secret, and to redact it would cut the same letters out of every word of the log. */
const MIN_SECRET_LENGTH = 6;

/** How long a stranger's text may be in a log line or an error, in characters. */
export const MAX_FOREIGN_TEXT = 300;

/** Values of query parameters and headers that hold a key, of this program or of another. */
const KEY_PARAMETER = /(api[_-]key(?:=|%(?:25)*3d))[^&\s"'<>\\]*/gi;

/** Control characters, line separators, and what changes the direction of text or shows nothing. */
const UNPRINTABLE = /[\p{C}\u2028\u2029]+/gu;

export type Redactor = (text: string) => string;

/**
 * Replaces every secret by `[redacted]`, spelt plainly, URL-encoded (any mixture of plain and encoded characters, `+` for
 * a blank) or as in a JSON string, and the value of every `api_key=…`. A secret of 8 characters and more is also found in
 * another case, in other encodings, broken up, or by a long piece of it (secret-finder.ts). One of less than six is replaced
 * only as the value of `api_key=…`: anywhere else it would cut words out of the text.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  return redactor(secrets)(text);
}

/** Makes a function that redacts these secrets. Preparing costs something once, then each text costs one search. */
export function redactor(secrets: Iterable<string>): Redactor {
  // The longest first, so that no secret is cut by a shorter one inside it.
  const known = [...new Set(secrets)]
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .sort((a, b) => b.length - a.length);
  // One pass over all of them: a second pass could find a short secret inside the replacement.
  const pattern = known.length === 0 ? undefined : new RegExp(known.map(spellings).join('|'), 'gu');
  const finder = new SecretFinder(known);
  return (text) => {
    const found: TextRange[] = [...finder.find(text)];
    if (pattern !== undefined) {
      for (const match of text.matchAll(pattern)) found.push([match.index, match.index + match[0].length]);
    }
    return withoutRanges(text, mergedRanges(found)).replace(KEY_PARAMETER, `$1${REPLACEMENT}`);
  };
}

function withoutRanges(text: string, ranges: readonly TextRange[]): string {
  let clean = '';
  let read = 0;
  for (const [from, to] of ranges) {
    clean += text.slice(read, from) + REPLACEMENT;
    read = to;
  }
  return clean + text.slice(read);
}

/**
 * A stranger's text (a server's refusal, an error of a library) on one line: unprintable characters become blanks, secrets
 * are redacted, and what is longer than `MAX_FOREIGN_TEXT` is cut, in this order, so that no half of a secret is left.
 */
export function foreignText(text: string, redactText: Redactor): string {
  // Before, for keys that hold what becomes a blank; after, for keys that were broken up by it.
  const line = redactText(redactText(text).replace(UNPRINTABLE, ' ').replace(/ {2,}/g, ' ').trim());
  return line.length <= MAX_FOREIGN_TEXT
    ? line
    : `${line.slice(0, MAX_FOREIGN_TEXT - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/**
 * What an error of a library says, causes included, as `foreignText`. Used instead of the error itself wherever a URL or a
 * header may hold a key: both turn up in messages and in properties of errors.
 */
export function errorText(error: unknown, redactText: Redactor): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 4 && current instanceof Error; depth++) {
    const code = 'code' in current && typeof current.code === 'string' ? current.code : undefined;
    // An AggregateError (all addresses of a name failed) has an empty message; its first member tells.
    const inner: unknown = current instanceof AggregateError ? current.errors[0] : current.cause;
    const message = tlsReason(current) ?? networkReason(current) ?? current.message;
    if (message === '') {
      if (code !== undefined && inner === undefined) parts.push(code);
    } else if (!parts.some((part) => part.includes(message))) parts.push(message);
    current = inner;
  }
  if (parts.length === 0) parts.push(error instanceof Error ? error.name : String(error));
  return foreignText(parts.join(': '), redactText);
}

/** A pattern for every spelling of a secret: each character plain, percent-encoded (UTF-8) or escaped as in JSON. */
function spellings(secret: string): string {
  let pattern = '';
  for (const character of secret) {
    const ways = [literal(character), percentEncoded(character)];
    if (character === ' ') ways.push('\\+');
    const inJson = JSON.stringify(character).slice(1, -1);
    if (inJson !== character) ways.unshift(literal(inJson));
    pattern += `(?:${ways.join('|')})`;
  }
  return pattern;
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function percentEncoded(character: string): string {
  const hex = Buffer.from(character).toString('hex');
  return hex.replace(/../g, '%$&').replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}
