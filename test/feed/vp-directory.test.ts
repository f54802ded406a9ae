import { expect, test } from 'vitest';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import type { VantagePoint } from '../../src/bgp/vantage-point.ts';
import type { ApiVantagePoint, SeedApi } from '../../src/feed/seed-api.ts';
import { VpDirectory } from '../../src/feed/vp-directory.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';

const BGP: VantagePoint = { protocol: 'bgp', asn: 64_601, ip: '198.51.100.1' };
const BMP: VantagePoint = {
  protocol: 'bmp',
  asn: 64_602,
  ip: '198.51.100.2',
  parent: { asn: 64_603, ip: '198.51.100.3' },
};

/** A table in which both VPs hold a route, and a directory that reads what the test says. */
function world() {
  let nowMs = 1_000_000;
  let list: readonly ApiVantagePoint[] = [];
  const table = new RoutingTable();
  const prefix = parsePrefix('192.0.2.0/24');
  if (prefix === undefined) throw new Error('not a prefix');
  table.watch([{ prefix, description: '', group: '', origins: [], upstreams: [], session: 0 }], nowMs);
  const announce = (vp: VantagePoint) => {
    const number = table.vps.add(vp);
    const path = table.paths.intern(`${vp.asn} 64500`, vp.asn);
    const state = table.prefixes.find('192.0.2.0/24');
    if (path === undefined || state === undefined) throw new Error('no state');
    table.hear(number, nowMs);
    table.announce(state, number, path, 0, nowMs * 1000, nowMs);
    table.paths.discard(path);
  };
  const back: string[] = [];
  const offsets: number[] = [];
  const logger = new RecordingLogger();
  const directory = new VpDirectory({
    table,
    now: () => nowMs,
    logger,
    onBack: (vps) => back.push(...vps.map(({ vp }) => String(vp.asn))),
    onClockOffset: (offsetMs) => offsets.push(offsetMs),
  });
  const clock = { offsetMs: 0 };
  const api = {
    vantagePoints: async () => list,
    get clockOffsetMs() {
      return clock.offsetMs;
    },
  } as unknown as SeedApi;
  const read = async (bgp: ApiVantagePoint['status'], bmp: ApiVantagePoint['status']) => {
    // One id names both: the services count BGP and BMP apart.
    const one = { id: '7', ribSizeV4: undefined, ribSizeV6: undefined };
    list = [
      { ...one, vp: BGP, status: bgp },
      { ...one, vp: BMP, status: bmp },
    ];
    await directory.refresh(api, new AbortController().signal);
    nowMs += 10_000;
  };
  announce(BGP);
  announce(BMP);
  nowMs += 10_000;
  const readList = async (...statuses: ApiVantagePoint['status'][]) => {
    list = statuses.map((status, i) => ({
      id: String(i),
      vp: BGP,
      status,
      ribSizeV4: undefined,
      ribSizeV6: undefined,
    }));
    await directory.refresh(api, new AbortController().signal);
    nowMs += 10_000;
  };
  return {
    table,
    read,
    readList,
    announce,
    back,
    clock,
    offsets,
    logger,
    down: (vp: VantagePoint) => table.vps.down[table.vps.find(vp)],
  };
}

test('a BGP and a BMP VP with the same id are two', async () => {
  const { table, read, back, down } = world();
  await read('down', 'up');
  expect([down(BGP), down(BMP), table.routes]).toEqual([1, 0, 1]);
  await read('down', 'up');
  expect(back).toEqual([]);
  await read('up', 'up');
  expect([down(BGP), back]).toEqual([0, ['64601']]);
});

test('a VP that is heard although the list calls it down is believed, until it is silent again', async () => {
  const { table, read, announce, down } = world();
  await read('down', 'up');
  announce(BGP);
  expect([down(BGP), table.routes]).toEqual([0, 2]);
  await read('down', 'up');
  expect([down(BGP), table.routes]).toEqual([0, 2]);
  await read('down', 'up');
  expect([down(BGP), table.routes]).toEqual([1, 1]);
});

test('a router that several collectors hear is down only when all of its sessions are', async () => {
  const { readList, back, down } = world();
  await readList('up', 'down');
  expect(down(BGP)).toBe(0);
  await readList('down', 'up');
  expect([down(BGP), back]).toEqual([0, []]);
  await readList('down', 'down');
  expect(down(BGP)).toBe(1);
  await readList('down', 'up');
  expect([down(BGP), back]).toEqual([0, ['64601']]);
});

test('a clock that is not that of the service is told once, and its offset is handed on', async () => {
  const { read, clock, offsets, logger } = world();
  await read('up', 'up');
  for (const offsetMs of [-300_400, -300_100, 0, 7_000]) {
    clock.offsetMs = offsetMs;
    await read('up', 'up');
  }
  expect(offsets).toEqual([-300_400, -300_100, 0, 7_000]);
  expect(logger.values('ahead_seconds')).toEqual([300, -7]);
});

test('with full_feed nobody expects a route of a VP that left the list, or that the service ignores', async () => {
  const table = new RoutingTable({ expectedVps: 'full_feed' });
  const directory = new VpDirectory({
    ...{ table, now: () => 1_000_000, logger: new RecordingLogger(), onBack: () => {}, onClockOffset: () => {} },
  });
  const signal = new AbortController().signal;
  const listed = (vp: VantagePoint, status: ApiVantagePoint['status'], ribSizeV4 = 1_000_000): ApiVantagePoint => {
    return { id: '7', vp, status, ribSizeV4, ribSizeV6: undefined };
  };
  const read = (...list: ApiVantagePoint[]) =>
    directory.refresh({ vantagePoints: async () => list, clockOffsetMs: 0 } as unknown as SeedApi, signal);
  await read(listed(BGP, 'up'), listed(BMP, 'unknown'));
  expect(table.fullFeedVps).toEqual({ ipv4: 2, ipv6: 0 });
  await read(listed(BGP, 'up'), listed(BMP, 'ignored'));
  expect(table.fullFeedVps.ipv4).toBe(1);
  await read(listed(BMP, 'up'));
  expect(table.fullFeedVps.ipv4).toBe(1);
  // Heard by two collectors, one of which does not have its whole table.
  await read(listed(BMP, 'up'), listed(BMP, 'up', 10));
  expect(table.fullFeedVps.ipv4).toBe(1);
});
