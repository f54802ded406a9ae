/**
 * A session of RIS Live: its prefixes on one connection, or on several where the service takes only so many subscriptions on
 * one. Up means: all its connections are. A gap of one is a gap of the session, which is simpler than to tell whose prefixes
 * it was, and never wrong.
 */
import { StoppedError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { DisconnectReason, SourceListener, StreamStats } from '../stream/source.ts';
import { createStreamStats, markDown, markIdle, markUp } from '../stream/stream-health.ts';
import type { Timers } from '../stream/timers.ts';
import { headOf, isMessage, RisConnection, type RisConnectionOptions } from './connection.ts';
import { Duplicates } from './duplicates.ts';

/** Options of each connection of the session. */
export type RisSessionOptions = RisConnectionOptions;

/** Connections of one session. What more would be needed for is refused. */
export const MAX_CONNECTIONS = 16;

/** Refused prefixes that are named in the log one by one. */
const MAX_TOLD = 10;

export class RisSession {
  readonly stats: StreamStats;
  readonly #index: number;
  readonly #options: RisSessionOptions;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #duplicates = new Duplicates();
  #listener: SourceListener | undefined;
  #connections: RisConnection[] = [];
  /** How many there have been: each has a number of its own. */
  #made = 0;
  /** Connections that are closed because others carry all prefixes. Their end says nothing about the session. */
  readonly #spare = new WeakSet<RisConnection>();
  #prefixes: readonly string[];
  readonly #refused = new Set<string>();
  #isStopped = false;
  /** Prefixes are being spread over the connections: what one of them says meanwhile is not the whole. */
  #isSpreading = false;
  /** Connections that are not needed any more, while they close. */
  #closing: Promise<void> = Promise.resolve();
  /** The callers that wait until the prefixes are subscribed. */
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  constructor(source: string, index: number, prefixes: readonly string[], options: RisSessionOptions) {
    this.#index = index;
    this.#options = options;
    this.#timers = options.timers;
    this.#log = options.log.child({ source, session: String(index) });
    this.#prefixes = prefixes;
    this.stats = {
      ...createStreamStats(source, String(index), options.timers.now()),
      idle: prefixes.length === 0,
      connections: () => this.#connections.length,
    };
  }

  start(listener: SourceListener): void {
    if (this.#listener !== undefined) throw new Error('a source is started once');
    this.#listener = listener;
    if (this.#prefixes.length > 0) this.#spread();
  }

  /** The connections stay, and are asked for the difference. */
  setPrefixes(prefixes: readonly string[]): Promise<void> {
    if (this.#isStopped) return Promise.reject(new StoppedError('the source was stopped'));
    this.#rejectWaiting('the prefixes were replaced again');
    this.#prefixes = prefixes;
    if (prefixes.length === 0) return this.#becomeIdle();
    this.stats.idle = false;
    const wanted = new Set(prefixes);
    for (const prefix of this.#refused) if (!wanted.has(prefix)) this.#refused.delete(prefix);
    const settled = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    settled.catch(() => {}); // whoever asked may have stopped waiting
    if (this.#listener !== undefined) this.#spread();
    return settled;
  }

  unhealthy(): string | undefined {
    if (this.#refused.size === 0) return undefined;
    const [first] = this.#refused;
    const others = this.#refused.size === 1 ? '' : ` and ${this.#refused.size - 1} more`;
    return `RIS Live refuses the subscription of ${first}${others}`;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const stopping = this.#connections.map((connection) => connection.stop());
    this.stats.subscribedPrefixes = 0;
    this.#rejectWaiting('the source was stopped');
    await Promise.all([...stopping, this.#closing]);
  }

  /** Each prefix stays on its connection; new ones go where there is room. */
  #spread(): void {
    const wanted = new Set(this.#prefixes);
    const kept = this.#connections.map(({ prefixes }) => prefixes.filter((prefix) => wanted.delete(prefix)));
    const isFull = this.#connections.map((each, i) => each.isFull && kept[i].length === each.prefixes.length);
    const added = [...wanted];
    this.#isSpreading = true;
    const place = added.length === 0 ? -1 : isFull.indexOf(false);
    for (const [i, connection] of [...this.#connections].entries()) {
      const prefixes = i === place ? [...kept[i], ...added] : kept[i];
      if (i > 0 && prefixes.length === 0) this.#close(connection);
      else connection.setPrefixes(prefixes);
    }
    if (added.length > 0 && place === -1) this.#carry(added, 'all connections are full');
    this.#isSpreading = false;
    this.#settled();
  }

  /** One more connection, for these prefixes. */
  #carry(prefixes: readonly string[], text: string): void {
    if (this.#connections.length >= MAX_CONNECTIONS) {
      for (const prefix of prefixes) this.#onRefused(prefix, text);
      return;
    }
    const isFirst = this.#connections.length === 0;
    const number = this.#made++;
    const log = isFirst ? this.#log : this.#log.child({ connection: String(number) });
    const connection: RisConnection = new RisConnection(
      { ...this.#options, log },
      prefixes,
      isFirst,
      () => this.#closing,
      {
        frames: (frames, receivedAtMs) => this.#take(frames, receivedAtMs, number),
        settled: () => this.#settled(),
        lost: (reason, atMs, detail, refused) => this.#lost(connection, reason, atMs, detail, refused),
        refused: (what, answer) => this.#onRefused(what, answer),
        full: (left, answer) => this.#onFull(connection, left, answer),
      },
    );
    this.#connections.push(connection);
    connection.start();
  }

  #onFull(connection: RisConnection, left: readonly string[], text: string): void {
    const place = this.#connections.indexOf(connection);
    this.#log.info('RIS Live takes no more prefixes on a connection: the others go to the next one', {
      ...{ connection: place, prefixes: connection.prefixes.length, others: left.length, detail: text },
    });
    const next = this.#connections.find((each, i) => i > place && !each.isFull);
    if (next === undefined) this.#carry(left, text);
    else next.setPrefixes([...next.prefixes, ...left]);
  }

  #close(connection: RisConnection): void {
    this.#connections = this.#connections.filter((each) => each !== connection);
    this.#spare.add(connection);
    this.#closing = Promise.all([this.#closing, connection.stop()]).then(() => {});
  }

  #settled(): void {
    if (this.#isSpreading || this.#isStopped) return;
    const { stats } = this;
    stats.subscribedPrefixes = this.#connections.reduce((sum, { accepted }) => sum + accepted, 0);
    if (this.#connections.length === 0 || !this.#connections.every(({ isUp }) => isUp)) return;
    if (!stats.up) {
      markUp(stats, this.#timers.elapsed());
      stats.connects++;
      this.#listener?.connected(this.#index, this.#timers.now());
    }
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** @param from the number of the connection */
  #take(frames: readonly Buffer[], receivedAtMs: number, from: number): Promise<void> | void {
    const { stats } = this;
    stats.frames += frames.length;
    for (const frame of frames) stats.receivedBytes += frame.length;
    const isNew = (frame: Buffer): boolean => !isMessage(headOf(frame)) || !this.#duplicates.has(frame, from);
    const news = this.#connections.length > 1 ? frames.filter(isNew) : frames;
    if (news.length > 0) return this.#listener?.frames(this.#index, news, receivedAtMs);
  }

  #lost(connection: RisConnection, reason: DisconnectReason, atMs: number, detail: string, refused: boolean): void {
    if (this.#spare.has(connection)) return;
    markDown(this.stats, this.#timers.elapsed());
    this.stats.subscribedPrefixes = this.#connections.reduce((sum, { accepted }) => sum + accepted, 0);
    this.stats.disconnects[reason]++;
    this.#listener?.disconnected(this.#index, reason, atMs, detail, refused);
  }

  #onRefused(what: string, text: string): void {
    const isPrefix = this.#prefixes.includes(what);
    if (!isPrefix) {
      this.#log.info('RIS Live refuses a subscription that the exporter can do without', { what, detail: text });
      return;
    }
    this.#refused.add(what);
    if (this.#refused.size <= MAX_TOLD) this.#log.error('RIS Live refuses a prefix', { prefix: what, detail: text });
  }

  #becomeIdle(): Promise<void> {
    const closing = this.#connections.map((connection) => connection.stop());
    this.#connections = [];
    markIdle(this.stats, this.#timers.elapsed());
    this.stats.subscribedPrefixes = 0;
    this.#refused.clear();
    this.#closing = Promise.all([this.#closing, ...closing]).then(() => {});
    return this.#closing;
  }

  #rejectWaiting(why: string): void {
    for (const { reject } of this.#waiting.splice(0)) reject(new StoppedError(why));
  }
}
