/** Reads partitions of one topic from given offsets, without a group: positions are those that whoever asks gives. */
import type { BrokerClient, Fetched, Partition, UnreadableReason } from '../../kafka/broker-client.ts';
import { deepest } from '../../kafka/broker-error.ts';
import type { LogRecord } from '../../kafka/record-batches.ts';
import type { Logger } from '../../logger.ts';
import { errorText, redactor } from '../../secrets/redaction.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import { fetchReadable, UNREADABLE_ADVICE, type Unreadable } from '../unreadable.ts';

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
  /**
   * The topic is another one than that of the position, or has lost its newest records: reading goes on at the oldest record, and
   * offsets of before mean nothing. Not called where the position knew no topic.
   */
  readonly onOther: (partition: number) => void;
  /** Records that cannot be read were passed over. */
  readonly onUnreadable: (
    partition: number,
    reason: UnreadableReason,
    nextOffset: number,
    endOffset: number,
  ) => Promise<void>;
}

const RETRY_MS = 1_000;
const IDLE_MS = 50;
const METADATA_MS = 30_000;

interface Position {
  readonly offset: number;
  /** The identity of the topic in which the offset means something; undefined: not known yet. */
  readonly topicId: string | undefined;
}

export class LogReader {
  readonly #options: LogReaderOptions;
  readonly #positions = new Map<number, Position>();
  /** Partitions of which it was told that they cannot be read, until they can. */
  readonly #told = new Set<number>();
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #hasFailed = false;
  /** The topic of which it was told that it is another one: all of its partitions find that out, one after the other. */
  #toldTopicId: string | undefined;

  constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /**
   * @param offset of the next record
   * @param topicId the topic of the offset, as brokers number topics; undefined: that of now, whichever it is
   */
  read(partition: number, offset: number, topicId: string | undefined): void {
    this.#positions.set(partition, { offset, topicId });
  }

  /** The topic in which the partition is read; undefined: not known yet. */
  topicIdOf(partition: number): string | undefined {
    return this.#positions.get(partition)?.topicId;
  }

  end(partition: number): void {
    this.#positions.delete(partition);
    this.#told.delete(partition);
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
      for (const number of [...this.#positions.keys()]) {
        const partition = at.get(number);
        if (partition === undefined || partition.leader < 0) continue;
        const offset = await this.#offsetIn(client, partition);
        if (offset === undefined) continue;
        const some = byLeader.get(partition.leader);
        if (some === undefined) byLeader.set(partition.leader, [{ partition, offset }]);
        else some.push({ partition, offset });
      }
      const askedAtMs = timers.elapsed();
      const answers = (
        await Promise.all([...byLeader].map(([leader, wanted]) => fetchReadable(client, leader, wanted)))
      ).flat();
      if (byLeader.size === 0 || answers.some(({ kind }) => kind === 'moved')) {
        foundAtMs = Number.NEGATIVE_INFINITY;
        await sleep(timers, RETRY_MS, signal);
      }
      this.#hasFailed = false;
      for (const answer of answers) if (!signal.aborted) await this.#take(client, answer, askedAtMs);
      // Where nothing can be read, each batch that is written is searched for its end.
      if (answers.some(({ kind }) => kind === 'unreadable')) await sleep(timers, RETRY_MS, signal);
    }
  }

  /** From where the partition is to be read now; undefined: no longer at all. */
  async #offsetIn(client: BrokerClient, partition: Partition): Promise<number | undefined> {
    const number = partition.partition;
    const position = this.#positions.get(number);
    if (position === undefined || position.topicId === partition.topicId) return position?.offset;
    if (position.topicId === undefined) {
      this.#positions.set(number, { ...position, topicId: partition.topicId });
      return position.offset;
    }
    return this.#beginAgain(client, partition, () => this.#isOther(partition));
  }

  /** At the oldest record that there is. */
  async #beginAgain(client: BrokerClient, partition: Partition, tell: () => void): Promise<number | undefined> {
    const [oldest] = await client.offsets([partition], 'oldest');
    if (!this.#positions.has(partition.partition)) return undefined;
    const offset = Math.max(0, oldest);
    this.#positions.set(partition.partition, { offset, topicId: partition.topicId });
    tell();
    return offset;
  }

  #isOther({ topic, topicId, partition }: Partition): void {
    const { onOther, log } = this.#options;
    if (this.#toldTopicId !== topicId)
      log.error(
        'the topic of events was made again, or has lost its newest records: it is read from its beginning, and nothing is trusted until the ingest has read the history once more',
        { topic },
      );
    this.#toldTopicId = topicId;
    onOther(partition);
  }

  async #take(client: BrokerClient, answer: Fetched | Unreadable, askedAtMs: number): Promise<void> {
    const { onRecords, onGap, onUnreadable } = this.#options;
    const { partition } = answer.partition;
    const position = this.#positions.get(partition);
    if (position === undefined || answer.kind === 'moved') return;
    if (answer.kind === 'out_of_range') {
      const [end] = await client.offsets([answer.partition], 'end');
      // A log that ends before the position was made again, or its brokers have lost records that were read.
      const isOther = position.offset > end;
      await this.#beginAgain(client, answer.partition, () =>
        isOther ? this.#isOther(answer.partition) : onGap(partition),
      );
      return;
    }
    if (answer.nextOffset < position.offset) return;
    if (answer.kind === 'unreadable') {
      this.#tellUnreadable(answer);
      await onUnreadable(partition, answer.reason, answer.nextOffset, answer.endOffset);
    } else {
      // It was asked to begin elsewhere meanwhile.
      const records = answer.records.filter(({ offset }) => offset >= position.offset);
      if (records.length > 0) this.#told.delete(partition);
      await onRecords(partition, records, answer.nextOffset, answer.endOffset, askedAtMs);
    }
    // Whoever asked again meanwhile, be it at the same place, has not got them.
    if (this.#positions.get(partition) === position)
      this.#positions.set(partition, { ...position, offset: answer.nextOffset });
  }

  #tellUnreadable({ partition: { topic, partition }, reason, fromOffset, nextOffset }: Unreadable): void {
    if (this.#told.has(partition)) return;
    this.#told.add(partition);
    this.#options.log.error(`events cannot be read and are passed over: ${UNREADABLE_ADVICE[reason]}`, {
      ...{ topic, partition, offset: fromOffset, records: nextOffset - fromOffset },
    });
  }
}
