/** Through which proxy a request goes: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, as curl and Go read them. */
import { BlockList, isIP, isIPv6 } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that names a proxy, by its protocol; the one in small letters goes first. */
const VARIABLES: Readonly<Record<string, string>> = {
  ...{ 'http:': 'http_proxy', 'ws:': 'http_proxy' },
  ...{ 'https:': 'https_proxy', 'wss:': 'https_proxy' },
};

function variable(env: Environment, name: string): string {
  return (env[name] || env[name.toUpperCase()] || '').trim();
}

export interface ProxyChoice {
  /** The proxy as it was given; its user and password are secrets. */
  readonly proxy: string;
  /** Where it was given. */
  readonly from: string;
}

/** @param proxyUrl goes before the variables, but for NO_PROXY; undefined: they decide. Gives undefined for the direct way. */
export function proxyFor(target: URL, proxyUrl: string | undefined, env: Environment): ProxyChoice | undefined {
  const name = VARIABLES[target.protocol];
  // A program that a web server starts gets the header Proxy of a stranger's request as HTTP_PROXY; see httpoxy.org.
  const own = name === 'http_proxy' && env.REQUEST_METHOD ? '' : variable(env, name ?? '');
  const proxy = proxyUrl ?? (own || variable(env, 'all_proxy'));
  if (proxy === '' || isExcluded(target, variable(env, 'no_proxy'))) return undefined;
  const from = proxyUrl !== undefined ? 'proxy_url' : own === '' ? 'ALL_PROXY' : name.toUpperCase();
  return { proxy, from };
}

/** The proxy's URL; a missing scheme is `http://`. Undefined: it is no proxy of HTTP, such as one of SOCKS. */
export function parseProxy(text: string): URL | undefined {
  try {
    const url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
    return ['http:', 'https:'].includes(url.protocol) && url.hostname !== '' ? url : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether NO_PROXY excludes it: `*`, a host with all below it (`example.net`, `.example.net`, `*.example.net`), an address, a
 * network (`10.0.0.0/8`), each with or without a port. This machine's own addresses never go through a proxy.
 */
function isExcluded(target: URL, list: string): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))) return true;
  const port = target.port || (['https:', 'wss:'].includes(target.protocol) ? '443' : '80');
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => matches(entry.toLowerCase(), host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const network = /^([0-9a-f:.]+)\/([0-9]{1,3})$/.exec(entry);
  if (network !== null) return isInside(host, network[1], Number(network[2]));
  if (isIPv6(entry)) return entry === host;
  const [, name, ownPort] = /^\[?(.*?)\]?(?::([0-9]+))?$/.exec(entry) ?? [];
  if (ownPort !== undefined && ownPort !== port) return false;
  const domain = (name ?? '').replace(/^\*?\./, '');
  return domain !== '' && (host === domain || host.endsWith(`.${domain}`));
}

function isInside(host: string, network: string, length: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || length > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, length, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
