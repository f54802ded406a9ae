import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameQueue, HoldRoom } from '../../src/feed/frame-queue.ts';

const BOUNDS = { frames: 10, bytes: 10_000 };

it('queues that share room have no more together than it holds, and what is taken or cleared makes room', () => {
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

it('many tiny frames fill the room too: each takes more than its bytes', () => {
  const queue = new FrameQueue({ frames: 1_000, bytes: 10_000 }, new HoldRoom(3_300));
  let pushed = 0;
  for (; queue.hasRoom(1); pushed++) queue.push(Buffer.from('{'), 1, 'seeded');
  expect(pushed).toBe(100);
});

it('a large frame that shares its memory with its packet is copied, so that it does not hold the packet; one alone is not', () => {
  const queue = new FrameQueue({ frames: 10, bytes: 4_000_000 });
  const packet = Buffer.alloc(900_000);
  const alone = Buffer.alloc(200_000);
  queue.push(Buffer.alloc(1_100_000), 1, 'seeded');
  queue.push(packet.subarray(0, 200_000), 1, 'seeded');
  queue.push(alone, 1, 'seeded');
  queue.release();
  const frames = [queue.take(), queue.take(), queue.take()].flatMap((batch) => batch?.frames ?? []);
  expect(frames.map(({ length }) => length)).toEqual([1_100_000, 200_000, 200_000]);
  expect(frames[1].buffer).not.toBe(packet.buffer);
  expect(frames[2].buffer).toBe(alone.buffer);
});

it('large frames one after the other are copied to the same memory, so that they leave no garbage', () => {
  const queue = new FrameQueue({ frames: 10, bytes: 2_000_000 });
  const memories = new Set<ArrayBufferLike>();
  for (let i = 0; i < 100; i++) {
    for (const byte of [i, i + 1]) queue.push(Buffer.alloc(200_000, byte), 1, 'seeded');
    queue.release();
    for (const byte of [i, i + 1]) {
      const [frame] = queue.take()?.frames ?? [];
      expect([frame[0], frame.at(-1)]).toEqual([byte, byte]);
      memories.add(frame.buffer);
    }
  }
  expect(memories.size).toBeLessThan(5);
});

it('gives what was put in, in its order, whatever the sizes, releases and takings', () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ bytes: fc.oneof(fc.nat(300), fc.nat(400_000)), atMs: fc.nat(2) }) },
      fc.constantFrom('release', 'take', 'take', 'clear'),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, (list) => {
      const queue = new FrameQueue({ frames: 100, bytes: 100_000_000 });
      const model: { id: number; length: number; atMs: number }[] = [];
      let [released, id, taken] = [0, 0, 0];
      for (const step of list) {
        if (step === 'release') {
          queue.release();
          released = model.length;
        } else if (step === 'clear') {
          expect(queue.clear()).toBe(model.length);
          taken += model.length;
          released = 0;
          model.length = 0;
        } else if (step === 'take') {
          const batch = queue.take();
          expect(batch === undefined).toBe(released === 0);
          for (const frame of batch?.frames ?? []) {
            const expected = model.shift();
            expect([frame.length, batch?.receivedAtMs]).toEqual([expected?.length, expected?.atMs]);
            expect(frame.every((byte) => byte === (expected?.id ?? -1) % 251)).toBe(true);
            released--;
            taken++;
          }
        } else {
          queue.push(Buffer.alloc(step.bytes, id % 251), step.atMs, 'seeded');
          model.push({ id, length: step.bytes, atMs: step.atMs });
          id++;
        }
        expect(queue.bytes).toBe(model.reduce((sum, { length }) => sum + length, 0));
        expect([queue.isEmpty, queue.taken, queue.takenAfterReleased]).toEqual([
          model.length === 0,
          taken,
          taken + released,
        ]);
      }
    }),
    { numRuns: 200 },
  );
});
