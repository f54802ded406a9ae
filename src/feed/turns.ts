/** Turns of the event loop, as an argument so that tests give them by hand. */
export interface Turns {
  /** Milliseconds since some moment. */
  elapsed(): number;
  /** Calls back once, in another turn. */
  next(work: () => void): void;
}

export const systemTurns: Turns = {
  elapsed: () => performance.now(),
  next(work) {
    setImmediate(work);
  },
};
