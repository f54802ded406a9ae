/**
 * Tells a message that another connection has brought already. A message about prefixes of two connections comes on both, and
 * would count twice.
 */
import { createHash } from 'node:crypto';

/** Messages that are remembered at least: those of several seconds of a burst. At most twice as many are. */
const REMEMBERED = 16_384;

export class Duplicates {
  /** The connection that brought a message first, by the message's digest. */
  #young = new Map<string, number>();
  #old: ReadonlyMap<string, number> = new Map();

  /**
   * Takes a message. A connection that says the same twice means it: only what another one said is a duplicate.
   * @param connection its place
   */
  has(message: Buffer, connection: number): boolean {
    const digest = createHash('sha1').update(message).digest('base64');
    const first = this.#young.get(digest) ?? this.#old.get(digest);
    if (first !== undefined) return first !== connection;
    if (this.#young.size >= REMEMBERED) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(digest, connection);
    return false;
  }
}
