/** Routes of the generated Internet, as the VP that holds them prints them. */
import { type Afi, formatAddress, parseAddress } from '../../../bgp/prefix.ts';
import type { RouteAttributes } from '../../../bgp/route-event.ts';
import { hashText } from '../random.ts';
import type { SimulatedVantagePoint } from '../vantage-points.ts';

/** What one VP holds for one prefix. Never changed: a new route is a new object. */
export type Route = RouteAttributes;

export function isSameRoute(a: Route | undefined, b: Route | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return (
    a.asPath === b.asPath &&
    a.communities === b.communities &&
    a.nextHop === b.nextHop &&
    a.originAttribute === b.originAttribute
  );
}

/**
 * The route that a VP prints for a path. `path` starts with the VP's own AS and ends with the origin; `variant` changes
 * the communities only.
 */
export function printedRoute(vp: SimulatedVantagePoint, afi: Afi, path: readonly number[], variant = 0): Route {
  const own = new Array<number>(vp.style.ownAsCount).fill(path[0]);
  const asPath = [...own, ...path.slice(1)].join(' ');
  const mixed = hashText(vp.index, asPath);
  return {
    asPath,
    communities: communitiesOf(vp, path, variant),
    nextHop: nextHopOf(vp, afi, mixed),
    originAttribute: mixed % 20 === 0 ? 'INCOMPLETE' : mixed % 97 === 0 ? 'EGP' : 'IGP',
  };
}

/** Each AS on the way may tag the route: `asn:value` (RFC 1997), or three parts where the AS has 32 bits (RFC 8092). */
function communitiesOf(vp: SimulatedVantagePoint, path: readonly number[], variant: number): string {
  if (vp.style.communities === 'none') return '';
  const standard: [number, number][] = [];
  const large: [number, number, number][] = [];
  const distinct = [...new Set(path)].slice(0, 4);
  for (const [i, asn] of distinct.entries()) {
    const value = hashText(asn, `${i === 0 ? variant : 0} ${distinct[i + 1] ?? 0}`);
    if (asn <= 0xffff) standard.push([asn, value % 5_000]);
    else if (vp.style.communities === 'large') large.push([asn, value % 10, value % 9_999]);
    if (i === 0 && asn <= 0xffff && vp.style.communities === 'large') large.push([asn, 1, value % 500]);
  }
  const text = [...standard, ...large].sort((a, b) => a.length - b.length || a[0] - b[0] || a[1] - b[1]);
  return text.map((parts) => parts.join(':')).join(' ');
}

function nextHopOf(vp: SimulatedVantagePoint, afi: Afi, mixed: number): string {
  const words = parseAddress(vp.ip)!;
  if (afi === 'ipv4')
    return words.length === 1 ? neighbourAddress(vp, words) : formatAddress([0xc000_0200 + (mixed % 254) + 1]);
  if (words.length === 1) return `::ffff:${vp.ip}`;
  const global = neighbourAddress(vp, words);
  if (vp.style.nextHop !== 'with_link_local') return global;
  return `${global},${formatAddress([0xfe80_0000, 0, 0x0200_00ff, 0xfe00_0000 + vp.index])}`;
}

/** The address of another router on the same network, for VPs that pass a third party's next hop. */
function neighbourAddress(vp: SimulatedVantagePoint, words: readonly number[]): string {
  if (vp.style.nextHop !== 'third_party') return vp.ip;
  return formatAddress([...words.slice(0, -1), (words[words.length - 1] ^ 1) >>> 0]);
}
