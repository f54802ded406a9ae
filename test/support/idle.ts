import { setImmediate as turn } from 'node:timers/promises';

/**
 * Resolves when nothing goes on by itself any more: every promise that can go on has, and nobody waits for a turn of the event
 * loop. For work that waits for nothing but promises, turns and timers that the test moves by hand: no sockets, no files.
 */
export async function idle(): Promise<void> {
  do await turn();
  while (process.getActiveResourcesInfo().includes('Immediate'));
}
