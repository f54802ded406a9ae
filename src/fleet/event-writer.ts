/**
 * Writes events and control records, in their order, into the partitions of the topic of events. One request is under way at
 * a time and is repeated until it succeeds; what was written twice thereby has one number. What waits is bounded: when the
 * brokers are away for too long, what waits is given up, and that is told, because it is a gap.
 */
import type { RouteUpdate } from '../bgp/route-event.ts';
import { clientOptions, type KafkaConnection, loadKafkaLibrary } from '../kafka/broker-client.ts';
import { deepest } from '../kafka/broker-error.ts';
import type { Logger } from '../logger.ts';
import { errorText, redactor } from '../secrets/redaction.ts';
import { sleep, type Timers } from '../stream/timers.ts';
import { encodeUpdate } from './message.ts';
import { NOWHERE, type PartitionMap } from './partitions.ts';
import {
  type Control,
  divideControl,
  encodeControl,
  encodeMessages,
  MAX_BATCH_BYTES,
  MAX_RECORD_BYTES,
} from './records.ts';

/** Sends records, in their order; rejects when any was perhaps not written. */
export interface RecordSender {
  send(records: readonly { readonly partition: number; readonly value: Buffer }[]): Promise<void>;
  close(): Promise<void>;
}

/** @throws ConfigError when the library is not installed */
export async function recordSender(
  connection: KafkaConnection,
  clientId: string,
  topic: string,
): Promise<RecordSender> {
  const { Producer } = await loadKafkaLibrary();
  const producer = new Producer({ ...clientOptions(connection, clientId), retries: 0, acks: -1 });
  return {
    send: async (records) => {
      const messages = records.map(({ partition, value }) => ({ topic, partition, value }));
      await producer.send({ messages, acks: -1 }).catch((error: unknown) => {
        // The library would go on with the broker that led the partition, gone or not, until its knowledge is a minute old.
        producer.clearMetadata();
        throw error;
      });
    },
    close: () => producer.close(),
  };
}

export interface EventWriterOptions {
  readonly sender: RecordSender;
  readonly map: PartitionMap;
  readonly term: () => number;
  readonly timers: Timers;
  readonly log: Logger;
  readonly secrets: readonly string[];
  /** Most bytes that wait. Default 64 MiB. */
  readonly maxBytes?: number;
  /** What waited since then (Unix ms) was given up. */
  readonly onLost: (sinceMs: number) => void;
}

/** How long messages wait for others, ms: a request for each would cost the broker more than it carries. */
const LINGER_MS = 50;
const MAX_BYTES = 64 * 1024 * 1024;
const RETRY_MS = 500;
/** What a record adds to a batch at the most, and a message to a record. */
const RECORD_OVERHEAD = 64;
/** Bytes of one request. */
const REQUEST_BYTES = 4 * 1024 * 1024;

interface Pending {
  readonly messages: Buffer[];
  bytes: number;
  atMs: number;
}

interface Waiting {
  readonly partition: number;
  readonly value: Buffer;
  readonly atMs: number;
}

export class EventWriter {
  readonly #options: EventWriterOptions;
  readonly #pending: Pending[];
  readonly #sequences: number[];
  readonly #stopped = new AbortController();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isFlushAsked = false;
  #sending: Promise<void> | undefined;
  /** Records that were written since the start. */
  written = 0;
  writtenBytes = 0;
  /** Requests that failed and were repeated. */
  failures = 0;
  /** Updates with a prefix that is not monitored. */
  unmonitored = 0;
  /** Records that were given up: no broker would take one so large, or none took what waited for too long. */
  lost = 0;
  #readings = 0;

  constructor(options: EventWriterOptions) {
    this.#options = options;
    const { partitions } = options.map;
    this.#pending = Array.from({ length: partitions }, () => ({ messages: [], bytes: 0, atMs: 0 }));
    this.#sequences = new Array<number>(partitions).fill(0);
  }

  get partitions(): number {
    return this.#options.map.partitions;
  }

  /** @param atMs when it was received, Unix ms */
  update(update: RouteUpdate, atMs: number): void {
    const { withdrawn, announced } = update;
    const { map } = this.#options;
    let only: number | undefined;
    let isOne = true;
    for (const list of [withdrawn, announced]) {
      for (const prefix of list) {
        const partition = map.of(prefix);
        if (only === undefined) only = partition;
        else if (only !== partition) isOne = false;
      }
    }
    if (only === undefined) return;
    if (isOne) {
      if (only === NOWHERE) this.unmonitored++;
      else this.#message(only, encodeUpdate(update, withdrawn, announced), atMs);
      return;
    }
    const parts = new Set([...withdrawn, ...announced].map((prefix) => map.of(prefix)));
    if (parts.delete(NOWHERE)) this.unmonitored++;
    for (const partition of parts) {
      const own = (prefix: string) => map.of(prefix) === partition;
      this.#message(partition, encodeUpdate(update, withdrawn.filter(own), announced.filter(own)), atMs);
    }
  }

  /** Into one partition, behind all that was written before. */
  control(partition: number, control: Control): void {
    this.#close(partition);
    const atMs = this.#options.timers.now();
    const head = this.#head(partition, atMs);
    const value = encodeControl(head, control);
    if (value.length > MAX_RECORD_BYTES) {
      const halves = divideControl(control);
      if (halves === undefined) {
        this.#refuse(partition, value.length, control.type);
        return;
      }
      this.#sequences[partition]--;
      for (const half of halves) this.control(partition, half);
      return;
    }
    this.#add(partition, value, atMs);
    this.#askForFlush(0);
  }

  /** Into all partitions. */
  toAll(control: Control): void {
    for (let partition = 0; partition < this.partitions; partition++) this.control(partition, control);
  }

  /** Into the partitions of the prefixes, to each its own. */
  toOwn(prefixes: readonly string[], control: (own: readonly string[]) => Control): void {
    for (const [partition, own] of this.byPartition(prefixes, (prefix) => prefix))
      this.control(partition, control(own));
  }

  /** The number of a reading of the history. */
  nextReading(): number {
    return ++this.#readings;
  }

  /** Things about a prefix by its partition; what is not monitored is left out. */
  byPartition<T>(things: readonly T[], prefixOf: (thing: T) => string): Map<number, T[]> {
    const parts = new Map<number, T[]>();
    for (const thing of things) {
      const partition = this.#options.map.of(prefixOf(thing));
      if (partition === NOWHERE) continue;
      const part = parts.get(partition);
      if (part === undefined) parts.set(partition, [thing]);
      else part.push(thing);
    }
    return parts;
  }

  /** Resolves when all that was given is written, or the signal is aborted. */
  async flush(signal: AbortSignal): Promise<void> {
    for (let partition = 0; partition < this.partitions; partition++) this.#close(partition);
    this.#send();
    while (this.#sending !== undefined && !signal.aborted) await Promise.race([this.#sending, aborted(signal)]);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.race([this.#sending, this.#options.sender.close().catch(() => {})]);
  }

  #message(partition: number, message: Buffer, atMs: number): void {
    const pending = this.#pending[partition];
    if (message.length > MAX_RECORD_BYTES - RECORD_OVERHEAD) {
      this.#close(partition);
      this.#head(partition, atMs);
      this.#refuse(partition, message.length, 'update');
      return;
    }
    if (pending.bytes + message.length > MAX_RECORD_BYTES - RECORD_OVERHEAD) this.#close(partition);
    pending.messages.push(message);
    pending.bytes += message.length + 4;
    pending.atMs = atMs;
    this.#askForFlush(LINGER_MS);
  }

  /** Of a record that brokers would refuse for ever: its number is missing, which the exporters take for a gap. */
  #refuse(partition: number, bytes: number, what: string): void {
    this.lost++;
    this.#options.log.error('a record is too large for the brokers: it was given up', { partition, what, bytes });
    this.#options.onLost(this.#options.timers.now());
  }

  #head(partition: number, atMs: number) {
    return { term: this.#options.term(), sequence: ++this.#sequences[partition], atMs };
  }

  #close(partition: number): void {
    const pending = this.#pending[partition];
    if (pending.messages.length === 0) return;
    this.#add(partition, encodeMessages(this.#head(partition, pending.atMs), pending.messages), pending.atMs);
    pending.messages.length = 0;
    pending.bytes = 0;
  }

  #add(partition: number, value: Buffer, atMs: number): void {
    const { maxBytes = MAX_BYTES, onLost, log } = this.#options;
    this.#waiting.push({ partition, value, atMs });
    this.#waitingBytes += value.length + RECORD_OVERHEAD;
    if (this.#waitingBytes <= maxBytes) return;
    const sinceMs = this.#waiting.reduce((oldest, one) => Math.min(oldest, one.atMs), atMs);
    this.lost += this.#waiting.length;
    log.error('events were given up: the brokers have not taken them for too long', { records: this.#waiting.length });
    this.#waiting = [];
    this.#waitingBytes = 0;
    onLost(sinceMs);
  }

  #askForFlush(delayMs: number): void {
    if (this.#isFlushAsked) return;
    this.#isFlushAsked = true;
    this.#options.timers.schedule(() => {
      this.#isFlushAsked = false;
      for (let partition = 0; partition < this.partitions; partition++) this.#close(partition);
      this.#send();
    }, delayMs);
  }

  #send(): void {
    if (this.#sending !== undefined || this.#waiting.length === 0) return;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    const { sender, timers, log, secrets } = this.#options;
    const { signal } = this.#stopped;
    while (this.#waiting.length > 0 && !signal.aborted) {
      const some = this.#take();
      for (let attempt = 0; !signal.aborted; attempt++) {
        try {
          await sender.send(some);
          this.written += some.length;
          for (const { value } of some) this.writtenBytes += value.length;
          break;
        } catch (error) {
          this.failures++;
          if (attempt === 0)
            log.warn('events could not be written, trying again', {
              error: errorText(deepest(error), redactor(secrets)),
            });
          await sleep(timers, RETRY_MS, signal);
        }
      }
    }
  }

  /**
   * As many as one request takes. All records of a partition in a request are one batch, and brokers bound the batch as they
   * bound a record: a larger one would be refused however often it is sent.
   */
  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    const batches = new Map<number, number>();
    for (const { partition, value } of this.#waiting) {
      const batch = (batches.get(partition) ?? 0) + value.length + RECORD_OVERHEAD;
      if (count > 0 && (bytes + value.length > REQUEST_BYTES || batch > MAX_BATCH_BYTES)) break;
      batches.set(partition, batch);
      bytes += value.length;
      count++;
    }
    this.#waitingBytes -= bytes + count * RECORD_OVERHEAD;
    return this.#waiting.splice(0, count);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
