/**
 * BMP version 3 (RFC 7854, 8671, 9069) in Kafka records, bare or with an OpenBMP header, to events. Pure and total. The
 * stream is of the whole world: a message without a monitored prefix costs the reading of its prefixes and nothing else.
 *
 * It uses the IPv4 and IPv6 unicast routes that a router has received from its peers (Adj-RIB-In). Everything else is counted
 * by a reason.
 */
import type { RouteAttributes } from '../../bgp/route-event.ts';
import type { EventSink, FrameDecoder } from '../../stream/frame-decoder.ts';
import { FRAME_HEADER, frameChannel, frameTimeMs, isEndOfChannel, readPassed } from '../record-frame.ts';
import { readEnvelope } from './envelope.ts';
import { BMP_DECODE_FAILURES, BMP_UNUSED, type BmpDecodeFailure, type BmpUnused } from './failures.ts';
import { PATH_IDS_UNKNOWN, readPathIds } from './open-message.ts';
import { newRouteRoom, type RouteChange } from './peer-routes.ts';
import { follow, MAX_PEERS, type Peer, Peers, type View } from './peers.ts';
import type { PrefixFilter } from './prefix-filter.ts';
import { addressText, type Nlri, UpdateReader } from './update-reader.ts';

const VERSION = 3;
const COMMON_HEADER = 6;
const PEER_HEADER = 42;
const [ROUTE_MONITORING, STATISTICS, PEER_DOWN, PEER_UP, INITIATION, TERMINATION, MIRRORING] = [0, 1, 2, 3, 4, 5, 6];
const [IS_IPV6, IS_POST_POLICY, HAS_SHORT_ASES, IS_ADJ_RIB_OUT] = [0x80, 0x40, 0x20, 0x10];
/** The local address and ports of a Peer Up. */
const PEER_UP_ADDRESSES = 20;

/** How far a message's time may be before its record's, and behind it, ms. */
const BEFORE_MS = 24 * 3_600_000;
const BEHIND_MS = 60_000;

export interface BmpDecoderOptions {
  readonly filter: PrefixFilter;
  /** Peers that are known at once. Default 16,384. */
  readonly maxPeers?: number;
  /** Most bytes of AS paths and communities of peers that send several routes a prefix. Default 48 MiB. */
  readonly maxRouteBytes?: number;
}

export class BmpDecoder implements FrameDecoder {
  readonly failures = BMP_DECODE_FAILURES;
  readonly harmless = [];
  readonly unused = BMP_UNUSED;
  readonly #reader: UpdateReader;
  readonly #peers: Peers;
  /** What the frames being read had: messages without a monitored prefix, and prefixes that nobody asked for. */
  #passedMessages = 0;
  #passedPrefixes = 0;
  // The message that is being read.
  #to!: EventSink;
  #bytes!: Buffer;
  #channel = 0;
  #router = '';
  /** Unix ms; below 0 when the record has no time. */
  #recordMs = 0;
  readonly #failed = (reason: BmpDecodeFailure): void => this.#to.failed(reason);

  constructor({ filter, maxPeers = MAX_PEERS, maxRouteBytes }: BmpDecoderOptions) {
    this.#reader = new UpdateReader(filter);
    this.#peers = new Peers(newRouteRoom(maxRouteBytes), maxPeers);
  }

  /** How many peers are known. */
  get peers(): number {
    return this.#peers.size;
  }

  decode(frames: readonly Buffer[], to: EventSink): void {
    this.#to = to;
    this.#passedMessages = this.#passedPrefixes = 0;
    for (const frame of frames) this.#record(frame);
    if (this.#passedMessages > 0 || this.#passedPrefixes > 0) to.passed(this.#passedMessages, this.#passedPrefixes);
  }

  #record(frame: Buffer): void {
    if (frame.length < FRAME_HEADER) {
      this.#to.failed('truncated');
      return;
    }
    this.#recordMs = frameTimeMs(frame);
    this.#channel = frameChannel(frame);
    if (isEndOfChannel(frame)) {
      this.#channelEnded();
      return;
    }
    const passed = readPassed(frame);
    if (passed !== undefined) {
      this.#passedMessages += passed.messages;
      this.#passedPrefixes += passed.prefixes;
      return;
    }
    const bytes = frame.subarray(FRAME_HEADER);
    this.#bytes = bytes;
    const envelope = readEnvelope(bytes);
    if (envelope === 'other_object') {
      this.#unused(envelope);
      return;
    }
    if (typeof envelope === 'string') {
      this.#to.failed(envelope);
      return;
    }
    this.#router = envelope.router;
    for (let at = envelope.from; at < envelope.end; ) {
      const next = this.#message(at, envelope.end);
      if (next === undefined || !envelope.mayRepeat || bytes[next] !== VERSION) return;
      at = next;
    }
  }

  /** Reads one BMP message, and gives where it ends; undefined when that is not known. */
  #message(at: number, end: number): number | undefined {
    const bytes = this.#bytes;
    if (at + COMMON_HEADER > end) return this.#fail('truncated');
    if (bytes[at] !== VERSION) return this.#fail('unknown_bmp_version');
    const next = at + bytes.readUInt32BE(at + 1);
    const type = bytes[at + 5];
    if (next > end || next < at + COMMON_HEADER) return this.#fail('truncated');
    const body = at + COMMON_HEADER;
    switch (type) {
      case ROUTE_MONITORING:
      case PEER_DOWN:
      case PEER_UP:
        if (next - body < PEER_HEADER) this.#to.failed('truncated');
        else this.#aboutPeer(type, body, next);
        break;
      case INITIATION:
      case TERMINATION:
        for (const peer of this.#peers.ofRouter(this.#channel, this.#router)) this.#feedOver(peer);
        break;
      case STATISTICS:
      case MIRRORING:
        this.#unused('other_message');
        break;
      default:
        this.#to.failed('unknown_bmp_type');
    }
    return next;
  }

  #fail(reason: BmpDecodeFailure): undefined {
    this.#to.failed(reason);
  }

  #unused(reason: BmpUnused): void {
    this.#to.unused(reason);
  }

  /** `at`: where the per-peer header begins. */
  #aboutPeer(type: number, at: number, end: number): void {
    const bytes = this.#bytes;
    const flags = bytes[at + 1];
    // FRR sends the router's own routes under a peer without address and AS.
    if (bytes[at] !== 0 || isZero(bytes, at + 10, at + 30)) {
      this.#unused('other_rib');
      return;
    }
    if ((flags & IS_ADJ_RIB_OUT) !== 0) {
      this.#unused('adj_rib_out');
      return;
    }
    const peer = this.#peerAt(at, flags);
    if (typeof peer === 'string') {
      this.#to.failed(peer);
      return;
    }
    peer.heardMs = this.#recordMs;
    switch (type) {
      case ROUTE_MONITORING:
        this.#routes(peer, at, end, flags);
        break;
      case PEER_UP:
        this.#peerUp(peer, at, end);
        break;
      case PEER_DOWN:
        this.#peerDown(peer, at);
        break;
    }
  }

  #peerAt(at: number, flags: number): Peer | BmpDecodeFailure {
    const bytes = this.#bytes;
    // Its address and its AS.
    const key = bytes.toString('latin1', at + 10, at + 30);
    const known = this.#peers.find(this.#channel, this.#router, key);
    if (known !== undefined) return known;
    const asn = bytes.readUInt32BE(at + 26);
    const isIpv6 = (flags & IS_IPV6) !== 0;
    if (asn === 0 || isZero(bytes, isIpv6 ? at + 10 : at + 22, at + 26)) return 'invalid_vp';
    const ip = isIpv6 ? addressText(bytes, at + 10, 16) : addressText(bytes, at + 22, 4);
    const vp = { protocol: 'bgp', asn, ip } as const;
    return this.#peers.add(this.#channel, this.#router, key, vp, this.#recordMs) ?? 'peer_limit';
  }

  #routes(peer: Peer, at: number, end: number, flags: number): void {
    const reader = this.#reader;
    peer.hasSpoken = peer.isUp = true;
    const failure = reader.read(this.#bytes, at + PEER_HEADER, end, peer.pathIds);
    if (failure !== undefined) {
      this.#to.failed(failure);
      return;
    }
    const { learnt } = reader;
    if (learnt.ipv4 || learnt.ipv6)
      peer.pathIds = { ipv4: learnt.ipv4 || peer.pathIds.ipv4, ipv6: learnt.ipv6 || peer.pathIds.ipv6 };
    this.#passedPrefixes += reader.unmonitored;
    if (reader.hasOtherFamily) this.#unused('other_family');
    if (!reader.isOfUse) {
      this.#passedMessages++;
      return;
    }
    const view: View = (flags & IS_POST_POLICY) === 0 ? 'pre_policy' : 'post_policy';
    const following = follow(peer, view, this.#recordMs);
    if (following === 'other_feed' || following === 'other_policy_view') {
      this.#unused(following);
      return;
    }
    const timeUs = this.#timeUs(at);
    const { vp } = peer.subject;
    if (following === 'takes_over') this.#to.peerState({ vp, up: false, timeUs });
    this.#update(peer, timeUs, (flags & HAS_SHORT_ASES) === 0 ? 4 : 2);
  }

  #update(peer: Peer, timeUs: number, asBytes: 2 | 4): void {
    const { withdrawn, announced, reached } = this.#reader;
    const { vp } = peer.subject;
    const attributes =
      announced.length + reached.length > 0 ? this.#reader.attributes(vp.asn, asBytes, this.#failed) : undefined;
    const groups: { readonly attributes: RouteAttributes; readonly nlri: readonly Nlri[] }[] = [];
    if (attributes !== undefined) {
      if (announced.length > 0) groups.push({ attributes: this.#withHop(attributes, 'announced'), nlri: announced });
      if (reached.length > 0) groups.push({ attributes: this.#withHop(attributes, 'reached'), nlri: reached });
    }
    // A prefix that the same message announces too counts as announced only (RFC 4271 section 4.3).
    // Each list may have thousands of prefixes.
    const announcedToo = new Set(withdrawn.length > 0 ? groups.flatMap(({ nlri }) => nlri.map(keyOf)) : []);
    const lost = announcedToo.size > 0 ? withdrawn.filter((one) => !announcedToo.has(keyOf(one))) : withdrawn;
    const plain = textsOf(lost);
    if (plain.length > 0 && groups.length === 0) this.#to.update({ vp, timeUs, withdrawn: plain, announced: [] });
    for (const [i, { attributes: of, nlri }] of groups.entries()) {
      const texts = textsOf(nlri);
      const first = i === 0 ? plain : [];
      if (texts.length > 0) this.#to.update({ vp, timeUs, withdrawn: first, announced: texts, attributes: of });
      else if (first.length > 0) this.#to.update({ vp, timeUs, withdrawn: first, announced: [] });
    }
    for (const { prefix, pathId } of lost)
      if (pathId !== undefined) this.#changed(peer, prefix, timeUs, peer.routes.withdraw(prefix, pathId));
    for (const { attributes: of, nlri } of groups) {
      for (const { prefix, pathId } of nlri)
        if (pathId !== undefined) this.#changed(peer, prefix, timeUs, peer.routes.announce(prefix, pathId, of));
    }
  }

  #withHop(attributes: Omit<RouteAttributes, 'nextHop'>, of: 'announced' | 'reached'): RouteAttributes {
    const nextHop = this.#reader.nextHop(of);
    if (nextHop === undefined) this.#to.failed('invalid_next_hop');
    return { ...attributes, nextHop: nextHop ?? '' };
  }

  /** What one of several routes changed. */
  #changed(peer: Peer, prefix: string, timeUs: number, change: RouteChange): void {
    const { vp } = peer.subject;
    switch (change.kind) {
      case 'announced':
        this.#to.update({ vp, timeUs, withdrawn: [], announced: [prefix], attributes: change.attributes });
        break;
      case 'withdrawn':
        this.#to.update({ vp, timeUs, withdrawn: [prefix], announced: [] });
        break;
      case 'no_room':
        this.#to.failed('path_limit');
        break;
      case 'none':
    }
  }

  #peerUp(peer: Peer, at: number, end: number): void {
    const pathIds = readPathIds(this.#bytes, at + PEER_HEADER + PEER_UP_ADDRESSES, end);
    if (pathIds === undefined) this.#to.failed('invalid_open');
    const { subject } = peer;
    // A Peer Up of a peer that is up: the end of its session was not heard, and its whole table follows.
    if (peer.hasSpoken && peer.isUp) this.#end(peer, this.#timeUs(at));
    peer.pathIds = pathIds ?? PATH_IDS_UNKNOWN;
    peer.isUp = true;
    peer.hasSpoken = false;
    peer.view = undefined;
    if (subject.followed === undefined || subject.followed === peer)
      this.#to.peerState({ vp: subject.vp, up: true, timeUs: this.#timeUs(at) });
  }

  #peerDown(peer: Peer, at: number): void {
    if (!peer.isUp) {
      this.#unused('repeated_peer_down');
      return;
    }
    // Routers repeat an old Peer Down, with its old time, to whoever connects: it ends what was heard until now all the same.
    const timeUs = peer.hasSpoken ? this.#recordTimeUs() : this.#timeUs(at);
    this.#end(peer, timeUs);
    peer.isUp = false;
  }

  /** A router began its feed once more, or ended it: what its peers hold is not known until their tables come. */
  #feedOver(peer: Peer): void {
    if (peer.hasSpoken && peer.isUp) this.#end(peer, this.#recordTimeUs());
    peer.pathIds = PATH_IDS_UNKNOWN;
    peer.hasSpoken = false;
  }

  #channelEnded(): void {
    for (const peer of this.#peers.removeChannel(this.#channel)) {
      const { subject } = peer;
      if (subject.followed !== peer) continue;
      subject.followed = undefined;
      this.#to.peerState({ vp: subject.vp, up: false, timeUs: this.#recordTimeUs() });
    }
  }

  /** The peer's routes end. */
  #end(peer: Peer, timeUs: number): void {
    const { subject } = peer;
    peer.routes.clear();
    peer.view = undefined;
    if (subject.followed !== undefined && subject.followed !== peer) return;
    subject.followed = undefined;
    subject.others = 0;
    this.#to.peerState({ vp: subject.vp, up: false, timeUs });
  }

  /** When the router received it, Unix µs; the record's time when the message's cannot be right. 0 when neither has a time. */
  #timeUs(at: number): number {
    const bytes = this.#bytes;
    const seconds = bytes.readUInt32BE(at + 34);
    const recordMs = this.#recordMs;
    const timeMs = seconds * 1_000;
    const micros = bytes.readUInt32BE(at + 38);
    if (seconds > 0 && micros < 1_000_000) {
      // Without a record's time nothing tells that the message's is wrong.
      if (!(recordMs >= 0)) return timeMs * 1_000 + micros;
      if (timeMs >= recordMs - BEFORE_MS && timeMs <= recordMs + BEHIND_MS) return timeMs * 1_000 + micros;
    }
    this.#unused('record_time');
    return this.#recordTimeUs();
  }

  #recordTimeUs(): number {
    return this.#recordMs >= 0 ? this.#recordMs * 1_000 : 0;
  }
}

function keyOf({ prefix, pathId }: Nlri): string {
  return pathId === undefined ? prefix : `${prefix} ${pathId}`;
}

function textsOf(nlri: readonly Nlri[]): string[] {
  const texts: string[] = [];
  for (const { prefix, pathId } of nlri) if (pathId === undefined) texts.push(prefix);
  return texts;
}

function isZero(bytes: Buffer, from: number, end: number): boolean {
  for (let i = from; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
