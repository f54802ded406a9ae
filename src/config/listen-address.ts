/**
 * Where the web server listens, as the Prometheus programs write it: `:10479`, `127.0.0.1:9000`, `[::1]:9000`; or
 * `unix:/run/bgp.sock`.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';

/** Interface and port of a server. */
export interface TcpAddress {
  /** A host name or an address without brackets; empty: all interfaces, IPv4 and IPv6. */
  readonly host: string;
  /** 0 to 65535; 0: one that is free. */
  readonly port: number;
}

/** A Unix socket in the file system. */
export interface UnixAddress {
  /** Absolute, at most `MAX_UNIX_PATH_BYTES`. */
  readonly path: string;
}

/** Where a server listens. */
export type ListenAddress = TcpAddress | UnixAddress;

/** unix(7): the system's structure has 108 bytes, one of them the end of the text. */
const MAX_UNIX_PATH_BYTES = 107;

/** Undefined when the text is neither `[host]:port` nor `unix:/path`. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (!text.startsWith('unix:/')) return parseTcpAddress(text);
  const path = text.slice('unix:'.length);
  // A path that ends with / is a folder.
  return Buffer.byteLength(path) <= MAX_UNIX_PATH_BYTES && !/\0|\/$/.test(path) ? { path } : undefined;
}

/** Undefined when the text is not `[host]:port`. */
export function parseTcpAddress(text: string): TcpAddress | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, bracketed, plain, portText] = match;
  const port = Number(portText);
  if (port > 65_535) return undefined;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined;
  return plain === '' || isIPv4(plain) || isHostName(plain) ? { host: plain, port } : undefined;
}

/** Writes an address as the configuration has it. */
export function formatListenAddress(address: ListenAddress): string {
  if ('path' in address) return `unix:${address.path}`;
  const { host, port } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** RFC 1123 section 2.1. A last label of digits alone would be a broken IPv4 address (`127.0.0.999`). */
function isHostName(text: string): boolean {
  const labels = text.split('.');
  const wellFormed = labels.every((label) => /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/.test(label));
  return wellFormed && text.length <= 253 && isIP(text) === 0 && !/^[0-9]+$/.test(labels[labels.length - 1]);
}
