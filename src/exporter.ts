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
import { BgproutesFeed, dataApiHistory } from './bgproutes/feed.ts';
import { BgproutesDecoder } from './bgproutes/live/decoder.ts';
import { changedSettings } from './config/changed-settings.ts';
import type { Config } from './config/config.ts';
import { readServiceCa } from './config/service-ca.ts';
import type { SourceName } from './config/source-names.ts';
import { ConfigError } from './errors.ts';
import { type MetricSources, metricSources } from './exporter/metric-sources.ts';
import { AllSources } from './feed/all-sources.ts';
import { HoldRoom } from './feed/frame-queue.ts';
import { Keeper } from './feed/keeper.ts';
import { PlanChange } from './feed/plan-change.ts';
import { SessionFeed } from './feed/session-feed.ts';
import { planSessions } from './feed/session-plan.ts';
import { TableHistory } from './history/table-history.ts';
import { useWaysOut } from './http/ways-out.ts';
import { KafkaFeed } from './kafka/feed.ts';
import type { Logger } from './logger.ts';
import { ExporterFigures } from './metrics/figures/exporter-figures.ts';
import { TableFigures } from './metrics/figures/table-figures.ts';
import { AsNameFile } from './names/as-name-file.ts';
import type { ExpositionFormat } from './outputs/negotiation.ts';
import { LivePage } from './outputs/page/live-page.ts';
import { PageFacts, type PageFactsOptions } from './outputs/page/page-facts.ts';
import { TextWriter } from './outputs/prometheus.ts';
import { WatchedWebConfig } from './outputs/web/watched-web-config.ts';
import { startWebServer, type WebServer } from './outputs/web-server.ts';
import type { Readiness } from './readiness.ts';
import { RisLiveFeed } from './ris-live/feed.ts';
import { makeSources } from './rpki/make-sources.ts';
import type { Validity } from './rpki/origin-validation.ts';
import { ValidatedData } from './rpki/validated-data.ts';
import { TableSnapshots } from './storage/table-snapshots.ts';
import type { DataApiEndpoint, DataApiResult, RipestatCall } from './stream/history.ts';
import type { FeedTools, LiveFeed } from './stream/live-feed.ts';
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
  /** Default: the real clock. */
  readonly timers?: Timers;
  /** The services that stream, in the order of precedence, instead of those of the configuration. */
  readonly feeds?: (input: FeedInput) => readonly LiveFeed[];
  /** Lines that the page shows above its numbers: for a demo, that says what happens. */
  readonly notes?: () => readonly string[];
}

export interface RunningExporter {
  /** Where the web server listens, `host:port`; undefined without one. */
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

/** A stop is over by then: what the stream and the snapshot took of it, the last export through OTLP does not get. */
const STOP_LIMIT_MS = 4_500;

/** The last export gets as much, even when a snapshot took all of it. */
const LAST_EXPORT_MS = 1_000;

/** What a maker of a LiveFeed is given. */
export interface FeedInput {
  readonly config: Config;
  readonly prefixes: readonly Prefix[];
  readonly tools: FeedTools;
  /** A request to a history came to an end. */
  readonly onRequest: (endpoint: DataApiEndpoint | RipestatCall, result: DataApiResult) => void;
}

/** The services that stream BGP, by their names. */
const SOURCES = {
  kafka: ({ config, prefixes, tools, onRequest }) =>
    new KafkaFeed({
      ...tools,
      ...{ settings: config.kafka, prefixes, jsonDecoder: (ids) => new BgproutesDecoder(ids) },
      history:
        config.kafka.history === 'none'
          ? undefined
          : dataApiHistory({ ...tools, settings: config.bgproutes, onRequest }),
    }),
  'ris-live': ({ config, prefixes, tools, onRequest }) =>
    new RisLiveFeed({ ...tools, settings: config.risLive, prefixes, onRequest }),
  bgproutes: ({ config, prefixes, tools, onRequest }) =>
    new BgproutesFeed({ ...tools, settings: config.bgproutes, prefixes, onRequest }),
} as const satisfies Record<SourceName, (input: FeedInput) => LiveFeed>;

class Exporter implements RunningExporter {
  readonly table: RoutingTable;
  readonly figures: TableFigures;
  readonly #deps: ExporterDeps;
  readonly #logger: Logger;
  readonly #timers: SteadyClock;
  readonly #exporterFigures: ExporterFigures;
  readonly #liveFeeds: readonly LiveFeed[];
  readonly #source: AllSources;
  readonly #feeds: readonly SessionFeed[];
  readonly #keeper: Keeper;
  readonly #troubles = new StreamTroubles();
  readonly #snapshots: TableSnapshots | undefined;
  readonly #metrics: MetricSources;
  readonly #writers: Readonly<Record<ExpositionFormat, TextWriter>>;
  readonly #planChange: PlanChange;
  readonly #validated: ValidatedData | undefined;
  readonly #names: AsNameFile | undefined;
  readonly #page: LivePage | undefined;
  #config: Config;
  #web: WebServer | undefined;
  #webConfig: WatchedWebConfig | undefined;
  #otlp: { stop(limitMs: number): Promise<void> } | undefined;
  #reloading: Promise<void> = Promise.resolve();
  #nextReload: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(config: Config, deps: ExporterDeps) {
    const { logger } = deps;
    const timers = new SteadyClock(deps.timers ?? systemTimers);
    this.#deps = deps;
    this.#logger = logger;
    this.#timers = timers;
    this.#config = config;
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
    this.#liveFeeds = deps.feeds?.(input) ?? config.sources.map((name) => SOURCES[name](input));
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
    const hasPage = config.web.page && config.web.listenAddress !== undefined;
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
    this.#metrics = metricSources({
      ...{ config, table: this.table, sessions: this.#feeds, sessionNames: source.stats },
      ...{ tableFigures: this.figures, exporterFigures: this.#exporterFigures },
      ...{ validated: this.#validated, names: this.#names, timers },
    });
    this.#page = history && this.#makePage(history);
    const onError = (error: unknown, metric: { readonly name: string }) =>
      logger.error('a metric could not be written', { metric: metric.name, error: String(error) });
    this.#writers = { text: new TextWriter('text', onError), openmetrics: new TextWriter('openmetrics', onError) };
  }

  get address(): string | undefined {
    return this.#web?.address;
  }

  async start(): Promise<void> {
    await Promise.all(this.#liveFeeds.map((feed) => feed.prepare?.()));
    await this.#snapshots?.open();
    const { web, otlp } = this.#config;
    if (web.listenAddress !== undefined) {
      this.#webConfig = new WatchedWebConfig({
        ...{ path: web.configFile, logger: this.#logger },
        onReading: (successful) => {
          this.#exporterFigures.webConfigSuccessful = successful;
        },
      });
      this.#web = await startWebServer({
        listenAddress: web.listenAddress,
        telemetryPath: web.telemetryPath,
        routePrefix: web.routePrefix,
        externalUrl: web.externalUrl,
        enableLifecycle: web.enableLifecycle,
        webConfig: this.#webConfig,
        render: (format) => this.render(format),
        release: (format, body) => this.#writers[format].release(body),
        ready: () => this.ready(),
        page: this.#page,
        reload: () => this.reload(),
        logger: this.#logger,
        onRequest: ({ path, status, durationSeconds }) =>
          this.#exporterFigures.http.countRequest(path, status, durationSeconds),
        onCut: (reason) => {
          this.#exporterFigures.http.cuts[reason]++;
        },
      });
    }
    if (otlp !== undefined) {
      const { startOtlp } = await import('./outputs/otlp/setup.ts');
      this.#otlp = await startOtlp(otlp, {
        collect: this.#metrics.collect,
        refresh: () => this.#metrics.runtime.refresh(),
        logger: this.#logger,
        buildInfo: this.#deps.version,
        address: this.#web?.address,
        onExport: (result) => {
          this.#exporterFigures.otlpExports[result]++;
        },
      });
    }
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

  async render(format: ExpositionFormat): Promise<Buffer> {
    await this.#metrics.runtime.refresh();
    return this.#writers[format].renderInTurns(this.#metrics.collect);
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

  /** One reload runs and one waits: that one reads the file later than whoever asks meanwhile, so it serves them all. */
  reload(): Promise<void> {
    this.#nextReload ??= this.#reloading
      .catch(() => {})
      .then(() => {
        this.#nextReload = undefined;
        this.#reloading = this.#reload();
        return this.#reloading;
      });
    return this.#nextReload;
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
    await Promise.all([this.#otlp?.stop(Math.max(leftMs, LAST_EXPORT_MS)), this.#web?.close()]);
  }

  // --- configuration ------------------------------------------------------------------------------------------------

  async #reload(): Promise<void> {
    const figures = this.#exporterFigures;
    try {
      const next = this.#deps.reloadConfig?.();
      if (next === undefined) return;
      // Sessions, addresses and folders are made at the start; what would change them is not half applied.
      const changed = changedSettings(this.#config, next);
      if (changed.length > 0)
        throw new ConfigError(
          changed.map((name) => `${name}: a change takes effect only at a restart; a reload can change the prefixes`),
        );
      this.#webConfig?.reload();
      await this.#change(next);
      figures.reloadSuccessful = true;
      figures.reloadedAtMs = this.#timers.now();
      this.#logger.info('configuration reloaded', { prefixes: next.prefixes.length });
    } catch (error) {
      figures.reloadSuccessful = false;
      const text = error instanceof Error ? error.message : String(error);
      this.#logger.error('the configuration was not reloaded, the former one still holds', { error: text });
      throw error;
    }
  }

  async #change(next: Config): Promise<void> {
    await this.#planChange.change(planSessions(next.prefixes, this.#liveFeeds, this.#planChange.plan));
    this.#validated?.watch(prefixesOf(next));
    this.#config = next;
  }

  // --- the page for people ----------------------------------------------------------------------------------------------

  #makePage(history: TableHistory): LivePage {
    const timers = this.#timers;
    const { version } = this.#deps.version;
    const facts = new PageFacts({
      ...{ table: this.table, history, now: timers.now, machineMs: timers.machineMs },
      isUp: (session) => this.#source.stats[session].up,
      validity: (prefix, origin) => this.validity(prefix, origin),
      names: () => this.#names?.names,
      exporter: () => this.#status(),
    });
    return new LivePage({ facts, history, timers, version });
  }

  #status(): ReturnType<PageFactsOptions['exporter']> {
    const { machineMs } = this.#timers;
    const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(machineMs(ms)).toISOString());
    const ready = this.ready();
    return {
      started_at: new Date(machineMs(this.figures.startTimeMs)).toISOString(),
      version: this.#deps.version.version,
      ready: ready.ok,
      not_ready_reason: ready.ok ? null : ready.reason,
      table: this.#config.table.seed ? (this.figures.seeded ? 'seeded' : 'unseeded') : 'off',
      restored_from: iso(this.figures.restoredFromMs),
      notes: [...(this.#deps.notes?.() ?? [])],
      streams: this.#feeds.flatMap(({ stream, lastUpdateAtMs }, session) => {
        const { source, session: name, up, idle, subscribedPrefixes } = stream;
        const trouble = up ? undefined : this.#troubles.of(session);
        return idle === true
          ? []
          : [
              {
                ...{ source, session: name, up, down_since: iso(trouble?.sinceMs), reason: trouble?.text ?? null },
                ...{ subscribed_prefixes: subscribedPrefixes, last_update_at: iso(lastUpdateAtMs) },
              },
            ];
      }),
      validators: (this.#validated?.sources ?? []).map(({ state }, place) => ({
        ...{ source: String(place), up: state.isUp, usable: state.isUsable(machineMs(this.#timers.now())) },
        // By the clock of whoever made the data.
        data_at: state.dataAtMs === undefined ? null : new Date(state.dataAtMs).toISOString(),
      })),
    };
  }
}

function prefixesOf({ prefixes }: Config): Prefix[] {
  return prefixes.map(({ prefix }) => prefix);
}
