/** An OTLP receiver for tests: a real HTTP(S) server that keeps what it gets and answers what it is told to. */
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { type DecodedMetric, type DecodedPoint, type DecodedRequest, decodeJson, decodeProtobuf } from './decode.ts';

export interface ReceivedRequest {
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly atMs: number;
  /** Uncompressed. */
  readonly body: Buffer;
  readonly wireBytes: number;
  /** Read when asked for, so that a large request is answered at once. */
  readonly decoded: DecodedRequest;
  /** Common name of the client certificate, if any. */
  readonly client: string | undefined;
}

export type Answer = (response: http.ServerResponse, request: ReceivedRequest) => void;

/** An answer of a status, with headers and a body. */
export function status(code: number, headers: Record<string, string> = {}, body: string | Buffer = ''): Answer {
  return (response) => response.writeHead(code, headers).end(body);
}

export const accept: Answer = (response, { headers }) =>
  response
    .writeHead(200, { 'content-type': headers['content-type'] })
    .end(headers['content-type'] === 'application/json' ? '{}' : '');

export class Receiver {
  readonly requests: ReceivedRequest[] = [];
  /** What it answers; those of `next` come first, one each. */
  answer: Answer = accept;
  readonly next: Answer[] = [];
  readonly #server: http.Server | https.Server;
  readonly #sockets = new Set<Socket>();
  readonly #scheme: string;

  constructor(tls?: https.ServerOptions) {
    const handler = (request: http.IncomingMessage, response: http.ServerResponse): void =>
      void this.#handle(request, response);
    this.#server = tls === undefined ? http.createServer(handler) : https.createServer(tls, handler);
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    // A handshake that a client ends is what some tests are about.
    this.#server.on('tlsClientError', () => {});
  }

  async start(port = 0): Promise<this> {
    await new Promise<void>((done, fail) => this.#server.once('error', fail).listen(port, '127.0.0.1', done));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `http://127.0.0.1:PORT`. */
  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  get endpoint(): string {
    return `${this.origin}/v1/metrics`;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** The metrics of all requests since one, by name; the points of parts of a metric together. */
  metrics(from = 0): Map<string, DecodedMetric> {
    const byName = new Map<string, DecodedMetric>();
    for (const { decoded } of this.requests.slice(from)) {
      for (const metric of decoded.metrics) {
        const before = byName.get(metric.name);
        byName.set(metric.name, { ...metric, points: [...(before?.points ?? []), ...metric.points] });
      }
    }
    return byName;
  }

  points(name: string, from = 0): readonly DecodedPoint[] {
    return this.metrics(from).get(name)?.points ?? [];
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((done) => this.#server.close(done));
  }

  async #handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the client went away in the middle
    }
    const wire = Buffer.concat(chunks);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(wire) : wire;
    const isJson = request.headers['content-type'] === 'application/json';
    let decoded: DecodedRequest | undefined;
    const received: ReceivedRequest = {
      url: request.url ?? '',
      headers: request.headers,
      atMs: Date.now(),
      body,
      wireBytes: wire.length,
      get decoded() {
        decoded ??= isJson ? decodeJson(body) : decodeProtobuf(body);
        return decoded;
      },
      client:
        'getPeerCertificate' in request.socket
          ? (request.socket as TLSSocket).getPeerCertificate().subject?.CN?.toString()
          : undefined,
    };
    this.requests.push(received);
    (this.next.shift() ?? this.answer)(response, received);
  }
}
