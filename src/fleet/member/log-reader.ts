/** Reads partitions of one topic from given offsets, without a group: positions are those that whoever asks gives. */
import type { BrokerClient, Fetched, Partition } from '../../kafka/broker-client.ts';
import type { LogRecord } from '../../kafka/record-batches.ts';
import { deepest } from '../../kafka/source.ts';
import type { Logger } from '../../logger.ts';
import { errorText, redactor } from '../../secrets/redaction.ts';
import { sleep, type Timers } from '../../stream/timers.ts';

export interface LogReaderOptions {
  /** Makes a client of the brokers; one for each attempt. */
  readonly connect: () => BrokerClient;
  readonly topic: string;
  readonly timers: Timers;
  readonly log: Logger;
  readonly secrets: readonly string[];
  /** Records of a partition, maybe none; the next are asked for when this is done. */
  readonly onRecords: (
    partition: number,
    records: readonly LogRecord[],
    nextOffset: number,
    endOffset: number,
    /** When they were asked for, by `Timers.elapsed`. */
    askedAtMs: number,
  ) => Promise<void>;
  /** What was wanted is no longer there: reading goes on at the oldest record. */
  readonly onGap: (partition: number) => void;
}

const RETRY_MS = 1_000;
const IDLE_MS = 50;
const METADATA_MS = 30_000;

export class LogReader {
  readonly #options: LogReaderOptions;
  readonly #positions = new Map<number, { readonly offset: number }>();
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** @param offset of the next record */
  read(partition: number, offset: number): void {
    this.#positions.set(partition, { offset });
  }

  end(partition: number): void {
    this.#positions.delete(partition);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { connect, timers, log, secrets } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const client = connect();
      try {
        await this.#readWith(client, signal);
      } catch (error) {
        if (!this.#hasFailed)
          log.warn('events cannot be read, trying again', { error: errorText(deepest(error), redactor(secrets)) });
        this.#hasFailed = true;
        await sleep(timers, RETRY_MS, signal);
      } finally {
        await Promise.race([client.close(), sleep(timers, 1_000, signal)]);
      }
    }
  }

  async #readWith(client: BrokerClient, signal: AbortSignal): Promise<void> {
    const { topic, timers } = this.#options;
    let at = new Map<number, Partition>();
    let foundAtMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      if (this.#positions.size === 0) {
        await sleep(timers, IDLE_MS, signal);
        continue;
      }
      if (timers.elapsed() - foundAtMs > METADATA_MS) {
        at = new Map((await client.partitions((name) => name === topic)).map((one) => [one.partition, one]));
        foundAtMs = timers.elapsed();
      }
      const byLeader = new Map<number, { partition: Partition; offset: number }[]>();
      for (const [number, { offset }] of this.#positions) {
        const partition = at.get(number);
        if (partition === undefined || partition.leader < 0) continue;
        const some = byLeader.get(partition.leader);
        if (some === undefined) byLeader.set(partition.leader, [{ partition, offset }]);
        else some.push({ partition, offset });
      }
      const askedAtMs = timers.elapsed();
      const answers = await Promise.all([...byLeader].map(([leader, wanted]) => client.fetch(leader, wanted)));
      if (byLeader.size === 0 || answers.some((some) => some.some(({ kind }) => kind === 'moved'))) {
        foundAtMs = Number.NEGATIVE_INFINITY;
        await sleep(timers, RETRY_MS, signal);
      }
      this.#hasFailed = false;
      for (const answer of answers.flat()) if (!signal.aborted) await this.#take(client, answer, askedAtMs);
    }
  }

  async #take(client: BrokerClient, answer: Fetched, askedAtMs: number): Promise<void> {
    const { onRecords, onGap } = this.#options;
    const { partition } = answer.partition;
    const position = this.#positions.get(partition);
    if (position === undefined || answer.kind === 'moved') return;
    if (answer.kind === 'out_of_range') {
      const [oldest] = await client.offsets([answer.partition], 'oldest');
      onGap(partition);
      if (this.#positions.has(partition)) this.#positions.set(partition, { offset: Math.max(0, oldest) });
      return;
    }
    // It was asked to begin elsewhere meanwhile.
    const records = answer.records.filter(({ offset }) => offset >= position.offset);
    if (answer.nextOffset < position.offset) return;
    await onRecords(partition, records, answer.nextOffset, answer.endOffset, askedAtMs);
    // Whoever asked again meanwhile, be it at the same place, has not got them.
    if (this.#positions.get(partition) === position) this.#positions.set(partition, { offset: answer.nextOffset });
  }
}

/** All of a compacted partition: the newest value by key. Rejects with the library's error. */
export async function readState(
  client: BrokerClient,
  topic: string,
  partition: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
  const found = (await client.partitions((name) => name === topic)).find((one) => one.partition === partition);
  if (found === undefined || found.leader < 0) throw new Error(`partition ${partition} of ${topic} is not served`);
  const [[oldest], [end]] = [await client.offsets([found], 'oldest'), await client.offsets([found], 'end')];
  const newest = new Map<string, Buffer>();
  for (let offset = Math.max(0, oldest); offset < end && !signal.aborted; ) {
    const [answer] = await client.fetch(found.leader, [{ partition: found, offset }]);
    if (answer?.kind !== 'records') throw new Error(`partition ${partition} of ${topic} moved while it was read`);
    for (const { key, value } of answer.records) {
      if (key === undefined) continue;
      if (value === undefined) newest.delete(key.toString());
      else newest.set(key.toString(), Buffer.from(value));
    }
    offset = answer.nextOffset;
  }
  return newest;
}
