/**
 * The map of the program: what an exporter is made of, and in which order its parts start and stop.
 *
 *   services  -> Streams -> RoutingTable -> MetricSources -> Outputs -> /metrics, OTLP, the page
 *   histories -> Streams         |                             |
 *                                +--> Pages -------------------+
 *                                +--> TableSnapshots, and back at the next start
 *   RPKI, names of ASes -> SideData -> MetricSources, Pages
 *   a configuration that is read again -> Reloads -> all of these
 *
 * The left side pushes: a frame changes the table in the step in which it arrives. The right side pulls: an output asks for
 * the metric families through one `collect`, at its own time. Each part stands in a file of its own in exporter/.
 */
import type { AsOrSet } from './bgp/as-path.ts';
import type { Prefix } from './bgp/prefix.ts';
import type { Config } from './config/config.ts';
import { readServiceCa } from './config/service-ca.ts';
import { DirectWaysTeller } from './exporter/direct-ways.ts';
import { fleetFigures } from './exporter/fleet.ts';
import { MetricSources } from './exporter/metric-sources.ts';
import { Outputs } from './exporter/outputs.ts';
import { Pages } from './exporter/page.ts';
import { Reloads } from './exporter/reloads.ts';
import type { ExporterDeps, RunningExporter } from './exporter/running-exporter.ts';
import { SideData } from './exporter/side-data.ts';
import { snapshotsOf } from './exporter/snapshots.ts';
import { Streams } from './exporter/streams.ts';
import { useWaysOut } from './http/ways-out.ts';
import { ExporterFigures } from './metrics/figures/exporter-figures.ts';
import { TableFigures } from './metrics/figures/table-figures.ts';
import type { ExpositionFormat } from './outputs/text/negotiation.ts';
import type { Readiness } from './readiness.ts';
import type { Validity } from './rpki/origin-validation.ts';
import type { TableSnapshots } from './storage/table-snapshots.ts';
import { SteadyClock } from './stream/steady-clock.ts';
import { systemTimers } from './stream/timers.ts';
import { RoutingTable } from './table/routing-table.ts';

export type { ExporterDeps, RunningExporter };

/**
 * @throws ConfigError when storage.path cannot be written to, another ExporterError when the address cannot be listened
 *   on; nothing is left running then
 */
export async function startExporter(config: Config, deps: ExporterDeps): Promise<RunningExporter> {
  useWaysOut({ proxyUrl: config.proxyUrl, ca: readServiceCa(config) });
  const exporter = new Exporter(config, deps);
  try {
    await exporter.start(config);
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
  readonly #pages: Pages;
  readonly #snapshots: TableSnapshots | undefined;
  readonly #metrics: MetricSources;
  readonly #outputs: Outputs;
  readonly #reloads: Reloads;
  readonly #directWays: DirectWaysTeller;
  #stopping: Promise<void> | undefined;

  // Nothing runs before `start`. Where a part is built before another that it asks, it asks in a function.
  constructor(config: Config, deps: ExporterDeps) {
    const { logger, version } = deps;
    const timers = new SteadyClock(deps.timers ?? systemTimers);
    const userAgent = `bgproutes-exporter/${version.version}`;
    const startMs = timers.now();
    const table = new RoutingTable(config.table);
    const figures = new TableFigures(startMs);
    this.table = table;
    this.figures = figures;
    this.#deps = deps;
    this.#timers = timers;
    this.#exporterFigures = new ExporterFigures(startMs, version);

    this.#streams = new Streams({
      ...{ config, table, figures, timers, logger, userAgent, feeds: deps.feeds, reloadConfig: deps.reloadConfig },
      onRefusedLate: () => {
        this.#exporterFigures.reloadSuccessful = false;
      },
    });
    this.#side = new SideData(config, { timers, userAgent, logger });
    this.#pages = new Pages({
      ...{ table, figures, timers, version: version.version },
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
    this.#snapshots = snapshotsOf(config, {
      table,
      figures,
      timers,
      logger,
      streams: this.#streams,
      pages: this.#pages,
    });
    this.#metrics = new MetricSources(startMs, timers.now);
    this.#setMetrics(config);
    this.#outputs = new Outputs({
      ...{ config, metrics: this.#metrics, page: this.#pages.page, figures: this.#exporterFigures, logger, version },
      systemdSockets: deps.systemdSockets,
      ready: () => this.ready(),
      reload: () => this.reload(),
    });
    this.#reloads = new Reloads({
      ...{ config, read: deps.reloadConfig, figures: this.#exporterFigures, now: timers.now, logger },
      apply: (next, former) => this.#change(next, former),
    });
    this.#directWays = new DirectWaysTeller(logger);
  }

  // --- start and stop -----------------------------------------------------------------------------------------------

  /** What can be refused comes first: keys, the folder of the snapshots, the addresses to listen on. */
  async start(config: Config): Promise<void> {
    await this.#streams.prepare();
    this.#directWays.tell(config);
    await this.#snapshots?.open();
    await this.#outputs.start();
    this.#side.start();
    this.#streams.start();
    this.#snapshots?.start();
    this.#pages.start();
  }

  /** Another exporter may use the folder of the snapshots from now on. */
  async unlockStorage(): Promise<void> {
    await this.#snapshots?.unlock();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** The snapshot is written when nothing changes the table any more; the outputs come last, with the numbers of the end. */
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

  // --- a new configuration ------------------------------------------------------------------------------------------

  reload(): Promise<void> {
    return this.#reloads.request();
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
    this.#directWays.tell(next);
    this.#deps.onReloaded?.(next);
  }

  #setMetrics(config: Config): void {
    const { fleet, intake } = this.#streams;
    this.#metrics.set({
      ...{ config, table: this.table, sessions: intake.sessions, sessionNames: intake.streams },
      ...{ tableFigures: this.figures, exporterFigures: this.#exporterFigures, timers: this.#timers },
      ...{ validated: this.#side.validated, names: this.#side.names },
      fleet: fleet && config.fleet && fleetFigures(fleet, config.fleet.partitions),
    });
  }

  // --- what can be asked of it --------------------------------------------------------------------------------------

  get address(): string | undefined {
    return this.#outputs.address;
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
}
