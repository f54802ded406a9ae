/** Frames of RIS Live to events, by JSON.parse: at some 3 µs a frame no faster way is needed. */
import type { VantagePoint } from '../bgp/vantage-point.ts';
import type { EventSink, FrameDecoder } from '../stream/frame-decoder.ts';
import { decodeRisFrame, RIS_DECODE_FAILURES, RIS_NOT_MESSAGES, RisTexts } from './message.ts';

export class RisDecoder implements FrameDecoder {
  readonly failures = RIS_DECODE_FAILURES;
  readonly harmless = RIS_NOT_MESSAGES;
  readonly #texts = new RisTexts();
  readonly #counts: (vp: VantagePoint) => boolean;

  /** @param counts whether a VP's messages are events; by default all are */
  constructor(counts: (vp: VantagePoint) => boolean = () => true) {
    this.#counts = counts;
  }

  decode(frames: readonly Buffer[], to: EventSink): void {
    for (const data of frames) {
      const frame = decodeRisFrame(data, this.#texts);
      switch (frame.kind) {
        case 'routes':
          for (const failure of frame.failures) to.failed(failure);
          if (this.#counts(frame.vp)) for (const update of frame.updates) to.update(update);
          break;
        case 'peer_state':
          to.peerState({ vp: frame.vp, up: frame.up, timeUs: frame.timeUs });
          break;
        case 'failed':
          to.failed(frame.reason);
          break;
        case 'error':
          to.failed('service_error');
          break;
        case 'quiet':
        case 'pong':
        case 'subscribed':
        case 'collectors':
      }
    }
  }
}
