/** How many runs a property gets: a quick number in the suite, more when PROPERTY_FACTOR says so. */
import { vi } from 'vitest';

const factor = Number(process.env.PROPERTY_FACTOR ?? '1');
if (factor > 1) vi.setConfig({ testTimeout: 60_000 * factor });

export function runs(count: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(count * factor) };
}
