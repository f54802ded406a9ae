import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../../src/simulator/clock.ts';
import type { Simulator, SimulatorOptions } from '../../../../src/simulator/contract.ts';
import { EMPTY_SCENARIO, scenario } from '../../../../src/simulator/scenario/scenario.ts';
import { startSimulator } from '../../../../src/simulator/simulator.ts';
import { dateOf, query } from '../stream-client.ts';

let simulator: Simulator;
const START_MS = Date.UTC(2026, 0, 1, 12, 0, 0);

async function start(options: Partial<SimulatorOptions> = {}): Promise<void> {
  simulator = await startSimulator({
    apiKeys: ['one', 'two'],
    scenario: EMPTY_SCENARIO,
    dataApiLatencyMs: 0,
    clock: new ManualClock(START_MS),
    ...options,
  });
}

afterEach(() => simulator.stop());

const bgp = { protocol: 'bgp', asn: 3333, ip: '193.0.0.56' } as const;
const bmp = {
  protocol: 'bmp',
  asn: 64501,
  ip: '192.0.2.9',
  parent: { asn: 64500, ip: '192.0.2.1' },
  source: 'bgproutes.io',
} as const;
const NOW = () => dateOf(START_MS + 3_600_000);

describe('envelope and errors', () => {
  it('an answer has seconds, bytes, info and data', async () => {
    await start();
    const { status, body } = await query(simulator, 'one', 'vantage_points');
    expect(status).toBe(200);
    expect(body).toEqual({
      seconds: expect.any(Number),
      bytes: expect.any(Number),
      info: null,
      data: { bgp: [], bmp: [] },
    });
    expect(body.bytes).toBe(JSON.stringify(body.data).length);
  });

  it('a wrong key is 403, an unknown endpoint 404, another method 405, each with a detail', async () => {
    await start();
    expect(await query(simulator, 'wrong', 'rib')).toEqual({ status: 403, body: { detail: 'Invalid API key' } });
    expect(await query(simulator, 'one', 'topology')).toEqual({ status: 404, body: { detail: 'Not Found' } });
    const response = await fetch(`${simulator.url}/v1/rib`, { method: 'PUT', headers: { 'x-api-key': 'one' } });
    expect(response.status).toBe(405);
  });

  it.each([
    ['rib', {}, 'vp_bgp_ids or vp_bmp_ids is required'],
    ['rib', { vp_bgp_ids: '1' }, 'date is required'],
    ['rib', { vp_bgp_ids: 'one', date: '2026-01-01T00:00:00' }, 'vp_bgp_ids: expected numbers, got "one"'],
    ['rib', { vp_bgp_ids: '1', date: 'yesterday' }, 'date: expected YYYY-MM-DDTHH:MM:SS (UTC), got "yesterday"'],
    [
      'rib',
      { vp_bgp_ids: '1', date: '2026-13-01T00:00:00' },
      'date: expected YYYY-MM-DDTHH:MM:SS (UTC), got "2026-13-01T00:00:00"',
    ],
    [
      'rib',
      { vp_bgp_ids: '1', date: '2026-01-01T00:00:00', prefix_exact_match: '10/8' },
      'prefix_exact_match: expected a prefix, got "10/8"',
    ],
    [
      'rib',
      { vp_bgp_ids: '1', date: '2026-01-01T00:00:00', prefix_filter: '10.0.0.0/8' },
      'prefix_filter: expected op:prefix, got "10.0.0.0/8"',
    ],
    [
      'rib',
      { vp_bgp_ids: '1', date: '2026-01-01T00:00:00', aspath_regexp: ' 3333 ' },
      'Parameter not supported by the simulator: aspath_regexp',
    ],
    [
      'rib',
      { vp_bgp_ids: '1', date: '2026-01-01T00:00:00', return_aspath: 'yes' },
      'return_aspath: expected true or false',
    ],
    ['updates', { vp_bgp_ids: '1', start_date: '2026-01-01T00:00:00' }, 'end_date is required'],
    [
      'updates',
      { vp_bgp_ids: '1', start_date: '2026-01-01T00:00:09', end_date: '2026-01-01T00:00:00' },
      'end_date is before start_date',
    ],
    [
      'updates',
      { vp_bgp_ids: '1', start_date: '2026-01-01T00:00:00', end_date: '2026-01-01T00:00:00', type_filter: 'X' },
      'type_filter: expected A or W',
    ],
    ['vantage_points', { rib_size_v4: '900000' }, 'rib_size_v4: expected op,value such as >,900000'],
    ['vantage_points', { data_afi: '5' }, 'data_afi: expected 4 or 6'],
    ['vantage_points', { soruces: 'ris' }, 'Parameter not supported by the simulator: soruces'],
    ['vantage_points', { constructor: '1' }, 'Parameter not supported by the simulator: constructor'],
    ['vantage_points', { ['__proto__']: '1' }, 'Parameter not supported by the simulator: __proto__'],
    ['vantage_points', { with_as_set: 'false' }, 'Parameter not supported by the simulator: with_as_set'],
    ['vantage_points', { return_metadata: 'maybe' }, 'Parameter not supported by the simulator: return_metadata'],
  ])('%s %o is 400', async (endpoint, parameters, detail) => {
    await start();
    expect(await query(simulator, 'one', endpoint, parameters)).toEqual({ status: 400, body: { detail } });
  });

  it.each(['True', 'False'])("takes what the service's own clients always send, as %s", async (value) => {
    await start();
    const parameters = { return_rib_status: value, return_metadata: value };
    expect(await query(simulator, 'one', 'vantage_points', parameters)).toMatchObject({ status: 200 });
  });
});

describe('limits', () => {
  it('one query at a time per key: a second one is 429, another key is served', async () => {
    await start({ dataApiLatencyMs: 100 });
    const answers = await Promise.all([
      query(simulator, 'one', 'vantage_points'),
      query(simulator, 'one', 'vantage_points'),
      query(simulator, 'two', 'vantage_points'),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
    expect(answers[2].status).toBe(200);
    expect((await query(simulator, 'one', 'vantage_points')).status).toBe(200);
  });

  it('requests per hour: the next hour starts with all of them', async () => {
    await start({ dataApiLimits: { requestsPerHour: 3 } });
    const statuses = [];
    for (let i = 0; i < 5; i++) statuses.push((await query(simulator, 'one', 'vantage_points')).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    simulator.advance(3_600_000);
    expect((await query(simulator, 'one', 'vantage_points')).status).toBe(200);
  });

  it('bytes per hour', async () => {
    await start({ dataApiLimits: { bytesPerHour: 10 } });
    expect((await query(simulator, 'one', 'vantage_points')).status).toBe(200);
    expect((await query(simulator, 'one', 'vantage_points')).body.detail).toBe(
      'Rate limit exceeded: 10 bytes per hour',
    );
  });

  it('more than 100 VPs or 10 exact prefixes need POST', async () => {
    await start();
    for (let i = 0; i < 101; i++) simulator.addVantagePoint({ protocol: 'bgp', asn: 1 + i, ip: '192.0.2.1' });
    const many = Array.from({ length: 101 }, (_, i) => i + 1);
    const parameters = { vp_bgp_ids: many.join(), date: NOW(), prefix_exact_match: '192.0.2.0/24' };
    expect((await query(simulator, 'one', 'rib', parameters)).body.detail).toBe(
      'More than 100 vantage points: use POST',
    );
    const post = await query(simulator, 'one', 'rib', { ...parameters, vp_bgp_ids: many }, { post: true });
    expect(Object.keys(post.body.data.bgp)).toHaveLength(101);
    const prefixes = Array.from({ length: 11 }, (_, i) => `10.${i}.0.0/16`).join();
    const wide = { vp_bgp_ids: '1', date: NOW(), prefix_exact_match: prefixes };
    expect((await query(simulator, 'one', 'rib', wide)).body.detail).toBe('More than 10 exact prefixes: use POST');
    expect((await query(simulator, 'one', 'rib', wide, { post: true })).status).toBe(200);
  });

  it('the size rule of /rib: over 10 VPs at most 10 exact prefixes', async () => {
    await start();
    for (let i = 0; i < 11; i++) {
      const vp = simulator.addVantagePoint({ protocol: 'bgp', asn: 1 + i, ip: '192.0.2.1' });
      for (let p = 0; p < 11; p++) simulator.announce(vp.key, `10.${p}.0.0/16`, { asPath: '1' });
    }
    const ask = async (vps: number, rest: object) => {
      const ids = Array.from({ length: vps }, (_, i) => i + 1).join();
      return (await query(simulator, 'one', 'rib', { vp_bgp_ids: ids, date: NOW(), ...rest }, { post: true })).status;
    };
    const exact = (count: number) => ({
      prefix_exact_match: Array.from({ length: count }, (_, i) => `10.${i}.0.0/16`).join(),
    });
    expect(await ask(11, exact(10))).toBe(200);
    expect(await ask(11, exact(11))).toBe(400);
    expect(await ask(10, exact(11))).toBe(200);
    expect(await ask(11, {})).toBe(400);
    expect(await ask(10, {})).toBe(200);
    expect(await ask(11, { prefix_filter: '<<:10.0.0.0/13' })).toBe(200);
    expect(await ask(11, { prefix_filter: '<<:10.0.0.0/8' })).toBe(400);
    expect(await ask(10, { prefix_filter: '<<:10.0.0.0/8' })).toBe(200);
  });

  it('strict about filters: refused for more than 10 VPs', async () => {
    await start({ dataApiStrictFilter: true });
    for (let i = 0; i < 11; i++) simulator.addVantagePoint({ protocol: 'bgp', asn: 1 + i, ip: '192.0.2.1' });
    const ask = async (ids: string) =>
      (await query(simulator, 'one', 'rib', { vp_bgp_ids: ids, date: NOW(), prefix_filter: '<<:10.0.0.0/8' })).status;
    expect(await ask('1,2,3,4,5,6,7,8,9,10')).toBe(200);
    expect(await ask('1,2,3,4,5,6,7,8,9,10,11')).toBe(400);
  });
});

describe('/vantage_points', () => {
  it('BGP and BMP VPs are described apart, and count apart', async () => {
    await start();
    simulator.addVantagePoint(bgp);
    const second = simulator.addVantagePoint(bmp);
    simulator.setStatus(second.key, 'unknown');
    const { body } = await query(simulator, 'one', 'vantage_points');
    expect(body.data.bgp).toEqual([
      {
        id: 1,
        ip: '193.0.0.56',
        asn: 3333,
        source: 'ris',
        rib_size_v4: 1_000_000,
        rib_size_v6: 220_000,
        country: 'NL',
        org_name: 'Network of AS3333',
        org_country: 'NL',
        status: 'up',
      },
    ]);
    expect(body.data.bmp).toEqual([
      expect.objectContaining({
        id: 1,
        asn: 64501,
        ip: '192.0.2.9',
        source: 'bgproutes.io',
        status: { '0': 'unknown' },
        bmp_info: { parent_asn: 64500, parent_ip: '192.0.2.1', feed_types: [0] },
      }),
    ]);
  });

  it('the generated Internet has history-only sources beside the live ones, and partial feeds', async () => {
    await start({ scenario: { ...EMPTY_SCENARIO, vps: 300 } });
    const { body } = await query(simulator, 'one', 'vantage_points');
    const all = [...body.data.bgp, ...body.data.bmp];
    expect([...new Set(all.map((vp) => vp.source))].sort()).toEqual([
      'bgproutes.io',
      'cgtf',
      'pch',
      'ris',
      'routeviews',
    ]);
    expect(all).toHaveLength(318);
    expect(body.data.bmp.length).toBeGreaterThan(20);
    const full = await query(simulator, 'one', 'vantage_points', {
      sources: 'ris,routeviews,bgproutes.io',
      rib_size_v4: '>,900000',
    });
    const fullV4 = [...full.body.data.bgp, ...full.body.data.bmp];
    expect(fullV4.length).toBeGreaterThan(100);
    expect(fullV4.every((vp) => vp.rib_size_v4 > 900_000 && vp.source !== 'pch' && vp.source !== 'cgtf')).toBe(true);
  });

  it('filters: protocol, ids, ASN, address, status', async () => {
    await start();
    simulator.addVantagePoint(bgp);
    const other = simulator.addVantagePoint({ ...bgp, asn: 1103 });
    simulator.addVantagePoint(bmp);
    simulator.setStatus(other.key, 'down');
    const keysOf = async (parameters: object) => {
      const { data } = (await query(simulator, 'one', 'vantage_points', parameters as Record<string, unknown>)).body;
      return [...data.bgp, ...data.bmp].map((vp) => vp.asn);
    };
    expect(await keysOf({ peering_protocol: 'bmp' })).toEqual([64501]);
    expect(await keysOf({ vp_bgp_ids: '2' })).toEqual([1103]);
    expect(await keysOf({ vp_bgp_ids: '1', vp_bmp_ids: '1' })).toEqual([3333, 64501]);
    expect(await keysOf({ vp_asns: '3333,64501' })).toEqual([3333, 64501]);
    expect(await keysOf({ vp_ips: '193.0.0.56' })).toEqual([3333, 1103]);
    expect(await keysOf({ status: 'down' })).toEqual([1103]);
    expect(await keysOf({ bmp_parent_asns: '64500', return_status_history: 'False' })).toEqual([64501]);
  });
});

describe('/rib', () => {
  it('rows are [AS path, communities, aspa, rov, feed type], by VP and prefix', async () => {
    await start();
    const [a, b] = [simulator.addVantagePoint(bgp), simulator.addVantagePoint(bmp)];
    simulator.announce(a.key, ['192.0.2.0/24', '192.0.2.0/25'], { asPath: '3333 64500', communities: '3333:1' });
    simulator.announce(b.key, '192.0.2.0/24', { asPath: '64501 64500' });
    const ask = (rest: object) =>
      query(simulator, 'one', 'rib', { vp_bgp_ids: 1, vp_bmp_ids: 1, date: NOW(), ...rest });
    expect((await ask({ prefix_exact_match: '192.0.2.0/24' })).body.data).toEqual({
      bgp: { 1: { '192.0.2.0/24': ['3333 64500', '3333:1', null, null, -1] } },
      bmp: { 1: { '192.0.2.0/24': ['64501 64500', '', null, null, 0] } },
    });
    expect((await ask({ prefix_filter: '<<:192.0.2.0/24' })).body.data).toEqual({
      bgp: { 1: { '192.0.2.0/25': ['3333 64500', '3333:1', null, null, -1] } },
      bmp: { 1: {} },
    });
    expect((await ask({ prefix_filter: '<<=:192.0.2.0/24', return_count: 'True' })).body.data).toEqual({
      bgp: { 1: 2 },
      bmp: { 1: 1 },
    });
    const bare = (await ask({ return_aspath: 'False', return_community: 'False', prefix_filter: '>>:192.0.2.0/25' }))
      .body.data;
    expect(bare.bgp[1]).toEqual({ '192.0.2.0/24': [null, null, null, null, -1] });
  });

  it('an unknown VP is left out', async () => {
    await start();
    simulator.addVantagePoint(bgp);
    const { body } = await query(simulator, 'one', 'rib', {
      vp_bgp_ids: '1,77',
      date: NOW(),
      prefix_exact_match: '10.0.0.0/8',
    });
    expect(body.data).toEqual({ bgp: { 1: {} }, bmp: {} });
  });

  it('gives the state at a past date', async () => {
    await start();
    const vp = simulator.addVantagePoint(bgp);
    const at = async (ms: number) => {
      const { body } = await query(simulator, 'one', 'rib', {
        vp_bgp_ids: 1,
        date: dateOf(ms),
        prefix_exact_match: '10.0.0.0/8',
      });
      return body.data.bgp[1]['10.0.0.0/8']?.[0];
    };
    simulator.advance(10_000);
    simulator.announce(vp.key, '10.0.0.0/8', { asPath: '3333 1' });
    simulator.advance(10_000);
    simulator.announce(vp.key, '10.0.0.0/8', { asPath: '3333 2' });
    simulator.advance(10_000);
    simulator.withdraw(vp.key, '10.0.0.0/8');
    simulator.advance(10_000);
    const seen = [];
    for (const second of [-86_400, 0, 9, 10, 19, 20, 29, 30, 40]) seen.push(await at(START_MS + second * 1000));
    const [none, first, last] = [undefined, '3333 1', '3333 2'];
    expect(seen).toEqual([none, none, none, first, first, last, last, none, none]);
  });

  it('what happened within the lag is not known yet', async () => {
    await start({ dataApiLagMs: 60_000 });
    const vp = simulator.addVantagePoint(bgp);
    simulator.announce(vp.key, '10.0.0.0/8', { asPath: '3333' });
    const known = async () => {
      const parameters = { vp_bgp_ids: 1, date: NOW(), prefix_exact_match: '10.0.0.0/8' };
      const rib = (await query(simulator, 'one', 'rib', parameters)).body.data.bgp[1];
      const { date, ...rest } = parameters;
      const range = { ...rest, start_date: dateOf(START_MS - 5_000), end_date: date };
      return [Object.keys(rib).length, (await query(simulator, 'one', 'updates', range)).body.data.bgp[1].length];
    };
    simulator.advance(59_999);
    expect(await known()).toEqual([0, 0]);
    simulator.advance(1);
    expect(await known()).toEqual([1, 1]);
  });

  it('history-only VPs have routes here, and never in the stream or among the visible', async () => {
    await start({
      scenario: scenario({
        churn_per_minute: 0,
        vps: 200,
        prefixes: [{ prefix: '192.0.2.0/24', origin: 64500, upstreams: [3356] }],
      }),
    });
    const historyOnly = simulator.vantagePoints().filter((vp) => !vp.isLive);
    expect(historyOnly.length).toBeGreaterThanOrEqual(12);
    const ids = historyOnly.map((vp) => vp.id).join();
    const { body } = await query(simulator, 'one', 'rib', {
      vp_bgp_ids: ids,
      date: NOW(),
      prefix_exact_match: '192.0.2.0/24',
    });
    const holding = Object.values(body.data.bgp as Record<string, object>).filter(
      (routes) => Object.keys(routes).length > 0,
    );
    expect(holding.length).toBeGreaterThan(0);
    const keys = new Set(historyOnly.map((vp) => vp.key));
    expect([...simulator.routes()].some(({ vpKey }) => keys.has(vpKey))).toBe(false);
    expect([...simulator.routes({ includeHistoryOnly: true })].filter(({ vpKey }) => keys.has(vpKey))).toHaveLength(
      holding.length,
    );
    expect(simulator.visibleVps('192.0.2.0/24')).toBe([...simulator.routes()].length);
  });
});

describe('/updates', () => {
  it('rows are [time, A or W, prefix, AS path, communities, aspa, rov, feed type], oldest first', async () => {
    await start();
    const vp = simulator.addVantagePoint(bgp);
    simulator.announce(vp.key, '10.0.0.0/8', { asPath: '3333 1', communities: '3333:9' });
    simulator.advance(1_500);
    simulator.withdraw(vp.key, '10.0.0.0/8');
    simulator.announce(vp.key, '11.0.0.0/8', { asPath: '3333 2' });
    const from = dateOf(START_MS);
    const ask = async (rest: object) => {
      const parameters = { vp_bgp_ids: 1, start_date: from, end_date: NOW(), ...rest };
      return (await query(simulator, 'one', 'updates', parameters)).body.data.bgp[1];
    };
    const seconds = START_MS / 1000;
    const [first, second, third] = [
      [seconds, 'A', '10.0.0.0/8', '3333 1', '3333:9', null, null, -1],
      [seconds + 1.5, 'W', '10.0.0.0/8', '', '', null, null, -1],
      [seconds + 1.500001, 'A', '11.0.0.0/8', '3333 2', '', null, null, -1],
    ];
    expect(await ask({})).toEqual([first, second, third]);
    expect(await ask({ prefix_exact_match: '10.0.0.0/8' })).toEqual([first, second]);
    expect(await ask({ type_filter: 'W' })).toEqual([second]);
    expect(await ask({ chronological_order: 'False', max_updates_to_return: 2 })).toEqual([third, second]);
    expect(await ask({ return_count: true })).toEqual({ A: 2, W: 1 });
    expect(await ask({ end_date: from })).toEqual([first]);
    expect(await ask({ start_date: dateOf(START_MS + 1000) })).toEqual([second, third]);
  });

  it.each([
    ['whole_seconds', START_MS / 1000],
    ['iso', '2026-01-01T12:00:00'],
  ] as const)('times can be %s', async (dataApiTimes, expected) => {
    await start({ dataApiTimes });
    simulator.addVantagePoint(bgp);
    simulator.advance(700);
    simulator.announce('bgp 3333_193.0.0.56', '10.0.0.0/8', { asPath: '3333' });
    const { body } = await query(simulator, 'one', 'updates', {
      vp_bgp_ids: 1,
      start_date: dateOf(START_MS),
      end_date: NOW(),
    });
    expect(body.data.bgp[1][0][0]).toBe(expected);
  });

  it('before the 31 days that the generated Internet has been there the answer is 400', async () => {
    await start({});
    simulator.addVantagePoint(bgp);
    const rib = async (ms: number) =>
      query(simulator, 'one', 'rib', { vp_bgp_ids: 1, date: dateOf(ms), prefix_exact_match: '10.0.0.0/8' });
    const beginsMs = START_MS - 31 * 86_400_000;
    expect((await rib(beginsMs)).status).toBe(200);
    const before = await rib(beginsMs - 1_000);
    expect([before.status, before.body.detail]).toEqual([400, 'No data before 2025-12-01T12:00:00']);
  });

  it('beyond the history, and for a rib before it, the answer is 400; what was pushed out is counted', async () => {
    await start({ historyLimit: 10 });
    const vp = simulator.addVantagePoint(bgp);
    for (let i = 0; i < 25; i++) {
      simulator.announce(vp.key, '10.0.0.0/8', { asPath: `3333 ${i + 1}` });
      simulator.advance(1000);
    }
    expect(simulator.stats.evictedHistoryEvents).toBe(15);
    const updates = async (ms: number) =>
      query(simulator, 'one', 'updates', { vp_bgp_ids: 1, start_date: dateOf(ms), end_date: NOW() });
    expect((await updates(START_MS)).body.detail).toBe('No data before 2026-01-01T12:00:14');
    expect((await updates(START_MS + 15_000)).body.data.bgp[1]).toHaveLength(10);
    const rib = await query(simulator, 'one', 'rib', {
      vp_bgp_ids: 1,
      date: dateOf(START_MS),
      prefix_exact_match: '10.0.0.0/8',
    });
    expect(rib.status).toBe(400);
  });

  it('a VP whose session goes down has no withdrawals, but no routes from then on either', async () => {
    await start();
    const vp = simulator.addVantagePoint(bgp);
    simulator.announce(vp.key, '10.0.0.0/8', { asPath: '3333' });
    simulator.advance(10_000);
    simulator.faults.killVantagePoint(vp.key);
    simulator.advance(10_000);
    const range = { vp_bgp_ids: 1, start_date: dateOf(START_MS), end_date: NOW() };
    expect((await query(simulator, 'one', 'updates', range)).body.data.bgp[1]).toHaveLength(1);
    const routesAt = async (ms: number) =>
      (await query(simulator, 'one', 'rib', { vp_bgp_ids: 1, date: dateOf(ms), prefix_exact_match: '10.0.0.0/8' })).body
        .data.bgp[1];
    expect(Object.keys(await routesAt(START_MS + 9_000))).toEqual(['10.0.0.0/8']);
    expect(await routesAt(START_MS + 10_000)).toEqual({});
    expect((await query(simulator, 'one', 'vantage_points')).body.data.bgp[0].status).toBe('down');
    simulator.faults.reviveVantagePoint(vp.key);
    expect((await query(simulator, 'one', 'updates', range)).body.data.bgp[1]).toHaveLength(2);
    expect([...simulator.routes()].map(({ asPath }) => asPath)).toEqual(['3333']);
  });
});
