import { beforeEach, describe, expect, it } from 'vitest';
import type { VantagePoint } from '../../../src/bgp/vantage-point.ts';
import { Fold, FoldCounts } from '../../../src/table/fold.ts';
import { setSourceStates } from '../../../src/table/ownership/owner-changes.ts';
import { Ownership } from '../../../src/table/ownership/ownership.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import { checkSnapshot, encodeSnapshot, restoreSnapshot } from '../../../src/table/snapshot/snapshot.ts';
import { watchedPrefix } from '../../support/table-world.ts';

const NOW = 1_700_000_000_000;
const P = '198.51.100.0/24';
const INSIDE = '198.51.100.128/25';
const SOURCES = [
  { name: 'first', sessions: 2 },
  { name: 'second', sessions: 1 },
];
/** Heard by both sources, only by the first, only by the second. */
const [BOTH, ONE, TWO] = [1, 2, 3].map((i): VantagePoint => ({ protocol: 'bgp', asn: 64_600 + i, ip: `192.0.2.${i}` }));
const [FIRST, SECOND] = [1, 2];
const [SESSION_OF_FIRST, SESSION_OF_SECOND] = [1, 2];

let table: RoutingTable;
let fold: Fold;
let counts: FoldCounts;

beforeEach(() => {
  table = new RoutingTable({}, SOURCES);
  fold = new Fold(table);
  counts = new FoldCounts();
  table.watch([watchedPrefix(P, { sessions: [SESSION_OF_FIRST, SESSION_OF_SECOND] })], NOW);
  setCurrent(FIRST | SECOND);
});

const setCurrent = (current: number, kept = current) => setSourceStates(table, monitored(), { current, kept });
const monitored = () => table.prefixes.find(P)!.monitored!;
function say(vp: VantagePoint, session: number, seconds: number, prefix = P, path = `${vp.asn} 64500`): void {
  const attributes = { asPath: path, communities: '', nextHop: '', originAttribute: '' };
  const nowMs = NOW + seconds * 1000;
  fold.apply({ vp, timeUs: nowMs * 1000, withdrawn: [], announced: [prefix], attributes }, session, counts, nowMs);
}
function everybodySpeaks(): void {
  say(BOTH, SESSION_OF_FIRST, 1);
  say(BOTH, SESSION_OF_SECOND, 2);
  say(ONE, SESSION_OF_FIRST, 3);
  say(TWO, SESSION_OF_SECOND, 4);
}
const facts = () => [monitored().state.visible, monitored().expected, monitored().visibleBySource];

describe('a VP that two sources deliver', () => {
  it('is owned by the first: what the second says of it is dropped, and counted', () => {
    everybodySpeaks();
    say(BOTH, SESSION_OF_SECOND, 5, P, `${BOTH.asn} 64510 64500`);
    expect(facts()).toEqual([3, 3, [2, 1]]);
    expect([counts.dropped.other_source, monitored().announcements, monitored().pathChanges]).toEqual([2, 3, 0]);
  });

  it('is owned by the first as soon as that delivers it', () => {
    say(BOTH, SESSION_OF_SECOND, 1);
    expect(facts()).toEqual([1, 1, [0, 1]]);
    say(BOTH, SESSION_OF_FIRST, 2);
    expect(facts()).toEqual([1, 1, [1, 0]]);
    say(BOTH, SESSION_OF_SECOND, 3);
    expect([counts.dropped.other_source, monitored().repeats]).toEqual([1, 1]);
  });

  it('passes to the second while the first is not current; what only the first delivers stays while it is kept', () => {
    everybodySpeaks();
    const { passed, isCut } = setCurrent(SECOND, FIRST | SECOND);
    expect([[...passed].map(([lost, vps]) => [lost, [...vps]]), isCut]).toEqual([
      [[0, [[table.vps.find(BOTH), 1]]]],
      false,
    ]);
    expect(facts()).toEqual([3, 3, [1, 2]]);
    // What the first says of a VP that nobody else delivers counts all the time.
    say(ONE, SESSION_OF_FIRST, 5, P, `${ONE.asn} 64510 64500`);
    say(BOTH, SESSION_OF_FIRST, 6);
    expect([monitored().pathChanges, counts.dropped.other_source]).toEqual([1, 2]);
    expect(setCurrent(FIRST | SECOND)).toEqual({ passed: new Map(), isCut: false });
    expect(facts()).toEqual([3, 3, [2, 1]]);
  });

  it('routes that only one source delivers are lost, with a cause, when that source is not kept any more', () => {
    everybodySpeaks();
    say(ONE, SESSION_OF_FIRST, 5, INSIDE);
    expect(setCurrent(SECOND).isCut).toBe(true);
    expect(facts()).toEqual([2, 2, [0, 2]]);
    expect([monitored().losses.source_down, table.routes]).toEqual([1, 2]);
    say(BOTH, SESSION_OF_FIRST, 6);
    expect(counts.dropped.other_source).toBe(2);
    say(BOTH, SESSION_OF_SECOND, 7, P, `${BOTH.asn} 64510 64500`);
    expect(monitored().pathChanges).toBe(1);
    expect(setCurrent(FIRST | SECOND)).toEqual({ passed: new Map(), isCut: false });
    expect(facts()).toEqual([2, 2, [1, 1]]);
    say(ONE, SESSION_OF_FIRST, 8);
    expect(facts()).toEqual([3, 3, [2, 1]]);
  });

  it('while no source is current the table stands still, and the newest word counts whoever says it', () => {
    everybodySpeaks();
    expect(setCurrent(0, FIRST | SECOND)).toEqual({ passed: new Map(), isCut: false });
    expect(facts()).toEqual([3, 3, [2, 1]]);
    say(BOTH, SESSION_OF_SECOND, 9, P, `${BOTH.asn} 64510 64500`);
    say(BOTH, SESSION_OF_FIRST, 8);
    expect([monitored().pathChanges, counts.dropped.other_source, counts.dropped.out_of_order]).toEqual([1, 1, 1]);
    expect([facts(), monitored().losses.source_down]).toEqual([[3, 3, [2, 1]], 0]);
  });

  it('rows of a history count for the source that will be the owner when it is read', () => {
    everybodySpeaks();
    const { ownership } = table;
    const [both, two] = [BOTH, TWO].map((vp) => table.vps.find(vp));
    const taken = (current: number) =>
      [0, 1].map((source) => [both, two].map((vp) => ownership.countsAsHistory(current, vp, source)));
    expect(taken(FIRST | SECOND)).toEqual([
      [true, true],
      [false, true],
    ]);
    expect(taken(SECOND)).toEqual(taken(0));
    expect(taken(0)).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  it('stays when one source says that it is down, and goes when the last one says so', () => {
    everybodySpeaks();
    const down = (vp: VantagePoint, session: number) =>
      fold.applyPeerState({ vp, up: false, timeUs: (NOW + 9_000) * 1000 }, session, counts, NOW + 9_000);
    expect(down(BOTH, SESSION_OF_FIRST)).toEqual({ vp: table.vps.find(BOTH), heir: 1 });
    expect(facts()).toEqual([3, 3, [1, 2]]);
    expect(down(BOTH, SESSION_OF_SECOND).heir).toBe(-1);
    expect([facts(), monitored().losses.vp_down]).toEqual([[2, 2, [1, 1]], 1]);
    // An announcement from before stays out, one from after comes in.
    say(BOTH, SESSION_OF_SECOND, 8);
    expect([facts(), counts.dropped.out_of_order]).toEqual([[2, 2, [1, 1]], 1]);
    say(BOTH, SESSION_OF_SECOND, 10);
    expect(facts()).toEqual([3, 3, [1, 2]]);
  });

  it('a prefix that only the second source carries hears it from there', () => {
    const other = '203.0.113.0/24';
    const watched = [
      watchedPrefix(P, { sessions: [SESSION_OF_FIRST, SESSION_OF_SECOND] }),
      watchedPrefix(other, { sessions: [SESSION_OF_SECOND] }),
    ];
    table.watch(watched, NOW);
    everybodySpeaks();
    say(BOTH, SESSION_OF_SECOND, 5, other);
    say(BOTH, SESSION_OF_FIRST, 6, other);
    expect(table.prefixes.find(other)?.monitored?.visibleBySource).toEqual([0, 1]);
    expect(counts.dropped.other_session).toBe(1);
  });
});

it('a snapshot keeps who delivers whom, by the names of the sources', () => {
  everybodySpeaks();
  const sources = SOURCES.map(({ name }) => ({ name, completeUntil: { [P]: NOW } }));
  const bytes = Buffer.concat([...encodeSnapshot(table, { createdAtMs: NOW, completeUntil: {}, sources })]);
  const checked = checkSnapshot(bytes);
  if (!checked.ok) throw new Error(checked.reason);
  expect(checked.meta.sources).toEqual(sources);
  const restored = new RoutingTable({}, [
    { name: 'second', sessions: 1 },
    { name: 'first', sessions: 1 },
  ]);
  restored.watch([watchedPrefix(P, { sessions: [0, 1] })], NOW);
  restoreSnapshot(restored, checked, NOW);
  expect(restored.prefixes.find(P)?.monitored?.visibleBySource).toEqual([2, 1]);
});

it('a snapshot without sources is of bgproutes', () => {
  const before = new RoutingTable();
  before.watch([watchedPrefix(P)], NOW);
  const attributes = { asPath: '64601 64500', communities: '', nextHop: '', originAttribute: '' };
  const update = { vp: BOTH, timeUs: NOW * 1000, withdrawn: [], announced: [P], attributes };
  new Fold(before).apply(update, 0, counts, NOW);
  const checked = checkSnapshot(Buffer.concat([...encodeSnapshot(before, { createdAtMs: NOW, completeUntil: {} })]));
  if (!checked.ok) throw new Error(checked.reason);
  const sources = ['ris-live', 'bgproutes'].map((name) => ({ name, sessions: 1 }));
  const restored = new RoutingTable({}, sources);
  restored.watch([watchedPrefix(P, { sessions: [0, 1] })], NOW);
  restoreSnapshot(restored, checked, NOW);
  expect(restored.prefixes.find(P)?.monitored?.visibleBySource).toEqual([0, 1]);
});

it('there are at most eight sources', () => {
  const some = (count: number) => Array.from({ length: count }, (_, i) => ({ name: String(i), sessions: 1 }));
  expect(() => new Ownership(1, some(9))).toThrow(RangeError);
  expect(() => new Ownership(1, [])).toThrow(RangeError);
  expect(new Ownership(1, some(8)).counts(0xff, 0, 7)).toBe(true);
});
