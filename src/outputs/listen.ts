/** Makes the web server listen: at TCP addresses, at Unix sockets, and at sockets that the service manager hands over. */
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { formatListenAddress, type ListenAddress, type TcpAddress } from '../config/listen-address.ts';
import { systemCode } from '../errors/system-error.ts';
import { ListenError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { type HttpServers, isNoSuchAddress, type Resolve, systemResolve } from './http-servers.ts';

/** An address to bind, or an open socket that is bound already, by its descriptor. */
export type ListenTarget = ListenAddress | { readonly fd: number };

export interface ListenOptions {
  /** At least one. `host` empty: all interfaces, IPv4 and IPv6. `port` 0: one that is free. */
  readonly listenAt: readonly ListenTarget[];
  /** The addresses of `localhost`. Default: what the system says. */
  readonly resolve?: Resolve;
  readonly logger: Logger;
}

/** Where a server listens, as bound. */
export interface Bound {
  /** `0.0.0.0:10479`, `[::]:10479`, `unix:/run/bgp.sock`; `fd:3` for a Unix socket that was handed over. */
  readonly address: string;
  /** 0: it is no TCP socket. */
  readonly port: number;
  /** `host:port` for a browser on this machine; undefined: a browser cannot open it. */
  readonly place: string | undefined;
}

/** The owner and its group may connect, because a proxy in front of the exporter must be able to. The folder's rights say who else may. */
const UNIX_MODE = 0o660;

/**
 * Listens at all targets, in their order, or at none.
 * @throws ListenError when an address is in use, not allowed or not of this machine.
 */
export async function listen(app: FastifyInstance, servers: HttpServers, options: ListenOptions): Promise<Bound[]> {
  const { resolve = systemResolve, logger } = options;
  try {
    await app.ready();
    const bound: Bound[] = [];
    for (const target of options.listenAt) bound.push(await listenAt(target, { servers, resolve, logger }));
    return bound;
  } catch (error) {
    await Promise.all([servers.close(), app.close()]);
    throw error;
  }
}

async function listenAt(
  target: ListenTarget,
  { servers, resolve, logger }: { servers: HttpServers; resolve: Resolve; logger: Logger },
): Promise<Bound> {
  try {
    if ('fd' in target) return boundOf(await servers.listen(target), `fd:${target.fd}`);
    if ('host' in target) return boundOf(await listenAtHost(target), '');
    await removeLeftBehind(target.path);
    const bound = await servers.listen(target);
    await chmod(target.path, UNIX_MODE);
    return boundOf(bound, '');
  } catch (error) {
    const shown = 'fd' in target ? `the socket of systemd, descriptor ${target.fd}` : formatListenAddress(target);
    throw new ListenError(`cannot listen on ${shown}: ${reasonOf(error, 'path' in target)}`, error);
  }

  /** All interfaces are `::` with IPv4 inside; where IPv6 is off, `0.0.0.0`. `localhost` is each of its addresses. */
  async function listenAtHost({ host, port }: TcpAddress) {
    if (host === '') {
      try {
        return await servers.listen({ host: '::', port, ipv6Only: false });
      } catch (error) {
        if (!isNoSuchAddress(error)) throw error;
        return servers.listen({ host: '0.0.0.0', port });
      }
    }
    const [first, ...others] = host === 'localhost' ? await resolve(host) : [host];
    const bound = await servers.listen({ host: first, port });
    const free = typeof bound === 'object' && bound !== null ? bound.port : port;
    for (const other of others) {
      await servers.listen({ host: other, port: free }).catch((error: Error) => {
        if (isNoSuchAddress(error)) return;
        logger.warn('the web server cannot listen at one of the addresses of localhost', { error: error.message });
      });
    }
    return bound;
  }
}

/** @param unnamed what to call a socket that has no name */
function boundOf(bound: Awaited<ReturnType<HttpServers['listen']>>, unnamed: string): Bound {
  if (bound === null || typeof bound === 'string')
    return { address: bound === null ? unnamed : `unix:${bound}`, port: 0, place: undefined };
  const { address, family, port } = bound;
  const shown = `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  const any = address === '::' || address === '0.0.0.0';
  return { address: shown, port, place: any ? `localhost:${port}` : shown };
}

/** A process that was killed leaves its socket in the file system, where nobody answers. Anything else stays. */
async function removeLeftBehind(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true) return;
  const refusal = await new Promise<string | undefined>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => resolve(systemCode(error)));
  });
  if (refusal === 'ECONNREFUSED') await unlink(path);
}

function reasonOf(error: unknown, isUnix: boolean): string {
  const another = 'choose another one with --web.listen-address';
  const reasons: Readonly<Record<string, string>> = isUnix
    ? {
        EADDRINUSE: `another program listens there, or it is a file and no socket: remove it, or ${another}`,
        // Node says the same of a folder that is not there.
        EACCES: `the folder is not there, or cannot be written to: make one, such as RuntimeDirectory of systemd, or ${another}`,
      }
    : {
        EADDRINUSE: `the port is in use: stop the program that has it, or ${another}`,
        EACCES: `not allowed: ports below 1024 need a privilege, ${another}`,
        EADDRNOTAVAIL: `the address is not of this machine: ${another}`,
        ENOTFOUND: `the host name is unknown: ${another}`,
      };
  return reasons[systemCode(error) ?? ''] ?? (error instanceof Error ? error.message : String(error));
}
