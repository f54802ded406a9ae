/**
 * Writes the state of partitions: the prefixes that have changed since they were written, then what holds for all. Takes away what
 * the topic has of prefixes that nobody monitors any more.
 */
import type { Producer } from '@platformatic/kafka';
import { type BrokerClient, clientOptions, type KafkaConnection, loadKafkaLibrary } from '../../kafka/broker-client.ts';
import { deepest } from '../../kafka/broker-error.ts';
import type { Logger } from '../../logger.ts';
import { errorText, redactor } from '../../secrets/redaction.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { MAX_BATCH_BYTES, MAX_RECORD_BYTES } from '../records.ts';
import type { Replica } from './replica.ts';
import type { ReadState } from './state-reader.ts';
import { encodeMark, encodeState, MARK, versionOf } from './state-record.ts';

/** A record of the topic of state. `null` takes the record of that key away. */
export interface StateRecord {
  readonly key: string;
  readonly value: Buffer | null;
}

/** Rejects when any of the records was perhaps not written. */
export interface StateSender {
  send(partition: number, records: readonly StateRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Connects when there is something to send. */
export function stateSender(connection: KafkaConnection, clientId: string, topic: string): StateSender {
  let producer: Promise<Producer> | undefined;
  return {
    send: async (partition, records) => {
      producer ??= loadKafkaLibrary().then(
        ({ Producer }) => new Producer({ ...clientOptions(connection, clientId), retries: 1, acks: -1 }),
      );
      const messages = records.map(({ key, value }) => ({
        ...{ topic, partition, key: Buffer.from(key) },
        ...(value !== null && { value }),
      }));
      const connected = await producer;
      await connected.send({ messages, acks: -1 }).catch((error: unknown) => {
        // The library would go on with the broker that led the partition, gone or not, until its knowledge is a minute old.
        connected.clearMetadata();
        throw error;
      });
    },
    close: async () => {
      await (await producer)?.close();
    },
  };
}

export interface StateWriterOptions {
  /** Whether the partition is the exporter's own now. What another one wrote since must not be written over. */
  readonly isOwn: (replica: Replica) => boolean;
  readonly sender: StateSender;
  readonly topic: string;
  /** The topic of events in which the partition is read, as brokers number topics; undefined: not known yet. */
  readonly eventsTopicId: (partition: number) => string | undefined;
  readonly log: Logger;
  readonly secrets: readonly string[];
}

/** Prefixes that are encoded in one turn, between two records. */
const PREFIXES_A_TURN = 8;
/**
 * Records of prefixes that the configuration does not have stay for so long: while the exporters of a fleet are restarted with more
 * prefixes, one with the old file may get a partition that had one with the new file.
 */
const UNMONITORED_MS = 24 * 3_600_000;
/** So many are taken away in one pass. */
const UNMONITORED_A_PASS = 1_000;

interface StateOf extends StateRecord {
  readonly version: number;
  readonly of: MonitoredPrefix;
}

/** What a record comes to in a batch at the most. */
const sizeOf = ({ key, value }: StateRecord): number => key.length + (value?.length ?? 0) + 64;
const bytesOf = (records: readonly StateRecord[]): number => records.reduce((sum, one) => sum + sizeOf(one), 0);

export class StateWriter {
  readonly #options: StateWriterOptions;
  /** By partition: the version that was written, by prefix. */
  readonly #written = new Map<number, WeakMap<MonitoredPrefix, number>>();
  readonly #atMs = new Map<number, number>();
  /** What the topic has of prefixes that nobody monitors: when it was written, Unix ms, by key. */
  readonly #unmonitored = new WeakMap<Replica, Map<string, number>>();
  #topicId: string | undefined;

  constructor(options: StateWriterOptions) {
    this.#options = options;
  }

  /** When all of a partition was written, Unix ms. */
  writtenAtMs(partition: number): number | undefined {
    return this.#atMs.get(partition);
  }

  /** What was read of the topic when the partition was restored. */
  restored(replica: Replica, { timesMs }: Pick<ReadState, 'timesMs'>): void {
    const monitored = new Set([...replica.monitored()].map(textOf));
    const others = [...timesMs].filter(([key]) => key !== MARK && !monitored.has(key));
    this.#unmonitored.set(replica, new Map(others));
  }

  /** All prefixes of the partition are written the next time: what the topic has of them is of use no more. */
  forget(partition: number): void {
    this.#written.delete(partition);
  }

  /** Notices that the topic was made again, which then has nothing of what was written. Never rejects. */
  async look(client: BrokerClient): Promise<void> {
    const { topic, log } = this.#options;
    try {
      const [found] = await client.partitions((name) => name === topic);
      if (found === undefined) return;
      if (this.#topicId !== undefined && this.#topicId !== found.topicId) {
        log.error('the topic of state was made again: all of the state is written once more', { topic });
        this.#written.clear();
      }
      this.#topicId = found.topicId;
    } catch {
      // Brokers that do not answer are told of where the state is written.
    } finally {
      void client.close();
    }
  }

  /** Never rejects: what could not be written is written the next time. */
  async write(replica: Replica, table: RoutingTable, nowMs: number): Promise<void> {
    const { log, secrets, eventsTopicId } = this.#options;
    const { partition } = replica;
    const written = this.#writtenOf(partition);
    try {
      // Whoever restores reads events from here on; a prefix that is written later includes some of them.
      const mark = await replica.exclusive(() => ({
        ...replica.resume,
        ...{ atMs: nowMs, unread: replica.unread, topicId: eventsTopicId(partition) },
        ...{ complete: [...replica.monitored()].map(textOf).filter((text) => replica.isComplete(text)) },
      }));
      const monitored = [...replica.monitored()];
      const records: StateOf[] = [];
      const send = async () => {
        let [count, bytes] = [0, 0];
        while (count < records.length && (count === 0 || bytes + sizeOf(records[count]) <= MAX_BATCH_BYTES))
          bytes += sizeOf(records[count++]);
        const some = records.splice(0, count);
        await this.#send(replica, some);
        for (const { of, version } of some) written.set(of, version);
      };
      for (let at = 0; at < monitored.length; at += PREFIXES_A_TURN) {
        await replica.exclusive(() => {
          for (const of of monitored.slice(at, at + PREFIXES_A_TURN)) {
            const version = versionOf(of);
            if (written.get(of) === version) continue;
            let value: Buffer | null = encodeState(table, of, replica.nextOffset, nowMs);
            if (value.length > MAX_RECORD_BYTES) {
              // Without a record it is read from the history; with an old one it would be wrong.
              log.error('the state of a prefix is too large for the brokers', {
                prefix: textOf(of),
                bytes: value.length,
              });
              value = null;
            }
            records.push({ key: textOf(of), value, version, of });
          }
        });
        // One request is one batch, and brokers bound it as they bound a record.
        while (bytesOf(records) > MAX_BATCH_BYTES / 2) await send();
      }
      while (records.length > 0) await send();
      await this.#send(replica, [{ key: MARK, value: encodeMark(mark) }]);
      this.#atMs.set(partition, nowMs);
      await this.#sweep(replica, nowMs);
    } catch (error) {
      log.warn('state could not be written', { partition, error: errorText(deepest(error), redactor(secrets)) });
    }
  }

  async stop(): Promise<void> {
    await this.#options.sender.close();
  }

  /** Takes away records of prefixes that have left the configuration. */
  async #sweep(replica: Replica, nowMs: number): Promise<void> {
    const unmonitored = this.#unmonitored.get(replica);
    if (unmonitored === undefined) return;
    const old = [...unmonitored].filter(([, atMs]) => nowMs - atMs > UNMONITORED_MS).slice(0, UNMONITORED_A_PASS);
    if (old.length === 0) return;
    await this.#send(
      replica,
      old.map(([key]) => ({ key, value: null })),
    );
    for (const [key] of old) unmonitored.delete(key);
    this.#options.log.info('state of prefixes that are not monitored any more was taken away', {
      ...{ partition: replica.partition, prefixes: old.length },
    });
  }

  #writtenOf(partition: number): WeakMap<MonitoredPrefix, number> {
    let written = this.#written.get(partition);
    if (written === undefined) this.#written.set(partition, (written = new WeakMap()));
    return written;
  }

  async #send(replica: Replica, records: readonly StateRecord[]): Promise<void> {
    if (records.length === 0) return;
    const { isOwn, sender } = this.#options;
    if (!isOwn(replica)) throw new Error('the partition went to another exporter');
    await sender.send(replica.partition, records);
  }
}

function textOf({ state }: MonitoredPrefix): string {
  return state.prefix.text;
}
