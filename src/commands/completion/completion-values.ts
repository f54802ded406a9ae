/** What can stand behind a flag, as far as its name for the value tells. */
import { LOG_FORMATS, LOG_LEVELS } from '../../config/values/log-words.ts';
import type { Flag } from '../arguments.ts';

export type FlagValues =
  | { readonly kind: 'none' } // the flag takes no value
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'any' };

const WORDS_BY_NAME: Readonly<Record<string, readonly string[]>> = {
  'log.level': LOG_LEVELS,
  'log.format': LOG_FORMATS,
};

export function valuesOf({ name, value }: Flag): FlagValues {
  if (value === undefined) return { kind: 'none' };
  const words = Object.hasOwn(WORDS_BY_NAME, name) ? WORDS_BY_NAME[name] : value.split('|');
  // Capitals stand for something: `now|original` are words, `N|max` is a number or a word.
  const fixed = words.filter((word) => /^[a-z0-9._-]+$/.test(word));
  if (words.length > 1 && fixed.length > 0) return { kind: 'words', words: fixed };
  if (value === 'FILE') return { kind: 'file' };
  if (value === 'FOLDER') return { kind: 'folder' };
  return { kind: 'any' };
}
