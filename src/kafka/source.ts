/**
 * Kafka topics as a source: one session that reads all partitions from their ends. Positions are kept in memory only, and a
 * broker that goes and comes loses nothing: reading goes on where it was. What was deleted before it was read is a gap.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parsePrefix } from '../bgp/prefix.ts';
import type { Logger } from '../logger.ts';
import { errorText, foreignText, redactor } from '../secrets/redaction.ts';
import { Backoff } from '../stream/backoff.ts';
import type { DisconnectReason, PartitionLag, SourceListener, StreamSource, StreamStats } from '../stream/source.ts';
import { createStreamStats, markDown, markIdle, markUp } from '../stream/stream-health.ts';
import { sleep, type Timers } from '../stream/timers.ts';
import type { PrefixFilter } from './bmp/prefix-filter.ts';
import { RecordFilter } from './bmp/record-filter.ts';
import type { BrokerClient } from './broker-client.ts';
import { causes, deepest, isClosed } from './broker-error.ts';
import { Channels } from './channels.ts';
import type { LogRecord } from './record-batches.ts';
import { endOfChannelFrame, passedFrame, recordFrame } from './record-frame.ts';
import { type Position, TopicReader } from './topic-reader.ts';

/** What the records hold: BMP with or without a header of OpenBMP, or messages as the bgproutes.io stream has them. */
export type RecordFormat = 'openbmp' | 'bmp' | 'bgproutes-json';

export interface KafkaSourceOptions {
  /** Makes a client of the brokers; one for each attempt. */
  readonly connect: () => BrokerClient;
  /** Names, or regular expressions that begin with `^`. */
  readonly topics: readonly string[];
  readonly format: RecordFormat;
  /** Is given the prefixes of the session. */
  readonly filter: PrefixFilter;
  /** Canonical. */
  readonly prefixes: readonly string[];
  /** Must never be in a log or a detail. */
  readonly secrets: readonly string[];
  /** Why a broker may close a connection before it has answered anything: what the settings make likely. */
  readonly whyClosed: string;
  readonly timers: Timers;
  readonly log: Logger;
}

/** Frames that are handed on together; in between the program does other things. */
const FRAMES_A_TURN = 256;

/** How long a stop, and the end of a connection, wait for an answer that is on its way, ms. */
const STOP_MS = 1_500;

const BACKOFF = { baseMs: 1_000, maxMs: 60_000, floorMs: 250 };

/** A connection that has lasted so long makes the next attempt come soon, ms. */
const STABLE_MS = 60_000;

const BMP_VERSION = 3;

export class KafkaSource implements StreamSource {
  readonly name = 'kafka';
  readonly stats: readonly [StreamStats];
  readonly #options: KafkaSourceOptions;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #redact: (text: string) => string;
  readonly #reader: TopicReader;
  readonly #atReceipt: RecordFilter;
  readonly #channels = new Channels();
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  #listener: SourceListener | undefined;
  #running: Promise<void> | undefined;
  /** Frames of the answer that is read, and what was turned away in it. */
  #frames: Buffer[] = [];
  #passedMessages = 0;
  #passedPrefixes = 0;
  /** What the answer that is read shows to be lost: since when, and what. */
  #lost: { atMs: number; readonly detail: string } | undefined;
  #lastAnswerMs = 0;
  /** Answers of several brokers, and of several runs, are handed on one after the other. */
  #delivering: Promise<void> = Promise.resolve();
  #wake: () => void = () => {};

  constructor(options: KafkaSourceOptions) {
    const { timers, log, topics } = options;
    this.#options = options;
    this.#timers = timers;
    this.#log = log.child({ source: this.name, session: '0' });
    this.#redact = redactor(options.secrets);
    this.#backoff = new Backoff(BACKOFF, () => timers.random());
    this.#atReceipt = new RecordFilter(options.filter);
    this.#reader = new TopicReader(
      wantedTopics(topics),
      {
        records: (position, records) => this.#take(position, records),
        answered: () => {
          // Whoever waits for an answer hears of its failure; the answers after it are handed on all the same.
          this.#delivering = this.#delivering.catch(() => {}).then(() => this.#deliver());
          return this.#delivering;
        },
        ended: (position) => this.#ended(position),
        lost: (position, detail) => this.#noteLoss(position, detail),
      },
      timers,
    );
    this.stats = [
      {
        ...createStreamStats(this.name, '0', timers.now()),
        lags: () => this.#lags(),
        idle: options.prefixes.length === 0,
      },
    ];
    this.#setFilter(options.prefixes);
  }

  start(listener: SourceListener): void {
    if (this.#listener !== undefined) throw new Error('a source is started once');
    this.#listener = listener;
    this.#running = this.#run(this.#stopping.signal);
  }

  /** All records come in any case: the prefixes only say which of them count. */
  setPrefixes(_session: number, prefixes: readonly string[]): Promise<void> {
    this.#setFilter(prefixes);
    const [stats] = this.stats;
    if (prefixes.length === 0) markIdle(stats, this.#timers.elapsed());
    else stats.idle = false;
    this.#wake();
    return Promise.resolve();
  }

  unhealthy(): string | undefined {
    const { unread } = this.#reader;
    return unread === 0 ? undefined : `${unread} partitions are not read: there are too many`;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await Promise.race([this.#running, sleep(this.#timers, STOP_MS, new AbortController().signal)]);
  }

  #setFilter(prefixes: readonly string[]): void {
    this.#options.filter.set(prefixes.flatMap((text) => parsePrefix(text) ?? []));
    this.stats[0].subscribedPrefixes = prefixes.length;
  }

  async #run(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      if (this.stats[0].idle === true) {
        await this.#untilWoken();
        continue;
      }
      const connectedAtMs = await this.#attempt(stopped);
      if (stopped.aborted) return;
      if (connectedAtMs !== undefined && this.#timers.elapsed() - connectedAtMs >= STABLE_MS) this.#backoff.reset();
      await sleep(this.#timers, this.#backoff.next(), stopped);
    }
  }

  /** Reads until something fails; gives when it was connected, by `elapsed`. */
  async #attempt(stopped: AbortSignal): Promise<number | undefined> {
    const [stats] = this.stats;
    const over = new AbortController();
    const end = (): void => over.abort();
    stopped.addEventListener('abort', end);
    this.#wake = () => {
      if (stats.idle === true) end();
    };
    const client = this.#options.connect();
    let connectedAtMs: number | undefined;
    try {
      const partitions = await this.#reader.discover(client);
      if (partitions === 0) throw new Error(`the brokers have no topic ${this.#options.topics.join(', ')}`);
      if (over.signal.aborted) return undefined;
      connectedAtMs = this.#timers.elapsed();
      this.#lastAnswerMs = this.#timers.now();
      this.#up();
      this.#log.info('stream connected', { partitions });
      await this.#reader.read(client, over.signal);
      this.#down('stopped', this.#timers.now(), '');
    } catch (error) {
      if (!stopped.aborted) this.#failed(error, connectedAtMs !== undefined);
    } finally {
      stopped.removeEventListener('abort', end);
      this.#wake = () => {};
      await Promise.race([client.close(), sleep(this.#timers, STOP_MS, stopped)]);
    }
    return connectedAtMs;
  }

  #up(): void {
    const [stats] = this.stats;
    markUp(stats, this.#timers.elapsed());
    stats.connects++;
    this.#listener?.connected(0, this.#timers.now());
  }

  #down(reason: DisconnectReason, atMs: number, detail: string): void {
    const [stats] = this.stats;
    if (stats.idle !== true) markDown(stats, this.#timers.elapsed());
    stats.disconnects[reason]++;
    this.#listener?.disconnected(0, reason, atMs, detail, reason === 'refused');
  }

  #failed(error: unknown, wasConnected: boolean): void {
    const cause = deepest(error);
    const text =
      !wasConnected && isClosed(cause)
        ? `the broker closed the connection before it answered: ${this.#options.whyClosed}`
        : errorText(cause, this.#redact);
    const detail = foreignText(text, this.#redact);
    const reason = reasonOf(error, wasConnected);
    this.#log.warn(wasConnected ? 'stream disconnected' : 'stream could not be opened', { reason, detail });
    this.#down(reason, wasConnected ? this.#lastAnswerMs : this.#timers.now(), detail);
  }

  #take({ topic, partition }: Position, records: readonly LogRecord[]): void {
    const [stats] = this.stats;
    const isBmp = this.#options.format !== 'bgproutes-json';
    const own = this.#channels.of(topic, partition);
    stats.frames += records.length;
    for (const { timeMs, key, value = NOTHING } of records) {
      stats.receivedBytes += value.length;
      if (!isBmp) {
        this.#frames.push(value);
        continue;
      }
      if (!this.#atReceipt.isNeeded(value)) {
        this.#passedMessages++;
        this.#passedPrefixes += this.#atReceipt.prefixes;
        continue;
      }
      // Without a header nothing but the key may tell which router speaks.
      const isBare = value[0] === BMP_VERSION && key !== undefined && key.length > 0;
      this.#frames.push(recordFrame(timeMs, isBare ? this.#channels.of(topic, partition, key) : own, value));
    }
  }

  /** Hands on what an answer held, some at a time. */
  async #deliver(): Promise<void> {
    this.#lastAnswerMs = this.#timers.now();
    const frames = this.#frames;
    this.#frames = [];
    if (this.#passedMessages > 0) {
      frames.push(passedFrame(this.#passedMessages, this.#passedPrefixes));
      this.#passedMessages = this.#passedPrefixes = 0;
    }
    for (let from = 0; from < frames.length && !this.#stopping.signal.aborted; from += FRAMES_A_TURN) {
      if (from > 0) await nextTurn();
      await this.#listener?.frames(0, frames.slice(from, from + FRAMES_A_TURN), this.#timers.now());
    }
    this.#tellLoss();
  }

  #ended({ topic, partition }: Position): void {
    this.#log.info('a partition no longer exists', { topic, partition });
    for (const channel of this.#channels.remove(topic, partition)) {
      if (this.#options.format !== 'bgproutes-json')
        this.#listener?.frames(0, [endOfChannelFrame(this.#timers.now(), channel)], this.#timers.now());
    }
  }

  #noteLoss({ timeMs }: Position, detail: string): void {
    const atMs = Math.min(timeMs ?? this.#lastAnswerMs, this.#lastAnswerMs);
    if (this.#lost === undefined) this.#lost = { atMs, detail };
    else this.#lost.atMs = Math.min(this.#lost.atMs, atMs);
    this.#log.warn('records were lost', { detail });
  }

  /** For the table a loss is a gap, however short. */
  #tellLoss(): void {
    if (this.#lost === undefined) return;
    const { atMs, detail } = this.#lost;
    this.#lost = undefined;
    this.#down('closed', atMs, detail);
    this.#up();
  }

  *#lags(): Generator<PartitionLag> {
    for (const { topic, partition, offset, endOffset } of this.#reader.positions)
      yield { topic, partition, records: Math.max(0, endOffset - offset) };
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

const NOTHING = Buffer.alloc(0);

/** Names, and regular expressions that begin with `^`. */
export function wantedTopics(topics: readonly string[]): (topic: string) => boolean {
  const names = new Set(topics.filter((topic) => !topic.startsWith('^')));
  const patterns = topics.filter((topic) => topic.startsWith('^')).map((topic) => new RegExp(topic));
  return (topic) => names.has(topic) || patterns.some((pattern) => pattern.test(topic));
}

function reasonOf(error: unknown, wasConnected: boolean): DisconnectReason {
  for (const { code } of causes(error)) {
    if (code === 'PLT_KFK_AUTHENTICATION') return 'refused';
    if (code === 'PLT_KFK_TIMEOUT') return wasConnected ? 'timeout' : 'connect_failed';
  }
  return wasConnected ? 'closed' : 'connect_failed';
}
