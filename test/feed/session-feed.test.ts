import { beforeEach, describe, expect, it } from 'vitest';
import { parsePrefix } from '../../src/bgp/prefix.ts';
import { BgproutesDecoder } from '../../src/bgproutes/live/decoder.ts';
import type { HoldBounds } from '../../src/feed/frame-queue.ts';
import { MOST_AHEAD_BYTES, SessionFeed } from '../../src/feed/session-feed.ts';
import { createStreamStats } from '../../src/stream/stream-health.ts';
import { Fold } from '../../src/table/fold.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { TableIds } from '../../src/table/table-ids.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';
import { ManualTurns } from './manual-turns.ts';

const NOW = 1_700_000_100_000;
const PREFIX = '192.0.2.0/24';
const CANARY = '84.205.64.0/24';

let table: RoutingTable;
let feed: SessionFeed;
let logger: RecordingLogger;
let turns: ManualTurns;
/** What was told of messages in which nothing is monitored: prefixes, and ms since NOW. */
let told: [prefixes: readonly string[], ms: number][];

beforeEach(() => {
  table = new RoutingTable();
  const prefix = parsePrefix(PREFIX);
  if (prefix === undefined) throw new Error('not a prefix');
  table.watch([{ prefix, description: '', group: '', origins: [], upstreams: [], sessions: [0] }], NOW);
  table.prefixes.canary = CANARY;
  logger = new RecordingLogger();
  told = [];
  turns = new ManualTurns();
  feed = newFeed({ frames: 3, bytes: 10_000 });
});

function newFeed(holdBounds: HoldBounds): SessionFeed {
  return new SessionFeed({
    session: 0,
    stream: createStreamStats('bgproutes', '0', NOW),
    decoder: new BgproutesDecoder(new TableIds(table)),
    fold: new Fold(table),
    logger,
    canary: CANARY,
    holdBounds,
    turns,
    onUnmonitored: (prefixes, receivedAtMs) => told.push([prefixes, receivedAtMs - NOW]),
  });
}

function frame(vp: number, sec: number, fields: object): Buffer {
  return Buffer.from(JSON.stringify({ record_type: 'update', vp: `${64_600 + vp}_198.51.100.${vp}`, sec, ...fields }));
}
const announce = (vp: number, sec: number) => frame(vp, sec, { prefixes: PREFIX, 'as-path': `${64_600 + vp} 64500` });

describe('a message in which nothing is monitored', () => {
  const FOREIGN = '203.0.113.0/24';
  const of = (sec: number, prefixes: string) => frame(1, sec, { prefixes, 'as-path': '64601 64500' });

  it('is told with all its prefixes, whichever decoder reads it', () => {
    feed.frames([of(1_700_000_001, FOREIGN)], NOW);
    feed.frames([of(1_700_000_002, `${FOREIGN},198.18.0.0/15`)], NOW + 1);
    feed.frames([frame(1, 1_700_000_003, { withdraws: FOREIGN })], NOW + 2);
    const generalDecodes = feed.generalDecodes;
    feed.frames([of(1_700_000_004, FOREIGN)], NOW + 3);
    expect(feed.generalDecodes).toBe(generalDecodes);
    expect(told).toEqual([
      [[FOREIGN], 0],
      [[FOREIGN, '198.18.0.0/15'], 1],
      [[FOREIGN], 2],
      [[FOREIGN], 3],
    ]);
  });

  it('does not count when a part of it is monitored, inside a monitored prefix, or the canary', () => {
    for (const prefixes of [PREFIX, `${FOREIGN},${PREFIX}`, '192.0.2.128/25', CANARY, `${CANARY},${FOREIGN}`]) {
      feed.frames([of(1_700_000_001, prefixes)], NOW);
      feed.frames([of(1_700_000_002, prefixes)], NOW);
    }
    expect(feed.counts.unmonitoredPrefixes).toBeGreaterThan(0);
    expect(told).toEqual([]);
  });

  it('is reported once for frames that come together, also between others, and with its receipt if it was held', () => {
    feed.frames([announce(1, 1_700_000_000), of(1_700_000_001, FOREIGN)], NOW);
    told.length = 0;
    feed.frames([announce(1, 1_700_000_002), of(1_700_000_003, FOREIGN), of(1_700_000_004, FOREIGN)], NOW + 1);
    expect(told).toEqual([[[FOREIGN], 1]]);
    feed.hold();
    feed.frames([of(1_700_000_005, FOREIGN)], NOW + 2);
    expect(told.length).toBe(1);
    feed.release();
    expect(told.at(-1)).toEqual([[FOREIGN], 2]);
  });
});

describe('frames that come together', () => {
  it('are applied in their order, whatever in between is in doubt', () => {
    feed.frames([announce(1, 1_700_000_001)], NOW);
    expect(feed.generalDecodes).toBe(1); // the VP is new, and so is the spelling of the prefix
    const gone = (vp: number, sec: number) => frame(vp, sec, { withdraws: PREFIX });
    feed.frames(
      [
        gone(1, 1_700_000_002),
        announce(2, 1_700_000_003), // a VP that is not known yet
        gone(2, 1_700_000_004), // known by now
        Buffer.from('{"record_type":"update"'),
        announce(1, 1_700_000_005),
        announce(2, 1_700_000_006),
        gone(2, 1_700_000_007),
        announce(1, 1_700_000_004), // late
      ],
      NOW,
    );
    expect(feed.generalDecodes).toBe(3);
    expect(feed.decodeFailures.invalid_json).toBe(1);
    expect(feed.counts.dropped.out_of_order).toBe(1);
    expect(feed.delay.count).toBe(8);
    const [monitored] = table.prefixes.monitored();
    expect([monitored.announcements, monitored.withdrawals, table.routes]).toEqual([4, 3, 1]);
    expect(table.paths.size).toBe(1);
  });

  it('are all applied when there are more than are read at once', () => {
    feed.frames([announce(1, 1_700_000_000)], NOW);
    const packet = Array.from({ length: 1_000 }, (_, i) => announce(1, 1_700_000_001 + i));
    feed.frames(packet, NOW + 1_000_000);
    const [monitored] = table.prefixes.monitored();
    expect([monitored.announcements, feed.generalDecodes, feed.delay.count]).toEqual([1_001, 1, 1_001]);
    expect(monitored.lastAnnouncementUs).toBe(1_700_001_000_000_000);
  });

  it('find the bound of holding in the middle', () => {
    feed.hold();
    feed.frames(
      [1, 2, 3, 4, 5].map((vp) => announce(vp, 1_700_000_001)),
      NOW,
    );
    expect(feed.counts.dropped.hold_overflow).toBe(2);
    expect(feed.release()).toBe(false);
    expect(table.routes).toBe(3);
  });

  it('keep a path that one of them lets go and a later one needs', () => {
    const { paths } = table;
    const route = (vp: number, sec: number, path: string) => frame(vp, sec, { prefixes: PREFIX, 'as-path': path });
    feed.frames([route(1, 1_700_000_001, '64601 64500'), route(2, 1_700_000_001, '64602 64500')], NOW);
    feed.frames([frame(1, 1_700_000_002, { withdraws: PREFIX })], NOW); // from now on it waits longest
    for (let i = 0; i < 32_767; i++) paths.discard(paths.intern(`4200000000 ${i}`, 64_499) ?? 0);
    const before = feed.generalDecodes;
    feed.frames([frame(2, 1_700_000_003, { withdraws: PREFIX }), route(1, 1_700_000_004, '64601 64500')], NOW);
    expect(feed.generalDecodes).toBe(before);
    // A number that was given away would be given to the next new path.
    for (let i = 0; i < 3; i++) paths.retain(paths.intern(`4200000001 ${i}`, 64_499) ?? 0);
    const [state] = table.prefixes.states();
    expect(paths.text(table.cells.path(table.cells.find(state, 0)))).toBe('64601 64500');
  });
});

describe('frames that are no messages about routes', () => {
  const KEEPALIVE = Buffer.from('{"record_type":"keepalive"}');
  const ERROR = Buffer.from('{"error":"slow down"}');

  it('are neither life nor damage: they count by reason, and nowhere else', () => {
    feed.frames([announce(1, 1_700_000_001)], NOW);
    feed.frames([KEEPALIVE, ERROR, KEEPALIVE], NOW + 60_000);
    expect([feed.updates, feed.lastUpdateAtMs, feed.unreadMessages]).toEqual([1, NOW, 0]);
    expect(feed.decodeFailures).toMatchObject({ unknown_record_type: 2, service_error: 1 });
    feed.frames([announce(1, 1_700_000_002), KEEPALIVE, announce(1, 1_700_000_003)], NOW + 90_000);
    expect([feed.updates, feed.lastUpdateAtMs]).toEqual([3, NOW + 90_000]);
  });

  it('a message that cannot be read is damage, but no life', () => {
    feed.frames([Buffer.from('{"record_type":"update"'), frame(1, -1, { prefixes: PREFIX, 'as-path': '64500' })], NOW);
    expect([feed.updates, feed.lastUpdateAtMs, feed.unreadMessages]).toEqual([0, undefined, 2]);
  });

  it('a message of which a part can be read is both', () => {
    feed.frames([frame(1, 1_700_000_001, { prefixes: `${PREFIX},bad`, 'as-path': '64601 64500' })], NOW);
    expect([feed.updates, feed.lastUpdateAtMs, feed.unreadMessages]).toEqual([1, NOW, 1]);
  });

  it('held messages count with their receipt once they are decoded, and so do those that find no room', () => {
    feed.hold();
    feed.frames([announce(1, 1_700_000_001)], NOW + 1_000);
    feed.frames([KEEPALIVE], NOW + 2_000);
    expect([feed.updates, feed.lastUpdateAtMs]).toEqual([0, undefined]);
    feed.release();
    expect([feed.updates, feed.lastUpdateAtMs]).toEqual([1, NOW + 1_000]);
    feed.hold();
    for (let i = 1; i <= 4; i++) feed.frames([announce(1, 1_700_000_001 + i)], NOW + 2_000 + i);
    expect([feed.updates, feed.lastUpdateAtMs]).toEqual([2, NOW + 2_004]);
    feed.release();
    expect([feed.updates, feed.lastUpdateAtMs]).toEqual([5, NOW + 2_004]);
  });
});

describe('holding', () => {
  it('keeps frames back, then applies them in order', () => {
    feed.hold();
    feed.frames([announce(1, 1_700_000_001)], NOW);
    feed.frames([frame(1, 1_700_000_002, { withdraws: PREFIX })], NOW);
    feed.frames([announce(2, 1_700_000_003)], NOW);
    expect(table.routes).toBe(0);
    expect(feed.release()).toBe(true);
    expect(table.routes).toBe(1);
    feed.frames([announce(3, 1_700_000_004)], NOW);
    expect(table.routes).toBe(2);
  });

  it('is bounded: events over it are counted, and the release says that the gap is not closed, once', () => {
    feed.hold();
    for (let vp = 1; vp <= 5; vp++) feed.frames([announce(vp, 1_700_000_001)], NOW);
    expect(feed.counts.dropped.hold_overflow).toBe(2);
    expect(feed.release()).toBe(false);
    expect(table.routes).toBe(3);
    expect(feed.release()).toBe(true);
  });

  it('is bounded in bytes too', () => {
    const long = frame(1, 1_700_000_001, {
      prefixes: PREFIX,
      'as-path': '64601 64500',
      communities: '64601:1 '.repeat(1_000),
    });
    feed.hold();
    feed.frames([long], NOW);
    feed.frames([announce(2, 1_700_000_001)], NOW);
    feed.frames([long], NOW);
    expect(feed.counts.dropped.hold_overflow).toBe(1);
  });

  it('what a seed has overtaken counts as seeded, not as out of order', () => {
    feed.hold();
    feed.frames([announce(1, 1_700_000_001)], 1_700_000_002_000);
    const state = table.prefixes.find(PREFIX);
    const vp = table.vps.add({ protocol: 'bgp', asn: 64_601, ip: '198.51.100.1' });
    const path = table.paths.intern('64601 64999 64500', 64_601);
    if (state === undefined || path === undefined) throw new Error('no state');
    table.seedRoute(state, vp, path, 0, 1_700_000_050_000_000);
    feed.release();
    expect(feed.counts.dropped).toMatchObject({ seeded: 1, out_of_order: 0 });
    feed.frames([announce(1, 1_700_000_002)], 1_700_000_003_000);
    expect(feed.counts.dropped).toMatchObject({ seeded: 1, out_of_order: 1 });
  });

  it('a frame that is held is a copy: its packet may be overwritten', () => {
    const data = announce(1, 1_700_000_001);
    feed.hold();
    feed.frames([data], NOW);
    data.fill(0);
    feed.release();
    expect(table.routes).toBe(1);
  });
});

describe('a message of many prefixes', () => {
  const FOREIGN = Array.from({ length: 3_000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  const monitored = () => [...table.prefixes.monitored()][0];
  const large = (sec: number, prefixes: readonly string[], ases = 1) =>
    frame(1, sec, { prefixes: prefixes.join(), 'as-path': Array(ases).fill('64601').join(' ') });

  beforeEach(() => {
    feed = newFeed({ frames: 1_000, bytes: 1_000_000 });
    turns.lookMs = 10;
  });

  it('is applied over several turns, and what comes behind it in its packet or later is applied after it', async () => {
    feed.frames(
      [announce(1, 1_700_000_001), large(1_700_000_001, [...FOREIGN, PREFIX], 2), announce(1, 1_700_000_001)],
      NOW,
    );
    feed.frames([frame(1, 1_700_000_001, { withdraws: PREFIX })], NOW + 1);
    let told = 0;
    const applied = feed.applied(new AbortController().signal).then(() => {
      told = monitored().withdrawals;
    });
    expect([monitored().announcements, feed.counts.unmonitoredPrefixes]).toEqual([1, 0]);
    // Reading takes turns too.
    while (feed.counts.unmonitoredPrefixes === 0) turns.give();
    expect(feed.counts.unmonitoredPrefixes).toBe(256);
    let given = 1;
    for (; turns.asked > 0; given++) turns.give();
    expect(given).toBeGreaterThan(12);
    await applied;
    expect([monitored().announcements, monitored().withdrawals, told, table.routes]).toEqual([3, 1, 1, 0]);
    expect([feed.counts.unmonitoredPrefixes, feed.updates]).toEqual([3_000, 4]);
  });

  it('wait for a turn up to an eighth of a mebibyte; beyond that the stream is held up while some are applied', () => {
    feed = newFeed({ frames: 1_000, bytes: 100_000_000 });
    const packet = [large(1_700_000_001, FOREIGN)]; // of 40 KB
    feed.frames(packet, NOW);
    const applied = () => feed.counts.unmonitoredPrefixes;
    for (let i = 1; i < 4; i++) feed.frames(packet, NOW);
    const before = applied();
    for (let i = 0; i < 20; i++) feed.frames(packet, NOW);
    expect(before).toBe(0);
    expect(applied()).toBeGreaterThan(1_000);
    turns.all();
    expect(applied()).toBe(24 * 3_000);
  });

  it('wait for a turn up to half a mebibyte; then the stream is not to be read until half of that is applied', async () => {
    feed = newFeed({ frames: 1_000, bytes: 100_000_000 });
    const packet = [large(1_700_000_001, FOREIGN)];
    expect(feed.frames(packet, NOW)).toBeUndefined();
    let caughtUp: Promise<void> | undefined;
    let sent = 1;
    for (; caughtUp === undefined; sent++) caughtUp = feed.frames(packet, NOW);
    const waiting = () =>
      sent * packet[0].length - (feed.counts.unmonitoredPrefixes / FOREIGN.length) * packet[0].length;
    expect(waiting()).toBeGreaterThan(MOST_AHEAD_BYTES);
    expect(waiting()).toBeLessThan(MOST_AHEAD_BYTES + 2 * packet[0].length);
    expect(feed.frames(packet, NOW)).toBe(caughtUp);
    let isTold = false;
    void caughtUp.then(() => {
      isTold = true;
    });
    for (; !isTold && turns.asked > 0; await Promise.resolve()) turns.give();
    expect(turns.asked).toBe(1);
    expect(waiting()).toBeLessThan(MOST_AHEAD_BYTES / 2 + packet[0].length);
    turns.all();
  });

  it('do not hold up the stream any more when they are to wait for a release', async () => {
    feed = newFeed({ frames: 1_000, bytes: 100_000_000 });
    const packet = [large(1_700_000_001, FOREIGN)];
    let caughtUp: Promise<void> | undefined;
    while (caughtUp === undefined) caughtUp = feed.frames(packet, NOW);
    feed.hold();
    await caughtUp;
    expect(feed.frames(packet, NOW)).toBeUndefined();
  });

  it('that came alone in a short frame, too', () => {
    feed.frames([large(1_700_000_001, FOREIGN.slice(0, 600))], NOW);
    feed.frames([announce(2, 1_700_000_002)], NOW);
    expect([feed.counts.unmonitoredPrefixes, table.routes]).toEqual([256, 0]);
    turns.all();
    expect([feed.counts.unmonitoredPrefixes, table.routes]).toEqual([600, 1]);
  });

  it('counts once, whatever its time, and is told with all its prefixes when none is monitored', () => {
    feed.frames([large(0, FOREIGN)], NOW);
    feed.frames([large(1_800_000_000, FOREIGN)], NOW + 1);
    turns.all();
    expect([feed.counts.untimed, feed.counts.futureTimestamps, feed.updates]).toEqual([1, 1, 2]);
    expect(told.map(([prefixes, ms]) => [prefixes.length, ms])).toEqual([
      [3_000, 0],
      [3_000, 1],
    ]);
  });

  it('withdraws first, and what is announced too was only announced, however far apart they stand', () => {
    feed.frames([announce(1, 1_700_000_001)], NOW);
    const withdraws = [PREFIX, ...FOREIGN].join();
    feed.frames(
      [frame(1, 1_700_000_002, { withdraws, prefixes: [...FOREIGN, PREFIX].join(), 'as-path': '64601 64500' })],
      NOW,
    );
    turns.all();
    expect([monitored().withdrawals, monitored().announcements, table.routes]).toEqual([0, 2, 1]);
  });

  it('goes on when a hold comes, and before frames that are held', () => {
    feed.frames([large(1_700_000_001, [...FOREIGN, PREFIX])], NOW);
    feed.hold();
    feed.frames([frame(1, 1_700_000_001, { withdraws: PREFIX })], NOW + 1);
    turns.all();
    expect([monitored().announcements, table.routes]).toEqual([1, 1]);
    feed.release();
    expect(table.routes).toBe(0);
  });

  it('of a VP that has to make room between two turns: the rest counts as dropped', () => {
    table = new RoutingTable({ maxVps: 1 });
    feed = newFeed({ frames: 1_000, bytes: 1_000_000 });
    feed.frames([large(1_700_000_001, FOREIGN)], NOW);
    turns.give();
    expect(table.addVp({ protocol: 'bgp', asn: 64_700, ip: '192.0.2.7' })).toBe(0); // another session's
    table.vps.down[0] = 1; // stays
    turns.all();
    expect(feed.counts.unmonitoredPrefixes + feed.counts.dropped.vp_limit).toBe(3_000);
    expect(feed.counts.dropped.vp_limit).toBeGreaterThan(2_000);
  });
});

describe('a release of more than a turn takes', () => {
  /** Each look at the clock takes a turn's whole time: one batch a turn. */
  const slowly = () => {
    turns.lookMs = 10;
  };
  const monitored = () => [...table.prefixes.monitored()][0];
  const withdraw = (vp: number, sec: number) => frame(vp, sec, { withdraws: PREFIX });
  const hops = () => monitored().lengthSum;
  /** A route with a path of so many ASes tells which frame was the last. */
  const route = (sec: number, ases: number) =>
    frame(1, sec, { prefixes: PREFIX, 'as-path': Array(ases).fill('64601').join(' ') });

  beforeEach(() => {
    feed = newFeed({ frames: 8, bytes: 100_000 });
    slowly();
  });

  it('goes on in turns to come, and what comes meanwhile is applied after it', async () => {
    feed.hold();
    for (let i = 1; i <= 3; i++) feed.frames([route(1_700_000_001, i)], NOW + i);
    expect(feed.release()).toBe(true);
    expect([feed.holding, monitored().announcements, hops()]).toEqual([false, 1, 1]);
    feed.frames([route(1_700_000_001, 7)], NOW + 4);
    const order: number[] = [];
    const applied = feed.applied(new AbortController().signal).then(() => order.push(hops()));
    for (let turn = 2; turn <= 4; turn++) {
      turns.give();
      expect([monitored().announcements, hops()]).toEqual([turn, turn === 4 ? 7 : turn]);
    }
    await applied;
    expect([order, turns.asked]).toEqual([[7], 0]);
    feed.frames([route(1_700_000_002, 2)], NOW + 5);
    expect(hops()).toBe(2);
  });

  it('a copy is kept of what comes meanwhile, and it counts as live: late, it is out of order', () => {
    feed.hold();
    for (let i = 1; i <= 2; i++) feed.frames([route(1_700_000_005, i)], NOW + i);
    feed.release();
    const late = route(1_700_000_004, 9);
    feed.frames([late], NOW + 3);
    late.fill(0);
    turns.all();
    expect(hops()).toBe(2);
    expect(feed.counts.dropped).toMatchObject({ out_of_order: 1, seeded: 0 });
  });

  it('a hold in the middle keeps back what comes from then on, and nothing that was released before', async () => {
    feed.hold();
    for (let i = 1; i <= 3; i++) feed.frames([route(1_700_000_001, i)], NOW + i);
    feed.release();
    feed.frames([route(1_700_000_001, 4)], NOW + 4);
    feed.hold();
    feed.frames([route(1_700_000_001, 5)], NOW + 5);
    let told = false;
    void feed.applied(new AbortController().signal).then(() => {
      told = true;
    });
    expect(feed.holding).toBe(true);
    turns.all();
    expect([monitored().announcements, hops(), feed.holding]).toEqual([4, 4, true]);
    await Promise.resolve();
    expect(told).toBe(true);
    feed.frames([route(1_700_000_001, 6)], NOW + 6);
    expect(feed.release()).toBe(true);
    expect(hops()).toBe(5);
    turns.all();
    expect([monitored().announcements, hops()]).toEqual([6, 6]);
  });

  it('a release, a hold and a release before the first turn lose nothing and keep the order', () => {
    feed.hold();
    for (let i = 1; i <= 3; i++) feed.frames([route(1_700_000_001, i)], NOW + i);
    feed.release();
    feed.hold();
    feed.frames([withdraw(1, 1_700_000_001)], NOW + 4);
    feed.release();
    feed.hold();
    feed.frames([route(1_700_000_001, 5)], NOW + 5);
    feed.release();
    turns.all();
    expect([monitored().announcements, monitored().withdrawals, hops()]).toEqual([4, 1, 5]);
    expect(feed.counts.dropped).toMatchObject({ hold_overflow: 0, out_of_order: 0, seeded: 0 });
  });

  it('makes room for what comes meanwhile: live frames are never lost', () => {
    feed.hold();
    for (let i = 1; i <= 8; i++) feed.frames([route(1_700_000_001, i)], NOW + i);
    feed.release();
    for (let i = 9; i <= 30; i++) feed.frames([route(1_700_000_001, i)], NOW + i);
    expect(monitored().announcements).toBeGreaterThanOrEqual(22);
    turns.all();
    expect([monitored().announcements, hops(), feed.counts.dropped.hold_overflow]).toEqual([30, 30, 0]);
  });

  it('makes room for what is held meanwhile, until only that is left: then it overflows, and the next release says so', () => {
    feed.hold();
    for (let i = 1; i <= 8; i++) feed.frames([route(1_700_000_001, i)], NOW + i);
    expect(feed.release()).toBe(true);
    feed.hold();
    for (let i = 9; i <= 18; i++) feed.frames([route(1_700_000_001, i)], NOW + i);
    expect([monitored().announcements, feed.counts.dropped.hold_overflow]).toEqual([8, 2]);
    expect(feed.release()).toBe(false);
    turns.all();
    expect([monitored().announcements, hops()]).toEqual([16, 16]);
  });

  it('a packet of thousands of tiny frames is spread over turns, in its order', () => {
    feed = newFeed({ frames: 10_000, bytes: 100_000 });
    const broken = Array.from({ length: 3_000 }, () => Buffer.from('{'));
    feed.frames([...broken, announce(1, 1_700_000_001)], NOW);
    feed.frames([withdraw(1, 1_700_000_002)], NOW + 1);
    expect(feed.decodeFailures.invalid_json).toBeLessThan(200);
    expect(table.routes).toBe(0);
    turns.all();
    expect(feed.decodeFailures.invalid_json).toBe(3_000);
    expect([monitored().announcements, monitored().withdrawals, table.routes]).toEqual([1, 1, 0]);
  });

  it('many large frames that come together are spread over turns', () => {
    feed = newFeed({ frames: 10_000, bytes: 100_000_000 });
    const foreign = Array.from({ length: 1_200 }, (_, i) => `203.${i >> 8}.${i & 255}.0/24`).join();
    const records = Array.from({ length: 64 }, () => frame(1, 1_700_000_001, { withdraws: foreign }));
    expect(Math.max(...records.map(({ length }) => length))).toBeLessThan(32 * 1024);
    feed.frames(records, NOW);
    expect(feed.counts.unmonitoredPrefixes).toBeLessThan(10 * 1_200);
    turns.all();
    expect(feed.counts.unmonitoredPrefixes).toBe(64 * 1_200);
  });

  it('a live frame over the bound in bytes is applied all the same', () => {
    feed = newFeed({ frames: 8, bytes: 10 });
    feed.frames([...Array.from({ length: 600 }, () => Buffer.from('{}')), route(1_700_000_001, 3)], NOW);
    turns.all();
    expect([hops(), feed.counts.dropped.hold_overflow]).toEqual([3, 0]);
  });

  it('what is applied may lead to another release: no frame is applied inside another', () => {
    turns.lookMs = 0;
    const seen: number[] = [];
    feed = new SessionFeed({
      ...{ session: 0, stream: feed.stream, decoder: new BgproutesDecoder(new TableIds(table)), fold: new Fold(table) },
      ...{ logger, turns },
      onUnmonitored: (_, receivedAtMs) => {
        feed.hold();
        feed.release();
        seen.push(receivedAtMs - NOW);
      },
    });
    feed.hold();
    for (let i = 1; i <= 3; i++) {
      feed.frames([frame(1, 1_700_000_001, { prefixes: '203.0.113.0/24', 'as-path': '64601' })], NOW + i);
    }
    feed.release();
    expect(seen).toEqual([1, 2, 3]);
  });
});

it('every frame is counted by what became of it', () => {
  feed.frames([Buffer.from('{')], NOW);
  feed.frames([Buffer.from('[]')], NOW);
  feed.frames([Buffer.from([0xff, 0xfe, 0x00])], NOW);
  feed.frames([frame(1, 1_700_000_001, { prefixes: '203.0.113.0/24', 'as-path': '64601 64500' })], NOW);
  expect(feed.decodeFailures).toMatchObject({ invalid_json: 2, not_an_object: 1 });
  expect(feed.counts.unmonitoredPrefixes).toBe(1);
});

it('the delay is receipt minus message time; a clock that is ahead gives 0 and, far ahead, the time of receipt', () => {
  feed.frames([announce(1, NOW / 1000 - 7)], NOW);
  expect(feed.delay).toMatchObject({ count: 1, sum: 7 });
  feed.frames([announce(2, NOW / 1000 + 2)], NOW);
  expect(feed.delay).toMatchObject({ count: 2, sum: 7 });
  expect(feed.counts.futureTimestamps).toBe(0);
  feed.frames([announce(3, NOW / 1000 + 3_600)], NOW);
  expect(feed.counts.futureTimestamps).toBe(1);
  feed.frames([frame(3, NOW / 1000 + 1, { withdraws: PREFIX })], NOW + 2_000);
  expect(table.routes).toBe(2);
});

it('the canary is a sign of life', () => {
  feed.frames([frame(1, 1_700_000_001, { prefixes: CANARY, 'as-path': '64601 12654' })], NOW);
  expect(feed.canaryAtMs).toBe(NOW);
  feed.frames([frame(1, 1_700_000_002, { withdraws: CANARY })], NOW + 5);
  expect(feed.canaryAtMs).toBe(NOW + 5);
});

it('the canary was asked for: it is neither unmonitored nor in the table', () => {
  const both = { prefixes: `${CANARY},203.0.113.0/24`, 'as-path': '64601 12654' };
  feed.frames([frame(1, 1_700_000_001, both)], NOW);
  feed.frames([frame(1, 1_700_000_002, { withdraws: CANARY })], NOW);
  expect([feed.counts.unmonitoredPrefixes, table.routes]).toEqual([1, 0]);
});

it('the names of the keys of a withdrawal without prefixes are told once, never a value', () => {
  for (let i = 0; i < 3; i++) feed.frames([frame(1, 1_700_000_001, { gone: 'secret value' })], NOW);
  const told = logger.lines.filter((line) => line.message.includes('no readable prefix'));
  expect(told).toHaveLength(1);
  expect(told[0].fields).toMatchObject({ keys: 'record_type vp sec gone' });
  expect(feed.decodeFailures.withdrawal_without_prefix).toBe(3);
});

it('withdrawn prefixes under a key that nobody documented are applied, and the key is told once', () => {
  feed.frames([announce(1, 1_700_000_001)], NOW);
  feed.frames([frame(1, 1_700_000_002, { gone: PREFIX })], NOW);
  feed.frames([frame(1, 1_700_000_003, { gone: PREFIX })], NOW);
  expect(table.routes).toBe(0);
  expect(logger.lines.filter((line) => line.fields.key === 'gone')).toHaveLength(1);
});

describe('clocks of senders', () => {
  /** The table as a history left it two minutes before NOW: three VPs hold the route. */
  function seedAll(): void {
    const state = table.prefixes.find(PREFIX);
    if (state === undefined) throw new Error('no state');
    for (const i of [1, 2, 3]) {
      const path = table.paths.intern(`6460${i} 64500`, 64_600 + i);
      if (path === undefined) throw new Error('no path');
      const vp = table.vps.add({ protocol: 'bgp', asn: 64_600 + i, ip: `198.51.100.${i}` });
      table.seedRoute(state, vp, path, 0, (NOW - 120_000) * 1000);
    }
  }
  const origins = () => Object.fromEntries(table.prefixes.find(PREFIX)!.monitored!.origins.entries());

  it('what comes live after the time of a seed is newer than it, whatever its sender stamps', () => {
    seedAll();
    feed.frames([frame(1, 0, { withdraws: PREFIX })], NOW);
    feed.frames([frame(2, NOW / 1000 - 3_600, { withdraws: PREFIX })], NOW);
    feed.frames([frame(3, NOW / 1000 - 600, { prefixes: PREFIX, 'as-path': '64603 64666' })], NOW);
    expect([table.routes, origins()]).toEqual([1, { 64666: 1 }]);
    expect(feed.counts).toMatchObject({ untimed: 1, slowClocks: 2, futureTimestamps: 0 });
    expect(feed.counts.dropped).toMatchObject({ out_of_order: 0, seeded: 0 });
    // The histogram shows lateness, not clocks.
    expect(feed.delay).toMatchObject({ count: 2, sum: 0 });
  });

  it('and stays newer than what a later comparison says of a time before it', () => {
    seedAll();
    feed.frames([frame(2, NOW / 1000 - 3_600, { withdraws: PREFIX })], NOW);
    const state = table.prefixes.find(PREFIX)!;
    const vp = table.vps.find({ protocol: 'bgp', asn: 64_602, ip: '198.51.100.2' });
    const path = table.paths.intern('64602 64500', 64_602)!;
    expect(table.seedRoute(state, vp, path, 0, (NOW - 60_000) * 1000)).toBe('newer');
    expect(table.seedRoute(state, vp, path, 0, (NOW + 60_000) * 1000)).toBe('corrected');
  });

  it('among themselves messages of a slow clock are in the order of their stamps', () => {
    seedAll();
    feed.frames([frame(2, NOW / 1000 - 3_600, { withdraws: PREFIX })], NOW);
    feed.frames([frame(2, NOW / 1000 - 3_700, { prefixes: PREFIX, 'as-path': '64602 64500' })], NOW);
    expect([table.routes, feed.counts.dropped.out_of_order]).toEqual([2, 1]);
    feed.frames([frame(2, 0, { prefixes: PREFIX, 'as-path': '64602 64501' })], NOW + 5_000);
    feed.frames([frame(2, NOW / 1000 - 3_590, { withdraws: PREFIX })], NOW + 10_000);
    expect([table.routes, feed.counts.dropped.out_of_order]).toEqual([2, 1]);
  });

  it('a stream that is late as a whole keeps its stamps: what is older than the seed is older', () => {
    for (const i of [4, 5, 6]) feed.frames([announce(i, NOW / 1000 - 600)], NOW);
    seedAll();
    feed.frames([frame(1, NOW / 1000 - 600, { withdraws: PREFIX })], NOW + 1_000);
    feed.frames([frame(2, NOW / 1000 - 601, { withdraws: PREFIX })], NOW + 1_000);
    expect([table.routes, feed.counts.dropped.out_of_order]).toEqual([6, 2]);
    expect(feed.delay.sum).toBeGreaterThan(1_800);
  });
});
