/**
 * Tells requests of web pages that have no business here. A browser sends what any page asks it to, also to addresses that
 * only its own network reaches, and by a name that its owner lets point here (DNS rebinding) even the page's origin and the
 * request's host agree.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { parseUrl } from '../input/url.ts';

/**
 * Whether a browser may have sent it for a page of another place. The host that was asked for must be one that no stranger
 * can own: an IP address, `localhost`, a name without a dot or of a private domain, or one of `ownNames`. So must the host of
 * an Origin, which programs that are no browsers (curl, a reloader) do not send, and it must be the one that was asked for,
 * by this request or by that to a reverse proxy.
 * @param ownNames without ports, such as this machine's name and the host of the external URL
 */
export function isForeign(headers: IncomingHttpHeaders, ownNames: readonly string[]): boolean {
  // HTTP/2 has the host in a field of its own.
  const { origin, host = headers[':authority'], 'x-forwarded-host': forwarded, 'sec-fetch-site': site } = headers;
  if (site === 'cross-site' || site === 'same-site') return true;
  if (host !== undefined && !isOwnName(parseUrl(`http://${host}`)?.hostname, ownNames)) return true;
  if (origin === undefined) return false;
  const from = parseUrl(origin);
  if (from === undefined) return true; // `null` too: a sandboxed page, a file
  const asked = [host, forwarded].flat().filter((each) => each !== undefined);
  return !asked.some((each) => sameHost(from, each)) || !isOwnName(from.hostname, ownNames);
}

function sameHost(origin: URL, host: string): boolean {
  return parseUrl(`${origin.protocol}//${host}`)?.host === origin.host;
}

/** Domains that the public DNS does not have: of the machine, of a link, of private networks, of Kubernetes services. */
const PRIVATE_DOMAINS = ['.localhost', '.local', '.internal', '.home.arpa', '.svc'];

function isOwnName(name: string | undefined, ownNames: readonly string[]): boolean {
  if (name === undefined) return false;
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0) return true;
  const plain = name.toLowerCase().replace(/\.$/, '');
  return (
    !plain.includes('.') ||
    PRIVATE_DOMAINS.some((domain) => plain.endsWith(domain)) ||
    ownNames.some((own) => own.toLowerCase() === plain)
  );
}
