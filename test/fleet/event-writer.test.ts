/** What an ingest writes: in requests that brokers take, and what cannot be written is told. */
import { expect, it } from 'vitest';
import { type Prefix, parsePrefix } from '../../src/bgp/prefix.ts';
import { EventWriter } from '../../src/fleet/event-writer.ts';
import { PartitionMap } from '../../src/fleet/partitions.ts';
import { decodeRecord, MAX_BATCH_BYTES } from '../../src/fleet/records.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';

const VP = { protocol: 'bgp', asn: 64_501, ip: '198.51.100.1' } as const;

/** As a broker is: a batch, which is all that a request has for a partition, has at most 1 MiB. */
function writer(partitions: number) {
  const taken: { readonly partition: number; readonly value: Buffer }[] = [];
  const broker = { isAway: true, refused: 0 };
  const sender = {
    send: (records: readonly { readonly partition: number; readonly value: Buffer }[]) => {
      const batches = new Map<number, number>();
      for (const { partition, value } of records)
        batches.set(partition, (batches.get(partition) ?? 61) + value.length + 20);
      const isTooLarge = [...batches.values()].some((bytes) => bytes > 1_048_588);
      if (isTooLarge) broker.refused++;
      if (broker.isAway || isTooLarge) return Promise.reject(new Error('refused'));
      taken.push(...records);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
  const timers = new ManualTimers();
  const lost: number[] = [];
  const map = new PartitionMap([parsePrefix('10.0.0.0/8') as Prefix], partitions);
  const events = new EventWriter({
    ...{ sender, map, term: () => 7, timers, log: new RecordingLogger(), secrets: [] },
    onLost: (sinceMs) => lost.push(sinceMs),
  });
  return { events, taken, broker, lost };
}

const update = (announced: readonly string[], communities = '') => ({
  ...{ vp: VP, timeUs: 1_790_000_000_000_000, withdrawn: [], announced },
  attributes: { asPath: '64501 64500', communities, nextHop: '', originAttribute: '' },
});

it('writes all that waited for brokers that were away, in batches that they take, in its order', async () => {
  const { events, taken, broker, lost } = writer(2);
  for (let i = 0; i < 50; i++) {
    events.update(update(['10.0.0.0/24'], '64500:1 '.repeat(10_000)), i);
    events.toAll({ type: 'watermark', up: true, clockOffsetMs: 0 });
  }
  broker.isAway = false;
  await events.flush(new AbortController().signal);
  expect([broker.refused, lost, events.lost, taken.length]).toEqual([0, [], 0, 150]);
  for (const partition of [0, 1]) {
    const own = taken.filter((one) => one.partition === partition).map(({ value }) => decodeRecord(value)?.sequence);
    expect(own).toEqual(own.map((_, i) => i + 1));
  }
});

it('divides what says too much for one record, and leaves out, as a gap, what cannot be divided', async () => {
  const { events, taken, broker, lost } = writer(1);
  broker.isAway = false;
  const prefixes = Array.from({ length: 100_000 }, (_, i) => `10.${i >> 12}.${(i >> 4) & 255}.${(i & 15) << 4}/28`);
  events.control(0, { type: 'gap', prefixes });
  events.update(update(['10.0.0.0/24'], '64500:1 '.repeat(200_000)), 1);
  events.update(update(['10.0.0.0/24']), 2);
  await events.flush(new AbortController().signal);
  const records = taken.map(({ value }) => decodeRecord(value));
  expect(taken.every(({ value }) => value.length < MAX_BATCH_BYTES)).toBe(true);
  const told = records.flatMap((one) =>
    one?.kind === 'control' && one.control.type === 'gap' ? one.control.prefixes : [],
  );
  expect(told).toEqual(prefixes);
  // The number of the one that was left out is missing.
  const numbers = records.map((one) => one?.sequence ?? 0);
  expect(numbers.at(-1)).toBe(numbers.length + 1);
  expect([lost.length, events.lost]).toEqual([1, 1]);
});

it('gives up what waits for too long, however many small records that are', async () => {
  const { events, broker, lost } = writer(1_024);
  while (lost.length === 0) events.toAll({ type: 'watermark', up: true, clockOffsetMs: 0 });
  expect(events.lost).toBeGreaterThan(200_000);
  expect([events.written, events.writtenBytes]).toEqual([0, 0]);
  broker.isAway = false;
  await events.flush(new AbortController().signal);
  expect(events.written).toBeGreaterThan(0);
});
