/** Route origin validation (RFC 6811 section 2). */
import type { AsOrSet } from '../bgp/as-path.ts';
import type { Vrp } from './vrp-set.ts';

/** Closed list: it becomes a label. */
export const VALIDITIES = ['valid', 'invalid_as', 'invalid_length', 'not_found'] as const;
export type Validity = (typeof VALIDITIES)[number];

/**
 * The validity of a route.
 *
 * An invalid route is `invalid_length` only where a VRP with this very origin covers it: "ours, but too specific" rather
 * than "not ours". An AS_SET stands for no origin at all (RFC 6811: NONE), so that nothing matches it; and VRPs of AS 0
 * match nothing (RFC 6483 section 4).
 * @param covering all VRPs whose prefix contains that of the route
 * @param length of the route's prefix
 */
export function validate(covering: readonly Vrp[], length: number, origin: AsOrSet): Validity {
  if (covering.length === 0) return 'not_found';
  let isOurs = false;
  for (const { asn, maxLength } of covering) {
    if (asn === 0 || asn !== origin) continue;
    if (length <= maxLength) return 'valid';
    isOurs = true;
  }
  return isOurs ? 'invalid_length' : 'invalid_as';
}
