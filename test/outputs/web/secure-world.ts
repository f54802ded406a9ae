/** A web server with a web configuration, and clients of every kind that it may meet. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientRequest, get as getPlain, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { get, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../../src/logger.ts';
import { WatchedWebConfig } from '../../../src/outputs/web/watched-web-config.ts';
import { startWebServer, type WebServer, type WebServerOptions } from '../../../src/outputs/web-server.ts';
import { dnsName, emailName, ipName, makeCertificate, uriName } from '../../support/certificates.ts';

const ca = makeCertificate('CA of the clients');

export const CERTIFICATES = {
  server: makeCertificate('server'),
  renewed: makeCertificate('server, renewed'),
  ca,
  client: makeCertificate('client', ca, [
    ...[dnsName('test3'), emailName('noc@example.net'), uriName('spiffe://example.net/prom, one')],
    ipName([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
  ]),
  stranger: makeCertificate('stranger', makeCertificate('another CA')),
} as const;

/** Of `right-password`, at the lowest cost there is. */
export const HASH = '$2b$04$3tzkdM19wP6aHd3p12MkyepwsH7XfCerwhvA.2bJ1EK.2G/1QmrLO';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export class SecureWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'bgproutes-exporter-'));
  readonly file = join(this.folder, 'web.yml');
  readonly cuts: string[] = [];
  readonly log: string[] = [];
  readonly readings: boolean[] = [];
  #nowMs = 0;
  #server: WebServer | undefined;

  constructor() {
    for (const [name, { cert, key }] of Object.entries(CERTIFICATES)) {
      this.write(`${name}.crt`, cert);
      this.write(`${name}.key`, key);
    }
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Makes the next look at the files due. */
  passTime(ms = 1_000): void {
    this.#nowMs += ms;
  }

  async start(yaml: string | undefined, more: Partial<WebServerOptions> = {}): Promise<WebServer> {
    if (yaml !== undefined) this.write('web.yml', yaml);
    const logger = createLogger({
      level: 'debug',
      format: 'logfmt',
      destination: { write: (line) => this.log.push(line) },
    });
    const webConfig = new WatchedWebConfig({
      ...{ path: this.file, logger, elapsed: () => this.#nowMs },
      onReading: (successful) => this.readings.push(successful),
    });
    this.#server = await startWebServer({
      listenAt: [{ host: '127.0.0.1', port: 0 }],
      telemetryPath: '/metrics',
      render: async () => Buffer.from('up 1\n'),
      ready: () => ({ ok: true }),
      enableLifecycle: false,
      webConfig,
      logger,
      onCut: (reason) => this.cuts.push(reason),
      ...more,
    });
    return this.#server;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** Over HTTP/1.1 and TLS, trusting whoever answers. Rejects when there is no answer. */
  ask(path = '/metrics', options: RequestOptions = {}): Promise<Answer> {
    const { port } = this;
    return answerOf((take) =>
      get({ host: '127.0.0.1', port, path, agent: false, rejectUnauthorized: false, ...options }, take),
    );
  }

  askPlain(path = '/metrics', headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return answerOf((take) => getPlain({ host: '127.0.0.1', port: this.port, path, agent: false, headers }, take));
  }

  /** Over one session of HTTP/2, all at once. */
  async askHttp2(paths: readonly string[], headers: Readonly<Record<string, string>> = {}): Promise<number[]> {
    const session = connectHttp2(`https://127.0.0.1:${this.port}`, { rejectUnauthorized: false });
    try {
      return await Promise.all(
        paths.map(
          (path) =>
            new Promise<number>((resolve, reject) => {
              session.on('error', reject);
              const stream = session.request({ ':path': path, ...headers });
              stream.on('response', (answer) => resolve(Number(answer[':status'])));
              stream.on('error', reject);
              stream.resume();
            }),
        ),
      );
    } finally {
      session.destroy();
    }
  }

  async close(): Promise<void> {
    await this.#server?.close();
    rmSync(this.folder, { recursive: true });
  }
}

function answerOf(send: (take: (response: IncomingMessage) => void) => ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = send((response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      response.on('error', reject);
    });
    sent.on('error', reject);
  });
}

export const basic = (name: string, password: string): Readonly<Record<string, string>> => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});
