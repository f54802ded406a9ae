/** Real servers on real sockets, as small as each test needs them. */
import { createHash } from 'node:crypto';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface TestServer {
  readonly url: URL;
  close(): Promise<void>;
}

export interface TestWebSocketServer extends TestServer {
  /** Those that are open, in the order in which they came. */
  readonly clients: WebSocket[];
  /** How many ever came. */
  readonly connections: () => number;
  /** Request headers of every handshake. */
  readonly handshakes: Record<string, string | string[] | undefined>[];
}

/** A WebSocket server that does `onConnection` with each client. */
export async function webSocketServer(
  onConnection: (client: WebSocket, count: number) => void = () => {},
  options: { readonly autoPong?: boolean; readonly port?: number } = {},
): Promise<TestWebSocketServer> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: options.port ?? 0,
    autoPong: options.autoPong ?? true,
  });
  const clients: WebSocket[] = [];
  const handshakes: TestWebSocketServer['handshakes'] = [];
  let count = 0;
  server.on('connection', (client, request) => {
    handshakes.push({ ...request.headers, ':path': request.url });
    clients.push(client);
    client.on('close', () => clients.splice(clients.indexOf(client), 1));
    client.on('error', () => {});
    onConnection(client, ++count);
  });
  await new Promise((resolve) => server.on('listening', resolve));
  return {
    url: new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/?api_key=KEY-0123456789`),
    clients,
    handshakes,
    connections: () => count,
    close: () => {
      for (const client of server.clients) client.terminate();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A TCP server that does with each socket what it is told; `ws` would not let us break the rules. */
export async function tcpServer(onSocket: (socket: Socket) => void): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const server: Server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/?api_key=KEY-0123456789`),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers a WebSocket handshake by hand, then leaves the socket to the test. */
export function upgradeByHand(onUpgraded: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    let head = '';
    const onData = (chunk: Buffer) => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', onData);
      const key = /sec-websocket-key: *(\S+)/i.exec(head)?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.resume();
      onUpgraded(socket);
    };
    socket.on('data', onData);
  };
}
