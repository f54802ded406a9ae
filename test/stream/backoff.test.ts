import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from '../../src/stream/backoff.ts';

describe('Backoff', () => {
  it('doubles its ceiling up to the maximum', () => {
    const backoff = new Backoff({ baseMs: 1_000, maxMs: 60_000 }, () => 0.999_999_9);
    const waits = Array.from({ length: 9 }, () => backoff.next());
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('takes the whole range below the ceiling', () => {
    const chances = [0, 0.5, 0.25];
    const backoff = new Backoff({ baseMs: 1_000, maxMs: 60_000 }, () => chances.shift() as number);
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([0, 1_000, 1_000]);
  });

  it('leaves to chance only the share that it is told', () => {
    const options = { baseMs: 5_000, maxMs: 60_000, jitter: 0.1 };
    const [least, most] = [0, 0.999_999_9].map((chance) => new Backoff(options, () => chance));
    const waits = (backoff: Backoff) => Array.from({ length: 6 }, () => backoff.next());
    expect(waits(most)).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
    expect(waits(least)).toEqual([4_500, 9_000, 18_000, 36_000, 54_000, 54_000]);
  });

  it('begins with the first wait after a reset', () => {
    const backoff = new Backoff({ baseMs: 1_000, maxMs: 60_000 }, () => 0.999_999_9);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(1_000);
  });

  it('is never below the floor nor above the maximum, however often it is asked', () => {
    fc.assert(
      fc.property(
        fc.record({ floorMs: fc.nat(1_000), above: fc.nat(5_000), more: fc.nat(100_000) }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        ({ floorMs, above, more }, chance) => {
          const options = { floorMs, baseMs: floorMs + above, maxMs: floorMs + above + more };
          const backoff = new Backoff(options, () => chance);
          for (let i = 0; i < 2_000; i++) {
            const wait = backoff.next();
            if (!(wait >= options.floorMs && wait <= options.maxMs)) return false;
          }
          return true;
        },
      ),
      { numRuns: 50 },
    );
  });
});
