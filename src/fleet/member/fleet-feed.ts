/** The topic of events as a LiveFeed: a session for each partition, idle unless the partition is the member's own. */
import type { Prefix } from '../../bgp/prefix.ts';
import type { RouteIds } from '../../bgp/route-integers.ts';
import type { FrameDecoder } from '../../stream/frame-decoder.ts';
import type { LiveFeed, SessionPlan } from '../../stream/live-feed.ts';
import type { SourceListener, StreamSource, StreamStats } from '../../stream/source.ts';
import { createStreamStats, markDown, markIdle, markUp } from '../../stream/stream-health.ts';
import type { Timers } from '../../stream/timers.ts';
import type { PartitionMap } from '../partitions.ts';

export class FleetSource implements StreamSource {
  readonly name = 'fleet';
  readonly stats: readonly StreamStats[];
  readonly #timers: Timers;
  readonly #onStart: () => void;
  readonly #onStop: () => Promise<void>;
  #listener: SourceListener | undefined;

  constructor(
    partitions: number,
    timers: Timers,
    life: { readonly onStart: () => void; readonly onStop: () => Promise<void> },
  ) {
    this.#timers = timers;
    this.#onStart = life.onStart;
    this.#onStop = life.onStop;
    this.stats = Array.from({ length: partitions }, (_, partition) => ({
      ...createStreamStats(this.name, String(partition), timers.now()),
      idle: true,
      isElsewhere: true,
    }));
  }

  start(listener: SourceListener): void {
    this.#listener = listener;
    this.#onStart();
  }

  setPrefixes(session: number, prefixes: readonly string[]): Promise<void> {
    this.stats[session].subscribedPrefixes = prefixes.length;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return this.#onStop();
  }

  /** The partition is the member's own from now on, and not up yet. */
  own(partition: number): void {
    this.stats[partition].idle = false;
    this.stats[partition].isElsewhere = false;
  }

  release(partition: number): void {
    const stats = this.stats[partition];
    if (stats.up) this.#down(partition, 'stopped', this.#timers.now());
    markIdle(stats, this.#timers.elapsed());
    stats.isElsewhere = true;
  }

  /** Whether the partition's events come, and their source is up. */
  setUp(partition: number, isUp: boolean, sinceMs: number): void {
    const stats = this.stats[partition];
    if (stats.up === isUp) return;
    if (!isUp) {
      this.#down(partition, 'timeout', sinceMs);
      return;
    }
    stats.connects++;
    markUp(stats, this.#timers.elapsed());
    this.#listener?.connected(partition, sinceMs);
  }

  #down(partition: number, reason: 'stopped' | 'timeout', atMs: number): void {
    const stats = this.stats[partition];
    stats.disconnects[reason]++;
    markDown(stats, this.#timers.elapsed());
    this.#listener?.disconnected(partition, reason, atMs, '', false);
  }
}

export class FleetFeed implements LiveFeed {
  readonly source: FleetSource;
  readonly #map: PartitionMap;
  readonly #decoder: (ids: RouteIds) => FrameDecoder;

  constructor(source: FleetSource, map: PartitionMap, decoder: (ids: RouteIds) => FrameDecoder) {
    this.source = source;
    this.#map = map;
    this.#decoder = decoder;
  }

  decoder(ids: RouteIds): FrameDecoder {
    return this.#decoder(ids);
  }

  /** What the ingest read stands among the events. */
  history(): undefined {
    return undefined;
  }

  plan(prefixes: readonly Prefix[]): SessionPlan {
    const parts: string[][] = Array.from({ length: this.#map.partitions }, () => []);
    for (const { text } of prefixes) parts[this.#map.of(text)]?.push(text);
    return { prefixes: parts, subscriptions: parts };
  }
}
