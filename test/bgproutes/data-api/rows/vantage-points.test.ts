import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VantagePoint } from '../../../../src/bgp/vantage-point.ts';
import { groupVps, splitExact } from '../../../../src/bgproutes/data-api/batches.ts';
import { decodeVantagePoints, noneUnreadable } from '../../../../src/bgproutes/data-api/rows/vantage-points.ts';
import { formatDate, parseTimestampUs } from '../../../../src/bgproutes/data-api/time.ts';
import type { UnreadableReason } from '../../../../src/bgproutes/data-api/types.ts';
import type { ListedVp } from '../../../../src/stream/history.ts';

const bgp = (id: string, asn = 3333, ip = '193.0.0.56'): ListedVp => ({ id, vp: { protocol: 'bgp', asn, ip } });
const BMP: VantagePoint = { protocol: 'bmp', asn: 64500, ip: '2001:db8::1', parent: { asn: 64501, ip: '192.0.2.1' } };

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
    expect(decodeVantagePoints({ bmp: [record] })?.vantagePoints[0]).toMatchObject({
      id: '3',
      vp: BMP,
      status: 'unknown',
    });
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

  it.each([null, undefined, [], {}, 'text', { bgp: {} }, { bgp: 'x' }, { other: [] }])(
    'takes %j for no answer',
    (data) => {
      expect(decodeVantagePoints(data)).toBeUndefined();
    },
  );
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
