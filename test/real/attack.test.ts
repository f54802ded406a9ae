/** The attacks of `npm run attack`, smaller and shorter. On a machine that others use too, a pause says little below a second. */
import { expect, test } from 'vitest';
import { ATTACKS } from '../attack/attacks.ts';
import { HELD, runAttack } from '../attack/run-attack.ts';

test.each(ATTACKS)('$name: $about', async (attack) => {
  const { peakMb = 0, longestPauseMs, stopMs, attacked } = await runAttack(attack, 16 * 1024 * 1024, 4_000);
  expect(peakMb).toBeLessThan(HELD.peakMb);
  expect(longestPauseMs).toBeLessThan(2_000);
  expect(stopMs).toBeLessThan(HELD.stopMs);
  if (attacked !== undefined) expect(attacked).toBeGreaterThan(0);
});
