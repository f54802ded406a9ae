/**
 * Agents that go through a proxy, and tell of it by its name when it fails. The libraries get the proxy's URL without its user
 * and password, which they would print where the variable DEBUG is set.
 */
import { Agent, type AgentOptions, type ClientRequest } from 'node:http';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { networkReason } from '../errors/network-error.ts';
import { credentialsOf } from '../input/url.ts';

/** Time that the proxy has to make the connection, or to say why it does not. */
const CONNECT_TIMEOUT_MS = 10_000;

/** What a proxy refused, or that it cannot be reached. Names the proxy without its user and password. */
export class ProxyError extends Error {
  constructor(proxy: URL, what: string, cause?: unknown) {
    super(`the proxy ${proxy.host} ${what}`, cause === undefined ? undefined : { cause });
    this.name = 'ProxyError';
  }
}

/** What an answer of the proxy itself means. */
export function refusal(status: number): string {
  if (status === 407) return 'asks for a user and password, or does not take those that it got (HTTP 407)';
  if (status === 403) return 'does not allow this connection (HTTP 403)';
  return `could not make the connection (HTTP ${status})`;
}

/** CONNECT: for HTTPS and both kinds of WebSocket. */
export class TunnelAgent extends HttpsProxyAgent<string> {
  readonly #proxy: URL;
  readonly #timeoutMs: number;

  constructor(proxy: URL, options: AgentOptions = {}, timeoutMs = CONNECT_TIMEOUT_MS) {
    super(bare(proxy), { ...options, headers: authorization(proxy) });
    this.#proxy = proxy;
    this.#timeoutMs = timeoutMs;
    this.on('proxyConnect', ({ statusCode }: { readonly statusCode: number }, request: ClientRequest) => {
      if (statusCode !== 200) request.destroy(new ProxyError(proxy, refusal(statusCode)));
    });
  }

  override async connect(...[request, options]: Parameters<HttpsProxyAgent<string>['connect']>) {
    const late = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new ProxyError(this.#proxy, `did not answer within ${this.#timeoutMs / 1_000} seconds`));
        late.abort();
      }, this.#timeoutMs);
    });
    // Read at once by the library; ends the connection to a proxy that hangs.
    Object.assign(this.connectOpts, { signal: late.signal });
    try {
      return await Promise.race([super.connect(request, options), tooLate]);
    } catch (error) {
      throw error instanceof ProxyError ? error : unreachable(this.#proxy, error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The whole request goes to the proxy: for plain HTTP. */
export class ForwardAgent extends HttpProxyAgent<string> {
  readonly #proxy: URL;

  constructor(proxy: URL, options: AgentOptions = {}) {
    super(bare(proxy), { ...options, headers: authorization(proxy) });
    this.#proxy = proxy;
  }

  /** What the proxy itself says of a request that it will not forward. */
  get proxy407(): ProxyError {
    return new ProxyError(this.#proxy, refusal(407));
  }

  override async connect(...[request, options]: Parameters<HttpProxyAgent<string>['connect']>) {
    try {
      return await super.connect(request, options);
    } catch (error) {
      throw unreachable(this.#proxy, error);
    }
  }
}

/** Makes no connection, and says why. */
export class RefusingAgent extends Agent {
  readonly #error: Error;

  constructor(error: Error) {
    super();
    this.#error = error;
    // Node throws at once where a request and its agent differ in protocol; without one the agent serves every request.
    Object.assign(this, { protocol: undefined });
  }

  override createConnection(_: unknown, done?: (error: Error | null, socket: never) => void): undefined {
    done?.(this.#error, undefined as never);
  }
}

function unreachable(proxy: URL, error: unknown): ProxyError {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const reason = error instanceof Error ? networkReason(error) : undefined;
  return new ProxyError(proxy, `cannot be reached: ${reason ?? message}`, error);
}

function bare(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`;
}

function authorization(proxy: URL): Readonly<Record<string, string>> {
  const { user, password } = credentialsOf(proxy);
  if (user === '' && password === '') return {};
  return { 'Proxy-Authorization': `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
