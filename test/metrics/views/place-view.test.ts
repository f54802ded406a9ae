import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REGIONS } from '../../../src/bgp/regions.ts';
import type { VantagePoint } from '../../../src/bgp/vantage-point.ts';
import { PlaceView } from '../../../src/metrics/views/place-view.ts';
import { TextWriter } from '../../../src/outputs/text/prometheus.ts';
import { Fold, FoldCounts } from '../../../src/table/fold.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import type { TableOptions } from '../../../src/table/table-options.ts';
import { expectedVps, setFullFeed } from '../../../src/table/vps/denominator.ts';
import { VP_SOURCES } from '../../../src/table/vps/vp-places.ts';
import { readExposition, seriesOf } from '../../support/exposition.ts';
import { runs } from '../../support/property-runs.ts';
import { START_MS, watchedPrefix } from '../../support/table-world.ts';

const P = '198.51.100.0/24';
const vpOf = (i: number): VantagePoint => ({ protocol: 'bgp', asn: 64496, ip: `10.0.${i >> 8}.${i & 255}` });

function world(options: TableOptions = {}, countries: readonly string[] = [], prefixes: readonly string[] = [P]) {
  const table = new RoutingTable(options, [
    { name: 'bgproutes', sessions: 1 },
    { name: 'ris-live', sessions: 1 },
  ]);
  table.watch(
    prefixes.map((prefix) => watchedPrefix(prefix)),
    START_MS,
  );
  const fold = new Fold(table);
  const counts = new FoldCounts();
  const view = new PlaceView(table, countries);
  const writer = new TextWriter('text');
  let timeUs = START_MS * 1_000;
  const say = (vp: number, isAnnounced: boolean) =>
    fold.apply(
      {
        vp: vpOf(vp),
        timeUs: timeUs++,
        announced: isAnnounced ? [P] : [],
        withdrawn: isAnnounced ? [] : [P],
        ...(isAnnounced && {
          attributes: { asPath: '3333 64500', communities: '', nextHop: '', originAttribute: '' },
        }),
      },
      0,
      counts,
      START_MS,
    );
  const series = () => Object.fromEntries(seriesOf(readExposition(writer.render([view.collect()]), 'text')));
  return {
    ...{ table, say, series },
    /** Values other than 0 of one metric of P, by its other label. */
    by: (name: string) =>
      Object.fromEntries(
        Object.entries(series()).flatMap(([key, value]) => {
          const label = /(?:region|vp_source|country)="([^"]*)"/.exec(key)?.[1];
          return key.startsWith(`${name}{`) && key.includes(`"${P}"`) && label !== undefined && value !== 0
            ? [[label, value]]
            : [];
        }),
      ),
  };
}

const REGION_VISIBLE = 'bgp_prefix_region_visible_vps';
const REGION_EXPECTED = 'bgp_prefix_region_expected_vps';
const SOURCE_VISIBLE = 'bgp_prefix_vp_source_visible_vps';
const SOURCE_EXPECTED = 'bgp_prefix_vp_source_expected_vps';
const COUNTRY_VISIBLE = 'bgp_prefix_country_visible_vps';
const COUNTRY_EXPECTED = 'bgp_prefix_country_expected_vps';

describe('the first scrape', () => {
  it('has every region and project of every prefix at 0, and no country', () => {
    const prefix = `prefix="${P}"`;
    expect(world().series()).toEqual(
      Object.fromEntries([
        ...REGIONS.flatMap((region) =>
          [REGION_VISIBLE, REGION_EXPECTED].map((name) => [`${name}{${prefix},region="${region}"}`, 0]),
        ),
        ...VP_SOURCES.flatMap((source) =>
          [SOURCE_VISIBLE, SOURCE_EXPECTED].map((name) => [`${name}{${prefix},vp_source="${source}"}`, 0]),
        ),
      ]),
    );
  });

  it('has the countries that are listed, and the rest', () => {
    const countries = Object.keys(world({}, ['NL', 'BR']).series()).filter((key) => key.includes('country='));
    expect(countries.map((key) => /country="(\w+)"/.exec(key)?.[1])).toEqual([
      'NL',
      'BR',
      'other',
      'NL',
      'BR',
      'other',
    ]);
  });
});

describe('VPs are counted where the list says that they are', () => {
  it('by region, project and country; those that lost the route only as expected', () => {
    const { table, say, by } = world({}, ['NL', 'BR']);
    table.ledger.learnPlaces(0, [
      { vp: vpOf(0), country: 'NL', source: 'ris' },
      { vp: vpOf(1), country: 'DE', source: 'routeviews' },
      { vp: vpOf(2), country: 'BR', source: 'RIS' },
      { vp: vpOf(3), country: 'BR', source: 'bgproutes.io' },
      { vp: vpOf(4), country: '', orgCountry: 'ZA', source: 'pch' },
      { vp: vpOf(9), country: 'AU', source: 'ris' },
    ]);
    for (const vp of [0, 1, 2, 3, 4, 5]) say(vp, true);
    say(2, false);
    expect(by(REGION_VISIBLE)).toEqual({ europe: 2, south_america: 1, africa: 1, unknown: 1 });
    expect(by(REGION_EXPECTED)).toEqual({ europe: 2, south_america: 2, africa: 1, unknown: 1 });
    expect(by(SOURCE_VISIBLE)).toEqual({ ris: 1, routeviews: 1, 'bgproutes.io': 1, unknown: 2 });
    expect(by(SOURCE_EXPECTED)).toEqual({ ris: 2, routeviews: 1, 'bgproutes.io': 1, unknown: 2 });
    expect(by(COUNTRY_VISIBLE)).toEqual({ NL: 1, BR: 1, other: 3 });
    expect(by(COUNTRY_EXPECTED)).toEqual({ NL: 1, BR: 2, other: 3 });
  });

  it('also VPs that were heard before there was a list, and a list that is newer', () => {
    const { table, say, by } = world();
    say(0, true);
    expect(by(REGION_VISIBLE)).toEqual({ unknown: 1 });
    table.ledger.learnPlaces(0, [{ vp: vpOf(0), country: 'JP', source: 'ris' }]);
    expect(by(REGION_VISIBLE)).toEqual({ asia: 1 });
    table.ledger.learnPlaces(0, [{ vp: vpOf(0), country: 'US', source: 'ris' }]);
    expect(by(REGION_VISIBLE)).toEqual({ north_america: 1 });
  });

  it('of two lists the first that tells a country counts', () => {
    const { table, say, by } = world();
    table.ledger.learnPlaces(1, [
      { vp: vpOf(0), country: 'JP', source: 'ris' },
      { vp: vpOf(1), country: 'JP', source: 'ris' },
    ]);
    table.ledger.learnPlaces(0, [
      { vp: vpOf(0), country: '', source: 'ris' },
      { vp: vpOf(1), country: 'NL', source: 'ris' },
    ]);
    say(0, true);
    say(1, true);
    expect(by(REGION_VISIBLE)).toEqual({ asia: 1, europe: 1 });
  });

  it('a VP that goes down is not expected anywhere', () => {
    const { table, say, by } = world();
    table.ledger.learnPlaces(0, [{ vp: vpOf(0), country: 'NL', source: 'ris' }]);
    say(0, true);
    table.setVpDown(table.vps.find(vpOf(0)));
    expect(by(REGION_EXPECTED)).toEqual({});
  });
});

describe('whatever happens', () => {
  const country = fc.constantFrom('NL', 'BR', 'JP', 'ZA', 'AQ', '', 'nowhere');
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('say' as const), vp: fc.nat(80), on: fc.boolean() }) },
    fc.record({ do: fc.constant('down' as const), vp: fc.nat(80) }),
    fc.record({ do: fc.constant('up' as const), vp: fc.nat(80) }),
    fc.record({ do: fc.constant('full' as const), vp: fc.nat(80), on: fc.boolean() }),
    fc.record({ do: fc.constant('list' as const), countries: fc.array(country, { minLength: 81, maxLength: 81 }) }),
  );

  it.each(['seen', 'full_feed'] as const)('the parts add up to the totals of the prefix (%s)', (denominator) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { table, say, by } = world({ expectedVps: denominator }, ['NL', 'ZA']);
        for (const one of steps) {
          if (one.do === 'list') {
            table.ledger.learnPlaces(
              0,
              one.countries.map((country, i) => ({ vp: vpOf(i), country, source: i % 2 === 0 ? 'ris' : '' })),
            );
            continue;
          }
          if (one.do === 'say') {
            say(one.vp, one.on);
            continue;
          }
          const number = table.vps.find(vpOf(one.vp));
          if (number < 0) continue;
          if (one.do === 'down') table.setVpDown(number);
          else if (one.do === 'up') table.setVpUp(number);
          else setFullFeed(table, number, { ipv4: one.on, ipv6: false });
        }
        const [prefix] = table.prefixes.monitored();
        if (prefix === undefined) throw new Error('no prefix');
        const sum = (name: string) => Object.values(by(name)).reduce((total, value) => total + value, 0);
        for (const name of [REGION_VISIBLE, SOURCE_VISIBLE, COUNTRY_VISIBLE])
          expect(sum(name)).toBe(prefix.state.visible);
        for (const name of [REGION_EXPECTED, SOURCE_EXPECTED, COUNTRY_EXPECTED])
          expect(sum(name)).toBe(expectedVps(table, prefix));
      }),
      runs(60),
    );
  });
});
