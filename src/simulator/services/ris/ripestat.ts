/** RIPEstat: the data calls that tell the peers of RIS and what they held, answered from the routing state and its history. */
import type { ServerResponse } from 'node:http';
import { containsPrefix, parsePrefix } from '../../../bgp/prefix.ts';
import type { PrefixIndex } from '../../internet/routes/prefix-index.ts';
import type { Route } from '../../internet/routes/route.ts';
import type { RouteStore } from '../../internet/routes/route-store.ts';
import type { SimulatedVantagePoint, VantagePoints } from '../../internet/vantage-points.ts';
import { sendJson } from '../http-exchange.ts';
import { collectorOf, isRisPeer, risCommunities, risPath, twoDigits } from './ris-message.ts';

export interface RipestatOptions {
  readonly points: VantagePoints;
  readonly prefixes: PrefixIndex;
  readonly store: RouteStore;
  readonly isListed: (vp: SimulatedVantagePoint) => boolean;
  /** Unix ms. */
  readonly now: () => number;
  /** How far the newest state is behind, ms. */
  readonly lagMs: number;
}

const CALLS = ['rrc-info', 'bgp-state', 'bgp-updates', 'related-prefixes', 'whats-my-ip'] as const;

const INVALID = 'The resource is not valid';

/** RIPE NCC's own prefix, which every peer has at all times. */
const ALWAYS_THERE = '193.0.0.0/21';

export class Ripestat {
  readonly #options: RipestatOptions;
  /** True: every state is empty although its status is ok, as for hours in 2020. */
  isEmpty = false;

  constructor(options: RipestatOptions) {
    this.#options = options;
  }

  /** Whether the path is one of a data call. */
  static has(path: string): boolean {
    return /^\/data\/[a-z-]+\/data\.json$/.test(path);
  }

  handle(url: URL, response: ServerResponse): void {
    const name = url.pathname.split('/')[2];
    const call = CALLS.find((known) => known === name);
    const data = call === undefined ? undefined : this.#dataOf(call, url.searchParams);
    if (data !== undefined && call !== undefined) this.#answer(response, call, data);
    else this.#refuse(response, call === undefined ? 404 : 400, call === undefined ? 'Unknown data call' : INVALID);
  }

  /** Undefined when the resource is not valid. */
  #dataOf(call: (typeof CALLS)[number], parameters: URLSearchParams): object | undefined {
    if (call === 'whats-my-ip') return { ip: '192.0.2.1' };
    if (call === 'rrc-info') return { rrcs: this.#collectors() };
    const resources = (parameters.get('resource') ?? '').split(',').filter((text) => text !== '');
    const prefixes = resources.flatMap((text) => parsePrefix(text)?.text ?? []);
    if (prefixes.length === 0 || prefixes.length < resources.length) return undefined;
    if (call === 'bgp-state') return this.#state(prefixes, parameters.get('timestamp'));
    return call === 'bgp-updates' ? this.#updates(prefixes, parameters) : this.#related(prefixes[0]);
  }

  /** The newest time of which the service knows everything, Unix ms. */
  get #newestMs(): number {
    return Math.floor((this.#options.now() - this.#options.lagMs) / 1000) * 1000;
  }

  #peers(): SimulatedVantagePoint[] {
    return this.#options.points.all.filter((vp) => isRisPeer(vp) && this.#options.isListed(vp));
  }

  #collectors(): object[] {
    const peers = this.#peers();
    return [...new Set(peers.map(collectorOf))].map((id) => ({
      ...{ id, name: `RRC${twoDigits(id)}`, geographical_location: 'Amsterdam, Netherlands', multihop: id === 0 },
      ...{ topological_location: 'simulated', activated_on: '2001-10', deactivated_on: '' },
      peers: peers
        .filter((vp) => collectorOf(vp) === id)
        .map((vp) => ({
          ...{ asn: vp.asn, ip: vp.ip, ...this.#countsOf(vp) },
          is_full_feed_v4: vp.style.fullFeed && vp.ribSizeV4 > 0,
          is_full_feed_v6: vp.style.fullFeed && vp.ribSizeV6 > 0,
        })),
    }));
  }

  /** A peer of one family may have been made to announce prefixes of the other: those count, as they do at RIPE NCC. */
  #countsOf({ index, ribSizeV4, ribSizeV6 }: SimulatedVantagePoint): object {
    const { prefixes, store } = this.#options;
    const held = { ipv4: 0, ipv6: 0 };
    for (const number of store.heldBy(index).keys()) held[prefixes.all[number].afi]++;
    return {
      v4_prefix_count: Math.max(ribSizeV4, held.ipv4),
      v6_prefix_count: Math.max(ribSizeV6, held.ipv6),
    };
  }

  #state(prefixes: readonly string[], timestamp: string | null): object {
    const { prefixes: index, store } = this.#options;
    const atMs = timestamp === null ? this.#newestMs : Math.min(timeOf(timestamp), this.#newestMs);
    const heldAt = store.stateAt(atMs * 1000);
    const routes = prefixes.flatMap((text) => {
      const number = index.find(text);
      return this.#peers().flatMap((vp) => {
        const route = number === undefined ? undefined : heldAt(vp.index, number);
        if (route !== undefined) return [routeOf(vp, text, route)];
        return text === ALWAYS_THERE && number === undefined
          ? [{ target_prefix: text, source_id: sourceOf(vp), path: [vp.asn, 3333], community: [] }]
          : [];
      });
    });
    const told = this.isEmpty ? [] : routes;
    return { resource: prefixes.join(','), timestamp: dateOf(atMs), bgp_state: told, nr_routes: told.length };
  }

  #updates(prefixes: readonly string[], parameters: URLSearchParams): object {
    const { prefixes: index, store, points } = this.#options;
    const endMs = Math.min(timeOf(parameters.get('endtime') ?? ''), this.#newestMs);
    const startMs = timeOf(parameters.get('starttime') ?? '');
    const numbers = new Map(prefixes.map((text) => [index.find(text), text]));
    const updates = store
      .events(startMs * 1000, endMs * 1000)
      .flatMap(({ timeUs, kind, vp: at, prefix, route }, seq) => {
        const vp = points.all[at];
        const text = numbers.get(prefix);
        if (text === undefined || !isRisPeer(vp) || kind === 'session_down') return [];
        const attrs = route === undefined ? { target_prefix: text, source_id: sourceOf(vp) } : routeOf(vp, text, route);
        return [{ seq, timestamp: dateOf(timeUs / 1000), type: kind === 'withdrawal' ? 'W' : 'A', attrs }];
      });
    const times = { query_starttime: dateOf(startMs), query_endtime: dateOf(endMs) };
    return { resource: prefixes.join(','), ...times, updates, nr_updates: updates.length };
  }

  #related(text: string): object {
    const { prefixes: index, store } = this.#options;
    const outer = parsePrefix(text);
    const inside = index.all.filter(
      (one, number) =>
        outer !== undefined && one.length > outer.length && containsPrefix(outer, one) && store.visible(number) > 0,
    );
    const prefixes = inside.map((one) => ({ prefix: one.text, relationship: 'Overlap - More Specific' }));
    return { resource: text, prefixes, query_time: dateOf(this.#newestMs) };
  }

  #answer(response: ServerResponse, call: string, data: object): void {
    sendJson(response, 200, {
      ...{ messages: [], see_also: [], version: '1.0', data_call_name: call, data_call_status: 'supported' },
      ...{ cached: false, data, query_id: 'simulated', process_time: 1, server_id: 'simulator' },
      ...{ status: 'ok', status_code: 200, time: `${dateOf(this.#options.now())}.000000` },
    });
  }

  #refuse(response: ServerResponse, status: number, text: string): void {
    sendJson(response, status, { messages: [['error', text]], data: {}, status: 'error', status_code: status });
  }
}

function routeOf(vp: SimulatedVantagePoint, prefix: string, route: Route): object {
  return {
    ...{ target_prefix: prefix, source_id: sourceOf(vp), path: risPath(route.asPath) },
    community: risCommunities(route.communities).map((parts) => parts.join(':')),
  };
}

function sourceOf(vp: SimulatedVantagePoint): string {
  return `${twoDigits(collectorOf(vp))}-${vp.ip}`;
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

/** Unix ms of a time without zone, which is UTC, or of Unix seconds; 0 of anything else. */
function timeOf(text: string): number {
  if (/^[0-9]{1,10}$/.test(text)) return Number(text) * 1000;
  const atMs = Date.parse(`${text.replace(/Z$/, '')}Z`);
  return Number.isNaN(atMs) ? 0 : atMs;
}
