/** Bytes of a broker that are no records: known as such, whatever the library or what it unpacks with throws. */
import { createRecordsBatch, Reader, readRecordsBatches } from '@platformatic/kafka';
import { expect, it } from 'vitest';
import { unreadableReason } from '../../src/kafka/broker-client.ts';

const batch = (compression: 'none' | 'gzip' | 'snappy' | 'lz4'): Buffer => {
  const value = Buffer.from('a text that is said twice, '.repeat(20));
  return Buffer.from(
    createRecordsBatch(
      [
        { topic: 't', value },
        { topic: 't', value },
      ],
      { compression },
    ).buffer,
  );
};

it.each(['none', 'gzip', 'snappy', 'lz4'] as const)('a batch with a wrong byte, compression %s', (compression) => {
  const bytes = batch(compression);
  let failures = 0;
  // Its head, with the length of the batch, is the broker's.
  for (let at = 57; at < bytes.length; at++) {
    for (const wrong of [0, 255]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = wrong;
      try {
        readRecordsBatches(Reader.from(damaged));
      } catch (error) {
        failures++;
        expect([at, wrong, unreadableReason(error)]).toEqual([at, wrong, 'damaged']);
      }
    }
  }
  expect(failures).toBeGreaterThan(5);
});

it('a compression that this Node.js does not know', () => {
  const bytes = batch('gzip');
  bytes.writeInt16BE(7, 21);
  expect(() => readRecordsBatches(Reader.from(bytes))).toThrow(
    expect.toSatisfy((error: unknown) => unreadableReason(error) === 'compression'),
  );
});

it('no error of a connection', () => {
  for (const code of ['PLT_KFK_NETWORK', 'PLT_KFK_TIMEOUT', 'ECONNRESET', 'ERR_TLS_CERT_ALTNAME_INVALID'])
    expect(unreadableReason(Object.assign(new Error('no'), { code }))).toBeUndefined();
  expect(unreadableReason(new Error('no'))).toBeUndefined();
});
