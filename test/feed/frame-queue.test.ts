import { expect, test } from 'vitest';
import { FrameQueue, HoldRoom } from '../../src/feed/frame-queue.ts';

const BOUNDS = { frames: 10, bytes: 10_000 };

test('queues that share room have no more together than it holds, and what is taken or cleared makes room', () => {
  const room = new HoldRoom(3_000);
  const [one, other] = [new FrameQueue(BOUNDS, room), new FrameQueue(BOUNDS, room)];
  const frame = Buffer.alloc(1_000);
  one.push(frame, 1, 'seeded');
  expect(other.hasRoom(1_000)).toBe(true);
  other.push(frame, 1, 'seeded');
  expect([one.hasRoom(1_000), other.hasRoom(1_000)]).toEqual([false, false]);
  other.release();
  other.take();
  expect(one.hasRoom(1_000)).toBe(true);
  one.push(frame, 2, 'seeded');
  expect(other.hasRoom(1_000)).toBe(false);
  one.clear();
  expect([other.hasRoom(2_000), other.hasRoom(3_000)]).toEqual([true, false]);
});

test('many tiny frames fill the room too: each takes more than its bytes', () => {
  const queue = new FrameQueue({ frames: 1_000, bytes: 10_000 }, new HoldRoom(3_000));
  let pushed = 0;
  for (; queue.hasRoom(1); pushed++) queue.push(Buffer.from('{'), 1, 'seeded');
  expect(pushed).toBe(11);
});

test('a frame that shares memory with its packet is copied, so that it does not hold the packet; one alone is not', () => {
  const queue = new FrameQueue(BOUNDS);
  const packet = Buffer.alloc(20_000);
  const alone = Buffer.alloc(5_000);
  queue.push(packet.subarray(0, 5_000), 1, 'seeded');
  queue.push(alone, 1, 'seeded');
  queue.release();
  const frames = queue.take()?.frames ?? [];
  expect(frames.map(({ length }) => length)).toEqual([5_000, 5_000]);
  expect(frames[0].buffer.byteLength).toBeLessThan(20_000);
  expect(frames[1]).toBe(alone);
});
