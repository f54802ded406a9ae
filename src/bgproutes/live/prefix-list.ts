/** Lists of prefixes in a message of the live stream. The longest take milliseconds, and may be read in steps. */
import { ipv4PrefixNumber, ownText, parsePrefix } from '../../bgp/prefix.ts';
import { MAX_UPDATE_BYTES, MAX_UPDATE_PREFIXES, prefixBytes } from '../../bgp/update-bounds.ts';

/** What an UPDATE has room for, or what is left of it. */
export interface Room {
  readonly bytes: number;
  readonly entries: number;
}

export const WHOLE_UPDATE: Room = { bytes: MAX_UPDATE_BYTES, entries: MAX_UPDATE_PREFIXES };

export function roomAfter({ bytes, entries }: PrefixListResult, room: Room): Room {
  return { bytes: room.bytes - bytes, entries: room.entries - entries };
}

export function isExceeded({ bytes, entries }: Room): boolean {
  return bytes < 0 || entries < 0;
}

export interface PrefixListResult {
  readonly present: boolean;
  readonly prefixes: readonly string[];
  readonly unreadable: boolean;
  /** How many bytes the list takes in an UPDATE; an entry that is not a prefix counts as one byte. */
  readonly bytes: number;
  /** Prefixes and what is not a prefix, as far as the list was read. */
  readonly entries: number;
}

/** A message with a longer list of prefixes may be applied over several turns. */
const LONG_LIST = 4_096;
/** Entries that are read in one step: a tenth of a millisecond, or one while the code is not compiled yet. */
const ENTRIES_A_STEP = 256;

export const ABSENT: PrefixListResult = { present: false, prefixes: [], unreadable: false, bytes: 0, entries: 0 };

/** A list that was read in steps, in place of what it was read from. */
class ReadList {
  readonly result: PrefixListResult;

  constructor(result: PrefixListResult) {
    this.result = result;
  }
}

/**
 * Comma-separated text or an array of texts; what is not a prefix is left out and told.
 * @param room what the list may take of an UPDATE; it is not read beyond that
 */
export function decodeList(value: unknown, room: Room): PrefixListResult {
  if (value === undefined || value === null) return ABSENT;
  if (value instanceof ReadList) return value.result;
  // Whoever keeps a piece of a long text for long would keep all of the text.
  const reading = readingOf(value, room, typeof value === 'string' && value.length > LONG_LIST);
  if (reading === undefined) return UNREADABLE;
  while (reading.read(ENTRIES_A_STEP));
  return reading;
}

const UNREADABLE: PrefixListResult = { present: true, prefixes: [], unreadable: true, bytes: 0, entries: 0 };

/**
 * Reads the long lists of a message in steps, so that `decodeList` finds them read. Their prefixes are parts of longer texts, and
 * must not be kept for longer than the message is applied: copies of thousands would take more.
 * @param message is changed
 * @param others keys that are not lists of prefixes
 */
export function* readLongLists(message: Record<string, unknown>, others: ReadonlySet<string>): Generator<void, void> {
  for (const key of Object.keys(message)) {
    const reading = others.has(key) ? undefined : longReadingOf(message[key]);
    if (reading === undefined) continue;
    let goesOn = reading.read(ENTRIES_A_STEP);
    // An unknown key may hold anything: what begins without a prefix is left to whoever asks for it.
    if (reading.prefixes.length === 0) continue;
    message[key] = new ReadList(reading); // what it is read from is not needed any more
    while (goesOn) {
      yield;
      goesOn = reading.read(ENTRIES_A_STEP);
    }
  }
}

function longReadingOf(value: unknown): ListReading | undefined {
  const isLong =
    typeof value === 'string' ? value.length > LONG_LIST : Array.isArray(value) && value.length > ENTRIES_A_STEP;
  return isLong ? readingOf(value, WHOLE_UPDATE, false) : undefined;
}

function readingOf(value: unknown, room: Room, copies: boolean): ListReading | undefined {
  if (Array.isArray(value)) return new ListReading(value, [], room, false);
  if (typeof value !== 'string') return undefined;
  const texts = value.trim() === '' ? [] : value.length > LONG_LIST ? piecesOf(value) : [value];
  return new ListReading([], texts, room, copies);
}

/** Characters of a piece of a long text, at least. */
const PIECE = 16_384;
const MAX_PIECE = 2 * PIECE;
/** Takes a piece for the time of a copy: a character has at most three bytes. */
const scratch = Buffer.allocUnsafeSlow(3 * MAX_PIECE);

/**
 * The text in pieces that end before a comma and share no memory with it. A message is applied over several turns, and a text
 * of more than 128 KiB that is in use while the garbage collector runs stays until a rare collection of everything: a flood
 * of them came to 60 MB.
 */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; ; ) {
    const comma = text.indexOf(',', start + PIECE);
    const end = comma === -1 ? text.length : comma;
    const piece = text.slice(start, end);
    // One that is longer has an entry that is not a prefix.
    pieces.push(piece.length > MAX_PIECE ? piece : scratch.toString('utf8', 0, scratch.write(piece, 'utf8')));
    if (comma === -1) return pieces;
    start = comma + 1;
  }
}

class ListReading implements PrefixListResult {
  readonly present = true;
  readonly prefixes: string[] = [];
  unreadable = false;
  bytes = 0;
  entries = 0;
  readonly #texts: readonly string[];
  readonly #room: Room;
  readonly #copies: boolean;
  #parts: readonly unknown[];
  /** The next of the parts, and the next of the texts. */
  #part = 0;
  #text = 0;

  /**
   * @param parts entries, each a text
   * @param texts entries behind them, separated by commas
   * @param copies whether the prefixes must share no memory with what they are read from
   */
  constructor(parts: readonly unknown[], texts: readonly string[], room: Room, copies: boolean) {
    this.#parts = parts;
    this.#texts = texts;
    this.#room = room;
    this.#copies = copies;
  }

  /** Reads so many entries. False: the list is at its end, or has more than there is room for. */
  read(count: number): boolean {
    for (let left = count; left > 0; left--) {
      if (this.#part === this.#parts.length) {
        if (this.#text === this.#texts.length) return false;
        this.#parts = this.#texts[this.#text++].split(',', MAX_UPDATE_PREFIXES + 1);
        this.#part = 0;
      }
      const part = this.#parts[this.#part++];
      this.entries++;
      this.bytes += typeof part === 'string' ? this.#take(part.trim()) : this.#refuse();
      if (this.bytes > this.#room.bytes || this.entries > this.#room.entries) return false;
    }
    return this.#part < this.#parts.length || this.#text < this.#texts.length;
  }

  /** Gives how many bytes the entry takes in an UPDATE. */
  #take(text: string): number {
    // Most are IPv4 in canonical text, of which nothing need be made.
    const number = this.#copies ? -1 : ipv4PrefixNumber(text);
    if (number !== -1) {
      this.prefixes.push(text);
      return prefixBytes(number % 64);
    }
    const prefix = parsePrefix(text);
    if (prefix === undefined) return this.#refuse();
    this.prefixes.push(this.#copies ? ownText(prefix) : prefix.text);
    return prefixBytes(prefix.length);
  }

  #refuse(): number {
    this.unreadable = true;
    return 1;
  }
}
