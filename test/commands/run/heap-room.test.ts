import { expect, it } from 'vitest';
import { heapProblem } from '../../../src/commands/run/heap-room.ts';

it.each([
  [[], undefined, undefined],
  [['--max-old-space-size=64'], '', undefined],
  [['--max-old-space-size=0'], '', undefined],
  [['--expose-gc', '--max-old-space-size=28'], '', '--max-old-space-size=28: expected at least 64 (MiB)'],
  [[], ' --enable-source-maps  --max_old_space_size=40', '--max_old_space_size=40: expected at least 64 (MiB)'],
  [['--max-old-space-size=256'], '--max-old-space-size=28', undefined],
  [['--max-old-space-size=256', '--max-old-space-size=63'], '', '--max-old-space-size=63: expected at least 64 (MiB)'],
])('%j with NODE_OPTIONS %j', (execArgv, nodeOptions, expected) => {
  const problem = heapProblem(execArgv, nodeOptions);
  if (expected === undefined) expect(problem).toBeUndefined();
  else expect(problem).toBe(`${expected}, with less Node aborts in the middle of the work`);
});
