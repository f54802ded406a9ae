/** What the configuration means for the table and for each session of the stream. */
import type { AsOrSet } from '../bgp/as-path.ts';
import type { Prefix } from '../bgp/prefix.ts';
import type { LiveFeed, SessionPlan } from '../stream/live-feed.ts';
import type { WatchedPrefix } from '../table/prefix-state.ts';

/** What the configuration says of a monitored prefix. */
export interface PrefixInput {
  readonly prefix: Prefix;
  readonly description: string;
  readonly group: string;
  readonly origins: readonly AsOrSet[] | undefined;
  readonly upstreams: readonly AsOrSet[] | undefined;
}

export interface Plan extends SessionPlan {
  readonly watched: readonly WatchedPrefix[];
}

/** @param former prefixes that stay keep the session that they have there */
export function planSessions(prefixes: readonly PrefixInput[], feed: Pick<LiveFeed, 'plan'>, former?: Plan): Plan {
  const plan = feed.plan(
    prefixes.map(({ prefix }) => prefix),
    former,
  );
  const sessions = new Map(plan.prefixes.flatMap((list, session) => list.map((text) => [text, session] as const)));
  const watched = prefixes.map(({ prefix, description, group, origins, upstreams }) => ({
    ...{ prefix, description, group },
    origins: origins ?? [],
    upstreams: upstreams ?? [],
    session: sessions.get(prefix.text) ?? 0,
  }));
  return { watched, ...plan };
}
