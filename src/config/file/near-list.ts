/** What was probably meant where a list, or a map of a list, was expected and a single value came. */
import { parsePrefix } from '../../bgp/prefix.ts';
import type { Path } from './document.ts';

/** Longest value that is repeated in a hint, in characters. */
const MAX_SHOWN = 60;

/** `did you mean [NL]?`; undefined where that is not certain, and for what may be a secret. */
export function nearList(path: Path, expected: string | undefined, value: unknown): string | undefined {
  const [first, second, third] = path;
  const isText = typeof value === 'string' && value.length <= MAX_SHOWN;
  if (first === 'prefixes' && third === undefined) {
    if (!isText || parsePrefix(value) === undefined) return undefined;
    return second === undefined ? `did you mean [{prefix: ${value}}]?` : `did you mean {prefix: ${value}}?`;
  }
  if (expected !== 'array' || String(second).startsWith('api_key')) return undefined;
  if (typeof value === 'number') return `did you mean [${value}]?`;
  return isText && /^[A-Za-z0-9][\w.:/-]*$/.test(value) ? `did you mean [${value}]?` : undefined;
}
