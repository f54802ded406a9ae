/**
 * The routes of a peer that sends several for a prefix (ADD-PATH, RFC 7911). A vantage point has one route a prefix in the
 * table: that with the lowest path identifier. A withdrawal of one of several is no loss.
 */
import type { RouteAttributes } from '../../bgp/route-event.ts';

/** Routes with a path identifier that are kept at once, over all peers. */
export const MAX_PATH_ROUTES = 262_144;
/** Bytes of their AS paths and communities, as text: as many routes of the usual 200 bytes, or 250 of the longest. */
export const MAX_PATH_ROUTE_BYTES = 48 * 1024 * 1024;

/** Routes of one peer for one prefix: routers send a handful. */
const MAX_ROUTES_A_PREFIX = 256;

/** How many routes may still be kept, and how many bytes of attributes; shared by all peers. */
export interface RouteRoom {
  left: number;
  bytesLeft: number;
}

export function newRouteRoom(bytes = MAX_PATH_ROUTE_BYTES): RouteRoom {
  return { left: MAX_PATH_ROUTES, bytesLeft: bytes };
}

/** Routes of one message share their attributes; each counts all the same, because any of them may be the last that has them. */
function bytesOf({ asPath, communities }: RouteAttributes): number {
  return asPath.length + communities.length;
}

/** How a message about one of several routes changes the route that is shown. */
export type RouteChange =
  | { readonly kind: 'none' }
  | { readonly kind: 'announced'; readonly attributes: RouteAttributes }
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'no_room' };

const NONE: RouteChange = { kind: 'none' };

export class PeerRoutes {
  readonly #room: RouteRoom;
  /** By prefix and path identifier. Made with the first route: hardly any peer needs it. */
  #byPrefix: Map<string, Map<number, RouteAttributes>> | undefined;

  constructor(room: RouteRoom) {
    this.#room = room;
  }

  announce(prefix: string, pathId: number, attributes: RouteAttributes): RouteChange {
    this.#byPrefix ??= new Map();
    let routes = this.#byPrefix.get(prefix);
    const room = this.#room;
    const known = routes?.get(pathId);
    if (known === undefined && (room.left <= 0 || (routes?.size ?? 0) >= MAX_ROUTES_A_PREFIX))
      return { kind: 'no_room' };
    const bytes = bytesOf(attributes) - (known === undefined ? 0 : bytesOf(known));
    if (bytes > room.bytesLeft) return { kind: 'no_room' };
    room.bytesLeft -= bytes;
    if (known === undefined) room.left--;
    if (routes === undefined) this.#byPrefix.set(prefix, (routes = new Map()));
    routes.set(pathId, attributes);
    return lowest(routes) === pathId ? { kind: 'announced', attributes } : NONE;
  }

  withdraw(prefix: string, pathId: number): RouteChange {
    const routes = this.#byPrefix?.get(prefix);
    // What was announced before the reader began is not known: the last message counts.
    if (routes === undefined) return { kind: 'withdrawn' };
    const wasShown = lowest(routes) === pathId;
    const gone = routes.get(pathId);
    if (gone === undefined) return NONE;
    routes.delete(pathId);
    this.#giveBack(gone);
    if (routes.size === 0) {
      this.#byPrefix?.delete(prefix);
      return { kind: 'withdrawn' };
    }
    const shown = wasShown ? routes.get(lowest(routes)) : undefined;
    return shown === undefined ? NONE : { kind: 'announced', attributes: shown };
  }

  clear(): void {
    for (const routes of this.#byPrefix?.values() ?? []) for (const route of routes.values()) this.#giveBack(route);
    this.#byPrefix = undefined;
  }

  #giveBack(route: RouteAttributes): void {
    this.#room.left++;
    this.#room.bytesLeft += bytesOf(route);
  }
}

function lowest(routes: ReadonlyMap<number, unknown>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const pathId of routes.keys()) if (pathId < least) least = pathId;
  return least;
}
