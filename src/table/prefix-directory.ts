/** Which prefixes have state: the monitored ones, and those of their more-specifics that were announced. */
import { type Prefix, parsePrefix } from '../bgp/prefix.ts';
import { type MonitoredPrefix, PrefixState, type WatchedPrefix } from './prefix-state.ts';
import { WatchList } from './watch-list.ts';

/** `resolve` gives these instead of a state. */
export type Unresolved = 'unmonitored' | 'more_specific_limit' | 'unknown_more_specific';

export class PrefixDirectory {
  readonly #maxMoreSpecifics: number;
  readonly #onRemove: (state: PrefixState) => void;
  readonly #monitored = new WatchList<PrefixState>();
  readonly #moreSpecifics = new Map<string, PrefixState>();
  readonly #byNumber: (PrefixState | undefined)[] = [];
  readonly #freeNumbers: number[] = [];

  /**
   * @param maxMoreSpecifics more-specifics with state at once, a monitored prefix
   * @param onRemove called for every state that leaves, while it still has its cells
   */
  constructor(maxMoreSpecifics: number, onRemove: (state: PrefixState) => void) {
    this.#maxMoreSpecifics = maxMoreSpecifics;
    this.#onRemove = onRemove;
  }

  /** One above the highest number in use. */
  get end(): number {
    return this.#byNumber.length;
  }

  get(number: number): PrefixState | undefined {
    return this.#byNumber[number];
  }

  *states(): Generator<PrefixState> {
    for (const state of this.#byNumber) if (state !== undefined) yield state;
  }

  /** In the order in which they were first given. */
  *monitored(): Generator<MonitoredPrefix> {
    for (const state of this.#monitored.values()) if (state.monitored !== undefined) yield state.monitored;
  }

  moreSpecifics(): IterableIterator<PrefixState> {
    return this.#moreSpecifics.values();
  }

  /** By canonical text. */
  find(text: string): PrefixState | undefined {
    return this.#monitored.get(text) ?? this.#moreSpecifics.get(text);
  }

  /** The state of a prefix in canonical text; `create` makes one for a more-specific that has none yet. */
  resolve(text: string, create: boolean): PrefixState | Unresolved {
    const known = this.find(text);
    if (known !== undefined) return known;
    const prefix = parsePrefix(text);
    return prefix === undefined ? 'unmonitored' : this.stateFor(prefix, create);
  }

  stateFor(prefix: Prefix, create: boolean): PrefixState | Unresolved {
    const known = this.find(prefix.text);
    if (known !== undefined) return known;
    const parents = this.#monitored.containing(prefix).flatMap((state) => state.monitored ?? []);
    if (parents.length === 0) return 'unmonitored';
    if (!create) return 'unknown_more_specific';
    for (const parent of parents) {
      if (parent.moreSpecifics.size >= this.#maxMoreSpecifics && !this.#evictUnseen(parent))
        return 'more_specific_limit';
    }
    const state = this.#add(new PrefixState(prefix, this.#takeNumber(), parents));
    this.#moreSpecifics.set(prefix.text, state);
    for (const parent of parents) parent.moreSpecifics.add(state);
    return state;
  }

  addMonitored(watched: WatchedPrefix, nowMs: number): PrefixState {
    const state = this.#add(new PrefixState(watched.prefix, this.#takeNumber(), [], watched, nowMs));
    this.#monitored.set(watched.prefix, state);
    return state;
  }

  remove(state: PrefixState): void {
    this.#onRemove(state);
    this.#byNumber[state.number] = undefined;
    this.#freeNumbers.push(state.number);
    if (state.monitored !== undefined) this.#monitored.delete(state.prefix);
    else this.#moreSpecifics.delete(state.prefix.text);
    for (const parent of state.parents) {
      parent.moreSpecifics.delete(state);
      parent.state.version++;
    }
  }

  #add(state: PrefixState): PrefixState {
    this.#byNumber[state.number] = state;
    return state;
  }

  #takeNumber(): number {
    return this.#freeNumbers.pop() ?? this.#byNumber.length;
  }

  /** Makes room by forgetting a more-specific that nobody holds any more. */
  #evictUnseen(parent: MonitoredPrefix): boolean {
    for (const state of parent.moreSpecifics) {
      if (state.visible > 0) continue;
      this.remove(state);
      return true;
    }
    return false;
  }
}
