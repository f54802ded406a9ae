/** What is asked of Kafka brokers, and the library that does it: `@platformatic/kafka`, which is loaded only when it is needed. */
import type { Admin, Consumer } from '@platformatic/kafka';
import { ConfigError } from '../errors.ts';
import { boundDecompression } from './decompression-bounds.ts';
import { type LogRecord, readRecords } from './record-batches.ts';

/** How brokers are reached. */
export interface KafkaConnection {
  /** `host:port` of some brokers; they tell the others. */
  readonly brokers: readonly string[];
  /** PEM texts. Undefined: no TLS. */
  readonly tls:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined;
  /** Secrets. Undefined: no login. */
  readonly sasl:
    | { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string }
    | undefined;
}

export const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
/** One of `SASL_MECHANISMS`. */
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

/** One partition of a topic, and the broker that serves it. */
export interface Partition {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** The number of the broker; below 0 while none serves it. */
  readonly leader: number;
}

/** A partition, and the offset from which it is wanted. */
export interface Wanted {
  readonly partition: Partition;
  readonly offset: number;
}

/** What a broker answers for one partition. */
export type Fetched = { readonly partition: Partition } & (
  | {
      readonly kind: 'records';
      readonly records: readonly LogRecord[];
      /** From where to read on. */
      readonly nextOffset: number;
      /** One behind the newest record of the partition. */
      readonly endOffset: number;
    }
  /** The offset that was wanted is no longer there, or not yet. */
  | { readonly kind: 'out_of_range' }
  /** Another broker serves the partition now, or the partition is gone. */
  | { readonly kind: 'moved' }
);

/**
 * How much a broker answers. `wait`, the default: a lot, or what there is after a moment. `now`: what there is, at once.
 * `one batch`: of each partition the batch in which the wanted offset lies, and no other.
 */
export type FetchPace = 'wait' | 'now' | 'one batch';

/** Every method rejects with the library's error when no answer comes. */
export interface BrokerClient {
  /** The partitions of all topics that are wanted. */
  partitions(isWanted: (topic: string) => boolean): Promise<readonly Partition[]>;
  /** The offset of the oldest record, or one behind the newest, of each partition, in their order. */
  offsets(partitions: readonly Partition[], which: 'oldest' | 'end'): Promise<readonly number[]>;
  /**
   * Asks one broker. A batch that cannot be read rejects with an `UnreadableBatch`, and nothing of the answer is known.
   * @param wanted all served by that broker
   */
  fetch(broker: number, wanted: readonly Wanted[], pace?: FetchPace): Promise<readonly Fetched[]>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** `compression`: it is compressed in a way that this Node.js cannot read. `damaged`: the bytes are not records. */
export const UNREADABLE_REASONS = ['compression', 'damaged'] as const;
export type UnreadableReason = (typeof UNREADABLE_REASONS)[number];

export class UnreadableBatch extends Error {
  readonly reason: UnreadableReason;

  constructor(reason: UnreadableReason, cause: unknown) {
    super(UNREADABLE_TEXTS[reason], { cause });
    this.reason = reason;
  }
}

const UNREADABLE_TEXTS: Readonly<Record<UnreadableReason, string>> = {
  compression: 'records are compressed by zstd, which needs Node.js 22.15 or later',
  damaged: 'a batch of records cannot be read',
};

/** A broker waits with its answer until it has this many bytes, or this long, ms: a request names all partitions, so there must not be many. */
const MIN_BYTES = 1_048_576;
const MAX_WAIT_MS = 300;
/** Bytes of an answer, and of one partition in it. */
const MAX_BYTES = 8 * 1_048_576;
const MAX_PARTITION_BYTES = 1_048_576;

/** A broker gives the first batch of a partition whole, however small the limit is. */
const SIZES: Readonly<Record<FetchPace, { readonly minBytes: number; readonly partitionMaxBytes: number }>> = {
  wait: { minBytes: MIN_BYTES, partitionMaxBytes: MAX_PARTITION_BYTES },
  now: { minBytes: 1, partitionMaxBytes: MAX_BYTES },
  'one batch': { minBytes: 1, partitionMaxBytes: 1 },
};

const CONNECT_MS = 10_000;
const REQUEST_MS = 30_000;

const MISSING = 'Kafka needs a package that is not installed: npm install @platformatic/kafka@1.35';

type Library = typeof import('@platformatic/kafka');

/** @throws ConfigError when the library is not installed */
export async function loadKafkaLibrary(): Promise<Library> {
  try {
    const library = await import('@platformatic/kafka');
    boundDecompression(library.compressionsAlgorithms);
    return library;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') throw new ConfigError([MISSING], error);
    throw error;
  }
}

/** What every client of the library is made with. */
export function clientOptions({ brokers, tls, sasl }: KafkaConnection, clientId: string) {
  return {
    ...{ clientId, bootstrapBrokers: [...brokers], connectTimeout: CONNECT_MS, requestTimeout: REQUEST_MS },
    // The library makes no second attempt: the caller decides.
    ...{ retries: 0, metadataMaxAge: 60_000 },
    ...(tls === undefined ? {} : { tls: { ...tls } }),
    ...(sasl === undefined
      ? {}
      : {
          sasl: {
            mechanism: sasl.mechanism.toUpperCase() as 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512',
            username: sasl.username,
            password: sasl.password,
          },
        }),
  };
}

/** A client of the brokers; nothing is connected before it is asked something. */
export function brokerClient(library: Library, connection: KafkaConnection, clientId: string): BrokerClient {
  const options = clientOptions(connection, clientId);
  // A group's name is needed and never used: no group is joined.
  return new PlatformaticClient(new library.Admin(options), new library.Consumer({ ...options, groupId: clientId }));
}

class PlatformaticClient implements BrokerClient {
  readonly #admin: Admin;
  readonly #consumer: Consumer;

  constructor(admin: Admin, consumer: Consumer) {
    this.#admin = admin;
    this.#consumer = consumer;
  }

  async partitions(isWanted: (topic: string) => boolean): Promise<readonly Partition[]> {
    const topics = (await this.#admin.listTopics()).filter(isWanted);
    if (topics.length === 0) return [];
    const metadata = await this.#consumer.metadata({ topics, forceUpdate: true });
    return topics.flatMap((topic) => {
      const { id, partitions } = metadata.topics.get(topic) ?? { id: '', partitions: [] };
      return partitions.map(({ leader }, partition) => ({ topic, topicId: id, partition, leader }));
    });
  }

  async offsets(partitions: readonly Partition[], which: 'oldest' | 'end'): Promise<readonly number[]> {
    if (partitions.length === 0) return [];
    const byTopic: Record<string, number[]> = {};
    for (const { topic, partition } of partitions) (byTopic[topic] ??= []).push(partition);
    const timestamp = which === 'oldest' ? -2n : -1n;
    const offsets = await this.#consumer.listOffsets({ topics: Object.keys(byTopic), partitions: byTopic, timestamp });
    return partitions.map(({ topic, partition }) => Number(offsets.get(topic)?.[partition] ?? -1n));
  }

  async fetch(broker: number, wanted: readonly Wanted[], pace: FetchPace = 'wait'): Promise<readonly Fetched[]> {
    const { minBytes, partitionMaxBytes } = SIZES[pace];
    const byTopic = new Map<string, Map<number, Wanted>>();
    for (const one of wanted) {
      const { topicId, partition } = one.partition;
      let partitions = byTopic.get(topicId);
      if (partitions === undefined) byTopic.set(topicId, (partitions = new Map()));
      partitions.set(partition, one);
    }
    const topics = [...byTopic].map(([topicId, partitions]) => ({
      topicId,
      partitions: [...partitions.values()].map(({ partition: { partition }, offset }) => ({
        ...{ partition, fetchOffset: BigInt(offset), currentLeaderEpoch: -1, lastFetchedEpoch: -1 },
        partitionMaxBytes,
      })),
    }));
    const request = { minBytes, maxWaitTime: MAX_WAIT_MS, maxBytes: MAX_BYTES, isolationLevel: 0 as const };
    const response = await this.#consumer
      .fetch({ ...request, node: broker, topics })
      .catch((error: unknown) => answerIn(error));
    return response.responses.flatMap(({ topicId, partitions }) =>
      partitions.flatMap((answer): Fetched[] => {
        const one = byTopic.get(topicId)?.get(answer.partitionIndex);
        if (one === undefined) return [];
        const { partition, offset } = one;
        if (answer.errorCode === OFFSET_OUT_OF_RANGE) return [{ kind: 'out_of_range', partition }];
        if (answer.errorCode !== 0) return [{ kind: 'moved', partition }];
        const { records, nextOffset } = readRecords(answer.records ?? [], offset);
        return [{ kind: 'records', partition, records, nextOffset, endOffset: Number(answer.highWatermark) }];
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#admin.close(), this.#consumer.close(true)]);
  }
}

const OFFSET_OUT_OF_RANGE = 1;

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

/** An error for some partitions carries the answer for all of them. */
function answerIn(error: unknown): FetchResponse {
  const { response } = error as { readonly response?: FetchResponse };
  if (response?.responses !== undefined && response.errorCode === 0) return response;
  const reason = unreadableReason(error);
  throw reason === undefined ? error : new UnreadableBatch(reason, error);
}

/**
 * Why the bytes of an answer could not be read; undefined: the error is another one, of the connection for example. The library
 * throws errors of its own, and passes on those of what it unpacks with.
 */
export function unreadableReason(error: unknown): UnreadableReason | undefined {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  if (code === 'PLT_KFK_UNSUPPORTED_COMPRESSION') return 'compression';
  if (typeof code === 'string')
    return /^(?:PLT_KFK_UNSUPPORTED_FORMAT|OUT_OF_BOUNDS|Z_\w+|ERR_OUT_OF_RANGE|ERR_BUFFER_\w+)$/.test(code)
      ? 'damaged'
      : undefined;
  // Snappy and LZ4 are unpacked by WebAssembly.
  const isOfParser = error instanceof RangeError || error instanceof TypeError || name === 'RuntimeError';
  return isOfParser ? 'damaged' : undefined;
}
