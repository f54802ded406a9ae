/** What a member has of a partition is a function of its records: whoever restores and reads on has the same, counters included. */
import { describe, expect, it } from 'vitest';
import { type Prefix, parsePrefix } from '../../src/bgp/prefix.ts';
import type { RouteUpdate } from '../../src/bgp/route-event.ts';
import { vantagePointKey } from '../../src/bgp/vantage-point.ts';
import { BgproutesDecoder } from '../../src/bgproutes/live/decoder.ts';
import { decodeMessage } from '../../src/bgproutes/live/message.ts';
import { SessionFeed } from '../../src/feed/session-feed.ts';
import { Replica } from '../../src/fleet/member/replica.ts';
import { decodeMark, encodeMark, encodeState, restoreState } from '../../src/fleet/member/state-record.ts';
import { encodeUpdate } from '../../src/fleet/message.ts';
import { type Control, encodeControl, encodeMessages } from '../../src/fleet/records.ts';
import type { AskedInside, HistoryVp } from '../../src/stream/history.ts';
import { createStreamStats } from '../../src/stream/stream-health.ts';
import { Fold } from '../../src/table/fold.ts';
import { RoutingTable } from '../../src/table/routing-table.ts';
import { TableIds } from '../../src/table/table-ids.ts';
import { RecordingLogger } from '../stream/recording-logger.ts';

const START_MS = 1_790_000_000_000;
const PREFIXES = ['10.0.0.0/16', '10.0.1.0/24', '192.0.2.0/24'];
const VPS = [1, 2, 3, 4].map((last) => ({ protocol: 'bgp', asn: 64_500 + last, ip: `198.51.100.${last}` }) as const);

function member(onVps: (vps: readonly HistoryVp[]) => void = () => {}) {
  const table = new RoutingTable({});
  const watched = PREFIXES.map((text) => ({
    ...{ prefix: parsePrefix(text) as Prefix, description: '', group: '', origins: [], upstreams: [], sessions: [0] },
  }));
  table.watch(watched, START_MS);
  const stats = createStreamStats('fleet', '0', START_MS);
  const replica = new Replica({
    ...{ partition: 0, table, stats, onVps, onClockOffset: () => {}, onChange: () => {}, maxListed: 50 },
    feed: new SessionFeed({
      ...{ session: 0, stream: stats, fold: new Fold(table), logger: new RecordingLogger() },
      decoder: new BgproutesDecoder(new TableIds(table)),
    }),
    decode: (message) => {
      const read = decodeMessage(message);
      return read.ok ? read.update : undefined;
    },
  });
  return { table, replica };
}

/** Routes with their times and all counters, as text. */
function contents({ table, replica }: ReturnType<typeof member>): string[] {
  const lines: string[] = [];
  for (const state of table.prefixes.states()) {
    const { text } = state.prefix;
    for (let vp = 0; vp < table.vps.end; vp++) {
      const [cell, known] = [table.cells.find(state, vp), table.vps.get(vp)];
      if (cell === -1 || known === undefined || table.cells.signedTime(cell) === 0) continue;
      const path = table.cells.path(cell);
      const route = path === 0 ? 'none' : table.paths.text(path);
      lines.push(
        `${text} ${vantagePointKey(known)} ${route} ${table.cells.signedTime(cell)} ${table.cells.mark(cell)}`,
      );
    }
    const { monitored } = state;
    if (monitored === undefined) continue;
    const { announcements, withdrawals, pathChanges, originChanges, repeats, gains, losses, expected, lengthSum } =
      monitored;
    const counters = {
      announcements,
      withdrawals,
      pathChanges,
      originChanges,
      repeats,
      gains,
      losses,
      expected,
      lengthSum,
    };
    lines.push(`${text} ${JSON.stringify(counters)} ${state.visible} complete=${replica.isComplete(text)}`);
  }
  return lines.sort();
}

/** A log in which everything happens, some of it twice. */
function log(): Buffer[] {
  const records: Buffer[] = [];
  let sequence = 0;
  let atMs = START_MS;
  const head = (term = 7) => ({ term, sequence: ++sequence, atMs: (atMs += 500) });
  const control = (one: Control) => records.push(encodeControl(head(), one));
  control({ type: 'start' });
  const route = (vp: (typeof VPS)[number], prefix: string) => ({ vp, prefix, asPath: `${vp.asn} 64600 64500` });
  control({
    ...{ type: 'rib', reading: 1, part: 0, atMs: START_MS - 5_000, prefixes: PREFIXES, last: true, asked: VPS },
    inside: [],
    rows: VPS.flatMap((vp) => PREFIXES.map((prefix) => route(vp, prefix))),
  });
  control({ type: 'complete', prefixes: PREFIXES });
  for (let i = 0; i < 60; i++) {
    const vp = VPS[(i * 7) % 4];
    const prefix = [...PREFIXES, '10.0.7.0/24'][(i * 5) % 4];
    const update: RouteUpdate = {
      ...{ vp, timeUs: (START_MS + i * 900) * 1_000, withdrawn: [], announced: [prefix] },
      attributes: {
        asPath: `${vp.asn} ${64_600 + (i % 3)} 64500`,
        communities: '1:1',
        nextHop: '',
        originAttribute: 'IGP',
      },
    };
    const { withdrawn, announced } = i % 6 === 5 ? { withdrawn: [prefix], announced: [] } : update;
    const both = i % 10 === 3 ? [...announced, '192.0.2.0/24'] : announced;
    records.push(encodeMessages(head(), [encodeUpdate(update, withdrawn, both)]));
    if (i % 11 === 0) records.push(records[records.length - 1]); // its answer was lost, and it was written twice
    if (i === 30) control({ type: 'peer', vp: VPS[1], up: false, timeUs: (START_MS + 28_000) * 1_000 });
    if (i === 40) records.push(encodeControl({ term: 6, sequence: 9_999, atMs }, { type: 'gap', prefixes: PREFIXES }));
    if (i === 45) control({ type: 'gap', prefixes: ['192.0.2.0/24'] });
    if (i === 50) control({ type: 'complete', prefixes: ['192.0.2.0/24'] });
  }
  return records;
}

async function play(replica: Replica, records: readonly Buffer[], from: number, to: number): Promise<void> {
  for (let offset = from; offset < to; offset++) await replica.apply(offset, records[offset], offset);
}

const monitoredOf = ({ table }: ReturnType<typeof member>) => [...table.prefixes.monitored()];

describe('a replica', () => {
  it('has the same after a restore at any record, with prefixes that were written later than the mark', async () => {
    const records = log();
    const straight = member();
    straight.replica.begin(undefined, new Map());
    await play(straight.replica, records, 0, records.length);
    const expected = contents(straight);
    expect(expected.join('\n')).toContain('"vp_down":');
    for (let marked = 4; marked < records.length - 6; marked += 3) {
      const first = member();
      first.replica.begin(undefined, new Map());
      await play(first.replica, records, 0, marked);
      const { resume, complete, unread } = first.replica;
      const mark = decodeMark(encodeMark({ ...resume, atMs: START_MS, complete, unread }));
      const startsAt = resume.offset;
      const states = new Map<string, Buffer>();
      // A crash in the middle of a pass: each prefix is of another moment.
      for (const [i, monitored] of monitoredOf(first).entries()) {
        const at = marked + i * 3;
        await play(first.replica, records, Math.max(marked, at - 3), at);
        states.set(monitored.state.prefix.text, encodeState(first.table, monitored, at, START_MS + at * 500));
      }
      const second = member();
      const from = new Map<string, number>();
      for (const [prefix, value] of states) {
        const offset = restoreState(second.table, value, START_MS + records.length * 1_000);
        if (offset !== undefined) from.set(prefix, offset);
      }
      expect([...from.keys()].sort()).toEqual([...PREFIXES].sort());
      second.replica.begin(mark, from);
      await play(second.replica, records, startsAt, records.length);
      expect([marked, contents(second)]).toEqual([marked, expected]);
    }
  });

  it('trusts nothing of a prefix without state, until all is read once more', async () => {
    const records = log();
    const { replica } = member();
    replica.begin({ offset: 4, term: 7, sequence: 4, atMs: START_MS, complete: PREFIXES, unread: [] }, new Map());
    await play(replica, records, 4, records.length);
    expect(PREFIXES.map((prefix) => replica.isComplete(prefix))).toEqual([false, false, false]);
    const rib: Control = {
      ...{ type: 'rib', reading: 2, part: 0, atMs: START_MS + 60_000, prefixes: PREFIXES },
      ...{ last: true, asked: [], rows: [], inside: [] },
    };
    await play(
      replica,
      [encodeControl({ term: 7, sequence: 999, atMs: START_MS + 70_000 }, { type: 'gap', prefixes: PREFIXES })],
      0,
      1,
    );
    await replica.apply(records.length, encodeControl({ term: 7, sequence: 1_000, atMs: START_MS + 70_000 }, rib), 0);
    // Numbers are missing in between: what was given up is a gap.
    expect(PREFIXES.map((prefix) => replica.isComplete(prefix))).toEqual([false, false, false]);
    const complete: Control = { type: 'complete', prefixes: PREFIXES };
    await replica.apply(records.length + 1, encodeControl({ term: 7, sequence: 1_001, atMs: START_MS }, complete), 0);
    expect(PREFIXES.map((prefix) => replica.isComplete(prefix))).toEqual([true, true, true]);
  });

  it('takes a record that cannot be read for a gap, and state that is cut off or foreign for none', async () => {
    const records = log();
    const one = member();
    one.replica.begin(undefined, new Map());
    await play(one.replica, records, 0, 10);
    expect(one.replica.isComplete('192.0.2.0/24')).toBe(true);
    const value = encodeState(one.table, monitoredOf(one)[0], 10, START_MS);
    await one.replica.apply(10, Buffer.from('junk'), 0);
    expect([one.replica.isComplete('192.0.2.0/24'), one.replica.unreadable]).toEqual([false, 1]);
    const { table } = member();
    for (let cut = 0; cut < value.length; cut++)
      expect(restoreState(table, value.subarray(0, cut), START_MS)).toBeUndefined();
    expect(table.routes).toBe(0);
    for (const text of ['', '{}', '{"v":1,"offset":-1}', 'null', '[1]'])
      expect(decodeMark(Buffer.from(text))).toBeUndefined();
  });

  /** Two readings at a time, each in parts, and the beginning of another that fails. */
  function readings(): Buffer[] {
    let sequence = 0;
    const at = (control: Control) =>
      encodeControl({ term: 7, sequence: ++sequence, atMs: START_MS + sequence }, control);
    const rows = (prefix: string, vps: readonly (typeof VPS)[number][]) =>
      vps.map((vp) => ({ vp, prefix, asPath: `${vp.asn} 64500` }));
    const part = (reading: number, part: number, of: Partial<Control & { type: 'rib' }>): Control => ({
      ...{ type: 'rib', reading, part, atMs: START_MS - 5_000 + reading * 20_000 },
      ...{ prefixes: [], rows: [], inside: [], last: false, asked: [], ...of },
    });
    const [first, , other] = PREFIXES;
    return [
      at({ type: 'start' }),
      at(part(1, 0, { rows: rows(first, VPS) })),
      at(part(1, 1, { last: true, prefixes: PREFIXES, asked: VPS })),
      at({ type: 'complete', prefixes: PREFIXES }),
      at(part(2, 0, { rows: rows(first, VPS.slice(0, 2)) })),
      at(part(3, 0, { rows: rows(other, VPS.slice(0, 2)) })),
      at(part(4, 0, { rows: rows(first, VPS.slice(0, 1)) })),
      at(part(3, 1, { last: true, prefixes: [other], asked: VPS })),
      at(part(4, 1, { last: true })),
      at(part(2, 1, { rows: rows(first, VPS.slice(2)) })),
      at(part(2, 2, { last: true, prefixes: [first], asked: VPS })),
    ];
  }

  it('calls no route absent that another part of the same reading has, whoever else is read and from wherever it is restored', async () => {
    const records = readings();
    for (let marked = 0; marked <= records.length; marked++) {
      const one = member();
      one.replica.begin(undefined, new Map());
      await play(one.replica, records, 0, marked);
      const { resume, complete, unread } = one.replica;
      expect(resume.offset).toBeLessThanOrEqual(marked);
      const states = monitoredOf(one).map(
        (of) => [of.state.prefix.text, encodeState(one.table, of, marked, START_MS)] as const,
      );
      const next = member();
      const from = new Map<string, number>();
      for (const [prefix, value] of states) from.set(prefix, restoreState(next.table, value, START_MS) as number);
      next.replica.begin({ ...resume, atMs: START_MS, complete, unread }, from);
      await play(next.replica, records, resume.offset, records.length);
      const routes = [...next.table.prefixes.monitored()].map(({ state }) => [state.prefix.text, state.visible]);
      expect([marked, new Map(routes as [string, number][])]).toEqual([
        marked,
        new Map([...PREFIXES.map((prefix) => [prefix, 0] as const), [PREFIXES[0], 4], [PREFIXES[2], 2]]),
      ]);
      expect([marked, PREFIXES.map((prefix) => next.replica.isComplete(prefix))]).toEqual([marked, [true, true, true]]);
      expect(next.replica.resume.offset).toBe(records.length);
    }
  });

  describe('of a service that takes no question for everything inside a prefix', () => {
    const [outer] = PREFIXES;
    const INSIDE = ['10.0.7.0/24', '10.0.8.0/24'] as const;

    /** Holds routes for a prefix and two more-specifics of it, and reads a RIB that has the prefix only. */
    async function compared(inside: readonly AskedInside[]) {
      const one = member();
      one.replica.begin(undefined, new Map());
      let sequence = 0;
      const rib = (of: Partial<Control & { type: 'rib' }>): Control => ({
        ...{ type: 'rib', reading: sequence, part: 0, atMs: START_MS + sequence * 20_000, prefixes: [outer] },
        ...{ rows: [], inside: [], last: true, asked: VPS, ...of },
      });
      const apply = (control: Control) => {
        const head = { term: 7, sequence: ++sequence, atMs: START_MS + sequence };
        return one.replica.apply(sequence, encodeControl(head, control), 0);
      };
      const rows = (prefix: string, vps: readonly (typeof VPS)[number][] = VPS) =>
        vps.map((vp) => ({ vp, prefix, asPath: `${vp.asn} 64500` }));
      await apply({ type: 'start' });
      await apply(rib({ rows: [...rows(outer), ...rows(INSIDE[0], VPS.slice(1)), ...rows(INSIDE[1], VPS.slice(1))] }));
      await apply({ type: 'complete', prefixes: [outer] });
      const again = () => apply(rib({ rows: rows(outer), inside }));
      const held = () => INSIDE.map((prefix) => one.table.prefixes.find(prefix)?.visible ?? 0);
      return { ...one, again, held };
    }

    it('a more-specific that was not asked for is not absent, in however many answers it is missing', async () => {
      const { again, held, replica } = await compared([{ of: outer, prefixes: [INSIDE[1], '10.0.9.0/24'] }]);
      await again();
      // All at once are not believed before a second answer, and say nothing against the prefix itself.
      expect(held()).toEqual([3, 3]);
      expect(replica.isComplete(outer)).toBe(true);
      await again();
      await again();
      expect(held()).toEqual([3, 0]);
      expect(replica.isComplete(outer)).toBe(true);
    });

    it('all are absent where the service was asked for everything', async () => {
      const { again, held } = await compared([]);
      await again();
      await again();
      expect(held()).toEqual([0, 0]);
    });
  });

  it('takes no list of VPs for whole whose beginning it has not read', async () => {
    const lists: number[] = [];
    const { replica } = member((vps) => lists.push(vps.length));
    const listed = (last: number) => ({
      ...{ id: String(last), vp: VPS[last], status: 'up' as const, ribSizeV4: 1, ribSizeV6: 1 },
      ...{ country: '', orgCountry: '', source: '' },
    });
    const part = (sequence: number, part: number) =>
      encodeControl({ term: 7, sequence, atMs: START_MS }, { type: 'vps', part, parts: 2, vps: [listed(part)] });
    replica.begin({ offset: 5, term: 7, sequence: 5, atMs: START_MS, complete: [], unread: [] }, new Map());
    await replica.apply(5, part(6, 1), 0);
    expect(lists).toEqual([]);
    await replica.apply(6, part(7, 0), 0);
    expect(replica.resume.offset).toBe(6);
    await replica.apply(7, part(8, 1), 0);
    expect([lists, replica.resume.offset]).toEqual([[2], 8]);
  });

  it('keeps no names without end of what it does not monitor, and no list of more VPs than a table has', async () => {
    const lists: number[] = [];
    const { replica } = member((vps) => lists.push(vps.length));
    replica.begin(undefined, new Map());
    let sequence = 0;
    const apply = (control: Control) =>
      replica.apply(sequence++, encodeControl({ term: 7, sequence, atMs: START_MS }, control), 0);
    await apply({ type: 'start' });
    await apply({ type: 'complete', prefixes: PREFIXES });
    for (let i = 0; i < 9; i++) {
      const prefixes = Array.from({ length: 5_000 }, (_, k) => `${20 + i}.${k >> 8}.${k & 255}.0/24`);
      await apply({ type: 'complete', prefixes });
      expect(replica.complete.length).toBeLessThanOrEqual(20_000);
    }
    expect(replica.complete).toEqual(expect.arrayContaining(PREFIXES));
    const fields = { status: 'up' as const, ribSizeV4: 1, ribSizeV6: 1, country: '', orgCountry: '', source: '' };
    const vps = Array.from({ length: 10 }, (_, i) => ({ ...fields, id: String(i), vp: VPS[0] }));
    const list = async (parts: number) => {
      for (let part = 0; part < parts; part++) await apply({ type: 'vps', part, parts, vps });
    };
    await list(5);
    await list(6);
    expect([lists, replica.unreadable]).toEqual([[50], 1]);
  });

  it.each(['numbers that are missing', 'a record that cannot be read'])(
    'trusts prefixes again after %s when a later RIB was read',
    async (what) => {
      const records = log();
      const { replica } = member();
      replica.begin(undefined, new Map());
      await play(replica, records, 0, records.length);
      if (what === 'a record that cannot be read') await replica.apply(records.length, Buffer.from('junk'), 0);
      const rib = (reading: number, sequence: number, atMs: number) =>
        replica.apply(
          records.length + sequence,
          encodeControl(
            { term: 7, sequence, atMs: START_MS + 100_000 },
            { type: 'rib', reading, part: 0, atMs, prefixes: PREFIXES, last: true, asked: [], rows: [], inside: [] },
          ),
          0,
        );
      await rib(8, what === 'a record that cannot be read' ? replica.sequence + 1 : 1_000, START_MS + 100_000);
      expect(PREFIXES.some((prefix) => replica.isComplete(prefix))).toBe(false);
      expect([...replica.unread].sort()).toEqual([...PREFIXES].sort());
      await rib(9, replica.sequence + 1, START_MS + 120_000);
      expect(PREFIXES.every((prefix) => replica.isComplete(prefix))).toBe(true);
    },
  );

  it('is not fresh while it is behind, however many watermarks it sees', async () => {
    const { replica } = member();
    replica.begin(undefined, new Map());
    replica.phase = 'live';
    const watermark = (sequence: number, seenAtMs: number) =>
      replica.apply(
        sequence,
        encodeControl({ term: 7, sequence, atMs: START_MS }, { type: 'watermark', up: true, clockOffsetMs: 0 }),
        seenAtMs,
      );
    await watermark(1, 1_000);
    expect(replica.isFresh(1_000)).toBe(false);
    replica.caughtUpAtMs = 1_000;
    expect([replica.isFresh(10_999), replica.isFresh(11_000)]).toEqual([true, false]);
    await watermark(2, 60_000);
    expect(replica.isFresh(60_000)).toBe(false);
    replica.caughtUpAtMs = 60_000;
    expect(replica.isFresh(60_000)).toBe(true);
  });

  it('reads a log that was made again from its beginning, each event once, and trusts it when its gap is filled', async () => {
    const records = log();
    const whole = member();
    whole.replica.begin(undefined, new Map());
    await play(whole.replica, records, 0, records.length);
    for (const restored of [false, true]) {
      let one = member();
      one.replica.begin(undefined, new Map());
      await play(one.replica, records, 0, 40);
      if (restored) {
        const { resume, complete, unread } = one.replica;
        const states = monitoredOf(one).map(
          // Offsets of a topic that is gone: far behind all that the new one has.
          (of) => [of.state.prefix.text, encodeState(one.table, of, 9_000, START_MS + 20_000)] as const,
        );
        one = member();
        const from = new Map(
          states.map(([text, value]) => [text, restoreState(one.table, value, START_MS + 100_000) as number]),
        );
        one.replica.begin({ ...resume, offset: 9_000, atMs: START_MS, complete, unread }, from);
      }
      one.replica.rewind(START_MS);
      expect([one.replica.nextOffset, PREFIXES.some((prefix) => one.replica.isComplete(prefix))]).toEqual([0, false]);
      // The new topic has some of the old records once more, and all that follow.
      const later = records.slice(35);
      await play(one.replica, later, 0, later.length);
      const { sequence } = one.replica;
      await one.replica.apply(
        later.length,
        encodeControl({ term: 7, sequence: sequence + 1, atMs: START_MS }, { type: 'gap', prefixes: PREFIXES }),
        0,
      );
      await one.replica.apply(
        later.length + 1,
        encodeControl({ term: 7, sequence: sequence + 2, atMs: START_MS }, { type: 'complete', prefixes: PREFIXES }),
        0,
      );
      expect([restored, contents(one)]).toEqual([restored, contents(whole)]);
    }
  });
});
