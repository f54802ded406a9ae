/**
 * JSON of foreign size, read while it arrives. Memory and time follow the number of values, not that of bytes: 20 KiB of
 * gzip can hold 10 million brackets. So values, depth and bytes are counted before anything is parsed, and the text is
 * parsed in small pieces, so that the event loop turns between them.
 */

/** What a text may hold at most. */
export interface JsonBounds {
  readonly bytes: number;
  /** Commas and opened brackets outside of strings: at least one for each value, but for the outermost. */
  readonly values: number;
  /** Brackets inside each other. */
  readonly depth: number;
}

/** Too large: more than the bounds allow. Not JSON: what was read until there cannot be JSON. */
export type JsonRead =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'too_large'; readonly text: string }
  | { readonly kind: 'not_json' };

/**
 * Takes the members of one list or object while the text is read: what it does not keep is garbage at once, so that memory
 * follows what is of use and not what was sent.
 */
export interface JsonPart {
  /** @param key undefined in a list */
  add(key: string | undefined, member: unknown): void;
  /** What stands in the place of the list or object. Called once, after the last member. */
  end(): unknown;
}

/** Which lists and objects are read in pieces, and by whom. */
export interface JsonParts {
  /** How many brackets are open inside one: 3 for the list in `{"data": {"bgp": […]}}`. At least 1. */
  readonly depth: number;
  /** Bounds of one member, which is parsed at once. */
  readonly memberBytes: number;
  readonly memberValues: number;
  /** Bound of what stands around the parts, which is parsed at once. */
  readonly aroundBytes: number;
  begin(isList: boolean): JsonPart;
}

/** Keeps everything; a member takes tens of milliseconds at most. */
const WHOLE: JsonParts = {
  depth: 3,
  memberBytes: 4 * 1024 * 1024,
  memberValues: 300_000,
  aroundBytes: 1024 * 1024,
  begin: (isList) => (isList ? wholeList() : wholeObject()),
};

/** A piece is parsed when it has at least this many bytes: a millisecond of work. */
const PIECE_BYTES = 64 * 1024;

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [LIST_OPENS, LIST_CLOSES, OBJECT_OPENS, OBJECT_CLOSES] = [0x5b, 0x5d, 0x7b, 0x7d];

type Container = unknown[] | Record<string, unknown>;

/** Feed it with `push`, in order; then `end` gives the value. */
export class JsonReader {
  readonly #bounds: JsonBounds;
  readonly #parts: JsonParts;
  readonly #pieceLength: number;
  #bytes = 0;
  #values = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  /** The closing brackets that the open containers still need, but for those inside a container that is parsed in pieces. */
  readonly #closing: number[] = [];
  /** The text outside of the pieces; `[N]` stands for the container number N, and no other list is in its place. */
  #frame = Buffer.allocUnsafe(1024);
  #frameBytes = 0;
  readonly #containers: unknown[] = [];
  /** The container whose members are read in pieces now. */
  #part: JsonPart | undefined;
  #isList = false;
  /** The piece that is being collected, and how many values there were at its beginning. */
  #piece: Buffer[] = [];
  #pieceBytes = 0;
  #pieceFrom = 0;
  /** The container has members in pieces that were parsed already. */
  #isContinued = false;
  #failure: Exclude<JsonRead, { kind: 'value' }> | undefined;

  /** @param parts default: all of the third depth is kept @param pieceBytes how many bytes a piece has at least */
  constructor(bounds: JsonBounds, parts = WHOLE, pieceBytes = PIECE_BYTES) {
    this.#bounds = bounds;
    this.#parts = parts;
    this.#pieceLength = pieceBytes;
  }

  /** How many bytes were pushed so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes the next part of the text, which must not change afterwards. False: no more is wanted, `end` tells why. */
  push(chunk: Buffer): boolean {
    if (this.#failure !== undefined) return false;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bounds.bytes) return this.#refuse(`more than ${this.#bounds.bytes} bytes`);
    const { depth: partDepth } = this.#parts;
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#inString = false;
        continue;
      }
      switch (byte) {
        case QUOTE:
          this.#inString = true;
          break;
        case COMMA:
          this.#values++;
          if (this.#depth === partDepth && this.#pieceBytes + at - from >= this.#pieceLength) {
            this.#keep(chunk.subarray(from, at));
            from = at + 1;
            this.#endPiece(false);
          }
          break;
        case LIST_OPENS:
        case OBJECT_OPENS:
          this.#values++;
          if (++this.#depth <= partDepth) this.#closing.push(byte + 2);
          if (this.#depth === partDepth) {
            this.#keepFrame(chunk.subarray(from, at));
            from = at + 1;
            this.#openContainer(byte === LIST_OPENS);
          }
          if (this.#depth > this.#bounds.depth) this.#refuse(`more than ${this.#bounds.depth} levels`);
          break;
        case LIST_CLOSES:
        case OBJECT_CLOSES:
          if (this.#depth <= partDepth && this.#closing.pop() !== byte) this.#failure ??= { kind: 'not_json' };
          if (this.#depth === partDepth) {
            this.#keep(chunk.subarray(from, at));
            from = at + 1;
            this.#endPiece(true);
            this.#containers.push(this.#failure === undefined ? this.#part?.end() : undefined);
            this.#part = undefined;
            this.#keepFrame(Buffer.from(`[${this.#containers.length - 1}]`));
          }
          this.#depth--;
      }
      if (this.#failure !== undefined) return false;
    }
    if (this.#values > this.#bounds.values) return this.#refuse(`more than ${this.#bounds.values} values`);
    if (this.#depth >= partDepth) this.#keep(chunk.subarray(from));
    else this.#keepFrame(chunk.subarray(from));
    return this.#failure === undefined;
  }

  /** What the text holds. Objects that were read in pieces, and kept as they are, have no prototype. */
  end(): JsonRead {
    if (this.#failure !== undefined) return this.#failure;
    const value = parsed(this.#frame.toString('utf8', 0, this.#frameBytes));
    if (value === undefined) return { kind: 'not_json' };
    return { kind: 'value', value: this.#withContainers(value, 1) };
  }

  /** @param depth of the value's members */
  #withContainers(value: unknown, depth: number): unknown {
    if (!isContainer(value)) return value;
    if (depth === this.#parts.depth) return this.#containers[(value as number[])[0]];
    const members = value as Record<string, unknown>;
    for (const [key, inner] of Object.entries(members))
      if (isContainer(inner)) members[key] = this.#withContainers(inner, depth + 1);
    return value;
  }

  #refuse(text: string): false {
    this.#failure ??= { kind: 'too_large', text };
    return false;
  }

  #openContainer(isList: boolean): void {
    this.#isList = isList;
    this.#part = this.#parts.begin(isList);
    this.#pieceFrom = this.#values;
    this.#isContinued = false;
  }

  #keep(text: Buffer): void {
    this.#piece.push(text);
    this.#pieceBytes += text.length;
    const { memberBytes, memberValues } = this.#parts;
    if (this.#pieceBytes > memberBytes) this.#refuse(`one part of more than ${memberBytes} bytes`);
    else if (this.#values - this.#pieceFrom > memberValues)
      this.#refuse(`one part of more than ${memberValues} values`);
  }

  /** A copy, because a few bytes would keep the whole chunk. */
  #keepFrame(text: Buffer): void {
    const { aroundBytes } = this.#parts;
    const end = this.#frameBytes + text.length;
    if (end > aroundBytes) {
      this.#refuse(`more than ${aroundBytes} bytes around its parts`);
      return;
    }
    if (end > this.#frame.length) {
      const larger = Buffer.allocUnsafe(2 * end);
      this.#frame.copy(larger, 0, 0, this.#frameBytes);
      this.#frame = larger;
    }
    text.copy(this.#frame, this.#frameBytes);
    this.#frameBytes = end;
  }

  /** Parses what was collected into the container. */
  #endPiece(isLast: boolean): void {
    if (this.#failure !== undefined) return;
    const text = Buffer.concat(this.#piece, this.#pieceBytes).toString();
    this.#piece = [];
    this.#pieceBytes = 0;
    this.#pieceFrom = this.#values;
    const isEmpty = /^[ \t\r\n]*$/.test(text);
    if (isEmpty && isLast && !this.#isContinued) return;
    this.#isContinued = true;
    const members = isEmpty ? undefined : parsed(this.#isList ? `[${text}]` : `{${text}}`);
    if (members === undefined) this.#failure = { kind: 'not_json' };
    else if (this.#isList) for (const member of members as unknown[]) this.#part?.add(undefined, member);
    else for (const [key, member] of Object.entries(members as object)) this.#part?.add(key, member);
  }
}

function wholeList(): JsonPart {
  const list: unknown[] = [];
  return { add: (_, member) => void list.push(member), end: () => list };
}

function wholeObject(): JsonPart {
  const object = Object.create(null) as Record<string, unknown>;
  return {
    add: (key = '', member) => {
      object[key] = member;
    },
    end: () => object,
  };
}

/** The value of a whole text. */
export function readJson(text: Buffer, bounds: JsonBounds): JsonRead {
  const reader = new JsonReader(bounds);
  reader.push(text);
  return reader.end();
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** Undefined when the text is not JSON; no JSON text has that value. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
