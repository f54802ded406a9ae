/** Values that are texts: names, paths of files, keys, headers. */
import { EXPECTED_KEY, keyFault } from '../../secrets/api-key.ts';
import { accept, refuse, value } from './value.ts';

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

/** A topic, a group or a member of Kafka. */
export const topicName = value<string>('1 to 249 letters, digits, ., _ and -', (input) =>
  typeof input === 'string' && /^[A-Za-z0-9._-]{1,249}$/.test(input) ? accept(input) : refuse(),
);

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
