/** What a live stream says: decoded UPDATEs of vantage points, in the words of RFC 4271, and the states of their sessions. */
import type { VantagePoint } from './vantage-point.ts';

/** Path attributes of an announcement, as text; the table interns what it needs of them. */
export interface RouteAttributes {
  /** As printed by the collector, known to parse (see as-path.ts). */
  readonly asPath: string;
  /** Blank separated; empty when there are none. */
  readonly communities: string;
  /** Empty when the message has none; IPv6 may hold two addresses, separated by a comma. */
  readonly nextHop: string;
  /** The ORIGIN attribute: IGP, EGP, INCOMPLETE, or a number as text; empty when absent. */
  readonly originAttribute: string;
}

/** Withdrawals apply before announcements (RFC 4271 section 3.1: a prefix in both counts as announced). */
export interface RouteUpdate {
  readonly vp: VantagePoint;
  /** Message time, Unix microseconds; below 1,000,000 when the message has none. */
  readonly timeUs: number;
  /** Prefixes in canonical text. */
  readonly withdrawn: readonly string[];
  readonly announced: readonly string[];
  /** There exactly when `announced` is not empty. */
  readonly attributes?: RouteAttributes;
}

/** A VP's session with its collector went up or down: with a peer that goes down, its routes go. */
export interface PeerState {
  readonly vp: VantagePoint;
  readonly up: boolean;
  /** Unix microseconds; below 1,000,000 when the message has none. */
  readonly timeUs: number;
}
