/**
 * The past of the monitored prefixes, in memory of a fixed size a prefix. It is filled by looking at the table's totals from
 * time to time, and by the changes that the table notes; the fold knows nothing of it.
 */
import type { RouteChange } from '../table/change-log.ts';
import type { MonitoredPrefix } from '../table/prefixes/prefix-state.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { PrefixHistory } from './prefix-history.ts';

export interface HistoryBounds {
  /** Prefixes with a history, the first of the configuration; 0: none. */
  readonly maxPrefixes: number;
  /** Changes of routes that are kept a prefix. */
  readonly maxChanges: number;
}

export interface TableHistoryOptions extends HistoryBounds {
  readonly table: RoutingTable;
  /** Unix ms. */
  readonly now: () => number;
}

/** A sample is taken as often, ms. */
export const SAMPLE_MS = 10_000;
/** How often `tick` is to be called, ms. */
export const TICK_MS = 1_000;
/** Prefixes looked at in one step: well below a millisecond, or two where they are sampled. */
const PREFIXES_A_STEP = 256;

export class TableHistory {
  readonly #options: TableHistoryOptions;
  /** By the prefix's text, so that a prefix that is monitored again after a reload of something else goes on. */
  readonly #histories = new Map<string, PrefixHistory>();
  #bounds: HistoryBounds;
  #generation = -1;
  #sampled = -1;

  constructor(options: TableHistoryOptions) {
    this.#options = options;
    this.#bounds = options;
    this.#logChanges();
  }

  /** Sets how much of the past is kept. What is beyond it is forgotten. */
  setBounds(bounds: HistoryBounds): void {
    this.take();
    this.#bounds = bounds;
    for (const history of this.#histories.values()) history.maxChanges = bounds.maxChanges;
    this.#generation = -1;
    this.#logChanges();
  }

  /** Forgets everything, and listens no more. */
  end(): void {
    this.setBounds({ maxPrefixes: 0, maxChanges: 0 });
    this.#histories.clear();
  }

  /** Undefined for a prefix that has none. */
  of(prefix: string): PrefixHistory | undefined {
    this.#refresh();
    return this.#histories.get(prefix);
  }

  /** Bytes of all samples. */
  get bytes(): number {
    let bytes = 0;
    for (const history of this.#histories.values()) bytes += history.bytes;
    return bytes;
  }

  entries(): Iterable<readonly [prefix: string, history: PrefixHistory]> {
    this.#refresh();
    return this.#histories;
  }

  /** Takes what the table has noted; called before paths are counted, and before each look. */
  take(): void {
    this.#options.table.changes?.take();
  }

  /** Looks at all prefixes, and samples them when it is time; anything may happen to the table between two steps. */
  *tick(): Generator<void, void> {
    const { table, now } = this.#options;
    this.take();
    this.#refresh();
    const sample = Math.floor(now() / SAMPLE_MS);
    const isDue = sample > this.#sampled;
    if (isDue) this.#sampled = sample;
    let looked = 0;
    for (const prefix of [...table.prefixes.shown()]) {
      const history = this.#histories.get(prefix.state.prefix.text);
      if (history === undefined) continue;
      history.look(table, prefix, now());
      if (isDue) history.sample(table, prefix, now());
      if (++looked % PREFIXES_A_STEP === 0) {
        yield;
        // What was noted meanwhile must not look as if it had been missed.
        this.take();
      }
    }
  }

  #logChanges(): void {
    const { table } = this.#options;
    if (this.#bounds.maxPrefixes > 0) table.logChanges((change) => this.#note(change));
    else table.changes = undefined;
  }

  #note(change: RouteChange): void {
    this.of(textOf(change.prefix))?.note(change, this.#options.now());
  }

  /** The set of prefixes changes only with the table's generation. */
  #refresh(): void {
    const { table } = this.#options;
    const { maxPrefixes, maxChanges } = this.#bounds;
    if (this.#generation === table.generation) return;
    this.#generation = table.generation;
    const wanted = [...table.prefixes.shown()].map(textOf).slice(0, maxPrefixes);
    const kept = new Set(wanted);
    for (const prefix of this.#histories.keys()) if (!kept.has(prefix)) this.#histories.delete(prefix);
    for (const prefix of wanted)
      if (!this.#histories.has(prefix)) this.#histories.set(prefix, new PrefixHistory(maxChanges));
  }
}

function textOf({ state }: MonitoredPrefix): string {
  return state.prefix.text;
}
