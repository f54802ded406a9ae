import { beforeEach, expect, it } from 'vitest';
import type { VantagePoint } from '../../src/bgp/vantage-point.ts';
import { GRACE_MS, SourceActivity } from '../../src/feed/source-activity.ts';
import { Fold, FoldCounts } from '../../src/table/fold.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { ManualTimers } from '../stream/manual-timers.ts';
import { watchedPrefix } from '../support/table-world.ts';

const P = '198.51.100.0/24';
const [FIRST, SECOND] = [0, 1];
const BOTH: VantagePoint = { protocol: 'bgp', asn: 64_601, ip: '192.0.2.1' };
const ONE: VantagePoint = { protocol: 'bgp', asn: 64_602, ip: '192.0.2.2' };

let table: RoutingTable;
let timers: ManualTimers;
let activity: SourceActivity;
/** Sessions whose prefixes are read up to where their streams go on. */
let current: Set<number>;
let heard: string[];

beforeEach(() => {
  timers = new ManualTimers();
  table = new RoutingTable({}, [
    { name: 'first', sessions: 1 },
    { name: 'second', sessions: 1 },
  ]);
  table.watch([watchedPrefix(P, { sessions: [FIRST, SECOND] })], timers.now());
  current = new Set([FIRST, SECOND]);
  heard = [];
  activity = new SourceActivity({
    ...{ table, timers, sessions: 2, isCurrent: (session) => current.has(session) },
    onChange: () => activity.apply(),
    onCut: (session, prefix) => heard.push(`session ${session} must read ${prefix} as a whole`),
    onPassed: (vps, source) =>
      heard.push(`${[...vps].map((vp) => table.vps.get(vp)?.asn).join()} passed to source ${source}`),
  });
  activity.connected(FIRST);
  activity.connected(SECOND);
  const fold = new Fold(table);
  const attributes = { asPath: '64500', communities: '', nextHop: '', originAttribute: '' };
  const say = (vp: VantagePoint, session: number) =>
    fold.apply(
      { vp, timeUs: timers.now() * 1000, withdrawn: [], announced: [P], attributes },
      session,
      new FoldCounts(),
      timers.now(),
    );
  say(BOTH, FIRST);
  say(ONE, FIRST);
  say(BOTH, SECOND);
});

const shown = () => table.prefixes.find(P)?.monitored?.visibleBySource;

it('a cut that is shorter than the grace moves nothing', () => {
  activity.disconnected(FIRST);
  timers.advance(GRACE_MS - 1);
  activity.connected(FIRST);
  current.delete(FIRST); // the gap is still being filled
  activity.apply();
  timers.advance(GRACE_MS);
  expect([shown(), heard]).toEqual([[2, 0], []]);
});

it('after the grace what two deliver passes on, and the rest must be read as a whole once the session is back', () => {
  activity.disconnected(FIRST);
  timers.advance(GRACE_MS);
  expect(shown()).toEqual([0, 1]);
  expect(heard).toEqual([`session 0 must read ${P} as a whole`, '64601 passed to source 1']);
});

it('a session that is back is active again when what it missed is read, and has a grace again only then', () => {
  activity.disconnected(FIRST);
  timers.advance(GRACE_MS);
  current.delete(FIRST);
  activity.connected(FIRST);
  activity.apply();
  expect(shown()).toEqual([0, 1]);
  activity.disconnected(FIRST);
  activity.connected(FIRST);
  current.add(FIRST);
  activity.apply();
  expect(shown()).toEqual([1, 0]);
  heard.length = 0;
  activity.disconnected(FIRST);
  activity.apply();
  expect([shown(), heard]).toEqual([[1, 0], []]);
  timers.advance(GRACE_MS);
  expect(heard).toEqual(['64601 passed to source 1']);
});

it('a source that never connects is given up after the grace: the other one is the owner', () => {
  timers = new ManualTimers();
  const late = new SourceActivity({
    ...{ table, timers, sessions: 2, isCurrent: () => true, onChange: () => late.apply() },
    ...{ onCut: () => {}, onPassed: () => {} },
  });
  late.connected(SECOND);
  late.apply();
  expect(shown()).toEqual([2, 0]);
  timers.advance(GRACE_MS);
  expect(shown()).toEqual([0, 1]);
});

it('a stop leaves no timer', () => {
  activity.disconnected(FIRST);
  activity.stop();
  expect(timers.nextInMs).toBeUndefined();
});
