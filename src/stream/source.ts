/**
 * The contract of a live stream. A source owns its sessions (one connection each) and pushes undecoded frames; it knows
 * nothing of the table, of metrics or of outputs. What each session went through is in its `StreamStats`, plain numbers
 * that anyone may read at any time.
 */

/** Why a connection ended, or an attempt at one failed. Closed list: it becomes a label. */
export const DISCONNECT_REASONS = [
  'connect_failed', // DNS, TCP, TLS, HTTP status other than 101, handshake timeout
  'closed', // the server closed, or the connection broke
  'timeout', // no answer to a ping
  'refused', // the server said {"error": …}
  'frame_too_large', // over maxPayload
  'protocol_error', // not WebSocket
  'association_failed', // the prefixes could not be associated with the key
  'stopped', // by us: stop or reconfiguration
] as const;
/** One of `DISCONNECT_REASONS`. */
export type DisconnectReason = (typeof DISCONNECT_REASONS)[number];

export const RENEWAL_RESULTS = ['success', 'refused', 'error'] as const;
export type RenewalResult = (typeof RENEWAL_RESULTS)[number];

/** Numbers of one session since start. Mutable on the source's side only. Times are Unix ms but for `gapSinceMs`. */
export interface StreamStats {
  readonly source: string;
  /** `0`, `1`, …: the place of the key in the configuration, never the key. */
  readonly session: string;
  readonly startTimeMs: number;
  /** Has no prefixes, and so no connection: `up` is false and means nothing. Absent is false. */
  idle?: boolean;
  /** Another exporter of the fleet has it: it has no series here. */
  isElsewhere?: boolean;
  up: boolean;
  connects: number;
  readonly disconnects: Record<DisconnectReason, number>;
  /** Completed gaps only; add `gapSinceMs` for one that lasts. */
  gapMs: number;
  /**
   * Since when there is a gap now, by `Timers.elapsed`: a counter must not follow a clock that is set. Undefined while
   * connected and before the first connection.
   */
  gapSinceMs: number | undefined;
  frames: number;
  receivedBytes: number;
  subscribedPrefixes: number;
  /** Only of sources whose subscriptions expire unless they are renewed. */
  readonly subscription?: SubscriptionStats;
  /** How many connections the session has; only of sources that spread the prefixes of one over several. */
  readonly connections?: () => number;
  /** How far the session is behind, by partition; only of sources that read logs. */
  readonly lags?: () => Iterable<PartitionLag>;
}

/** Partitions of a log that a session reads at most. The whole of RouteViews has about 2,000. */
export const MAX_PARTITIONS = 8_192;

/** How far a reader is behind in one partition of a log. */
export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** Records that are there and were not read. */
  readonly records: number;
}

/** Numbers of a session whose subscription expires. */
export type SubscribedStats = StreamStats & { readonly subscription: SubscriptionStats };

/** What became of a subscription that expires. */
export interface SubscriptionStats {
  readonly renewals: Record<RenewalResult, number>;
  /** Unix ms; undefined while there is none. */
  expiresAtMs: number | undefined;
  /** How often messages showed that another client had replaced the session's list of prefixes. */
  losses: number;
}

/** What happens on a source; called synchronously, must not throw. */
export interface SourceListener {
  /**
   * Frames that came at one moment, one at least, as they came: not decoded, not checked to be UTF-8. The bytes belong to
   * the listener and do not change, but they share memory with what came in the same packet: copy them to keep them for
   * long.
   * @returns a promise when it has more frames than it should keep: no more are to be read until it is settled, which it
   *   always is, by fulfilment; those that were read already may still come
   */
  frames(session: number, frames: readonly Buffer[], receivedAtMs: number): Promise<void> | void;
  /**
   * Open and associated: frames may follow, but the service may still refuse. `connected` or `disconnected` comes next,
   * within a fraction of a second.
   */
  opened?(session: number, atMs: number): void;
  /** Connected and associated: frames follow. */
  connected(session: number, atMs: number): void;
  /**
   * A connection ended, an attempt at one failed, or the association may have expired or was replaced (then frames may still
   * come). `atMs` is since when nothing can be relied on: for `timeout` the last sign of life. `stopped` while the source
   * runs: the source connects once more at once. `detail` is one line for people,
   * bounded, without keys, maybe empty. `refused`: the service said no, and trying again soon will not help.
   */
  disconnected(session: number, reason: DisconnectReason, atMs: number, detail: string, refused: boolean): void;
  /** Messages about routes that were decoded since the start, for a source that must know a silence. Default: its frames. */
  updates?(session: number): number;
}

export interface StreamSource {
  readonly name: string;
  readonly stats: readonly StreamStats[];
  /** Starts all sessions; returns at once, connects in the background, retries for ever. */
  start(listener: SourceListener): void;
  /**
   * Replaces the prefixes of a session. Where prefixes come, its connection is made once more, as no source says that an
   * open one takes them. Resolves when associated, however long that takes
   * while the service cannot be reached. Rejects with a `PrefixToAPIKeyError` when refused (the current prefixes stay), and
   * with a `StoppedError` when the source stops or the prefixes are replaced again before. Without prefixes the session
   * closes its connection and is idle.
   */
  setPrefixes(session: number, prefixes: readonly string[]): Promise<void>;
  /**
   * Why somebody should look at the session although it may be up: what it needs to stay up fails. One line for people;
   * undefined: nothing is wrong, or the session is idle. A source without it has nothing of the kind.
   */
  unhealthy?(session: number): string | undefined;
  /**
   * A message of the session came about these prefixes, none of which is monitored. For a source that must know whose list
   * of prefixes its sessions follow.
   * @param prefixes all prefixes of the message, canonical
   */
  heard?(session: number, prefixes: readonly string[], receivedAtMs: number): void;
  /** Closes all connections; resolves when they are closed, at the latest after two seconds. Idempotent. */
  stop(): Promise<void>;
}
