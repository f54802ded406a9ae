/**
 * Bounds for what compressed batches of records become. The library decompresses whatever comes, in one piece and without a
 * bound: seven bytes of Snappy take two gigabytes, since they say so. It does not know the frames in which Java writes Snappy.
 */
import zlib from 'node:zlib';
import type * as Kafka from '@platformatic/kafka';

/** Most bytes of one batch when it is decompressed: gzip makes a thousandth of zeros. Honest batches have a few MiB. */
export const MAX_BATCH_BYTES = 16 * 1_048_576;

type Algorithms = (typeof Kafka)['compressionsAlgorithms'];
type Decompress = Algorithms['gzip']['decompressSync'];
type Compressed = Parameters<Decompress>[0];

/**
 * Changes the library's ways to decompress: each throws an error with the code `ERR_BUFFER_TOO_LARGE` beyond the bound, and that
 * of Snappy reads the frames of Java too.
 */
export function boundDecompression({ gzip, snappy, lz4, zstd }: Algorithms): void {
  const bounded = { maxOutputLength: MAX_BATCH_BYTES };
  replace(gzip, () => (data) => zlib.gunzipSync(bytesOf(data), bounded));
  replace(snappy, (decompress) => (data) => {
    const blocks = snappyBlocks(bytesOf(data));
    check(blocks.reduce((bytes, block) => bytes + snappyBytes(block), 0));
    return blocks.length === 1 ? decompress(blocks[0]) : Buffer.concat(blocks.map((block) => decompress(block)));
  });
  replace(lz4, (decompress) => (data) => {
    check(lz4Bytes(bytesOf(data)));
    return decompress(data);
  });
  const { zstdDecompressSync } = zlib as Zstd;
  if (zstdDecompressSync !== undefined) replace(zstd, () => (data) => zstdDecompressSync(bytesOf(data), bounded));
}

/** Before Node.js 22.15 there is no zstd, and the library says so. */
interface Zstd {
  readonly zstdDecompressSync?: (data: Buffer, options: { readonly maxOutputLength: number }) => Buffer;
}

function replace(algorithm: { decompressSync: Decompress }, by: (decompress: Decompress) => Decompress): void {
  Object.assign(algorithm, { decompressSync: by(algorithm.decompressSync) });
}

function bytesOf(data: Compressed): Buffer {
  return Buffer.isBuffer(data) ? data : data.buffer;
}

function check(bytesWhenRead: number): void {
  if (bytesWhenRead <= MAX_BATCH_BYTES) return;
  const message = `a batch of records has more than ${MAX_BATCH_BYTES} bytes when it is decompressed`;
  throw Object.assign(new RangeError(message), { code: 'ERR_BUFFER_TOO_LARGE' });
}

/** 0x82, `SNAPPY` and a zero; the numbers of two versions come behind it. */
const JAVA_HEAD = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const JAVA_HEAD_BYTES = JAVA_HEAD.length + 8;

/**
 * The blocks of a batch. Producers and brokers in Java write a head, which may come again, and blocks of 32 KiB, each after its
 * length (u32, big endian), as org.xerial.snappy.SnappyOutputStream does; all others write one block.
 * @throws RangeError when a block is cut off
 */
export function snappyBlocks(data: Buffer): readonly Buffer[] {
  const isHead = (at: number) =>
    at + JAVA_HEAD_BYTES <= data.length && JAVA_HEAD.equals(data.subarray(at, at + JAVA_HEAD.length));
  if (!isHead(0)) return [data];
  const blocks: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    if (isHead(at)) {
      at += JAVA_HEAD_BYTES;
      continue;
    }
    const end = at + 4 > data.length ? Number.POSITIVE_INFINITY : at + 4 + data.readUInt32BE(at);
    if (end > data.length) throw new RangeError('a block of Snappy is cut off');
    blocks.push(data.subarray(at + 4, end));
    at = end;
  }
  return blocks;
}

/** What a block of Snappy says that it becomes: it begins with that number, 7 bits in a byte, the lowest first. */
export function snappyBytes(block: Buffer): number {
  let bytes = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    bytes += (block[i] & 0x7f) * 2 ** (7 * i);
    if (block[i] < 0x80) return bytes;
  }
  return bytes;
}

const LZ4_FRAME = 0x184d2204;
/** A frame of before frames had a head. */
const LZ4_LEGACY_FRAME = 0x184c2102;
const LEGACY_BLOCK_BYTES = 8 * 1_048_576;
/** A byte of a block makes at most this many. */
const LZ4_FACTOR = 255;
const BLOCK_IS_PLAIN = 0x80000000;

/**
 * The most that LZ4 frames can become, by their blocks: a block becomes no more than the frame's head allows, nor more than the
 * algorithm can make of it. A size that the head gives counts too, because a reader may make room for it.
 * @param data what is not LZ4 in it is left to the reader, which refuses it
 */
export function lz4Bytes(data: Buffer): number {
  let bytes = 0;
  let at = 0;
  while (at + 7 <= data.length) {
    const magic = data.readUInt32LE(at);
    if (magic !== LZ4_FRAME && magic !== LZ4_LEGACY_FRAME) return bytes;
    const isLegacy = magic === LZ4_LEGACY_FRAME;
    const flags = isLegacy ? 0 : data[at + 4];
    const hasSize = (flags & 0x08) !== 0;
    const blockBytes = isLegacy ? LEGACY_BLOCK_BYTES : 2 ** (8 + 2 * ((data[at + 5] >> 4) & 7));
    const told = hasSize && at + 14 <= data.length ? Number(data.readBigUInt64LE(at + 6)) : 0;
    at += isLegacy ? 4 : 7 + (hasSize ? 8 : 0) + ((flags & 0x01) === 0 ? 0 : 4);
    let made = 0;
    let size = -1;
    while (size !== 0 && at + 4 <= data.length) {
      const head = data.readUInt32LE(at);
      size = head % BLOCK_IS_PLAIN;
      made += head === size ? Math.min(blockBytes, LZ4_FACTOR * size) : size;
      at += 4 + size + (size === 0 || (flags & 0x10) === 0 ? 0 : 4);
    }
    if ((flags & 0x04) !== 0) at += 4; // the checksum of the frame
    bytes += Math.max(told, made);
  }
  return bytes;
}
