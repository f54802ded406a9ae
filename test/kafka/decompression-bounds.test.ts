/** Batches that are small only while they are compressed. */
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { loadKafkaLibrary, unreadableReason } from '../../src/kafka/broker-client.ts';
import { lz4Bytes, MAX_BATCH_BYTES, snappyBlocks, snappyBytes } from '../../src/kafka/decompression-bounds.ts';

const { compressionsAlgorithms } = await loadKafkaLibrary();

/** A frame of LZ4 of blocks of 4 MiB; each is one byte that repeats itself. */
function lz4Bomb(blocks: number): Buffer {
  // One literal, then a match 1 byte back: its length is 15 + 255 for each byte of 0xff + the last byte + 4.
  const repeats = Math.floor((4 * 1_048_576 - 1_024) / 255);
  const block = Buffer.concat([
    Buffer.from([0x1f, 0x61, 1, 0]),
    Buffer.alloc(repeats, 255),
    Buffer.from([0, 0x50, 97, 97, 97, 97, 97]),
  ]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73]);
  return Buffer.concat([head, ...Array.from({ length: blocks }, () => [size, block]).flat(), Buffer.alloc(4)]);
}

it.each(['gzip', 'snappy', 'lz4'] as const)('%s: an honest batch is read as it was', (name) => {
  const algorithm = compressionsAlgorithms[name];
  const honest = Buffer.from('records '.repeat(200_000));
  expect(algorithm.decompressSync(algorithm.compressSync(honest)).equals(honest)).toBe(true);
});

it.each([
  ['gzip', gzipSync(Buffer.alloc(MAX_BATCH_BYTES + 1))],
  // It says that it becomes 2 GiB.
  ['snappy', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x07, 0x00, 0x61])],
  ['lz4', lz4Bomb(5)],
  // Its head says that it becomes 1 TiB.
  ['lz4', Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x68, 0x70, 0, 0, 0, 0, 0, 1, 0, 0, 0x00, 0, 0, 0, 0])],
] as const)('%s: a batch of a few kilobytes that becomes too large is refused as damaged', (name, bomb) => {
  expect(bomb.length).toBeLessThan(100_000);
  let error: unknown;
  try {
    compressionsAlgorithms[name].decompressSync(bomb);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' });
  expect(unreadableReason(error)).toBe('damaged');
});

/** As Java writes it: a head, and blocks after their lengths. */
function javaSnappy(...blocks: readonly Buffer[]): Buffer {
  const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const length = (block: Buffer) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(block.length);
    return bytes;
  };
  return Buffer.concat([head, ...blocks.flatMap((block) => [length(block), block])]);
}

it('the frames in which Java writes Snappy are read, and bounded as a whole', () => {
  const { snappy } = compressionsAlgorithms;
  const parts = ['one '.repeat(8_000), '', 'two '.repeat(9)].map((text) => Buffer.from(text));
  const blocks = parts.map((part) => Buffer.from(snappy.compressSync(part)));
  const framed = javaSnappy(...blocks);
  expect(snappy.decompressSync(framed).equals(Buffer.concat(parts))).toBe(true);
  expect(snappy.decompressSync(Buffer.concat([framed, framed])).equals(Buffer.concat([...parts, ...parts]))).toBe(true);
  expect(snappy.decompressSync(javaSnappy()).length).toBe(0);
  for (const end of [framed.length - 1, framed.length - blocks[2]!.length - 2, 18])
    expect(() => snappyBlocks(framed.subarray(0, end))).toThrow('cut off');
  const large = Buffer.from(snappy.compressSync(Buffer.alloc(MAX_BATCH_BYTES / 2 + 1)));
  expect(snappy.decompressSync(javaSnappy(large)).length).toBe(MAX_BATCH_BYTES / 2 + 1);
  expect(() => snappy.decompressSync(javaSnappy(large, large))).toThrow('more than 16777216 bytes');
});

it('a large frame of LZ4 within the bound is read', () => {
  const bomb = lz4Bomb(3);
  const read = compressionsAlgorithms.lz4.decompressSync(bomb);
  expect(read.length).toBeGreaterThan(12_000_000);
  expect(lz4Bytes(bomb)).toBeGreaterThanOrEqual(read.length);
});

it('what a batch becomes is never more than is told before', () => {
  for (const length of [1, 127, 128, 70_000, 3_000_000]) {
    const plain = Buffer.alloc(length, 'abc');
    expect(snappyBytes(compressionsAlgorithms.snappy.compressSync(plain))).toBe(length);
    const told = lz4Bytes(compressionsAlgorithms.lz4.compressSync(plain));
    expect(told).toBeGreaterThanOrEqual(length);
    expect(told).toBeLessThanOrEqual(Math.max(4 * 1_048_576, 2 * length));
  }
});

it('bytes that are no frame are left to the reader', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from([1, 2, 3]), Buffer.alloc(64, 255), lz4Bomb(5).subarray(0, 9)])
    expect(lz4Bytes(bytes)).toBeLessThan(MAX_BATCH_BYTES);
});
