/** Several signals as one, for the time of a call: unlike AbortSignal.any, nothing stays behind on signals that live on. */

export interface JoinedSignal {
  /** Aborted as soon as one of them is, with its reason. */
  readonly signal: AbortSignal;
  /** Takes the listeners off. */
  leave(): void;
}

export function joinSignals(given: readonly (AbortSignal | undefined)[]): JoinedSignal {
  const signals = given.filter((signal) => signal !== undefined);
  const joined = new AbortController();
  const onAbort = (event: Event): void => joined.abort((event.target as AbortSignal).reason);
  for (const signal of signals) {
    if (signal.aborted) joined.abort(signal.reason);
    else signal.addEventListener('abort', onAbort);
  }
  return {
    signal: joined.signal,
    leave: () => {
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    },
  };
}
