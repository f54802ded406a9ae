import type { HistoryVp, VpTeller } from '../../stream/history.ts';

/** The list that the ingest told, in the words of a history. */
export class ListHistory implements VpTeller {
  readonly clockOffsetMs = 0;
  vps: readonly HistoryVp[] = [];
  atMs = 0;

  readClock(): Promise<void> {
    return Promise.resolve();
  }

  vantagePoints(): Promise<readonly HistoryVp[]> {
    return Promise.resolve(this.vps);
  }
}
