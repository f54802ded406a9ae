/** The metrics of the exporter itself. */
import { HTTP_CUT_REASONS, MAX_COUNTED_PATHS, OTLP_RESULTS, REQUEST_BOUNDS } from '../figures/exporter-figures.ts';
import { defineMetrics, type Metric } from '../metric.ts';
import { legitimacyMetrics } from './legitimacy-metrics.ts';
import { nameMetrics } from './name-metrics.ts';
import { prefixMetrics } from './prefix-metrics.ts';

const ONE = 'one';

/** Metrics whose labels have a bound. What is over it is told by the names of these. */
export const BOUNDED_METRICS: readonly Metric[] = [
  prefixMetrics.prefixOriginVps,
  prefixMetrics.prefixUpstreamVps,
  prefixMetrics.prefixMoreSpecificVps,
  legitimacyMetrics.prefixOriginRpkiInfo,
  nameMetrics.asInfo,
];

/** The exporter itself; process and runtime metrics are in runtime-metrics.ts. */
export const exporterMetrics = defineMetrics({
  exporterBuildInfo: {
    otlpName: 'bgp.exporter.build_info',
    kind: 'gauge',
    unit: '',
    labels: ['version', 'revision', 'node_version'],
    help: 'Always 1; its labels say what runs.',
    bound: ONE,
  },
  exporterConfigLastReloadSuccessful: {
    otlpName: 'bgp.exporter.config_last_reload_successful',
    kind: 'gauge',
    unit: '',
    labels: [],
    help: '1 when the configuration was last read without a mistake, 0 when a reload was refused and the configuration before it stays in force.',
    bound: ONE,
  },
  exporterConfigLastReloadSuccessTimestamp: {
    otlpName: 'bgp.exporter.config_last_reload_success_timestamp',
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: 'When the configuration was last read without a mistake, Unix seconds.',
    bound: ONE,
  },
  exporterWebConfigLastReloadSuccessful: {
    otlpName: 'bgp.exporter.web_config_last_reload_successful',
    kind: 'gauge',
    unit: '',
    labels: [],
    help: '1 when the files of --web.config.file were last read without a mistake, 0 when they are wrong and the last good ones still hold; 1 without such a file.',
    bound: ONE,
  },
  exporterOtlpExports: {
    otlpName: 'bgp.exporter.otlp_exports',
    kind: 'counter',
    unit: '{export}',
    labels: ['result'],
    help: 'OTLP exports by result: success, partial (the collector refused some points), rejected (it will not take them), unavailable (429, 503 or no answer), error. 0 while OTLP is off.',
    bound: `${OTLP_RESULTS.length}`,
  },
  exporterHttpRequests: {
    otlpName: 'bgp.exporter.http_requests',
    kind: 'counter',
    unit: '{request}',
    labels: ['path', 'code'],
    help: 'Requests that the web server answered, by path (a path that it does not have is "other") and HTTP status; 499: the client was gone, or cut, before the end of the answer.',
    bound: `${MAX_COUNTED_PATHS} paths times the statuses in use`,
  },
  exporterHttpRequestDuration: {
    otlpName: 'bgp.exporter.http_request_duration',
    kind: 'histogram',
    unit: 's',
    labels: ['path'],
    help: 'Time from the arrival of a request to its last byte, by path.',
    bound: `${MAX_COUNTED_PATHS}, of ${REQUEST_BOUNDS.length + 1} buckets each`,
  },
  exporterHttpCutConnections: {
    otlpName: 'bgp.exporter.http_cut_connections',
    kind: 'counter',
    unit: '{connection}',
    labels: ['reason'],
    help: 'Connections that the web server refused or ended: connection_limit, address_limit (of one address), pipelining (too many requests without an answer), scrape_limit, page_limit (answers of the page, its API or the runbook), slow_request (not there within 5 s, with its body 10 s), slow_answer (not read within 60 s), bad_request, tls_handshake (no TLS, or no version or cipher suite in common), client_certificate (none, or one that may not enter).',
    bound: `${HTTP_CUT_REASONS.length} (closed list of reasons)`,
  },
  exporterDroppedSeries: {
    otlpName: 'bgp.exporter.dropped_series',
    kind: 'gauge',
    unit: '{series}',
    labels: ['metric'],
    help: 'Series that are summed as "other" now because a bound of labels is reached, by metric; of more-specifics also those that a monitored prefix around another one has no room for.',
    bound: `${BOUNDED_METRICS.length}`,
  },
});
