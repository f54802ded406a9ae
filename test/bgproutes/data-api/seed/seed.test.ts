import { describe, expect, it } from 'vitest';
import { containsPrefix, parsePrefix } from '../../../../src/bgp/prefix.ts';
import { DataApiSeed } from '../../../../src/bgproutes/data-api/seed/seed.ts';
import type { RowBatch, VantagePointRecord } from '../../../../src/bgproutes/data-api/types.ts';
import type { AskedInside, RibRow } from '../../../../src/stream/history.ts';
import type { TestRequest } from '../../../http/http-test-server.ts';
import { caught, envelope, world } from '../data-api-world.ts';

const { signal } = new AbortController();
const P1 = '192.23.62.0/24';
const P2 = '2a06:3040:10::/48';

const record = (id: number, source = 'ris', ribSize = 0) => ({
  id,
  asn: id,
  ip: '192.0.2.1',
  source,
  status: 'up',
  rib_size_v4: ribSize,
  rib_size_v6: 1_000_000 - ribSize,
});

/** What each VP holds, by id. */
type Routes = Readonly<Record<string, Readonly<Record<string, string>>>>;

function queryOf(request: TestRequest): Record<string, string> {
  return request.method === 'GET' ? Object.fromEntries(request.url.searchParams) : JSON.parse(request.body);
}

/** A service that holds `routes`; `refuses` is its rule for filters. */
async function seedWorld(
  routes: Routes,
  refuses: (query: Record<string, string>, vps: number) => boolean = () => false,
  known: Readonly<Record<string, readonly string[]>> = {},
) {
  const w = await world((request, response) => {
    if (request.url.pathname === '/v1/vantage_points') {
      const records = Object.keys(routes).map((id) => record(Number(id), 'ris', Number(id)));
      response.end(
        envelope({ bgp: [...records, record(900, 'pch'), record(901, 'RouteViews'), record(902, '')], bmp: [] }),
      );
      return;
    }
    const query = queryOf(request);
    const ids = query.vp_bgp_ids.split(',');
    if (refuses(query, ids.length)) return void response.writeHead(400).end('{"detail":"at most 10 vantage points"}');
    const exact = query.prefix_exact_match?.split(',') ?? [];
    const outer = parsePrefix(query.prefix_filter?.slice(3) ?? '');
    const wanted = (text: string) => {
      const prefix = parsePrefix(text)!;
      return (
        exact.includes(text) || (outer !== undefined && prefix.text !== outer.text && containsPrefix(outer, prefix))
      );
    };
    const held = ids.map((id) => [id, Object.entries(routes[id] ?? {}).filter(([prefix]) => wanted(prefix))] as const);
    const data = held.map(([id, found]) => [
      id,
      request.url.pathname === '/v1/rib'
        ? Object.fromEntries(found.map(([prefix, path]) => [prefix, [path, '', null, null, -1]]))
        : found.map(([prefix, path]) => [1_700_000_000, 'A', prefix, path, '', null, null, -1]),
    ]);
    response.end(envelope({ bgp: Object.fromEntries(data), bmp: {} }));
  });
  const seed = new DataApiSeed({ client: w.client, log: w.log, knownMoreSpecifics: (prefix) => known[prefix] ?? [] });
  return { ...w, seed };
}

async function read(batches: AsyncIterable<RowBatch<RibRow>>): Promise<string[]> {
  const found: string[] = [];
  for await (const { rows } of batches)
    for (const row of rows) found.push(`${row.vp.asn}: ${row.prefix} ${row.asPath}`);
  return found.sort();
}

const ROUTES: Routes = {
  1: { [P1]: '1 64500', '192.23.62.128/25': '1 666' },
  2: { [P1]: '2 64500', [P2]: '2 64500', '2a06:3040:10:1::/64': '2 64500' },
};
const ALL = [
  '1: 192.23.62.0/24 1 64500',
  '1: 192.23.62.128/25 1 666',
  '2: 192.23.62.0/24 2 64500',
  '2: 2a06:3040:10:1::/64 2 64500',
  '2: 2a06:3040:10::/48 2 64500',
];

/** Twelve VPs; only the one with the smallest IPv4 table holds the rare more-specific. */
const MANY: Routes = Object.fromEntries(
  Array.from({ length: 12 }, (_, i) => [
    String(i + 1),
    { [P1]: `${i + 1} 64500`, '192.23.62.0/25': `${i + 1} 64500`, ...(i === 0 ? { '192.23.62.128/25': '1 666' } : {}) },
  ]),
);
const filterNeedsFew = (query: Record<string, string>, vps: number) => query.prefix_filter !== undefined && vps > 10;

describe('seeding from the Data API', () => {
  it('lists VPs of live sources only', async () => {
    const { seed, server } = await seedWorld(ROUTES);
    const vps = await seed.vantagePoints(signal);
    expect(vps.map((vp) => vp.id)).toEqual(['1', '2', '901']);
    expect(server.requests[0].url.searchParams.get('sources')).toBe('bgproutes.io,ris,routeviews');
  });

  it('reads prefixes and all that is inside them', async () => {
    const { seed, server } = await seedWorld(ROUTES);
    const vps = await seed.vantagePoints(signal);
    expect(await read(seed.rib(vps, [P1, P2], 0, signal))).toEqual(ALL);
    expect(await read(seed.updates(vps, [P1, P2], 0, 1_000, signal))).toEqual(ALL);
    expect(server.requests.length).toBe(1 + 3 + 3);
  });

  it('asks fewer VPs which more-specifics there are where the API wants that, then all VPs for these and the known ones', async () => {
    const { seed, server, log } = await seedWorld(MANY, filterNeedsFew, {
      [P1]: ['192.23.62.128/25', '192.23.62.0/25'],
    });
    const vps = await seed.vantagePoints(signal);
    const expected = Object.entries(MANY)
      .flatMap(([id, routes]) => Object.entries(routes).map(([prefix, path]) => `${id}: ${prefix} ${path}`))
      .sort();
    expect(await read(seed.rib(vps, [P1], 0, signal))).toEqual(expected);
    const queries = server.requests.slice(1).map(queryOf);
    expect(
      queries.map((query) => [query.prefix_exact_match ?? query.prefix_filter, query.vp_bgp_ids.split(',').length]),
    ).toEqual([
      [P1, 13],
      [`<<:${P1}`, 13],
      [`<<:${P1}`, 10],
      ['192.23.62.0/25,192.23.62.128/25', 13],
    ]);
    expect(queries[2].vp_bgp_ids).toBe('12,11,10,9,8,7,6,5,4,3');
    expect(log.lines.map((line) => line.message)).toEqual([
      'the Data API does not take all vantage points in a question for more-specifics',
    ]);

    // It is remembered; whether it holds for updates too is found out.
    expect(await read(seed.rib(vps, [P1], 0, signal))).toEqual(expected);
    expect(server.requests.length).toBe(5 + 3);
    expect(await read(seed.updates(vps, [P1], 0, 1_000, signal))).toEqual(expected);
    expect(server.requests.length).toBe(8 + 4);
    expect(log.lines.length).toBe(1);
  });

  it('asks the VPs with the largest table of the family', async () => {
    const { seed, server } = await seedWorld(MANY, filterNeedsFew);
    const vps = await seed.vantagePoints(signal);
    await read(seed.rib(vps, [P2], 0, signal));
    expect(queryOf(server.requests[3]).vp_bgp_ids).toBe('901,1,2,3,4,5,6,7,8,9');
  });

  it('fills a gap of ten prefixes by one question for these, and one for the more-specifics of each', async () => {
    const prefixes = Array.from({ length: 10 }, (_, i) => `10.${2 * i}.0.0/16`);
    const { seed, server } = await seedWorld({ 1: { '10.0.0.0/16': '1 64500', '10.2.4.0/24': '1 64500' } });
    const vps = (await seed.vantagePoints(signal)).filter(({ id }) => id === '1');
    expect(await read(seed.updates(vps, prefixes, 0, 1_000, signal, 'exact'))).toEqual(['1: 10.0.0.0/16 1 64500']);
    expect(server.requests.length).toBe(1 + 1);
    const inside = await read(seed.updates(vps, prefixes, 0, 1_000, signal, 'more_specific'));
    expect(inside).toEqual(['1: 10.2.4.0/24 1 64500']);
    expect(server.requests.length).toBe(1 + 1 + 10);
  });

  it('asks once for the more-specifics of prefixes beside each other, and of each where the API refuses that', async () => {
    const prefixes = ['198.51.100.0/24', '198.51.101.0/24', '198.51.101.128/25'];
    const routes = { 1: { '198.51.100.0/24': '1 2', '198.51.100.64/26': '1 3', '198.51.101.128/25': '1 4' } };
    const isShared = ({ prefix_filter: filter }: Record<string, string>) => filter?.endsWith('/23') ?? false;
    for (const [refuses, filters] of [
      [() => false, ['<<:198.51.100.0/23']],
      [isShared, ['<<:198.51.100.0/23', ...prefixes.map((prefix) => `<<:${prefix}`)]],
    ] as const) {
      const { seed, server } = await seedWorld(routes, refuses);
      const vps = (await seed.vantagePoints(signal)).filter(({ id }) => id === '1');
      const found = new Set(await read(seed.updates(vps, prefixes, 0, 1_000, signal, 'more_specific')));
      expect(found).toContain('1: 198.51.100.64/26 1 3');
      expect(found).toContain('1: 198.51.101.128/25 1 4');
      expect(server.requests.slice(1).map((request) => queryOf(request).prefix_filter)).toEqual(filters);
    }
  });

  it('tells which more-specifics it asked for where it could not ask for all', async () => {
    const askedBy = async (refuses?: typeof filterNeedsFew) => {
      const { seed } = await seedWorld(MANY, refuses, { [P1]: ['192.23.62.64/26'] });
      const vps = await seed.vantagePoints(signal);
      const asked: AskedInside[] = [];
      for await (const { askedInside = [] } of seed.rib(vps, [P1, P2], 0, signal)) asked.push(...askedInside);
      return asked;
    };
    expect(await askedBy()).toEqual([]);
    expect(await askedBy(filterNeedsFew)).toEqual([
      { of: P1, prefixes: ['192.23.62.0/25', '192.23.62.64/26'] },
      { of: P2, prefixes: [] },
    ]);
  });

  it('passes on a refusal that has another cause', async () => {
    const { seed, server } = await seedWorld(ROUTES, () => true);
    const vps = await seed.vantagePoints(signal);
    expect(await caught(read(seed.rib(vps, [P1], 0, signal)))).toMatchObject({ code: 'BAD_REQUEST' });
    expect(server.requests.length).toBe(2);
  });

  it('tells what could not be read, and does not take damage for an answer', async () => {
    const vps = [{ id: '1', vp: { protocol: 'bgp', asn: 1, ip: '192.0.2.1' } }] as unknown as VantagePointRecord[];
    for (const [routes, isDamage] of [
      [{ [P1]: '1 2', [P2]: 'x' }, false],
      [{ [P1]: 'y', [P2]: 'x' }, true],
    ] as const) {
      const { seed, log } = await seedWorld({ 1: routes });
      const error = await caught(read(seed.rib(vps, [P1, P2], 0, signal)));
      if (isDamage) expect(error).toMatchObject({ code: 'INVALID_RESPONSE' });
      else expect(error).toBeUndefined();
      expect(log.lines.map((line) => [line.message, line.fields.as_path, line.fields.rows])).toEqual([
        ['parts of an answer of the Data API could not be read', isDamage ? 2 : 1, isDamage ? 0 : 1],
      ]);
    }
  });
});
