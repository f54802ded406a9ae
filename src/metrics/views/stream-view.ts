/** The metrics of the sessions of live streams. */
import { gapMsAt } from '../../stream/stream-health.ts';
import { streamMetrics } from '../catalogue.ts';
import type { SessionFigures } from '../figures/stream-figures.ts';
import { type FamilySource, Labels, type Metric } from '../metric.ts';
import { each, histogram, PlainGroup, single, type Write } from './plain-group.ts';

export class StreamView {
  readonly #groups: readonly { readonly group: PlainGroup; readonly session: SessionFigures }[];

  /**
   * @param elapsed `Timers.elapsed`: a gap that lasts counts up to now
   * @param machineMs what the machine's clock shows at a time, both Unix ms
   */
  constructor(
    sessions: readonly SessionFigures[],
    elapsed: () => number,
    machineMs: (ms: number) => number = (ms) => ms,
  ) {
    this.#groups = sessions.map((session) => ({
      session,
      group: new PlainGroup(session.stream.startTimeMs, writers(session, elapsed, machineMs)),
    }));
  }

  collect(): FamilySource {
    // A member of a fleet shows only those partitions that are its own.
    const shown = this.#groups.filter(({ session: { stream } }) => stream.isElsewhere !== true);
    for (const { group } of shown) group.renew();
    return { metrics: METRICS, groups: shown.map(({ group }) => group) };
  }
}

const METRICS: readonly Metric[] = Object.values(streamMetrics);

function writers(
  session: SessionFigures,
  elapsed: () => number,
  machineMs: (ms: number) => number,
): Readonly<Record<keyof typeof streamMetrics, Write>> {
  const { stream, counts } = session;
  const base = new Labels(['source', 'session'], [stream.source, stream.session]);
  const reasons = (counts: Readonly<Record<string, number>>) =>
    each(base, 'reason', Object.keys(counts), (reason) => counts[reason]);
  return {
    streamUp: single(base, () => (stream.idle ? undefined : stream.up ? 1 : 0)),
    streamConnects: single(base, () => stream.connects),
    streamDisconnects: reasons(stream.disconnects),
    streamGap: single(base, () => gapMsAt(stream, elapsed()) / 1000),
    streamFrames: single(base, () => stream.frames),
    streamReceived: single(base, () => stream.receivedBytes),
    streamUpdates: single(base, () => session.updates),
    streamLastFrame: single(base, () => seconds(session.lastUpdateAtMs, machineMs)),
    streamDelay: histogram(base, () => session.delay),
    streamDecodeFailures: reasons(session.decodeFailures),
    streamUnused: reasons(session.unused ?? {}),
    streamSlowDecodes: single(base, () => session.generalDecodes),
    streamDroppedEvents: reasons(counts.dropped),
    streamFutureTimestamps: single(base, () => counts.futureTimestamps),
    streamUntimedMessages: single(base, () => counts.untimed),
    streamSlowClockMessages: single(base, () => counts.slowClocks),
    streamUnmonitoredPrefixes: single(base, () => counts.unmonitoredPrefixes),
    streamConnections: single(base, () => stream.connections?.()),
    streamLag: lags(base, stream.lags),
    streamSubscribedPrefixes: single(base, () => stream.subscribedPrefixes),
    ...subscriptionWriters(base, stream.subscription, machineMs),
    streamCanaryTimestamp: single(base, () => seconds(session.canaryAtMs, machineMs)),
  };
}

/** Which partitions there are shows only at the collection. */
function lags(base: Labels, of: SessionFigures['stream']['lags']): Write {
  return (sink) => {
    for (const { topic, partition, records } of of?.() ?? [])
      sink.number(
        new Labels([...base.keys, 'topic', 'partition'], [...base.values, topic, String(partition)]),
        records,
      );
  };
}

/** Without a subscription that expires these metrics have no series of the session. */
function subscriptionWriters(
  base: Labels,
  subscription: SessionFigures['stream']['subscription'],
  machineMs: (ms: number) => number,
): Readonly<Record<`streamSubscription${'Renewals' | 'Expiry' | 'Losses'}`, Write>> {
  if (subscription === undefined) {
    const nothing: Write = () => {};
    return {
      streamSubscriptionRenewals: nothing,
      streamSubscriptionExpiry: nothing,
      streamSubscriptionLosses: nothing,
    };
  }
  const { renewals } = subscription;
  return {
    streamSubscriptionRenewals: each(base, 'result', Object.keys(renewals), (result) => renewals[result]),
    streamSubscriptionExpiry: single(base, () => seconds(subscription.expiresAtMs, machineMs)),
    streamSubscriptionLosses: single(base, () => subscription.losses),
  };
}

/** Base unit of a time or a span; a time is given as the machine's clock shows it. */
export function seconds(
  ms: number | undefined,
  machineMs: (ms: number) => number = (same) => same,
): number | undefined {
  return ms === undefined ? undefined : machineMs(ms) / 1000;
}
