/** A session against a server that speaks the protocol; time runs a hundred times faster, and the order of events is waited for. */
import { afterEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { RisLiveSource, type RisLiveSourceOptions } from '../../src/ris-live/source.ts';
import type { DisconnectReason } from '../../src/stream/source.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { type TestWebSocketServer, webSocketServer } from '../stream/test-servers.ts';
import { PacedTime } from '../support/paced-time.ts';
import { until } from '../support/patience.ts';

const P = '203.0.113.0/24';
const Q = '198.51.100.0/24';

interface Message {
  readonly type: string;
  readonly data: { readonly prefix?: string | string[]; readonly type?: string } | null;
}

/** How a stand-in answers one message; undefined: nothing. */
type Answer = (message: Message, client: WebSocket) => string | undefined;

const OK = '{"type":"ris_subscribe_ok","data":{}}';
const PONG = '{"type":"pong","data":null}';
const error = (message: string) => JSON.stringify({ type: 'ris_error', data: { message } });
const polite: Answer = ({ type }) => (type === 'ping' ? PONG : type === 'ris_subscribe' ? OK : undefined);

function keepAlive(stampMs: number): string {
  const data = { timestamp: stampMs / 1000, peer: '192.0.2.1', peer_asn: '64496', host: 'rrc00', type: 'KEEPALIVE' };
  return JSON.stringify({ type: 'ris_message', data });
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function world(answer: Answer = polite, options: Partial<RisLiveSourceOptions> = {}, prefixes = [P]) {
  const received: Message[] = [];
  let answering = answer;
  const server: TestWebSocketServer = await webSocketServer((client) => {
    client.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Message;
      received.push(message);
      const text = answering(message, client);
      if (text !== undefined) client.send(text);
    });
  });
  cleanups.push(() => server.close());
  const time = new PacedTime({ factor: 100 });
  cleanups.push(async () => time.stop());
  const timers = time.clock(() => 0.5);
  const log = new RecordingLogger();
  const source = new RisLiveSource({
    ...{ url: `ws://127.0.0.1:${server.url.port}/v1/ws/`, client: 'example-noc', timers, log, userAgent: 'test/1' },
    // A second of real time, as a busy machine may need it.
    connection: { handshakeTimeoutMs: 500_000, settleMs: 100, pingTimeoutMs: 500_000 },
    staleAfterMs: 300_000,
    sessions: [prefixes],
    ...options,
  });
  cleanups.push(() => source.stop());
  const events: string[] = [];
  const reasons: DisconnectReason[] = [];
  const frames: string[] = [];
  const start = () =>
    source.start({
      frames: (_, packet) => void frames.push(...packet.map(String)),
      connected: () => events.push('connected'),
      disconnected: (_, reason, __, detail, refused) => {
        reasons.push(reason);
        events.push(`${reason}${refused ? ' refused' : ''}: ${detail}`);
      },
    });
  const answerWith = (other: Answer) => {
    answering = other;
  };
  return { source, server, received, events, reasons, frames, timers, log, start, answerWith };
}

const subscribed = (received: readonly Message[]) =>
  received.flatMap(({ type, data }) => (type === 'ris_subscribe' ? [data?.prefix ?? data?.type] : []));

describe('a session', () => {
  it('is up when every subscription is acknowledged, and gives the name of its client', async () => {
    const { source, server, received, events, start } = await world();
    start();
    await until(() => expect(events).toEqual(['connected']));
    expect(server.handshakes[0]).toMatchObject({ ':path': '/v1/ws/?client=example-noc', 'user-agent': 'test/1' });
    expect(subscribed(received)).toEqual(['RIS_PEER_STATE', 'STATE', 'NOTIFICATION', 'KEEPALIVE', [P]]);
    expect(source.stats[0]).toMatchObject({ up: true, connects: 1, subscribedPrefixes: 1 });
    expect(source.unhealthy(0)).toBeUndefined();
    await until(() => expect(received.filter(({ type }) => type === 'ping').length).toBeGreaterThan(3));
    expect(events).toEqual(['connected']);
  });

  it('hands on every frame as it came', async () => {
    const { server, events, frames, start, timers } = await world();
    start();
    await until(() => expect(events).toEqual(['connected']));
    const frame = keepAlive(timers.now());
    server.clients[0].send(frame);
    await until(() => expect(frames).toContain(frame));
    expect(frames).toContain(OK);
  });

  it('survives the refusal of a prefix and of a name of the peer states, and tells both', async () => {
    const { source, events, log, start } = await world(
      ({ type, data }) => {
        if (type !== 'ris_subscribe') return polite({ type, data }, undefined as never);
        if (data?.type === 'STATE') return error('Unknown type');
        return data?.prefix?.includes(Q) ? error('Invalid prefix') : OK;
      },
      {},
      [P, Q],
    );
    start();
    await until(() => expect(events).toEqual(['connected']));
    expect(source.stats[0].subscribedPrefixes).toBe(1);
    expect(source.unhealthy(0)).toBe(`RIS Live refuses the subscription of ${Q}`);
    expect(log.values('prefix')).toEqual([Q]);
    expect(log.values('what')).toEqual(['{"type":"STATE"}']);
    await source.setPrefixes(0, [P]);
    expect(source.unhealthy(0)).toBeUndefined();
  });

  it('that hears nothing is not up', async () => {
    const { source, events, received, start, answerWith } = await world(() => undefined, { staleAfterMs: 60_000 });
    start();
    await until(() => expect(events.length).toBeGreaterThan(1));
    expect(new Set(events)).toEqual(new Set(['timeout: no frame for 60 s']));
    expect(source.stats[0]).toMatchObject({ up: false, connects: 0, disconnects: { stopped: 0, closed: 0 } });
    expect(received.length).toBeGreaterThan(0);
    answerWith(polite);
    await until(() => expect(events).toContain('connected'));
  });

  it('that falls silent is a gap since its last frame, and connects again', async () => {
    const { source, server, events, reasons, start, answerWith } = await world(polite, { staleAfterMs: 60_000 });
    start();
    await until(() => expect(events).toEqual(['connected']));
    answerWith(() => undefined);
    await until(() => expect(events).toContain('timeout: no frame for 60 s'));
    answerWith(polite);
    await until(() => expect(events[events.length - 1]).toBe('connected'));
    expect(server.connections()).toBeGreaterThan(1);
    expect(new Set(reasons)).toEqual(new Set(['timeout']));
    expect(source.stats[0].gapMs).toBeGreaterThan(0);
  });

  it('that still answers pings, but has lost the messages that came all the time, is a gap', async () => {
    const { server, events, start, timers } = await world(polite, { staleAfterMs: 60_000 });
    start();
    await until(() => expect(events).toEqual(['connected']));
    const speak = setInterval(() => server.clients[0]?.send(keepAlive(timers.now())), 10);
    cleanups.push(async () => clearInterval(speak));
    // Twice the time in which its silence would count: by then its messages are known to come all the time.
    const spokenUntilMs = timers.elapsed() + 150_000;
    await until(() => expect(timers.elapsed()).toBeGreaterThan(spokenUntilMs));
    expect(events).toEqual(['connected']);
    clearInterval(speak);
    await until(() => expect(events[1]).toBe('timeout: no message for 60 s'));
    await until(() => expect(events[2]).toBe('connected'));
  });

  it('that says it is behind is down at once', async () => {
    const { server, events, start } = await world();
    start();
    await until(() => expect(events).toEqual(['connected']));
    const text = 'Closing connection after being behind by more than 262144000 bytes over 30 seconds';
    server.clients[0].send(error(text));
    await until(() => expect(events).toEqual(['connected', `closed: ${text}`, 'connected']));
  });

  it('whose messages are late for three minutes connects again', async () => {
    const { server, events, start, timers } = await world();
    start();
    await until(() => expect(events).toEqual(['connected']));
    const beganMs = timers.elapsed();
    const speak = setInterval(() => {
      const lateMs = timers.elapsed() - beganMs < 30_000 ? 0 : 100_000;
      server.clients[0]?.send(keepAlive(timers.now() - lateMs));
    }, 5);
    cleanups.push(async () => clearInterval(speak));
    await until(() => expect(events[1]).toMatch(/^timeout: messages have been late for 3 minutes, now by \d+ s$/));
    clearInterval(speak);
  });

  it('tells an error that answers no request, and goes on', async () => {
    const { server, events, log, start } = await world();
    start();
    await until(() => expect(events).toEqual(['connected']));
    server.clients[0].send(error('be kind\u0007'));
    await until(() => expect(log.values('detail')).toEqual(['be kind']));
    expect(events).toEqual(['connected']);
  });
});

describe('a service that takes only some prefixes on a connection', () => {
  const ROOM = 60;
  const net = (i: number) => `10.0.${i}.0/24`;
  const many = (count: number) => Array.from({ length: count }, (_, i) => net(i));

  /** Who has subscribed to what, by connection. */
  function limited() {
    const taken = new Map<WebSocket, Set<string>>();
    const answer: Answer = ({ type, data }, client) => {
      if (type === 'ping') return PONG;
      const has = taken.get(client) ?? new Set<string>();
      taken.set(client, has);
      const prefixes = [data?.prefix ?? []].flat();
      if (type === 'ris_unsubscribe') for (const prefix of prefixes) has.delete(prefix);
      if (type !== 'ris_subscribe') return undefined;
      if (has.size + prefixes.length > ROOM) return error('Subscription refused');
      for (const prefix of prefixes) has.add(prefix);
      return OK;
    };
    const open = () => [...taken].filter(([client]) => client.readyState === client.OPEN).map(([, has]) => [...has]);
    return { answer, open };
  }

  it('gets several: the session is up when all are, and each prefix is on one', async () => {
    const { answer, open } = limited();
    const { source, server, received, events, start, log } = await world(answer, {}, many(150));
    start();
    await until(() => expect(events).toEqual(['connected']));
    expect(open().map((prefixes) => prefixes.length)).toEqual([60, 60, 30]);
    expect(open().flat().sort()).toEqual(many(150).sort());
    expect(source.stats[0]).toMatchObject({ up: true, connects: 1, subscribedPrefixes: 150 });
    expect([source.stats[0].connections?.(), server.connections()]).toEqual([3, 3]);
    expect(source.unhealthy(0)).toBeUndefined();
    expect(log.values('others')).toEqual([90, 30]);
    // One tells the states of the peers; each has a sign of life.
    expect(subscribed(received).filter((what) => what === 'STATE').length).toBe(1);
    expect(subscribed(received).filter((what) => what === 'KEEPALIVE').length).toBe(3);
  });

  it('a gap of one connection is a gap of the session, and its prefixes come back', async () => {
    const { answer, open } = limited();
    const { source, server, events, start } = await world(answer, {}, many(100));
    start();
    await until(() => expect(events).toEqual(['connected']));
    server.clients[1].terminate();
    await until(() => expect(events.map((event) => event.split(':')[0])).toEqual(['connected', 'closed', 'connected']));
    expect(source.stats[0]).toMatchObject({ up: true, connects: 2, subscribedPrefixes: 100 });
    expect(source.stats[0].gapMs).toBeGreaterThan(0);
    expect(open().flat().sort()).toEqual(many(100).sort());
    expect(server.connections()).toBe(3);
  });

  it('what both bring is handed on once; what one says twice is handed on twice', async () => {
    const { answer } = limited();
    const { source, server, events, frames, start, timers } = await world(answer, {}, many(100));
    start();
    await until(() => expect(events).toEqual(['connected']));
    const [first, second] = [keepAlive(timers.now()), keepAlive(timers.now() + 1_000)];
    for (const client of server.clients) client.send(first);
    server.clients[0].send(second);
    server.clients[0].send(second);
    const before = source.stats[0].frames;
    await until(() => expect(frames.filter((frame) => frame === second).length).toBe(2));
    await until(() => expect(source.stats[0].frames).toBeGreaterThanOrEqual(before + 4));
    expect(frames.filter((frame) => frame === first).length).toBe(1);
  });

  it('a change of prefixes fills what has room, and closes what is not needed', async () => {
    const { answer, open } = limited();
    const { source, events, start, server } = await world(answer, {}, many(100));
    start();
    await until(() => expect(events).toEqual(['connected']));
    await source.setPrefixes(0, [...many(100), net(200)]);
    expect(open().map((prefixes) => prefixes.length)).toEqual([60, 41]);
    await source.setPrefixes(0, [net(1), net(201)]);
    await until(() => expect(server.clients.length).toBe(1));
    expect(open()).toEqual([[net(1), net(201)]]);
    expect(source.stats[0]).toMatchObject({ up: true, subscribedPrefixes: 2 });
    expect(source.stats[0].connections?.()).toBe(1);
    expect(events).toEqual(['connected']);
    await source.setPrefixes(0, []);
    await until(() => expect(server.clients.length).toBe(0));
    expect(source.stats[0]).toMatchObject({ idle: true, up: false });
  });

  it('more than sixteen connections are not made: the other prefixes are refused, and told', async () => {
    let open = 0;
    const one: Answer = ({ type, data }, client) => {
      if (type === 'ping') return PONG;
      if (type !== 'ris_subscribe' || data?.prefix === undefined) return OK;
      const prefixes = [data.prefix].flat();
      if (prefixes.length > 1 || full.has(client)) return error('Limit of subscriptions exceeded');
      full.add(client);
      open++;
      return OK;
    };
    const full = new Set<WebSocket>();
    const { source, events, start } = await world(one, {}, many(20));
    start();
    await until(() => expect(events).toEqual(['connected']));
    expect([open, source.stats[0].connections?.()]).toEqual([16, 16]);
    expect(source.unhealthy(0)).toMatch(/^RIS Live refuses the subscription of \S+ and 3 more$/);
  });
});

describe('prefixes that change', () => {
  it('are asked for on the connection that is there', async () => {
    const { source, server, received, events, start } = await world();
    start();
    await until(() => expect(events).toEqual(['connected']));
    await source.setPrefixes(0, [Q]);
    expect(source.stats[0].subscribedPrefixes).toBe(1);
    expect(received.filter(({ type }) => type === 'ris_unsubscribe').map(({ data }) => data?.prefix)).toEqual([P]);
    expect(subscribed(received).slice(-1)).toEqual([[Q]]);
    expect(server.connections()).toBe(1);
    expect(events).toEqual(['connected']);
  });

  it('are subscribed after a lost connection too', async () => {
    const { source, server, received, events, start } = await world();
    start();
    await until(() => expect(events).toEqual(['connected']));
    await source.setPrefixes(0, [Q]);
    received.length = 0;
    server.clients[0].terminate();
    await until(() => expect(events.map((event) => event.split(':')[0])).toEqual(['connected', 'closed', 'connected']));
    expect(subscribed(received)).toContainEqual([Q]);
  });

  it('to none make the session idle, and from none connect it', async () => {
    const { source, server, events, start } = await world(polite, {}, []);
    start();
    expect(source.stats[0].idle).toBe(true);
    expect(server.connections()).toBe(0);
    await source.setPrefixes(0, [P]);
    expect(source.stats[0]).toMatchObject({ idle: false, up: true });
    await source.setPrefixes(0, []);
    expect(source.stats[0]).toMatchObject({ idle: true, up: false });
    await until(() => expect(server.clients.length).toBe(0));
    await source.setPrefixes(0, [P]);
    await until(() => expect(events.filter((event) => event === 'connected').length).toBe(2));
  });

  it('again before they are subscribed end the earlier change as stopped; so does a stop', async () => {
    const { source, start } = await world(() => undefined);
    start();
    const first = source.setPrefixes(0, [Q]);
    const second = source.setPrefixes(0, [P]);
    await expect(first).rejects.toMatchObject({ code: 'STOPPED' });
    await source.stop();
    await expect(second).rejects.toMatchObject({ code: 'STOPPED' });
    await expect(source.setPrefixes(0, [P])).rejects.toMatchObject({ code: 'STOPPED' });
  });
});

it('what cannot work is refused at once', () => {
  const more = { sessions: [[P]], log: new RecordingLogger() };
  expect(() => new RisLiveSource({ ...more, client: 'a b' })).toThrow(TypeError);
  expect(() => new RisLiveSource({ ...more, client: 'x', url: 'https://ris-live.ripe.net' })).toThrow(TypeError);
  expect(() => new RisLiveSource({ ...more, client: 'x', staleAfterMs: 10 })).toThrow(TypeError);
  expect(() => new RisLiveSource({ ...more, client: 'x' }).setPrefixes(1, [P])).toThrow(RangeError);
});
