import { expect, it } from 'vitest';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import { type VantagePoint, vantagePointKey } from '../../src/bgp/vantage-point.ts';
import { ServiceClock } from '../../src/feed/clocks/service-clock.ts';
import { VpDirectory } from '../../src/feed/vp-directory.ts';
import type { History, HistoryVp } from '../../src/stream/history.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { expectedVps } from '../../src/table/vps/denominator.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';

const BGP: VantagePoint = { protocol: 'bgp', asn: 64_601, ip: '198.51.100.1' };
const BMP: VantagePoint = {
  protocol: 'bmp',
  asn: 64_602,
  ip: '198.51.100.2',
  parent: { asn: 64_603, ip: '198.51.100.3' },
};

const NO_SIZES = { ribSizeV4: undefined, ribSizeV6: undefined };

function apiWith(vps: readonly VantagePoint[]): History {
  const list = vps.map((vp, i) => ({ ...{ id: String(i), vp, status: 'up' }, ...NO_SIZES }));
  return { vantagePoints: async () => list, clockOffsetMs: 0 } as unknown as History;
}

function rightClock(): ServiceClock {
  const nothing = () => {};
  return new ServiceClock({
    ...{ logger: new RecordingLogger(), streamDelayMs: () => undefined, onChange: nothing, onRefused: nothing },
  });
}

/** A table in which both VPs hold a route, and a directory that reads what the test says. */
function world() {
  let nowMs = 1_000_000;
  let list: readonly HistoryVp[] = [];
  const table = new RoutingTable();
  const prefix = parsePrefix('192.0.2.0/24');
  if (prefix === undefined) throw new Error('not a prefix');
  table.watch([{ prefix, description: '', group: '', origins: [], upstreams: [], sessions: [0] }], nowMs);
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
  const doubts: boolean[] = [];
  const logger = new RecordingLogger();
  const directory = new VpDirectory({
    ...{ table, source: 0, onPassed: () => {} },
    now: () => nowMs,
    logger,
    onBack: (vps) => back.push(...vps.map(({ vp }) => String(vp.asn))),
    clock: rightClock(),
    onDoubt: () => doubts.push(directory.isDoubted),
  });
  const api = {
    vantagePoints: async () => list,
    clockOffsetMs: 0,
  } as unknown as History;
  const read = async (bgp: HistoryVp['status'], bmp: HistoryVp['status']) => {
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
  const readList = async (...statuses: HistoryVp['status'][]) => {
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
  const readAll = async (vps: readonly HistoryVp[]) => {
    list = vps;
    await directory.refresh(api, new AbortController().signal);
    nowMs += 10_000;
  };
  return {
    table,
    directory,
    doubts,
    read,
    readList,
    readAll,
    announce,
    back,
    logger,
    down: (vp: VantagePoint) => table.vps.down[table.vps.find(vp)],
  };
}

it('a BGP and a BMP VP with the same id are two', async () => {
  const { table, read, back, down } = world();
  await read('down', 'up');
  expect([down(BGP), down(BMP), table.routes]).toEqual([1, 0, 1]);
  await read('down', 'up');
  expect(back).toEqual([]);
  await read('up', 'up');
  expect([down(BGP), back]).toEqual([0, ['64601']]);
});

it('a VP that is heard although the list calls it down is believed, until it is silent again', async () => {
  const { table, read, announce, down } = world();
  await read('down', 'up');
  announce(BGP);
  expect([down(BGP), table.routes]).toEqual([0, 2]);
  await read('down', 'up');
  expect([down(BGP), table.routes]).toEqual([0, 2]);
  await read('down', 'up');
  expect([down(BGP), table.routes]).toEqual([1, 1]);
});

it('a router that several collectors hear is down only when all of its sessions are', async () => {
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

const OTHERS: readonly VantagePoint[] = [1, 2, 3].map((i) => ({ ...BGP, asn: 64_700 + i, ip: `203.0.113.${i}` }));

/** Five VPs that hold a route, and lists of those that are given. */
async function listed() {
  const inside = world();
  for (const vp of OTHERS) inside.announce(vp);
  const all = [BGP, BMP, ...OTHERS];
  const readOnly = (vps: readonly VantagePoint[], ...more: HistoryVp[]) =>
    inside.readAll([
      ...vps.map((vp, i) => ({ ...{ id: String(i), vp, status: 'up' as const }, ...NO_SIZES })),
      ...more,
    ]);
  await readOnly(all);
  return { ...inside, all, readOnly };
}

it('a VP that is missing in two lists that follow one another goes with its routes, and is read when it is back', async () => {
  const { table, all, readOnly, back, down } = await listed();
  await readOnly(all.slice(1));
  expect([table.routes, down(BGP)]).toEqual([5, 0]);
  await readOnly(all.slice(1));
  expect([table.routes, down(BGP)]).toEqual([4, 1]);
  expect([...table.prefixes.monitored()].map((one) => expectedVps(table, one))).toEqual([4]);
  await readOnly(all);
  expect([down(BGP), back]).toEqual([0, ['64601']]);
});

it('a VP that was listed before the table knew it goes all the same', async () => {
  const { table, readOnly, announce, all } = await listed();
  const late = { ...BGP, asn: 64_800 };
  await readOnly([...all, late]);
  announce(late);
  await readOnly(all);
  await readOnly(all);
  expect(table.routes).toBe(5);
});

it('a VP that is missing and goes on to speak stays; silent from then on it goes', async () => {
  const { table, all, readOnly, announce } = await listed();
  await readOnly(all.slice(1));
  announce(BGP);
  await readOnly(all.slice(1));
  expect(table.routes).toBe(5);
  await readOnly(all.slice(1));
  expect(table.routes).toBe(4);
});

it('a VP that was never listed is the word of the stream, and stays', async () => {
  const { table, all, readOnly, announce } = await listed();
  announce({ ...BGP, asn: 64_800 });
  for (let i = 0; i < 3; i++) await readOnly(all);
  expect(table.routes).toBe(6);
});

it('a VP that the service ignores goes as one that is down', async () => {
  const { table, all, readOnly } = await listed();
  await readOnly(all.slice(1), { id: '9', vp: BGP, status: 'ignored', ...NO_SIZES });
  expect(table.routes).toBe(4);
});

it('a VP without data in the RIB leaves with the first list that does not have it', async () => {
  const { table, all, readOnly, directory, down } = await listed();
  const silent = new Set(['bgp 64601 198.51.100.1', 'bgp 65000 198.51.100.1']);
  const key = [...directory.holdersAmong(new Set([vantagePointKey(BGP), ...silent]))];
  expect(key).toEqual([vantagePointKey(BGP)]);
  await readOnly(all.slice(1));
  expect([table.routes, down(BGP)]).toEqual([5, 0]);
  await directory.refresh(apiWith(all.slice(2)), new AbortController().signal, new Set([vantagePointKey(BMP)]));
  expect([table.routes, down(BMP), down(BGP)]).toEqual([3, 1, 1]);
});

it('a list without most of the VPs is doubted, told, and believed when the next one says the same', async () => {
  const { table, all, readOnly, doubts, logger, directory } = await listed();
  const few = all.slice(0, 2);
  await readOnly(few);
  await readOnly(few);
  await readOnly(few);
  expect([table.routes, doubts, directory.live.length]).toEqual([5, [true], 5]);
  await readOnly(few);
  expect([table.routes, doubts, directory.live.length]).toEqual([2, [true, false], 2]);
  expect(logger.values('going')).toEqual([3]);
});

it('a list of nothing but VPs that are down is doubted too, and forgotten when the next one is as before', async () => {
  const { table, all, readOnly, doubts } = await listed();
  const away = all.map((vp, i) => ({ ...{ id: String(i), vp, status: 'down' as const }, ...NO_SIZES }));
  await readOnly([], ...away);
  expect([table.routes, doubts]).toEqual([5, [true]]);
  await readOnly(all);
  await readOnly([], ...away);
  expect([table.routes, doubts]).toEqual([5, [true, false, true]]);
});

it('a VP that is new in a list is read at once; those of the first list are not', async () => {
  const { all, readOnly, back } = await listed();
  expect(back).toEqual([]);
  await readOnly([...all, { ...BGP, asn: 64_900 }]);
  expect(back).toEqual(['64900']);
});

it('with full_feed nobody expects a route of a VP that left the list, or that the service ignores', async () => {
  const table = new RoutingTable({ expectedVps: 'full_feed' });
  const directory = new VpDirectory({
    ...{
      table,
      source: 0,
      onPassed: () => {},
      now: () => 1_000_000,
      logger: new RecordingLogger(),
      onBack: () => {},
      clock: rightClock(),
    },
    onDoubt: () => {},
  });
  const signal = new AbortController().signal;
  const listed = (vp: VantagePoint, status: HistoryVp['status'], ribSizeV4 = 1_000_000): HistoryVp => {
    return { id: '7', vp, status, ribSizeV4, ribSizeV6: undefined };
  };
  const read = (...list: HistoryVp[]) =>
    directory.refresh({ vantagePoints: async () => list, clockOffsetMs: 0 } as unknown as History, signal);
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

it('a list tells where VPs are: those of the table, and those that are heard later', async () => {
  const { table, readAll, announce } = world();
  const LATE: VantagePoint = { protocol: 'bgp', asn: 64_609, ip: '198.51.100.9' };
  const placeOf = (vp: VantagePoint) => table.vps.places.all[table.vps.place[table.vps.find(vp)]!];
  const listed = (vp: VantagePoint, country: string, source: string): HistoryVp => {
    return { ...{ id: '7', vp, status: 'up' }, ...NO_SIZES, country, source };
  };
  expect(placeOf(BGP)).toEqual({ country: '', region: 'unknown', source: 'unknown' });
  await readAll([listed(BGP, 'ZA', 'ris'), listed(BMP, '', 'routeviews'), listed(LATE, 'JP', 'bgproutes.io')]);
  announce(LATE);
  expect([BGP, BMP, LATE].map(placeOf)).toEqual([
    { country: 'ZA', region: 'africa', source: 'ris' },
    { country: '', region: 'unknown', source: 'routeviews' },
    { country: 'JP', region: 'asia', source: 'bgproutes.io' },
  ]);
});
