import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  addressOf,
  Connections,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_PER_ADDRESS,
  MAX_LOCAL_CONNECTIONS,
} from '../../src/outputs/connections.ts';

class Peer extends EventEmitter {
  destroyed = false;
  paused = false;
  readonly remoteAddress: string;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  pause(): void {
    this.paused = true;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function server() {
  const cuts: string[] = [];
  const clock = { ms: 0 };
  const connections = new Connections({ onCut: (reason) => cuts.push(reason), elapsed: () => clock.ms });
  const connect = (address: string): Peer => {
    const peer = new Peer(address);
    connections.accept(peer as unknown as Socket);
    return peer;
  };
  /** Gives what ends the answer. */
  const ask = (peer: Peer) => {
    const response = new EventEmitter();
    const answer = connections.begin(peer as unknown as Socket, response as unknown as ServerResponse);
    const finish = () => {
      response.emit('finish');
      response.emit('close');
    };
    return { answer, finish };
  };
  return { cuts, clock, connections, connect, ask };
}

const many = (count: number, make: (i: number) => Peer): Peer[] => Array.from({ length: count }, (_, i) => make(i));
const alive = (peers: readonly Peer[]) => peers.filter(({ destroyed }) => !destroyed).length;

describe('a client over the limit of its address', () => {
  it('takes the place of a connection of its own, first of one that never asked for anything', () => {
    const { cuts, connect, ask } = server();
    const scraper = connect('192.0.2.9');
    ask(scraper).finish();
    const used = connect('192.0.2.1');
    ask(used).finish();
    const silent = many(MAX_CONNECTIONS_PER_ADDRESS - 1, () => connect('192.0.2.1'));
    expect(cuts).toEqual([]);
    const another = connect('192.0.2.1');
    expect([another.destroyed, silent[0].destroyed, used.destroyed, scraper.destroyed]).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect(cuts).toEqual(['address_limit']);
  });

  it('is refused while all of its connections wait for answers', () => {
    const { cuts, connect, ask } = server();
    const busy = many(MAX_CONNECTIONS_PER_ADDRESS, () => connect('192.0.2.1'));
    const answers = busy.map((peer) => ask(peer));
    expect(connect('192.0.2.1').destroyed).toBe(true);
    expect(alive(busy)).toBe(MAX_CONNECTIONS_PER_ADDRESS);
    expect(cuts).toEqual(['address_limit']);
    answers[7].finish();
    expect(connect('192.0.2.1').destroyed).toBe(false);
    expect(busy[7].destroyed).toBe(true);
  });
});

describe('a storm of connections that find no room', () => {
  afterEach(() => vi.useRealTimers());

  it('is kept waiting, unread, after the first of a second, so that it does not come back at once', () => {
    vi.useFakeTimers();
    const { cuts, clock, connections, connect, ask } = server();
    const silent = many(MAX_CONNECTIONS_PER_ADDRESS, () => connect('192.0.2.1'));
    many(20, () => connect('192.0.2.1'));
    expect(cuts).toHaveLength(20);
    const [ended, kept] = [silent.slice(0, 16), silent.slice(16, 20)];
    expect([alive(ended), alive(kept), kept.every(({ paused }) => paused)]).toEqual([0, 4, true]);
    for (const peer of kept) {
      expect(connections.listensTo(peer as unknown as Socket)).toBe(false);
      expect(ask(peer).answer).toBeUndefined();
    }
    // The next second has its own.
    clock.ms = 1_000;
    connect('192.0.2.1');
    expect(silent[20]!.destroyed).toBe(true);
    vi.advanceTimersByTime(2_500);
    expect(alive(kept)).toBe(0);
  });

  it('one that was served is told at once, and no more are kept than the bound', () => {
    vi.useFakeTimers();
    const { connect, ask } = server();
    const used = many(MAX_CONNECTIONS_PER_ADDRESS, () => connect('192.0.2.1'));
    for (const peer of used) ask(peer).finish();
    const busy = many(MAX_CONNECTIONS_PER_ADDRESS, () => {
      const peer = connect('192.0.2.1');
      ask(peer);
      return peer;
    });
    expect([alive(used), alive(busy)]).toEqual([0, MAX_CONNECTIONS_PER_ADDRESS]);
    const refused = many(16 + 512 + 3, () => connect('192.0.2.1'));
    expect([...refused.slice(0, 16), ...refused.slice(-3)].every(({ destroyed }) => destroyed)).toBe(true);
    expect(alive(refused)).toBe(512);
  });

  it('does not get in by the handshake of TLS that it had begun', () => {
    vi.useFakeTimers();
    const { connections, connect } = server();
    const secure = (port: number) => Object.assign(new Peer('192.0.2.1'), { remotePort: port });
    const silent = many(MAX_CONNECTIONS_PER_ADDRESS + 40, (i) =>
      Object.assign(connect('192.0.2.1'), { remotePort: i }),
    );
    // The first 16 ended at once, the next 24 are kept away.
    const [away, taken] = [secure(20), secure(100)];
    expect(connections.secured(away as unknown as TLSSocket)).toBe(false);
    expect([away.destroyed, silent[20]!.destroyed]).toEqual([true, true]);
    expect(connections.secured(taken as unknown as TLSSocket)).toBe(true);
    expect([taken.destroyed, silent[100]!.destroyed]).toEqual([false, false]);
  });

  it('ends when the server stops', async () => {
    vi.useFakeTimers();
    const { connections, connect } = server();
    const silent = many(MAX_CONNECTIONS_PER_ADDRESS + 40, () => connect('192.0.2.1'));
    expect(alive(silent)).toBe(MAX_CONNECTIONS_PER_ADDRESS + 24);
    await connections.drain(0);
    expect(alive(silent)).toBe(0);
  });
});

describe('when all places are taken', () => {
  it('a new client gets that of one who is idle, and this machine has places of its own', () => {
    const { cuts, connect, ask } = server();
    const peers = many(MAX_CONNECTIONS, (i) => connect(`192.0.2.${i % 250}`));
    for (const peer of peers) ask(peer);
    expect(connect('198.51.100.1').destroyed).toBe(true);
    expect(cuts).toEqual(['connection_limit']);
    const local = many(MAX_LOCAL_CONNECTIONS, (i) => connect(i % 2 === 0 ? '::1' : '::ffff:127.0.0.1'));
    expect(alive(local)).toBe(MAX_LOCAL_CONNECTIONS);
    expect(connect('127.0.0.1').destroyed).toBe(false);
    expect(alive(local)).toBe(MAX_LOCAL_CONNECTIONS - 1);
    expect(alive(peers)).toBe(MAX_CONNECTIONS);
    peers[3].destroy();
    expect(connect('198.51.100.1').destroyed).toBe(false);
  });
});

describe('an answer', () => {
  it('is over once, also when it waited behind another one on a connection that went away', () => {
    const { connect, ask } = server();
    const peer = connect('192.0.2.1');
    const ended: string[] = [];
    ask(peer).answer?.whenOver(() => ended.push('first'));
    const second = ask(peer);
    second.answer?.whenOver(() => ended.push('second'));
    peer.destroy();
    second.finish();
    second.answer?.whenOver(() => ended.push('late'));
    expect(ended).toEqual(['first', 'second', 'late']);
  });
});

it.each([
  ['127.0.0.1', 'local'],
  ['127.8.9.10', 'local'],
  ['::1', 'local'],
  ['::ffff:127.0.0.1', 'local'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2::7', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::7', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  [undefined, ''],
])('a client at %s is counted as %s', (remote, address) => {
  expect(addressOf(remote)).toBe(address);
});
