import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PrefixView } from '../../../src/metrics/views/prefix-view.ts';
import { TextWriter } from '../../../src/outputs/text/prometheus.ts';
import type { SeriesBounds } from '../../../src/table/bounds.ts';
import { Fold, FoldCounts } from '../../../src/table/fold.ts';
import type { WatchedPrefix } from '../../../src/table/prefixes/prefix-state.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import type { TableOptions } from '../../../src/table/table-options.ts';
import { expectedSeries } from '../../support/expected-series.ts';
import { readExposition, seriesOf } from '../../support/exposition.ts';
import { runs } from '../../support/property-runs.ts';
import { op, options, START_MS, said, World, watchedOf, watchedPrefix, watchSet } from '../../support/table-world.ts';

const NOW = START_MS;
const P = '198.51.100.0/24';

function world(watched: readonly WatchedPrefix[], tableOptions: TableOptions = {}, bounds?: SeriesBounds) {
  const table = new RoutingTable(tableOptions);
  table.watch(watched, NOW);
  const fold = new Fold(table);
  const counts = new FoldCounts();
  const view = new PrefixView(table, [], bounds);
  let vp = 0;
  const vpOf = (n: number) => ({ protocol: 'bgp' as const, asn: 64496, ip: `10.0.${n >> 8}.${n & 255}` });
  const say = (
    n: number,
    announced: readonly string[],
    asPath: string,
    withdrawn: readonly string[] = [],
    atMs = NOW,
  ) =>
    fold.apply(
      {
        ...{ vp: vpOf(n), timeUs: atMs * 1000, announced, withdrawn },
        ...(announced.length > 0 && { attributes: { asPath, communities: '', nextHop: '', originAttribute: '' } }),
      },
      0,
      counts,
      NOW,
    );
  return {
    table,
    view,
    say,
    /** So many more VPs see the prefix over the path. */
    see: (prefix: string, asPath: string, vps = 1) => {
      for (let i = 0; i < vps; i++) say(vp++, [prefix], asPath);
    },
    series: () => seriesOf(readExposition(new TextWriter('text').render([view.collect()]), 'text')),
    /** Values of one metric of P by its other label. */
    by: (name: string, label: string) => {
      const samples = readExposition(new TextWriter('text').render([view.collect()]), 'text').get(name)?.samples ?? [];
      return Object.fromEntries(
        samples.filter((one) => one.labels.prefix === P).map((one) => [one.labels[label], one.value]),
      );
    },
  };
}

const plain = watchedPrefix(P);

describe('from the first scrape on', () => {
  const p = `prefix="${P}"`;
  const lengths = [...Array(15).keys()].map((i) => String(i + 1)).concat('16+');
  const bounds = [...Array(15).keys()].map((i) => String(i + 1)).concat('20', '+Inf');
  const always = [
    `bgp_prefix_info{afi="ipv4",description="",group="",${p}}`,
    `bgp_prefix_visible_vps{${p}}`,
    `bgp_prefix_expected_vps{${p}}`,
    `bgp_prefix_expected_known{${p}}`,
    `bgp_prefix_trusted{${p}}`,
    `bgp_prefix_source_trusted{${p},source="bgproutes"}`,
    `bgp_prefix_source_vps{${p},source="bgproutes"}`,
    `bgp_prefix_origins{${p}}`,
    ...lengths.map((length) => `bgp_prefix_as_path_length_vps{length="${length}",${p}}`),
    `bgp_prefix_prepended_vps{${p}}`,
    `bgp_prefix_more_specifics{${p}}`,
    `bgp_prefix_announcements_total{${p}}`,
    `bgp_prefix_withdrawals_total{${p}}`,
    `bgp_prefix_path_changes_total{${p}}`,
    `bgp_prefix_origin_changes_total{${p}}`,
    `bgp_prefix_repeats_total{${p}}`,
    `bgp_prefix_vp_gains_total{${p}}`,
    `bgp_prefix_vp_losses_total{${p},reason="withdrawn"}`,
    `bgp_prefix_vp_losses_total{${p},reason="vp_down"}`,
    `bgp_prefix_vp_losses_total{${p},reason="source_down"}`,
    `bgp_prefix_vp_losses_total{${p},reason="expired"}`,
    ...bounds.map((le) => `bgp_prefix_announced_as_path_length_bucket{le="${le}",${p}}`),
    `bgp_prefix_announced_as_path_length_sum{${p}}`,
    `bgp_prefix_announced_as_path_length_count{${p}}`,
  ];

  it('a prefix has all its series, at 0', () => {
    const series = world([plain]).series();
    expect([...series.keys()].sort()).toEqual([...always].sort());
    for (const [name, value] of series)
      expect([name, value]).toEqual([name, name.startsWith('bgp_prefix_info') ? 1 : 0]);
  });

  it('a prefix with origins and upstreams configured has series for each of them too', () => {
    const series = world([{ ...plain, origins: [64500, 64510], upstreams: [64501] }]).series();
    expect([...series.keys()].sort()).toEqual(
      [
        ...always,
        `bgp_prefix_origin_vps{origin_as="64500",${p}}`,
        `bgp_prefix_origin_vps{origin_as="64510",${p}}`,
        `bgp_prefix_unexpected_origin_vps{${p}}`,
        `bgp_prefix_upstream_vps{${p},upstream_as="64501"}`,
        `bgp_prefix_unexpected_upstream_vps{${p}}`,
      ].sort(),
    );
  });

  it('what has no value yet is absent rather than 0', () => {
    const { series, see, say } = world([plain]);
    const timed = [
      'as_path_length_min',
      'as_path_length_mean',
      'as_path_length_max',
      'visibility_ratio',
      'last_announcement_timestamp_seconds',
      'last_withdrawal_timestamp_seconds',
    ].map((name) => `bgp_prefix_${name}{${p}}`);
    for (const name of timed) expect(series().has(name)).toBe(false);
    see(P, '64502 64501 64500');
    see(P, '64500');
    say(1, [], '', [P], NOW + 250);
    const after = series();
    expect(timed.map((name) => after.get(name))).toEqual([3, 3, 3, 0.5, NOW / 1000, NOW / 1000 + 0.25]);
  });
});

describe('who sees it', () => {
  it('from which origin, over which upstream, how far away', () => {
    const { see, by, series } = world([plain]);
    see(P, '64501 64500', 3);
    see(P, '64502 64501 64500 64500', 2);
    see(P, '64501 {64511,64510}', 1);
    see(P, '64500', 1);
    see(P, '', 1);
    see(P, '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 64501 64500', 1);
    expect(by('bgp_prefix_origin_vps', 'origin_as')).toEqual({ 64500: 7, '{64510,64511}': 1, 64496: 1 });
    expect(by('bgp_prefix_upstream_vps', 'upstream_as')).toEqual({ 64501: 7 });
    const lengths = by('bgp_prefix_as_path_length_vps', 'length');
    expect(lengths).toMatchObject({ 0: 1, 1: 1, 2: 4, 4: 2, '16+': 1, 3: 0, 15: 0 });
    expect(series().get(`bgp_prefix_origins{prefix="${P}"}`)).toBe(3);
    expect(series().get(`bgp_prefix_prepended_vps{prefix="${P}"}`)).toBe(2);
    expect(series().get(`bgp_prefix_as_path_length_max{prefix="${P}"}`)).toBe(19);
    expect(series().get(`bgp_prefix_as_path_length_min{prefix="${P}"}`)).toBe(0);
  });

  it('a series goes when nobody is left in it, unless it is configured', () => {
    const { say, by } = world([{ ...plain, origins: [64500] }]);
    say(0, [P], '64501 64500');
    say(1, [P], '64501 64510');
    say(0, [P], '64501 64511');
    say(1, [], '', [P]);
    expect(by('bgp_prefix_origin_vps', 'origin_as')).toEqual({ 64500: 0, 64511: 1 });
    expect(by('bgp_prefix_upstream_vps', 'upstream_as')).toEqual({ 64501: 1 });
  });

  it('a set is expected when all its members are, or when it is configured itself', () => {
    const { see, series, by } = world([
      { ...plain, origins: [64500, 64510, '{64520,64521}'], upstreams: [64501, '{64502,64503}'] },
    ]);
    const unexpected = () => [
      series().get(`bgp_prefix_unexpected_origin_vps{prefix="${P}"}`),
      series().get(`bgp_prefix_unexpected_upstream_vps{prefix="${P}"}`),
    ];
    expect(by('bgp_prefix_origin_vps', 'origin_as')).toEqual({ 64500: 0, 64510: 0, '{64520,64521}': 0 });
    see(P, '64501 {64510,64500}');
    see(P, '{64503,64502} {64521,64520}', 2);
    expect(unexpected()).toEqual([0, 0]);
    expect(by('bgp_prefix_origin_vps', 'origin_as')).toEqual({
      ...{ 64500: 0, 64510: 0, '{64500,64510}': 1, '{64520,64521}': 2 },
    });
    expect(by('bgp_prefix_upstream_vps', 'upstream_as')).toEqual({ 64501: 1, '{64502,64503}': 2 });
    see(P, '64502 64520', 4); // members of sets that are configured as a whole only
    see(P, '{64501,64502} {64500,64666}', 8);
    expect(unexpected()).toEqual([12, 12]);
  });

  it('a configured set keeps its series when its last vantage point leaves', () => {
    const { say, by } = world([{ ...plain, origins: ['{64520,64521}'] }]);
    say(0, [P], '64501 {64520,64521}');
    expect(by('bgp_prefix_origin_vps', 'origin_as')).toEqual({ '{64520,64521}': 1 });
    say(0, [], '', [P]);
    expect(by('bgp_prefix_origin_vps', 'origin_as')).toEqual({ '{64520,64521}': 0 });
  });

  it('from an origin or over an upstream that is not configured', () => {
    const { see, series } = world([{ ...plain, origins: [64500, 64510], upstreams: [64501] }]);
    see(P, '64501 64500', 2);
    see(P, '64502 64510', 4);
    see(P, '64501 64666', 8);
    see(P, '64501 {64500,64511}', 16);
    see(P, '64500', 32);
    expect(series().get(`bgp_prefix_unexpected_origin_vps{prefix="${P}"}`)).toBe(8 + 16);
    expect(series().get(`bgp_prefix_unexpected_upstream_vps{prefix="${P}"}`)).toBe(4);
  });

  it('inside it: more-specifics by VPs, and none of its totals change by them', () => {
    const { say, by, series } = world([plain]);
    say(0, ['198.51.100.0/25', '198.51.100.128/25'], '64501 64666');
    say(1, ['198.51.100.0/25'], '64501 64666');
    say(0, [], '', ['198.51.100.128/25']);
    expect(by('bgp_prefix_more_specific_vps', 'more_specific')).toEqual({ '198.51.100.0/25': 2 });
    expect(series().get(`bgp_prefix_more_specifics{prefix="${P}"}`)).toBe(1);
    for (const name of ['visible_vps', 'expected_vps', 'announcements_total', 'vp_gains_total', 'origins'])
      expect(series().get(`bgp_prefix_${name}{prefix="${P}"}`)).toBe(0);
  });
});

describe('bounds of labels', () => {
  /** The rule once more: configured first, then the biggest, of equal ones the lower number; the rest is `other`. */
  function bounded(counts: ReadonlyMap<number, number>, configured: readonly number[], bound: number) {
    const rest = [...counts].filter(([as]) => !configured.includes(as)).sort(([a, m], [b, n]) => n - m || a - b);
    const shown = rest.slice(0, Math.max(0, bound - configured.length));
    const over = rest.slice(shown.length);
    const other = over.reduce((sum, [, count]) => sum + count, 0);
    const entries = [
      ...configured.map((as) => [as, counts.get(as) ?? 0]),
      ...shown,
      ...(over.length > 0 ? [['other', other]] : []),
    ];
    return { entries: Object.fromEntries(entries), dropped: over.length };
  }

  it('64 origins and 256 upstreams a prefix, the smallest summed as "other" and told', () => {
    const origin = fc.record({ origin: fc.integer({ min: 65_000, max: 65_090 }), vps: fc.integer({ min: 1, max: 3 }) });
    const configured = fc.uniqueArray(fc.integer({ min: 64_990, max: 65_010 }), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(origin, { minLength: 40, maxLength: 140, size: 'max' }), configured, (origins, known) => {
        const { see, by, view } = world([{ ...plain, origins: known }]);
        const counts = new Map<number, number>();
        for (const { origin, vps } of origins) {
          see(P, `64501 ${origin}`, vps);
          counts.set(origin, (counts.get(origin) ?? 0) + vps);
        }
        const { entries, dropped } = bounded(counts, known, 64);
        expect(by('bgp_prefix_origin_vps', 'origin_as')).toEqual(entries);
        expect(view.droppedSeries().get('bgp_prefix_origin_vps')).toBe(dropped);
        expect(view.droppedSeries().get('bgp_prefix_upstream_vps')).toBe(0);
      }),
      runs(40),
    );
  });

  it('256 upstreams', () => {
    const { see, by, view, series } = world([plain]);
    for (let i = 0; i < 300; i++) see(P, `${65_000 + i} 64500`, i < 10 ? 2 : 1);
    const upstreams = by('bgp_prefix_upstream_vps', 'upstream_as');
    expect(Object.keys(upstreams)).toHaveLength(257);
    expect(upstreams).toMatchObject({ 65000: 2, 65009: 2, 65255: 1, other: 44 });
    expect(view.droppedSeries().get('bgp_prefix_upstream_vps')).toBe(44);
    expect(series().get(`bgp_prefix_visible_vps{prefix="${P}"}`)).toBe(310);
  });

  it('64 more-specifics, the least seen summed as "other"', () => {
    const { say, by, view, series } = world([plain]);
    for (let i = 0; i < 70; i++) say(0, [`198.51.100.${i}/32`], '64501 64500');
    say(1, ['198.51.100.69/32'], '64501 64500');
    say(2, ['198.51.100.70/32'], '64501 64500');
    say(2, [], '', ['198.51.100.70/32']);
    const seen = by('bgp_prefix_more_specific_vps', 'more_specific');
    expect(Object.keys(seen)).toHaveLength(65);
    expect(seen).toMatchObject({ '198.51.100.69/32': 2, '198.51.100.0/32': 1, other: 6 });
    expect(series().get(`bgp_prefix_more_specifics{prefix="${P}"}`)).toBe(70);
    expect(view.droppedSeries().get('bgp_prefix_more_specific_vps')).toBe(6);
  });

  it('as many as the configuration says; configured origins have their own beyond it', () => {
    const own = [65_001, 65_002, 65_003];
    const few = { origin: 2, upstream: 1, moreSpecific: 0 };
    const { see, say, by, view } = world([{ ...plain, origins: own }], {}, few);
    see(P, '64501 65001', 3);
    see(P, '64502 65009', 2);
    say(99, ['198.51.100.0/25'], '64501 64500');
    expect(by('bgp_prefix_origin_vps', 'origin_as')).toEqual({ 65001: 3, 65002: 0, 65003: 0, other: 2 });
    expect(by('bgp_prefix_upstream_vps', 'upstream_as')).toEqual({ 64501: 3, other: 2 });
    expect(by('bgp_prefix_more_specific_vps', 'more_specific')).toEqual({ other: 1 });
    expect([...view.droppedSeries().values()]).toEqual([1, 1, 1]);
  });

  it('nothing is told while the bounds hold', () => {
    const { see, view } = world([plain]);
    see(P, '64501 64500');
    expect([...view.droppedSeries().values()]).toEqual([0, 0]);
  });
});

describe('after any sequence of events', () => {
  const sequence = fc.record({
    options,
    first: watchSet,
    said,
    ops: fc.array(op, { maxLength: 40, size: 'max' }),
    every: fc.integer({ min: 1, max: 6 }),
  });

  it('a writer that copies what did not change gives the bytes of a new one, in both formats', () => {
    fc.assert(
      fc.property(sequence, ({ options, first, said, ops, every }) => {
        const world = new World(options, undefined);
        world.table.watch(watchedOf(first, said), START_MS);
        const view = new PrefixView(world.table);
        const writers = { text: new TextWriter('text'), openmetrics: new TextWriter('openmetrics') } as const;
        for (const [i, one] of ops.entries()) {
          world.run(one);
          if (i % every > 0) continue;
          for (const format of ['text', 'openmetrics'] as const) {
            const fresh = new TextWriter(format).render([new PrefixView(world.table).collect()]);
            expect(writers[format].render([view.collect()]).toString()).toBe(fresh.toString());
          }
        }
      }),
      runs(120),
    );
  });

  it('both formats say the same, and it is what a recount of the table gives', () => {
    fc.assert(
      fc.property(sequence, ({ options, first, said, ops }) => {
        const world = new World(options, undefined);
        world.table.watch(watchedOf(first, said), START_MS);
        const view = new PrefixView(world.table);
        for (const one of ops) world.run(one);
        const text = seriesOf(readExposition(new TextWriter('text').render([view.collect()]), 'text'));
        const openMetrics = seriesOf(
          readExposition(new TextWriter('openmetrics').render([view.collect()]), 'openmetrics'),
        );
        const sorted = (series: ReadonlyMap<string, number>) =>
          [...series].map(([name, value]) => [name.replace(/le="(\d+)\.0"/, 'le="$1"'), value]).sort();
        expect(sorted(openMetrics)).toEqual(sorted(text));
        expect(sorted(text)).toEqual(sorted(expectedSeries(world.table)));
      }),
      runs(80),
    );
  });
});
