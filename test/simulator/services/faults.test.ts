import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Simulator } from '../../../src/simulator/contract.ts';
import { EMPTY_SCENARIO } from '../../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { associate, connect, type Json, query, type StreamClient, subscribe, until } from './stream-client.ts';

let simulator: Simulator;
const VP = 'bgp 3333_193.0.0.56';
const PREFIX = '192.0.2.0/24';

beforeEach(async () => {
  simulator = await startSimulator({
    apiKeys: ['one', 'two'],
    scenario: EMPTY_SCENARIO,
    dataApiLatencyMs: 0,
    control: true,
  });
  simulator.addVantagePoint({ protocol: 'bgp', asn: 3333, ip: '193.0.0.56' });
});

afterEach(() => simulator.stop());

let said = 0;
const say = () => simulator.announce(VP, PREFIX, { asPath: `3333 ${++said}` });

/** Resolves with the pong. */
async function ping({ socket }: StreamClient): Promise<void> {
  const answered = once(socket, 'pong');
  socket.ping();
  await answered;
}

describe('faults of the stream', () => {
  it('cut: the connection ends without a goodbye, and the key may connect again', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    const other = await subscribe(simulator, 'two', PREFIX);
    expect(simulator.faults.cut('one')).toBe(1);
    expect(await client.closed).toBe(1006);
    expect(other.isClosed()).toBe(false);
    const again = await connect(simulator, 'one');
    say();
    await until(() => again.frames.length === 1 && other.frames.length === 1);
    expect(simulator.faults.cut()).toBe(2);
    expect(simulator.faults.counts.cut).toBe(2);
  });

  it('cutMidFrame: the connection ends within a frame', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    simulator.faults.cutMidFrame();
    expect(await client.closed).toBe(1006);
    expect(client.frames).toEqual([]);
  });

  it('stall: nothing comes any more, no pong either, and the connection stays; its end frees the key', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    await ping(client);
    simulator.faults.stall();
    say();
    const pongs: unknown[] = [];
    client.socket.on('pong', (data) => pongs.push(data));
    await new Promise((sent) => client.socket.ping('', undefined, sent));
    // The simulator answers later requests of this very process, so that a pong would be here.
    for (let i = 0; i < 3; i++) await (await fetch(`${simulator.url}/vantage_points`)).text();
    expect(pongs).toEqual([]);
    expect(client.frames).toEqual([]);
    expect(client.socket.readyState).toBe(WebSocket.OPEN);
    expect(simulator.stats.dropped.stalled).toBe(1);
    client.socket.terminate();
    await until(() => simulator.sessions() === 0);
    await connect(simulator, 'one');
    await until(() => simulator.sessions() === 1);
  });

  it('mute: pings are answered, messages are not sent, until unmuted', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    simulator.faults.mute();
    say();
    await ping(client);
    simulator.faults.unmute();
    say();
    await until(() => client.frames.length === 1);
    expect(client.messages()[0]['as-path']).toBe(`3333 ${said}`);
    expect(simulator.stats.dropped.muted).toBe(1);
  });

  it('mute keeps messages from those that connect meanwhile too', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    simulator.faults.mute('one');
    client.socket.terminate();
    await until(() => simulator.sessions() === 0);
    const second = await connect(simulator, 'one');
    await until(() => simulator.sessions() === 1);
    say();
    await ping(second);
    expect(second.frames).toEqual([]);
    simulator.faults.unmute('one');
    say();
    await until(() => second.frames.length === 1);
  });

  it('garbage comes on top of the messages, which are all there', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    const binaries: Buffer[] = [];
    client.socket.on('message', (data, isBinary) => isBinary && binaries.push(data as Buffer));
    for (const kind of [
      'invalid_json',
      'truncated',
      'binary',
      { text: 'null' },
      { bytes: Buffer.from([7]) },
    ] as const) {
      say();
      expect(simulator.faults.garbage(kind)).toBe(1);
    }
    say();
    await until(() => client.frames.length === 11);
    expect(client.messages().filter((message) => message?.record_type === 'update')).toHaveLength(6);
    expect(client.frames).toContain('null');
    expect(binaries).toHaveLength(2);
    expect(
      client.frames.filter((frame) => /^\{"record_type":"update".*[^}]$/.test(frame)).length,
    ).toBeGreaterThanOrEqual(1);
  });

  it('oversized: a client with a bound of 1 MiB finds it too large', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    simulator.faults.oversized(1024 * 1024);
    await until(() => client.frames.length === 1);
    expect(client.frames[0]).toHaveLength(1024 * 1024);
    simulator.faults.oversized();
    await client.closed;
    expect(client.errors).toEqual(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']);
  });

  it('breakProtocol: a client sees that this is no WebSocket', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    simulator.faults.breakProtocol();
    await client.closed;
    expect(client.errors).toEqual(['WS_ERR_UNEXPECTED_RSV_2_3']);
  });

  it('corrupt: the next messages arrive in half; later ones are whole', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    simulator.faults.corrupt(2);
    for (let i = 0; i < 4; i++) say();
    await until(() => client.frames.length === 4);
    expect(client.messages().map((message) => message['as-path'])).toEqual([`3333 ${said - 1}`, `3333 ${said}`]);
    expect(simulator.stats.corruptedFrames).toBe(2);
  });

  it('resend: the last messages come again, as they were', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    for (let i = 0; i < 5; i++) say();
    simulator.faults.resend(3);
    await until(() => client.frames.length === 8);
    expect(client.frames.slice(5)).toEqual(client.frames.slice(2, 5));
  });

  it('refuse: the next connections get the text and are closed, then all is well', async () => {
    simulator.faults.refuse(2, 'Maintenance');
    for (let i = 0; i < 2; i++) {
      const client = await connect(simulator, 'one');
      await client.closed;
      expect(client.messages()).toEqual([{ error: 'Maintenance' }]);
    }
    await connect(simulator, 'one');
    await until(() => simulator.sessions() === 1);
  });

  it('rejectHandshakes: a status rather than a WebSocket', async () => {
    simulator.faults.rejectHandshakes(1, 502);
    await expect(connect(simulator, 'one')).rejects.toThrow('502');
    await connect(simulator, 'one');
  });

  it('expire: silence, as after hours of inactivity', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    simulator.faults.expire();
    say();
    expect(simulator.associatedPrefixes('one')).toEqual([]);
    await associate(simulator, 'one', PREFIX);
    say();
    await until(() => client.frames.length === 1);
    expect(client.messages()[0]['as-path']).toBe(`3333 ${said}`);
  });
});

describe('faults of the APIs', () => {
  it.each(['vantage_points', 'rib', 'updates'] as const)(
    '%s: a status with a detail, so many times',
    async (endpoint) => {
      simulator.faults.api(endpoint, 500, 2);
      simulator.faults.api(endpoint, 429);
      const statuses = [];
      for (let i = 0; i < 4; i++) statuses.push(await query(simulator, 'one', endpoint, { peering_protocol: 'bgp' }));
      expect(statuses.map(({ status }) => status)).toEqual([500, 500, 429, endpoint === 'vantage_points' ? 200 : 400]);
      expect(statuses[2].body).toEqual({ detail: 'Fault on demand: 429' });
    },
  );

  it('timeout: no answer until the client gives up, and then the key is free again', async () => {
    simulator.faults.api('vantage_points', 'timeout');
    const asked = fetch(`${simulator.url}/v1/vantage_points`, {
      headers: { 'x-api-key': 'one' },
      signal: AbortSignal.timeout(200),
    });
    await expect(asked).rejects.toThrow();
    simulator.faults.clear(); // where the machine is so slow that the request was given up before it was sent
    expect((await query(simulator, 'one', 'vantage_points')).status).toBe(200);
  });

  it('garbage and cut: no readable answer', async () => {
    simulator.faults.api('vantage_points', 'garbage');
    await expect(query(simulator, 'one', 'vantage_points')).rejects.toThrow(SyntaxError);
    simulator.faults.api('vantage_points', 'cut');
    await expect(query(simulator, 'one', 'vantage_points')).rejects.toThrow('fetch failed');
  });

  it('an association is refused with status and text; the old one stays', async () => {
    await associate(simulator, 'one', PREFIX);
    simulator.faults.refuseAssociation(1, 'No such plan', 402);
    expect(await associate(simulator, 'one', '10.0.0.0/8')).toEqual({ status: 402, text: 'No such plan' });
    expect(simulator.associatedPrefixes('one')).toEqual([PREFIX]);
    simulator.faults.api('live_manager', 503, 9);
    expect((await associate(simulator, 'one', PREFIX)).status).toBe(503);
    simulator.faults.clear();
    expect((await associate(simulator, 'one', PREFIX)).status).toBe(200);
  });
});

describe('a VP that dies', () => {
  it('is silent about it, says nothing while down, and announces what it holds when it is back', async () => {
    const client = await subscribe(simulator, 'one', '10.0.0.0/8,192.0.2.0/24');
    simulator.announce(VP, ['10.1.0.0/16', '10.2.0.0/16'], { asPath: '3333 1' });
    simulator.announce(VP, '192.0.2.0/24', { asPath: '3333 2' });
    simulator.faults.killVantagePoint(VP);
    expect([...simulator.routes()]).toEqual([]);
    expect(simulator.visibleVps('10.1.0.0/16')).toBe(0);
    simulator.withdraw(VP, '10.2.0.0/16');
    simulator.announce(VP, '10.3.0.0/16', { asPath: '3333 1' });
    simulator.faults.reviveVantagePoint(VP);
    await until(() => client.frames.length === 4);
    const back = client.messages().slice(2);
    expect(back.map((message) => [message.prefixes, message['as-path']])).toEqual([
      ['10.1.0.0/16,10.3.0.0/16', '3333 1'],
      ['192.0.2.0/24', '3333 2'],
    ]);
    expect([...simulator.routes()]).toHaveLength(3);
  });
});

it('a VP that leaves the list is not in it until it is back', async () => {
  const listed = async () => {
    const answer = await fetch(`${simulator.url}/v1/vantage_points`, { headers: { 'x-api-key': 'one' } });
    const { data } = (await answer.json()) as { data: { bgp: { asn: number }[] } };
    return data.bgp.map(({ asn }) => asn).includes(3333);
  };
  expect(await listed()).toBe(true);
  simulator.faults.unlistVantagePoint(VP);
  expect(await listed()).toBe(false);
  simulator.faults.reviveVantagePoint(VP);
  expect(await listed()).toBe(true);
});

describe('a server that goes down', () => {
  it('cuts all connections, refuses TCP, and comes back on the same port with the changes of that time', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    await simulator.faults.goDown();
    await client.closed;
    await expect(fetch(simulator.url)).rejects.toThrow('fetch failed');
    say();
    await simulator.faults.comeBack();
    expect(simulator.associatedPrefixes('one')).toEqual([PREFIX]);
    const again = await connect(simulator, 'one');
    say();
    await until(() => again.frames.length === 1);
    expect([...simulator.routes()].map(({ asPath }) => asPath)).toEqual([`3333 ${said}`]);
  });

  it('goes down although a client has not closed its half of a connection; coming back twice is refused', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    client.socket.pause();
    simulator.faults.cutMidFrame();
    await connect(simulator, 'one');
    await simulator.faults.goDown();
    await simulator.faults.comeBack();
    await expect(simulator.faults.comeBack()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await connect(simulator, 'one');
    client.socket.resume();
    await Promise.all([simulator.stop(), simulator.stop()]);
    await expect(fetch(simulator.url)).rejects.toThrow('fetch failed');
  });

  it('another simulator can take the same port after stop', async () => {
    await connect(simulator, 'one');
    const { port } = simulator;
    await simulator.stop();
    simulator = await startSimulator({ apiKeys: ['one'], scenario: EMPTY_SCENARIO, listen: `127.0.0.1:${port}` });
    expect(simulator.port).toBe(port);
    await connect(simulator, 'one');
  });

  it('a port that is taken is an error, and leaves nothing running', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    const starting = startSimulator({ apiKeys: ['one'], listen: `127.0.0.1:${port}` });
    await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => blocker.close(resolve));
  });
});

describe('control over HTTP', () => {
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${simulator.url}/-/${path}`, { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Json };
  };

  it('faults, steps and state', async () => {
    const client = await subscribe(simulator, 'one', PREFIX);
    say();
    await until(() => client.frames.length === 1);
    const state = await (await fetch(`${simulator.url}/-/state`)).json();
    expect(state).toMatchObject({ vantagePointsUp: 1, visibleVps: { [PREFIX]: 1 }, sessions: 1, stats: { frames: 1 } });
    expect(await post('step', { do: 'vp_loss', vps: 1 })).toEqual({ status: 200, body: {} });
    expect([...simulator.routes()]).toEqual([]);
    expect(await post('fault', { fault: 'reviveVantagePoint', args: [VP] })).toEqual({
      status: 200,
      body: { hit: null },
    });
    expect(await post('fault', { fault: 'cut' })).toEqual({ status: 200, body: { hit: 1 } });
    await client.closed;
  });

  it('nonsense is 400 with a reason', async () => {
    expect((await post('fault', { fault: 'goDown' })).status).toBe(400);
    expect((await post('fault', { fault: 'killVantagePoint', args: ['nobody'] })).body.detail).toBe(
      'no vantage point nobody',
    );
    expect((await post('step', { do: 'outage' })).body.detail).toContain('prefix: expected a prefix');
    expect((await post('step', { do: 'outage', prefix: '10.0.0.0/8' })).body.detail).toContain(
      'not a prefix of this simulator',
    );
  });

  it('is not there unless asked for', async () => {
    await simulator.stop();
    simulator = await startSimulator({ apiKeys: ['one'], scenario: EMPTY_SCENARIO });
    expect((await fetch(`${simulator.url}/-/state`)).status).toBe(404);
  });
});
