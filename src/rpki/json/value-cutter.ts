/**
 * Cuts a large JSON text into the values that somebody wants, while it arrives. Only the containers around these values are
 * followed; whatever else is in the text is passed over, with a bound on its depth. Memory follows the largest wanted value,
 * not the text.
 */

export interface CutBounds {
  readonly bytes: number;
  /** Brackets inside each other. */
  readonly depth: number;
  /** Values that are taken. */
  readonly values: number;
  /** Bytes of one value that is taken. */
  readonly valueBytes: number;
}

export type ValueKind = 'object' | 'list' | 'scalar';

/** What to do with a value: look into it (not with a scalar), take it as a whole, or pass it over. */
export type CutDecision = 'open' | 'take' | 'skip';

export interface CutReader {
  /**
   * @param path of keys with dots, and `[]` for a member of a list: `data.roas[]`; empty for the outermost value. Keys that
   *   are longer than 64 bytes or have escapes are written `?`.
   */
  decide(path: string, kind: ValueKind): CutDecision;
  /** A wanted value, its text from `from` to `to`; valid during the call. False: it is not JSON. */
  take(path: string, text: Buffer, from: number, to: number): boolean;
}

/** `truncated`: what came is the beginning of JSON. `too_large`: a bound was reached. */
export type CutResult = 'complete' | 'truncated' | 'not_json' | 'too_large';

const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c];
const [LIST_OPENS, LIST_CLOSES, OBJECT_OPENS, OBJECT_CLOSES] = [0x5b, 0x5d, 0x7b, 0x7d];

const MAX_KEY_BYTES = 64;

interface Frame {
  readonly isList: boolean;
  readonly path: string;
  /** The path of the members of a list. */
  readonly memberPath: string;
}

/** What may come next where the structure is followed. */
type Next = 'value' | 'value_or_close' | 'key' | 'key_or_close' | 'colon' | 'comma_or_close' | 'nothing';

/** Feed it with `push`, in order; then `end` says how it went. */
export class ValueCutter {
  readonly #bounds: CutBounds;
  readonly #reader: CutReader;
  readonly #stack: Frame[] = [];
  #next: Next = 'value';
  /** The path of the value that comes next. */
  #path = '';
  #bytes = 0;
  #values = 0;
  #failure: Exclude<CutResult, 'complete' | 'truncated'> | undefined;

  /** A value is being passed over or taken (or, as `key`, read as a key) from the chunk before on. */
  #inside: 'skip' | 'take' | 'key' | undefined;
  #kind: ValueKind = 'scalar';
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  /** The beginning of a taken value or a key that goes on in the next chunk. */
  #parts: Buffer[] = [];
  #partBytes = 0;

  constructor(bounds: CutBounds, reader: CutReader) {
    this.#bounds = bounds;
    this.#reader = reader;
  }

  /** So far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes the next part of the text. False: no more is wanted, `end` tells why. */
  push(chunk: Buffer): boolean {
    if (this.#failure !== undefined) return false;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bounds.bytes) return this.#fail('too_large');
    let at = 0;
    while (at < chunk.length && this.#failure === undefined)
      at = this.#inside === undefined ? this.#follow(chunk, at) : this.#goOn(chunk, at, at);
    return this.#failure === undefined;
  }

  end(): CutResult {
    // A number at the very end of a text ends there.
    if (this.#inside !== undefined && this.#kind === 'scalar' && !this.#inString && this.#stack.length === 0)
      this.#finish(Buffer.alloc(0), 0, 0);
    return this.#failure ?? (this.#next === 'nothing' && this.#inside === undefined ? 'complete' : 'truncated');
  }

  #fail(failure: 'not_json' | 'too_large'): false {
    this.#failure ??= failure;
    return false;
  }

  /** One byte of the structure, or the whole of what begins with it. Gives where to go on. */
  #follow(chunk: Buffer, at: number): number {
    const byte = chunk[at];
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return at + 1;
    const next = this.#next;
    switch (next) {
      case 'value':
      case 'value_or_close':
        // A byte order mark, which some programs write before a text.
        if (this.#stack.length === 0 && (byte === 0xef || byte === 0xbb || byte === 0xbf)) return at + 1;
        if (byte === LIST_CLOSES && next === 'value_or_close') return this.#close(byte, at);
        return this.#begin(chunk, at);
      case 'key':
      case 'key_or_close':
        if (byte === OBJECT_CLOSES && next === 'key_or_close') return this.#close(byte, at);
        if (byte !== QUOTE) break;
        this.#startInside('key', 'scalar');
        return this.#goOn(chunk, at, at);
      case 'colon':
        if (byte !== COLON) break;
        this.#next = 'value';
        return at + 1;
      case 'comma_or_close': {
        if (byte !== COMMA) return this.#close(byte, at);
        const frame = this.#stack[this.#stack.length - 1];
        this.#next = frame.isList ? 'value' : 'key';
        if (frame.isList) this.#path = frame.memberPath;
        return at + 1;
      }
      case 'nothing':
        break;
    }
    this.#fail('not_json');
    return at;
  }

  #close(byte: number, at: number): number {
    const frame = this.#stack.pop();
    if (frame === undefined || byte !== (frame.isList ? LIST_CLOSES : OBJECT_CLOSES)) {
      this.#fail('not_json');
      return at;
    }
    this.#valueEnded();
    return at + 1;
  }

  #valueEnded(): void {
    this.#next = this.#stack.length === 0 ? 'nothing' : 'comma_or_close';
  }

  #begin(chunk: Buffer, at: number): number {
    const byte = chunk[at];
    const kind: ValueKind = byte === OBJECT_OPENS ? 'object' : byte === LIST_OPENS ? 'list' : 'scalar';
    if (kind === 'scalar' && !isScalarStart(byte)) {
      this.#fail('not_json');
      return at;
    }
    const decision = this.#reader.decide(this.#path, kind);
    if (decision === 'open' && kind !== 'scalar') {
      if (this.#stack.length >= this.#bounds.depth) {
        this.#fail('too_large');
        return at;
      }
      const isList = kind === 'list';
      this.#stack.push({ isList, path: this.#path, memberPath: `${this.#path}[]` });
      this.#next = isList ? 'value_or_close' : 'key_or_close';
      if (isList) this.#path = `${this.#path}[]`;
      return at + 1;
    }
    if (decision === 'take' && ++this.#values > this.#bounds.values) {
      this.#fail('too_large');
      return at;
    }
    this.#startInside(decision === 'take' ? 'take' : 'skip', kind);
    return this.#goOn(chunk, at, at);
  }

  #startInside(inside: 'skip' | 'take' | 'key', kind: ValueKind): void {
    this.#inside = inside;
    this.#kind = kind;
    this.#depth = 0;
    this.#inString = false;
    this.#isEscaped = false;
  }

  /** Goes on in a value from `at` on, of which this chunk has what begins at `from`. Gives where to go on. */
  #goOn(chunk: Buffer, from: number, at: number): number {
    const isContainer = this.#kind !== 'scalar';
    const deepest = this.#bounds.depth - this.#stack.length;
    let depth = this.#depth;
    let inString = this.#inString;
    let i = at;
    for (; i < chunk.length; i++) {
      const byte = chunk[i];
      if (inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) {
          inString = false;
          if (!isContainer) return this.#finish(chunk, from, i + 1);
        }
      } else if (byte === QUOTE) {
        // A number or a word has no brackets inside.
        if (!isContainer && (i > from || this.#partBytes > 0)) break;
        inString = true;
      } else if (isContainer) {
        if (byte === OBJECT_OPENS || byte === LIST_OPENS) {
          if (++depth > deepest) {
            this.#fail('too_large');
            return i;
          }
        } else if ((byte === OBJECT_CLOSES || byte === LIST_CLOSES) && --depth === 0) {
          return this.#finish(chunk, from, i + 1);
        }
      } else if (isScalarEnd(byte)) {
        return this.#finish(chunk, from, i);
      }
    }
    if (i < chunk.length) {
      this.#fail('not_json');
      return i;
    }
    this.#depth = depth;
    this.#inString = inString;
    if (this.#inside !== 'skip') {
      this.#parts.push(Buffer.from(chunk.subarray(from)));
      this.#partBytes += chunk.length - from;
      if (this.#partBytes > this.#bounds.valueBytes) this.#fail('too_large');
    } else {
      this.#partBytes = 1; // something of the value has come
    }
    return chunk.length;
  }

  /** The value ends at `to`. */
  #finish(chunk: Buffer, from: number, to: number): number {
    const inside = this.#inside;
    let [text, start, end] = [chunk, from, to];
    if (this.#parts.length > 0) {
      text = Buffer.concat([...this.#parts, chunk.subarray(from, to)]);
      [start, end] = [0, text.length];
      this.#parts = [];
    }
    this.#partBytes = 0;
    this.#inside = undefined;
    if (inside === 'key') {
      this.#key(text, start + 1, end - 1);
      return to;
    }
    if (end - start > this.#bounds.valueBytes && inside === 'take') this.#fail('too_large');
    else if (inside === 'take' && !this.#reader.take(this.#path, text, start, end)) this.#fail('not_json');
    this.#valueEnded();
    return to;
  }

  #key(text: Buffer, from: number, to: number): void {
    const isPlain = to - from <= MAX_KEY_BYTES && text.subarray(from, to).indexOf(BACKSLASH) === -1;
    const key = isPlain ? text.toString('utf8', from, to) : '?';
    const { path } = this.#stack[this.#stack.length - 1];
    this.#path = path === '' ? key : `${path}.${key}`;
    this.#next = 'colon';
  }
}

/** A string, a number, true, false or null. */
function isScalarStart(byte: number): boolean {
  return (
    byte === QUOTE || byte === 0x2d || (byte >= 0x30 && byte <= 0x39) || byte === 0x74 || byte === 0x66 || byte === 0x6e
  );
}

function isScalarEnd(byte: number): boolean {
  return byte === COMMA || byte === OBJECT_CLOSES || byte === LIST_CLOSES || byte <= 0x20;
}
