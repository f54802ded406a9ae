/** RFC 9112 section 3.2: a request with more than one Host, or with a text that is not a host, is refused. Node itself refuses requests without Host. */

/** A name, or an IP address (RFC 3986 section 3.2.2), and a port. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;

/** @param headers names and values in turn, as they came */
export function hasOneHost(headers: readonly string[]): boolean {
  let host: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i].length !== 4 || headers[i].toLowerCase() !== 'host') continue;
    if (host !== undefined) return false;
    host = headers[i + 1];
  }
  return host === undefined || HOST.test(host);
}
