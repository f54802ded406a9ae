/**
 * What time it is by the clock of the service whose stamps the table keeps, and when the newest word about a cell was said by
 * a right clock.
 */
import type { CellStore } from './store/cell-store.ts';
import type { VpRegistry } from './store/vp-registry.ts';

/** Where a time comes from that is not the stream's. Closed list: it becomes a label. */
export const TIME_ORIGINS = ['history', 'snapshot'] as const;
export type TimeOrigin = (typeof TIME_ORIGINS)[number];

/** Clocks that agree differ by less than this, ms. A time that is further ahead of now becomes now. */
const MAX_AHEAD_MS = 2_000;

export class TableClock {
  /** How far the clock by which messages are stamped is known to be ahead of that of `nowMs`, ms. See `setClockOffset`. */
  offsetMs = 0;
  /** Times of a history or a snapshot that were ahead of now, and became now. Those of the stream are counted by its sessions. */
  readonly futureTimes: Record<TimeOrigin, number> = { history: 0, snapshot: 0 };
  readonly #cells: CellStore;
  readonly #vps: VpRegistry;

  constructor(cells: CellStore, vps: VpRegistry) {
    this.#cells = cells;
    this.#vps = vps;
  }

  /** Now by the clock of the service, Unix microseconds: no cell is ahead of it. */
  serviceNowUs(nowMs: number): number {
    return (nowMs + this.offsetMs) * 1000;
  }

  /** Whether a time (Unix microseconds) is ahead of now, by more than clocks that agree differ. */
  isAhead(timeUs: number, nowMs: number): boolean {
    return timeUs > this.serviceNowUs(nowMs + MAX_AHEAD_MS);
  }

  /** The time of a history or a snapshot, or now when it is ahead of now. */
  notAhead(timeUs: number, origin: TimeOrigin, nowMs: number): number {
    if (!this.isAhead(timeUs, nowMs)) return timeUs;
    this.futureTimes[origin]++;
    return this.serviceNowUs(nowMs);
  }

  /** When the newest word about a VP's cell was said, by a right clock, Unix microseconds. Not later than the VP was heard. */
  saidUs(cell: number, vp: number): number {
    const timeUs = this.#cells.signedTime(cell);
    if (timeUs < 0) return -timeUs;
    const behindUs = this.#vps.clockOffsetUs[vp];
    if (behindUs === 0) return timeUs;
    return Math.max(timeUs, Math.min(timeUs + behindUs, this.serviceNowUs(this.#vps.lastHeardMs[vp])));
  }

  /**
   * Whether what came live is news although its stamp is older than the cell: where the newest word is the history's, the
   * sender's clock does not decide.
   */
  isNews(cell: number, vp: number, timeUs: number): boolean {
    return this.#cells.signedTime(cell) < 0 && timeUs + this.#vps.clockOffsetUs[vp] >= this.#cells.time(cell);
  }
}
