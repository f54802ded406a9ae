/**
 * A Kafka record as a frame: its timestamp and its channel stand before its value, because a decoder is given bytes only.
 * A channel is what keeps its order: a partition, or the records of one key of a partition.
 */

/** Bytes before the value. */
export const FRAME_HEADER = 12;

/**
 * @param timeMs Unix ms; below 0 when the record has none
 * @param channel from 0 to 2^31 - 1
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

/** In the place of the channel's highest bit. */
const END_OF_CHANNEL = 0x80000000;

/** Says that a channel is no more: nothing that it told can be relied on. */
export function endOfChannelFrame(timeMs: number, channel: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER);
  frame.writeDoubleBE(timeMs, 0);
  frame.writeUInt32BE(channel + END_OF_CHANNEL, 8);
  return frame;
}

export function isEndOfChannel(frame: Buffer): boolean {
  return (frame[8] & 0x80) !== 0;
}

/** Unix ms; below 0 when the record has none. */
export function frameTimeMs(frame: Buffer): number {
  return frame.readDoubleBE(0);
}

export function frameChannel(frame: Buffer): number {
  return frame.readUInt32BE(8) % END_OF_CHANNEL;
}
