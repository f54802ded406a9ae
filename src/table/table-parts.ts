/** What a RoutingTable is made of, for the steps that change several parts of it together and stand in files of their own. */
import type { ChangeLog } from './change-log.ts';
import type { Ownership } from './ownership/ownership.ts';
import type { PrefixDirectory } from './prefixes/prefix-directory.ts';
import type { RouteLedger } from './route-ledger.ts';
import type { CellStore } from './store/cell-store.ts';
import type { PathTable } from './store/path-table.ts';
import type { VpRegistry } from './store/vp-registry.ts';
import type { TableClock } from './table-clock.ts';
import type { TableOptions } from './table-options.ts';

export interface TableParts {
  readonly options: Required<TableOptions>;
  readonly prefixes: PrefixDirectory;
  /** What is held, its totals, and the steps by which both change together. */
  readonly ledger: RouteLedger;
  readonly clock: TableClock;
  // Parts of the ledger, without the way through it.
  readonly paths: PathTable;
  readonly vps: VpRegistry;
  readonly ownership: Ownership;
  readonly cells: CellStore;
  /** Where changes of routes are noted; undefined: nowhere. */
  readonly changes: ChangeLog | undefined;
}
