/** A proxy on a real socket: CONNECT and plain requests; every name leads to this machine, so that targets can have any. */
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export type ProxyMood = 'obliging' | 'refuses' | 'hangs' | 'asks for a password';

export class ProxyWorld {
  /** What was asked of it, such as `CONNECT name:443`. */
  readonly asked: string[] = [];
  readonly credentials: (string | undefined)[] = [];
  mood: ProxyMood = 'obliging';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor() {
    this.#server = createServer((asked, answer) => {
      this.#note(asked);
      const { port, pathname, search } = new URL(asked.url ?? '');
      if (this.mood === 'asks for a password') {
        answer.writeHead(407, { 'proxy-authenticate': 'Basic' }).end('no');
        return;
      }
      const sent = request({ host: '127.0.0.1', port, path: pathname + search, method: asked.method }, (from) => {
        answer.writeHead(from.statusCode ?? 0, from.headers);
        from.pipe(answer);
      });
      sent.on('error', () => answer.destroy());
      asked.pipe(sent);
    });
    this.#server.on('connect', (asked: IncomingMessage, socket: Socket) => {
      this.#note(asked);
      socket.on('error', () => {});
      if (this.mood === 'hangs') return;
      if (this.mood !== 'obliging') {
        const status = this.mood === 'refuses' ? '403 Forbidden' : '407 Proxy Authentication Required';
        socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      const target = connect(Number(asked.url?.split(':').at(-1)), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #note({ method, url, headers }: IncomingMessage): void {
    this.asked.push(`${method} ${url}`);
    const [, encoded] = /^Basic (.*)$/.exec(headers['proxy-authorization'] ?? '') ?? [];
    this.credentials.push(encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString());
  }
}
