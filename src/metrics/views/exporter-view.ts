/** The metrics of the exporter itself, but for those of process and runtime (runtime-metrics.ts). */
import { exporterMetrics, prefixMetrics } from '../catalogue.ts';
import { type ExporterFigures, HTTP_CUT_REASONS, OTLP_RESULTS } from '../figures/exporter-figures.ts';
import { type FamilySource, Labels, type Metric } from '../metric.ts';
import { each, PlainGroup, single, type Write } from './plain-group.ts';
import type { DroppedSeries } from './prefix-view.ts';
import { seconds } from './stream-view.ts';

/** Metrics that have a bound of labels a prefix, and always are. */
const BOUNDED = [
  prefixMetrics.prefixOriginVps.name,
  prefixMetrics.prefixUpstreamVps.name,
  prefixMetrics.prefixMoreSpecificVps.name,
];

export class ExporterView {
  readonly #groups: readonly PlainGroup[];

  /** @param machineMs what the machine's clock shows at a time, both Unix ms */
  constructor(
    figures: ExporterFigures,
    droppedSeries: () => DroppedSeries,
    machineMs: (ms: number) => number = (ms) => ms,
  ) {
    const none = Labels.none;
    const build = new Labels(exporterMetrics.exporterBuildInfo.labels, [
      figures.version,
      figures.revision,
      figures.nodeVersion,
    ]);
    const bounded = new Map(BOUNDED.map((name) => [name, new Labels(['metric'], [name])]));
    this.#groups = [
      new PlainGroup(figures.startTimeMs, {
        exporterBuildInfo: single(build, () => 1),
        exporterConfigLastReloadSuccessful: single(none, () => (figures.reloadSuccessful ? 1 : 0)),
        exporterConfigLastReloadSuccessTimestamp: single(none, () => seconds(figures.reloadedAtMs, machineMs)),
        exporterWebConfigLastReloadSuccessful: single(none, () => (figures.webConfigSuccessful ? 1 : 0)),
        exporterOtlpExports: each(none, 'result', OTLP_RESULTS, (result) => figures.otlpExports[result]),
        exporterHttpRequests: (sink) => {
          for (const { labels, count } of figures.http.requests.values()) sink.number(labels, count);
        },
        exporterHttpRequestDuration: (sink) => {
          for (const { labels, histogram } of figures.http.durations.values()) sink.histogram(labels, histogram);
        },
        exporterHttpCutConnections: each(none, 'reason', HTTP_CUT_REASONS, (reason) => figures.http.cuts[reason]),
        exporterDroppedSeries: (sink) => {
          const dropped = droppedSeries();
          for (const name of dropped.keys()) if (!bounded.has(name)) bounded.set(name, new Labels(['metric'], [name]));
          for (const [name, labels] of bounded) sink.number(labels, dropped.get(name) ?? 0);
        },
      } satisfies Record<keyof typeof exporterMetrics, Write>),
    ];
  }

  collect(): FamilySource {
    for (const group of this.#groups) group.renew();
    return { metrics: METRICS, groups: this.#groups };
  }
}

const METRICS: readonly Metric[] = Object.values(exporterMetrics);
