/** Values that say where something is reached: URLs, addresses, paths of the web server. */
import { z } from 'zod';
import { parseUrl } from '../../input/url.ts';
import { type ListenAddress, parseListenAddress } from '../listen-address.ts';
import { accept, addFault, type IssueStyle, jsonKinds, refuse, value } from './value.ts';

/** A broker of Kafka, `host:port`. */
export const broker = value<string>('a broker such as kafka.example.net:9092', (input) => {
  const [, host, port] =
    typeof input === 'string' ? (/^(\[[0-9a-fA-F:]+\]|[^\s/:@]+):([0-9]{1,5})$/.exec(input) ?? []) : [];
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return accept(String(input));
  return typeof input === 'string' && /^[^\s/:@]+$/.test(input) ? refuse(`did you mean ${input}:9092?`) : refuse();
});

/** A URL without a user name and password and, unless `mayHaveQuery`, without a query: the exporter adds keys itself. */
export function url(protocols: readonly string[], example: string, mayHaveQuery = false) {
  const schemes = protocols.map((protocol) => `${protocol}//`).join(' or ');
  const expected = `a URL that starts with ${schemes}, such as ${example}`;
  return value<string>(expected, (input) => {
    if (typeof input !== 'string') return refuse();
    const parsed = parseUrl(input);
    if (parsed === undefined || !protocols.includes(parsed.protocol) || !input.includes('://')) {
      return { ok: false, message: `expected ${expected}, got ${printableUrl(input)}` };
    }
    if (parsed.username !== '' || parsed.password !== '') {
      return { ok: false, message: 'expected a URL without a user name and password' };
    }
    if (!mayHaveQuery && /[?#]/.test(input)) {
      return { ok: false, message: 'expected a URL without ? and # (the exporter adds the key itself)' };
    }
    return accept(input.replace(/\/+$/, ''));
  });
}

/** Empty for none. Never quoted: it may hold a password. */
export const proxyUrl = value<string>(
  'the URL of an HTTP proxy such as http://proxy.example.net:3128, or ""',
  (input) => {
    if (input === '') return accept('');
    const url = typeof input === 'string' ? parseUrl(input) : undefined;
    if (url === undefined) return refuse();
    if (/^socks/.test(url.protocol)) return refuse('SOCKS is not spoken here');
    return ['http:', 'https:'].includes(url.protocol) && url.pathname === '/' && url.search === ''
      ? accept(String(input))
      : refuse();
  },
  'kind',
);

/** A wrong URL may still hold a key: nothing behind ? or #, or before @, is shown. */
function printableUrl(input: string): string {
  return JSON.stringify(input.replace(/[?#].*$/s, '…').replace(/^([^/]*\/\/)?.*@/s, '$1…@'));
}

const LISTEN_ADDRESS =
  'a listen address such as ":10479", "127.0.0.1:9000", "[::1]:9000" or "unix:/run/bgp.sock", or "" for no web server';

const listenAddress = value<ListenAddress>(LISTEN_ADDRESS, (input) => {
  const address = typeof input === 'string' ? parseListenAddress(input) : undefined;
  if (address !== undefined) return accept(address);
  if (typeof input !== 'string' && typeof input !== 'number') return refuse();
  if (/^[0-9]{1,5}$/.test(String(input))) return refuse(`did you mean ":${input}"?`);
  if (String(input).startsWith('vsock:')) return refuse('Node has no sockets of that kind');
  const bare = typeof input === 'string' ? /^([0-9a-f:.]*:[0-9a-f:.]*):([0-9]{1,5})$/i.exec(input) : null;
  if (bare !== null) return refuse(`did you mean "[${bare[1]}]:${bare[2]}"?`);
  const [, host, port] = /^([^:]*|\[.*\])(:[0-9]+)?$/.exec(String(input)) ?? [];
  if (host === undefined || input === '' || parseListenAddress(`${host}:1`) === undefined) return refuse();
  return refuse(port === undefined ? `the port is missing, as "${host}:10479"` : 'a port is 0 to 65535');
});

const MAX_LISTEN_ADDRESSES = 16;

/** One, a list, or `""` for none. */
export const listenAddresses = z.unknown().transform((input, context): readonly ListenAddress[] => {
  const items: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (items.length === 1 && items[0] === '') return [];
  if (items.length === 0 || items.length > MAX_LISTEN_ADDRESSES) {
    const params: IssueStyle = { got: 'kind', hint: `from 1 to ${MAX_LISTEN_ADDRESSES}` };
    context.addIssue({ code: 'custom', message: `expected ${LISTEN_ADDRESS}`, params, input });
    return z.NEVER;
  }
  const addresses: ListenAddress[] = [];
  for (const [i, item] of items.entries()) {
    const path = Array.isArray(input) ? [i] : [];
    const result = listenAddress.safeParse(item);
    if (!result.success) for (const issue of result.error.issues) context.addIssue({ ...issue, path });
    else if (items.indexOf(item) < i) addFault(context, path, `${String(item)} is given twice`);
    else addresses.push(result.data);
  }
  return addresses;
});
jsonKinds.add(listenAddresses, {
  description: `${LISTEN_ADDRESS}; or a list of listen addresses`,
  type: ['string', 'array'],
  items: { type: 'string' },
});

const PREFIX_PATH = /^\/?(?:[A-Za-z0-9._~-]+\/)*(?:[A-Za-z0-9._~-]+)?$/;

/** Where others reach the web server; empty: not known. */
export const externalUrl = value<string>('a URL such as https://mon.example.net/bgp/, or ""', (input) => {
  if (input === '') return accept('');
  const url = typeof input === 'string' ? parseUrl(input) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return refuse();
  return url.username === '' && url.search === '' && url.hash === '' && PREFIX_PATH.test(url.pathname)
    ? accept(url.href)
    : refuse();
});

export const routePrefix = value<string>('a path such as /bgp, / for none, or "" for that of external_url', (input) =>
  typeof input === 'string' && (input === '' || PREFIX_PATH.test(input)) ? accept(input) : refuse(),
);

const OWN_PATHS = ['/runbook', '/-/healthy', '/-/ready', '/-/reload'];

export const telemetryPath = value<string>(`a path such as /metrics, not / and not ${OWN_PATHS.join(', ')}`, (input) =>
  typeof input === 'string' && /^(?:\/[A-Za-z0-9._~-]+)+$/.test(input) && !OWN_PATHS.includes(input)
    ? accept(input)
    : refuse(),
);
