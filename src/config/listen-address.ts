/** Where the web server listens, as the Prometheus programs write it: `:10479`, `127.0.0.1:9000`, `[::1]:9000`. */
import { isIP, isIPv4, isIPv6 } from 'node:net';

/** Interface and port of a server. */
export interface ListenAddress {
  /** A host name or an address without brackets; empty: all interfaces, IPv4 and IPv6. */
  readonly host: string;
  /** 0 to 65535; 0: one that is free. */
  readonly port: number;
}

/** Undefined when the text is not `[host]:port`. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain, portText] = match;
  const port = Number(portText);
  if (port > 65_535) return undefined;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined;
  return plain === '' || isIPv4(plain) || isHostName(plain) ? { host: plain, port } : undefined;
}

/** RFC 1123 section 2.1. A last label of digits alone would be a broken IPv4 address (`127.0.0.999`). */
function isHostName(text: string): boolean {
  const labels = text.split('.');
  const wellFormed = labels.every((label) => /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/.test(label));
  return wellFormed && text.length <= 253 && isIP(text) === 0 && !/^[0-9]+$/.test(labels[labels.length - 1]);
}
