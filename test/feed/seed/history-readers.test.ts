import { expect, it } from 'vitest';
import type { VantagePoint } from '../../../src/bgp/vantage-point.ts';
import { readRib, readUpdates } from '../../../src/feed/seed/history-readers.ts';
import type { HistoryRows } from '../../../src/stream/history.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import type { TableOptions } from '../../../src/table/table-options.ts';
import { watchedPrefix } from '../../support/table-world.ts';

const NOW = 1_700_000_000_000;
const P = '198.51.100.0/24';
const INNER = ['198.51.100.0/25', '198.51.100.128/25'];
const A: VantagePoint = { protocol: 'bgp', asn: 64496, ip: '192.0.2.1' };
const B: VantagePoint = { protocol: 'bgp', asn: 64497, ip: '192.0.2.2' };

function tableOf(options: TableOptions): RoutingTable {
  const table = new RoutingTable(options);
  table.watch([watchedPrefix(P)], NOW);
  return table;
}

async function* batches<Row>(...rows: Row[]): AsyncGenerator<HistoryRows<Row>> {
  yield { rows, unavailable: [] };
}

const route = (vp: VantagePoint, prefix: string) => ({ vp, prefix, asPath: '64501 64500', communities: '' });
const update = (vp: VantagePoint, prefix: string, kind: 'A' | 'W') => ({
  ...route(vp, prefix),
  kind,
  timeUs: NOW * 1000,
});

it('routes of a RIB that are over a bound are counted by the bound', async () => {
  const table = tableOf({ maxVps: 1, maxMoreSpecifics: 1 });
  await readRib(table, 0, batches(route(A, P), route(A, INNER[0]), route(A, INNER[1]), route(B, P)), NOW);
  expect([table.routes, table.droppedRoutes]).toEqual([2, { vp_limit: 1, more_specific_limit: 1, path_limit: 0 }]);
});

it('routes of a RIB whose long paths find no room are counted', async () => {
  const table = tableOf({});
  const long = (i: number) => `${'4200000000 '.repeat(16_342)}${i} 64500`;
  const vps = Array.from({ length: 50 }, (_, i) => ({ ...A, ip: `192.0.2.${i}` }));
  await readRib(table, 0, batches(...vps.map((vp, i) => ({ ...route(vp, P), asPath: long(i) }))), NOW);
  const { path_limit } = table.droppedRoutes;
  expect([table.routes + path_limit, table.paths.size]).toEqual([50, table.routes]);
  expect(path_limit).toBeGreaterThan(0);
});

it('announcements of a history that are over a bound are counted; a withdrawal of what was never there is no loss', async () => {
  const table = tableOf({ maxVps: 1, maxMoreSpecifics: 1 });
  const rows = [
    ...[update(A, INNER[0], 'A'), update(A, INNER[1], 'A'), update(A, INNER[1], 'W')],
    ...[update(B, P, 'A'), update(B, P, 'W')],
  ];
  expect(await readUpdates(table, 0, batches(...rows), NOW, () => NOW)).toBe(5);
  expect([table.routes, table.droppedRoutes]).toEqual([1, { vp_limit: 1, more_specific_limit: 1, path_limit: 0 }]);
});

it('what another session answers for, or nobody asked for, is not counted as dropped', async () => {
  const table = tableOf({});
  await readRib(table, 1, batches(route(A, P), route(A, '203.0.113.0/24')), NOW);
  expect([table.routes, table.droppedRoutes]).toEqual([0, { vp_limit: 0, more_specific_limit: 0, path_limit: 0 }]);
});
