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

/** Containers at this depth are parsed in pieces: in `{"data": {"bgp": […]}}` the list. */
const PIECED_DEPTH = 3;

/** A piece is parsed when it has at least this many bytes: a millisecond of work. */
const PIECE_BYTES = 64 * 1024;

/** A piece ends only between two members of its container, so the size of one member is bounded: tens of milliseconds. */
const MAX_MEMBER_BYTES = 4 * 1024 * 1024;
const MAX_MEMBER_VALUES = 300_000;

/** What is outside of all pieces, which is parsed at once. */
const MAX_FRAME_BYTES = 1024 * 1024;

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [LIST_OPENS, LIST_CLOSES, OBJECT_OPENS, OBJECT_CLOSES] = [0x5b, 0x5d, 0x7b, 0x7d];

type Container = unknown[] | Record<string, unknown>;

/** Feed it with `push`, in order; then `end` gives the value. */
export class JsonReader {
  readonly #bounds: JsonBounds;
  readonly #pieceLength: number;
  #bytes = 0;
  #values = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  /** What closes the containers that are open, down to those that are parsed in pieces. */
  readonly #closing: number[] = [];
  /** The text outside of the pieces; `[N]` stands for the container number N, and no other list is in its place. */
  readonly #frame: Buffer[] = [];
  #frameBytes = 0;
  readonly #containers: Container[] = [];
  /** The piece that is being collected, and how many values there were at its beginning. */
  #piece: Buffer[] = [];
  #pieceBytes = 0;
  #pieceFrom = 0;
  /** The container has members in pieces that were parsed already. */
  #isContinued = false;
  #failure: Exclude<JsonRead, { kind: 'value' }> | undefined;

  /** @param pieceBytes how many bytes a piece has at least */
  constructor(bounds: JsonBounds, pieceBytes = PIECE_BYTES) {
    this.#bounds = bounds;
    this.#pieceLength = pieceBytes;
  }

  /** So far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes the next part of the text, which must not change afterwards. False: no more is wanted, `end` tells why. */
  push(chunk: Buffer): boolean {
    if (this.#failure !== undefined) return false;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bounds.bytes) return this.#refuse(`more than ${this.#bounds.bytes} bytes`);
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
          if (this.#depth === PIECED_DEPTH && this.#pieceBytes + at - from >= this.#pieceLength) {
            this.#keep(chunk.subarray(from, at));
            from = at + 1;
            this.#endPiece(false);
          }
          break;
        case LIST_OPENS:
        case OBJECT_OPENS:
          this.#values++;
          if (++this.#depth <= PIECED_DEPTH) this.#closing.push(byte + 2);
          if (this.#depth === PIECED_DEPTH) {
            this.#keepFrame(chunk.subarray(from, at));
            from = at + 1;
            this.#openContainer(byte === LIST_OPENS);
          }
          if (this.#depth > this.#bounds.depth) this.#refuse(`more than ${this.#bounds.depth} levels`);
          break;
        case LIST_CLOSES:
        case OBJECT_CLOSES:
          if (this.#depth <= PIECED_DEPTH && this.#closing.pop() !== byte) this.#failure ??= { kind: 'not_json' };
          if (this.#depth === PIECED_DEPTH) {
            this.#keep(chunk.subarray(from, at));
            from = at + 1;
            this.#endPiece(true);
            this.#keepFrame(Buffer.from(`[${this.#containers.length - 1}]`));
          }
          this.#depth--;
      }
      if (this.#failure !== undefined) return false;
    }
    if (this.#values > this.#bounds.values) return this.#refuse(`more than ${this.#bounds.values} values`);
    if (this.#depth >= PIECED_DEPTH) this.#keep(chunk.subarray(from));
    else this.#keepFrame(chunk.subarray(from));
    return this.#failure === undefined;
  }

  /** What the text holds. Objects that were read in pieces have no prototype. */
  end(): JsonRead {
    if (this.#failure !== undefined) return this.#failure;
    const value = parsed(Buffer.concat(this.#frame).toString());
    if (value === undefined) return { kind: 'not_json' };
    for (const inner of Object.values(isContainer(value) ? value : {})) {
      if (!isContainer(inner)) continue;
      const members = inner as Record<string, unknown>;
      for (const [key, place] of Object.entries(members))
        if (Array.isArray(place)) members[key] = this.#containers[place[0]];
    }
    return { kind: 'value', value };
  }

  #refuse(text: string): false {
    this.#failure ??= { kind: 'too_large', text };
    return false;
  }

  #openContainer(isList: boolean): void {
    this.#containers.push(isList ? [] : Object.create(null));
    this.#pieceFrom = this.#values;
    this.#isContinued = false;
  }

  #keep(text: Buffer): void {
    this.#piece.push(text);
    this.#pieceBytes += text.length;
    if (this.#pieceBytes > MAX_MEMBER_BYTES) this.#refuse(`one part of more than ${MAX_MEMBER_BYTES} bytes`);
    else if (this.#values - this.#pieceFrom > MAX_MEMBER_VALUES)
      this.#refuse(`one part of more than ${MAX_MEMBER_VALUES} values`);
  }

  /** A copy, because a few bytes would keep the whole chunk. */
  #keepFrame(text: Buffer): void {
    if (text.length === 0) return;
    this.#frame.push(Buffer.from(text));
    this.#frameBytes += text.length;
    if (this.#frameBytes > MAX_FRAME_BYTES) this.#refuse(`more than ${MAX_FRAME_BYTES} bytes around its parts`);
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
    const container = this.#containers[this.#containers.length - 1];
    const members = isEmpty ? undefined : parsed(Array.isArray(container) ? `[${text}]` : `{${text}}`);
    if (members === undefined) this.#failure = { kind: 'not_json' };
    else if (Array.isArray(container)) for (const member of members as unknown[]) container.push(member);
    else for (const [key, member] of Object.entries(members as object)) container[key] = member;
  }
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

/** Undefined, which no JSON is, when the text is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
