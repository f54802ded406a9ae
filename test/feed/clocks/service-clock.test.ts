/** How far the service's clock is ahead: no single answer decides, more than a day is no clock. */
import { expect, it } from 'vitest';
import { ServiceClock } from '../../../src/feed/clocks/service-clock.ts';
import type { History } from '../../../src/stream/history.ts';
import { RecordingLogger } from '../../stream/recording-logger.ts';

const DAY_MS = 86_400_000;

/** A clock and an API whose answers, one after the other, are this far ahead; the last one stays. */
function world(answersMs: readonly number[], streamDelayMs?: number) {
  const logger = new RecordingLogger();
  const changes: number[] = [];
  let answers = 0;
  let refused = 0;
  const api = {
    get clockOffsetMs() {
      return answersMs[Math.min(answers, answersMs.length - 1)];
    },
    readClock: async () => {
      answers++;
    },
  } as unknown as History;
  const clock = new ServiceClock({
    logger,
    streamDelayMs: () => streamDelayMs,
    onChange: (offsetMs) => changes.push(offsetMs),
    onRefused: () => {
      refused++;
    },
  });
  const settle = () => clock.settle(api, new AbortController().signal);
  return { clock, api, settle, changes, logger, answers: () => answers, refused: () => refused };
}

it('one answer that agrees with the clock of this machine is enough', async () => {
  const { clock, settle, changes, answers, refused } = world([6_000]);
  expect(clock.isKnown).toBe(false);
  await settle();
  expect([clock.isKnown, clock.offsetMs, changes, answers(), refused()]).toEqual([true, 0, [], 0, 0]);
});

it('another offset is believed when three answers in a row agree, and it is told', async () => {
  const { clock, settle, changes, answers, logger } = world([3_600_000, 3_600_900, 3_599_000]);
  await settle();
  expect([clock.isKnown, clock.offsetMs, changes, answers()]).toEqual([true, 3_599_000, [3_599_000], 2]);
  expect(logger.values('ahead_seconds')).toEqual([-3_599]);
  await settle();
  expect(changes).toHaveLength(1);
});

it.each([
  ['at first', false],
  ['later', true],
])('one answer that is dated wrong changes nothing (%s)', async (_, isKnown) => {
  const { clock, api, settle, changes, refused } = world(isKnown ? [0, 72_000_000, 0] : [72_000_000, 0]);
  if (isKnown) {
    await settle();
    await api.readClock(new AbortController().signal);
  }
  await settle();
  expect([clock.isKnown, clock.offsetMs, changes, refused()]).toEqual([true, 0, [], 1]);
});

it('answers that never agree make the offset unknown, and nothing is read', async () => {
  const { clock, settle } = world([...Array(40).keys()].map((i) => 60_000 + i * 10_000));
  await expect(settle()).rejects.toThrow('do not agree about the time');
  expect([clock.isKnown, clock.offsetMs]).toEqual([false, 0]);
});

it.each([
  [2 * DAY_MS, '172800 s behind'],
  [-DAY_MS - 1_000, '86401 s ahead'],
])('an offset over a day (%d ms) is a fault that says what to do', async (ms, words) => {
  const { clock, settle, changes } = world([ms]);
  await expect(settle()).rejects.toThrow(`more than a day off (${words}): set it by NTP`);
  expect([clock.isKnown, changes]).toEqual([false, []]);
});

it('times of the stream that fit one answer, and not what was believed, are the second witness', async () => {
  const { clock, settle, answers } = world([3_600_000], -3_598_000);
  await settle();
  expect([clock.isKnown, clock.offsetMs, answers()]).toEqual([true, 3_600_000, 0]);
});

it('times of the stream refute answers, however many agree', async () => {
  const { clock, settle, changes, refused } = world([-600_000], 2_000);
  await settle();
  expect([clock.isKnown, clock.offsetMs, changes, refused()]).toEqual([true, 0, [], 1]);
});

it('a stream that is late as a whole fits neither, and does not decide', async () => {
  const { clock, settle, answers } = world([3_600_000], 900_000);
  await settle();
  expect([clock.offsetMs, answers()]).toEqual([3_600_000, 2]);
});

it('once in doubt it is known again by one answer that agrees, and nothing that was read is void', async () => {
  const { clock, api, settle, changes, answers } = world([3_600_000]);
  await settle();
  clock.doubt();
  expect(clock.isKnown).toBe(false);
  await clock.ensure(api, new AbortController().signal);
  expect([clock.isKnown, changes, answers()]).toEqual([true, [3_600_000], 3]);
  await clock.ensure(api, new AbortController().signal);
  expect(answers()).toBe(3);
});
