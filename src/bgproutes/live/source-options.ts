/** What the source of the live stream, and each session of it, is told. */
import type { Logger } from '../../logger.ts';
import type { Timers } from '../../stream/timers.ts';
import type { SessionSettings } from '../../stream/websocket-session.ts';
import type { AssociationSettings } from './association/association.ts';

/** A key and what its session is to carry. */
export interface SessionOfKey {
  /** Read whenever it is needed: it may become another one, see `keyReplaced`. */
  readonly apiKey: string;
  readonly prefixes: readonly string[];
  /**
   * Connect without prefixes too, for those that the key was given elsewhere: nothing is associated and nothing renewed
   * until `setPrefixes`. Default false: a session without prefixes is idle.
   */
  readonly prefixesOfKey?: boolean;
  /** The prefixes were associated with the key just now, when it had no other session. Default false. */
  readonly isAssociated?: boolean;
  /** The service does not know the key: it may have been replaced where it comes from. */
  readonly onKeyRefused?: () => void;
}

export interface BgproutesSourceOptions {
  /** Such as `wss://websocket.bgproutes.io`. */
  readonly websocketUrl: string;
  /** Such as `https://live-manager-api.bgproutes.io`. */
  readonly liveManagerUrl: string;
  /** One a key: the service has one session a key at a time. Prefixes in canonical text; none: the session is idle. */
  readonly sessions: readonly SessionOfKey[];
  readonly association?: Partial<AssociationSettings>;
  readonly connection?: Partial<SessionSettings>;
  /** False: every session ends with its first connection or failed attempt. Default true. */
  readonly reconnect?: boolean;
  /** What requests call themselves, `name/version`. */
  readonly userAgent?: string;
  /** Default: the real clock. */
  readonly timers?: Timers;
  readonly log: Logger;
}
