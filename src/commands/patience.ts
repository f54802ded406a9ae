/** Says what a command waits for when it takes long: silence looks like a fault. */
import type { CommandIo } from './command.ts';
import { note } from './note.ts';

/** People wait this long without asking themselves why. */
const FIRST_NOTE_MS = 2_000;
const NEXT_NOTE_MS = 10_000;

export const VP_LIST = "the Data API's list of vantage points";
export const ASSOCIATION = 'the Live Manager API to associate the prefixes with the key';

/**
 * Runs `work`, and says on standard error what it waits for: after two seconds, and every ten from then on.
 * @param what such as `the Data API`, or what makes it at that moment
 */
export async function patiently<T>(
  io: Pick<CommandIo, 'stderr'>,
  what: string | (() => string),
  work: () => Promise<T>,
): Promise<T> {
  const startedAtMs = performance.now();
  const tell = (): void => {
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    note(io, `still waiting for ${typeof what === 'string' ? what : what()} (${seconds} s)`);
    timer = setTimeout(tell, NEXT_NOTE_MS);
  };
  let timer = setTimeout(tell, FIRST_NOTE_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
