/** Whether a prefix on the stream can come of our list: it is one of ours, inside one of ours, or around one of ours. */
import { containsPrefix, type Prefix, parsePrefix } from '../bgp/prefix.ts';

/** Looked at only for messages in which nothing is monitored: what it costs does not matter. */
export class OwnPrefixes {
  readonly #prefixes = new Map<string, Prefix>();

  /** @param texts canonical prefixes; those before them stay ours: their messages may be under way */
  add(texts: readonly string[]): void {
    for (const text of texts) {
      const prefix = this.#prefixes.has(text) ? undefined : parsePrefix(text);
      if (prefix !== undefined) this.#prefixes.set(text, prefix);
    }
  }

  clear(): void {
    this.#prefixes.clear();
  }

  /**
   * A prefix around one of ours counts as ours: no source says that the service does not stream it, and it may only be
   * called somebody else's when it surely is.
   */
  covers(text: string): boolean {
    if (this.#prefixes.has(text)) return true;
    const prefix = parsePrefix(text);
    if (prefix === undefined) return true;
    for (const ours of this.#prefixes.values()) {
      if (containsPrefix(ours, prefix) || containsPrefix(prefix, ours)) return true;
    }
    return false;
  }
}
