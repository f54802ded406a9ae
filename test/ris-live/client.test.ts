import { afterEach, expect, it } from 'vitest';
import { RisLiveClient } from '../../src/ris-live/client.ts';
import { type TestWebSocketServer, webSocketServer } from '../stream/test-servers.ts';
import { until } from '../support/patience.ts';

const P = '203.0.113.0/24';
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** Acknowledges every subscription, and after that of the prefix sends these frames. */
async function serve(...frames: string[]): Promise<TestWebSocketServer> {
  const server = await webSocketServer((client) => {
    client.on('message', (data: Buffer) => {
      const { type, data: asked } = JSON.parse(data.toString()) as { type: string; data: { prefix?: unknown } | null };
      if (type === 'ris_subscribe') client.send('{"type":"ris_subscribe_ok","data":{}}');
      if (asked?.prefix !== undefined) for (const frame of frames) client.send(frame);
    });
  });
  cleanups.push(() => server.close());
  return server;
}

const frame = (data: object) =>
  JSON.stringify({
    type: 'ris_message',
    data: { timestamp: 1789019601.5, peer: '192.0.2.1', peer_asn: '64496', host: 'rrc01', type: 'UPDATE', ...data },
  });

it('gives messages of the type that the other client gives, and ends with the signal', async () => {
  const announcements = [{ next_hop: '192.0.2.1', prefixes: [P] }];
  const server = await serve(
    frame({ path: [64496, 64497, 64500], announcements, origin: 'IGP' }),
    'x',
    frame({ withdrawals: [P] }),
  );
  const client = new RisLiveClient({ client: 'test', url: `ws://127.0.0.1:${server.url.port}/` });
  const stop = new AbortController();
  const events: string[] = [];
  const got: unknown[] = [];
  const options = { prefixes: [P], signal: stop.signal, onEvent: ({ type }: { type: string }) => events.push(type) };
  for await (const message of client.messages(options)) {
    got.push(message);
    if (got.length === 2) stop.abort();
  }
  expect(got).toMatchObject([
    {
      ...{ type: 'announcement', prefixes: [P], asPath: '64496 64497 64500', origin: 64500, upstream: 64497 },
      ...{ vp: { protocol: 'bgp', asn: 64496, ip: '192.0.2.1' }, timestampUs: 1789019601_500_000 },
    },
    { type: 'withdrawal', prefixes: [P] },
  ]);
  expect(events).toContain('unreadable');
  expect(client.droppedMessages).toBe(0);
});

it('what is not read in time is dropped and counted; an iteration that is left closes its connection', async () => {
  const server = await serve(...Array.from({ length: 5 }, () => frame({ withdrawals: [P] })));
  const client = new RisLiveClient({ client: 'test', url: `ws://127.0.0.1:${server.url.port}/`, maxWaiting: 1 });
  for await (const message of client.messages({ prefixes: [P] })) {
    expect(message.type).toBe('withdrawal');
    break;
  }
  await until(() => expect(server.clients.length).toBe(0));
  expect(client.droppedMessages).toBeGreaterThan(0);
});

it('what cannot work is refused', async () => {
  expect(() => new RisLiveClient({ client: 'a b' })).toThrow(TypeError);
  const client = new RisLiveClient({ client: 'a' });
  await expect(client.messages({ prefixes: [] }).next()).rejects.toThrow(TypeError);
  await expect(client.messages({ prefixes: ['x'] }).next()).rejects.toThrow(TypeError);
});
