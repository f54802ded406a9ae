import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { RipestatClient, type RipestatSettings } from '../../../src/ris-live/ripestat/client.ts';
import { PeerIndex } from '../../../src/ris-live/ripestat/rows.ts';
import { systemTimers } from '../../../src/stream/timers.ts';
import { type HttpTestServer, httpServer, type TestRequest } from '../../http/http-test-server.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';
import { bgpState, envelope, risPeer, rrcInfo } from './world.ts';

const QUICK: Partial<RipestatSettings> = { intervalMs: 0, retry: { baseMs: 2, maxMs: 4 }, timeoutMs: 5_000 };
const NEVER = new AbortController().signal;
const AT = '2026-06-16T17:00:00';
const PREFIXES = Array.from({ length: 8 }, (_, i) => `203.0.113.${i * 16}/28`);
const PEERS = new PeerIndex([risPeer('192.0.2.1', 64496)]);

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

interface World {
  readonly client: RipestatClient;
  readonly server: HttpTestServer;
  readonly log: RecordingLogger;
  /** Attempts that came to an end. */
  readonly ended: string[];
}

async function world(
  answer: (request: TestRequest, response: ServerResponse) => unknown,
  settings: Partial<RipestatSettings> = {},
  timers = systemTimers,
): Promise<World> {
  const server = await httpServer((request, response) => void answer(request, response));
  cleanups.push(() => server.close());
  const log = new RecordingLogger();
  const ended: string[] = [];
  const client = new RipestatClient({
    ...{ baseUrl: server.url, sourceApp: 'example-noc', userAgent: 'test/1', log, timers },
    settings: { ...QUICK, ...settings },
    onRequest: (call, result) => ended.push(`${call} ${result}`),
  });
  return { client, server, log, ended };
}

/** A route of the one peer to each prefix of the question. */
function stateOf(request: TestRequest, has: (prefix: string) => boolean = () => true): string {
  const asked = (request.url.searchParams.get('resource') ?? '').split(',');
  return envelope(
    bgpState(
      AT,
      asked.filter(has).map((prefix) => ({ prefix, source: '00-192.0.2.1', path: [64496, 64500] })),
    ),
  );
}

async function read(client: RipestatClient, prefixes = PREFIXES, atMs?: number): Promise<string[]> {
  const found: string[] = [];
  for await (const part of client.state(prefixes, PEERS, atMs, NEVER)) {
    expect(part.atMs).toBe(Date.parse(`${AT}Z`));
    for (const row of part.rows) found.push(row.prefix);
  }
  return found.sort();
}

const lists = ({ server }: World) =>
  server.requests.map(({ url }) => url.searchParams.get('resource')?.split(',').length);

describe('a question', () => {
  it('names who asks, and the time that is asked for', async () => {
    const { client, server, ended } = await world((request, response) => response.end(stateOf(request)));
    await read(client, ['203.0.113.0/28'], Date.parse(`${AT}Z`));
    expect(ended).toEqual(['bgp-state success']);
    expect(server.requests[0].target).toBe(
      `/data/bgp-state/data.json?resource=203.0.113.0%2F28&timestamp=${encodeURIComponent(AT)}&sourceapp=example-noc`,
    );
    expect(server.requests[0].headers['user-agent']).toBe('test/1');
    expect(client.requestsOfDay).toBe(1);
  });

  it('about many prefixes goes in lists', async () => {
    const seen = await world((request, response) => response.end(stateOf(request)), { listLength: 3 });
    expect(await read(seen.client)).toEqual([...PREFIXES].sort());
    expect(lists(seen)).toEqual([3, 3, 2]);
    expect(seen.client.prefixesOf(1)).toBe(3);
  });

  it('is cut in halves where the service refuses the list', async () => {
    const seen = await world((request, response) => {
      const isLong = (request.url.searchParams.get('resource') ?? '').split(',').length > 2;
      response.writeHead(isLong ? 400 : 200).end(isLong ? envelope({}, { status: 'error' }) : stateOf(request));
    });
    expect(await read(seen.client)).toEqual([...PREFIXES].sort());
    expect(lists(seen)).toEqual([8, 4, 4, 2, 2, 2, 2]);
    await read(seen.client);
    expect(lists(seen).slice(7)).toEqual([2, 2, 2, 2]);
  });

  it('is made again one by one where the service answers only a part of the list', async () => {
    const seen = await world(
      (request, response) => {
        const [first] = (request.url.searchParams.get('resource') ?? '').split(',');
        response.end(stateOf(request, (prefix) => prefix === first));
      },
      { listLength: 3 },
    );
    expect(await read(seen.client, PREFIXES.slice(0, 3))).toEqual(PREFIXES.slice(0, 3).sort());
    expect(lists(seen)).toEqual([3, 1, 1]);
    await read(seen.client, PREFIXES.slice(0, 3));
    expect(lists(seen).slice(3)).toEqual([1, 1, 1]);
  });

  it('gives prefixes that nobody announces as a part of their own, without a row', async () => {
    const { client } = await world((request, response) =>
      response.end(stateOf(request, (prefix) => prefix !== PREFIXES[1])),
    );
    const parts: [number, number][] = [];
    for await (const part of client.state(PREFIXES.slice(0, 3), PEERS, undefined, NEVER))
      parts.push([part.prefixes.length, part.rows.length]);
    expect(parts).toEqual([
      [2, 2],
      [1, 0],
    ]);
    expect(client.prefixesOf(1)).toBe(8);
  });

  it('is one of eight at the same time at most', async () => {
    let running = 0;
    let most = 0;
    const seen = await world(
      (request, response) => {
        most = Math.max(most, ++running);
        setImmediate(() => {
          running--;
          response.end(stateOf(request));
        });
      },
      { listLength: 1 },
    );
    const many = Array.from({ length: 60 }, (_, i) => `198.51.100.${i * 4}/30`);
    expect((await read(seen.client, many)).length).toBe(60);
    expect(most).toBeLessThanOrEqual(8);
    expect(most).toBeGreaterThan(1);
  });
});

describe('what does not go well', () => {
  it('passes: 429, 500 and an envelope that says error are asked again', async () => {
    const answers = [
      [429, 'slow down'],
      [503, ''],
    ] as const;
    let count = 0;
    const { client, server } = await world((request, response) => {
      const [status, body] = answers[count++] ?? [200, stateOf(request)];
      response.writeHead(status).end(body);
    });
    expect(await read(client, PREFIXES.slice(0, 1))).toEqual(PREFIXES.slice(0, 1));
    expect(server.requests.length).toBe(3);
  });

  it.each([
    ['SERVER_ERROR', 'HTTP status 500', 3, (response: ServerResponse) => response.writeHead(500).end()],
    ['RATE_LIMITED', 'slow down', 3, (response: ServerResponse) => response.writeHead(429).end('slow down')],
    ['BAD_REQUEST', 'nonsense', 1, (response: ServerResponse) => response.writeHead(400).end('nonsense')],
    ['INVALID_RESPONSE', 'not the documented JSON envelope', 1, (response: ServerResponse) => response.end('<html>')],
    [
      'BAD_REQUEST',
      'error: no such resource',
      1,
      (response: ServerResponse) =>
        response.end(envelope({}, { status: 'error', status_code: 400, messages: [['error', 'no such resource']] })),
    ],
    [
      'SERVER_ERROR',
      'not ok',
      3,
      (response: ServerResponse) => response.end(envelope({}, { status: 'maintenance', messages: 7 })),
    ],
    ['INVALID_RESPONSE', 'not the documented state', 1, (response: ServerResponse) => response.end(envelope({}))],
    ['NETWORK_ERROR', '', 3, (response: ServerResponse) => response.destroy()],
    [
      'INVALID_RESPONSE',
      'an answer of more than [0-9]+ bytes',
      1,
      (response: ServerResponse) => response.end(`{"data":"${'x'.repeat(9 * 1024 * 1024)}"}`),
    ],
    [
      'INVALID_RESPONSE',
      'more cannot be read than can',
      1,
      (response: ServerResponse) => response.end(envelope({ timestamp: AT, bgp_state: [1, 2, 3] })),
    ],
  ])('%s: %s', async (code, text, requests, answer) => {
    const { client, server } = await world((_, response) => answer(response));
    await expect(read(client, PREFIXES.slice(0, 1))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`^RIPEstat, bgp-state: .*${text}`)),
    });
    expect(server.requests.length).toBe(requests);
  });

  it('is a stop: who gives up gets the reason of the signal, and nothing runs on', async () => {
    const giveUp = new AbortController();
    const { client, server } = await world(() => giveUp.abort(), { listLength: 1 });
    const parts = client.state(PREFIXES, PEERS, undefined, giveUp.signal);
    expect(await parts.next().catch((error: unknown) => error)).toBe(giveUp.signal.reason);
    const before = server.requests.length;
    await expect(client.peers(giveUp.signal)).rejects.toBe(giveUp.signal.reason);
    expect(server.requests.length).toBe(before);
  });

  it('is many requests: after 1,000 in a day the log tells it, once', async () => {
    let elapsedMs = 0;
    const timers = { ...systemTimers, elapsed: () => elapsedMs };
    const { client, log } = await world(
      (request, response) => response.end(stateOf(request)),
      { listLength: 1 },
      timers,
    );
    const many = Array.from({ length: 1_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    await read(client, many);
    expect(log.lines).toEqual([]);
    elapsedMs = 23 * 3_600_000;
    await read(client, many.slice(0, 3));
    expect(client.requestsOfDay).toBe(1_003);
    expect(log.lines.map(({ level, fields }) => [level, fields.sourceapp])).toEqual([['warn', 'example-noc']]);
    elapsedMs = 24 * 3_600_000;
    expect(client.requestsOfDay).toBe(3);
    elapsedMs = 1000 * 24 * 3_600_000;
    expect(client.requestsOfDay).toBe(0);
  });
});

describe('other calls', () => {
  it('list the peers, and tell those that cannot be read', async () => {
    const facts = { rrc: 0, asn: 64496, v4: 900_000 };
    const { client, log } = await world((_, response) =>
      response.end(envelope(rrcInfo(['192.0.2.1', 'x', '192.0.2.2'].map((ip) => ({ ...facts, ip }))))),
    );
    expect((await client.peers(NEVER)).map(({ vp }) => vp.ip)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(log.values('peers')).toEqual([1]);
  });

  it('give what was said about a prefix in between', async () => {
    const { client, server } = await world((_, response) => response.end(envelope({ updates: [] })));
    expect(await client.updates('203.0.113.0/24', PEERS, Date.UTC(2026, 5, 16), Date.UTC(2026, 5, 17), NEVER)).toEqual(
      [],
    );
    const { resource, starttime, endtime } = Object.fromEntries(server.requests[0].url.searchParams);
    expect([resource, starttime, endtime]).toEqual(['203.0.113.0/24', '2026-06-16T00:00:00', '2026-06-17T00:00:00']);
  });

  it('refuse a list of peers in another form', async () => {
    const { client } = await world((_, response) => response.end(envelope({ rrcs: [1] })));
    await expect(client.peers(NEVER)).rejects.toMatchObject({ code: 'INVALID_RESPONSE' });
  });

  it('tell how far the clock of the service is ahead, unless a cache answered', async () => {
    const answers = [
      { time: '2026-06-18T02:00:00' },
      { time: '2026-06-18T03:00:00', cached: true },
      { time: 'x' },
      { time: '2026-06-18T01:00:03' },
    ];
    const timers = { ...systemTimers, now: () => Date.UTC(2026, 5, 18, 1) };
    let count = 0;
    const { client } = await world(
      (_, response) => response.end(envelope({ ip: '192.0.2.1' }, answers[count++])),
      {},
      timers,
    );
    const offsets: number[] = [];
    for (const _ of answers) {
      await client.readClock(NEVER);
      offsets.push(client.clockOffsetMs);
    }
    expect(offsets).toEqual([3_600_000, 3_600_000, 3_600_000, 0]);
  });
});

it('a wrong address or name is refused at once', () => {
  const log = new RecordingLogger();
  expect(() => new RipestatClient({ baseUrl: 'ftp://x', sourceApp: 'a', log })).toThrow(TypeError);
  expect(() => new RipestatClient({ sourceApp: 'a b', log })).toThrow(TypeError);
});

it('each attempt is told with its result', async () => {
  let asked = 0;
  const { client, ended } = await world((_, response) => {
    if (asked++ > 0) response.end(envelope({ ip: '192.0.2.1' }));
    else response.writeHead(503).end();
  });
  await client.readClock(NEVER);
  expect(ended).toEqual(['whats-my-ip server_error', 'whats-my-ip success']);
});
