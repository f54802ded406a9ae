/**
 * One session of a source, written into the partitions: its messages, and what the history says of its gaps. The order is
 * that of an exporter with a table of its own (feed/seed/gap-fill.ts): while a gap is filled the messages wait, so that
 * what the history tells stands before them.
 */
import type { RouteUpdate } from '../../bgp/route-event.ts';
import type { HoldRoom } from '../../feed/frame-queue.ts';
import { Completeness } from '../../feed/seed/completeness.ts';
import { FillPace } from '../../feed/seed/fill-pace.ts';
import { GapFill, OVERLAP_MS } from '../../feed/seed/gap-fill.ts';
import { attemptReading } from '../../feed/seed/reading-attempt.ts';
import type { Turns } from '../../feed/turns.ts';
import type { Logger } from '../../logger.ts';
import { Histogram } from '../../metrics/figures/histogram.ts';
import { DELAY_BOUNDS, type SessionFigures } from '../../metrics/figures/stream-figures.ts';
import type { TableFigures } from '../../metrics/figures/table-figures.ts';
import { zeros } from '../../metrics/figures/zeros.ts';
import { Backoff } from '../../stream/backoff.ts';
import type { EventSink, FrameDecoder } from '../../stream/frame-decoder.ts';
import type { History, HistoryVp } from '../../stream/history.ts';
import type { StreamStats } from '../../stream/source.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import { FIRST_TIME_US, FoldCounts } from '../../table/fold.ts';
import type { EventWriter } from '../event-writer.ts';
import { HistoryWriter } from './history-writer.ts';
import type { MoreSpecifics } from './more-specifics.ts';
import type { SessionShares } from './session-shares.ts';
import type { VpList } from './vp-list.ts';
import { WaitingFrames } from './waiting-frames.ts';

export interface IngestSessionOptions {
  readonly session: number;
  readonly stream: StreamStats;
  readonly decoder: FrameDecoder;
  readonly writer: EventWriter;
  /** Undefined: nobody tells the past, and nothing is ever complete. */
  readonly history: History | undefined;
  readonly list: VpList;
  /** Which session's word counts, of all sessions of the ingest. */
  readonly shares: SessionShares;
  readonly moreSpecifics: MoreSpecifics;
  /** The monitored prefixes of the session, canonical. */
  readonly prefixes: readonly string[];
  readonly figures: TableFigures;
  readonly log: Logger;
  readonly timers: Timers;
  /** How far the history is behind the stream. */
  readonly lagMs: number;
  readonly expectedWindowMs: number;
  /** Room for the frames that wait, of all sessions of the ingest. */
  readonly holdRoom?: HoldRoom | undefined;
  /** Of the event loop. Default: those of the system. */
  readonly turns?: Turns | undefined;
}

/** Frames wait so long at most for a fill; then they are written, and the fill goes on beside them. */
const HOLD_MS = 60_000;
/** How long a stop waits until what was released is written, ms. */
const MAX_DRAIN_MS = 1_000;
/** After how long what a gap has filled is read once more, ms; feed/seed/absence-doubts.ts asks again as late. */
const SECOND_ANSWER_MS = 120_000;
const RETRY = { baseMs: 5_000, maxMs: 300_000, floorMs: 1_000 } as const;

export class IngestSession implements SessionFigures {
  readonly stream: StreamStats;
  readonly counts = new FoldCounts();
  readonly delay = new Histogram(DELAY_BOUNDS);
  readonly decodeFailures: Record<string, number>;
  readonly unused: Record<string, number>;
  readonly generalDecodes = undefined;
  readonly canaryAtMs = undefined;
  updates = 0;
  lastUpdateAtMs: number | undefined;
  readonly #options: IngestSessionOptions;
  readonly #completeness = new Completeness();
  readonly #reader: HistoryWriter | undefined;
  readonly #pace: FillPace;
  readonly #learnt = new Set<string>();
  #told: ReadonlySet<string> = new Set();
  readonly #waiting: WaitingFrames;
  #receivedAtMs = 0;
  #sinceMs: number | undefined;
  #controller = new AbortController();
  #running: Promise<void> = Promise.resolve();
  readonly #sink: EventSink = {
    integers: () => {
      throw new Error('the decoder of an ingest knows no numbers');
    },
    update: (update) => {
      this.updates++;
      this.lastUpdateAtMs = this.#receivedAtMs;
      if (update.timeUs >= FIRST_TIME_US) this.delay.observe((this.#receivedAtMs - update.timeUs / 1_000) / 1_000);
      const own = this.#options.shares.ownOf(update, this.#options.session);
      const others = prefixesIn(update) - prefixesIn(own);
      this.counts.dropped.other_session += others;
      for (const prefix of own.announced) this.#options.moreSpecifics.note(prefix);
      this.#options.writer.update(own, this.#receivedAtMs);
    },
    peerState: (state) => this.#options.writer.toAll({ type: 'peer', ...state }),
    failed: (reason) => {
      this.decodeFailures[reason]++;
    },
    unused: (reason) => {
      this.unused[reason]++;
    },
    passed: (_messages, prefixes) => {
      this.counts.unmonitoredPrefixes += prefixes;
    },
    general: () => {},
    remark: (text, fields) => this.#options.log.info(text, fields),
  };

  constructor(options: IngestSessionOptions) {
    this.#options = options;
    const { stream, decoder, history, list, writer, moreSpecifics, prefixes, session, log, timers, turns, holdRoom } =
      options;
    this.stream = stream;
    this.decodeFailures = zeros(decoder.failures);
    this.unused = zeros(decoder.unused ?? []);
    this.#reader = history && new HistoryWriter(history, list, writer, moreSpecifics);
    this.#waiting = new WaitingFrames({ write: (frames, atMs) => this.#write(frames, atMs), turns, room: holdRoom });
    this.#pace = new FillPace({ session, logger: log, timers, title: this.#reader?.title ?? 'the history' });
    this.#completeness.wanted = prefixes;
    this.#completeness.delivered = prefixes;
  }

  /** Messages, or parts of one, that could not be read. */
  get unreadMessages(): number {
    const { failures, harmless } = this.#options.decoder;
    return failures.reduce((sum, reason) => sum + (harmless.includes(reason) ? 0 : this.decodeFailures[reason]), 0);
  }

  /** @returns where too many frames wait to be written, when there are few again */
  frames(frames: readonly Buffer[], atMs: number): Promise<void> | undefined {
    return this.#waiting.add(frames, atMs, () => {
      this.counts.dropped.hold_overflow++;
    });
  }

  connected(atMs: number): void {
    this.#interrupt(atMs);
    this.#sinceMs = atMs;
    const { history, log, session, prefixes } = this.#options;
    if (history === undefined || prefixes.length === 0) return;
    log.info('a gap is filled from the history', { session, prefixes: this.#completeness.missing.length });
    this.#waiting.hold();
    const { signal } = (this.#controller = new AbortController());
    this.#running = Promise.all([this.#running, this.#fill(history, atMs, signal)]).then(() => {});
  }

  /** Nothing is certain since then, Unix ms. */
  disconnected(atMs: number): void {
    this.#interrupt(atMs);
    this.#sinceMs = undefined;
  }

  /**
   * Records were lost that were written since then (Unix ms), and may have told anything: all of the history is read once more,
   * and who held the prefixes.
   */
  readAgain(sinceMs: number, nowMs: number): void {
    this.#learnt.clear();
    this.disconnected(sinceMs);
    this.#completeness.clear();
    if (this.stream.up) this.connected(nowMs);
  }

  /** Compares what is complete with the history. */
  async compare(): Promise<void> {
    const { timers, lagMs, list } = this.#options;
    await this.#read(list.live, timers.now() - lagMs - OVERLAP_MS, this.#controller.signal);
  }

  /** Routes of VPs that are back. */
  async readVps(vps: readonly HistoryVp[]): Promise<void> {
    const { timers, lagMs } = this.#options;
    await this.#read(vps, timers.now() - lagMs - OVERLAP_MS, this.#controller.signal);
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#running;
    this.#waiting.release();
    const late = new AbortController();
    const cancel = this.#options.timers.schedule(() => late.abort(), MAX_DRAIN_MS);
    await this.#waiting.written(late.signal);
    cancel();
  }

  async #read(vps: readonly HistoryVp[], ourMs: number, signal: AbortSignal): Promise<void> {
    const reader = this.#reader;
    const prefixes = this.#completeness.delivered.filter((prefix) => this.#completeness.isLive(prefix));
    if (reader === undefined || prefixes.length === 0 || vps.length === 0) return;
    await this.#attempt(() => reader.rib(vps, prefixes, ourMs, signal), signal);
  }

  async #fill(history: History, atMs: number, signal: AbortSignal): Promise<void> {
    const reader = this.#reader as HistoryWriter;
    const { list, timers, lagMs } = this.#options;
    const fill = new GapFill(
      {
        ...{ history, reader, directory: list, completeness: this.#completeness, pace: this.#pace },
        ...{ timers, lagMs, holdMs: HOLD_MS, retry: RETRY },
        feed: { release: () => this.#waiting.release(), applied: (of) => this.#waiting.written(of) },
        ribs: { compare: (vps, prefixes, ourMs, of) => reader.rib(vps, prefixes, ourMs, of) },
        holders: {
          forget: (prefixes) => {
            for (const prefix of prefixes) this.#learnt.delete(prefix);
          },
          learn: (prefixes, of) => this.#learn(reader, prefixes, of),
        },
        progress: QUIET,
        attempt: (read, of) => this.#attempt(read, of),
        onChange: () => this.#tellComplete(),
      },
      atMs,
    );
    await fill.run(signal);
    if (signal.aborted) return;
    this.#tellComplete();
    const backoff = new Backoff(RETRY, timers.random);
    while (!signal.aborted && !(await this.#learn(reader, this.#completeness.delivered, signal)))
      await sleep(timers, backoff.next(), signal);
    // An exporter that doubts an absence leaves the prefix untrusted until a second answer, and cannot ask for one itself.
    await sleep(timers, SECOND_ANSWER_MS, signal);
    if (!signal.aborted) await this.compare();
  }

  /** False when it could not be read now and may be later. */
  async #learn(reader: HistoryWriter, prefixes: readonly string[], signal: AbortSignal): Promise<boolean> {
    const unknown = prefixes.filter((prefix) => !this.#learnt.has(prefix));
    if (unknown.length === 0) return true;
    const { timers, expectedWindowMs } = this.#options;
    const failure = await this.#attempt(() => reader.holders(unknown, timers.now() - expectedWindowMs, signal), signal);
    if (failure !== undefined && failure !== 'refused') return signal.aborted;
    for (const prefix of unknown) this.#learnt.add(prefix);
    return true;
  }

  #attempt(read: () => Promise<void>, signal: AbortSignal) {
    const { figures, log, session, timers } = this.#options;
    const title = this.#reader?.title ?? '';
    return attemptReading(read, signal, { figures, logger: log, session, title, now: () => timers.now() });
  }

  /** Of those that became complete since it was told last. */
  #tellComplete(): void {
    const live = this.#completeness.delivered.filter((prefix) => this.#completeness.isLive(prefix));
    const added = live.filter((prefix) => !this.#told.has(prefix));
    this.#told = new Set(live);
    if (added.length > 0) this.#options.writer.toOwn(added, (prefixes) => ({ type: 'complete', prefixes }));
  }

  #interrupt(atMs: number): void {
    this.#controller.abort();
    this.#waiting.release();
    const heardUntilMs = Math.max(this.#sinceMs ?? 0, this.lastUpdateAtMs ?? 0);
    this.#completeness.interrupt(Math.min(atMs, heardUntilMs));
    this.#told = new Set();
    this.#options.writer.toOwn(this.#options.prefixes, (prefixes) => ({ type: 'gap', prefixes }));
  }

  #write(frames: readonly Buffer[], atMs: number): void {
    this.#receivedAtMs = atMs;
    this.#options.decoder.decode(frames, this.#sink);
  }
}

function prefixesIn({ withdrawn, announced }: RouteUpdate): number {
  return withdrawn.length + announced.length;
}

const QUIET = { begin() {}, at() {}, complete() {}, waits() {}, goesOn() {}, end() {} };
