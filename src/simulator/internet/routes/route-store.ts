/**
 * Who holds which route now, and, for as long as the history reaches, who held which at any time before: what the Data
 * API answers from. VPs and prefixes are indices; times are Unix microseconds.
 */
import { isSameRoute, type Route } from './route.ts';

/** `session_down` clears a route without a withdrawal: it is in the state of the past, but no client is told. */
export type HistoryKind = 'announcement' | 'withdrawal' | 'session_down';

export interface HistoryEvent {
  readonly timeUs: number;
  readonly kind: HistoryKind;
  readonly vp: number;
  readonly prefix: number;
  /** Held from now on; undefined: none. */
  readonly route: Route | undefined;
  /** Held until now. */
  readonly previous: Route | undefined;
}

export interface HeldRoute {
  readonly route: Route;
  /** When it was announced last; 0 for one that was there from the beginning. */
  readonly timeUs: number;
}

/** More prefixes than there are in the world's tables, and VPs times prefixes stay exact integers. */
const MAX_PREFIXES = 2 ** 26;

export class RouteStore {
  /** By VP, then by prefix. */
  readonly #held: Map<number, HeldRoute>[] = [];
  /** VPs of live sources that hold the prefix now. */
  readonly #visible: number[] = [];
  readonly #isLive: (vp: number) => boolean;
  /** A ring: the oldest event is at `#start`. */
  readonly #history: HistoryEvent[] = [];
  #start = 0;
  readonly #historyLimit: number;
  #evicted = 0;
  #forgottenBeforeUs = 0;
  #newestUs = 0;
  /** False once a recording went back in time: then a search may not stop at the first event that is too old. */
  #isOrdered = true;

  /**
   * @param options `historyLimit`: events kept; the oldest go first, and are counted. `sinceUs`: how far the past reaches, by
   *   default without end
   */
  constructor(options: {
    readonly historyLimit: number;
    readonly isLive: (vp: number) => boolean;
    readonly sinceUs?: number | undefined;
  }) {
    this.#historyLimit = Math.max(1, options.historyLimit);
    this.#forgottenBeforeUs = options.sinceUs ?? 0;
    this.#isLive = options.isLive;
  }

  /** Events that the bound pushed out of the history. */
  get evictedEvents(): number {
    return this.#evicted;
  }

  get historySize(): number {
    return this.#history.length;
  }

  /** States at earlier times can no longer be told. 0: everything is still known. */
  get forgottenBeforeUs(): number {
    return this.#forgottenBeforeUs;
  }

  held(vp: number, prefix: number): Route | undefined {
    return this.#held[vp]?.get(prefix)?.route;
  }

  heldBy(vp: number): ReadonlyMap<number, HeldRoute> {
    return this.#held[vp] ?? NOTHING;
  }

  visible(prefix: number): number {
    return this.#visible[prefix] ?? 0;
  }

  /** A route that is there from the beginning: in every state of the past, and in no update. */
  load(vp: number, prefix: number, route: Route): void {
    this.#set(vp, prefix, route, 0);
  }

  announce(vp: number, prefix: number, route: Route, timeUs: number): void {
    const previous = this.#set(vp, prefix, route, timeUs);
    this.#remember({ timeUs, kind: 'announcement', vp, prefix, route, previous });
  }

  withdraw(vp: number, prefix: number, timeUs: number): void {
    const previous = this.#delete(vp, prefix);
    this.#remember({ timeUs, kind: 'withdrawal', vp, prefix, route: undefined, previous });
  }

  /** The session of the VP is gone, and with it its routes. */
  sessionDown(vp: number, timeUs: number): void {
    for (const prefix of [...this.heldBy(vp).keys()]) {
      const previous = this.#delete(vp, prefix);
      this.#remember({ timeUs, kind: 'session_down', vp, prefix, route: undefined, previous });
    }
  }

  /** The state right after all events up to and including `timeUs`: a function of VP and prefix. */
  stateAt(timeUs: number): (vp: number, prefix: number) => Route | undefined {
    const later = new Map<number, Route | undefined>();
    this.#newestFirst(timeUs + 1, (event) => later.set(event.vp * MAX_PREFIXES + event.prefix, event.previous));
    return (vp, prefix) => {
      const id = vp * MAX_PREFIXES + prefix;
      return later.has(id) ? later.get(id) : this.held(vp, prefix);
    };
  }

  /** Events from `fromUs` to `untilUs`, both included, oldest first. */
  events(fromUs: number, untilUs: number): HistoryEvent[] {
    const found: HistoryEvent[] = [];
    this.#newestFirst(fromUs, (event) => {
      if (event.timeUs <= untilUs) found.push(event);
    });
    return found.reverse();
  }

  #newestFirst(fromUs: number, visit: (event: HistoryEvent) => void): void {
    for (let i = this.#history.length - 1; i >= 0; i--) {
      const event = this.#history[(this.#start + i) % this.#history.length];
      if (event.timeUs >= fromUs) visit(event);
      else if (this.#isOrdered) return;
    }
  }

  #remember(event: HistoryEvent): void {
    if (event.timeUs < this.#newestUs) this.#isOrdered = false;
    this.#newestUs = Math.max(this.#newestUs, event.timeUs);
    if (this.#history.length < this.#historyLimit) {
      this.#history.push(event);
      return;
    }
    this.#forgottenBeforeUs = Math.max(this.#forgottenBeforeUs, this.#history[this.#start].timeUs);
    this.#history[this.#start] = event;
    this.#start = (this.#start + 1) % this.#historyLimit;
    this.#evicted++;
  }

  #set(vp: number, prefix: number, route: Route, timeUs: number): Route | undefined {
    const routes = (this.#held[vp] ??= new Map());
    const previous = routes.get(prefix)?.route;
    // Equal routes share one object, so that a feed of repeats does not fill the memory.
    const kept = isSameRoute(previous, route) ? previous! : route;
    routes.set(prefix, { route: kept, timeUs });
    if (previous === undefined && this.#isLive(vp)) this.#visible[prefix] = this.visible(prefix) + 1;
    return previous;
  }

  #delete(vp: number, prefix: number): Route | undefined {
    const previous = this.#held[vp]?.get(prefix)?.route;
    if (previous === undefined) return undefined;
    this.#held[vp].delete(prefix);
    if (this.#isLive(vp)) this.#visible[prefix]--;
    return previous;
  }
}

const NOTHING: ReadonlyMap<number, HeldRoute> = new Map();
