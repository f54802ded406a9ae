/** Brokers in memory: topics that tests write to, delete and move. */
import {
  type BrokerClient,
  type Fetched,
  type FetchPace,
  type Partition,
  UnreadableBatch,
  type UnreadableReason,
  type Wanted,
} from '../../src/kafka/broker-client.ts';
import type { LogRecord } from '../../src/kafka/record-batches.ts';

interface Log {
  partition: Partition;
  /** Offset of the first record that is kept. */
  start: number;
  /** Batches that cannot be read, from one offset up to before another. */
  readonly spoilt: { readonly from: number; readonly to: number; readonly reason: UnreadableReason }[];
  readonly records: { readonly value: Buffer | undefined; readonly timeMs: number; readonly key: Buffer | undefined }[];
}

export class FakeBrokers {
  readonly #logs = new Map<string, Log>();
  readonly #waiting = new Set<() => void>();
  /** What every call fails of. */
  failure: Error | undefined;
  /** Asked about each fetch; throws for one that fails. */
  onFetch: (wanted: readonly Wanted[]) => void = () => {};
  clients = 0;
  closed = 0;
  #ids = 0;

  create(topic: string, partitions = 1, leader = 1): void {
    const topicId = `id-${++this.#ids}`;
    for (let partition = 0; partition < partitions; partition++)
      this.#logs.set(`${topic} ${partition}`, {
        ...{ partition: { topic, topicId, partition, leader }, start: 0, records: [], spoilt: [] },
      });
  }

  delete(topic: string): void {
    for (const [place, { partition }] of this.#logs) if (partition.topic === topic) this.#logs.delete(place);
    this.#changed();
  }

  move(topic: string, leader: number): void {
    for (const log of this.#logs.values())
      if (log.partition.topic === topic) log.partition = { ...log.partition, leader };
    this.#changed();
  }

  write(
    topic: string,
    value: Buffer | undefined,
    { partition = 0, timeMs = 0, key }: { partition?: number; timeMs?: number; key?: Buffer } = {},
  ): void {
    this.#log(topic, partition).records.push({ value, timeMs, key });
    this.#changed();
  }

  /** Makes one batch of records, which cannot be read. */
  spoil(topic: string, partition: number, from: number, to: number, reason: UnreadableReason): void {
    this.#log(topic, partition).spoilt.push({ from, to, reason });
  }

  /** Deletes the oldest records. */
  expire(topic: string, until: number): void {
    const log = this.#log(topic, 0);
    log.records.splice(0, until - log.start);
    log.start = until;
  }

  /** Every request that waits fails. */
  cut(failure: Error): void {
    this.failure = failure;
    this.#changed();
  }

  readonly connect = (): BrokerClient => {
    this.clients++;
    let isClosed = false;
    return {
      partitions: async (isWanted) => {
        this.#check();
        return [...this.#logs.values()].map(({ partition }) => partition).filter(({ topic }) => isWanted(topic));
      },
      offsets: async (partitions, which) => {
        this.#check();
        return partitions.map(({ topic, partition }) => {
          const { start, records } = this.#log(topic, partition);
          return which === 'oldest' ? start : start + records.length;
        });
      },
      fetch: async (broker, wanted, pace = 'wait') => {
        for (;;) {
          this.#check();
          if (isClosed) throw new Error('the client is closed');
          this.onFetch(wanted);
          const answers = wanted.map((one) => this.#answer(broker, one, pace));
          if (pace !== 'wait' || answers.some((answer) => answer.kind !== 'records' || answer.records.length > 0))
            return answers;
          await new Promise<void>((resolve) => this.#waiting.add(resolve));
        }
      },
      close: async () => {
        this.closed++;
        isClosed = true;
        this.#changed();
      },
    };
  };

  #answer(broker: number, { partition, offset }: Wanted, pace: FetchPace): Fetched {
    const log = this.#logs.get(`${partition.topic} ${partition.partition}`);
    if (log === undefined || log.partition.leader !== broker || log.partition.topicId !== partition.topicId)
      return { kind: 'moved', partition };
    const endOffset = log.start + log.records.length;
    if (offset < log.start || offset > endOffset) return { kind: 'out_of_range', partition };
    // Each record is a batch of its own, unless it is in one that cannot be read.
    const nextOffset = pace === 'one batch' ? Math.min(offset + 1, endOffset) : endOffset;
    const bad = log.spoilt.find(({ from, to }) => from < nextOffset && to > offset);
    if (bad !== undefined) throw new UnreadableBatch(bad.reason, undefined);
    const records: LogRecord[] = log.records
      .slice(offset - log.start, nextOffset - log.start)
      .map((record, i) => ({ offset: offset + i, ...record }));
    return { kind: 'records', partition, records, nextOffset, endOffset };
  }

  #log(topic: string, partition: number): Log {
    const log = this.#logs.get(`${topic} ${partition}`);
    if (log === undefined) throw new Error(`no topic ${topic}`);
    return log;
  }

  #check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
