/**
 * The peers that BMP messages speak of, and which of several feeds about a peer is followed. A router may send a peer's
 * routes twice, before and after its policy, and two routers may have the same peer: to mix them would make withdrawals of
 * one take what another still holds. The first that speaks of a monitored prefix is followed until the peer goes down.
 */
import type { VantagePoint } from '../../bgp/vantage-point.ts';
import { PATH_IDS_UNKNOWN } from './open-message.ts';
import { PeerRoutes, type RouteRoom } from './peer-routes.ts';

/** Peers that are known at once, over all channels. The whole of RouteViews has about 2,000. */
export const MAX_PEERS = 16_384;

/** A peer that was not heard for so long gives way when there is no more room, ms. */
const FORGOTTEN_AFTER_MS = 24 * 3_600_000;

/** Between two looks for peers that can be forgotten, ms. */
const SWEEP_EVERY_MS = 60_000;

/**
 * A feed that has been silent for so long while another spoke of the same peer so often is over, though nobody has said so:
 * a topic can be deleted, and a router can go.
 */
const DEAD_AFTER_MS = 15 * 60_000;
const DEAD_AFTER_MESSAGES = 64;

/** Before or after the router's policy. */
export type View = 'pre_policy' | 'post_policy';

/** One peer as one channel tells of it. */
export class Peer {
  readonly subject: Subject;
  /** Whether prefixes have path identifiers: as the last Peer Up says, or as the routes show. */
  pathIds = PATH_IDS_UNKNOWN;
  /** Routes by path identifier. */
  readonly routes: PeerRoutes;
  view: View | undefined;
  /** False after a Peer Down. */
  isUp = true;
  /** Whether it has spoken of routes since the last Peer Up. */
  hasSpoken = false;
  /** When it was heard, Unix ms. */
  heardMs = 0;

  constructor(subject: Subject, room: RouteRoom) {
    this.subject = subject;
    this.routes = new PeerRoutes(room);
  }
}

/** A vantage point, and the feed that is followed for it. */
export interface Subject {
  readonly vp: VantagePoint;
  /** How many peers are the VP. */
  peers: number;
  followed: Peer | undefined;
  /** Messages of other feeds since the followed one spoke. */
  others: number;
}

export class Peers {
  /** By channel, router, and the bytes of the peer's header. */
  readonly #channels: Map<string, Map<string, Peer>>[] = [];
  readonly #subjects = new Map<string, Subject>();
  readonly #maxPeers: number;
  readonly #room: RouteRoom;
  #size = 0;
  #nextSweepMs = 0;

  constructor(room: RouteRoom, maxPeers = MAX_PEERS) {
    this.#room = room;
    this.#maxPeers = maxPeers;
  }

  get size(): number {
    return this.#size;
  }

  find(channel: number, router: string, key: string): Peer | undefined {
    return this.#channels[channel]?.get(router)?.get(key);
  }

  /** A peer that was not known before; undefined when there is no room. */
  add(channel: number, router: string, key: string, vp: VantagePoint, nowMs: number): Peer | undefined {
    if (this.#size >= this.#maxPeers && !this.#sweep(nowMs)) return undefined;
    this.#channels[channel] ??= new Map();
    let peers = this.#channels[channel].get(router);
    if (peers === undefined) this.#channels[channel].set(router, (peers = new Map()));
    const subjectKey = `${vp.asn}_${vp.ip}`;
    let subject = this.#subjects.get(subjectKey);
    if (subject === undefined) {
      subject = { vp, peers: 0, followed: undefined, others: 0 };
      this.#subjects.set(subjectKey, subject);
    }
    subject.peers++;
    const peer = new Peer(subject, this.#room);
    peers.set(key, peer);
    this.#size++;
    return peer;
  }

  /** The peers of a router in a channel. */
  *ofRouter(channel: number, router: string): Generator<Peer> {
    yield* this.#channels[channel]?.get(router)?.values() ?? [];
  }

  /** Forgets all peers of a channel, and gives them. */
  removeChannel(channel: number): Peer[] {
    const removed: Peer[] = [];
    for (const peers of this.#channels[channel]?.values() ?? []) for (const peer of peers.values()) removed.push(peer);
    this.#channels[channel] = new Map();
    for (const peer of removed) this.#forget(peer);
    return removed;
  }

  /** Forgets what was not heard for a day and is not followed. False: there is no room still. */
  #sweep(nowMs: number): boolean {
    if (nowMs < this.#nextSweepMs) return false;
    this.#nextSweepMs = nowMs + SWEEP_EVERY_MS;
    for (const routers of this.#channels) {
      for (const [router, peers] of routers ?? []) {
        for (const [key, peer] of peers) {
          if (peer.heardMs + FORGOTTEN_AFTER_MS > nowMs || peer.subject.followed === peer) continue;
          peers.delete(key);
          this.#forget(peer);
        }
        if (peers.size === 0) routers.delete(router);
      }
    }
    return this.#size < this.#maxPeers;
  }

  #forget(peer: Peer): void {
    this.#size--;
    peer.routes.clear();
    const { subject } = peer;
    if (--subject.peers === 0) this.#subjects.delete(`${subject.vp.asn}_${subject.vp.ip}`);
  }
}

/** What is done with a message of a feed. */
export type Following = 'followed' | 'other_feed' | 'other_policy_view' | 'takes_over';

/** Decides whether what a feed says of a monitored prefix counts. `takes_over`: it does, and the followed feed is over. */
export function follow(peer: Peer, view: View, nowMs: number): Following {
  const { subject } = peer;
  const { followed } = subject;
  if (followed !== undefined && followed !== peer) {
    subject.others++;
    const isOver = subject.others >= DEAD_AFTER_MESSAGES && nowMs > followed.heardMs + DEAD_AFTER_MS;
    if (!isOver) return 'other_feed';
    followed.view = undefined;
    followed.routes.clear();
  }
  subject.followed = peer;
  subject.others = 0;
  peer.view ??= view;
  if (peer.view !== view) return 'other_policy_view';
  return followed !== undefined && followed !== peer ? 'takes_over' : 'followed';
}
