/** How late the messages of one session are, and what that tells of the clocks of their senders. */
import type { DecodedUpdates } from '../../bgp/route-integers.ts';
import { Histogram } from '../../metrics/figures/histogram.ts';
import { DELAY_BOUNDS } from '../../metrics/figures/stream-figures.ts';
import { FIRST_TIME_US, type FoldCounts } from '../../table/fold.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { SenderClocks } from './sender-clocks.ts';

export class StreamDelay {
  /** How late the messages are, in seconds. */
  readonly histogram = new Histogram(DELAY_BOUNDS);
  readonly #table: RoutingTable;
  readonly #counts: FoldCounts;
  readonly #clocks: SenderClocks;
  /** How late the messages were that were read together, seconds. */
  #delays = new Float64Array(32);

  /** @param counts `slowClocks` is counted here */
  constructor(table: RoutingTable, counts: FoldCounts) {
    this.#table = table;
    this.#counts = counts;
    this.#clocks = new SenderClocks(table.vps);
  }

  /** Median of receipt minus stamp of the newest messages, ms; undefined while too few VPs were heard. */
  get medianMs(): number | undefined {
    return this.#clocks.medianMs;
  }

  /** Notes messages that came together. */
  observeAll({ count, timesUs, vps: senders }: DecodedUpdates, receivedAtMs: number): void {
    const { vps, clock } = this.#table;
    const { offsetMs } = clock;
    if (count > this.#delays.length) this.#delays = new Float64Array(count);
    const delays = this.#delays;
    const onTimeMs = this.#clocks.onTimeMs;
    let timed = 0;
    for (let i = 0; i < count; i++) {
      const delayMs = receivedAtMs - timesUs[i] / 1_000;
      if (delayMs <= onTimeMs && (vps.slowClocks === 0 || vps.clockOffsetUs[senders[i]] === 0)) {
        delays[timed++] = (delayMs + offsetMs) / 1_000;
        continue;
      }
      const latenessMs = this.#judge(senders[i], timesUs[i], receivedAtMs);
      if (latenessMs !== undefined) delays[timed++] = (latenessMs + offsetMs) / 1_000;
    }
    const last = count - 1;
    if (timesUs[last] >= FIRST_TIME_US)
      this.#clocks.sample(senders[last], receivedAtMs - timesUs[last] / 1_000, receivedAtMs, offsetMs);
    this.histogram.observeAll(delays, timed);
  }

  /** Notes one message. @param vp below 0: there is no room for its sender */
  observe(vp: number, timeUs: number, receivedAtMs: number): void {
    const latenessMs = this.#judge(vp, timeUs, receivedAtMs);
    if (latenessMs !== undefined) this.histogram.observe((latenessMs + this.#table.clock.offsetMs) / 1_000);
  }

  /** How late a message is by our clock, ms, whatever its sender's clock says; undefined when it has no time. */
  #judge(vp: number, timeUs: number, receivedAtMs: number): number | undefined {
    if (timeUs < FIRST_TIME_US) return undefined;
    const delayMs = receivedAtMs - timeUs / 1_000;
    if (vp < 0) return delayMs;
    const { vps, clock } = this.#table;
    const latenessMs = this.#clocks.judge(vp, delayMs, receivedAtMs, clock.offsetMs);
    if (vps.clockOffsetUs[vp] > 0) this.#counts.slowClocks++;
    return latenessMs;
  }
}
