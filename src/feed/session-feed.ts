/**
 * Where one session of the stream meets the table: frames are decoded and folded in the step in which they arrive, or
 * held, bounded, while a seed or a gap fill is under way. However many were held, no turn of the event loop is long.
 */
import type { PeerState, RouteUpdate } from '../bgp/route-event.ts';
import { type DecodedUpdates, firstUnmonitored } from '../bgp/route-integers.ts';
import type { Histogram } from '../metrics/figures/histogram.ts';
import { zeros } from '../metrics/figures/zeros.ts';
import type { EventSink, FrameDecoder } from '../stream/frame-decoder.ts';
import type { StreamStats } from '../stream/source.ts';
import { type Fold, FoldCounts, type LateReason, PREFIXES_A_STEP } from '../table/fold.ts';
import { StreamDelay } from './clocks/stream-delay.ts';
import { FrameQueue, isLittle } from './frame-queue.ts';
import { Moment } from './moment.ts';
import { Remarks } from './remarks.ts';
import type { SessionFeedOptions } from './session-feed-options.ts';
import { systemTurns, type Turns } from './turns.ts';

/** How long frames that waited are applied in one turn of the event loop, ms: scrapes, timers and sockets have the next. */
const TURN_MS = 5;
/**
 * Bytes that may wait for a turn while the stream delivers more; just after a hold there may be more. The number is low because
 * the memory of a frame that waits for long is given back late.
 */
const AHEAD_BYTES = 128 * 1024;

/**
 * With more bytes waiting for their turn the stream is not read until half of them are applied: what waits is memory, and what
 * finds no room at last would have to be applied at once.
 */
export const MOST_AHEAD_BYTES = 512 * 1024;

export class SessionFeed {
  readonly stream: StreamStats;
  /** What the fold did with the events. */
  readonly counts = new FoldCounts();
  /** How late messages are, seconds. */
  readonly delay: Histogram;
  /** By the reasons of the decoder. */
  readonly decodeFailures: Record<string, number>;
  /** By the reasons of the decoder: what was read and says nothing that counts. */
  readonly unused: Record<string, number>;
  /** Frames that the decoder's fast way gave up; undefined where it has none. */
  generalDecodes: number | undefined;
  /** Messages that were decoded, whole or in part. Keep-alives and other frames that are not messages about routes do not count. */
  updates = 0;
  /** Receipt of the newest such message, Unix ms. A message that was held counts once it is decoded. */
  lastUpdateAtMs: number | undefined;
  canaryAtMs: number | undefined;
  readonly #canary: string | undefined;
  readonly #session: number;
  readonly #decoder: FrameDecoder;
  readonly #fold: Fold;
  readonly #turns: Turns;
  readonly #onUnmonitored: (prefixes: readonly string[], receivedAtMs: number) => void;
  readonly #onPassed: (vp: number, source: number) => void;
  readonly #queue: FrameQueue;
  #isHolding = false;
  #overflowed = false;
  /** Whether frames of the queue are applied now, or will be in a later turn. */
  #isApplying = false;
  #isTurnAsked = false;
  /** Messages of the newest frame that were applied in part. Their other prefixes are applied before any other frame. */
  readonly #unfinished: Generator<void, void>[] = [];
  /** Callers that wait until this many frames of the queue were taken. */
  #waiting: { readonly taken: number; readonly resolve: () => void }[] = [];
  /** Happens when few frames wait for a turn, or when they wait for a release. */
  readonly #caughtUp = new Moment();
  readonly #delay: StreamDelay;
  readonly #remarks: Remarks;
  /**
   * The frames that are applied now, when they were received, and the reason by which those of their events are counted that are
   * too old.
   */
  #applied: readonly Buffer[] = [];
  #receivedAtMs = 0;
  #late: LateReason = 'out_of_order';
  /** Whether `onForeign` was told of one of the frames that are applied now. */
  #isTold = false;
  /** Applies what frames say. */
  readonly #sink: EventSink = {
    integers: (read, first) => this.#integers(read, first),
    update: (update) => this.#update(update),
    peerState: (state) => this.#peerState(state),
    failed: (reason) => this.#failed(reason),
    unused: (reason) => this.#unused(reason),
    passed: (messages, prefixes) => this.#passed(messages, prefixes),
    general: () => {
      if (this.generalDecodes !== undefined) this.generalDecodes++;
    },
    later: (steps) => this.#later(steps),
    remark: (text, fields) => this.#remarks.note(text, fields),
  };
  /** Counts what frames say for which there was no room. */
  readonly #overflow: EventSink = {
    integers: (read) => this.#dropIntegers(read),
    update: ({ withdrawn, announced }) => {
      this.#heard(1, this.#receivedAtMs);
      this.counts.dropped.hold_overflow += announced.length + withdrawn.length;
    },
    peerState: () => {
      this.counts.dropped.hold_overflow++;
    },
    failed: (reason) => this.#failed(reason),
    unused: (reason) => this.#unused(reason),
    passed: (messages, prefixes) => this.#passed(messages, prefixes),
    general: () => {},
    remark: (text, fields) => this.#remarks.note(text, fields),
  };

  constructor({
    session,
    stream,
    decoder,
    fold,
    logger,
    canary,
    holdBounds,
    holdRoom,
    turns = systemTurns,
    onUnmonitored = () => {},
    onPassed = () => {},
  }: SessionFeedOptions) {
    this.#session = session;
    this.stream = stream;
    this.#decoder = decoder;
    this.decodeFailures = zeros(decoder.failures);
    this.unused = zeros(decoder.unused ?? []);
    this.generalDecodes = decoder.hasFastWay === true ? 0 : undefined;
    this.#fold = fold;
    this.#delay = new StreamDelay(fold.table, this.counts);
    this.delay = this.#delay.histogram;
    this.#remarks = new Remarks(logger, stream.session);
    this.#canary = canary;
    this.#queue = new FrameQueue(holdBounds, holdRoom);
    this.#turns = turns;
    this.#onUnmonitored = onUnmonitored;
    this.#onPassed = onPassed;
  }

  /** Messages, or parts of one, whose events are lost because they could not be read. */
  get unreadMessages(): number {
    let unread = 0;
    const { failures, harmless } = this.#decoder;
    for (const reason of failures) if (!harmless.includes(reason)) unread += this.decodeFailures[reason];
    return unread;
  }

  /** Median of receipt minus stamp of the newest messages, ms; undefined while too few VPs were heard. */
  get medianDelayMs(): number | undefined {
    return this.#delay.medianMs;
  }

  /** Whether frames that come wait for a release. */
  get holding(): boolean {
    return this.#isHolding;
  }

  /**
   * From now on frames wait for `release`. While holding already it goes on. Frames that were released before and are not
   * applied yet do not wait for another release.
   */
  hold(): void {
    if (!this.#isHolding) this.#overflowed = false;
    this.#isHolding = true;
    this.#tellApplied(); // what comes now is bounded by the hold
  }

  /**
   * Applies what was held and goes live. Few frames are applied at once; of many a few milliseconds' work a turn, and frames
   * that come meanwhile queue behind them: see `applied`.
   * @returns false when frames were lost because there were too many: the gap must be filled again
   */
  release(): boolean {
    const complete = !this.#overflowed;
    this.#overflowed = false;
    this.#isHolding = false;
    this.#queue.release();
    this.#applyQueue();
    return complete;
  }

  /** Resolves when all frames that are released now were applied, or the signal is aborted. */
  applied(signal: AbortSignal): Promise<void> {
    if (!this.#hasWork || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ taken: this.#queue.takenAfterReleased, resolve });
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /**
   * Forgets the frames that wait, and gives how many; the last one that was begun is applied as a whole. What was heard by
   * then (`lastUpdateAtMs`) stays true.
   */
  abandon(): number {
    while (this.#unfinished.length > 0) this.#applyNext();
    const abandoned = this.#queue.clear();
    this.#tellApplied();
    return abandoned;
  }

  /**
   * Takes frames that came at one moment, in their order.
   * @returns where too many wait for their turn, when there are few again
   */
  frames(frames: readonly Buffer[], receivedAtMs: number): Promise<void> | undefined {
    if (!this.#isHolding && this.#queue.isEmpty && this.#unfinished.length === 0 && isLittle(frames)) {
      this.#apply(frames, receivedAtMs, 'out_of_order');
      this.#askForTurn();
      return undefined;
    }
    for (const frame of frames) this.#enqueue(frame, receivedAtMs);
    if (this.#isHolding) return undefined;
    this.#queue.release();
    // While this applies frames, the source reads none: what waits stays small.
    if (!this.#isTurnAsked || this.#queue.bytes > AHEAD_BYTES) this.#applyQueue();
    return this.#queue.bytes > MOST_AHEAD_BYTES ? this.#caughtUp.promise : undefined;
  }

  #enqueue(data: Buffer, receivedAtMs: number): void {
    // Only frames that wait for a release can be too many: for other frames room is made.
    while (!this.#queue.hasRoom(data.length)) {
      if (!this.#isHolding) this.#queue.release();
      if (this.#applyNext()) continue;
      if (this.#isHolding) {
        this.#overflowed = true;
        this.#dropHeld(data, receivedAtMs);
      } else this.#apply([data], receivedAtMs, 'out_of_order');
      return;
    }
    this.#queue.push(data, receivedAtMs, this.#isHolding ? 'seeded' : 'out_of_order');
  }

  /** Applies what is released for one turn, and the rest in turns to come. */
  #applyQueue(): void {
    if (this.#isApplying) return; // applying may lead to a release
    this.#isApplying = true;
    const endMs = this.#turns.elapsed() + TURN_MS;
    try {
      while (this.#applyNext() && this.#turns.elapsed() < endMs);
    } finally {
      this.#isApplying = false;
      this.#askForTurn();
    }
    this.#tellApplied();
  }

  get #hasWork(): boolean {
    return this.#queue.hasReleased || this.#unfinished.length > 0;
  }

  #askForTurn(): void {
    if (!this.#hasWork || this.#isTurnAsked) return;
    this.#isTurnAsked = true;
    this.#turns.next(() => {
      this.#isTurnAsked = false;
      this.#applyQueue();
    });
  }

  #tellApplied(): void {
    if (this.#isHolding || this.#queue.bytes <= MOST_AHEAD_BYTES / 2) this.#caughtUp.tell();
    if (this.#waiting.length === 0 || this.#unfinished.length > 0) return;
    const { taken } = this.#queue;
    const over = this.#waiting.filter((one) => one.taken <= taken);
    this.#waiting = this.#waiting.filter((one) => one.taken > taken);
    for (const { resolve } of over) resolve();
  }

  /** False when there is nothing to go on with and no frame is released. */
  #applyNext(): boolean {
    if (this.#unfinished.length > 0) {
      if (this.#unfinished[0].next().done === true) this.#unfinished.shift();
      return true;
    }
    const batch = this.#queue.take();
    if (batch === undefined) return false;
    this.#apply(batch.frames, batch.receivedAtMs, batch.late);
    return true;
  }

  #apply(frames: readonly Buffer[], receivedAtMs: number, late: LateReason): void {
    this.#applied = frames;
    this.#receivedAtMs = receivedAtMs;
    this.#late = late;
    this.#isTold = false;
    this.#decoder.decode(frames, this.#sink);
  }

  /** Messages that the decoder gives as integers. */
  #integers(read: DecodedUpdates, first: number): void {
    const { counts } = this;
    const receivedAtMs = this.#receivedAtMs;
    const unmonitored = counts.unmonitoredPrefixes;
    this.#delay.observeAll(read, receivedAtMs);
    this.#heard(read.count, receivedAtMs);
    this.#fold.applyIntegers(read, this.#session, counts, receivedAtMs, this.#late);
    if (counts.unmonitoredPrefixes === unmonitored || this.#isTold || this.#decoder.prefixesOf === undefined) return;
    const place = firstUnmonitored(read);
    if (place === undefined) return;
    this.#isTold = true;
    this.#onUnmonitored(this.#decoder.prefixesOf(this.#applied[first + place]), receivedAtMs);
  }

  /** A message in words. One of many prefixes is applied over several turns, if its frame came alone. */
  #update(update: RouteUpdate): void {
    const steps = this.#steps(update, this.#receivedAtMs, this.#late);
    const isAlone = this.#applied.length === 1;
    if (this.#unfinished.length > 0 || (steps.next().done !== true && isAlone)) this.#unfinished.push(steps);
    else while (steps.next().done !== true);
  }

  /** A long frame is read over several turns, if it came alone; its bytes are valid in the first step only. */
  #later(steps: Generator<void, void>): void {
    const resumed = this.#resumed(steps);
    const isAlone = this.#applied.length === 1;
    if (resumed.next().done === true) return;
    if (isAlone && this.#unfinished.length === 0) this.#unfinished.push(resumed);
    else while (resumed.next().done !== true);
  }

  /** The steps of a frame, each with what is known of the frame: frames that find no room are decoded in between. */
  *#resumed(steps: Generator<void, void>): Generator<void, void> {
    const [applied, receivedAtMs, late] = [this.#applied, this.#receivedAtMs, this.#late];
    while (steps.next().done !== true) {
      yield;
      this.#applied = applied;
      this.#receivedAtMs = receivedAtMs;
      this.#late = late;
    }
  }

  *#steps(update: RouteUpdate, receivedAtMs: number, late: LateReason): Generator<void, void> {
    const { counts } = this;
    const { table } = this.#fold;
    const { withdrawn, announced } = update;
    this.#heard(1, receivedAtMs);
    this.#delay.observe(table.addVp(update.vp), update.timeUs, receivedAtMs);
    if (this.#canary !== undefined && (announced.includes(this.#canary) || withdrawn.includes(this.#canary)))
      this.canaryAtMs = receivedAtMs;
    const unmonitored = counts.unmonitoredPrefixes;
    const count = withdrawn.length + announced.length;
    if (count <= PREFIXES_A_STEP) this.#fold.apply(update, this.#session, counts, receivedAtMs, late);
    else yield* this.#fold.steps(update, this.#session, counts, receivedAtMs, late);
    if (count > 0 && counts.unmonitoredPrefixes - unmonitored === count)
      this.#onUnmonitored([...withdrawn, ...announced], receivedAtMs);
  }

  #peerState(state: PeerState): void {
    while (this.#unfinished.length > 0) this.#applyNext(); // of the same frame
    const { vp, heir } = this.#fold.applyPeerState(state, this.#session, this.counts, this.#receivedAtMs);
    if (heir !== -1) this.#onPassed(vp, heir);
  }

  #failed(reason: string): void {
    this.decodeFailures[reason]++;
  }

  #unused(reason: string): void {
    this.unused[reason]++;
  }

  #passed(messages: number, prefixes: number): void {
    this.counts.unmonitoredPrefixes += prefixes;
    if (messages > 0) this.#heard(messages, this.#receivedAtMs);
  }

  #dropIntegers(read: DecodedUpdates): void {
    const { count, paths, announcedEnds, unmonitored } = read;
    this.#heard(count, this.#receivedAtMs);
    let events = announcedEnds[count - 1];
    for (let i = 0; i < count; i++) {
      events += unmonitored[i];
      if (paths[i] !== 0) this.#fold.table.paths.release(paths[i]);
    }
    this.counts.dropped.hold_overflow += events;
  }

  /** Messages that found no room were decoded before those that were held: the newest receipt stays. */
  #heard(updates: number, receivedAtMs: number): void {
    this.updates += updates;
    this.lastUpdateAtMs = Math.max(this.lastUpdateAtMs ?? receivedAtMs, receivedAtMs);
  }

  /** The events of a frame that finds no room are counted, so the frame is decoded all the same. */
  #dropHeld(data: Buffer, receivedAtMs: number): void {
    this.#receivedAtMs = receivedAtMs;
    this.#decoder.decode([data], this.#overflow);
  }
}
