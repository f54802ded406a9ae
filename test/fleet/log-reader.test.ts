/** Reading partitions of one topic: what one of them has must not keep the others, and a topic that is made again is another one. */
import { afterEach, describe, expect, it } from 'vitest';
import { LogReader } from '../../src/fleet/member/log-reader.ts';
import { FakeBrokers } from '../kafka/fake-brokers.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { until as eventually } from '../support/patience.ts';

const TOPIC = 'events';
const readers: { reader: LogReader; brokers: FakeBrokers; timers: ManualTimers }[] = [];

afterEach(async () => {
  for (const { reader, brokers, timers } of readers.splice(0)) {
    const stopped = reader.stop();
    brokers.cut(new Error('the test is over'));
    timers.advance(10_000);
    await stopped;
  }
});

function world(partitions: number) {
  const brokers = new FakeBrokers();
  brokers.create(TOPIC, partitions);
  const timers = new ManualTimers();
  const log = new RecordingLogger();
  /** In the order in which they happened: `PARTITION: VALUE`. */
  const seen: string[] = [];
  const reader = new LogReader({
    ...{ connect: brokers.connect, topic: TOPIC, timers, log, secrets: [] },
    onRecords: async (partition, records) => {
      for (const { value } of records) seen.push(`${partition}: ${value}`);
    },
    onGap: (partition) => seen.push(`${partition}: gap`),
    onOther: (partition) => seen.push(`${partition}: other topic`),
    onUnreadable: async (partition, reason, nextOffset, endOffset) => {
      seen.push(`${partition}: ${reason} up to ${nextOffset} of ${endOffset}`);
    },
  });
  readers.push({ reader, brokers, timers });
  const until = (expected: readonly string[]) =>
    eventually(() => {
      // Pauses between attempts pass at once.
      timers.advance(1_000);
      expect([...seen].sort()).toEqual([...expected].sort());
    }, 50);
  const write = (partition: number, ...values: string[]) => {
    for (const value of values) brokers.write(TOPIC, Buffer.from(value), { partition });
  };
  return { brokers, timers, log, seen, reader, until, write };
}

describe('a batch that cannot be read', () => {
  it('is passed over alone: what is before and behind it, and all of the other partitions, is read; told once', async () => {
    const { brokers, reader, until, write, log } = world(5);
    write(3, 'a', 'b', 'bad', 'bad', 'bad', 'c', 'd');
    brokers.spoil(TOPIC, 3, 2, 5, 'damaged');
    for (const other of [0, 1, 2, 4]) write(other, 'x');
    for (let partition = 0; partition < 5; partition++) reader.read(partition, 0, undefined);
    reader.start();
    const others = [0, 1, 2, 4].map((other) => `${other}: x`);
    await until([...others, '3: a', '3: b', '3: damaged up to 5 of 7', '3: c', '3: d']);
    expect(log.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'error events cannot be read and are passed over: a batch is damaged; look at the disks of its broker',
    ]);
    expect(log.lines[0].fields).toEqual({ topic: TOPIC, partition: 3, offset: 2, records: 3 });
  });

  it('is passed over up to the end where all that follows is compressed in the same way', async () => {
    const { brokers, reader, until, write, log } = world(2);
    write(0, 'z1', 'z2', 'z3');
    brokers.spoil(TOPIC, 0, 0, 1_000, 'compression');
    write(1, 'x');
    for (const partition of [0, 1]) reader.read(partition, 0, undefined);
    reader.start();
    await until(['0: compression up to 3 of 3', '1: x']);
    write(0, 'z4');
    await until(['0: compression up to 3 of 3', '0: compression up to 4 of 4', '1: x']);
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0].message).toContain('Node.js 22.15');
  });
});

describe('a topic', () => {
  it('that was deleted and made again is told, once in the log, and read from its beginning', async () => {
    const { brokers, reader, until, write, log } = world(2);
    write(0, 'a', 'b');
    for (const partition of [0, 1]) reader.read(partition, 0, undefined);
    reader.start();
    await until(['0: a', '0: b']);
    brokers.delete(TOPIC);
    brokers.create(TOPIC, 2);
    write(0, 'c');
    await until(['0: a', '0: b', '0: other topic', '1: other topic', '0: c']);
    expect(log.lines.map(({ level, message }) => `${level} ${message.slice(0, 34)}`)).toEqual([
      'error the topic of events was made again',
    ]);
  });

  it('that replaced the one of the position is noticed, however many records it has', async () => {
    const { reader, until, write } = world(1);
    write(0, 'a', 'b', 'c', 'd');
    reader.read(0, 2, 'id-of-a-topic-that-was-deleted');
    reader.start();
    await until(['0: other topic', '0: a', '0: b', '0: c', '0: d']);
  });

  it('that ends before the position was made again, even if the old one is not known', async () => {
    const { reader, until, write } = world(1);
    write(0, 'a');
    reader.read(0, 1_000, undefined);
    reader.start();
    await until(['0: other topic', '0: a']);
  });

  it('whose oldest records were deleted has a gap', async () => {
    const { brokers, reader, until, write } = world(1);
    write(0, 'a', 'b', 'c');
    brokers.expire(TOPIC, 2);
    reader.read(0, 1, undefined);
    reader.start();
    await until(['0: gap', '0: c']);
  });
});
