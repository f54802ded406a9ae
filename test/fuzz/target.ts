/** A kind of foreign input, and what must hold whatever it is. */
export interface FuzzTarget {
  readonly name: string;
  /** How many of a thousand inputs are of this kind in a run of all. */
  readonly share: number;
  /** Makes `runs` inputs and looks at each; the same seed gives the same. Gives how many made sense. Throws with the input. */
  readonly run: (runs: number, seed: number) => Promise<number>;
}

/** An error that shows the input, so that it can be put into a test. */
export function failedWith(input: Buffer, error: unknown): Error {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new Error(`input (base64): ${input.toString('base64')}\n${reason}`, { cause: error });
}

/** Whether the input made sense. Throws when something does not hold. */
export type Check = (input: Buffer) => boolean;

/** Looks at one input after the other; lets the event loop turn now and then. */
export async function runChecks(runs: number, next: () => Buffer, check: Check): Promise<number> {
  let sensible = 0;
  for (let run = 1; run <= runs; run++) {
    const input = next();
    try {
      if (check(input)) sensible++;
    } catch (error) {
      throw failedWith(input, error);
    }
    if (run % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return sensible;
}
