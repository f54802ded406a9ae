/** What a session's numbers mean: pure functions over `StreamStats`. */
import { DISCONNECT_REASONS, RENEWAL_RESULTS, type StreamStats, type SubscriptionStats } from './source.ts';

/** The numbers with which a session begins. */
export function createStreamStats(source: string, session: string, startTimeMs: number): StreamStats {
  return {
    source,
    session,
    startTimeMs,
    idle: false,
    up: false,
    connects: 0,
    disconnects: zeros(DISCONNECT_REASONS),
    gapMs: 0,
    gapSinceMs: undefined,
    frames: 0,
    receivedBytes: 0,
    subscribedPrefixes: 0,
  };
}

/** Numbers of a subscription that expires, at their start. */
export function createSubscriptionStats(): SubscriptionStats {
  return { renewals: zeros(RENEWAL_RESULTS), expiresAtMs: undefined, losses: 0 };
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}

/** The session is up: a gap, if there was one, is complete. `elapsedMs` is `Timers.elapsed`, here and below. */
export function markUp(stats: StreamStats, elapsedMs: number): void {
  stats.gapMs = gapMsAt(stats, elapsedMs);
  stats.gapSinceMs = undefined;
  stats.up = true;
}

/** The session is down from then on. Only what was up can begin a gap: before the first connection nothing is missed. */
export function markDown(stats: StreamStats, elapsedMs: number): void {
  if (stats.up) stats.gapSinceMs = elapsedMs;
  stats.up = false;
}

/** The session has nothing to do: a gap that lasts is complete, and none begins. */
export function markIdle(stats: StreamStats, elapsedMs: number): void {
  markUp(stats, elapsedMs);
  stats.up = false;
  stats.idle = true;
}

/** Time without a connection, ms, a gap that lasts included: as a counter it never falls. */
export function gapMsAt(stats: Readonly<Pick<StreamStats, 'gapMs' | 'gapSinceMs'>>, elapsedMs: number): number {
  return stats.gapMs + (stats.gapSinceMs === undefined ? 0 : Math.max(0, elapsedMs - stats.gapSinceMs));
}

/** Whether all sessions that have prefixes are up, and there is one. */
export function allUp(stats: readonly StreamStats[]): boolean {
  const busy = stats.filter((session) => session.idle !== true);
  return busy.length > 0 && busy.every((session) => session.up);
}
