/**
 * Tells at receipt which records the decoder has to see. Nearly all of a stream of the whole world are routes to prefixes
 * that nobody asked for, and while the table is seeded frames are held: those must not take the room of others.
 *
 * Only what is certain is turned away. A record that is anything else than routes, or is malformed, or might hold a
 * monitored prefix in either way of reading (with path identifiers or without), goes on to the decoder. Whose routes they are
 * is not looked at: routes of another RIB to prefixes that nobody asked for count as prefixes that nobody asked for.
 */
import type { Afi } from '../../bgp/prefix.ts';
import { MAX_LENGTH } from '../../bgp/prefix.ts';
import { binaryFault } from './envelope.ts';
import type { PrefixFilter } from './prefix-filter.ts';
import { hasMarker } from './update-reader.ts';

const [LETTER_O, BMP_VERSION] = [0x4f, 3];
const ROUTE_MONITORING = 0;
/** The common header and the per-peer header. */
const BMP_HEADERS = 6 + 42;
const BGP_HEADER = 19;
const UPDATE = 2;
const EXTENDED_LENGTH = 0x10;
const [MP_REACH, MP_UNREACH, UNICAST] = [14, 15, 1];

export class RecordFilter {
  /** Prefixes of the last record that was turned away. */
  prefixes = 0;
  readonly #filter: PrefixFilter;

  constructor(filter: PrefixFilter) {
    this.#filter = filter;
  }

  /** Whether the record holds anything else than routes to prefixes that nobody asked for. */
  isNeeded(bytes: Buffer): boolean {
    this.prefixes = 0;
    let at = 0;
    let end = bytes.length;
    if (bytes[0] === LETTER_O) {
      if (binaryFault(bytes) !== undefined) return true;
      at = bytes.readUInt16BE(6);
      end = at + bytes.readUInt32BE(8);
    }
    if (bytes[at] !== BMP_VERSION || end - at < BMP_HEADERS + BGP_HEADER + 4) return true;
    if (bytes[at + 5] !== ROUTE_MONITORING || at + bytes.readUInt32BE(at + 1) !== end) return true;
    return this.#needsUpdate(bytes, at + BMP_HEADERS, end);
  }

  #needsUpdate(bytes: Buffer, at: number, end: number): boolean {
    if (at + bytes.readUInt16BE(at + 16) !== end || bytes[at + 18] !== UPDATE || !hasMarker(bytes, at)) return true;
    const withdrawnAt = at + BGP_HEADER + 2;
    const withdrawnEnd = withdrawnAt + bytes.readUInt16BE(withdrawnAt - 2);
    if (withdrawnEnd + 2 > end) return true;
    const attributesEnd = withdrawnEnd + 2 + bytes.readUInt16BE(withdrawnEnd);
    if (attributesEnd > end) return true;
    if (this.#needsList(bytes, 'ipv4', withdrawnAt, withdrawnEnd)) return true;
    if (this.#needsList(bytes, 'ipv4', attributesEnd, end)) return true;
    return this.#needsAttributes(bytes, withdrawnEnd + 2, attributesEnd);
  }

  #needsAttributes(bytes: Buffer, from: number, end: number): boolean {
    let at = from;
    let [reached, unreached] = [0, 0];
    while (at < end) {
      const valueAt = at + ((bytes[at] & EXTENDED_LENGTH) === 0 ? 3 : 4);
      if (valueAt > end) return true;
      const valueEnd = valueAt + (valueAt - at === 3 ? bytes[at + 2] : bytes.readUInt16BE(at + 2));
      if (valueEnd > end) return true;
      const type = bytes[at + 1];
      if (type === MP_REACH) reached++;
      else if (type === MP_UNREACH) unreached++;
      if (reached > 1 || unreached > 1) return true;
      if (type === MP_REACH || type === MP_UNREACH) {
        const prefixesAt = valueAt + (type === MP_UNREACH ? 3 : 5 + bytes[valueAt + 3]);
        if (!(prefixesAt <= valueEnd)) return true;
        const afi = bytes.readUInt16BE(valueAt);
        if (bytes[valueAt + 2] !== UNICAST || afi < 1 || afi > 2) return true;
        if (this.#needsList(bytes, afi === 1 ? 'ipv4' : 'ipv6', prefixesAt, valueEnd)) return true;
      }
      at = valueEnd;
    }
    return false;
  }

  /** Whether the list is malformed, or holds a monitored prefix in either way of reading. */
  #needsList(bytes: Buffer, afi: Afi, from: number, end: number): boolean {
    const maxLength = MAX_LENGTH[afi];
    let at = from;
    while (at < end) {
      const length = bytes[at];
      if (length > maxLength || this.#filter.find(afi, bytes, at + 1, length) !== undefined) return true;
      this.prefixes++;
      at += 1 + ((length + 7) >> 3);
    }
    if (at !== end) return true;
    for (at = from; at + 4 < end; ) {
      const length = bytes[at + 4];
      // Not a list with path identifiers; the other reading was right.
      if (length > maxLength) return false;
      if (this.#filter.find(afi, bytes, at + 5, length) !== undefined) return true;
      at += 5 + ((length + 7) >> 3);
    }
    return false;
  }
}
