/** The way of a frame from its text into the table, and of the table to a scrape, with every clock fixed. */
import { BgproutesDecoder, decodeGenerally } from '../../src/bgproutes/live/decoder.ts';
import { SessionFeed } from '../../src/feed/session-feed.ts';
import { ExporterFigures } from '../../src/metrics/figures/exporter-figures.ts';
import { TableFigures } from '../../src/metrics/figures/table-figures.ts';
import { zeros } from '../../src/metrics/figures/zeros.ts';
import type { FamilySource } from '../../src/metrics/metric.ts';
import { ExporterView } from '../../src/metrics/views/exporter-view.ts';
import { PrefixView } from '../../src/metrics/views/prefix-view.ts';
import { StreamView } from '../../src/metrics/views/stream-view.ts';
import { TableView } from '../../src/metrics/views/table-view.ts';
import type { ExpositionFormat } from '../../src/outputs/text/negotiation.ts';
import { TextWriter } from '../../src/outputs/text/prometheus.ts';
import type { FrameDecoder } from '../../src/stream/frame-decoder.ts';
import { DISCONNECT_REASONS, RENEWAL_RESULTS, type StreamStats } from '../../src/stream/source.ts';
import { Fold } from '../../src/table/fold.ts';
import type { WatchedPrefix } from '../../src/table/prefixes/prefix-state.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { TableIds } from '../../src/table/table-ids.ts';
import type { TableOptions } from '../../src/table/table-options.ts';
import { type LogLine, RecordingLogger } from '../stream/recording-logger.ts';

/** Receipt of a replayed message after its own time. */
const DELAY_MS = 800;

export interface ReplayOptions {
  readonly watched: readonly WatchedPrefix[];
  readonly startMs: number;
  readonly table?: TableOptions;
  /** `general`: no frame goes the fast way. */
  readonly decoder?: 'fast' | 'general';
  readonly canary?: string;
}

export class Replay {
  readonly table: RoutingTable;
  readonly feed: SessionFeed;
  readonly log: LogLine[] = [];
  nowMs: number;
  readonly #stats: StreamStats & { connects: number };
  /** What the feed puts off to other turns; all of it is done before the next frame. */
  readonly #work: (() => void)[] = [];
  readonly #views: readonly { collect(): FamilySource }[];
  readonly #writers: Readonly<Record<ExpositionFormat, TextWriter>> = {
    text: new TextWriter('text', rethrow),
    openmetrics: new TextWriter('openmetrics', rethrow),
  };

  constructor({ watched, startMs, table, decoder = 'fast', canary }: ReplayOptions) {
    this.nowMs = startMs;
    this.table = new RoutingTable(table);
    this.table.watch(watched, startMs);
    this.table.prefixes.canary = canary;
    this.#stats = {
      ...{
        source: 'bgproutes',
        session: '0',
        startTimeMs: startMs,
        up: true,
        connects: 1,
        disconnects: zeros(DISCONNECT_REASONS),
      },
      ...{ gapMs: 0, gapSinceMs: undefined, frames: 0, receivedBytes: 0 },
      subscribedPrefixes: watched.length,
      subscription: {
        renewals: { ...zeros(RENEWAL_RESULTS), success: 1 },
        losses: 0,
        expiresAtMs: startMs + 4 * 3_600_000,
      },
    };
    this.feed = new SessionFeed({
      ...{
        session: 0,
        stream: this.#stats,
        decoder: DECODERS[decoder](new TableIds(this.table)),
        fold: new Fold(this.table),
      },
      logger: new RecordingLogger(this.log),
      turns: { elapsed: () => 0, next: (work) => this.#work.push(work) },
      canary,
    });
    const figures = new TableFigures(startMs);
    const own = new ExporterFigures(startMs, { version: '0.0.0', revision: 'golden', nodeVersion: 'v0.0.0' });
    const prefixes = new PrefixView(this.table);
    this.#views = [
      prefixes,
      new TableView(this.table, figures),
      new StreamView([this.feed], () => this.nowMs),
      new ExporterView(own, () => prefixes.droppedSeries()),
    ];
  }

  /** Plays lines with their own times: each is received a moment after the newest time so far. */
  play(lines: Iterable<string>): void {
    for (const line of lines) {
      const sec = /"sec": ?"?(\d{1,10})\b/.exec(line)?.[1];
      const usec = /"Usec": ?"?(\d{1,6})\b/.exec(line)?.[1] ?? '0';
      if (sec !== undefined) this.nowMs = Math.max(this.nowMs, Number(sec) * 1000 + Number(usec) / 1000 + DELAY_MS);
      this.frame(Buffer.from(line));
    }
  }

  frame(data: Buffer): void {
    this.#stats.frames++;
    this.#stats.receivedBytes += data.length;
    this.feed.frames([data], this.nowMs);
    for (let work = this.#work.shift(); work !== undefined; work = this.#work.shift()) work();
  }

  collect(): FamilySource[] {
    return this.#views.map((view) => view.collect());
  }

  render(format: ExpositionFormat): Buffer {
    return this.#writers[format].render(this.collect());
  }
}

const DECODERS: Readonly<Record<'fast' | 'general', (ids: TableIds) => FrameDecoder>> = {
  fast: (ids) => new BgproutesDecoder(ids),
  general: (ids) => ({
    ...new BgproutesDecoder(ids),
    decode(frames, to) {
      for (const frame of frames) {
        to.general();
        decodeGenerally(frame, to);
      }
    },
  }),
};

function rethrow(error: unknown): never {
  throw error;
}
