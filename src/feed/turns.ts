/**
 * Turns of the event loop, as an argument so that tests give them by hand. It is apart from in-turns.ts because frames are
 * applied within the call that brings them, and what is left goes on by a call back: a promise would let other frames come
 * in between.
 */
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
