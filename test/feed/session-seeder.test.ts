/** One session's part of the table against a Data API that does what the test says, by a clock that the test turns. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import type { VantagePoint } from '../../src/bgp/vantage-point.ts';
import { FastDecoder } from '../../src/bgproutes/fast-decoder.ts';
import { DataApiError } from '../../src/errors.ts';
import type { ApiBatch, ApiRoute, ApiUpdate, ApiVantagePoint, SeedApi } from '../../src/feed/seed-api.ts';
import { SessionFeed } from '../../src/feed/session-feed.ts';
import { SessionSeeder } from '../../src/feed/session-seeder.ts';
import { VpDirectory } from '../../src/feed/vp-directory.ts';
import { TableFigures } from '../../src/metrics/table-view.ts';
import { createStreamStats } from '../../src/stream/stream-health.ts';
import { Fold, FoldCounts } from '../../src/table/fold.ts';
import { TableIds } from '../../src/table/route-ids.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';

const PREFIX = '192.0.2.0/24';
const LAG_MS = 60_000;
const VPS: readonly VantagePoint[] = [1, 2, 3].map((i) => ({
  protocol: 'bgp',
  asn: 64_600 + i,
  ip: `198.51.100.${i}`,
}));
const unavailable = () => new DataApiError('SERVER_ERROR', 'Data API: it failed');

class FakeApi implements SeedApi {
  clockOffsetMs = 0;
  /** For what time each RIB was asked. */
  readonly askedAtMs: number[] = [];
  list: readonly ApiVantagePoint[] = VPS.map((vp, i) => ({
    ...{ id: String(i), vp, status: 'up', ribSizeV4: undefined, ribSizeV6: undefined },
  }));
  /** What each VP holds. */
  rows: readonly ApiRoute[] = VPS.map((vp) => ({ vp, prefix: PREFIX, asPath: `${vp.asn} 64500` }));
  history: readonly ApiUpdate[] = [];
  /** The next RIB breaks off after this many rows. */
  breakAfter: number | undefined;
  ribs = 0;

  async vantagePoints(): Promise<readonly ApiVantagePoint[]> {
    return this.list;
  }

  async *rib(
    vps: readonly ApiVantagePoint[],
    _prefixes: readonly string[],
    atMs: number,
  ): AsyncGenerator<ApiBatch<ApiRoute>> {
    this.ribs++;
    this.askedAtMs.push(atMs);
    const { breakAfter } = this;
    this.breakAfter = undefined;
    const rows = this.rows.filter((row) => vps.some(({ vp }) => vp === row.vp));
    for (const row of rows.slice(0, breakAfter)) yield { rows: [row], unavailable: [] };
    if (breakAfter !== undefined) throw unavailable();
  }

  async *updates(
    _vps: readonly ApiVantagePoint[],
    _prefixes: readonly string[],
    fromMs: number,
    toMs: number,
  ): AsyncGenerator<ApiBatch<ApiUpdate>> {
    const rows = this.history.filter(({ timeUs }) => timeUs >= fromMs * 1000 && timeUs <= toMs * 1000 + 999_999);
    yield { rows, unavailable: [] };
  }
}

function world() {
  const timers = new ManualTimers();
  const api = new FakeApi();
  const logger = new RecordingLogger();
  const table = new RoutingTable();
  const prefix = parsePrefix(PREFIX);
  if (prefix === undefined) throw new Error('not a prefix');
  table.watch([{ prefix, description: '', group: '', origins: [], upstreams: [], session: 0 }], timers.now());
  const figures = new TableFigures(timers.now());
  const stream = createStreamStats('bgproutes', '0', timers.now());
  const decoder = new FastDecoder(new TableIds(table));
  const fold = new Fold(table);
  const feed = new SessionFeed({ session: 0, stream, decoder, fold, logger });
  const directory = new VpDirectory({
    table,
    now: () => timers.now(),
    logger,
    onBack: (vps) => void seeder.readVps(vps),
    onClockOffset: (offsetMs) => {
      fold.clockOffsetMs = offsetMs;
    },
  });
  const seeder = new SessionSeeder({
    ...{ session: 0, feed, table, api, directory, figures, logger, timers, lagMs: LAG_MS, onChange: () => {} },
  });
  seeder.setWanted([PREFIX]);
  seeder.setDelivered([PREFIX]);
  /** Lets what was begun go on, and time pass. */
  const pass = async (ms: number) => {
    for (let i = 0; i < 20; i++) await turn();
    timers.advance(ms);
    for (let i = 0; i < 20; i++) await turn();
  };
  const seeded = async () => {
    seeder.connected(timers.now());
    await pass(2 * LAG_MS);
    expect([seeder.complete, table.routes]).toEqual([true, 3]);
  };
  return { timers, api, table, feed, fold, figures, stream, directory, seeder, pass, seeded };
}

test('what was still on its way when the stream was cut is older than the cut, and is read all the same', async () => {
  const { timers, api, table, feed, seeder, pass, seeded } = world();
  await seeded();
  await pass(3_600_000);
  // A source that is half a minute late: the frame of this withdrawal was due a moment after the cut.
  feed.lastUpdateAtMs = timers.now();
  api.history = [
    { vp: VPS[0], prefix: PREFIX, timeUs: (timers.now() - 30_000) * 1000 + 1, kind: 'W', asPath: '' } as const,
  ];
  seeder.disconnected(timers.now());
  await pass(600_000);
  seeder.connected(timers.now());
  await pass(2 * LAG_MS);
  expect([seeder.complete, table.routes]).toEqual([true, 2]);
});

test('what a comparison corrected before the answer broke off is counted', async () => {
  const { api, table, figures, seeder, pass, seeded } = world();
  await seeded();
  await pass(3_600_000);
  api.rows = api.rows.map((row) => ({ ...row, asPath: `${row.vp.asn} 64999 64500` }));
  api.breakAfter = 2;
  await seeder.compare();
  expect(figures.seeds.unavailable).toBe(1);
  expect(figures.corrections).toBe(2);
  await seeder.compare();
  expect(figures.corrections).toBe(3);
  expect(table.routes).toBe(3);
});

test('what only a second reading of the RIB finds is counted too', async () => {
  const { api, table, figures, seeder, pass, seeded } = world();
  const more = Array.from({ length: 30 }, (_, i) => ({
    vp: { protocol: 'bgp', asn: 64_700 + i, ip: `203.0.113.${i}` } as const,
    id: String(100 + i),
  }));
  api.list = [...api.list, ...more.map((one) => ({ ...api.list[0], ...one }))];
  await seeded();
  await pass(3_600_000);
  api.rows = [...api.rows, ...more.map(({ vp }) => ({ vp, prefix: PREFIX, asPath: `${vp.asn} 64500` }))];
  await seeder.compare();
  expect([table.routes, figures.corrections]).toEqual([33, 30]);
  await pass(3_600_000);
  api.rows = api.rows.slice(0, 3);
  const before = api.ribs;
  await seeder.compare();
  expect(api.ribs).toBe(before + 2);
  expect([table.routes, figures.corrections]).toEqual([3, 60]);
});

test('routes of a VP that came back are asked for again when they could not be read', async () => {
  const { api, table, figures, directory, seeder, pass, seeded } = world();
  const poll = () => directory.refresh(api, new AbortController().signal);
  await seeded();
  await pass(3_600_000);
  const [first, ...others] = api.list;
  api.list = [{ ...first, status: 'down' }, ...others];
  await poll();
  expect(table.routes).toBe(2);
  api.list = [first, ...others];
  api.breakAfter = 0;
  await poll();
  await pass(0);
  expect([figures.seeds.unavailable, table.routes]).toEqual([1, 2]);
  await seeder.readVps([]);
  expect(table.routes).toBe(3);
  const { ribs } = api;
  await seeder.readVps([]);
  expect(api.ribs).toBe(ribs);
});

test('with nobody to ask for routes the table is not complete, whatever the API calls a success', async () => {
  const { timers, api, figures, seeder, pass } = world();
  const { list } = api;
  api.list = [];
  seeder.connected(timers.now());
  await pass(100);
  expect([seeder.complete, figures.seeds.success, figures.seeds.invalid]).toEqual([false, 0, 1]);
  api.list = list.map((one) => ({ ...one, status: 'down' }));
  await pass(60_000);
  expect([seeder.complete, figures.seeds.success]).toEqual([false, 0]);
  api.list = list;
  await pass(600_000);
  await pass(600_000);
  await pass(600_000);
  expect(seeder.complete).toBe(true);
});

test('the table is read as soon as the connection is open, once, and not again when it counts as connected', async () => {
  const { timers, api, table, seeder, pass } = world();
  seeder.opened(timers.now());
  await pass(250);
  expect([api.ribs, table.routes]).toEqual([1, 3]);
  seeder.connected(timers.now());
  await pass(2 * LAG_MS);
  expect([api.ribs, seeder.complete]).toEqual([1, true]);
});

test('a connection that opens and is refused leaves the table as incomplete as it was', async () => {
  const { timers, api, seeder, pass } = world();
  seeder.opened(timers.now());
  await pass(100);
  seeder.disconnected(timers.now());
  await pass(2 * LAG_MS);
  expect(seeder.complete).toBe(false);
  seeder.connected(timers.now());
  await pass(2 * LAG_MS);
  expect([api.ribs, seeder.complete]).toEqual([1, true]);
});

test('a prefix that comes between opening and connecting is read as well', async () => {
  const { timers, api, seeder, pass } = world();
  const added = '203.0.113.0/24';
  seeder.opened(timers.now());
  await pass(100);
  seeder.setWanted([PREFIX, added]);
  seeder.setDelivered([PREFIX, added]);
  seeder.connected(timers.now());
  await pass(2 * LAG_MS);
  expect([api.ribs, seeder.complete]).toEqual([2, true]);
});

test.each([300_000, -300_000])(
  'with a clock that is %d ms ahead the service is asked by its own time, and what the stream says next counts',
  async (aheadMs) => {
    const { timers, api, table, fold, seeder, pass } = world();
    api.clockOffsetMs = -aheadMs;
    const serviceMs = () => timers.now() - aheadMs;
    const startedMs = serviceMs();
    seeder.connected(timers.now());
    await pass(2 * LAG_MS);
    expect([seeder.complete, table.routes]).toEqual([true, 3]);
    expect(api.askedAtMs).toEqual([startedMs - LAG_MS - 1_000]);
    const counts = new FoldCounts();
    const gone = { vp: VPS[0], timeUs: serviceMs() * 1000, withdrawn: [PREFIX], announced: [] };
    fold.apply(gone, 0, counts, timers.now());
    expect([table.routes, counts.dropped.out_of_order, counts.futureTimestamps]).toEqual([2, 0, 0]);
  },
);
