import { expect, it } from 'vitest';
import { SteadyClock } from '../../src/stream/steady-clock.ts';
import { ManualTimers } from './manual-timers.ts';

it('goes on undisturbed when the clock of the machine is set, and tells its times by that clock', () => {
  const timers = new ManualTimers();
  const startMs = timers.now();
  const clock = new SteadyClock(timers);
  timers.advance(1_000);
  timers.setClock(3_600_000);
  expect([clock.now(), clock.machineMs(clock.now())]).toEqual([startMs + 1_000, startMs + 3_601_000]);
  timers.setClock(-7_200_000);
  timers.advance(1_000);
  expect([clock.now(), clock.machineMs(startMs)]).toEqual([startMs + 2_000, startMs - 3_600_000]);
});

it('tells each step once; what an NTP daemon slews adds up to one', () => {
  const timers = new ManualTimers();
  const clock = new SteadyClock(timers);
  expect(clock.takeStep()).toBeUndefined();
  timers.setClock(-60_000);
  expect([clock.takeStep(), clock.takeStep()]).toEqual([-60_000, undefined]);
  timers.setClock(1_500);
  expect(clock.takeStep()).toBeUndefined();
  timers.setClock(1_500);
  expect([clock.takeStep(), clock.takeStep()]).toEqual([3_000, undefined]);
});

it('a time is the same at every reading, although both clocks are rounded', () => {
  let elapsedMs = 0;
  const clock = new SteadyClock({
    now: () => 1_000_000 + Math.floor(elapsedMs),
    elapsed: () => elapsedMs,
    schedule: () => () => {},
    random: () => 0,
  });
  const shown = new Set<number>();
  for (elapsedMs = 0.1; elapsedMs < 50; elapsedMs += 0.7) shown.add(clock.machineMs(1_000_000));
  expect([...shown]).toEqual([1_000_000]);
});
