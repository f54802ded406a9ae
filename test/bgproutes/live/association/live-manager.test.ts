import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { type AssociationRequest, associatePrefixes } from '../../../../src/bgproutes/live/association/live-manager.ts';
import { MAX_FOREIGN_TEXT } from '../../../../src/secrets/redaction.ts';
import { systemTimers } from '../../../../src/stream/timers.ts';
import { type HttpTestServer, httpServer } from '../../../http/http-test-server.ts';

const KEY = 'k+y/0123&456=7 89';

const servers: HttpTestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(...args: Parameters<typeof httpServer>): Promise<HttpTestServer> {
  const server = await httpServer(...args);
  servers.push(server);
  return server;
}

const ask = (liveManagerUrl: string, more: Partial<AssociationRequest> = {}) =>
  associatePrefixes({
    liveManagerUrl,
    apiKey: KEY,
    prefixes: ['192.23.62.0/24', '2a06:3040:10::/48'],
    timers: systemTimers,
    signal: new AbortController().signal,
    ...more,
  });

describe('associatePrefixes', () => {
  it('asks as the service documents it, every value encoded', async () => {
    const server = await serve((_, response) => void response.end('done'));
    expect(await ask(server.url, { userAgent: 'bgproutes-exporter/1.2.3' })).toEqual({ kind: 'success' });
    const [request] = server.requests;
    expect(request.method).toBe('GET');
    expect(request.target).toBe(
      '/update_live_prefixes?api_key=k%2By%2F0123%26456%3D7%2089&new_pfxs=192.23.62.0%2F24%2C2a06%3A3040%3A10%3A%3A%2F48',
    );
    expect(request.headers['user-agent']).toBe('bgproutes-exporter/1.2.3');
  });

  it('keeps path and query of the base', async () => {
    const server = await serve((_, response) => void response.end());
    await ask(`${server.url}/live/?region=eu`, { apiKey: 'K1', prefixes: ['10.0.0.0/8'] });
    expect(server.requests[0].target).toBe('/live/update_live_prefixes?region=eu&api_key=K1&new_pfxs=10.0.0.0%2F8');
  });

  it.each([400, 401, 403, 404, 418])('takes HTTP status %i as a refusal, with its text', async (status) => {
    const server = await serve((_, response) => void response.writeHead(status).end(`Too many\r\nprefixes for ${KEY}`));
    expect(await ask(server.url)).toEqual({ kind: 'refused', status, text: 'Too many prefixes for [redacted]' });
  });

  it.each([408, 429, 500, 502, 503])('takes HTTP status %i as an error that passes', async (status) => {
    const server = await serve((_, response) => void response.writeHead(status).end());
    expect(await ask(server.url)).toEqual({ kind: 'error', text: `HTTP status ${status}` });
  });

  it('does not take the key to another host', async () => {
    const other = await serve((_, response) => void response.end());
    const server = await serve((request, response) => {
      response.writeHead(302, { location: other.url + request.target }).end();
    });
    expect(await ask(server.url)).toEqual({ kind: 'refused', status: 302, text: '' });
    expect(other.requests).toEqual([]);
  });

  it('bounds the text, and the body', async () => {
    const server = await serve((request, response) => {
      response.writeHead(400);
      if (request.url.searchParams.get('new_pfxs') === '10.0.0.0/8') response.end('x'.repeat(10_000));
      else {
        const more = () => response.write('x'.repeat(65_536), (error) => (error ? undefined : setImmediate(more)));
        more();
      }
    });
    const long = await ask(server.url, { prefixes: ['10.0.0.0/8'] });
    expect(long.kind === 'refused' && long.text.length).toBe(MAX_FOREIGN_TEXT);
    expect(await ask(server.url)).toEqual({ kind: 'refused', status: 400, text: 'an answer that is too long' });
  });

  it('says when nobody answers', async () => {
    const server = await serve(() => {});
    await server.close();
    const result = await ask(server.url);
    expect(result.kind === 'error' && result.text).toMatch(
      /^nothing listens at 127\.0\.0\.1:\d+, .* \(ECONNREFUSED\)$/,
    );
  });

  it.each([
    ['silent', () => {}],
    ['slow', (_: unknown, response: import('node:http').ServerResponse) => void response.writeHead(200).write('d')],
  ])('does not wait longer than it may for a %s server', async (_name, answer) => {
    const server = await serve(answer);
    expect(await ask(server.url, { timeoutMs: 50 })).toEqual({ kind: 'error', text: 'no answer within 0.05 s' });
  });

  it('ends when told to', async () => {
    const stop = new AbortController();
    const server = await serve(() => stop.abort());
    expect(await ask(server.url, { signal: stop.signal })).toEqual({ kind: 'error', text: 'stopped' });
    expect(await ask(server.url, { signal: stop.signal })).toEqual({ kind: 'error', text: 'stopped' });
    expect(server.requests.length).toBe(1);
  });

  it('never tells the key, whatever the server says', async () => {
    let body = '';
    let status = 200;
    const server = await serve((_, response) => void response.writeHead(status).end(body));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 200, max: 599 }),
        fc.array(
          fc.oneof(fc.string(), fc.constantFrom(KEY, encodeURIComponent(KEY), `api_key=${KEY}`, JSON.stringify(KEY))),
        ),
        async (statusNow, parts) => {
          [status, body] = [statusNow, parts.join('')];
          const text = JSON.stringify(await ask(server.url));
          return !text.includes(KEY) && !text.includes(encodeURIComponent(KEY));
        },
      ),
      { numRuns: 200 },
    );
  });
});
