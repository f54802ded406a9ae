/** Randomness from a seed: the same seed gives the same Internet, the same churn and the same choices in every step. */

export interface Random {
  /** At least 0, less than 1. */
  next(): number;
  /** A whole number, at least 0, less than `below`. */
  int(below: number): number;
  /** At least `min`, less than `max`. */
  between(min: number, max: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** One of the items; there must be at least one. */
  pick<T>(items: readonly T[]): T;
  /** `count` different items (all when there are fewer), in random order. */
  sample<T>(items: readonly T[], count: number): T[];
  /** Exponentially distributed: the gap between two events of a Poisson process. */
  exponential(mean: number): number;
}

/**
 * One stream of numbers for each purpose (`label`), so that drawing more for one purpose leaves the others as they were.
 * The generator is Chris Doty-Humphrey's sfc32.
 */
export function seededRandom(seed: number, label: string): Random {
  let a = hashText(seed, `${label}/a`);
  let b = hashText(seed, `${label}/b`);
  let c = hashText(seed, `${label}/c`);
  let counter = 1;
  const word = (): number => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) word();
  const next = (): number => word() / 4_294_967_296;
  const int = (below: number): number => Math.floor(next() * below);
  return {
    next,
    int,
    between: (min, max) => min + next() * (max - min),
    chance: (probability) => next() < probability,
    pick: (items) => items[int(items.length)],
    sample(items, count) {
      const pool = [...items];
      const taken = Math.min(count, pool.length);
      for (let i = 0; i < taken; i++) {
        const j = i + int(pool.length - i);
        [pool[i], pool[j]] = [pool[j], pool[i]];
      }
      return pool.slice(0, taken);
    },
    exponential: (mean) => -Math.log(1 - next()) * mean,
  };
}

/** Unsigned 32 bits: FNV-1a over the text, then a final mix so that near texts give far numbers. */
export function hashText(seed: number, text: string): number {
  let h = (0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)) | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
