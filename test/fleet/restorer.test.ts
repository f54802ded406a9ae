/** Restoring partitions: several at a time, none kept by another, and nothing written over that others can read. */
import { describe, expect, it } from 'vitest';
import type { Replica } from '../../src/fleet/member/replica.ts';
import { Restorer } from '../../src/fleet/member/restorer.ts';
import { encodeMark, encodeState, MARK } from '../../src/fleet/member/state-record.ts';
import { hashPartition } from '../../src/fleet/partitions.ts';
import { FakeBrokers } from '../kafka/fake-brokers.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { until } from '../support/patience.ts';
import { announced, memberOf, START_MS } from './member.ts';

const PARTITIONS = 8;
const TOPIC = 'state';
const PREFIXES = Array.from({ length: 40 }, (_, i) => `10.0.${i}.0/24`);
const partitionOf = (prefix: string) => hashPartition(prefix, PARTITIONS);

function world() {
  const brokers = new FakeBrokers();
  brokers.create(TOPIC, PARTITIONS);
  const before = memberOf(PREFIXES, partitionOf, PARTITIONS);
  for (const prefix of PREFIXES) announced(before.table, prefix, 3);
  for (const monitored of before.table.prefixes.monitored()) {
    const { text } = monitored.state.prefix;
    brokers.write(TOPIC, encodeState(before.table, monitored, 5, START_MS), {
      ...{ partition: partitionOf(text), key: Buffer.from(text) },
    });
  }
  const mark = { offset: 5, term: 7, sequence: 5, atMs: START_MS, unread: [], topicId: 'of-events' };
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const complete = PREFIXES.filter((prefix) => partitionOf(prefix) === partition);
    brokers.write(TOPIC, encodeMark({ ...mark, complete }), { partition, key: Buffer.from(MARK) });
  }
  const { table, replicas } = memberOf(PREFIXES, partitionOf, PARTITIONS);
  const timers = new ManualTimers();
  const log = new RecordingLogger();
  const restored: number[] = [];
  const counted = { unreadable: 0 };
  const stop = new AbortController();
  const own = new Set<Replica>(replicas);
  const restorer = new Restorer({
    ...{ connect: brokers.connect, topic: TOPIC, table, timers, log, secrets: [], signal: stop.signal },
    isOwn: (replica) => own.has(replica),
    onUnreadable: (records) => {
      counted.unreadable += records;
    },
    onRestored: ({ partition }) => restored.push(partition),
  });
  return { brokers, before, table, replicas, timers, log, restored, counted, stop, own, restorer };
}

const routes = (table: ReturnType<typeof world>['table']) =>
  [...table.prefixes.monitored()].map(({ state, announcements }) => [state.prefix.text, state.visible, announcements]);

describe('a restorer', () => {
  it('brings back all partitions, read several at a time, and tells each with its position', async () => {
    const { brokers, before, table, replicas, restored, restorer, log } = world();
    let most = 0;
    brokers.onFetch = () => {
      most = Math.max(most, brokers.clients - brokers.closed);
    };
    await restorer.restore(replicas);
    expect(routes(table)).toEqual(routes(before.table));
    expect([...restored].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(replicas.map(({ phase, nextOffset, term }) => [phase, nextOffset, term])).toEqual(
      replicas.map(() => ['replaying', 5, 7]),
    );
    expect(PREFIXES.every((prefix) => replicas[partitionOf(prefix)].isComplete(prefix))).toBe(true);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    expect(log.lines).toEqual([
      { level: 'info', message: 'state restored', fields: { partitions: 8, prefixes: 40, routes: 120 } },
    ]);
  });

  it('does not restore a partition whose state another Node.js can read, tells it once, and restores the others', async () => {
    const { brokers, replicas, timers, log, restored, restorer, stop } = world();
    for (const partition of [0, 1, 2, 3, 4]) brokers.spoil(TOPIC, partition, 1, 1_000, 'compression');
    const over = restorer.restore(replicas);
    await until(() => {
      timers.advance(1_000);
      expect([...restored].sort()).toEqual([5, 6, 7]);
    }, 50);
    const left = replicas.filter(({ phase }) => phase === 'restoring');
    expect(left.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4]);
    const attempts = brokers.clients;
    await until(() => {
      timers.advance(1_000);
      expect(brokers.clients).toBeGreaterThan(attempts + 10);
    }, 50);
    const told = log.lines.filter(({ level }) => level === 'error');
    expect(told.map(({ fields }) => fields.partition).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(told[0].message).toMatch(/^a partition cannot be restored: .* Node\.js 22\.15 or later/);
    stop.abort();
    timers.advance(1_000);
    await over;
  });

  it('passes over damaged state, counts it, and trusts nothing of the prefixes that were in it', async () => {
    const { brokers, table, replicas, log, counted, restorer } = world();
    brokers.spoil(TOPIC, 3, 0, 2, 'damaged');
    await restorer.restore(replicas);
    const own = PREFIXES.filter((prefix) => partitionOf(prefix) === 3);
    expect(own.length).toBeGreaterThan(3);
    const seen = new Map(routes(table).map(([prefix, visible]) => [prefix, visible]));
    expect(own.map((prefix) => [seen.get(prefix), replicas[3].isComplete(prefix)])).toEqual(
      own.map((_, i) => (i < 2 ? [0, false] : [3, true])),
    );
    expect(counted.unreadable).toBe(2);
    expect(log.lines.find(({ level }) => level === 'error')?.fields).toEqual({ partition: 3, records: 2 });
  });

  it('gives up a partition that went to another exporter meanwhile', async () => {
    const { replicas, restored, own, restorer } = world();
    own.delete(replicas[6]);
    await restorer.restore(replicas);
    expect([...restored].sort()).toEqual([0, 1, 2, 3, 4, 5, 7]);
    expect(replicas[6].phase).toBe('restoring');
  });

  it('takes partitions that are assigned while one cannot be read', async () => {
    const { brokers, replicas, timers, restored, restorer, stop } = world();
    brokers.spoil(TOPIC, 0, 0, 1_000, 'compression');
    const first = restorer.restore(replicas.slice(0, 1));
    const second = restorer.restore(replicas.slice(1));
    await until(() => {
      timers.advance(1_000);
      expect(restored).toHaveLength(7);
    }, 50);
    stop.abort();
    timers.advance(1_000);
    await Promise.all([first, second]);
  });
});
