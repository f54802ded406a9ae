/**
 * Tells which prefixes of a stream of the whole world are asked for: the monitored ones and everything inside them. Nearly all
 * prefixes of such a stream are not, so a gate of 8 KiB a family turns most of them away with one read of memory.
 */
import { type Afi, formatAddress, maskWords, type Prefix } from '../../bgp/prefix.ts';

/** Bits of a gate: one for each value of 16 bits. */
const GATE_BITS = 1 << 16;

/** Monitored prefixes of one family. */
class Family {
  readonly #gate = new Uint8Array(GATE_BITS >> 3);
  /** By length, ascending: the masked addresses of that length. */
  readonly #byLength: { readonly length: number; readonly addresses: Set<string> }[] = [];

  constructor(prefixes: readonly Prefix[]) {
    for (const prefix of prefixes.toSorted((a, b) => a.length - b.length)) {
      this.#open(prefix);
      const last = this.#byLength.at(-1);
      const key = prefix.words.join();
      if (last?.length === prefix.length) last.addresses.add(key);
      else this.#byLength.push({ length: prefix.length, addresses: new Set([key]) });
    }
  }

  /** Lets everything through that may lie inside the prefix. */
  #open({ afi, length, words: [first] }: Prefix): void {
    const gateLength = afi === 'ipv4' ? 16 : 32;
    const open = Math.max(0, gateLength - length);
    if (open > 16 || (afi === 'ipv4' && open === 16)) {
      this.#gate.fill(0xff);
      return;
    }
    const step = afi === 'ipv4' ? 0x10000 : 1;
    for (let i = 0; i < 2 ** open; i++) {
      const at = gateOf(afi, first + i * step);
      this.#gate[at >> 3] |= 1 << (at & 7);
    }
  }

  mayHave(at: number): boolean {
    return (this.#gate[at >> 3] & (1 << (at & 7))) !== 0;
  }

  has(words: readonly number[], length: number): boolean {
    for (const { length: outer, addresses } of this.#byLength) {
      if (outer > length) return false;
      if (addresses.has(maskWords(words, outer).join())) return true;
    }
    return false;
  }
}

/** The place in the gate of an address with this first word. */
function gateOf(afi: Afi, first: number): number {
  return afi === 'ipv4' ? first >>> 16 : Math.imul(first, 0x9e3779b1) >>> 16;
}

export class PrefixFilter {
  #ipv4 = new Family([]);
  #ipv6 = new Family([]);

  /** Replaces the monitored prefixes. */
  set(prefixes: readonly Prefix[]): void {
    this.#ipv4 = new Family(prefixes.filter(({ afi }) => afi === 'ipv4'));
    this.#ipv6 = new Family(prefixes.filter(({ afi }) => afi === 'ipv6'));
  }

  /**
   * The canonical text of a prefix that is monitored or lies inside one that is; undefined for any other.
   * @param bytes hold the address from `at` on, in as many bytes as the length needs; bits that are missing are 0
   * @param length at most 32 or 128
   */
  find(afi: Afi, bytes: Uint8Array, at: number, length: number): string | undefined {
    const end = Math.min(bytes.length, at + ((length + 7) >> 3));
    const family = afi === 'ipv4' ? this.#ipv4 : this.#ipv6;
    if (!family.mayHave(gateOf(afi, masked(wordAt(bytes, at, end), length)))) return undefined;
    const address = afi === 'ipv4' ? [0] : [0, 0, 0, 0];
    for (let i = 0; i < address.length; i++) address[i] = wordAt(bytes, at + 4 * i, end);
    const words = maskWords(address, length);
    return family.has(words, length) ? `${formatAddress(words)}/${length}` : undefined;
  }
}

/** The 32 bits from `at` on; what is not before `end` is zero. */
function wordAt(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let i = at; i < at + 4; i++) word = (word << 8) | (i < end ? bytes[i] : 0);
  return word >>> 0;
}

/** A first word without the bits beyond the length. */
function masked(word: number, length: number): number {
  return length >= 32 ? word : length === 0 ? 0 : (word & (0xffffffff << (32 - length))) >>> 0;
}
