import type { ServerResponse } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { DataApiClient } from '../../../src/bgproutes/data-api/client.ts';
import { until } from '../../support/patience.ts';
import { BMP, caught, envelope, KEY, nothing, noVps, P1, P2, rows, says, vps, world } from './data-api-world.ts';

describe('a request', () => {
  it('for VPs is a GET with the key in a header', async () => {
    const { client, server } = await world(says(noVps), { userAgent: 'bgproutes-exporter/1.2.3' });
    await client.vantagePoints({
      asns: [3333, 64500],
      ips: ['2001:db8::1'],
      protocols: ['bgp', 'bmp'],
      afis: [4],
      sources: ['bgproutes.io', 'ris'],
      countries: ['NL'],
      orgCountries: ['DE'],
      ribSizeV4: ['>', 900_000],
      ribSizeV6: ['<=', 5],
      statuses: ['up'],
      dateMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    });
    const [request] = server.requests;
    expect([request.method, request.url.pathname]).toEqual(['GET', '/v1/vantage_points']);
    expect(request.headers).toMatchObject({
      'x-api-key': KEY,
      accept: 'application/json',
      'user-agent': 'bgproutes-exporter/1.2.3',
    });
    expect(request.target).not.toContain(KEY);
    expect(Object.fromEntries(request.url.searchParams)).toEqual({
      vp_asns: '3333,64500',
      vp_ips: '2001:db8::1',
      peering_protocol: 'bgp,bmp',
      data_afi: '4',
      sources: 'bgproutes.io,ris',
      countries: 'NL',
      org_countries: 'DE',
      rib_size_v4: '>,900000',
      rib_size_v6: '<=,5',
      status: 'up',
      date: '2026-01-02T03:04:05',
    });
  });

  it.each(['', '/', '/v1', '/v1/'])('goes to the same place when the base ends in "%s"', async (end) => {
    const { client, server } = await world(says(noVps));
    const other = new DataApiClient({ apiKey: KEY, baseUrl: `${server.url}/base${end}` });
    await other.vantagePoints();
    expect(server.requests[0].target).toBe('/base/v1/vantage_points');
    expect(client.used.requests).toBe(0);
  });

  it('for routes names VPs by protocol', async () => {
    const { client, server } = await world(says(nothing));
    await rows(client, { vps: [...vps(2), BMP], prefixes: [P1, P2] });
    expect(server.requests[0].method).toBe('GET');
    expect(Object.fromEntries(server.requests[0].url.searchParams)).toEqual({
      vp_bgp_ids: '1,2',
      vp_bmp_ids: '9',
      date: '2026-01-02T03:04:05',
      prefix_exact_match: `${P1},${P2}`,
      return_aspath: 'true',
      return_community: 'true',
    });
  });

  it('for updates has both ends of its time', async () => {
    const { client, server } = await world(says(envelope({ bgp: { 1: [[1_700_000_000, 'W', P1]] } })));
    const start = Date.UTC(2026, 0, 2, 3, 4, 5, 900);
    const found = [];
    for await (const batch of client.updates({
      vps: vps(1),
      prefixes: [P1],
      startMs: start,
      endMs: start + 60_000,
      communities: false,
    })) {
      found.push(...batch.rows);
    }
    expect(found.map((row) => row.kind)).toEqual(['W']);
    expect(server.requests[0].url.pathname).toBe('/v1/updates');
    expect(Object.fromEntries(server.requests[0].url.searchParams)).toEqual({
      vp_bgp_ids: '1',
      start_date: '2026-01-02T03:04:05',
      end_date: '2026-01-02T03:05:05',
      chronological_order: 'true',
      prefix_exact_match: P1,
      return_aspath: 'true',
      return_community: 'false',
    });
  });

  it('for more-specifics filters by one prefix', async () => {
    const { client, server } = await world(says(envelope({ bgp: { 1: { '192.23.62.128/25': ['1 2', ''] } } })));
    const found = await rows(client, { prefixes: [P1, P2], match: 'more_specific' });
    expect(found.map((row) => row.prefix)).toEqual(['192.23.62.128/25']);
    expect(server.requests.map((request) => request.url.searchParams.get('prefix_filter'))).toEqual([
      `<<:${P1}`,
      `<<:${P2}`,
    ]);
  });

  it.each([
    [100, 10, 'GET'],
    [101, 10, 'POST'],
    [10, 11, 'POST'],
  ])('about %i VPs and %i prefixes is a %s', async (vpCount, prefixCount, method) => {
    const prefixes = Array.from({ length: prefixCount }, (_, i) => `10.0.${i}.0/24`);
    const { client, server } = await world(says(nothing));
    await rows(client, { vps: vps(vpCount), prefixes });
    expect(server.requests.map((request) => request.method)).toEqual([method]);
    if (method === 'GET') return;
    expect(server.requests[0].headers['content-type']).toBe('application/json');
    expect(server.requests[0].url.search).toBe('');
    expect(JSON.parse(server.requests[0].body)).toEqual({
      vp_bgp_ids: vps(vpCount)
        .map(({ id }) => id)
        .join(','),
      date: '2026-01-02T03:04:05',
      prefix_exact_match: prefixes.join(','),
      return_aspath: true,
      return_community: true,
    });
  });

  it('that is too large is split, and the next part is asked for when the one before was consumed', async () => {
    const { client, server } = await world(
      (request, response) => {
        const { vp_bgp_ids: ids } =
          request.method === 'GET' ? Object.fromEntries(request.url.searchParams) : JSON.parse(request.body);
        response.end(
          envelope({ bgp: Object.fromEntries(ids.split(',').map((id: string) => [id, { '10.0.0.0/24': [id, ''] }])) }),
        );
      },
      { maxVpsPerRequest: 50 },
    );
    const prefixes = Array.from({ length: 12 }, (_, i) => `10.0.${i}.0/24`);
    const found: string[] = [];
    let batches = 0;
    for await (const batch of client.rib({ vps: vps(120), prefixes, dateMs: 0 })) {
      expect(server.requests.length).toBe(++batches);
      found.push(...batch.rows.map((row) => row.asPath));
    }
    expect(server.requests.length).toBe(6);
    expect(new Set(found).size).toBe(120);
  });

  it('is asked by halves where its answer is larger than can be read, and by eighths at most', async () => {
    let most = 3;
    const { client, server } = await world(
      (request, response) => {
        const ids = (request.url.searchParams.get('vp_bgp_ids') ?? '').split(',');
        const held = ids.map((id) => [id, { [P1]: [`${id} 64500`, 'x'.repeat(ids.length > most ? 2_000 : 1)] }]);
        response.end(envelope({ bgp: Object.fromEntries(held) }));
      },
      { maxBodyBytes: 2_000 },
    );
    const found = await rows(client, { vps: vps(8) });
    expect(found.map(({ vp }) => vp.asn)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const asked = server.requests.map(({ url }) => url.searchParams.get('vp_bgp_ids'));
    expect(asked).toEqual(['1,2,3,4,5,6,7,8', '1,2,3,4', '1,2', '3,4', '5,6,7,8', '5,6', '7,8']);
    server.requests.length = 0;
    most = 0;
    expect(await caught(rows(client, { vps: vps(20) }))).toMatchObject({ code: 'INVALID_RESPONSE' });
    const sizes = server.requests.map(({ url }) => url.searchParams.get('vp_bgp_ids')?.split(',').length);
    expect(sizes).toEqual([20, 10, 5, 3]);
  });

  it('without VPs or without prefixes makes no request', async () => {
    const { client, server } = await world(says(nothing));
    expect([await rows(client, { vps: [] }), await rows(client, { prefixes: [] })]).toEqual([[], []]);
    expect(server.requests).toEqual([]);
  });
});

describe('one at a time', () => {
  it('in the order in which they were asked', async () => {
    let [open, mostOpen] = [0, 0];
    const other = await world(says(noVps));
    const { client, server } = await world(async (_, response) => {
      mostOpen = Math.max(mostOpen, ++open);
      // A second request, sent beside this one, would be here before another server has answered.
      await (await fetch(other.server.url)).text();
      open--;
      response.end(noVps);
    });
    await Promise.all(Array.from({ length: 8 }, (_, i) => client.vantagePoints({ asns: [i + 1] })));
    expect(mostOpen).toBe(1);
    expect(server.requests.map((request) => request.url.searchParams.get('vp_asns'))).toEqual([
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
    ]);
  });

  it('also when one fails or gives up while it waits', async () => {
    let [open, mostOpen] = [0, 0];
    const held: ServerResponse[] = [];
    const { client, server } = await world((request, response) => {
      mostOpen = Math.max(mostOpen, ++open);
      response.on('close', () => open--);
      if (request.url.searchParams.get('vp_asns') === '1') held.push(response);
      else if (request.url.searchParams.get('vp_asns') === '3') response.writeHead(404).end();
      else response.end(noVps);
    });
    const giveUp = new AbortController();
    const results = Promise.allSettled([
      client.vantagePoints({ asns: [1] }),
      client.vantagePoints({ asns: [2], signal: giveUp.signal }),
      client.vantagePoints({ asns: [3] }),
      client.vantagePoints({ asns: [4] }),
    ]);
    await until(() => expect(held.length).toBe(1));
    giveUp.abort(new Error('enough'));
    held[0].end(noVps);
    expect(
      (await results).map((result) =>
        result.status === 'fulfilled' ? 'done' : String(result.reason.message ?? result.reason),
      ),
    ).toEqual([
      'done',
      'enough',
      'Data API, vantage_points: it does not know what was asked for: HTTP status 404',
      'done',
    ]);
    expect(server.requests.map((request) => request.url.searchParams.get('vp_asns'))).toEqual(['1', '3', '4']);
    expect(mostOpen).toBe(1);
  });
});

describe('aborting', () => {
  const reason = new Error('enough');

  it('before: nothing is asked', async () => {
    const { client, server } = await world(says(noVps));
    expect(await caught(client.vantagePoints({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(await caught(rows(client, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(server.requests).toEqual([]);
  });

  it('during a request', async () => {
    const stop = new AbortController();
    const { client, results } = await world((_, response, count) => {
      if (count === 1) stop.abort(reason);
      else response.end(noVps);
    });
    expect(await caught(client.vantagePoints({ signal: stop.signal }))).toBe(reason);
    expect(results).toEqual([]);
    await client.vantagePoints();
  });

  it('between attempts, and while waiting for the quota', async () => {
    const { client, timers, server, log } = await world(says('', 503), { quota: { requests: 1 } });
    const stop = new AbortController();
    const first = caught(client.vantagePoints({ signal: stop.signal }));
    await until(() => expect(log.values('retry_in_seconds').length).toBe(1));
    stop.abort(reason);
    expect(await first).toBe(reason);
    const again = new AbortController();
    const second = caught(client.vantagePoints({ signal: again.signal }));
    await until(() => expect(log.values('wait_seconds')).toEqual([3600]));
    again.abort(reason);
    expect(await second).toBe(reason);
    expect(server.requests.length).toBe(1);
    expect(timers.nextInMs).toBeUndefined();
  });

  it('between the parts of an answer', async () => {
    const many = Array.from({ length: 3_000 }, (_, i) => [1_700_000_000 + i, 'A', P1, '1 2', '']);
    const { client } = await world(says(envelope({ bgp: { 1: many } })));
    const stop = new AbortController();
    const endMs = Date.UTC(2026, 0, 2);
    const batches = client.updates({ vps: vps(1), prefixes: [P1], startMs: 0, endMs, signal: stop.signal });
    expect((await batches.next()).value?.rows.length).toBe(1_000);
    stop.abort(reason);
    expect(await caught(batches.next())).toBe(reason);
    expect(await batches.next()).toEqual({ done: true, value: undefined });
  });

  it('of the whole client ends every request, and those that wait', async () => {
    const stop = new AbortController();
    const { client, server, timers, log } = await world(says(noVps), {
      quota: { requests: 1 },
      signal: stop.signal,
    });
    await client.vantagePoints();
    const waiting = [caught(client.vantagePoints()), caught(rows(client))];
    await until(() => expect(log.values('wait_seconds')).toEqual([3600]));
    stop.abort(reason);
    expect(await Promise.all(waiting)).toEqual([reason, reason]);
    expect(await caught(client.vantagePoints())).toBe(reason);
    expect([server.requests.length, timers.nextInMs]).toEqual([1, undefined]);
  });

  it('leaves nothing behind on a signal that lives on', async () => {
    const { client } = await world(says(noVps));
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    for (let i = 0; i < 20; i++) await client.vantagePoints({ signal });
    process.off('warning', onWarning);
    expect(added.mock.calls.length).toBeGreaterThan(0);
    expect(removed.mock.calls.length).toBeGreaterThanOrEqual(added.mock.calls.length);
    expect(warnings).toEqual([]);
  });
});

describe('making a client', () => {
  it.each(['', 'a b', 'a\nb', 'schlüssel'])('does not take the key %j', (apiKey) => {
    expect(() => new DataApiClient({ apiKey })).toThrow(TypeError);
    if (apiKey !== '') expect(() => new DataApiClient({ apiKey })).not.toThrow(apiKey);
  });

  it.each([
    ['nonsense', 'baseUrl: expected a URL that begins with http:// or https://'],
    ['localhost:8479', 'baseUrl: expected a URL that begins with http:// or https://'],
    ['https://user:secret@api.bgproutes.io', 'baseUrl: expected a URL without a user name and password'],
    ['https://api.bgproutes.io/#v1', 'baseUrl: expected a URL without #'],
  ])('does not take the base %s', (baseUrl, message) => {
    expect(() => new DataApiClient({ apiKey: KEY, baseUrl })).toThrow(new TypeError(message));
  });
});
