/**
 * The map of the program. Built from a Config, run, stopped in order:
 *
 *   bgproutes/source -> feed/session-feed -> table -> metrics/*-view -> outputs/prometheus -> outputs/web-server
 *                       feed/keeper (Data API)                     \-> outputs/otlp
 *   rpki/validated-data -> metrics/legitimacy-view
 *
 * Frames are pushed through to the table in the step in which they arrive; outputs pull, through one `collect`.
 */
import type { AsOrSet } from './bgp/as-path.ts';
import type { Prefix } from './bgp/prefix.ts';
import { type Config, hasWebServer } from './config/config.ts';
import { readServiceCa } from './config/service-ca.ts';
import { type FeedInput, liveFeedsOf } from './exporter/live-feeds.ts';
import { metricSources } from './exporter/metric-sources.ts';
import { Outputs } from './exporter/outputs.ts';
import { makePage } from './exporter/page.ts';
import { Reloads } from './exporter/reloads.ts';
import { AllSources } from './feed/all-sources.ts';
import { HoldRoom } from './feed/frame-queue.ts';
import { Keeper } from './feed/keeper.ts';
import { PlanChange } from './feed/plan-change.ts';
import { SessionFeed } from './feed/session-feed.ts';
import { planSessions } from './feed/session-plan.ts';
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
import { allUp } from './stream/stream-health.ts';
import { StreamTroubles } from './stream/stream-troubles.ts';
import { systemTimers, type Timers } from './stream/timers.ts';
import { Fold } from './table/fold.ts';
import { RoutingTable } from './table/routing-table.ts';
import { TableIds } from './table/table-ids.ts';
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
  readonly #source: AllSources;
  readonly #feeds: readonly SessionFeed[];
  readonly #keeper: Keeper;
  readonly #troubles = new StreamTroubles();
  readonly #snapshots: TableSnapshots | undefined;
  readonly #planChange: PlanChange;
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
    const source = new AllSources(liveFeeds);
    this.#source = source;
    this.table = new RoutingTable(
      tableConfig,
      liveFeeds.map(({ source: { name, stats } }) => ({ name, sessions: stats.length })),
    );
    const plan = planSessions(config.prefixes, liveFeeds);
    this.table.prefixes.canary = liveFeeds.find(({ canary }) => canary !== undefined)?.canary;
    const fold = new Fold(this.table);
    const ids = new TableIds(this.table);
    const decoders = liveFeeds.map((feed) => feed.decoder(ids));
    const holdRoom = new HoldRoom();
    this.#feeds = source.stats.map((stream, session) => {
      const place = this.table.ownership.sourceOf(session);
      const decoder = decoders[place];
      const { canary } = liveFeeds[place];
      return new SessionFeed({
        ...{ session, stream, decoder, fold, logger, canary, holdRoom },
        onUnmonitored: (prefixes, atMs) => source.heard(session, prefixes, atMs),
        onPassed: (vp, heir) => this.#keeper.readPassed(new Set([vp]), heir),
      });
    });
    const histories = liveFeeds.flatMap((feed) =>
      feed.source.stats.map((_, session) => (tableConfig.seed ? feed.history(session) : undefined)),
    );
    this.#keeper = new Keeper({
      table: this.table,
      feeds: this.#feeds,
      histories,
      figures: this.figures,
      logger,
      timers,
      lagMs: liveFeeds.map(({ historyLagMs }) => historyLagMs ?? tableConfig.dataApiLagMs),
      reseedIntervalMs: tableConfig.reseedIntervalMs,
      vpPollIntervalMs: tableConfig.vpPollIntervalMs,
      takeClockStep: timers.takeStep,
    });
    this.#planChange = new PlanChange(
      {
        ...{ source, keeper: this.#keeper, table: this.table, timers, logger },
        onRefusedLate: () => {
          this.#exporterFigures.reloadSuccessful = false;
        },
      },
      plan,
    );
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
            aheadMs: () => this.#keeper.clockOffsetMs ?? timers.machineAheadMs,
            completeUntil: () => this.#keeper.completeUntil(),
            onRestored: (completeUntil) => this.#keeper.restored(completeUntil),
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
      ...{ config, table: this.table, sessions: this.#feeds, sessionNames: source.stats },
      ...{ tableFigures: this.figures, exporterFigures: this.#exporterFigures },
      ...{ validated: this.#validated, names: this.#names, timers },
    });
    this.#page =
      history &&
      makePage({
        ...{ table: this.table, history, sessions: this.#feeds, troubles: this.#troubles, figures: this.figures },
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
    this.#keeper.start();
    this.#source.start({
      frames: (session, frames, receivedAtMs) => this.#feeds[session].frames(frames, receivedAtMs),
      opened: (session, atMs) => this.#keeper.opened(session, atMs),
      connected: (session, atMs) => {
        this.#troubles.up(session);
        this.#keeper.connected(session, atMs);
      },
      disconnected: (session, reason, atMs, detail) => {
        this.#troubles.down(session, reason, atMs, detail);
        this.#keeper.disconnected(session, atMs);
      },
      updates: (session) => this.#feeds[session].updates,
    });
    this.#snapshots?.start();
    this.#page?.start();
  }

  render(format: ExpositionFormat): Promise<Buffer> {
    return this.#outputs.render(format);
  }

  ready(): Readiness {
    const source = this.#source;
    if (!allUp(source.stats)) return { ok: false, reason: 'the stream is not up' };
    for (const [session] of this.#feeds.entries()) {
      const reason = source.unhealthy(session);
      if (reason !== undefined) return { ok: false, reason: `session ${session}: ${reason}` };
    }
    return { ok: true };
  }

  validity(prefix: Prefix, origin: AsOrSet, monitored?: Prefix): Validity | undefined {
    const nowMs = this.#timers.machineMs(this.#timers.now());
    return this.#validated?.validity(prefix, origin, nowMs, monitored);
  }

  compare(): Promise<void> {
    return this.#keeper.compare();
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
    await this.#source.stop();
    await this.#keeper.stop();
    await this.#validated?.stop();
    await this.#names?.stop();
    await this.#snapshots?.close();
    const leftMs = STOP_LIMIT_MS - (this.#timers.elapsed() - beganAtMs);
    await this.#outputs.stop(Math.max(leftMs, LAST_EXPORT_MS));
  }

  async #change(next: Config): Promise<void> {
    this.#outputs.reloadWebConfig();
    await this.#planChange.change(planSessions(next.prefixes, this.#liveFeeds, this.#planChange.plan));
    this.#validated?.watch(prefixesOf(next));
  }
}

function prefixesOf({ prefixes }: Config): Prefix[] {
  return prefixes.map(({ prefix }) => prefix);
}
