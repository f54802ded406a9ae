/** The library believes for a minute to know which broker leads a partition, and that broker may be gone. */
import { expect, it, vi } from 'vitest';
import { recordSender } from '../../src/fleet/event-writer.ts';
import { stateSender } from '../../src/fleet/member/state-writer.ts';

const library = vi.hoisted(() => ({ cleared: 0 }));

vi.mock('@platformatic/kafka', () => ({
  compressionsAlgorithms: { gzip: {}, snappy: {}, lz4: {}, zstd: {} },
  Producer: class {
    send(): Promise<void> {
      return Promise.reject(new Error('the broker is gone'));
    }

    clearMetadata(): void {
      library.cleared++;
    }
  },
}));

it('who leads the partitions is asked another time when events, or state, could not be written', async () => {
  const connection = { brokers: ['kafka:9092'], tls: undefined, sasl: undefined };
  const events = await recordSender(connection, 'test', 'bgp.events');
  await expect(events.send([{ partition: 0, value: Buffer.from('record') }])).rejects.toThrow('the broker is gone');
  expect(library.cleared).toBe(1);
  const state = stateSender(connection, 'test', 'bgp.state');
  await expect(state.send(0, [{ key: '192.0.2.0/24', value: null }])).rejects.toThrow('the broker is gone');
  expect(library.cleared).toBe(2);
});
