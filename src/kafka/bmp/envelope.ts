/**
 * What stands around a BMP message in a Kafka record: the binary header of OpenBMP 1.7 (`O`), the text header of OpenBMP 1
 * (`V`), or nothing (the version of BMP).
 */
import type { BmpDecodeFailure } from './failures.ts';

/** Why a record has no BMP message that can be read; `other_object`: it is about something else. */
export type EnvelopeFault = BmpDecodeFailure | 'other_object';

/** Where the BMP bytes of a record are, and whose they are. */
export interface Envelope {
  /** Identifies the monitored router within its topic; empty where the record does not tell. */
  readonly router: string;
  /** The BMP bytes are those from `from` to `end`. */
  readonly from: number;
  readonly end: number;
  /** Whether more than one message may stand there. */
  readonly mayRepeat: boolean;
}

const [LETTER_O, LETTER_V, BMP_VERSION] = [0x4f, 0x56, 3];

/** "OBMP". */
const MAGIC = 0x4f424d50;
/** The header without its two texts. */
const BINARY_HEADER = 78;
const RAW_BMP = 12;

/** Longest text header that is looked at, bytes. */
const MAX_TEXT_HEADER = 4_096;

/** Reads what stands around the BMP bytes of a record. */
export function readEnvelope(bytes: Buffer): Envelope | EnvelopeFault {
  switch (bytes[0]) {
    case LETTER_O:
      return readBinary(bytes);
    case LETTER_V:
    case LETTER_V | 0x20:
      return readText(bytes);
    case BMP_VERSION:
      return { router: '', from: 0, end: bytes.length, mayRepeat: true };
    case undefined:
      return 'truncated';
    default:
      // A later version of BMP is a number too; every other beginning is something else.
      return bytes[0] < 0x10 ? 'unknown_bmp_version' : 'unknown_record';
  }
}

/** Why a record that begins with the letter of the binary header has no BMP message; undefined when it has one. */
export function binaryFault(bytes: Buffer): EnvelopeFault | undefined {
  if (bytes.length < BINARY_HEADER) return 'truncated';
  if (bytes.readUInt32BE(0) !== MAGIC || bytes[4] !== 1) return 'invalid_openbmp_header';
  const header = bytes.readUInt16BE(6);
  const length = bytes.readUInt32BE(8);
  const nameLength = bytes.readUInt16BE(38);
  if (header < BINARY_HEADER + nameLength) return 'invalid_openbmp_header';
  if (header + length > bytes.length) return 'truncated';
  return bytes[13] === RAW_BMP ? undefined : 'other_object';
}

function readBinary(bytes: Buffer): Envelope | EnvelopeFault {
  const fault = binaryFault(bytes);
  if (fault !== undefined) return fault;
  const header = bytes.readUInt16BE(6);
  const hashAt = 40 + bytes.readUInt16BE(38);
  return {
    router: bytes.toString('latin1', hashAt, hashAt + 16),
    from: header,
    end: header + bytes.readUInt32BE(8),
    mayRepeat: false,
  };
}

/** `Name: value` lines in any order, then an empty line. */
function readText(bytes: Buffer): Envelope | BmpDecodeFailure {
  const head = bytes.toString('latin1', 0, Math.min(bytes.length, MAX_TEXT_HEADER));
  const blank = /\r?\n\r?\n/.exec(head);
  if (blank === null) return bytes.length < MAX_TEXT_HEADER ? 'truncated' : 'invalid_openbmp_header';
  const fields = new Map<string, string>();
  for (const line of head.slice(0, blank.index).split('\n')) {
    const colon = line.indexOf(':');
    if (colon === -1) return 'invalid_openbmp_header';
    fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const lengthText = fields.get('l') ?? '';
  if (!/^[0-9]{1,9}$/.test(lengthText)) return 'invalid_openbmp_header';
  const from = blank.index + blank[0].length;
  const end = from + Number(lengthText);
  if (end > bytes.length) return 'truncated';
  return { router: fields.get('r_hash') ?? fields.get('r_ip') ?? '', from, end, mayRepeat: false };
}
