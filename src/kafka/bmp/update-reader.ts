/**
 * BGP UPDATE messages (RFC 4271 section 4.3, RFC 4760, RFC 6793, RFC 7911, RFC 8092). A message is read as far as its
 * prefixes first, and those that nobody asked for leave nothing behind; its path attributes become text only where a prefix
 * is left. Total: bytes that contradict themselves are a failure.
 */
import type { Afi } from '../../bgp/prefix.ts';
import { formatAddress, MAX_LENGTH } from '../../bgp/prefix.ts';
import type { RouteAttributes } from '../../bgp/route-event.ts';
import { mergeAs4, pathText, readSegments, withoutCollector } from './as-path-bytes.ts';
import type { BmpDecodeFailure } from './failures.ts';
import { PATH_IDS_UNKNOWN, type PathIds } from './open-message.ts';
import type { PrefixFilter } from './prefix-filter.ts';

/** One prefix that was asked for. */
export interface Nlri {
  /** Canonical text. */
  readonly prefix: string;
  /** Which of the peer's routes for it (RFC 7911); undefined where the peer has one. */
  readonly pathId: number | undefined;
}

/** Where the value of a path attribute lies; `at` is -1 without the attribute. */
interface Value {
  at: number;
  end: number;
}

const HEADER = 19;
const UPDATE = 2;
const EXTENDED_LENGTH = 0x10;
const ORIGIN = 1;
const AS_PATH = 2;
const NEXT_HOP = 3;
const COMMUNITIES = 8;
const MP_REACH = 14;
const MP_UNREACH = 15;
const AS4_PATH = 17;
const LARGE_COMMUNITIES = 32;
const UNICAST = 1;
const ORIGINS = ['IGP', 'EGP', 'INCOMPLETE'];

/** Reads one UPDATE after the other; what it found is valid until the next. */
export class UpdateReader {
  readonly #filter: PrefixFilter;
  /** Prefixes that were asked for, in their order: withdrawn; announced in the NLRI field; announced in MP_REACH_NLRI. */
  withdrawn: Nlri[] = [];
  announced: Nlri[] = [];
  reached: Nlri[] = [];
  /** All prefixes of the message that nobody asked for. */
  unmonitored = 0;
  /** Whether it is also about families that are not read. */
  hasOtherFamily = false;
  /** Families in which the prefixes turned out to have path identifiers although no Peer Up said so. */
  readonly learnt = { ipv4: false, ipv6: false };
  #bytes: Buffer = Buffer.alloc(0);
  #pathIds = PATH_IDS_UNKNOWN;
  readonly #origin: Value = { at: -1, end: -1 };
  readonly #path: Value = { at: -1, end: -1 };
  readonly #path4: Value = { at: -1, end: -1 };
  readonly #nextHop: Value = { at: -1, end: -1 };
  readonly #communities: Value = { at: -1, end: -1 };
  readonly #large: Value = { at: -1, end: -1 };
  readonly #reach: Value = { at: -1, end: -1 };
  readonly #unreach: Value = { at: -1, end: -1 };
  readonly #reachHop: Value = { at: -1, end: -1 };
  readonly #values: readonly Value[];

  constructor(filter: PrefixFilter) {
    this.#filter = filter;
    this.#values = [
      ...[this.#origin, this.#path, this.#path4, this.#nextHop, this.#communities, this.#large],
      ...[this.#reach, this.#unreach, this.#reachHop],
    ];
  }

  /**
   * Reads the prefixes of the UPDATE that begins at `at`.
   * @param pathIds whether prefixes have path identifiers, as far as a Peer Up has told
   * @returns why all of it is lost; undefined: it was read
   */
  read(bytes: Buffer, at: number, end: number, pathIds: PathIds): BmpDecodeFailure | undefined {
    this.#reset(bytes, pathIds);
    if (end - at < HEADER + 4) return 'invalid_update';
    const last = at + bytes.readUInt16BE(at + 16);
    if (last > end || last < at + HEADER + 4 || bytes[at + 18] !== UPDATE || !hasMarker(bytes, at))
      return 'invalid_update';
    const withdrawnAt = at + HEADER + 2;
    const withdrawnEnd = withdrawnAt + bytes.readUInt16BE(withdrawnAt - 2);
    if (withdrawnEnd + 2 > last) return 'invalid_update';
    const attributesAt = withdrawnEnd + 2;
    const attributesEnd = attributesAt + bytes.readUInt16BE(withdrawnEnd);
    if (attributesEnd > last || !this.#findAttributes(attributesAt, attributesEnd)) return 'invalid_update';
    const isRead =
      this.#prefixes('ipv4', withdrawnAt, withdrawnEnd, this.withdrawn) &&
      this.#prefixes('ipv4', attributesEnd, last, this.announced);
    if (!isRead) return this.#fail('invalid_prefix');
    const failure = this.#readReach() ?? this.#readUnreach();
    return failure === undefined ? undefined : this.#fail(failure);
  }

  /** Whether a prefix that was asked for is left. */
  get isOfUse(): boolean {
    return this.withdrawn.length + this.announced.length + this.reached.length > 0;
  }

  /**
   * The path attributes of the message that was read, without the next hop; undefined when there is no path that can be read.
   * @param peerAsn the AS of the peer that sent it
   * @param asBytes how many bytes an AS of AS_PATH has
   * @param failed told what could not be read
   */
  attributes(
    peerAsn: number,
    asBytes: 2 | 4,
    failed: (reason: BmpDecodeFailure) => void,
  ): Omit<RouteAttributes, 'nextHop'> | undefined {
    const bytes = this.#bytes;
    if (this.#path.at === -1) {
      failed('missing_as_path');
      return undefined;
    }
    // Routers are known that send two octets without saying so: what can be read in one way only is read in that way.
    let segments = readSegments(bytes, this.#path.at, this.#path.end, asBytes);
    const isShort = (asBytes === 2) === (segments !== undefined);
    segments ??= readSegments(bytes, this.#path.at, this.#path.end, asBytes === 4 ? 2 : 4);
    const as4 = isShort && this.#path4.at !== -1 ? readSegments(bytes, this.#path4.at, this.#path4.end, 4) : [];
    if (segments === undefined) {
      failed('invalid_as_path');
      return undefined;
    }
    // A malformed AS4_PATH is discarded (RFC 6793 section 6).
    const whole = as4 === undefined || as4.length === 0 ? segments : mergeAs4(segments, as4);
    const communities = this.#communityTexts();
    if (communities === undefined) failed('invalid_communities');
    const origin = this.#origin.at === -1 ? '' : (ORIGINS[bytes[this.#origin.at]] ?? String(bytes[this.#origin.at]));
    return {
      asPath: pathText(withoutCollector(whole, peerAsn)),
      communities: communities ?? '',
      originAttribute: origin,
    };
  }

  /** The next hop of the NLRI field, or of MP_REACH_NLRI; empty without one, undefined when it is malformed. */
  nextHop(of: 'announced' | 'reached'): string | undefined {
    const { at, end } = of === 'announced' ? this.#nextHop : this.#reachHop;
    if (at === -1) return '';
    switch (end - at) {
      case 4:
        return this.#address(at, 4);
      case 16:
        return this.#address(at, 16);
      case 32: // the link-local one too (RFC 2545 section 3)
        return `${this.#address(at, 16)},${this.#address(at + 16, 16)}`;
      default:
        return undefined;
    }
  }

  #reset(bytes: Buffer, pathIds: PathIds): void {
    this.#bytes = bytes;
    this.#pathIds = pathIds;
    this.#clear();
    this.unmonitored = 0;
    this.hasOtherFamily = this.learnt.ipv4 = this.learnt.ipv6 = false;
    for (const value of this.#values) value.at = -1;
  }

  #clear(): void {
    if (!this.isOfUse) return;
    this.withdrawn = [];
    this.announced = [];
    this.reached = [];
  }

  #fail(reason: BmpDecodeFailure): BmpDecodeFailure {
    this.#clear();
    return reason;
  }

  /** False when the attributes do not fill their room exactly, or one that tells prefixes is there twice. */
  #findAttributes(from: number, end: number): boolean {
    const bytes = this.#bytes;
    let at = from;
    while (at < end) {
      const isLong = (bytes[at] & EXTENDED_LENGTH) !== 0;
      const valueAt = at + (isLong ? 4 : 3);
      if (valueAt > end) return false;
      const valueEnd = valueAt + (isLong ? bytes.readUInt16BE(at + 2) : bytes[at + 2]);
      if (valueEnd > end) return false;
      const type = bytes[at + 1];
      const value = this.#valueOf(type);
      if (value !== undefined) {
        if (value.at === -1) {
          value.at = valueAt;
          value.end = valueEnd;
          // If any other attribute is repeated, the first one counts (RFC 7606 section 3).
        } else if (type === MP_REACH || type === MP_UNREACH) return false;
      }
      at = valueEnd;
    }
    return true;
  }

  #valueOf(type: number): Value | undefined {
    switch (type) {
      case ORIGIN:
        return this.#origin;
      case AS_PATH:
        return this.#path;
      case NEXT_HOP:
        return this.#nextHop;
      case COMMUNITIES:
        return this.#communities;
      case MP_REACH:
        return this.#reach;
      case MP_UNREACH:
        return this.#unreach;
      case AS4_PATH:
        return this.#path4;
      case LARGE_COMMUNITIES:
        return this.#large;
      default:
        return undefined;
    }
  }

  /** AFI 2, SAFI 1, length of the next hop 1, next hop, reserved 1, prefixes. */
  #readReach(): BmpDecodeFailure | undefined {
    const { at, end } = this.#reach;
    if (at === -1) return undefined;
    if (end - at < 5) return 'invalid_update';
    const prefixesAt = at + 5 + this.#bytes[at + 3];
    if (prefixesAt > end) return 'invalid_update';
    const afi = this.#familyAt(at);
    if (afi === undefined) return undefined;
    this.#reachHop.at = at + 4;
    this.#reachHop.end = prefixesAt - 1;
    return this.#prefixes(afi, prefixesAt, end, this.reached) ? undefined : 'invalid_prefix';
  }

  /** AFI 2, SAFI 1, prefixes. */
  #readUnreach(): BmpDecodeFailure | undefined {
    const { at, end } = this.#unreach;
    if (at === -1) return undefined;
    if (end - at < 3) return 'invalid_update';
    const afi = this.#familyAt(at);
    if (afi === undefined) return undefined;
    return this.#prefixes(afi, at + 3, end, this.withdrawn) ? undefined : 'invalid_prefix';
  }

  #familyAt(at: number): Afi | undefined {
    const afi = this.#bytes.readUInt16BE(at);
    if (this.#bytes[at + 2] === UNICAST && (afi === 1 || afi === 2)) return afi === 1 ? 'ipv4' : 'ipv6';
    this.hasOtherFamily = true;
    return undefined;
  }

  /** Takes the prefixes from `from` to `end`; false when they do not fill that room exactly. */
  #prefixes(afi: Afi, from: number, end: number, into: Nlri[]): boolean {
    if (from === end) return true;
    const { [afi]: hasPathIds } = this.#pathIds;
    if (hasPathIds !== undefined) return this.#take(afi, from, end, hasPathIds, into);
    // Where the Peer Up was not heard, several prefixes of length 0 in one list give path identifiers away.
    if (zeroLengths(this.#bytes, from, end) > 1 && fits(this.#bytes, afi, from, end)) {
      this.learnt[afi] = true;
      return this.#take(afi, from, end, true, into);
    }
    return this.#take(afi, from, end, false, into);
  }

  #take(afi: Afi, from: number, end: number, hasPathIds: boolean, into: Nlri[]): boolean {
    const bytes = this.#bytes;
    const maxLength = MAX_LENGTH[afi];
    for (let at = from; at < end; ) {
      const lengthAt = hasPathIds ? at + 4 : at;
      if (lengthAt >= end) return false;
      const length = bytes[lengthAt];
      const next = lengthAt + 1 + ((length + 7) >> 3);
      if (length > maxLength || next > end) return false;
      const prefix = this.#filter.find(afi, bytes, lengthAt + 1, length);
      if (prefix === undefined) this.unmonitored++;
      else into.push({ prefix, pathId: hasPathIds ? bytes.readUInt32BE(at) : undefined });
      at = next;
    }
    return true;
  }

  /** Standard and large communities, blank separated; undefined when either attribute has a part left over. */
  #communityTexts(): string | undefined {
    const bytes = this.#bytes;
    const texts: string[] = [];
    const { at, end } = this.#communities;
    if (at !== -1) {
      if ((end - at) % 4 !== 0) return undefined;
      for (let i = at; i < end; i += 4) texts.push(`${bytes.readUInt16BE(i)}:${bytes.readUInt16BE(i + 2)}`);
    }
    const { at: largeAt, end: largeEnd } = this.#large;
    if (largeAt !== -1) {
      if ((largeEnd - largeAt) % 12 !== 0) return undefined;
      for (let i = largeAt; i < largeEnd; i += 12)
        texts.push(`${bytes.readUInt32BE(i)}:${bytes.readUInt32BE(i + 4)}:${bytes.readUInt32BE(i + 8)}`);
    }
    return texts.join(' ');
  }

  #address(at: number, size: 4 | 16): string {
    return addressText(this.#bytes, at, size);
  }
}

/** Canonical text of the address of 4 or 16 bytes at a place. */
export function addressText(bytes: Buffer, at: number, size: 4 | 16): string {
  const words: number[] = [];
  for (let i = at; i < at + size; i += 4) words.push(bytes.readUInt32BE(i));
  return formatAddress(words);
}

/** Whether a BGP message begins there as each must: sixteen bytes of ones. */
export function hasMarker(bytes: Buffer, at: number): boolean {
  for (let i = at; i < at + 16; i += 4) if (bytes.readInt32BE(i) !== -1) return false;
  return true;
}

/** Prefixes of length 0, when the bytes are read as prefixes without path identifiers, as far as that goes. */
function zeroLengths(bytes: Buffer, from: number, end: number): number {
  let count = 0;
  for (let at = from; at < end; at += 1 + ((bytes[at] + 7) >> 3)) if (bytes[at] === 0) count++;
  return count;
}

/** Whether the bytes can be read as prefixes with path identifiers. */
function fits(bytes: Buffer, afi: Afi, from: number, end: number): boolean {
  let at = from;
  while (at + 4 < end) {
    if (bytes[at + 4] > MAX_LENGTH[afi]) return false;
    at += 5 + ((bytes[at + 4] + 7) >> 3);
  }
  return at === end;
}
