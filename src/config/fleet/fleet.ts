/** The section `fleet` of the configuration: the topics by which an ingest and several exporters share the prefixes. */
import type { z } from 'zod';
import type { ReadFile } from '../api-keys.ts';
import { type KafkaProblem, kafkaLogin, resolveLogin } from '../kafka.ts';
import * as values from '../values.ts';
import type { FleetConfig } from './fleet-config.ts';

/** Each partition is a session of an exporter, and each has its watermark every second. */
export const MAX_FLEET_PARTITIONS = 1_024;

export const fleetSection = values.section({
  brokers: values.list(values.broker, 'a list of brokers such as kafka:9092'),
  group: values.topicName.default('bgproutes-exporter'),
  instance: values.topicName.optional(),
  partitions: values.wholeNumber('a whole number', 1, MAX_FLEET_PARTITIONS).default(64),
  events_topic: values.topicName.default('bgp.events'),
  state_topic: values.topicName.default('bgp.state'),
  session_timeout: values.duration(6_000, 300_000).default(30_000),
  state_interval: values.duration(1_000, 3_600_000).default(60_000),
  ...kafkaLogin,
});

export function resolveFleet(
  raw: z.output<typeof fleetSection>,
  resolve: (path: readonly string[], file: string) => string,
  readFile: ReadFile,
): { readonly config: FleetConfig; readonly problems: readonly KafkaProblem[] } {
  const { login, problems } = resolveLogin('fleet', raw, resolve, readFile);
  const { group, instance, partitions, events_topic, state_topic, session_timeout, state_interval } = raw;
  if (events_topic === state_topic)
    problems.push({ path: ['fleet', 'state_topic'], message: 'is that of the events: two topics are needed' });
  return {
    config: {
      ...login,
      ...{ group, instance, partitions, eventsTopic: events_topic, stateTopic: state_topic },
      ...{ sessionTimeoutMs: session_timeout, stateIntervalMs: state_interval },
    },
    problems,
  };
}
