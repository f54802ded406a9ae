import { expect, it } from 'vitest';
import { ALL_PEERS, ONLY_LIFE, Subscriber } from '../../src/ris-live/subscriber.ts';
import { ManualTimers } from '../stream/manual-timers.ts';

const OTHERS = ALL_PEERS.length;

interface Sent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What is asked for beside the prefixes is acknowledged already. */
function open(prefixes: readonly string[], filters = ALL_PEERS) {
  const timers = new ManualTimers();
  const sent: Sent[] = [];
  const refused: [string, string][] = [];
  const full: (readonly string[])[] = [];
  let settled = 0;
  const subscriber = new Subscriber(
    {
      timers,
      send: (text) => sent.push(JSON.parse(text) as Sent),
      onSettled: () => {
        settled++;
      },
      onRefused: (what, text) => refused.push([what, text]),
      onFull: (left) => full.push(left),
    },
    prefixes,
    filters,
  );
  /** Acknowledges what is outstanding, and lets the next request go. */
  const acknowledge = (times = 1) => {
    for (let i = 0; i < times; i++) {
      subscriber.acknowledged();
      timers.advance(200);
    }
  };
  return { timers, sent, refused, full, subscriber, acknowledge, settled: () => settled };
}

const net = (i: number) => `10.${i >> 8}.${i & 255}.0/24`;
const many = (count: number) => Array.from({ length: count }, (_, i) => net(i));
const prefixesOf = ({ data }: Sent) => data.prefix as string[];

/** With what is beside the prefixes acknowledged. */
function opened(prefixes: readonly string[]) {
  const world = open(prefixes);
  world.acknowledge(OTHERS);
  return world;
}

it('the states of the peers are asked for before the prefixes; a further connection asks only for a sign of life', () => {
  const { sent, acknowledge } = open(many(1));
  acknowledge(OTHERS);
  expect(sent.map(({ data: { socketOptions, ...filter } }) => filter)).toEqual([
    { type: 'RIS_PEER_STATE' },
    { type: 'STATE' },
    { type: 'NOTIFICATION' },
    { type: 'KEEPALIVE', host: 'rrc00' },
    { prefix: many(1), moreSpecific: true, lessSpecific: false },
  ]);
  const further = open(many(1), ONLY_LIFE);
  further.acknowledge();
  expect(further.sent.map(({ data }) => data.type ?? data.prefix)).toEqual(['KEEPALIVE', many(1)]);
});

it('prefixes go in blocks of 50, one at a time, each after the acknowledgement and 200 ms', () => {
  const { sent, subscriber, timers, settled, acknowledge } = opened(many(120));
  sent.splice(0, OTHERS);
  expect(sent.map((one) => prefixesOf(one).length)).toEqual([50]);
  expect(sent[0]).toEqual({
    type: 'ris_subscribe',
    data: {
      ...{ prefix: many(50), moreSpecific: true, lessSpecific: false },
      socketOptions: { includeRaw: false, acknowledge: true },
    },
  });
  timers.advance(9_999);
  expect(sent.length).toBe(1);
  subscriber.acknowledged();
  timers.advance(199);
  expect(sent.length).toBe(1);
  timers.advance(1);
  expect(sent.map((one) => prefixesOf(one).length)).toEqual([50, 50]);
  acknowledge();
  expect(settled()).toBe(0);
  acknowledge();
  expect(settled()).toBe(1);
  expect([...subscriber.accepted]).toEqual(many(120));
  expect(subscriber.isSettled).toBe(true);
});

/** A service that takes so many prefixes on a connection, and not these. */
function serve(world: ReturnType<typeof open>, room: number, text: string, bad: readonly string[] = []) {
  const { sent, subscriber, timers } = world;
  while (!subscriber.isSettled) {
    const { data } = sent[sent.length - 1]!;
    const asked = data.prefix === undefined ? [] : (data.prefix as string[]);
    if (subscriber.accepted.size + asked.length > room || asked.some((prefix) => bad.includes(prefix)))
      expect(subscriber.refused(text)).toBe(true);
    else subscriber.acknowledged();
    timers.advance(200);
  }
}

it('a connection that is full hands back what is left, after two refusals of single prefixes', () => {
  const world = opened(many(300));
  serve(world, 120, 'no');
  const { full, refused, subscriber, settled, sent } = world;
  expect([...subscriber.accepted]).toEqual(many(120));
  expect(full).toEqual([many(300).slice(120)]);
  expect([refused, settled()]).toEqual([[], 1]);
  expect(sent.length).toBeLessThan(30);
});

it('a service that says that it is a limit is believed at once', () => {
  const world = opened(many(300));
  serve(world, 120, 'Too many subscriptions');
  expect(world.full).toEqual([many(300).slice(100)]);
  expect([world.refused, world.settled()]).toEqual([[], 1]);
});

it('a bad prefix among good ones makes no connection full, wherever it stands', () => {
  for (const bad of [0, 30, 70, 99]) {
    const world = opened(many(100));
    serve(world, 1_000, 'no', [net(bad)]);
    expect([world.full, world.refused, world.settled()]).toEqual([[], [[net(bad), 'no']], 1]);
    expect(world.subscriber.accepted.size).toBe(99);
  }
});

it('where a service takes nothing at all, each prefix is refused, and none goes elsewhere', () => {
  const world = opened(many(3));
  serve(world, 0, 'Too many subscriptions');
  expect(world.full).toEqual([]);
  expect(world.refused.map(([prefix]) => prefix).sort()).toEqual(many(3));
});

it('a block that is refused is cut until the prefix is found; the others are subscribed', () => {
  const { sent, subscriber, timers, refused, settled, acknowledge } = opened(many(8));
  const bad = net(5);
  while (!subscriber.isSettled) {
    const last = sent[sent.length - 1];
    if (last.data.prefix !== undefined && prefixesOf(last).includes(bad)) expect(subscriber.refused('no')).toBe(true);
    else subscriber.acknowledged();
    timers.advance(200);
  }
  expect(refused).toEqual([[bad, 'no']]);
  expect([...subscriber.accepted].sort()).toEqual(many(8).filter((prefix) => prefix !== bad));
  expect(settled()).toBe(1);
  acknowledge();
  expect(settled()).toBe(1);
});

it('a refusal of one name of the peer states is told, and survived', () => {
  const { subscriber, timers, refused, settled, acknowledge } = open(many(1));
  subscriber.refused('Unknown type');
  timers.advance(200);
  acknowledge(OTHERS);
  expect(refused).toEqual([['{"type":"RIS_PEER_STATE"}', 'Unknown type']]);
  expect(settled()).toBe(1);
});

it('a service that acknowledges nothing is waited for once', () => {
  const { subscriber, timers, settled, sent } = open(many(100));
  timers.advance(10_000);
  expect(sent.length).toBe(1);
  timers.advance(200 + 6 * 400);
  expect(settled()).toBe(1);
  expect(subscriber.accepted.size).toBe(100);
});

it('an error when nothing is outstanding answers no request', () => {
  const { subscriber, timers, acknowledge } = open([]);
  acknowledge(OTHERS);
  expect(subscriber.refused('x')).toBe(false);
  expect(timers.nextInMs).toBeUndefined();
});

it('a change asks for what is new and leaves what is old', () => {
  const { subscriber, sent, acknowledge, settled } = opened(many(3));
  acknowledge();
  sent.length = 0;
  subscriber.change([net(0), net(7), net(8)]);
  acknowledge(3);
  expect(sent.map(({ type, data }) => [type, data.prefix])).toEqual([
    ['ris_unsubscribe', net(1)],
    ['ris_unsubscribe', net(2)],
    ['ris_subscribe', [net(7), net(8)]],
  ]);
  expect([...subscriber.accepted].sort()).toEqual([net(0), net(7), net(8)]);
  expect(settled()).toBe(2);
  subscriber.change([net(0), net(7), net(8)]);
  expect(settled()).toBe(3);
});

it('a change while requests are under way asks for nothing twice', () => {
  const { subscriber, sent, acknowledge } = opened(many(3));
  subscriber.change(many(4));
  acknowledge(2);
  expect(sent.filter(({ data }) => data.prefix !== undefined).map(prefixesOf)).toEqual([many(3), [net(3)]]);
  expect(subscriber.accepted.size).toBe(4);
});

it('after the end of the connection nothing is sent', () => {
  const { subscriber, sent, timers } = open(many(60));
  subscriber.acknowledged();
  subscriber.stop();
  timers.advance(60_000);
  expect(sent.length).toBe(1);
  expect(timers.nextInMs).toBeUndefined();
});
