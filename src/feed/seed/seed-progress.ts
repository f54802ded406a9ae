/** Tells in the log how far a session's part of the table is read: a start takes minutes, and silence looks like a fault. */
import type { Logger } from '../../logger.ts';
import type { Timers } from '../../stream/timers.ts';
import type { RoutingTable } from '../../table/routing-table.ts';

/** What is read at the moment. */
export type SeedStep = 'vantage points' | 'routes' | 'updates' | 'past holders';

/** How long the log may be silent before it tells the progress. */
const FIRST_LINE_MS = 2_000;
const NEXT_LINE_MS = 10_000;

export interface SeedProgressOptions {
  readonly session: number;
  /** What people call the service that is read. */
  readonly title: string;
  readonly table: RoutingTable;
  readonly logger: Logger;
  readonly timers: Timers;
}

export class SeedProgress {
  readonly #options: SeedProgressOptions;
  #step: SeedStep = 'vantage points';
  #startedAtMs = 0;
  /** Where prefixes are completed in parts: so many of how many. */
  #parts: { readonly complete: number; readonly prefixes: number } | undefined;
  #cancel: () => void = () => {};

  constructor(options: SeedProgressOptions) {
    this.#options = options;
  }

  /** A seed begins, or the filling of a gap. */
  begin(prefixes: number): void {
    const { logger, session, timers, title } = this.#options;
    this.end();
    this.#step = 'vantage points';
    this.#startedAtMs = timers.elapsed();
    this.#parts = undefined;
    logger.info(`the table is read from ${title}`, { session, prefixes });
    this.#tellLater(FIRST_LINE_MS);
  }

  /** Says what is read from now on. */
  at(step: SeedStep): void {
    this.#step = step;
  }

  /** Says how many of the prefixes are complete. */
  complete(complete: number, prefixes: number): void {
    this.#parts = { complete, prefixes };
  }

  /** All that can be read is in the table, and nothing is read until the service has caught up with the stream. */
  waits(waitMs: number): void {
    const { logger, session, table, title } = this.#options;
    this.#cancel();
    logger.info(`the table is read; it counts as complete when ${title} has caught up with the stream`, {
      ...{ session, routes: table.routes, wait_seconds: Math.max(0, Math.ceil(waitMs / 1000)) },
    });
  }

  /** The wait is over: the last updates are read. */
  goesOn(): void {
    this.#step = 'updates';
    this.#tellLater(FIRST_LINE_MS);
  }

  /** Nothing is read any more; whether the table is complete is told by whoever knows all sessions. */
  end(): void {
    this.#cancel();
    this.#cancel = () => {};
  }

  #tellLater(delayMs: number): void {
    const { logger, session, table, timers, title } = this.#options;
    this.#cancel();
    this.#cancel = timers.schedule(() => {
      const seconds = Math.round((timers.elapsed() - this.#startedAtMs) / 1000);
      logger.info(`the table is still being read from ${title}`, {
        ...{ session, reading: this.#step, ...this.#parts, routes: table.routes, seconds },
      });
      this.#tellLater(NEXT_LINE_MS);
    }, delayMs);
  }
}
