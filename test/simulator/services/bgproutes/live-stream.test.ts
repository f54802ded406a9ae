import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ManualClock } from '../../../../src/simulator/clock.ts';
import type { Simulator, SimulatorOptions } from '../../../../src/simulator/contract.ts';
import { EMPTY_SCENARIO } from '../../../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../../../src/simulator/simulator.ts';
import { associate, connect, subscribe, until } from '../stream-client.ts';

let simulator: Simulator;

async function start(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  simulator = await startSimulator({ apiKeys: ['one', 'two'], scenario: EMPTY_SCENARIO, ...options });
  return simulator;
}

afterEach(() => simulator.stop());

const bgp = { protocol: 'bgp', asn: 3333, ip: '193.0.0.56' } as const;
const bmp = { protocol: 'bmp', asn: 64501, ip: '192.0.2.9', parent: { asn: 64500, ip: '192.0.2.1' } } as const;

describe('messages', () => {
  it('an announcement has the fields of a BGP UPDATE, in the order of the service', async () => {
    const clock = new ManualClock(Date.UTC(2026, 1, 3, 4, 5, 6, 789));
    await start({ clock });
    const vp = simulator.addVantagePoint(bgp);
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    simulator.announce(vp.key, '192.0.2.0/24', {
      asPath: '3333 1103 64500',
      communities: '3333:100 64500:1:2',
      nextHop: '193.0.0.56',
      originAttribute: 'IGP',
    });
    await until(() => client.frames.length === 1);
    expect(client.frames[0]).toBe(
      '{"record_type":"update","vp":"3333_193.0.0.56","sec":1770091506,"Usec":789000,"prefixes":"192.0.2.0/24",' +
        '"as-path":"3333 1103 64500","communities":"3333:100 64500:1:2","nexthop":"193.0.0.56","origin":"IGP"}',
    );
  });

  it('a BMP message names the parent as vp and the vantage point as bmp_peer', async () => {
    await start();
    const vp = simulator.addVantagePoint(bmp);
    const client = await subscribe(simulator, 'one', '2001:db8::/32');
    simulator.announce(vp.key, '2001:db8::/32', { asPath: '64501 64502' });
    await until(() => client.frames.length === 1);
    expect(client.messages()[0]).toMatchObject({
      record_type: 'bmp_update',
      vp: '64500_192.0.2.1',
      bmp_peer: '64501_192.0.2.9',
      prefixes: '2001:db8::/32',
      'as-path': '64501 64502',
    });
  });

  it('a withdrawal has neither prefixes nor attributes', async () => {
    await start();
    const vp = simulator.addVantagePoint(bgp);
    simulator.announce(vp.key, '192.0.2.0/24', { asPath: '3333' });
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    simulator.withdraw(vp.key, '192.0.2.0/24');
    await until(() => client.frames.length === 1);
    expect(Object.keys(client.messages()[0])).toEqual(['record_type', 'vp', 'sec', 'Usec', 'withdraws']);
    expect(client.messages()[0].withdraws).toBe('192.0.2.0/24');
  });

  it.each(['withdrawn', 'withdrawals', 'withdrawn_prefixes', 'withdraw', 'withdrawn-prefixes', 'something'])(
    'withdrawn prefixes come under %s when that is chosen, as text or as an array',
    async (key) => {
      for (const asArray of [false, true]) {
        await start({ withdrawKey: key, withdrawAsArray: asArray });
        const vp = simulator.addVantagePoint(bgp);
        const client = await subscribe(simulator, 'one', '10.0.0.0/8');
        simulator.withdraw(vp.key, ['10.1.0.0/16', '10.2.0.0/16']);
        await until(() => client.frames.length === 1);
        expect(client.messages()[0][key]).toEqual(asArray ? ['10.1.0.0/16', '10.2.0.0/16'] : '10.1.0.0/16,10.2.0.0/16');
        await simulator.stop();
      }
    },
  );

  it('message times rise, also within one millisecond', async () => {
    await start({ clock: new ManualClock(1_800_000_000_000) });
    const vp = simulator.addVantagePoint(bgp);
    const client = await subscribe(simulator, 'one', '10.0.0.0/8');
    for (let i = 0; i < 50; i++) simulator.announce(vp.key, '10.0.0.0/8', { asPath: `3333 ${i + 1}` });
    await until(() => client.frames.length === 50);
    const times = client.messages().map((message) => Number(message.sec) * 1e6 + Number(message.Usec));
    expect(times).toEqual(Array.from({ length: 50 }, (_, i) => 1_800_000_000_000_000 + i));
  });

  it('compression is never agreed to', async () => {
    await start();
    const client = await connect(simulator, 'one', { deflate: true });
    expect(client.socket.extensions).toBe('');
  });

  it('what a client sends is ignored; pings are answered', async () => {
    await start();
    const vp = simulator.addVantagePoint(bgp);
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    client.socket.send('hello');
    let pongs = 0;
    client.socket.on('pong', (data) => {
      if (data.toString() === 'are you there') pongs++;
    });
    client.socket.ping('are you there');
    simulator.announce(vp.key, '192.0.2.0/24', { asPath: '3333' });
    await until(() => pongs === 1 && client.frames.length === 1);
  });
});

describe('keys', () => {
  it.each(['', 'wrong', 'ONE'])('the key "%s" is refused with a text, then closed', async (key) => {
    await start();
    const client = await connect(simulator, key);
    await client.closed;
    expect(client.messages()).toEqual([{ error: 'Invalid API key' }]);
    expect(simulator.sessions()).toBe(0);
  });

  it('a second session on the same key is refused, the first one stays', async () => {
    await start();
    const vp = simulator.addVantagePoint(bgp);
    const first = await subscribe(simulator, 'one', '192.0.2.0/24');
    const second = await connect(simulator, 'one');
    await second.closed;
    expect(second.messages()).toEqual([{ error: 'Another client is already connected with this API key' }]);
    simulator.announce(vp.key, '192.0.2.0/24', { asPath: '3333' });
    await until(() => first.frames.length === 1);
  });

  it('after the first session has ended the key can connect again, at once', async () => {
    await start();
    for (let i = 0; i < 20; i++) {
      const client = await connect(simulator, 'one');
      if (i % 2 === 0) client.socket.terminate();
      else client.socket.close();
      await client.closed;
    }
    const last = await connect(simulator, 'one');
    await until(() => simulator.sessions('one') === 1);
    expect(last.frames).toEqual([]);
    expect(simulator.stats.refusedConnections).toBe(0);
  });

  it('two keys have a session and a list each', async () => {
    await start();
    const vp = simulator.addVantagePoint(bgp);
    const one = await subscribe(simulator, 'one', '192.0.2.0/24');
    const two = await subscribe(simulator, 'two', '198.51.100.0/24');
    simulator.announce(vp.key, ['192.0.2.0/24', '198.51.100.0/24'], { asPath: '3333' });
    await until(() => one.frames.length === 1 && two.frames.length === 1);
    expect(one.messages()[0].prefixes).toBe('192.0.2.0/24');
    expect(two.messages()[0].prefixes).toBe('198.51.100.0/24');
  });

  it('another path than / is no stream', async () => {
    await start();
    const socket = new WebSocket(`${simulator.websocketUrl}/stream?api_key=one`);
    const error = await new Promise<Error>((resolve) => socket.on('error', resolve));
    expect(error.message).toContain('404');
  });
});

describe('prefixes of a key', () => {
  it('only associated prefixes and their more-specifics are sent', async () => {
    await start();
    const vp = simulator.addVantagePoint(bgp);
    const client = await subscribe(simulator, 'one', '192.0.2.0/24,2001:db8:10::/48');
    const say = (prefix: string) => simulator.announce(vp.key, prefix, { asPath: '3333' });
    for (const other of ['192.0.3.0/24', '192.0.2.0/23', '0.0.0.0/0', '2001:db8:11::/48', '2001:db8::/32', '::/0'])
      say(other);
    const own = ['192.0.2.0/24', '192.0.2.0/25', '192.0.2.255/32', '2001:db8:10::/48', '2001:db8:10:8000::/49'];
    for (const prefix of own) say(prefix);
    await until(() => client.frames.length >= own.length);
    expect(client.messages().map((message) => message.prefixes)).toEqual(own);
  });

  it('of a message with several prefixes, each key gets its own', async () => {
    await start();
    const vp = simulator.addVantagePoint(bgp);
    const client = await subscribe(simulator, 'one', '10.1.0.0/16,10.3.0.0/16');
    simulator.announce(vp.key, ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'], { asPath: '3333' });
    simulator.announce(vp.key, ['10.2.0.0/16'], { asPath: '3333' });
    simulator.withdraw(vp.key, ['10.2.0.0/16', '10.3.0.0/16']);
    await until(() => client.frames.length >= 2);
    expect(client.messages().map(({ prefixes, withdraws }) => prefixes ?? withdraws)).toEqual([
      '10.1.0.0/16,10.3.0.0/16',
      '10.3.0.0/16',
    ]);
  });

  it('a connection without prefixes is accepted and silent; prefixes that come later count', async () => {
    await start();
    const vp = simulator.addVantagePoint(bgp);
    const client = await connect(simulator, 'one');
    await until(() => simulator.sessions() === 1);
    simulator.announce(vp.key, '192.0.2.0/24', { asPath: '3333' });
    await associate(simulator, 'one', '192.0.2.0/24');
    simulator.announce(vp.key, '192.0.2.0/24', { asPath: '3333 3356' });
    await until(() => client.frames.length === 1);
    expect(client.messages()[0]['as-path']).toBe('3333 3356');
    expect(simulator.stats.dropped.unassociated).toBe(1);
  });

  it('a new list replaces the old one, in the middle of a connection', async () => {
    await start();
    const vp = simulator.addVantagePoint(bgp);
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    await associate(simulator, 'one', '198.51.100.0/24');
    simulator.announce(vp.key, ['192.0.2.0/24', '198.51.100.0/24'], { asPath: '3333' });
    await until(() => client.frames.length === 1);
    expect(client.messages()[0].prefixes).toBe('198.51.100.0/24');
  });
});

describe('expiry', () => {
  const HOUR_MS = 3_600_000;

  it('four hours after the last association the stream goes silent, and the connection stays', async () => {
    await start({ clock: new ManualClock() });
    const vp = simulator.addVantagePoint(bgp);
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    simulator.advance(4 * HOUR_MS - 1);
    simulator.announce(vp.key, '192.0.2.0/24', { asPath: '3333 1' });
    simulator.advance(1);
    simulator.announce(vp.key, '192.0.2.0/24', { asPath: '3333 2' });
    await associate(simulator, 'one', '192.0.2.0/24');
    simulator.announce(vp.key, '192.0.2.0/24', { asPath: '3333 3' });
    await until(() => client.frames.length === 2);
    expect(client.messages().map((message) => message['as-path'])).toEqual(['3333 1', '3333 3']);
    expect(client.isClosed()).toBe(false);
    expect(simulator.stats.dropped.unassociated).toBe(1);
  });

  it('associating again, with the same list, renews', async () => {
    await start({ clock: new ManualClock(), associationTtlMs: HOUR_MS });
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    for (let i = 0; i < 5; i++) {
      simulator.advance(HOUR_MS - 1);
      expect(simulator.associatedPrefixes('one')).toEqual(['192.0.2.0/24']);
      await associate(simulator, 'one', '192.0.2.0/24');
    }
    simulator.advance(HOUR_MS);
    expect(simulator.associatedPrefixes('one')).toEqual([]);
    expect(client.isClosed()).toBe(false);
  });

  it('a connection alone, and the Data API, are no activity', async () => {
    await start({ clock: new ManualClock(), associationTtlMs: HOUR_MS });
    await associate(simulator, 'one', '192.0.2.0/24');
    simulator.advance(HOUR_MS / 2);
    await connect(simulator, 'one');
    await fetch(`${simulator.url}/v1/vantage_points`, { headers: { 'x-api-key': 'one' } });
    simulator.advance(HOUR_MS / 2);
    expect(simulator.associatedPrefixes('one')).toEqual([]);
  });
});

describe('announceOnSubscribe', () => {
  it('tells a new subscriber every route once, and later only of prefixes that are new to it', async () => {
    await start({ announceOnSubscribe: true });
    const [a, b] = [simulator.addVantagePoint(bgp), simulator.addVantagePoint(bmp)];
    simulator.announce(a.key, ['192.0.2.0/24', '192.0.2.0/25'], { asPath: '3333' });
    simulator.announce(b.key, '198.51.100.0/24', { asPath: '64501' });
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    await until(() => client.frames.length === 1);
    expect(client.messages()[0].prefixes).toBe('192.0.2.0/24,192.0.2.0/25');
    await associate(simulator, 'one', '192.0.2.0/24,198.51.100.0/24');
    await until(() => client.frames.length === 2);
    expect(client.messages()[1].prefixes).toBe('198.51.100.0/24');
  });
});

describe('slow clients', () => {
  it('a client that reads nothing is cut off at the bound, and counted', async () => {
    await start({ maxPendingBytes: 256 * 1024 });
    const vp = simulator.addVantagePoint(bgp);
    const client = await subscribe(simulator, 'one', '192.0.2.0/24');
    await until(() => simulator.sessions() === 1);
    client.socket.pause();
    const communities = Array.from({ length: 500 }, (_, i) => `3333:${i}`).join(' ');
    for (let i = 0; i < 5_000 && simulator.sessions() === 1; i++) {
      simulator.announce(vp.key, '192.0.2.0/24', { asPath: '3333', communities });
    }
    expect(simulator.sessions()).toBe(0);
    expect(simulator.stats.dropped.slow).toBe(1);
    client.socket.resume();
    await client.closed;
  });

  it('a client that answers no ping is cut off', async () => {
    await start({ heartbeatMs: 20 });
    const client = await connect(simulator, 'one');
    client.socket.pause();
    await until(() => simulator.sessions() === 0);
    client.socket.resume();
    await client.closed;
  });
});

describe('what no source says of the service can be either way', () => {
  const [OLD, NEW] = ['192.0.2.0/24', '198.51.100.0/24'];

  /** The list is replaced while a session is open, then both prefixes are announced. Gives what the session heard. */
  async function heard(options: Partial<SimulatorOptions>): Promise<unknown[]> {
    await start(options);
    const vp = simulator.addVantagePoint(bgp);
    const client = await subscribe(simulator, 'one', OLD);
    await associate(simulator, 'one', NEW);
    for (const prefix of [OLD, NEW]) simulator.announce(vp.key, prefix, { asPath: '3333' });
    await until(() => client.frames.length === 1);
    return client.messages().map(({ prefixes }) => prefixes);
  }

  it('an open session follows the list of its key', async () => {
    expect(await heard({})).toEqual([NEW]);
  });

  it('an open session keeps the list of its beginning', async () => {
    expect(await heard({ sessionTakesList: false })).toEqual([OLD]);
  });

  it('a key without prefixes is refused', async () => {
    await start({ acceptsWithoutPrefixes: false });
    const client = await connect(simulator, 'one');
    await until(() => client.frames.length === 1);
    expect(client.messages()).toEqual([{ error: 'No prefixes are associated with this API key' }]);
    await subscribe(simulator, 'one', OLD);
    expect(simulator.sessions('one')).toBe(1);
  });

  it('a session that is over still takes the place of its key for a while', async () => {
    const clock = new ManualClock();
    await start({ clock, sessionLingerMs: 3_000 });
    const first = await connect(simulator, 'one');
    await until(() => simulator.sessions() === 1);
    first.socket.terminate();
    await until(() => simulator.sessions() === 0);
    const refused = await connect(simulator, 'one');
    expect(await refused.closed).toBe(1008);
    clock.advance(3_000);
    await connect(simulator, 'one');
    await until(() => simulator.sessions() === 1);
  });
});
