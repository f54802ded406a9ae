/** What a member of a fleet is made of, and what it fills. */
import type { Prefix } from '../../bgp/prefix.ts';
import type { RouteUpdate } from '../../bgp/route-event.ts';
import type { RouteIds } from '../../bgp/route-integers.ts';
import type { SessionFeed } from '../../feed/session-feed.ts';
import type { KafkaConnection } from '../../kafka/broker-client.ts';
import type { Logger } from '../../logger.ts';
import type { FrameDecoder } from '../../stream/frame-decoder.ts';
import type { Timers } from '../../stream/timers.ts';
import type { RoutingTable } from '../../table/routing-table.ts';

export interface FleetSettings extends KafkaConnection {
  readonly group: string;
  /** Undefined: the name of the machine. */
  readonly instance: string | undefined;
  readonly partitions: number;
  readonly eventsTopic: string;
  readonly stateTopic: string;
  readonly sessionTimeoutMs: number;
  readonly stateIntervalMs: number;
}

export interface FleetMemberOptions {
  readonly settings: FleetSettings;
  readonly clientId: string;
  /** All prefixes of the fleet. */
  readonly prefixes: readonly Prefix[];
  readonly timers: Timers;
  readonly log: Logger;
  readonly secrets: readonly string[];
  /** Reads messages as the bgproutes.io stream has them. */
  readonly decoder: (ids: RouteIds) => FrameDecoder;
  readonly decode: (message: Buffer) => RouteUpdate | undefined;
}

/** What the fleet fills. */
export interface FleetTable {
  readonly table: RoutingTable;
  readonly feeds: readonly SessionFeed[];
  /** Monitors the prefixes of the member's own partitions (`owns`), and no others. */
  readonly watch: () => Promise<void>;
  /** `isTrusted` of some prefix may have changed. */
  readonly onChange: () => void;
}
