/** What stands before every route: the rate limit, the headers of the web configuration, and its users, in this order. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WebConfig } from '../../config/web/web-config.ts';
import { PasswordChecker } from './password-checker.ts';
import { RateLimiter } from './rate-limiter.ts';

/** What a request is refused with; `allowed`: it may go on. */
export type GuardAnswer = 'allowed' | 'rate_limited' | 'unauthorized' | 'busy';

export class Guard {
  readonly #passwords = new PasswordChecker();
  readonly #limiter: RateLimiter;
  #config: WebConfig;

  constructor(config: WebConfig) {
    this.#config = config;
    this.#limiter = new RateLimiter(config.rateLimit);
  }

  /** Takes over another configuration; what was found of passwords stays, since it hangs on their hashes. */
  set(config: WebConfig): void {
    this.#config = config;
    this.#limiter.set(config.rateLimit);
  }

  /** Sets headers on the reply. `address`: of the client, as connections are counted. */
  async judge(request: FastifyRequest, reply: FastifyReply, address: string): Promise<GuardAnswer> {
    if (!this.#limiter.take()) return 'rate_limited';
    const { headers, users } = this.#config;
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    if (users.size === 0) return 'allowed';
    const given = credentialsOf(request.headers.authorization);
    if (given === undefined) return 'unauthorized';
    const answer = await this.#passwords.check(users, given.name, given.password, address);
    return answer === 'right' ? 'allowed' : answer === 'busy' ? 'busy' : 'unauthorized';
  }

  close(): Promise<void> {
    return this.#passwords.close();
  }
}

/** RFC 7617 section 2; undefined for any other scheme. */
function credentialsOf(header: string | undefined): { readonly name: string; readonly password: string } | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header ?? '') ?? [];
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
