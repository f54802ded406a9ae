import type { KafkaLogin } from '../kafka-config.ts';

/** How exporters share the prefixes through Kafka, as the configuration gives it. Times are ms. */
export interface FleetConfig extends KafkaLogin {
  /** The consumer group of all exporters that share the prefixes. */
  readonly group: string;
  /** The name of this exporter, which a restart keeps; undefined: that of the machine. */
  readonly instance: string | undefined;
  readonly partitions: number;
  readonly eventsTopic: string;
  readonly stateTopic: string;
  readonly sessionTimeoutMs: number;
  readonly stateIntervalMs: number;
}
