/**
 * Finds secrets in a text that somebody else wrote: in another case, encoded (percent, HTML entities, escapes of JSON, one
 * inside the other), in base64 or hexadecimal, with blanks, line breaks or invisible characters inside, or only a long
 * piece.
 *
 * Text and secrets are brought into one plain form, in which each character knows where it came from; the plain text is
 * then searched for every window of the plain secrets.
 */
import { isUtf8 } from 'node:buffer';

/** Places `[from, to)` in a text. */
export type TextRange = readonly [from: number, to: number];

/** Secrets with fewer characters in the plain form are not searched for here: ordinary words would be taken for them. */
const MIN_SECRET = 8;
/** From this length on, a piece of a secret is searched for too: half of it, within these bounds. */
const MIN_CUT_SECRET = 12;
const MIN_PIECE = 8;
const MAX_PIECE = 16;
/** A text that was cut may end with the beginning of a secret, which is hidden from so many characters on. */
const MIN_TAIL = 4;
/** How many encodings may lie inside each other; more do not happen by mistake. */
const MAX_PASSES = 4;
const BEGINNINGS = 16_384;

/** Characters that separate or show nothing; a secret is found across them. */
const SEPARATOR = /[\p{C}\p{Z}\u00ad]/u;

const ENCODED =
  /(?:%[0-9a-f]{2})+|\\u\{?[0-9a-f]{4,6}\}?|\\x[0-9a-f]{2}|\\[bfnrt"'/\\]|&#x[0-9a-f]{1,6};?|&#[0-9]{1,7};?|&[a-z]{2,8};/gi;
const MAYBE_ENCODED = /[%&\\]/;
/** What a cut may leave of an encoded character. */
const HALF_ENCODED = /[%&\\][#a-z0-9]{0,8}$/i;

/** Names that HTML has for ASCII; those of other characters are in no key. */
const ENTITIES: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', plus: '+', equals: '=', percnt: '%', sol: '/' },
  ...{ bsol: '\\', lowbar: '_', hyphen: '-', dash: '-', period: '.', colon: ':', semi: ';', comma: ',', commat: '@' },
  ...{ num: '#', dollar: '$', excl: '!', quest: '?', ast: '*', lpar: '(', rpar: ')', lsqb: '[', rsqb: ']', lcub: '{' },
  ...{
    rcub: '}',
    verbar: '|',
    vert: '|',
    grave: '`',
    hat: '^',
    newline: '\n',
    tab: '\t',
    shy: '\u00ad',
    zwnj: '\u200c',
  },
};

/** Text in plain form, and for each of its characters where it began and ended in the original. */
interface PlainText {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

export class SecretFinder {
  /** Windows of the plain secrets, by length. */
  readonly #windows = new Map<number, Set<string>>();
  /** 1 where a window may begin so, by the hash of its first characters: most places of a text are passed over by it. */
  readonly #beginnings = new Uint8Array(BEGINNINGS);
  /** Plain secrets and what base64 and hexadecimal make of them. */
  readonly #needles: string[] = [];

  constructor(secrets: Iterable<string>) {
    for (const secret of secrets) this.#add(secret);
  }

  /** Places in the text that hold a secret or a long piece of one; ascending, none touches the next. */
  find(text: string): readonly TextRange[] {
    if (this.#needles.length === 0) return [];
    const plain = plainTextOf(text);
    const found: TextRange[] = [];
    for (let i = 0; i + MIN_SECRET <= plain.text.length; i++) {
      if (this.#beginnings[beginningOf(plain.text, i)] === 0) continue;
      for (const [length, windows] of this.#windows) {
        if (windows.has(plain.text.slice(i, i + length))) found.push([plain.starts[i], plain.ends[i + length - 1]]);
      }
    }
    const tail = this.#tail(plain, text.length);
    if (tail !== undefined) found.push(tail);
    return mergedRanges(found);
  }

  #add(secret: string): void {
    const plain = plainTextOf(secret).text;
    if (plain.length < MIN_SECRET) return;
    const half = Math.min(Math.max(Math.ceil(plain.length / 2), MIN_PIECE), MAX_PIECE);
    const piece = plain.length < MIN_CUT_SECRET ? plain.length : half;
    this.#addNeedle(plain, piece);
    const bytes = Buffer.from(secret);
    this.#addNeedle(bytes.toString('hex'), 2 * piece);
    for (const before of [0, 1, 2]) this.#addNeedle(base64Behind(bytes, before), Math.floor((4 * piece) / 3));
  }

  #addNeedle(needle: string, piece: number): void {
    const length = Math.min(piece, needle.length);
    this.#needles.push(needle);
    const windows = this.#windows.get(length) ?? new Set<string>();
    this.#windows.set(length, windows);
    for (let i = 0; i + length <= needle.length; i++) {
      windows.add(needle.slice(i, i + length));
      this.#beginnings[beginningOf(needle, i)] = 1;
    }
  }

  /** The beginning of a secret at the very end of the text, as a cut leaves it. */
  #tail({ text, starts }: PlainText, end: number): TextRange | undefined {
    const whole = text.replace(HALF_ENCODED, '');
    for (const candidate of whole === text ? [text] : [text, whole]) {
      for (let length = Math.min(MAX_PIECE * 2, candidate.length); length >= MIN_TAIL; length--) {
        const tail = candidate.slice(-length);
        if (this.#needles.some((needle) => needle.startsWith(tail))) return [starts[candidate.length - length], end];
      }
    }
    return undefined;
  }
}

/** A hash of four characters. */
function beginningOf(text: string, at: number): number {
  let hash = 0;
  for (let i = at; i < at + 4; i++) hash = hash * 31 + text.charCodeAt(i);
  return hash % BEGINNINGS;
}

/** Sorted, and those that overlap or touch made one. */
export function mergedRanges(ranges: readonly TextRange[]): readonly TextRange[] {
  const merged: TextRange[] = [];
  for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) merged[merged.length - 1] = [last[0], Math.max(last[1], to)];
    else merged.push([from, to]);
  }
  return merged;
}

/** Decoded as often as it was encoded, without separators, in lower case, and with one alphabet for both kinds of base64. */
function plainTextOf(original: string): PlainText {
  let text = original;
  let starts = Array.from({ length: text.length }, (_, i) => i);
  let ends = starts.map((i) => i + 1);
  for (let pass = 0; pass < MAX_PASSES && MAYBE_ENCODED.test(text); pass++) {
    const decoded = decodeOnce({ text, starts, ends });
    if (decoded === undefined) break;
    ({ text, starts, ends } = decoded);
  }
  let plain = '';
  let kept = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    const code = text.charCodeAt(i);
    const isVisibleAscii = code > 0x20 && code < 0x7f;
    if (!isVisibleAscii && SEPARATOR.test(character)) continue;
    const isCapital = code >= 0x41 && code <= 0x5a;
    plain += isCapital ? String.fromCharCode(code + 32) : character === '-' ? '+' : character === '_' ? '/' : character;
    starts[kept] = starts[i];
    ends[kept++] = ends[i];
  }
  starts.length = kept;
  ends.length = kept;
  return { text: plain, starts, ends };
}

interface Decoded {
  text: string;
  starts: number[];
  ends: number[];
}

/** Undefined when nothing is encoded. */
function decodeOnce({ text, starts, ends }: PlainText): Decoded | undefined {
  const decoded: Decoded = { text: '', starts: [], ends: [] };
  const add = (character: string, from: number, to: number): void => {
    decoded.text += character;
    for (let i = 0; i < character.length; i++) {
      decoded.starts.push(starts[from]);
      decoded.ends.push(ends[to - 1]);
    }
  };
  let read = 0;
  let changed = false;
  for (const match of text.matchAll(ENCODED)) {
    const characters = charactersOf(match[0]);
    if (characters === undefined) continue;
    changed = true;
    for (; read < match.index; read++) add(text[read], read, read + 1);
    for (const [character, length] of characters) {
      add(character, read, read + length);
      read += length;
    }
  }
  if (!changed) return undefined;
  for (; read < text.length; read++) add(text[read], read, read + 1);
  return decoded;
}

/** What an encoded part means: characters, each with how many of the part's characters spell it. */
function charactersOf(part: string): readonly (readonly [character: string, length: number])[] | undefined {
  if (part[0] === '%') {
    const bytes = Buffer.from(part.replaceAll('%', ''), 'hex');
    if (!isUtf8(bytes)) return [...bytes].map((byte) => [String.fromCharCode(byte), 3]);
    return [...bytes.toString('utf8')].map((character) => [character, 3 * Buffer.byteLength(character)]);
  }
  const number = /^(?:\\u\{?|\\x|&#x)([0-9a-f]+)/i.exec(part) ?? undefined;
  const code = number !== undefined ? Number.parseInt(number[1], 16) : part[1] === '#' ? Number(/\d+/.exec(part)) : -1;
  if (code > 0x10ffff) return undefined;
  if (code >= 0) return [[String.fromCodePoint(code), part.length]];
  if (part[0] === '\\') {
    const control = 'bfnrt'.includes(part[1]); // all of these separate
    return [[control ? ' ' : part[1], part.length]];
  }
  const name = part.slice(1, -1).toLowerCase();
  return Object.hasOwn(ENTITIES, name) ? [[ENTITIES[name], part.length]] : undefined;
}

/**
 * What base64 makes of the bytes when so many others stand before them. Its last character may depend on what follows; the
 * windows without that character do not.
 */
function base64Behind(bytes: Buffer, before: number): string {
  const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64url');
  return plainTextOf(encoded.slice(Math.ceil((before * 8) / 6))).text;
}
