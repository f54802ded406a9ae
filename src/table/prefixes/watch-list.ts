/** Which prefixes are monitored, and which monitored ones contain a given prefix. */
import { type Afi, formatAddress, maskWords, type Prefix } from '../../bgp/prefix.ts';

/** Values by prefix, found by containment: one look-up per distinct length in use, at most 33 or 129. */
export class WatchList<T> {
  readonly #byText = new Map<string, T>();
  /** The IPv4 ones by address and length in one number: to make a text for each question costs far more. */
  readonly #byNumber = new Map<number, T>();
  readonly #lengths: Record<Afi, number[]> = { ipv4: [], ipv6: [] };
  readonly #perLength: Record<Afi, Map<number, number>> = { ipv4: new Map(), ipv6: new Map() };

  get size(): number {
    return this.#byText.size;
  }

  get(text: string): T | undefined {
    return this.#byText.get(text);
  }

  values(): IterableIterator<T> {
    return this.#byText.values();
  }

  set(prefix: Prefix, value: T): void {
    if (!this.#byText.has(prefix.text)) this.#count(prefix, 1);
    this.#byText.set(prefix.text, value);
    if (prefix.afi === 'ipv4') this.#byNumber.set(numberOf(prefix.words[0], prefix.length), value);
  }

  delete(prefix: Prefix): void {
    if (this.#byText.delete(prefix.text)) this.#count(prefix, -1);
    if (prefix.afi === 'ipv4') this.#byNumber.delete(numberOf(prefix.words[0], prefix.length));
  }

  /** The values of all prefixes that contain `inner` and are shorter than it, longest first. */
  containing(inner: Prefix): T[] {
    const found: T[] = [];
    for (const length of this.#lengths[inner.afi]) {
      const value = length < inner.length ? this.#around(inner, length) : undefined;
      if (value !== undefined) found.push(value);
    }
    return found;
  }

  /** The value of the longest prefix that contains `inner` and is shorter than it. */
  nearest(inner: Prefix): T | undefined {
    for (const length of this.#lengths[inner.afi]) {
      const value = length < inner.length ? this.#around(inner, length) : undefined;
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** As `nearest`, for an IPv4 prefix as one number (`ipv4PrefixNumber`). */
  nearestIpv4(inner: number): T | undefined {
    const innerLength = inner % 64;
    const word = (inner - innerLength) / 64;
    for (const length of this.#lengths.ipv4) {
      const value = length < innerLength ? this.#byNumber.get(numberOf(word, length)) : undefined;
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** The value of the prefix of this length that contains `inner`. */
  #around(inner: Prefix, length: number): T | undefined {
    return inner.afi === 'ipv4'
      ? this.#byNumber.get(numberOf(inner.words[0], length))
      : this.#byText.get(`${formatAddress(maskWords(inner.words, length))}/${length}`);
  }

  #count(prefix: Prefix, change: number): void {
    const counts = this.#perLength[prefix.afi];
    const count = (counts.get(prefix.length) ?? 0) + change;
    if (count === 0) counts.delete(prefix.length);
    else counts.set(prefix.length, count);
    this.#lengths[prefix.afi] = [...counts.keys()].sort((a, b) => b - a);
  }
}

/** The key of the IPv4 prefix of this length that contains the address: what `ipv4PrefixNumber` gives for the text of that prefix. */
function numberOf(word: number, length: number): number {
  return (word - (word % 2 ** (32 - length))) * 64 + length;
}
