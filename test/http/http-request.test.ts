import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type HttpRequest, request } from '../../src/http/http-request.ts';
import { makeCertificate } from '../support/certificates.ts';

type Listener = NonNullable<Parameters<typeof createServer>[1]>;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: Listener): Promise<{ url: URL; connections: () => number }> {
  const server = createServer({}, listener);
  servers.push(server);
  let connections = 0;
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/?api_key=SECRET`),
    connections: () => connections,
  };
}

const ask = (url: URL, more: Partial<HttpRequest> = {}) =>
  request(url, { method: 'GET', headers: {}, maxBytes: () => 1_000, signal: new AbortController().signal, ...more });

describe('a request', () => {
  it('says what it was told to, and hands on the whole answer', async () => {
    const { url } = await serve((asked, response) => {
      asked.setEncoding('utf8');
      let body = '';
      asked.on('data', (part) => {
        body += part;
      });
      asked.on('end', () => {
        const { 'x-api-key': key, 'content-length': length, 'transfer-encoding': transfer } = asked.headers;
        response.writeHead(404, { 'x-answer': 'yes' });
        response.end(JSON.stringify([asked.method, asked.url, key, body, length, transfer ?? 'whole']));
      });
    });
    const answer = await ask(url, { method: 'POST', headers: { 'x-api-key': 'k' }, body: 'é=1' });
    expect([answer.status, answer.headers['x-answer']]).toEqual([404, 'yes']);
    expect(JSON.parse(String(answer.body))).toEqual(['POST', '/?api_key=SECRET', 'k', 'é=1', '4', 'whole']);
  });

  it.each([
    ['gzip', gzipSync('text')],
    ['x-gzip', gzipSync('text')],
    ['GZIP', gzipSync('text')],
    ['deflate', deflateSync('text')],
    ['identity', Buffer.from('text')],
  ])('reads %s', async (encoding, body) => {
    const { url } = await serve((asked, response) => {
      expect(asked.headers['accept-encoding']).toBe('gzip, deflate');
      response.writeHead(200, { 'content-encoding': encoding }).end(body);
    });
    expect(String((await ask(url)).body)).toBe('text');
  });

  it.each<[string, Listener, RegExp]>([
    [
      'an encoding that was not asked for',
      (_, res) => res.writeHead(200, { 'content-encoding': 'br' }).end(brotliCompressSync('x')),
      /not asked for/,
    ],
    [
      'what is no gzip',
      (_, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end('text'),
      /incorrect header check/,
    ],
    [
      'half a gzip',
      (_, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('text').subarray(0, 15)),
      /unexpected end of file/,
    ],
    [
      'an answer cut short',
      (_, res) => void res.writeHead(200, { 'content-length': '10' }).write('text', () => res.destroy()),
      /aborted/,
    ],
    ['no answer', (_, res) => res.destroy(), /socket hang up/],
    [
      'another protocol than was asked for',
      (_, res) =>
        void res.socket?.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
      /closed without an answer/,
    ],
    ['what is no HTTP', (_, res) => res.socket?.end('SSH-2.0-OpenSSH\r\n'), /Parse Error/],
  ])('rejects for %s, without the address', async (_, listener, message) => {
    const { url } = await serve(listener);
    const error = await ask(url).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain('SECRET');
  });

  it.each(['gzip', 'identity'])(
    'is done with a body that is too long, however it comes (%s), and with its connection',
    async (encoding) => {
      const long = Buffer.alloc(5_000_000);
      let closed: Promise<unknown> | undefined;
      const { url } = await serve((_, response) => {
        closed = new Promise((resolve) => response.once('close', resolve));
        const body = encoding === 'gzip' ? gzipSync(long) : long;
        response.writeHead(200, { 'content-encoding': encoding });
        response.write(body); // and never ends
      });
      const answer = await ask(url, { maxBytes: (status) => status * 5 });
      expect([answer.status, answer.body]).toEqual([200, undefined]);
      await closed;
    },
  );

  it.each<[string, Listener, string]>([
    ['too long', (_, res) => void res.writeHead(400).write('123456789'), '12345'],
    [
      'broken off',
      (_, res) => void res.writeHead(400, { 'content-length': '10' }).write('123', () => res.destroy()),
      '123',
    ],
    ['no gzip', (_, res) => res.writeHead(400, { 'content-encoding': 'gzip' }).end('text'), ''],
    ['short', (_, res) => res.writeHead(400).end('12'), '12'],
  ])('gives a body that is %s as far as it came, when its status is enough', async (_, listener, body) => {
    const { url } = await serve(listener);
    const answer = await ask(url, { cutBody: true, maxBytes: () => 5 });
    expect([answer.status, String(answer.body)]).toEqual([400, body]);
  });

  it('tells when it has left, also when no answer comes', async () => {
    const sent: string[] = [];
    const onSent = () => void sent.push('sent');
    const { url } = await serve((asked, response) => asked.resume().on('end', () => response.destroy()));
    await expect(ask(url, { method: 'POST', body: Buffer.from('x'), onSent })).rejects.toThrow(/socket hang up/);
    expect(sent).toEqual(['sent']);
    const refused = new URL(url);
    const closing = servers.splice(0);
    await Promise.all(closing.map((server) => new Promise((resolve) => server.close(resolve))));
    await expect(ask(refused, { method: 'POST', body: Buffer.from('x'), onSent })).rejects.toThrow(/ECONNREFUSED/);
    expect(sent).toEqual(['sent']);
  });

  it('does not follow, so that no key goes elsewhere', async () => {
    const asked: string[] = [];
    const { url } = await serve(({ url: path }, response) => {
      asked.push(path ?? '');
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect((await ask(url)).status).toBe(302);
    expect(asked).toEqual(['/?api_key=SECRET']);
  });

  it('ends with its signal, before an answer and within one', async () => {
    for (const begins of [false, true]) {
      let isAsked = () => {};
      const asked = new Promise<void>((resolve) => {
        isAsked = resolve;
      });
      const { url } = await serve((_, response) => {
        if (begins) response.writeHead(200).write('te', () => isAsked());
        else isAsked();
      });
      const leaving = new AbortController();
      const answer = ask(url, { signal: leaving.signal });
      await asked;
      leaving.abort();
      await expect(answer).rejects.toThrow(/abort/i);
    }
  });

  it('goes over TLS, and only to whom a trusted certificate names', async () => {
    const ca = makeCertificate('test CA');
    const { cert, key } = makeCertificate('server', ca);
    const server = createTlsServer({ cert, key }, (_, response) => response.end('text'));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = new URL(`https://localhost:${(server.address() as AddressInfo).port}/?api_key=SECRET`);
    const untrusted = await ask(url).catch((error: unknown) => error);
    expect(String(untrusted)).toMatch(/certificate/);
    expect(String(untrusted)).not.toContain('SECRET');
    // As an operator trusts a CA: by the environment, which Node reads when it starts.
    const folder = mkdtempSync(join(tmpdir(), 'bgproutes-tls-'));
    try {
      writeFileSync(join(folder, 'ca.pem'), ca.cert);
      const module = JSON.stringify(new URL('../../src/http/http-request.ts', import.meta.url).href);
      const program = `import { request } from ${module};
        const answer = await request(new URL(${JSON.stringify(url)}), {
          method: 'GET', headers: {}, maxBytes: () => 1000, signal: new AbortController().signal });
        console.log(String(answer.body));`;
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--import', 'tsx', '--input-type=module', '-e', program],
        { env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') } },
      );
      expect(stdout).toBe('text\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('uses a connection again', async () => {
    const { url, connections } = await serve((_, response) => response.end('text'));
    for (let i = 0; i < 5; i++) expect(String((await ask(url)).body)).toBe('text');
    expect(connections()).toBe(1);
  });
});
