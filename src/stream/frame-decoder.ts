/**
 * The contract of a decoder: undecoded frames go in, and what they say comes out in their order. Pure and total: whatever
 * the bytes are, they end as events or as failures with a reason from a closed list; nothing is thrown.
 */
import type { PeerState, RouteUpdate } from '../bgp/route-event.ts';
import type { DecodedUpdates } from '../bgp/route-integers.ts';

export interface FrameDecoder {
  /** Every reason that `failed` may be told. Closed list: it becomes a label. */
  readonly failures: readonly string[];
  /** The failures by which no event is lost, because the frame was not a message about routes. */
  readonly harmless: readonly string[];
  /** Reasons of `unused`. Closed list: it becomes a label. Absent: there are none. */
  readonly unused?: readonly string[];
  /** Whether it gives most frames by `integers`, so that the frames that need the general decoder are counted. Absent is false. */
  readonly hasFastWay?: boolean;
  /**
   * Reads frames that came at one moment. What one frame makes known, such as a VP, the frames behind it may use.
   * @param to must not throw; what it is given is valid until it returns
   */
  decode(frames: readonly Buffer[], to: EventSink): void;
  /**
   * All prefixes of a message that was given as integers, canonical; an empty list for a frame that is not a message. Only for a source
   * that must hear what its messages are about (`StreamSource.heard`).
   */
  prefixesOf?(frame: Buffer): readonly string[];
}

/** Takes what frames say. A frame may lead to several calls, or to none (a keep-alive). */
export interface EventSink {
  /**
   * Some messages as the table's own numbers: no allocation a frame. The sink releases their paths.
   * @param first the place of the first of them in the list of frames; the others follow it without a gap
   */
  integers(read: DecodedUpdates, first: number): void;
  /** One message in words. */
  update(update: RouteUpdate): void;
  peerState(state: PeerState): void;
  /** A frame, or a part of one, that could not be read. */
  failed(reason: string): void;
  /** A message, or a part of one, was read and says nothing that counts here. */
  unused(reason: string): void;
  /**
   * What the decoder itself found to be about no monitored prefix, since the source delivers more than was asked for.
   * @param messages that are about nothing else
   * @param prefixes announced or withdrawn, in these and in other messages
   */
  passed(messages: number, prefixes: number): void;
  /** The fast way has given up the next frame: it is read by the general decoder. */
  general(): void;
  /**
   * What is to be done for a long frame: its steps tell the sink what the frame says. The bytes of the frame are valid in the
   * first step only, which is done at once; nothing else of the session comes before the last. Absent: all is done at once.
   */
  later?(steps: Generator<void, void>): void;
  /** Something that people should know about the stream. It is logged once a session. */
  remark(text: string, fields: Readonly<Record<string, string>>): void;
}
