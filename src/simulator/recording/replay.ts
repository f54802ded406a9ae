/**
 * Sends a recording: at its own pace, faster, or as fast as the clients take it. Nothing is lost on the way: it starts
 * when there is somebody to hear it, and waits for clients that cannot keep up.
 */
import type { Clock, TimeStamper } from '../clock.ts';
import type { Speed } from '../internet/timeline.ts';
import type { World } from '../internet/world.ts';
import type { StreamMessage } from '../services/bgproutes/stream-message.ts';
import type { Recording } from './recording.ts';

export interface ReplayOptions {
  readonly recording: Recording;
  readonly world: World;
  readonly clock: Clock;
  readonly stamper: TimeStamper;
  readonly speed: Speed;
  readonly loop: boolean;
  readonly timestamps: 'now' | 'original';
  readonly publish: (message: StreamMessage, timeUs: number) => void;
  readonly flush: () => void;
  readonly backpressure: () => Promise<void> | undefined;
}

/** Messages between two looks at the clients: about 256 KiB. */
const SLICE = 1024;

export class Replay {
  /** Resolves when the last message was handed to the sockets, or when stopped. Never for a loop that is not stopped. */
  readonly finished: Promise<void>;
  readonly #options: ReplayOptions;
  #finish: () => void = () => {};
  #isStarted = false;
  #isStopped = false;
  #cancelTimer: (() => void) | undefined;
  #next = 0;
  #sent = 0;
  /** When the current round began: clock and recording. */
  #roundStartMs = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Messages played, whether or not a client wanted them. */
  get sent(): number {
    return this.#sent;
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Idempotent. */
  start(): void {
    if (this.#isStarted || this.#isStopped) return;
    this.#isStarted = true;
    this.#roundStartMs = this.#options.clock.now();
    setImmediate(() => void this.#run());
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
    this.#finish();
  }

  async #run(): Promise<void> {
    const { recording, flush, backpressure, loop } = this.#options;
    while (!this.#isStopped) {
      const last = this.#dueNow();
      for (; this.#next < last; this.#next++) this.#play(this.#next);
      flush();
      if (this.#next === recording.messages.length) {
        if (!loop || recording.messages.length === 0) return this.#finish();
        this.#roundStartMs += this.#durationMs();
        this.#next = 0;
      }
      await (backpressure() ?? this.#pause());
    }
  }

  /** Up to which message, of one slice at most, it is time. */
  #dueNow(): number {
    const { recording, speed, clock } = this.#options;
    const end = Math.min(this.#next + SLICE, recording.messages.length);
    if (speed === 'max') return end;
    const nowMs = clock.now();
    let last = this.#next;
    while (last < end && this.#dueMs(last, speed) <= nowMs) last++;
    return last;
  }

  /** Messages that are out of order in the recording are due with the one before them. */
  #dueMs(index: number, speed: number): number {
    const { messages } = this.#options.recording;
    return this.#roundStartMs + (messages[index].timeUs - messages[0].timeUs) / 1000 / speed;
  }

  /** Of one round of a loop; a second of the recording at least, so that one message is not sent without a pause. */
  #durationMs(): number {
    const { recording, speed } = this.#options;
    if (speed === 'max') return 0;
    return Math.max(1000 / speed, this.#dueMs(recording.messages.length - 1, speed) - this.#roundStartMs);
  }

  /** Lets sockets have their turn; at a pace of its own, until the next message is due. */
  #pause(): Promise<void> {
    const { speed, clock } = this.#options;
    if (speed === 'max') return new Promise((resolve) => setImmediate(resolve));
    const waitMs = this.#dueMs(this.#next, speed) - clock.now();
    if (waitMs <= 0) return new Promise((resolve) => setImmediate(resolve));
    return new Promise((resolve) => {
      this.#cancelTimer = clock.schedule(resolve, Math.ceil(waitMs));
    });
  }

  #play(index: number): void {
    const { recording, world, stamper, timestamps, publish } = this.#options;
    const { vp, announced, withdrawn, route, message, timeUs: recordedUs } = recording.messages[index];
    const timeUs = timestamps === 'now' ? stamper.nextUs() : recordedUs;
    // Withdrawals first: a prefix in both is announced (RFC 4271 section 3.1).
    const isUp = withdrawn.length === 0 || world.release(vp, withdrawn, timeUs);
    const isStillUp = announced.length === 0 || world.hold(vp, announced, route, timeUs);
    this.#sent++;
    if (isUp && isStillUp && vp.isLive) publish(message, timeUs);
  }
}
