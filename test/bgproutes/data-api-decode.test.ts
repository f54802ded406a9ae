import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VantagePoint } from '../../src/bgp/vantage-point.ts';
import { groupVps, splitExact } from '../../src/bgproutes/data-api-batches.ts';
import { addUnreadable, decodeVantagePoints, noneUnreadable } from '../../src/bgproutes/data-api-decode.ts';
import { type Asked, decodeRib, decodeUpdates } from '../../src/bgproutes/data-api-rows.ts';
import { formatDate, parseTimestampUs } from '../../src/bgproutes/data-api-time.ts';
import {
  type ListedVp,
  type RibRow,
  ROWS_PER_BATCH,
  type RowBatch,
  type UnreadableReason,
} from '../../src/bgproutes/data-api-types.ts';

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

describe('decodeVantagePoints', () => {
  it('reads BGP and BMP', () => {
    const answer = decodeVantagePoints({
      bgp: [
        {
          id: 7,
          ip: '193.0.0.56',
          asn: 3333,
          source: 'ris',
          rib_size_v4: 950000,
          rib_size_v6: '220000',
          country: 'NL',
          org_name: 'RIPE NCC',
          org_country: 'NL',
          status: 'up',
        },
      ],
      bmp: [
        {
          id: 7,
          ip: '2001:DB8:0::1',
          asn: '64500',
          source: 'bgproutes.io',
          rib_size_v4: null,
          status: { 0: 'down', 1: 'up' },
          bmp_info: { parent_asn: 64501, parent_ip: '192.0.2.1', feed_types: [0, 1] },
        },
      ],
    });
    expect(answer?.vantagePoints).toEqual([
      {
        id: '7',
        vp: { protocol: 'bgp', asn: 3333, ip: '193.0.0.56' },
        source: 'ris',
        status: 'up',
        ribSizeV4: 950_000,
        ribSizeV6: 220_000,
        country: 'NL',
        orgName: 'RIPE NCC',
        orgCountry: 'NL',
        feedTypes: [],
      },
      {
        id: '7',
        vp: BMP,
        source: 'bgproutes.io',
        status: 'up',
        ribSizeV4: undefined,
        ribSizeV6: undefined,
        country: '',
        orgName: '',
        orgCountry: '',
        feedTypes: ['0', '1'],
      },
    ]);
    expect(answer?.unreadable).toEqual(noneUnreadable());
  });

  it('reads the names that the public client uses', () => {
    const record = { unique_id: 3, ip: '2001:db8::1', asn: 64500, bmp_parent_asn: 64501, bmp_parent_ip: '192.0.2.1' };
    expect(decodeVantagePoints({ bmp: [record] })?.vantagePoints[0]).toMatchObject({ id: '3', vp: BMP, status: 'unknown' });
  });

  it.each([
    ['up', 'up'],
    ['DOWN', 'down'],
    ['ignored', 'ignored'],
    ['dying', 'unknown'],
    [null, 'unknown'],
    [1, 'unknown'],
    [{}, 'unknown'],
    [{ a: 'down', b: 'down' }, 'down'],
    [{ a: 'down', b: 'up' }, 'up'],
    [{ a: 'down', b: 'ignored' }, 'down'],
    [{ a: 'down', b: 'strange' }, 'unknown'],
    [{ a: 'ignored' }, 'ignored'],
  ])('takes the status %j for %s', (status, expected) => {
    const answer = decodeVantagePoints({ bgp: [{ id: 1, ip: '192.0.2.1', asn: 1, status }] });
    expect(answer?.vantagePoints[0].status).toBe(expected);
  });

  it.each<[unknown, UnreadableReason]>([
    [null, 'shape'],
    ['text', 'shape'],
    [[1], 'shape'],
    [{ ip: '192.0.2.1', asn: 1 }, 'vp'],
    [{ id: 'a,b', ip: '192.0.2.1', asn: 1 }, 'vp'],
    [{ id: -1, ip: '192.0.2.1', asn: 1 }, 'vp'],
    [{ id: 1, ip: '192.0.2.01', asn: 1 }, 'vp'],
    [{ id: 1, ip: '192.0.2.1', asn: 4294967296 }, 'vp'],
    [{ id: 1, ip: '192.0.2.1', asn: 1.5 }, 'vp'],
    [{ id: 1, ip: '192.0.2.1', asn: { toString: 1 } }, 'vp'],
  ])('skips and counts %j', (record, reason) => {
    const answer = decodeVantagePoints({ bgp: [record] });
    expect(answer?.vantagePoints).toEqual([]);
    expect(answer?.unreadable[reason]).toBe(1);
  });

  it('does not know a BMP peer without its parent', () => {
    const answer = decodeVantagePoints({ bmp: [{ id: 1, ip: '192.0.2.1', asn: 1, bmp_info: { parent_asn: 2 } }] });
    expect([answer?.vantagePoints, answer?.unreadable.vp]).toEqual([[], 1]);
  });

  it.each([null, undefined, [], {}, 'text', { bgp: {} }, { bgp: 'x' }, { other: [] }])('takes %j for no answer', (data) => {
    expect(decodeVantagePoints(data)).toBeUndefined();
  });
});

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
    const data = { bgp: { 5: { [P1]: ['5', '', null, null, -1] }, 4: { [P1]: ['4', '', null, null, -1], [P2]: ['44', ''] } } };
    const { rows, unreadable } = all(decodeRib(data, asked([bgp('5'), bgp('4')])));
    expect(short(rows)).toEqual([`${P1} 5|`, `${P2} 44|`]);
    expect(unreadable).toEqual({ duplicate: 1 });
  });

  it('has one route for a prefix that is spelt in two ways', () => {
    const { rows, unreadable } = all(decodeRib({ bgp: { 1: { [P2]: ['1', ''], '2a06:3040:10:0::/48': ['2', ''] } } }, asked([bgp('1')])));
    expect(short(rows)).toEqual([`${P2} 1|`]);
    expect(unreadable).toEqual({ duplicate: 1 });
  });

  it('takes only what was asked for', () => {
    const data = { bgp: { 1: { '10.0.0.0/8': ['1', ''] }, 2: { [P1]: ['2', ''] } }, bmp: { 1: {} } };
    expect(all(decodeRib(data, asked([bgp('1')])))).toEqual({ rows: [], unreadable: { unasked: 3 }, unavailable: [] });
  });

  it('takes of more-specifics only what is inside, and not the prefix itself', () => {
    const data = { bgp: { 1: { '192.23.62.0/24': ['1', ''], '192.23.62.128/25': ['2', ''], '192.23.63.0/25': ['3', ''] } } };
    const { rows, unreadable } = all(decodeRib(data, asked([bgp('1')], { prefixes: [P1], match: 'more_specific' })));
    expect(short(rows)).toEqual(['192.23.62.128/25 2|']);
    expect(unreadable).toEqual({ unasked: 2 });
  });

  it('tells a VP without data from a VP without routes', () => {
    const data = { bgp: { 1: { details: 'The vantage point was down' }, 2: {} } };
    expect(all(decodeRib(data, asked([bgp('1'), bgp('2', 1)])))).toEqual({ rows: [], unreadable: {}, unavailable: ['1'] });
  });

  it.each<[unknown, UnreadableReason]>([
    [{ [P1]: null }, 'shape'],
    [{ [P1]: 'text' }, 'shape'],
    [{ [P1]: [] }, 'as_path'],
    [{ [P1]: [null, ''] }, 'as_path'],
    [{ [P1]: ['1 2 x', ''] }, 'as_path'],
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
    const data = { bgp: { 1: { [P1]: ['1', { a: 1 }, null, null, { toString: 1 }], [P2]: ['1', ['1:2', '3:4']] } } };
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

  it.each([null, undefined, [], {}, 'text', 7, { other: {} }])('takes %j for no answer', (data) => {
    expect(decodeRib(data, asked([bgp('1')]))).toBeUndefined();
    expect(decodeUpdates(data, asked([bgp('1')]))).toBeUndefined();
  });
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
    expect(rows.map((row) => `${row.timeUs / 1e6} ${row.kind} ${row.prefix}`)).toEqual([`2 A ${P1}`, `4 W ${P1}`, `5 A ${P2}`]);
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
      unavailable: [],
    });
  });

  it('tells a VP without data', () => {
    const data = { bgp: { 1: { details: 'down' }, 2: { other: 1 } } };
    expect(all(decodeUpdates(data, asked([bgp('1'), bgp('2', 1)])))).toEqual({
      rows: [],
      unreadable: { shape: 1 },
      unavailable: ['1'],
    });
  });
});

describe('whatever the answer is', () => {
  /** JSON with pieces of a real answer in it, so that it gets past the first checks. */
  const pieces = fc.constantFrom<unknown>(P1, P2, 'A', 'W', '1 2', '', 1_700_000_000, -1, null, 'details', '__proto__', '1');
  const json = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      pieces,
      fc.jsonValue(),
      fc.array(tie('value'), { maxLength: 8 }),
      fc.dictionary(fc.constantFrom('bgp', 'bmp', '1', '2', P1, P2, 'details', 'id', 'asn', 'ip', 'status', 'toString'), tie('value')),
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
        const { rows: read, unreadable } = all(decodeUpdates(JSON.parse(JSON.stringify({ bgp: { 1: rows } })), asked([bgp('1')])));
        expect(read.length + Object.values(unreadable).reduce((a, b) => a + b, 0)).toBe(rows.length);
      }),
    );
  });
});

describe('times', () => {
  it.each<[unknown, number | undefined]>([
    [1_700_000_000, 1_700_000_000_000_000],
    [1_700_000_000.123456, 1_700_000_000_123_456],
    ['1700000000.5', 1_700_000_000_500_000],
    ['2023-11-14T22:13:20', 1_700_000_000_000_000],
    ['2023-11-14 22:13:20.000001', 1_700_000_000_000_001],
    ['2023-11-14T22:13:20.123456789Z', 1_700_000_000_123_456],
    ['2023-11-14T22:13:20+00:00', 1_700_000_000_000_000],
    ['2023-11-14T22:13:20+01:00', undefined],
    ['2023-02-30T00:00:00', undefined],
    ['2023-11-14T24:00:00', undefined],
    ['2023-11-14', undefined],
    ['', undefined],
    ['0x10', undefined],
    [0, undefined],
    [-1, undefined],
    [1e15, undefined],
    [Number.NaN, undefined],
    [true, undefined],
    [[1_700_000_000], undefined],
  ])('reads %j as %s', (value, expected) => {
    expect(parseTimestampUs(value)).toBe(expected);
  });

  it('are written as the API wants them, and come back', () => {
    expect(formatDate(Date.UTC(2026, 1, 3, 4, 5, 6, 789))).toBe('2026-02-03T04:05:06');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_000_000_000 }), (seconds) => {
        expect(parseTimestampUs(formatDate(seconds * 1000))).toBe(seconds * 1_000_000);
      }),
    );
  });
});

describe('splitting a question', () => {
  const vps = (count: number) => Array.from({ length: count }, (_, i) => bgp(String(i), i + 1));
  const prefixes = (count: number) => Array.from({ length: count }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  const sizes = (v: number, p: number, max = 2_000) =>
    splitExact(vps(v), prefixes(p), max).map((batch) => `${batch.vps.length}x${batch.prefixes.length}`);

  it('makes as few requests as the rule allows', () => {
    expect(sizes(4_500, 10)).toEqual(['2000x10', '2000x10', '500x10']);
    expect(sizes(10, 400)).toEqual(['10x400']);
    expect(sizes(100, 25)).toEqual(['100x10', '100x10', '100x5']);
    expect(sizes(15, 90)).toEqual(['10x90', '5x90']);
    expect(sizes(1, 1)).toEqual(['1x1']);
    expect(sizes(0, 5)).toEqual([]);
    expect(sizes(5, 0)).toEqual([]);
  });

  it('asks every VP for every prefix exactly once, within the rule', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.integer({ min: 1, max: 30 }), (v, p, max) => {
        const seen = new Set<string>();
        for (const batch of splitExact(vps(v), prefixes(p), max)) {
          if (batch.vps.length > 10) expect(batch.prefixes.length).toBeLessThanOrEqual(10);
          for (const { id } of batch.vps) {
            for (const prefix of batch.prefixes) {
              expect(seen.has(`${id} ${prefix}`)).toBe(false);
              seen.add(`${id} ${prefix}`);
            }
          }
        }
        expect(seen.size).toBe(v * p);
      }),
    );
  });

  it('keeps listings of one VP together', () => {
    const listed = [bgp('1', 1), bgp('2', 2), bgp('3', 3), bgp('4', 1)];
    expect(groupVps(listed, 2).map((part) => part.map(({ id }) => id))).toEqual([
      ['1', '4'],
      ['2', '3'],
    ]);
    expect(groupVps([bgp('1'), bgp('2'), bgp('3')], 2).map((part) => part.length)).toEqual([3]);
  });
});
