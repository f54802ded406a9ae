/** Recorded messages decode to what other programs say of them. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readBgpUpdate } from '../../ris-live/bgp-update.ts';
import { fixturePath, readLines, recordingPath } from '../../support/recordings.ts';
import { filterOf, listener, NOW } from './heard.ts';
import { hex, openBmp, routeMonitoring } from './messages.ts';

const ALL = ['0.0.0.0/0', '::/0'];

// RouteViews, University of Oregon, routeviews.org (CC BY 4.0).
describe('OpenBMP of RouteViews, 2021', () => {
  // Two messages, each with the line feed that its recorder left behind it.
  const records = readLines(fixturePath('openbmp-routeviews-2021.jsonl')).map(
    (line) => JSON.parse(line) as { readonly name: string; readonly hex: string },
  );
  const at = (name: string) => hex(records.find((one) => one.name.endsWith(name))?.hex ?? '');

  it('a Peer Down', () => {
    const { words } = listener({ prefixes: ALL });
    expect(words(at('peer-down'), { atMs: 1_636_088_258_000 })).toEqual(['bgp 3491_63.218.6.14: down']);
  });

  it('a route, without the AS of the collector and with the time of the record', () => {
    const { updates } = listener({ prefixes: ALL }).hear(at('route-monitoring'), { atMs: 1_636_337_939_194 });
    expect(updates).toEqual([
      {
        vp: { protocol: 'bgp', asn: 6830, ip: '2001:7f8:4::1aae:4' },
        timeUs: 1_636_337_939_194_000,
        withdrawn: [],
        announced: ['2a0f:ca80:1::/48'],
        attributes: {
          asPath: '6830 9002 207083 208046',
          communities: '6830:17000 6830:17496 6830:17999 6830:23001 6830:34405 17152:0',
          nextHop: '2001:7f8:4::1aae:4,fe80::8271:1fff:fe7f:29f1',
          originAttribute: 'IGP',
        },
      },
    ]);
  });
});

interface DecodedPeer {
  readonly peer_type: { readonly GlobalInstancePeer?: object };
  readonly address: string | null;
}

/** What another program says of a recorded message, as far as it is compared. */
interface Decoded {
  readonly V3?: {
    readonly RouteMonitoring?: {
      readonly peer_header: {
        readonly peer_type: { readonly GlobalInstancePeer?: { readonly adj_rib_out: boolean } };
        readonly address: string;
        readonly peer_as: number;
        readonly timestamp: string;
      };
      readonly update_message: {
        readonly Update: {
          readonly withdrawn_routes: readonly { readonly network: string }[];
          readonly nlri: readonly { readonly network: string }[];
          readonly path_attributes: readonly { readonly value: Readonly<Record<string, unknown>> }[];
        };
      };
    };
    readonly PeerUpNotification?: { readonly peer_header: DecodedPeer };
    readonly PeerDownNotification?: { readonly peer_header: DecodedPeer };
  };
}

/** One BMP message after the other. */
function cut(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at + 1))
    messages.push(bytes.subarray(at, at + bytes.readUInt32BE(at + 1)));
  return messages;
}

function pathOf(values: readonly Readonly<Record<string, unknown>>[]): string | undefined {
  const path = values.find((value) => 'AsPath' in value)?.AsPath as
    | { readonly As4PathSegments: readonly { readonly segment_type: string; readonly as_numbers: readonly number[] }[] }
    | undefined;
  return path?.As4PathSegments.map(({ segment_type: type, as_numbers: ases }) => {
    if (type !== 'AsSequence') throw new Error(`a segment of type ${type}`);
    return ases.join(' ');
  }).join(' ');
}

/** The AS of the router itself, which it puts before what it accepts from its peers, as route collectors do. */
const OWN_AS = /^4226809914 (?=64496)/;

/** IPv6 unicast of MP_REACH_NLRI or MP_UNREACH_NLRI. */
function mpPrefixes(values: readonly Readonly<Record<string, unknown>>[], name: 'MpReach' | 'MpUnreach'): string[] {
  const of = values.find((value) => name in value)?.[name] as
    | Readonly<Record<string, { readonly nlri: readonly { readonly network: string }[] }>>
    | undefined;
  return of?.Ipv6Unicast?.nlri.map(({ network }) => network) ?? [];
}

// Most of what they send is about VPNs.
const ROUTERS = (
  [
    ['frr-peer-down', 93],
    ['iosxr-peer-down', 0],
    ['ipv6-peers', 1],
  ] as const
).flatMap(([name, routes]) => {
  const bytes = recordingPath(`bmp-router-${name}.bmp.gz`);
  const answers = recordingPath(`bmp-router-${name}.decoded.jsonl.gz`);
  return bytes === undefined || answers === undefined ? [] : [{ name, bytes, answers, routes }];
});

describe.runIf(ROUTERS.length > 0).each(ROUTERS)('BMP of a router: $name', ({ bytes, answers, routes }) => {
  const messages = cut(gunzipSync(readFileSync(bytes)));
  const decoded = readLines(answers).map((line) => JSON.parse(line) as Decoded);

  it('says of every route what another program says of it', () => {
    expect(decoded.length).toBe(messages.length);
    let compared = 0;
    for (const [i, message] of messages.entries()) {
      const answer = decoded[i].V3?.RouteMonitoring;
      const { peer_type: type, peer_as: asn } = answer?.peer_header ?? {};
      // The router's own routes have no peer.
      const isOurs = type?.GlobalInstancePeer?.adj_rib_out === false && asn !== 0;
      // A decoder for each, so that a view or a peer that is down hides none.
      const { updates, words } = listener({ prefixes: ALL }).hear(message, { atMs: Date.UTC(2024, 0, 1) });
      if (answer === undefined || !isOurs) {
        expect(updates).toEqual([]);
        continue;
      }
      const { withdrawn_routes: withdrawn, nlri, path_attributes: attributes } = answer.update_message.Update;
      const values = attributes.map(({ value }) => value);
      const lost = [...withdrawn.map(({ network }) => network), ...mpPrefixes(values, 'MpUnreach')];
      const got = [...nlri.map(({ network }) => network), ...mpPrefixes(values, 'MpReach')];
      expect(updates.flatMap((one) => one.withdrawn)).toEqual(lost);
      expect(updates.flatMap((one) => one.announced)).toEqual(got);
      for (const { vp, attributes: of } of updates) {
        expect(vp).toEqual({ protocol: 'bgp', asn: answer.peer_header.peer_as, ip: answer.peer_header.address });
        if (of !== undefined) expect(of.asPath).toBe(pathOf(values)?.replace(OWN_AS, ''));
      }
      expect(words.filter((word) => word.startsWith('failed'))).toEqual([]);
      compared += lost.length + got.length;
    }
    expect(compared).toBe(routes);
  });

  it('in one go leaves each peer as its last Peer Up or Peer Down says', () => {
    const { hear } = listener({ prefixes: ALL });
    const states = new Map<string, boolean>();
    for (const message of messages)
      for (const { vp, up } of hear(message, { atMs: Date.UTC(2024, 0, 1) }).states) states.set(vp.ip, up);
    const last = new Map<string, boolean>();
    for (const { V3: answer } of decoded) {
      const up = answer?.PeerUpNotification?.peer_header;
      const down = answer?.PeerDownNotification?.peer_header;
      const header = up ?? down;
      if (header?.peer_type.GlobalInstancePeer !== undefined && header.address !== null)
        last.set(header.address, header === up);
    }
    expect(last.size).toBeGreaterThan(0);
    expect([...states].sort()).toEqual([...last].sort());
  });
});

const ADJ_RIB_OUT = recordingPath('bmp-router-adj-rib-out.bmp.gz');

it.runIf(ADJ_RIB_OUT !== undefined)('what a router sends to its peers is no route of theirs', () => {
  const { hear } = listener({ prefixes: ALL });
  const words = new Map<string, number>();
  for (const message of cut(gunzipSync(readFileSync(ADJ_RIB_OUT ?? ''))))
    for (const word of hear(message).words) words.set(word, (words.get(word) ?? 0) + 1);
  expect(words.get('unused adj_rib_out')).toBeGreaterThan(100);
  expect([...words.keys()].filter((word) => /^failed/.test(word))).toEqual([]);
});

const FRAMES = [
  ...['ris-live-1000-20190523.jsonl.gz', 'ris-live-frames-2019-2025.jsonl', 'ris-live-frames-20260910.jsonl'].flatMap(
    (name) => recordingPath(name) ?? [],
  ),
  fixturePath('ris-live-frames.jsonl'),
];

/** `hex/length`, as the oracle spells it. */
function spelt(prefix: string): string {
  const [network, length] = prefix.split('/');
  if (!network.includes(':')) return `${Buffer.from(network.split('.').map(Number)).toString('hex')}/${length}`;
  const [head, tail] = network.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const zeros = Array<string>(tail === undefined ? 0 : 8 - head.length - tail.length).fill('0');
  return `${[...head, ...zeros, ...(tail ?? [])].map((group) => group.padStart(4, '0')).join('')}/${length}`;
}

describe.each(FRAMES)('recorded UPDATEs of RIS in %s', (path) => {
  const raws = readLines(path).flatMap((line) => {
    const { data } = JSON.parse(line) as { data?: { raw?: string; type?: string } };
    return data?.type === 'UPDATE' && data.raw !== undefined ? [data.raw] : [];
  });

  it('say what an independent reader says', () => {
    expect(raws.length).toBeGreaterThan(0);
    for (const raw of raws) {
      const expected = readBgpUpdate(raw);
      const peer = { seconds: NOW / 1_000, asn: 4_200_000_000 };
      const { updates, words } = listener({ prefixes: ALL }).hear(openBmp(routeMonitoring(peer, hex(raw))));
      expect(words.filter((word) => word.startsWith('failed'))).toEqual([]);
      expect(updates.flatMap((one) => one.withdrawn.map(spelt)).sort()).toEqual([...expected.withdrawn].sort());
      expect(updates.flatMap((one) => one.announced.map(spelt)).sort()).toEqual([...expected.announced].sort());
      const attributes = updates.find((one) => one.attributes !== undefined)?.attributes;
      if (attributes === undefined) continue;
      expect(attributes.asPath).toBe(expected.path);
      expect(attributes.communities.split(' ').filter((one) => one.split(':').length === 2)).toEqual(
        expected.communities,
      );
      expect(attributes.originAttribute).toBe(['IGP', 'EGP', 'INCOMPLETE'][expected.origin ?? -1]);
    }
  });

  it('are found by a filter exactly where the prefix lies inside', () => {
    const filter = filterOf('196.50.70.0/23', '2001:4400::/24', '0.0.0.0/1', '8000::/1');
    for (const raw of raws) {
      const heard = listener({ prefixes: ALL }).hear(openBmp(routeMonitoring({}, hex(raw))));
      for (const prefix of heard.updates.flatMap((one) => [...one.announced, ...one.withdrawn])) {
        const digits = spelt(prefix);
        const bits = [...digits.slice(0, digits.indexOf('/'))]
          .map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0'))
          .join('');
        const length = Number(prefix.split('/')[1]);
        const isInside = prefix.includes(':')
          ? (length >= 24 && bits.startsWith('001000000000000101000100')) || (length >= 1 && bits[0] === '1')
          : (length >= 23 && bits.startsWith('11000100001100100100011')) || (length >= 1 && bits[0] === '0');
        const bytes = Buffer.from(digits.slice(0, digits.indexOf('/')), 'hex');
        expect([prefix, filter.find(prefix.includes(':') ? 'ipv6' : 'ipv4', bytes, 0, length)]).toEqual([
          ...[prefix, isInside ? prefix : undefined],
        ]);
      }
    }
  });
});
