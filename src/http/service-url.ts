/** Addresses of the services that a program gives: what cannot work is refused at once rather than at the first request. */

import { parseUrl } from '../input/url.ts';

/**
 * Nothing of a wrong URL is quoted: it may hold a key or a password.
 * @param name of the option
 * @param protocols such as `https:`
 * @throws TypeError when it is no URL, has another protocol, or has a user name, a password or a fragment: requests are refused with them
 */
export function checkServiceUrl(name: string, url: string | undefined, protocols: readonly string[]): void {
  if (url === undefined) return;
  const parsed = typeof url === 'string' ? parseUrl(url) : undefined;
  if (parsed === undefined || !protocols.includes(parsed.protocol)) {
    const beginnings = protocols.map((protocol) => `${protocol}//`).join(' or ');
    throw new TypeError(`${name}: expected a URL that begins with ${beginnings}`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new TypeError(`${name}: expected a URL without a user name and password`);
  }
  if (url.includes('#')) throw new TypeError(`${name}: expected a URL without #`);
}

/** A URL under a base that may have a path of its own; `path` begins with `/`. The base's query is kept. */
export function urlUnder(base: string, path: string): URL {
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  return url;
}

/** Where the stream of a key is; never to be printed. Throws a `TypeError` when the address is not a URL that can be used. */
export function streamUrlOf(websocketUrl: string, apiKey: string): URL {
  const url = new URL(websocketUrl);
  const key = `api_key=${encodeURIComponent(apiKey)}`;
  url.search = url.search === '' ? key : `${url.search}&${key}`;
  return url;
}
