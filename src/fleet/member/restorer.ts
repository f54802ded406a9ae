/**
 * Puts partitions into the table from the topic of state. Several are read at a time, because most of the time of one goes into
 * waiting for the brokers; they get into the table one after the other, a prefix in each turn of the event loop.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type BrokerClient, UnreadableBatch } from '../../kafka/broker-client.ts';
import { deepest } from '../../kafka/broker-error.ts';
import type { Logger } from '../../logger.ts';
import { errorText, redactor } from '../../secrets/redaction.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { UNREADABLE_ADVICE } from '../unreadable.ts';
import type { Replica } from './replica.ts';
import { type ReadState, readState } from './state-reader.ts';
import { decodeMark, MARK, type Mark, restoreState } from './state-record.ts';

export interface RestorerOptions {
  /** Makes a client of the brokers; one for each attempt to read a partition. */
  readonly connect: () => BrokerClient;
  /** The topic of state. */
  readonly topic: string;
  readonly table: RoutingTable;
  readonly timers: Timers;
  readonly log: Logger;
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
  /** Whether the partition is still the exporter's own. */
  readonly isOwn: (replica: Replica) => boolean;
  /** So many records of the topic could not be read and were passed over. */
  readonly onUnreadable: (records: number) => void;
  /** The partition is in the table, and `begin` of its replica was called. `state`: what was read. */
  readonly onRestored: (replica: Replica, mark: Mark | undefined, state: ReadState) => void;
}

/** Partitions whose state is read, or waits for its turn, at a time: some 40 MB each where exporters have 10,000 prefixes. */
const AT_A_TIME = 4;
const RETRY_MS = 1_000;

export class Restorer {
  readonly #options: RestorerOptions;
  readonly #waiting: Replica[] = [];
  /** Of which it was told that their state cannot be read. */
  readonly #told = new WeakSet<Replica>();
  #workers = 0;
  #applying: Promise<void> = Promise.resolve();
  #restored = { partitions: 0, prefixes: 0 };
  #idle: (() => void)[] = [];

  constructor(options: RestorerOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is left to restore: all are in the table, or not the exporter's own any more, or it stops. */
  restore(replicas: readonly Replica[]): Promise<void> {
    this.#waiting.push(...replicas);
    if (this.#waiting.length === 0 && this.#workers === 0) return Promise.resolve();
    for (let free = Math.min(AT_A_TIME - this.#workers, this.#waiting.length); free > 0; free--) {
      this.#workers++;
      void this.#work();
    }
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  async #work(): Promise<void> {
    const { timers, signal } = this.#options;
    for (let replica = this.#waiting.shift(); replica !== undefined; replica = this.#waiting.shift()) {
      if (!this.#isWanted(replica)) continue;
      const state = await this.#read(replica);
      if (state !== undefined) {
        await this.#inTurn(() => this.#apply(replica as Replica, state));
        continue;
      }
      await sleep(timers, RETRY_MS, signal);
      this.#waiting.push(replica);
    }
    this.#workers--;
    if (this.#workers > 0) return;
    const { partitions, prefixes } = this.#restored;
    this.#restored = { partitions: 0, prefixes: 0 };
    const { table, log } = this.#options;
    if (partitions > 0) log.info('state restored', { partitions, prefixes, routes: table.routes });
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #isWanted(replica: Replica): boolean {
    return !this.#options.signal.aborted && this.#options.isOwn(replica);
  }

  /** Undefined: it could not be read now. */
  async #read(replica: Replica): Promise<ReadState | undefined> {
    const { connect, topic, log, secrets, signal } = this.#options;
    const { partition } = replica;
    const client = connect();
    try {
      const expected = new Set([MARK, ...[...replica.monitored()].map(({ state: own }) => own.prefix.text)]);
      const state = await readState(client, topic, partition, expected, signal);
      if (state.damaged > 0) {
        const records = state.damaged;
        this.#options.onUnreadable(records);
        log.error(`state cannot be read and is passed over: ${UNREADABLE_ADVICE.damaged}`, { partition, records });
      }
      return signal.aborted ? undefined : state;
    } catch (error) {
      if (this.#told.has(replica)) return undefined;
      this.#told.add(replica);
      if (error instanceof UnreadableBatch)
        log.error(`a partition cannot be restored: ${UNREADABLE_ADVICE[error.reason]}`, { partition, topic });
      else {
        const text = errorText(deepest(error), redactor(secrets));
        log.warn('state cannot be read, trying again', { partition, error: text });
      }
      return undefined;
    } finally {
      // A client that hangs must not keep the partition.
      void client.close();
    }
  }

  /** One after the other. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#applying = this.#applying.then(work);
    return this.#applying;
  }

  async #apply(replica: Replica, state: ReadState): Promise<void> {
    const { table, timers, log, onRestored, onUnreadable } = this.#options;
    const from = new Map<string, number>();
    for (const { state: own } of [...replica.monitored()]) {
      if (!this.#isWanted(replica)) return;
      const { text } = own.prefix;
      const value = state.values.get(text);
      if (value === undefined) continue;
      const offset = restoreState(table, value, timers.now());
      if (offset !== undefined) from.set(text, offset);
      else {
        onUnreadable(1);
        log.error('the state of a prefix cannot be read', { prefix: text });
      }
      await nextTurn();
    }
    if (!this.#isWanted(replica)) return;
    const value = state.values.get(MARK);
    const mark = value && decodeMark(value);
    replica.begin(mark, from);
    this.#restored.partitions++;
    this.#restored.prefixes += from.size;
    onRestored(replica, mark, state);
  }
}
