/** What belongs to the nearest prefix of a list, for texts that come again and again. */
import { parsePrefix } from '../../bgp/prefix.ts';
import type { WatchList } from './watch-list.ts';

/** Texts of which it is remembered, so that a look-up is one of a Map: about 20 MB. Beyond, all are forgotten. */
const MAX_REMEMBERED = 200_000;

export class Nearest<T> {
  readonly #list: WatchList<T>;
  readonly #otherwise: T;
  readonly #known = new Map<string, T>();

  /**
   * @param list does not change any more
   * @param otherwise for what lies in no prefix of the list
   */
  constructor(list: WatchList<T>, otherwise: T) {
    this.#list = list;
    this.#otherwise = otherwise;
  }

  /** The value of the prefix itself, or of the longest one of the list that contains it. @param text canonical */
  of(text: string): T {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const found = this.#list.get(text) ?? this.#around(text);
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(text, found);
    return found;
  }

  #around(text: string): T {
    const prefix = parsePrefix(text);
    return (prefix && this.#list.containing(prefix)[0]) ?? this.#otherwise;
  }
}
