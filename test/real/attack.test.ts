/**
 * The attacks of `npm run attack`, smaller and shorter. What may not happen here is what happened once: over a gigabyte of
 * memory, a minute without an answer, a quarter of a minute until the stop. The tighter bounds of `npm run attack` are for a
 * machine of its own: garbage that is not collected yet, and pauses, depend on what else runs.
 */
import { expect, it } from 'vitest';
import { ATTACKS } from '../attack/attacks.ts';
import { runAttack } from '../attack/run-attack.ts';

it.each(ATTACKS)('$name: $about', async (attack) => {
  const { peakMb = 0, longestPauseMs, stopMs, attacked } = await runAttack(attack, 16 * 1024 * 1024, 4_000);
  expect(peakMb).toBeLessThan(600);
  expect(longestPauseMs).toBeLessThan(30_000);
  expect(stopMs).toBeLessThan(15_000);
  if (attacked !== undefined) expect(attacked).toBeGreaterThan(0);
});
