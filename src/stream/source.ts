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
export type DisconnectReason = (typeof DISCONNECT_REASONS)[number];

export const RENEWAL_RESULTS = ['success', 'refused', 'error'] as const;
export type RenewalResult = (typeof RENEWAL_RESULTS)[number];

/** Numbers of one session since start. Mutable on the source's side only. Times are Unix ms. */
export interface StreamStats {
  readonly source: string;
  /** `0`, `1`, …: the place of the key in the configuration, never the key. */
  readonly session: string;
  readonly startTimeMs: number;
  up: boolean;
  connects: number;
  readonly disconnects: Record<DisconnectReason, number>;
  /** Completed gaps only; add `gapSinceMs` for one that lasts. */
  gapMs: number;
  /** Since when there is a gap now; undefined while connected and before the first connection. */
  gapSinceMs: number | undefined;
  frames: number;
  receivedBytes: number;
  lastFrameAtMs: number | undefined;
  subscribedPrefixes: number;
  readonly renewals: Record<RenewalResult, number>;
  subscriptionExpiresAtMs: number | undefined;
}

/** What happens on a source; called synchronously, must not throw. */
export interface SourceListener {
  /** A text frame, as it came. The bytes belong to the listener. */
  frame(session: number, data: Buffer, receivedAtMs: number): void;
  /** Connected and associated: frames follow. `lastFrameAtMs` is when the stream last spoke before, if it did. */
  connected(session: number, atMs: number): void;
  disconnected(session: number, reason: DisconnectReason, atMs: number): void;
}

export interface StreamSource {
  readonly name: string;
  readonly stats: readonly StreamStats[];
  /** Starts all sessions; returns at once, connects in the background, retries for ever. */
  start(listener: SourceListener): void;
  /** Replaces the prefixes of a session without closing its connection. Resolves when associated, rejects when refused. */
  setPrefixes(session: number, prefixes: readonly string[]): Promise<void>;
  /** Closes all connections; resolves when they are closed, at the latest after two seconds. Idempotent. */
  stop(): Promise<void>;
}
