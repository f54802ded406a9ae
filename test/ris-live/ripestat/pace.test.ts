import { expect, it } from 'vitest';
import { Pace } from '../../../src/ris-live/ripestat/pace.ts';
import { ManualTimers } from '../../stream/manual-timers.ts';
import { idle } from '../../support/idle.ts';

const NEVER = new AbortController().signal;

it('so many at once, each a little after the one before it, in order', async () => {
  const timers = new ManualTimers();
  const pace = new Pace({ atOnce: 2, intervalMs: 100 }, timers);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  for (const name of [0, 1, 2, 3])
    void pace.turn(NEVER).then((end) => {
      started.push(name);
      if (end !== undefined) ends.push(end);
    });
  await idle();
  expect(started).toEqual([0]);
  timers.advance(99);
  await idle();
  expect(started).toEqual([0]);
  timers.advance(1);
  await idle();
  expect(started).toEqual([0, 1]);
  timers.advance(10_000);
  await idle();
  expect(started).toEqual([0, 1]);
  ends[0]();
  ends[0](); // ends once
  await idle();
  expect(started).toEqual([0, 1, 2]);
  timers.advance(10_000);
  await idle();
  expect(started).toEqual([0, 1, 2]);
});

it('nobody starts while the service asks for patience, and who gives up lets the next one go', async () => {
  const timers = new ManualTimers();
  const pace = new Pace({ atOnce: 1, intervalMs: 0 }, timers);
  pace.holdFor(5_000);
  const giveUp = new AbortController();
  const first = pace.turn(giveUp.signal);
  const second = pace.turn(NEVER);
  giveUp.abort();
  expect(await first).toBeUndefined();
  expect(timers.nextInMs).toBe(5_000);
  timers.advance(5_000);
  expect(await second).toBeTypeOf('function');
  expect(await pace.turn(giveUp.signal)).toBeUndefined();
});
