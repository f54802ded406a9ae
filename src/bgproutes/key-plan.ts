/** Which key carries which prefix: the service allows a key only so many. */
import { containsPrefix, type Prefix } from '../bgp/prefix.ts';
import type { SessionPlan } from '../stream/live-feed.ts';

export interface KeyPlanOptions {
  /** Each key is a session. */
  readonly keys: number;
  /** Places of a key, the canary's among them. */
  readonly prefixesPerKey: number;
  readonly canary: Prefix | undefined;
}

/**
 * Spreads prefixes over keys; those for which no key has room are left out, the last ones first. The canary has a place of
 * every key, also where it is monitored itself.
 */
export function planKeys(
  { keys, prefixesPerKey, canary }: KeyPlanOptions,
  prefixes: readonly Prefix[],
  former?: SessionPlan,
): SessionPlan {
  const before = new Map(former?.prefixes.flatMap((list, session) => list.map((text) => [text, session] as const)));
  const room = prefixesPerKey - (canary === undefined ? 0 : 1);
  const others = prefixes.filter((prefix) => prefix.text !== canary?.text).slice(0, keys * room);
  const places = new Map(allocateSessions(others, keys, room, before).map((session, i) => [others[i].text, session]));
  if (canary !== undefined && prefixes.some(({ text }) => text === canary.text))
    places.set(canary.text, before.get(canary.text) ?? 0);
  const lists = Array.from({ length: keys }, (_, session) =>
    prefixes.filter(({ text }) => places.get(text) === session).map(({ text }) => text),
  );
  const subscriptions = lists.map((list) => {
    if (canary === undefined || list.length === 0 || list.includes(canary.text)) return list;
    return [...list, canary.text];
  });
  return { prefixes: lists, subscriptions };
}

/**
 * Spreads prefixes over sessions. What had a place keeps it, so that a reload moves nothing; a prefix inside another goes
 * where that one is, if there is room, so that its events come once; the rest fills one session after the other.
 * @param room places a session, the canary's not among them
 * @param former the session that a prefix had, by canonical text
 * @returns a session for each prefix, in their order
 * @throws RangeError when there are more prefixes than places
 */
export function allocateSessions(
  prefixes: readonly Prefix[],
  sessions: number,
  room: number,
  former: ReadonlyMap<string, number> = new Map(),
): number[] {
  if (prefixes.length > sessions * room)
    throw new RangeError(`${prefixes.length} prefixes do not fit in ${sessions} sessions of ${room}`);
  const used = new Array<number>(sessions).fill(0);
  const places = new Array<number>(prefixes.length).fill(-1);
  const take = (i: number, session: number) => {
    places[i] = session;
    used[session]++;
  };
  for (const [i, prefix] of prefixes.entries()) {
    const session = former.get(prefix.text);
    if (session !== undefined && session < sessions && used[session] < room) take(i, session);
  }
  const shortestFirst = [...prefixes.keys()].sort((a, b) => prefixes[a].length - prefixes[b].length || a - b);
  for (const i of shortestFirst) {
    if (places[i] !== -1) continue;
    const container = shortestFirst.findLast(
      (j) =>
        places[j] !== -1 &&
        used[places[j]] < room &&
        prefixes[j].length < prefixes[i].length &&
        containsPrefix(prefixes[j], prefixes[i]),
    );
    if (container !== undefined) take(i, places[container]);
    else {
      // Fill one session after the other: a key that is not needed then stays unused.
      take(
        i,
        used.findIndex((count) => count < room),
      );
    }
  }
  return places;
}
