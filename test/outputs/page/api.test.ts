/** The JSON API over HTTP: its answers keep their schemas, and their numbers are those of the metrics. */
import { get } from 'node:http';
import { createGunzip } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { TICK_MS } from '../../../src/history/table-history.ts';
import { changeList, prefixDetail, prefixesEvent, prefixList } from '../../../src/outputs/page/api-schemas.ts';
import { MAX_EVENT_CLIENTS_PER_ADDRESS } from '../../../src/outputs/page/event-hub.ts';
import type { WebServer } from '../../../src/outputs/web-server.ts';
import { setFullFeed } from '../../../src/table/vps/denominator.ts';
import { ask, json, P, pageWorld, running, sampleOf, scrape, stopAll, V6, WATCHED } from '../../support/page-world.ts';
import { until } from '../../support/patience.ts';
import { START_MS } from '../../support/table-world.ts';
import { basic, HASH, SecureWorld } from '../web/secure-world.ts';

afterEach(stopAll);

interface Event {
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: each event has data of another kind
  readonly data: any;
}

/** Listens to events; `next` resolves with the next one of a kind. */
async function listen(server: Pick<WebServer, 'port'>, query = '', headers = {}, root = '') {
  const events: Event[] = [];
  const waiting: (() => void)[] = [];
  let text = '';
  let isOver = false;
  const path = `${root}/api/v1/events${query}`;
  const request = get({ host: '127.0.0.1', port: server.port, path, headers, agent: false });
  running.unshift(async () => {
    request.destroy();
  });
  request.on('error', () => {});
  const status = await new Promise<number>((resolve) =>
    request.on('response', (response) => {
      response.on('error', () => {});
      const isPacked = response.headers['content-encoding'] === 'gzip';
      const plain = isPacked ? response.pipe(createGunzip().on('error', () => {})) : response;
      plain.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
          const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
          text = text.slice(end + 2);
          if (event !== undefined) events.push({ event, data: JSON.parse(data) });
        }
        for (const wake of waiting.splice(0)) wake();
      });
      response.on('close', () => {
        isOver = true;
        for (const wake of waiting.splice(0)) wake();
      });
      resolve(response.statusCode ?? 0);
    }),
  );
  const changed = () => new Promise<void>((resolve) => waiting.push(resolve));
  return {
    status,
    events,
    // biome-ignore lint/suspicious/noExplicitAny: as above
    next: async (kind: string, isWanted: (data: any) => boolean = () => true) => {
      for (;;) {
        const at = events.findIndex(({ event, data }) => event === kind && isWanted(data));
        if (at !== -1) return events.splice(0, at + 1)[at].data;
        await changed();
      }
    },
    over: async () => {
      while (!isOver) await changed();
    },
    close: () => request.destroy(),
  };
}

describe('GET /api/v1/prefixes', () => {
  it('keeps its schema, and its numbers are those of /metrics and of OTLP', async () => {
    const { server, see, trust, tick, outputs } = await pageWorld();
    trust();
    see(10, P, '64501 64500');
    see(3, P, '64502 64502 64666');
    see(1, '198.51.100.0/25', '64501 64666');
    see(4, V6, '64501 64500');
    see(1, V6, undefined);
    tick();
    const { prefixes, status } = prefixList.parse(await json(server, '/api/v1/prefixes'));
    const read = await outputs();
    for (const one of prefixes) {
      const { prefix } = one;
      const metric = (name: string, labels = {}) => read(name, { prefix, ...labels });
      expect(one.visible_vps).toBe(metric('visible_vps'));
      expect(one.expected_vps).toBe(metric('expected_vps'));
      expect(one.visibility_ratio).toBe(metric('visibility_ratio'));
      expect(one.unexpected_origin_vps ?? undefined).toBe(metric('unexpected_origin_vps'));
      expect(one.unexpected_upstream_vps ?? undefined).toBe(metric('unexpected_upstream_vps'));
      expect(one.as_path_length_mean).toBe(metric('as_path_length_mean'));
      expect(one.origin_count).toBe(metric('origins'));
      expect(one.more_specific_count).toBe(metric('more_specifics'));
      expect(Number(one.trusted)).toBe(metric('trusted'));
      for (const { as, vps } of one.origins) expect(vps).toBe(metric('origin_vps', { origin_as: as }));
      for (const { as, vps } of one.upstreams) expect(vps).toBe(metric('upstream_vps', { upstream_as: as }));
      for (const part of one.more_specifics)
        expect(part.vps).toBe(metric('more_specific_vps', { more_specific: part.prefix }));
    }
    expect(prefixes.map(({ prefix, state, visible_vps }) => [prefix, state, visible_vps])).toEqual([
      [P, 'hijack', 10],
      [V6, 'degraded', 3],
    ]);
    expect(prefixes[0].origins).toEqual([
      { as: '64500', name: null, vps: 7, expected: true, validity: 'valid' },
      { as: '64666', name: null, vps: 3, expected: false, validity: 'invalid_as' },
    ]);
    expect(status).toMatchObject({ prefixes: 2, trusted_prefixes: 2, routes: 14 });
  });

  it('says that counts are old while the stream is down', async () => {
    const { server, see, trust, setUp } = await pageWorld();
    trust();
    see(10, P, '64501 64500');
    setUp(false);
    const { prefixes } = prefixList.parse(await json(server, '/api/v1/prefixes'));
    expect(prefixes[0]).toMatchObject({ state: 'old', trusted: false, visible_vps: 10 });
  });
});

describe('GET /api/v1/prefixes/{prefix}', () => {
  it('keeps its schema, and its numbers are those of /metrics and of OTLP', async () => {
    const { server, see, tick, outputs } = await pageWorld();
    see(10, P, '3 64501 64500');
    see(3, P, '64502 64500 64500');
    see(1, P, undefined);
    tick(10_000);
    const one = prefixDetail.parse(await json(server, `/api/v1/prefixes/${P}?window=1h`));
    const read = await outputs();
    const metric = (name: string, labels = {}) => read(name, { prefix: P, ...labels });
    const { counters } = one;
    expect(one.as_path_length_min).toBe(metric('as_path_length_min'));
    expect(one.as_path_length_max).toBe(metric('as_path_length_max'));
    expect(one.prepended_vps).toBe(metric('prepended_vps'));
    expect(counters.announcements).toBe(metric('announcements_total'));
    expect(counters.withdrawals).toBe(metric('withdrawals_total'));
    expect(counters.path_changes).toBe(metric('path_changes_total'));
    expect(counters.origin_changes).toBe(metric('origin_changes_total'));
    expect(counters.repeats).toBe(metric('repeats_total'));
    expect(counters.vp_gains).toBe(metric('vp_gains_total'));
    for (const [reason, losses] of Object.entries(counters.vp_losses))
      expect(losses).toBe(metric('vp_losses_total', { reason }));
    for (const { region, visible, expected } of one.regions)
      expect([visible, expected]).toEqual([
        metric('region_visible_vps', { region }),
        metric('region_expected_vps', { region }),
      ]);
    expect(one.regions).toHaveLength(1);
    const [all] = one.vantage_points;
    expect([all.visible, all.expected]).toEqual([metric('visible_vps'), metric('expected_vps')]);
    expect(one.missing_count).toBe(all.expected - all.visible);
    expect(one.missing).toEqual([
      { vp: { asn: 64496, name: null, ip: '10.0.0.0', protocol: 'bgp' }, since: new Date(START_MS).toISOString() },
    ]);
    const atOrigin = one.path_links.filter(({ hop }) => hop === 1);
    for (const { from, vps } of atOrigin) expect(vps).toBe(metric('upstream_vps', { upstream_as: from }));
    expect(one.history?.counts.visible_vps.at(-1)).toBe(9);
    expect(one.changes[0]).toMatchObject({ before: '64502 64500 64500', after: null });
  });

  it('counts who does not see it as the denominator does where that is made of full feeds', async () => {
    const { server, table, see } = await pageWorld({ tableOptions: { expectedVps: 'full_feed' } });
    see(3, V6, '64501 64500');
    see(5, P, '3 64501 64500');
    see(1, V6, undefined);
    for (let vp = 0; vp < 5; vp++) setFullFeed(table, vp, { ipv4: true, ipv6: true });
    const one = prefixDetail.parse(await json(server, `/api/v1/prefixes/${V6}`));
    const expected = sampleOf(await scrape(server), 'expected_vps', { prefix: V6 });
    expect(expected).toBe(5);
    expect(one.vantage_points).toEqual([{ source: 'bgproutes', protocol: 'bgp', visible: 2, expected }]);
    expect(one.regions).toEqual([{ region: 'unknown', visible: 2, expected }]);
    // The two that never held a route have no time.
    expect(one.missing.map(({ since }) => since !== null)).toEqual([true, false, false]);
  });

  it.each([
    ['198.51.100.0/24', 200],
    ['198.51.100.0%2F24', 200],
    ['2001:0DB8::/32', 200],
    ['198.51.100.0/24/changes', 200],
    ['198.51.100.0/25', 404],
    ['203.0.113.0/24/changes', 404],
    ['%3Cscript%3E', 404],
    ['198.51.100.0/24?window=2h', 400],
  ])('%s: %i', async (path, status) => {
    const { server } = await pageWorld();
    const answer = await ask(server, `/api/v1/prefixes/${path}`);
    expect(answer.status).toBe(status);
    expect(answer.type).toBe('application/json; charset=utf-8');
    if (status !== 200) expect(JSON.parse(answer.body)).toEqual({ error: expect.any(String) });
  });

  it('has no history where none is kept', async () => {
    const { server, tick } = await pageWorld({ maxPrefixes: 0 });
    tick();
    expect(prefixDetail.parse(await json(server, `/api/v1/prefixes/${P}`)).history).toBeNull();
    expect(changeList.parse(await json(server, `/api/v1/prefixes/${P}/changes`)).changes).toEqual([]);
  });
});

describe('GET /api/v1/events', () => {
  it('tells all at once, then what changes', async () => {
    const { server, see, tick } = await pageWorld();
    const { next } = await listen(server);
    expect(await next('status')).toMatchObject({ prefixes: 2 });
    const first = prefixesEvent.parse(await next('prefixes'));
    expect(first).toMatchObject({ all: true, count: 2, prefixes: [{ prefix: P }, { prefix: V6 }] });
    see(5, V6, '64501 64500');
    tick();
    const { all, prefixes } = await next('prefixes');
    expect(all).toBe(false);
    expect(prefixes).toMatchObject([{ prefix: V6, visible_vps: 5 }]);
  });

  it('tells of one prefix, and of its past as that grows', async () => {
    const { server, see, tick } = await pageWorld();
    const { next } = await listen(server, `?prefix=${encodeURIComponent(P)}&window=24h`);
    expect(await next('prefix')).toMatchObject({ prefix: P, visible_vps: 0, history: { window: '24h' } });
    see(2, P, '64501 64500');
    tick();
    expect(await next('prefix')).toMatchObject({ visible_vps: 2 });
    tick(10_000);
    expect((await next('prefix')).history.counts.visible_vps.at(-1)).toBe(2);
  });

  it('tells within a second of its clock what changes the state of a prefix, and that a stream is down', async () => {
    const { server, page, see, trust, setUp, timers } = await pageWorld();
    trust();
    see(20, P, '64501 64500');
    page.start();
    running.push(async () => page.stop());
    const overview = await listen(server);
    const own = await listen(server, `?prefix=${encodeURIComponent(P)}`);
    // What is read up to one kind of event is gone for another.
    const status = await listen(server);
    await overview.next('prefixes');
    await own.next('prefix');
    const changes: readonly [state: string, change: () => void][] = [
      ['outage', () => see(20, P, undefined)],
      ['ok', () => see(20, P, '64501 64500')],
      ['hijack', () => see(3, P, '64501 64666')],
      ['ok', () => see(3, P, '64501 64500')],
      ['more_specific', () => see(1, '198.51.100.0/25', '64501 64666')],
      ['old', () => setUp(false)],
    ];
    for (const [i, [state, change]] of changes.entries()) {
      // The next tick is due in a second: the work of the last one is over.
      await expect.poll(() => timers.nextInMs).toBe(TICK_MS);
      timers.advance(100 * i);
      change();
      const changedAtMs = timers.now();
      timers.advance(TICK_MS - 100 * i);
      for (const { now, ...told } of [
        { ...(await own.next('prefix')) },
        await overview.next('prefixes').then(({ now, prefixes }) => ({ now, ...prefixes[0] })),
      ]) {
        expect(told).toMatchObject({ prefix: P, state });
        expect(Date.parse(now) - changedAtMs).toBeLessThanOrEqual(TICK_MS);
      }
    }
    const { now, streams } = await status.next('status', ({ streams: [stream] }) => !stream.up);
    expect(streams).toMatchObject([{ up: false }]);
    expect(Date.parse(now)).toBe(timers.now());
  });

  it('tells the page of a prefix each change of its routes, also where an overview shows the same', async () => {
    const { server, see, tick } = await pageWorld();
    see(2, P, '64503 64501 64500');
    const { next } = await listen(server, `?prefix=${encodeURIComponent(P)}`);
    await next('prefix');
    see(1, P, '64504 64501 64500');
    tick();
    expect((await next('prefix')).changes[0]).toMatchObject({ after: '64504 64501 64500' });
  });

  it('is packed for who takes gzip, whenever he comes, and says the same as to others', async () => {
    const { server, see, tick } = await pageWorld();
    const gzip = { 'accept-encoding': 'gzip, deflate, br' };
    const [plain, early] = [await listen(server), await listen(server, '', gzip)];
    for (const one of [plain, early]) await one.next('prefixes', ({ all }) => all);
    see(5, V6, '64501 64500');
    tick();
    const late = await listen(server, '', gzip);
    expect((await late.next('prefixes')).prefixes[1]).toMatchObject({ prefix: V6, visible_vps: 5 });
    see(6, V6, '64501 64500');
    see(2, P, '64501 64500');
    tick();
    const isLast = ({ prefixes }: { prefixes: { visible_vps: number }[] }) => prefixes[0].visible_vps === 2;
    const told = await Promise.all([plain, early, late].map((one) => one.next('prefixes', isLast)));
    expect(told[0].prefixes).toMatchObject([
      { prefix: P, visible_vps: 2 },
      { prefix: V6, visible_vps: 6 },
    ]);
    expect([told[1], told[2]]).toEqual([told[0], told[0]]);
  });

  it('tells that a prefix is not monitored any more', async () => {
    const { server, table, tick } = await pageWorld();
    const { next } = await listen(server);
    await next('prefixes');
    table.watch(WATCHED.slice(0, 1), START_MS);
    tick();
    expect((await next('prefixes')).count).toBe(1);
  });

  it.each([
    ['?prefix=203.0.113.0/24', 404],
    [`?prefix=${P}&window=x`, 400],
  ])('%s: %i', async (query, status) => {
    const { server } = await pageWorld();
    expect((await ask(server, `/api/v1/events${query}`)).status).toBe(status);
  });

  it('has room for so many pages of one address, and for another once one is closed', async () => {
    const { server, page } = await pageWorld();
    const pages = [];
    for (let i = 0; i < MAX_EVENT_CLIENTS_PER_ADDRESS; i++) pages.push(await listen(server));
    expect((await ask(server, '/api/v1/events')).status).toBe(503);
    pages[0].close();
    await until(() => expect(page.hub.clients).toBe(MAX_EVENT_CLIENTS_PER_ADDRESS - 1));
    expect((await listen(server)).status).toBe(200);
  });

  it('is told to users only, below the prefix of all paths', async () => {
    const { page, see, tick } = await pageWorld();
    const world = new SecureWorld();
    running.push(() => world.close());
    await world.start(`basic_auth_users: {noc: ${HASH}}\n`, { routePrefix: '/bgp', page });
    const noc = basic('noc', 'right-password');
    expect((await listen(world, '', {}, '/bgp')).status).toBe(401);
    expect((await listen(world, '', basic('noc', 'wrong-password'), '/bgp')).status).toBe(401);
    expect((await listen(world, '', noc)).status).toBe(404);
    expect(page.hub.clients).toBe(0);
    const { status, next } = await listen(world, '', noc, '/bgp');
    expect(status).toBe(200);
    expect(await next('prefixes')).toMatchObject({ all: true, count: 2 });
    see(2, P, '64501 64500');
    tick();
    expect((await next('prefixes')).prefixes).toMatchObject([{ prefix: P, visible_vps: 2 }]);
    const overview = await world.askPlain('/bgp/', noc);
    expect(overview.body).toContain('data-root="./"');
    expect(overview.body).toContain(`href="./prefix/${P}"`);
    expect((await world.askPlain(`/bgp/prefix/${P}`)).status).toBe(401);
  });

  it('ends when the server stops, without waiting for the pages', async () => {
    const { server } = await pageWorld();
    const { next, over } = await listen(server);
    await next('status');
    await server.close();
    await over();
  });
});

describe('HEAD', () => {
  it.each(['prefixes', `prefixes/${P}`, `prefixes/${P}/changes`, 'events', 'openapi.json'])(
    'of /api/v1/%s ends with the headers, and takes no place of a page',
    async (path) => {
      const { server, page } = await pageWorld();
      const { status, type, body } = await ask(server, `/api/v1/${path}`, 'HEAD');
      expect([status, body, page.hub.clients]).toEqual([200, '', 0]);
      expect(type).toBe(`${path === 'events' ? 'text/event-stream' : 'application/json'}; charset=utf-8`);
    },
  );
});

describe('GET /api/v1/openapi.json', () => {
  it('describes each path with schemas that exist', async () => {
    const { server } = await pageWorld();
    const document = (await json(server, '/api/v1/openapi.json')) as Record<string, unknown>;
    expect(document.openapi).toBe('3.1.1');
    expect(Object.keys(document.paths as object)).toEqual([
      '/api/v1/prefixes',
      '/api/v1/prefixes/{prefix}',
      '/api/v1/prefixes/{prefix}/changes',
      '/api/v1/events',
    ]);
    const refs = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
    const { schemas } = document.components as { schemas: Record<string, { properties?: object }> };
    expect(refs.length).toBeGreaterThan(5);
    expect(refs.filter((name) => schemas[name] === undefined)).toEqual([]);
    expect(Object.keys(schemas.PrefixSummary.properties ?? {})).toContain('visible_vps');
  });
});
