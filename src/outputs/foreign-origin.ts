/**
 * Tells requests of web pages that have no business here. A browser sends what any page asks it to, also to addresses that
 * only its own network reaches, and by a name that its owner lets point here (DNS rebinding) even the page's origin and the
 * request's host agree.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { parseUrl } from '../url.ts';

/**
 * Whether a browser sent it for a page of another place. Programs that are no browsers (curl, a reloader) send no Origin and
 * are never foreign. An Origin must be that of the host asked for, or of the one that a reverse proxy was asked for, and its
 * host must be one that no stranger can own: an IP address, `localhost`, a name without a dot, or this machine's own.
 */
export function isForeign(headers: IncomingHttpHeaders, ownName: string): boolean {
  const { origin, host, 'x-forwarded-host': forwarded, 'sec-fetch-site': site } = headers;
  if (site === 'cross-site' || site === 'same-site') return true;
  if (origin === undefined) return false;
  const from = parseUrl(origin);
  if (from === undefined) return true; // `null` too: a sandboxed page, a file
  const asked = [host, ...[forwarded].flat()].filter((each) => each !== undefined);
  return !asked.some((each) => sameHost(from, each)) || !isOwnName(from.hostname, ownName);
}

function sameHost(origin: URL, host: string): boolean {
  return parseUrl(`${origin.protocol}//${host}`)?.host === origin.host;
}

function isOwnName(name: string, ownName: string): boolean {
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0) return true;
  const plain = name.toLowerCase().replace(/\.$/, '');
  return !plain.includes('.') || plain.endsWith('.localhost') || plain === ownName.toLowerCase();
}
