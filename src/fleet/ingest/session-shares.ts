/**
 * Which session's word counts for a prefix. Where monitored prefixes of two sessions are nested, both deliver the inner one: as in an
 * exporter with a table of its own (table/fold.ts), the sessions of the nearest monitored prefix count, and each message is written once.
 */
import { type Prefix, parsePrefix } from '../../bgp/prefix.ts';
import type { RouteUpdate } from '../../bgp/route-event.ts';
import { WatchList } from '../../table/prefixes/watch-list.ts';

/** Prefixes whose nearest monitored one is remembered, so that a look-up is one of a Map. */
const MAX_REMEMBERED = 200_000;
/** The sessions of a prefix that lies in no monitored one. */
const NONE: readonly number[] = [];

export class SessionShares {
  readonly #sessions = new WatchList<number[]>();
  readonly #known = new Map<string, readonly number[]>();
  /** Whether a monitored prefix lies inside one of another session. */
  readonly #isShared: boolean;

  /** @param prefixes by session: its monitored prefixes, canonical */
  constructor(prefixes: readonly (readonly string[])[]) {
    const all: Prefix[] = [];
    for (const [session, texts] of prefixes.entries()) {
      for (const text of texts) {
        const prefix = parsePrefix(text) as Prefix;
        const sessions = this.#sessions.get(text);
        if (sessions === undefined) this.#sessions.set(prefix, [session]);
        else sessions.push(session);
        all.push(prefix);
      }
    }
    this.#isShared = all.some((prefix) => {
      const own = this.#sessions.get(prefix.text);
      return this.#sessions.containing(prefix).some((outer) => outer.some((session) => !own?.includes(session)));
    });
  }

  /** The update without prefixes for which other sessions count; itself where it has none of them. */
  ownOf(update: RouteUpdate, session: number): RouteUpdate {
    if (!this.#isShared) return update;
    const isOwn = (text: string) => {
      const sessions = this.#of(text);
      return sessions === NONE || sessions.includes(session);
    };
    const { withdrawn, announced } = update;
    if (withdrawn.every(isOwn) && announced.every(isOwn)) return update;
    return { ...update, withdrawn: withdrawn.filter(isOwn), announced: announced.filter(isOwn) };
  }

  #of(text: string): readonly number[] {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const found = this.#sessions.get(text) ?? this.#around(text);
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(text, found);
    return found;
  }

  #around(text: string): readonly number[] {
    const prefix = parsePrefix(text);
    return (prefix && this.#sessions.containing(prefix)[0]) ?? NONE;
  }
}
