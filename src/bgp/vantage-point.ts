/** Vantage points: the BGP speakers whose routes the collectors see. */
import { parseAsn } from './as-path.ts';
import { formatAddress, parseAddress } from './prefix.ts';

/** How a collector hears a VP: a BGP session (RFC 4271) or a router's monitoring feed (RFC 7854). */
export type Protocol = 'bgp' | 'bmp';
export const PROTOCOLS = ['bgp', 'bmp'] as const satisfies readonly Protocol[];

/** A router that speaks BGP. */
export interface Speaker {
  readonly asn: number;
  /** Canonical text of the address. */
  readonly ip: string;
}

/** A BGP speaker whose routes the collectors see. */
export interface VantagePoint extends Speaker {
  readonly protocol: Protocol;
  /** The monitored router whose peer this is; only with `bmp`. */
  readonly parent?: Speaker;
}

/** Two VPs are the same exactly when their keys are equal: protocol, ASN, IP, and for BMP the parent's ASN and IP. */
export function vantagePointKey(vp: VantagePoint): string {
  return vp.parent === undefined
    ? `${vp.protocol} ${vp.asn}_${vp.ip}`
    : `${vp.protocol} ${vp.asn}_${vp.ip} ${vp.parent.asn}_${vp.parent.ip}`;
}

/** Reads the stream's `ASN_IP`. Undefined unless both parts are strictly right. */
export function parseSpeaker(text: string): Speaker | undefined {
  const at = text.indexOf('_');
  if (at === -1) return undefined;
  const asn = parseAsn(text.slice(0, at));
  const words = text.length - at > 46 ? undefined : parseAddress(text.slice(at + 1));
  return asn === undefined || words === undefined ? undefined : { asn, ip: formatAddress(words) };
}
