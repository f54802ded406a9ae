/** Inputs made from valid ones: bytes changed, left out, doubled, moved, and pieces of other inputs and odd words put in. */
import { randomFrom } from '../bgproutes/live/fuzzed-frames.ts';

export interface Mutator {
  /** At least 0, less than 1. */
  random(): number;
  /** One of them. */
  pick<T>(of: readonly T[]): T;
  /** A valid input in one of ten cases, else one that was changed up to eight times. */
  next(): Buffer;
}

/** Longest input, bytes. */
const MAX_BYTES = 20_000;

/** @param words what is put in, as it stands */
export function mutatorOf(corpus: readonly Buffer[], words: readonly string[], seed: number): Mutator {
  const random = randomFrom(seed);
  const below = (count: number) => Math.floor(random() * count);
  const pick = <T>(of: readonly T[]): T => of[below(of.length)];
  const pieces = words.map((word) => Buffer.from(word, 'latin1'));
  const part = (of: Buffer) => {
    const from = below(of.length + 1);
    return of.subarray(from, Math.min(of.length, from + below(64)));
  };
  const change = (input: Buffer): Buffer => {
    const at = below(input.length + 1);
    const [before, behind] = [input.subarray(0, at), input.subarray(at)];
    const skipped = behind.subarray(below(32));
    switch (below(7)) {
      case 0: {
        const changed = Buffer.from(input);
        if (changed.length > 0) changed[at % changed.length] ^= 1 << below(8);
        return changed;
      }
      case 1:
        return Buffer.concat([before, skipped]);
      case 2:
        return Buffer.concat([before, part(input), behind]);
      case 3:
        return Buffer.concat([before, part(pick(corpus)), skipped]);
      case 4:
        return Buffer.concat([before, pick(pieces), behind]);
      case 5:
        return Buffer.concat([before, pick(pieces), skipped]);
      default:
        return random() < 0.1 ? before : Buffer.concat([before, Buffer.from([below(256)]), behind.subarray(1)]);
    }
  };
  return {
    random,
    pick,
    next() {
      let input = pick(corpus);
      if (random() < 0.1) return input;
      for (let left = 1 + below(8); left > 0; left--) input = change(input);
      return input.subarray(0, MAX_BYTES);
    },
  };
}
