/** The VPs that a history lists: whom the ingest asks for routes. What the list does to a table, each exporter decides. */
import { vantagePointKey } from '../../bgp/vantage-point.ts';
import { DataApiError } from '../../errors.ts';
import type { ServiceClock } from '../../feed/clocks/service-clock.ts';
import type { History, HistoryVp } from '../../stream/history.ts';

export interface VpListOptions {
  /** Unix ms. */
  readonly now: () => number;
  readonly clock: ServiceClock;
  /** A list was read. */
  readonly onList: (vps: readonly HistoryVp[]) => void;
  /** VPs that were away, or not listed, and are live now: their routes are to be read. */
  readonly onBack: (vps: readonly HistoryVp[]) => void;
}

export class VpList {
  readonly #options: VpListOptions;
  #vps: readonly HistoryVp[] = [];
  #askedAtMs: number | undefined;

  constructor(options: VpListOptions) {
    this.#options = options;
  }

  get live(): readonly HistoryVp[] {
    return this.#vps.filter(isLive);
  }

  get clockOffsetMs(): number {
    return this.#options.clock.offsetMs;
  }

  /** Reads the list unless it was asked for after this time (Unix ms), and the clock of the service unless it is known. */
  async ensure(history: History, askedAfterMs: number, signal: AbortSignal): Promise<void> {
    if (this.#askedAtMs === undefined || this.#askedAtMs < askedAfterMs) await this.refresh(history, signal);
    else await this.#options.clock.ensure(history, signal);
  }

  async refresh(history: History, signal: AbortSignal): Promise<void> {
    const askedAtMs = this.#options.now();
    const vps = await history.vantagePoints(signal);
    await this.#options.clock.settle(history, signal);
    if (signal.aborted) return;
    if (vps.length === 0)
      throw new DataApiError(
        'INVALID_RESPONSE',
        `${history.title ?? 'the Data API'}: the list of vantage points is empty`,
      );
    const before = new Set(this.live.map(({ vp }) => vantagePointKey(vp)));
    const isFirst = this.#vps.length === 0;
    this.#askedAtMs = askedAtMs;
    this.#vps = vps;
    this.#options.onList(vps);
    const back = vps.filter((one) => isLive(one) && !before.has(vantagePointKey(one.vp)));
    if (!isFirst && back.length > 0) this.#options.onBack(back);
  }
}

function isLive({ status }: HistoryVp): boolean {
  return status !== 'down' && status !== 'ignored';
}
