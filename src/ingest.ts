/**
 * The map of `ingest`: a source -> fleet/ingest -> the topic of events. No table: the outputs show the streams, the process
 * and the writing.
 */
import { KeyRing } from './bgproutes/key-ring.ts';
import { type Config, configSecrets, MAX_PARTITION_PREFIXES } from './config/config.ts';
import { readServiceCa } from './config/service-ca.ts';
import { ConfigError, ExporterError } from './errors.ts';
import { liveFeedsOf } from './exporter/live-feeds.ts';
import { MetricSources } from './exporter/metric-sources.ts';
import { Outputs } from './exporter/outputs.ts';
import { planSessions } from './feed/plan/session-plan.ts';
import { EventWriter, recordSender } from './fleet/event-writer.ts';
import { Ingest } from './fleet/ingest/ingest.ts';
import { MoreSpecifics } from './fleet/ingest/more-specifics.ts';
import { crowdedPartitions, PartitionMap } from './fleet/partitions.ts';
import { topicProblems, withTopics } from './fleet/topics.ts';
import { useWaysOut } from './http/ways-out.ts';
import type { Logger } from './logger.ts';
import { ExporterFigures } from './metrics/figures/exporter-figures.ts';
import { TableFigures } from './metrics/figures/table-figures.ts';
import type { Readiness } from './readiness.ts';
import { redactor } from './secrets/redaction.ts';
import { SteadyClock } from './stream/steady-clock.ts';
import { allUp } from './stream/stream-health.ts';
import { systemTimers, type Timers } from './stream/timers.ts';
import { RoutingTable } from './table/routing-table.ts';
import type { BuildInfo } from './version.ts';

export interface IngestDeps {
  readonly logger: Logger;
  readonly version: BuildInfo;
  readonly systemdSockets?: readonly number[];
  /** Default: the real clock. */
  readonly timers?: Timers;
}

export interface RunningIngest {
  readonly address: string | undefined;
  ready(): Readiness;
  /** Rejects when another ingest writes from now on: then this one must end. */
  readonly superseded: Promise<never>;
  stop(): Promise<void>;
}

/**
 * @throws ConfigError when the configuration is not one of an ingest, or the topics are not as they must be; an ExporterError
 *   when the brokers cannot be asked for the topics, or the address cannot be listened on
 */
export async function startIngest(config: Config, { logger, version, ...deps }: IngestDeps): Promise<RunningIngest> {
  const { fleet, table } = config;
  if (fleet === undefined) throw new ConfigError(['fleet: expected a section with brokers, got none']);
  if (config.sources.length > 1)
    throw new ConfigError([`sources: an ingest has one source, got ${config.sources.join(', ')}`]);
  const prefixes = config.prefixes.map(({ prefix }) => prefix);
  const crowded = crowdedPartitions(prefixes, fleet.partitions, MAX_PARTITION_PREFIXES);
  if (crowded.length > 0) throw new ConfigError(crowded);
  useWaysOut({ proxyUrl: config.proxyUrl, ca: readServiceCa(config) });
  const timers = new SteadyClock(deps.timers ?? systemTimers);
  const userAgent = `bgproutes-exporter/${version.version}`;
  const clientId = userAgent.replaceAll(/[^A-Za-z0-9._-]/g, '-');
  await checkTopics(config, clientId);
  const figures = new TableFigures(timers.now());
  const exporterFigures = new ExporterFigures(timers.now(), version);
  const moreSpecifics = new MoreSpecifics(prefixes, table.maxMoreSpecifics);
  const [feed] = liveFeedsOf({
    ...{ config, prefixes, keys: new KeyRing(config.bgproutes.apiKeys, () => undefined) },
    tools: { timers, logger, userAgent, knownMoreSpecifics: (prefix) => moreSpecifics.of(prefix) },
    onRequest: (endpoint, result) => figures.countRequest(endpoint, result),
  });
  const [plan] = planSessions(config.prefixes, [feed]).sources;
  const sender = await recordSender(fleet, clientId, fleet.eventsTopic);
  let supersede!: (error: Error) => void;
  const superseded = new Promise<never>((_, reject) => {
    supersede = reject;
  });
  superseded.catch(() => {});
  const ingest = new Ingest({
    ...{ connection: fleet, clientId, group: fleet.group, eventsTopic: fleet.eventsTopic },
    ...{ sessionTimeoutMs: fleet.sessionTimeoutMs, feed, plan, moreSpecifics, figures, timers, log: logger },
    writer: (term, onLost) =>
      new EventWriter({
        ...{ sender, map: new PartitionMap(prefixes, fleet.partitions), term, onLost, timers, log: logger },
        secrets: configSecrets(config),
      }),
    ...{ seed: table.seed, lagMs: table.dataApiLagMs, expectedWindowMs: table.expectedWindowMs },
    ...{ vpPollIntervalMs: table.vpPollIntervalMs, reseedIntervalMs: table.reseedIntervalMs },
    onSuperseded: () =>
      supersede(
        new ExporterError('SUPERSEDED', 'another ingest writes from now on, or no broker answers', {
          actor: 'operator',
        }),
      ),
  });
  const ready = (): Readiness => {
    if (!ingest.isWriting) return { ok: false, reason: 'another ingest writes, or no broker answers: this one waits' };
    return allUp(feed.source.stats) ? { ok: true } : { ok: false, reason: 'the stream is not up' };
  };
  const metrics = new MetricSources(timers.now(), timers.now);
  metrics.set({
    ...{ config, table: new RoutingTable(table), isTableKept: false, sessions: ingest.sessions },
    ...{ sessionNames: feed.source.stats, tableFigures: figures, exporterFigures, timers },
    ...{ validated: undefined, names: undefined, ingest },
  });
  const outputs = new Outputs({
    ...{ config, metrics, page: undefined, figures: exporterFigures, logger, version, ready },
    systemdSockets: deps.systemdSockets,
    reload: () => Promise.reject(new ConfigError(['an ingest reads its configuration at its start: restart it'])),
  });
  await outputs.start();
  await ingest.start();
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await ingest.stop();
    await outputs.stop(1_000);
  };
  return { address: outputs.address, ready, superseded, stop: () => (stopping ??= stop()) };
}

async function checkTopics(config: Config, clientId: string): Promise<void> {
  const { fleet } = config;
  if (fleet === undefined) return;
  const redact = redactor(configSecrets(config));
  const problems = await withTopics(fleet, clientId, redact, async (topics) =>
    topicProblems(await topics.find(fleet), fleet),
  );
  if (problems.length > 0) throw new ConfigError(problems, undefined, 'fleet');
}
