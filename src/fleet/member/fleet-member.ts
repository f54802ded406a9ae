/**
 * An exporter as one of a fleet: which partitions are its own, how each gets into the table, and how its state is kept for
 * whoever has it next.
 *
 *   assigned -> restoring (state) -> replaying (events) -> live, shown -> not assigned: hidden at once
 *
 * What is shown is asked at each scrape: a partition that is live, while heartbeats are younger than the session.
 */
import { hostname } from 'node:os';
import type { Prefix } from '../../bgp/prefix.ts';
import type { RouteUpdate } from '../../bgp/route-event.ts';
import type { RouteIds } from '../../bgp/route-integers.ts';
import { ServiceClock } from '../../feed/clocks/service-clock.ts';
import type { SessionFeed } from '../../feed/session-feed.ts';
import { VpDirectory } from '../../feed/vp-directory.ts';
import { type BrokerClient, brokerClient, type KafkaConnection, loadKafkaLibrary } from '../../kafka/broker-client.ts';
import type { LogRecord } from '../../kafka/record-batches.ts';
import { deepest } from '../../kafka/source.ts';
import type { Logger } from '../../logger.ts';
import { errorText, redactor } from '../../secrets/redaction.ts';
import type { FrameDecoder } from '../../stream/frame-decoder.ts';
import type { HistoryVp } from '../../stream/history.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { dropVp } from '../../table/vps/vp-loss.ts';
import { GroupMember, rendezvous } from '../group-member.ts';
import { PartitionMap } from '../partitions.ts';
import { FleetFeed, FleetSource } from './fleet-feed.ts';
import { ListHistory } from './list-history.ts';
import { LogReader, readState } from './log-reader.ts';
import { Replica } from './replica.ts';
import { decodeMark, MARK, restoreState } from './state-record.ts';
import { StateWriter } from './state-writer.ts';

export interface FleetSettings extends KafkaConnection {
  readonly group: string;
  /** Undefined: the name of the machine. */
  readonly instance: string | undefined;
  readonly partitions: number;
  readonly eventsTopic: string;
  readonly stateTopic: string;
  readonly sessionTimeoutMs: number;
  readonly stateIntervalMs: number;
}

export interface FleetMemberOptions {
  readonly settings: FleetSettings;
  readonly clientId: string;
  /** All prefixes of the fleet. */
  readonly prefixes: readonly Prefix[];
  readonly timers: Timers;
  readonly log: Logger;
  readonly secrets: readonly string[];
  /** Reads messages as the bgproutes.io stream has them. */
  readonly decoder: (ids: RouteIds) => FrameDecoder;
  readonly decode: (message: Buffer) => RouteUpdate | undefined;
}

/** What the fleet fills. */
export interface FleetTable {
  readonly table: RoutingTable;
  readonly feeds: readonly SessionFeed[];
  /** Monitors the prefixes of the member's own partitions (`owns`), and no others. */
  readonly watch: () => Promise<void>;
  /** `isTrusted` of some prefix may have changed. */
  readonly onChange: () => void;
}

const CHECK_MS = 250;
const RETRY_MS = 1_000;

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
  /** Unreadable records of partitions that were given up. */
  #unreadable = 0;
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

  /** Records that could not be read, since the start. */
  get unreadable(): number {
    let sum = this.#unreadable;
    for (const replica of this.replicas) sum += replica.unreadable;
    return sum;
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
    });
    this.#states = new StateWriter({
      ...{ connection: settings, clientId, topic: settings.stateTopic, timers, log, secrets },
      isOwn: (replica) => this.#replicas.get(replica.partition) === replica && this.#member.isCurrent,
    });
  }

  #begin(): void {
    const { settings, timers } = this.#options;
    const { signal } = this.#stopped;
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

  #isFresh(replica: Replica): boolean {
    return replica.isFresh(this.#options.timers.elapsed());
  }

  #assigned(partitions: ReadonlySet<number>): void {
    const { table, feeds } = this.#to ?? {};
    if (table === undefined || feeds === undefined || this.#stopped.signal.aborted) return;
    for (const [partition, replica] of this.#replicas) {
      if (partitions.has(partition)) continue;
      replica.stop();
      this.#unreadable += replica.unreadable;
      this.#reader?.end(partition);
      this.#replicas.delete(partition);
      this.#left.add(partition);
      this.#shownChanges++;
      this.#source.release(partition);
    }
    const { decode, timers } = this.#options;
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
      this.#replicas.set(partition, replica);
      this.#source.own(partition);
      added.push(replica);
    }
    const beganAtMs = timers.elapsed();
    this.#changing = this.#changing.then(() => this.#watch()).then(() => this.#restore(added, beganAtMs));
  }

  async #watch(): Promise<void> {
    // A partition that is back was given up meanwhile: what the table has of it is old, and must go before it is restored.
    const left = [...this.#left];
    await this.#to?.watch();
    for (const partition of left) this.#left.delete(partition);
    if (left.some((partition) => this.#replicas.has(partition))) await this.#to?.watch();
  }

  async #restore(added: readonly Replica[], beganAtMs: number): Promise<void> {
    const { settings, timers, log, secrets } = this.#options;
    const { table } = this.#to as FleetTable;
    const { signal } = this.#stopped;
    const isOurs = (replica: Replica) => this.#replicas.get(replica.partition) === replica;
    let restored = 0;
    for (const replica of added) {
      const { partition } = replica;
      let state: ReadonlyMap<string, Buffer> | undefined;
      while (state === undefined && isOurs(replica) && !signal.aborted) {
        const client = (this.#connect as () => BrokerClient)();
        try {
          state = await readState(client, settings.stateTopic, partition, signal);
        } catch (error) {
          log.warn('state cannot be read, trying again', {
            partition,
            error: errorText(deepest(error), redactor(secrets)),
          });
          await sleep(timers, RETRY_MS, signal);
        } finally {
          await client.close();
        }
      }
      if (state === undefined || !isOurs(replica) || signal.aborted) continue;
      const from = new Map<string, number>();
      for (const { state: own } of replica.monitored()) {
        const { text } = own.prefix;
        const value = state.get(text);
        const offset = value && restoreState(table, value, timers.now());
        if (offset !== undefined) from.set(text, offset);
        else if (value !== undefined) log.error('the state of a prefix cannot be read', { prefix: text });
        await new Promise((resolve) => setImmediate(resolve));
      }
      const value = state.get(MARK);
      const mark = value && decodeMark(value);
      replica.begin(mark, from);
      this.#reader?.read(partition, replica.nextOffset);
      restored += from.size;
      replica.beganAtMs = beganAtMs;
    }
    if (added.length > 0)
      log.info('state restored', { partitions: added.length, prefixes: restored, routes: table.routes });
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
      for (const { offset, value } of records) {
        if (this.#replicas.get(partition) !== replica) return;
        if (offset >= replica.nextOffset && value !== undefined) await replica.apply(offset, value, seenAtMs);
      }
      replica.nextOffset = Math.max(replica.nextOffset, nextOffset);
      replica.endOffset = endOffset;
      if (replica.nextOffset >= endOffset) replica.caughtUpAtMs = seenAtMs;
    });
    if (replica.phase === 'replaying' && replica.nextOffset >= endOffset) this.#goLive(replica);
    this.#check();
  }

  #goLive(replica: Replica): void {
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
    for (const replica of [...this.replicas]) {
      if (replica.phase === 'live' && this.#member.isCurrent) await this.#states?.write(replica, table, timers.now());
    }
  }
}
