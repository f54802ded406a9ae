/**
 * Reads one VRP from the bytes of its JSON object, without making an object of it: a set has a million. Whatever is spelt in
 * an unusual way is left to the general reader.
 */
import { MAX_ASN } from '../../bgp/as-path.ts';
import type { Afi } from '../../bgp/prefix.ts';

/** Filled in by `readPlainVrp`. */
export class PlainVrp {
  afi: Afi = 'ipv4';
  readonly words = new Uint32Array(4);
  length = 0;
  /** The prefix's length where none is given. */
  maxLength = 0;
  asn = 0;
  /** 0: not given. */
  expiresS = 0;
  /** Where the name of the trust anchor stands in the bytes; equal: it is not given. */
  taFrom = 0;
  taTo = 0;
  /** Whether the text of the prefix has bits set beyond the length; `words` has them cleared. */
  hadHostBits = false;
}

const [QUOTE, COMMA, COLON, BACKSLASH, CLOSES] = [0x22, 0x2c, 0x3a, 0x5c, 0x7d];
const NOTHING = -1;

/** Where each value stands that was found in an object. */
const found = { asnFrom: 0, asnTo: 0, prefixFrom: 0, prefixTo: 0, maxFrom: 0, maxTo: 0, expiresFrom: 0, expiresTo: 0 };

/** @returns false when the object is not of the usual kind; the fields of `vrp` are then not valid */
export function readPlainVrp(text: Buffer, from: number, to: number, vrp: PlainVrp): boolean {
  found.asnTo = found.prefixTo = found.maxTo = found.expiresTo = 0;
  vrp.taFrom = vrp.taTo = 0;
  let at = skipBlanks(text, from + 1);
  for (;;) {
    if (text[at] !== QUOTE) return false;
    const keyFrom = at + 1;
    const keyTo = stringEnd(text, keyFrom, to);
    if (keyTo === NOTHING) return false;
    at = skipBlanks(text, keyTo + 1);
    if (text[at] !== COLON) return false;
    at = skipBlanks(text, at + 1);
    const isText = text[at] === QUOTE;
    const valueFrom = isText ? at + 1 : at;
    const valueTo = isText ? stringEnd(text, valueFrom, to) : digitsEnd(text, valueFrom);
    if (valueTo === NOTHING || (valueTo === valueFrom && !isText)) return false;
    if (!noteValue(text, keyFrom, keyTo, valueFrom, valueTo, vrp)) return false;
    at = skipBlanks(text, isText ? valueTo + 1 : valueTo);
    if (text[at] === CLOSES) break;
    if (text[at] !== COMMA) return false;
    at = skipBlanks(text, at + 1);
  }
  if (at !== to - 1) return false;
  const { asnFrom, asnTo, prefixFrom, prefixTo, maxFrom, maxTo, expiresFrom, expiresTo } = found;
  if (asnTo === 0 || prefixTo === 0 || !readPrefix(text, prefixFrom, prefixTo, vrp)) return false;
  const hasWord = (text[asnFrom] | 0x20) === 0x61 && (text[asnFrom + 1] | 0x20) === 0x73; // "AS"
  const asn = readNumber(text, hasWord ? asnFrom + 2 : asnFrom, asnTo, 10);
  const maxLength = maxTo === 0 ? vrp.length : readNumber(text, maxFrom, maxTo, 3);
  const expiresS = expiresTo === 0 ? 0 : readNumber(text, expiresFrom, expiresTo, 10);
  if (asn === NOTHING || asn > MAX_ASN || maxLength === NOTHING || expiresS === NOTHING) return false;
  if (expiresS > MAX_ASN) return false;
  vrp.asn = asn;
  vrp.maxLength = maxLength;
  vrp.expiresS = expiresS;
  return true;
}

/** False: a key that only the general reader understands. */
function noteValue(text: Buffer, keyFrom: number, keyTo: number, from: number, to: number, vrp: PlainVrp): boolean {
  switch (keyTo - keyFrom) {
    case 2:
      if (isWord(text, keyFrom, 'ta')) [vrp.taFrom, vrp.taTo] = [from, to];
      return true;
    case 3:
      if (isWord(text, keyFrom, 'asn')) [found.asnFrom, found.asnTo] = [from, to];
      return true;
    case 6:
      if (isWord(text, keyFrom, 'prefix')) [found.prefixFrom, found.prefixTo] = [from, to];
      return !isWord(text, keyFrom, 'origin');
    case 7:
      if (isWord(text, keyFrom, 'expires')) [found.expiresFrom, found.expiresTo] = [from, to];
      return true;
    case 9:
      if (isWord(text, keyFrom, 'maxLength')) [found.maxFrom, found.maxTo] = [from, to];
      return true;
    case 10:
      return !isWord(text, keyFrom, 'max_length');
    case 15:
      if (isWord(text, keyFrom, 'maxPrefixLength')) [found.maxFrom, found.maxTo] = [from, to];
      return true;
    default:
      return true;
  }
}

function isWord(text: Buffer, from: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) if (text[from + i] !== word.charCodeAt(i)) return false;
  return true;
}

function skipBlanks(text: Buffer, at: number): number {
  let i = at;
  while (text[i] === 0x20 || text[i] === 0x09 || text[i] === 0x0a || text[i] === 0x0d) i++;
  return i;
}

/** Where the closing quote is, or NOTHING: the string has an escape or a control character, or does not end. */
function stringEnd(text: Buffer, from: number, to: number): number {
  for (let i = from; i < to; i++) {
    if (text[i] === QUOTE) return i;
    if (text[i] === BACKSLASH || text[i] < 0x20) return NOTHING;
  }
  return NOTHING;
}

function digitsEnd(text: Buffer, from: number): number {
  let i = from;
  while (text[i] >= 0x30 && text[i] <= 0x39) i++;
  // JSON has no numbers with a leading zero.
  return i - from > 1 && text[from] === 0x30 ? NOTHING : i;
}

/** A decimal number of at most so many digits, or NOTHING. */
function readNumber(text: Buffer, from: number, to: number, most: number): number {
  if (to === from || to - from > most) return NOTHING;
  let number = 0;
  for (let i = from; i < to; i++) {
    const digit = text[i] - 0x30;
    if (digit < 0 || digit > 9) return NOTHING;
    number = number * 10 + digit;
  }
  return number;
}

/** A prefix in a usual spelling; of IPv6 all but those with a dotted part. */
function readPrefix(text: Buffer, from: number, to: number, vrp: PlainVrp): boolean {
  let slash = to - 1;
  while (slash > from && text[slash] !== 0x2f) slash--;
  const length = readNumber(text, slash + 1, to, 3);
  if (length === NOTHING || slash === from || (text[slash + 1] === 0x30 && to - slash > 2)) return false;
  let isIpv6 = false;
  for (let i = from; i < slash && i < from + 5; i++) if (text[i] === 0x3a) isIpv6 = true;
  if (!(isIpv6 ? readIpv6(text, from, slash, vrp.words) : readIpv4(text, from, slash, vrp.words))) return false;
  if (length > (isIpv6 ? 128 : 32)) return false;
  vrp.afi = isIpv6 ? 'ipv6' : 'ipv4';
  vrp.length = length;
  vrp.hadHostBits = clearHostBits(vrp.words, isIpv6 ? 4 : 1, length);
  return true;
}

function readIpv4(text: Buffer, from: number, to: number, words: Uint32Array): boolean {
  let word = 0;
  let parts = 0;
  for (let at = from; at < to; at++) {
    const start = at;
    let part = 0;
    while (at < to && text[at] >= 0x30 && text[at] <= 0x39) part = part * 10 + text[at++] - 0x30;
    if (at === start || at - start > 3 || part > 255 || (text[start] === 0x30 && at - start > 1)) return false;
    word = word * 256 + part;
    parts++;
    if (at === to) break;
    if (text[at] !== 0x2e || at === to - 1) return false;
  }
  words[0] = word;
  words[1] = words[2] = words[3] = 0;
  return parts === 4;
}

const groups = new Uint16Array(8);

function readIpv6(text: Buffer, from: number, to: number, words: Uint32Array): boolean {
  let count = 0;
  let gap = NOTHING;
  let at = from;
  if (text[at] === 0x3a) {
    if (text[at + 1] !== 0x3a) return false;
    gap = 0;
    at += 2;
  }
  while (at < to) {
    const start = at;
    let group = 0;
    for (let digit = hexDigit(text[at]); at < to && digit !== NOTHING; digit = hexDigit(text[++at]))
      group = group * 16 + digit;
    if (at === start || at - start > 4 || count === 8) return false;
    groups[count++] = group;
    if (at === to) break;
    if (text[at++] !== 0x3a || at === to) return false;
    if (text[at] === 0x3a) {
      if (gap !== NOTHING) return false;
      gap = count;
      at++;
    }
  }
  if (gap === NOTHING ? count !== 8 : count > 7) return false;
  for (let i = 0; i < 8; i += 2) words[i >> 1] = groupAt(i, gap, count) * 65_536 + groupAt(i + 1, gap, count);
  return true;
}

/** The group number `i` of an address of which `count` groups are written, with the others at `gap`. */
function groupAt(i: number, gap: number, count: number): number {
  if (gap === NOTHING || i < gap) return groups[i];
  const missing = 8 - count;
  return i < gap + missing ? 0 : groups[i - missing];
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : NOTHING;
}

/** Whether there were any. */
function clearHostBits(words: Uint32Array, width: number, length: number): boolean {
  let had = false;
  for (let i = 0; i < width; i++) {
    const keep = Math.min(32, Math.max(0, length - 32 * i));
    const mask = keep === 0 ? 0 : (0xffffffff << (32 - keep)) >>> 0;
    const masked = (words[i] & mask) >>> 0;
    if (masked !== words[i]) had = true;
    words[i] = masked;
  }
  return had;
}
