import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PrefixState } from '../../../src/table/prefixes/prefix-state.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import {
  checkSnapshot,
  encodeSnapshot,
  restoreSnapshot,
  type SnapshotMeta,
} from '../../../src/table/snapshot/snapshot.ts';
import { COUNTERS } from '../../../src/table/snapshot/snapshot-check.ts';
import { runs } from '../../support/property-runs.ts';
import {
  keptCounters,
  keptOverall,
  keptTotals,
  recountedOverall,
  recountedTotals,
  routesOf,
} from '../../support/table-recount.ts';
import {
  contains,
  op,
  options,
  START_MS,
  World,
  watchedOf,
  watchedPrefix,
  watchSet,
} from '../../support/table-world.ts';

const META: SnapshotMeta = {
  createdAtMs: START_MS,
  completeUntil: { '198.51.100.0/24': START_MS - 1 },
  final: true,
};

const encode = (table: RoutingTable, meta = META) => Buffer.concat([...encodeSnapshot(table, meta)]);

function restored(bytes: Buffer, into: RoutingTable, nowMs = Number.MAX_SAFE_INTEGER): RoutingTable {
  const snapshot = checkSnapshot(bytes);
  if (!snapshot.ok) throw new Error(snapshot.reason);
  restoreSnapshot(into, snapshot, nowMs);
  return into;
}

/** What a restart must not change. Full feeds are read anew from the Data API, so they are not in a snapshot. */
function lasting(table: RoutingTable) {
  return {
    routes: routesOf(table),
    paths: table.paths.size,
    monitored: [...table.prefixes.monitored()].map((one) => {
      const { visiblePartial: _, moreSpecifics: __, ...totals } = keptTotals(table, one);
      return {
        prefix: one.state.prefix.text,
        sinceMs: one.sinceMs,
        ...totals,
        ...keptCounters(one),
        lengths: [...one.announcedLengths],
      };
    }),
    moreSpecifics: [...table.prefixes.moreSpecifics()]
      .filter((one) => one.visible > 0)
      .map((one) => one.prefix.text)
      .sort(),
  };
}

function expectTotalsCount(table: RoutingTable): void {
  expect(keptOverall(table)).toEqual(recountedOverall(table));
  for (const one of table.prefixes.monitored()) {
    const { moreSpecifics: _, ...totals } = keptTotals(table, one);
    expect(totals).toEqual(recountedTotals(table, one.state));
  }
}

const sequence = fc.record({ options, first: watchSet, ops: fc.array(op, { maxLength: 50, size: 'max' }) });

describe('a table that was written and read again', () => {
  it('has the same routes, totals, counters and paths, whatever came before', () => {
    fc.assert(
      fc.property(sequence, ({ options, first, ops }) => {
        const world = new World(options, undefined);
        world.table.watch(watchedOf(first), START_MS);
        for (const one of ops) world.run(one);
        const again = new RoutingTable(options);
        again.watch(
          [...world.table.prefixes.monitored()].map((one) => one.watched),
          world.nowMs,
        );
        restored(encode(world.table), again);
        expect(lasting(again)).toEqual(lasting(world.table));
        expectTotalsCount(again);
      }),
      runs(80),
    );
  });

  it('goes on as the other would have: the same events lead to the same routes', () => {
    fc.assert(
      fc.property(sequence, fc.array(op, { maxLength: 20, size: 'max' }), ({ options, first, ops }, later) => {
        const one = new World({ ...options, maxMoreSpecifics: 256, maxVps: 1000 }, undefined);
        one.table.watch(watchedOf(first), START_MS);
        for (const each of ops) one.run(each);
        const other = new World(one.table.options, undefined);
        other.nowMs = one.nowMs;
        other.table.watch(
          [...one.table.prefixes.monitored()].map((each) => each.watched),
          one.nowMs,
        );
        restored(encode(one.table), other.table);
        // Only what is in order: of a VP without a route the time of its last word is not in a snapshot. A VP that is down is not, either.
        const inOrder = later.filter((each) => each.do === 'message' && each.offset === 0);
        for (const world of [one, other]) {
          world.run({ do: 'wait', seconds: 10_000 });
          for (const each of inOrder) world.run(each);
        }
        expect(routesOf(other.table)).toEqual(routesOf(one.table));
        expectTotalsCount(other.table);
      }),
      runs(50),
    );
  });

  it('is read into another configuration as far as that goes', () => {
    fc.assert(
      fc.property(sequence, watchSet, options, ({ options, first, ops }, which, others) => {
        const world = new World({ ...options, maxMoreSpecifics: 256 }, undefined);
        world.table.watch(watchedOf(first), START_MS);
        for (const one of ops) world.run(one);
        const again = new RoutingTable(others);
        again.watch(watchedOf(which), START_MS);
        restored(encode(world.table), again);
        expectTotalsCount(again);
        const known = new Set(routesOf(world.table));
        expect(routesOf(again).filter((route) => !known.has(route))).toEqual([]);
        // What is still asked for is there, or was counted.
        const asked = watchedOf(which).map(({ prefix }) => prefix.text);
        const wanted = [...world.table.prefixes.states()].filter(({ prefix: { text } }) =>
          asked.some((outer) => outer === text || contains(outer, text)),
        );
        const dropped = again.droppedRoutes.vp_limit + again.droppedRoutes.more_specific_limit;
        expect(again.routes + dropped).toBe(wanted.reduce((sum, state) => sum + state.visible, 0));
      }),
      runs(80),
    );
  });

  it('counts from 0 when it may have counted on after that: no counter comes back lower than it was scraped', () => {
    const watched = [watchedPrefix('198.51.100.0/24')];
    const table = new RoutingTable();
    table.watch(watched, START_MS);
    const vp = table.vps.add({ protocol: 'bgp', asn: 64496, ip: '192.0.2.1' });
    const state = table.prefixes.find('198.51.100.0/24') as PrefixState;
    const path = table.paths.intern('64496 64500', 64496) as number;
    table.announce(state, vp, path, 1, START_MS * 1000, START_MS);
    for (const final of [false, undefined]) {
      const again = new RoutingTable();
      again.watch(watched, START_MS + 60_000);
      restored(encode(table, { ...META, final }), again);
      expect(routesOf(again)).toEqual(routesOf(table));
      const monitored = [...again.prefixes.monitored()][0];
      expect(keptCounters(monitored)).toMatchObject({
        ...{ announcements: 0, gains: 0, announcedLengthSum: 0 },
        lastAnnouncementUs: START_MS * 1000,
      });
      expect([monitored.sinceMs, monitored.announcedLengths.every((count) => count === 0)]).toEqual([
        START_MS + 60_000,
        true,
      ]);
    }
  });

  it('keeps the routes of a more-specific that takes the room of one that nobody holds', () => {
    const watched = [watchedPrefix('198.51.100.0/24')];
    const table = new RoutingTable();
    table.watch(watched, START_MS);
    const vp = table.vps.add({ protocol: 'bgp', asn: 64496, ip: '192.0.2.1' });
    const states = ['198.51.100.0/25', '198.51.100.128/25'].map((text) => table.prefixes.resolve(text, true));
    const path = table.paths.intern('64496 64500', 64496);
    table.announce(states[1] as PrefixState, vp, path as number, 1, START_MS * 1000, START_MS);
    const again = new RoutingTable({ maxMoreSpecifics: 1 });
    again.watch(watched, START_MS);
    expect(routesOf(restored(encode(table), again))).toEqual(routesOf(table));
  });

  it('does not give the route of a VP to the one whose number it got while the VPs were written', () => {
    const watched = [watchedPrefix('198.51.100.0/24')];
    const table = new RoutingTable({ maxVps: 1 });
    table.watch(watched, START_MS);
    table.hear(table.addVp({ protocol: 'bgp', asn: 64_496, ip: '192.0.2.1' }), START_MS);
    const chunks: Buffer[] = [];
    for (const chunk of encodeSnapshot(table, META)) {
      chunks.push(chunk);
      if (chunks.length !== 3) continue; // head, meta, VPs
      const vp = table.addVp({ protocol: 'bgp', asn: 64_497, ip: '192.0.2.2' });
      const path = table.paths.intern('64497 64500', 64_497) as number;
      table.announce(table.prefixes.find('198.51.100.0/24')!, vp, path, 1, START_MS * 1000, START_MS);
    }
    expect(table.routes).toBe(1);
    const again = new RoutingTable({ maxVps: 1 });
    again.watch(watched, START_MS);
    expect(routesOf(restored(Buffer.concat(chunks), again))).toEqual([]);
  });

  it('may go on while it is written: what is read is sound, and each of its routes was held at some time', () => {
    fc.assert(
      fc.property(sequence, ({ options, first, ops }) => {
        const world = new World(options, undefined);
        world.table.watch(watchedOf(first), START_MS);
        const half = ops.length >> 1;
        for (const one of ops.slice(0, half)) world.run(one);
        const held = new Set(routesOf(world.table));
        const chunks: Buffer[] = [];
        const rest = ops.slice(half);
        for (const chunk of encodeSnapshot(world.table, META)) {
          chunks.push(chunk);
          const next = rest.shift();
          if (next !== undefined) world.run(next);
          for (const route of routesOf(world.table)) held.add(route);
        }
        const again = new RoutingTable(options);
        again.watch(
          [...world.table.prefixes.monitored()].map((one) => one.watched),
          world.nowMs,
        );
        restored(Buffer.concat(chunks), again);
        expectTotalsCount(again);
        expect(routesOf(again).filter((route) => !held.has(route))).toEqual([]);
      }),
      runs(80),
    );
  });
});

describe('bytes that are no whole snapshot', () => {
  const whole = (() => {
    const world = new World({}, undefined);
    world.table.watch(watchedOf([0, 0, 0, 0, 0, 0]), START_MS);
    for (const [vp, path] of [1, 6, 9, 7].entries())
      world.run({
        do: 'message',
        vp,
        announced: [0, 1, 6, 4],
        withdrawn: [],
        path,
        attributes: '',
        offset: 0,
        session: 0,
        seeding: false,
      });
    return encode(world.table);
  })();

  it('are refused when any byte is another', () => {
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 0x41;
      expect([at, checkSnapshot(bytes).ok]).toEqual([at, false]);
    }
  });

  it('are refused when they end anywhere before the end, or go on after it', () => {
    for (let length = 0; length < whole.length; length++) {
      const check = checkSnapshot(whole.subarray(0, length));
      expect([length, check]).toEqual([length, { ok: false, reason: 'truncated' }]);
    }
    expect(checkSnapshot(Buffer.concat([whole, Buffer.from('x')]))).toEqual({ ok: false, reason: 'corrupt' });
    expect(checkSnapshot(whole)).toMatchObject({ ok: true, meta: META });
  });

  it.each([
    ['another program’s file', Buffer.from('SQLite format 3\0 and so on and on and on'), 'foreign'],
    ['nothing', Buffer.alloc(0), 'truncated'],
    [
      'another version',
      Buffer.concat([whole.subarray(0, 16), Buffer.from([9, 0, 0, 0]), whole.subarray(20)]),
      'version',
    ],
  ])('%s', (_, bytes, reason) => expect(checkSnapshot(bytes)).toEqual({ ok: false, reason }));

  it('but with a checksum that is right are refused, or give a table whose numbers add up', () => {
    let used = 0;
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(whole.length - 33), byte: fc.nat(255) }), { minLength: 1, maxLength: 3 }),
        (changes) => {
          const bytes = Buffer.from(whole);
          for (const { at, byte } of changes) bytes[20 + at] = byte;
          bytes.writeUInt32LE(crc32(bytes.subarray(0, -12)), bytes.length - 4);
          const check = checkSnapshot(bytes);
          if (!check.ok) return;
          used++;
          const table = new RoutingTable();
          table.watch(watchedOf([0, 0, 0, 0, 0, 0]), START_MS);
          restoreSnapshot(table, check, START_MS);
          expectTotalsCount(table);
        },
      ),
      runs(3_000),
    );
    expect(used).toBeGreaterThan(0);
  });

  it('never throw, whatever they are', () => {
    const start = whole.subarray(0, 20);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, headed) => {
        expect(checkSnapshot(headed ? Buffer.concat([start, bytes]) : Buffer.from(bytes)).ok).toBe(false);
      }),
      runs(500),
    );
  });
});

it('a new number of a monitored prefix is either in the snapshot or known not to belong there', () => {
  const table = new RoutingTable();
  table.watch([watchedPrefix('198.51.100.0/24')], START_MS);
  const [monitored] = table.prefixes.monitored();
  const names = [...Object.keys(monitored), ...Object.getOwnPropertyNames(Object.getPrototypeOf(monitored))];
  const numbers = names.filter((name) => typeof monitored[name as keyof typeof monitored] === 'number');
  const window = ['sinceMs', 'watchedSinceMs', 'stoodStillMs', 'sweptAtMs'];
  const totals = [
    'expected',
    'visiblePartial',
    'lengthSum',
    'prepended',
    'unlisted',
    'current',
    'kept',
    'trustedBy',
    'firstSession',
  ];
  expect(numbers.toSorted()).toEqual([...COUNTERS, ...window, ...totals].toSorted());
});
