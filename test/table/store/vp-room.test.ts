import { expect, it } from 'vitest';
import type { VantagePoint } from '../../../src/bgp/vantage-point.ts';
import { Fold, FoldCounts } from '../../../src/table/fold.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import { VP_LIMIT } from '../../../src/table/store/vp-registry.ts';
import { setFullFeed } from '../../../src/table/vps/denominator.ts';
import { watchedPrefix } from '../../support/table-world.ts';

const P = '192.0.2.0/24';
const NOW = 1_700_000_000_000;
const vp = (i: number): VantagePoint => ({ protocol: 'bgp', asn: 64_500 + i, ip: '198.51.100.1' });

function world(maxVps: number) {
  const table = new RoutingTable({ maxVps });
  table.watch([watchedPrefix(P)], NOW);
  const fold = new Fold(table);
  const counts = new FoldCounts();
  const say = (i: number, atMs: number, text: { announced?: string[]; withdrawn?: string[] }) =>
    fold.apply(
      {
        ...{ vp: vp(i), timeUs: atMs * 1000, announced: text.announced ?? [], withdrawn: text.withdrawn ?? [] },
        ...(text.announced === undefined
          ? {}
          : { attributes: { asPath: `${64_500 + i} 64500`, communities: '', nextHop: '', originAttribute: '' } }),
      },
      ...([0, counts, atMs] as const),
    );
  return {
    table,
    counts,
    announce: (i: number, atMs: number) => say(i, atMs, { announced: [P] }),
    /** Heard, without a route. */
    hear: (i: number, atMs: number) => say(i, atMs, { withdrawn: [P] }),
    knows: (i: number) => table.vps.find(vp(i)) !== -1,
  };
}

it('VPs that spoke once make room for new ones, the least recently heard first', () => {
  const { table, counts, announce, hear, knows } = world(3);
  hear(1, NOW + 2);
  hear(2, NOW + 1);
  announce(3, NOW);
  announce(4, NOW + 3);
  expect([1, 2, 3, 4].map(knows)).toEqual([true, false, true, true]);
  announce(5, NOW + 4);
  expect([1, 2, 3, 4, 5].map(knows)).toEqual([false, false, true, true, true]);
  expect([table.routes, table.vps.size, table.vpsByProtocol.bgp, counts.dropped.vp_limit]).toEqual([3, 3, 3, 0]);
});

it('a new VP gets nothing of the one that made room: not the time of its last word either', () => {
  const { table, announce, hear, counts } = world(1);
  hear(1, NOW + 60_000);
  announce(2, NOW);
  expect([table.routes, counts.dropped]).toMatchObject([1, { vp_limit: 0, out_of_order: 0 }]);
  expect(table.prefixes.find(P)!.monitored!.visiblePartial).toBe(1);
});

it('who holds a route, or is expected to, is down or has a full feed makes no room', () => {
  const { table, counts, announce, hear, knows } = world(4);
  announce(1, NOW);
  announce(2, NOW);
  hear(2, NOW + 1); // lost it: expected for a window
  hear(3, NOW);
  table.setVpDown(table.vps.find(vp(3)));
  hear(4, NOW);
  setFullFeed(table, table.vps.find(vp(4)), { ipv4: true, ipv6: false });
  announce(5, NOW + 2);
  expect([1, 2, 3, 4, 5].map(knows)).toEqual([true, true, true, true, false]);
  expect(counts.dropped.vp_limit).toBe(1);
});

it('whoever speaks again before its turn comes stays', () => {
  const { announce, hear, knows } = world(3);
  for (const i of [1, 2, 3]) hear(i, NOW + i);
  hear(4, NOW + 4); // in the place of 1; 2 is chosen to be the next
  hear(2, NOW + 5);
  announce(5, NOW + 6);
  expect([1, 2, 3, 4, 5].map(knows)).toEqual([false, true, false, true, true]);
});

it('a thousand new VPs find their room one after the other, and who has a route keeps it', () => {
  const { table, counts, announce, hear, knows } = world(100);
  for (let i = 0; i < 20; i++) announce(i, NOW);
  for (let i = 20; i < 1_020; i++) hear(i, NOW + i);
  expect([table.vps.size, table.routes, counts.dropped.vp_limit]).toEqual([100, 20, 0]);
  expect([knows(0), knows(19), knows(20), knows(939), knows(940), knows(1_019)]).toEqual([
    ...[true, true, false, false, true, true],
  ]);
});

it('where nobody can make room the bound holds, until somebody can', () => {
  const { table, counts, announce, knows } = world(1);
  announce(1, NOW);
  for (let i = 2; i < 10; i++) announce(i, NOW + i);
  expect([table.addVp(vp(2)), counts.dropped.vp_limit, table.vps.size]).toEqual([VP_LIMIT, 8, 1]);
  table.sweep(NOW, 10);
  table.watch([], NOW + 20);
  for (let i = 2; i < 300; i++) announce(i, NOW + 20 + i);
  expect([knows(1), knows(299)]).toEqual([false, true]);
});
