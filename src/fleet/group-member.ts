/**
 * One member of a group of Kafka: which partitions are its own, and whether that still holds. The members agree through the
 * broker (classic protocol, static members), and each partition goes to the member that ranks highest for it, so that few
 * move when a member comes or goes.
 *
 * The library: it remembers for ever which broker leads the group, so when that one does not answer, or leads no longer, a new
 * client asks who does and joins as the same member; `joinGroup` without a stream of its own, because a stream goes on at
 * positions of its own when it regains a partition; a stop must not leave the group, so that a restart within the session
 * moves nothing.
 *
 * Who joins by a lasting name that another member has takes its place, and the brokers refuse the other one from then on.
 */
import { crc32 } from 'node:zlib';
import type { Consumer } from '@platformatic/kafka';
import { clientOptions, type KafkaConnection, loadKafkaLibrary } from '../kafka/broker-client.ts';
import { deepest } from '../kafka/broker-error.ts';
import type { Logger } from '../logger.ts';
import { errorText, redactor } from '../secrets/redaction.ts';
import { sleep, type Timers } from '../stream/timers.ts';

/**
 * Who gets which partitions: by what members say of themselves (`GroupMemberOptions.says`), in whatever order.
 * @param partitions how many there are
 */
export type Assign = (members: readonly string[], partitions: number) => ReadonlyMap<string, readonly number[]>;

/** What of the library makes a member. */
export type GroupLibrary = Pick<typeof import('@platformatic/kafka'), 'Admin' | 'Consumer'>;

export interface GroupMemberOptions {
  readonly connection: KafkaConnection;
  readonly clientId: string;
  readonly group: string;
  /** The lasting name of the member, which no other has: a restart within the session goes on; undefined: it has none. */
  readonly instance: string | undefined;
  /** What the member says of itself to whoever assigns, different from every other member's. */
  readonly says: () => string;
  /** The topic whose partitions are shared. */
  readonly topic: string;
  /** After so long without a heartbeat the broker gives the partitions to others. */
  readonly sessionTimeoutMs: number;
  readonly assign: Assign;
  readonly timers: Timers;
  readonly log: Logger;
  /** Default: the real library. */
  readonly load?: () => Promise<GroupLibrary>;
  /** Which partitions are the member's own from now on. */
  readonly onAssigned: (partitions: ReadonlySet<number>) => void;
}

/** A heartbeat every so many parts of the session. */
const HEARTBEATS_A_SESSION = 6;
/** A broker that has not answered a heartbeat for this part of the session is given up: another one may lead the group by now. */
const SILENCE_OF_SESSION = 0.5;
const REBALANCE_MS = 30_000;
const REJOIN_MS = 1_000;
const PROTOCOL = 'rendezvous';
/** The brokers' word for a member whose lasting name another one has taken. */
const FENCED = 'FENCED_INSTANCE_ID';

export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #stopped = new AbortController();
  #consumer: Consumer | undefined;
  /** When the newest heartbeat that was answered was sent, by `Timers.elapsed`. */
  #aliveAtMs = Number.NEGATIVE_INFINITY;
  #generation = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(options: GroupMemberOptions) {
    this.#options = options;
  }

  /** How often another member took the lasting name of this one. */
  fenced = 0;

  /** Whether another member has the lasting name of this one, so that this one waits. */
  isFenced = false;

  /** Grows with every change of the group's members. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether no other member can have been given the partitions yet: heartbeats are younger than the session. */
  get isCurrent(): boolean {
    const { timers, sessionTimeoutMs } = this.#options;
    return timers.elapsed() - this.#aliveAtMs < sessionTimeoutMs;
  }

  /** Joins the group in the background, and stays in it. @throws ConfigError when the library is not installed */
  async start(): Promise<void> {
    const { load = loadKafkaLibrary } = this.#options;
    const library = await load();
    this.#running = this.#run(library);
  }

  /**
   * A member with a lasting name ends without leaving the group: the partitions stay its own until its session is over. Another
   * one leaves.
   */
  async stop(): Promise<void> {
    this.#stopped.abort();
    const consumer = this.#consumer;
    // The library leaves the group when it closes. Nobody is called so, and that the broker says so is no error to it.
    if (consumer !== undefined && this.#options.instance !== undefined) consumer.memberId = 'stopped';
    const closed = Promise.resolve(consumer?.close(true)).catch(() => {});
    await Promise.race([closed, this.#running.then(() => pause(1_500))]);
  }

  async #run(library: GroupLibrary): Promise<void> {
    const { connection, timers, log } = this.#options;
    const { signal } = this.#stopped;
    const redact = redactor(connection.sasl === undefined ? [] : [connection.sasl.password]);
    await this.#tellWhoHasName(library);
    let memberId: string | null = null;
    while (!signal.aborted) {
      const consumer = this.#client(library, memberId);
      this.#consumer = consumer;
      const { hasJoined, error } = await this.#stay(consumer);
      if (signal.aborted) return;
      // The group knows the member by this, and gives it its partitions again.
      memberId = consumer.memberId;
      void abandon(consumer);
      if (isFencing(error)) {
        await this.#waitForName(library);
        memberId = null;
        continue;
      }
      const what = hasJoined ? 'the group of the fleet was lost' : 'the group of the fleet could not be joined';
      log.warn(what, { error: errorText(deepest(error), redact) });
      if (!hasJoined) await sleep(timers, REJOIN_MS, signal);
    }
  }

  #client(library: GroupLibrary, memberId: string | null): Consumer {
    const { connection, clientId, group, instance, topic, sessionTimeoutMs, assign } = this.#options;
    const consumer = new library.Consumer({
      ...clientOptions(connection, clientId),
      ...{ retries: 1, retryDelay: 500, groupId: group, ...(instance !== undefined && { groupInstanceId: instance }) },
      ...{ sessionTimeout: sessionTimeoutMs, rebalanceTimeout: Math.max(sessionTimeoutMs, REBALANCE_MS) },
      heartbeatInterval: this.#heartbeatMs,
      partitionAssigner: (_current, members, _topics, metadata) => {
        const named = new Map([...members].map(([id, { metadata: name }]) => [String(name ?? id), id]));
        const count = metadata.topics.get(topic)?.partitionsCount ?? 0;
        const assigned = assign([...named.keys()], count);
        return [...named].map(([name, id]) => ({
          memberId: id,
          assignments: new Map([[topic, { topic, partitions: [...(assigned.get(name) ?? [])] }]]),
        }));
      },
    });
    consumer.memberId = memberId;
    consumer.topics.track(topic);
    return consumer;
  }

  get #heartbeatMs(): number {
    return Math.max(300, Math.floor(this.#options.sessionTimeoutMs / HEARTBEATS_A_SESSION));
  }

  /** Joins, and stays in the group until this client cannot reach it, or the member is stopped. */
  async #stay(consumer: Consumer): Promise<{ readonly hasJoined: boolean; readonly error: unknown }> {
    const { says, group, topic, timers, log, sessionTimeoutMs, onAssigned } = this.#options;
    const { signal } = this.#stopped;
    const isOver = () => signal.aborted || this.#consumer !== consumer;
    let hasJoined = false;
    // When the newest request to join was made, and the heartbeat that waits for its answer, by `Timers.elapsed`.
    let joinAtMs = Number.NEGATIVE_INFINITY;
    let sentAtMs: number | undefined;
    let cancelWatch = () => {};
    let lose: (error: unknown) => void = () => {};
    const lost = new Promise<unknown>((resolve) => {
      lose = resolve;
    });
    const watch = (): void => {
      const isSilent = sentAtMs !== undefined && timers.elapsed() - sentAtMs > sessionTimeoutMs * SILENCE_OF_SESSION;
      if (isSilent) lose(new Error('no heartbeat was answered'));
      else cancelWatch = timers.schedule(watch, this.#heartbeatMs);
    };
    consumer.on('consumer:heartbeat:start', () => {
      sentAtMs = timers.elapsed();
    });
    consumer.on('consumer:heartbeat:end', () => {
      if (!isOver()) this.#aliveAtMs = sentAtMs ?? this.#aliveAtMs;
      sentAtMs = undefined;
    });
    // After an error of a heartbeat that is not one of the group the library sends no more of them.
    consumer.on('consumer:heartbeat:error', ({ error }) => lose(error));
    consumer.on('error', (error: unknown) => lose(error));
    // The members join once more, which takes as long as the slowest of them needs.
    consumer.on('consumer:group:rebalance', () => {
      sentAtMs = undefined;
    });
    consumer.on('consumer:group:join', ({ assignments, generationId = 0 }) => {
      if (isOver()) return;
      hasJoined = true;
      sentAtMs = undefined;
      // Not when the answer is processed: a process that was stopped in between may have lost the partitions since.
      this.#aliveAtMs = Math.max(this.#aliveAtMs, joinAtMs);
      this.#generation = generationId;
      const partitions = (assignments ?? []).flatMap((one) => (one.topic === topic ? one.partitions : []));
      log.info('partitions assigned', { group, generation: generationId, partitions: partitions.length });
      onAssigned(new Set(partitions));
    });
    signal.addEventListener('abort', lose);
    watch();
    // Read at each joining, also those that the library does by itself.
    const protocol = {
      name: PROTOCOL,
      version: 1,
      get metadata() {
        joinAtMs = timers.elapsed();
        return says();
      },
    };
    consumer.joinGroup({ protocols: [protocol] }).catch(lose);
    try {
      const error = await lost;
      return { hasJoined, error };
    } finally {
      cancelWatch();
      signal.removeEventListener('abort', lose);
    }
  }

  /**
   * Another member has joined by the lasting name of this one. Taking it back would only make the other one do the same, session
   * after session: this one waits until the name is free.
   */
  async #waitForName(library: GroupLibrary): Promise<void> {
    const { instance, group, sessionTimeoutMs, timers, log } = this.#options;
    const { signal } = this.#stopped;
    this.fenced++;
    this.isFenced = true;
    this.#aliveAtMs = Number.NEGATIVE_INFINITY;
    log.error(
      'another exporter has joined the fleet by the name of this one: this one shows no prefix until that one is gone; give each exporter a fleet.instance of its own',
      { instance, group },
    );
    do await sleep(timers, sessionTimeoutMs, signal);
    while (!signal.aborted && (await this.#whoHasName(library)) !== undefined);
    this.isFenced = false;
    if (!signal.aborted) log.info('the name is free: this exporter joins the fleet', { instance, group });
  }

  /** After a restart it is this one's own place; otherwise two have one name, and the other one waits from now on. */
  async #tellWhoHasName(library: GroupLibrary): Promise<void> {
    const { instance, group, log } = this.#options;
    const host = await this.#whoHasName(library);
    if (host === undefined) return;
    log.info(
      'the fleet has a member by the name of this exporter, whose place this one takes: right after a restart; if that exporter still runs, give each a fleet.instance of its own',
      { instance, group, host },
    );
  }

  /** The host of the member that has the lasting name of this one; undefined: none has it, or it has none. */
  async #whoHasName({ Admin }: GroupLibrary): Promise<string | undefined> {
    const { connection, clientId, instance, group } = this.#options;
    if (instance === undefined) return undefined;
    const admin = new Admin(clientOptions(connection, clientId));
    try {
      const groups = await admin.describeGroups({ groups: [group] });
      for (const { groupInstanceId, clientHost } of groups.get(group)?.members.values() ?? [])
        if (groupInstanceId === instance) return clientHost.replace(/^\//, '');
      return undefined;
    } catch {
      // Brokers that do not answer, or do not permit the question, are no reason to stay away.
      return undefined;
    } finally {
      void Promise.resolve(admin.close()).catch(() => {});
    }
  }
}

/** Ends a client whose member stays in the group, where the next client goes on for it. */
async function abandon(consumer: Consumer): Promise<void> {
  // The library takes nobody out of the group when it knows no name.
  consumer.memberId = null;
  await Promise.resolve(consumer.leaveGroup(true)).catch(() => {});
  await Promise.resolve(consumer.close(true)).catch(() => {});
}

/** Whether the brokers say that another member has taken the name. */
function isFencing(error: unknown): boolean {
  const { findBy } = error as { findBy?: (property: string, value: unknown) => unknown };
  return findBy?.call(error, 'apiId', FENCED) != null;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/**
 * All partitions for one: who has them already, by the highest term, or else the first by name. Members say `NAME`, or
 * `NAME TERM` while they have them.
 */
export const exclusive: Assign = (members, partitions) => {
  const termOf = (said: string) => Number(said.split(' ')[1] ?? -1);
  const [first] = [...members].sort((a, b) => termOf(b) - termOf(a) || (a < b ? -1 : 1));
  const all = Array.from({ length: partitions }, (_, i) => i);
  return new Map(first === undefined ? [] : [[first, all]]);
};

/** Rendezvous hashing: a partition is the member's whose name and it hash highest. */
export const rendezvous: Assign = (members, partitions) => {
  const assigned = new Map<string, number[]>(members.map((name) => [name, []]));
  for (let partition = 0; partition < partitions; partition++) {
    const [best] = ranked(members, partition);
    if (best !== undefined) assigned.get(best)?.push(partition);
  }
  return assigned;
};

function ranked(members: readonly string[], partition: number): string[] {
  // One round of CRC keeps the order of names that differ little; a second one over the first mixes them.
  const score = (name: string) => crc32(`${crc32(`${partition} ${name}`)} ${partition}`);
  return [...members].sort((a, b) => score(b) - score(a) || (a < b ? -1 : 1));
}
