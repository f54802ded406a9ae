/**
 * IP prefixes (RFC 4271 section 4.3, RFC 4760): parsing, one canonical spelling, containment.
 *
 * The canonical spelling is what the whole program compares by: dotted decimal for IPv4, RFC 5952 for IPv6, host bits
 * cleared. Parsing is strict: four decimal parts without leading zeros, no octal, no short forms, no zone.
 */

export type Afi = 'ipv4' | 'ipv6';
export const AFIS = ['ipv4', 'ipv6'] as const satisfies readonly Afi[];

/** A parsed prefix; `parsePrefix` makes it. */
export interface Prefix {
  /** Canonical text, `address/length`; two prefixes are the same exactly when these are equal. */
  readonly text: string;
  readonly afi: Afi;
  /** 0..32 or 0..128. */
  readonly length: number;
  /** The address as unsigned 32-bit words, most significant first: one for IPv4, four for IPv6. Host bits are 0. */
  readonly words: readonly number[];
  /** Whether the text that was parsed had bits set beyond the length. */
  readonly hadHostBits: boolean;
}

export const MAX_LENGTH: Readonly<Record<Afi, number>> = { ipv4: 32, ipv6: 128 };

/** The longest spelling accepted: eight groups with an embedded IPv4 part, a slash and three digits. */
const MAX_TEXT = 49;
/** `255.255.255.255/32`. */
const MAX_IPV4_TEXT = 18;

/** Unsigned 32-bit words of an IPv4 or IPv6 address, or undefined when it is not one in strict spelling. */
export function parseAddress(text: string): readonly number[] | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): readonly number[] | undefined {
  const word = ipv4Word(text, 0, text.length);
  return word === undefined ? undefined : [word];
}

/** The address that the text spells between these places. */
function ipv4Word(text: string, start: number, end: number): number | undefined {
  let word = 0;
  let part = -1;
  let parts = 0;
  for (let i = start; i <= end; i++) {
    const c = i < end ? text.charCodeAt(i) : 46;
    if (c === 46) {
      if (part < 0) return undefined;
      word = word * 256 + part;
      part = -1;
      parts++;
      continue;
    }
    if (c < 48 || c > 57 || part === 0) return undefined; // part 0 followed by a digit: a leading zero, read as octal by some
    part = Math.max(part, 0) * 10 + (c - 48);
    if (part > 255) return undefined;
  }
  return parts === 4 ? word : undefined;
}

/** The groups of the IPv6 address that is read or written: messages have thousands of addresses, and a list for each is slow. */
const GROUPS = new Uint16Array(8);

/** @param end where the address ends in the text */
function parseIpv6(text: string, end = text.length): readonly number[] | undefined {
  let count = 0;
  /** How many groups stand before `::`; -1 as long as no `::` was read. */
  let gap = -1;
  let i = 0;
  if (text.startsWith('::')) {
    gap = 0;
    i = 2;
  }
  while (i < end) {
    const start = i;
    let group = 0;
    for (; i < end; i++) {
      const digit = hexDigit(text.charCodeAt(i));
      if (digit === -1) break;
      group = group * 16 + digit;
    }
    if (i < end && text.charCodeAt(i) === 46) {
      // The last part of the whole address may be dotted IPv4 (RFC 4291 section 2.2).
      const word = ipv4Word(text, start, end);
      if (word === undefined || count > 6) return undefined;
      GROUPS[count++] = word >>> 16;
      GROUPS[count++] = word & 0xffff;
      break;
    }
    if (i === start || i - start > 4 || count === 8) return undefined;
    GROUPS[count++] = group;
    if (i === end) break;
    if (text.charCodeAt(i++) !== 58 || i === end) return undefined;
    if (text.charCodeAt(i) !== 58) continue;
    if (gap !== -1) return undefined;
    gap = count;
    i++;
  }
  if (gap === -1 ? count !== 8 : count > 7) return undefined;
  if (gap !== -1) {
    const zeros = 8 - count;
    for (let to = 7; to >= gap; to--) GROUPS[to] = to - zeros >= gap ? GROUPS[to - zeros] : 0;
  }
  return [wordAt(0), wordAt(2), wordAt(4), wordAt(6)];
}

function wordAt(group: number): number {
  return GROUPS[group] * 65536 + GROUPS[group + 1];
}

/** The value of a hexadecimal digit; -1 for any other character. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Canonical text of an address: dotted decimal, or RFC 5952 (lower case, longest run of zero groups shortened, leftmost on a tie). */
export function formatAddress(words: readonly number[]): string {
  if (words.length === 1) return formatIpv4(words[0]);
  // RFC 5952 section 5: the well-known IPv4-mapped prefix keeps its dotted form.
  if (words[0] === 0 && words[1] === 0 && words[2] === 0xffff) return `::ffff:${formatIpv4(words[3])}`;
  for (let i = 0; i < 8; i++) GROUPS[i] = i % 2 === 0 ? words[i >> 1] >>> 16 : words[i >> 1];
  let runStart = 8;
  let runLength = 1; // RFC 5952 section 4.2.2: a single zero group is not shortened
  for (let i = 0; i < 8; ) {
    let end = i;
    while (end < 8 && GROUPS[end] === 0) end++;
    if (end - i > runLength) [runStart, runLength] = [i, end - i];
    i = end + 1;
  }
  let text = hexGroups(0, runStart);
  if (runStart < 8) text += `::${hexGroups(runStart + runLength, 8)}`;
  return text;
}

function hexGroups(from: number, end: number): string {
  let text = '';
  for (let i = from; i < end; i++) text += i === from ? GROUPS[i].toString(16) : `:${GROUPS[i].toString(16)}`;
  return text;
}

function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/**
 * Reads `address/length`. Bits beyond the length are cleared and reported by `hadHostBits`: in BGP they have no meaning
 * (RFC 4271 section 4.3), in a configuration they are a mistake. Undefined when the text is not a prefix.
 *
 * The canonical text of an IPv4 prefix may be the very text that was parsed: where that is a piece of a long one, keep
 * `ownText` of the prefix for long, or the long text stays in memory with it.
 */
export function parsePrefix(text: string): Prefix | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const slash = text.indexOf('/');
  if (slash === -1) return undefined;
  const length = prefixLength(text, slash + 1);
  if (!text.includes(':')) {
    // Messages have thousands of them, so nothing is made that is not kept.
    const word = ipv4Word(text, 0, slash);
    if (word === undefined || length === -1 || length > MAX_LENGTH.ipv4) return undefined;
    const masked = masked32(word, length);
    const hadHostBits = masked !== word;
    // There is only one strict spelling of an address.
    const canonical = hadHostBits ? `${formatIpv4(masked)}/${length}` : text;
    return { text: canonical, afi: 'ipv4', length, words: [masked], hadHostBits };
  }
  const address = parseIpv6(text, slash);
  if (address === undefined || length === -1 || length > MAX_LENGTH.ipv6) return undefined;
  const words = maskWords(address, length);
  const hadHostBits =
    words[0] !== address[0] || words[1] !== address[1] || words[2] !== address[2] || words[3] !== address[3];
  return { text: `${formatAddress(words)}/${length}`, afi: 'ipv6', length, words, hadHostBits };
}

/**
 * An IPv4 prefix in its canonical text as one number: its address times 64, plus its length. -1 for any other text, which
 * `parsePrefix` may still read. Messages have thousands of prefixes: this makes nothing that the garbage collector must clear.
 */
export function ipv4PrefixNumber(text: string): number {
  const slash = text.indexOf('/');
  if (slash === -1 || text.length > MAX_IPV4_TEXT) return -1;
  const length = prefixLength(text, slash + 1);
  if (length === -1 || length > MAX_LENGTH.ipv4) return -1;
  const word = ipv4Word(text, 0, slash);
  return word === undefined || masked32(word, length) !== word ? -1 : word * 64 + length;
}

/** The decimal number of one to three digits, without leading zeros, that ends the text; -1: there is none. */
function prefixLength(text: string, start: number): number {
  const digits = text.length - start;
  if (digits < 1 || digits > 3 || (digits > 1 && text.charCodeAt(start) === 48)) return -1;
  let length = 0;
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

/** Canonical text of a prefix that shares no memory with the text that was parsed: that of an IPv6 prefix is always made. */
export function ownText({ text, afi, words, length }: Prefix): string {
  return afi === 'ipv6' ? text : `${formatIpv4(words[0])}/${length}`;
}

/** Copies the words and clears every bit from `length` on. */
export function maskWords(words: readonly number[], length: number): readonly number[] {
  const masked: number[] = [];
  for (let i = 0; i < words.length; i++) masked.push(masked32(words[i], Math.min(32, Math.max(0, length - 32 * i))));
  return masked;
}

function masked32(word: number, keep: number): number {
  return keep === 0 ? 0 : (word & (0xffffffff << (32 - keep))) >>> 0;
}

/** Whether `outer` contains `inner`, itself included. */
export function containsPrefix(outer: Prefix, inner: Prefix): boolean {
  if (outer.afi !== inner.afi || outer.length > inner.length) return false;
  return maskWords(inner.words, outer.length).every((word, i) => word === outer.words[i]);
}
