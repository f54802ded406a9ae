/**
 * How far the clock of the service is ahead of ours: the Data API is asked by its own time, and the stream is stamped with it.
 *
 * One answer decides nothing, because a cache or a proxy may have dated it. An offset that differs from the one believed needs
 * several answers that agree, or one that agrees with the times of the stream. At first the offset 0 is
 * believed: the clock of this machine is a witness too.
 */
import { DataApiError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { titleOf, type VpTeller } from '../../stream/history.ts';

/** Offsets that differ by no more than this agree, ms: whole seconds and a busy machine make as much of equal clocks. */
const AGREE_MS = 6_000;
/** So many answers in a row must agree on another offset. */
const ANSWERS = 3;
/** After so many answers that do not agree it is given up, until the next reading. */
const MAX_ANSWERS = 8;
/** Largest offset, ms, by which anything is read. With a clock that is more than a day wrong, certificates are not valid. */
export const MAX_CLOCK_OFFSET_MS = 86_400_000;
/** How late a stream that is on time may be, ms. A message cannot come before its time. */
const STREAM_ON_TIME_MS = { min: -AGREE_MS, max: 60_000 } as const;

export interface ServiceClockOptions {
  readonly logger: Logger;
  /** Median of receipt minus stamp of the stream's newest messages, ms; undefined while too few vantage points were heard. */
  readonly streamDelayMs: () => number | undefined;
  /** Called when the offset has changed: what was read by the one before is not to be trusted. */
  readonly onChange: (offsetMs: number) => void;
  /** Called for each answer whose time was not believed. */
  readonly onRefused: () => void;
}

export class ServiceClock {
  readonly #options: ServiceClockOptions;
  #offsetMs = 0;
  #isKnown = false;

  constructor(options: ServiceClockOptions) {
    this.#options = options;
  }

  /** The offset believed, ms: above 0 when the service's clock is ahead. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** Whether it was measured, and nothing has happened since that may have changed it. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The clock of this machine was set: the offset is not known until it is measured again. */
  doubt(): void {
    this.#isKnown = false;
  }

  /**
   * Measures the offset unless it is known.
   * @throws DataApiError as `settle`, or what the Data API answers
   */
  async ensure(api: VpTeller, signal: AbortSignal): Promise<void> {
    if (this.#isKnown) return;
    await api.readClock(signal);
    if (!signal.aborted) await this.settle(api, signal);
  }

  /**
   * Compares the offset with that of the API's newest answer, and asks again where they differ.
   * @throws DataApiError when the answers do not agree, or agree on more than a day: then nothing may be read
   */
  async settle(api: VpTeller, signal: AbortSignal): Promise<void> {
    let offsetMs = api.clockOffsetMs;
    for (let agreeing = 1, answers = 1; ; answers++) {
      if (agree(offsetMs, this.#offsetMs)) {
        this.#isKnown = true;
        return;
      }
      const byStream = this.#streamSays(offsetMs);
      if (byStream === 'no') {
        this.#options.onRefused();
        this.#isKnown = true;
        return;
      }
      if (byStream === 'yes' || agreeing >= ANSWERS) break;
      if (answers >= MAX_ANSWERS) {
        this.#isKnown = false;
        throw new DataApiError('INVALID_RESPONSE', `${titleOf(api)}: its answers do not agree about the time`);
      }
      await api.readClock(signal);
      if (signal.aborted) return;
      const nextMs = api.clockOffsetMs;
      agreeing = agree(nextMs, offsetMs) ? agreeing + 1 : 1;
      if (agreeing === 1) this.#options.onRefused();
      offsetMs = nextMs;
    }
    this.#believe(offsetMs);
  }

  /** Whether the stream's times fit this offset and not the one believed (`yes`), the other way round (`no`), or neither tells. */
  #streamSays(offsetMs: number): 'yes' | 'no' | undefined {
    const delayMs = this.#options.streamDelayMs();
    if (delayMs === undefined) return undefined;
    const fits = (ms: number) => delayMs + ms >= STREAM_ON_TIME_MS.min && delayMs + ms <= STREAM_ON_TIME_MS.max;
    if (fits(offsetMs) === fits(this.#offsetMs)) return undefined;
    return fits(offsetMs) ? 'yes' : 'no';
  }

  #believe(offsetMs: number): void {
    const { logger, onChange } = this.#options;
    const aheadSeconds = Math.round(-offsetMs / 1000);
    if (Math.abs(offsetMs) > MAX_CLOCK_OFFSET_MS) {
      this.#isKnown = false;
      throw new DataApiError(
        'INVALID_RESPONSE',
        `the clock of this machine is more than a day off (${Math.abs(aheadSeconds)} s ${aheadSeconds < 0 ? 'behind' : 'ahead'}): set it by NTP`,
      );
    }
    this.#offsetMs = offsetMs;
    this.#isKnown = true;
    onChange(offsetMs);
    if (offsetMs === 0) logger.info('the clock of this machine is that of the service again');
    else
      logger.warn('the clock of this machine is not that of the service: it is allowed for, but set it by NTP', {
        ahead_seconds: aheadSeconds,
      });
  }
}

function agree(aMs: number, bMs: number): boolean {
  return Math.abs(aMs - bMs) <= AGREE_MS;
}
