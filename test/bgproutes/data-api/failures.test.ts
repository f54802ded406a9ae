import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataApiError } from '../../../src/errors.ts';
import { parseRetryAfter } from '../../../src/http/retry-after.ts';
import { systemTimers } from '../../../src/stream/timers.ts';
import type { TestRequest } from '../../http/http-test-server.ts';
import { until } from '../../support/patience.ts';
import { caught, HOUR, KEY, noVps, P1, says, vps, world } from './data-api-world.ts';

describe('a failure', () => {
  it.each([
    [400, 'BAD_REQUEST', 'bug'],
    [401, 'FORBIDDEN', 'operator'],
    [403, 'FORBIDDEN', 'operator'],
    [404, 'NOT_FOUND', 'bug'],
    [405, 'BAD_REQUEST', 'bug'],
    [422, 'BAD_REQUEST', 'bug'],
    [302, 'INVALID_RESPONSE', 'service'],
    [204, 'INVALID_RESPONSE', 'service'],
  ])('by HTTP status %i is %s, at once', async (status, code, actor) => {
    const { client, server, results } = await world(says(status === 204 ? '' : '{"detail":"Reason"}', status));
    const error = await caught(client.vantagePoints());
    expect(error).toBeInstanceOf(DataApiError);
    const text = status === 204 ? '' : 'Reason';
    expect(error).toMatchObject({ code, status, actor, cause: { code, message: text } });
    expect((error as Error).message).toContain(`HTTP status ${status}${status === 204 ? '' : ': Reason'}`);
    expect(server.requests.length).toBe(1);
    expect(results).toEqual([`vantage_points ${code.toLowerCase()}`]);
  });

  it('says what the API said, also when that is a list or no JSON', async () => {
    const { client } = await world((_, response, count) => {
      response
        .writeHead(422)
        .end(count === 1 ? '{"detail":[{"loc":["query","date"],"msg":"field\\nrequired"}]}' : '<h1>no</h1>');
    });
    expect(await caught(client.vantagePoints())).toMatchObject({
      message:
        'Data API, vantage_points: it does not take the request: HTTP status 422: [{"loc":["query","date"],"msg":"field\\nrequired"}]',
    });
    expect(await caught(client.vantagePoints())).toMatchObject({
      message: expect.stringMatching(/HTTP status 422: <h1>no<\/h1>$/),
    });
  });

  it.each([
    [429, 'RATE_LIMITED'],
    [500, 'SERVER_ERROR'],
    [502, 'SERVER_ERROR'],
    [503, 'SERVER_ERROR'],
    [408, 'TIMEOUT'],
  ])('by HTTP status %i is tried again, later and later, and then is %s', async (status, code) => {
    const { client, server, timers, log, results } = await world(says('{"detail":"busy"}', status));
    timers.chance = 0.999_999_9;
    const done = caught(client.vantagePoints());
    for (const [i, waitMs] of [1_000, 2_000, 4_000, 8_000].entries()) {
      await until(() => expect(log.values('retry_in_seconds').length).toBe(i + 1));
      timers.advance(waitMs - 1);
      expect(server.requests.length).toBe(i + 1);
      timers.advance(1);
    }
    const error = await done;
    expect(error).toMatchObject({ code, status });
    expect((error as Error).message).toMatch(/: busy \(5 attempts\)$/);
    expect(server.requests.length).toBe(5);
    expect(results).toEqual(Array(5).fill(`vantage_points ${code.toLowerCase()}`));
  });

  it('passes', async () => {
    const { client, timers, log, results } = await world((_, response, count) => {
      if (count === 1) response.writeHead(500).end();
      else if (count === 2) response.socket?.destroy();
      else if (count === 3) {
        response.writeHead(200, { 'content-length': 1_000 }).write('{"data":');
        setImmediate(() => response.socket?.destroy());
      } else response.end(noVps);
    });
    const done = client.vantagePoints();
    for (let i = 1; i <= 3; i++) {
      await until(() => expect(log.values('retry_in_seconds').length).toBe(i));
      timers.advance(60_000);
    }
    expect((await done).vantagePoints).toEqual([]);
    expect(results).toEqual([
      'vantage_points server_error',
      'vantage_points network_error',
      'vantage_points network_error',
      'vantage_points success',
    ]);
  });

  it('waits as long as the server asks for', async () => {
    const { client, server, timers, log } = await world((_, response, count) => {
      if (count === 1) response.writeHead(429, { 'retry-after': '1800' }).end();
      else if (count === 2) {
        // Both dates are by the server's clock, so their difference is the wait.
        const dates = [0, 90_000].map((laterMs) => new Date(timers.now() + laterMs).toUTCString());
        response.writeHead(503, { date: dates[0], 'retry-after': dates[1] }).end();
      } else if (count === 3) response.writeHead(429, { 'retry-after': '999999' }).end();
      else response.end(noVps);
    });
    const done = client.vantagePoints();
    for (const [i, waitMs] of [1_800_000, 90_000, HOUR].entries()) {
      await until(() => expect(log.values('retry_in_seconds').length).toBe(i + 1));
      expect(log.values('retry_in_seconds')[i]).toBe(waitMs / 1000);
      timers.advance(waitMs - 1);
      expect(server.requests.length).toBe(i + 1);
      timers.advance(1);
    }
    await done;
  });

  it.each([
    ['silent', () => {}],
    ['slow', (_: TestRequest, response: ServerResponse) => void response.writeHead(200).write('{"data"')],
  ])('by a %s server is TIMEOUT', async (_name, answer) => {
    const { client, server, timers, results } = await world(answer, { maxAttempts: 2 });
    const done = caught(client.vantagePoints());
    await until(() => expect(server.requests.length).toBe(1));
    timers.advance(60_000);
    await until(() => expect(results).toEqual(['vantage_points timeout']));
    await until(() => expect(timers.nextInMs).toBe(500));
    timers.advance(500);
    await until(() => expect(server.requests.length).toBe(2));
    timers.advance(60_000);
    expect(await done).toMatchObject({ code: 'TIMEOUT', status: undefined });
  });

  it('by an answer that is too large is INVALID_RESPONSE, plain or compressed', async () => {
    let cut = 0;
    const { client } = await world(
      (_, response, count) => {
        response.on('close', () => {
          if (!response.writableFinished) cut++;
        });
        if (count === 1) {
          const more = () => response.write('x'.repeat(10_000), (error) => (error ? undefined : setImmediate(more)));
          more();
        } else
          response
            .writeHead(200, { 'content-encoding': 'gzip' })
            .end(gzipSync(`${noVps}${' '.repeat(count === 2 ? 60_000 : 10_000)}`));
      },
      { maxBodyBytes: 50_000 },
    );
    for (let i = 0; i < 2; i++) {
      expect(await caught(client.vantagePoints())).toMatchObject({
        code: 'INVALID_RESPONSE',
        message: expect.stringContaining('an answer of more than 50000 bytes'),
      });
    }
    await until(() => expect(cut).toBe(1));
    expect((await client.vantagePoints()).vantagePoints).toEqual([]);
  });

  it('by an answer of more values or levels than can be honest is INVALID_RESPONSE, long before its end', async () => {
    const bodies = ['[],'.repeat(10_000_000), '['.repeat(10_000_000)];
    const { client } = await world((_, response, count) => {
      const zipped = gzipSync(`{"data":{"bgp":[${bodies[count - 1]}`);
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(zipped);
    });
    for (const why of ['an answer of more than 500000 values', 'an answer of more than 32 levels']) {
      expect(await caught(client.vantagePoints())).toMatchObject({
        code: 'INVALID_RESPONSE',
        message: expect.stringContaining(why),
      });
    }
  });

  it('is told by its status, however deep its reason is nested', async () => {
    const detail = `{"detail":${'['.repeat(30_000)}"why"${']'.repeat(30_000)}}`;
    const { client } = await world(says(detail, 403));
    const error = await caught(client.vantagePoints());
    expect(error).toMatchObject({ code: 'FORBIDDEN', status: 403 });
    expect((error as Error).message.length).toBeLessThan(2_000);
  });

  it('by nobody listening is NETWORK_ERROR', async () => {
    const { client, server } = await world(says(noVps), { maxAttempts: 1 });
    await server.close();
    expect(await caught(client.vantagePoints())).toMatchObject({
      code: 'NETWORK_ERROR',
      message: expect.stringMatching(/it could not be reached: nothing listens at .*ECONNREFUSED/),
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('does not take the key to another host', async () => {
    const other = await world(says(noVps));
    const { client } = await world((_, response) => void response.writeHead(307, { location: other.server.url }).end());
    expect(await caught(client.vantagePoints())).toMatchObject({ code: 'INVALID_RESPONSE', status: 307 });
    expect(other.server.requests).toEqual([]);
  });

  it.each(['', 'null', '[]', '{}', '"text"', '{"data":', '{"data":null}', '{"data":{"bgp":{}}}', '{"detail":"odd"}'])(
    'by the body %s is INVALID_RESPONSE',
    async (body) => {
      const { client, server, results } = await world(says(body));
      expect(await caught(client.vantagePoints())).toMatchObject({ code: 'INVALID_RESPONSE', status: 200 });
      expect(server.requests.length).toBe(1);
      expect(results).toEqual(['vantage_points invalid_response']);
    },
  );
});

describe('whatever the server answers', () => {
  it('the client answers or rejects with a DataApiError, and the key is in nothing', async () => {
    const state = { status: 200, body: '', headers: {} as Record<string, string> };
    const { client, log, results } = await world(
      (_, response) => void response.writeHead(state.status, state.headers).end(state.body),
      {
        maxAttempts: 2,
        backoff: { baseMs: 0, maxMs: 0 },
        quota: { requests: 1e9, serverMs: 1e12, bytes: 1e12 },
        timers: systemTimers,
      },
    );
    const json = fc.oneof(
      fc.json(),
      fc
        .record({ data: fc.jsonValue(), seconds: fc.jsonValue(), bytes: fc.jsonValue() })
        .map((value) => JSON.stringify(value)),
      fc
        .record({ data: fc.dictionary(fc.constantFrom('bgp', 'bmp'), fc.jsonValue()) })
        .map((value) => JSON.stringify(value)),
      fc.record({ detail: fc.oneof(fc.jsonValue(), fc.constant(`for ${KEY}`)) }).map((value) => JSON.stringify(value)),
      fc.string(),
      fc.constant(`${KEY} ${encodeURIComponent(KEY)}`),
    );
    const said: string[] = [];
    await fc.assert(
      fc.asyncProperty(
        json,
        fc.constantFrom(200, 200, 200, 201, 301, 400, 403, 404, 429, 500, 599),
        fc.constantFrom('vantage_points', 'rib', 'updates'),
        async (body, status, endpoint) => {
          Object.assign(state, { body, status });
          const ask = async () => {
            if (endpoint === 'vantage_points') return void (await client.vantagePoints());
            const params = { vps: vps(2), prefixes: [P1] };
            const batches =
              endpoint === 'rib'
                ? client.rib({ ...params, dateMs: 0 })
                : client.updates({ ...params, startMs: 0, endMs: 0 });
            for await (const _ of batches);
          };
          const error = await caught(ask());
          if (error === undefined) return;
          if (!(error instanceof DataApiError)) throw error;
          said.push(error.message, String(error.cause), String(error.stack), JSON.stringify(error));
        },
      ),
      { numRuns: 400 },
    );
    expect(said.length).toBeGreaterThan(100);
    expect(said.join('\n') + JSON.stringify(log.lines)).not.toContain(KEY);
    expect(new Set(results.map((result) => result.split(' ')[0]))).toEqual(
      new Set(['vantage_points', 'rib', 'updates']),
    );
  });
});

describe('Retry-After', () => {
  it.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['0', 0],
    [' 120 ', 120_000],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Thu, 01 Jan 2015 00:01:00 GMT', 0],
    ['soon', undefined],
    ['-1', undefined],
    ['', undefined],
  ])('%j is %s ms', (value, expected) => {
    expect(parseRetryAfter(value, Date.UTC(2026, 0, 1))).toBe(expected);
  });
});
