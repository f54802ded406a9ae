/** From where a monitored prefix is seen: the same vantage points as in the totals, by where they are and who hears them. */
import { REGIONS } from '../../bgp/regions.ts';
import { MAX_COUNTRIES } from '../../table/bounds.ts';
import { VP_SOURCES } from '../../table/vps/vp-places.ts';
import { defineMetrics } from '../metric.ts';

/** Each prefix has these series. Those by country are there only when table.countries lists a country. */
export const placeMetrics = defineMetrics({
  prefixRegionVisibleVps: {
    otlpName: 'bgp.prefix.region_visible_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'region'],
    help: 'Vantage points that hold a route for the prefix now, by region: africa, asia, europe, north_america, south_america, oceania, or unknown if the list of vantage points does not have their country.',
    bound: `${REGIONS.length} for each prefix`,
  },
  prefixRegionExpectedVps: {
    otlpName: 'bgp.prefix.region_expected_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'region'],
    help: 'Vantage points that are expected to hold a route for the prefix, by region. The regions add up to bgp_prefix_expected_vps.',
    bound: `${REGIONS.length} for each prefix`,
  },
  prefixVpSourceVisibleVps: {
    otlpName: 'bgp.prefix.vp_source_visible_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'vp_source'],
    help: 'Vantage points that hold a route for the prefix now, by the project whose collectors hear them: bgproutes.io, ris, routeviews, or unknown if no list has it.',
    bound: `${VP_SOURCES.length} for each prefix`,
  },
  prefixVpSourceExpectedVps: {
    otlpName: 'bgp.prefix.vp_source_expected_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'vp_source'],
    help: 'Vantage points that are expected to hold a route for the prefix, by the project whose collectors hear them.',
    bound: `${VP_SOURCES.length} for each prefix`,
  },
  prefixCountryVisibleVps: {
    otlpName: 'bgp.prefix.country_visible_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'country'],
    help: 'Vantage points that hold a route for the prefix now, by the countries in table.countries, and "other" for the rest. Absent if no country is listed.',
    bound: `${MAX_COUNTRIES + 1} for each prefix`,
  },
  prefixCountryExpectedVps: {
    otlpName: 'bgp.prefix.country_expected_vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['prefix', 'country'],
    help: 'Vantage points that are expected to hold a route for the prefix, by the countries in table.countries, and "other" for the rest. Absent if no country is listed.',
    bound: `${MAX_COUNTRIES + 1} for each prefix`,
  },
});
