/** Frames that an ingest holds while it fills a gap are written in turns, in their order, and none without a bound. */
import { describe, expect, it } from 'vitest';
import { WaitingFrames } from '../../src/fleet/ingest/waiting-frames.ts';
import { ManualTurns } from '../feed/manual-turns.ts';

const AT_MS = 1_800_000_000_000;
const texts = (count: number, from = 0) => Array.from({ length: count }, (_, i) => String(from + i));

function waitingFrames(bounds = { frames: 10_000, bytes: 1_048_576 }) {
  const written: string[] = [];
  const turns = new ManualTurns();
  turns.lookMs = 1;
  let lost = 0;
  const waiting = new WaitingFrames({
    write: (frames) => written.push(...frames.map(String)),
    bounds,
    turns,
  });
  const add = (some: readonly string[], atMs = AT_MS) =>
    waiting.add(
      some.map((text) => Buffer.from(text)),
      atMs,
      () => {
        lost++;
      },
    );
  return { waiting, written, turns, add, lost: () => lost };
}

describe('frames of an ingest that wait for a gap to be filled', () => {
  it('are written at once where nothing is filled', () => {
    const { written, turns, add } = waitingFrames();
    add(['a', 'b']);
    expect(written).toEqual(['a', 'b']);
    expect(turns.asked).toBe(0);
  });

  it('are written over several turns, and what comes meanwhile stands behind them', () => {
    const { waiting, written, turns, add } = waitingFrames();
    waiting.hold();
    add(texts(5_000));
    expect(written).toEqual([]);
    expect(waiting.release()).toBe(true);
    const first = written.length;
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(500);
    add(texts(3, 5_000), AT_MS + 1);
    turns.give();
    expect(written.length).toBeGreaterThan(first);
    expect(written.length).toBeLessThan(1_000);
    turns.all();
    expect(written).toEqual(texts(5_003));
    // From now on nothing waits.
    add(['x']);
    expect(written.at(-1)).toBe('x');
  });

  it('are written before the gap counts as filled', async () => {
    const { waiting, written, turns, add } = waitingFrames();
    waiting.hold();
    add(texts(2_000));
    waiting.release();
    let isOver = false;
    const over = waiting.written(new AbortController().signal).then(() => {
      isOver = true;
    });
    turns.give();
    await Promise.resolve();
    expect(isOver).toBe(false);
    turns.all();
    await over;
    expect(written).toHaveLength(2_000);
  });

  it('of an earlier gap are written also while the next one is filled, the others are not', () => {
    const { waiting, written, turns, add } = waitingFrames();
    waiting.hold();
    add(texts(1_000));
    waiting.release();
    waiting.hold();
    add(['next'], AT_MS + 1);
    turns.all();
    expect(written).toEqual(texts(1_000));
    waiting.release();
    expect(written.at(-1)).toBe('next');
  });

  it('that find no room are lost while the gap is filled, and the gap is filled again', () => {
    const { waiting, written, add, lost } = waitingFrames({ frames: 3, bytes: 1_048_576 });
    waiting.hold();
    add(texts(5));
    expect(lost()).toBe(2);
    expect(waiting.release()).toBe(false);
    expect(written).toEqual(texts(3));
    waiting.hold();
    expect(waiting.release()).toBe(true);
  });

  it('that find no room afterwards make room, and the stream is told to wait', async () => {
    const { waiting, written, turns, add, lost } = waitingFrames({ frames: 300, bytes: 64 * 1_048_576 });
    const large = (i: number) => String(i).padEnd(8 * 1_024, '.');
    waiting.hold();
    add(Array.from({ length: 300 }, (_, i) => large(i)));
    waiting.release();
    const more = add(
      Array.from({ length: 100 }, (_, i) => large(300 + i)),
      AT_MS + 1,
    );
    expect(more).toBeInstanceOf(Promise);
    expect(lost()).toBe(0);
    turns.all();
    await more;
    expect(written).toEqual(Array.from({ length: 400 }, (_, i) => large(i)));
  });
});
