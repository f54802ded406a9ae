/**
 * The host of the scanner of frames (assembly/frame-scan.ts): hands it a frame, and has what it found as words. There is one
 * for all sessions: what a scan found is valid until the next.
 */

import {
  AS_PATH,
  BMP_PEER,
  COMMUNITIES,
  FRAME_AT,
  ITEMS_AT,
  KEY_SIZE,
  KEYS_AT,
  MAX_FRAME,
  MEMORY_PAGES,
  NEXT_HOP,
  ORIGIN,
  PREFIXES,
  RECORD_TYPE,
  SEC,
  TIME_AT,
  USEC,
  VALUE_SIZE,
  VALUES_AT,
  VP,
  WITHDRAWN,
} from './frame-layout.ts';
import { FRAME_SCAN_BINARY } from './frame-scan-binary.ts';

/** The part of the API that is used; what Node has of it is not in its types. */
declare const WebAssembly:
  | {
      readonly Module: new (binary: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: unknown };
    }
  | undefined;

interface ScannerExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly setKeyCount: (count: number) => void;
  readonly scan: (length: number) => number;
}

/** Keys of a message, in the order in which the service writes them; all of one place are the same key spelt otherwise. */
const KEYS: readonly (readonly [string, number])[] = [
  ['record_type', RECORD_TYPE],
  ['vp', VP],
  ['bmp_peer', BMP_PEER],
  ['sec', SEC],
  ['Usec', USEC],
  ['prefixes', PREFIXES],
  ['withdraws', WITHDRAWN],
  ['as-path', AS_PATH],
  ['communities', COMMUNITIES],
  ['nexthop', NEXT_HOP],
  ['origin', ORIGIN],
  ['withdrawn', WITHDRAWN],
  ['withdrawals', WITHDRAWN],
  ['withdrawn_prefixes', WITHDRAWN],
  ['withdraw', WITHDRAWN],
  ['withdrawn-prefixes', WITHDRAWN],
];

const WORD = 4;
const WORDS_OF_VALUE = VALUE_SIZE / WORD;
const FIRST_VALUE = VALUES_AT / WORD;
const FIRST_ITEM = ITEMS_AT / WORD;
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

const { memory, scan } = started();
const frame = Buffer.from(memory, FRAME_AT, MAX_FRAME);
const time = new Float64Array(memory, TIME_AT, 1);

/** Texts are words of these. */
export const texts = new Int32Array(memory);

/**
 * Reads a frame. Gives the places (frame-layout.ts) at which it has values as bits, with IS_BMP; 0 when it is in doubt,
 * as it is about every frame where WebAssembly with vectors is not to be had.
 */
export function scanFrame(bytes: Uint8Array): number {
  if (bytes.length > MAX_FRAME) return 0;
  frame.set(bytes);
  return scan(bytes.length);
}

/** Unix microseconds. */
export function scannedTimeUs(): number {
  return time[0];
}

/** The word of a place's value, or of an item, from which on its text, its length and its hash are found. */
export function valueAt(place: number): number {
  return FIRST_VALUE + place * WORDS_OF_VALUE;
}

export function itemAt(item: number): number {
  return FIRST_ITEM + item * WORDS_OF_VALUE;
}

/** Where the text begins in `texts`; of a list, its first item. */
export function textAt(value: number): number {
  return texts[value];
}

/** Bytes; of a list, one behind its last item. */
export function textLength(value: number): number {
  return texts[value + 1];
}

export function textHash(value: number): number {
  return texts[value + 2];
}

function started(): { readonly memory: ArrayBuffer; readonly scan: (length: number) => number } {
  try {
    // Its memory has the first byte of a word lowest; a machine that has it otherwise would read other words.
    if (LITTLE_ENDIAN && typeof WebAssembly !== 'undefined') {
      const module = new WebAssembly.Module(Buffer.from(FRAME_SCAN_BINARY, 'base64'));
      const { memory, setKeyCount, scan } = new WebAssembly.Instance(module).exports as ScannerExports;
      for (const [i, [key, place]] of KEYS.entries()) {
        const quoted = Buffer.from(`${key}"`);
        new Uint8Array(memory.buffer, KEYS_AT + i * KEY_SIZE).set([quoted.length, place, ...quoted]);
      }
      setKeyCount(KEYS.length);
      return { memory: memory.buffer, scan };
    }
  } catch {
    // no vectors on this machine, or WebAssembly is forbidden: every frame is read the general way, and counted
  }
  return { memory: new ArrayBuffer(MEMORY_PAGES * 65_536), scan: () => 0 };
}
