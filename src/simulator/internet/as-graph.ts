/**
 * The Internet as a graph of ASes whose links are business relations (Gao, "On inferring autonomous system relationships
 * in the Internet", 2001): a customer pays a provider, peers do not pay each other.
 */
import type { Random } from './random.ts';

/** Index of an AS in the graph; the ASN is `node.asn`. */
export type NodeIndex = number;

export type Tier = 'tier1' | 'transit' | 'edge';

export interface AsNode {
  readonly asn: number;
  readonly tier: Tier;
  readonly providers: Set<NodeIndex>;
  readonly peers: Set<NodeIndex>;
  readonly customers: Set<NodeIndex>;
}

export class AsGraph {
  readonly nodes: AsNode[] = [];
  readonly #byAsn = new Map<number, NodeIndex>();

  /** The index of the AS, which is added without links when it is not there yet. */
  add(asn: number, tier: Tier): NodeIndex {
    const known = this.#byAsn.get(asn);
    if (known !== undefined) return known;
    const index = this.nodes.length;
    this.nodes.push({ asn, tier, providers: new Set(), peers: new Set(), customers: new Set() });
    this.#byAsn.set(asn, index);
    return index;
  }

  find(asn: number): NodeIndex | undefined {
    return this.#byAsn.get(asn);
  }

  /** Two ASes have one relation: a new one replaces what was between them. */
  linkProvider(customer: NodeIndex, provider: NodeIndex): void {
    if (customer === provider) return;
    this.#unlink(customer, provider);
    this.nodes[customer].providers.add(provider);
    this.nodes[provider].customers.add(customer);
  }

  linkPeers(a: NodeIndex, b: NodeIndex): void {
    if (a === b) return;
    this.#unlink(a, b);
    this.nodes[a].peers.add(b);
    this.nodes[b].peers.add(a);
  }

  areLinked(a: NodeIndex, b: NodeIndex): boolean {
    const node = this.nodes[a];
    return node.providers.has(b) || node.peers.has(b) || node.customers.has(b);
  }

  #unlink(a: NodeIndex, b: NodeIndex): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ]) {
      const node = this.nodes[from];
      node.providers.delete(to);
      node.peers.delete(to);
      node.customers.delete(to);
    }
  }
}

/** Well-known numbers of networks without providers, so that paths look familiar. Their behaviour here is invented. */
const TIER1_ASNS = [174, 701, 1299, 2914, 3257, 3320, 3356, 6453, 6461, 6762, 6830, 12956] as const;

export interface GraphSize {
  readonly transits: number;
  readonly edges: number;
}

/**
 * A clique of tier-1 networks, transits that buy from these and from older transits and peer among themselves, and edge
 * networks with one to three providers. Every provider is older than its customer: no AS is, through others, its own
 * provider.
 */
export function generateGraph(random: Random, size: GraphSize): AsGraph {
  const graph = new AsGraph();
  const tier1s = TIER1_ASNS.map((asn) => graph.add(asn, 'tier1'));
  for (const [i, a] of tier1s.entries()) for (const b of tier1s.slice(i + 1)) graph.linkPeers(a, b);

  const transits: NodeIndex[] = [];
  for (let i = 0; i < size.transits; i++) {
    const index = graph.add(freeAsn(graph, random, 'transit'), 'transit');
    for (const provider of random.sample(tier1s, 1 + random.int(2))) graph.linkProvider(index, provider);
    if (transits.length > 0 && random.chance(0.5)) graph.linkProvider(index, random.pick(transits));
    for (const peer of random.sample(transits, random.int(5))) {
      if (!graph.areLinked(index, peer)) graph.linkPeers(index, peer);
    }
    transits.push(index);
  }
  const sellers = transits.length > 0 ? transits : tier1s;
  const edges: NodeIndex[] = [];
  for (let i = 0; i < size.edges; i++) {
    const index = graph.add(freeAsn(graph, random, 'edge'), 'edge');
    for (const provider of random.sample(sellers, 1 + random.int(2))) graph.linkProvider(index, provider);
    if (random.chance(0.2)) graph.linkProvider(index, random.pick(tier1s));
    if (edges.length > 0 && random.chance(0.3)) {
      const peer = random.chance(0.5) ? random.pick(edges) : random.pick(sellers);
      if (!graph.areLinked(index, peer)) graph.linkPeers(index, peer);
    }
    edges.push(index);
  }
  return graph;
}

/** Public numbers; a third of the edge networks has a 32-bit one. Reserved and documentation numbers stay free. */
export function freeAsn(graph: AsGraph, random: Random, tier: Tier): number {
  for (;;) {
    const asn = tier === 'edge' && random.chance(0.33) ? 196_608 + random.int(200_000) : 1_000 + random.int(62_000);
    if (graph.find(asn) === undefined && asn !== 23_456) return asn;
  }
}
