/**
 * Contestants measured in turn, in rounds, by CPU time. On a machine that is shared and noisy a single figure means little;
 * the ratio of two figures of the same round does, and the median over the rounds more so.
 */

/** Rounds that are thrown away: the code is compiled in them. */
export const WARM_UP_ROUNDS = 2;

/** CPU time of this process, all threads, user and system, in microseconds. */
export function cpuTimeUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

export interface Measured {
  /** Cost of each contestant by round, in the contestants' unit. */
  readonly costs: Readonly<Record<string, readonly number[]>>;
  /** Median over the rounds of `cost(a) / cost(b)`. */
  ratio(a: string, b: string): number;
  median(name: string): number;
}

/**
 * @param contestants each does its round and gives what the round cost; the order turns with every round, so that nobody
 *   always comes after the one who leaves the most garbage
 */
export async function interleaved(
  contestants: Readonly<Record<string, (round: number) => number | Promise<number>>>,
  rounds: number,
  progress: (text: string) => void,
  warmUpRounds = WARM_UP_ROUNDS,
): Promise<Measured> {
  const names = Object.keys(contestants);
  const costs: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds + warmUpRounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length];
      const cost = await contestants[name](round);
      if (round >= warmUpRounds) costs[name].push(cost);
    }
    progress(`round ${round + 1} of ${rounds + warmUpRounds}`);
  }
  return {
    costs,
    ratio: (a, b) => median(costs[a].map((cost, i) => cost / costs[b][i])),
    median: (name) => median(costs[name]),
  };
}

/** CPU time that `run` takes, in microseconds; garbage of others is collected before when that is possible. */
export async function costOf(run: () => void | Promise<void>): Promise<number> {
  globalThis.gc?.();
  const before = cpuTimeUs();
  await run();
  return cpuTimeUs() - before;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
