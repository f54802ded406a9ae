/** What is to be said of each distinct path, judged once: what is wrong with it by itself, and what ASPA says of it. */
import { type AsPath, parseAsPath } from '../bgp/as-path.ts';
import { anomaliesOf, type PathRules } from '../bgp/path-sanity.ts';
import { AspaSet } from '../rpki/aspa-set.ts';
import { ASPA_VERDICTS, type AspaVerdict, verifyDownstream } from '../rpki/path-verification.ts';
import type { PathTable } from '../table/store/path-table.ts';

const NO_RULES: PathRules = { transitFree: new Set(), allowed: new Set() };
const FIRST_PATHS = 1_024;

export class PathVerdicts {
  readonly #paths: PathTable;
  readonly #rules: PathRules;
  /** By path number. */
  #anomalies = new Uint16Array(FIRST_PATHS);
  /** By path number: places in ASPA_VERDICTS. */
  #aspa = new Uint8Array(FIRST_PATHS);
  /** By path number: for which edition of the ASPAs its verdict is. */
  #editions = new Uint32Array(FIRST_PATHS);
  #aspas = new AspaSet();
  #aspasVersion = 0;
  #edition = 1;

  constructor(paths: PathTable, rules: PathRules = NO_RULES) {
    this.#paths = paths;
    this.#rules = rules;
  }

  /** Grows when another verdict of ASPA is possible. */
  get edition(): number {
    return this.#edition;
  }

  /**
   * From now on paths are judged by these ASPAs. A path is judged again when it is next asked for: to find out whether it holds
   * an AS whose ASPA has changed costs as much as to judge it.
   */
  use(aspas: AspaSet): void {
    if (aspas === this.#aspas && aspas.version === this.#aspasVersion) return;
    const { added, changed, removed } = aspas.differences(this.#aspas);
    if (aspas === this.#aspas || added + changed + removed > 0) this.#edition++;
    this.#aspas = aspas;
    this.#aspasVersion = aspas.version;
  }

  /** Bits as of `anomaliesOf`. */
  anomalies(path: number): number {
    this.#judge(path);
    return this.#anomalies[path];
  }

  aspa(path: number): AspaVerdict {
    this.#judge(path);
    return ASPA_VERDICTS[this.#aspa[path]];
  }

  #judge(path: number): void {
    const isNoted = path < this.#aspa.length && this.#paths.isNoted(path);
    if (isNoted && this.#editions[path] === this.#edition) return;
    this.#makeRoom(path);
    const parsed = parseAsPath(this.#paths.text(path)) ?? [];
    if (!isNoted) {
      this.#anomalies[path] = anomaliesOf(parsed, this.#rules);
      this.#paths.setNoted(path);
    }
    this.#aspa[path] = ASPA_VERDICTS.indexOf(this.#verify(parsed));
    this.#editions[path] = this.#edition;
  }

  /** By an empty path a vantage point says that its own AS originates the prefix: there is no path to verify. */
  #verify(path: AsPath): AspaVerdict {
    return path.length === 0 ? 'unverifiable' : verifyDownstream(path, this.#aspas);
  }

  #makeRoom(path: number): void {
    if (path < this.#aspa.length) return;
    const length = Math.max(2 * this.#aspa.length, path + 1);
    this.#anomalies = copied(this.#anomalies, new Uint16Array(length));
    this.#aspa = copied(this.#aspa, new Uint8Array(length));
    this.#editions = copied(this.#editions, new Uint32Array(length));
  }
}

function copied<T extends Uint8Array | Uint16Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
