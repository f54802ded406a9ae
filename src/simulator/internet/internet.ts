/**
 * The generated Internet: who announces which prefix over which providers, and what every VP therefore holds. Changes are
 * made to the announcements; the VPs then follow one by one, as updates reach them.
 */

import { parsePrefix } from '../../bgp/prefix.ts';
import type { Scenario, ScenarioPrefix } from '../scenario/scenario.ts';
import { AsGraph, generateGraph, type NodeIndex } from './as-graph.ts';
import { hashText, type Random, seededRandom } from './random.ts';
import { type Announcer, alternativePaths, isTellable, pathOf, propagate, type Routing } from './routes/propagation.ts';
import { isSameRoute, printedRoute, type Route } from './routes/route.ts';
import { type Aspa, aspasOf } from './signed/aspas.ts';
import type { Override, SimulatedPrefix } from './simulated-prefix.ts';
import type { Timeline } from './timeline.ts';
import { placeVantagePoints, type SimulatedVantagePoint } from './vantage-points.ts';
import type { World } from './world.ts';

export interface InternetOptions {
  readonly world: World;
  readonly timeline: Timeline;
  readonly seed: number;
  readonly vps: number;
  readonly scenario: Scenario;
  /** Prefixes that may be made up for subscribers. */
  readonly maxGeneratedPrefixes: number;
}

export class Internet {
  readonly graph: AsGraph;
  readonly prefixes = new Map<string, SimulatedPrefix>();
  readonly #world: World;
  readonly #timeline: Timeline;
  readonly #seed: number;
  readonly #random: Random;
  readonly #maxGeneratedPrefixes: number;
  /** Edge networks of the generated graph: the origins of made-up prefixes. */
  readonly #edges: readonly NodeIndex[];
  #generatedPrefixes = 0;
  #refusedPrefixes = 0;

  constructor(options: InternetOptions) {
    this.#world = options.world;
    this.#timeline = options.timeline;
    this.#seed = options.seed;
    this.#random = seededRandom(options.seed, 'internet');
    this.#maxGeneratedPrefixes = options.maxGeneratedPrefixes;
    const size = { transits: 24 + Math.round(options.vps * 0.08), edges: 60 + Math.round(options.vps * 0.6) };
    this.graph = options.vps === 0 ? new AsGraph() : generateGraph(seededRandom(options.seed, 'graph'), size);
    this.#edges = [...this.graph.nodes.keys()].filter((i) => this.graph.nodes[i].tier === 'edge');
    placeVantagePoints(options.world.points, this.graph, seededRandom(options.seed, 'vantage points'), options.vps);
    // All links first: they are part of the topology that every prefix spreads over.
    const usual = options.scenario.prefixes.map((prefix) => this.#usualAnnouncer(prefix));
    for (const [i, { prefix }] of options.scenario.prefixes.entries()) this.#add(prefix, [usual[i]]);
  }

  /** Prefixes that a subscriber asked for and that were not made up, as there were too many. */
  get refusedPrefixes(): number {
    return this.#refusedPrefixes;
  }

  #usualAnnouncer({ origin, upstreams }: ScenarioPrefix): Announcer {
    const node = this.#joined(origin, 'edge', upstreams === undefined);
    return this.announcer(node, upstreams);
  }

  /** The AS in the graph; one that is new gets two providers when it needs some. */
  #joined(asn: number, tier: 'edge' | 'transit', needsProviders: boolean): NodeIndex {
    const known = this.graph.find(asn);
    if (known !== undefined) return known;
    const sellers = [...this.graph.nodes.keys()].filter((i) =>
      tier === 'edge' ? this.graph.nodes[i].tier === 'transit' : this.graph.nodes[i].tier === 'tier1',
    );
    const node = this.graph.add(asn, tier);
    if (needsProviders || tier === 'transit') {
      const random = seededRandom(this.#seed, `providers of ${asn}`);
      for (const provider of random.sample(sellers, 2)) this.graph.linkProvider(node, provider);
    }
    return node;
  }

  /** An announcement by an AS of the graph; upstreams that it does not buy from yet become its providers. */
  announcer(node: NodeIndex, upstreams: readonly number[] | undefined): Announcer {
    const providers = upstreams?.map((asn) => this.#joined(asn, 'transit', true));
    for (const provider of providers ?? []) {
      if (!this.graph.nodes[node].providers.has(provider)) this.graph.linkProvider(node, provider);
    }
    const heardBy = providers === undefined ? undefined : new Set(providers);
    return { node, upstreams: heardBy, prepends: new Map(), forgedTail: [] };
  }

  /** An AS that announces what is not its own. */
  hijacker(asn: number, forgedTail: readonly number[]): Announcer {
    return { ...this.announcer(this.#joined(asn, 'edge', true), undefined), forgedTail };
  }

  /** What is signed about providers now. */
  aspas(): Aspa[] {
    return aspasOf(this.graph, this.prefixes.values());
  }

  /** A prefix that has always been there: its routes are in every state of the past, and nothing is sent. */
  #add(text: string, usual: readonly Announcer[]): SimulatedPrefix {
    const afi = parsePrefix(text)!.afi;
    const prefix: SimulatedPrefix = {
      number: this.#world.prefixes.numberOf(text),
      text,
      afi,
      usual,
      announcers: usual,
      roas: undefined,
      aspas: new Map(),
      routing: propagate(this.graph, usual),
      hiddenFrom: new Set(),
      overrides: new Map(),
      hijackedParts: new Set(),
      generation: 0,
    };
    this.prefixes.set(text, prefix);
    if (usual.length === 0) return prefix;
    for (const vp of this.#world.points.all) {
      const route = this.desired(prefix, vp);
      if (route !== undefined) this.#world.store.load(vp.index, prefix.number, route);
    }
    return prefix;
  }

  /** The prefix, known from now on, announced by nobody if it is new. */
  obtain(text: string): SimulatedPrefix {
    return this.prefixes.get(text) ?? this.#add(text, []);
  }

  /** Makes up a prefix that somebody subscribes to: an edge network, always the same for a seed, announces it. */
  generate(text: string): void {
    if (this.prefixes.has(text) || this.#edges.length === 0) return;
    if (this.#generatedPrefixes >= this.#maxGeneratedPrefixes) {
      this.#refusedPrefixes++;
      return;
    }
    this.#generatedPrefixes++;
    this.#add(text, [this.announcer(this.#edges[hashText(this.#seed, text) % this.#edges.length], undefined)]);
  }

  /** The AS paths that VPs hold when all is well. */
  usualPaths(prefix: SimulatedPrefix): Map<SimulatedVantagePoint, string> {
    const asUsual = { ...prefix, routing: propagate(this.graph, prefix.usual), hiddenFrom: new Set<never>() };
    const paths = new Map<SimulatedVantagePoint, string>();
    for (const vp of this.#world.points.all) {
      const route = this.usualRoute(asUsual, vp);
      if (route !== undefined) paths.set(vp, route.asPath);
    }
    return paths;
  }

  /** What the VP will hold when all updates have reached it. */
  desired(prefix: SimulatedPrefix, vp: SimulatedVantagePoint): Route | undefined {
    const override = prefix.overrides.get(vp);
    return override === undefined ? this.usualRoute(prefix, vp) : override.route;
  }

  /** Likewise, without regard to overrides. `variant` changes nothing but the communities. */
  usualRoute(prefix: SimulatedPrefix, vp: SimulatedVantagePoint, variant = 0): Route | undefined {
    if (!this.#reaches(prefix, vp) || prefix.hiddenFrom.has(vp)) return undefined;
    if (!vp.style.fullFeed && !isTellable(prefix.routing, vp.node!)) return undefined;
    const path = pathOf(this.graph, prefix.routing, vp.node!);
    return path === undefined ? undefined : printedRoute(vp, prefix.afi, path, variant);
  }

  /** A route that the VP was offered and did not choose, as it would be under `routing`. */
  alternative(prefix: SimulatedPrefix, vp: SimulatedVantagePoint, routing: Routing, random: Random): Route | undefined {
    if (!this.#reaches(prefix, vp) || !vp.style.fullFeed) return undefined;
    const paths = alternativePaths(this.graph, routing, vp.node!);
    return paths.length === 0 ? undefined : printedRoute(vp, prefix.afi, random.pick(paths));
  }

  #reaches(prefix: SimulatedPrefix, vp: SimulatedVantagePoint): boolean {
    return vp.node !== undefined && vp.style.families.includes(prefix.afi);
  }

  /** New announcements: what was peculiar to VPs of the topology is over, and they follow within `spreadMs`. */
  change(prefix: SimulatedPrefix, announcers: readonly Announcer[], spreadMs: number): void {
    const before = prefix.routing;
    prefix.announcers = announcers;
    prefix.routing = propagate(this.graph, announcers);
    for (const vp of prefix.overrides.keys()) if (vp.node !== undefined) prefix.overrides.delete(vp);
    this.spread(prefix, spreadMs, announcers.length === 0 ? before : undefined);
  }

  /**
   * Lets every VP whose route is no longer what it should be follow, each after its own delay of at most `spreadMs`.
   * With `lost`, the routing that has just broken down, a quarter of them first tries what is left of it: the path
   * hunting that real withdrawals set off.
   */
  spread(prefix: SimulatedPrefix, spreadMs: number, lost?: Routing): void {
    for (const vp of this.#world.points.all) {
      if (isSameRoute(this.desired(prefix, vp), this.#world.held(vp, prefix.number))) continue;
      if (spreadMs === 0) {
        this.follow(prefix, vp);
        continue;
      }
      const delayMs = this.#random.between(0, spreadMs);
      const hunted =
        lost !== undefined && this.#random.chance(0.25) ? this.alternative(prefix, vp, lost, this.#random) : undefined;
      if (hunted !== undefined) {
        this.#timeline.after(delayMs / 2, () => this.override(prefix, vp, { route: hunted }, delayMs / 2));
      }
      this.#timeline.after(delayMs, () => this.follow(prefix, vp));
    }
  }

  /** The VP holds something else for a while; 0: until the next change of the prefix. */
  override(prefix: SimulatedPrefix, vp: SimulatedVantagePoint, override: Override, forMs: number): void {
    if (prefix.overrides.has(vp) && forMs > 0) return;
    prefix.overrides.set(vp, override);
    this.follow(prefix, vp);
    if (forMs === 0) return;
    this.#timeline.after(forMs, () => {
      if (prefix.overrides.get(vp) !== override) return;
      prefix.overrides.delete(vp);
      this.follow(prefix, vp);
    });
  }

  /** The VP says what has changed for it, if anything has. */
  follow(prefix: SimulatedPrefix, vp: SimulatedVantagePoint): void {
    const desired = this.desired(prefix, vp);
    const held = this.#world.held(vp, prefix.number);
    if (isSameRoute(desired, held)) return;
    if (desired === undefined) this.#world.withdraw(vp, [prefix.number]);
    else this.#world.announce(vp, [prefix.number], desired);
  }
}
