import { describe, expect, it } from 'vitest';
import type { VantagePoint } from '../../src/bgp/vantage-point.ts';
import { PrefixView } from '../../src/metrics/views/prefix-view.ts';
import { Fold, FoldCounts, type LateReason } from '../../src/table/fold.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import type { TableOptions } from '../../src/table/table-options.ts';
import { keptCounters, keptTotals, routesOf } from '../support/table-recount.ts';
import { watchedPrefix } from '../support/table-world.ts';

const NOW = 1_700_000_000_000;
const A: VantagePoint = { protocol: 'bgp', asn: 64496, ip: '192.0.2.1' };
const B: VantagePoint = { protocol: 'bgp', asn: 64497, ip: '192.0.2.2' };

interface Said {
  readonly vp?: VantagePoint;
  /** Seconds after NOW. */
  readonly at?: number;
  readonly announced?: readonly string[];
  readonly withdrawn?: readonly string[];
  readonly path?: string;
  readonly communities?: string;
  readonly nextHop?: string;
  readonly session?: number;
  readonly late?: LateReason;
}

/** A table that monitors some prefixes, each answered for by a session. */
function world(watched: Readonly<Record<string, number>>, options: TableOptions = {}) {
  const table = new RoutingTable(options);
  const fold = new Fold(table);
  const counts = new FoldCounts();
  table.watch(
    Object.entries(watched).map(([text, session]) => watchedPrefix(text, { sessions: [session] })),
    NOW,
  );
  const say = ({
    vp = A,
    at = 0,
    announced = [],
    withdrawn = [],
    path = '64501 64500',
    communities = '',
    nextHop = '',
    session = 0,
    late,
  }: Said) =>
    fold.apply(
      {
        ...{ vp, timeUs: (NOW + at * 1000) * 1000, withdrawn, announced },
        ...(announced.length > 0 && { attributes: { asPath: path, communities, nextHop, originAttribute: 'IGP' } }),
      },
      session,
      counts,
      NOW + Math.max(0, at) * 1000,
      late,
    );
  const monitored = (text: string) => table.prefixes.find(text)!.monitored!;
  return {
    table,
    counts,
    say,
    monitored,
    counters: (text: string) => keptCounters(monitored(text)),
    totals: (text: string) => keptTotals(table, monitored(text)),
  };
}

const P = '198.51.100.0/24';

describe('what an announcement is', () => {
  it('a gain at a VP that held no route', () => {
    const { say, counters, totals } = world({ [P]: 0 });
    say({ announced: [P] });
    expect(counters(P)).toMatchObject({ announcements: 1, gains: 1, repeats: 0, pathChanges: 0 });
    expect(totals(P)).toMatchObject({ visible: 1, expected: 1, origins: { 64500: 1 }, upstreams: { 64501: 1 } });
  });

  it('a repeat when it equals the route held, which is no change', () => {
    const { say, counters } = world({ [P]: 0 });
    for (const at of [0, 1, 2]) say({ at, announced: [P], communities: '64500:1' });
    expect(counters(P)).toMatchObject({ announcements: 3, gains: 1, repeats: 2, pathChanges: 0, originChanges: 0 });
  });

  it('neither a repeat nor a path change when only other attributes differ', () => {
    const { say, counters } = world({ [P]: 0 });
    say({ announced: [P], communities: '64500:1' });
    say({ at: 1, announced: [P], communities: '64500:2' });
    say({ at: 2, announced: [P], communities: '64500:2', nextHop: '192.0.2.1' });
    expect(counters(P)).toMatchObject({ announcements: 3, gains: 1, repeats: 0, pathChanges: 0 });
  });

  it('a path change, and an origin change too when the origin differs', () => {
    const { say, counters } = world({ [P]: 0 });
    say({ announced: [P], path: '64501 64500' });
    say({ at: 1, announced: [P], path: '64502 64500' });
    say({ at: 2, announced: [P], path: '64502 64510' });
    say({ at: 3, announced: [P], path: '64502  64510' });
    expect(counters(P)).toMatchObject({ gains: 1, pathChanges: 2, originChanges: 1, repeats: 1 });
  });

  it('no change of origin between a set and the same set in another order', () => {
    const { say, counters } = world({ [P]: 0 });
    say({ announced: [P], path: '64501 {64510,64511}' });
    say({ at: 1, announced: [P], path: '64502 {64511,64510}' });
    expect(counters(P)).toMatchObject({ pathChanges: 1, originChanges: 0 });
  });

  it('counts the VP as origin where the path gives none', () => {
    const { say, totals } = world({ [P]: 0 });
    say({ vp: A, announced: [P], path: '' });
    say({ vp: B, announced: [P], path: '' });
    expect(totals(P)).toMatchObject({ origins: { 64496: 1, 64497: 1 }, upstreams: {}, lengths: { 0: 2 } });
  });
});

describe('what a withdrawal is', () => {
  it('a loss at a VP that held a route; the VP stays expected', () => {
    const { say, counters, totals } = world({ [P]: 0 });
    say({ announced: [P] });
    say({ at: 1, withdrawn: [P] });
    expect(counters(P)).toMatchObject({
      withdrawals: 1,
      losses: { withdrawn: 1, vp_down: 0, source_down: 0, expired: 0 },
    });
    expect(totals(P)).toMatchObject({ visible: 0, expected: 1, origins: {}, upstreams: {}, lengths: {}, lengthSum: 0 });
  });

  it('no loss at a VP that held no route, and the VP is not expected after it', () => {
    const { say, counters, totals } = world({ [P]: 0 });
    say({ withdrawn: [P] });
    expect(counters(P)).toMatchObject({ withdrawals: 1, losses: { withdrawn: 0 } });
    expect(totals(P)).toMatchObject({ visible: 0, expected: 0 });
  });

  it('first, where one message withdraws and announces', () => {
    const { say, table } = world({ [P]: 0, '203.0.113.0/24': 0 });
    say({ announced: ['203.0.113.0/24'] });
    say({ at: 1, withdrawn: ['203.0.113.0/24'], announced: [P] });
    expect(routesOf(table)).toEqual([expect.stringContaining(`${P} 64496_192.0.2.1`)]);
  });

  it('nothing, where the same message announces the prefix (RFC 4271 section 4.3)', () => {
    const { say, counters, totals } = world({ [P]: 0 });
    say({ announced: [P], path: '64501 64500' });
    say({ at: 1, withdrawn: [P], announced: [P], path: '64502 64500' });
    expect(totals(P)).toMatchObject({ visible: 1, upstreams: { 64502: 1 } });
    expect(counters(P)).toMatchObject({
      announcements: 2,
      withdrawals: 0,
      gains: 1,
      pathChanges: 1,
      losses: { withdrawn: 0 },
    });
  });
});

describe('times', () => {
  it('an older message changes nothing but a counter', () => {
    const { say, table, counts, counters, totals } = world({ [P]: 0 });
    say({ at: 10, announced: [P], path: '64501 64500' });
    const before = [counters(P), totals(P), routesOf(table)];
    say({ at: 9, announced: [P], path: '64502 64510' });
    say({ at: 5, withdrawn: [P] });
    expect([counters(P), totals(P), routesOf(table)]).toEqual(before);
    expect(counts.dropped.out_of_order).toBe(2);
    expect(table.paths.size).toBe(1);
  });

  it('an announcement older than the withdrawal stays out', () => {
    const { say, totals, counts } = world({ [P]: 0 });
    say({ at: 10, withdrawn: [P] });
    say({ at: 9, announced: [P] });
    expect(totals(P).visible).toBe(0);
    expect(counts.dropped.out_of_order).toBe(1);
  });

  it('of two messages of one time the later received holds', () => {
    const { say, totals } = world({ [P]: 0 });
    say({ announced: [P], path: '64501 64500' });
    say({ announced: [P], path: '64502 64500' });
    expect(totals(P).upstreams).toEqual({ 64502: 1 });
    say({ withdrawn: [P] });
    expect(totals(P).visible).toBe(0);
  });

  it('one VP being late does not concern another, nor another prefix', () => {
    const { say, counts } = world({ [P]: 0, '203.0.113.0/24': 0 });
    say({ vp: A, at: 10, announced: [P] });
    say({ vp: B, at: 5, announced: [P] });
    say({ vp: A, at: 5, announced: ['203.0.113.0/24'] });
    expect(counts.dropped.out_of_order).toBe(0);
  });

  it('what was held while seeding and is older than the seed counts apart, announced or withdrawn', () => {
    const { say, counts } = world({ [P]: 0 });
    say({ at: 10, announced: [P] });
    say({ at: 5, announced: [P], path: '64502 64500', late: 'seeded' });
    say({ at: 5, withdrawn: [P], late: 'seeded' });
    expect(counts.dropped).toMatchObject({ out_of_order: 0, seeded: 2 });
  });

  it('a clock that is more than two seconds ahead is not believed, or it would keep everything else out', () => {
    const { table, counts } = world({ [P]: 0 });
    const fold = new Fold(table);
    const attributes = { communities: '', nextHop: '', originAttribute: '' };
    const stamped = (aheadMs: number, asPath: string) => {
      const timeUs = (NOW + aheadMs) * 1000;
      fold.apply(
        { vp: A, timeUs, withdrawn: [], announced: [P], attributes: { ...attributes, asPath } },
        0,
        counts,
        NOW,
      );
    };
    stamped(2_001, '64501 64500');
    stamped(3_600_000, '64502 64500');
    expect(counts.futureTimestamps).toBe(2);
    const monitored = table.prefixes.find(P)!.monitored!;
    expect(monitored.lastAnnouncementUs).toBe(NOW * 1000);
    stamped(1_000, '64503 64500');
    stamped(2_000, '64504 64500');
    expect([counts.futureTimestamps, counts.dropped.out_of_order]).toEqual([2, 0]);
    expect(keptTotals(table, monitored).upstreams).toEqual({ 64504: 1 });
  });
});

describe('prefixes that nobody asked for, or that another session answers for', () => {
  it('count as unmonitored, and leave no route', () => {
    const { say, table, counts } = world({ [P]: 0 });
    say({ announced: ['198.51.101.0/24', '198.51.0.0/16', '0.0.0.0/0', '2001:db8::/32'], withdrawn: ['192.0.2.0/24'] });
    expect(counts.unmonitoredPrefixes).toBe(5);
    expect([table.routes, table.paths.size]).toEqual([0, 0]);
  });

  it('a VP that speaks only of those is heard all the same', () => {
    const { say, table } = world({ [P]: 0 });
    say({ announced: ['203.0.113.0/24'] });
    expect(table.vpsByProtocol).toEqual({ bgp: 1, bmp: 0 });
  });

  it('a less specific prefix is not the monitored one', () => {
    const { say, totals } = world({ [P]: 0 });
    say({ announced: ['198.51.0.0/16'] });
    expect(totals(P).visible).toBe(0);
  });

  it('of two nested monitored prefixes each speaks of itself', () => {
    const { say, totals } = world({ '198.51.0.0/16': 0, [P]: 0 });
    say({ announced: [P] });
    expect(totals(P).visible).toBe(1);
    expect(totals('198.51.0.0/16')).toMatchObject({ visible: 0, moreSpecifics: [] });
  });

  it('a more-specific belongs to every monitored prefix around it', () => {
    const { say, totals } = world({ '198.51.0.0/16': 0, [P]: 0 });
    say({ announced: ['198.51.100.128/25'] });
    expect(totals(P)).toMatchObject({ visible: 0, moreSpecifics: ['198.51.100.128/25'] });
    expect(totals('198.51.0.0/16').moreSpecifics).toEqual(['198.51.100.128/25']);
  });

  it('only the session of the nearest monitored prefix is heard, where two deliver the same', () => {
    const { say, table, counts, totals } = world({ '198.51.0.0/16': 0, [P]: 1 });
    say({ session: 0, announced: [P, '198.51.100.128/25', '198.51.7.0/24'], path: '64501 64500' });
    expect(routesOf(table).map((route) => route.split(' ')[0])).toEqual(['198.51.7.0/24']);
    expect(counts.dropped.other_session).toBe(2);
    say({ session: 1, announced: [P, '198.51.100.128/25', '198.51.0.0/16'], path: '64502 64500' });
    expect(routesOf(table).map((route) => route.split(' ')[0])).toEqual([P, '198.51.100.128/25', '198.51.7.0/24']);
    expect(counts.dropped.other_session).toBe(3);
    expect([totals(P).visible, totals('198.51.0.0/16').visible]).toEqual([1, 0]);
    say({ session: 0, withdrawn: [P] });
    expect(totals(P).visible).toBe(1);
  });

  it('a withdrawal of a more-specific that nobody announced yet is remembered: what is older stays out', () => {
    const { say, table, counts, totals } = world({ [P]: 0 });
    const inner = '198.51.100.128/25';
    say({ at: 10, withdrawn: [inner] });
    say({ at: 9, announced: [inner] });
    expect([table.routes, counts.dropped.out_of_order]).toEqual([0, 1]);
    say({ at: 11, announced: [inner] });
    expect([table.routes, totals(P).moreSpecifics]).toEqual([1, [inner]]);
  });

  it('a more-specific that was only withdrawn is forgotten like one that nobody holds any more', () => {
    const { say, table } = world({ [P]: 0 });
    say({ withdrawn: ['198.51.100.128/25'] });
    table.sweep(NOW + 600_000, 100);
    expect([...table.prefixes.moreSpecifics()]).toHaveLength(1);
    table.sweep(NOW + 600_001, 100);
    expect([...table.prefixes.moreSpecifics()]).toEqual([]);
  });
});

describe('bounds', () => {
  it('VPs: over the bound every event counts as dropped, those known go on', () => {
    const { say, table, counts } = world({ [P]: 0 }, { maxVps: 1 });
    say({ vp: A, announced: [P] });
    say({ vp: B, announced: [P, '198.51.100.0/25'], withdrawn: [P] });
    say({ vp: A, at: 1, announced: [P] });
    expect(counts.dropped.vp_limit).toBe(3);
    expect([table.vps.size, table.routes]).toEqual([1, 1]);
  });

  it('long AS paths: over their bytes announcements count as dropped, and a VP keeps its route', () => {
    const { say, table, counts, totals } = world({ [P]: 0 });
    const long = (i: number) => `${'4200000000 '.repeat(16_342)}${i} 64500`;
    say({ vp: B, announced: [P] });
    for (let i = 0; counts.dropped.path_limit === 0; i++) say({ announced: [`198.51.100.${i}/32`], path: long(i) });
    const { size } = table.paths;
    say({ vp: B, at: 1, announced: [P, '198.51.100.0/25'], path: long(999) });
    expect([counts.dropped.path_limit, table.paths.size, totals(P).upstreams]).toEqual([3, size, { 64501: 1 }]);
    say({ at: 1, withdrawn: ['198.51.100.0/32'] });
    say({ vp: B, at: 2, announced: [P], path: long(999) });
    expect([counts.dropped.path_limit, table.paths.size, totals(P).upstreams]).toEqual([3, size - 1, { 999: 1 }]);
  });

  it('more-specifics: over the bound they are dropped and counted, and the monitored prefix goes on', () => {
    const { say, table, counts, totals } = world({ [P]: 0 }, { maxMoreSpecifics: 2 });
    say({ announced: ['198.51.100.0/26', '198.51.100.64/26', '198.51.100.128/26', P] });
    expect(counts.dropped.more_specific_limit).toBe(1);
    expect(totals(P)).toMatchObject({ visible: 1, moreSpecifics: ['198.51.100.0/26', '198.51.100.64/26'] });
    expect(table.routes).toBe(3);
  });

  it('more-specifics that nobody holds any more make room', () => {
    const { say, counts, totals } = world({ [P]: 0 }, { maxMoreSpecifics: 2 });
    say({ announced: ['198.51.100.0/26', '198.51.100.64/26'] });
    say({ announced: ['198.51.100.128/26', '198.51.100.192/26'] });
    expect(counts.dropped.more_specific_limit).toBe(2);
    say({ at: 1, withdrawn: ['198.51.100.64/26'] });
    say({ at: 2, announced: ['198.51.100.128/26'] });
    expect(counts.dropped.more_specific_limit).toBe(2);
    expect(totals(P).moreSpecifics).toEqual(['198.51.100.0/26', '198.51.100.128/26']);
  });

  it('more-specifics that an outer monitored prefix has no room for are listed by the inner one, and told', () => {
    const outer = '198.51.0.0/16';
    const { say, table, counts, totals, monitored } = world({ [outer]: 0, [P]: 0 }, { maxMoreSpecifics: 2 });
    const dropped = () => new PrefixView(table).droppedSeries().get('bgp_prefix_more_specific_vps');
    say({ announced: ['198.51.1.0/24', '198.51.2.0/24'] });
    expect([monitored(outer).unlisted, dropped()]).toEqual([0, undefined]);
    say({ announced: ['198.51.100.0/25', '198.51.100.128/25'] });
    expect(totals(P).moreSpecifics).toEqual(['198.51.100.0/25', '198.51.100.128/25']);
    expect(totals(outer).moreSpecifics).toEqual(['198.51.1.0/24', '198.51.2.0/24']);
    expect([monitored(outer).unlisted, dropped(), counts.dropped.more_specific_limit]).toEqual([2, 2, 0]);
    say({ at: 1, withdrawn: ['198.51.100.0/25'] });
    say({ at: 1, announced: ['198.51.100.0/26'] }); // takes the room of the one withdrawn
    expect(monitored(outer).unlisted).toBe(2);
    table.watch([watchedPrefix(outer)], NOW);
    expect(monitored(outer).unlisted).toBe(0);
    expect(table.droppedRoutes.more_specific_limit).toBe(2);
  });

  it('more-specifics that were only withdrawn take no room from those that are held', () => {
    const { say, table, counts } = world({ [P]: 0 }, { maxMoreSpecifics: 2 });
    for (const i of [0, 1, 2, 3]) say({ withdrawn: [`198.51.100.${i * 64}/26`] });
    expect([...table.prefixes.moreSpecifics()]).toHaveLength(2);
    say({ announced: ['198.51.100.0/26', '198.51.100.64/26'] });
    expect([table.routes, counts.dropped.more_specific_limit]).toEqual([2, 0]);
    say({ withdrawn: ['198.51.100.128/26'] });
    expect([table.routes, counts.dropped.more_specific_limit]).toEqual([2, 1]);
  });
});

describe('the same recording twice', () => {
  it('gives the same table', () => {
    const { say, table, totals } = world({ [P]: 0, '2001:db8::/32': 0 });
    const recording: Said[] = [
      { at: 0, announced: [P, '198.51.100.0/25'] },
      { at: 1, vp: B, announced: [P], path: '64502 64510' },
      { at: 2, withdrawn: [P] },
      { at: 2, announced: [P], path: '64503 64500' },
      { at: 3, vp: B, withdrawn: [P], announced: ['2001:db8::/32'] },
      { at: 3, withdrawn: ['198.51.100.0/25'] },
    ];
    for (const said of recording) say(said);
    const once = [routesOf(table), totals(P), totals('2001:db8::/32'), table.paths.size];
    for (const said of recording) say(said);
    expect([routesOf(table), totals(P), totals('2001:db8::/32'), table.paths.size]).toEqual(once);
  });
});
