/**
 * The newest changes of routes, noted in the order in which they were applied, until somebody takes them. The
 * fold only writes a few numbers side by side; the reader turns them into words.
 */
import type { VantagePoint } from '../bgp/vantage-point.ts';
import type { MonitoredPrefix } from './prefixes/prefix-state.ts';
import type { PathTable } from './store/path-table.ts';
import type { VpRegistry } from './store/vp-registry.ts';

/** Most notes at once: further changes, before the notes are taken, are only counted. */
export const MAX_NOTES = 4_096;

/** One change of a route, in words. */
export interface RouteChange {
  readonly prefix: MonitoredPrefix;
  readonly vp: VantagePoint;
  /** Message time, Unix microseconds; 0: none is known, it was just before the change is taken. */
  readonly timeUs: number;
  /** AS path as in the messages, as `shortPath` has it; undefined: the VP held no route. */
  readonly before: string | undefined;
  /** Undefined: the VP holds no route any more. */
  readonly after: string | undefined;
}

/**
 * Paths of notes are retained, so that their numbers stand for them until the notes are taken: `take` must come before paths
 * are counted, and before a VP's number is given to another.
 */
export class ChangeLog {
  readonly #paths: PathTable;
  readonly #vps: VpRegistry;
  readonly #onTaken: (change: RouteChange) => void;
  readonly #prefixes = new Array<MonitoredPrefix | undefined>(MAX_NOTES).fill(undefined);
  /** VP, path before and path after of each note. */
  readonly #words = new Int32Array(3 * MAX_NOTES);
  readonly #timesUs = new Float64Array(MAX_NOTES);
  #count = 0;

  /** @param onTaken called for each change by `take`, in their order */
  constructor(paths: PathTable, vps: VpRegistry, onTaken: (change: RouteChange) => void) {
    this.#paths = paths;
    this.#vps = vps;
    this.#onTaken = onTaken;
  }

  /** Notes a change while both paths (0: none) are live. `timeUs` as in RouteChange. */
  note(prefix: MonitoredPrefix, vp: number, before: number, after: number, timeUs: number): void {
    const at = this.#count;
    if (at === MAX_NOTES) return;
    this.#count = at + 1;
    this.#prefixes[at] = prefix;
    const words = this.#words;
    words[3 * at] = vp;
    words[3 * at + 1] = before;
    words[3 * at + 2] = after;
    this.#timesUs[at] = timeUs;
    if (before !== 0) this.#paths.retain(before);
    if (after !== 0) this.#paths.retain(after);
  }

  /** Hands over all notes and forgets them. */
  take(): void {
    if (this.#count === 0) return;
    const texts = new Map<number, string>();
    const textOf = (path: number): string | undefined => {
      if (path === 0) return undefined;
      let text = texts.get(path);
      if (text === undefined) {
        text = this.#paths.shortText(path);
        texts.set(path, text);
      }
      return text;
    };
    for (let at = 0; at < this.#count; at++) {
      const prefix = this.#prefixes[at];
      const vp = this.#vps.get(this.#words[3 * at]);
      const [before, after] = [textOf(this.#words[3 * at + 1]), textOf(this.#words[3 * at + 2])];
      this.#prefixes[at] = undefined;
      if (prefix !== undefined && vp !== undefined)
        this.#onTaken({ prefix, vp, timeUs: this.#timesUs[at], before, after });
    }
    // Only now may the paths be released: the number of a released path may pass to another.
    for (let i = 0; i < 3 * this.#count; i += 3) {
      if (this.#words[i + 1] !== 0) this.#paths.release(this.#words[i + 1]);
      if (this.#words[i + 2] !== 0) this.#paths.release(this.#words[i + 2]);
    }
    this.#count = 0;
  }
}
