/** Binds the web server's addresses, or says why it cannot. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ExporterError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { BACKLOG, type HttpServers, isNoSuchAddress, type Resolve, systemResolve } from './http-servers.ts';

/** The address cannot be bound. */
export class ListenError extends ExporterError {
  constructor(message: string, cause: unknown) {
    super('LISTEN', message, { actor: 'operator', cause });
  }
}

export interface ListenOptions {
  /** `host` empty: all interfaces, IPv4 and IPv6. `port` 0: one that is free. */
  readonly listenAddress: { readonly host: string; readonly port: number };
  /** The addresses of `localhost`. Default: what the system says. */
  readonly resolve?: Resolve;
  readonly logger: Logger;
}

/** All interfaces are `::` with IPv4 inside; where IPv6 is off, `0.0.0.0`. `localhost` is each of its addresses. */
export async function listen(
  app: FastifyInstance,
  servers: HttpServers,
  { listenAddress: { host, port }, resolve = systemResolve, logger }: ListenOptions,
): Promise<void> {
  try {
    const [address, ...others] = host === 'localhost' ? await resolve(host) : [host === '' ? '::' : host];
    try {
      await app.listen({ host: address, port, ipv6Only: false, backlog: BACKLOG });
    } catch (error) {
      if (host !== '' || !isNoSuchAddress(error)) throw error;
      await app.listen({ host: '0.0.0.0', port, backlog: BACKLOG });
    }
    const bound = (app.server.address() as AddressInfo).port;
    for (const error of await servers.listenToo(others, bound))
      logger.warn('the web server cannot listen at one of the addresses of localhost', { error: error.message });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    await app.close();
    const shown = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const reasons: Readonly<Record<string, string>> = {
      EADDRINUSE: 'the port is in use: stop the program that has it, or choose another one with --web.listen-address',
      EACCES: 'not allowed: ports below 1024 need a privilege, choose another one with --web.listen-address',
      EADDRNOTAVAIL: 'the address is not of this machine: choose another one with --web.listen-address',
      ENOTFOUND: 'the host name is unknown: choose another one with --web.listen-address',
    };
    const reason = reasons[code] ?? (error instanceof Error ? error.message : String(error));
    throw new ListenError(`cannot listen on ${shown}: ${reason}`, error);
  }
}
