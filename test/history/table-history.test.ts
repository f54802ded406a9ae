import { describe, expect, it } from 'vitest';
import { shortPath } from '../../src/bgp/as-path.ts';
import { encodeHistory, readHead, restoreLine } from '../../src/history/history-record.ts';
import { MAX_MARKS } from '../../src/history/prefix-history.ts';
import { TableHistory } from '../../src/history/table-history.ts';
import { MAX_NOTES } from '../../src/table/change-log.ts';
import { Fold, FoldCounts } from '../../src/table/fold.ts';
import type { WatchedPrefix } from '../../src/table/prefixes/prefix-state.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { START_MS, watchedPrefix } from '../support/table-world.ts';

const NONE: ReadonlySet<string> = new Set();

const P = '198.51.100.0/24';
const OURS = '64501 64500';

/** A table with a history and a clock that stands until it is turned. */
class Past {
  nowMs = START_MS;
  readonly table = new RoutingTable();
  readonly fold = new Fold(this.table);
  readonly history: TableHistory;
  readonly #counts = new FoldCounts();

  constructor(
    watched: readonly WatchedPrefix[] = [{ ...watchedPrefix(P), origins: [64500] }],
    maxPrefixes = 10,
    maxChanges = 200,
    trusted = 1,
  ) {
    this.table.watch(watched, this.nowMs);
    this.history = new TableHistory({ table: this.table, maxPrefixes, maxChanges, now: () => this.nowMs });
    for (const one of this.table.prefixes.monitored()) one.setTrusted(trusted);
    this.tick();
  }

  /** VPs from 0 on say the same. */
  see(vps: number, asPath: string | undefined, prefix = P): void {
    for (let vp = 0; vp < vps; vp++) this.say(vp, asPath, prefix);
  }

  say(vp: number, asPath: string | undefined, prefix = P): void {
    this.fold.apply(
      {
        vp: { protocol: 'bgp', asn: 64496, ip: `10.0.${vp >> 8}.${vp & 255}` },
        timeUs: this.nowMs * 1000,
        announced: asPath === undefined ? [] : [prefix],
        withdrawn: asPath === undefined ? [prefix] : [],
        ...(asPath !== undefined && { attributes: { asPath, communities: '', nextHop: '', originAttribute: '' } }),
      },
      0,
      this.#counts,
      this.nowMs,
    );
  }

  tick(afterMs = 1_000): void {
    this.nowMs += afterMs;
    for (const _ of this.history.tick());
  }

  get of() {
    const history = this.history.of(P);
    if (history === undefined) throw new Error('no history');
    return history;
  }

  get marks(): string[] {
    return this.of.marks.map(({ kind, vps }) => `${kind} ${vps}`);
  }
}

describe('the samples of a prefix', () => {
  it('are its numbers every ten seconds, and take less than 20 KB', () => {
    const past = new Past();
    past.see(10, OURS);
    past.tick(10_000);
    past.see(4, undefined);
    past.tick(10_000);
    const { counts, shares } = past.of.read('1h', past.nowMs);
    // Before anybody was expected nobody was missing.
    expect(counts.visible.slice(-3)).toEqual([undefined, 10, 6]);
    expect(counts.expected.slice(-3)).toEqual([0, 10, 10]);
    expect(counts.events.slice(-3)).toEqual([0, 10, 4]);
    expect(shares.origins).toEqual([{ as: '64500', vps: [...Array(119).fill(undefined), 6] }]);
    expect(shares.upstreams).toEqual([{ as: '64501', vps: [...Array(119).fill(undefined), 6] }]);
    expect(shares.meanPathLength.at(-1)).toBe(2);
    expect(past.of.bytes).toBeLessThan(20_000);
  });

  it('leave nothing over for other ASes where large numbers are rounded', () => {
    const past = new Past();
    past.see(4_099, OURS);
    past.see(3, '64502 64500');
    past.tick(10_000);
    const { origins, upstreams } = past.of.read('1h', past.nowMs).shares;
    expect(origins.map(({ as }) => as)).toEqual(['64500']);
    expect(upstreams.map(({ as, vps }) => [as, vps.at(-1)])).toEqual([
      ['64501', 4_096],
      ['64502', 3],
    ]);
  });

  it('keep the fewest visible VPs of each step: an outage shows in the week', () => {
    const past = new Past();
    past.see(10, OURS);
    past.tick(10_000);
    past.see(10, undefined);
    past.tick(10_000);
    past.see(10, OURS);
    past.tick(10_000);
    expect(past.of.read('7d', past.nowMs).counts.visible.at(-1)).toBe(0);
    const picture = { stepMs: 10_000, values: [...Array(45).fill(undefined), 100, 0, 100] };
    expect(past.of.spark(past.nowMs)).toEqual(picture);
    // The next step has no sample yet.
    expect(past.of.spark(past.nowMs + 10_000)).toEqual(picture);
  });

  it('give a picture in steps that grow with the past, and never lose an outage', () => {
    const past = new Past();
    past.see(10, OURS);
    past.tick(10_000);
    past.see(5, undefined);
    past.tick(10_000);
    past.see(5, OURS);
    const later = (ms: number) => {
      while (past.nowMs < START_MS + ms) past.tick(10_000);
      const { stepMs, values } = past.of.spark(past.nowMs);
      const known = values.filter((value) => value !== undefined);
      expect(values).toHaveLength(48);
      return { stepMs, count: known.length, least: Math.min(...known) };
    };
    expect(later(5 * 60_000)).toMatchObject({ stepMs: 10_000, least: 50 });
    expect(later(20 * 60_000)).toMatchObject({ stepMs: 60_000, least: 50 });
    expect(later(60 * 60_000)).toMatchObject({ stepMs: 300_000, least: 50 });
    expect(later(60 * 60_000).count).toBeGreaterThan(11);
  });

  it('give the column of an AS that left to an AS that came, without the samples of the first', () => {
    const past = new Past([{ ...watchedPrefix(P), origins: [] }]);
    past.see(9, '64501 64500');
    past.tick(30_000);
    past.see(3, '64501 64666');
    past.tick(30_000);
    past.see(9, '64501 64777');
    past.tick(30_000);
    const { origins } = past.of.read('1h', past.nowMs).shares;
    expect(origins.map(({ as, vps }) => [as, vps.slice(-3)])).toEqual([
      ['64777', [undefined, undefined, 9]],
      ['64666', [undefined, 3, 0]],
      [undefined, [9, 6, 0]],
    ]);
  });

  it('are kept of as many prefixes as configured, the first ones', () => {
    const other = '203.0.113.0/24';
    const past = new Past([watchedPrefix(P), watchedPrefix(other)], 1);
    expect(past.history.of(other)).toBeUndefined();
    expect(past.history.of(P)).toBeDefined();
    past.table.watch([watchedPrefix(other)], past.nowMs);
    expect(past.history.of(other)).toBeDefined();
    expect(past.history.of(P)).toBeUndefined();
  });
});

describe('what happened to a prefix', () => {
  it('is a hijack, and its end', () => {
    const past = new Past();
    past.see(10, OURS);
    past.tick();
    past.see(2, '64501 64666');
    past.tick();
    past.tick();
    past.see(2, OURS);
    past.tick();
    expect(past.marks).toEqual(['hijack 2', 'hijack_over 0']);
  });

  it('is an outage when fewer than half of the expected VPs see it, and a recovery when 95 % do again', () => {
    const past = new Past();
    past.see(20, OURS);
    past.tick();
    past.see(10, undefined);
    past.tick();
    expect(past.marks).toEqual([]);
    past.see(11, undefined);
    past.tick();
    expect(past.marks).toEqual(['outage 11']);
    past.see(9, OURS);
    past.tick();
    past.see(11, OURS);
    past.tick();
    expect(past.marks).toEqual(['outage 11', 'recovery 20']);
  });

  it('is a more-specific, a gap, a change of many paths, and a loss of VPs', () => {
    const past = new Past();
    past.see(20, OURS);
    past.tick(20_000);
    past.see(2, '64501 64666', '198.51.100.0/25');
    past.tick(20_000);
    const [monitored] = past.table.prefixes.monitored();
    monitored.setTrusted(0);
    past.tick(20_000);
    monitored.setTrusted(1);
    past.tick(20_000);
    past.see(6, '64502 64500');
    past.tick(20_000);
    past.table.setVpDown(19);
    past.tick(20_000);
    expect(past.marks).toEqual(['more_specific 1', 'gap 20', 'gap_over 20', 'path_change 6', 'vp_loss 1']);
  });

  it('is no end of a gap when the table is complete for the first time', () => {
    const past = new Past(undefined, undefined, undefined, 0);
    past.see(20, OURS);
    past.tick();
    const [monitored] = past.table.prefixes.monitored();
    monitored.setTrusted(1);
    past.tick();
    expect(past.marks).toEqual([]);
  });

  it('is a gap that ends after a restart', () => {
    const past = new Past();
    past.see(20, OURS);
    past.tick();
    const [monitored] = past.table.prefixes.monitored();
    monitored.setTrusted(0);
    past.tick();
    const next = new Past(undefined, undefined, undefined, 0);
    const [, line] = encodeHistory(past.history, past.nowMs, 0);
    expect(restoreLine(next.history, line, next.nowMs + 60_000, NONE)).toBeDefined();
    next.see(20, OURS);
    next.tick();
    const [restored] = next.table.prefixes.monitored();
    restored.setTrusted(1);
    next.tick();
    expect(next.marks).toEqual(['gap 20', 'gap_over 20']);
  });

  it('is not told once more after a restart while it lasts', () => {
    const past = new Past();
    past.see(10, OURS);
    past.tick();
    past.see(3, '64501 64666');
    past.tick();
    const next = new Past();
    const [, line] = encodeHistory(past.history, past.nowMs, 0);
    expect(restoreLine(next.history, line, next.nowMs + 60_000, NONE)).toBeDefined();
    next.see(10, '64501 64666');
    next.tick();
    expect(next.marks).toEqual(['hijack 3']);
  });

  it('is bounded', () => {
    const past = new Past();
    for (let i = 0; i < MAX_MARKS; i++) {
      past.see(1, i % 2 === 0 ? '64501 64666' : OURS);
      past.tick();
    }
    past.see(2, undefined);
    past.tick();
    expect(past.of.marks.length).toBe(MAX_MARKS);
  });
});

describe('the changes of routes', () => {
  it('are told in words, with the paths before and after', () => {
    const past = new Past();
    past.see(1, OURS);
    past.see(1, '64502 64500');
    past.see(1, '64502 64500'); // a repeat is no change
    past.see(1, undefined);
    past.tick();
    const vp = { protocol: 'bgp', asn: 64496, ip: '10.0.0.0' };
    const atMs = START_MS + 1_000;
    expect(past.of.changes).toEqual([
      { atMs, vp, before: undefined, after: OURS },
      { atMs, vp, before: OURS, after: '64502 64500' },
      { atMs, vp, before: '64502 64500', after: undefined },
    ]);
    expect(past.of.missed).toBe(0);
  });

  it('name the paths of their time although nobody holds them any more', () => {
    const past = new Past();
    const long = Array.from({ length: 22 }, (_, i) => 4_200_000_000 + i).join(' '); // a long one is forgotten at once
    past.see(1, long);
    past.see(1, OURS);
    past.see(1, Array.from({ length: 22 }, (_, i) => 4_100_000_000 + i).join(' '));
    past.tick();
    expect(past.of.changes.map(({ before }) => before)).toEqual([undefined, long, OURS]);
  });

  it('hold no path once they are told', () => {
    const past = new Past();
    past.see(3, OURS);
    past.see(3, undefined);
    expect(past.table.paths.size).toBe(1);
    past.tick();
    expect(past.table.paths.size).toBe(0);
  });

  it('name the VP although its number passed to another', () => {
    const past = new Past();
    const table = new RoutingTable({ maxVps: 1 });
    table.watch([watchedPrefix(P)], past.nowMs);
    const seen: string[] = [];
    table.logChanges(({ vp }) => seen.push(vp.ip));
    const fold = new Fold(table);
    const counts = new FoldCounts();
    const attributes = { asPath: OURS, communities: '', nextHop: '', originAttribute: '' };
    for (const ip of ['192.0.2.1', '192.0.2.2']) {
      const vp = { protocol: 'bgp', asn: 64496, ip } as const;
      const timeUs = START_MS * 1000;
      fold.apply({ vp, timeUs, announced: [P], withdrawn: [], attributes }, 0, counts, START_MS);
      table.setVpDown(table.vps.find(vp), timeUs);
      table.setVpUp(table.vps.find(vp));
    }
    table.changes?.take();
    expect(seen).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.2']);
  });

  it('are counted where they come faster than they can be noted', () => {
    const past = new Past();
    past.see(1, OURS);
    past.tick();
    for (let i = 0; i < MAX_NOTES + 10; i++) past.see(1, i % 2 === 0 ? '64502 64500' : OURS);
    past.tick();
    expect(past.of.missed).toBe(10);
    expect(past.of.changes.length).toBe(200);
  });

  it('are not kept where none are configured to be', () => {
    const past = new Past(undefined, 10, 0);
    past.see(1, OURS);
    past.tick();
    expect(past.of.changes).toEqual([]);
  });
});

describe('a record of the history', () => {
  it('brings back samples, marks and changes', () => {
    const past = new Past();
    past.see(10, OURS);
    past.tick(10_000);
    past.see(3, '64501 {64502,64666}');
    past.tick(10_000);
    const lines = [...encodeHistory(past.history, past.nowMs, 0)];
    expect(readHead(lines[0])).toEqual({ format: 'bgproutes-history 1', createdAtMs: past.nowMs });
    const next = new Past();
    expect(restoreLine(next.history, lines[1], past.nowMs, NONE)).toBeDefined();
    for (const window of ['1h', '24h', '7d'] as const)
      expect(next.of.read(window, past.nowMs)).toEqual(past.of.read(window, past.nowMs));
    expect(next.of.marks).toEqual(past.of.marks);
    expect(next.of.changes).toEqual(past.of.changes);
  });

  it('is passed over where its prefix is not monitored any more', () => {
    const [, line] = encodeHistory(new Past().history, START_MS, 0);
    const next = new Past([watchedPrefix('203.0.113.0/24')]);
    expect(restoreLine(next.history, line, START_MS, NONE)).toBeDefined();
  });

  it('has of a long path only its beginning, also where an earlier version wrote all of it', () => {
    const past = new Past();
    const long = `${'64502 '.repeat(9_000)}64500`;
    past.see(1, long);
    past.tick();
    const kept = shortPath(long);
    expect(past.of.changes.map(({ after }) => after)).toEqual([kept]);
    const [, line] = encodeHistory(past.history, past.nowMs, 0);
    for (const written of [line, line.replace(kept, long)]) {
      const next = new Past();
      expect(restoreLine(next.history, written, past.nowMs, NONE)).toBeDefined();
      expect(next.of.changes.map(({ after }) => after)).toEqual([kept]);
    }
  });

  const right = (): Record<string, unknown> => JSON.parse([...encodeHistory(new Past().history, START_MS, 0)][1]);
  it.each([
    ['no JSON', '{'],
    ['no object', '7'],
    ['no prefix', JSON.stringify({ ...right(), prefix: 7 })],
    ['rings of another shape', JSON.stringify({ ...right(), rings: [{ newest: 1, values: '' }] })],
    ['a mark of an unknown kind', JSON.stringify({ ...right(), marks: [[1, '<b>', 1]] })],
    ['a path that is text', JSON.stringify({ ...right(), changes: [[1, '64496_10.0.0.1', 'bgp', '<script>', null]] })],
    ['a VP that is none', JSON.stringify({ ...right(), changes: [[1, '<b>', 'bgp', null, null]] })],
    ['an AS that is none', JSON.stringify({ ...right(), origins: ['<b>', null] })],
  ])('is refused when it has %s', (_, line) => {
    expect(restoreLine(new Past().history, line, START_MS + 60_000, NONE)).toBeUndefined();
  });

  it.each(['', '7', '{"format":"bgproutes-history 2","createdAtMs":1}'])('has a head, which %s is not', (line) => {
    expect(readHead(line)).toBeUndefined();
  });
});
