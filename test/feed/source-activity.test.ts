import { beforeEach, expect, it } from 'vitest';
import type { VantagePoint } from '../../src/bgp/vantage-point.ts';
import { GRACE_MS, HEALING_MS, SourceActivity } from '../../src/feed/source-activity.ts';
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
  activity.apply();
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

it('a cut that is shorter than the grace takes no route away, and nobody is read again', () => {
  activity.disconnected(FIRST);
  activity.apply();
  expect(shown()).toEqual([1, 1]);
  timers.advance(GRACE_MS - 1);
  activity.connected(FIRST);
  activity.apply();
  timers.advance(GRACE_MS);
  expect([shown(), heard]).toEqual([[2, 0], []]);
});

it('after the grace the rest is lost and must be read as a whole; what passed on is read where it went', () => {
  activity.disconnected(FIRST);
  activity.apply();
  timers.advance(GRACE_MS);
  expect(shown()).toEqual([0, 1]);
  expect(heard).toEqual([`session 0 must read ${P} as a whole`, '64601 passed to source 1']);
});

it('a gap that is not filled keeps what nobody else delivers for as long as a filling takes, and no longer', () => {
  activity.disconnected(FIRST);
  current.delete(FIRST);
  activity.connected(FIRST);
  activity.apply();
  timers.advance(GRACE_MS);
  expect([shown(), heard]).toEqual([[1, 1], ['64601 passed to source 1']]);
  timers.advance(HEALING_MS - GRACE_MS - 1);
  expect(shown()).toEqual([1, 1]);
  timers.advance(1);
  expect([shown(), heard[1]]).toEqual([[0, 1], `session 0 must read ${P} as a whole`]);
  current.add(FIRST);
  activity.apply();
  expect(shown()).toEqual([1, 0]);
});

it('further cuts do not put off the end of a gap that stays open', () => {
  activity.disconnected(FIRST);
  current.delete(FIRST);
  for (let cuts = 0; cuts < HEALING_MS / (GRACE_MS / 2); cuts++) {
    activity.connected(FIRST);
    activity.apply();
    activity.disconnected(FIRST);
    activity.apply();
    timers.advance(GRACE_MS / 2);
  }
  expect(shown()).toEqual([0, 1]);
});

it('a session that is back owns again when what it missed is read', () => {
  activity.disconnected(FIRST);
  activity.apply();
  timers.advance(GRACE_MS);
  current.delete(FIRST);
  activity.connected(FIRST);
  activity.apply();
  expect(shown()).toEqual([0, 1]);
  current.add(FIRST);
  activity.apply();
  expect(shown()).toEqual([1, 0]);
});

it('with no source that is current nothing is lost, however long that is', () => {
  current.clear();
  activity.apply();
  activity.disconnected(FIRST);
  activity.disconnected(SECOND);
  activity.apply();
  timers.advance(2 * HEALING_MS);
  expect([shown(), heard]).toEqual([[2, 0], []]);
});

it('a source that never connects is given up after the grace: the other one is the owner', () => {
  timers = new ManualTimers();
  const late = new SourceActivity({
    ...{ table, timers, sessions: 2, isCurrent: () => true, onChange: () => late.apply() },
    ...{ onCut: () => {}, onPassed: () => {} },
  });
  late.connected(SECOND);
  late.apply();
  expect(shown()).toEqual([1, 1]);
  timers.advance(GRACE_MS);
  expect(shown()).toEqual([0, 1]);
});

it('a stop leaves no timer', () => {
  activity.disconnected(FIRST);
  activity.stop();
  expect(timers.nextInMs).toBeUndefined();
});
