/** Reads a RIB of the history into the table, and drops what the table has and the RIB has not. */
import type { Logger } from '../../logger.ts';
import type { History, HistoryVp } from '../../stream/history.ts';
import type { Absence } from '../../table/history/history-rows.ts';
import type { TableComparison } from '../../table/history/table-comparison.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import type { VpDirectory } from '../vp-directory.ts';
import { divideAbsences } from './absence-doubts.ts';
import type { SessionHistory } from './session-history.ts';

export interface RibComparisonOptions {
  readonly session: number;
  readonly table: RoutingTable;
  readonly history: History;
  readonly reader: SessionHistory;
  readonly directory: VpDirectory;
  readonly logger: Logger;
  /** Unix ms. */
  readonly now: () => number;
  /** More is missing in the RIB than is believed at once. */
  readonly onDoubted: (absences: readonly Absence[], signal: AbortSignal) => void;
}

export class RibComparison {
  readonly #options: RibComparisonOptions;

  constructor(options: RibComparisonOptions) {
    this.#options = options;
  }

  /**
   * Compares with what the VPs held at `ourMs`.
   * @param onCorrected called for every route that differed
   */
  async compare(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    ourMs: number,
    signal: AbortSignal,
    onCorrected?: () => void,
  ): Promise<TableComparison> {
    const { reader, table, now, onDoubted } = this.#options;
    const rib = await reader.readRib(vps, prefixes, ourMs, signal, onCorrected);
    if (signal.aborted) return rib;
    const absences = rib.absences(
      vps.map((one) => one.vp),
      new Set(prefixes),
    );
    await this.#checkSilent(rib.silent(absences), signal);
    if (signal.aborted) return rib;
    const { believed, doubted } = divideAbsences(absences.filter(({ vp }) => table.vps.down[vp] === 0));
    rib.drop(believed, now());
    if (doubted.length > 0) onDoubted(doubted, signal);
    return rib;
  }

  /**
   * VPs that went down between the list and the RIB did not withdraw their routes: a newer list knows it, and they leave as VPs that are down.
   * When it cannot be read, the RIB alone decides.
   */
  async #checkSilent(silent: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const { directory, history, logger, session } = this.#options;
    const holders = directory.holdersAmong(silent);
    if (holders.size === 0) return;
    try {
      await directory.refresh(history, signal, holders);
    } catch (error) {
      if (signal.aborted) return;
      const text = error instanceof Error ? error.message : String(error);
      logger.warn('the list of vantage points could not be read again after a RIB', { session, error: text });
    }
  }
}
