/**
 * Everything that one service gives, and all that the rest of the program knows of it. Adding a service is a folder that
 * makes a LiveFeed, a section of the configuration, and a line of the table in exporter.ts.
 *
 * What only some services have is optional here and in `StreamSource`: a history, peer states, a subscription that expires.
 */
import type { Prefix } from '../bgp/prefix.ts';
import type { RouteIds } from '../bgp/route-integers.ts';
import type { Logger } from '../logger.ts';
import type { FrameDecoder } from './frame-decoder.ts';
import type { History } from './history.ts';
import type { StreamSource } from './source.ts';
import type { Timers } from './timers.ts';

export interface LiveFeed {
  readonly source: StreamSource;
  /** Gets what the feed needs before it starts; rejects with a ConfigError when that is missing. */
  prepare?(): Promise<void>;
  /**
   * Makes the decoder, one for all sessions: each frame is decoded and applied in one step.
   * @param ids the table's numbers, for a decoder with a fast way
   */
  decoder(ids: RouteIds): FrameDecoder;
  /** Canonical text of a prefix that only proves that the stream speaks; it is in the subscriptions of the plan. */
  readonly canary?: string | undefined;
  /** What tells the past of a session's prefixes. Undefined: nobody does, and the table of the session is never complete. */
  history(session: number): History | undefined;
  /** How far the history is behind the stream, ms. Default: as configured (`table.data_api_lag`). */
  readonly historyLagMs?: number | undefined;
  /**
   * Spreads prefixes over the sessions. What does not find room is left out: another source may carry it.
   * @param prefixes in the order of the configuration
   * @param former prefixes that stay keep the session that they have there
   */
  plan(prefixes: readonly Prefix[], former?: SessionPlan): SessionPlan;
}

/** Which session carries which prefix. */
export interface SessionPlan {
  /** By session: its monitored prefixes, canonical. */
  readonly prefixes: readonly (readonly string[])[];
  /** By session: what it subscribes to; the canary too. Empty: the session is not needed. */
  readonly subscriptions: readonly (readonly string[])[];
}

/** What the program lends to whoever makes a LiveFeed. */
export interface FeedTools {
  readonly timers: Timers;
  readonly logger: Logger;
  /** What requests call themselves, `name/version`. */
  readonly userAgent: string;
  /** More-specifics of a monitored prefix that the table knows, canonical. */
  readonly knownMoreSpecifics: (prefix: string) => Iterable<string>;
}
