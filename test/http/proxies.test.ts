import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { request } from '../../src/http/http-request.ts';
import { TunnelAgent } from '../../src/http/proxy-agents.ts';
import { proxyFor } from '../../src/http/proxy-choice.ts';
import { proxySecrets, useWaysOut } from '../../src/http/ways-out.ts';
import { systemTimers } from '../../src/stream/timers.ts';
import { DEFAULT_CONNECTION_SETTINGS, WebSocketConnection } from '../../src/stream/websocket-connection.ts';
import { webSocketServer } from '../stream/test-servers.ts';
import { dnsName, makeCertificate } from '../support/certificates.ts';
import { ProxyWorld } from './proxy-world.ts';

const ca = makeCertificate('a private CA');
const { cert, key } = makeCertificate('service', ca, [dnsName('service.example')]);

let proxy: ProxyWorld;
let at: string;
let service: Server;
let port: number;

beforeEach(async () => {
  proxy = new ProxyWorld();
  at = await proxy.start();
  service = createServer({ cert, key }, (_, answer) => answer.end('of the service'));
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  ({ port } = service.address() as AddressInfo);
});

afterEach(async () => {
  useWaysOut({});
  service.closeAllConnections();
  service.close();
  await proxy.close();
});

function ask(url: string, agent?: TunnelAgent) {
  const { signal } = new AbortController();
  return request(new URL(url), { method: 'GET', headers: {}, maxBytes: () => 1_000, signal, agent });
}

describe('through a proxy', () => {
  it('goes a request over TLS, by CONNECT, and trusts the private CA', async () => {
    useWaysOut({ proxyUrl: `http://noc:p%40ss-word@${at}`, ca: ca.cert });
    const { status, body } = await ask(`https://service.example:${port}/`);
    expect([status, String(body)]).toEqual([200, 'of the service']);
    expect(proxy.asked).toEqual([`CONNECT service.example:${port}`]);
    expect(proxy.credentials).toEqual(['noc:p@ss-word']);
  });

  it('a CA that is not named is not trusted', async () => {
    useWaysOut({ proxyUrl: `http://${at}` });
    await expect(ask(`https://service.example:${port}/`)).rejects.toThrow();
  });

  it('goes a plain request, whole', async () => {
    const plain = createHttpServer((_, answer) => answer.end('in the clear'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port: plainPort } = plain.address() as AddressInfo;
    useWaysOut({ proxyUrl: `http://${at}` });
    const url = `http://collector.example:${plainPort}/v1/metrics?x=1`;
    expect(String((await ask(url)).body)).toBe('in the clear');
    expect(proxy.asked).toEqual([`GET ${url}`]);
    proxy.mood = 'asks for a password';
    await expect(ask(url)).rejects.toThrow(`the proxy ${at} asks for a user and password`);
    plain.closeAllConnections();
    plain.close();
  });

  it('goes a WebSocket, in the clear too', async () => {
    const server = await webSocketServer((client) => client.send('hello'));
    useWaysOut({ proxyUrl: `http://${at}` });
    const target = new URL(`ws://stream.example:${server.url.port}/?api_key=KEY-0123456789`);
    const heard = await new Promise<string>((resolve) => {
      const connection = new WebSocketConnection(
        { url: target, settings: DEFAULT_CONNECTION_SETTINGS, timers: systemTimers, redactText: (text) => text },
        {
          connected: () => {},
          frames: ([frame]) => {
            resolve(String(frame));
            connection.close();
          },
        },
      );
    });
    expect(heard).toBe('hello');
    expect(proxy.asked).toEqual([`CONNECT stream.example:${server.url.port}`]);
    await server.close();
  });
});

describe('a proxy', () => {
  it.each([
    ['refuses', 'does not allow this connection (HTTP 403)'],
    ['asks for a password', 'asks for a user and password, or does not take those that it got (HTTP 407)'],
  ] as const)('that %s is told by its name, without the password', async (mood, what) => {
    proxy.mood = mood;
    useWaysOut({ proxyUrl: `http://noc:secret-word@${at}` });
    const url = new URL('wss://stream.example/');
    await expect(ask(`https://service.example:${port}/`)).rejects.toThrow(`the proxy ${at} ${what}`);
    const { ended } = new WebSocketConnection(
      { url, settings: DEFAULT_CONNECTION_SETTINGS, timers: systemTimers, redactText: (text) => text },
      { connected: () => {}, frames: () => {} },
    );
    expect(await ended).toMatchObject({
      reason: 'connect_failed',
      detail: expect.stringContaining(`the proxy ${at} ${what}`),
    });
    expect((await ended).detail).not.toContain('secret-word');
  });

  it('that hangs is told by its name', async () => {
    proxy.mood = 'hangs';
    const agent = new TunnelAgent(new URL(`http://${at}`), {}, 50);
    await expect(ask(`https://service.example:${port}/`, agent)).rejects.toThrow(
      `the proxy ${at} did not answer within 0.05 seconds`,
    );
  });

  it('that is down is told by its name', async () => {
    useWaysOut({ proxyUrl: 'http://127.0.0.1:1' });
    const said = 'the proxy 127.0.0.1:1 cannot be reached: nothing listens at 127.0.0.1:1';
    await expect(ask('https://service.example/')).rejects.toThrow(said);
    await expect(ask('http://service.example/')).rejects.toThrow(said);
    expect(await webSocketEnd('wss://stream.example/')).toBe(
      'the proxy 127.0.0.1:1 cannot be reached: nothing listens at 127.0.0.1:1, or a firewall refuses the connection (ECONNREFUSED)',
    );
  });

  it.each(['http', 'https'])('of SOCKS is told and not used, by %s and by WebSocket', async (scheme) => {
    useWaysOut({ proxyUrl: 'socks5://127.0.0.1:1' });
    const said = 'proxy_url names no proxy of HTTP (SOCKS is not spoken here)';
    await expect(ask(`${scheme}://service.example/`)).rejects.toThrow(said);
    expect(await webSocketEnd(`${scheme.replace('http', 'ws')}://stream.example/`)).toBe(said);
  });
});

/** What the log says of a WebSocket that could not be opened. */
async function webSocketEnd(url: string): Promise<string> {
  const { ended } = new WebSocketConnection(
    { url: new URL(url), settings: DEFAULT_CONNECTION_SETTINGS, timers: systemTimers, redactText: (text) => text },
    { connected: () => {}, frames: () => {} },
  );
  return (await ended).detail;
}

describe('the choice', () => {
  const P = 'http://p:1';
  it.each([
    ['https://a.example', { HTTPS_PROXY: P }, P],
    ['wss://a.example', { https_proxy: P, HTTPS_PROXY: 'http://other:1' }, P],
    ['ws://a.example', { HTTP_PROXY: P }, P],
    ['http://a.example', { HTTPS_PROXY: P }, undefined],
    ['http://a.example', { HTTP_PROXY: P, REQUEST_METHOD: 'GET' }, undefined],
    ['https://a.example', { ALL_PROXY: P }, P],
    ['https://a.example', { HTTPS_PROXY: '', ALL_PROXY: P }, P],
    ['https://a.example', { HTTPS_PROXY: P, NO_PROXY: '*' }, undefined],
    ['https://a.b.example', { HTTPS_PROXY: P, NO_PROXY: 'x.example, b.example' }, undefined],
    ['https://a.b.example', { HTTPS_PROXY: P, no_proxy: '.B.example' }, undefined],
    ['https://ab.example', { HTTPS_PROXY: P, NO_PROXY: 'b.example' }, P],
    ['https://a.example', { HTTPS_PROXY: P, NO_PROXY: 'a.example:443' }, undefined],
    ['https://a.example:8443', { HTTPS_PROXY: P, NO_PROXY: 'a.example:443' }, P],
    ['https://10.1.2.3', { HTTPS_PROXY: P, NO_PROXY: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3', { HTTPS_PROXY: P, NO_PROXY: '10.0.0.0/8' }, P],
    ['https://[2001:db8::1]', { HTTPS_PROXY: P, NO_PROXY: '2001:db8::/32' }, undefined],
    ['https://[2001:db8::1]', { HTTPS_PROXY: P, NO_PROXY: '2001:db8::1' }, undefined],
    ['http://localhost:4318', { HTTP_PROXY: P }, undefined],
    ['http://127.0.0.1:4318', { HTTP_PROXY: P }, undefined],
    ['http://[::1]:4318', { HTTP_PROXY: P }, undefined],
  ])('for %s with %j', (url, env, proxyUrl) => {
    expect(proxyFor(new URL(url), undefined, env)?.proxy).toBe(proxyUrl);
  });

  it('of the configuration goes before the environment, but for NO_PROXY', () => {
    const env = { HTTPS_PROXY: P, NO_PROXY: 'b.example' };
    expect(proxyFor(new URL('https://a.example'), 'http://own:1', env)).toEqual({
      proxy: 'http://own:1',
      from: 'proxy_url',
    });
    expect(proxyFor(new URL('https://b.example'), 'http://own:1', env)).toBeUndefined();
  });

  it('of the environment gives away no password', () => {
    expect(proxySecrets({ HTTPS_PROXY: 'http://u:p%40ss@h:1', no_proxy: 'x' })).toEqual(['p%40ss', 'p@ss']);
  });

  it('may have a password with a percent sign that escapes nothing', () => {
    const proxy = 'http://u:50%off@h:1';
    expect(new Set(proxySecrets({ HTTPS_PROXY: proxy }))).toEqual(new Set(['50%off']));
    expect(() => new TunnelAgent(new URL(proxy))).not.toThrow();
  });
});
