/**
 * Starts and stops the export through OTLP. Loaded only when it is on: the SDK takes longer to load than all the rest, and
 * some 25 MB.
 */
import { hostname } from 'node:os';
import { type DiagLogger, DiagLogLevel, diag, metrics as globalMetrics } from '@opentelemetry/api';
import { AggregationTemporalityPreference, OTLPMetricExporterBase } from '@opentelemetry/exporter-metrics-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  InstrumentType,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { otlpSecrets } from '../../config/otlp/otlp.ts';
import type { OtlpConfig } from '../../config/otlp/otlp-config.ts';
import { readOtlpTls } from '../../config/otlp/otlp-tls.ts';
import { ConfigError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { OtlpResult } from '../../metrics/figures/exporter-figures.ts';
import type { Collect } from '../../metrics/metric.ts';
import { errorText, type Redactor, redactor } from '../../secrets/redaction.ts';
import { Delivery } from './delivery/delivery.ts';
import { HttpPost } from './delivery/http-post.ts';
import { DeltaConverter } from './delta.ts';
import { JsonSerializer } from './encoding/json-serializer.ts';
import { ProtobufSerializer } from './encoding/protobuf-serializer.ts';
import type { OwnMetricData } from './metric-data.ts';
import { createMetricProducer } from './producer.ts';
import { VanishedSeries } from './vanished-series.ts';

export interface OtlpDependencies {
  readonly collect: Collect;
  /** Awaited before each collection, for what can only be measured asynchronously. */
  readonly refresh?: () => Promise<void>;
  readonly logger: Logger;
  readonly buildInfo: { readonly version: string };
  /** Where the web server listens, `host:port`: its port tells two exporters of one machine apart. */
  readonly address?: string | undefined;
  /** Called once an export, a failed one included. */
  readonly onExport: (result: OtlpResult) => void;
  /** Unix ms; the clock by default. */
  readonly now?: () => number;
  /** Before the first retry of a request, ms. Default 1,000. */
  readonly backoffMs?: number;
}

export interface RunningOtlp {
  /**
   * Exports a last time and ends within `limitMs` (default and at most `STOP_TIMEOUT_MS`), whatever the collector does.
   * Idempotent; never rejects.
   */
  stop(limitMs?: number): Promise<void>;
}

/** Less than the 5 s that a stop of the exporter may take, because a stop does more than this. */
export const STOP_TIMEOUT_MS = 3_500;

/** Where Prometheus takes OTLP. */
const PROMETHEUS_PATH = '/api/v1/otlp/v1/metrics';

const PREFERENCES: Readonly<Record<OtlpConfig['temporality'], AggregationTemporalityPreference>> = {
  cumulative: AggregationTemporalityPreference.CUMULATIVE,
  delta: AggregationTemporalityPreference.DELTA,
  lowmemory: AggregationTemporalityPreference.LOWMEMORY,
};

/**
 * The first export is one interval from now.
 * @throws ConfigError when a certificate or key file cannot be read or holds no certificate or key
 */
export async function startOtlp(config: OtlpConfig, dependencies: OtlpDependencies): Promise<RunningOtlp> {
  const { collect, refresh, buildInfo, onExport, now = Date.now, backoffMs } = dependencies;
  const logger = dependencies.logger.child({ component: 'otlp' });
  const redact = redactor(otlpSecrets(config));
  const url = new URL(config.endpoint);
  const post = openPost(url, config);

  const exporter = new MetricExporter(PREFERENCES[config.temporality]);
  const deltas = new DeltaConverter((metric) => isDelta(metric, exporter));
  const delivery = new Delivery({
    post,
    serializer: config.protocol === 'http/json' ? new JsonSerializer() : new ProtobufSerializer(),
    headers: { 'user-agent': `bgproutes-exporter/${buildInfo.version}`, ...config.headers },
    compression: config.compression,
    timeoutMs: config.timeoutMs,
    exportTimeoutMs: config.exportTimeoutMs,
    vanished: new VanishedSeries(),
    deltas,
    logger,
    redact,
    onExport,
    backoffMs,
    now,
  });
  exporter.delivery = delivery;

  const onError = (error: unknown): void =>
    logger.error('a metric could not be collected for OTLP', { error: errorText(error, redact) });
  const producer = createMetricProducer({ collect, refresh, version: buildInfo.version, onError, now });
  if (config.temporality !== 'cumulative') {
    const { resourceMetrics } = await producer.collect();
    for (const { metrics } of resourceMetrics.scopeMetrics) deltas.skip(metrics as OwnMetricData[]);
  }
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: config.intervalMs,
    exportTimeoutMillis: config.intervalMs, // not less: an export bounds itself, by config.exportTimeoutMs
    metricProducers: [producer],
  });

  const before = globalMetrics.getMeterProvider();
  const sdk = newSdk({
    metricReaders: [reader],
    resource: resourceOf(config, buildInfo.version, dependencies.address),
    // What the SDK would start beside it, or look for, is left out.
    autoDetectResources: false,
    spanProcessors: [],
    logRecordProcessors: [],
    instrumentations: [],
    textMapPropagator: null,
    // The type lacks null, by which none is registered.
    contextManager: null as unknown as undefined,
  });
  diag.setLogger(diagLogger(logger, redact), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  sdk.start();
  const isGlobal = globalMetrics.getMeterProvider() !== before;
  logger.info('OTLP export is on', {
    endpoint: `${url.origin}${url.pathname}`,
    protocol: config.protocol,
    interval_ms: config.intervalMs,
    temporality: config.temporality,
  });
  if (config.temporality !== 'cumulative' && url.pathname.endsWith(PROMETHEUS_PATH)) {
    // The server answers 200 all the same, so no error would ever show it.
    logger.warn('Prometheus drops deltas unless it runs with --enable-feature=otlp-deltatocumulative', {
      temporality: config.temporality,
    });
  }

  let stopping: Promise<void> | undefined;
  const stop = async (limitMs: number): Promise<void> => {
    delivery.stopWithin(limitMs);
    const limit = new AbortController();
    const overdue = new Promise<void>((done) => {
      const timer = setTimeout(done, limitMs + 500);
      limit.signal.addEventListener('abort', () => clearTimeout(timer));
    });
    const last = sdk
      .shutdown()
      .catch(onError)
      .then(() => delivery.idle());
    await Promise.race([last, overdue]);
    limit.abort();
    delivery.close();
    if (isGlobal) globalMetrics.disable();
    diag.disable();
  };
  return {
    stop: (limitMs = STOP_TIMEOUT_MS) => {
      stopping ??= stop(Math.min(limitMs, STOP_TIMEOUT_MS));
      return stopping;
    },
  };
}

/** With OTEL_LOG_LEVEL set the SDK would write its own log to the console, standard output included. */
function newSdk(options: ConstructorParameters<typeof NodeSDK>[0]): NodeSDK {
  const { OTEL_LOG_LEVEL: level } = process.env;
  delete process.env.OTEL_LOG_LEVEL;
  try {
    return new NodeSDK(options);
  } finally {
    if (level !== undefined) process.env.OTEL_LOG_LEVEL = level;
  }
}

/** What the SDK's reader exports to: the preferences are the package's, the delivery is ours. */
class MetricExporter extends OTLPMetricExporterBase {
  /** Set right after the construction, before anything is exported. */
  declare delivery: Delivery;

  constructor(temporalityPreference: AggregationTemporalityPreference) {
    super(
      {
        export: (resourceMetrics, done) => {
          // The outcome is counted and logged by the delivery; a failure would only make the reader log it once more.
          void this.delivery.export(resourceMetrics).then(() => done({ code: 0 }));
        },
        forceFlush: async () => {},
        shutdown: async () => {},
        setMetrics: () => {},
      },
      { temporalityPreference },
    );
  }
}

/** Our counters are read when asked, as asynchronous instruments are. */
function isDelta(metric: OwnMetricData, exporter: MetricExporter): boolean {
  const type =
    metric.dataPointType === DataPointType.HISTOGRAM ? InstrumentType.HISTOGRAM : InstrumentType.OBSERVABLE_COUNTER;
  return exporter.selectAggregationTemporality(type) === AggregationTemporality.DELTA;
}

function resourceOf(config: OtlpConfig, version: string, address: string | undefined) {
  const port = address === undefined ? '' : `:${address.slice(address.lastIndexOf(':') + 1)}`;
  return defaultResource().merge(
    resourceFromAttributes({
      'service.name': 'bgproutes-exporter',
      'service.version': version,
      'service.instance.id': `${hostname()}${port}`,
      ...config.resourceAttributes,
    }),
  );
}

function openPost(url: URL, config: OtlpConfig): HttpPost {
  const files = readOtlpTls(config);
  try {
    return new HttpPost(url, files);
  } catch (error) {
    throw new ConfigError([`otlp.tls: the certificates cannot be used: ${errorText(error, redactor([]))}`], error);
  }
}

/** The SDK's own log. Objects it hands over (whole requests) are not printed. */
function diagLogger(logger: Logger, redact: Redactor): DiagLogger {
  const text = (message: string, args: readonly unknown[]): string =>
    [message, ...args.filter((arg) => typeof arg === 'string' || arg instanceof Error)]
      .map((part) => errorText(part, redact))
      .join(' ');
  return {
    error: (message, ...args) => logger.error(text(message, args)),
    warn: (message, ...args) => logger.warn(text(message, args)),
    info: () => {},
    debug: () => {},
    verbose: () => {},
  };
}
