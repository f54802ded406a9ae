/** Answers of RIPEstat in its documented form. */
import type { RisPeer } from '../../../src/ris-live/ripestat/rows.ts';

export interface PeerFacts {
  readonly rrc: number;
  readonly ip: string;
  readonly asn: number;
  readonly v4?: number;
  readonly v6?: number;
}

export function envelope(data: unknown, more: object = {}): string {
  return JSON.stringify({
    ...{ messages: [], see_also: [], version: '1.2', data_call_status: 'supported', cached: false, data },
    ...{ process_time: 419, status: 'ok', status_code: 200, time: '2026-06-18T01:33:18.368982' },
    ...more,
  });
}

/** `data` of rrc-info. */
export function rrcInfo(peers: readonly PeerFacts[], more: Readonly<Record<number, object>> = {}): object {
  const collectors = [...new Set(peers.map(({ rrc }) => rrc))];
  return {
    rrcs: collectors.map((id) => ({
      ...{ id, name: `RRC${String(id).padStart(2, '0')}`, multihop: false, deactivated_on: '' },
      peers: peers
        .filter(({ rrc }) => rrc === id)
        .map(({ ip, asn, v4 = 0, v6 = 0 }) => ({
          ...{ ip, asn, v4_prefix_count: v4, v6_prefix_count: v6 },
          ...{ is_full_feed_v4: v4 > 700_000, is_full_feed_v6: v6 > 100_000 },
        })),
      ...more[id],
    })),
  };
}

export interface RouteFacts {
  readonly prefix: string;
  /** `00-192.0.2.1` */
  readonly source: string;
  readonly path: readonly unknown[];
}

/** `data` of bgp-state. */
export function bgpState(timestamp: string, routes: readonly RouteFacts[]): object {
  return {
    ...{ resource: routes[0]?.prefix ?? '', timestamp, nr_routes: routes.length },
    bgp_state: routes.map(({ prefix, source, path }) => ({
      ...{ target_prefix: prefix, source_id: source, path, community: [] },
    })),
  };
}

export function risPeer(ip: string, asn: number, collector = 'rrc00', full = true): RisPeer {
  return {
    collector,
    country: '',
    id: `${collector} ${ip} ${asn}`,
    vp: { protocol: 'bgp', asn, ip },
    prefixes: { ipv4: 900_000, ipv6: 200_000 },
    fullFeed: { ipv4: full, ipv6: full },
  };
}
