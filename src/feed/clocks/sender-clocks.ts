/**
 * Tells a vantage point whose clock is slow from a stream that is late as a whole. The median of receipt minus stamp over the
 * vantage points heard last is the delay of the stream; who is later than that by more than TOLERANCE_MS has a slow clock, and
 * the difference is noted in the registry (`clockOffsetUs`): the table allows for it where the history is compared with what
 * came live. A clock that is fast needs nothing here: a stamp ahead of its receipt becomes the receipt.
 *
 * A single message that was held up looks the same. It is taken for a slow clock, until the vantage point's next message is on
 * time: what came live after the time of the history is newer than it.
 */
import type { VpRegistry } from '../../table/store/vp-registry.ts';

/** The jitter of a stream and the differences between collectors are below this, ms. */
const TOLERANCE_MS = 10_000;
/** Samples kept, a power of 2: of each VP the newest, where two share a place the newer. */
const PLACES = 128;
/** A sample that is older says nothing about the stream now, ms. */
const SAMPLE_AGE_MS = 600_000;
/** The median is taken again after this, ms. */
const RENEW_MS = 1_000;
/** The median begins with this many samples of a stream that is on time, so that two slow clocks do not make a late stream. */
const ON_TIME_WITNESSES = 2;

export class SenderClocks {
  readonly #vps: VpRegistry;
  /** By place: receipt minus stamp, and when it was received, ms. */
  readonly #delaysMs = new Float64Array(PLACES);
  readonly #sampledAtMs = new Float64Array(PLACES).fill(Number.NEGATIVE_INFINITY);
  readonly #sorted = new Float64Array(PLACES + ON_TIME_WITNESSES);
  /** By VP whose newest message was later than its slow clock explains: by how much behind that was, ms. */
  readonly #later = new Map<number, number>();
  #medianMs = 0;
  #samples = 0;
  #renewAtMs = Number.NEGATIVE_INFINITY;

  constructor(vps: VpRegistry) {
    this.#vps = vps;
  }

  /** Receipt minus stamp up to which a message of a VP whose clock is right needs no judgement, ms. */
  get onTimeMs(): number {
    return this.#medianMs + TOLERANCE_MS;
  }

  /** Median of receipt minus stamp, ms; undefined while fewer than three VPs were heard within the last minutes. */
  get medianMs(): number | undefined {
    return this.#samples <= ON_TIME_WITNESSES ? undefined : this.#medianMs;
  }

  /**
   * Takes a message as a sample. Call for one message of those that came together, at least.
   * @param clockOffsetMs how far the service's clock is ahead: a stream that is on time has a delay of about minus that
   */
  sample(vp: number, delayMs: number, receivedAtMs: number, clockOffsetMs: number): void {
    const place = vp & (PLACES - 1);
    this.#delaysMs[place] = delayMs;
    this.#sampledAtMs[place] = receivedAtMs;
    if (receivedAtMs >= this.#renewAtMs) this.#renew(receivedAtMs, clockOffsetMs);
  }

  /**
   * Judges the clock of a message's sender.
   * @returns how late the message is by a right clock, plus what the service's clock differs, ms
   */
  judge(vp: number, delayMs: number, receivedAtMs: number, clockOffsetMs: number): number {
    this.sample(vp, delayMs, receivedAtMs, clockOffsetMs);
    // Few samples, or an odd message: the newest median decides.
    if (delayMs > this.#medianMs + TOLERANCE_MS) this.#renew(receivedAtMs, clockOffsetMs);
    const vps = this.#vps;
    const behindMs = delayMs - this.#medianMs;
    if (behindMs <= TOLERANCE_MS) {
      vps.setClockOffset(vp, 0);
      return delayMs;
    }
    // The first such message of a VP that was on time until now may be late, until another confirms the clock.
    const isLate = vps.clockOffsetUs[vp] === 0 && vps.lastHeardMs[vp] !== 0;
    if (this.#isNewOffset(vp, behindMs)) vps.setClockOffset(vp, Math.round(behindMs * 1000));
    return isLate ? delayMs : delayMs - vps.clockOffsetUs[vp] / 1000;
  }

  /** The message that is least late tells the clock best. Two messages in a row that are later by the same time tell that the clock was set back. */
  #isNewOffset(vp: number, behindMs: number): boolean {
    const believedMs = this.#vps.clockOffsetUs[vp] / 1000;
    const laterMs = this.#later.get(vp);
    this.#later.delete(vp);
    if (believedMs === 0 || behindMs < believedMs) return true;
    if (behindMs <= believedMs + TOLERANCE_MS) return false;
    if (laterMs !== undefined && Math.abs(behindMs - laterMs) <= TOLERANCE_MS) return true;
    this.#later.set(vp, behindMs);
    return false;
  }

  #renew(nowMs: number, clockOffsetMs: number): void {
    const sorted = this.#sorted;
    let count = 0;
    while (count < ON_TIME_WITNESSES) sorted[count++] = -clockOffsetMs;
    for (let place = 0; place < PLACES; place++) {
      if (nowMs - this.#sampledAtMs[place] <= SAMPLE_AGE_MS) sorted[count++] = this.#delaysMs[place];
    }
    this.#samples = count - ON_TIME_WITNESSES;
    this.#medianMs = sorted.subarray(0, count).sort()[(count - 1) >> 1];
    this.#renewAtMs = nowMs + RENEW_MS;
  }
}
