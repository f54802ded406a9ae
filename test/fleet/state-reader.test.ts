/** What a partition of the topic of state may have, whoever can write to it. */
import { expect, it } from 'vitest';
import { MAX_FOREIGN_BYTES, MAX_FOREIGN_KEYS, readState } from '../../src/fleet/member/state-reader.ts';
import { FakeBrokers } from '../kafka/fake-brokers.ts';

const TOPIC = 'state';
const OWN = '192.0.2.0/24';

function partition() {
  const brokers = new FakeBrokers();
  brokers.create(TOPIC, 1);
  const write = (key: string, value: Buffer | undefined) =>
    brokers.write(TOPIC, value, { partition: 0, key: Buffer.from(key) });
  const read = () => readState(brokers.connect(), TOPIC, 0, new Set([OWN]), new AbortController().signal);
  return { write, read };
}

it('reads the newest value of each key, and none that was taken away', async () => {
  const { write, read } = partition();
  write('10.0.0.0/24', Buffer.from('old'));
  write(OWN, Buffer.from('old'));
  write(OWN, Buffer.from('new'));
  write('10.0.0.0/24', Buffer.from('new'));
  write('10.0.1.0/24', Buffer.from('gone'));
  write('10.0.1.0/24', undefined);
  const { values, timesMs } = await read();
  expect([...values].map(([key, value]) => [key, String(value)])).toEqual([
    [OWN, 'new'],
    ['10.0.0.0/24', 'new'],
  ]);
  expect([...timesMs.keys()]).toEqual([OWN, '10.0.0.0/24']);
});

it('remembers a bounded number of keys that nobody expects, and every key that is expected', async () => {
  const { write, read } = partition();
  for (let i = 0; i < MAX_FOREIGN_KEYS + 100; i++) write(`10.${i >> 8}.${i & 255}.0/24`, Buffer.from('x'));
  // One that leaves makes room.
  write('10.0.0.0/24', undefined);
  write('198.51.100.0/24', Buffer.from('x'));
  write('198.51.101.0/24', Buffer.from('x'));
  write(OWN, Buffer.from('own'));
  write('x'.repeat(100_000), Buffer.from('x'));
  const { values, timesMs } = await read();
  expect(timesMs.size).toBe(MAX_FOREIGN_KEYS + 1);
  expect(timesMs.has('198.51.100.0/24')).toBe(true);
  expect(timesMs.has('198.51.101.0/24')).toBe(false);
  expect(String(values.get(OWN))).toBe('own');
});

it('keeps a bounded number of bytes of them, and knows the keys of the others', async () => {
  const { write, read } = partition();
  const large = Buffer.alloc(MAX_FOREIGN_BYTES / 16);
  for (let i = 0; i < 40; i++) write(`10.0.${i % 20}.0/24`, large);
  write(OWN, large);
  const { values, timesMs } = await read();
  expect(timesMs.size).toBe(21);
  expect(values.size).toBe(17);
  expect(values.has(OWN)).toBe(true);
});
