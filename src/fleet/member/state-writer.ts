/** Writes the state of partitions: the prefixes that have changed since they were written, then what holds for all. */
import type { Producer } from '@platformatic/kafka';
import { clientOptions, type KafkaConnection, loadKafkaLibrary } from '../../kafka/broker-client.ts';
import { deepest } from '../../kafka/source.ts';
import type { Logger } from '../../logger.ts';
import { errorText, redactor } from '../../secrets/redaction.ts';
import type { Timers } from '../../stream/timers.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { MAX_BATCH_BYTES, MAX_RECORD_BYTES } from '../records.ts';
import type { Replica } from './replica.ts';
import { encodeMark, encodeState, MARK, versionOf } from './state-record.ts';

export interface StateWriterOptions {
  /** Whether the partition is the exporter's own now. What another one wrote since must not be written over. */
  readonly isOwn: (replica: Replica) => boolean;
  readonly connection: KafkaConnection;
  readonly clientId: string;
  readonly topic: string;
  readonly timers: Timers;
  readonly log: Logger;
  readonly secrets: readonly string[];
}

/** Prefixes that are encoded in one turn, between two records. */
const PREFIXES_A_TURN = 8;

interface StateOf {
  readonly key: string;
  /** `null` takes the record away. */
  readonly value: Buffer | null;
  readonly version: number;
  readonly of: MonitoredPrefix;
}

/** What a record comes to in a batch at the most. */
const sizeOf = ({ key, value }: StateOf): number => key.length + (value?.length ?? 0) + 64;
const bytesOf = (records: readonly StateOf[]): number => records.reduce((sum, one) => sum + sizeOf(one), 0);

export class StateWriter {
  readonly #options: StateWriterOptions;
  /** What was written, by prefix. */
  readonly #written = new WeakMap<MonitoredPrefix, number>();
  readonly #atMs = new Map<number, number>();
  #producer: Promise<Producer> | undefined;

  constructor(options: StateWriterOptions) {
    this.#options = options;
  }

  /** When all of a partition was written, Unix ms. */
  writtenAtMs(partition: number): number | undefined {
    return this.#atMs.get(partition);
  }

  /** Never rejects: what could not be written is written the next time. */
  async write(replica: Replica, table: RoutingTable, nowMs: number): Promise<void> {
    const { log, secrets, isOwn } = this.#options;
    const { partition } = replica;
    try {
      // Whoever restores reads events from here on; a prefix that is written later includes some of them.
      const mark = await replica.exclusive(() => ({
        ...replica.resume,
        ...{ atMs: nowMs, unread: replica.unread },
        ...{ complete: [...replica.monitored()].map(textOf).filter((text) => replica.isComplete(text)) },
      }));
      const monitored = [...replica.monitored()];
      const records: StateOf[] = [];
      const send = async () => {
        if (!isOwn(replica)) throw new Error('the partition went to another exporter');
        let [count, bytes] = [0, 0];
        while (count < records.length && (count === 0 || bytes + sizeOf(records[count]) <= MAX_BATCH_BYTES))
          bytes += sizeOf(records[count++]);
        const some = records.splice(0, count);
        await this.#send(partition, some);
        for (const { of, version } of some) this.#written.set(of, version);
      };
      for (let at = 0; at < monitored.length; at += PREFIXES_A_TURN) {
        await replica.exclusive(() => {
          for (const of of monitored.slice(at, at + PREFIXES_A_TURN)) {
            const version = versionOf(of);
            if (this.#written.get(of) === version) continue;
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
      if (!isOwn(replica)) throw new Error('the partition went to another exporter');
      await this.#send(partition, [{ key: MARK, value: encodeMark(mark) }]);
      this.#atMs.set(partition, nowMs);
    } catch (error) {
      log.warn('state could not be written', { partition, error: errorText(deepest(error), redactor(secrets)) });
    }
  }

  async stop(): Promise<void> {
    await (await this.#producer)?.close();
  }

  async #send(
    partition: number,
    records: readonly { readonly key: string; readonly value: Buffer | null }[],
  ): Promise<void> {
    if (records.length === 0) return;
    const { connection, clientId, topic } = this.#options;
    this.#producer ??= loadKafkaLibrary().then(
      ({ Producer }) => new Producer({ ...clientOptions(connection, clientId), retries: 1, acks: -1 }),
    );
    const producer = await this.#producer;
    const messages = records.map(({ key, value }) => ({
      topic,
      partition,
      key: Buffer.from(key),
      ...(value !== null && { value }),
    }));
    await producer.send({ messages, acks: -1 });
  }
}

function textOf({ state }: MonitoredPrefix): string {
  return state.prefix.text;
}
