/**
 * What the scanner of frames (assembly/frame-scan.ts, WebAssembly) and its host (frame-scanner.ts) have agreed on: places
 * of values, addresses in bytes, bounds. Read by two compilers: constants of whole numbers only.
 */

// A value is noted at its place, by what it is.
export const RECORD_TYPE = 0;
export const VP = 1;
export const BMP_PEER = 2;
export const SEC = 3;
export const USEC = 4;
export const PREFIXES = 5;
export const AS_PATH = 6;
export const COMMUNITIES = 7;
export const NEXT_HOP = 8;
export const ORIGIN = 9;
export const WITHDRAWN = 10;
export const PLACES = 11;
/** The bit of `scan`'s answer after those of the places: the record type is `bmp_update`, otherwise `update`. */
export const IS_BMP = 11;

/** Beyond the year 2200: not a time in seconds. */
export const MAX_SEC = 7258118400;
export const MAX_USEC = 999999;

/** A key: its length and place, a byte each, then its bytes with the quote that ends them. */
export const KEY_SIZE = 32;
export const KEYS_AT = 2048;

/** Gaps remembered, see the scanner. */
export const GAPS_AT = 4096;

/** Most frames that are scanned at once. */
export const MAX_FRAMES = 32;
/**
 * One of the frames: where it begins as an address, its length, what was met (`scan`), then its time in Unix microseconds,
 * a double, and its values.
 */
export const SLOT_SIZE = 256;
export const SLOTS_AT = 8192;
export const SLOT_LENGTH = 4;
export const SLOT_MET = 8;
export const SLOT_TIME = 16;
/**
 * A value of text, and an item of a list: where its text begins as an index of 32-bit words, its length in bytes, its
 * hash. A list as a value: its first item and one behind its last.
 */
export const SLOT_VALUES = 32;
export const VALUE_SIZE = 16;

/** Most items of both lists of a frame together; a frame with more is doubted. */
export const MAX_ITEMS = 4096;
export const ITEMS_AT = 16384;
/** Most items of all frames of one scan together. */
export const ITEMS_ROOM = 8192;

/** Longest frame, bytes; a longer one is doubted. */
export const MAX_FRAME = 65536;
/** The frames, one after the other, and sixteen bytes more. */
export const FRAMES_AT = 147456;
export const FRAMES_ROOM = 131072;
/** Texts one after the other, each from a multiple of 16 on and filled with zeros: of one frame at least, whatever it says. */
export const TEXTS_AT = 278544;
export const TEXTS_END = 524288;
/** Size of the memory, in pages of 64 KiB. */
export const MEMORY_PAGES = 8;
