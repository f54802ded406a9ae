/** What every claim is: a sentence, a goal, and a way to measure whether it holds. */

/** One line of the table. */
export interface Finding {
  readonly claim: string;
  /** In words, such as `at most 3.0 times`. */
  readonly goal: string;
  /** Begins with the number. */
  readonly measured: string;
  readonly held: boolean;
}

export interface BenchContext {
  /** Says how far it is; shown on standard error. */
  readonly progress: (text: string) => void;
  /** A recording (.jsonl, .jsonl.gz) whose messages are sent instead of generated ones; claims 1, 2 and 3. */
  readonly recording: string | undefined;
}

export interface Claim {
  /** Its number in docs/performance.md. */
  readonly number: number;
  readonly title: string;
  /** @throws when contestants disagree on the result: then no time means anything */
  readonly measure: (context: BenchContext) => Promise<readonly Finding[]>;
}

/** A ratio that must not be above its limit. */
export function atMost(claim: string, limit: number, ratio: number, unit = 'times'): Finding {
  return { claim, goal: `at most ${limit} ${unit}`, measured: `${short(ratio)} ${unit}`, held: ratio <= limit };
}

/** How many times faster (or smaller) something must be. */
export function atLeast(claim: string, limit: number, ratio: number, unit = 'times'): Finding {
  return { claim, goal: `at least ${limit} ${unit}`, measured: `${short(ratio)} ${unit}`, held: ratio >= limit };
}

/** Three significant digits. */
export function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** @throws when what two contestants made is not the same */
export function mustEqual(what: string, ours: unknown, theirs: unknown): void {
  const a = JSON.stringify(ours);
  const b = JSON.stringify(theirs);
  if (a === b) return;
  let at = 0;
  while (a[at] === b[at]) at++;
  const from = Math.max(0, at - 60);
  throw new Error(`${what} differ: ${a.slice(from, at + 100)} against ${b.slice(from, at + 100)}`);
}
