/**
 * The map of the program. Built from a Config, run, stopped in order:
 *
 *   exporter/ingest: source -> feed/session-feed -> table -> metrics/*-view -> outputs/prometheus -> outputs/web-server
 *                    history -> feed/keeper                                \-> outputs/otlp
 *   rpki/validated-data -> metrics/legitimacy-view
 *
 * Frames are pushed through to the table in the step in which they arrive; outputs pull, through one `collect`.
 */
import type { AsOrSet } from './bgp/as-path.ts';
import type { Prefix } from './bgp/prefix.ts';
import { type Config, hasWebServer } from './config/config.ts';
import { readServiceCa } from './config/service-ca.ts';
import { Ingest } from './exporter/ingest.ts';
import { type FeedInput, liveFeedsOf } from './exporter/live-feeds.ts';
import { metricSources } from './exporter/metric-sources.ts';
import { Outputs } from './exporter/outputs.ts';
import { makePage } from './exporter/page.ts';
import { Reloads } from './exporter/reloads.ts';
import { TableHistory } from './history/table-history.ts';
import { useWaysOut } from './http/ways-out.ts';
import type { Logger } from './logger.ts';
import { ExporterFigures } from './metrics/figures/exporter-figures.ts';
import { TableFigures } from './metrics/figures/table-figures.ts';
import { AsNameFile } from './names/as-name-file.ts';
import type { ExpositionFormat } from './outputs/negotiation.ts';
import type { LivePage } from './outputs/page/live-page.ts';
import type { Readiness } from './readiness.ts';
import { makeSources } from './rpki/make-sources.ts';
import type { Validity } from './rpki/origin-validation.ts';
import { ValidatedData } from './rpki/validated-data.ts';
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
  /** The body of a scrape, for a server of one's own. */
  render(format: ExpositionFormat): Promise<Buffer>;
  ready(): Readiness;
  /**
   * The validity of a route (RFC 6811) by the data that is usable now; undefined: there is none for it.
   * @param monitored the monitored prefix that a more-specific lies inside
   */
  validity(prefix: Prefix, origin: AsOrSet, monitored?: Prefix): Validity | undefined;
  /** Compares the table with the Data API now, rather than at the next interval. */
  compare(): Promise<void>;
  /** @throws ConfigError when the new configuration is wrong; the current one then still holds */
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
  readonly #timers: SteadyClock;
  readonly #exporterFigures: ExporterFigures;
  readonly #liveFeeds: readonly LiveFeed[];
  readonly #ingest: Ingest;
  readonly #snapshots: TableSnapshots | undefined;
  readonly #validated: ValidatedData | undefined;
  readonly #names: AsNameFile | undefined;
  readonly #page: LivePage | undefined;
  readonly #outputs: Outputs;
  readonly #reloads: Reloads;
  #stopping: Promise<void> | undefined;

  constructor(config: Config, deps: ExporterDeps) {
    const { logger } = deps;
    const timers = new SteadyClock(deps.timers ?? systemTimers);
    this.#timers = timers;
    const startMs = timers.now();
    const { table: tableConfig } = config;
    this.figures = new TableFigures(startMs);
    this.#exporterFigures = new ExporterFigures(startMs, deps.version);
    const userAgent = `bgproutes-exporter/${deps.version.version}`;
    const input: FeedInput = {
      config,
      prefixes: prefixesOf(config),
      tools: {
        ...{ timers, logger, userAgent },
        knownMoreSpecifics: (prefix) => this.table.prefixes.moreSpecificsOf(prefix),
      },
      onRequest: (endpoint, result) => this.figures.countRequest(endpoint, result),
    };
    this.#liveFeeds = deps.feeds?.(input) ?? liveFeedsOf(input);
    const liveFeeds = this.#liveFeeds;
    this.table = new RoutingTable(
      tableConfig,
      liveFeeds.map(({ source: { name, stats } }) => ({ name, sessions: stats.length })),
    );
    this.#ingest = new Ingest({
      ...{ config, feeds: liveFeeds, table: this.table, figures: this.figures, timers, logger },
      onRefusedLate: () => {
        this.#exporterFigures.reloadSuccessful = false;
      },
    });
    const hasPage = config.web.page && hasWebServer(config);
    const history = hasPage ? new TableHistory({ table: this.table, ...config.history, now: timers.now }) : undefined;
    const { path, snapshotIntervalMs } = config.storage;
    this.#snapshots =
      path === undefined
        ? undefined
        : new TableSnapshots({
            ...{
              folder: path,
              intervalMs: snapshotIntervalMs,
              table: this.table,
              history,
              figures: this.figures,
              timers,
              logger,
            },
            // By the service's clock where it is known: the machine's may be set right before the next start.
            aheadMs: () => this.#ingest.keeper.clockOffsetMs ?? timers.machineAheadMs,
            completeUntil: () => this.#ingest.keeper.completeUntil(),
            onRestored: (completeUntil) => this.#ingest.keeper.restored(completeUntil),
          });

    const unixMs = () => timers.machineMs(timers.now());
    const { rpki, names } = config;
    this.#names = names && new AsNameFile({ path: names.asFile, timers, log: logger });
    this.#validated =
      rpki &&
      new ValidatedData(prefixesOf(config), (scope) => {
        const { sources: places, maxAgeMs } = rpki;
        return makeSources({ places, maxAgeMs, timers, unixMs, userAgent, log: logger }, scope);
      });
    const metrics = metricSources({
      ...{ config, table: this.table, sessions: this.#ingest.sessions, sessionNames: this.#ingest.streams },
      ...{ tableFigures: this.figures, exporterFigures: this.#exporterFigures },
      ...{ validated: this.#validated, names: this.#names, timers },
    });
    this.#page =
      history &&
      makePage({
        ...{
          table: this.table,
          history,
          sessions: this.#ingest.sessions,
          troubles: this.#ingest.troubles,
          figures: this.figures,
        },
        ...{ validated: this.#validated, timers, version: deps.version.version, isSeeding: tableConfig.seed },
        validity: (prefix, origin) => this.validity(prefix, origin),
        names: () => this.#names?.names,
        ready: () => this.ready(),
        notes: deps.notes ?? (() => []),
      });
    this.#outputs = new Outputs({
      ...{ config, metrics, page: this.#page, figures: this.#exporterFigures, logger, version: deps.version },
      systemdSockets: deps.systemdSockets,
      ready: () => this.ready(),
      reload: () => this.reload(),
    });
    this.#reloads = new Reloads({
      ...{ config, read: deps.reloadConfig, figures: this.#exporterFigures, now: timers.now, logger },
      apply: (next) => this.#change(next),
    });
  }

  get address(): string | undefined {
    return this.#outputs.address;
  }

  async start(): Promise<void> {
    await Promise.all(this.#liveFeeds.map((feed) => feed.prepare?.()));
    await this.#snapshots?.open();
    await this.#outputs.start();
    this.#validated?.start();
    this.#names?.start();
    this.#ingest.start();
    this.#snapshots?.start();
    this.#page?.start();
  }

  render(format: ExpositionFormat): Promise<Buffer> {
    return this.#outputs.render(format);
  }

  ready(): Readiness {
    return this.#ingest.ready();
  }

  validity(prefix: Prefix, origin: AsOrSet, monitored?: Prefix): Validity | undefined {
    const nowMs = this.#timers.machineMs(this.#timers.now());
    return this.#validated?.validity(prefix, origin, nowMs, monitored);
  }

  compare(): Promise<void> {
    return this.#ingest.keeper.compare();
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
    this.#page?.stop();
    await this.#ingest.stop();
    await this.#validated?.stop();
    await this.#names?.stop();
    await this.#snapshots?.close();
    const leftMs = STOP_LIMIT_MS - (this.#timers.elapsed() - beganAtMs);
    await this.#outputs.stop(Math.max(leftMs, LAST_EXPORT_MS));
  }

  async #change(next: Config): Promise<void> {
    this.#outputs.reloadWebConfig();
    await this.#ingest.changePrefixes(next.prefixes);
    this.#validated?.watch(prefixesOf(next));
  }
}

function prefixesOf({ prefixes }: Config): Prefix[] {
  return prefixes.map(({ prefix }) => prefix);
}
