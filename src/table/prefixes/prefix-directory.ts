/** Which prefixes have state: the monitored ones, and those of their more-specifics that were announced. */
import { ipv4PrefixNumber, ownText, type Prefix, parsePrefix } from '../../bgp/prefix.ts';
import { UNMONITORED } from '../../bgp/route-integers.ts';
import { MAX_UNMONITORED } from '../bounds.ts';
import { TextIndex } from '../store/text-index.ts';
import { type MonitoredPrefix, PrefixState, type WatchedPrefix } from './prefix-state.ts';
import { WatchList } from './watch-list.ts';

/** `resolve` gives these instead of a state. */
export type Unresolved = 'unmonitored' | 'canary' | 'more_specific_limit' | 'unknown_more_specific';

/** Prefixes that are monitored, and not to be shown. Asked at each scrape: time alone may hide a prefix. */
export interface Hiding {
  readonly isHidden: (session: number) => boolean;
  /** Grows with every change of what `isHidden` says. */
  readonly changes: () => number;
}

export class PrefixDirectory {
  /** More-specifics with state at once, a monitored prefix. Those that are more after a change stay until nobody holds them. */
  maxMoreSpecifics: number;
  readonly #onRemove: (state: PrefixState) => void;
  readonly #monitored = new WatchList<PrefixState>();
  readonly #moreSpecifics = new Map<string, PrefixState>();
  readonly #byNumber: (PrefixState | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  /** Canonical text to `number + 1` of a state, or to UNMONITORED. */
  readonly #known = new TextIndex();
  /** Which monitored prefixes are not to be shown now. Undefined: none is hidden. */
  hiding: Hiding | undefined;
  #unmonitored = 0;
  #canary: string | undefined;

  /**
   * @param maxMoreSpecifics more-specifics with state at once, a monitored prefix
   * @param onRemove called for every state that leaves, while it still has its cells
   */
  constructor(maxMoreSpecifics: number, onRemove: (state: PrefixState) => void) {
    this.maxMoreSpecifics = maxMoreSpecifics;
    this.#onRemove = onRemove;
  }

  /** Kept out of the fast decoder's index, monitored or not, so that the general decoder sees each of its events. Canonical text. */
  set canary(text: string | undefined) {
    const former = this.#canary;
    this.#canary = text;
    if (text !== undefined) this.#known.delete(text);
    const state = former === undefined ? undefined : this.find(former);
    if (state !== undefined) this.#know(state);
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

  /** The monitored prefixes that outputs show. */
  *shown(): Generator<MonitoredPrefix> {
    const { hiding } = this;
    for (const monitored of this.monitored()) if (hiding?.isHidden(monitored.firstSession) !== true) yield monitored;
  }

  /** Canonical texts of the more-specifics with state of a monitored prefix. */
  moreSpecificsOf(text: string): string[] {
    return [...(this.find(text)?.monitored?.moreSpecifics ?? [])].map((state) => state.prefix.text);
  }

  moreSpecifics(): IterableIterator<PrefixState> {
    return this.#moreSpecifics.values();
  }

  /** By canonical text. */
  find(text: string): PrefixState | undefined {
    return this.#monitored.get(text) ?? this.#moreSpecifics.get(text);
  }

  /** By the bytes of its canonical text: `number + 1` of its state, UNMONITORED, or -1 when that is not known. */
  findWords(words: Int32Array, at: number, length: number, hash: number): number {
    return this.#known.findWords(words, at, length, hash);
  }

  /** The state of a prefix in canonical text; `create` makes one for a more-specific that has none yet. */
  resolve(text: string, create: boolean, listedBy?: readonly string[]): PrefixState | Unresolved {
    const known = this.find(text);
    if (known !== undefined) return known;
    // A message may have thousands of prefixes that find no room: nothing is made of them.
    const number = ipv4PrefixNumber(text);
    if (number !== -1) {
      const nearest = this.#monitored.nearestIpv4(number)?.monitored;
      if (nearest === undefined) return this.#unmonitoredOf(text);
      if (create && !this.#hasRoom(nearest)) return 'more_specific_limit';
    }
    const prefix = parsePrefix(text);
    if (prefix === undefined) return 'unmonitored';
    const state = this.stateFor(prefix, create, listedBy);
    return state === 'unmonitored' ? this.#unmonitoredOf(prefix.text) : state;
  }

  #unmonitoredOf(text: string): Unresolved {
    // The canary was asked for, though not for the table.
    if (text === this.#canary) return 'canary';
    this.#rememberUnmonitored(text);
    return 'unmonitored';
  }

  #rememberUnmonitored(text: string): void {
    if (this.#unmonitored >= MAX_UNMONITORED) this.#forgetUnmonitored();
    const before = this.#known.size;
    this.#known.set(text, UNMONITORED);
    this.#unmonitored += this.#known.size - before;
  }

  #know(state: PrefixState): void {
    if (state.prefix.text !== this.#canary) this.#known.set(state.prefix.text, state.number + 1);
  }

  #forgetUnmonitored(): void {
    if (this.#unmonitored === 0) return;
    this.#known.clear();
    this.#unmonitored = 0;
    for (const state of this.states()) this.#know(state);
  }

  /**
   * As `resolve`, of a prefix that was read. `listedBy`: the monitored prefixes that had room for it when a snapshot was written;
   * the nearest one takes it in any case.
   */
  stateFor(prefix: Prefix, create: boolean, listedBy?: readonly string[]): PrefixState | Unresolved {
    const known = this.find(prefix.text);
    if (known !== undefined) return known;
    const nearest = this.#monitored.nearest(prefix)?.monitored;
    if (nearest === undefined) return 'unmonitored';
    if (!create) return 'unknown_more_specific';
    // The nearest one decides: a full outer prefix must not hide what happens inside an inner one.
    return this.#hasRoom(nearest) ? this.#create(prefix, listedBy) : 'more_specific_limit';
  }

  /** Makes the state of a more-specific for which its nearest monitored prefix has room. */
  #create(prefix: Prefix, listedBy: readonly string[] | undefined): PrefixState {
    const [nearest, ...outer] = this.#monitored.containing(prefix).flatMap((state) => state.monitored ?? []);
    const takes = (parent: MonitoredPrefix) =>
      listedBy === undefined
        ? this.#hasRoom(parent)
        : listedBy.includes(parent.state.prefix.text) && parent.moreSpecifics.size < this.maxMoreSpecifics;
    const counting = [nearest, ...outer.filter(takes)];
    const unlistedBy = outer.filter((parent) => !counting.includes(parent));
    // The prefix came as a piece of a message, which may be as long as 13,000 prefixes.
    const own = { ...prefix, text: ownText(prefix) };
    const state = this.#add(new PrefixState(own, this.#takeNumber(), counting, undefined, 0, unlistedBy));
    this.#moreSpecifics.set(own.text, state);
    for (const parent of counting) {
      parent.moreSpecifics.add(state);
      parent.mayMakeRoom = true;
    }
    for (const parent of unlistedBy) parent.unlisted++;
    return state;
  }

  addMonitored(watched: WatchedPrefix, nowMs: number): PrefixState {
    this.#forgetUnmonitored();
    const state = this.#add(new PrefixState(watched.prefix, this.#takeNumber(), [], watched, nowMs));
    this.#monitored.set(watched.prefix, state);
    return state;
  }

  remove(state: PrefixState): void {
    this.#onRemove(state);
    this.#byNumber[state.number] = undefined;
    this.#known.delete(state.prefix.text);
    this.#freeNumbers.push(state.number);
    if (state.monitored !== undefined) this.#monitored.delete(state.prefix);
    else this.#moreSpecifics.delete(state.prefix.text);
    for (const parent of state.unlistedBy) parent.unlisted--;
    for (const parent of state.parents) {
      parent.moreSpecifics.delete(state);
      parent.state.version++;
    }
  }

  #add(state: PrefixState): PrefixState {
    this.#byNumber[state.number] = state;
    this.#know(state);
    return state;
  }

  #takeNumber(): number {
    return this.#freeNumbers.pop() ?? this.#byNumber.length;
  }

  #hasRoom(parent: MonitoredPrefix): boolean {
    return parent.moreSpecifics.size < this.maxMoreSpecifics || this.#evictUnseen(parent);
  }

  /**
   * Makes room by forgetting a more-specific that nobody holds any more. A message may have thousands that find no room: all
   * are looked at for the first one, and again when one has lost its last holder.
   */
  #evictUnseen(parent: MonitoredPrefix): boolean {
    if (!parent.mayMakeRoom) return false;
    for (const state of parent.moreSpecifics) {
      if (state.visible > 0) continue;
      this.remove(state);
      return true;
    }
    parent.mayMakeRoom = false;
    return false;
  }
}
