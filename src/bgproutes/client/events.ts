/** What the client tells on request beside messages: the connection's fate, and what did not become a message. */
import type { DisconnectReason } from '../../stream/source.ts';
import type { DecodeFailure } from '../live/message.ts';

/** Connected, and associated with the prefixes subscribed to: messages follow. */
export interface ConnectedEvent {
  readonly type: 'connected';
  /** Unix ms. */
  readonly atMs: number;
  /** How long the stream was away, ms: what was sent meanwhile is lost. Undefined for the first connection. */
  readonly gapMs: number | undefined;
}

/**
 * A connection ended, or an attempt at one failed; or (`association_failed` while connected) the association of the prefixes
 * may have expired, and messages may cease. Of several in a row that wait to be read only the newest is kept.
 */
export interface DisconnectedEvent {
  readonly type: 'disconnected';
  /** Unix ms: since when nothing can be relied on; for `timeout` the last sign of life. */
  readonly atMs: number;
  readonly reason: DisconnectReason;
  /** What the server or the network said: one line, bounded, without the key. May be empty. */
  readonly detail: string;
  /** The service said no: the next attempt is made after minutes. */
  readonly refused: boolean;
  /** False: the iteration ends now, with an error. */
  readonly willReconnect: boolean;
}

/** A frame, or a part of one, could not be read. What else was in the frame follows as messages. */
export interface UnreadableEvent {
  readonly type: 'unreadable';
  /** When it came, Unix ms. */
  readonly atMs: number;
  readonly reason: DecodeFailure;
  /** Names of the keys of a message in which nothing was found, never values. */
  readonly keys?: readonly string[];
}

/** Frames that were lost here: reading was paused, and yet more came than the queue holds. */
export interface DroppedEvent {
  readonly type: 'dropped';
  readonly frames: number;
  readonly bytes: number;
}

/** What `messages({ events: true })` yields beside messages; told apart by `type`. */
export type ClientEvent = ConnectedEvent | DisconnectedEvent | UnreadableEvent | DroppedEvent;
