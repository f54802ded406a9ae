/** All metrics of an exporter, in the order of the output: which views there are by the configuration, and what they read. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { PathRules } from '../bgp/path-sanity.ts';
import type { Config } from '../config/config.ts';
import { inTurns } from '../in-turns.ts';
import type { ExporterFigures } from '../metrics/figures/exporter-figures.ts';
import type { SessionFigures } from '../metrics/figures/stream-figures.ts';
import type { TableFigures } from '../metrics/figures/table-figures.ts';
import type { FamilySource } from '../metrics/metric.ts';
import { PathVerdicts } from '../metrics/path-verdicts.ts';
import { RuntimeMetrics } from '../metrics/runtime-metrics.ts';
import { ExporterView } from '../metrics/views/exporter-view.ts';
import { type FleetFigures, FleetView } from '../metrics/views/fleet-view.ts';
import { type IngestFigures, IngestView } from '../metrics/views/ingest-view.ts';
import { LegitimacyView } from '../metrics/views/legitimacy-view.ts';
import { NameView } from '../metrics/views/name-view.ts';
import { PlaceView } from '../metrics/views/place-view.ts';
import { PrefixView, type SessionName } from '../metrics/views/prefix-view.ts';
import { RpkiView } from '../metrics/views/rpki-view.ts';
import { StreamView } from '../metrics/views/stream-view.ts';
import { TableView } from '../metrics/views/table-view.ts';
import type { AsNameFile } from '../names/as-name-file.ts';
import type { ValidatedData } from '../rpki/validated-data.ts';
import type { SteadyClock } from '../stream/steady-clock.ts';
import type { RoutingTable } from '../table/routing-table.ts';

export interface MetricSourcesOptions {
  readonly config: Config;
  readonly table: RoutingTable;
  /** False: the table stays empty, and says nothing of being complete. Default: true. */
  readonly isTableKept?: boolean;
  /** By the number of the session. */
  readonly sessions: readonly SessionFigures[];
  readonly sessionNames: readonly SessionName[];
  readonly tableFigures: TableFigures;
  readonly exporterFigures: ExporterFigures;
  readonly validated: ValidatedData | undefined;
  readonly names: AsNameFile | undefined;
  /** Undefined: the exporter serves all prefixes. */
  readonly fleet?: FleetFigures | undefined;
  /** Only an ingest has it. */
  readonly ingest?: IngestFigures | undefined;
  readonly timers: SteadyClock;
}

export class MetricSources {
  /** The numbers of process and runtime are measured before a collection. */
  readonly runtime: RuntimeMetrics;
  #views: readonly { collect(): FamilySource }[] = [];
  /** What was found out about the paths, and by which rules: a reload that changes none goes on with it. */
  #judged: { readonly by: string; readonly verdicts: PathVerdicts } | undefined;

  /** @param startTimeMs Unix ms since when the process counts */
  constructor(startTimeMs: number, now: () => number) {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    this.runtime = new RuntimeMetrics(registry, startTimeMs, now);
  }

  /** Sets what is collected. Counters belong to what the views read, so they go on. */
  set(options: MetricSourcesOptions): void {
    this.#views = [...this.#viewsOf(options), this.runtime];
  }

  #verdictsOf(table: RoutingTable, rules: PathRules | undefined): PathVerdicts {
    const by = JSON.stringify(rules && [[...rules.transitFree], [...rules.allowed]]) ?? '';
    if (this.#judged?.by !== by) this.#judged = { by, verdicts: new PathVerdicts(table.paths, rules, inTurns) };
    return this.#judged.verdicts;
  }

  /** Reads all of them, at one moment. */
  readonly collect = (): readonly FamilySource[] => this.#views.map((view) => view.collect());

  #viewsOf(options: MetricSourcesOptions): { collect(): FamilySource }[] {
    const { config, table, sessions, sessionNames, tableFigures, exporterFigures, validated, names, timers } = options;
    const { machineMs } = timers;
    const { startTimeMs } = tableFigures;
    const unixMs = () => machineMs(timers.now());
    const { table: settings, rpki, paths } = config;

    const prefixes = new PrefixView(table, sessionNames, {
      origin: settings.maxOriginSeries,
      upstream: settings.maxUpstreamSeries,
      moreSpecific: settings.maxMoreSpecificSeries,
    });
    const rules = paths && { transitFree: new Set(paths.transitFree), allowed: new Set(paths.allowed) };
    const legitimacy =
      rpki === undefined && paths === undefined
        ? undefined
        : new LegitimacyView({
            ...{ table, validated, paths: rules, unixMs, maxOrigins: settings.maxOriginSeries },
            verdicts: this.#verdictsOf(table, rules),
          });
    const named = names && new NameView(table, () => names.names);
    const droppedSeries = () =>
      new Map([...prefixes.droppedSeries(), ...(legitimacy?.droppedSeries() ?? []), ...(named?.droppedSeries() ?? [])]);

    return [
      prefixes,
      new PlaceView(table, settings.countries),
      legitimacy,
      validated && new RpkiView(validated, startTimeMs, unixMs),
      named,
      new TableView(table, tableFigures, machineMs, options.isTableKept),
      options.fleet && new FleetView(options.fleet, startTimeMs),
      options.ingest && new IngestView(options.ingest, startTimeMs),
      new StreamView(sessions, timers.elapsed, machineMs),
      new ExporterView(exporterFigures, droppedSeries, machineMs),
    ].filter((view) => view !== undefined);
  }
}
