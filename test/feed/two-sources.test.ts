/** Two sources of one table, each with a history that answers when the test says so, by a clock that the test turns. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RouteUpdate } from '../../src/bgp/route-event.ts';
import type { VantagePoint } from '../../src/bgp/vantage-point.ts';
import { DataApiError } from '../../src/errors.ts';
import { Keeper } from '../../src/feed/keeper.ts';
import { PART } from '../../src/feed/seed/gap-fill.ts';
import { SessionFeed } from '../../src/feed/session-feed.ts';
import { GRACE_MS, HEALING_MS } from '../../src/feed/source-activity.ts';
import { TableFigures } from '../../src/metrics/figures/table-figures.ts';
import type { FrameDecoder } from '../../src/stream/frame-decoder.ts';
import type { History, HistoryRows, HistoryVp, RibRow, UpdateRow } from '../../src/stream/history.ts';
import { createStreamStats } from '../../src/stream/stream-health.ts';
import { Fold } from '../../src/table/fold.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { idle } from '../support/idle.ts';
import { watchedPrefix } from '../support/table-world.ts';

const P = '198.51.100.0/24';
const [FIRST, SECOND] = [0, 1];
const vp = (i: number): VantagePoint => ({ protocol: 'bgp', asn: 64_600 + i, ip: `192.0.2.${i}` });
/** Heard by both sources, only by the first, only by the second. */
const [BOTH, ONE, TWO] = [vp(1), vp(2), vp(3)];
/** Longer than the grace, so that a history that is read after a grace may still be too old. */
const LAG_MS = 90_000;
const OLD = '64999 64500';
const NEW = '64888 64500';

/** Tells what it was given, as soon as its gates are open. */
class TestHistory implements History {
  readonly clockOffsetMs = 0;
  readonly ribWaits: boolean;
  readonly list: readonly HistoryVp[];
  /** Path by VP; a VP without one holds no route. */
  readonly held = new Map<VantagePoint, string>();
  isDead = false;
  /** Whether updates, which are read behind a RIB, are answered; and a RIB itself. */
  #isOpen = { rib: true, updates: true };
  #waiting: (() => void)[] = [];
  /** For what time each RIB was asked, Unix ms. */
  readonly askedAtMs: number[] = [];
  /** For what prefixes. */
  readonly asked: (readonly string[])[] = [];
  comparedADay: number = Number.POSITIVE_INFINITY;

  constructor(vps: readonly VantagePoint[], ribWaits: boolean) {
    this.ribWaits = ribWaits;
    this.list = vps.map((one) => ({ id: one.ip, vp: one, status: 'up', ribSizeV4: undefined, ribSizeV6: undefined }));
    for (const one of vps) this.held.set(one, OLD);
  }

  close(...parts: readonly ('rib' | 'updates')[]): void {
    for (const part of parts) this.#isOpen[part] = false;
  }

  /** Answers what waits; what is asked next waits again. */
  answer(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  open(): void {
    this.#isOpen = { rib: true, updates: true };
    this.answer();
  }

  async readClock(): Promise<void> {}

  async vantagePoints(): Promise<readonly HistoryVp[]> {
    return this.list;
  }

  async *rib(
    vps: readonly HistoryVp[],
    prefixes: readonly string[],
    atMs: number,
  ): AsyncGenerator<HistoryRows<RibRow>> {
    this.askedAtMs.push(atMs);
    this.asked.push(prefixes);
    await this.#gate('rib');
    const rows = vps.flatMap(({ vp: one }) => {
      const path = this.held.get(one);
      const asPath = `${one.asn} ${path}`;
      return path === undefined ? [] : prefixes.map((prefix) => ({ vp: one, prefix, asPath, communities: '' }));
    });
    yield { rows, unavailable: [] };
  }

  async *holders(): AsyncGenerator<HistoryRows<RibRow>> {}

  async *updates(): AsyncGenerator<HistoryRows<UpdateRow>> {
    await this.#gate('updates');
    yield { rows: [], unavailable: [] };
  }

  async #gate(part: 'rib' | 'updates'): Promise<void> {
    if (this.isDead) throw new DataApiError('SERVER_ERROR', 'it failed');
    if (!this.#isOpen[part]) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** A frame is an update as JSON. */
const decoder: FrameDecoder = {
  failures: [],
  harmless: [],
  decode(frames, to) {
    for (const frame of frames) to.update(JSON.parse(frame.toString()) as RouteUpdate);
  },
};

let timers: ManualTimers;
let table: RoutingTable;
let figures: TableFigures;
let keeper: Keeper;
let feeds: readonly SessionFeed[];
let histories: readonly TestHistory[];

beforeEach(() => {
  timers = new ManualTimers();
  figures = new TableFigures(timers.now());
  const logger = new RecordingLogger();
  const sources = ['first', 'second'].map((name) => ({ name, sessions: 1 }));
  table = new RoutingTable({}, sources);
  table.watch([watchedPrefix(P, { sessions: [FIRST, SECOND] })], timers.now());
  const fold = new Fold(table);
  feeds = sources.map(
    ({ name }, session) =>
      new SessionFeed({
        ...{ session, stream: createStreamStats(name, '0', timers.now()), decoder, fold, logger },
        onPassed: (number, heir) => keeper.readPassed(new Set([number]), heir),
      }),
  );
  histories = [new TestHistory([BOTH, ONE], false), new TestHistory([BOTH, TWO], true)];
  keeper = new Keeper({
    ...{ table, feeds, histories, figures, logger, timers, lagMs: [LAG_MS, LAG_MS] },
    ...{ intervals: { reseedIntervalMs: 0, vpPollIntervalMs: 0 }, takeClockStep: () => undefined },
  });
  for (const session of [FIRST, SECOND]) {
    keeper.setWanted(session, [P]);
    keeper.setDelivered(session, [P]);
  }
});

/** Lets what was begun go on, and time pass. */
async function pass(ms = 0): Promise<void> {
  await idle();
  timers.advance(ms);
  await idle();
}

/** A VP announces this path, or withdraws. */
function say(session: number, one: VantagePoint, path?: string): void {
  const attributes = { asPath: `${one.asn} ${path}`, communities: '', nextHop: '', originAttribute: '' };
  const prefixes =
    path === undefined ? { withdrawn: [P], announced: [] } : { withdrawn: [], announced: [P], attributes };
  const update = { vp: one, timeUs: timers.now() * 1000, ...prefixes };
  feeds[session].frames([Buffer.from(JSON.stringify(update))], timers.now());
}

function held(one: VantagePoint): string | undefined {
  const state = table.prefixes.find(P);
  const number = table.vps.find(one);
  const cell = state === undefined || number < 0 ? -1 : table.cells.find(state, number);
  const path = cell === -1 ? 0 : table.cells.path(cell);
  return path === 0 ? undefined : table.paths.text(path).replace(`${one.asn} `, '');
}

const monitored = () => table.prefixes.find(P)!.monitored!;

async function bothRead(): Promise<void> {
  for (const session of [FIRST, SECOND]) keeper.connected(session, timers.now());
  await pass(2 * LAG_MS);
  await pass();
  expect([monitored().trusted, monitored().visibleBySource]).toEqual([true, [2, 1]]);
}

it('what one source says of a prefix that it makes trusted counts, while another is still being read', async () => {
  histories[FIRST].close('updates');
  keeper.connected(FIRST, timers.now());
  await pass(); // its RIB is read, what was said since is not
  expect([held(BOTH), monitored().trusted]).toEqual([OLD, false]);
  histories[SECOND].held.set(BOTH, NEW);
  timers.advance(60_000);
  keeper.connected(SECOND, timers.now());
  await pass();
  expect([held(BOTH), monitored().trusted]).toEqual([NEW, true]);
  timers.advance(1_000);
  say(SECOND, BOTH);
  expect(held(BOTH)).toBeUndefined();
});

it('a prefix that is trusted has no route of a RIB that is older than what the trusted source holds', async () => {
  keeper.connected(SECOND, timers.now());
  await pass(2_000);
  say(SECOND, BOTH, NEW);
  timers.advance(1_000);
  histories[FIRST].close('updates');
  keeper.connected(FIRST, timers.now());
  await pass();
  expect([held(BOTH), monitored().trusted, monitored().visibleBySource]).toEqual([NEW, true, [1, 2]]);
  histories[FIRST].open();
  await pass(2 * LAG_MS);
  expect([held(BOTH), monitored().visibleBySource]).toEqual([NEW, [2, 1]]);
});

it('after a short cut whose gap cannot be filled the other source tells what the VPs of both hold', async () => {
  await bothRead();
  keeper.disconnected(FIRST, timers.now());
  timers.advance(1_000);
  say(SECOND, BOTH, NEW);
  expect(held(BOTH)).toBe(NEW);
  histories[FIRST].isDead = true;
  keeper.connected(FIRST, timers.now());
  await pass(2 * GRACE_MS);
  say(SECOND, BOTH);
  expect([held(BOTH), monitored().trusted]).toEqual([undefined, true]);
  // Nobody else delivers this one; its stream goes on, but what it said in the gap is not known.
  expect(held(ONE)).toBe(OLD);
  await pass(HEALING_MS);
  expect([held(ONE), monitored().losses.source_down]).toEqual([undefined, 1]);
  // What only the first one shows is not seen, although it is connected: the prefix is trusted by the second alone.
  expect(monitored().trustedBy).toBe(1 << SECOND);
  histories[FIRST].isDead = false;
  await pass(HEALING_MS);
  await pass(2 * LAG_MS);
  await pass(2 * LAG_MS);
  expect([held(ONE), monitored().trustedBy]).toEqual([OLD, (1 << FIRST) | (1 << SECOND)]);
});

it('what passes to another source is read from its history as of a time that is not before', async () => {
  await bothRead();
  const cutAtMs = timers.now();
  histories[SECOND].held.set(BOTH, NEW); // said just before, when its word did not count
  histories[SECOND].askedAtMs.length = 0;
  keeper.disconnected(FIRST, cutAtMs);
  await pass(GRACE_MS);
  await pass(2 * LAG_MS);
  expect(histories[SECOND].askedAtMs).toHaveLength(1);
  expect(histories[SECOND].askedAtMs[0]).toBeGreaterThanOrEqual(cutAtMs);
  expect(held(BOTH)).toBe(NEW);
});

it('routes that are given up while their source is being read are read once more', async () => {
  await bothRead();
  keeper.disconnected(FIRST, timers.now());
  histories[FIRST].close('updates');
  keeper.connected(FIRST, timers.now());
  await pass(HEALING_MS);
  expect([held(ONE), monitored().visibleBySource]).toEqual([undefined, [0, 2]]);
  histories[FIRST].open();
  await pass(2 * LAG_MS);
  await pass(2 * LAG_MS);
  expect([held(ONE), monitored().visibleBySource, monitored().trusted]).toEqual([OLD, [2, 1], true]);
});

it('routes of a source are not in doubt any more when another source owns the VP', async () => {
  keeper.connected(SECOND, timers.now());
  await pass(2 * LAG_MS);
  await pass(3_600_000);
  histories[SECOND].held.clear();
  await keeper.compare();
  expect([held(BOTH), figures.seededPrefixes.get('second')]).toEqual([OLD, undefined]);
  keeper.connected(FIRST, timers.now());
  await pass();
  histories[SECOND].held.set(TWO, OLD);
  await pass(2 * LAG_MS);
  await pass();
  expect([held(BOTH), held(TWO)]).toEqual([OLD, OLD]);
  expect([...figures.seededPrefixes.entries()]).toEqual([
    ['first', 1],
    ['second', 1],
  ]);
});

it('with both sources gone nothing is lost and nothing is trusted', async () => {
  await bothRead();
  for (const session of [FIRST, SECOND]) keeper.disconnected(session, timers.now());
  await pass(2 * HEALING_MS);
  expect([monitored().visibleBySource, monitored().trusted, monitored().losses.source_down]).toEqual([
    [2, 1],
    false,
    0,
  ]);
});

describe('many prefixes of a history that tells them one by one', () => {
  const many = Array.from({ length: PART + 6 }, (_, i) => `10.${i}.0.0/16`);
  let logger: RecordingLogger;
  let history: TestHistory;
  let figures: TableFigures;

  beforeEach(() => {
    logger = new RecordingLogger();
    table = new RoutingTable();
    table.watch(
      many.map((prefix) => watchedPrefix(prefix, { sessions: [0] })),
      timers.now(),
    );
    history = new TestHistory([BOTH, ONE], true);
    history.comparedADay = 24 * 40;
    const stream = createStreamStats('ris-live', '0', timers.now());
    feeds = [new SessionFeed({ session: 0, stream, decoder, logger, fold: new Fold(table) })];
    figures = new TableFigures(timers.now());
    keeper = new Keeper({
      ...{ table, feeds, histories: [history], figures, logger, timers, lagMs: [LAG_MS] },
      ...{ intervals: { reseedIntervalMs: 3_600_000, vpPollIntervalMs: 0 }, takeClockStep: () => undefined },
    });
    keeper.setWanted(0, many);
    keeper.setDelivered(0, many);
    keeper.start();
  });

  afterEach(() => keeper.stop());

  const trusted = () => [...table.prefixes.monitored()].filter((one) => one.trusted).length;
  const lines = (message: string) =>
    logger.lines.filter((line) => line.message === message).map(({ fields }) => fields);

  it('each part is trusted as soon as it is read, and the log tells how far that is', async () => {
    history.close('rib');
    keeper.connected(0, timers.now());
    await pass();
    expect(history.asked.map((prefixes) => prefixes.length)).toEqual([PART]);
    history.answer();
    await pass(10_000);
    expect([trusted(), figures.seededPrefixes.get('bgproutes'), figures.seeded]).toEqual([PART, PART, false]);
    await pass(10_000);
    expect(lines('the table is still being read from the Data API').at(-1)).toMatchObject({
      ...{ reading: 'routes', complete: PART, prefixes: many.length },
    });
    history.open();
    await pass();
    expect([trusted(), figures.seeded, table.routes]).toEqual([many.length, true, 2 * many.length]);
  });

  it('a comparison that would ask too often in a day goes through them in parts, and the log says so', async () => {
    expect(
      lines('the table is compared with the Data API in parts, because it would be asked too often otherwise'),
    ).toEqual([{ session: 0, prefixes: many.length, at_once: 40, hours_until_all: 2 }]);
    keeper.connected(0, timers.now());
    await pass();
    history.asked.length = 0;
    for (let i = 0; i < 2; i++) await pass(3_600_000);
    expect(history.asked).toEqual([many.slice(0, 40), [...many.slice(40), ...many.slice(0, 10)]]);
  });
});
