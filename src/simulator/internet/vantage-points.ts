/** The simulated vantage points: where they are, what they see, and how the Data API describes them. */
import { type Afi, formatAddress } from '../../bgp/prefix.ts';
import { type Protocol, type Speaker, type VantagePoint, vantagePointKey } from '../../bgp/vantage-point.ts';
import type { AsGraph, NodeIndex } from './as-graph.ts';
import type { Random } from './random.ts';

/** Only the first three stream live; the others are known to the Data API alone. */
export const LIVE_SOURCES = ['bgproutes.io', 'ris', 'routeviews'] as const;
export const HISTORY_ONLY_SOURCES = ['pch', 'cgtf'] as const;
export const SOURCES = [...LIVE_SOURCES, ...HISTORY_ONLY_SOURCES] as const;
export type Source = (typeof SOURCES)[number];

export const VP_STATUSES = ['up', 'down', 'ignored', 'unknown'] as const;
export type VpStatus = (typeof VP_STATUSES)[number];

/** How a VP prints what it knows; small differences that clients meet in reality. */
export interface VpStyle {
  /** Sends all its routes; false: only those of its customers, as a peer would. */
  readonly fullFeed: boolean;
  readonly families: readonly Afi[];
  /** How often its own AS is in front of the path: 1, more when it prepends, 0 for a route server. */
  readonly ownAsCount: number;
  readonly communities: 'none' | 'standard' | 'large';
  readonly nextHop: 'own' | 'third_party' | 'with_link_local';
}

/** Of a VP that was made by hand or read from a recording: everything passes as it comes. */
export const PLAIN_STYLE: VpStyle = {
  fullFeed: true,
  families: ['ipv4', 'ipv6'],
  ownAsCount: 1,
  communities: 'none',
  nextHop: 'own',
};

export interface SimulatedVantagePoint extends VantagePoint {
  readonly key: string;
  /** Place in the list of all VPs, from 0. */
  readonly index: number;
  /** What the Data API calls it, from 1; BGP and BMP count apart, so that one number may name two VPs. */
  readonly id: number;
  readonly source: Source;
  /** Whether its messages are in the live stream. */
  readonly isLive: boolean;
  readonly country: string;
  readonly orgName: string;
  readonly style: VpStyle;
  /** Where it is in the generated Internet; undefined for one that was made by hand or read from a recording. */
  readonly node: NodeIndex | undefined;
  /** Number of prefixes in its table, as the Data API says. */
  readonly ribSizeV4: number;
  readonly ribSizeV6: number;
}

export interface NewVantagePoint {
  readonly protocol: Protocol;
  readonly asn: number;
  readonly ip: string;
  readonly parent?: Speaker;
  readonly source?: Source;
  readonly style?: VpStyle;
  readonly node?: NodeIndex;
  readonly country?: string;
  readonly ribSizeV4?: number;
  readonly ribSizeV6?: number;
}

/** All VPs of a simulator; they are added, never removed. */
export class VantagePoints {
  readonly all: SimulatedVantagePoint[] = [];
  readonly #byKey = new Map<string, SimulatedVantagePoint>();
  readonly #lastId: Record<Protocol, number> = { bgp: 0, bmp: 0 };
  readonly #byId: Readonly<Record<Protocol, Map<number, SimulatedVantagePoint>>> = { bgp: new Map(), bmp: new Map() };

  /** The VP of this identity, which is added when it is new. */
  add(vp: NewVantagePoint): SimulatedVantagePoint {
    const identity: VantagePoint = {
      protocol: vp.protocol,
      asn: vp.asn,
      ip: vp.ip,
      ...(vp.parent === undefined ? {} : { parent: vp.parent }),
    };
    const key = vantagePointKey(identity);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const source = vp.source ?? 'ris';
    const added: SimulatedVantagePoint = {
      ...identity,
      key,
      index: this.all.length,
      id: ++this.#lastId[vp.protocol],
      source,
      isLive: (LIVE_SOURCES as readonly Source[]).includes(source),
      country: vp.country ?? 'NL',
      orgName: `Network of AS${vp.asn}`,
      style: vp.style ?? PLAIN_STYLE,
      node: vp.node,
      ribSizeV4: vp.ribSizeV4 ?? 1_000_000,
      ribSizeV6: vp.ribSizeV6 ?? 220_000,
    };
    this.all.push(added);
    this.#byKey.set(key, added);
    this.#byId[vp.protocol].set(added.id, added);
    return added;
  }

  byKey(key: string): SimulatedVantagePoint | undefined {
    return this.#byKey.get(key);
  }

  byId(protocol: Protocol, id: number): SimulatedVantagePoint | undefined {
    return this.#byId[protocol].get(id);
  }
}

const COUNTRIES = ['NL', 'DE', 'FR', 'US', 'BR', 'JP', 'ZA', 'SG', 'GB', 'SE', 'IN', 'AU'] as const;

/**
 * Places `count` VPs of live sources in the graph, and a few history-only ones beside them (6 %, at least two). Most
 * peer by BGP, one in eight by BMP through a router that is the parent of several.
 */
export function placeVantagePoints(points: VantagePoints, graph: AsGraph, random: Random, count: number): void {
  if (count === 0) return;
  const historyOnly = Math.max(2, Math.round(count * 0.06));
  const parents: Speaker[] = [];
  for (let i = 0; i < count + historyOnly; i++) {
    const isHistoryOnly = i >= count;
    const node = pickNode(graph, random);
    const asn = graph.nodes[node].asn;
    const isBmp = !isHistoryOnly && random.chance(0.125);
    const session = random.next();
    const isV6Session = session >= 0.55;
    const families: readonly Afi[] = session < 0.5 ? ['ipv4'] : session < 0.65 ? ['ipv4', 'ipv6'] : ['ipv6'];
    const fullFeed = random.chance(0.85);
    const source = isHistoryOnly
      ? random.pick(HISTORY_ONLY_SOURCES)
      : isBmp
        ? random.pick(['bgproutes.io', 'routeviews'] as const)
        : random.pick(['ris', 'ris', 'ris', 'routeviews', 'routeviews', 'bgproutes.io'] as const);
    if (isBmp && (parents.length === 0 || random.chance(0.125))) {
      parents.push({ asn: graph.nodes[pickNode(graph, random)].asn, ip: ipv4Of(0x0002_0000 - 1 - parents.length) });
    }
    const style = random.next();
    points.add({
      protocol: isBmp ? 'bmp' : 'bgp',
      asn,
      ip: isV6Session ? ipv6Of(i) : ipv4Of(i),
      ...(isBmp ? { parent: random.pick(parents) } : {}),
      source,
      node,
      country: random.pick(COUNTRIES),
      ribSizeV4: families.includes('ipv4') ? ribSize(random, fullFeed, 930_000, 1_020_000) : 0,
      ribSizeV6: families.includes('ipv6') ? ribSize(random, fullFeed, 205_000, 235_000) : 0,
      style: {
        fullFeed,
        families,
        ownAsCount: style < 0.02 ? 0 : style < 0.06 ? 2 + random.int(2) : 1,
        communities: random.chance(0.15) ? 'none' : random.chance(0.3) ? 'large' : 'standard',
        nextHop: random.chance(0.15) ? 'third_party' : isV6Session && random.chance(0.3) ? 'with_link_local' : 'own',
      },
    });
  }
}

/** Mostly edge networks and transits; now and then a tier-1. */
function pickNode(graph: AsGraph, random: Random): NodeIndex {
  for (;;) {
    const index = random.int(graph.nodes.length);
    if (graph.nodes[index].tier !== 'edge' || random.chance(0.7)) return index;
  }
}

function ribSize(random: Random, fullFeed: boolean, min: number, max: number): number {
  return Math.floor(fullFeed ? random.between(min, max) : random.between(20, min / 20));
}

/** 198.18.0.0/15, the block for tests (RFC 2544): 131,072 addresses. */
function ipv4Of(i: number): string {
  return formatAddress([(0xc612_0000 + ((i + 1) % 0x0002_0000)) >>> 0]);
}

/** 2001:db8::/32, the block for documentation (RFC 3849). */
function ipv6Of(i: number): string {
  return formatAddress([0x2001_0db8, 0xfeed_0000, 0, i + 1]);
}
