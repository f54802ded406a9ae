/** Prefixes that are never announced on the public Internet (RFC 6890 and IANA's registries of special addresses). */
import { containsPrefix, type Prefix, parsePrefix } from './prefix.ts';

const BOGONS: readonly (readonly [prefix: string, rfc: number])[] = [
  ['0.0.0.0/8', 1122],
  ['10.0.0.0/8', 1918],
  ['100.64.0.0/10', 6598],
  ['127.0.0.0/8', 1122],
  ['169.254.0.0/16', 3927],
  ['172.16.0.0/12', 1918],
  ['192.0.0.0/24', 6890],
  ['192.0.2.0/24', 5737],
  ['192.88.99.0/24', 7526],
  ['192.168.0.0/16', 1918],
  ['198.18.0.0/15', 2544],
  ['198.51.100.0/24', 5737],
  ['203.0.113.0/24', 5737],
  ['224.0.0.0/4', 5771],
  ['240.0.0.0/4', 1112],
  ['2001:2::/48', 5180],
  ['2001:10::/28', 4843],
  ['2001:20::/28', 7343],
  ['2001:db8::/32', 3849],
  ['2002::/16', 7526],
  ['3ffe::/16', 3701],
  ['3fff::/20', 9637],
];

/** All IPv6 prefixes that are announced on the public Internet are inside this block (RFC 4291). */
const GLOBAL_UNICAST = '2000::/3';

export interface Bogon {
  /** The block that contains the prefix. For an IPv6 prefix outside of 2000::/3 it is 2000::/3 itself. */
  readonly block: string;
  readonly rfc: number;
  readonly isOutside: boolean;
}

function known(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new TypeError(`${text} is no prefix`);
  return prefix;
}

/** Why a prefix is never announced; undefined: it may be. A default route may be announced. */
export function bogonOf(prefix: Prefix): Bogon | undefined {
  if (prefix.length === 0) return undefined;
  const contains = (outer: Prefix) =>
    outer.afi === prefix.afi && (outer.text === prefix.text || containsPrefix(outer, prefix));
  for (const [block, rfc] of BOGONS) if (contains(known(block))) return { block, rfc, isOutside: false };
  if (prefix.afi === 'ipv6' && !contains(known(GLOBAL_UNICAST)) && !containsPrefix(prefix, known(GLOBAL_UNICAST)))
    return { block: GLOBAL_UNICAST, rfc: 4291, isOutside: true };
  return undefined;
}
