import { describe, expect, it } from 'vitest';
import { endOfChannelFrame, recordFrame } from '../../../src/kafka/record-frame.ts';
import { Heard, listener, NOW } from './heard.ts';
import * as bytes from './messages.ts';

const {
  address,
  announce,
  attribute,
  bmp,
  hex,
  nlri,
  openBmp,
  peerDown,
  peerUp,
  routeMonitoring,
  u16,
  update,
  withdraw,
} = bytes;
const P = '192.0.2.0/24';
const VP = 'bgp 64501_192.0.2.1';
const AT = { seconds: NOW / 1000 - 5, micros: 250_000 };
const route = (path: readonly number[] = [64_501, 64_500], peer: bytes.PeerHeader = {}) =>
  routeMonitoring({ ...AT, ...peer }, announce([P], path));

describe('what stands around a message', () => {
  const event = [`${VP}: +${P} by 64501 64500`];

  it('is the binary header of OpenBMP, text, or nothing', () => {
    const { words } = listener();
    const text = Buffer.from(`R_IP: 192.0.2.77\nV: 1.7\nl: ${route().length}\n\n`);
    const lines = Buffer.from(`V: 1.7\r\nR_HASH: abc\r\nL: ${route().length}\r\n\r\n`);
    expect(words(openBmp(route()))).toEqual(event);
    expect(words(Buffer.concat([lines, route()]), { channel: 1 })).toEqual(['unused other_feed']);
    expect(listener().words(Buffer.concat([lines, route()]))).toEqual(event);
    expect(listener().words(route())).toEqual(event);
    // The first letter tells the form, and no form begins with R.
    expect(listener().words(Buffer.concat([text, route()]))).toEqual(['failed unknown_record']);
  });

  it('may be followed by bytes that belong to nothing', () => {
    expect(listener().words(Buffer.concat([openBmp(route()), hex('0a')]))).toEqual(event);
    expect(listener().words(Buffer.concat([route(), hex('0a')]))).toEqual(event);
  });

  it('is read by its own lengths', () => {
    const long = Buffer.concat([
      openBmp(route()).subarray(0, 6),
      u16(100),
      openBmp(route()).subarray(8, 88),
      Buffer.alloc(12),
    ]);
    expect(listener().words(Buffer.concat([long, route()]))).toEqual(event);
    expect(listener().words(openBmp(route()).subarray(0, -1))).toEqual(['failed truncated']);
    expect(listener().words(Buffer.from('V: 1.7\nL: 500\n\nshort'))).toEqual(['failed truncated']);
    expect(listener().words(Buffer.from('V: 1.7\nL: x\n\n'))).toEqual(['failed invalid_openbmp_header']);
    expect(listener().words(Buffer.from('OBMQ'.padEnd(100)))).toEqual(['failed invalid_openbmp_header']);
  });

  it('without a header may be several messages', () => {
    const two = Buffer.concat([route(), routeMonitoring(AT, withdraw(P))]);
    expect(listener().words(two)).toEqual([...event, `${VP}: -${P}`]);
  });

  it.each([
    ['another object', openBmp(route(), { object: 1 }), 'unused other_object'],
    ['BMP version 4', Buffer.concat([hex('04'), route().subarray(1)]), 'failed unknown_bmp_version'],
    ['something else', Buffer.from('{"type":"peer"}'), 'failed unknown_record'],
    ['nothing', Buffer.alloc(0), 'failed truncated'],
    ['a length beyond the record', Buffer.concat([hex('03 00 00 ff ff 00'), route()]), 'failed truncated'],
    ['a length below the header', hex('03 00 00 00 05 00'), 'failed truncated'],
    ['a type that is not known', bmp(99), 'failed unknown_bmp_type'],
    ['a statistics report', bmp(1, bytes.peerHeader({})), 'unused other_message'],
    ['a mirrored route', bmp(6, bytes.peerHeader({})), 'unused other_message'],
    ['half a peer header', bmp(0, Buffer.alloc(20)), 'failed truncated'],
  ])('%s has a reason', (_, record, word) => {
    expect(listener().words(record)).toEqual([word]);
  });
});

describe('routes', () => {
  it('have path, communities, next hop and origin', () => {
    const attributes = [
      attribute(1, hex('02')),
      attribute(2, hex('02 02 0000fbf5 0000fbf4 01 02 00000003 00000002')),
      attribute(3, address('198.51.100.1')),
      attribute(8, hex('fbf5 0064 ffff ff01')),
      attribute(32, hex('0000fbf4 00000001 fffffffe')),
    ];
    const { updates } = listener().hear(
      routeMonitoring(AT, update({ attributes, announced: nlri(P, '192.0.2.128/25') })),
    );
    expect(updates).toEqual([
      {
        vp: { protocol: 'bgp', asn: 64_501, ip: '192.0.2.1' },
        timeUs: (NOW - 5_000) * 1_000 + 250_000,
        withdrawn: [],
        announced: [P, '192.0.2.128/25'],
        attributes: {
          asPath: '64501 64500 {2,3}',
          communities: '64501:100 65535:65281 64500:1:4294967294',
          nextHop: '198.51.100.1',
          originAttribute: 'INCOMPLETE',
        },
      },
    ]);
  });

  it('of IPv6 come in MP_REACH_NLRI and MP_UNREACH_NLRI', () => {
    const hops = Buffer.concat([address('2001:db8::1'), address('fe80::1')]);
    const reach = Buffer.concat([hex('0002 01 20'), hops, hex('00'), nlri('2001:db8:1::/48')]);
    const unreach = Buffer.concat([hex('0002 01'), nlri('2001:db8:2::/48')]);
    const attributes = [
      attribute(2, bytes.sequence([64_501])),
      attribute(14, reach, 0x80),
      attribute(15, unreach, 0x80),
    ];
    const heard = listener().hear(routeMonitoring({ ip: '2001:db8::99', ...AT }, update({ attributes })));
    expect(heard.words).toEqual(['bgp 64501_2001:db8::99: -2001:db8:2::/48 +2001:db8:1::/48 by 64501']);
    expect(heard.updates[0].attributes?.nextHop).toBe('2001:db8::1,fe80::1');
  });

  it('of both families in one message have their own next hops', () => {
    const reach = Buffer.concat([hex('0002 01 10'), address('2001:db8::1'), hex('00'), nlri('2001:db8::/32')]);
    const attributes = [
      ...[attribute(2, bytes.sequence([64_501])), attribute(3, address('198.51.100.1')), attribute(14, reach, 0x80)],
    ];
    const { updates } = listener().hear(
      routeMonitoring(AT, update({ withdrawn: nlri('192.0.2.0/25'), attributes, announced: nlri(P) })),
    );
    expect(updates.map(({ withdrawn, announced, attributes: of }) => [withdrawn, announced, of?.nextHop])).toEqual([
      [['192.0.2.0/25'], [P], '198.51.100.1'],
      [[], ['2001:db8::/32'], '2001:db8::1'],
    ]);
  });

  it('that nobody asked for are counted, and the message is heard', () => {
    const { words } = listener();
    expect(words(routeMonitoring(AT, announce(['198.51.100.0/24', '0.0.0.0/0', '192.0.0.0/16'], [64_501])))).toEqual([
      'passed 1 3',
    ]);
    expect(words(routeMonitoring(AT, announce([P, '192.0.3.0/24'], [64_501])))).toEqual([
      `${VP}: +${P} by 64501`,
      'passed 0 1',
    ]);
    // An End-of-RIB marker: the stream lives.
    expect(words(routeMonitoring(AT, update({})))).toEqual(['passed 1 0']);
  });

  it('are found inside prefixes of any length', () => {
    const { words } = listener({ prefixes: ['0.0.0.0/0', '2001::/16', '198.51.100.64/26', '::/3'] });
    const sent = ['0.0.0.0/0', '203.0.113.7/32', '10.0.0.0/7'];
    expect(words(routeMonitoring(AT, announce(sent, [64_501])))).toEqual([
      `${VP}: +0.0.0.0/0 +203.0.113.7/32 +10.0.0.0/7 by 64501`,
    ]);
    const unreach = (...prefixes: string[]) =>
      update({ attributes: [attribute(15, Buffer.concat([hex('0002 01'), nlri(...prefixes)]))] });
    expect(
      words(routeMonitoring(AT, unreach('2001::/16', '2001:db8::1/128', '2000::/3', '::/2', 'fe80::/10'))),
    ).toEqual([`${VP}: -2001::/16 -2001:db8::1/128`, 'passed 0 3']);
  });

  it('that are withdrawn and announced at once are announced', () => {
    const attributes = [attribute(2, bytes.sequence([64_501]))];
    const both = update({ withdrawn: nlri(P, '192.0.2.0/25'), attributes, announced: nlri(P) });
    expect(listener().words(routeMonitoring(AT, both))).toEqual([`${VP}: -192.0.2.0/25 +${P} by 64501`]);
  });

  it.each([
    ['a cut message', announce([P], [1]).subarray(0, -1), 'failed invalid_update'],
    ['no marker', Buffer.concat([Buffer.alloc(16), announce([P], [1]).subarray(16)]), 'failed invalid_update'],
    ['an OPEN', bytes.open(64_501), 'failed invalid_update'],
    ['attributes beyond the message', hex(`${'ff'.repeat(16)} 0017 02 0000 00ff`), 'failed invalid_update'],
    [
      'an attribute beyond the attributes',
      update({ attributes: [hex('40 02 ff')], announced: nlri(P) }),
      'failed invalid_update',
    ],
    [
      'MP_REACH_NLRI twice',
      update({ attributes: [attribute(14, hex('0002 01 00 00')), attribute(14, hex('0002 01 00 00'))] }),
      'failed invalid_update',
    ],
    [
      'a next hop beyond MP_REACH_NLRI',
      update({ attributes: [attribute(14, hex('0002 01 20 00'))] }),
      'failed invalid_update',
    ],
    ['33 bits of IPv4', update({ withdrawn: hex('18 c00002 21 c000020180') }), 'failed invalid_prefix'],
    [
      '129 bits of IPv6',
      update({ attributes: [attribute(15, hex(`0002 01 81 ${'20'.repeat(17)}`))] }),
      'failed invalid_prefix',
    ],
    ['a cut prefix', update({ withdrawn: hex('18 c000') }), 'failed invalid_prefix'],
    ['no path', update({ announced: nlri(P) }), 'failed missing_as_path'],
    [
      'a path of half an AS',
      update({ attributes: [attribute(2, hex('02 01 00'))], announced: nlri(P) }),
      'failed invalid_as_path',
    ],
    [
      'an empty segment',
      update({ attributes: [attribute(2, hex('02 00'))], announced: nlri(P) }),
      'failed invalid_as_path',
    ],
    [
      'a segment of type 5',
      update({ attributes: [attribute(2, hex('05 01 00000001'))], announced: nlri(P) }),
      'failed invalid_as_path',
    ],
  ])('%s has a reason', (_, message, word) => {
    expect(listener().words(routeMonitoring(AT, message))).toEqual([word]);
  });

  it('without a path leave the withdrawals', () => {
    const message = update({ withdrawn: nlri('192.0.2.0/25'), announced: nlri(P) });
    expect(listener().words(routeMonitoring(AT, message))).toEqual(['failed missing_as_path', `${VP}: -192.0.2.0/25`]);
  });

  it('stay when communities or next hop are malformed', () => {
    const attributes = [attribute(2, bytes.sequence([64_501])), attribute(3, hex('c000')), attribute(8, hex('ff'))];
    expect(listener().words(routeMonitoring(AT, update({ attributes, announced: nlri(P) })))).toEqual([
      ...['failed invalid_communities', 'failed invalid_next_hop', `${VP}: +${P} by 64501`],
    ]);
  });

  it.each([
    ['of a VPN', { type: 1 }, 'unused other_rib'],
    ['of Loc-RIB', { type: 3 }, 'unused other_rib'],
    ['of the router itself', { asn: 0, ip: '0.0.0.0' }, 'unused other_rib'],
    ['that the router sends', { flags: 0x10 }, 'unused adj_rib_out'],
    ['of AS 0', { asn: 0 }, 'failed invalid_vp'],
    ['of no address', { ip: '0.0.0.0' }, 'failed invalid_vp'],
  ])('%s are not taken', (_, peer, word) => {
    expect(listener().words(route([1], peer))).toEqual([word]);
  });

  it('of other families have a reason, and the rest of the message counts', () => {
    const vpn = attribute(14, hex('0001 80 0c 000000000000000000000000 00 70'));
    const message = update({ withdrawn: nlri(P), attributes: [vpn] });
    expect(listener().words(routeMonitoring(AT, message))).toEqual(['unused other_family', `${VP}: -${P}`]);
  });
});

describe('paths', () => {
  const pathOf = (attributes: readonly Buffer[], flags = 0) =>
    listener().hear(routeMonitoring({ ...AT, flags }, update({ attributes, announced: nlri(P) }))).updates[0]
      ?.attributes?.asPath;

  it.each([
    ['the collector before the peer', [6447, 64_501, 64_500], '64501 64500'],
    ['the peer, prepended', [64_501, 64_501, 64_500], '64501 64501 64500'],
    ['the collector before a prepended peer', [6447, 64_501, 64_501], '64501 64501'],
    ['a route server that leaves itself out', [64_502, 64_500], '64502 64500'],
    ['the collector alone', [6447], '6447'],
  ])('%s', (_, ases, text) => {
    expect(pathOf([attribute(2, bytes.sequence(ases))])).toBe(text);
  });

  it('drop a collector in a segment of its own', () => {
    expect(pathOf([attribute(2, Buffer.concat([bytes.sequence([6447]), bytes.sequence([64_501, 1])]))])).toBe(
      '64501 1',
    );
  });

  it('have confederations and sets in their brackets', () => {
    const segments = hex('03 02 0000fde8 0000fde9 04 01 0000fdea 02 01 00000001 01 02 00000009 00000008');
    expect(pathOf([attribute(2, segments)])).toBe('(65000 65001) [65002] 1 {8,9}');
    expect(pathOf([attribute(2, hex(''))])).toBe('');
  });

  it('of two octets take their ends from AS4_PATH (RFC 6793 section 4.2.3)', () => {
    const short = attribute(2, bytes.sequence([64_501, 23_456, 23_456], 2));
    const long = (...ases: number[]) => attribute(17, bytes.sequence(ases));
    expect(pathOf([short, long(4_200_000_001, 4_200_000_002)], 0x20)).toBe('64501 4200000001 4200000002');
    expect(pathOf([short], 0x20)).toBe('64501 23456 23456');
    // Longer than AS_PATH: it does not belong to it.
    expect(pathOf([short, long(1, 2, 3, 4)], 0x20)).toBe('64501 23456 23456');
    // Malformed: discarded.
    expect(pathOf([short, attribute(17, hex('02 02 0000'))], 0x20)).toBe('64501 23456 23456');
    // With four octets it means nothing.
    expect(pathOf([attribute(2, bytes.sequence([64_501, 5])), long(9)])).toBe('64501 5');
    // Two octets where four were announced, and four where two were.
    expect(pathOf([short, long(4_200_000_001, 4_200_000_002)])).toBe('64501 4200000001 4200000002');
    expect(pathOf([attribute(2, bytes.sequence([64_501, 5]))], 0x20)).toBe('64501 5');
    const set = attribute(2, hex('02 01 fbf5 01 02 5ba0 5ba0'));
    expect(pathOf([set, attribute(17, hex('01 02 00010001 00010000'))], 0x20)).toBe('64501 {65536,65537}');
  });
});

describe('time', () => {
  const timeOf = (seconds: number, micros = 0, atMs = NOW) =>
    listener().hear(routeMonitoring({ seconds, micros }, announce([P], [1])), { atMs }).updates[0].timeUs;
  const NOW_S = NOW / 1_000;

  it('is the message’s within a day before and a minute after the record', () => {
    expect(timeOf(NOW_S - 86_400, 999_999)).toBe((NOW_S - 86_400) * 1e6 + 999_999);
    expect(timeOf(NOW_S + 60)).toBe((NOW_S + 60) * 1e6);
  });

  it('is the record’s otherwise', () => {
    // An uptime, none, and clocks that are off.
    for (const seconds of [48_095_069, 0, NOW_S - 86_401, NOW_S + 61]) expect(timeOf(seconds)).toBe(NOW * 1_000);
    expect(timeOf(NOW_S, 1_000_000)).toBe(NOW * 1_000);
  });

  it('is the message’s when the record has none, and nothing when neither has one', () => {
    expect(timeOf(NOW_S, 5, -1)).toBe(NOW_S * 1e6 + 5);
    expect(timeOf(0, 0, -1)).toBe(0);
  });

  it('says that the record’s was taken', () => {
    const reasons: string[] = [];
    const { decoder } = listener();
    const heard = Object.assign(new Heard(), { unused: (reason: string) => reasons.push(reason) });
    decoder.decode([recordFrame(NOW, 0, route([1], { seconds: 5 }))], heard);
    expect(reasons).toEqual(['record_time']);
  });
});

describe('a peer', () => {
  it('that goes down takes its routes, once', () => {
    const { hear, words } = listener();
    hear(route());
    // As FRR repeats it to whoever connects: 38 days old.
    const down = hear(peerDown({ seconds: NOW / 1_000 - 38 * 86_400 }));
    expect(down.states).toEqual([
      { vp: { protocol: 'bgp', asn: 64_501, ip: '192.0.2.1' }, up: false, timeUs: NOW * 1_000 },
    ]);
    expect(words(peerDown({}))).toEqual(['unused repeated_peer_down']);
    expect(words(peerUp(AT))).toEqual([`${VP}: up`]);
    expect(words(peerDown(AT))).toEqual([`${VP}: down`]);
  });

  it('that comes up while it was up had gone down unheard', () => {
    const { words } = listener();
    words(route());
    expect(words(peerUp(AT))).toEqual([`${VP}: down`, `${VP}: up`]);
    // A router says it once for each view.
    expect(words(peerUp({ ...AT, flags: 0x40 }))).toEqual([`${VP}: up`]);
  });

  it('is followed in one view: what policy drops is not lost in the other', () => {
    const { words } = listener();
    const post = { flags: 0x40 };
    expect(words(route([64_501, 64_500], post))).toEqual([`${VP}: +${P} by 64501 64500`]);
    expect(words(route())).toEqual(['unused other_policy_view']);
    expect(words(routeMonitoring(AT, withdraw(P)))).toEqual(['unused other_policy_view']);
    // The Peer Down does not say which view it is about.
    expect(words(peerDown({ ...AT, flags: 0 }))).toEqual([`${VP}: down`]);
    words(peerUp(AT));
    expect(words(route())).toEqual([`${VP}: +${P} by 64501 64500`]);
    expect(words(route([64_501], post))).toEqual(['unused other_policy_view']);
  });

  it('is followed through one router', () => {
    const { words } = listener();
    const from = (router: string, message: Buffer) => words(openBmp(message, { router }));
    expect(from('a', route())).toEqual([`${VP}: +${P} by 64501 64500`]);
    expect(from('b', routeMonitoring(AT, withdraw(P)))).toEqual(['unused other_feed']);
    expect(from('b', peerDown(AT))).toEqual([]);
    expect(from('a', peerDown(AT))).toEqual([`${VP}: down`]);
    expect(from('b', route())).toEqual([`${VP}: +${P} by 64501 64500`]);
    expect(from('a', route())).toEqual(['unused other_feed']);
  });

  it('passes to another router when its own has been silent for long while the other speaks', () => {
    const { words } = listener();
    const later = NOW + 15 * 60_000 + 1;
    words(openBmp(route(), { router: 'a' }));
    for (let i = 0; i < 63; i++)
      expect(words(openBmp(route(), { router: 'b' }), { atMs: later })).toEqual(['unused other_feed']);
    expect(words(openBmp(route(), { router: 'b' }), { atMs: later })).toEqual([
      ...[`${VP}: down`, `${VP}: +${P} by 64501 64500`],
    ]);
    expect(words(openBmp(route(), { router: 'a' }), { atMs: later })).toEqual(['unused other_feed']);
  });

  it('ends with its router’s feed: by a Termination, an Initiation, or its channel', () => {
    const { words, decoder } = listener();
    for (const type of [4, 5]) {
      words(route());
      expect(words(bmp(type))).toEqual([`${VP}: down`]);
      expect(words(bmp(type))).toEqual([]);
    }
    words(route());
    // Of another channel, whose order with this one is not known.
    expect(words(bmp(5), { channel: 1 })).toEqual([]);
    const heard = new Heard();
    decoder.decode([endOfChannelFrame(NOW, 0)], heard);
    expect(heard.words).toEqual([`${VP}: down`]);
    expect(decoder.peers).toBe(0);
  });

  it('finds no room when there are too many, until one was silent for a day', () => {
    const { words } = listener({ maxPeers: 2 });
    const of = (last: number) => route([1], { ip: `192.0.2.${last}` });
    words(routeMonitoring({ ip: '192.0.2.1' }, announce(['10.0.0.0/8'], [1])));
    words(of(2));
    expect(words(of(3))).toEqual(['failed peer_limit']);
    expect(words(of(3), { atMs: NOW + 86_400_000 + 60_000 })).toEqual(['bgp 64501_192.0.2.3: +192.0.2.0/24 by 1']);
  });
});

describe('several routes a prefix (ADD-PATH)', () => {
  const { addPath, open } = bytes;
  const up = peerUp(AT, open(65_000, addPath(1, 1)), open(64_501, addPath(1, 3)));
  const of = (prefix: string, path: readonly number[]) => routeMonitoring(AT, announce([prefix], path));

  it('are one route of the VP: that with the lowest identifier', () => {
    const { words } = listener();
    words(up);
    expect(words(of(`${P}#7`, [64_501, 7]))).toEqual([`${VP}: +${P} by 64501 7`]);
    expect(words(of(`${P}#9`, [64_501, 9]))).toEqual([]);
    expect(words(of(`${P}#5`, [64_501, 5]))).toEqual([`${VP}: +${P} by 64501 5`]);
    expect(words(routeMonitoring(AT, withdraw(`${P}#9`)))).toEqual([]);
    expect(words(routeMonitoring(AT, withdraw(`${P}#5`)))).toEqual([`${VP}: +${P} by 64501 7`]);
    expect(words(routeMonitoring(AT, withdraw(`${P}#7`)))).toEqual([`${VP}: -${P}`]);
  });

  it('are there only where the peer sends and the router receives', () => {
    for (const [sent, received] of [
      [[addPath(1, 2)], [addPath(1, 2)]],
      [[addPath(1, 1)], [addPath(1, 1)]],
      [[addPath(2, 1)], [addPath(2, 2)]],
      [[], [addPath(1, 3)]],
    ]) {
      const { words } = listener();
      words(peerUp(AT, open(65_000, ...sent), open(64_501, ...received)));
      expect(words(route())).toEqual([`${VP}: +${P} by 64501 64500`]);
    }
  });

  it('are recognized where the Peer Up was not heard', () => {
    const { words } = listener();
    // Read without identifiers this would be 0.0.0.0/0 several times.
    expect(words(routeMonitoring(AT, announce([`${P}#1`], [1])))).toEqual([`${VP}: +${P} by 1`]);
    expect(words(routeMonitoring(AT, withdraw(`${P}#66051`)))).toEqual([]);
    // Each family on its own.
    const unreach = (...prefixes: string[]) =>
      update({ attributes: [attribute(15, Buffer.concat([hex('0002 01'), nlri(...prefixes)]))] });
    expect(words(routeMonitoring(AT, unreach('2001:db8::/32')))).toEqual([`${VP}: -2001:db8::/32`]);
    expect(words(routeMonitoring(AT, unreach('2001:db8::/32#1', '2001:db8::/32#2')))).toEqual([
      ...[`${VP}: -2001:db8::/32`, `${VP}: -2001:db8::/32`],
    ]);
    expect(listener().words(routeMonitoring(AT, announce(['0.0.0.0/0', P], [1])))).toEqual([
      `${VP}: +${P} by 1`,
      'passed 0 1',
    ]);
  });

  it('are forgotten with the peer', () => {
    const { words } = listener();
    words(up);
    words(of(`${P}#7`, [64_501, 7]));
    words(peerDown(AT));
    words(up);
    expect(words(of(`${P}#9`, [64_501, 9]))).toEqual([`${VP}: +${P} by 64501 9`]);
  });

  it('have a bound for each prefix', () => {
    const { words } = listener();
    words(up);
    for (let id = 1; id <= 256; id++) words(of(`${P}#${id}`, [1]));
    expect(words(of(`${P}#300`, [1]))).toEqual(['failed path_limit']);
    words(routeMonitoring(AT, withdraw(`${P}#256`)));
    expect(words(of(`${P}#300`, [1]))).toEqual([]);
  });

  it('have a bound in bytes of their attributes, and give back what they had', () => {
    const { words } = listener({ maxRouteBytes: 100 });
    const long = Array.from({ length: 8 }, () => 4_200_000_000); // 87 characters
    words(up);
    expect(words(of(`${P}#1`, long))).toEqual([`${VP}: +${P} by ${long.join(' ')}`]);
    expect(words(of(`${P}#2`, long))).toEqual(['failed path_limit']);
    expect(words(of(`${P}#1`, [1]))).toEqual([`${VP}: +${P} by 1`]);
    expect(words(of(`${P}#2`, long))).toEqual([]);
    words(routeMonitoring(AT, withdraw(`${P}#2`)));
    expect(words(of(`${P}#3`, long))).toEqual([]);
    words(peerDown(AT));
    words(up);
    expect(words(of(`${P}#4`, long))).toEqual([`${VP}: +${P} by ${long.join(' ')}`]);
  });

  it('are found in OPENs with extended parameters (RFC 9072), and an OPEN that is cut says nothing', () => {
    const capability = addPath(1, 3);
    const extended = (value: Buffer) => {
      const parameter = Buffer.concat([hex('02'), u16(value.length), value]);
      const body = Buffer.concat([hex('04 fbf5 00b4 c0000209 ff ff'), u16(parameter.length), parameter]);
      return Buffer.concat([Buffer.alloc(16, 0xff), u16(19 + body.length), hex('01'), body]);
    };
    const { words } = listener();
    words(peerUp(AT, extended(capability), extended(capability)));
    expect(words(of(`${P}#7`, [64_501, 7]))).toEqual([`${VP}: +${P} by 64501 7`]);
    expect(listener().words(peerUp(AT, extended(hex('45 09 00')), open(1)))).toEqual([
      'failed invalid_open',
      `${VP}: up`,
    ]);
    expect(listener().words(bmp(3, bytes.peerHeader(AT), Buffer.alloc(20)))).toEqual([
      'failed invalid_open',
      `${VP}: up`,
    ]);
  });
});
