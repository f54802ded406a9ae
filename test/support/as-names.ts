import { AsNames } from '../../src/names/as-names.ts';

/** The names of a whole file, without turns in between. */
export function asNamesOf(bytes: Buffer): AsNames {
  const steps = AsNames.read(bytes);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
