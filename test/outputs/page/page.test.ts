/** The page as the server renders it: whole without a script, its numbers those of the metrics, nothing in it trusted. */
import { afterEach, describe, expect, it } from 'vitest';
import type { PrefixSummary, Status } from '../../../src/outputs/page/api-schemas.ts';
import { overviewDocument } from '../../../src/outputs/page/page-document.ts';
import { percent } from '../../../src/outputs/page/render/html.ts';
import {
  compareRows,
  matches,
  OVERVIEW_COLUMNS,
  rowHtml,
  statusHtml,
  tallyHtml,
} from '../../../src/outputs/page/render/overview.ts';
import { sparkline } from '../../../src/outputs/page/render/pictures.ts';
import { chartsOf } from '../../../src/outputs/page/render/prefix-charts.ts';
import { STATE_ORDER, STATES } from '../../../src/outputs/page/render/states.ts';
import { niceTop, stacked, timeChart } from '../../../src/outputs/page/render/time-chart.ts';
import { ask, P, pageWorld, stopAll, V6 } from '../../support/page-world.ts';

afterEach(stopAll);

const ROW: PrefixSummary = {
  ...{ prefix: '192.0.2.0/24', description: 'web shop', group: 'core', state: 'ok', trusted: true },
  ...{ visible_vps: 99, expected_vps: 100, visibility_ratio: 0.99 },
  ...{ unexpected_origin_vps: 0, unexpected_upstream_vps: 0 },
  origins: [{ as: '64500', name: 'Shop', vps: 99, expected: true, validity: null }],
  origin_count: 1,
  upstreams: [{ as: '64501', name: null, vps: 99, expected: true }],
  upstream_count: 1,
  ...{ more_specifics: [], more_specific_count: 0, as_path_length_mean: 3, events_per_minute: 5 },
  ...{ sources: [{ source: 'bgproutes', vps: 99 }], spark: [100, null, 41], spark_step_seconds: 300 },
};

const STATUS: Status = {
  ...{ now: '2026-11-28T19:45:10.000Z', started_at: '2026-11-28T19:00:00.000Z', version: '1.2.3' },
  ...{
    ready: true,
    not_ready_reason: null,
    table: 'seeded',
    restored_from: null,
    routes: 99,
    prefixes: 1,
    trusted_prefixes: 1,
    notes: [],
  },
  streams: [
    {
      ...{ source: 'bgproutes', session: '0', up: true, down_since: null, reason: null, subscribed_prefixes: 1 },
      last_update_at: '2026-11-28T19:45:05.000Z',
    },
  ],
  validators: [],
};

const NO_FILTER = { text: '', state: '', group: '' };
const LINKS = { telemetryPath: 'metrics', style: 'page/page.css?v=1', script: 'page/page.js?v=1' };
/** Text without markup. */
const said = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

describe('GET /', () => {
  it('says of each prefix what its metrics say', async () => {
    const { server, see, trust, tick, outputs } = await pageWorld();
    trust();
    see(10, P, '64501 64500');
    see(3, P, '64502 64666');
    see(4, V6, '64501 64500');
    tick();
    const { body, type } = await ask(server, '/');
    const read = await outputs();
    expect(type).toBe('text/html; charset=utf-8');
    const rows = [...body.matchAll(/<tr role="row" data-prefix="([^"]+)".*?<\/tr>/g)];
    expect(rows.map(([, prefix]) => prefix)).toEqual([P, V6]); // the hijacked one first
    for (const [row, prefix] of rows) {
      const metric = (name: string, labels = {}) => read(name, { prefix, ...labels });
      expect(said(row)).toContain(`${metric('visible_vps')} of ${metric('expected_vps')}`);
      expect(said(row)).toContain(percent(metric('visibility_ratio') ?? 0));
    }
    expect(said(rows[0][0])).toContain('Unexpected origin');
    expect(said(rows[0][0])).toContain('AS64666 3 unexpected');
    expect(said(rows[1][0])).toContain('As expected');
  });

  it('loads and runs nothing but what the exporter serves, and has no styles in its markup', async () => {
    const { server, see, tick } = await pageWorld();
    see(3, P, '64501 64500');
    tick(10_000);
    for (const path of ['/', `/prefix/${P}`]) {
      const { body, headers } = await ask(server, path);
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(body).not.toMatch(
        /<script(?! type="module" src="[./]+page\/page\.js)|https?:|<img|style="|<style|\son[a-z]+=/,
      );
    }
  });

  it('has links that lead where they should, also behind a proxy that takes off a part of the path', async () => {
    const { server } = await pageWorld({ telemetryPath: '/bgp/metrics-1' });
    const linksOf = async (path: string) => {
      const { body } = await ask(server, path);
      const links = [...body.matchAll(/(?:href|src)="([^"#?]+)[^"]*"/g)].map(([, link]) => link);
      return links.filter((link) => link !== 'data:,').map((link) => new URL(link, `https://host/at${path}`).pathname);
    };
    const links = ['/at/bgp/metrics-1', '/at/api/v1/prefixes', '/at/runbook', '/at/-/ready', '/at/page/page.css'];
    expect(await linksOf('/')).toEqual(expect.arrayContaining([...links, `/at/prefix/${P}`, `/at/prefix/${V6}`]));
    expect(await linksOf(`/prefix/${V6}`)).toEqual(expect.arrayContaining([...links, '/at/']));
  });

  it('filters without a script', async () => {
    const { server } = await pageWorld();
    const shown = async (query: string) => {
      const { body } = await ask(server, `/?${query}`);
      return [...body.matchAll(/<tr role="row" data-prefix="([^"]+)"[^>]*?( hidden)?>/g)]
        .filter(([, , hidden]) => hidden === undefined)
        .map(([, prefix]) => prefix);
    };
    expect(await shown('q=2001')).toEqual([V6]);
    expect(await shown('group=core')).toEqual([P]);
    expect(await shown('state=hijack')).toEqual([]);
    expect((await ask(server, '/?q="><script>')).body).toContain('value="&quot;&gt;&lt;script&gt;"');
  });

  it('serves its style and says that it may be kept for ever', async () => {
    const { server } = await pageWorld();
    const { status, type, headers } = await ask(server, '/page/page.css');
    expect([status, type]).toEqual([200, 'text/css; charset=utf-8']);
    expect(headers['cache-control']).toContain('immutable');
  });
});

describe('GET /prefix/{prefix}', () => {
  it('says what the metrics say, who does not see it, and what changed', async () => {
    const { server, see, trust, tick, outputs } = await pageWorld();
    trust();
    see(10, P, '3 64501 64500');
    tick(10_000);
    see(7, P, undefined);
    tick(10_000);
    const { body } = await ask(server, `/prefix/${P}`);
    const read = await outputs();
    const text = said(body);
    const metric = (name: string, labels = {}) => read(name, { prefix: P, ...labels });
    expect(text).toContain(`Visible VPs ${metric('visible_vps')} of ${metric('expected_vps')} expected`);
    expect(text).toContain(`Mean path length ${metric('as_path_length_mean')}`);
    expect(text).toContain(`AS64501 ${metric('upstream_vps', { upstream_as: '64501' })}`);
    expect(text).toContain('Outage: fewer than half of the expected vantage points see it 7');
    expect(text).toMatch(/Who does not see it .* AS64496 10\.0\.0\.6/);
    expect(text).toContain('AS64496 10.0.0.0 3 64501 64500 no route');
    const change = /aria-label="Last changes of routes".*?<tbody.*?<\/tr>/.exec(body)?.[0] ?? '';
    expect(change.match(/(?<=data-name=")[^"]+/g)).toEqual(['Time (UTC)', 'Vantage point', 'Before', 'After']);
    expect(body).toContain('aria-label="Visible and expected VPs: visible 3, expected 10"');
  });

  it('says from which regions it is seen, as the metrics do', async () => {
    const { server, table, see, outputs } = await pageWorld();
    const vpOf = (i: number) => ({ protocol: 'bgp' as const, asn: 64496, ip: `10.0.0.${i}` });
    table.ledger.learnPlaces(0, [
      ...[0, 1, 2, 3].map((i) => ({ vp: vpOf(i), country: 'NL' })),
      { vp: vpOf(4), country: 'BR' },
    ]);
    see(6, P, '3 64501 64500');
    see(1, P, undefined);
    const text = said((await ask(server, `/prefix/${P}`)).body);
    const read = await outputs();
    const metric = (name: string, region: string) => read(name, { prefix: P, region });
    for (const [word, region] of [
      ['Europe', 'europe'],
      ['South America', 'south_america'],
      ['not known', 'unknown'],
    ])
      expect(text).toContain(
        `${word} ${metric('region_visible_vps', region)} ${metric('region_expected_vps', region)} `,
      );
    expect([metric('region_visible_vps', 'europe'), metric('region_expected_vps', 'europe')]).toEqual([3, 4]);
    expect(text).not.toContain('Africa');
  });

  it('names the ASes that the file of names has', async () => {
    const names = { 64500: 'Example Shop', 64496: '<b>Route Server</b>' };
    const { server, see } = await pageWorld({ names });
    see(2, P, '3 64501 64500');
    see(1, P, undefined);
    const { body } = await ask(server, `/prefix/${P}`);
    expect(said(body)).toContain('AS64500 Example Shop 1 expected');
    expect(said(body)).toContain('AS64501 1 100 %');
    expect(said(body)).toContain('AS64496 &lt;b&gt;Route Server&lt;/b&gt; 10.0.0.0');
    expect(said((await ask(server, '/')).body)).toMatch(/AS64500 1 (valid )?Example Shop/);
  });

  it('is of monitored prefixes only, however they are spelt', async () => {
    const { server } = await pageWorld();
    expect((await ask(server, '/prefix/2001:0db8::/32')).status).toBe(200);
    expect((await ask(server, '/prefix/198.51.100.0%2F24?window=7d')).body).toContain('data-window="7d" aria-current');
    expect((await ask(server, '/prefix/192.0.2.0/24')).status).toBe(404);
    expect((await ask(server, '/prefix/<script>')).body).not.toContain('<script>');
  });

  it('says that no history is kept', async () => {
    const { server } = await pageWorld({ maxPrefixes: 0 });
    expect((await ask(server, `/prefix/${P}`)).body).toContain('No history of this prefix is kept');
  });
});

describe('a row', () => {
  it('escapes whatever comes from outside', async () => {
    const nasty = `<script>"'&</script>`;
    const row: PrefixSummary = {
      ...ROW,
      ...{ prefix: nasty, description: nasty, group: nasty },
      origins: [{ as: nasty, name: nasty, vps: 1, expected: false, validity: 'invalid_as' }],
      upstreams: [{ as: nasty, name: nasty, vps: 1, expected: false }],
      ...{ more_specifics: [{ prefix: nasty, vps: 1 }], more_specific_count: 1 },
      sources: [
        { source: nasty, vps: 1 },
        { source: nasty, vps: 1 },
      ],
    };
    const stream = { ...STATUS.streams[0], up: false, source: nasty, session: nasty, reason: nasty };
    const status: Status = {
      ...STATUS,
      ...{ version: nasty, not_ready_reason: nasty, notes: [nasty] },
      streams: [{ ...stream, down_since: STATUS.now }],
      validators: [{ source: nasty, up: false, usable: false, data_at: null }],
    };
    const page = await overviewDocument(status, [row], { text: nasty, state: nasty, group: nasty }, LINKS);
    expect(page.match(/<script/g)).toHaveLength(1); // its own
    expect(page.match(/&lt;script&gt;&quot;&#39;&amp;&lt;\/script&gt;/g)?.length).toBeGreaterThan(12);
    expect(page).not.toContain(nasty);
  });

  it('names its column in every cell, for a window too narrow for the head', () => {
    expect(rowHtml(ROW, false).match(/(?<=data-name=")[^"]+/g)).toEqual(OVERVIEW_COLUMNS);
  });

  it('does not round up to all of them, nor divide by none', () => {
    expect(rowHtml({ ...ROW, visible_vps: 9_999, expected_vps: 10_000, visibility_ratio: 0.9999 }, false)).toContain(
      '>99.9 %<',
    );
    const none = rowHtml(
      { ...ROW, visible_vps: 0, expected_vps: 0, visibility_ratio: null, origins: [], origin_count: 0 },
      false,
    );
    expect(said(none)).toContain('0 of 0');
    expect(none).not.toContain('NaN');
  });

  it('cuts a long name between characters', () => {
    const origins = [{ as: '1', name: '🛰'.repeat(60), vps: 1, expected: true, validity: null }];
    expect(said(rowHtml({ ...ROW, origins }, false))).toContain(` ${'🛰'.repeat(40)}… `);
  });

  it('says how many origins are left out', () => {
    const origins = [1, 2, 3, 4].map((n) => ({ as: String(n), name: null, vps: 1, expected: true, validity: null }));
    expect(said(rowHtml({ ...ROW, origins, origin_count: 12 }, false))).toContain('AS3 1 and 9 more');
  });

  it('stands before those that are less urgent, and less visible ones come first', () => {
    const rows = [
      { ...ROW, prefix: 'b' },
      { ...ROW, prefix: 'a' },
      { ...ROW, prefix: 'c', visibility_ratio: 0.96 },
      { ...ROW, prefix: 'd', state: 'outage' as const },
      { ...ROW, prefix: 'e', state: 'hijack' as const },
    ];
    expect(rows.sort(compareRows).map(({ prefix }) => prefix)).toEqual(['e', 'd', 'c', 'a', 'b']);
  });

  it('is found by prefix, description, group and AS', () => {
    for (const text of ['192.0', 'WEB', 'core', 'as64500', ' AS64501 ', 'shop'])
      expect(matches(ROW, { ...NO_FILTER, text })).toBe(true);
    for (const text of ['10.0', 'as64502']) expect(matches(ROW, { ...NO_FILTER, text })).toBe(false);
  });
});

describe('where no row is shown', () => {
  it.each([
    [[ROW], { ...NO_FILTER, text: 'nothing such' }, 'No prefix matches the filter.'],
    [[], NO_FILTER, 'This exporter has no prefixes now.'],
    [[ROW], NO_FILTER, undefined],
  ])('says why, also without a script', async (rows, filter, text) => {
    const page = await overviewDocument(STATUS, rows, filter, LINKS);
    const [, shown] = /<p class="none" id="none">([^<]*)</.exec(page) ?? [];
    expect(shown).toBe(text);
  });
});

describe('the state of streams, table and validators', () => {
  it('is a line each, with age', () => {
    const stream = { ...STATUS.streams[0], up: false, down_since: '2026-11-28T19:40:10.000Z', reason: 'no route' };
    const validator = { source: '0', up: true, usable: true, data_at: '2026-11-28T19:15:10.000Z' };
    const text = said(statusHtml({ ...STATUS, streams: [...STATUS.streams, stream], validators: [validator] }));
    expect(text).toContain('session 0: up, 1 prefix, last message 5 s ago');
    expect(text).toContain('session 0: down for 5 min: no route');
    expect(text).toContain('Validated data 0: usable, made 30 min ago');
    expect(text).toContain('Table: 1 of 1 prefixes complete, 99 routes');
  });

  it('stands above since when the exporter runs, which stays true while the page is open', async () => {
    const page = await overviewDocument(STATUS, [ROW], NO_FILTER, LINKS);
    expect(page).toContain(
      'bgproutes-exporter 1.2.3, running since <time datetime="2026-11-28T19:00:00.000Z">11-28 19:00:00</time> UTC',
    );
  });

  it('counts one thing as one', () => {
    expect(said(statusHtml({ ...STATUS, routes: 1 }))).toContain('1 of 1 prefixes complete, 1 route ');
    expect(said(tallyHtml([ROW]))).toContain('1 prefix ');
    expect(said(tallyHtml([ROW, ROW]))).toContain('2 prefixes ');
  });

  it('has an arrow in one piece in what the demo tells', () => {
    expect(said(statusHtml({ ...STATUS, notes: ['outage: 9 -> 0 VPs'] }))).toContain('outage: 9 → 0 VPs');
  });

  it('tells how far a seed is', () => {
    const text = said(statusHtml({ ...STATUS, table: 'unseeded', prefixes: 9, trusted_prefixes: 2 }));
    expect(text).toContain('being read, 2 of 9 prefixes complete');
    const streams = STATUS.streams.map((stream) => ({ ...stream, up: false }));
    const cut = said(statusHtml({ ...STATUS, table: 'unseeded', prefixes: 9, trusted_prefixes: 0, streams }));
    expect(cut).toContain('0 of 9 prefixes complete, 99 routes from before; it is read again when a stream is up');
  });

  it('tells how old the table was that it began with', () => {
    const text = said(statusHtml({ ...STATUS, table: 'unseeded', restored_from: '2026-11-28T18:46:00.000Z' }));
    expect(text).toContain('it began with a snapshot that was 14 min old at the start');
  });
});

describe('pictures', () => {
  it('leave a gap where nothing was sampled, and say their lowest value', () => {
    const picture = sparkline([100, null, 41], 300);
    expect(picture).toContain('of the last 15 min: 41 %');
    expect(picture.match(/M/g)).toHaveLength(2);
  });

  it('have a line of text below them from the start, so that the first sample moves no row', () => {
    const below = (values: readonly (number | null)[]) =>
      /<\/svg><small>(.*)<\/small>$/.exec(sparkline(values, 10))?.[1];
    expect([[], [null, null], [null, 100]].map(below)).toEqual(['not kept', 'no history yet', 'of 20 s']);
  });

  it('are as wide as what is known, but for the first half an hour', () => {
    const known = (count: number) => [...Array(48 - count).fill(null), ...Array(count).fill(100)];
    // Where the area begins, of 120.
    const from = (count: number) => Number(/d="M([\d.]+)/.exec(sparkline(known(count), 300))?.[1]);
    expect([1, 3, 6, 12, 48].map(from)).toEqual([100, 60, 0, 0, 0]);
    expect([3, 12, 48].map((count) => said(sparkline(known(count), 300)).trim())).toEqual([
      'of 30 min',
      'of 1 h 0 min',
      '',
    ]);
    expect(said(sparkline(known(12), 10)).trim()).toBe('of 2 min');
    expect(said(sparkline(known(48), 60)).trim()).toBe('of 48 min');
  });

  it('stack lines, with a gap where none has a value', () => {
    expect(
      stacked([
        [1, null, null],
        [2, 3, null],
      ]),
    ).toEqual([
      [1, null, null],
      [3, 3, null],
    ]);
  });

  it.each([
    [0, 1],
    [1, 1],
    [180, 200],
    [201, 250],
    [260, 500],
    [999, 1_000],
  ])('of values up to %d end at %d', (value, top) => {
    expect(niceTop(value)).toBe(top);
  });

  it('draw what is expected in dashes, so that as many visible vantage points show between them', () => {
    const values = [9, 9];
    const lines = [
      { name: 'visible', values },
      { name: 'expected', values, isDashed: true },
    ];
    const title = 'Visible and expected VPs';
    const chart = timeChart({ id: 'c-visible', title, fromMs: 0, stepMs: 10_000, lines, isStacked: false }, []);
    expect(chart.match(/(?<=<path class=")line [^"]+/g)).toEqual(['line s1', 'line s2 dashed']);
  });

  it('begin at the first sample, and show ten minutes at least', () => {
    const values = (count: number) => [...Array(360 - count).fill(null), ...Array(count).fill(5)];
    const history = (count: number) => ({
      window: '1h' as const,
      counts: {
        ...{ from: '2026-11-28T18:00:00.000Z', step_seconds: 10 },
        ...{ visible_vps: values(count), expected_vps: values(count), events: values(count) },
      },
      shares: {
        ...{ from: '2026-11-28T18:00:00.000Z', step_seconds: 30 },
        ...{ as_path_length_mean: Array(120).fill(1), origins: [], upstreams: [] },
      },
    });
    const first = (count: number) => chartsOf(history(count))[0];
    expect([first(3).lines[0].values.length, first(100).lines[0].values.length]).toEqual([60, 100]);
    expect(new Date(first(100).fromMs).toISOString()).toBe('2026-11-28T18:43:20.000Z');
  });

  it('have another shape for each state, and a word', () => {
    const looks = STATE_ORDER.map((state) => STATES[state]);
    expect(new Set(looks.map(({ shape }) => shape)).size).toBe(looks.length);
    expect(new Set(looks.map(({ word }) => word)).size).toBe(looks.length);
  });
});
