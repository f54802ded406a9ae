/** Which session of the stream answers for which prefix: the service allows a key only so many. */
import { containsPrefix, type Prefix } from '../bgp/prefix.ts';

/**
 * Spreads prefixes over sessions. What had a place keeps it, so that a reload moves nothing; a prefix inside another goes
 * where that one is, if there is room, so that its events come once; the rest fills one session after the other.
 * @param room places a session, the canary's not among them
 * @param former the session that a prefix had, by canonical text
 * @returns a session for each prefix, in their order
 * @throws RangeError when there are more prefixes than places; the configuration is checked for that before
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
