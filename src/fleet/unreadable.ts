/**
 * Reads past batches that cannot be read. An error of the library spoils the whole answer of a broker, with all partitions that
 * are in it, and does not tell where the batch is: here it is found by asking for less.
 */
import {
  type BrokerClient,
  type Fetched,
  type Partition,
  UnreadableBatch,
  type UnreadableReason,
  type Wanted,
} from '../kafka/broker-client.ts';
import type { LogRecord } from '../kafka/record-batches.ts';

/** Records that cannot be read, from the wanted offset on. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly partition: Partition;
  readonly reason: UnreadableReason;
  /** Offset of the first, and from where on there is something to read. */
  readonly fromOffset: number;
  readonly nextOffset: number;
  readonly endOffset: number;
}

/** Why records cannot be read, and what to do. */
export const UNREADABLE_ADVICE: Readonly<Record<UnreadableReason, string>> = {
  compression:
    "they are compressed by zstd, which needs Node.js 22.15 or later; run that, or set the topic's compression.type to another",
  damaged: 'a batch is damaged; look at the disks of its broker',
};

/** Records that are read one batch after the other before they are handed on. */
const MAX_RECORDS = 4_000;

/** As `BrokerClient.fetch`, but what cannot be read is an answer of its partition, and spoils no other one. */
export async function fetchReadable(
  client: BrokerClient,
  broker: number,
  wanted: readonly Wanted[],
  pace: 'wait' | 'now' = 'wait',
): Promise<readonly (Fetched | Unreadable)[]> {
  try {
    return await client.fetch(broker, wanted, pace);
  } catch (error) {
    if (!(error instanceof UnreadableBatch)) throw error;
    if (wanted.length === 1) return [await readUpTo(client, broker, wanted[0])];
    const half = wanted.length >> 1;
    // What is readable has waited already.
    const first = await fetchReadable(client, broker, wanted.slice(0, half), 'now');
    return [...first, ...(await fetchReadable(client, broker, wanted.slice(half), 'now'))];
  }
}

/** The records before the batch that cannot be read; where there are none, the batch. */
async function readUpTo(client: BrokerClient, broker: number, wanted: Wanted): Promise<Fetched | Unreadable> {
  const { partition, offset } = wanted;
  const records: LogRecord[] = [];
  let [nextOffset, endOffset] = [offset, offset];
  for (;;) {
    const answer = await oneBatch(client, broker, { partition, offset: nextOffset });
    if (answer instanceof UnreadableBatch) {
      if (nextOffset > offset) break;
      const [end] = await client.offsets([partition], 'end');
      const next = await readableAfter(client, broker, wanted, end);
      const { reason } = answer;
      return { kind: 'unreadable', partition, reason, fromOffset: offset, nextOffset: next, endOffset: end };
    }
    if (answer?.kind !== 'records') {
      if (nextOffset > offset) break;
      return answer ?? { kind: 'moved', partition };
    }
    for (const record of answer.records) records.push(record);
    const isEnd = answer.nextOffset <= nextOffset || answer.nextOffset >= answer.endOffset;
    ({ nextOffset, endOffset } = answer);
    if (isEnd || records.length >= MAX_RECORDS) break;
  }
  return { kind: 'records', partition, records, nextOffset, endOffset };
}

/**
 * The offset behind a batch that cannot be read: each offset inside it gives the batch once more. Found in some twice as many
 * requests as the number of its records has bits.
 * @param end one behind the newest record of the partition
 */
async function readableAfter(client: BrokerClient, broker: number, { partition, offset }: Wanted, end: number) {
  const isReadable = async (at: number): Promise<boolean> =>
    !((await oneBatch(client, broker, { partition, offset: at })) instanceof UnreadableBatch);
  let [bad, good] = [offset, Math.max(end, offset + 1)];
  for (let step = 1; bad + step < good; step *= 2) {
    if (await isReadable(bad + step)) good = bad + step;
    else bad += step;
  }
  while (good - bad > 1) {
    const middle = bad + Math.floor((good - bad) / 2);
    if (await isReadable(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

async function oneBatch(
  client: BrokerClient,
  broker: number,
  wanted: Wanted,
): Promise<Fetched | UnreadableBatch | undefined> {
  try {
    return (await client.fetch(broker, [wanted], 'one batch'))[0];
  } catch (error) {
    if (error instanceof UnreadableBatch) return error;
    throw error;
  }
}
