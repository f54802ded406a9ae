/** VRPs for tests, from texts. */
import { type Prefix, parsePrefix } from '../../src/bgp/prefix.ts';
import { RpkiScope } from '../../src/rpki/scope.ts';
import { type ReadVrp, VrpSet } from '../../src/rpki/vrp-set.ts';

export interface VrpText {
  readonly prefix: string;
  readonly asn: number;
  readonly maxLength: number;
  readonly expires?: number;
}

export function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`${text} is no prefix`);
  return prefix;
}

export function vrpOf({ prefix, asn, maxLength, expires = 0 }: VrpText): ReadVrp {
  const { afi, words, length } = prefixOf(prefix);
  return { afi, words, length, maxLength, asn, expiresS: expires };
}

/** A scope that wants everything. */
export const EVERYTHING = new RpkiScope([prefixOf('0.0.0.0/0'), prefixOf('::/0')]);

export function vrpSetOf(vrps: readonly VrpText[], scope = EVERYTHING): VrpSet {
  const set = new VrpSet(scope);
  for (const vrp of vrps) set.add(vrpOf(vrp));
  return set;
}
