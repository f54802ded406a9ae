/** Reads answers of a history into the table in slices, so that the stream is never kept waiting. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AskedInside, HistoryRows, RibRow, RibRows, UpdateRow } from '../../stream/history.ts';
import type { Absence } from '../../table/history/history-rows.ts';
import { applyWord, type Holders, noteHolder } from '../../table/history/history-rows.ts';
import { TableComparison } from '../../table/history/table-comparison.ts';
import type { MonitoredPrefix } from '../../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../../table/routing-table.ts';

const ROWS_PER_TURN = 2_000;

/**
 * Hands over all rows of an answer, with turns of the event loop for others in between.
 * @returns how many there were
 */
async function eachRow<Row extends RibRow>(
  batches: AsyncIterable<HistoryRows<Row> & Pick<RibRows, 'askedInside'>>,
  take: (row: Row) => void,
  onUnavailable: (vp: Row['vp']) => void = () => {},
  onAskedInside: (asked: AskedInside) => void = () => {},
): Promise<number> {
  let rows = 0;
  for await (const batch of batches) {
    for (const asked of batch.askedInside ?? []) onAskedInside(asked);
    for (const { vp } of batch.unavailable) onUnavailable(vp);
    for (const row of batch.rows) {
      take(row);
      if (++rows % ROWS_PER_TURN === 0) await nextTurn();
    }
  }
  return rows;
}

/**
 * Applies a RIB.
 * @param atMs time of the RIB, Unix ms
 * @param onCorrected called for every route that differed
 * @returns the comparison, which tells the routes of the table that are missing in the RIB
 */
export async function readRib(
  table: RoutingTable,
  session: number,
  batches: AsyncIterable<RibRows>,
  atMs: number,
  onCorrected?: () => void,
): Promise<TableComparison> {
  const rib = new TableComparison(table, session, atMs, onCorrected);
  await eachRow(
    batches,
    (row) => rib.add(row),
    (vp) => rib.addUnavailable(vp),
    ({ of, prefixes }) => rib.addAskedInside(of, prefixes),
  );
  return rib;
}

/**
 * Applies a history of announcements and withdrawals.
 * @param heardFromMs since when the stream was heard, see `applyWord`
 * @returns rows read
 */
export function readUpdates(
  table: RoutingTable,
  session: number,
  batches: AsyncIterable<HistoryRows<UpdateRow>>,
  heardFromMs: number,
  now: () => number,
): Promise<number> {
  return eachRow(batches, (row) => applyWord(table, session, row, heardFromMs, now()));
}

/**
 * Reads who held monitored prefixes one window ago, see `noteHolder`.
 * @param nowMs when that is learnt, Unix ms
 */
export async function readHolders(
  table: RoutingTable,
  session: number,
  batches: AsyncIterable<HistoryRows<RibRow>>,
  nowMs: number,
): Promise<Map<MonitoredPrefix, Holders>> {
  const found = new Map<MonitoredPrefix, Holders>();
  await eachRow(batches, (row) => noteHolder(table, session, row, found, nowMs));
  return found;
}

/** The newest word of each VP about each prefix in a part of the history, by `wordKey`; nothing is applied. */
export async function readLastWords(
  table: RoutingTable,
  batches: AsyncIterable<HistoryRows<UpdateRow>>,
): Promise<Map<string, UpdateRow>> {
  const words = new Map<string, UpdateRow>();
  await eachRow(batches, (row) => {
    const state = table.prefixes.find(row.prefix);
    const vp = table.vps.find(row.vp);
    if (state === undefined || vp === -1) return;
    const key = wordKey({ state, vp });
    const before = words.get(key);
    if (before === undefined || before.timeUs <= row.timeUs) words.set(key, row);
  });
  return words;
}

export function wordKey({ state, vp }: Absence): string {
  return `${state.prefix.text} ${vp}`;
}
