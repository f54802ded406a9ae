import { expect, it } from 'vitest';
import { DelayWatch } from '../../src/ris-live/delay-watch.ts';

/** Takes a frame each second for so many seconds; the delay grows by `growing` ms each. */
function run(watch: DelayWatch, fromS: number, seconds: number, delayMs: number, growing = 0): boolean {
  let late = false;
  for (let i = 0; i < seconds; i++) late = watch.note((fromS + i) * 1000, delayMs + i * growing);
  return late;
}

it('frames that come later and later are told after three minutes of more than a minute', () => {
  const watch = new DelayWatch();
  expect(run(watch, 0, 60, 500)).toBe(false);
  expect(run(watch, 60, 120, 500, 500)).toBe(false); // 60 s behind from second 180 on
  expect(run(watch, 180, 180, 60_500, 500)).toBe(false);
  expect(watch.note(360_000, 150_500)).toBe(true);
  expect(watch.behindMs).toBe(150_000);
  watch.reset();
  expect(watch.note(361_000, 150_500)).toBe(false);
});

it('a single old frame among fresh ones is nothing', () => {
  const watch = new DelayWatch();
  run(watch, 0, 60, 500);
  for (let second = 60; second < 600; second++) {
    expect(watch.note(second * 1000, 900_000)).toBe(false);
    if (second % 100 === 0) expect(watch.note(second * 1000, 500)).toBe(false);
  }
});

it('clocks that differ, even by more than a minute, are no delay', () => {
  for (const skewMs of [-300_000, 300_000]) expect(run(new DelayWatch(), 0, 1_000, skewMs)).toBe(false);
});

it('old frames at first, as after a replay, do not hide that later ones are fresh', () => {
  const watch = new DelayWatch();
  expect(run(watch, 0, 300, 120_000)).toBe(false);
  expect(watch.note(301_000, 500)).toBe(false);
  expect(run(watch, 302, 180, 120_000)).toBe(false);
  expect(watch.note(482_000, 120_000)).toBe(true);
});
