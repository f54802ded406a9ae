/** Reads a partition of the topic of state, whole. */
import { type BrokerClient, UnreadableBatch } from '../../kafka/broker-client.ts';
import { fetchReadable } from '../unreadable.ts';

export interface ReadState {
  /** The newest value by key. */
  readonly values: ReadonlyMap<string, Buffer>;
  /** When each was written, Unix ms. */
  readonly timesMs: ReadonlyMap<string, number>;
  /** Records that are damaged and were passed over. */
  readonly damaged: number;
}

/**
 * Rejects with the library's error, and with an `UnreadableBatch` where another Node.js could read what this one cannot: whoever
 * goes on without it would write over it.
 */
export async function readState(
  client: BrokerClient,
  topic: string,
  partition: number,
  signal: AbortSignal,
): Promise<ReadState> {
  const found = (await client.partitions((name) => name === topic)).find((one) => one.partition === partition);
  if (found === undefined || found.leader < 0) throw new Error(`partition ${partition} of ${topic} is not served`);
  const [[oldest], [end]] = await Promise.all([client.offsets([found], 'oldest'), client.offsets([found], 'end')]);
  const values = new Map<string, Buffer>();
  const timesMs = new Map<string, number>();
  let damaged = 0;
  for (let offset = Math.max(0, oldest); offset < end && !signal.aborted; ) {
    const [answer] = await fetchReadable(client, found.leader, [{ partition: found, offset }], 'now');
    if (answer?.kind === 'unreadable') {
      if (answer.reason === 'compression') throw new UnreadableBatch(answer.reason, undefined);
      damaged += answer.nextOffset - answer.fromOffset;
      offset = answer.nextOffset;
      continue;
    }
    if (answer?.kind !== 'records') throw new Error(`partition ${partition} of ${topic} moved while it was read`);
    for (const { key, value, timeMs } of answer.records) {
      if (key === undefined) continue;
      const text = key.toString();
      if (value === undefined) {
        values.delete(text);
        timesMs.delete(text);
        continue;
      }
      // An answer of megabytes must not be kept for one value in it.
      values.set(text, Buffer.from(value));
      timesMs.set(text, timeMs);
    }
    offset = answer.nextOffset;
  }
  return { values, timesMs, damaged };
}
