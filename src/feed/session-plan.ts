/** What the configuration means for the table and for each session of the stream. */
import type { AsOrSet } from '../bgp/as-path.ts';
import type { Prefix } from '../bgp/prefix.ts';
import { allocateSessions } from '../bgproutes/key-plan.ts';
import type { WatchedPrefix } from '../table/prefix-state.ts';

/** The part of the configuration that decides it. */
export interface PlanInput {
  readonly prefixes: readonly {
    readonly prefix: Prefix;
    readonly description: string;
    readonly group: string;
    readonly origins: readonly AsOrSet[] | undefined;
    readonly upstreams: readonly AsOrSet[] | undefined;
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
  const before = new Map(former?.watched.map(({ prefix, session }) => [prefix.text, session]));
  // The canary has a place of every key, also where it is monitored itself.
  const others = config.prefixes.map(({ prefix }) => prefix).filter((prefix) => prefix.text !== canaryPrefix?.text);
  const room = prefixesPerKey - (canaryPrefix === undefined ? 0 : 1);
  const places = new Map(
    allocateSessions(others, apiKeys.length, room, before).map((session, i) => [others[i].text, session]),
  );
  const watched = config.prefixes.map(({ prefix, description, group, origins, upstreams }) => ({
    ...{ prefix, description, group },
    origins: origins ?? [],
    upstreams: upstreams ?? [],
    session: places.get(prefix.text) ?? before.get(prefix.text) ?? 0,
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
