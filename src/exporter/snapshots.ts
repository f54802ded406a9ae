/** Where the table of a running exporter is kept on disk: what a snapshot is made of, and what one that is read is given to. */
import type { Config } from '../config/config.ts';
import type { Logger } from '../logger.ts';
import type { TableFigures } from '../metrics/figures/table-figures.ts';
import { TableSnapshots } from '../storage/table-snapshots.ts';
import type { SteadyClock } from '../stream/steady-clock.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import type { Pages } from './page.ts';
import type { Streams } from './streams.ts';

export interface SnapshotParts {
  readonly table: RoutingTable;
  readonly figures: TableFigures;
  readonly streams: Streams;
  /** The past that it shows is written beside the table. */
  readonly pages: Pages;
  readonly timers: SteadyClock;
  readonly logger: Logger;
}

/** Undefined: nothing is kept on disk. */
export function snapshotsOf(
  config: Pick<Config, 'storage' | 'fleet'>,
  parts: SnapshotParts,
): TableSnapshots | undefined {
  const { path, snapshotIntervalMs } = config.storage;
  // The state of a fleet lies where its other members find it.
  if (path === undefined || config.fleet !== undefined) return undefined;
  const { table, figures, streams, pages, timers, logger } = parts;
  return new TableSnapshots({
    ...{ folder: path, intervalMs: snapshotIntervalMs, table, figures, timers, logger },
    history: () => pages.history,
    // By the service's clock where it is known: the machine's may be set right before the next start.
    aheadMs: () => streams.intake.keeper.clockOffsetMs ?? timers.machineAheadMs,
    completeUntil: () => streams.intake.keeper.completeUntil(),
    onRestored: (completeUntil) => streams.intake.keeper.restored(completeUntil),
  });
}
