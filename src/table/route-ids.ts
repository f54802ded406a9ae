/** The table's answers to a decoder that speaks in integers. */
import { type RouteIds, UNKNOWN } from '../bgp/route-ids.ts';
import type { RoutingTable } from './routing-table.ts';

export class TableIds implements RouteIds {
  readonly #table: RoutingTable;

  constructor(table: RoutingTable) {
    this.#table = table;
  }

  findVp(bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.#table.vps.findBytes(bytes, start, end, hash);
  }

  findRouter(bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.#table.vps.findRouter(bytes, start, end, hash);
  }

  findPeer(router: number, bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.#table.vps.findPeer(router, bytes, start, end, hash);
  }

  findPrefix(bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.#table.prefixes.findBytes(bytes, start, end, hash);
  }

  findPath(bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.#table.paths.findBytes(bytes, start, end, hash);
  }

  internPath(text: string, vp: number): number {
    return this.#table.paths.intern(text, this.#table.vps.get(vp)?.asn ?? 0) ?? UNKNOWN;
  }

  discardPath(path: number): void {
    this.#table.paths.discard(path);
  }
}
