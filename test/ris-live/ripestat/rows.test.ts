import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Prefix, parsePrefix } from '../../../src/bgp/prefix.ts';
import { readRib } from '../../../src/feed/seed/history-readers.ts';
import {
  damageOf,
  noneSkipped,
  PeerIndex,
  readMoreSpecifics,
  readPeers,
  readState,
  readUpdates,
  timeOf,
} from '../../../src/ris-live/ripestat/rows.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import { recordingPath } from '../../support/recordings.ts';
import { routesOf } from '../../support/table-recount.ts';
import { watchedPrefix } from '../../support/table-world.ts';
import { bgpState, type PeerFacts, rrcInfo } from './world.ts';

const P = '203.0.113.0/24';
const AT = '2026-06-16T17:00:00';

function indexOf(...peers: PeerFacts[]): PeerIndex {
  return new PeerIndex(readPeers(rrcInfo(peers))?.peers ?? []);
}

describe('rrc-info', () => {
  it('lists the peers of active collectors', () => {
    const data = rrcInfo(
      [
        { rrc: 0, ip: '2001:DB8:0:0::1', asn: 64496, v6: 200_000 },
        { rrc: 21, ip: '192.0.2.1', asn: 64497, v4: 900_000 },
        { rrc: 2, ip: '192.0.2.2', asn: 64498, v4: 1 },
      ],
      { 2: { deactivated_on: '2008-10' } },
    );
    expect(readPeers(data)).toEqual({
      unread: 0,
      peers: [
        {
          collector: 'rrc00',
          country: '',
          id: 'rrc00 2001:db8::1 64496',
          vp: { protocol: 'bgp', asn: 64496, ip: '2001:db8::1' },
          prefixes: { ipv4: 0, ipv6: 200_000 },
          fullFeed: { ipv4: false, ipv6: true },
        },
        expect.objectContaining({ id: 'rrc21 192.0.2.1 64497', fullFeed: { ipv4: true, ipv6: false } }),
      ],
    });
  });

  it.each([
    ['London, GB', false, 'GB'],
    ['Palo Alto, CA, US', undefined, 'US'],
    ['Amsterdam, Netherlands', false, 'NL'],
    ['Vienna', false, ''],
    [7, false, ''],
    // Peers of such a collector are anywhere.
    ['Amsterdam, NL', true, ''],
  ])('a peer of a collector in %j (multihop: %s) is in %j', (place, multihop, country) => {
    const data = rrcInfo([{ rrc: 1, ip: '192.0.2.1', asn: 64497 }], { 1: { geographical_location: place, multihop } });
    expect(readPeers(data)?.peers.map((peer) => peer.country)).toEqual([country]);
  });

  it('counts what cannot be read, and refuses what is no list', () => {
    const data = {
      rrcs: [{ id: 0, peers: [{ ip: 'x', asn: 1 }, { ip: '192.0.2.1', asn: 'AS1' }, null] }, 7, { id: -1, peers: [] }],
    };
    expect(readPeers(data)).toEqual({ peers: [], unread: 5 });
    for (const wrong of [undefined, null, [], {}, { rrcs: {} }]) expect(readPeers(wrong)).toBeUndefined();
  });
});

describe('bgp-state', () => {
  it('gives routes of the peers that are listed, with their AS', () => {
    const peers = indexOf(
      { rrc: 0, ip: '192.0.2.1', asn: 64496, v4: 1 },
      { rrc: 4, ip: '2001:db8::1', asn: 64497, v4: 1 },
    );
    const data = bgpState(AT, [
      { prefix: P, source: '00-192.0.2.1', path: [64496, 64500] },
      // A route server leaves its own AS out of the path.
      { prefix: P, source: '04-2001:db8:0::1', path: [64511, [64501, 64502]] },
      { prefix: P, source: '04-192.0.2.1', path: [64496, 64500] },
      { prefix: '203.0.113.0/25', source: '00-192.0.2.1', path: [64496, 64500] },
    ]);
    expect(readState(data, new Set([P]), peers)).toEqual({
      atMs: Date.UTC(2026, 5, 16, 17),
      rows: [
        { vp: { protocol: 'bgp', asn: 64496, ip: '192.0.2.1' }, prefix: P, asPath: '64496 64500', communities: '' },
        {
          vp: { protocol: 'bgp', asn: 64497, ip: '2001:db8::1' },
          prefix: P,
          asPath: '64511 {64501,64502}',
          communities: '',
        },
      ],
      skipped: { ...noneSkipped(), unlisted_peer: 1, unasked: 1 },
    });
  });

  it('leaves out a peer that announces nothing of the family', () => {
    const peers = indexOf({ rrc: 0, ip: '192.0.2.1', asn: 64496, v4: 0, v6: 9 });
    const data = bgpState(AT, [{ prefix: P, source: '00-192.0.2.1', path: [64496, 64500] }]);
    expect(readState(data, new Set([P]), peers)?.skipped.unlisted_peer).toBe(1);
  });

  it('tells two ASes at one address by the path', () => {
    const peers = indexOf({ rrc: 0, ip: '192.0.2.1', asn: 1, v4: 1 }, { rrc: 0, ip: '192.0.2.1', asn: 2, v4: 1 });
    const data = bgpState(AT, [
      { prefix: P, source: '00-192.0.2.1', path: [2, 3] },
      { prefix: P, source: '00-192.0.2.1', path: [1, 3] },
      { prefix: P, source: '00-192.0.2.1', path: [4, 3] },
    ]);
    const state = readState(data, new Set([P]), peers);
    expect(state?.rows.map(({ vp }) => vp.asn)).toEqual([2, 1]);
    expect(state?.skipped.unlisted_peer).toBe(1);
  });

  it('takes of a peer that two collectors hear the route of the first', () => {
    const peers = indexOf({ rrc: 4, ip: '192.0.2.1', asn: 1, v4: 1 }, { rrc: 0, ip: '192.0.2.1', asn: 1, v4: 1 });
    const data = bgpState(AT, [
      { prefix: P, source: '04-192.0.2.1', path: [1, 4] },
      { prefix: P, source: '00-192.0.2.1', path: [1, 0] },
    ]);
    const state = readState(data, new Set([P]), peers);
    expect(state?.rows.map(({ asPath }) => asPath)).toEqual(['1 0']);
    expect(state?.skipped.duplicate).toBe(1);
  });

  it('counts what cannot be read', () => {
    const peers = indexOf({ rrc: 0, ip: '192.0.2.1', asn: 1, v4: 1 });
    const good = { target_prefix: P, source_id: '00-192.0.2.1', path: [1], community: ['1:2', '1:3'] };
    const routes = [
      good,
      null,
      { ...good, target_prefix: 'x' },
      { ...good, source_id: '192.0.2.1' },
      { ...good, path: '1' },
    ];
    const state = readState({ query_time: AT, bgp_state: routes }, new Set([P]), peers);
    expect(state?.rows).toMatchObject([{ communities: '1:2 1:3' }]);
    expect(state?.skipped).toEqual({ ...noneSkipped(), shape: 1, prefix: 1, source: 1, as_path: 1 });
    expect(state && damageOf(state.skipped)).toBe(4);
  });

  it('is refused without a time, or without a list', () => {
    const peers = indexOf();
    for (const wrong of [null, {}, { bgp_state: [] }, { timestamp: AT }, { timestamp: 'now', bgp_state: [] }])
      expect(readState(wrong, new Set([P]), peers)).toBeUndefined();
  });
});

it.each([
  ['2026-06-16T17:00:00', Date.UTC(2026, 5, 16, 17)],
  ['2026-06-18T01:33:18.368982', Date.UTC(2026, 5, 18, 1, 33, 18)],
  [1781629200, 1781629200_000],
  ['2026-06-16', undefined],
  ['2026-13-16T17:00:00', undefined],
  [-1, undefined],
  [null, undefined],
])('the time %s', (value, atMs) => {
  expect(timeOf(value)).toBe(atMs);
});

it('related-prefixes gives those inside, whatever their relation is called', () => {
  const data = {
    prefixes: ['203.0.113.128/25', '203.0.112.0/23', '203.0.113.0/24', '198.51.100.0/25', '203.0.113.7/25', 'x'].map(
      (prefix) => ({ prefix, relationship: 'Overlap - More Specific' }),
    ),
  };
  const outer = parsePrefix(P) as Prefix;
  expect(readMoreSpecifics(data, outer, 10)).toEqual(['203.0.113.128/25', '203.0.113.0/25']);
  expect(readMoreSpecifics(data, outer, 1)).toEqual(['203.0.113.128/25']);
  expect(readMoreSpecifics({}, outer, 1)).toBeUndefined();
});

describe('bgp-updates', () => {
  const peers = indexOf(
    { rrc: 0, ip: '192.0.2.1', asn: 64496, v4: 1 },
    { rrc: 15, ip: '192.0.2.2', asn: 64497, v4: 1 },
  );
  const update = (type: unknown, source: string, timestamp: unknown, more: object = {}) => ({
    ...{ seq: 1, timestamp, type },
    attrs: { source_id: source, target_prefix: P, ...more },
  });

  it('gives announcements and withdrawals in order of time', () => {
    const updates = [
      update('W', '15-192.0.2.2', '2026-06-16T08:24:02'),
      update('A', '00-192.0.2.1', '2026-06-16T08:24:01', { path: [64496, 64500], community: ['1:2'] }),
      update('A', '00-192.0.2.9', '2026-06-16T08:24:01', { path: [64496, 64500] }),
      update('X', '00-192.0.2.1', '2026-06-16T08:24:01'),
      update('W', '00-192.0.2.1', 'now'),
      null,
    ];
    const atUs = Date.UTC(2026, 5, 16, 8, 24, 1) * 1000;
    const rows = [
      { vp: { asn: 64496 }, prefix: P, timeUs: atUs, kind: 'A', asPath: '64496 64500', communities: '1:2' },
      { vp: { asn: 64497 }, prefix: P, timeUs: atUs + 1_000_000, kind: 'W', asPath: '', communities: '' },
    ];
    const read = readUpdates({ updates }, new Set([P]), peers);
    expect(read?.rows).toMatchObject(rows);
    expect(read?.skipped).toEqual({ ...noneSkipped(), unlisted_peer: 1, kind: 2, shape: 1 });
  });

  it('is refused in another form', () => {
    for (const wrong of [null, {}, { updates: {} }]) expect(readUpdates(wrong, new Set([P]), peers)).toBeUndefined();
  });
});

const RECORDED = ['ripestat-bgp-state-2a0a_f280_32-20260616', 'ripestat-bgp-state-95.161.64.0_20-20260616'];
const recorded = RECORDED.flatMap((name) => recordingPath(`${name}.json.gz`) ?? []);

interface RecordedRoute {
  readonly target_prefix: string;
  readonly source_id: string;
  readonly path: readonly number[];
}

it.each(recorded)('%s fills a table that equals a recount', async (path) => {
  const { data } = JSON.parse(gunzipSync(readFileSync(path)).toString()) as {
    data: { resource: string; timestamp: string; nr_routes: number; bgp_state: RecordedRoute[] };
  };
  const facts = data.bgp_state.map(({ source_id, path: [asn] }) => ({
    ...{ rrc: Number(source_id.slice(0, 2)), ip: source_id.slice(3), asn, v4: 900_000, v6: 200_000 },
  }));
  const prefix = parsePrefix(data.resource) as Prefix;
  const state = readState(data, new Set([prefix.text]), indexOf(...facts));
  expect(state?.skipped).toEqual(noneSkipped());
  expect(state?.atMs).toBe(Date.parse(`${data.timestamp}Z`));

  const table = new RoutingTable({});
  table.watch([watchedPrefix(prefix.text)], state?.atMs ?? 0);
  const answer = (async function* () {
    yield { rows: state?.rows ?? [], unavailable: [] };
  })();
  await readRib(table, 0, answer, state?.atMs ?? 0);
  const monitored = table.prefixes.find(prefix.text)?.monitored;
  expect(monitored?.state.visible).toBe(data.nr_routes);
  const atUs = (state?.atMs ?? 0) * 1000;
  const expected = facts.map(
    ({ asn, ip }, i) => `${prefix.text} ${asn}_${ip} ${data.bgp_state[i].path.join(' ')} @${atUs}`,
  );
  expect(routesOf(table)).toEqual(expected.sort());
});
