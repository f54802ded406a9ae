/** No sender's clock decides: what is ahead of now becomes now, what has no time counts with its receipt. */
import { describe, expect, it } from 'vitest';
import type { VantagePoint } from '../../src/bgp/vantage-point.ts';
import { readUpdates } from '../../src/feed/seed/history-readers.ts';
import type { HistoryRows, UpdateRow } from '../../src/stream/history.ts';
import { Fold, FoldCounts } from '../../src/table/fold.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { checkSnapshot, encodeSnapshot, restoreSnapshot } from '../../src/table/snapshot/snapshot.ts';
import { routesOf } from '../support/table-recount.ts';
import { watchedPrefix } from '../support/table-world.ts';

const NOW = 1_700_000_000_000;
const YEAR_2200 = 7_258_118_000_000;
const P = '192.0.2.0/24';
const VP: VantagePoint = { protocol: 'bgp', asn: 64496, ip: '192.0.2.1' };

function world() {
  const table = new RoutingTable();
  table.watch([watchedPrefix(P)], NOW);
  const fold = new Fold(table);
  const counts = new FoldCounts();
  /** A message of the VP, received at `atMs` and stamped with `stampedMs`: an announcement, or without a path a withdrawal. */
  const say = (atMs: number, stampedMs: number, asPath?: string) =>
    fold.apply(
      {
        ...{ vp: VP, timeUs: stampedMs * 1000 },
        ...(asPath === undefined
          ? { withdrawn: [P], announced: [] }
          : {
              ...{ withdrawn: [], announced: [P] },
              attributes: { asPath, communities: '', nextHop: '', originAttribute: '' },
            }),
      },
      0,
      counts,
      atMs,
    );
  return { table, counts, say };
}

async function* rows(...of: UpdateRow[]): AsyncGenerator<HistoryRows<UpdateRow>> {
  yield { rows: of, unavailable: [] };
}

const row = (timeMs: number): UpdateRow => ({
  ...{ vp: VP, prefix: P, asPath: '64496 64666', communities: '', kind: 'A', timeUs: timeMs * 1000 },
});

describe('a time that is ahead of now', () => {
  it('of a row of the history does not make the vantage point deaf', async () => {
    const { table, say, counts } = world();
    await readUpdates(table, 0, rows(row(YEAR_2200)), NOW, () => NOW);
    expect(routesOf(table)).toEqual([`${P} 64496_192.0.2.1 64496 64666 @${NOW * 1000}`]);
    expect(table.clock.futureTimes).toEqual({ history: 1, snapshot: 0 });
    say(NOW + 1_000, NOW + 1_000);
    expect([table.routes, counts.dropped.out_of_order]).toEqual([0, 0]);
  });

  it('of a snapshot gives way to the next word, of the stream or of the history', () => {
    const { table, say } = world();
    say(YEAR_2200, YEAR_2200, '64496 64666');
    const snapshot = checkSnapshot(Buffer.concat([...encodeSnapshot(table, { createdAtMs: NOW, completeUntil: {} })]));
    if (!snapshot.ok) throw new Error(snapshot.reason);
    const again = world();
    restoreSnapshot(again.table, snapshot, NOW);
    expect(routesOf(again.table)).toEqual([`${P} 64496_192.0.2.1 64496 64666 @${NOW * 1000}`]);
    expect(again.table.vps.lastHeardMs[0]).toBe(NOW);
    expect(again.table.prefixes.find(P)!.monitored!.lastAnnouncementUs).toBe(NOW * 1000);
    expect(again.table.clock.futureTimes).toEqual({ history: 0, snapshot: 1 });
    again.say(NOW + 1_000, NOW + 1_000);
    expect(again.table.routes).toBe(0);
  });

  it('by another clock than was believed becomes now when the right one is known', () => {
    const { table, say, counts } = world();
    table.setClockOffset(20 * 3_600_000, NOW);
    say(NOW, NOW + 20 * 3_600_000, '64496 64500');
    table.setClockOffset(0, NOW + 10_000);
    expect(routesOf(table)).toEqual([`${P} 64496_192.0.2.1 64496 64500 @${(NOW + 10_000) * 1000}`]);
    say(NOW + 11_000, NOW + 11_000);
    expect([table.routes, counts.dropped.out_of_order, counts.futureTimestamps]).toEqual([0, 0, 0]);
  });

  it('is told by the clock of the service, not by that of this machine', async () => {
    const { table, say, counts } = world();
    table.setClockOffset(3_600_000, NOW);
    say(NOW, NOW + 3_600_000, '64496 64500');
    await readUpdates(table, 0, rows(row(NOW + 3_601_000)), NOW, () => NOW);
    expect([counts.futureTimestamps, table.clock.futureTimes.history]).toEqual([0, 0]);
  });
});

describe('a message without a time', () => {
  it.each([0, 0.25])('counts with its receipt when its seconds are 0 (%d s)', (seconds) => {
    const { say, table, counts } = world();
    say(NOW, NOW, '64496 64500');
    say(NOW + 5_000, seconds * 1000);
    expect([table.routes, counts.dropped.out_of_order, counts.untimed]).toEqual([0, 0, 1]);
    expect(table.prefixes.find(P)!.monitored!.lastWithdrawalUs).toBe((NOW + 5_000) * 1000);
  });
});
