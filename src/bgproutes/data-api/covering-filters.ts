/** As few filters for more-specifics as monitored prefixes need: each costs a request, and the Data API has so many an hour. */
import { containsPrefix, formatAddress, maskWords, type Prefix, parsePrefix } from '../../bgp/prefix.ts';

/** `<<:prefix` finds everything inside the members, the members themselves, and nothing outside of them but shorter ones. */
export interface CoveringFilter {
  /** Canonical text; not always a member. */
  readonly prefix: string;
  /** The given prefixes that lie inside the filter's prefix, that prefix itself included. */
  readonly members: readonly string[];
}

/**
 * A prefix inside another one needs no filter of its own, and two halves need only that of the whole: what is inside the
 * whole and longer are the halves and all that is inside them.
 * @param texts canonical prefixes
 */
export function coveringFilters(texts: readonly string[]): CoveringFilter[] {
  const wholes = new Map<string, Prefix>();
  for (const text of texts) {
    const prefix = parsePrefix(text);
    if (prefix !== undefined) wholes.set(prefix.text, prefix);
  }
  const given = [...wholes.values()];
  for (const prefix of given) {
    if (given.some((outer) => outer.length < prefix.length && containsPrefix(outer, prefix)))
      wholes.delete(prefix.text);
  }
  // A whole may be half of a larger one; the iteration of a map reaches what is added meanwhile.
  for (const half of wholes.values()) {
    const whole = half.length === 0 ? undefined : parentOf(half);
    if (whole === undefined) continue;
    const halves = [...wholes.values()].filter((other) => other.length === half.length && containsPrefix(whole, other));
    if (halves.length < 2) continue;
    for (const { text } of halves) wholes.delete(text);
    wholes.set(whole.text, whole);
  }
  return [...wholes.values()].map((whole) => ({
    prefix: whole.text,
    members: given.filter((prefix) => containsPrefix(whole, prefix)).map(({ text }) => text),
  }));
}

function parentOf({ words, length }: Prefix): Prefix | undefined {
  return parsePrefix(`${formatAddress(maskWords(words, length - 1))}/${length - 1}`);
}
