/** The metrics of the exporter itself. */
import { HTTP_CUT_REASONS, MAX_COUNTED_PATHS, OTLP_RESULTS, REQUEST_BOUNDS } from '../figures/exporter-figures.ts';
import { defineMetrics, type Metric } from '../metric.ts';
import { legitimacyMetrics } from './legitimacy-metrics.ts';
import { nameMetrics } from './name-metrics.ts';
import { prefixMetrics } from './prefix-metrics.ts';

const ONE = 'one';

/** Metrics whose labels have a bound. What is beyond a bound is counted under the metric's name. */
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
    help: 'Always 1; its labels have the versions of the exporter and of Node.js.',
    bound: ONE,
  },
  exporterConfigLastReloadSuccessful: {
    otlpName: 'bgp.exporter.config_last_reload_successful',
    kind: 'gauge',
    unit: '',
    labels: [],
    help: '1 if the configuration was right when it was last read. 0 if a reload was refused; the configuration before it then stays in force.',
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
    help: '1 if the files of --web.config.file were right when they were last read, or if there is no such file. 0 if they are wrong; the last good ones then stay in force.',
    bound: ONE,
  },
  exporterOtlpExports: {
    otlpName: 'bgp.exporter.otlp_exports',
    kind: 'counter',
    unit: '{export}',
    labels: ['result'],
    help: 'OTLP exports by result: success, partial (the collector refused some points), rejected (the collector refuses the request), unavailable (429, 502 to 504, or no answer), error. 0 while OTLP is off.',
    bound: `${OTLP_RESULTS.length}`,
  },
  exporterHttpRequests: {
    otlpName: 'bgp.exporter.http_requests',
    kind: 'counter',
    unit: '{request}',
    labels: ['path', 'code'],
    help: 'Requests that the web server answered, by path ("other" for paths that it does not have) and HTTP status. 499: the connection ended before the end of the answer.',
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
    help: 'Connections that the web server refused or ended: connection_limit, address_limit (of one address), pipelining (too many requests without an answer), scrape_limit, page_limit (answers of the page, its API or the runbook), slow_request (headers not complete within 5 s, or the body within 10 s), slow_answer (not read within 60 s), bad_request, tls_handshake (no TLS, or no version or cipher suite in common), client_certificate (missing, or not allowed).',
    bound: `${HTTP_CUT_REASONS.length} (closed list of reasons)`,
  },
  exporterDroppedSeries: {
    otlpName: 'bgp.exporter.dropped_series',
    kind: 'gauge',
    unit: '{series}',
    labels: ['metric'],
    help: 'Series that have no place of their own now because a bound is reached, by metric. For more-specifics it also counts those for which a monitored prefix around another one has no room.',
    bound: `${BOUNDED_METRICS.length}`,
  },
});
