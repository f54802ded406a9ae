import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestRequest {
  readonly method: string;
  /** Path and query, as on the wire. */
  readonly target: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface HttpTestServer {
  readonly url: string;
  /** Every request so far, in order of arrival. */
  readonly requests: TestRequest[];
  close(): Promise<void>;
}

/** A real HTTP server; `answer` sees the whole request. */
export async function httpServer(
  answer: (request: TestRequest, response: ServerResponse) => void | Promise<void>,
): Promise<HttpTestServer> {
  const requests: TestRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const target = incoming.url ?? '';
      const request: TestRequest = {
        method: incoming.method ?? '',
        target,
        url: new URL(target, 'http://server'),
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString(),
      };
      requests.push(request);
      response.on('error', () => {});
      void answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}
