/** The time that one request has, as a signal: aborted when the time is over, or when whoever asked gives up. */
import { joinSignals } from './joined-signal.ts';

export interface Deadline {
  readonly signal: AbortSignal;
  /** The time is over, and that came first. */
  readonly isOver: boolean;
  /** Takes off the timer and the listeners. Call it when the request has ended. */
  leave(): void;
}

/** Calls back once after so many ms; what it returns cancels the call. */
export type Schedule = (work: () => void, delayMs: number) => () => void;

/** @param given signals of whoever asked; one that is aborted already aborts at once */
export function deadline(limitMs: number, given: readonly AbortSignal[], schedule: Schedule): Deadline {
  const time = new AbortController();
  const joined = joinSignals([...given, time.signal]);
  const cancel = schedule(() => {
    if (!joined.signal.aborted) time.abort();
  }, limitMs);
  return {
    signal: joined.signal,
    get isOver() {
      return time.signal.aborted;
    },
    leave: () => {
      cancel();
      joined.leave();
    },
  };
}
