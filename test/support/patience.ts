/**
 * How long a test waits for what must come: so long that a machine with many times more work than processors is in time as
 * well. A condition that holds ends a wait at once, so only a test that fails pays for it.
 */
import { vi } from 'vitest';

export const PATIENCE_MS = 60_000;

/** Waits until the check passes. Throws what it threw last when it does not within `PATIENCE_MS`. @param intervalMs between two checks */
export function until<T>(check: () => T | Promise<T>, intervalMs = 5): Promise<T> {
  return vi.waitFor(check, { timeout: PATIENCE_MS, interval: intervalMs });
}
