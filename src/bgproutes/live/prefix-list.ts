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
 * Reads the long lists of a message in steps, so that `decodeList` finds them read. Their prefixes are pieces of the text of the
 * message, and must not be kept for longer than the message is applied: copies of thousands would take more than the text.
 * @param message is changed
 * @param others keys that are not lists of prefixes
 */
export function* readLongLists(message: Record<string, unknown>, others: ReadonlySet<string>): Generator<void, void> {
  for (const [key, value] of Object.entries(message)) {
    if (others.has(key)) continue;
    const isLong =
      typeof value === 'string' ? value.length > LONG_LIST : Array.isArray(value) && value.length > ENTRIES_A_STEP;
    // An unknown key may hold anything: what begins without a prefix is left to whoever asks for it.
    const reading = isLong ? readingOf(value, WHOLE_UPDATE, false) : undefined;
    if (reading === undefined) continue;
    while (reading.read(ENTRIES_A_STEP)) {
      if (reading.prefixes.length === 0) break;
      yield;
    }
    if (reading.prefixes.length > 0) message[key] = new ReadList(reading);
  }
}

function readingOf(value: unknown, room: Room, copies: boolean): ListReading | undefined {
  if (Array.isArray(value)) return new ListReading(value, room, false);
  if (typeof value !== 'string') return undefined;
  const parts = value.trim() === '' ? [] : value.split(',', MAX_UPDATE_PREFIXES + 1);
  return new ListReading(parts, room, copies);
}

class ListReading implements PrefixListResult {
  readonly present = true;
  readonly prefixes: string[] = [];
  unreadable = false;
  bytes = 0;
  entries = 0;
  readonly #parts: readonly unknown[];
  readonly #room: Room;
  readonly #copies: boolean;

  /** @param copies whether the prefixes must share no memory with the parts */
  constructor(parts: readonly unknown[], room: Room, copies: boolean) {
    this.#parts = parts;
    this.#room = room;
    this.#copies = copies;
  }

  /** Reads so many entries. False: the list is at its end, or has more than there is room for. */
  read(count: number): boolean {
    const end = Math.min(this.#parts.length, this.entries + count);
    while (this.entries < end) {
      const part = this.#parts[this.entries++];
      this.bytes += typeof part === 'string' ? this.#take(part.trim()) : this.#refuse();
      if (this.bytes > this.#room.bytes || this.entries > this.#room.entries) return false;
    }
    return end < this.#parts.length;
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
