/**
 * Looks whether the clock of this machine was set, or the machine was suspended. Either may have changed the offset to the clock
 * of the service: until it is measured again, nothing is trusted.
 */
import type { Logger } from '../../logger.ts';
import type { TableFigures } from '../../metrics/figures/table-figures.ts';
import type { History } from '../../stream/history.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import type { ServiceClock } from './service-clock.ts';

export interface ClockWatchOptions {
  readonly clock: ServiceClock;
  /** Asked in turns; at least one. */
  readonly histories: readonly History[];
  readonly figures: TableFigures;
  readonly logger: Logger;
  readonly timers: Timers;
  /** By how much (ms) the machine's clock parted from the elapsed time since the last call; undefined: it did not. */
  readonly takeClockStep: () => number | undefined;
  /** The offset is not known any more, or known again. */
  readonly onChange: () => void;
}

/** How long it is until a measurement that failed is repeated, ms. */
const RETRY_MS = 5_000;

export class ClockWatch {
  readonly #options: ClockWatchOptions;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
  }

  /** Call about once a second. Resolves when the offset is known, or at the signal. */
  async look(signal: AbortSignal): Promise<void> {
    const { clock, figures, logger, takeClockStep, onChange } = this.#options;
    const stepMs = takeClockStep();
    if (stepMs === undefined) return;
    figures.clockSteps++;
    logger.warn(
      'the clock of this machine was set, or the machine was suspended: the offset to the service is measured again',
      { by_seconds: Math.round(stepMs / 1000) },
    );
    clock.doubt();
    onChange();
    await this.#measure(signal);
    if (!signal.aborted) onChange();
  }

  async #measure(signal: AbortSignal): Promise<void> {
    const { clock, histories, logger, timers } = this.#options;
    for (let asked = 0; !clock.isKnown && !signal.aborted; asked++) {
      try {
        await clock.ensure(histories[asked % histories.length], signal);
      } catch (error) {
        if (signal.aborted) return;
        const text = error instanceof Error ? error.message : String(error);
        logger.warn('the clock of the service could not be read', { error: text });
        await sleep(timers, RETRY_MS, signal);
      }
    }
  }
}
