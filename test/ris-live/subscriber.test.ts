import { expect, it } from 'vitest';
import { Subscriber } from '../../src/ris-live/subscriber.ts';
import { ManualTimers } from '../stream/manual-timers.ts';

const OTHERS = 4;

interface Sent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

function open(prefixes: readonly string[]) {
  const timers = new ManualTimers();
  const sent: Sent[] = [];
  const refused: [string, string][] = [];
  let settled = 0;
  const subscriber = new Subscriber(
    {
      timers,
      send: (text) => sent.push(JSON.parse(text) as Sent),
      onSettled: () => {
        settled++;
      },
      onRefused: (what, text) => refused.push([what, text]),
    },
    prefixes,
  );
  /** Acknowledges what is outstanding, and lets the next request go. */
  const acknowledge = (times = 1) => {
    for (let i = 0; i < times; i++) {
      subscriber.acknowledged();
      timers.advance(200);
    }
  };
  return { timers, sent, refused, subscriber, acknowledge, settled: () => settled };
}

const net = (i: number) => `10.${i >> 8}.${i & 255}.0/24`;
const many = (count: number) => Array.from({ length: count }, (_, i) => net(i));
const prefixesOf = ({ data }: Sent) => data.prefix as string[];

it('prefixes go in blocks of 50, one at a time, each after the acknowledgement and 200 ms', () => {
  const { sent, subscriber, timers, settled, acknowledge } = open(many(120));
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
  acknowledge(1 + OTHERS);
  expect(settled()).toBe(0);
  acknowledge();
  expect(settled()).toBe(1);
  expect(sent.slice(3).map(({ data: { socketOptions, ...filter } }) => filter)).toEqual([
    { type: 'RIS_PEER_STATE' },
    { type: 'STATE' },
    { type: 'NOTIFICATION' },
    { type: 'KEEPALIVE', host: 'rrc00' },
  ]);
  expect([...subscriber.accepted]).toEqual(many(120));
  expect(subscriber.isSettled).toBe(true);
});

it('a block that is refused is cut until the prefix is found; the others are subscribed', () => {
  const { sent, subscriber, timers, refused, settled, acknowledge } = open(many(8));
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
  acknowledge();
  subscriber.refused('Unknown type');
  timers.advance(200);
  acknowledge(OTHERS - 1);
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
  const { subscriber, sent, acknowledge, settled } = open(many(3));
  acknowledge(1 + OTHERS);
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
  const { subscriber, sent, acknowledge } = open(many(3));
  subscriber.change(many(4));
  acknowledge(2 + OTHERS);
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
