import { Agent, get, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConfigError, ListenError } from '../../src/errors.ts';
import { createLogger } from '../../src/logger.ts';
import { startWebServer, type WebServer, type WebServerOptions } from '../../src/outputs/web-server.ts';
import { until } from '../support/patience.ts';

/** For clients that are not to be cut off for being slow, as a busy machine may make them: the most that there may be. */
const LONG_MS = 10_000;

const log: string[] = [];
const logger = createLogger({ level: 'info', format: 'logfmt', destination: { write: (line) => log.push(line) } });
const running: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.close()));
  log.length = 0;
});

async function start(options: Partial<WebServerOptions> = {}): Promise<WebServer> {
  const server = await startWebServer({
    listenAt: [{ host: '127.0.0.1', port: 0 }],
    telemetryPath: '/metrics',
    render: async (format) => Buffer.from(`# ${format}\nup 1\n`),
    ready: () => ({ ok: true }),
    enableLifecycle: false,
    logger,
    ...options,
  });
  running.push(server);
  return server;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

function ask(server: WebServer, path: string, options: RequestOptions & { body?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const sent = request({ host: '127.0.0.1', port: server.port, path, agent: false, ...rest }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends bytes as they are, gives all that comes until the connection ends. */
function raw(port: number, bytes: string, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, host, () => socket.write(bytes));
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
  });
}

describe('GET /metrics', () => {
  it('gives the text format by default, whole and with its type', async () => {
    const { status, headers, body } = await ask(await start(), '/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(headers['content-length']).toBe('12');
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers.vary).toBe('Accept, Accept-Encoding');
    expect(body.toString()).toBe('# text\nup 1\n');
  });

  it('gives OpenMetrics to whom asks for it', async () => {
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
    const { headers, body } = await ask(await start(), '/metrics?x=1', { headers: { accept } });
    expect(headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(body.toString()).toBe('# openmetrics\nup 1\n');
  });

  it('compresses on request', async () => {
    const { headers, body } = await ask(await start(), '/metrics', { headers: { 'accept-encoding': 'gzip' } });
    expect(headers['content-encoding']).toBe('gzip');
    expect(headers['content-length']).toBe(String(body.length));
    expect(gunzipSync(body).toString()).toBe('# text\nup 1\n');
  });

  it('does not compress where gzip is refused', async () => {
    const { headers, body } = await ask(await start(), '/metrics', { headers: { 'accept-encoding': 'gzip;q=0, *' } });
    expect(headers['content-encoding']).toBeUndefined();
    expect(body.toString()).toBe('# text\nup 1\n');
  });

  it('answers HEAD with the same headers and no body', async () => {
    const { status, headers, body } = await ask(await start(), '/metrics', { method: 'HEAD' });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(headers['content-length']).toBe('12');
    expect(body.length).toBe(0);
  });

  it('is at the configured path only', async () => {
    const server = await start({ telemetryPath: '/bgp/metrics-1' });
    expect((await ask(server, '/bgp/metrics-1')).status).toBe(200);
    expect((await ask(server, '/metrics')).status).toBe(404);
  });

  it('fails alone when rendering fails: 500 without the reason, a log line with it, and the next one works', async () => {
    let calls = 0;
    const server = await start({
      render: async () => {
        if (calls++ === 0) throw new Error('boom in the table');
        return Buffer.from('up 1\n');
      },
    });
    const failed = await ask(server, '/metrics', { headers: { 'accept-encoding': 'gzip' } });
    expect(failed.status).toBe(500);
    expect(failed.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(failed.headers['content-encoding']).toBeUndefined();
    expect(failed.body.toString()).not.toContain('boom');
    expect(log.join('')).toContain('boom in the table');
    expect((await ask(server, '/metrics')).body.toString()).toBe('up 1\n');
  });

  it('gives back a body that it has compressed, and only such a one', async () => {
    const bodies: Buffer[] = [];
    const released: Buffer[] = [];
    const server = await start({
      render: async (format) => {
        bodies.push(Buffer.from(`# ${format} ${bodies.length}\n`));
        return bodies[bodies.length - 1];
      },
      release: (format, body) => {
        expect(body.toString()).toContain(format);
        released.push(body);
      },
    });
    expect((await ask(server, '/metrics')).body.toString()).toBe('# text 0\n');
    const { body } = await ask(server, '/metrics', { headers: { 'accept-encoding': 'gzip' } });
    expect(gunzipSync(body).toString()).toBe('# text 1\n');
    expect(released).toEqual([bodies[1]]);
  });

  it('is given to a scraper although others take their bodies and never read', async () => {
    const body = Buffer.alloc(16 * 1024 * 1024, 'x');
    let rendered = 0;
    const server = await start({
      render: async () => {
        rendered++;
        return body;
      },
    });
    const agent = new Agent({ keepAlive: false });
    const stuck = Array.from({ length: 15 }, () =>
      get({ host: '127.0.0.1', port: server.port, path: '/metrics', agent }, (response) => response.pause()),
    );
    await Promise.all(stuck.map((sent) => new Promise((resolve) => sent.once('response', resolve))));
    expect(rendered).toBeLessThan(15); // those that came together share one
    expect((await ask(server, '/metrics')).body.length).toBe(body.length);
    const { headers } = await ask(server, '/metrics', { headers: { 'accept-encoding': 'gzip' } });
    expect(headers['content-encoding']).toBe('gzip');
    for (const sent of stuck) {
      sent.on('error', () => {});
      sent.destroy();
    }
    await until(async () => expect((await ask(server, '/metrics', { method: 'HEAD' })).status).toBe(200));
  });
});

describe('health', () => {
  it('is healthy, and ready while the stream is up', async () => {
    let ok = false;
    const server = await start({ ready: () => (ok ? { ok } : { ok, reason: 'session 0 is down: <refused>' }) });
    expect((await ask(server, '/-/healthy')).status).toBe(200);
    const notReady = await ask(server, '/-/ready');
    expect(notReady.status).toBe(503);
    expect(notReady.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(notReady.body.toString()).toBe('bgproutes-exporter is not ready: session 0 is down: <refused>.\n');
    ok = true;
    expect((await ask(server, '/-/ready')).status).toBe(200);
  });

  it.each([
    ['GET', '/nothing', 404, undefined],
    ['GET', '/metrics/', 404, undefined],
    ['GET', '/%2e%2e/etc/passwd', 404, undefined],
    ['GET', '/%zz', 400, undefined],
    ['POST', '/metrics', 405, 'GET, HEAD'],
    ['DELETE', '/runbook', 405, 'GET, HEAD'],
    ['PUT', '/-/healthy?x', 405, 'GET, HEAD'],
    ['POST', '/runbook', 405, 'GET, HEAD'],
    ['GET', '/-/reload', 405, 'POST'],
  ])('%s %s is %i in plain text', async (method, path, status, allow) => {
    const answer = await ask(await start(), path, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers.allow).toBe(allow);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.body.toString()).toMatch(/\.\n$/);
  });

  it('takes a body of any type where none is needed, up to its limit', async () => {
    const server = await start({ enableLifecycle: true, reload: async () => {} });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await ask(server, '/-/reload', { method: 'POST', headers, body: 'a=b' })).status).toBe(200);
    expect((await ask(server, '/-/reload', { method: 'POST', headers, body: 'x'.repeat(2_000) })).status).toBe(413);
  });
});

describe('POST /-/reload', () => {
  it('is refused unless it was enabled', async () => {
    let reloads = 0;
    const reload = async () => {
      reloads++;
    };
    expect((await ask(await start({ reload }), '/-/reload', { method: 'POST' })).status).toBe(403);
    expect(reloads).toBe(0);
    const server = await start({ reload, enableLifecycle: true });
    expect((await ask(server, '/-/reload', { method: 'POST' })).status).toBe(200);
    expect(reloads).toBe(1);
  });

  it('is refused when a web page of another place asks for it', async () => {
    let reloads = 0;
    const reload = async () => {
      reloads++;
    };
    const server = await start({ reload, enableLifecycle: true });
    const host = 'rebound.example.com';
    for (const headers of [{ host, origin: `http://${host}` }, { host }]) {
      const { status, body } = await ask(server, '/-/reload', { method: 'POST', headers });
      expect(status).toBe(403);
      expect(body.toString()).toContain('A web page of another place cannot reload the exporter.');
    }
    expect(reloads).toBe(0);
    const known = await start({ reload, enableLifecycle: true, externalUrl: `https://${host}/` });
    expect((await ask(known, '/-/reload', { method: 'POST', headers: { host } })).status).toBe(200);
    expect(reloads).toBe(1);
  });

  it('tells what is wrong with the new configuration', async () => {
    const reload = () => Promise.reject(new ConfigError(['bgp.yml:1:1: a: unknown key', 'second']));
    const server = await start({ reload, enableLifecycle: true });
    const { status, body } = await ask(server, '/-/reload', { method: 'POST' });
    expect(status).toBe(500);
    expect(body.toString()).toContain('bgp.yml:1:1: a: unknown key\nsecond');
  });
});

describe('a change of the routes', () => {
  const routes = { telemetryPath: '/metrics', enableLifecycle: false };

  it('to those that are there already leaves scrapes under way as they are: those that come share their body', async () => {
    let written = 0;
    let write: (body: Buffer) => void = () => {};
    const ready = vi.fn(() => ({ ok: true as const }));
    const server = await start({
      ready,
      render: () => {
        written++;
        return new Promise((resolve) => {
          write = resolve;
        });
      },
    });
    const first = ask(server, '/metrics');
    await until(() => expect(written).toBe(1));
    await server.change(routes);
    const both =
      'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const second = raw(server.port, both);
    // The request behind the scrape is handled, so the scrape was taken.
    await until(() => expect(ready).toHaveBeenCalled());
    write(Buffer.from('up 1\n'));
    expect((await first).body.toString()).toBe('up 1\n');
    expect(await second).toContain('up 1\n');
    expect(written).toBe(1);
    await server.close();
  });

  it('to another path moves the metrics there', async () => {
    const server = await start();
    await server.change({ ...routes, telemetryPath: '/elsewhere' });
    expect((await ask(server, '/metrics')).status).toBe(404);
    expect((await ask(server, '/elsewhere')).status).toBe(200);
    await server.close();
  });
});

describe('GET /runbook', () => {
  it('gives the page that the build has rendered, which may load and run nothing', async () => {
    const server = await start({ runbook: async () => Buffer.from('<p>What to do') });
    const { status, headers, body } = await ask(server, '/runbook');
    expect([status, body.toString()]).toEqual([200, '<p>What to do']);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it('says why there is none', async () => {
    const { status, body } = await ask(await start({ runbook: async () => undefined }), '/runbook');
    expect(status).toBe(404);
    expect(body.toString()).toContain('the build did not render docs/runbook.md');
  });
});

describe('GET /', () => {
  it('is not there where the page is off, nor is its API', async () => {
    const server = await start();
    for (const path of ['/', '/api/v1/prefixes', '/api/v1/events', '/prefix/192.0.2.0/24', '/page/page.css'])
      expect((await ask(server, path)).status).toBe(404);
  });
});

describe('listening', () => {
  it('answers on IPv4 and IPv6 when no host is given', async () => {
    const server = await start({ listenAt: [{ host: '', port: 0 }] });
    expect(server.url).toBe(`http://localhost:${server.port}`);
    const asked = 'GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    expect(await raw(server.port, asked, '127.0.0.1')).toContain('200 OK');
    if (server.address.startsWith('[')) expect(await raw(server.port, asked, '::1')).toContain('200 OK');
    expect(log.join('')).toContain(`msg="web server listens" address=${server.address}`);
  });

  describe('at a localhost of two addresses', () => {
    const BOTH = ['127.0.0.1', '127.0.0.2'];
    const startBoth = (options: Partial<WebServerOptions> = {}) =>
      start({ listenAt: [{ host: 'localhost', port: 0 }], resolve: async () => BOTH, ...options });

    it.each(BOTH)('refuses and cuts bad clients at %s', async (address) => {
      const cuts: string[] = [];
      const { port } = await startBoth({ headersTimeoutMs: LONG_MS, onCut: (reason) => cuts.push(reason) });
      expect(await raw(port, 'GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', address)).toContain(
        '200 OK',
      );
      expect(await raw(port, 'hello\r\n\r\n', address)).toContain('400 Bad Request');
      const hurried = await startBoth({ headersTimeoutMs: 10, onCut: (reason) => cuts.push(reason) });
      expect(await raw(hurried.port, '', address)).toContain('408 Request Timeout');
      expect(cuts).toEqual(['bad_request', 'slow_request']);
    });

    it('counts the connections of both together', async () => {
      const cuts: string[] = [];
      const { port } = await startBoth({ headersTimeoutMs: LONG_MS, onCut: (reason) => cuts.push(reason) });
      const sockets = await Promise.all(
        Array.from({ length: 300 }, (_, i) => {
          const socket = connect(port, BOTH[i % 2]);
          socket.on('error', () => {});
          return new Promise<typeof socket>((resolve) => socket.once('connect', () => resolve(socket)));
        }),
      );
      await until(() => expect(cuts).toHaveLength(300 - 256));
      for (const socket of sockets) socket.destroy();
    });

    it.each(BOTH)('lets nobody of %s hold up its end', async (address) => {
      const server = await startBoth();
      const socket = connect(server.port, address, () => socket.write('GET / HTTP/1.1\r\nHost: x\r\nX: '));
      const gone = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      await new Promise((resolve) => socket.once('connect', resolve));
      await server.close();
      await gone;
      await expect(raw(server.port, '', address)).rejects.toThrow('ECONNREFUSED');
    });

    it('goes on with one where the other is not of this machine, and says so where it is in use', async () => {
      const { port } = await startBoth({ resolve: async () => ['127.0.0.1', '192.0.2.1'] });
      expect(log.join('')).not.toContain('level=warn');
      await start({ listenAt: [{ host: 'localhost', port }], resolve: async () => ['127.0.0.3', '127.0.0.1'] });
      expect(log.join('')).toContain(
        'level=warn msg="the web server cannot listen at one of the addresses of localhost"',
      );
    });
  });

  it('says what to do when the port is in use', async () => {
    const { port } = await start();
    const second = start({ listenAt: [{ host: '127.0.0.1', port }] });
    await expect(second).rejects.toThrow(ListenError);
    await expect(second).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: the port is in use: stop the program that has it, or choose another one with --web.listen-address`,
    );
  });

  it('says so when the address is of another machine', async () => {
    await expect(start({ listenAt: [{ host: '192.0.2.1', port: 0 }] })).rejects.toThrow(
      'cannot listen on 192.0.2.1:0: the address is not of this machine',
    );
  });
});

describe('bad clients', () => {
  it.each([
    ['no HTTP', 'hello\r\n\r\n', '400 Bad Request'],
    [
      'huge headers',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
    ],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', '400 Bad Request'],
    [
      'a path that is malformed, and is not quoted',
      'GET /%zz<b> HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      '400 Bad Request',
    ],
    ['two Hosts', 'GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: a\r\n\r\n', '400 Bad Request'],
    ['a Host that is none', 'GET /-/healthy HTTP/1.1\r\nHost: a/b@c\r\n\r\n', '400 Bad Request'],
    [
      'a smuggled length',
      'POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400 Bad Request',
    ],
  ])('%s is answered and closed', async (_, bytes, expected) => {
    const server = await start();
    const answer = await raw(server.port, bytes);
    expect(answer).toContain(`HTTP/1.1 ${expected}`);
    expect(answer).not.toContain('<b>');
    expect((await ask(server, '/-/healthy')).status).toBe(200);
  });

  it('who send no request in time get 408 and lose their connection', async () => {
    const cuts: string[] = [];
    const server = await start({ headersTimeoutMs: 10, onCut: (reason) => cuts.push(reason) });
    expect(await raw(server.port, 'GET / HTTP/1.1\r\nHost: x\r\nX: ')).toContain('HTTP/1.1 408 Request Timeout');
    expect(await raw(server.port, '')).toContain('HTTP/1.1 408 Request Timeout');
    expect(cuts).toEqual(['slow_request', 'slow_request']);
  });

  it('who keep half of the connection open after a refusal lose it too', async () => {
    const server = await start();
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true }, () =>
      socket.write('hello\r\n\r\n'),
    );
    socket.on('error', () => {});
    socket.resume();
    await new Promise((resolve) => socket.once('end', resolve));
    await until(() => {
      socket.write('more');
      expect(socket.destroyed).toBe(true);
    }, 50);
  });

  it('who do not read their answer in time lose their connection', async () => {
    const cuts: string[] = [];
    const seen: number[] = [];
    const server = await start({
      render: async () => Buffer.alloc(32 * 1024 * 1024),
      answerTimeoutMs: 100,
      onCut: (reason) => cuts.push(reason),
      onRequest: ({ status }) => seen.push(status),
    });
    const socket = connect(server.port, '127.0.0.1', () => socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.on('error', () => {});
    socket.pause();
    await until(() => expect(cuts).toEqual(['slow_answer']));
    await until(() => expect(seen).toEqual([499]));
    socket.destroy();
  });

  it('who send many requests without waiting for answers lose their connection, and nothing stays behind', async () => {
    const cuts: string[] = [];
    const seen: number[] = [];
    let reloads = 0;
    const server = await start({
      reload: () => {
        reloads++;
        return new Promise(() => {});
      },
      enableLifecycle: true,
      onCut: (reason) => cuts.push(reason),
      onRequest: ({ status }) => seen.push(status),
    });
    await raw(server.port, 'POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'.repeat(1_000));
    expect(cuts).toEqual(['pipelining']);
    expect(reloads).toBeLessThanOrEqual(4);
    await until(() => expect(seen).toHaveLength(4));
    expect(new Set(seen)).toEqual(new Set([499]));
    await server.close();
  });

  it('are not listened to behind the request for which their connection was cut', async () => {
    let asked = 0;
    const server = await start({
      reload: () => new Promise(() => {}),
      enableLifecycle: true,
      ready: () => {
        asked++;
        return { ok: true };
      },
    });
    const reload = 'POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
    await raw(server.port, reload.repeat(17) + 'GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100));
    expect((await ask(server, '/-/ready')).status).toBe(200);
    expect(asked).toBe(1);
    await server.close();
  });

  it('who open connections and send nothing keep nobody from the health check', async () => {
    const cuts: string[] = [];
    const server = await start({ headersTimeoutMs: LONG_MS, onCut: (reason) => cuts.push(reason) });
    const sockets = Array.from({ length: 300 }, () => connect(server.port, '127.0.0.1').on('error', () => {}));
    await until(() => expect(cuts.length).toBeGreaterThanOrEqual(44));
    expect((await ask(server, '/-/healthy')).status).toBe(200);
    expect(new Set(cuts)).toEqual(new Set(['address_limit']));
    for (const socket of sockets) socket.destroy();
  });

  it('that go away in the middle leave nothing behind', async () => {
    const server = await start({ render: async () => Buffer.alloc(8 * 1024 * 1024) });
    for (let i = 0; i < 50; i++) {
      await new Promise<void>((resolve) => {
        const socket = connect(server.port, '127.0.0.1', () => {
          socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
          socket.once('data', () => socket.destroy());
        });
        socket.on('close', () => resolve());
        socket.on('error', () => {});
      });
    }
    await until(async () => expect((await ask(server, '/metrics', { method: 'HEAD' })).status).toBe(200));
    expect(log.filter((line) => line.includes('level=error'))).toEqual([]);
  });
});

describe('counting', () => {
  it('tells every request once, with a bounded path', async () => {
    const seen: [string, string, number][] = [];
    const server = await start({
      onRequest: ({ path, method, status, durationSeconds }) => {
        expect(durationSeconds).toBeGreaterThanOrEqual(0);
        seen.push([path, method, status]);
      },
    });
    await ask(server, '/metrics?a=b');
    await ask(server, '/anything');
    await ask(server, '/-/reload', { method: 'POST' });
    await until(() => expect(seen).toHaveLength(3));
    expect(seen).toEqual([
      ['/metrics', 'GET', 200],
      ['other', 'GET', 404],
      ['/-/reload', 'POST', 403],
    ]);
  });

  it('does not call it a success when the client was gone before the answer', async () => {
    const seen: number[] = [];
    let rendering = (): void => {};
    const underWay = new Promise<void>((resolve) => {
      rendering = resolve;
    });
    const server = await start({
      render: () => {
        rendering();
        return new Promise(() => {});
      },
      onRequest: ({ status }) => seen.push(status),
    });
    const scrape = connect(server.port, '127.0.0.1', () => scrape.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'));
    await underWay;
    scrape.destroy();
    await until(() => expect(seen).toEqual([499]));
    const body = connect(server.port, '127.0.0.1', () =>
      body.write('POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\nhalf'),
    );
    await new Promise((resolve) => body.once('data', resolve)); // 100 Continue: the request has begun
    body.destroy();
    await until(() => expect(seen).toEqual([499, expect.toBeOneOf([400, 499])]));
  });
});

describe('close', () => {
  it('finishes what is under way, closes idle connections, refuses new ones', async () => {
    const server = await start({ render: async () => Buffer.alloc(4 * 1024 * 1024, 'x') });
    const agent = new Agent({ keepAlive: true });
    await ask(server, '/-/healthy', { agent });
    const slow = get({ host: '127.0.0.1', port: server.port, path: '/metrics', agent: false });
    const response = await new Promise<import('node:http').IncomingMessage>((resolve) =>
      slow.once('response', resolve),
    );
    const closed = server.close();
    let length = 0;
    for await (const chunk of response) length += (chunk as Buffer).length;
    await closed;
    expect(length).toBe(4 * 1024 * 1024);
    await expect(ask(server, '/-/healthy')).rejects.toThrow('ECONNREFUSED');
    await server.close();
    agent.destroy();
  });

  it('does not wait for a reader that never reads', async () => {
    const server = await start({ render: async () => Buffer.alloc(32 * 1024 * 1024) });
    const stuck = get({ host: '127.0.0.1', port: server.port, path: '/metrics', agent: false }, (r) => r.pause());
    await new Promise((resolve) => stuck.once('response', resolve));
    stuck.on('error', () => {});
    await server.close();
    stuck.destroy();
  });
});
