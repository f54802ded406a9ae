/**
 * Tells by the prefixes of messages whose list a key has: ours, or that of another client. No source says whether a session
 * that is open follows the list of its key, so what was ours since the connection began stays ours.
 */
import { containsPrefix, type Prefix, parsePrefix } from '../../bgp/prefix.ts';

/** How long after an association messages of the list before it may still be under way, ms. */
export const UNDER_WAY_MS = 10_000;

/** A message of more prefixes is not judged: it may have 22,000, and each is compared with all of ours. Short ones come too. */
export const MOST_JUDGED = 16;

/** `former`: of prefixes that were ours when the connection began and are not ours any more. */
export type Belonging = 'ours' | 'former' | 'foreign';

export class ListGuard {
  /** Canonical text to the prefix, and whether it is wanted now. */
  readonly #prefixes = new Map<string, { readonly prefix: Prefix; isWanted: boolean }>();
  #associatedAtMs = 0;
  #associatedElapsedMs = 0;

  /** When our list was associated last, Unix ms. */
  get associatedAtMs(): number {
    return this.#associatedAtMs;
  }

  /** A connection begins: what was ours before counts no more. */
  begin(): void {
    this.#prefixes.clear();
  }

  /** These are wanted from now on. @param texts canonical prefixes */
  want(texts: readonly string[]): void {
    for (const entry of this.#prefixes.values()) entry.isWanted = false;
    this.add(texts, true);
  }

  /** These are ours, whether they are wanted or the key merely has them. */
  add(texts: readonly string[], isWanted = false): void {
    for (const text of texts) {
      const prefix = this.#prefixes.get(text)?.prefix ?? parsePrefix(text);
      if (prefix === undefined) continue;
      this.#prefixes.set(text, { prefix, isWanted: isWanted || this.#prefixes.get(text)?.isWanted === true });
    }
  }

  /** @param atMs Unix ms @param elapsedMs the same moment by `Timers.elapsed` */
  associated(atMs: number, elapsedMs: number): void {
    this.#associatedAtMs = atMs;
    this.#associatedElapsedMs = elapsedMs;
  }

  /**
   * Whose list a message is of. A message counts as foreign only when all its prefixes are.
   * @param prefixes those of the message, canonical
   * @param receivedAtMs Unix ms; a message that was held is looked at late
   * @param elapsedMs now
   */
  judge(prefixes: readonly string[], receivedAtMs: number, elapsedMs: number): Belonging {
    if (prefixes.length === 0 || prefixes.length > MOST_JUDGED || receivedAtMs < this.#associatedAtMs) return 'ours';
    if (elapsedMs - this.#associatedElapsedMs < UNDER_WAY_MS) return 'ours';
    let result: Belonging = 'foreign';
    for (const text of prefixes) {
      const one = this.#belonging(text);
      if (one === 'ours') return 'ours';
      if (one === 'former') result = 'former';
    }
    return result;
  }

  /**
   * A prefix around one of ours counts as ours: no source says that the service does not stream it, and it may only be
   * called somebody else's when it surely is.
   */
  #belonging(text: string): Belonging {
    if (this.#prefixes.get(text)?.isWanted === true) return 'ours';
    const prefix = parsePrefix(text);
    if (prefix === undefined) return 'ours';
    let result: Belonging = 'foreign';
    for (const { prefix: ours, isWanted } of this.#prefixes.values()) {
      if (!containsPrefix(ours, prefix) && !containsPrefix(prefix, ours)) continue;
      if (isWanted) return 'ours';
      result = 'former';
    }
    return result;
  }
}
