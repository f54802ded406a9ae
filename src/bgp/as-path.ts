/**
 * AS paths as the collectors print them: nearest AS first, origin last (`3333 1103 64500`), AS_SETs in braces
 * (`{64501,64502}`), confederation sequences in parentheses and confederation sets in brackets (RFC 4271 section 4.3,
 * RFC 5065). Blanks around sets may be missing (`3 {1,2}4`).
 */

/** One AS of an AS_SEQUENCE (a number), or a whole segment of another type. */
export type PathElement =
  | number
  | { readonly kind: 'set'; readonly members: readonly number[] }
  | { readonly kind: 'confed-sequence' | 'confed-set'; readonly members: readonly number[] };

/** Nearest AS first, origin last. */
export type AsPath = readonly PathElement[];

/** An AS number, or an AS_SET as text, `{64501,64502}`: its distinct members ascending, two at least. */
export type AsOrSet = number | string;

/** What the table keeps of a path; depends on the VP only through its ASN, and then only when the path gives no origin. */
export interface PathFacts {
  readonly origin: AsOrSet;
  /**
   * The AS (or set) next to the origin, prepends skipped; undefined when there is none. Where the path passes the origin
   * more than once (path poisoning: `1103 64500 666 64500`), the one before its first passage: 1103.
   */
  readonly upstream: AsOrSet | undefined;
  /** RFC 4271 section 9.1.2.2 and RFC 5065 section 5.3: an AS_SET counts 1, confederation segments 0, prepends count. */
  readonly length: number;
  /** Whether the origin stands at the end of the path more than once in a row. */
  readonly prepended: boolean;
}

export const MAX_ASN = 4_294_967_295;

/** ASes in one segment: its count is one octet (RFC 4271 section 4.3). It also bounds what a set takes as a label. */
const MAX_SEGMENT = 255;

/**
 * Most ASes of a path. A message has at most 65,535 bytes (RFC 8654), of which an UPDATE needs 23 beside its path attributes:
 * 19 for the header of the message and 2 for each of two lengths (RFC 4271 sections 4.1 and 4.3). AS_PATH begins with 4 bytes
 * (flags, type, a length of two bytes), and each segment of up to 255 ASes of four bytes (RFC 6793) with 2: 64 full segments
 * and one of 24 ASes. Without extended messages (4,096 bytes, RFC 4271) the most is 1,015.
 */
export const MAX_PATH_ASES = 16_344;

const CLOSING: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' };

/**
 * Reads a path. Undefined when the text is not one: an unknown character, an AS over 32 bits, a segment that is open,
 * empty or of more than 255 ASes, more ASes in all than BGP can carry.
 */
export function parseAsPath(text: string): AsPath | undefined {
  const path: PathElement[] = [];
  return readAsPath(text, path) ? path : undefined;
}

/** Whether the text is a path, without making one of it. */
export function isAsPath(text: string): boolean {
  return readAsPath(text);
}

/** Reads a path, into the list where there is one. */
function readAsPath(text: string, path?: PathElement[]): boolean {
  let ases = 0;
  let i = 0;
  while (i < text.length) {
    const c = text[i];
    if (c === ' ') {
      i++;
    } else if (c === '{' || c === '(' || c === '[') {
      const end = text.indexOf(CLOSING[c], i);
      const members = end === -1 ? undefined : parseMembers(text.slice(i + 1, end));
      if (members === undefined || (ases += members.length) > MAX_PATH_ASES) return false;
      path?.push({ kind: c === '{' ? 'set' : c === '(' ? 'confed-sequence' : 'confed-set', members });
      i = end + 1;
    } else {
      const start = i;
      let asn = 0;
      for (; i < text.length; i++) {
        const digit = text.charCodeAt(i) - 48;
        if (digit < 0 || digit > 9) break;
        asn = asn * 10 + digit;
      }
      if (i === start || i - start > 10 || asn > MAX_ASN || ++ases > MAX_PATH_ASES) return false;
      path?.push(asn);
    }
  }
  return true;
}

/** Members are separated by commas or blanks; at least one is needed. */
function parseMembers(text: string): readonly number[] | undefined {
  const members = text.split(/[ ,]+/).filter((part) => part !== '');
  if (members.length === 0 || members.length > MAX_SEGMENT) return undefined;
  const numbers: number[] = [];
  for (const member of members) {
    const asn = parseAsn(member);
    if (asn === undefined) return undefined;
    numbers.push(asn);
  }
  return numbers;
}

/** Plain decimal ("asplain", RFC 5396) of at most 32 bits; undefined otherwise. */
export function parseAsn(text: string): number | undefined {
  if (!/^[0-9]{1,10}$/.test(text)) return undefined;
  const asn = Number(text);
  return asn <= MAX_ASN ? asn : undefined;
}

/** Canonical text of one element outside a confederation: an AS number, or a set with distinct members ascending. */
function elementKey(element: number | { readonly members: readonly number[] }): AsOrSet {
  return typeof element === 'number' ? element : asSet(element.members);
}

/** The set of these ASes, at least one; a set of one member is that AS. */
export function asSet(ases: readonly number[]): AsOrSet {
  const members = [...new Set(ases)].sort((a, b) => a - b);
  return members.length === 1 ? members[0] : `{${members.join(',')}}`;
}

/** The members of a set in its canonical spelling. */
export function setMembers(set: string): number[] {
  return set.slice(1, -1).split(',').map(Number);
}

/**
 * The index of the element before the first occurrence of the origin, or -1. Where a path begins with the origin, the VP is
 * inside the origin's AS, and the elements at the beginning do not count as an occurrence.
 */
function placeBefore(origin: AsOrSet, keys: readonly AsOrSet[]): number {
  let first = 0;
  while (first < keys.length && keys[first] === origin) first++;
  if (first === keys.length) return -1;
  const passage = keys.indexOf(origin, first);
  return passage === -1 ? keys.length - 1 : passage - 1;
}

/**
 * Origin, upstream and length. The origin follows RFC 6811 section 2: the last AS; for an empty path, or one that ends in
 * a confederation segment, the VP's own AS. A path that ends in an AS_SET has the set as its origin (where RFC 6811 has
 * none), and a set of one member is that AS.
 */
export function pathFacts(path: AsPath, vpAsn: number): PathFacts {
  let length = 0;
  const keys: AsOrSet[] = [];
  let endsInConfederation = path.length === 0;
  for (const element of path) {
    endsInConfederation = typeof element !== 'number' && element.kind !== 'set';
    if (typeof element !== 'number' && element.kind !== 'set') continue;
    length++;
    keys.push(elementKey(element));
  }
  const origin = endsInConfederation || keys.length === 0 ? vpAsn : keys[keys.length - 1];
  let last = keys.length - 1;
  while (last >= 0 && keys[last] === origin) last--;
  const before = placeBefore(origin, keys);
  return { origin, upstream: before === -1 ? undefined : keys[before], length, prepended: keys.length - 1 - last > 1 };
}

/** The facts of a path without sets and confederations; `upstream` is -1 where there is none. */
export interface PlainPathFacts {
  origin: number;
  upstream: number;
  length: number;
  prepended: boolean;
}

/**
 * The facts of a path that is written canonically and is nothing but one AS_SEQUENCE, without an object, and in one pass
 * unless an AS is passed twice. Agrees with `pathFacts`.
 * @param words the text as words, from `at` on (see route-integers.ts)
 * @param length bytes
 * @param facts filled in
 * @returns false for every other text
 */
export function readPlainPath(words: Int32Array, at: number, length: number, facts: PlainPathFacts): boolean {
  let asn = -1;
  let upstream = -1;
  let origin = -1;
  let run = 0;
  let hops = 0;
  let passed = 0; // a bit for each AS that was passed, by its number modulo 32
  for (let i = 0; i <= length; i++) {
    const digit = i < length ? ((words[at + (i >> 2)] >>> ((i & 3) << 3)) & 0xff) - 48 : -16;
    if (digit >= 0 && digit <= 9) {
      if (asn === 0) return false; // a leading zero
      asn = asn < 0 ? digit : asn * 10 + digit;
      if (asn > MAX_ASN) return false;
    } else {
      if (digit !== -16 || asn < 0) return false; // not a blank, or two of them
      hops++;
      if (asn === origin) run++;
      else {
        passed |= 1 << (origin & 31);
        upstream = origin;
        origin = asn;
        run = 1;
      }
      asn = -1;
    }
  }
  if (hops > MAX_PATH_ASES) return false;
  facts.origin = origin;
  facts.upstream =
    hops > run && (passed & (1 << (origin & 31))) !== 0 ? upstreamOf(words, at, length, origin) : upstream;
  facts.length = hops;
  facts.prepended = run > 1;
  return true;
}

/** The AS before the first passage of the origin, as `placeBefore` finds it, in a path that holds another AS too. */
function upstreamOf(words: Int32Array, at: number, length: number, origin: number): number {
  let asn = 0;
  let before = origin;
  for (let i = 0; i <= length; i++) {
    const digit = i < length ? ((words[at + (i >> 2)] >>> ((i & 3) << 3)) & 0xff) - 48 : -16;
    if (digit >= 0) asn = asn * 10 + digit;
    else {
      if (asn === origin && before !== origin) return before;
      before = asn;
      asn = 0;
    }
  }
  return before;
}

const BRACKETS = { set: '{}', 'confed-sequence': '()', 'confed-set': '[]' } as const;

/** The spelling by which paths are compared: single blanks, sets with members ascending (`{1,2}`, `[1,2]`), `(2 1)`. */
export function formatAsPath(path: AsPath): string {
  return path
    .map((element) => {
      if (typeof element === 'number') return String(element);
      const [open, close] = BRACKETS[element.kind];
      if (element.kind === 'confed-sequence') return `${open}${element.members.join(' ')}${close}`;
      return `${open}${[...new Set(element.members)].sort((a, b) => a - b).join(',')}${close}`;
    })
    .join(' ');
}

/** Characters of a path that is kept for people to read: some 40 ASes; the longest path that BGP can carry has 180,000. */
export const MAX_SHORT_PATH = 256;

/** The path; a longer one ends between two of its ASes with ` ...`. */
export function shortPath(text: string): string {
  if (text.length <= MAX_SHORT_PATH) return text;
  const head = text.slice(0, MAX_SHORT_PATH - 4);
  const end = Math.max(head.lastIndexOf(' '), head.lastIndexOf(','));
  // Flat, because a piece of a text keeps all of it.
  return Buffer.from(`${end === -1 ? head : head.slice(0, end)} ...`, 'latin1').toString('latin1');
}
