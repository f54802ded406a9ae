/** The table's answers to a decoder that speaks in integers. */
import { type RouteIds, UNKNOWN } from '../bgp/route-integers.ts';
import type { RoutingTable } from './routing-table.ts';
import { PATH_LIMIT } from './store/path-table.ts';

export class TableIds implements RouteIds {
  readonly #table: RoutingTable;

  constructor(table: RoutingTable) {
    this.#table = table;
  }

  findVp(words: Int32Array, at: number, length: number, hash: number): number {
    return this.#table.vps.findWords(words, at, length, hash);
  }

  findRouter(words: Int32Array, at: number, length: number, hash: number): number {
    return this.#table.vps.findRouter(words, at, length, hash);
  }

  findPeer(router: number, words: Int32Array, at: number, length: number, hash: number): number {
    return this.#table.vps.findPeer(router, words, at, length, hash);
  }

  prefetchVps(hashes: Int32Array, count: number): void {
    this.#table.vps.prefetch(hashes, count);
  }

  findPrefix(words: Int32Array, at: number, length: number, hash: number): number {
    return this.#table.prefixes.findWords(words, at, length, hash);
  }

  prefetchPaths(hashes: Int32Array, count: number): void {
    this.#table.paths.prefetchTexts(hashes, count);
  }

  findPath(words: Int32Array, at: number, length: number, hash: number): number {
    return this.#table.paths.findWords(words, at, length, hash);
  }

  internPath(words: Int32Array, at: number, length: number, hash: number, vp: number): number {
    const path = this.#table.paths.internWords(words, at, length, hash, this.#table.vps.get(vp)?.asn ?? 0);
    return path === undefined || path === PATH_LIMIT ? UNKNOWN : path;
  }

  retainPath(path: number): void {
    this.#table.paths.retain(path);
  }

  discardPath(path: number): void {
    this.#table.paths.discard(path);
  }
}
