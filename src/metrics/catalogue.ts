/**
 * The catalogue: every metric of the exporter, once. Both outputs, the documentation, the dashboards and the rules take
 * their names from here. By subject, in the order of the output; process and runtime are in runtime-metrics.ts.
 */
import { exporterMetrics } from './catalogue/exporter-metrics.ts';
import { fleetMetrics } from './catalogue/fleet-metrics.ts';
import { ingestMetrics } from './catalogue/ingest-metrics.ts';
import { legitimacyMetrics } from './catalogue/legitimacy-metrics.ts';
import { nameMetrics } from './catalogue/name-metrics.ts';
import { placeMetrics } from './catalogue/place-metrics.ts';
import { prefixMetrics } from './catalogue/prefix-metrics.ts';
import { rpkiMetrics } from './catalogue/rpki-metrics.ts';
import { streamMetrics } from './catalogue/stream-metrics.ts';
import { tableMetrics } from './catalogue/table-metrics.ts';
import type { Metric } from './metric.ts';

export {
  exporterMetrics,
  fleetMetrics,
  ingestMetrics,
  legitimacyMetrics,
  nameMetrics,
  placeMetrics,
  prefixMetrics,
  rpkiMetrics,
  streamMetrics,
  tableMetrics,
};

export const ownMetrics: readonly Metric[] = [
  ...Object.values(prefixMetrics),
  ...Object.values(placeMetrics),
  ...Object.values(legitimacyMetrics),
  ...Object.values(nameMetrics),
  ...Object.values(tableMetrics),
  ...Object.values(streamMetrics),
  ...Object.values(rpkiMetrics),
  ...Object.values(fleetMetrics),
  ...Object.values(ingestMetrics),
  ...Object.values(exporterMetrics),
];
