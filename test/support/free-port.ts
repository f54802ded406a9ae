/** A port for a program that is told where to listen, or for a server that ends and comes back. */
import { createServer } from 'node:net';

/** Below the ports that systems give away by themselves (Linux: from 32768 on), so that no other test is given one meanwhile. */
const FIRST = 23_000;
const COUNT = 9_000;

/** A port of 127.0.0.1 at which nobody listens. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
