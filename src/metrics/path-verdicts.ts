/**
 * What is to be said of each distinct path, judged once and kept in the path's record: what is wrong with it by itself, and
 * what ASPA says of it.
 *
 * When ASPAs change, paths with a customer that says something else are judged again, in slices. Until a path's turn has come its
 * verdict is the one before, and `edition` grows when the last one has its new verdict: whoever counts for each edition
 * counts all paths by the new ASPAs then.
 */
import { parseAsPath } from '../bgp/as-path.ts';
import { anomaliesOf, type PathRules } from '../bgp/path-sanity.ts';
import { AspaSet } from '../rpki/aspa-set.ts';
import { ASPA_VERDICTS, verifyDownstream } from '../rpki/path-verification.ts';
import type { PathTable } from '../table/store/path-table.ts';

/** Runs steps to the end, a slice in each turn of the event loop. */
export type RunInSlices = (steps: Generator<void, void>) => unknown;

const NO_RULES: PathRules = { transitFree: new Set(), allowed: new Set() };

/**
 * The lowest bit of a note says that the path was judged. The next two are the place of the verdict in ASPA_VERDICTS; the
 * anomalies follow.
 */
const JUDGED = 1;
const VERDICT_SHIFT = 1;
const VERDICT_MASK = 3;
const ANOMALIES_SHIFT = 3;

/**
 * After this much work others have their turn. One unit is a customer that is compared, a record of a path that is looked at, or
 * eight bytes of text.
 */
const WORK_A_STEP = 64;

export class PathVerdicts {
  readonly #paths: PathTable;
  readonly #rules: PathRules;
  readonly #run: RunInSlices;
  /** What the path table knows this object by, as the keeper of its notes. */
  readonly #keeper: number;
  /** The ASPAs by which paths are judged. While slices run, a part of them is still from before `#wanted`. */
  readonly #aspas = new AspaSet();
  #wanted: AspaSet | undefined;
  /** What `#wanted` was when it was last followed to the end. */
  #followed: { readonly aspas: AspaSet; readonly version: number } | undefined;
  #isRunning = false;
  #isReady = false;
  #edition = 0;

  /** Becomes the keeper of the notes of the table's paths. A keeper made before loses its notes, and judges a path each time it is asked. */
  constructor(paths: PathTable, rules: PathRules | undefined, run: RunInSlices) {
    this.#paths = paths;
    this.#keeper = paths.forgetNotes();
    this.#rules = rules ?? NO_RULES;
    this.#run = run;
  }

  /** Grows when a verdict of ASPA has changed, and with `isReady`. */
  get edition(): number {
    return this.#edition;
  }

  /** Whether verdicts of ASPA are by ASPAs that `use` was told: after the first ones all paths must be judged before it says yes. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Paths are judged by these ASPAs from now on. Undefined means that no ASPAs are fresh enough. */
  use(aspas: AspaSet | undefined): void {
    this.#wanted = aspas;
    if (aspas === undefined) {
      this.#followed = undefined;
      if (this.#isReady) this.#edition++;
      this.#isReady = false;
      return;
    }
    if (this.#isRunning || this.#isFollowed(aspas)) return;
    this.#isRunning = true;
    this.#run(this.#follow());
  }

  /** Bits as of `anomaliesOf`. */
  anomalies(path: number): number {
    return this.#note(path) >>> ANOMALIES_SHIFT;
  }

  /** A place in ASPA_VERDICTS. */
  aspa(path: number): number {
    return (this.#note(path) >>> VERDICT_SHIFT) & VERDICT_MASK;
  }

  #isFollowed(aspas: AspaSet): boolean {
    return this.#followed?.aspas === aspas && this.#followed.version === aspas.version;
  }

  *#follow(): Generator<void, void> {
    try {
      for (let aspas = this.#wanted; aspas !== undefined && !this.#isFollowed(aspas); aspas = this.#wanted) {
        // What changes meanwhile makes another round.
        const { version } = aspas;
        const changed = yield* this.#compare(aspas);
        const isOther = changed.size > 0 && (yield* this.#judgeAgain(changed));
        if (this.#wanted === undefined || !this.#keepsNotes) return;
        this.#followed = { aspas, version };
        if (isOther || !this.#isReady) this.#edition++;
        this.#isReady = true;
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Follows what each customer says. Gives those that say something else than before. */
  *#compare(aspas: AspaSet): Generator<void, ReadonlySet<number>> {
    const changed = new Set<number>();
    let work = 0;
    for (const customers of [aspas.customers, this.#aspas.customers]) {
      for (const customer of customers) {
        if (this.#aspas.follow(customer, aspas)) changed.add(customer);
        if (++work % WORK_A_STEP === 0) yield;
        if (!this.#keepsNotes) return changed;
      }
    }
    return changed;
  }

  /** Judges again every path that has a verdict and one of the customers. Gives whether any verdict changed. */
  *#judgeAgain(customers: ReadonlySet<number>): Generator<void, boolean> {
    const paths = this.#paths;
    let isOther = false;
    let work = 0;
    for (let path = 1; path < paths.end; path++) {
      // Most lines that are not a path have no note either. The order of the two questions only saves time.
      if (paths.note(path) !== 0 && paths.isPath(path)) {
        work += paths.textLength(path) / 8;
        if (paths.hasOneOf(path, customers)) {
          const before = paths.note(path);
          if (this.#judge(path) !== before) isOther = true;
          work += WORK_A_STEP / 8;
        }
      }
      if (++work < WORK_A_STEP) continue;
      work = 0;
      yield;
      if (!this.#keepsNotes) return false;
    }
    return isOther;
  }

  get #keepsNotes(): boolean {
    return this.#paths.keepsNotes(this.#keeper);
  }

  #note(path: number): number {
    const note = this.#keepsNotes ? this.#paths.note(path) : 0;
    return note === 0 ? this.#judge(path) : note;
  }

  #judge(path: number): number {
    const parsed = parseAsPath(this.#paths.text(path)) ?? [];
    // By an empty path a vantage point says that its own AS originates the prefix: there is no path to verify.
    const verdict = parsed.length === 0 ? 'unverifiable' : verifyDownstream(parsed, this.#aspas);
    const note =
      JUDGED |
      (ASPA_VERDICTS.indexOf(verdict) << VERDICT_SHIFT) |
      (anomaliesOf(parsed, this.#rules) << ANOMALIES_SHIFT);
    this.#paths.setNote(path, note, this.#keeper);
    return note;
  }
}
