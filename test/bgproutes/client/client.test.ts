import { describe, expect, it, vi } from 'vitest';
import { BgproutesLiveClient } from '../../../src/bgproutes/client/client.ts';
import { PrefixToAPIKeyError, StoppedError, WebsocketConnectionError } from '../../../src/errors.ts';
import { webSocketServer } from '../../stream/test-servers.ts';
import { until } from '../../support/patience.ts';
import {
  BGP_VP,
  BMP_VP,
  cleanups,
  connect,
  everythingOf,
  failure,
  KEY,
  openStream,
  P1,
  P2,
  QUICK,
  ROUTE,
  simulate,
  take,
} from './client-world.ts';

describe('a message', () => {
  it('of an announcement has everything that the VP said', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator);
    await client.subscribe([P1]);
    const iterator = await openStream(client);
    const fromMs = Date.now();
    simulator.announce(vp.key, P1, { ...ROUTE, asPath: '3333 1103 1103 {64502,64501}' });
    const message = await take(iterator);
    expect(message).toEqual({
      type: 'announcement',
      timestamp: expect.any(Number),
      timestampUs: expect.any(Number),
      vp: { protocol: 'bgp', asn: 3333, ip: '193.0.0.56' },
      prefixes: [P1],
      asPath: '3333 1103 1103 {64502,64501}',
      asPathElements: [3333, 1103, 1103, { kind: 'set', members: [64502, 64501] }],
      origin: '{64501,64502}',
      upstream: 1103,
      communities: '3333:100 64500:1:2',
      communityList: ['3333:100', '64500:1:2'],
      nextHop: '193.0.0.56',
      nextHops: ['193.0.0.56'],
      originAttribute: 'IGP',
    });
    if (message.type !== 'announcement') throw new Error(message.type);
    expect(message.timestampUs / 1e6).toBe(message.timestamp);
    expect(message.timestamp).toBeGreaterThanOrEqual(fromMs / 1000);
    expect(message.timestamp).toBeLessThan(Date.now() / 1000 + 1);
  });

  it('of a withdrawal has its prefixes, and of a BMP feed the parent', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BMP_VP);
    const client = connect(simulator);
    await client.subscribe(`${P1}, ${P2}`);
    const iterator = await openStream(client);
    simulator.announce(vp.key, [P1, P2], { asPath: '' });
    expect(await take(iterator)).toMatchObject({
      type: 'announcement',
      prefixes: [P1, P2],
      vp: { protocol: 'bmp', asn: 64501, ip: '2001:db8::9', parent: { asn: 64500, ip: '192.0.2.1' } },
      origin: 64501,
      upstream: undefined,
      communityList: [],
      nextHops: [],
      originAttribute: '',
    });
    simulator.withdraw(vp.key, [P2, P1]);
    const withdrawal = await take(iterator);
    // Exactly these: a withdrawal has no attributes.
    expect(withdrawal).toEqual({
      type: 'withdrawal',
      timestamp: expect.any(Number),
      timestampUs: expect.any(Number),
      vp: { protocol: 'bmp', asn: 64501, ip: '2001:db8::9', parent: { asn: 64500, ip: '192.0.2.1' } },
      prefixes: [P2, P1],
    });
  });

  it('that withdraws and announces is two, the withdrawal first', async () => {
    const frame = {
      record_type: 'update',
      vp: '3333_193.0.0.56',
      sec: 1_700_000_000,
      Usec: 250_000,
      prefixes: '192.23.62.0/24',
      'as-path': '3333 64500',
      nexthop: '2001:db8::1,fe80::1',
      withdraws: '198.51.100.0/24',
    };
    const server = await webSocketServer((socket) => socket.send(JSON.stringify(frame)));
    cleanups.push(() => server.close());
    const client = connect({ websocketUrl: server.url.origin, url: 'http://127.0.0.1:1' });
    const iterator = client.messages();
    expect(await take(iterator)).toMatchObject({ type: 'withdrawal', prefixes: ['198.51.100.0/24'] });
    expect(await take(iterator)).toMatchObject({
      type: 'announcement',
      prefixes: ['192.23.62.0/24'],
      timestamp: 1_700_000_000.25,
      timestampUs: 1_700_000_000_250_000,
      nextHops: ['2001:db8::1', 'fe80::1'],
    });
    expect(client.stats).toMatchObject({ frames: 1, messages: 2 });
  });
});

describe('subscribe', () => {
  it('takes a list or a text with commas, in any spelling, each prefix once', async () => {
    const simulator = await simulate();
    const client = connect(simulator);
    await client.subscribe(['2A06:3040:0010:0::/48', P1, P1]);
    expect(simulator.associatedPrefixes(KEY)).toEqual([P2, P1]);
    await client.subscribe(`${P1},198.51.100.0/24`);
    expect(simulator.associatedPrefixes(KEY)).toEqual([P1, '198.51.100.0/24']);
  });

  it('says what is no prefix before it asks the service', async () => {
    const simulator = await simulate();
    const client = connect(simulator);
    for (const [prefixes, message] of [
      ['192.23.62.0', 'not a prefix: "192.23.62.0", expected one such as 192.0.2.0/24 or 2001:db8::/32'],
      [[P1, '192.23.62.1/24'], '"192.23.62.1/24" has bits set beyond its length, did you mean 192.23.62.0/24?'],
      [[], 'no prefix was given'],
    ] as const) {
      const error = await failure(client.subscribe(prefixes));
      expect(error).toBeInstanceOf(PrefixToAPIKeyError);
      expect(error).toMatchObject({ code: 'PREFIX_TO_API_KEY', message, status: undefined, serverText: '' });
    }
    const nothing = process.env.NO_SUCH_VARIABLE as string;
    expect(await failure(client.subscribe(nothing))).toEqual(
      new TypeError('prefixes: expected a list, or a text with commas'),
    );
    expect(simulator.associatedPrefixes(KEY)).toEqual([]);
  });

  it('fails with the text of the service, and without the key', async () => {
    const simulator = await simulate({ maxPrefixes: 1 });
    const client = connect(simulator);
    const error = await failure(client.subscribe([P1, P2]));
    expect(error).toBeInstanceOf(PrefixToAPIKeyError);
    expect(error).toMatchObject({
      code: 'PREFIX_TO_API_KEY',
      actor: 'operator',
      status: 400,
      serverText: 'An API key may be associated with up to 1 prefixes, got 2',
      cause: { code: 'refused' },
    });
    simulator.faults.refuseAssociation(1, `no such key: ${KEY}`, 403);
    const second = await failure(client.subscribe([P1]));
    expect(second).toMatchObject({ status: 403, serverText: 'no such key: [redacted]' });
    expect(everythingOf(second)).not.toContain(KEY);
  });

  it('takes nothing from another session of the key, unless forced', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const first = connect(simulator);
    await first.subscribe(P1);
    const iterator = await openStream(first);
    const error = await failure(connect(simulator).subscribe(P2));
    expect(error).toBeInstanceOf(WebsocketConnectionError);
    expect(error).toMatchObject({
      actor: 'operator',
      message:
        'another session uses this API key, so nothing was associated with it: Another client is already connected with this API key',
      serverText: 'Another client is already connected with this API key',
      cause: { code: 'in_use' },
    });
    simulator.announce(vp.key, P1, ROUTE);
    expect(await take(iterator)).toMatchObject({ prefixes: [P1] });
    await connect(simulator).subscribe(P2, { force: true });
    expect(simulator.associatedPrefixes(KEY)).toEqual([P2]);
  });

  it('whose prefixes another client replaces during an iteration takes them back, with events for who wants them', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator);
    await client.subscribe(P1);
    const iterator = await openStream(client);
    await connect(simulator).subscribe(P2, { force: true });
    // A message of the first seconds may have been under way.
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 11_000);
    cleanups.push(async () => vi.restoreAllMocks());
    simulator.announce(vp.key, P2, ROUTE);
    expect(await take(iterator)).toMatchObject({ type: 'announcement', prefixes: [P2] });
    expect(await take(iterator)).toMatchObject({
      type: 'disconnected',
      reason: 'association_failed',
      detail: 'another client replaced the prefixes of the key',
      willReconnect: true,
    });
    expect(await take(iterator)).toMatchObject({ type: 'connected' });
    expect(simulator.associatedPrefixes(KEY)).toEqual([P1]);
    simulator.announce(vp.key, P1, ROUTE);
    expect(await take(iterator)).toMatchObject({ type: 'announcement', prefixes: [P1] });
  });

  it('does nothing while nobody can say whether another session uses the key', async () => {
    const simulator = await simulate();
    simulator.faults.rejectHandshakes(2, 429);
    const client = connect(simulator, { reconnect: false });
    expect(await failure(client.subscribe(P1))).toMatchObject({
      code: 'WEBSOCKET_CONNECTION',
      serverText: 'HTTP status 429',
      cause: { code: 'unknown' },
      message: expect.stringMatching(/^the live stream did not say whether another session uses this API key, /),
    });
    expect(simulator.associatedPrefixes(KEY)).toEqual([]);
    await connect(simulator).subscribe(P1); // asks again
    expect(simulator.associatedPrefixes(KEY)).toEqual([P1]);
  });

  it.each([
    { acceptsWithoutPrefixes: false },
    { sessionTakesList: false },
    { acceptsWithoutPrefixes: false, sessionTakesList: false },
    { sessionLingerMs: 300 },
  ])('and messages work with a service that has %o', async (service) => {
    const simulator = await simulate(service);
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator, {
      connection: { ...QUICK, ghostBackoff: { baseMs: 100, maxMs: 400 } },
    });
    await client.subscribe(P1);
    const iterator = client.messages();
    const next = take(iterator);
    await until(() => expect(client.stats.connected).toBe(true));
    simulator.announce(vp.key, P1, ROUTE);
    expect(await next).toMatchObject({ prefixes: [P1] });
  });

  it('asks again when there is no answer, and only once without reconnect', async () => {
    const simulator = await simulate();
    simulator.faults.api('live_manager', 503);
    await connect(simulator).subscribe(P1);
    expect(simulator.associatedPrefixes(KEY)).toEqual([P1]);

    simulator.faults.api('live_manager', 'cut');
    const error = await failure(connect(simulator, { reconnect: false }).subscribe(P1));
    expect(error).toBeInstanceOf(PrefixToAPIKeyError);
    expect(error).toMatchObject({ status: undefined, serverText: '', cause: { code: 'error' } });
    expect(everythingOf(error)).not.toContain(KEY);
  });

  it('ends at once with its signal, and with the client', async () => {
    const simulator = await simulate();
    const client = connect(simulator);
    simulator.faults.api('live_manager', 'timeout', 2);
    const abort = new AbortController();
    const waiting = failure(client.subscribe(P1, { signal: abort.signal }));
    abort.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ message: 'enough' });
    const second = failure(client.subscribe(P1));
    await client.close();
    expect(await second).toBeInstanceOf(StoppedError);
    expect(await failure(client.subscribe(P1))).toBeInstanceOf(StoppedError);
    expect(() => client.messages()).toThrow(StoppedError);
  });

  it('during an iteration changes what is streamed', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator);
    await client.subscribe(P1);
    const iterator = await openStream(client);
    await client.subscribe(P2);
    expect([(await take(iterator)).type, (await take(iterator)).type]).toEqual(['disconnected', 'connected']);
    simulator.announce(vp.key, P1, ROUTE);
    simulator.announce(vp.key, P2, ROUTE);
    expect(await take(iterator)).toMatchObject({ prefixes: [P2] });
    // Also after a reconnect.
    simulator.faults.cut();
    expect([(await take(iterator)).type, (await take(iterator)).type]).toEqual(['disconnected', 'connected']);
    expect(simulator.associatedPrefixes(KEY)).toEqual([P2]);
  });
});

describe('messages', () => {
  it('without subscribe carry the prefixes that the key has already', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    await connect(simulator).subscribe(P1);
    simulator.faults.refuseAssociation(1); // a second association would end the iteration
    const iterator = await openStream(connect(simulator));
    simulator.announce(vp.key, P1, ROUTE);
    expect(await take(iterator)).toMatchObject({ prefixes: [P1] });
  });

  it('without subscribe follow a later one', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator);
    const iterator = await openStream(client);
    await client.subscribe(P2);
    // A session that is open may not take a new list: there is a new one.
    expect(await take(iterator)).toMatchObject({ type: 'disconnected', reason: 'stopped', willReconnect: true });
    expect(await take(iterator)).toMatchObject({ type: 'connected' });
    simulator.announce(vp.key, P2, ROUTE);
    expect(await take(iterator)).toMatchObject({ type: 'announcement', prefixes: [P2] });
    simulator.faults.expire();
    simulator.faults.cut();
    // Associated again with the next connection.
    expect([(await take(iterator)).type, (await take(iterator)).type]).toEqual(['disconnected', 'connected']);
    await until(() => expect(simulator.associatedPrefixes(KEY)).toEqual([P2]));
  });

  it('end with the loop: the connection is closed, and another iteration is possible', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator);
    await client.subscribe(P1);
    for (let round = 1; round <= 3; round++) {
      for await (const item of client.messages({ events: true })) {
        if (item.type === 'connected') simulator.announce(vp.key, P1, ROUTE);
        if (item.type === 'announcement') break;
      }
      expect(simulator.sessions()).toBe(0);
      expect(client.stats).toMatchObject({ connects: round, disconnects: round, messages: round, connected: false });
    }
  });

  it('are read by one at a time', async () => {
    const simulator = await simulate();
    const client = connect(simulator);
    const iterator = await openStream(client);
    await expect(client.messages().next()).rejects.toThrow('a client has one iteration at a time');
    await iterator.return?.();
    await (await openStream(client)).return?.();
  });

  it('stop at once when the signal is aborted, also for who waits', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator);
    await client.subscribe(P1);
    const abort = new AbortController();
    const iterator = await openStream(client, abort.signal);
    const waiting = [iterator.next(), iterator.next()];
    abort.abort();
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    expect(client.stats.connected).toBe(false);
    await until(() => expect(simulator.sessions()).toBe(0));
    // What was not read is not handed out afterwards.
    const second = new AbortController();
    const other = await openStream(client, second.signal);
    simulator.announce(vp.key, P1, ROUTE);
    await until(() => expect(client.stats.frames).toBe(1));
    second.abort();
    expect(await other.next()).toEqual({ done: true, value: undefined });
  });

  it('stop at once when the signal is aborted, also when the server answers nothing', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator);
    await client.subscribe(P1);
    const abort = new AbortController();
    const iterator = await openStream(client, abort.signal);
    simulator.announce(vp.key, P1, ROUTE);
    await take(iterator);
    simulator.faults.stall();
    // Aborted in the body of a loop, so to say: nobody waits.
    abort.abort();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('connect to nothing when the signal is aborted already', async () => {
    const simulator = await simulate();
    const client = connect(simulator);
    const items = [];
    for await (const item of client.messages({ signal: AbortSignal.abort() })) items.push(item);
    expect([items, simulator.stats.connections]).toEqual([[], 0]);
  });

  it('end without an error when the client is closed', async () => {
    const simulator = await simulate();
    const client = connect(simulator);
    const iterator = await openStream(client);
    const waiting = iterator.next();
    await client.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(simulator.sessions()).toBe(0);
    await client.close();
  });
});

describe('a connection that breaks', () => {
  it('is made again, with events for those who ask for them', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator);
    await client.subscribe(P1);
    const iterator = await openStream(client);
    simulator.faults.cut();
    expect(await take(iterator)).toMatchObject({
      type: 'disconnected',
      reason: 'closed',
      refused: false,
      willReconnect: true,
    });
    expect(await take(iterator)).toMatchObject({ type: 'connected', gapMs: expect.any(Number) });
    simulator.announce(vp.key, P1, ROUTE);
    expect(await take(iterator)).toMatchObject({ type: 'announcement' });
    expect(client.stats).toMatchObject({ connects: 2, disconnects: 1, connected: true });
  });

  it('goes unnoticed by who did not ask for events', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator);
    await client.subscribe(P1);
    const iterator = client.messages();
    const first = take(iterator);
    await until(() => expect(client.stats.connected).toBe(true));
    simulator.faults.cut();
    await until(() => expect(client.stats.connects).toBe(2));
    simulator.announce(vp.key, P1, ROUTE);
    expect(await first).toMatchObject({ type: 'announcement' });
  });

  it('without reconnect ends the iteration, after what came before it', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator, { reconnect: false });
    await client.subscribe(P1);
    const iterator = await openStream(client);
    for (const asPath of ['3333 1', '3333 2', '3333 3']) simulator.announce(vp.key, P1, { asPath });
    await until(() => expect(client.stats.frames).toBe(3));
    simulator.faults.cut();
    await until(() => expect(client.stats.connected).toBe(false));
    expect(await take(iterator)).toMatchObject({ asPath: '3333 1' });
    expect(await take(iterator)).toMatchObject({ asPath: '3333 2' });
    expect(await take(iterator)).toMatchObject({ asPath: '3333 3' });
    expect(await take(iterator)).toMatchObject({ type: 'disconnected', willReconnect: false });
    const error = await failure(iterator.next());
    expect(error).toBeInstanceOf(WebsocketConnectionError);
    expect(error).toMatchObject({ code: 'WEBSOCKET_CONNECTION', actor: 'service', cause: { code: 'closed' } });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it('without reconnect fails when nobody listens', async () => {
    const simulator = await simulate();
    await simulator.faults.goDown();
    const client = connect(simulator, { reconnect: false });
    const error = await failure(client.messages().next());
    expect(error).toBeInstanceOf(WebsocketConnectionError);
    expect(error).toMatchObject({
      serverText: expect.stringContaining('ECONNREFUSED'),
      cause: { code: 'connect_failed' },
    });
    expect(everythingOf(error)).not.toContain(KEY);
  });
});

describe('a refusal', () => {
  it.each([true, false])('of the first connection ends the iteration (reconnect %s)', async (reconnect) => {
    const simulator = await simulate();
    const client = connect(simulator, { apiKey: 'WRONG-9876543210', reconnect });
    const error = await failure(client.messages().next());
    expect(error).toBeInstanceOf(WebsocketConnectionError);
    expect(error).toMatchObject({
      code: 'WEBSOCKET_CONNECTION',
      actor: 'operator',
      message: 'the service refused the live stream: Invalid API key',
      serverText: 'Invalid API key',
      cause: { code: 'refused' },
    });
    expect(everythingOf(error)).not.toContain('WRONG-9876543210');
  });

  it('of a second session of the same key is told with its text, redacted', async () => {
    const simulator = await simulate();
    await openStream(connect(simulator));
    const error = await failure(connect(simulator).messages().next());
    expect(error).toMatchObject({ serverText: 'Another client is already connected with this API key' });
    simulator.faults.refuse(1, `not you, ${KEY}`);
    const second = await failure(connect(simulator).messages().next());
    expect(second).toMatchObject({ serverText: 'not you, [redacted]' });
    expect(everythingOf(second)).not.toContain(KEY);
  });

  it('of the handshake is one too', async () => {
    const simulator = await simulate();
    simulator.faults.rejectHandshakes(1, 403);
    const error = await failure(connect(simulator).messages().next());
    expect(error).toMatchObject({
      actor: 'operator',
      serverText: 'HTTP status 403',
      cause: { code: 'connect_failed' },
    });
  });

  it('of the prefixes before the first connection is a PrefixToAPIKeyError', async () => {
    const simulator = await simulate();
    const client = connect(simulator);
    await client.subscribe(P1);
    // So long ago that another client may have had the key since.
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
    cleanups.push(async () => vi.restoreAllMocks());
    simulator.faults.refuseAssociation(1, 'Prefix not allowed');
    const error = await failure(client.messages().next());
    expect(error).toBeInstanceOf(PrefixToAPIKeyError);
    expect(error).toMatchObject({ serverText: 'Prefix not allowed', cause: { code: 'association_failed' } });
  });

  it('later is tried again, slowly', async () => {
    const simulator = await simulate();
    const iterator = await openStream(connect(simulator));
    simulator.faults.refuse(1, 'Maintenance');
    simulator.faults.cut();
    expect(await take(iterator)).toMatchObject({ type: 'disconnected', reason: 'closed' });
    const refused = await take(iterator);
    expect(refused).toMatchObject({
      type: 'disconnected',
      reason: 'refused',
      detail: 'Maintenance',
      refused: true,
      willReconnect: true,
    });
    const again = await take(iterator);
    expect(again).toMatchObject({ type: 'connected' });
    const waitedMs = again.type === 'connected' && refused.type === 'disconnected' ? again.atMs - refused.atMs : 0;
    expect(waitedMs).toBeGreaterThanOrEqual(QUICK.refusalBackoff.floorMs - 5);
  });
});

describe('what cannot be read', () => {
  it('is told and counted, and disturbs nothing that follows', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator);
    await client.subscribe(P1);
    const iterator = await openStream(client);
    simulator.faults.garbage('invalid_json');
    simulator.faults.garbage('binary');
    simulator.faults.garbage({ text: '{"record_type":"update","vp":"3333_193.0.0.56","sec":1,"colour":"red"}' });
    simulator.announce(vp.key, P1, ROUTE);
    expect(await take(iterator)).toMatchObject({ type: 'unreadable', reason: 'invalid_json' });
    expect(await take(iterator)).toMatchObject({ type: 'unreadable', reason: 'invalid_json' });
    expect(await take(iterator)).toEqual({
      type: 'unreadable',
      atMs: expect.any(Number),
      reason: 'withdrawal_without_prefix',
      keys: ['record_type', 'vp', 'sec', 'colour'],
    });
    expect(await take(iterator)).toMatchObject({ type: 'announcement', prefixes: [P1] });
    expect(client.stats.unreadable).toMatchObject({ invalid_json: 2, withdrawal_without_prefix: 1, invalid_vp: 0 });
  });

  it('in a part of a message leaves the other parts', async () => {
    const simulator = await simulate();
    const client = connect(simulator);
    await client.subscribe(P1);
    const iterator = await openStream(client);
    const message = {
      record_type: 'update',
      vp: '3333_193.0.0.56',
      sec: 1,
      prefixes: `${P1},nonsense`,
      'as-path': '1',
    };
    simulator.faults.garbage({ text: JSON.stringify(message) });
    expect(await take(iterator)).toMatchObject({ type: 'unreadable', reason: 'invalid_prefix' });
    expect(await take(iterator)).toMatchObject({ type: 'announcement', prefixes: [P1] });
  });
});

describe('the options', () => {
  it.each([
    [{ apiKey: '' }, 'apiKey: expected an API key: 1 to 1024 visible ASCII characters without blanks; it is empty'],
    [
      { apiKey: 'a b' },
      'apiKey: expected an API key: 1 to 1024 visible ASCII characters without blanks; there is a blank in the middle of it',
    ],
    [{ apiKey: 'k', websocketUrl: 'https://x' }, 'websocketUrl: expected a URL that begins with ws:// or wss://'],
    [{ apiKey: 'k', liveManagerUrl: 'x' }, 'liveManagerUrl: expected a URL that begins with http:// or https://'],
    [{ apiKey: 'k', dataApiUrl: 'ftp://x' }, 'dataApiUrl: expected a URL that begins with http:// or https://'],
    [{ apiKey: 'k', websocketUrl: 'wss://x/#y' }, 'websocketUrl: expected a URL without #'],
    [
      { apiKey: 'k', liveManagerUrl: 'https://user:secret@x' },
      'liveManagerUrl: expected a URL without a user name and password',
    ],
    [{ apiKey: 'k', debugLevel: 4 as 3 }, 'debug level: expected 0, 1, 2 or 3, got 4'],
  ])('%j are refused', (options, message) => {
    expect(() => new BgproutesLiveClient(options)).toThrow(new TypeError(message));
  });

  it('give a Data API client of the same key', async () => {
    const simulator = await simulate();
    const vp = simulator.addVantagePoint(BGP_VP);
    const client = connect(simulator);
    simulator.announce(vp.key, P1, ROUTE);
    const { vantagePoints } = await client.dataApi.vantagePoints();
    expect(vantagePoints.map(({ vp: { asn, ip } }) => `${asn}_${ip}`)).toEqual(['3333_193.0.0.56']);
    const rows = [];
    for await (const batch of client.dataApi.rib({ vps: vantagePoints, prefixes: [P1], dateMs: Date.now() + 1000 })) {
      rows.push(...batch.rows);
    }
    expect(rows).toMatchObject([{ prefix: P1, asPath: ROUTE.asPath, vp: BGP_VP }]);
    expect(client.dataApi).toBe(client.dataApi);
    expect(client.dataApi.used.requests).toBe(2);
    const wrong = connect(simulator, { apiKey: 'WRONG' });
    await expect(wrong.dataApi.vantagePoints()).rejects.toMatchObject({ code: 'FORBIDDEN', status: 403 });
  });

  it('have no Data API that outlives the client', async () => {
    const simulator = await simulate();
    const client = connect(simulator);
    simulator.faults.api('vantage_points', 'timeout');
    const waiting = failure(client.dataApi.vantagePoints());
    await client.close();
    expect(await waiting).toMatchObject({ code: 'STOPPED' });
    expect(await failure(client.dataApi.vantagePoints())).toMatchObject({ code: 'STOPPED' });
  });
});
