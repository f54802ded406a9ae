/** ASPAs that change: which paths are judged again, in which steps, and what is shown meanwhile. */
import { expect, it, vi } from 'vitest';
import { PathVerdicts } from '../../src/metrics/path-verdicts.ts';
import { AspaSet } from '../../src/rpki/aspa-set.ts';
import { ASPA_VERDICTS } from '../../src/rpki/path-verification.ts';
import { PathTable } from '../../src/table/store/path-table.ts';

function aspasOf(providers: Readonly<Record<string, readonly number[]>>): AspaSet {
  const set = new AspaSet();
  for (const [customer, list] of Object.entries(providers)) set.replace(Number(customer), list);
  return set;
}

function world() {
  const paths = new PathTable();
  let steps: Generator<void, void> | undefined;
  let runs = 0;
  const verdicts = new PathVerdicts(paths, undefined, (given) => {
    runs++;
    steps = given;
  });
  return {
    ...{ paths, verdicts },
    hold: (text: string): number => {
      const path = paths.intern(text, 64499);
      if (path === undefined) throw new Error(`${text} is no path`);
      paths.retain(path);
      return path;
    },
    verdict: (path: number) => ASPA_VERDICTS[verdicts.aspa(path)],
    /** One step; whether there is another. */
    step: () => steps?.next().done === false,
    /** All steps; how many there were. */
    all: () => {
      let count = 1;
      while (steps?.next().done === false) count++;
      return count;
    },
    runs: () => runs,
  };
}

const LEAK = '7 6 5 4'; // 5 got it from 4, and gave it to 6, which is no provider of 5
const KEPT = aspasOf({ 4: [5], 5: [9], 6: [8], 7: [1] });

it('there are no verdicts before all paths were judged by the first ASPAs', () => {
  const { verdicts, hold, verdict, step, all } = world();
  const path = hold(LEAK);
  for (let i = 0; i < 1_000; i++) verdict(hold(`${100 + i} 5 4`));
  expect([verdict(path), verdicts.isReady]).toEqual(['unknown', false]);
  verdicts.use(KEPT);
  step();
  expect(verdicts.isReady).toBe(false);
  all();
  expect([verdict(path), verdicts.isReady]).toEqual(['invalid', true]);
});

it('a path keeps its verdict until it is judged again, and the edition grows when all have been', () => {
  const { verdicts, hold, verdict, step, all } = world();
  verdicts.use(KEPT);
  all();
  const leaks = Array.from({ length: 1_000 }, (_, i) => hold(`${100 + i} ${LEAK}`));
  expect(new Set(leaks.map(verdict))).toEqual(new Set(['invalid']));
  const { edition } = verdicts;
  verdicts.use(aspasOf({ 4: [5], 5: [6], 6: [7], 7: [] }));
  let sawBoth = false;
  while (step()) {
    expect([verdicts.edition, verdicts.isReady]).toEqual([edition, true]);
    const now = leaks.map(verdict);
    const judged = now.filter((one) => one === 'valid').length;
    sawBoth ||= judged > 0 && judged < now.length;
    // In the order of their numbers: what is shown in between is never by other ASPAs than those before and those after.
    expect(now.slice(judged).every((one) => one === 'invalid')).toBe(true);
  }
  expect(sawBoth).toBe(true);
  expect(verdicts.edition).toBe(edition + 1);
  expect(new Set(leaks.map(verdict))).toEqual(new Set(['valid']));
});

it('only paths with a customer that says something else are judged again, a few in each step', () => {
  const { paths, verdicts, hold, verdict, all, step } = world();
  verdicts.use(KEPT);
  all();
  const others = Array.from({ length: 2_000 }, (_, i) => hold(`${10_000 + i} 3 2`));
  const touched = Array.from({ length: 500 }, (_, i) => hold(`${20_000 + i} 5 4`));
  for (const path of [...others, ...touched]) verdict(path);
  const note = vi.spyOn(paths, 'setNote');
  verdicts.use(aspasOf({ 4: [5], 5: [9, 10], 6: [8], 7: [1] }));
  let most = 0;
  let isMore = true;
  while (isMore) {
    const before = note.mock.calls.length;
    isMore = step();
    most = Math.max(most, note.mock.calls.length - before);
  }
  expect(note.mock.calls.map(([path]) => path)).toEqual(touched);
  expect(most).toBeLessThan(10);
  // The same ASPAs, read again, are no news.
  const { edition } = verdicts;
  note.mockClear();
  verdicts.use(aspasOf({ 4: [5], 5: [9, 10], 6: [8], 7: [1] }));
  all();
  expect([note.mock.calls.length, verdicts.edition]).toEqual([0, edition]);
});

it('a set of many customers is compared in many steps', () => {
  const { verdicts, all } = world();
  const providers = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [i + 1, [i + 2]]));
  verdicts.use(aspasOf(providers));
  expect(all()).toBeGreaterThan(300);
});

it('what changes while paths are judged makes another round', () => {
  const { verdicts, hold, verdict, step, all, runs } = world();
  const path = hold(LEAK);
  const held = aspasOf({ 4: [5], 5: [9], 6: [8], 7: [1] });
  for (let i = 0; i < 1_000; i++) held.replace(100_000 + i, [1]);
  verdict(path);
  verdicts.use(held);
  step();
  // As a difference over RTR does: the set that is followed changes in place.
  held.replace(5, [6]);
  held.replace(6, [7]);
  verdicts.use(held);
  const late = hold(`8 ${LEAK}`);
  expect(verdict(late)).toBe('invalid');
  all();
  expect([verdict(path), verdict(late), runs()]).toEqual(['valid', 'valid', 1]);
  verdicts.use(KEPT);
  step();
  verdicts.use(aspasOf({}));
  all();
  expect([verdict(path), verdict(late)]).toEqual(['unknown', 'unknown']);
});

it('while no data is fresh there are no verdicts, and the same data is used again without judging', () => {
  const { paths, verdicts, hold, verdict, all } = world();
  verdicts.use(KEPT);
  all();
  verdict(hold(LEAK));
  const { edition } = verdicts;
  verdicts.use(undefined);
  expect([verdicts.isReady, verdicts.edition]).toEqual([false, edition + 1]);
  verdicts.use(undefined);
  expect(verdicts.edition).toBe(edition + 1);
  const note = vi.spyOn(paths, 'setNote');
  verdicts.use(KEPT);
  all();
  expect([verdicts.isReady, verdicts.edition, note.mock.calls.length]).toEqual([true, edition + 2, 0]);
  // Gone stale in the middle of it.
  verdicts.use(aspasOf({ 5: [6] }));
  verdicts.use(undefined);
  all();
  expect(verdicts.isReady).toBe(false);
});

it('a number that is given to another path while paths are judged has the verdict of that path', () => {
  const { paths, verdicts, hold, verdict, step, all } = world();
  verdicts.use(KEPT);
  all();
  const long = `7 ${'6 '.repeat(200)}5 4`;
  const gone = hold(long);
  for (let i = 0; i < 500; i++) verdict(hold(`${100 + i} 5 4`));
  expect(verdict(gone)).toBe('invalid');
  verdicts.use(aspasOf({ 4: [5], 5: [6], 6: [8], 7: [1] }));
  step();
  paths.release(gone); // a long path goes at once
  let heir = hold('9 3 2');
  for (let i = 0; heir !== gone && i < 100; i++) heir = hold(`${i} 9 3 2`);
  expect(heir).toBe(gone);
  all();
  expect(verdict(heir)).toBe('unknown');
  expect(verdict(hold(long))).toBe('valid');
});

it('other rules judge every path once more, and those before keep nothing any more', () => {
  const paths = new PathTable();
  const path = paths.intern('64777 3333', 64499);
  if (path === undefined) throw new Error('no path');
  paths.retain(path);
  const steps: Generator<void, void>[] = [];
  const make = (allowed: readonly number[]) =>
    new PathVerdicts(paths, { transitFree: new Set(), allowed: new Set(allowed) }, (given) => steps.push(given));
  const lenient = make([64_777]);
  expect(lenient.anomalies(path)).toBe(0);
  lenient.use(KEPT);
  const strict = make([]);
  const anomalies = strict.anomalies(path);
  expect(anomalies).not.toBe(0);
  // A scrape that is being written, and slices that are under way, may still ask those before.
  const late = paths.intern('64777 3334', 64499) as number;
  expect(lenient.anomalies(late)).toBe(0);
  while (steps[0].next().done === false);
  expect(lenient.isReady).toBe(false);
  expect([strict.anomalies(path), strict.anomalies(late)]).toEqual([anomalies, anomalies]);
});
