import { describe, expect, it } from 'vitest';
import { allUp, createStreamStats, gapMsAt, markDown, markIdle, markUp } from '../../src/stream/stream-health.ts';

const session = () => createStreamStats('bgproutes', '0', 1_000);

describe('gaps', () => {
  it('does not count the time before the first connection', () => {
    const stats = session();
    markDown(stats, 2_000);
    expect(gapMsAt(stats, 60_000)).toBe(0);
    markUp(stats, 61_000);
    expect(gapMsAt(stats, 70_000)).toBe(0);
  });

  it('counts from the loss to the next connection, failed attempts between included', () => {
    const stats = session();
    markUp(stats, 2_000);
    markDown(stats, 10_000);
    expect(gapMsAt(stats, 11_500)).toBe(1_500);
    markDown(stats, 12_000);
    markUp(stats, 15_000);
    expect([stats.gapMs, stats.gapSinceMs, gapMsAt(stats, 99_000)]).toEqual([5_000, undefined, 5_000]);
    markDown(stats, 20_000);
    expect(gapMsAt(stats, 21_000)).toBe(6_000);
  });

  it('ends when the session has nothing to do any more', () => {
    const stats = session();
    markUp(stats, 2_000);
    markDown(stats, 3_000);
    markIdle(stats, 5_000);
    markDown(stats, 6_000);
    expect([gapMsAt(stats, 9_000), stats.up, stats.idle]).toEqual([2_000, false, true]);
  });

  it('is never negative', () => {
    const stats = session();
    markUp(stats, 2_000);
    markDown(stats, 10_000);
    expect(gapMsAt(stats, 4_000)).toBe(0);
    markUp(stats, 4_000);
    expect(stats.gapMs).toBe(0);
  });
});

describe('allUp', () => {
  it('asks only the sessions that have prefixes, and needs one', () => {
    const [up, down, idle] = [session(), session(), session()];
    markUp(up, 1);
    markIdle(idle, 1);
    expect(allUp([up, idle])).toBe(true);
    expect(allUp([up, down])).toBe(false);
    expect(allUp([idle])).toBe(false);
    expect(allUp([])).toBe(false);
  });
});
