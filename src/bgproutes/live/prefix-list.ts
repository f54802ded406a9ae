/** Lists of prefixes in a message of the live stream. The longest take milliseconds, and may be read in steps. */
import { ownText, parsePrefix } from '../../bgp/prefix.ts';
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
  const reading = readingOf(value, room);
  if (reading === undefined) return UNREADABLE;
  while (reading.read(ENTRIES_A_STEP));
  return reading;
}

const UNREADABLE: PrefixListResult = { present: true, prefixes: [], unreadable: true, bytes: 0, entries: 0 };

/**
 * Reads the long lists of a message in steps, so that `decodeList` finds them read.
 * @param message is changed
 * @param others keys that are not lists of prefixes
 */
export function* readLongLists(message: Record<string, unknown>, others: ReadonlySet<string>): Generator<void, void> {
  for (const [key, value] of Object.entries(message)) {
    if (others.has(key)) continue;
    const isLong =
      typeof value === 'string' ? value.length > LONG_LIST : Array.isArray(value) && value.length > ENTRIES_A_STEP;
    // An unknown key may hold anything: what begins without a prefix is left to whoever asks for it.
    const reading = isLong ? readingOf(value, WHOLE_UPDATE) : undefined;
    if (reading === undefined) continue;
    while (reading.read(ENTRIES_A_STEP)) {
      if (reading.prefixes.length === 0) break;
      yield;
    }
    if (reading.prefixes.length > 0) message[key] = new ReadList(reading);
  }
}

function readingOf(value: unknown, room: Room): ListReading | undefined {
  if (Array.isArray(value)) return new ListReading(value, room, false);
  if (typeof value !== 'string') return undefined;
  // A piece of a long text would keep all of it, and that for as long as the message takes to apply.
  const parts = value.trim() === '' ? [] : value.split(',', MAX_UPDATE_PREFIXES + 1);
  return new ListReading(parts, room, value.length > LONG_LIST);
}

class ListReading implements PrefixListResult {
  readonly present = true;
  readonly prefixes: string[] = [];
  unreadable = false;
  bytes = 0;
  entries = 0;
  readonly #parts: readonly unknown[];
  readonly #room: Room;
  readonly #isPiece: boolean;

  /** @param isPiece whether the parts are pieces of one long text */
  constructor(parts: readonly unknown[], room: Room, isPiece: boolean) {
    this.#parts = parts;
    this.#room = room;
    this.#isPiece = isPiece;
  }

  /** Reads so many entries. False: the list is at its end, or has more than there is room for. */
  read(count: number): boolean {
    const end = Math.min(this.#parts.length, this.entries + count);
    while (this.entries < end) {
      const part = this.#parts[this.entries++];
      const prefix = typeof part === 'string' ? parsePrefix(part.trim()) : undefined;
      if (prefix === undefined) this.unreadable = true;
      else this.prefixes.push(this.#isPiece ? ownText(prefix) : prefix.text);
      this.bytes += prefix === undefined ? 1 : prefixBytes(prefix.length);
      if (this.bytes > this.#room.bytes || this.entries > this.#room.entries) return false;
    }
    return end < this.#parts.length;
  }
}
