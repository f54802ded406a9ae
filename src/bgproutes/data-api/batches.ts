/**
 * How one question becomes requests that the Data API takes. Its rule: more than 10 VPs, at most 10 exact prefixes; more
 * than 10 prefixes, at most 10 VPs. Whether a filter for more-specifics counts as one prefix is not documented.
 */
import { vantagePointKey } from '../../bgp/vantage-point.ts';
import type { ListedVp } from '../../stream/history.ts';

/** A request with at most this many VPs may name any number of prefixes, and the other way round. */
export const FEW = 10;

/** More prefixes than this in one request would only make its answer late. */
const MAX_PREFIXES_PER_REQUEST = 500;

export interface Batch {
  readonly vps: readonly ListedVp[];
  readonly prefixes: readonly string[];
}

/**
 * Splits an exact query into as few requests as the rule allows. Listings of the same VP stay in one request, so that they
 * can be recognised as one VP: a request may hold a few more VPs than `maxVps`, but never more than 10 with many prefixes,
 * unless a VP is listed more than 10 times.
 */
export function splitExact(vps: readonly ListedVp[], prefixes: readonly string[], maxVps: number): Batch[] {
  const byVps = product(groupVps(vps, maxVps), chunks(prefixes, FEW));
  if (byVps.length <= 1) return byVps;
  const byPrefixes = product(groupVps(vps, FEW), chunks(prefixes, MAX_PREFIXES_PER_REQUEST));
  return byPrefixes.length < byVps.length ? byPrefixes : byVps;
}

/** Parts of at most `size` VPs, all listings of a VP in one; the order of first appearance is kept. */
export function groupVps(vps: readonly ListedVp[], size: number): ListedVp[][] {
  if (vps.length > 0 && vps.length <= size) return [[...vps]];
  const parts: ListedVp[][] = [];
  for (const group of byIdentity(vps)) {
    const last = parts.at(-1);
    if (last !== undefined && last.length + group.length <= size) last.push(...group);
    else parts.push([...group]);
  }
  return parts;
}

/** Divides a question into two parts, by its VPs if there are several. Empty when it cannot be divided. */
export function halvesOf({ vps, prefixes }: Batch): Batch[] {
  const groups = groupVps(vps, Math.ceil(vps.length / 2));
  if (groups.length > 1) return groups.map((some) => ({ vps: some, prefixes }));
  const parts = chunks(prefixes, Math.ceil(prefixes.length / 2));
  return parts.length > 1 ? parts.map((some) => ({ vps, prefixes: some })) : [];
}

/** Two listings may be one VP (a router that two collectors hear): those of each VP, in order of first appearance. */
export function byIdentity(vps: readonly ListedVp[]): Iterable<ListedVp[]> {
  const groups = new Map<string, ListedVp[]>();
  for (const listed of vps) {
    const key = vantagePointKey(listed.vp);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [listed]);
    else group.push(listed);
  }
  return groups.values();
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let i = 0; i < items.length; i += size) parts.push(items.slice(i, i + size));
  return parts;
}

function product(vps: readonly (readonly ListedVp[])[], prefixes: readonly (readonly string[])[]): Batch[] {
  return vps.flatMap((some) => prefixes.map((few) => ({ vps: some, prefixes: few })));
}
