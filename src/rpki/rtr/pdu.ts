/**
 * The RPKI-to-Router protocol, bytes to PDUs and back: version 0 (RFC 6810), 1 (RFC 8210) and 2
 * (draft-ietf-sidrops-8210bis-27, which adds ASPA). Pure; every length is checked before anything is read by it.
 */
import { MAX_LENGTH, maskWords } from '../../bgp/prefix.ts';
import { MAX_ASPA_PROVIDERS } from '../aspa-set.ts';
import type { ReadVrp } from '../vrp-set.ts';

export type RtrVersion = 0 | 1 | 2;

export const HIGHEST_VERSION: RtrVersion = 2;

/** Error codes (RFC 8210 section 12) that matter here. */
export const RTR_ERRORS = {
  corrupt_data: 0,
  no_data: 2,
  unsupported_version: 4,
  unsupported_type: 5,
  unknown_withdrawal: 6,
  duplicate_announcement: 7,
  unexpected_version: 8,
} as const;

/** Seconds, as the cache says them; see `clampTimers`. */
export interface RtrTimers {
  readonly refreshS: number;
  readonly retryS: number;
  readonly expireS: number;
}

/** RFC 8210 section 6. */
export const DEFAULT_TIMERS: RtrTimers = { refreshS: 3_600, retryS: 600, expireS: 7_200 };

export type Pdu =
  | { readonly kind: 'serial_notify'; readonly session: number; readonly serial: number }
  | { readonly kind: 'cache_response'; readonly session: number }
  | { readonly kind: 'prefix'; readonly announce: boolean; readonly vrp: ReadVrp }
  | {
      readonly kind: 'end_of_data';
      readonly session: number;
      readonly serial: number;
      /** Undefined: version 0 has none. */
      readonly timers: RtrTimers | undefined;
    }
  | { readonly kind: 'cache_reset' }
  | { readonly kind: 'router_key' }
  /** `text` is what the cache says, in one line of at most 200 characters. */
  | { readonly kind: 'error_report'; readonly code: number; readonly text: string }
  | {
      readonly kind: 'aspa';
      readonly announce: boolean;
      readonly customer: number;
      readonly providers: readonly number[];
    }
  /** A PDU that cannot be read; `code` goes into the Error Report. */
  | { readonly kind: 'malformed'; readonly code: number; readonly reason: string };

/** A PDU with the version in its header. */
export interface VersionedPdu {
  readonly version: number;
  readonly pdu: Pdu;
  /** The bytes of a malformed PDU, as far as they came, for the report. */
  readonly bytes?: Buffer;
}

const HEADER = 8;
/** The longest that is read: an ASPA of as many providers as there may be. Router keys and reports are far shorter. */
const MAX_PDU = 12 + 4 * MAX_ASPA_PROVIDERS;
/** What a report carries of a wrong PDU, and what is kept of a text. */
const MAX_QUOTED = 256;
const MAX_TEXT = 200;

/** Lengths of the PDUs of one length, by type. */
const LENGTHS: Readonly<Record<number, number>> = { 0: 12, 3: 8, 4: 20, 6: 32, 8: 8 };

/** Cuts a stream into PDUs. */
export class PduReader {
  #rest: Buffer = Buffer.alloc(0);
  #isBroken = false;

  /** The PDUs that are whole by now. After a malformed one there are no more. */
  *read(chunk: Buffer): Generator<VersionedPdu> {
    if (this.#isBroken) return;
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= HEADER) {
      const version = bytes[0];
      const length = bytes.readUInt32BE(4);
      const fault = lengthFault(version, bytes[1], length);
      if (fault === undefined && bytes.length < length) break;
      const pdu = fault ?? readPdu(version, bytes.subarray(0, length));
      if (pdu.kind === 'malformed') {
        this.#isBroken = true;
        yield { version, pdu, bytes: Buffer.from(bytes.subarray(0, Math.min(bytes.length, MAX_QUOTED))) };
        return;
      }
      yield { version, pdu };
      bytes = bytes.subarray(length);
    }
    // A copy: a few bytes would keep the whole chunk.
    this.#rest = Buffer.from(bytes);
  }
}

function malformed(code: number, reason: string): Extract<Pdu, { kind: 'malformed' }> {
  return { kind: 'malformed', code, reason };
}

/** What is wrong with a header, before the rest has come. */
function lengthFault(version: number, type: number, length: number): Extract<Pdu, { kind: 'malformed' }> | undefined {
  const { corrupt_data, unsupported_type, unexpected_version } = RTR_ERRORS;
  if (version > HIGHEST_VERSION) return malformed(unexpected_version, `version ${version}`);
  const wrong = () => malformed(corrupt_data, `a PDU of type ${type} with ${length} bytes`);
  if (length < HEADER || length > MAX_PDU) return wrong();
  switch (type) {
    case 0:
    case 3:
    case 4:
    case 6:
    case 8:
      return length === LENGTHS[type] ? undefined : wrong();
    case 7:
      return length === (version === 0 ? 12 : 24) ? undefined : wrong();
    case 9:
      return version >= 1 && length >= 32 ? undefined : wrong();
    case 10:
      return length >= 16 ? undefined : wrong();
    case 11:
      if (version < 2) return malformed(unsupported_type, 'an ASPA in a version that has none');
      return length >= 12 && length % 4 === 0 ? undefined : wrong();
    default:
      return malformed(unsupported_type, `a PDU of type ${type}`);
  }
}

/** @param bytes the whole PDU, of a length that its type may have */
function readPdu(version: number, bytes: Buffer): Pdu {
  const session = bytes.readUInt16BE(2);
  switch (bytes[1]) {
    case 0:
      return { kind: 'serial_notify', session, serial: bytes.readUInt32BE(8) };
    case 3:
      return { kind: 'cache_response', session };
    case 4:
    case 6:
      return readPrefix(bytes);
    case 7: {
      const timers =
        version === 0
          ? undefined
          : { refreshS: bytes.readUInt32BE(12), retryS: bytes.readUInt32BE(16), expireS: bytes.readUInt32BE(20) };
      return { kind: 'end_of_data', session, serial: bytes.readUInt32BE(8), timers };
    }
    case 8:
      return { kind: 'cache_reset' };
    case 9:
      return { kind: 'router_key' };
    case 10:
      return readReport(bytes);
    default:
      return readAspa(bytes);
  }
}

function readPrefix(bytes: Buffer): Pdu {
  const afi = bytes[1] === 4 ? 'ipv4' : 'ipv6';
  const width = afi === 'ipv4' ? 1 : 4;
  const [length, maxLength] = [bytes[9], bytes[10]];
  const words: number[] = [];
  for (let i = 0; i < width; i++) words.push(bytes.readUInt32BE(12 + 4 * i));
  const asn = bytes.readUInt32BE(12 + 4 * width);
  if (length > maxLength || maxLength > MAX_LENGTH[afi])
    return malformed(RTR_ERRORS.corrupt_data, `a prefix of length ${length} and longest length ${maxLength}`);
  if (maskWords(words, length).some((word, i) => word !== words[i]))
    return malformed(RTR_ERRORS.corrupt_data, 'a prefix with host bits');
  return { kind: 'prefix', announce: (bytes[8] & 1) === 1, vrp: { afi, words, length, maxLength, asn, expiresS: 0 } };
}

function readAspa(bytes: Buffer): Pdu {
  const announce = (bytes[2] & 1) === 1;
  const customer = bytes.readUInt32BE(8);
  const providers: number[] = [];
  // Withdrawals with providers are real, although the draft forbids them: the customer says enough.
  if (announce) for (let at = 12; at < bytes.length; at += 4) providers.push(bytes.readUInt32BE(at));
  if (customer === 0 || (announce && providers.length === 0))
    return malformed(RTR_ERRORS.corrupt_data, customer === 0 ? 'an ASPA of AS 0' : 'an ASPA without providers');
  return { kind: 'aspa', announce, customer, providers };
}

function readReport(bytes: Buffer): Pdu {
  const code = bytes.readUInt16BE(2);
  const quoted = bytes.readUInt32BE(8);
  const textAt = 12 + quoted + 4;
  if (quoted > bytes.length - 16) return malformed(RTR_ERRORS.corrupt_data, 'a report whose lengths are wrong');
  const length = Math.min(bytes.readUInt32BE(12 + quoted), bytes.length - textAt);
  const text = bytes
    .toString('utf8', textAt, textAt + Math.min(length, 4 * MAX_TEXT))
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, MAX_TEXT);
  return { kind: 'error_report', code, text };
}

/** Asks for everything. */
export function resetQuery(version: RtrVersion): Buffer {
  return Buffer.from([version, 2, 0, 0, 0, 0, 0, 8]);
}

/** Asks for what has changed since. */
export function serialQuery(version: RtrVersion, session: number, serial: number): Buffer {
  const bytes = Buffer.from([version, 1, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0]);
  bytes.writeUInt16BE(session, 2);
  bytes.writeUInt32BE(serial, 8);
  return bytes;
}

/** Tells the cache what was wrong with what it sent. */
export function errorReport(version: RtrVersion, code: number, wrong: Buffer, text: string): Buffer {
  const words = Buffer.from(text, 'utf8');
  const bytes = Buffer.alloc(16 + wrong.length + words.length);
  bytes[0] = version;
  bytes[1] = 10;
  bytes.writeUInt16BE(code, 2);
  bytes.writeUInt32BE(bytes.length, 4);
  bytes.writeUInt32BE(wrong.length, 8);
  wrong.copy(bytes, 12);
  bytes.writeUInt32BE(words.length, 12 + wrong.length);
  words.copy(bytes, 16 + wrong.length);
  return bytes;
}

/** The least that a refresh or retry is taken for, s: caches send 0, and nothing changes so quickly. */
const LEAST_S = 10;

/** What the cache says, brought within what RFC 8210 section 6 allows: caches send other values, 0 among them. */
export function clampTimers({ refreshS, retryS, expireS }: RtrTimers): RtrTimers {
  const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most);
  const [refresh, retry] = [clamp(refreshS, LEAST_S, 86_400), clamp(retryS, LEAST_S, 7_200)];
  // Data that expires before it is asked for again would be missing now and then.
  return {
    refreshS: refresh,
    retryS: retry,
    expireS: Math.max(clamp(expireS, 600, 172_800), 2 * Math.max(refresh, retry)),
  };
}
