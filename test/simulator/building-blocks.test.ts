import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsPrefix, formatAddress, maskWords, parsePrefix } from '../../src/bgp/prefix.ts';
import { ManualClock, TimeStamper } from '../../src/simulator/clock.ts';
import { hashText, seededRandom } from '../../src/simulator/internet/random.ts';
import { PrefixIndex } from '../../src/simulator/internet/routes/prefix-index.ts';
import { Timeline } from '../../src/simulator/internet/timeline.ts';
import { Association } from '../../src/simulator/services/bgproutes/associations.ts';
import { payloadOf } from '../../src/simulator/services/bgproutes/stream-message.ts';
import { idle } from '../support/idle.ts';

describe('ManualClock', () => {
  it('timers fire at their times, in their order, those set meanwhile too', () => {
    const clock = new ManualClock(1_000);
    const fired: string[] = [];
    const at = (name: string, delayMs: number, then: () => void = () => {}) =>
      clock.schedule(() => {
        fired.push(`${name}@${clock.now()}`);
        then();
      }, delayMs);
    at('late', 300);
    at('first', 100, () => at('nested', 50));
    at('same', 100);
    const cancel = at('never', 120);
    cancel();
    clock.advance(200);
    expect(fired).toEqual(['first@1100', 'same@1100', 'nested@1150']);
    expect(clock.now()).toBe(1_200);
    clock.advance(100);
    expect(fired.at(-1)).toBe('late@1300');
  });

  it('stamps are of the clock, and never the same twice', () => {
    const clock = new ManualClock(5);
    const stamper = new TimeStamper(clock);
    expect([stamper.nextUs(), stamper.nextUs()]).toEqual([5_000, 5_001]);
    clock.advance(1);
    expect(stamper.nextUs()).toBe(6_000);
  });
});

describe('Timeline', () => {
  it('runs everything in the order of its times, at any speed and in any portions', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { maxLength: 40 }),
        fc.double({ min: 0.01, max: 1000, noNaN: true }),
        fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 20 }),
        (times, speed, portions) => {
          const clock = new ManualClock(1_800_000_000_123);
          const timeline = new Timeline({ clock, speed, backpressure: () => undefined });
          const ran: number[] = [];
          for (const time of times) timeline.at(time, () => ran.push(time));
          timeline.start();
          let passedMs = 0;
          for (const portion of portions) {
            clock.advance(portion);
            passedMs += portion;
            const due = times.filter((time) => time < passedMs * speed - 1e-3);
            expect(ran.length).toBeGreaterThanOrEqual(due.length);
            expect(ran.every((time) => time <= passedMs * speed + 1e-3)).toBe(true);
          }
          clock.advance(Math.ceil(1_001 / speed));
          expect(ran).toEqual([...times].sort((a, b) => a - b));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('at full speed it waits for those who cannot keep up', async () => {
    let release: () => void = () => {};
    let isSlow = false;
    const timeline = new Timeline({
      clock: new ManualClock(),
      speed: 'max',
      backpressure: () => (isSlow ? new Promise<void>((resolve) => (release = resolve)) : undefined),
    });
    let ran = 0;
    const again = () => {
      ran++;
      if (ran === 1_000) isSlow = true;
      if (ran < 5_000) timeline.after(1_000, again);
    };
    timeline.after(1_000, again);
    timeline.start();
    await idle();
    expect(ran).toBeGreaterThanOrEqual(1_000);
    expect(ran).toBeLessThan(1_300);
    isSlow = false;
    release();
    await idle();
    expect(ran).toBe(5_000);
    expect(timeline.nowMs).toBe(5_000_000);
  });
});

describe('payloadOf', () => {
  const parts = ['{"vp":"Zürich","sec":', ',"Usec":', '}'].map((text) => Buffer.from(text));
  const [head, middle, tail] = parts;

  it.each([
    [0, '{"vp":"Zürich","sec":0,"Usec":0}'],
    [1_000_000, '{"vp":"Zürich","sec":1,"Usec":0}'],
    [1_767_225_600_000_009, '{"vp":"Zürich","sec":1767225600,"Usec":9}'],
    [1_767_225_600_999_999, '{"vp":"Zürich","sec":1767225600,"Usec":999999}'],
  ])('writes the time %i µs between the parts', (timeUs, text) => {
    expect(payloadOf({ head, middle, tail }, timeUs).toString()).toBe(text);
  });

  it('leaves a text that is complete as it is', () => {
    expect(payloadOf({ head, middle: undefined, tail: undefined }, 5)).toBe(head);
  });
});

describe('Association', () => {
  it('matches what is associated or more specific, as comparing with each prefix does', () => {
    const prefix = fc
      .tuple(
        fc.boolean(),
        fc.array(fc.constantFrom(0, 0x0a00_0000, 0x0a80_0000, 0xffff_ffff, 0x0a80_8000), {
          minLength: 4,
          maxLength: 4,
        }),
        fc.nat(128),
      )
      .map(([isV4, words, length]) => {
        const bits = isV4 ? length % 33 : length;
        return parsePrefix(`${formatAddress(maskWords(words.slice(0, isV4 ? 1 : 4), bits))}/${bits}`)!;
      });
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 6 }), fc.array(prefix, { maxLength: 20 }), (own, others) => {
        const index = new PrefixIndex();
        const association = new Association(own, index);
        for (const other of [...others, ...own]) {
          const expected = own.some((one) => containsPrefix(one, other));
          for (let twice = 0; twice < 2; twice++)
            expect(association.matches(index.numberOf(other.text))).toBe(expected);
        }
        expect(association.matches(-1)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('seeded randomness', () => {
  it('the same seed and purpose give the same numbers, others give others', () => {
    const draw = (seed: number, label: string) => {
      const random = seededRandom(seed, label);
      return Array.from({ length: 20 }, () => random.next());
    };
    expect(draw(1, 'a')).toEqual(draw(1, 'a'));
    expect(draw(1, 'a')).not.toEqual(draw(2, 'a'));
    expect(draw(1, 'a')).not.toEqual(draw(1, 'b'));
    expect(hashText(1, 'x')).not.toBe(hashText(2, 'x'));
  });

  it('numbers are spread evenly, and gaps have the mean that was asked for', () => {
    const random = seededRandom(42, 'test');
    const buckets = new Array<number>(10).fill(0);
    let gaps = 0;
    for (let i = 0; i < 100_000; i++) {
      buckets[random.int(10)]++;
      gaps += random.exponential(50);
    }
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    expect(Math.abs(gaps / 100_000 - 50)).toBeLessThan(1);
  });

  it('a sample has different items, as many as there are', () => {
    const random = seededRandom(1, 'sample');
    expect(new Set(random.sample([1, 2, 3, 4, 5], 3)).size).toBe(3);
    expect(random.sample([1, 2], 9).sort()).toEqual([1, 2]);
    expect(random.sample([], 2)).toEqual([]);
  });
});
