import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { loadKafkaLibrary, MAX_BATCH_BYTES } from '../../src/kafka/broker-client.ts';

it('a batch that is small only while it is compressed is not decompressed', async () => {
  const { gzip } = (await loadKafkaLibrary()).compressionsAlgorithms;
  const honest = Buffer.from('records '.repeat(1_000));
  expect(gzip.decompressSync(gzip.compressSync(honest)).equals(honest)).toBe(true);
  const bomb = gzipSync(Buffer.alloc(MAX_BATCH_BYTES + 1));
  expect(bomb.length).toBeLessThan(32_768);
  expect(() => gzip.decompressSync(bomb)).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_TOO_LARGE' }));
});
