import { afterEach, describe, expect, it } from 'vitest';
import { BmpDecoder } from '../../src/kafka/bmp/decoder.ts';
import { PrefixFilter } from '../../src/kafka/bmp/prefix-filter.ts';
import { UnreadableBatch } from '../../src/kafka/broker-client.ts';
import { KafkaSource, type RecordFormat, wantedTopics } from '../../src/kafka/source.ts';
import { gapMsAt } from '../../src/stream/stream-health.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { until } from '../support/patience.ts';
import { Heard, NOW } from './bmp/heard.ts';
import { announce, bmp, openBmp, routeMonitoring, withdraw } from './bmp/messages.ts';
import { FakeBrokers } from './fake-brokers.ts';

const P = '192.0.2.0/24';
const TOPIC = 'routeviews.linx.64501.bmp_raw';
const route = (prefix = P) => openBmp(routeMonitoring({ seconds: NOW / 1_000 }, announce([prefix], [64_501])));
const ANNOUNCED = `bgp 64501_192.0.2.1: +${P} by 64501`;

let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

/** A source that reads one topic, and what it says, through the decoder. */
function world({ format = 'openbmp' as RecordFormat, prefixes = [P] } = {}) {
  const brokers = new FakeBrokers();
  brokers.create(TOPIC);
  const timers = new ManualTimers(NOW);
  const filter = new PrefixFilter();
  const log = new RecordingLogger();
  const source = new KafkaSource({
    ...{ connect: brokers.connect, topics: ['^routeviews\\..+\\.bmp_raw$'], format, filter, prefixes, timers, log },
    secrets: ['hush-hush'],
    whyClosed: 'it may speak TLS',
  });
  const decoder = new BmpDecoder({ filter });
  const words: string[] = [];
  /** Thrown by whoever gets the next frames. */
  const trouble: Error[] = [];
  const start = (): void =>
    source.start({
      frames: (_, frames) => {
        const error = trouble.pop();
        if (error !== undefined) throw error;
        if (format === 'bgproutes-json') words.push(...frames.map(String));
        else {
          const heard = new Heard();
          decoder.decode(frames, heard);
          words.push(...heard.words);
        }
      },
      connected: () => words.push('connected'),
      disconnected: (_, reason, atMs, detail) => words.push(`${reason} ${NOW - atMs} ${detail}`),
    });
  stop = () => {
    const stopped = source.stop();
    timers.advance(2_000);
    return stopped;
  };
  const says = (...expected: string[]) => until(() => expect(words).toEqual(expected));
  const lags = () => [...(source.stats[0].lags?.() ?? [])];
  return { brokers, timers, source, words, trouble, start, says, lags, log, stats: source.stats[0] };
}

describe('a topic', () => {
  it('is read from its end', async () => {
    const { brokers, start, says, stats, lags } = world();
    brokers.write(TOPIC, route('192.0.2.128/25'));
    start();
    await says('connected');
    brokers.write(TOPIC, route());
    await says('connected', ANNOUNCED);
    expect(stats).toMatchObject({ up: true, frames: 1, receivedBytes: route().length, subscribedPrefixes: 1 });
    expect(lags()).toEqual([{ topic: TOPIC, partition: 0, records: 0 }]);
  });

  it('gives a frame only where a prefix is monitored, and counts the rest', async () => {
    const { brokers, start, says } = world();
    start();
    await says('connected');
    brokers.write(TOPIC, route('198.51.100.0/24'));
    await says('connected', 'passed 1 1');
  });

  it('that comes later is read from its beginning', async () => {
    const { brokers, timers, start, says } = world();
    start();
    await says('connected');
    brokers.create('routeviews.a.b.c.1.bmp_raw', 2, 2);
    brokers.create('other.1.bmp_raw');
    brokers.write('routeviews.a.b.c.1.bmp_raw', route(), { partition: 1 });
    timers.advance(30_000);
    await says('connected', ANNOUNCED);
  });

  it('that is deleted takes the routes of its peers along', async () => {
    const { brokers, timers, start, says, lags } = world();
    brokers.create('routeviews.x.1.bmp_raw');
    start();
    await says('connected');
    brokers.write(TOPIC, route());
    await says('connected', ANNOUNCED);
    brokers.delete(TOPIC);
    // Its broker no longer knows it: the next look is soon.
    await until(() => expect(timers.nextInMs).toBe(1_000));
    timers.advance(1_000);
    await says('connected', ANNOUNCED, 'bgp 64501_192.0.2.1: down');
    expect(lags().map(({ topic }) => topic)).toEqual(['routeviews.x.1.bmp_raw']);
  });

  it('that moves to another broker is read on there', async () => {
    const { brokers, timers, start, says } = world();
    start();
    await says('connected');
    brokers.move(TOPIC, 2);
    brokers.write(TOPIC, route());
    // Not at once: while a leader is chosen every look finds none.
    await until(() => expect(timers.nextInMs).toBe(1_000));
    timers.advance(1_000);
    await says('connected', ANNOUNCED);
  });

  it('whose records were deleted before they were read is a gap', async () => {
    const { brokers, timers, start, says, stats } = world();
    start();
    await says('connected');
    brokers.write(TOPIC, route(), { timeMs: NOW - 5_000 });
    await says('connected', ANNOUNCED);
    brokers.cut(new Error('gone'));
    await says('connected', ANNOUNCED, 'closed 0 gone');
    for (let i = 0; i < 9; i++) brokers.write(TOPIC, route());
    brokers.expire(TOPIC, 5);
    brokers.failure = undefined;
    timers.advance(1_000);
    await says(
      ...['connected', ANNOUNCED, 'closed 0 gone', 'connected'],
      `closed 5000 9 records of ${TOPIC} partition 0 were not read: its records were deleted before they were read`,
      'connected',
    );
    expect(stats.up).toBe(true);
  });
});

describe('a batch that cannot be read', () => {
  it('is passed over, alone, and is a gap', async () => {
    const { brokers, start, says, lags } = world();
    const others = ['routeviews.b.1.bmp_raw', 'routeviews.c.1.bmp_raw'];
    for (const topic of others) brokers.create(topic);
    start();
    await says('connected');
    let isBad = true;
    brokers.onFetch = (wanted) => {
      if (isBad && wanted.some(({ partition }) => partition.topic === TOPIC)) {
        if (wanted.length === 1) isBad = false;
        throw new UnreadableBatch('compression', undefined);
      }
    };
    brokers.write(TOPIC, route('192.0.2.128/25'));
    for (const topic of others) brokers.write(topic, route());
    await says(
      ...['connected', ANNOUNCED, 'unused other_feed'],
      `closed 0 1 records of ${TOPIC} partition 0 were not read: records are compressed by zstd, which needs Node.js 22.15 or later`,
      'connected',
    );
    expect(lags().map(({ records }) => records)).toEqual([0, 0, 0]);
  });
});

describe('brokers', () => {
  it('that go and come are read on where the reader was', async () => {
    const { brokers, timers, start, says, stats } = world();
    start();
    await says('connected');
    timers.advance(5_000);
    brokers.cut(Object.assign(new Error('read ECONNRESET hush-hush'), { code: 'PLT_KFK_NETWORK' }));
    await says('connected', expect.stringMatching(/^closed 0 read ECONNRESET (?!hush)/));
    expect([stats.up, stats.disconnects.closed]).toEqual([false, 1]);
    brokers.write(TOPIC, route());
    timers.advance(1_000);
    await until(() => expect(stats.disconnects.connect_failed).toBe(1));
    brokers.failure = undefined;
    timers.advance(2_000);
    await until(() => expect(stats.frames).toBe(1));
    expect(gapMsAt(stats, timers.elapsed())).toBeGreaterThan(0);
    expect(brokers.closed).toBe(brokers.clients - 1);
  });

  it.each([
    ['PLT_KFK_AUTHENTICATION', 'refused'],
    ['PLT_KFK_TIMEOUT', 'connect_failed'],
    ['PLT_KFK_NETWORK', 'connect_failed'],
  ])('whose error is %s: %s', async (code, reason) => {
    const { brokers, start, says } = world();
    // The library wraps what happened twice.
    const inner = Object.assign(new Error('the cause'), { code });
    brokers.failure = new AggregateError([new Error('in between', { cause: inner })], 'the library');
    start();
    await says(`${reason} 0 the cause`);
  });

  it('without a topic are told, and asked again', async () => {
    const { brokers, timers, start, says, words } = world();
    brokers.delete(TOPIC);
    start();
    await says('connect_failed 0 the brokers have no topic ^routeviews\\..+\\.bmp_raw$');
    brokers.create(TOPIC);
    timers.advance(1_000);
    await until(() => expect(words.at(-1)).toBe('connected'));
  });
});

describe('the session', () => {
  it('goes on after frames that nobody could take', async () => {
    const { brokers, timers, start, says, words, trouble } = world();
    start();
    await says('connected');
    trouble.push(new Error('no room'));
    brokers.write(TOPIC, route());
    await until(() => expect(words[1]).toContain('no room'));
    timers.advance(2_000);
    await until(() => expect(words[2]).toBe('connected'));
    brokers.write(TOPIC, route());
    await until(() => expect(words[3]).toBe(ANNOUNCED));
  });

  it('is idle without prefixes, and connects when some come', async () => {
    const { source, start, says, stats, brokers } = world({ prefixes: [] });
    start();
    expect(stats.idle).toBe(true);
    await source.setPrefixes(0, [P]);
    await says('connected');
    await source.setPrefixes(0, []);
    await says('connected', 'stopped 0 ');
    expect([stats.idle, stats.up, stats.gapSinceMs, brokers.closed]).toEqual([true, false, undefined, 1]);
  });

  it('takes new prefixes without connecting again', async () => {
    const { source, brokers, start, says, stats } = world();
    start();
    await says('connected');
    await source.setPrefixes(0, [P, '198.51.100.0/24']);
    brokers.write(TOPIC, route('198.51.100.0/24'));
    await says('connected', 'bgp 64501_192.0.2.1: +198.51.100.0/24 by 64501');
    expect(stats.subscribedPrefixes).toBe(2);
  });

  it('keeps routers apart by the keys of bare BMP', async () => {
    const { brokers, start, says } = world({ format: 'bmp' });
    start();
    await says('connected');
    const [a, b] = ['router a', 'router b'].map((text) => ({ key: Buffer.from(text) }));
    brokers.write(TOPIC, routeMonitoring({ seconds: NOW / 1_000 }, announce([P], [64_501])), a);
    brokers.write(TOPIC, bmp(5), b);
    brokers.write(TOPIC, routeMonitoring({ seconds: NOW / 1_000 }, withdraw(P)), b);
    brokers.write(TOPIC, bmp(5), a);
    await says('connected', ANNOUNCED, 'unused other_feed', 'bgp 64501_192.0.2.1: down');
  });

  it('gives records of other formats as they are', async () => {
    const { brokers, start, says } = world({ format: 'bgproutes-json' });
    start();
    await says('connected');
    brokers.write(TOPIC, Buffer.from('{"type":"A"}'));
    await says('connected', '{"type":"A"}');
  });
});

it('topics are names, or regular expressions that begin with ^', () => {
  const isWanted = wantedTopics(['a.b', '^routeviews\\..+\\.bmp_raw$']);
  expect(['a.b', 'axb', 'routeviews.amsix.ams.61955.bmp_raw', 'x.routeviews.a.1.bmp_raw'].map(isWanted)).toEqual([
    ...[true, false, true, false],
  ]);
});
