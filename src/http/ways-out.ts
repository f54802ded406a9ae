/** How the program reaches the services: directly or through a proxy, and whose certificates it trusts. One for the process. */
import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { urlSecrets } from '../input/url.ts';
import { ForwardAgent, RefusingAgent, TunnelAgent } from './proxy-agents.ts';
import { parseProxy, proxyFor } from './proxy-choice.ts';

/** Connections that nobody uses are kept so long, ms: shorter than servers do, which close theirs after 5 s and more. */
const IDLE_MS = 4_000;

export interface WaysOutSettings {
  /** Undefined: the variables of the environment decide. */
  readonly proxyUrl?: string | undefined;
  /** PEM of CAs that are trusted beside those of Node. */
  readonly ca?: string | undefined;
}

let settings: WaysOutSettings = {};
let trusted: SecureContext | undefined;
let agents = new Map<string, HttpAgent>();

/** Sets the ways for connections from now on. @throws when `ca` is not a certificate */
export function useWaysOut(next: WaysOutSettings): void {
  trusted = next.ca === undefined ? undefined : createSecureContext({ ca: [...rootCertificates, next.ca] });
  settings = next;
  agents = new Map();
}

/** What TLS to a service trusts; undefined: what Node does. */
export function trustedCas(): SecureContext | undefined {
  return trusted;
}

/** The connections that all requests to a target's host share. */
export function sharedAgent(target: URL): HttpAgent {
  const key = `${target.protocol} ${proxyFor(target, settings.proxyUrl, process.env)?.proxy ?? ''}`;
  let agent = agents.get(key);
  if (agent === undefined) {
    agent = newAgent(target, { keepAlive: true, timeout: IDLE_MS });
    agents.set(key, agent);
  }
  return agent;
}

/** An agent for one caller alone: it shares no connections with others. */
export function newAgent(target: URL, options: AgentOptions): HttpAgent {
  const choice = proxyFor(target, settings.proxyUrl, process.env);
  if (choice === undefined) return isPlain(target) ? new HttpAgent(options) : new HttpsAgent(options);
  const proxy = parseProxy(choice.proxy);
  if (proxy === undefined)
    return new RefusingAgent(new Error(`${choice.from} names no proxy of HTTP (SOCKS is not spoken here)`));
  return target.protocol === 'http:' ? new ForwardAgent(proxy, options) : new TunnelAgent(proxy, options);
}

/** The agent of a WebSocket; undefined: the direct way. */
export function tunnelTo(target: URL): HttpAgent | undefined {
  return proxyFor(target, settings.proxyUrl, process.env) === undefined ? undefined : newAgent(target, {});
}

/** What names a proxy for the target: `proxy_url`, or a variable. Undefined: the direct way is meant. */
export function proxyNamedBy(target: URL): string | undefined {
  return proxyFor(target, settings.proxyUrl, process.env)?.from;
}

function isPlain({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'ws:';
}

/** The passwords of the proxies of the environment: they must not show in a log. */
export function proxySecrets(env: Readonly<Record<string, string | undefined>>): string[] {
  const names = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  return names.flatMap((name) => {
    const proxy = parseProxy(env[name] ?? '');
    return proxy === undefined ? [] : urlSecrets(proxy);
  });
}
