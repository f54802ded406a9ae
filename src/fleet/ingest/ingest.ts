/**
 * Any source in, the topic of events out, without a table. Of several ingests of one fleet one writes and the others wait:
 * they are a group of which one member gets all partitions. Who loses them, or has not reached the broker for a session,
 * writes no more, and ends; what it may have written in between carries a term that is over, which exporters drop.
 */
import { hostname } from 'node:os';
import type { RouteIds } from '../../bgp/route-integers.ts';
import { UNKNOWN } from '../../bgp/route-integers.ts';
import { ServiceClock } from '../../feed/clocks/service-clock.ts';
import { HoldRoom } from '../../feed/frame-queue.ts';
import { type BrokerClient, brokerClient, type KafkaConnection, loadKafkaLibrary } from '../../kafka/broker-client.ts';
import { deepest } from '../../kafka/broker-error.ts';
import type { Logger } from '../../logger.ts';
import type { TableFigures } from '../../metrics/figures/table-figures.ts';
import { errorText, redactor } from '../../secrets/redaction.ts';
import type { HistoryVp } from '../../stream/history.ts';
import type { LiveFeed, SessionPlan } from '../../stream/live-feed.ts';
import type { SourceListener } from '../../stream/source.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import type { EventWriter } from '../event-writer.ts';
import { exclusive, GroupMember } from '../group-member.ts';
import { decodeRecord } from '../records.ts';
import { fetchReadable } from '../unreadable.ts';
import { IngestSession } from './ingest-session.ts';
import type { MoreSpecifics } from './more-specifics.ts';
import { SessionShares } from './session-shares.ts';
import { VpList } from './vp-list.ts';

export interface IngestOptions {
  readonly connection: KafkaConnection;
  readonly clientId: string;
  readonly group: string;
  readonly eventsTopic: string;
  readonly sessionTimeoutMs: number;
  readonly feed: LiveFeed;
  readonly plan: SessionPlan;
  /** Where what is heard of more-specifics is noted; the feed asks it for those that are known. */
  readonly moreSpecifics: MoreSpecifics;
  /** Makes the writer; `term` is asked for each record, and `onLost` told of a gap. */
  readonly writer: (term: () => number, onLost: (sinceMs: number) => void) => EventWriter;
  readonly figures: TableFigures;
  readonly timers: Timers;
  readonly log: Logger;
  /** Whether the history is read. */
  readonly seed: boolean;
  readonly lagMs: number;
  readonly expectedWindowMs: number;
  /** 0: never. */
  readonly vpPollIntervalMs: number;
  /** 0: never. */
  readonly reseedIntervalMs: number;
  /** Another ingest writes from now on. */
  readonly onSuperseded: () => void;
}

const WATERMARK_MS = 1_000;
const CHECK_MS = 500;
/** How often it is looked whether the topic is the same. */
const TOPIC_MS = 30_000;
/** VPs of one record of their list. */
const VPS_A_RECORD = 4_000;
/** How often it is looked whether frames could not be read, and how long it is at least between two comparisons for that. */
const FAILURE_PAUSE_MS = 10 * 60_000;

export class Ingest {
  readonly sessions: readonly IngestSession[];
  readonly writer: EventWriter;
  readonly #options: IngestOptions;
  readonly #member: GroupMember;
  readonly #list: VpList;
  readonly #clock: ServiceClock;
  readonly #stopped = new AbortController();
  #term: number | undefined;
  #isStarting = false;
  /** The topic of events, as brokers number topics, and when it was there last, Unix ms. */
  #topicId: string | undefined;
  #topicSeenAtMs = 0;
  #loops: Promise<unknown> = Promise.resolve();
  #reading: Promise<void> = Promise.resolve();

  constructor(options: IngestOptions) {
    this.#options = options;
    const { connection, clientId, group, eventsTopic, sessionTimeoutMs, feed, plan, moreSpecifics } = options;
    const { timers, log, figures } = options;
    this.writer = options.writer(
      () => this.#term ?? 0,
      (sinceMs) => this.#readAgain(sinceMs),
    );
    this.#clock = new ServiceClock({
      logger: log,
      streamDelayMs: () => undefined,
      onChange: () => this.#interrupt(timers.now()),
      onRefused: () => {
        figures.refusedClockAnswers++;
      },
    });
    this.#list = new VpList({
      now: () => timers.now(),
      clock: this.#clock,
      onList: (vps) => this.#tellVps(vps),
      onBack: (vps) => this.#readBack(vps),
    });
    const decoder = feed.decoder(NO_NUMBERS);
    const shares = new SessionShares(plan.prefixes);
    const holdRoom = new HoldRoom();
    this.sessions = feed.source.stats.map(
      (stream, session) =>
        new IngestSession({
          ...{ session, stream, decoder, writer: this.writer, list: this.#list, shares, moreSpecifics, holdRoom },
          ...{ figures, log, timers },
          ...{ history: options.seed ? feed.history(session) : undefined, prefixes: plan.prefixes[session] },
          lagMs: feed.historyLagMs ?? options.lagMs,
          expectedWindowMs: options.expectedWindowMs,
        }),
    );
    const name = `${hostname()}-${Math.floor(timers.random() * 2 ** 32).toString(36)}`;
    this.#member = new GroupMember({
      ...{ connection, clientId, topic: eventsTopic, sessionTimeoutMs, timers, log },
      ...{ group: `${group}.ingest`, instance: undefined, assign: exclusive },
      says: () => (this.#term === undefined ? name : `${name} ${this.#term}`),
      onAssigned: (partitions) => this.#assigned(partitions.size > 0),
    });
  }

  /** Whether this is the one that writes. */
  get isWriting(): boolean {
    return this.#term !== undefined && this.#member.isCurrent;
  }

  /** Waits in the background until no other writes, and begins. @throws ConfigError when the library is not installed */
  async start(): Promise<void> {
    await this.#options.feed.prepare?.();
    await this.#member.start();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    if (this.#term !== undefined) {
      await this.#options.feed.source.stop();
      await Promise.all(this.sessions.map((session) => session.stop()));
      const late = new AbortController();
      const cancel = this.#options.timers.schedule(() => late.abort(), 1_000);
      await this.writer.flush(late.signal);
      cancel();
    }
    await this.writer.stop();
    await this.#member.stop();
    await this.#loops;
  }

  #assigned(isOurs: boolean): void {
    const { log, onSuperseded } = this.#options;
    if (this.#stopped.signal.aborted) return;
    if (isOurs && this.#term === undefined && !this.#isStarting) {
      this.#isStarting = true;
      void this.#begin();
    } else if (!isOurs && (this.#term !== undefined || this.#isStarting)) {
      onSuperseded();
    } else if (!isOurs) {
      log.info('another ingest of this fleet writes: this one waits');
    }
  }

  async #begin(): Promise<void> {
    const { feed, timers, log, vpPollIntervalMs, reseedIntervalMs } = this.#options;
    const { signal } = this.#stopped;
    const last = await this.#lastTerm(signal);
    if (signal.aborted) return;
    this.#term = Math.max(last + 1, Math.floor(timers.now() / 1_000));
    log.info('this ingest writes from now on', { term: this.#term });
    this.writer.toAll({ type: 'start' });
    feed.source.start(this.#listener());
    const every = async (ms: number, work: () => Promise<void> | void) => {
      while (ms > 0 && !signal.aborted) {
        await sleep(timers, ms, signal);
        if (!signal.aborted) await work();
      }
    };
    this.#loops = Promise.all([
      every(WATERMARK_MS, () => this.#tellWatermark()),
      every(CHECK_MS, () => this.#checkMembership()),
      every(TOPIC_MS, () => this.#checkTopic()),
      every(vpPollIntervalMs, () => this.#pollVps()),
      every(reseedIntervalMs, async () => {
        for (const session of this.sessions) await session.compare();
      }),
      this.#compareAfterFailures(signal),
      this.#checkTopic(),
    ]);
  }

  #listener(): SourceListener {
    const { sessions } = this;
    return {
      frames: (session, frames, atMs) => sessions[session].frames(frames, atMs),
      connected: (session, atMs) => sessions[session].connected(atMs),
      disconnected: (session, _reason, atMs) => {
        sessions[session].disconnected(atMs);
        this.#tellWatermark();
      },
      updates: (session) => sessions[session].updates,
    };
  }

  #tellWatermark(): void {
    const { stats } = this.#options.feed.source;
    const up = stats.every((one) => one.up || one.idle === true) && stats.some((one) => one.up);
    this.writer.toAll({ type: 'watermark', up, clockOffsetMs: this.#clock.offsetMs });
  }

  #checkMembership(): void {
    if (!this.#member.isCurrent) this.#options.onSuperseded();
  }

  #tellVps(vps: readonly HistoryVp[]): void {
    const parts = Math.ceil(vps.length / VPS_A_RECORD);
    for (let part = 0; part < parts; part++) {
      const some = vps.slice(part * VPS_A_RECORD, (part + 1) * VPS_A_RECORD);
      this.writer.toAll({ type: 'vps', part, parts, vps: some });
    }
  }

  #readBack(vps: readonly HistoryVp[]): void {
    this.#reading = this.#reading.then(async () => {
      for (const session of this.sessions) await session.readVps(vps);
    });
  }

  async #pollVps(): Promise<void> {
    const { feed, log, seed } = this.#options;
    for (const [session] of this.sessions.entries()) {
      const history = seed ? feed.history(session) : undefined;
      if (history === undefined) continue;
      try {
        await this.#list.refresh(history, this.#stopped.signal);
        return;
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        const text = error instanceof Error ? error.message : String(error);
        log.warn('the vantage points could not be read from the history', { error: text });
      }
    }
  }

  /** A frame that could not be read may have been a withdrawal. */
  async #compareAfterFailures(signal: AbortSignal): Promise<void> {
    const { timers, lagMs, log } = this.#options;
    let seen = 0;
    while (!signal.aborted) {
      await sleep(timers, 60_000, signal);
      const unread = this.sessions.reduce((sum, session) => sum + session.unreadMessages, 0);
      if (signal.aborted || unread === seen) continue;
      seen = unread;
      await sleep(timers, lagMs + 5_000, signal);
      log.info('frames could not be read: complete prefixes are compared with the history');
      for (const session of this.sessions) if (!signal.aborted) await session.compare();
      await sleep(timers, FAILURE_PAUSE_MS, signal);
    }
  }

  /** What was read by a wrong clock is a gap of every session. */
  #interrupt(sinceMs: number): void {
    const { feed, timers } = this.#options;
    // Whoever tells it is in the middle of its work.
    void Promise.resolve().then(() => {
      for (const [session, { up }] of feed.source.stats.entries()) {
        if (!up) continue;
        this.sessions[session].disconnected(sinceMs);
        this.sessions[session].connected(timers.now());
      }
    });
  }

  /** Records that were written since then (Unix ms) are lost: whatever they told is told once more. */
  #readAgain(sinceMs: number): void {
    void Promise.resolve().then(() => {
      if (this.#term === undefined || this.#stopped.signal.aborted) return;
      for (const session of this.sessions) session.readAgain(sinceMs, this.#options.timers.now());
    });
  }

  /** Who restores partitions of a topic that was made again has only what was written since then. */
  async #checkTopic(): Promise<void> {
    const { connection, clientId, eventsTopic, timers, log } = this.#options;
    const client = brokerClient(await loadKafkaLibrary(), connection, clientId);
    try {
      const [found] = await client.partitions((name) => name === eventsTopic);
      if (found === undefined) return;
      if (this.#topicId !== undefined && this.#topicId !== found.topicId) {
        log.error('the topic of events was made again: all of the history is read once more', { topic: eventsTopic });
        this.#readAgain(this.#topicSeenAtMs);
      }
      this.#topicId = found.topicId;
      this.#topicSeenAtMs = timers.now();
    } catch {
      // Brokers that do not answer are told of where events are written.
    } finally {
      void client.close();
    }
  }

  /** The term of the newest record that any ingest has written; -1 where there is none. */
  async #lastTerm(signal: AbortSignal): Promise<number> {
    const { connection, clientId, eventsTopic, timers, log } = this.#options;
    const library = await loadKafkaLibrary();
    const redact = redactor(connection.sasl === undefined ? [] : [connection.sasl.password]);
    while (!signal.aborted) {
      const client = brokerClient(library, connection, clientId);
      try {
        return await newestTerm(client, eventsTopic);
      } catch (error) {
        log.warn('the newest events could not be read, trying again', { error: errorText(deepest(error), redact) });
        await sleep(timers, 1_000, signal);
      } finally {
        await client.close();
      }
    }
    return -1;
  }
}

/** Of the last record of a partition: whoever writes begins with all of them, and goes on every second. */
async function newestTerm(client: BrokerClient, topic: string): Promise<number> {
  const partitions = await client.partitions((name) => name === topic);
  if (partitions.length === 0) throw new Error(`the topic ${topic} is missing`);
  const ends = await client.offsets(partitions, 'end');
  for (const [i, partition] of partitions.entries()) {
    if (ends[i] <= 0) continue;
    const offset = ends[i] - 1;
    const [answer] = await fetchReadable(client, partition.leader, [{ partition, offset }], 'now');
    const value = answer?.kind === 'records' ? answer.records.at(-1)?.value : undefined;
    const term = value && decodeRecord(value)?.term;
    // One that cannot be read says nothing; the next partition has the same.
    if (term !== undefined) return term;
  }
  return -1;
}

/** An ingest has no table, and so no numbers: every message goes the general way. */
const NO_NUMBERS: RouteIds = {
  findVp: () => UNKNOWN,
  findRouter: () => UNKNOWN,
  findPeer: () => UNKNOWN,
  prefetchVps: () => {},
  findPrefix: () => UNKNOWN,
  prefetchPaths: () => {},
  findPath: () => UNKNOWN,
  internPath: () => UNKNOWN,
  retainPath: () => {},
  discardPath: () => {},
};
