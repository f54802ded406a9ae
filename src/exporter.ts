/**
 * The map of the program. Built from a Config, run, stopped in order:
 *
 *   exporter/intake: source -> feed/session-feed -> table -> metrics/*-view -> outputs/text -> outputs/web-server
 *                    history -> feed/keeper                                \-> outputs/otlp
 *   rpki/validated-data -> metrics/legitimacy-view
 *
 * Frames are pushed through to the table in the step in which they arrive; outputs pull, through one `collect`.
 */
import type { AsOrSet } from './bgp/as-path.ts';
import type { Prefix } from './bgp/prefix.ts';
import type { Config } from './config/config.ts';
import { readServiceCa } from './config/service-ca.ts';
import { directWays } from './exporter/direct-ways.ts';
import { fleetFigures } from './exporter/fleet.ts';
import type { FeedInput } from './exporter/live-feeds.ts';
import { MetricSources } from './exporter/metric-sources.ts';
import { Outputs } from './exporter/outputs.ts';
import { Pages } from './exporter/page.ts';
import { Reloads } from './exporter/reloads.ts';
import { SideData } from './exporter/side-data.ts';
import { Streams } from './exporter/streams.ts';
import { useWaysOut } from './http/ways-out.ts';
import type { Logger } from './logger.ts';
import { ExporterFigures } from './metrics/figures/exporter-figures.ts';
import { TableFigures } from './metrics/figures/table-figures.ts';
import type { ExpositionFormat } from './outputs/text/negotiation.ts';
import type { Readiness } from './readiness.ts';
import type { Validity } from './rpki/origin-validation.ts';
import { TableSnapshots } from './storage/table-snapshots.ts';
import type { LiveFeed } from './stream/live-feed.ts';
import { SteadyClock } from './stream/steady-clock.ts';
import { systemTimers, type Timers } from './stream/timers.ts';
import { RoutingTable } from './table/routing-table.ts';
import type { BuildInfo } from './version.ts';

export interface ExporterDeps {
  readonly logger: Logger;
  readonly version: BuildInfo;
  /** Reads the configuration again; throws ConfigError when it is wrong. Without it a reload does nothing. */
  readonly reloadConfig?: () => Config;
  /** A reload has taken effect. */
  readonly onReloaded?: (config: Config) => void;
  /** Descriptors of the sockets that systemd has handed over. Default: none. */
  readonly systemdSockets?: readonly number[];
  /** Default: the real clock. */
  readonly timers?: Timers;
  /** The services that stream, in the order of precedence, instead of those of the configuration. */
  readonly feeds?: (input: FeedInput) => readonly LiveFeed[];
  /** Lines that the page shows above its numbers: for a demo, that says what happens. */
  readonly notes?: () => readonly string[];
}

export interface RunningExporter {
  /** Where the web server listens first, `host:port` or `unix:/path`; undefined without one. */
  readonly address: string | undefined;
  readonly table: RoutingTable;
  readonly figures: TableFigures;
  /** The body of a scrape, for a program that has its own server. */
  render(format: ExpositionFormat): Promise<Buffer>;
  ready(): Readiness;
  /**
   * The validity of a route (RFC 6811) by the data that is usable now; undefined when there is no data for it.
   * @param monitored the monitored prefix that a more-specific lies inside
   */
  validity(prefix: Prefix, origin: AsOrSet, monitored?: Prefix): Validity | undefined;
  /** Compares the table with the histories of its sources now, rather than at the next interval. */
  compare(): Promise<void>;
  /** @throws ConfigError when the new configuration is wrong; the current one then stays in force */
  reload(): Promise<void>;
  /** Closes the stream, writes the snapshot, exports a last time, drains the web server. Idempotent. */
  stop(): Promise<void>;
}

/**
 * @throws ConfigError when storage.path cannot be written to, another ExporterError when the address cannot be listened
 *   on; nothing is left running then
 */
export async function startExporter(config: Config, deps: ExporterDeps): Promise<RunningExporter> {
  useWaysOut({ proxyUrl: config.proxyUrl, ca: readServiceCa(config) });
  const exporter = new Exporter(config, deps);
  try {
    await exporter.start();
  } catch (error) {
    await exporter.unlockStorage();
    throw error;
  }
  return exporter;
}

/** Time for a whole stop. The last OTLP export gets what closing the stream and writing the snapshot have left of it. */
const STOP_LIMIT_MS = 4_500;

/** The last export gets at least this, even when the snapshot took the whole time. */
const LAST_EXPORT_MS = 1_000;

class Exporter implements RunningExporter {
  readonly table: RoutingTable;
  readonly figures: TableFigures;
  readonly #deps: ExporterDeps;
  readonly #timers: SteadyClock;
  readonly #exporterFigures: ExporterFigures;
  readonly #streams: Streams;
  readonly #side: SideData;
  readonly #snapshots: TableSnapshots | undefined;
  readonly #metrics: MetricSources;
  readonly #pages: Pages;
  readonly #outputs: Outputs;
  readonly #reloads: Reloads;
  #config: Config;
  #toldDirectWays: string | undefined;
  #stopping: Promise<void> | undefined;

  constructor(config: Config, deps: ExporterDeps) {
    const { logger } = deps;
    const timers = new SteadyClock(deps.timers ?? systemTimers);
    const startMs = timers.now();
    this.#deps = deps;
    this.#config = config;
    this.#timers = timers;
    this.figures = new TableFigures(startMs);
    this.#exporterFigures = new ExporterFigures(startMs, deps.version);
    this.table = new RoutingTable(config.table);
    const userAgent = `bgproutes-exporter/${deps.version.version}`;
    this.#streams = new Streams({
      ...{ config, table: this.table, figures: this.figures, timers, logger, userAgent },
      ...{ feeds: deps.feeds, reloadConfig: deps.reloadConfig },
      onRefusedLate: () => {
        this.#exporterFigures.reloadSuccessful = false;
      },
    });
    this.#side = new SideData(config, { timers, userAgent, logger });
    this.#pages = new Pages({
      ...{ table: this.table, figures: this.figures, timers, version: deps.version.version },
      parts: (isSeeding) => ({
        ...{ sessions: this.#streams.intake.sessions, troubles: this.#streams.intake.troubles },
        ...{ validated: this.#side.validated, isSeeding },
      }),
      validity: (prefix, origin) => this.validity(prefix, origin),
      names: () => this.#side.names?.names,
      ready: () => this.ready(),
      notes: deps.notes ?? (() => []),
    });
    this.#pages.change(config);
    this.#snapshots = this.#snapshotsOf(config);
    this.#metrics = new MetricSources(startMs, timers.now);
    this.#setMetrics(config);
    this.#outputs = new Outputs({
      ...{ config, metrics: this.#metrics, page: this.#pages.page, figures: this.#exporterFigures, logger },
      ...{ version: deps.version, systemdSockets: deps.systemdSockets },
      ready: () => this.ready(),
      reload: () => this.reload(),
    });
    this.#reloads = new Reloads({
      ...{ config, read: deps.reloadConfig, figures: this.#exporterFigures, now: timers.now, logger },
      apply: (next, former) => this.#change(next, former),
    });
  }

  get address(): string | undefined {
    return this.#outputs.address;
  }

  async start(): Promise<void> {
    await this.#streams.prepare();
    this.#tellDirectWays();
    await this.#snapshots?.open();
    await this.#outputs.start();
    this.#side.start();
    this.#streams.start();
    this.#snapshots?.start();
    this.#pages.start();
  }

  render(format: ExpositionFormat): Promise<Buffer> {
    return this.#outputs.render(format);
  }

  ready(): Readiness {
    return this.#streams.ready();
  }

  validity(prefix: Prefix, origin: AsOrSet, monitored?: Prefix): Validity | undefined {
    const nowMs = this.#timers.machineMs(this.#timers.now());
    return this.#side.validated?.validity(prefix, origin, nowMs, monitored);
  }

  compare(): Promise<void> {
    return this.#streams.intake.keeper.compare();
  }

  reload(): Promise<void> {
    return this.#reloads.request();
  }

  /** Another exporter may use the folder of the snapshots from now on. */
  async unlockStorage(): Promise<void> {
    await this.#snapshots?.unlock();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const beganAtMs = this.#timers.elapsed();
    this.#snapshots?.end();
    this.#pages.stop();
    await this.#streams.stop();
    await this.#side.stop();
    await this.#snapshots?.close();
    const leftMs = STOP_LIMIT_MS - (this.#timers.elapsed() - beganAtMs);
    await this.#outputs.stop(Math.max(leftMs, LAST_EXPORT_MS));
  }

  /** What can be refused comes first, and nothing is changed by then; what follows takes effect. */
  async #change(next: Config, former: Config): Promise<void> {
    const ca = readServiceCa(next);
    const changeOutputs = this.#outputs.prepare(next);
    await this.#streams.change(next, former, { proxyUrl: next.proxyUrl, ca });
    if (this.#stopping !== undefined) return;
    this.table.setOptions(next.table);
    if (JSON.stringify(next.table) !== JSON.stringify(former.table))
      this.#streams.intake.keeper.setIntervals(next.table);
    await this.#side.change(next);
    this.#pages.change(next);
    this.#setMetrics(next);
    if (next.storage.snapshotIntervalMs !== former.storage.snapshotIntervalMs)
      this.#snapshots?.setInterval(next.storage.snapshotIntervalMs);
    await changeOutputs(this.#pages.page);
    this.#config = next;
    this.#tellDirectWays();
    this.#deps.onReloaded?.(next);
  }

  /** Once, and again when it changes. */
  #tellDirectWays(): void {
    const told = directWays(this.#config);
    if (told !== undefined && told !== this.#toldDirectWays) this.#deps.logger.warn(told);
    this.#toldDirectWays = told;
  }

  #snapshotsOf({ storage: { path, snapshotIntervalMs }, fleet }: Config): TableSnapshots | undefined {
    // The state of a fleet lies where its other members find it.
    if (path === undefined || fleet !== undefined) return undefined;
    const timers = this.#timers;
    return new TableSnapshots({
      ...{ folder: path, intervalMs: snapshotIntervalMs, table: this.table, figures: this.figures, timers },
      logger: this.#deps.logger,
      history: () => this.#pages.history,
      // By the service's clock where it is known: the machine's may be set right before the next start.
      aheadMs: () => this.#streams.intake.keeper.clockOffsetMs ?? timers.machineAheadMs,
      completeUntil: () => this.#streams.intake.keeper.completeUntil(),
      onRestored: (completeUntil) => this.#streams.intake.keeper.restored(completeUntil),
    });
  }

  #setMetrics(config: Config): void {
    const { fleet } = this.#streams;
    this.#metrics.set({
      ...{
        config,
        table: this.table,
        sessions: this.#streams.intake.sessions,
        sessionNames: this.#streams.intake.streams,
      },
      ...{ tableFigures: this.figures, exporterFigures: this.#exporterFigures, timers: this.#timers },
      ...{ validated: this.#side.validated, names: this.#side.names },
      fleet: fleet && config.fleet && fleetFigures(fleet, config.fleet.partitions),
    });
  }
}
