/** What a session's feed is made of. */
import type { Logger } from '../logger.ts';
import type { FrameDecoder } from '../stream/frame-decoder.ts';
import type { StreamStats } from '../stream/source.ts';
import type { Fold } from '../table/fold.ts';
import type { HoldBounds, HoldRoom } from './frame-queue.ts';
import type { Turns } from './turns.ts';

export interface SessionFeedOptions {
  /** The number of the session among those of all sources. */
  readonly session: number;
  readonly stream: StreamStats;
  /** May be shared by all sessions: each frame is decoded and folded in one step. */
  readonly decoder: FrameDecoder;
  readonly fold: Fold;
  readonly logger: Logger;
  /** Canonical text of a prefix that only proves that the stream speaks. */
  readonly canary?: string | undefined;
  readonly holdBounds?: HoldBounds;
  /** For the frames that wait in all sessions. Default: one of the session's own. */
  readonly holdRoom?: HoldRoom;
  /** Default: those of Node. */
  readonly turns?: Turns;
  /**
   * Told of a message in which nothing is monitored: at most one of those that came as integers in one packet. It gets all
   * prefixes of the message, canonical.
   */
  readonly onUnmonitored?: (prefixes: readonly string[], receivedAtMs: number) => void;
  /** A VP went down here, and passed to another source (its place), whose history is to be read for it. */
  readonly onPassed?: (vp: number, source: number) => void;
}
