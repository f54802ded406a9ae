/** The Data API: `/v1/vantage_points`, `/v1/rib` and `/v1/updates`, answered from the routing state and its history. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Prefix } from '../../../bgp/prefix.ts';
import type { Protocol } from '../../../bgp/vantage-point.ts';
import type { PrefixIndex } from '../../internet/routes/prefix-index.ts';
import type { Route } from '../../internet/routes/route.ts';
import type { RouteStore } from '../../internet/routes/route-store.ts';
import type { SimulatedVantagePoint, VantagePoints, VpStatus } from '../../internet/vantage-points.ts';
import { readBody, send, sendJson } from '../http-exchange.ts';
import { type ApiLimits, ApiQuota } from './api-quota.ts';
import {
  checkNames,
  comparison,
  count,
  date,
  families,
  flag,
  ids,
  list,
  type Parameters,
  parametersOfBody,
  parametersOfUrl,
  prefixSelection,
  QueryError,
  requiredDate,
} from './data-api-query.ts';

export const DATA_API_ENDPOINTS = ['vantage_points', 'rib', 'updates'] as const;
export type DataApiEndpoint = (typeof DATA_API_ENDPOINTS)[number];

/** How `/v1/updates` writes times: the service does not document it. */
export type ApiTimes = 'fractional_seconds' | 'whole_seconds' | 'iso';

export interface DataApiOptions {
  readonly apiKeys: ReadonlySet<string>;
  readonly points: VantagePoints;
  readonly prefixes: PrefixIndex;
  readonly store: RouteStore;
  readonly statusOf: (vp: SimulatedVantagePoint) => VpStatus;
  readonly isListed: (vp: SimulatedVantagePoint) => boolean;
  /** Unix ms. */
  readonly now: () => number;
  /** What happened within this time is not known to the API yet. */
  readonly lagMs: number;
  /** Real time that every answer takes at least. */
  readonly latencyMs: number;
  readonly limits: ApiLimits;
  readonly times: ApiTimes;
  /** Refuse a prefix filter for more than 10 VPs, whatever it finds. */
  readonly strictFilter: boolean;
}

const FEED_TYPE_BGP = -1;
const FEED_TYPE_BMP = 0;

const COMMON = ['vp_bgp_ids', 'vp_bmp_ids', 'data_afi', 'bmp_feed_type'] as const;
const ROUTES = [
  ...COMMON,
  'prefix_exact_match',
  'prefix_filter',
  'return_aspath',
  'return_community',
  'return_rov_status',
  'return_aspa_status',
  'return_count',
] as const;
const KNOWN: Readonly<Record<DataApiEndpoint, ReadonlySet<string>>> = {
  vantage_points: new Set([
    ...COMMON,
    ...['vp_asns', 'vp_ips', 'peering_protocol', 'bmp_parent_ips', 'bmp_parent_asns', 'date', 'date_end', 'sources'],
    ...['countries', 'org_countries', 'rib_size_v4', 'rib_size_v6', 'status'],
  ]),
  rib: new Set([...ROUTES, 'date']),
  updates: new Set([
    ...ROUTES,
    'start_date',
    'end_date',
    'type_filter',
    'chronological_order',
    'max_updates_to_return',
  ]),
};

export class DataApi {
  readonly #options: DataApiOptions;
  readonly #quotas = new Map<string, ApiQuota>();

  constructor(options: DataApiOptions) {
    this.#options = options;
    for (const key of options.apiKeys) this.#quotas.set(key, new ApiQuota(options.limits, options.now));
  }

  async handle(endpoint: DataApiEndpoint, request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const quota = this.#quotas.get(String(request.headers['x-api-key'] ?? ''));
    const refusal =
      quota === undefined
        ? { status: 403, detail: 'Invalid API key' }
        : request.method !== 'GET' && request.method !== 'POST'
          ? { status: 405, detail: 'Method Not Allowed' }
          : quota.start();
    if (quota === undefined || refusal !== undefined) {
      request.resume();
      sendJson(response, refusal?.status ?? 403, { detail: refusal?.detail });
      return;
    }
    const startedAtMs = performance.now();
    let bytes = 0;
    try {
      const data = this.#answer(endpoint, await parametersOf(request, url), request.method === 'GET');
      const text = JSON.stringify(data);
      bytes = text.length;
      await delay(this.#options.latencyMs - (performance.now() - startedAtMs));
      const seconds = (performance.now() - startedAtMs) / 1000;
      const envelope = `{"seconds":${seconds.toFixed(6)},"bytes":${bytes},"info":null,"data":${text}}`;
      send(response, 200, 'application/json', envelope);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      sendJson(response, error.status, { detail: error.message });
    } finally {
      quota.finish((performance.now() - startedAtMs) / 1000, bytes);
    }
  }

  #answer(endpoint: DataApiEndpoint, parameters: Parameters, isGet: boolean): unknown {
    checkNames(parameters, KNOWN[endpoint]);
    switch (endpoint) {
      case 'vantage_points':
        return this.#vantagePoints(parameters);
      case 'rib':
        return this.#rib(parameters, isGet);
      case 'updates':
        return this.#updates(parameters, isGet);
    }
  }

  /** What the API knows reaches up to here. Without a lag it knows all: times may be microseconds ahead of the clock. */
  #horizonUs(): number {
    if (this.#options.lagMs === 0) return Number.POSITIVE_INFINITY;
    return Math.floor((this.#options.now() - this.#options.lagMs) * 1000);
  }

  #vantagePoints(parameters: Parameters): unknown {
    const { points, statusOf, isListed } = this.#options;
    date(parameters, 'date');
    date(parameters, 'date_end');
    const oneOf = (name: string): ((value: string) => boolean) => {
      const wanted = new Set(list(parameters, name));
      return (value) => wanted.size === 0 || wanted.has(value);
    };
    const [byAsn, byIp, byProtocol] = [oneOf('vp_asns'), oneOf('vp_ips'), oneOf('peering_protocol')];
    const [byParentAsn, byParentIp] = [oneOf('bmp_parent_asns'), oneOf('bmp_parent_ips')];
    const [bySource, byCountry, byOrgCountry] = [oneOf('sources'), oneOf('countries'), oneOf('org_countries')];
    const [byBgpId, byBmpId, byStatus] = [oneOf('vp_bgp_ids'), oneOf('vp_bmp_ids'), oneOf('status')];
    const hasIds = parameters.has('vp_bgp_ids') || parameters.has('vp_bmp_ids');
    const [bySizeV4, bySizeV6] = [comparison(parameters, 'rib_size_v4'), comparison(parameters, 'rib_size_v6')];
    const wantedFamilies = families(parameters);
    const data: Record<Protocol, unknown[]> = { bgp: [], bmp: [] };
    for (const vp of points.all) {
      const isWantedId =
        !hasIds ||
        (parameters.has(`vp_${vp.protocol}_ids`) && (vp.protocol === 'bgp' ? byBgpId : byBmpId)(String(vp.id)));
      const isWanted =
        isListed(vp) &&
        isWantedId &&
        byAsn(String(vp.asn)) &&
        byIp(vp.ip) &&
        byProtocol(vp.protocol) &&
        byParentAsn(String(vp.parent?.asn ?? '')) &&
        byParentIp(vp.parent?.ip ?? '') &&
        bySource(vp.source) &&
        byCountry(vp.country) &&
        byOrgCountry(vp.country) &&
        byStatus(statusOf(vp)) &&
        bySizeV4(vp.ribSizeV4) &&
        bySizeV6(vp.ribSizeV6) &&
        vp.style.families.some((family) => wantedFamilies.has(family));
      if (isWanted) data[vp.protocol].push(describe(vp, statusOf(vp)));
    }
    return data;
  }

  #selected(parameters: Parameters, isGet: boolean): SimulatedVantagePoint[] {
    const { points } = this.#options;
    const wanted = (['bgp', 'bmp'] as const).flatMap((protocol) =>
      ids(parameters, `vp_${protocol}_ids`).map((id) => ({ protocol, id })),
    );
    if (wanted.length === 0) throw new QueryError('vp_bgp_ids or vp_bmp_ids is required');
    if (isGet && wanted.length > 100) throw new QueryError('More than 100 vantage points: use POST');
    return wanted.flatMap(({ protocol, id }) => points.byId(protocol, id) ?? []);
  }

  #rib(parameters: Parameters, isGet: boolean): unknown {
    const { store } = this.#options;
    const vps = this.#selected(parameters, isGet);
    const timeUs = requiredDate(parameters, 'date') + 999_999; // the whole second
    const known = this.#candidates(parameters, isGet);
    if (
      vps.length > 10 &&
      (known.exact > 10 || (known.exact === 0 && (!known.hasFilter || this.#options.strictFilter)))
    ) {
      throw new QueryError('More than 10 vantage points: at most 10 exact prefixes');
    }
    if (timeUs < store.forgottenBeforeUs) throw new QueryError(`No data before ${isoOf(store.forgottenBeforeUs)}`);
    const stateAt = store.stateAt(Math.min(timeUs, this.#horizonUs()));
    const shown = printer(parameters);
    const isCount = flag(parameters, 'return_count', false);
    const data: Record<Protocol, Record<number, unknown>> = { bgp: {}, bmp: {} };
    const seen = new Set<number>();
    for (const vp of vps) {
      const routes: Record<string, unknown> = {};
      let routeCount = 0;
      for (const [prefix, text] of known.prefixes) {
        const route = stateAt(vp.index, prefix);
        if (route === undefined) continue;
        seen.add(prefix);
        routeCount++;
        if (!isCount) routes[text] = [...shown(route), null, null, feedType(vp)];
      }
      data[vp.protocol][vp.id] = isCount ? routeCount : routes;
    }
    if (vps.length > 10 && known.exact === 0 && seen.size > 10) {
      throw new QueryError('More than 10 prefixes: at most 10 vantage points');
    }
    return data;
  }

  #updates(parameters: Parameters, isGet: boolean): unknown {
    const { store, prefixes } = this.#options;
    const vps = new Map(this.#selected(parameters, isGet).map((vp) => [vp.index, vp]));
    const fromUs = requiredDate(parameters, 'start_date');
    const untilUs = requiredDate(parameters, 'end_date') + 999_999; // the whole second
    if (untilUs < fromUs) throw new QueryError('end_date is before start_date');
    const known = this.#candidates(parameters, isGet);
    if (fromUs < store.forgottenBeforeUs) throw new QueryError(`No data before ${isoOf(store.forgottenBeforeUs)}`);
    const types = list(parameters, 'type_filter');
    for (const type of types) if (type !== 'A' && type !== 'W') throw new QueryError('type_filter: expected A or W');
    const isCount = flag(parameters, 'return_count', false);
    const atMost = count(parameters, 'max_updates_to_return') ?? Number.POSITIVE_INFINITY;
    const shown = printer(parameters);
    const data: Record<Protocol, Record<number, unknown[]>> = { bgp: {}, bmp: {} };
    const counts: Record<Protocol, Record<number, { A: number; W: number }>> = { bgp: {}, bmp: {} };
    for (const vp of vps.values()) {
      data[vp.protocol][vp.id] = [];
      counts[vp.protocol][vp.id] = { A: 0, W: 0 };
    }
    const events = store.events(fromUs, Math.min(untilUs, this.#horizonUs()));
    if (!flag(parameters, 'chronological_order', true)) events.reverse();
    let returned = 0;
    for (const event of events) {
      const vp = vps.get(event.vp);
      if (vp === undefined || event.kind === 'session_down' || !known.prefixes.has(event.prefix)) continue;
      const type = event.kind === 'announcement' ? 'A' : 'W';
      if ((types.length > 0 && !types.includes(type)) || returned++ >= atMost) continue;
      counts[vp.protocol][vp.id][type]++;
      const text = prefixes.all[event.prefix].text;
      const attributes = event.route === undefined ? ['', ''] : shown(event.route);
      data[vp.protocol][vp.id].push([this.#time(event.timeUs), type, text, ...attributes, null, null, feedType(vp)]);
    }
    return isCount ? counts : data;
  }

  /** Known prefixes that the request speaks of, by number. */
  #candidates(
    parameters: Parameters,
    isGet: boolean,
  ): { prefixes: Map<number, string>; exact: number; hasFilter: boolean } {
    const { prefixes } = this.#options;
    const selection = prefixSelection(parameters);
    if (isGet && selection.exact.size > 10) throw new QueryError('More than 10 exact prefixes: use POST');
    const found = new Map<number, string>();
    const consider = (number: number, prefix: Prefix): void => {
      if (selection.matches(prefix)) found.set(number, prefix.text);
    };
    if (selection.exact.size > 0) {
      for (const text of selection.exact) {
        const number = prefixes.find(text);
        if (number !== undefined) consider(number, prefixes.all[number]);
      }
    } else {
      for (const [number, prefix] of prefixes.all.entries()) consider(number, prefix);
    }
    return { prefixes: found, exact: selection.exact.size, hasFilter: selection.hasFilter };
  }

  #time(timeUs: number): number | string {
    switch (this.#options.times) {
      case 'fractional_seconds':
        return timeUs / 1_000_000;
      case 'whole_seconds':
        return Math.floor(timeUs / 1_000_000);
      case 'iso':
        return isoOf(timeUs);
    }
  }
}

async function parametersOf(request: IncomingMessage, url: URL): Promise<Parameters> {
  if (request.method === 'GET') return parametersOfUrl(url);
  const body = await readBody(request);
  if (body === undefined) throw new QueryError('The body is too large', 413);
  return parametersOfBody(body);
}

function describe(vp: SimulatedVantagePoint, status: VpStatus): unknown {
  const common = {
    id: vp.id,
    ip: vp.ip,
    asn: vp.asn,
    source: vp.source,
    rib_size_v4: vp.ribSizeV4,
    rib_size_v6: vp.ribSizeV6,
    country: vp.country,
    org_name: vp.orgName,
    org_country: vp.country,
  };
  if (vp.parent === undefined) return { ...common, status };
  return {
    ...common,
    status: { [String(FEED_TYPE_BMP)]: status },
    bmp_info: { parent_asn: vp.parent.asn, parent_ip: vp.parent.ip, feed_types: [FEED_TYPE_BMP] },
  };
}

function feedType(vp: SimulatedVantagePoint): number {
  return vp.protocol === 'bgp' ? FEED_TYPE_BGP : FEED_TYPE_BMP;
}

/** AS path and communities, as far as they were asked for. */
function printer(parameters: Parameters): (route: Route) => [string | null, string | null] {
  const withPath = flag(parameters, 'return_aspath', true);
  const withCommunities = flag(parameters, 'return_community', true);
  return (route) => [withPath ? route.asPath : null, withCommunities ? route.communities : null];
}

function isoOf(timeUs: number): string {
  return new Date(Math.floor(timeUs / 1000)).toISOString().slice(0, 19);
}

function delay(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
