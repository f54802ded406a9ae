import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VantagePoint } from '../../../../src/bgp/vantage-point.ts';
import type { Asked } from '../../../../src/bgproutes/data-api/rows/route-fields.ts';
import { type RouteAnswer, ribAnswer, updatesAnswer } from '../../../../src/bgproutes/data-api/rows/rows.ts';
import {
  addUnreadable,
  decodeVantagePoints,
  noneUnreadable,
} from '../../../../src/bgproutes/data-api/rows/vantage-points.ts';
import { ROWS_PER_BATCH, type RowBatch, type UnreadableReason } from '../../../../src/bgproutes/data-api/types.ts';
import { JsonReader } from '../../../../src/http/json-reader.ts';
import type { ListedVp, RibRow } from '../../../../src/stream/history.ts';

const bgp = (id: string, asn = 3333, ip = '193.0.0.56'): ListedVp => ({ id, vp: { protocol: 'bgp', asn, ip } });
const BMP: VantagePoint = { protocol: 'bmp', asn: 64500, ip: '2001:db8::1', parent: { asn: 64501, ip: '192.0.2.1' } };
const P1 = '192.23.62.0/24';
const P2 = '2a06:3040:10::/48';

const asked = (vps: readonly ListedVp[], more: Partial<Asked> = {}): Asked => ({
  vps,
  prefixes: [P1, P2],
  match: 'exact',
  communities: true,
  ...more,
});

const decodeRib = (data: unknown, of: Asked) => decoded(ribAnswer(of), data);
const decodeUpdates = (data: unknown, of: Asked) => decoded(updatesAnswer(of), data);

/** Reads the JSON of an answer in pieces as small as can be. */
function decoded<Row extends RibRow>(answer: RouteAnswer<Row>, data: unknown) {
  const reader = new JsonReader({ bytes: 1e9, values: 1e9, depth: 1_000 }, answer, 1);
  const text = Buffer.from(JSON.stringify({ data }));
  for (let at = 0; at < text.length; at += 100) expect(reader.push(text.subarray(at, at + 100))).toBe(true);
  const read = reader.end();
  return read.kind === 'value' ? answer.decode((read.value as { data?: unknown }).data) : expect.unreachable(read.kind);
}

/** All rows, and only the reasons that were counted. */
function all<Row>(batches: Iterable<RowBatch<Row>> | undefined) {
  const counts = noneUnreadable();
  const rows: Row[] = [];
  const unavailable: string[] = [];
  for (const batch of batches ?? []) {
    rows.push(...batch.rows);
    addUnreadable(counts, batch.unreadable);
    unavailable.push(...batch.unavailable.map(({ id }) => id));
  }
  const unreadable = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  return { rows, unreadable, unavailable };
}

const short = (rows: readonly RibRow[]) => rows.map((row) => `${row.prefix} ${row.asPath}|${row.communities}`);

describe('decodeRib', () => {
  it('reads routes, prefixes in canonical spelling', () => {
    const vps = [bgp('1'), { id: '1', vp: BMP }];
    const data = {
      bgp: { 1: { [P1]: ['3333 1103 64500', '3333:100 64500:1:2', null, 1, -1], '2A06:3040:0010:0::/48': ['', null] } },
      bmp: { 1: { [P1]: ['64500 {1,2}', '', null, null, 0] } },
    };
    const { rows, unreadable } = all(decodeRib(data, asked(vps)));
    expect(rows).toEqual([
      { vp: vps[0].vp, prefix: P1, asPath: '3333 1103 64500', communities: '3333:100 64500:1:2' },
      { vp: vps[0].vp, prefix: P2, asPath: '', communities: '' },
      { vp: BMP, prefix: P1, asPath: '64500 {1,2}', communities: '' },
    ]);
    expect(unreadable).toEqual({});
  });

  it('takes the lowest of several feeds, whatever their order', () => {
    const rows = [
      ['3', '', null, null, 10],
      ['1', '', null, null, 2],
      ['2', '', null, null, 9],
    ];
    for (const order of [rows, [...rows].reverse()]) {
      const decoded = all(decodeRib({ bmp: { 1: { [P1]: order } } }, asked([{ id: '1', vp: BMP }])));
      expect(short(decoded.rows)).toEqual([`${P1} 1|`]);
      expect(decoded.unreadable).toEqual({ duplicate: 2 });
    }
  });

  it('has one route a prefix for a VP that is listed twice: of the listing asked for first', () => {
    const data = {
      bgp: { 5: { [P1]: ['5', '', null, null, -1] }, 4: { [P1]: ['4', '', null, null, -1], [P2]: ['44', ''] } },
    };
    const { rows, unreadable } = all(decodeRib(data, asked([bgp('5'), bgp('4')])));
    expect(short(rows)).toEqual([`${P1} 5|`, `${P2} 44|`]);
    expect(unreadable).toEqual({ duplicate: 1 });
  });

  it('has one route for a prefix that is spelt in two ways', () => {
    const { rows, unreadable } = all(
      decodeRib({ bgp: { 1: { [P2]: ['1', ''], '2a06:3040:10:0::/48': ['2', ''] } } }, asked([bgp('1')])),
    );
    expect(short(rows)).toEqual([`${P2} 1|`]);
    expect(unreadable).toEqual({ duplicate: 1 });
  });

  it('takes only what was asked for', () => {
    const data = { bgp: { 1: { '10.0.0.0/8': ['1', ''] }, 2: { [P1]: ['2', ''] } }, bmp: { 1: {} } };
    expect(all(decodeRib(data, asked([bgp('1')])))).toEqual({ rows: [], unreadable: { unasked: 3 }, unavailable: [] });
  });

  it('takes of more-specifics only what is inside, and not the prefix itself', () => {
    const data = {
      bgp: { 1: { '192.23.62.0/24': ['1', ''], '192.23.62.128/25': ['2', ''], '192.23.63.0/25': ['3', ''] } },
    };
    const { rows, unreadable } = all(decodeRib(data, asked([bgp('1')], { prefixes: [P1], match: 'more_specific' })));
    expect(short(rows)).toEqual(['192.23.62.128/25 2|']);
    expect(unreadable).toEqual({ unasked: 2 });
  });

  it('keeps nothing of what cannot be taken, nor the same text twice', () => {
    const answer = ribAnswer(asked([bgp('1')]));
    const part = answer.begin(false);
    for (let i = 0; i < 1_000; i++) part.add(`10.0.${i}.0/24`, ['1', '']);
    part.add(P1, ['1 2', '']);
    expect(part.end().rows).toEqual([{ type: '', row: { prefix: P1, asPath: '1 2', communities: '' } }]);
    expect(all(answer.decode({ bgp: { 1: part } })).unreadable).toEqual({ prefix: 744, unasked: 256 });
  });

  it('tells a VP without data from a VP without routes', () => {
    const data = { bgp: { 1: { details: 'The vantage point was down' }, 2: {} } };
    expect(all(decodeRib(data, asked([bgp('1'), bgp('2', 1)])))).toEqual({
      rows: [],
      unreadable: {},
      unavailable: ['1'],
    });
  });

  it('does not take silence about a protocol for the absence of routes', () => {
    const { unavailable } = all(decodeRib({ bgp: {}, bmp: null }, asked([bgp('1'), { id: '2', vp: BMP }])));
    expect(unavailable).toEqual(['2']);
  });

  it('names the VPs of which something could not be read, so that a missing row is no absence', () => {
    const data = {
      bgp: { 1: { [P1]: ['1', ''], [P2]: ['x', ''] }, 2: { [P1]: ['1', { odd: 1 }], '10.0.0.0/8': ['1', ''] }, 3: 7 },
    };
    const { rows, unavailable } = all(decodeRib(data, asked([bgp('1', 1), bgp('2', 2), bgp('3', 3)])));
    expect(rows.length).toBe(2);
    expect(unavailable).toEqual(['1', '3']);
  });

  it.each<[unknown, UnreadableReason]>([
    [{ [P1]: null }, 'shape'],
    [{ [P1]: 'text' }, 'shape'],
    [{ [P1]: [] }, 'as_path'],
    [{ [P1]: [null, ''] }, 'as_path'],
    [{ [P1]: ['1 2 x', ''] }, 'as_path'],
    [{ [P1]: ['7 '.repeat(16_345), ''] }, 'as_path'],
    [{ [P1]: ['1', ''], details: { text: 'down' } }, 'prefix'],
    [{ [P1]: [['1'], 'row'] }, 'shape'],
    [{ '192.23.62.0': ['1', ''] }, 'prefix'],
    [{ '': ['1', ''] }, 'prefix'],
    [null, 'shape'],
    [[], 'shape'],
    [7, 'shape'],
  ])('counts %j', (value, reason) => {
    const { unreadable } = all(decodeRib({ bgp: { 1: value } }, asked([bgp('1')])));
    expect(unreadable[reason]).toBe(1);
  });

  it('keeps a route whose communities it cannot read', () => {
    const data: unknown = {
      bgp: { 1: { [P1]: ['1', { a: 1 }, null, null, { toString: 1 }], [P2]: ['1', ['1:2', '3:4']] } },
    };
    const { rows, unreadable } = all(decodeRib(data, asked([bgp('1')])));
    expect(short(rows)).toEqual([`${P1} 1|`, `${P2} 1|1:2 3:4`]);
    expect(unreadable).toEqual({ communities: 1 });
  });

  it('comes in parts, and loses nothing between them', () => {
    const vps = Array.from({ length: 3 * ROWS_PER_BATCH + 1 }, (_, i) => bgp(String(i), i + 1));
    const data = { bgp: Object.fromEntries(vps.map(({ id }) => [id, { [P1]: [id, ''], [P2]: ['x', ''] }])) };
    const batches = [...(decodeRib(data, asked(vps)) ?? [])];
    expect(batches.map(({ rows }) => rows.length)).toEqual([ROWS_PER_BATCH, ROWS_PER_BATCH, ROWS_PER_BATCH, 1]);
    const { rows, unreadable } = all(batches);
    expect(rows.map((row) => row.asPath)).toEqual(vps.map(({ id }) => id));
    expect(unreadable).toEqual({ as_path: vps.length });
  });

  it.each([null, undefined, [], {}, 'text', 7, { other: {} }, { bgp: [] }, { bgp: {}, bmp: 'x' }])(
    'takes %j for no answer',
    (data) => {
      expect(decodeRib(data, asked([bgp('1')]))).toBeUndefined();
      expect(decodeUpdates(data, asked([bgp('1')]))).toBeUndefined();
    },
  );
});

describe('decodeUpdates', () => {
  it('reads announcements and withdrawals in order of time', () => {
    const data = {
      bgp: {
        1: [
          [1_700_000_002, 'W', P1, '1 2', '1:2', null, null, -1],
          [1_700_000_001.25, 'A', P1, '3333 64500', '1:2', null, null, -1],
          ['1700000002', 'A', P1, '3333 1', null, null, null, -1],
          ['2023-11-14T22:13:20', 'A', P2, '', '', null, null, -1],
        ],
      },
    };
    const { vp } = bgp('1');
    const { rows, unreadable } = all(decodeUpdates(data, asked([bgp('1')])));
    expect(rows).toEqual([
      { vp, prefix: P2, timeUs: 1_700_000_000_000_000, kind: 'A', asPath: '', communities: '' },
      { vp, prefix: P1, timeUs: 1_700_000_001_250_000, kind: 'A', asPath: '3333 64500', communities: '1:2' },
      { vp, prefix: P1, timeUs: 1_700_000_002_000_000, kind: 'W', asPath: '', communities: '' },
      { vp, prefix: P1, timeUs: 1_700_000_002_000_000, kind: 'A', asPath: '3333 1', communities: '' },
    ]);
    expect(unreadable).toEqual({});
  });

  it('speaks of one feed a prefix', () => {
    const data = {
      bmp: {
        1: [
          [1, 'A', P1, '2', '', null, null, 2],
          [2, 'A', P1, '1', '', null, null, 1],
          [3, 'W', P1, null, null, null, null, 2],
          [4, 'W', P1, null, null, null, null, 1],
          [5, 'A', P2, '7', '', null, null, 2],
        ],
      },
    };
    const { rows, unreadable } = all(decodeUpdates(data, asked([{ id: '1', vp: BMP }])));
    expect(rows.map((row) => `${row.timeUs / 1e6} ${row.kind} ${row.prefix}`)).toEqual([
      `2 A ${P1}`,
      `4 W ${P1}`,
      `5 A ${P2}`,
    ]);
    expect(unreadable).toEqual({ duplicate: 2 });
  });

  it.each<[unknown, UnreadableReason]>([
    [null, 'shape'],
    [{}, 'shape'],
    [[], 'kind'],
    [[1, 'X', P1, '1'], 'kind'],
    [[1, 'A', 'x', '1'], 'prefix'],
    [[1, 'A', null, '1'], 'prefix'],
    [[1, 'A', '10.0.0.0/8', '1'], 'unasked'],
    [[null, 'A', P1, '1'], 'timestamp'],
    [[-1, 'W', P1], 'timestamp'],
    [['yesterday', 'A', P1, '1'], 'timestamp'],
    [[1, 'A', P1, null], 'as_path'],
  ])('counts %j', (row, reason) => {
    expect(all(decodeUpdates({ bgp: { 1: [row] } }, asked([bgp('1')])))).toEqual({
      rows: [],
      unreadable: { [reason]: 1 },
      unavailable: reason === 'unasked' ? [] : ['1'],
    });
  });

  it('tells a VP without data', () => {
    const data = { bgp: { 1: { details: 'down' }, 2: { other: 1 } } };
    expect(all(decodeUpdates(data, asked([bgp('1'), bgp('2', 1)])))).toEqual({
      rows: [],
      unreadable: { shape: 1 },
      unavailable: ['1', '2'],
    });
  });
});

describe('whatever the answer is', () => {
  /** JSON with pieces of a real answer in it, so that it gets past the first checks. */
  const pieces = fc.constantFrom<unknown>(
    P1,
    P2,
    'A',
    'W',
    '1 2',
    '',
    1_700_000_000,
    -1,
    null,
    'details',
    '__proto__',
    '1',
  );
  const json = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      pieces,
      fc.jsonValue(),
      fc.array(tie('value'), { maxLength: 8 }),
      fc.dictionary(
        fc.constantFrom('bgp', 'bmp', '1', '2', P1, P2, 'details', 'id', 'asn', 'ip', 'status', 'toString'),
        tie('value'),
      ),
    ),
  })).value;
  const data = fc.record({ bgp: json, bmp: json }, { requiredKeys: [] });

  it('it is read without a throw, and every row is what was asked for', () => {
    const vps = [bgp('1'), bgp('2', 7), { id: '1', vp: BMP }];
    fc.assert(
      fc.property(fc.oneof(json, data), (answer) => {
        const parsed: unknown = JSON.parse(JSON.stringify(answer) ?? 'null');
        decodeVantagePoints(parsed);
        for (const row of all(decodeRib(parsed, asked(vps))).rows) expect([P1, P2]).toContain(row.prefix);
        for (const row of all(decodeUpdates(parsed, asked(vps))).rows) expect(row.timeUs).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('rows of the documented form are all there or all counted', () => {
    const row = fc.tuple(
      fc.oneof(fc.integer({ min: -5, max: 2_000_000_000 }), fc.double(), fc.string()),
      fc.constantFrom('A', 'W', 'x'),
      fc.constantFrom(P1, P2, '10.0.0.0/8', 'nonsense'),
      fc.constantFrom('1 2 3', '', 'x', null),
      fc.constant(''),
      fc.constant(null),
      fc.constant(null),
      fc.constantFrom(-1, 0, 1),
    );
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const { rows: read, unreadable } = all(
          decodeUpdates(JSON.parse(JSON.stringify({ bgp: { 1: rows } })), asked([bgp('1')])),
        );
        expect(read.length + Object.values(unreadable).reduce((a, b) => a + b, 0)).toBe(rows.length);
      }),
    );
  });
});
