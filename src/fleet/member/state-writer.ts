/** Writes the state of partitions: the prefixes that have changed since they were written, then what holds for all. */
import type { Producer } from '@platformatic/kafka';
import { clientOptions, type KafkaConnection, loadKafkaLibrary } from '../../kafka/broker-client.ts';
import { deepest } from '../../kafka/source.ts';
import type { Logger } from '../../logger.ts';
import { errorText, redactor } from '../../redaction.ts';
import type { Timers } from '../../stream/timers.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import type { Replica } from './replica.ts';
import { encodeMark, encodeState, MARK, versionOf } from './state-record.ts';

export interface StateWriterOptions {
  readonly connection: KafkaConnection;
  readonly clientId: string;
  readonly topic: string;
  readonly timers: Timers;
  readonly log: Logger;
  readonly secrets: readonly string[];
}

/** Prefixes that are encoded in one turn, between two records. */
const PREFIXES_A_TURN = 8;
/** Bytes of one request. */
const REQUEST_BYTES = 2 * 1024 * 1024;

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
    const { log, secrets } = this.#options;
    const { partition } = replica;
    try {
      // Whoever restores reads events from here on; a prefix that is written later includes some of them.
      const mark = await replica.exclusive(() => ({
        ...{ offset: replica.nextOffset, term: replica.term, sequence: replica.sequence },
        ...{ atMs: nowMs, complete: [...replica.monitored()].map(textOf).filter((text) => replica.isComplete(text)) },
      }));
      const monitored = [...replica.monitored()];
      let records: { key: string; value: Buffer; version: number; of: MonitoredPrefix }[] = [];
      let bytes = 0;
      const send = async () => {
        await this.#send(partition, records);
        for (const { of, version } of records) this.#written.set(of, version);
        records = [];
        bytes = 0;
      };
      for (let at = 0; at < monitored.length; at += PREFIXES_A_TURN) {
        await replica.exclusive(() => {
          for (const of of monitored.slice(at, at + PREFIXES_A_TURN)) {
            const version = versionOf(of);
            if (this.#written.get(of) === version) continue;
            const value = encodeState(table, of, replica.nextOffset, nowMs);
            bytes += value.length;
            records.push({ key: textOf(of), value, version, of });
          }
        });
        if (bytes > REQUEST_BYTES) await send();
      }
      await send();
      await this.#send(partition, [{ key: MARK, value: encodeMark(mark) }]);
      this.#atMs.set(partition, nowMs);
    } catch (error) {
      log.warn('state could not be written', { partition, error: errorText(deepest(error), redactor(secrets)) });
    }
  }

  async stop(): Promise<void> {
    await (await this.#producer)?.close();
  }

  async #send(partition: number, records: readonly { readonly key: string; readonly value: Buffer }[]): Promise<void> {
    if (records.length === 0) return;
    const { connection, clientId, topic } = this.#options;
    this.#producer ??= loadKafkaLibrary().then(
      ({ Producer }) => new Producer({ ...clientOptions(connection, clientId), retries: 1, acks: -1 }),
    );
    const producer = await this.#producer;
    const messages = records.map(({ key, value }) => ({ topic, partition, key: Buffer.from(key), value }));
    await producer.send({ messages, acks: -1 });
  }
}

function textOf({ state }: MonitoredPrefix): string {
  return state.prefix.text;
}
