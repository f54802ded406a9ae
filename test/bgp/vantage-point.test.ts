import { describe, expect, it } from 'vitest';
import { parseSpeaker, vantagePointKey } from '../../src/bgp/vantage-point.ts';

describe('ASN_IP', () => {
  it.each([
    ['64500_192.0.2.1', { asn: 64500, ip: '192.0.2.1' }],
    ['64500_2001:DB8:0::1', { asn: 64500, ip: '2001:db8::1' }],
    [
      '4294967295_2001:db8:ffff:ffff:ffff:ffff:255.255.255.255',
      { asn: 4294967295, ip: '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff' },
    ],
    ['0_27.111.231.4', { asn: 0, ip: '27.111.231.4' }],
  ])('%s', (text, speaker) => expect(parseSpeaker(text)).toEqual(speaker));

  it.each([
    '',
    '_',
    '64500',
    '64500_',
    '_192.0.2.1',
    '64500 192.0.2.1',
    '64500_192.0.2.1_',
    '64500_192.0.2.01',
    '64500_192.0.2.1/32',
    '64500_fe80::1%eth0',
    '64500_2001:db8',
    '4294967296_192.0.2.1',
    'AS64500_192.0.2.1',
    ' 64500_192.0.2.1',
    `64500_${'0:'.repeat(100)}`,
  ])('"%s" is none', (text) => expect(parseSpeaker(text)).toBeUndefined());
});

describe('which vantage points are the same', () => {
  const parent = { asn: 64500, ip: '192.0.2.1' };
  const points = [
    { protocol: 'bgp' as const, asn: 64501, ip: '192.0.2.9' },
    { protocol: 'bgp' as const, asn: 64502, ip: '192.0.2.9' },
    { protocol: 'bgp' as const, asn: 64501, ip: '192.0.2.8' },
    { protocol: 'bmp' as const, asn: 64501, ip: '192.0.2.9', parent },
    { protocol: 'bmp' as const, asn: 64501, ip: '192.0.2.9', parent: { ...parent, asn: 64503 } },
    { protocol: 'bmp' as const, asn: 64501, ip: '192.0.2.9', parent: { ...parent, ip: '192.0.2.2' } },
  ];

  it('protocol, ASN, IP and the parent’s ASN and IP tell them apart', () => {
    expect(new Set(points.map(vantagePointKey)).size).toBe(points.length);
  });

  it('equal ones have equal keys', () => {
    for (const point of points) expect(vantagePointKey({ ...point })).toBe(vantagePointKey(point));
  });
});
