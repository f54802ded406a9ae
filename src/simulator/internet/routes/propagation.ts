/**
 * How an announcement spreads: every AS prefers routes of customers to those of peers to those of providers, then short
 * ones, then a fixed order; routes of customers go to everybody, others only to customers (Gao and Rexford, "Stable
 * Internet routing without global coordination", 2001). All paths are therefore valley-free.
 */
import type { AsGraph, NodeIndex } from '../as-graph.ts';

/** An AS that announces the prefix, truly or not. */
export interface Announcer {
  readonly node: NodeIndex;
  /** The providers that hear it; undefined: all of them. Peers and customers hear it only when this is undefined. */
  readonly upstreams: ReadonlySet<NodeIndex> | undefined;
  /** How often the AS repeats itself towards an upstream, beyond the once that every path has. */
  readonly prepends: ReadonlyMap<NodeIndex, number>;
  /** ASNs after its own: a forged path that ends in somebody else's origin. They refuse the route (loop detection). */
  readonly forgedTail: readonly number[];
}

export const ROUTE_CLASSES = ['none', 'own', 'customer', 'peer', 'provider'] as const;
const NONE = 0;
const OWN = 1;
const CUSTOMER = 2;
const PEER = 3;
const PROVIDER = 4;

/** What every AS holds for one prefix. Arrays are indexed by node. */
export interface Routing {
  /** Index into ROUTE_CLASSES: whom the best route was learned from. */
  readonly routeClass: Uint8Array;
  readonly length: Uint16Array;
  /** The neighbour that the best route was learned from; -1 for announcers and where there is no route. */
  readonly via: Int32Array;
  readonly announcers: ReadonlyMap<NodeIndex, Announcer>;
}

export function propagate(graph: AsGraph, announcers: readonly Announcer[]): Routing {
  const count = graph.nodes.length;
  const routing = {
    routeClass: new Uint8Array(count),
    length: new Uint16Array(count),
    via: new Int32Array(count).fill(-1),
    announcers: new Map(announcers.map((announcer) => [announcer.node, announcer])),
  };
  const refusing = new Map<NodeIndex, ReadonlySet<number>>();
  for (const announcer of routing.announcers.values()) {
    routing.routeClass[announcer.node] = OWN;
    refusing.set(announcer.node, new Set(announcer.forgedTail));
  }
  /** Which announcer a node's route leads to; needed only while some path is forged. */
  const leadsTo = new Int32Array(count).fill(-1);
  for (const node of routing.announcers.keys()) leadsTo[node] = node;

  /** Nodes by the length of their route; a node may be in more than one bucket, only its last length counts. */
  const buckets: NodeIndex[][] = [];
  const offer = (from: NodeIndex, to: NodeIndex, routeClass: number): void => {
    const current = routing.routeClass[to];
    if (current !== NONE && current < routeClass) return;
    const announcer = routing.announcers.get(from);
    let length = routing.length[from] + 1;
    if (announcer !== undefined) {
      if (announcer.upstreams !== undefined && !(routeClass === CUSTOMER && announcer.upstreams.has(to))) return;
      length = 1 + (announcer.prepends.get(to) ?? 0) + announcer.forgedTail.length;
    }
    if (refusing.get(leadsTo[from])?.has(graph.nodes[to].asn) === true) return;
    if (current === routeClass) {
      if (routing.length[to] < length) return;
      if (routing.length[to] === length && preference(graph, to, routing.via[to]) <= preference(graph, to, from))
        return;
    }
    routing.routeClass[to] = routeClass;
    routing.length[to] = length;
    routing.via[to] = from;
    leadsTo[to] = leadsTo[from];
    (buckets[length] ??= []).push(to);
  };
  const inOrderOfLength = (visit: (node: NodeIndex, length: number) => void): void => {
    for (let length = 0; length < buckets.length; length++) {
      for (const node of buckets[length] ?? []) if (routing.length[node] === length) visit(node, length);
    }
    buckets.length = 0;
  };

  // Up: routes of customers climb to providers.
  for (const node of routing.announcers.keys()) for (const to of graph.nodes[node].providers) offer(node, to, CUSTOMER);
  inOrderOfLength((node) => {
    for (const to of graph.nodes[node].providers) offer(node, to, CUSTOMER);
  });
  // Across: one step to peers, from those that hold a route of a customer or their own.
  for (let node = 0; node < count; node++) {
    if (routing.routeClass[node] !== OWN && routing.routeClass[node] !== CUSTOMER) continue;
    for (const to of graph.nodes[node].peers) offer(node, to, PEER);
  }
  buckets.length = 0;
  // Down: every route goes to customers.
  for (let node = 0; node < count; node++) {
    if (routing.routeClass[node] !== NONE) (buckets[routing.length[node]] ??= []).push(node);
  }
  inOrderOfLength((node) => {
    for (const to of graph.nodes[node].customers) offer(node, to, PROVIDER);
  });
  return routing;
}

/** A fixed order of neighbours that differs from AS to AS, so that ties are not all won by one network. */
function preference(graph: AsGraph, at: NodeIndex, neighbour: NodeIndex): number {
  const mixed = Math.imul(graph.nodes[at].asn, 0x9e3779b1) ^ Math.imul(graph.nodes[neighbour].asn, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** The AS path of the node's best route, the node itself first; undefined when it has none. */
export function pathOf(graph: AsGraph, routing: Routing, node: NodeIndex): number[] | undefined {
  // An AS that joined the graph later has no class at all.
  if ((routing.routeClass[node] ?? NONE) === NONE) return undefined;
  const path: number[] = [];
  let previous = -1;
  let at = node;
  for (;;) {
    path.push(graph.nodes[at].asn);
    const announcer = routing.announcers.get(at);
    if (announcer !== undefined) {
      for (let i = announcer.prepends.get(previous) ?? 0; i > 0; i--) path.push(graph.nodes[at].asn);
      path.push(...announcer.forgedTail);
      return path;
    }
    previous = at;
    at = routing.via[at];
  }
}

/** Whether the node would tell a peer about its best route, rather than customers only. */
export function isTellable(routing: Routing, node: NodeIndex): boolean {
  return routing.routeClass[node] === OWN || routing.routeClass[node] === CUSTOMER;
}

/**
 * Paths that the node was offered by neighbours and did not choose: where it goes when it changes its mind. Each is
 * valley-free, as the neighbour was allowed to offer it, and none goes through the node itself.
 */
export function alternativePaths(graph: AsGraph, routing: Routing, node: NodeIndex): number[][] {
  const self = graph.nodes[node];
  const paths: number[][] = [];
  const consider = (neighbour: NodeIndex, isOfferedAll: boolean): void => {
    if (neighbour === routing.via[node] || !(isOfferedAll || isTellable(routing, neighbour))) return;
    const announcer = routing.announcers.get(neighbour);
    if (announcer?.upstreams !== undefined && !announcer.upstreams.has(node)) return;
    const path = pathOf(graph, routing, neighbour);
    if (path === undefined || path.includes(self.asn)) return;
    if (announcer !== undefined) path.splice(1, 0, ...new Array(announcer.prepends.get(node) ?? 0).fill(path[0]));
    paths.push([self.asn, ...path]);
  };
  if (routing.announcers.has(node)) return paths;
  for (const neighbour of self.customers) consider(neighbour, false);
  for (const neighbour of self.peers) consider(neighbour, false);
  for (const neighbour of self.providers) consider(neighbour, true);
  return paths;
}
