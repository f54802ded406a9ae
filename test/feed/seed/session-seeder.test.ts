/** One session's part of the table against a Data API that does what the test says, by a clock that the test turns. */

import { describe, expect, it } from 'vitest';
import { parsePrefix } from '../../../src/bgp/prefix.ts';
import type { VantagePoint } from '../../../src/bgp/vantage-point.ts';
import { BgproutesDecoder } from '../../../src/bgproutes/live/decoder.ts';
import { DataApiError } from '../../../src/errors.ts';
import { ServiceClock } from '../../../src/feed/clocks/service-clock.ts';
import { SessionSeeder } from '../../../src/feed/seed/session-seeder.ts';
import { SessionFeed } from '../../../src/feed/session-feed.ts';
import type { Turns } from '../../../src/feed/turns.ts';
import { VpDirectory } from '../../../src/feed/vp-directory.ts';
import { TableFigures } from '../../../src/metrics/figures/table-figures.ts';
import type { History, HistoryRows, HistoryVp, RibRow, UpdateRow, UpdatesOf } from '../../../src/stream/history.ts';
import { createStreamStats } from '../../../src/stream/stream-health.ts';
import { Fold, FoldCounts } from '../../../src/table/fold.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import { TableIds } from '../../../src/table/table-ids.ts';
import type { TableOptions } from '../../../src/table/table-options.ts';
import { expectedVps } from '../../../src/table/vps/denominator.ts';
import { ManualTimers } from '../../stream/manual-timers.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';
import { idle } from '../../support/idle.ts';
import { ManualTurns } from '../manual-turns.ts';

const PREFIX = '192.0.2.0/24';
const LAG_MS = 60_000;
const VPS: readonly VantagePoint[] = [1, 2, 3].map((i) => ({
  protocol: 'bgp',
  asn: 64_600 + i,
  ip: `198.51.100.${i}`,
}));
const unavailable = () => new DataApiError('SERVER_ERROR', 'Data API: it failed');

class FakeApi implements History {
  clockOffsetMs = 0;
  /** For what time each RIB was asked. */
  readonly askedAtMs: number[] = [];
  list: readonly HistoryVp[] = VPS.map((vp, i) => ({
    ...{ id: String(i), vp, status: 'up', ribSizeV4: undefined, ribSizeV6: undefined },
  }));
  /** What each VP holds. */
  rows: readonly RibRow[] = VPS.map((vp) => ({ vp, prefix: PREFIX, asPath: `${vp.asn} 64500`, communities: '' }));
  history: readonly UpdateRow[] = [];
  /** The next RIB breaks off after this many rows. */
  breakAfter: number | undefined;
  ribs = 0;

  async readClock(): Promise<void> {}

  async vantagePoints(): Promise<readonly HistoryVp[]> {
    return this.list;
  }

  async *rib(
    vps: readonly HistoryVp[],
    _prefixes: readonly string[],
    atMs: number,
  ): AsyncGenerator<HistoryRows<RibRow>> {
    this.ribs++;
    this.askedAtMs.push(atMs);
    const { breakAfter } = this;
    this.breakAfter = undefined;
    const rows = this.rows.filter((row) => vps.some(({ vp }) => vp === row.vp));
    for (const row of rows.slice(0, breakAfter)) yield { rows: [row], unavailable: [] };
    if (breakAfter !== undefined) throw unavailable();
  }

  /** Who held the prefix a window ago. */
  before: readonly RibRow[] = [];
  /** How often that was asked; a failure when it is to fail. */
  holdersAsked = 0;
  holdersFail: DataApiError | undefined;

  async *holders(vps: readonly HistoryVp[]): AsyncGenerator<HistoryRows<RibRow>> {
    this.holdersAsked++;
    if (this.holdersFail !== undefined) throw this.holdersFail;
    yield { rows: this.before.filter((row) => vps.some(({ vp }) => vp === row.vp)), unavailable: [] };
  }

  /** Of what, from when and to when updates were asked for. */
  readonly updatesAsked: [UpdatesOf, number, number][] = [];

  async *updates(
    _vps: readonly HistoryVp[],
    _prefixes: readonly string[],
    fromMs: number,
    toMs: number,
    _signal: AbortSignal,
    of: UpdatesOf = 'all',
  ): AsyncGenerator<HistoryRows<UpdateRow>> {
    this.updatesAsked.push([of, fromMs, toMs]);
    const rows = this.history.filter(({ timeUs }) => timeUs >= fromMs * 1000 && timeUs <= toMs * 1000 + 999_999);
    yield { rows, unavailable: [] };
  }
}

function world(turns?: Turns, title?: string, options: Partial<TableOptions> = {}) {
  const timers = new ManualTimers();
  const api = Object.assign(new FakeApi(), title === undefined ? {} : { title });
  const logger = new RecordingLogger();
  const table = new RoutingTable(options);
  const prefix = parsePrefix(PREFIX);
  if (prefix === undefined) throw new Error('not a prefix');
  table.watch([{ prefix, description: '', group: '', origins: [], upstreams: [], sessions: [0] }], timers.now());
  const figures = new TableFigures(timers.now());
  const stream = createStreamStats('bgproutes', '0', timers.now());
  const decoder = new BgproutesDecoder(new TableIds(table));
  const fold = new Fold(table);
  const feed = new SessionFeed({
    session: 0,
    stream,
    decoder,
    fold,
    logger,
    ...(turns === undefined ? {} : { turns }),
  });
  const clock = new ServiceClock({
    logger,
    streamDelayMs: () => undefined,
    onChange: (offsetMs) => {
      table.setClockOffset(offsetMs, timers.now());
      seeder.voidSeed();
    },
    onRefused: () => {},
  });
  const directory = new VpDirectory({
    ...{ table, source: 0, onPassed: () => {} },
    now: () => timers.now(),
    logger,
    onBack: (vps) => void seeder.readVps(vps),
    clock,
    onDoubt: () => {},
  });
  const seeder = new SessionSeeder({
    ...{ session: 0, feed, table, history: api, directory, figures, logger, timers, lagMs: LAG_MS, onChange: () => {} },
  });
  seeder.setWanted([PREFIX]);
  seeder.setDelivered([PREFIX]);
  /** Lets what was begun go on, and time pass. */
  const pass = async (ms: number) => {
    await idle();
    timers.advance(ms);
    await idle();
  };
  const seeded = async () => {
    seeder.connected(timers.now());
    await pass(2 * LAG_MS);
    expect([seeder.complete, table.routes]).toEqual([true, 3]);
  };
  return { timers, api, logger, table, feed, fold, figures, stream, directory, clock, seeder, pass, seeded };
}

it('what was still on its way when the stream was cut is older than the cut, and is read all the same', async () => {
  const { timers, api, table, feed, seeder, pass, seeded } = world();
  await seeded();
  await pass(3_600_000);
  // A source that is half a minute late: the frame of this withdrawal was due a moment after the cut.
  feed.lastUpdateAtMs = timers.now();
  api.history = [
    {
      vp: VPS[0],
      prefix: PREFIX,
      timeUs: (timers.now() - 30_000) * 1000 + 1,
      kind: 'W',
      asPath: '',
      communities: '',
    } as const,
  ];
  seeder.disconnected(timers.now());
  await pass(600_000);
  seeder.connected(timers.now());
  await pass(2 * LAG_MS);
  expect([seeder.complete, table.routes]).toEqual([true, 2]);
});

it('after a gap the more-specifics, which cost a request each, are asked for once, and over the whole gap', async () => {
  const { timers, api, feed, seeder, pass, seeded } = world();
  await seeded();
  expect(api.updatesAsked.map(([of]) => of)).toEqual(['all', 'all']);
  await pass(600_000);
  const cutAtMs = timers.now();
  feed.lastUpdateAtMs = cutAtMs;
  seeder.disconnected(cutAtMs);
  await pass(600_000);
  const backAtMs = timers.now();
  api.updatesAsked.length = 0;
  seeder.connected(backAtMs);
  await pass(2 * LAG_MS);
  expect(seeder.complete).toBe(true);
  const gapFromMs = cutAtMs - LAG_MS - 2_000;
  expect(api.updatesAsked).toEqual([
    ['exact', gapFromMs, backAtMs],
    ['exact', backAtMs - LAG_MS - 2_000, backAtMs + 2_000],
    ['more_specific', gapFromMs, backAtMs + 2_000],
  ]);
});

it('a stream that is cut again and again is filled later, by one reading, and asks nobody until then', async () => {
  const { timers, api, seeder, pass, seeded } = world();
  await seeded();
  const cut = () => {
    seeder.disconnected(timers.now());
    seeder.connected(timers.now());
  };
  for (let i = 0; i < 4; i++) {
    cut();
    await pass(1_000);
  }
  api.updatesAsked.length = 0;
  for (let i = 0; i < 20; i++) {
    cut();
    await pass(1_000);
  }
  expect(api.updatesAsked).toEqual([]);
  await pass(180_000);
  expect(seeder.complete).toBe(true);
  expect(api.updatesAsked.map(([of]) => of)).toEqual(['all']);
});

it('a prefix is trusted once all that was held for its seed is applied, however many turns that takes', async () => {
  const turns = new ManualTurns();
  turns.lookMs = 10; // each look at the clock takes a turn's whole time
  const { timers, feed, table, seeder, pass } = world(turns);
  seeder.connected(timers.now());
  const [one] = VPS;
  for (let i = 1; i <= 3; i++) {
    const frame = {
      record_type: 'update',
      vp: `${one.asn}_${one.ip}`,
      sec: timers.now() / 1000 + i,
      withdraws: PREFIX,
    };
    feed.frames([Buffer.from(JSON.stringify(frame))], timers.now() + i * 1000);
  }
  await pass(2 * LAG_MS);
  await pass(2 * LAG_MS);
  expect([seeder.isTrusted(PREFIX), turns.asked]).toEqual([false, 1]);
  turns.all();
  await pass(2 * LAG_MS);
  expect([seeder.isTrusted(PREFIX), table.routes]).toEqual([true, 2]);
  const [monitored] = table.prefixes.monitored();
  expect(monitored.withdrawals).toBe(3);
});

it('a stop ends when what was held is applied', async () => {
  const turns = new ManualTurns();
  turns.lookMs = 10;
  const { timers, feed, table, seeder, pass, seeded } = world(turns);
  await seeded();
  seeder.disconnected(timers.now());
  seeder.connected(timers.now());
  const frame = { record_type: 'update', vp: `${VPS[0].asn}_${VPS[0].ip}`, withdraws: PREFIX };
  for (let i = 1; i <= 3; i++)
    feed.frames([Buffer.from(JSON.stringify({ ...frame, sec: timers.now() / 1000 + i }))], timers.now() + i * 1000);
  let over = false;
  const stopped = seeder.stop().then(() => {
    over = true;
  });
  await pass(0);
  expect(over).toBe(false);
  turns.all();
  await stopped;
  const [monitored] = table.prefixes.monitored();
  expect([monitored.withdrawals, table.routes]).toEqual([3, 2]);
});

it('a stop does not wait for more than a second: what was not applied is for the next start to read', async () => {
  const turns = new ManualTurns();
  turns.lookMs = 10;
  const { timers, feed, table, seeder, pass, seeded } = world(turns);
  await seeded();
  const startMs = timers.now();
  const frame = { record_type: 'update', vp: `${VPS[0].asn}_${VPS[0].ip}`, withdraws: PREFIX };
  feed.hold();
  for (let i = 1; i <= 4; i++)
    feed.frames([Buffer.from(JSON.stringify({ ...frame, sec: startMs / 1000 }))], startMs + i);
  feed.release(); // applies the first
  turns.give();
  let over = false;
  const stopped = seeder.stop().then(() => {
    over = true;
  });
  await pass(999);
  expect(over).toBe(false);
  await pass(1);
  await stopped;
  const [monitored] = table.prefixes.monitored();
  const { withdrawals } = monitored;
  expect(withdrawals).toBeLessThan(4);
  expect(seeder.completeUntil()[PREFIX]).toBe(startMs + withdrawals);
  turns.all();
  expect(monitored.withdrawals).toBe(withdrawals);
});

it('what a comparison corrected before the answer broke off is counted', async () => {
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

/** So many more VPs that are up. */
function moreVps(count: number): { readonly vp: VantagePoint; readonly id: string }[] {
  return Array.from({ length: count }, (_, i) => ({
    vp: { protocol: 'bgp', asn: 64_700 + i, ip: `203.0.113.${i}` } as const,
    id: String(100 + i),
  }));
}

const routeOf = (vp: VantagePoint): RibRow => ({ vp, prefix: PREFIX, asPath: `${vp.asn} 64500`, communities: '' });
const withdrawalOf = (vp: VantagePoint, atMs: number): UpdateRow => ({
  ...{ vp, prefix: PREFIX, timeUs: atMs * 1000, kind: 'W', asPath: '', communities: '' },
});
const ASKED_AGAIN_MS = 120_000;

it('a few routes that the RIB does not have are dropped at once and counted', async () => {
  const { api, table, figures, seeder, pass, seeded } = world();
  const more = moreVps(30);
  api.list = [...api.list, ...more.map((one) => ({ ...api.list[0], ...one }))];
  await seeded();
  await pass(3_600_000);
  api.rows = [...api.rows, ...more.map(({ vp }) => routeOf(vp))];
  await seeder.compare();
  expect([table.routes, figures.corrections]).toEqual([33, 30]);
  await pass(3_600_000);
  api.rows = api.rows.slice(2);
  await seeder.compare();
  expect([table.routes, figures.corrections, figures.doubtedAnswers.rib]).toEqual([31, 32, 0]);
  expect(seeder.isTrusted(PREFIX)).toBe(true);
});

it('a VP that went between the list and the RIB goes as one that is down, and is not expected', async () => {
  const { api, table, seeder, pass, timers } = world();
  const more = moreVps(30);
  api.list = [...api.list, ...more.map((one) => ({ ...api.list[0], ...one }))];
  api.rows = [...api.rows, ...more.map(({ vp }) => routeOf(vp))];
  seeder.connected(timers.now());
  await pass(2 * LAG_MS);
  const monitored = [...table.prefixes.monitored()][0];
  expect([monitored.state.visible, expectedVps(table, monitored)]).toEqual([33, 33]);
  await pass(3_600_000);
  const [gone, ...staying] = api.list;
  // The list that the comparison begins with still has it; its RIB and the list after it do not.
  const lists = [api.list, staying];
  api.vantagePoints = async () => lists.shift() ?? staying;
  api.rows = api.rows.filter(({ vp }) => vp !== gone.vp);
  await seeder.compare();
  expect([monitored.state.visible, expectedVps(table, monitored), monitored.losses.vp_down]).toEqual([32, 32, 1]);
});

it('an answer that is empty for a moment takes nothing away; the prefix is not trusted until the next one', async () => {
  const { api, table, figures, seeder, pass, seeded } = world();
  await seeded();
  await pass(3_600_000);
  const { rows } = api;
  api.rows = [];
  await seeder.compare();
  expect([table.routes, figures.corrections, figures.doubtedAnswers.rib]).toEqual([3, 0, 1]);
  expect([seeder.isTrusted(PREFIX), seeder.complete]).toEqual([false, false]);
  api.rows = rows;
  await pass(ASKED_AGAIN_MS);
  expect([table.routes, figures.corrections, seeder.isTrusted(PREFIX)]).toEqual([3, 0, true]);
});

it('a RIB that stays empty is not believed while no VP has said that it withdrew the route', async () => {
  const { api, table, seeder, pass, seeded } = world();
  await seeded();
  await pass(3_600_000);
  api.rows = [];
  await seeder.compare();
  for (let i = 1; i < 8; i++) await pass(i * ASKED_AGAIN_MS);
  expect([table.routes, seeder.isTrusted(PREFIX)]).toEqual([3, false]);
});

it('an outage that the stream did not tell is believed when the updates tell it too', async () => {
  const { timers, api, table, figures, seeder, pass, seeded } = world();
  await seeded();
  await pass(3_600_000);
  api.rows = [];
  api.history = VPS.map((vp) => withdrawalOf(vp, timers.now() - 600_000));
  await seeder.compare();
  expect(table.routes).toBe(3);
  await pass(ASKED_AGAIN_MS);
  expect([table.routes, figures.corrections, seeder.isTrusted(PREFIX)]).toEqual([0, 3, true]);
});

/** When a doubt of which every answer repeats the reason has been asked about for the last time. */
const REPEATED_MS = [120_000, 240_000, 480_000, 900_000];

it('routes that most answers of half an hour do not have are gone, also when no VP said that it withdrew them', async () => {
  const { api, table, seeder, pass, seeded } = world();
  await seeded();
  await pass(3_600_000);
  api.rows = api.rows.slice(0, 1);
  await seeder.compare();
  for (const waitMs of REPEATED_MS) {
    expect([table.routes, seeder.isTrusted(PREFIX)]).toEqual([3, false]);
    await pass(waitMs);
  }
  expect([table.routes, seeder.isTrusted(PREFIX)]).toEqual([1, true]);
});

it('a RIB without any route is believed after half an hour where the service shows that it has its data', async () => {
  const { api, table, seeder, pass, seeded } = world();
  Object.assign(api, { provesEmptiness: true });
  await seeded();
  await pass(3_600_000);
  api.rows = [];
  await seeder.compare();
  for (const waitMs of REPEATED_MS) {
    expect([table.routes, seeder.isTrusted(PREFIX)]).toEqual([3, false]);
    await pass(waitMs);
  }
  expect([table.routes, seeder.isTrusted(PREFIX)]).toEqual([0, true]);
});

it('nothing stays in doubt for ever: what an empty RIB repeats for a day is believed', async () => {
  const { api, table, seeder, pass, seeded } = world();
  await seeded();
  await pass(3_600_000);
  api.rows = [];
  await seeder.compare();
  for (let i = 0; i < 95; i++) await pass(900_000);
  expect([table.routes, seeder.isTrusted(PREFIX)]).toEqual([3, false]);
  for (let i = 0; i < 3; i++) await pass(900_000);
  expect([table.routes, seeder.isTrusted(PREFIX)]).toEqual([0, true]);
});

describe('a history that fails for hours while something is in doubt', () => {
  async function failing() {
    const all = world();
    await all.seeded();
    await all.pass(3_600_000);
    const { rows } = all.api;
    all.api.rows = rows.slice(0, 1);
    await all.seeder.compare();
    for (let i = 0; i < 20; i++) {
      all.api.breakAfter = 0;
      await all.pass(900_000);
    }
    all.api.breakAfter = undefined;
    return { ...all, rows };
  }

  it('is asked within a quarter of an hour once it answers again', async () => {
    const { api, table, seeder, pass, rows } = await failing();
    api.rows = rows;
    await pass(900_000);
    expect([table.routes, seeder.isTrusted(PREFIX)]).toEqual([3, true]);
  });

  it('is believed minutes later, when it has said the same three times', async () => {
    const { table, seeder, pass } = await failing();
    for (const waitMs of [900_000, 120_000, 240_000]) {
      expect([table.routes, seeder.isTrusted(PREFIX)]).toEqual([3, false]);
      await pass(waitMs);
    }
    expect([table.routes, seeder.isTrusted(PREFIX)]).toEqual([1, true]);
  });
});

it('an absence that answers tell again and again is in doubt once, since the first of them', async () => {
  const { api, logger, table, seeder, pass, seeded } = world();
  const inside = '192.0.2.128/25';
  const { rows } = api;
  await seeded();
  api.rows = [...rows, { ...rows[0], prefix: inside }];
  await seeder.compare();
  expect(table.prefixes.find(inside)?.visible).toBe(1);
  await pass(3_600_000);
  api.rows = rows;
  await seeder.compare();
  // The doubt is about a more-specific alone, so its monitored prefix is compared further on.
  expect(seeder.isTrusted(PREFIX)).toBe(true);
  await pass(60_000);
  await seeder.compare();
  await pass(60_000);
  const told = logger.lines.filter(({ message }) => message.includes('about what was in doubt'));
  expect(told.map(({ fields }) => fields?.in_doubt)).toEqual([1]);
  for (const waitMs of REPEATED_MS.slice(1)) {
    expect(table.prefixes.find(inside)?.visible).toBe(1);
    await seeder.compare();
    await pass(waitMs);
  }
  expect(table.prefixes.find(inside)?.visible ?? 0).toBe(0);
});

it('a withdrawal confirms that a route is gone although it is older than the window of the denominator', async () => {
  const { timers, api, table, seeder, pass, seeded } = world(undefined, undefined, { expectedWindowMs: 60_000 });
  await seeded();
  await pass(3_600_000);
  api.rows = [];
  api.history = VPS.map((vp) => withdrawalOf(vp, timers.now() - 600_000));
  await seeder.compare();
  await pass(ASKED_AGAIN_MS);
  expect([table.routes, seeder.isTrusted(PREFIX)]).toEqual([0, true]);
});

it('what is in doubt stays so over a cut of the stream', async () => {
  const { timers, api, seeder, pass, seeded } = world();
  await seeded();
  await pass(3_600_000);
  const { rows } = api;
  api.rows = [];
  await seeder.compare();
  seeder.disconnected(timers.now());
  await pass(1_000);
  seeder.connected(timers.now());
  await pass(LAG_MS + 2_000);
  expect(seeder.isTrusted(PREFIX)).toBe(false);
  api.rows = rows;
  await pass(ASKED_AGAIN_MS);
  expect(seeder.isTrusted(PREFIX)).toBe(true);
});

it('who held the prefix a window ago and is up is expected, whenever the process was started', async () => {
  const { api, table, seeder, pass, timers } = world();
  const more = moreVps(2);
  const gone: VantagePoint = { protocol: 'bgp', asn: 64_999, ip: '203.0.113.99' };
  api.list = [...api.list, ...more.map((one) => ({ ...api.list[0], ...one }))];
  api.before = [...VPS, ...more.map(({ vp }) => vp), gone].map(routeOf);
  const monitored = [...table.prefixes.monitored()][0];
  expect([expectedVps(table, monitored), monitored.expectedKnown]).toEqual([0, false]);
  seeder.connected(timers.now());
  await pass(2 * LAG_MS);
  expect([monitored.state.visible, expectedVps(table, monitored), monitored.expectedKnown]).toEqual([3, 5, true]);
  expect(seeder.isTrusted(PREFIX)).toBe(true);
  // Asked once: a later gap does not need it.
  seeder.disconnected(timers.now());
  seeder.connected(timers.now());
  await pass(2 * LAG_MS);
  expect(api.holdersAsked).toBe(1);
});

it('a start with an empty RIB in place of 3 of 3 a window ago is not trusted before a second one', async () => {
  const { api, table, seeder, pass, timers } = world();
  api.before = api.rows;
  api.rows = [];
  seeder.connected(timers.now());
  await pass(LAG_MS + 2_000);
  const monitored = [...table.prefixes.monitored()][0];
  expect([monitored.state.visible, expectedVps(table, monitored), seeder.isTrusted(PREFIX)]).toEqual([0, 3, false]);
  await pass(ASKED_AGAIN_MS);
  expect([monitored.state.visible, expectedVps(table, monitored), seeder.isTrusted(PREFIX)]).toEqual([0, 3, true]);
});

it('a start without most of the holders is believed when the RIB says it twice and no VP said that it holds the prefix', async () => {
  const { api, table, seeder, pass, timers } = world();
  api.before = api.rows;
  api.rows = api.rows.slice(0, 1);
  seeder.connected(timers.now());
  await pass(LAG_MS + 2_000);
  const monitored = [...table.prefixes.monitored()][0];
  expect([monitored.state.visible, expectedVps(table, monitored), seeder.isTrusted(PREFIX)]).toEqual([1, 3, false]);
  await pass(ASKED_AGAIN_MS);
  expect([monitored.state.visible, expectedVps(table, monitored), seeder.isTrusted(PREFIX)]).toEqual([1, 3, true]);
});

it('a history of holders that fails is asked for again, and the table is complete meanwhile', async () => {
  const { api, table, seeder, pass, seeded } = world();
  api.holdersFail = unavailable();
  await seeded();
  const monitored = [...table.prefixes.monitored()][0];
  expect([seeder.complete, monitored.expectedKnown]).toEqual([true, false]);
  api.holdersFail = undefined;
  api.before = api.rows;
  await pass(600_000);
  expect([seeder.complete, monitored.expectedKnown]).toEqual([true, true]);
});

it('a Data API without such a history is asked once, and the denominator stays unknown until a window has passed', async () => {
  const { api, table, pass, seeded, timers } = world();
  api.holdersFail = new DataApiError('BAD_REQUEST', 'Data API: no data of that time');
  await seeded();
  await pass(600_000);
  const monitored = [...table.prefixes.monitored()][0];
  expect([api.holdersAsked, monitored.expectedKnown]).toEqual([1, false]);
  table.sweep(timers.now() + 24 * 3_600_000, 10);
  expect(monitored.expectedKnown).toBe(true);
});

it('a prefix that is added leaves the others trusted while it is read', async () => {
  const { timers, api, seeder, pass, seeded } = world();
  await seeded();
  const added = '203.0.113.0/24';
  seeder.setWanted([PREFIX, added]);
  expect([seeder.isTrusted(PREFIX), seeder.isTrusted(added), seeder.complete]).toEqual([true, false, false]);
  seeder.setDelivered([PREFIX, added]);
  seeder.added(timers.now());
  await pass(1_000);
  expect([seeder.isTrusted(PREFIX), seeder.isTrusted(added)]).toEqual([true, false]);
  await pass(2 * LAG_MS);
  expect([api.ribs, seeder.isTrusted(PREFIX), seeder.isTrusted(added)]).toEqual([2, true, true]);
});

it('routes of a VP that came back are asked for again when they could not be read', async () => {
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

it('with nobody to ask for routes the table is not complete, whatever the API calls a success', async () => {
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

it('the table is read as soon as the connection is open, once, and not again when it counts as connected', async () => {
  const { timers, api, table, seeder, pass } = world();
  seeder.opened(timers.now());
  await pass(250);
  expect([api.ribs, table.routes]).toEqual([1, 3]);
  await pass(2 * LAG_MS);
  expect([api.ribs, seeder.complete]).toEqual([1, false]);
  seeder.connected(timers.now());
  expect([api.ribs, seeder.complete]).toEqual([1, true]);
});

it('a connection that opens and is refused leaves the table as incomplete as it was', async () => {
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

it('a prefix that comes between opening and connecting is read as well', async () => {
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

it.each([300_000, -300_000])(
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

it.each([undefined, 'RIPEstat'])('the log names the service that is read: %s', async (title) => {
  const { timers, api, logger, seeder, pass, seeded } = world(undefined, title);
  const name = title ?? 'the Data API';
  const fine = api.rows;
  await seeded();
  await seeder.compare();
  api.rows = [];
  await seeder.compare();
  api.rows = fine;
  seeder.disconnected(timers.now());
  await pass(3 * 3_600_000);
  api.breakAfter = 0;
  seeder.connected(timers.now());
  await pass(2 * LAG_MS);
  expect(logger.lines.map(({ message }) => message)).toEqual(
    expect.arrayContaining([
      `the table is read from ${name}`,
      `the table is read; it counts as complete when ${name} has caught up with the stream`,
      `table compared with ${name}`,
      `an answer of ${name} would take away too much to be believed at once: it will be asked again`,
      `the table could not be read from ${name}, trying again`,
    ]),
  );
  if (title !== undefined) expect(logger.lines.filter(({ message }) => message.includes('Data API'))).toEqual([]);
});
