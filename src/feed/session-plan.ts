/** What the configuration means for the table and for each session of the stream. */
import type { Prefix } from '../bgp/prefix.ts';
import type { WatchedPrefix } from '../table/prefix-state.ts';
import { allocateSessions } from './allocation.ts';

/** The part of the configuration that decides it. */
export interface PlanInput {
  readonly prefixes: readonly {
    readonly prefix: Prefix;
    readonly description: string;
    readonly group: string;
    readonly origins: readonly number[] | undefined;
    readonly upstreams: readonly number[] | undefined;
  }[];
  readonly bgproutes: {
    readonly apiKeys: readonly string[];
    readonly prefixesPerKey: number;
    readonly canaryPrefix: Prefix | undefined;
  };
}

export interface SessionPlan {
  readonly watched: readonly WatchedPrefix[];
  /** By session: its monitored prefixes, canonical. */
  readonly prefixes: readonly (readonly string[])[];
  /** By session: what is associated with its key; the canary too. Empty: the session is not needed. */
  readonly subscriptions: readonly (readonly string[])[];
}

/** @param former prefixes that stay keep the session that they have there */
export function planSessions(config: PlanInput, former?: SessionPlan): SessionPlan {
  const { apiKeys, prefixesPerKey, canaryPrefix } = config.bgproutes;
  const room = prefixesPerKey - (canaryPrefix === undefined ? 0 : 1);
  const before = new Map(former?.watched.map(({ prefix, session }) => [prefix.text, session]));
  const places = allocateSessions(
    config.prefixes.map(({ prefix }) => prefix),
    apiKeys.length,
    room,
    before,
  );
  const watched = config.prefixes.map(({ prefix, description, group, origins, upstreams }, i) => ({
    ...{ prefix, description, group },
    origins: origins ?? [],
    upstreams: upstreams ?? [],
    session: places[i],
  }));
  const prefixes = apiKeys.map((_, session) =>
    watched.filter((one) => one.session === session).map((one) => one.prefix.text),
  );
  const subscriptions = prefixes.map((list) => {
    if (canaryPrefix === undefined || list.length === 0 || list.includes(canaryPrefix.text)) return list;
    return [...list, canaryPrefix.text];
  });
  return { watched, prefixes, subscriptions };
}
