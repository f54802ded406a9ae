/** What a simulator is told, and what it can. */
import type { Logger } from '../logger.ts';
import type { Clock } from './clock.ts';
import type { Route } from './internet/routes/route.ts';
import type { Speed } from './internet/timeline.ts';
import type { NewVantagePoint, SimulatedVantagePoint, VpStatus } from './internet/vantage-points.ts';
import type { HeldRouteOfVp } from './internet/world.ts';
import type { Scenario, StepNow } from './scenario/scenario.ts';
import type { StepReport } from './scenario/steps.ts';
import type { ApiLimits } from './services/bgproutes/api-quota.ts';
import type { ApiTimes } from './services/bgproutes/data-api.ts';
import type { StreamCounts } from './services/bgproutes/stream-session.ts';
import type { Faults } from './services/faults.ts';

export interface SimulatorOptions {
  /** `host:port`; an empty host: all interfaces; port 0: one that is free. Default `127.0.0.1:0`. */
  readonly listen?: string;
  /** Where VRPs are served over RTR, in the form of `listen`. Default: nowhere. */
  readonly rtrListen?: string;
  /** Keys that are valid, for all three services. */
  readonly apiKeys: readonly string[];
  /** Everything that is made up follows from it. Default: the scenario's, else 1. */
  readonly seed?: number;
  /** VPs of live sources in the generated Internet, 0 to 20,000. Default: the scenario's, else 300. */
  readonly vps?: number;
  /** Default: DEMO_SCENARIO and then rounds of LONG_SCENARIO, or with a recording nothing. */
  readonly scenario?: Scenario;
  /** Whose steps come in the rounds after the first, about prefixes of `scenario`. Default: that one's own. */
  readonly nextScenario?: Scenario;
  /** A recording to send instead: a path to `.jsonl` or `.jsonl.gz`. */
  readonly replay?: string;
  /** Times real time, or `max`: as fast as clients take it. Default 1. */
  readonly speed?: Speed;
  /** The time of a generated Internet, with its churn and its steps, begins when this resolves. Default: with the simulator. */
  readonly begins?: Promise<unknown>;
  /** Starts again at the end. Default: a recording does not, a scenario does when it has `loop_every`. */
  readonly loop?: boolean;
  /** Prefixes a key may have. Default 10. */
  readonly maxPrefixes?: number;
  /** Inactivity of a key after which its prefixes are forgotten. Only associating counts as activity. Default 4 h. */
  readonly associationTtlMs?: number;
  /**
   * Whether a session that is open follows the list of its key. False: it streams what the key had when it began. The
   * service does not say which it does. Default true.
   */
  readonly sessionTakesList?: boolean;
  /** Whether a key without prefixes may connect; the service does not say. Default true. */
  readonly acceptsWithoutPrefixes?: boolean;
  /** How long a session that is over is still taken for one that lives, so that the next one of its key is refused. Default 0. */
  readonly sessionLingerMs?: number;
  /** Times of recorded messages: of their sending, or as recorded. Default `now`. */
  readonly timestamps?: 'now' | 'original';
  readonly clock?: Clock;
  /** What the Date header of HTTP answers tells, Unix ms. By default the clock: else what streams is late or early by it. */
  readonly dateHeader?: () => number;
  /** By how much the Data API lags behind the stream. Default 0. */
  readonly dataApiLagMs?: number;
  /** Real time that every answer of the Data API takes at least. Default 5. */
  readonly dataApiLatencyMs?: number;
  readonly dataApiLimits?: Partial<ApiLimits>;
  /** Whether `/v1/rib` refuses every `prefix_filter` for more than 10 VPs, not only one that finds over 10 prefixes. Default false. */
  readonly dataApiStrictFilter?: boolean;
  /** How `/v1/updates` writes times. Default `fractional_seconds`. */
  readonly dataApiTimes?: ApiTimes;
  /** The key of withdrawn prefixes. Default `withdraws`; a recording keeps its own when none is chosen. */
  readonly withdrawKey?: string;
  /** Withdrawn prefixes as an array rather than as comma-separated text. Default false. */
  readonly withdrawAsArray?: boolean;
  /**
   * Tells a client that has just subscribed what every VP holds, as if all sessions had just come up. The service does
   * not: it is for clients that do not ask the Data API. Default false.
   */
  readonly announceOnSubscribe?: boolean;
  /**
   * A recording starts when this many sessions are connected and have prefixes. Default 1. Those that get their prefixes
   * later than their connection have a second to connect once more. */
  readonly sessionsBeforeReplay?: number;
  /** Events that the Data API can look back on. Default 200,000. */
  readonly historyLimit?: number;
  /** Prefixes made up for subscribers at most. Default 10,000. */
  readonly maxGeneratedPrefixes?: number;
  /** Unsent bytes at which a slow client is cut off, when it cannot be waited for. Default 64 MiB. */
  readonly maxPendingBytes?: number;
  /** Text of a recording, uncompressed, at most. Default 512 MiB. */
  readonly maxRecordingBytes?: number;
  /** Between two pings of the server; 0: none. Default 20 s of real time. */
  readonly heartbeatMs?: number;
  /** Serves `/-/state`, `/-/step` and `/-/fault`, see docs/simulator.md. Default false. */
  readonly control?: boolean;
  readonly logger?: Logger;
  /** Called when a step is over and all VPs know. */
  readonly onStep?: (report: StepReport) => void;
}

export interface SimulatorStats extends Readonly<StreamCounts> {
  /** Events that the bound pushed out of the Data API's history. */
  readonly evictedHistoryEvents: number;
  /** Subscribed prefixes that were not made up, as there were too many. */
  readonly refusedPrefixes: number;
  /** Recorded messages played, and lines of the recording that are no messages. */
  readonly replayedMessages: number;
  readonly skippedLines: number;
}

export interface Simulator {
  /** `http://HOST:PORT`: base of the Live Manager API and, without `/v1`, of the Data API. */
  readonly url: string;
  /** `ws://HOST:PORT`. */
  readonly websocketUrl: string;
  readonly port: number;
  /** Where RTR is served; 0: nowhere. */
  readonly rtrPort: number;
  readonly faults: Faults;
  readonly stats: SimulatorStats;
  /** Resolves when a recording was sent to its end; at once without one. */
  readonly replayFinished: Promise<void>;
  /** Canonical prefixes of the scenario, of the recording, and of all that was subscribed to or driven by hand. */
  prefixes(): readonly string[];
  vantagePoints(): readonly SimulatedVantagePoint[];
  /** Adds a VP, or finds the one of this identity. */
  addVantagePoint(vp: NewVantagePoint): SimulatedVantagePoint;
  statusOf(vpKey: string): VpStatus;
  /** See `Faults.killVantagePoint` for `down`; the other statuses only show in the API. */
  setStatus(vpKey: string, status: VpStatus): void;
  /** The truth now: what VPs of live sources that are up hold. */
  routes(options?: { readonly includeHistoryOnly?: boolean }): Iterable<HeldRouteOfVp>;
  /** VPs of live sources that hold the prefix now. */
  visibleVps(prefix: string): number;
  /**
   * The VP announces these prefixes in one message. Missing attributes are empty. Holds until told otherwise, or, for a
   * VP of the generated Internet, until the next step on the prefix.
   */
  announce(vpKey: string, prefixes: string | readonly string[], route: Pick<Route, 'asPath'> & Partial<Route>): void;
  withdraw(vpKey: string, prefixes: string | readonly string[]): void;
  /** Does a step of a scenario now. VPs follow at once unless it has a `spread`. */
  step(step: StepNow): void;
  /** Lets time pass; only with a ManualClock. */
  advance(ms: number): void;
  /** Canonical prefixes that a key is associated with now. */
  associatedPrefixes(key: string): readonly string[];
  /** Open sessions, of one key or of all. */
  sessions(key?: string): number;
  /** Closes everything; the port is free when it resolves. Idempotent. */
  stop(): Promise<void>;
}
