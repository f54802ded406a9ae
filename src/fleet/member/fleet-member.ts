/**
 * An exporter as one of a fleet: which partitions are its own, how each gets into the table, and how its state is kept for
 * whoever has it next.
 *
 *   assigned -> restoring (state) -> replaying (events) -> live, shown -> not assigned: hidden at once
 *
 * What is shown is asked at each scrape: a partition that is live, while heartbeats are younger than the session.
 */
import { hostname } from 'node:os';
import { ServiceClock } from '../../feed/clocks/service-clock.ts';
import { VpDirectory } from '../../feed/vp-directory.ts';
import { type BrokerClient, brokerClient, loadKafkaLibrary, type UnreadableReason } from '../../kafka/broker-client.ts';
import type { LogRecord } from '../../kafka/record-batches.ts';
import { zeros } from '../../metrics/figures/zeros.ts';
import { FLEET_UNREADABLE_REASONS, type FleetUnreadableReason } from '../../metrics/views/fleet-view.ts';
import type { HistoryVp } from '../../stream/history.ts';
import { sleep } from '../../stream/timers.ts';
import { dropVp } from '../../table/vps/vp-loss.ts';
import { GroupMember, rendezvous } from '../group-member.ts';
import { PartitionMap } from '../partitions.ts';
import { FleetFeed, FleetSource } from './fleet-feed.ts';
import { ListHistory } from './list-history.ts';
import { LogReader } from './log-reader.ts';
import type { FleetMemberOptions, FleetTable } from './member-options.ts';
import { Replica } from './replica.ts';
import { Restorer } from './restorer.ts';
import { StateWriter, stateSender } from './state-writer.ts';

const CHECK_MS = 250;

export class FleetMember {
  readonly feed: FleetFeed;
  readonly #options: FleetMemberOptions;
  readonly #map: PartitionMap;
  readonly #source: FleetSource;
  readonly #member: GroupMember;
  readonly #replicas = new Map<number, Replica>();
  readonly #stopped = new AbortController();
  #connect: (() => BrokerClient) | undefined;
  #reader: LogReader | undefined;
  #restorer: Restorer | undefined;
  #states: StateWriter | undefined;
  #to: FleetTable | undefined;
  #directory: VpDirectory | undefined;
  /** Partitions that were given up, and whose prefixes may still be in the table. */
  readonly #left = new Set<number>();
  #history: ListHistory | undefined;
  #listAtMs = 0;
  #changing: Promise<unknown> = Promise.resolve();
  #loops: Promise<unknown> = Promise.resolve();
  /** Changes of what is shown, as far as they were noticed. */
  #shownChanges = 0;
  #wasCurrent = false;
  /** Records that were not read; of those that replicas count, those of partitions that were given up. */
  readonly #unreadable = zeros(FLEET_UNREADABLE_REASONS);
  /** How long the newest restoring took, from the assignment until it was live, ms. */
  restoreMs: number | undefined;

  constructor(options: FleetMemberOptions) {
    this.#options = options;
    const { settings, clientId, prefixes, timers, log, decoder } = options;
    this.#map = new PartitionMap(prefixes, settings.partitions);
    this.#source = new FleetSource(settings.partitions, timers, {
      onStart: () => this.#begin(),
      onStop: () => this.#stop(),
    });
    this.feed = new FleetFeed(this.#source, this.#map, decoder);
    const instance = settings.instance ?? hostname();
    this.#member = new GroupMember({
      ...{ connection: settings, clientId, group: settings.group, instance, says: () => instance },
      ...{ topic: settings.eventsTopic, sessionTimeoutMs: settings.sessionTimeoutMs, assign: rendezvous, timers, log },
      onAssigned: (partitions) => this.#assigned(partitions),
    });
  }

  get replicas(): Iterable<Replica> {
    return this.#replicas.values();
  }

  /** Whether heartbeats are younger than the session. */
  get isCurrent(): boolean {
    return this.#member.isCurrent;
  }

  /** How often another exporter took the name of this one. */
  get fenced(): number {
    return this.#member.fenced;
  }

  /** Records that could not be read, since the start. */
  get unreadable(): Readonly<Record<FleetUnreadableReason, number>> {
    let { foreign } = this.#unreadable;
    for (const replica of this.replicas) foreign += replica.unreadable;
    return { ...this.#unreadable, foreign };
  }

  /** When all of a partition was written last, Unix ms; undefined: not by this process. */
  stateAtMs(partition: number): number | undefined {
    return this.#states?.writtenAtMs(partition);
  }

  owns(prefix: string): boolean {
    const partition = this.#map.of(prefix);
    return this.#replicas.has(partition) && !this.#left.has(partition);
  }

  isShown(partition: number): boolean {
    return this.#replicas.get(partition)?.phase === 'live' && this.#member.isCurrent;
  }

  #changesOfShown(): number {
    const { isCurrent } = this.#member;
    if (isCurrent !== this.#wasCurrent) this.#shownChanges++;
    this.#wasCurrent = isCurrent;
    return this.#shownChanges;
  }

  isTrusted(partition: number, prefix: string): boolean {
    const replica = this.#replicas.get(partition);
    if (replica === undefined || !this.#isFresh(replica) || this.#directory?.isDoubted !== false) return false;
    return replica.isComplete(prefix);
  }

  /** Why it is not ready; undefined: it is. */
  unready(): string | undefined {
    if (this.#member.isFenced) return 'another exporter has joined the fleet by the name of this one (fleet.instance)';
    if (!this.#member.isCurrent) return 'the group of the fleet is not joined';
    const restoring = [...this.replicas].filter(({ phase }) => phase !== 'live').map(({ partition }) => partition);
    if (restoring.length > 0) return `partitions are being restored: ${restoring.sort((a, b) => a - b).join(', ')}`;
    const silent = [...this.replicas].filter((one) => !this.#isFresh(one)).map(({ partition }) => partition);
    if (silent.length > 0) return `no watermark, or its source is down: partitions ${silent.join(', ')}`;
    return undefined;
  }

  /** Before the source is started. */
  attach(to: FleetTable): void {
    this.#to = to;
    const { table } = to;
    const { log } = this.#options;
    table.prefixes.hiding = {
      isHidden: (partition) => !this.isShown(partition),
      changes: () => this.#changesOfShown(),
    };
    const clock = new ServiceClock({
      logger: log,
      streamDelayMs: () => undefined,
      onChange: () => {},
      onRefused: () => {},
    });
    this.#history = new ListHistory();
    this.#directory = new VpDirectory({
      ...{ table, source: 0, logger: log, clock, now: () => this.#listAtMs },
      onBack: () => {}, // the ingest reads them
      onPassed: () => {},
      onDoubt: () => to.onChange(),
    });
  }

  /** Loads the library. @throws ConfigError when it is not installed */
  async prepare(): Promise<void> {
    const { settings, clientId, timers, log, secrets } = this.#options;
    const library = await loadKafkaLibrary();
    const connect = () => brokerClient(library, settings, clientId);
    this.#connect = connect;
    this.#reader = new LogReader({
      ...{ connect, topic: settings.eventsTopic, timers, log, secrets },
      onRecords: (...answer) => this.#take(...answer),
      onGap: (partition) => {
        log.error('events were deleted before they were read: a gap', { partition });
        this.#replicas.get(partition)?.lose();
      },
      onOther: (partition) => {
        this.#replicas.get(partition)?.rewind(timers.now());
        this.#states?.forget(partition);
      },
      onUnreadable: (...passed) => this.#passOver(...passed),
    });
    this.#states = new StateWriter({
      ...{ topic: settings.stateTopic, log, secrets },
      sender: stateSender(settings, clientId, settings.stateTopic),
      isOwn: (replica) => this.#isOwn(replica) && this.#member.isCurrent,
      eventsTopicId: (partition) => this.#reader?.topicIdOf(partition),
    });
  }

  #begin(): void {
    const { settings, timers, log, secrets } = this.#options;
    const { signal } = this.#stopped;
    this.#restorer = new Restorer({
      ...{ connect: this.#connect as () => BrokerClient, topic: settings.stateTopic, timers, log, secrets, signal },
      ...{ table: (this.#to as FleetTable).table, isOwn: (replica) => this.#isOwn(replica) },
      onUnreadable: (records) => {
        this.#unreadable.state += records;
      },
      onRestored: (replica, mark, state) => {
        this.#states?.restored(replica, state);
        this.#reader?.read(replica.partition, replica.nextOffset, mark?.topicId);
      },
    });
    this.#reader?.start();
    void this.#member.start();
    const every = async (ms: number, work: () => Promise<void> | void) => {
      while (!signal.aborted) {
        await sleep(timers, ms, signal);
        if (!signal.aborted) await work();
      }
    };
    this.#loops = Promise.all([
      every(CHECK_MS, () => this.#check()),
      every(settings.stateIntervalMs, () => this.#writeStates()),
    ]);
  }

  async #stop(): Promise<void> {
    this.#stopped.abort();
    await this.#reader?.stop();
    await this.#writeStates();
    await Promise.all([this.#member.stop(), this.#states?.stop()]);
    await this.#loops;
  }

  #isOwn(replica: Replica): boolean {
    return this.#replicas.get(replica.partition) === replica;
  }

  #isFresh(replica: Replica): boolean {
    return replica.isFresh(this.#options.timers.elapsed());
  }

  #assigned(partitions: ReadonlySet<number>): void {
    const { table, feeds } = this.#to ?? {};
    if (table === undefined || feeds === undefined || this.#stopped.signal.aborted) return;
    for (const [partition, replica] of this.#replicas) {
      if (partitions.has(partition)) continue;
      replica.stop();
      this.#unreadable.foreign += replica.unreadable;
      this.#reader?.end(partition);
      this.#replicas.delete(partition);
      this.#left.add(partition);
      this.#shownChanges++;
      this.#source.release(partition);
    }
    const { decode, timers } = this.#options;
    const beganAtMs = timers.elapsed();
    const added: Replica[] = [];
    for (const partition of partitions) {
      if (partition >= this.#map.partitions || this.#replicas.has(partition)) continue;
      const replica = new Replica({
        ...{ partition, table, feed: feeds[partition], stats: this.#source.stats[partition], decode },
        onVps: (vps, atMs) => void this.#learnVps(vps, atMs),
        onClockOffset: (offsetMs) => {
          if (offsetMs !== table.clock.offsetMs) table.setClockOffset(offsetMs, timers.now());
        },
        onChange: () => this.#to?.onChange(),
      });
      replica.beganAtMs = beganAtMs;
      this.#replicas.set(partition, replica);
      this.#source.own(partition);
      added.push(replica);
    }
    // Not until all are restored: one whose state cannot be read now must not keep those that come later.
    this.#changing = this.#changing.then(() => this.#watch()).then(() => void this.#restorer?.restore(added));
  }

  async #watch(): Promise<void> {
    // A partition that is back was given up meanwhile: what the table has of it is old, and must go before it is restored.
    const left = [...this.#left];
    await this.#to?.watch();
    for (const partition of left) this.#left.delete(partition);
    if (left.some((partition) => this.#replicas.has(partition))) await this.#to?.watch();
  }

  async #passOver(partition: number, reason: UnreadableReason, nextOffset: number, endOffset: number): Promise<void> {
    const replica = this.#replicas.get(partition);
    if (replica === undefined) return;
    await replica.exclusive(() => {
      this.#unreadable[reason] += Math.max(0, nextOffset - replica.nextOffset);
      replica.nextOffset = Math.max(replica.nextOffset, nextOffset);
      replica.endOffset = endOffset;
      replica.lose();
    });
    this.#goLiveAt(replica, endOffset);
  }

  async #take(
    partition: number,
    records: readonly LogRecord[],
    nextOffset: number,
    endOffset: number,
    seenAtMs: number,
  ): Promise<void> {
    const replica = this.#replicas.get(partition);
    if (replica === undefined) return;
    await replica.exclusive(async () => {
      // First, so that the lag shows while it is worked off.
      replica.endOffset = endOffset;
      for (const { offset, value } of records) {
        if (!this.#isOwn(replica)) return;
        if (offset >= replica.nextOffset && value !== undefined) await replica.apply(offset, value, seenAtMs);
      }
      replica.nextOffset = Math.max(replica.nextOffset, nextOffset);
      if (replica.nextOffset >= endOffset) replica.caughtUpAtMs = seenAtMs;
    });
    this.#goLiveAt(replica, endOffset);
    this.#check();
  }

  /** @param endOffset where the log ended when it was read last */
  #goLiveAt(replica: Replica, endOffset: number): void {
    if (replica.phase !== 'replaying' || replica.nextOffset < endOffset) return;
    const { timers, log } = this.#options;
    const { table } = this.#to as FleetTable;
    // VPs that went down while others had the partition.
    for (let vp = 0; vp < table.vps.end; vp++) if (table.vps.down[vp] === 1) dropVp(table, vp, replica.states(), 0);
    replica.phase = 'live';
    this.#shownChanges++;
    // The next watermark shows that somebody writes.
    replica.watermarkSeenAtMs = Number.NEGATIVE_INFINITY;
    this.restoreMs = timers.elapsed() - replica.beganAtMs;
    log.info('a partition is live', { partition: replica.partition, seconds: Math.round(this.restoreMs / 100) / 10 });
    void this.#learnVps([], 0);
  }

  /** The newest list counts, in whichever partition it came; it is applied when that partition is live. */
  async #learnVps(vps: readonly HistoryVp[], atMs: number): Promise<void> {
    const history = this.#history as ListHistory;
    if (atMs > history.atMs) {
      history.vps = vps;
      history.atMs = atMs;
    }
    const isAnyLive = [...this.replicas].some(({ phase }) => phase === 'live');
    if (!isAnyLive || history.atMs <= this.#listAtMs) return;
    this.#listAtMs = history.atMs;
    await this.#directory?.refresh(history, this.#stopped.signal).catch(() => {});
    this.#to?.onChange();
  }

  /** Tells what time has changed: silence, and that it is over. */
  #check(): void {
    const { timers } = this.#options;
    for (const replica of this.replicas) {
      const isFresh = this.#isFresh(replica);
      if (this.#source.stats[replica.partition].up === isFresh) continue;
      this.#source.setUp(replica.partition, isFresh, replica.watermarkAtMs ?? timers.now());
    }
  }

  async #writeStates(): Promise<void> {
    const { timers } = this.#options;
    const { table } = this.#to as FleetTable;
    if (this.#replicas.size > 0) await this.#states?.look((this.#connect as () => BrokerClient)());
    for (const replica of [...this.replicas]) {
      if (replica.phase === 'live' && this.#member.isCurrent) await this.#states?.write(replica, table, timers.now());
    }
  }
}
