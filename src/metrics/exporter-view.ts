/** The metrics of the exporter itself, but for those of process and runtime (runtime-metrics.ts). */
import { exporterMetrics, prefixMetrics } from './catalogue.ts';
import { type FamilySource, Labels, type Metric } from './metric.ts';
import { each, PlainGroup, single, type Write } from './plain-group.ts';
import type { DroppedSeries } from './prefix-view.ts';
import { seconds } from './stream-view.ts';
import { zeros } from './table-view.ts';

export const OTLP_RESULTS = ['success', 'partial', 'rejected', 'unavailable', 'error'] as const;
export type OtlpResult = (typeof OTLP_RESULTS)[number];

/** Mutable on the side of whoever reloads or exports. */
export class ExporterFigures {
  readonly startTimeMs: number;
  readonly version: string;
  /** Of the source the build was made from; empty when unknown. */
  readonly revision: string;
  readonly nodeVersion: string;
  reloadSuccessful = true;
  /** Unix ms. */
  reloadedAtMs: number;
  readonly otlpExports = zeros(OTLP_RESULTS);

  constructor(
    startTimeMs: number,
    build: { readonly version: string; readonly revision: string; readonly nodeVersion: string },
  ) {
    this.startTimeMs = startTimeMs;
    this.reloadedAtMs = startTimeMs;
    this.version = build.version;
    this.revision = build.revision;
    this.nodeVersion = build.nodeVersion;
  }
}

/** Metrics that have a bound of labels a prefix. */
const BOUNDED = [
  prefixMetrics.prefixOriginVps.name,
  prefixMetrics.prefixUpstreamVps.name,
  prefixMetrics.prefixMoreSpecificVps.name,
];

export class ExporterView {
  readonly #groups: readonly PlainGroup[];

  constructor(figures: ExporterFigures, droppedSeries: () => DroppedSeries) {
    const none = Labels.none;
    const build = new Labels(exporterMetrics.exporterBuildInfo.labels, [
      figures.version,
      figures.revision,
      figures.nodeVersion,
    ]);
    const bounded = BOUNDED.map((name) => new Labels(['metric'], [name]));
    this.#groups = [
      new PlainGroup(figures.startTimeMs, {
        exporterBuildInfo: single(build, () => 1),
        exporterConfigLastReloadSuccessful: single(none, () => (figures.reloadSuccessful ? 1 : 0)),
        exporterConfigLastReloadSuccessTimestamp: single(none, () => seconds(figures.reloadedAtMs)),
        exporterOtlpExports: each(none, 'result', OTLP_RESULTS, (result) => figures.otlpExports[result]),
        exporterDroppedSeries: (sink) => {
          const dropped = droppedSeries();
          for (const [i, name] of BOUNDED.entries()) sink.number(bounded[i], dropped.get(name) ?? 0);
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
