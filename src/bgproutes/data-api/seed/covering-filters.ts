/**
 * Finds as few filters for more-specifics as the monitored prefixes need: each costs a request, of which a key has a limited
 * number an hour.
 */
import { containsPrefix, formatAddress, maskWords, type Prefix, parsePrefix } from '../../../bgp/prefix.ts';

/** `<<:prefix` finds everything inside the members, the members themselves, and nothing outside of them but shorter ones. */
export interface CoveringFilter {
  /** Canonical text; not always a member. */
  readonly prefix: string;
  /** The given prefixes that lie inside the filter's prefix, that prefix itself included. In the order of addresses. */
  readonly members: readonly string[];
}

/**
 * A prefix inside another one needs no filter of its own, and two halves need only that of the whole: what is inside the
 * whole and longer are the halves and all that is inside them. In the order of addresses a prefix comes right before all
 * that is inside it, and a half right before the other half, so that one pass finds them: ten thousand prefixes take
 * milliseconds.
 * @param texts canonical prefixes
 * @returns filters in the order of addresses, IPv4 first
 */
export function coveringFilters(texts: readonly string[]): CoveringFilter[] {
  const given: Prefix[] = [];
  for (const text of new Set(texts)) {
    const prefix = parsePrefix(text);
    if (prefix !== undefined) given.push(prefix);
  }
  given.sort(byAddress);
  const wholes: Prefix[] = [];
  for (const prefix of given) {
    const last = wholes.at(-1);
    if (last !== undefined && containsPrefix(last, prefix)) continue;
    wholes.push(prefix);
    joinHalves(wholes);
  }
  let next = 0;
  return wholes.map((whole) => {
    const first = next;
    while (next < given.length && containsPrefix(whole, given[next])) next++;
    return { prefix: whole.text, members: given.slice(first, next).map(({ text }) => text) };
  });
}

/** While the last two are halves of one prefix, that prefix takes their place; it may be a half itself. */
function joinHalves(wholes: Prefix[]): void {
  for (;;) {
    const [left, right] = wholes.slice(-2);
    if (right === undefined || left.length !== right.length || left.length === 0) return;
    const whole = parentOf(left);
    if (whole === undefined || !containsPrefix(whole, right)) return;
    wholes.splice(-2, 2, whole);
  }
}

function parentOf({ words, length }: Prefix): Prefix | undefined {
  return parsePrefix(`${formatAddress(maskWords(words, length - 1))}/${length - 1}`);
}

/** IPv4 first, then by address; prefixes with the same address by their length, the shortest first. */
function byAddress(a: Prefix, b: Prefix): number {
  if (a.afi !== b.afi) return a.afi === 'ipv4' ? -1 : 1;
  const word = a.words.findIndex((value, i) => value !== b.words[i]);
  return word === -1 ? a.length - b.length : a.words[word] - b.words[word];
}
