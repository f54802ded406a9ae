import { describe, expect, it } from 'vitest';
import type { VantagePoint } from '../../src/bgp/vantage-point.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import type { TableOptions } from '../../src/table/table-options.ts';
import { countsFullFeeds, expectedVps, isExpectedKnown, setFullFeed } from '../../src/table/vps/denominator.ts';
import { keptCounters, keptTotals, routesOf } from '../support/table-recount.ts';
import { watchedPrefix } from '../support/table-world.ts';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const P = '198.51.100.0/24';
const INNER = '198.51.100.0/25';
const V6 = '2001:db8::/32';
const A: VantagePoint = { protocol: 'bgp', asn: 64496, ip: '192.0.2.1' };
const B: VantagePoint = { protocol: 'bgp', asn: 64497, ip: '192.0.2.2' };
const C: VantagePoint = { protocol: 'bmp', asn: 64498, ip: '192.0.2.3', parent: { asn: 64499, ip: '192.0.2.9' } };

function world(watched: readonly string[], options: TableOptions = {}) {
  const table = new RoutingTable(options);
  const watch = (texts: readonly string[], nowMs = NOW) =>
    table.watch(
      texts.map((text) => watchedPrefix(text)),
      nowMs,
    );
  watch(watched);
  const stateOf = (prefix: string) => {
    const state = table.prefixes.resolve(prefix, true);
    if (typeof state === 'string') throw new Error(`${prefix}: ${state}`);
    return state;
  };
  const withPath = <T>(text: string, vp: VantagePoint, use: (path: number) => T): T => {
    const path = table.paths.intern(text, vp.asn)!;
    const result = use(path);
    table.paths.discard(path);
    return result;
  };
  return {
    table,
    watch,
    hear: (vp: VantagePoint, nowMs = NOW) => table.hear(table.vps.add(vp), nowMs),
    announce: (vp: VantagePoint, prefix: string, nowMs = NOW, path = '64501 64500') => {
      table.hear(table.vps.add(vp), nowMs);
      return withPath(path, vp, (number) =>
        table.announce(stateOf(prefix), table.vps.find(vp), number, 1, nowMs * 1000, nowMs),
      );
    },
    withdraw: (vp: VantagePoint, prefix: string, nowMs = NOW) => {
      table.hear(table.vps.add(vp), nowMs);
      return table.withdraw(stateOf(prefix), table.vps.find(vp), nowMs * 1000, nowMs);
    },
    seedRoute: (vp: VantagePoint, prefix: string, atMs = NOW, path = '64501 64500') =>
      withPath(path, vp, (number) => table.seedRoute(stateOf(prefix), table.vps.add(vp), number, 0, atMs * 1000)),
    seedAbsence: (vp: VantagePoint, prefix: string, atMs = NOW) =>
      table.seedAbsence(stateOf(prefix), table.vps.add(vp), atMs * 1000, atMs),
    down: (vp: VantagePoint) => table.setVpDown(table.vps.find(vp)),
    up: (vp: VantagePoint) => table.setVpUp(table.vps.find(vp)),
    full: (vp: VantagePoint, full: { ipv4: boolean; ipv6: boolean }) => setFullFeed(table, table.vps.add(vp), full),
    sweep: (nowMs: number) => {
      while (!table.sweep(nowMs, 1));
    },
    seen: (prefix: string) => {
      const monitored = table.prefixes.find(prefix)!.monitored!;
      return [monitored.state.visible, expectedVps(table, monitored)];
    },
    counters: (prefix: string) => keptCounters(table.prefixes.find(prefix)!.monitored!),
    totals: (prefix: string) => keptTotals(table, table.prefixes.find(prefix)!.monitored!),
  };
}

describe('who is expected', () => {
  it('who holds a route, and for the window after it was lost; not a moment less', () => {
    const { announce, withdraw, sweep, seen } = world([P], { expectedWindowMs: HOUR });
    announce(A, P);
    announce(B, P);
    withdraw(A, P, NOW + 1000);
    expect(seen(P)).toEqual([1, 2]);
    sweep(NOW + 1000 + HOUR);
    expect(seen(P)).toEqual([1, 2]);
    sweep(NOW + 2000 + HOUR);
    expect(seen(P)).toEqual([1, 1]);
  });

  it('who gains a route again after the window', () => {
    const { announce, withdraw, sweep, seen } = world([P], { expectedWindowMs: HOUR });
    announce(A, P);
    announce(B, P);
    withdraw(A, P, NOW + 1000);
    sweep(NOW + 2 * HOUR);
    expect(seen(P)).toEqual([1, 1]);
    announce(A, P, NOW + 3 * HOUR);
    expect(seen(P)).toEqual([2, 2]);
  });

  it('an outage does not wear off: the window stands still while fewer than a fifth see the prefix', () => {
    const { announce, withdraw, sweep, seen } = world([P], { expectedWindowMs: HOUR });
    const vps = Array.from({ length: 11 }, (_, i) => ({ ...A, ip: `192.0.2.${100 + i}` }));
    for (const vp of vps) announce(vp, P);
    for (const vp of vps.slice(2)) withdraw(vp, P, NOW + 60_000);
    for (let hour = 0; hour < 72; hour++) sweep(NOW + 60_000 + hour * HOUR);
    expect(seen(P)).toEqual([2, 11]);
    // A fifth is back: the window goes on from where it stood, and a loss still has what was left of it.
    announce(vps[2], P, NOW + 71 * HOUR + 120_000);
    sweep(NOW + 72 * HOUR - 60_000);
    expect(seen(P)).toEqual([3, 11]);
    sweep(NOW + 73 * HOUR);
    expect(seen(P)).toEqual([3, 3]);
  });

  it('one that held the prefix a window ago and is up counts as if it had lost it now; one that is down does not', () => {
    const { announce, withdraw, hear, down, sweep, seen, table } = world([P], { expectedWindowMs: HOUR });
    for (const vp of [B, C]) hear(vp);
    announce(A, P);
    announce({ ...A, ip: '192.0.2.7' }, P);
    down(C);
    const monitored = table.prefixes.find(P)!.monitored!;
    for (const vp of [A, B, C]) table.seedExpected(monitored, table.vps.find(vp), NOW);
    expect(seen(P)).toEqual([2, 3]);
    withdraw(A, P, NOW + 1000);
    for (const vp of [A, B]) table.seedExpected(monitored, table.vps.find(vp), NOW + 60_000);
    sweep(NOW + HOUR + 30_000);
    expect(seen(P)).toEqual([1, 1]);
  });

  it('the denominator is known when the window has passed since the prefix is watched', () => {
    const { sweep, watch, table } = world([P], { expectedWindowMs: HOUR });
    const known = () => isExpectedKnown(table, table.prefixes.find(P)!.monitored!);
    sweep(NOW + HOUR - 1);
    expect(known()).toBe(false);
    sweep(NOW + HOUR);
    expect(known()).toBe(true);
    watch([V6], NOW + HOUR);
    watch([V6, P], NOW + HOUR);
    sweep(NOW + HOUR);
    expect(known()).toBe(false);
  });

  it('as time goes by the receipt, not by the message: an old withdrawal keeps its VP for the whole window', () => {
    const { announce, table, sweep, seen } = world([P], { expectedWindowMs: HOUR });
    announce(A, P, NOW);
    table.withdraw(table.prefixes.find(P)!, table.vps.find(A), (NOW + 1) * 1000, NOW + 50 * 60_000);
    sweep(NOW + HOUR + 60_000);
    expect(seen(P)).toEqual([0, 1]);
  });

  it('not who only ever withdrew', () => {
    const { withdraw, seen } = world([P]);
    withdraw(A, P);
    expect(seen(P)).toEqual([0, 0]);
  });
});

describe('a VP that is down', () => {
  it('leaves numerator and denominator, of all prefixes and more-specifics, with a cause', () => {
    const { announce, withdraw, down, seen, counters, table } = world([P, V6]);
    announce(A, P);
    announce(A, INNER);
    announce(A, V6);
    withdraw(A, V6, NOW + 1);
    announce(B, P);
    down(A);
    expect([seen(P), seen(V6)]).toEqual([
      [1, 1],
      [0, 0],
    ]);
    expect(counters(P).losses).toEqual({ withdrawn: 0, vp_down: 1, source_down: 0, expired: 0 });
    expect(counters(V6).losses).toEqual({ withdrawn: 1, vp_down: 0, source_down: 0, expired: 0 });
    expect(routesOf(table)).toHaveLength(1);
    expect(table.vpsByProtocol).toEqual({ bgp: 1, bmp: 0 });
  });

  it('said twice, is down once', () => {
    const { announce, down, counters, table } = world([P]);
    announce(A, P);
    down(A);
    down(A);
    expect(counters(P).losses.vp_down).toBe(1);
    expect(table.vpsByProtocol.bgp).toBe(0);
  });

  it('is up again as soon as it speaks; its routes come back one by one', () => {
    const { announce, down, seen, table } = world([P, V6]);
    announce(A, P);
    announce(A, V6);
    down(A);
    announce(A, P, NOW + 1000);
    expect([seen(P), seen(V6)]).toEqual([
      [1, 1],
      [0, 0],
    ]);
    expect(table.vpsByProtocol.bgp).toBe(1);
  });

  it('gets no routes from a seed while it is down, and does when it is up', () => {
    const { announce, down, up, seedRoute, seen, table } = world([P]);
    announce(A, P);
    down(A);
    expect(seedRoute(A, P, NOW + 1000)).toBe('newer');
    expect(seen(P)).toEqual([0, 0]);
    expect(table.paths.size).toBe(0);
    up(A);
    expect(seedRoute(A, P, NOW + 1000)).toBe('corrected');
    expect(seen(P)).toEqual([1, 1]);
  });
});

describe('what the Data API says', () => {
  it('moves no counter of events', () => {
    const { seedRoute, seedAbsence, counters, seen } = world([P]);
    expect(seedRoute(A, P)).toBe('corrected');
    expect(seedRoute(A, P, NOW + 1, '64502 64500')).toBe('corrected');
    expect(seedAbsence(A, P, NOW + 2)).toBe('corrected');
    expect(seen(P)).toEqual([0, 1]);
    expect(counters(P)).toMatchObject({
      announcements: 0,
      withdrawals: 0,
      gains: 0,
      pathChanges: 0,
      repeats: 0,
      losses: { withdrawn: 0 },
    });
  });

  it('never undoes what the stream said later', () => {
    const { announce, withdraw, seedRoute, seedAbsence, seen, totals } = world([P]);
    announce(A, P, NOW + 1000);
    expect(seedAbsence(A, P, NOW)).toBe('newer');
    expect(seedRoute(A, P, NOW, '64502 64500')).toBe('newer');
    expect(totals(P).upstreams).toEqual({ 64501: 1 });
    withdraw(A, P, NOW + 2000);
    expect(seedRoute(A, P, NOW + 1500)).toBe('newer');
    expect(seen(P)).toEqual([0, 1]);
  });

  it('keeps out what the stream says that is older, a route as well as an absence', () => {
    const { announce, seedRoute, seedAbsence, totals, seen } = world([P, V6]);
    seedRoute(A, P, NOW + 1000);
    expect(announce(A, P, NOW, '64502 64500')).toBe('out_of_order');
    expect(totals(P).upstreams).toEqual({ 64501: 1 });
    seedAbsence(B, V6, NOW + 1000);
    expect(announce(B, V6, NOW)).toBe('out_of_order');
    expect(seen(V6)).toEqual([0, 0]);
  });

  it('knows no attributes, so that the first announcement after a seed is a repeat', () => {
    const { announce, seedRoute, counters } = world([P]);
    seedRoute(A, P);
    expect(announce(A, P, NOW + 1)).toBe('repeat');
    expect(counters(P)).toMatchObject({ announcements: 1, repeats: 1, gains: 0 });
  });

  it('unknown attributes of an announcement leave the known ones, and are no change', () => {
    const { table } = world([P]);
    const state = table.prefixes.find(P)!;
    const vp = table.vps.add(A);
    const path = table.paths.intern('64501 64500', A.asn)!;
    const said = [7, 0, 7, 0, 8].map((fingerprint, i) =>
      table.announce(state, vp, path, fingerprint, NOW * 1000 + i, NOW),
    );
    expect(said).toEqual(['gain', 'repeat', 'repeat', 'repeat', 'attributes']);
  });

  it('agreeing with the table is no correction', () => {
    const { announce, seedRoute, seedAbsence } = world([P]);
    announce(A, P);
    expect(seedRoute(A, P, NOW + 1)).toBe('same');
    expect(seedAbsence(B, P, NOW + 1)).toBe('same');
  });
});

describe('routes with a lifetime', () => {
  it('expire when they were not confirmed for too long, with a cause; the VP stays expected', () => {
    const { announce, sweep, seen, counters } = world([P], { routeTtlMs: HOUR });
    announce(A, P);
    announce(B, P);
    announce(B, P, NOW + HOUR);
    sweep(NOW + HOUR);
    expect(seen(P)).toEqual([2, 2]);
    sweep(NOW + HOUR + 1);
    expect(seen(P)).toEqual([1, 2]);
    expect(counters(P).losses).toEqual({ withdrawn: 0, vp_down: 0, source_down: 0, expired: 1 });
  });

  it('live for ever by default', () => {
    const { announce, sweep, seen } = world([P]);
    announce(A, P);
    sweep(NOW + 1000 * 24 * HOUR);
    expect(seen(P)).toEqual([1, 1]);
  });
});

describe('which VPs are known', () => {
  it('those heard within the window, by protocol; those that hold a route even when silent', () => {
    const { announce, hear, sweep, table } = world([P], { expectedWindowMs: HOUR });
    announce(A, P);
    hear(B);
    hear(C);
    expect(table.vpsByProtocol).toEqual({ bgp: 2, bmp: 1 });
    sweep(NOW + HOUR);
    expect(table.vpsByProtocol).toEqual({ bgp: 2, bmp: 1 });
    sweep(NOW + HOUR + 1);
    expect(table.vpsByProtocol).toEqual({ bgp: 1, bmp: 0 });
    expect(table.vps.size).toBe(1);
  });

  it('a VP that was forgotten leaves nothing behind for the next with its number', () => {
    const { announce, withdraw, sweep, table, seen } = world([P], { expectedWindowMs: HOUR });
    announce(A, P, NOW + 10_000);
    announce(C, P, NOW + 10_000);
    withdraw(A, P, NOW + 20_000);
    const number = table.vps.find(A);
    sweep(NOW + 2 * HOUR);
    expect(table.vps.find(A)).toBe(-1);
    // older than what A had: it must not be held against B
    expect(announce(B, P, NOW)).toBe('gain');
    expect(table.vps.find(B)).toBe(number);
    expect(seen(P)).toEqual([2, 2]);
  });
});

describe('all VPs with a full feed as the denominator', () => {
  it('counts them whether they ever saw the prefix or not, and others only while they see it', () => {
    const { announce, withdraw, full, seen } = world([P, V6], { expectedVps: 'full_feed' });
    full(A, { ipv4: true, ipv6: false });
    full(B, { ipv4: true, ipv6: true });
    expect([seen(P), seen(V6)]).toEqual([
      [0, 2],
      [0, 1],
    ]);
    announce(A, P);
    announce(C, P);
    expect(seen(P)).toEqual([2, 3]);
    withdraw(C, P, NOW + 1);
    expect(seen(P)).toEqual([1, 2]);
  });

  it('does not shrink with the numerator: who has no full feed and lost the route stays in it for the window', () => {
    const { announce, withdraw, full, seen } = world([P], { expectedVps: 'full_feed' });
    full(A, { ipv4: true, ipv6: true });
    for (const vp of [A, B, C]) announce(vp, P);
    for (const vp of [B, C]) withdraw(vp, P, NOW + 1);
    expect(seen(P)).toEqual([1, 3]);
  });

  it('falls back to who held a route while no VP of the family is known to have a full feed', () => {
    const { announce, withdraw, full, seen, table } = world([P], { expectedVps: 'full_feed' });
    for (const vp of [A, B, C]) announce(vp, P);
    for (const vp of [B, C]) withdraw(vp, P, NOW + 1);
    expect(seen(P)).toEqual([1, 3]);
    expect(countsFullFeeds(table, 'ipv4')).toBe(false);
    full({ ...A, ip: '192.0.2.7' }, { ipv4: true, ipv6: false });
    expect([countsFullFeeds(table, 'ipv4'), countsFullFeeds(table, 'ipv6')]).toEqual([true, false]);
  });

  it('follows a feed that becomes full or partial, and a VP that goes down or comes back', () => {
    const { announce, full, down, up, seen } = world([P], { expectedVps: 'full_feed' });
    announce(A, P);
    expect(seen(P)).toEqual([1, 1]);
    full(A, { ipv4: true, ipv6: true });
    expect(seen(P)).toEqual([1, 1]);
    full(A, { ipv4: false, ipv6: true });
    expect(seen(P)).toEqual([1, 1]);
    full(A, { ipv4: true, ipv6: false });
    down(A);
    expect(seen(P)).toEqual([0, 0]);
    up(A);
    expect(seen(P)).toEqual([0, 1]);
  });
});

describe('changing what is monitored', () => {
  it('says whether the set changed', () => {
    const { watch, table } = world([P]);
    expect(watch([P])).toBe(false);
    expect(watch([P, V6])).toBe(true);
    expect(watch([V6])).toBe(true);
    const before = table.prefixes.find(V6)!.version;
    expect(table.watch([watchedPrefix(V6, { description: 'another' })], NOW)).toBe(false);
    expect(table.prefixes.find(V6)!.version).toBeGreaterThan(before);
    expect(table.prefixes.find(V6)!.monitored!.watched.description).toBe('another');
  });

  it('prefixes that stay keep routes, counters and their start', () => {
    const { announce, watch, seen, counters, table } = world([P]);
    announce(A, P);
    watch([V6, P], NOW + HOUR);
    expect(seen(P)).toEqual([1, 1]);
    expect(counters(P).gains).toBe(1);
    expect(table.prefixes.find(P)!.monitored!.sinceMs).toBe(NOW);
    expect(table.prefixes.find(V6)!.monitored!.sinceMs).toBe(NOW + HOUR);
  });

  it('prefixes that go take their routes and paths along', () => {
    const { announce, watch, table } = world([P, V6]);
    announce(A, P);
    announce(A, INNER);
    watch([V6]);
    expect([table.routes, table.paths.size]).toEqual([0, 0]);
    expect(table.prefixes.find(INNER)).toBeUndefined();
  });

  it('a more-specific that becomes monitored keeps its routes and starts its counters', () => {
    const { announce, watch, seen, counters, totals } = world([P]);
    announce(A, P);
    announce(A, INNER);
    watch([P, INNER]);
    expect(seen(INNER)).toEqual([1, 1]);
    expect(counters(INNER)).toMatchObject({ announcements: 0, gains: 0 });
    expect(totals(INNER)).toMatchObject({ origins: { 64500: 1 }, lengthSum: 2 });
    expect(totals(P).moreSpecifics).toEqual([]);
  });

  it('a monitored prefix that becomes a more-specific keeps its routes', () => {
    const { announce, withdraw, watch, totals, table } = world([P, INNER]);
    announce(A, INNER);
    announce(B, INNER);
    withdraw(B, INNER, NOW + 1);
    watch([P]);
    expect(totals(P)).toMatchObject({ visible: 0, moreSpecifics: [INNER] });
    expect(table.prefixes.find(INNER)).toMatchObject({ visible: 1, monitored: undefined });
  });

  it('a prefix around monitored ones takes their more-specifics in, and not themselves', () => {
    const { announce, watch, totals } = world([P]);
    announce(A, INNER);
    watch([P, '198.51.0.0/16']);
    expect(totals('198.51.0.0/16')).toMatchObject({ visible: 0, moreSpecifics: [INNER] });
    expect(totals(P).moreSpecifics).toEqual([INNER]);
    watch(['198.51.0.0/16']);
    expect(totals('198.51.0.0/16').moreSpecifics).toEqual([INNER]);
  });

  it('more-specifics that find no room in the prefix that is left are counted, route by route', () => {
    const [left, right] = ['198.51.100.0/25', '198.51.100.128/25'];
    const { announce, watch, totals, table } = world([left, right], { maxMoreSpecifics: 2 });
    for (const inner of ['198.51.100.0/26', '198.51.100.64/26', '198.51.100.128/26', '198.51.100.192/26'])
      for (const vp of [A, B, C]) announce(vp, inner);
    expect(table.routes).toBe(12);
    watch([P]);
    expect(totals(P).moreSpecifics).toHaveLength(2);
    expect([table.routes, table.droppedRoutes.more_specific_limit]).toEqual([6, 6]);
    expect(table.paths.size).toBe(1);
  });

  it('what nobody asks for any more is not counted as dropped', () => {
    const { announce, watch, table } = world([P, V6], { maxMoreSpecifics: 1 });
    announce(A, P);
    announce(A, INNER);
    watch([V6]);
    expect([table.routes, table.droppedRoutes]).toEqual([0, { vp_limit: 0, more_specific_limit: 0, path_limit: 0 }]);
  });
});

describe('more-specifics', () => {
  it('are forgotten a while after the last VP lost them, not before', () => {
    const { announce, withdraw, sweep, table } = world([P]);
    announce(A, INNER);
    sweep(NOW + HOUR);
    expect(table.prefixes.find(INNER)?.visible).toBe(1);
    withdraw(A, INNER, NOW + HOUR);
    sweep(NOW + HOUR + 600_000);
    expect(table.prefixes.find(INNER)?.visible).toBe(0);
    // still known, so an older announcement stays out
    expect(announce(A, INNER, NOW + HOUR - 1)).toBe('out_of_order');
    sweep(NOW + HOUR + 600_001);
    expect(table.prefixes.find(INNER)).toBeUndefined();
  });
});
