/**
 * A Kafka record as a frame: its timestamp and its channel stand before its value, because a decoder is given bytes only.
 * A channel is what keeps its order: a partition, or the records of one key of a partition.
 */

/** Bytes before the value. */
export const FRAME_HEADER = 12;

/**
 * @param timeMs Unix ms; below 0 when the record has none
 * @param channel from 0 to 2^30 - 1
 */
export function writeFrameHeader(frame: Buffer, at: number, timeMs: number, channel: number): void {
  frame.writeDoubleBE(timeMs, at);
  frame.writeUInt32BE(channel, at + 8);
}

/** One record as a frame of its own. Sources that have many at once write them side by side instead. */
export function recordFrame(timeMs: number, channel: number, value: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER + value.length);
  writeFrameHeader(frame, 0, timeMs, channel);
  frame.set(value, FRAME_HEADER);
  return frame;
}

/** Kinds of frames that are not records, in the two highest bits of the channel. */
const END_OF_CHANNEL = 0x80000000;
const PASSED = 0x40000000;

/** Says that a channel has ended: nothing that it told can be relied on. */
export function endOfChannelFrame(timeMs: number, channel: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER);
  frame.writeDoubleBE(timeMs, 0);
  frame.writeUInt32BE(channel + END_OF_CHANNEL, 8);
  return frame;
}

export function isEndOfChannel(frame: Buffer): boolean {
  return (frame[8] & 0x80) !== 0;
}

/** Says that so many messages were turned away at receipt, with so many prefixes that nobody asked for. */
export function passedFrame(messages: number, prefixes: number): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER + 8);
  frame.writeUInt32BE(PASSED, 8);
  frame.writeUInt32BE(messages, FRAME_HEADER);
  frame.writeUInt32BE(prefixes, FRAME_HEADER + 4);
  return frame;
}

/** What a frame of `passedFrame` says; undefined for any other. */
export function readPassed(frame: Buffer): { readonly messages: number; readonly prefixes: number } | undefined {
  if ((frame[8] & 0x40) === 0 || frame.length < FRAME_HEADER + 8) return undefined;
  return { messages: frame.readUInt32BE(FRAME_HEADER), prefixes: frame.readUInt32BE(FRAME_HEADER + 4) };
}

/** Unix ms; below 0 when the record has none. */
export function frameTimeMs(frame: Buffer): number {
  return frame.readDoubleBE(0);
}

export function frameChannel(frame: Buffer): number {
  return frame.readUInt32BE(8) % PASSED;
}
