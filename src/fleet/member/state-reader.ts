/** Reads a partition of the topic of state, whole. */
import { type BrokerClient, UnreadableBatch } from '../../kafka/broker-client.ts';
import { fetchReadable } from '../unreadable.ts';

/** Keys that the exporter does not expect, of one partition: so many are remembered, with values of so many bytes. */
export const MAX_FOREIGN_KEYS = 20_000;
export const MAX_FOREIGN_BYTES = 16 * 1_048_576;
/** No prefix is longer. */
const MAX_KEY_BYTES = 64;

export interface ReadState {
  /** The newest value by key; of keys that are not expected as far as there is room. */
  readonly values: ReadonlyMap<string, Buffer>;
  /** When each was written, Unix ms. */
  readonly timesMs: ReadonlyMap<string, number>;
  /** Records that are damaged and were passed over. */
  readonly damaged: number;
}

/**
 * Rejects with the library's error, and with an `UnreadableBatch` where another Node.js could read what this one cannot: whoever
 * goes on without it would write over it.
 * @param expected the keys whose values are wanted. Others may be wanted soon, after a reload, and are kept within bounds
 */
export async function readState(
  client: BrokerClient,
  topic: string,
  partition: number,
  expected: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadState> {
  const found = (await client.partitions((name) => name === topic)).find((one) => one.partition === partition);
  if (found === undefined || found.leader < 0) throw new Error(`partition ${partition} of ${topic} is not served`);
  const [[oldest], [end]] = await Promise.all([client.offsets([found], 'oldest'), client.offsets([found], 'end')]);
  const values = new Map<string, Buffer>();
  const timesMs = new Map<string, number>();
  let damaged = 0;
  let foreign = 0;
  let foreignBytes = 0;
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
      if (key === undefined || key.length > MAX_KEY_BYTES) continue;
      const text = key.toString();
      const isForeign = !expected.has(text);
      if (isForeign && timesMs.has(text)) {
        foreign--;
        foreignBytes -= values.get(text)?.length ?? 0;
      }
      values.delete(text);
      timesMs.delete(text);
      if (value === undefined || (isForeign && foreign >= MAX_FOREIGN_KEYS)) continue;
      timesMs.set(text, timeMs);
      if (isForeign) {
        foreign++;
        if (foreignBytes + value.length > MAX_FOREIGN_BYTES) continue;
        foreignBytes += value.length;
      }
      // An answer of megabytes must not be kept for one value in it.
      values.set(text, Buffer.from(value));
    }
    offset = answer.nextOffset;
  }
  return { values, timesMs, damaged };
}
