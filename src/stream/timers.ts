/** Time and randomness as an argument, so that tests turn the clock instead of waiting. */

export interface Timers {
  /** Unix ms. */
  now(): number;
  /** Milliseconds since some moment. Unlike `now` it never goes back nor jumps when the clock is set: what durations are measured with. */
  elapsed(): number;
  /** Calls back once after `delayMs`; the returned function cancels it. */
  schedule(callback: () => void, delayMs: number): () => void;
  /** At least 0, less than 1. */
  random(): number;
}

/** The real ones. A pending timer keeps the process alive, as a connection would. */
export const systemTimers: Timers = {
  now: Date.now,
  elapsed: () => performance.now(),
  schedule(callback, delayMs) {
    const handle = setTimeout(callback, delayMs);
    return () => clearTimeout(handle);
  },
  random: Math.random,
};

/** Resolves after `delayMs`, or as soon as the signal is aborted; never rejects. */
export function sleep(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = timers.schedule(finish, delayMs);
    signal.addEventListener('abort', finish);
  });
}
