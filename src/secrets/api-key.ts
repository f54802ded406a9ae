/** What an API key may be: it goes into a URL and a header. */

const MAX_LENGTH = 1_024;

/** What is expected of a key, for messages. */
export const EXPECTED_KEY = `an API key: 1 to ${MAX_LENGTH} visible ASCII characters without blanks`;

/** What is wrong with a key that has no blanks around it, without showing it; undefined: nothing. */
export function keyFault(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (key.length > MAX_LENGTH) return `it is longer than ${MAX_LENGTH} characters`;
  if (/[\r\n]/.test(key)) return 'there is a line break in the middle of it';
  const [character] = /[^\x21-\x7e]/u.exec(key) ?? [];
  if (character === undefined) return undefined;
  if (/[ \t]/.test(character)) return 'there is a blank in the middle of it';
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return /[\p{C}\p{Z}]/u.test(character)
    ? `it holds a character that cannot be seen (${code})`
    : `it holds a character that is not ASCII (${code})`;
}
