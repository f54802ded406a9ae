/**
 * The host of the scanner of frames (assembly/frame-scan.ts): hands it some frames, and has what it found as words. There is
 * one for all sessions: what a scan found is valid until the next.
 */

import {
  AS_PATH,
  BMP_PEER,
  COMMUNITIES,
  FRAMES_AT,
  FRAMES_ROOM,
  ITEMS_AT,
  KEY_SIZE,
  KEYS_AT,
  MAX_FRAME,
  MAX_FRAMES,
  MEMORY_PAGES,
  NEXT_HOP,
  ORIGIN,
  PREFIXES,
  RECORD_TYPE,
  SEC,
  SLOT_LENGTH,
  SLOT_MET,
  SLOT_SIZE,
  SLOT_TIME,
  SLOT_VALUES,
  SLOTS_AT,
  USEC,
  VALUE_SIZE,
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
  readonly scan: (count: number) => number;
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
const WORDS_OF_SLOT = SLOT_SIZE / WORD;
const FIRST_SLOT = SLOTS_AT / WORD;
const LENGTH = SLOT_LENGTH / WORD;
const MET = SLOT_MET / WORD;
const FIRST_VALUE = (SLOTS_AT + SLOT_VALUES) / WORD;
const FIRST_ITEM = ITEMS_AT / WORD;
const TIMES_OF_SLOT = SLOT_SIZE / 8;
const FIRST_TIME = (SLOTS_AT + SLOT_TIME) / 8;
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

const { memory, scan } = started();
const room = new Uint8Array(memory, FRAMES_AT, FRAMES_ROOM);
const times = new Float64Array(memory);

/** The memory that holds the scanned texts; a text is given by where its words stand in it. */
export const texts = new Int32Array(memory);

/** Reads frames from this one on: as many as there is room for, one at least. Gives how many. */
export function scanFrames(frames: readonly Uint8Array[], from: number): number {
  const most = Math.min(frames.length - from, MAX_FRAMES);
  let count = 0;
  let end = 0;
  for (; count < most; count++) {
    const frame = frames[from + count];
    const { length } = frame;
    const slot = FIRST_SLOT + count * WORDS_OF_SLOT;
    texts[slot] = FRAMES_AT + end;
    texts[slot + LENGTH] = length;
    texts[slot + MET] = 0;
    if (length > MAX_FRAME) continue;
    if (end + length > FRAMES_ROOM) break;
    room.set(frame, end);
    end += length;
  }
  return scan(count);
}

/** The places (frame-layout.ts) at which the frame has values as bits, with IS_BMP; 0 when it is in doubt. */
export function metIn(frame: number): number {
  return texts[FIRST_SLOT + frame * WORDS_OF_SLOT + MET];
}

/** Unix microseconds. */
export function timeUsOf(frame: number): number {
  return times[FIRST_TIME + frame * TIMES_OF_SLOT];
}

/** The word of a place's value, or of an item, from which on its text, its length and its hash are found. */
export function valueAt(frame: number, place: number): number {
  return FIRST_VALUE + frame * WORDS_OF_SLOT + place * WORDS_OF_VALUE;
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

function started(): { readonly memory: ArrayBuffer; readonly scan: (count: number) => number } {
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
    // no vectors on this machine, or WebAssembly is forbidden: every frame is in doubt and read the general way, and counted
  }
  return { memory: new ArrayBuffer(MEMORY_PAGES * 65_536), scan: (count) => count };
}
