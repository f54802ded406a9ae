import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expectedVps } from '../../src/table/vps/denominator.ts';
import { runs } from '../support/property-runs.ts';
import { keyOf, type ModelOptions, TableModel } from '../support/table-model.ts';
import { keptCounters, keptOverall, keptTotals, recountedOverall, recountedTotals } from '../support/table-recount.ts';
import {
  contains,
  type Op,
  op,
  options,
  PREFIXES,
  START_MS,
  VPS,
  World,
  watchedOf,
  watchSet,
} from '../support/table-world.ts';

function expectTotalsCount(world: World): void {
  const { table } = world;
  expect(keptOverall(table)).toEqual(recountedOverall(table));
  for (const monitored of table.prefixes.monitored()) {
    const { moreSpecifics, ...kept } = keptTotals(table, monitored);
    expect(kept).toEqual(recountedTotals(table, monitored.state));
    for (const text of moreSpecifics) expect(table.prefixes.find(text)?.parents).toContain(monitored);
  }
  for (const outer of table.prefixes.monitored()) {
    const unlisted = [...table.prefixes.moreSpecifics()].filter(
      ({ prefix: { text }, parents }) => contains(outer.state.prefix.text, text) && !parents.includes(outer),
    );
    expect(outer.unlisted).toBe(unlisted.length);
  }
  for (const state of table.prefixes.moreSpecifics()) {
    expect(state.visible).toBe(recountedTotals(table, state).visible);
    expect(state.parents.length).toBeGreaterThan(0);
  }
}

function expectSameAsModel(world: World, model: TableModel): void {
  const { table, counts } = world;
  const { paths, routes, prefixes, vps, vpsByProtocol, fullFeedVps } = model.overall();
  const known = [...Array(table.vps.end).keys()].flatMap((vp) => table.vps.get(vp) ?? []);
  expect({
    ...{ paths: table.paths.size, routes: table.routes },
    prefixes: [...table.prefixes.states()].map((state) => state.prefix.text).sort(),
    vps: known.map(keyOf).sort(),
    ...{ vpsByProtocol: { ...table.vpsByProtocol }, fullFeedVps: { ...table.fullFeedVps } },
  }).toEqual({ paths, routes, prefixes, vps, vpsByProtocol, fullFeedVps });
  expect({ ...counts.dropped }).toEqual(model.drops);
  expect(table.droppedRoutes).toEqual({
    vp_limit: 0,
    more_specific_limit: model.displacedRoutes,
    path_limit: 0,
  });
  expect(counts.unmonitoredPrefixes).toBe(model.unmonitoredPrefixes);
  expect(counts.futureTimestamps).toBe(model.futureTimestamps);

  const monitored = [...table.prefixes.monitored()];
  expect(monitored.map((one) => one.state.prefix.text)).toEqual([...model.watched.keys()]);
  for (const one of monitored) {
    const { expectedFullFeed, counters, ...totals } = model.totals(one.state.prefix.text);
    expect(keptTotals(table, one)).toEqual(totals);
    expect(keptCounters(one)).toEqual(counters);
    expect(one.announcedLengths.reduce((sum, count) => sum + count, 0)).toBe(one.announcements);
    const countsFullFeeds = table.options.expectedVps === 'full_feed' && fullFeedVps[one.state.prefix.afi] > 0;
    const expected = countsFullFeeds ? Math.max(totals.expected, expectedFullFeed) : totals.expected;
    expect(expectedVps(table, one)).toBe(expected);
    expect(one.state.visible).toBeLessThanOrEqual(expected);
  }
  for (const [prefix, row] of model.rows) {
    const state = table.prefixes.find(prefix)!;
    for (const of of VPS) {
      const vp = table.vps.find(of);
      const cell = vp === -1 ? -1 : table.cells.find(state, vp);
      const expected = row.cells.get(keyOf(of));
      const real = cell === -1 ? 0 : table.cells.path(cell);
      expect(real === 0 ? undefined : table.paths.text(real)).toBe(expected?.path?.canonical);
      expect(cell === -1 ? 0 : table.cells.time(cell)).toBe(expected?.timeUs ?? 0);
    }
  }
}

const sequence = fc.record({
  options,
  first: watchSet,
  ops: fc.array(op, { maxLength: 60, size: 'max' }),
  fillers: fc.constantFrom(0, 62),
});
type Sequence = typeof sequence extends fc.Arbitrary<infer S> ? S : never;

function start({ options, first, fillers }: Sequence, model: TableModel | undefined): World {
  const world = new World(options, model);
  // VPs that never speak push the others over the border of a block of cells.
  for (let i = 0; i < fillers && options.maxVps > fillers; i++)
    world.table.vps.add({ protocol: 'bgp', asn: 64510, ip: `203.0.113.${i}` });
  world.table.watch(watchedOf(first), START_MS);
  return world;
}

const modelOptions = ({
  maxVps,
  maxMoreSpecifics,
  expectedWindowMs,
  routeTtlMs,
}: Sequence['options']): ModelOptions => ({
  ...{ maxVps, maxMoreSpecifics, windowMs: expectedWindowMs, ttlMs: routeTtlMs },
});

it('is, after any sequence of events, what a plain map of maps is', () => {
  fc.assert(
    fc.property(sequence, (of) => {
      const model = new TableModel(modelOptions(of.options), contains);
      const world = start({ ...of, fillers: 0 }, model);
      model.watch(watchedOf(of.first), START_MS);
      for (const one of of.ops) {
        const [said, expected] = world.run(one);
        expect(said).toBe(expected);
      }
      expectSameAsModel(world, model);
      expectTotalsCount(world);
    }),
    runs(400),
  );
});

it('is so after each single step too', () => {
  fc.assert(
    fc.property(sequence, (of) => {
      const model = new TableModel(modelOptions(of.options), contains);
      const world = start({ ...of, fillers: 0 }, model);
      model.watch(watchedOf(of.first), START_MS);
      for (const one of of.ops.slice(0, 25)) {
        world.run(one);
        expectSameAsModel(world, model);
      }
    }),
    runs(40),
  );
});

it('keeps totals that a recount gives, also with sweeps in slices', () => {
  fc.assert(
    fc.property(sequence, (of) => {
      const world = start(of, undefined);
      for (const one of of.ops) {
        world.run(one);
        expect(world.table.routes).toBe(recountedOverall(world.table).routes);
      }
      expectTotalsCount(world);
    }),
    runs(250),
  );
});

it('is empty again when all is withdrawn, whatever came before: no path or cell is left behind, nor a VP once nothing is monitored', () => {
  fc.assert(
    fc.property(sequence, (of) => {
      const world = start(of, undefined);
      for (const one of of.ops) world.run(one);
      const later = { do: 'wait', seconds: 10_000 } as const;
      world.run(later);
      const all = PREFIXES.map((_, i) => i);
      const withdrawal = (vp: number, session: number): Op => ({
        ...{
          do: 'message',
          vp,
          announced: [],
          withdrawn: all,
          path: 0,
          attributes: '',
          offset: 0,
          session,
          seeding: false,
        },
      });
      for (const vp of VPS.keys()) for (const session of [0, 1]) world.run(withdrawal(vp, session));
      for (const vp of VPS.keys()) world.run({ do: 'fullFeed', vp, ipv4: false, ipv6: false });
      const { table } = world;
      expect(table.routes).toBe(0);
      expect(table.paths.size).toBe(0);
      for (const one of table.prefixes.monitored())
        expect(keptTotals(table, one)).toMatchObject({
          ...{ visible: 0, origins: {}, upstreams: {}, lengths: {}, lengthSum: 0, prepended: 0, visiblePartial: 0 },
        });
      // Prefixes that nobody sees keep their denominator until they leave the configuration.
      table.watch([], world.nowMs);
      world.run(later);
      while (!table.sweep(world.nowMs, 3));
      for (const vp of VPS.keys()) world.run({ do: 'up', vp });
      world.run(later);
      while (!table.sweep(world.nowMs, 3));
      while (!table.sweep(world.nowMs, 3));
      expect(table.vps.size).toBe(0);
      expect(table.vpsByProtocol).toEqual({ bgp: 0, bmp: 0 });
      expect([...table.prefixes.states()]).toEqual([]);
    }),
    runs(150),
  );
});
