import { PATIENCE_MS } from '../../support/patience.ts';

/** Waits for a condition. Rejects after `PATIENCE_MS` with what was waited for. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const limit = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > limit) throw new Error(`waited in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}
