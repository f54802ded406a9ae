/**
 * The more-specifics of which an ingest has heard, for a history that takes no question for everything inside a prefix. It has no
 * table that would know them.
 */
import { type Prefix, parsePrefix } from '../../bgp/prefix.ts';
import { WatchList } from '../../table/prefixes/watch-list.ts';

/** Names that are kept at once, of all monitored prefixes: about 20 MB. */
export const MAX_NAMES = 200_000;

export class MoreSpecifics {
  readonly #inside = new WatchList<Set<string>>();
  readonly #all = new Set<string>();
  readonly #maxOfOne: number;
  readonly #max: number;

  /**
   * @param prefixes monitored ones
   * @param maxOfOne names that are kept of one monitored prefix: then the one that was heard of first makes room
   * @param max names that are kept of all: then no further one is kept
   */
  constructor(prefixes: readonly Prefix[], maxOfOne: number, max = MAX_NAMES) {
    for (const prefix of prefixes) this.#inside.set(prefix, new Set());
    this.#maxOfOne = maxOfOne;
    this.#max = max;
  }

  /** Notes a prefix that was heard of, canonical; whatever is monitored, or in no monitored prefix, is left out. */
  note(text: string): void {
    if (this.#all.has(text) || this.#inside.get(text) !== undefined) return;
    const prefix = parsePrefix(text);
    const nearest = prefix && this.#inside.containing(prefix)[0];
    if (nearest === undefined || this.#maxOfOne === 0) return;
    if (nearest.size >= this.#maxOfOne) {
      const [first] = nearest;
      nearest.delete(first);
      this.#all.delete(first);
    } else if (this.#all.size >= this.#max) return;
    nearest.add(text);
    this.#all.add(text);
  }

  /** Those of which the monitored prefix is the nearest. */
  of(monitored: string): Iterable<string> {
    return this.#inside.get(monitored) ?? [];
  }
}
