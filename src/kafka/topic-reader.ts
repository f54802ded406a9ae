/**
 * Reads all partitions of some topics from their ends, without a group, and keeps the positions. A partition that appears
 * later is read from its beginning. One run lasts until a broker is lost; the next goes on where it was.
 */
import { MAX_PARTITIONS } from '../stream/source.ts';
import type { Timers } from '../stream/timers.ts';
import { type BrokerClient, type Fetched, type Partition, UnreadableBatch } from './broker-client.ts';
import type { LogRecord } from './record-batches.ts';

/** Between two looks for topics that came, went or moved, ms. */
const DISCOVER_MS = 30_000;

/** How soon it is looked where a partition has moved to, ms. */
const MOVED_MS = 1_000;

/** How far the reader is in one partition. */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  /** The offset of the next record. */
  offset: number;
  /** One behind the newest record, as the broker said last. */
  endOffset: number;
  /** The timestamp of the last record that was read, Unix ms; undefined before the first. */
  timeMs: number | undefined;
}

export interface ReaderEvents {
  /** Records of one partition, one at least, in their order. */
  records(position: Position, records: readonly LogRecord[]): void;
  /** Everything that one answer held was given. */
  answered(): Promise<void>;
  /** The partition is gone. */
  ended(position: Position): void;
  /** Records were lost before they could be read: `detail` says how many and where. */
  lost(position: Position, detail: string): void;
}

interface Reading extends Position {
  at: Partition;
}

export class TopicReader {
  readonly #isWanted: (topic: string) => boolean;
  readonly #events: ReaderEvents;
  readonly #timers: Timers;
  readonly #positions = new Map<string, Reading>();
  #isFirst = true;
  #unread = 0;

  constructor(isWanted: (topic: string) => boolean, events: ReaderEvents, timers: Timers) {
    this.#isWanted = isWanted;
    this.#events = events;
    this.#timers = timers;
  }

  get positions(): Iterable<Position> {
    return this.#positions.values();
  }

  /** Partitions that are there and not read, because there are too many. */
  get unread(): number {
    return this.#unread;
  }

  /**
   * Looks for topics; finds where to begin in those that are new.
   * @returns how many partitions are read
   */
  async discover(client: BrokerClient): Promise<number> {
    const found = await client.partitions(this.#isWanted);
    const read = found.slice(0, MAX_PARTITIONS);
    this.#unread = found.length - read.length;
    const places = new Set(read.map(placeOf));
    const added: Partition[] = [];
    for (const partition of read) {
      const known = this.#positions.get(placeOf(partition));
      if (known !== undefined && known.at.topicId === partition.topicId) known.at = partition;
      else {
        // A topic that was deleted and made once more is another one.
        if (known !== undefined) this.#end(known);
        added.push(partition);
      }
    }
    for (const [place, position] of this.#positions) if (!places.has(place)) this.#end(position);
    const offsets = await client.offsets(added, this.#isFirst ? 'end' : 'oldest');
    for (const [i, at] of added.entries()) {
      const { topic, partition } = at;
      const offset = Math.max(0, offsets[i]);
      this.#positions.set(placeOf(at), { topic, partition, offset, endOffset: offset, timeMs: undefined, at });
    }
    if (this.#positions.size > 0) this.#isFirst = false;
    return this.#positions.size;
  }

  /** Reads until the signal is aborted; rejects when a broker does not answer. */
  async read(client: BrokerClient, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const stop = (): void => over.abort();
    signal.addEventListener('abort', stop);
    const running = new Set<number>();
    let fail!: (error: unknown) => void;
    const failure = new Promise<never>((_, reject) => {
      fail = reject;
    });
    failure.catch(() => {}); // it may fail while it is looked for topics
    try {
      while (!signal.aborted) {
        for (const { at } of this.#positions.values()) {
          const { leader } = at;
          if (leader < 0 || running.has(leader)) continue;
          running.add(leader);
          this.#readFrom(client, leader, over.signal).then(() => running.delete(leader), fail);
        }
        await Promise.race([failure, this.#pause(over.signal)]);
        if (!signal.aborted) await this.discover(client);
      }
    } finally {
      stop();
      signal.removeEventListener('abort', stop);
    }
  }

  /** Asks one broker again and again, until it serves nothing any more. */
  async #readFrom(client: BrokerClient, broker: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#isServing(broker)) {
      const readings = [...this.#positions.values()].filter(({ at }) => at.leader === broker);
      const answers = await this.#fetch(client, broker, readings);
      // What comes after the end is asked for once more by the next run.
      for (const answer of answers) if (!signal.aborted) await this.#take(client, answer);
      if (signal.aborted) return;
      await this.#events.answered();
    }
  }

  /** Finds the partition of a batch that cannot be read, and skips the rest of that partition's log. */
  async #fetch(client: BrokerClient, broker: number, readings: readonly Reading[]): Promise<readonly Fetched[]> {
    try {
      return await client.fetch(
        broker,
        readings.map(({ at, offset }) => ({ partition: at, offset })),
      );
    } catch (error) {
      if (!(error instanceof UnreadableBatch)) throw error;
      if (readings.length === 1) {
        await this.#passOver(client, readings[0], error.message);
        return [];
      }
      const half = readings.length >> 1;
      const first = await this.#fetch(client, broker, readings.slice(0, half));
      return [...first, ...(await this.#fetch(client, broker, readings.slice(half)))];
    }
  }

  async #take(client: BrokerClient, answer: Fetched): Promise<void> {
    const reading = this.#positions.get(placeOf(answer.partition));
    if (reading === undefined || reading.at.topicId !== answer.partition.topicId) return;
    switch (answer.kind) {
      case 'records':
        reading.offset = Math.max(reading.offset, answer.nextOffset);
        reading.endOffset = Math.max(reading.offset, answer.endOffset);
        if (answer.records.length > 0) {
          this.#events.records(reading, answer.records);
          reading.timeMs = answer.records[answer.records.length - 1].timeMs;
        }
        break;
      case 'out_of_range':
        await this.#passOver(client, reading, 'its records were deleted before they were read');
        break;
      case 'moved':
        // Nobody serves it until the next look, which is soon.
        reading.at = { ...reading.at, leader: -1 };
        this.#wake();
    }
  }

  /** Goes on at the end of the log. */
  async #passOver(client: BrokerClient, reading: Reading, why: string): Promise<void> {
    const [end] = await client.offsets([reading.at], 'end');
    const missed = Math.max(0, end - reading.offset);
    this.#events.lost(
      reading,
      `${missed} records of ${reading.topic} partition ${reading.partition} were not read: ${why}`,
    );
    reading.offset = reading.endOffset = Math.max(0, end);
  }

  #end(position: Reading): void {
    this.#positions.delete(placeOf(position.at));
    this.#events.ended(position);
  }

  #isServing(broker: number): boolean {
    for (const { at } of this.#positions.values()) if (at.leader === broker) return true;
    return false;
  }

  /** Ends the pause that is under way soon, or the next one: something has moved. */
  #wake: () => void = () => {};

  /** Waits until the next look for topics. */
  #pause(signal: AbortSignal): Promise<void> {
    this.#endPause();
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      let cancel = this.#timers.schedule(finish, DISCOVER_MS);
      signal.addEventListener('abort', finish);
      this.#endPause = finish;
      this.#wake = () => {
        // Not at once: while the brokers choose a leader, every look would find none.
        this.#wake = () => {};
        cancel();
        cancel = this.#timers.schedule(finish, MOVED_MS);
      };
    });
  }

  #endPause: () => void = () => {};
}

function placeOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic} ${partition}`;
}
