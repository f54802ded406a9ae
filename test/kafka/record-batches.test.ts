import { expect, it } from 'vitest';
import { type RecordBatch, readRecords } from '../../src/kafka/record-batches.ts';

function batch(firstOffset: bigint, deltas: readonly number[], more: Partial<RecordBatch> = {}): RecordBatch {
  return {
    ...{ firstOffset, lastOffsetDelta: 9, attributes: 0, firstTimestamp: 1_000n, maxTimestamp: 5_000n },
    records: deltas.map((offsetDelta) => ({
      ...{ offsetDelta, timestampDelta: BigInt(offsetDelta), key: null, value: Buffer.from([offsetDelta]) },
    })),
    ...more,
  };
}

it('records before the wanted offset are left out, and those that were compacted away are passed', () => {
  const { records, nextOffset } = readRecords([batch(100n, [0, 3, 7])], 103);
  expect(records.map(({ offset, timeMs }) => [offset, timeMs])).toEqual([
    ...[
      [103, 1_003],
      [107, 1_007],
    ],
  ]);
  expect(nextOffset).toBe(110);
});

it('the time of the broker counts if the topic says so, and a missing time stays missing', () => {
  expect(readRecords([batch(0n, [0], { attributes: 0x08 })], 0).records[0].timeMs).toBe(5_000);
  expect(readRecords([batch(0n, [5], { firstTimestamp: -1n })], 0).records[0].timeMs).toBe(-1);
});

it('markers of transactions are no records', () => {
  expect(readRecords([batch(0n, [0], { attributes: 0x20 })], 0)).toEqual({ records: [], nextOffset: 10 });
});

it('nothing moves nothing', () => {
  expect(readRecords([], 42)).toEqual({ records: [], nextOffset: 42 });
});
