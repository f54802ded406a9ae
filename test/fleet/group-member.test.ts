/** One name, two exporters: the one that was there waits, and says so, rather than take the name back. */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type GroupLibrary, GroupMember, rendezvous } from '../../src/fleet/group-member.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { until } from '../support/patience.ts';

const SESSION_MS = 30_000;

/** The brokers' word, in the form of the library: an error that may be inside others. */
const brokerError = (apiId: string) =>
  Object.assign(new Error(`the broker says ${apiId}`), {
    findBy(property: string, value: unknown) {
      return (this as unknown as Record<string, unknown>)[property] === value ? this : null;
    },
    apiId,
  });

function world() {
  const timers = new ManualTimers();
  const log = new RecordingLogger();
  /** Who has the name, by its host; what `joinGroup` fails of. */
  const group: { holder: string | undefined; failure: Error | undefined } = { holder: undefined, failure: undefined };
  const joins: (string | null)[] = [];
  const ends: string[] = [];
  let consumer!: Consumer;
  class Consumer extends EventEmitter {
    memberId: string | null = null;
    readonly topics = { track: () => {} };
    /** Reads what the member says of itself, as the library does when it writes the request. */
    request: () => void = () => {};

    constructor() {
      super();
      consumer = this;
    }

    async joinGroup({ protocols }: { protocols: readonly { readonly metadata: string }[] }): Promise<void> {
      joins.push(this.memberId);
      this.request = () => void protocols.map(({ metadata }) => metadata);
      this.request();
      if (group.failure !== undefined) throw group.failure;
      this.memberId = `member-${joins.length}`;
      this.joined();
    }

    joined(): void {
      this.emit('consumer:group:join', { assignments: [{ topic: 'e', partitions: [0, 1] }], generationId: 1 });
    }

    async leaveGroup(): Promise<void> {
      ends.push(`leaves as ${this.memberId}`);
    }

    async close(): Promise<void> {
      ends.push('closes');
    }
  }
  class Admin {
    async describeGroups() {
      const member = { groupInstanceId: 'exporter-0', clientHost: `/${group.holder}` };
      return new Map([['fleet', { members: new Map(group.holder === undefined ? [] : [['id', member]]) }]]);
    }
    async close(): Promise<void> {}
  }
  const assigned: number[][] = [];
  const member = new GroupMember({
    connection: { brokers: ['127.0.0.1:1'], tls: undefined, sasl: undefined },
    ...{ clientId: 'x', group: 'fleet', instance: 'exporter-0', says: () => 'exporter-0', topic: 'e' },
    ...{ sessionTimeoutMs: SESSION_MS, assign: rendezvous, timers, log },
    load: () => Promise.resolve({ Admin, Consumer } as unknown as GroupLibrary),
    onAssigned: (partitions) => assigned.push([...partitions]),
  });
  const start = async () => {
    await member.start();
    await until(() => expect(joins).toHaveLength(1));
    await until(() => expect(member.isCurrent).toBe(true));
  };
  return { member, timers, log, group, joins, ends, assigned, start, consumer: () => consumer };
}

const messages = (log: RecordingLogger, level: string) =>
  log.lines.filter((line) => line.level === level).map(({ message }) => message);

describe('a name that another exporter takes', () => {
  it('is told once, and the exporter waits until it is free; then it joins as a new member', async () => {
    const { member, timers, log, group, joins, start, consumer } = world();
    await start();
    group.holder = '192.0.2.7';
    group.failure = brokerError('FENCED_INSTANCE_ID');
    consumer().emit('consumer:heartbeat:error', { error: group.failure });
    await until(() => expect(member.isFenced).toBe(true));
    expect([member.fenced, member.isCurrent]).toEqual([1, false]);
    expect(messages(log, 'error')).toEqual([
      'another exporter has joined the fleet by the name of this one: this one shows no prefix until that one is gone; give each exporter a fleet.instance of its own',
    ]);
    expect(messages(log, 'warn')).toEqual([]);
    const before = joins.length;
    for (let session = 0; session < 5; session++) {
      await until(() => expect(timers.nextInMs).toBeLessThanOrEqual(SESSION_MS));
      timers.advance(SESSION_MS);
    }
    expect(joins).toHaveLength(before);
    group.holder = undefined;
    group.failure = undefined;
    timers.advance(SESSION_MS);
    await until(() => expect(member.isCurrent).toBe(true));
    expect([member.isFenced, member.fenced, joins.at(-1)]).toEqual([false, 1, null]);
    await member.stop();
  });

  it('is also logged by the member that takes the name, because it may be no restart', async () => {
    const { member, log, group, start } = world();
    group.holder = '192.0.2.7';
    await start();
    expect(log.lines[0]).toEqual({
      level: 'info',
      message: expect.stringMatching(
        /^the fleet has a member by the name of this exporter, whose place this one takes/,
      ),
      fields: { instance: 'exporter-0', group: 'fleet', host: '192.0.2.7' },
    });
    await member.stop();
  });
});

describe('a member', () => {
  it('joins once more after an error of a heartbeat: the library sends no more of them then', async () => {
    const { member, joins, log, start, consumer } = world();
    await start();
    consumer().emit('consumer:heartbeat:error', { error: brokerError('GROUP_AUTHORIZATION_FAILED') });
    await until(() => expect(joins).toHaveLength(2));
    expect(messages(log, 'warn')).toEqual(['the group of the fleet was lost']);
    await member.stop();
  });

  it('counts its session from when it asked to join, not from when the answer was processed', async () => {
    const { member, timers, start, consumer } = world();
    await start();
    timers.advance(SESSION_MS);
    expect(member.isCurrent).toBe(false);
    consumer().request();
    // The process is stopped: others have the partitions by then.
    timers.advance(SESSION_MS);
    consumer().joined();
    expect(member.isCurrent).toBe(false);
    consumer().emit('consumer:heartbeat:start');
    consumer().emit('consumer:heartbeat:end');
    expect(member.isCurrent).toBe(true);
    await member.stop();
  });

  it('asks another time who leads the group when a heartbeat fails, and joins as the same member', async () => {
    const { member, joins, ends, assigned, start, consumer } = world();
    await start();
    const first = consumer();
    first.emit('consumer:heartbeat:error', { error: brokerError('NOT_COORDINATOR') });
    await until(() => expect(joins).toEqual([null, 'member-1']));
    // Its client ends, and the member stays in the group.
    await until(() => expect(ends).toEqual(['leaves as null', 'closes']));
    expect([assigned.length, member.isCurrent]).toEqual([2, true]);
    // What the old client still says counts no longer.
    first.joined();
    expect(assigned).toHaveLength(2);
    await member.stop();
  });

  it('does not wait for the answer to a heartbeat for longer than half of the session', async () => {
    const { member, timers, joins, start, consumer } = world();
    await start();
    consumer().emit('consumer:heartbeat:start');
    timers.advance(SESSION_MS / 2);
    consumer().emit('consumer:heartbeat:end');
    // A rebalance has no heartbeats, and may take long.
    consumer().emit('consumer:heartbeat:start');
    consumer().emit('consumer:group:rebalance');
    timers.advance(SESSION_MS);
    expect(joins).toHaveLength(1);
    consumer().emit('consumer:heartbeat:start');
    timers.advance(SESSION_MS);
    await until(() => expect(joins).toHaveLength(2));
    await member.stop();
  });
});
