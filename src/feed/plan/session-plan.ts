/** What the configuration means for the table and for each session of each source. */
import type { AsOrSet } from '../../bgp/as-path.ts';
import type { Prefix } from '../../bgp/prefix.ts';
import { ConfigError } from '../../errors.ts';
import type { LiveFeed, SessionPlan } from '../../stream/live-feed.ts';
import type { WatchedPrefix } from '../../table/prefixes/prefix-state.ts';

/** What the configuration says of a monitored prefix. */
export interface PrefixInput {
  readonly prefix: Prefix;
  readonly description: string;
  readonly group: string;
  readonly origins: readonly AsOrSet[] | undefined;
  readonly upstreams: readonly AsOrSet[] | undefined;
}

/** By session, numbered over all sources. */
export interface Plan extends SessionPlan {
  readonly watched: readonly WatchedPrefix[];
  /** By source, by its own sessions. */
  readonly sources: readonly SessionPlan[];
}

/**
 * Every source carries what it has room for.
 * @param former prefixes that stay keep the sessions that they have there
 * @throws ConfigError when a prefix finds no room in any source
 */
export function planSessions(
  prefixes: readonly PrefixInput[],
  feeds: readonly Pick<LiveFeed, 'plan'>[],
  former?: Plan,
): Plan {
  const list = prefixes.map(({ prefix }) => prefix);
  const sources = feeds.map((feed, source) => feed.plan(list, former?.sources[source]));
  const carried = sources.flatMap((plan) => plan.prefixes);
  const sessions = new Map<string, number[]>(list.map(({ text }) => [text, []]));
  for (const [session, texts] of carried.entries()) for (const text of texts) sessions.get(text)?.push(session);
  const uncarried = list.map(({ text }) => text).filter((text) => sessions.get(text)?.length === 0);
  if (uncarried.length > 0) throw new ConfigError(uncarried.map((text) => `prefixes: no source has room for ${text}`));
  const watched = prefixes.map(({ prefix, description, group, origins, upstreams }) => ({
    ...{ prefix, description, group },
    origins: origins ?? [],
    upstreams: upstreams ?? [],
    sessions: sessions.get(prefix.text) ?? [],
  }));
  return { watched, sources, prefixes: carried, subscriptions: sources.flatMap((plan) => plan.subscriptions) };
}
