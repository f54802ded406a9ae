import { expect, it } from 'vitest';
import { DEFAULT_QUOTA } from '../../../src/bgproutes/data-api/quota.ts';
import { fillRequests } from '../../../src/bgproutes/data-api/seed/seed.ts';
import { FillPace } from '../../../src/feed/seed/fill-pace.ts';
import { ManualTimers } from '../../stream/manual-timers.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';
import { idle } from '../../support/idle.ts';

function world() {
  const timers = new ManualTimers();
  const logger = new RecordingLogger();
  const pace = new FillPace({ session: 0, title: 'RIPEstat', logger, timers });
  let begun = 0;
  const ask = (signal = new AbortController().signal, hourShare?: number) => {
    void pace.turn(signal, hourShare).then(() => {
      if (!signal.aborted) begun++;
    });
  };
  const pass = async (ms: number) => {
    await idle();
    timers.advance(ms);
    await idle();
    return begun;
  };
  return { ask, pass, timers, logger };
}

it('five fills begin at once, then one every three minutes; the log says that one waits', async () => {
  const { ask, pass, logger } = world();
  for (let i = 0; i < 5; i++) ask();
  expect(await pass(0)).toBe(5);
  expect(logger.lines).toEqual([]);
  ask();
  expect(logger.values('wait_seconds')).toEqual([180]);
  expect(await pass(179_999)).toBe(5);
  expect(await pass(1)).toBe(6);
  ask();
  expect(await pass(179_999)).toBe(6);
  expect(await pass(1)).toBe(7);
});

it('a stream that is cut every ten seconds for an hour costs 25 fills', async () => {
  const { ask, pass } = world();
  let cut = new AbortController();
  let begun = 0;
  for (let second = 0; second < 3_600; second += 10) {
    cut.abort();
    cut = new AbortController();
    ask(cut.signal);
    begun = await pass(10_000);
  }
  expect(begun).toBeLessThanOrEqual(25);
  expect(begun).toBeGreaterThanOrEqual(5);
});

it.each([10, 20, 100, 400])('and leaves quota for other questions, with %i prefixes too', async (count) => {
  const { ask, pass } = world();
  // None of them lies beside another, so that each needs a filter of its own.
  const prefixes = Array.from({ length: count }, (_, i) => `10.${i >> 7}.${2 * (i & 127)}.0/24`);
  const requests = fillRequests(prefixes);
  expect(requests).toBe(1 + count / 5 + count);
  let cut = new AbortController();
  let begun = 0;
  for (let second = 0; second < 3_600; second += 10) {
    cut.abort();
    cut = new AbortController();
    ask(cut.signal, requests / DEFAULT_QUOTA.requests);
    begun = await pass(10_000);
  }
  expect(begun).toBeGreaterThan(0);
  expect(begun * requests).toBeLessThan(0.8 * DEFAULT_QUOTA.requests);
});

it('after a calm time the fills begin at once again, also when the clock was set', async () => {
  const { ask, pass, timers } = world();
  for (let i = 0; i < 5; i++) ask();
  await pass(900_000);
  timers.setClock(-86_400_000);
  for (let i = 0; i < 5; i++) ask();
  expect(await pass(0)).toBe(10);
});
