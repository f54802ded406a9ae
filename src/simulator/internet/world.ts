/**
 * The routing state of all VPs, and the only way to change it: every change is remembered for the Data API and told to
 * the stream. How the changes come about (a generated Internet, a recording, a test) is not known here.
 */
import type { TimeStamper } from '../clock.ts';
import {
  NO_PREFIXES,
  type PrefixList,
  type StreamMessage,
  updateMessage,
  type WithdrawStyle,
} from '../services/bgproutes/stream-message.ts';
import { PrefixIndex } from './routes/prefix-index.ts';
import type { Route } from './routes/route.ts';
import { RouteStore } from './routes/route-store.ts';
import { type SimulatedVantagePoint, VantagePoints, type VpStatus } from './vantage-points.ts';

export interface WorldOptions {
  readonly stamper: TimeStamper;
  /** Events that the Data API can look back on. */
  readonly historyLimit: number;
  /** How far the past reaches, Unix microseconds; by default without end. */
  readonly sinceUs?: number | undefined;
  readonly withdrawStyle: WithdrawStyle;
  readonly publish: (message: StreamMessage, timeUs: number) => void;
  /** The session of a VP has gone up or down. */
  readonly onSession?: (vp: SimulatedVantagePoint, isUp: boolean, timeUs: number) => void;
}

export interface HeldRouteOfVp extends Route {
  readonly vpKey: string;
  /** Canonical text. */
  readonly prefix: string;
  /** Unix microseconds of the last announcement; 0 for a route that was there from the beginning. */
  readonly timeUs: number;
}

export class World {
  readonly points = new VantagePoints();
  readonly prefixes = new PrefixIndex();
  readonly store: RouteStore;
  readonly #options: WorldOptions;
  readonly #statuses = new Map<SimulatedVantagePoint, VpStatus>();
  readonly #unlisted = new Set<SimulatedVantagePoint>();
  /** Of every VP that is down: what it would hold, and will announce when it comes back. */
  readonly #behindDown = new Map<SimulatedVantagePoint, Map<number, Route>>();

  constructor(options: WorldOptions) {
    this.#options = options;
    this.store = new RouteStore({
      historyLimit: options.historyLimit,
      sinceUs: options.sinceUs,
      isLive: (vp) => this.points.all[vp].isLive,
    });
  }

  statusOf(vp: SimulatedVantagePoint): VpStatus {
    return this.#statuses.get(vp) ?? 'up';
  }

  /** Whether the Data API's list of VPs has it. */
  isListed(vp: SimulatedVantagePoint): boolean {
    return !this.#unlisted.has(vp);
  }

  setListed(vp: SimulatedVantagePoint, isListed: boolean): void {
    if (isListed) this.#unlisted.delete(vp);
    else this.#unlisted.add(vp);
  }

  /** VPs of live sources that are up. */
  liveVantagePoints(): SimulatedVantagePoint[] {
    return this.points.all.filter((vp) => vp.isLive && !this.#behindDown.has(vp));
  }

  /** What the VP holds, or would hold if it were not down. */
  held(vp: SimulatedVantagePoint, prefix: number): Route | undefined {
    const behind = this.#behindDown.get(vp);
    return behind === undefined ? this.store.held(vp.index, prefix) : behind.get(prefix);
  }

  /** The VP announces the prefixes with these attributes, in one message. */
  announce(vp: SimulatedVantagePoint, prefixes: readonly number[], route: Route): void {
    const timeUs = this.#options.stamper.nextUs();
    if (!this.hold(vp, prefixes, route, timeUs)) return;
    this.#publish(vp, prefixes, route, [], timeUs);
  }

  /** The VP withdraws the prefixes, in one message. */
  withdraw(vp: SimulatedVantagePoint, prefixes: readonly number[]): void {
    const timeUs = this.#options.stamper.nextUs();
    if (!this.release(vp, prefixes, timeUs)) return;
    this.#publish(vp, [], undefined, prefixes, timeUs);
  }

  /** State and history only. False when the VP is down: then nothing of it may be published. */
  hold(vp: SimulatedVantagePoint, prefixes: readonly number[], route: Route, timeUs: number): boolean {
    const behind = this.#behindDown.get(vp);
    for (const prefix of prefixes) {
      if (behind === undefined) this.store.announce(vp.index, prefix, route, timeUs);
      else behind.set(prefix, route);
    }
    return behind === undefined;
  }

  release(vp: SimulatedVantagePoint, prefixes: readonly number[], timeUs: number): boolean {
    const behind = this.#behindDown.get(vp);
    for (const prefix of prefixes) {
      if (behind === undefined) this.store.withdraw(vp.index, prefix, timeUs);
      else behind.delete(prefix);
    }
    return behind === undefined;
  }

  #publish(
    vp: SimulatedVantagePoint,
    announced: readonly number[],
    route: Route | undefined,
    withdrawn: readonly number[],
    timeUs: number,
  ): void {
    if (!vp.isLive) return;
    const { withdrawStyle, publish } = this.#options;
    publish(updateMessage(vp, this.#list(announced), route, this.#list(withdrawn), withdrawStyle), timeUs);
  }

  #list(numbers: readonly number[]): PrefixList {
    if (numbers.length === 0) return NO_PREFIXES;
    return { texts: numbers.map((number) => this.prefixes.all[number].text), numbers };
  }

  /**
   * `down`: the session of the VP is gone, and its routes with it, without a word in the stream. From `down` to anything
   * else: the VP announces all that it holds.
   */
  setStatus(vp: SimulatedVantagePoint, status: VpStatus): void {
    const wasDown = this.#behindDown.has(vp);
    this.#statuses.set(vp, status);
    if (status === 'down' && !wasDown) {
      const routes = [...this.store.heldBy(vp.index)].map(([prefix, { route }]) => [prefix, route] as const);
      this.#behindDown.set(vp, new Map(routes));
      const timeUs = this.#options.stamper.nextUs();
      this.store.sessionDown(vp.index, timeUs);
      this.#options.onSession?.(vp, false, timeUs);
    } else if (status !== 'down' && wasDown) {
      const routes = this.#behindDown.get(vp)!;
      this.#behindDown.delete(vp);
      this.#options.onSession?.(vp, true, this.#options.stamper.nextUs());
      for (const [route, prefixes] of groupedByRoute(routes)) this.announce(vp, prefixes, route);
    }
  }

  /** Messages that would tell somebody what the VP holds of the wanted prefixes. */
  *tableOf(vp: SimulatedVantagePoint, isWanted: (prefix: number) => boolean): Generator<StreamMessage> {
    const routes = new Map<number, Route>();
    for (const [prefix, { route }] of this.store.heldBy(vp.index)) if (isWanted(prefix)) routes.set(prefix, route);
    for (const [route, prefixes] of groupedByRoute(routes)) {
      yield updateMessage(vp, this.#list(prefixes), route, NO_PREFIXES, this.#options.withdrawStyle);
    }
  }

  /** Who holds what now: VPs of live sources only, unless history-only ones are asked for too. */
  *routes(options: { readonly includeHistoryOnly?: boolean } = {}): Generator<HeldRouteOfVp> {
    for (const vp of this.points.all) {
      if (!vp.isLive && options.includeHistoryOnly !== true) continue;
      for (const [prefix, { route, timeUs }] of this.store.heldBy(vp.index)) {
        yield { vpKey: vp.key, prefix: this.prefixes.all[prefix].text, timeUs, ...route };
      }
    }
  }
}

/** BGP sends prefixes with equal attributes in one message (RFC 4271 section 4.3). */
function groupedByRoute(routes: ReadonlyMap<number, Route>): Map<Route, number[]> {
  const groups = new Map<string, { readonly route: Route; readonly prefixes: number[] }>();
  for (const [prefix, route] of routes) {
    const id = JSON.stringify([route.asPath, route.communities, route.nextHop, route.originAttribute]);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { route, prefixes: [prefix] });
    else group.prefixes.push(prefix);
  }
  return new Map([...groups.values()].map(({ route, prefixes }) => [route, prefixes]));
}
