/** What is written into the topic of state: what has changed, all of it where the topic is another one, and what must go. */
import { describe, expect, it } from 'vitest';
import { decodeMark, MARK } from '../../src/fleet/member/state-record.ts';
import { type StateRecord, StateWriter } from '../../src/fleet/member/state-writer.ts';
import { FakeBrokers } from '../kafka/fake-brokers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { announced, memberOf, START_MS } from './member.ts';

const PREFIXES = ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24'];
const DAY_MS = 86_400_000;

function world() {
  const { table, replicas } = memberOf(PREFIXES, () => 0, 1);
  const [replica] = replicas;
  replica.begin(undefined, new Map());
  for (const prefix of PREFIXES) announced(table, prefix, 2);
  const sent: StateRecord[] = [];
  const log = new RecordingLogger();
  const state = { isOwn: true };
  const writer = new StateWriter({
    isOwn: () => state.isOwn,
    sender: {
      send: async (_, records) => {
        sent.push(...records);
      },
      close: async () => {},
    },
    ...{ topic: 'state', eventsTopicId: () => 'of-events', log, secrets: [] },
  });
  /** Keys that were written since the last call; `-KEY` was taken away. */
  const keys = () => sent.splice(0).map(({ key, value }) => (value === null ? `-${key}` : key));
  const write = async (nowMs = START_MS) => {
    await writer.write(replica, table, nowMs);
    return keys();
  };
  return { table, replica, writer, write, sent, log, state };
}

describe('the state of a partition', () => {
  it('is written where it has changed, with the topic of its offsets', async () => {
    const { table, write, writer, replica, sent } = world();
    expect(await write()).toEqual([...PREFIXES, MARK]);
    expect(await write()).toEqual([MARK]);
    announced(table, PREFIXES[1], 3);
    await writer.write(replica, table, START_MS);
    expect(sent.map(({ key }) => key)).toEqual([PREFIXES[1], MARK]);
    expect(decodeMark(sent[1].value as Buffer)?.topicId).toBe('of-events');
  });

  it('is written whole when the topic of its events was made again: the offsets of before mean nothing', async () => {
    const { write, writer } = world();
    await write();
    writer.forget(0);
    expect(await write()).toEqual([...PREFIXES, MARK]);
  });

  it('is written whole into a topic of state that was made again, and that is told', async () => {
    const { write, writer, log } = world();
    const brokers = new FakeBrokers();
    brokers.create('state');
    await writer.look(brokers.connect());
    await write();
    await writer.look(brokers.connect());
    expect(await write()).toEqual([MARK]);
    brokers.delete('state');
    await writer.look(brokers.connect());
    brokers.create('state');
    await writer.look(brokers.connect());
    expect(await write()).toEqual([...PREFIXES, MARK]);
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['error', 'the topic of state was made again: all of the state is written once more'],
    ]);
  });
});

describe('state of prefixes that are not monitored any more', () => {
  const timesMs = (ages: Readonly<Record<string, number>>) =>
    new Map(Object.entries(ages).map(([key, ageMs]) => [key, START_MS - ageMs]));

  it('is taken away when it is older than a day, by the owner', async () => {
    const { write, writer, replica, log } = world();
    writer.restored(replica, {
      timesMs: timesMs({ [MARK]: 2 * DAY_MS, [PREFIXES[0]]: 2 * DAY_MS, '10.9.0.0/24': 2 * DAY_MS, '10.8.0.0/24': 0 }),
    });
    expect(await write()).toEqual([...PREFIXES, MARK, '-10.9.0.0/24']);
    expect(await write()).toEqual([MARK]);
    // The younger one may be of an exporter that has a newer file already.
    expect(await write(START_MS + DAY_MS + 1)).toEqual([MARK, '-10.8.0.0/24']);
    expect(log.lines.map(({ fields }) => fields.prefixes)).toEqual([1, 1]);
  });

  it('stays while another exporter has the partition', async () => {
    const { write, writer, replica, state, log } = world();
    writer.restored(replica, { timesMs: timesMs({ '10.9.0.0/24': 2 * DAY_MS }) });
    state.isOwn = false;
    expect(await write()).toEqual([]);
    expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
  });

  it('goes a thousand at a time', async () => {
    const { write, writer, replica } = world();
    const ages = Object.fromEntries(
      Array.from({ length: 2_500 }, (_, i) => [`11.${i >> 8}.${i & 255}.0/24`, 2 * DAY_MS]),
    );
    writer.restored(replica, { timesMs: timesMs(ages) });
    const taken: number[] = [];
    for (let pass = 0; pass < 4; pass++) taken.push((await write()).filter((key) => key.startsWith('-')).length);
    expect(taken).toEqual([1_000, 1_000, 500, 0]);
  });
});
