/** How long this thread works, and how long the turns of its event loop are. */
import { openSync, readSync } from 'node:fs';

const statistics = openStatistics();
const text = Buffer.alloc(64);

function openStatistics(): number | undefined {
  try {
    return openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  } catch {
    return undefined;
  }
}

/**
 * CPU time of this thread, ms: what it did itself, however many others the machine has to serve. The first field of Linux'
 * schedstat; wall time where there is none.
 */
export function threadTimeMs(): number {
  if (statistics === undefined) return performance.now();
  const length = readSync(statistics, text, 0, text.length, 0);
  return Number(text.toString('latin1', 0, length).split(' ', 1)[0]) / 1e6;
}

/** Lets the event loop turn until `isOver`. Gives the longest turn, in ms of `threadTimeMs`. */
export function longestTurnMs(isOver: () => boolean): Promise<number> {
  return new Promise((resolve) => {
    let before = threadTimeMs();
    let longest = 0;
    const turn = () => {
      const now = threadTimeMs();
      longest = Math.max(longest, now - before);
      before = now;
      if (isOver()) resolve(longest);
      else setImmediate(turn);
    };
    setImmediate(turn);
  });
}
