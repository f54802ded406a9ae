import { afterEach, expect, it } from 'vitest';
import { PacedTime } from './paced-time.ts';

let time: PacedTime | undefined;
afterEach(() => time?.stop());

it('runs by its factor while the process has its turns, and stands still while it has none', () => {
  let realMs = 0;
  time = new PacedTime({ factor: 20, real: () => realMs });
  const [clock, machine] = [time.clock(), time.clock()];
  const beganMs = clock.now();
  const called: string[] = [];
  clock.schedule(() => called.push('late'), 900);
  const cancel = clock.schedule(() => called.push('cancelled'), 150);
  clock.schedule(() => {
    called.push('first');
    cancel();
    clock.schedule(() => called.push('at once'), 0);
  }, 100);
  for (let i = 0; i < 4; i++) {
    realMs += 1;
    time.turn();
  }
  expect([clock.elapsed(), called]).toEqual([80, []]);
  // Minutes without a turn.
  realMs += 120_000;
  expect(clock.elapsed()).toBe(580);
  time.turn();
  expect([clock.elapsed(), called]).toEqual([580, ['first']]);
  realMs += 1;
  time.turn();
  expect([clock.elapsed(), called]).toEqual([600, ['first', 'at once']]);
  machine.setClock(-1_000);
  expect([clock.now() - beganMs, machine.now() - beganMs, machine.elapsed()]).toEqual([600, -400, 600]);
  realMs += 15;
  time.turn();
  expect(called).toEqual(['first', 'at once', 'late']);
});

it.each([20, 10_000])('turns by itself, %d times as fast as real time', async (factor) => {
  time = new PacedTime({ factor });
  const clock = time.clock();
  await new Promise<void>((resolve) => clock.schedule(resolve, 2_000));
  expect(clock.elapsed()).toBeGreaterThanOrEqual(2_000);
});
