/**
 * Which session's word counts for a prefix. Where monitored prefixes of two sessions are nested, both deliver the inner one: as in an
 * exporter with a table of its own (table/fold.ts), the sessions of the nearest monitored prefix count, and each message is written once.
 */
import { type Prefix, parsePrefix } from '../../bgp/prefix.ts';
import type { RouteUpdate } from '../../bgp/route-event.ts';
import { Nearest } from '../../table/prefixes/nearest.ts';
import { WatchList } from '../../table/prefixes/watch-list.ts';

/** The sessions of a prefix that lies in no monitored one. */
const NONE: readonly number[] = [];

export class SessionShares {
  readonly #sessions: Nearest<readonly number[]>;
  /** Whether a monitored prefix lies inside one of another session. */
  readonly #isShared: boolean;

  /** @param prefixes by session: its monitored prefixes, canonical */
  constructor(prefixes: readonly (readonly string[])[]) {
    const all: Prefix[] = [];
    const list = new WatchList<number[]>();
    for (const [session, texts] of prefixes.entries()) {
      for (const text of texts) {
        const prefix = parsePrefix(text) as Prefix;
        const sessions = list.get(text);
        if (sessions === undefined) list.set(prefix, [session]);
        else sessions.push(session);
        all.push(prefix);
      }
    }
    this.#isShared = all.some((prefix) => {
      const own = list.get(prefix.text);
      return list.containing(prefix).some((outer) => outer.some((session) => !own?.includes(session)));
    });
    this.#sessions = new Nearest<readonly number[]>(list, NONE);
  }

  /** The update without prefixes for which other sessions count; itself where it has none of them. */
  ownOf(update: RouteUpdate, session: number): RouteUpdate {
    if (!this.#isShared) return update;
    const isOwn = (text: string) => {
      const sessions = this.#sessions.of(text);
      return sessions === NONE || sessions.includes(session);
    };
    const { withdrawn, announced } = update;
    if (withdrawn.every(isOwn) && announced.every(isOwn)) return update;
    return { ...update, withdrawn: withdrawn.filter(isOwn), announced: announced.filter(isOwn) };
  }
}
