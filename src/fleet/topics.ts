/** The two topics of a fleet: made with the right settings, and looked at. */
import zlib from 'node:zlib';
import type { Admin } from '@platformatic/kafka';
import { ExporterError } from '../errors.ts';
import { clientOptions, type KafkaConnection, loadKafkaLibrary } from '../kafka/broker-client.ts';
import { brokersText } from '../kafka/broker-error.ts';
import type { Redactor } from '../secrets/redaction.ts';

const DAY_MS = 86_400_000;
/** Between an event and the state that includes it lie minutes; a day is for a fleet that was down. */
const LEAST_RETENTION_MS = 3_600_000;

export interface FleetTopics {
  readonly eventsTopic: string;
  readonly stateTopic: string;
  readonly partitions: number;
}

/** By the name of the setting. */
type TopicSettings = Readonly<Record<string, string>>;

const EVENTS: TopicSettings = { 'cleanup.policy': 'delete', 'retention.ms': String(DAY_MS) };
const STATE: TopicSettings = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.1',
  'segment.ms': '3600000',
};

/** Both topics with the names and settings that they should have. */
function wanted({ eventsTopic, stateTopic }: FleetTopics): readonly { name: string; settings: TopicSettings }[] {
  return [
    { name: eventsTopic, settings: EVENTS },
    { name: stateTopic, settings: STATE },
  ];
}

/** What there is of a topic. */
export interface FoundTopic {
  readonly name: string;
  /** 0: there is none. */
  readonly partitions: number;
  /** Of the partition with the fewest; 0 where there is none. */
  readonly replicas: number;
  readonly settings: TopicSettings;
}

/**
 * Works with the topics, and closes the connection.
 * @throws ConfigError when the library is not installed; an ExporterError with the code KAFKA when the brokers do not do what
 *   they are asked
 */
export async function withTopics<T>(
  connection: KafkaConnection,
  clientId: string,
  redact: Redactor,
  work: (topics: TopicAdmin) => Promise<T>,
): Promise<T> {
  const topics = await TopicAdmin.connect(connection, clientId);
  try {
    return await work(topics);
  } catch (error) {
    throw new ExporterError('KAFKA', brokersText(error, connection, redact), { cause: error, actor: 'operator' });
  } finally {
    await topics.close().catch(() => {});
  }
}

export class TopicAdmin {
  readonly #admin: Admin;

  private constructor(admin: Admin) {
    this.#admin = admin;
  }

  /** @throws ConfigError when the library is not installed */
  static async connect(connection: KafkaConnection, clientId: string): Promise<TopicAdmin> {
    const { Admin } = await loadKafkaLibrary();
    return new TopicAdmin(new Admin({ ...clientOptions(connection, clientId), retries: 3, retryDelay: 500 }));
  }

  /** Both, the events first. Rejects with the library's error. */
  async find(topics: FleetTopics): Promise<readonly FoundTopic[]> {
    const known = new Set(await this.#admin.listTopics());
    return Promise.all(
      wanted(topics).map(({ name }) =>
        known.has(name) ? this.#describe(name) : { name, partitions: 0, replicas: 0, settings: {} },
      ),
    );
  }

  /**
   * Makes those that are missing.
   * @param replicas of each partition; undefined: what the brokers do by default
   * @returns their names
   */
  async create(topics: FleetTopics, replicas: number | undefined): Promise<readonly string[]> {
    const known = new Set(await this.#admin.listTopics());
    const missing = wanted(topics).filter(({ name }) => !known.has(name));
    for (const { name, settings } of missing) {
      await this.#admin.createTopics({
        ...{ topics: [name], partitions: topics.partitions, replicas: replicas ?? -1 },
        configs: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
      });
    }
    return missing.map(({ name }) => name);
  }

  async close(): Promise<void> {
    await this.#admin.close();
  }

  async #describe(name: string): Promise<FoundTopic> {
    const metadata = await this.#admin.metadata({ topics: [name], forceUpdate: true });
    const partitions = metadata.topics.get(name)?.partitions ?? [];
    const [described] = await this.#admin.describeConfigs({
      resources: [{ resourceType: TOPIC, resourceName: name, configurationKeys: SETTINGS }],
    });
    return {
      ...{ name, partitions: partitions.length },
      replicas: Math.min(...partitions.map((partition) => partition.replicas.length)),
      settings: Object.fromEntries((described?.configs ?? []).map(({ name: key, value }) => [key, value ?? ''])),
    };
  }
}

/** The kind of a resource in a question for settings. */
const TOPIC = 2;
const SETTINGS = ['cleanup.policy', 'retention.ms', 'max.message.bytes', 'min.insync.replicas', 'compression.type'];

/**
 * What is wrong with the topics; empty: nothing. Pure.
 * @param readsZstd whether this Node.js unpacks zstd
 */
export function topicProblems(
  found: readonly FoundTopic[],
  topics: FleetTopics,
  readsZstd = 'zstdDecompressSync' in zlib,
): string[] {
  return found.flatMap(({ name, partitions, settings }) => {
    if (partitions === 0) return [`the topic ${name} is missing: run fleet create-topics`];
    const problems: string[] = [];
    if (partitions !== topics.partitions) {
      problems.push(
        `the topic ${name} has ${partitions} partitions, and fleet.partitions is ${topics.partitions}: both must agree, and neither can be changed while there are events`,
      );
    }
    const policy = settings['cleanup.policy'] ?? '';
    const isState = name === topics.stateTopic;
    if (isState && policy !== 'compact')
      problems.push(
        `the topic ${name} has cleanup.policy=${policy}, which loses the state of calm prefixes: set compact`,
      );
    if (!isState && policy !== 'delete')
      problems.push(`the topic ${name} has cleanup.policy=${policy}: events have no keys, set delete`);
    const retentionMs = Number(settings['retention.ms']);
    if (!isState && retentionMs >= 0 && retentionMs < LEAST_RETENTION_MS)
      problems.push(
        `the topic ${name} has retention.ms=${retentionMs}: an exporter that is down so long has a gap; set ${DAY_MS}`,
      );
    const most = Number(settings['max.message.bytes']);
    if (most > 0 && most < 1_000_000)
      problems.push(`the topic ${name} has max.message.bytes=${most}: records of up to 1000000 bytes are written`);
    if (settings['compression.type'] === 'zstd' && !readsZstd)
      problems.push(
        `the topic ${name} has compression.type=zstd, which needs Node.js 22.15 or later: run that everywhere, or set producer`,
      );
    return problems;
  });
}
