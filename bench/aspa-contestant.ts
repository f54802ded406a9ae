/** A process that judges many paths again when asked, because ASPAs have changed, and tells how long it holds others up. */
import { inTurns } from '../src/in-turns.ts';
import { PathVerdicts } from '../src/metrics/path-verdicts.ts';
import { AspaSet } from '../src/rpki/aspa-set.ts';
import { PathTable } from '../src/table/store/path-table.ts';
import { longestTurnMs, threadTimeMs } from './turn-clock.ts';

export interface AspaShape {
  /** Each of six ASes. */
  readonly paths: number;
  readonly customers: number;
  /** How many of them say something else than before. */
  readonly changed: number;
}

export interface Judging {
  /** CPU time of the longest turn of the event loop meanwhile. */
  readonly longestTurnMs: number;
  /** CPU time of all of it. */
  readonly wholeMs: number;
  /** Paths whose verdict has changed. */
  readonly changed: number;
}

const PROVIDERS = 5;

/** The AS of this number: paths and customers have the same ones. */
const asnOf = (number: number) => 1 + number * 3;

/** Of customers from a number on another provider is said when `other`. */
function aspas({ customers, changed }: AspaShape, isOther: boolean): AspaSet {
  const set = new AspaSet();
  for (let i = 0; i < customers; i++) {
    const providers = Array.from({ length: PROVIDERS }, (_, n) => asnOf((i + n + 1) % customers));
    if (isOther && i < changed) providers[0] = asnOf((i + PROVIDERS + 1) % customers);
    set.replace(asnOf(i), providers);
  }
  return set;
}

async function judge(shape: AspaShape): Promise<Judging> {
  const paths = new PathTable();
  const verdicts = new PathVerdicts(paths, undefined, inTurns);
  const numbers: number[] = [];
  for (let i = 0; i < shape.paths; i++) {
    const ases = [asnOf(shape.customers + i)];
    for (let n = 5; n > 0; n--) ases.push(asnOf((i + n) % shape.customers));
    const path = paths.intern(ases.join(' '), 1);
    if (path === undefined) throw new Error('a path of the bench was refused');
    paths.retain(path);
    numbers.push(path);
  }
  verdicts.use(aspas(shape, false));
  await longestTurnMs(() => verdicts.isReady);
  const before = numbers.map((path) => verdicts.aspa(path));
  const { edition } = verdicts;
  const other = aspas(shape, true);
  const from = threadTimeMs();
  // In a turn of its own, as when data arrives.
  setImmediate(() => verdicts.use(other));
  const longest = await longestTurnMs(() => verdicts.edition > edition);
  const wholeMs = threadTimeMs() - from;
  const changed = numbers.filter((path, i) => verdicts.aspa(path) !== before[i]).length;
  return { longestTurnMs: longest, wholeMs, changed };
}

process.on('message', (shape: AspaShape) => {
  void judge(shape).then((judging) => process.send?.(judging));
});
process.once('disconnect', () => process.exit(0));
