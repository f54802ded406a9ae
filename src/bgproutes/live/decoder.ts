/** Frames of the bgproutes.io live stream to events: most the fast way, the others by the general decoder. */
import type { RouteIds } from '../../bgp/route-integers.ts';
import type { EventSink, FrameDecoder } from '../../stream/frame-decoder.ts';
import { DECODE_FAILURES, type DecodeResult, decodeInSteps, decodeMessage, NOT_MESSAGES } from './message.ts';
import { FastDecoder } from './scanner/fast-decoder.ts';

export class BgproutesDecoder implements FrameDecoder {
  readonly failures = DECODE_FAILURES;
  readonly harmless = NOT_MESSAGES;
  readonly hasFastWay = true;
  readonly #fast: FastDecoder;

  constructor(ids: RouteIds) {
    this.#fast = new FastDecoder(ids);
  }

  decode(frames: readonly Buffer[], to: EventSink): void {
    this.#fast.decode(
      frames,
      (read, first) => to.integers(read, first),
      (frame) => {
        to.general();
        decodeGenerally(frame, to);
      },
    );
  }

  prefixesOf(frame: Buffer): readonly string[] {
    const result = decodeMessage(frame);
    return result.ok ? [...result.update.withdrawn, ...result.update.announced] : [];
  }
}

/** A longer frame takes milliseconds, and tens of them while the code is not compiled yet. */
const LONG_FRAME = 32 * 1024;

/** Reads one frame by the general decoder. */
export function decodeGenerally(frame: Buffer, to: EventSink): void {
  if (frame.length > LONG_FRAME && to.later !== undefined) to.later(inSteps(frame, to));
  else tell(decodeMessage(frame), to);
}

function* inSteps(frame: Buffer, to: EventSink): Generator<void, void> {
  tell(yield* decodeInSteps(frame), to);
}

function tell(result: DecodeResult, to: EventSink): void {
  if (!result.ok) {
    to.failed(result.reason);
    if (result.reason === 'withdrawal_without_prefix' && result.keys !== undefined) {
      to.remark('a withdrawal has no readable prefix; the service may use a key that this version does not know', {
        keys: result.keys.join(' '),
      });
    }
    return;
  }
  for (const failure of result.failures) to.failed(failure);
  if (result.guessedKey !== undefined)
    to.remark('withdrawn prefixes were found under a key that is not documented', { key: result.guessedKey });
  to.update(result.update);
}
