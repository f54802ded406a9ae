/**
 * Metrics of process and runtime: measured by prom-client, named by this catalogue, printed like all others. Its Prometheus
 * names stay as every Node dashboard knows them; the OTLP names are such that the translation gives them back.
 */
import {
  defineMetrics,
  type FamilySource,
  type HistogramValue,
  Labels,
  type Metric,
  type PointGroup,
  type PointSink,
} from './metric.ts';

const ONE = 'one';
const PER_TYPE = 'one a type of the runtime';
const PER_SPACE = 'one a heap space of V8';

const seconds = (otlpName: string, help: string) =>
  ({ otlpName, kind: 'gauge', unit: 's', labels: [], help, bound: ONE }) as const;
const bytes = (otlpName: string, help: string) =>
  ({ otlpName, kind: 'gauge', unit: 'By', labels: [], help, bound: ONE }) as const;

export const runtimeMetrics = defineMetrics({
  processCpuUser: {
    otlpName: 'process.cpu_user',
    kind: 'counter',
    unit: 's',
    labels: [],
    help: 'CPU time spent in user mode.',
    bound: ONE,
  },
  processCpuSystem: {
    otlpName: 'process.cpu_system',
    kind: 'counter',
    unit: 's',
    labels: [],
    help: 'CPU time spent in the kernel for this process.',
    bound: ONE,
  },
  processCpu: {
    otlpName: 'process.cpu',
    kind: 'counter',
    unit: 's',
    labels: [],
    help: 'CPU time spent, user and system.',
    bound: ONE,
  },
  processStartTime: seconds('process.start_time', 'When the process started, Unix seconds.'),
  processResidentMemory: bytes('process.resident_memory', 'Memory of the process that is in RAM.'),
  processVirtualMemory: bytes('process.virtual_memory', 'Address space of the process; Linux only.'),
  processHeap: bytes('process.heap', 'Data segment of the process (VmData); Linux only.'),
  processOpenFds: {
    otlpName: 'process.open_fds',
    kind: 'gauge',
    unit: '{fd}',
    labels: [],
    help: 'Open file descriptors; Linux only.',
    bound: ONE,
  },
  processMaxFds: {
    otlpName: 'process.max_fds',
    kind: 'gauge',
    unit: '{fd}',
    labels: [],
    help: 'File descriptors that the process may open; Linux only.',
    bound: ONE,
  },
  nodejsEventloopLag: seconds(
    'nodejs.eventloop.lag',
    'How long a callback that was due at the last collection had to wait for the event loop.',
  ),
  nodejsEventloopLagMin: seconds('nodejs.eventloop.lag_min', 'Smallest event loop delay since the last collection.'),
  nodejsEventloopLagMax: seconds('nodejs.eventloop.lag_max', 'Largest event loop delay since the last collection.'),
  nodejsEventloopLagMean: seconds('nodejs.eventloop.lag_mean', 'Mean event loop delay since the last collection.'),
  nodejsEventloopLagStddev: seconds(
    'nodejs.eventloop.lag_stddev',
    'Standard deviation of the event loop delay since the last collection.',
  ),
  nodejsEventloopLagP50: seconds('nodejs.eventloop.lag_p50', 'Median event loop delay since the last collection.'),
  nodejsEventloopLagP90: seconds(
    'nodejs.eventloop.lag_p90',
    '90th percentile of the event loop delay since the last collection.',
  ),
  nodejsEventloopLagP99: seconds(
    'nodejs.eventloop.lag_p99',
    '99th percentile of the event loop delay since the last collection.',
  ),
  nodejsActiveResources: {
    otlpName: 'nodejs.active_resources',
    kind: 'gauge',
    unit: '{resource}',
    labels: ['type'],
    help: 'Resources that keep the event loop alive, by type.',
    bound: PER_TYPE,
  },
  nodejsActiveHandles: {
    otlpName: 'nodejs.active_handles',
    kind: 'gauge',
    unit: '{handle}',
    labels: ['type'],
    help: 'Active libuv handles, by C++ class.',
    bound: PER_TYPE,
  },
  nodejsActiveRequests: {
    otlpName: 'nodejs.active_requests',
    kind: 'gauge',
    unit: '{request}',
    labels: ['type'],
    help: 'Active libuv requests, by C++ class.',
    bound: PER_TYPE,
  },
  nodejsHeapSizeTotal: bytes('nodejs.heap_size_total', 'Heap that V8 has reserved.'),
  nodejsHeapSizeUsed: bytes('nodejs.heap_size_used', 'Heap that V8 uses.'),
  nodejsExternalMemory: bytes(
    'nodejs.external_memory',
    'Memory of C++ objects bound to JavaScript ones, buffers included.',
  ),
  nodejsHeapSpaceSizeTotal: {
    otlpName: 'nodejs.heap_space_size_total',
    kind: 'gauge',
    unit: 'By',
    labels: ['space'],
    help: 'Reserved, by heap space.',
    bound: PER_SPACE,
  },
  nodejsHeapSpaceSizeUsed: {
    otlpName: 'nodejs.heap_space_size_used',
    kind: 'gauge',
    unit: 'By',
    labels: ['space'],
    help: 'Used, by heap space.',
    bound: PER_SPACE,
  },
  nodejsHeapSpaceSizeAvailable: {
    otlpName: 'nodejs.heap_space_size_available',
    kind: 'gauge',
    unit: 'By',
    labels: ['space'],
    help: 'Still available, by heap space.',
    bound: PER_SPACE,
  },
  nodejsVersionInfo: {
    otlpName: 'nodejs.version_info',
    kind: 'gauge',
    unit: '',
    labels: ['version', 'major', 'minor', 'patch'],
    help: 'Always 1; its labels are the version of Node.js.',
    bound: ONE,
  },
  nodejsGcDuration: {
    otlpName: 'nodejs.gc.duration',
    kind: 'histogram',
    unit: 's',
    labels: ['kind'],
    help: 'Garbage collections by kind: major, minor, incremental or weakcb.',
    bound: '4, of 7 buckets each',
  },
});

/**
 * Default metrics of prom-client that are not exported, by name: gauges whose name ends in `_total` are invalid in
 * OpenMetrics (only a counter's sample may), and are the sums of the series of the gauge without `_total`.
 */
export const LEFT_OUT: ReadonlySet<string> = new Set([
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
]);

/** One metric as prom-client's `Registry.getMetricsAsJSON()` gives it. */
export interface MeasuredMetric {
  readonly name: string;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Partial<Record<string, string | number>>>;
    /** Histograms have it: the name with `_bucket`, `_sum` or `_count`. */
    readonly metricName?: string;
  }[];
}

/** What is asked of prom-client's `Registry`. */
export interface Measurements {
  getMetricsAsJSON(): Promise<readonly MeasuredMetric[]>;
}

type Points = readonly { readonly labels: Labels; readonly value: number | HistogramValue }[];

/** A reading that is younger is shared: event loop delays are counted from one to the next, and both outputs read. */
const FRESH_MS = 1_000;

/** Computed from the delays since the last reading. */
const DELAYS = [
  runtimeMetrics.nodejsEventloopLagMin,
  runtimeMetrics.nodejsEventloopLagMax,
  runtimeMetrics.nodejsEventloopLagMean,
  runtimeMetrics.nodejsEventloopLagStddev,
  runtimeMetrics.nodejsEventloopLagP50,
  runtimeMetrics.nodejsEventloopLagP90,
  runtimeMetrics.nodejsEventloopLagP99,
];

/**
 * The last reading of a registry as points of this catalogue. prom-client measures asynchronously, a collection does not:
 * await `refresh()` right before collecting.
 */
export class RuntimeMetrics implements PointGroup {
  /** prom-client's counters start with the process. */
  readonly startTimeMs: number;
  readonly #measurements: Measurements;
  readonly #now: (() => number) | undefined;
  readonly #groups: readonly PointGroup[];
  #points: ReadonlyMap<string, Points> = new Map();
  #version = 0;
  #pending: Promise<void> | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;

  /** @param now Unix ms; without it every refresh reads again */
  constructor(measurements: Measurements, startTimeMs: number, now?: () => number) {
    this.#measurements = measurements;
    this.#now = now;
    this.startTimeMs = startTimeMs;
    this.#groups = [this];
  }

  get version(): number {
    return this.#version;
  }

  /**
   * Reads the registry, unless it was read within the last second. Calls that meet share one reading. Rejects when a
   * measurement throws; the previous points stay.
   */
  refresh(): Promise<void> {
    const ageMs = (this.#now?.() ?? 0) - this.#readAtMs;
    if (this.#now !== undefined && ageMs >= 0 && ageMs < FRESH_MS) return Promise.resolve();
    this.#pending ??= this.#read().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  collect(): FamilySource {
    return { metrics: METRICS, groups: this.#groups };
  }

  visit(metric: Metric, sink: PointSink): void {
    for (const { labels, value } of this.#points.get(metric.name) ?? []) {
      if (typeof value === 'number') sink.number(labels, value);
      else sink.histogram(labels, value);
    }
  }

  async #read(): Promise<void> {
    const points = new Map<string, Points>();
    for (const measured of await this.#measurements.getMetricsAsJSON()) {
      const metric = BY_NAME.get(measured.name);
      if (metric === undefined) continue;
      points.set(metric.name, metric.kind === 'histogram' ? histograms(metric, measured) : numbers(metric, measured));
    }
    // Without a delay in between prom-client gives the smallest as 292 years, and the mean as no number.
    const [min, max] = [runtimeMetrics.nodejsEventloopLagMin, runtimeMetrics.nodejsEventloopLagMax].map(
      ({ name }) => points.get(name)?.[0]?.value ?? 0,
    );
    if (min > max) for (const { name } of DELAYS) points.delete(name);
    this.#points = points;
    this.#readAtMs = this.#now?.() ?? this.#readAtMs;
    this.#version++;
  }
}

const METRICS: readonly Metric[] = Object.values(runtimeMetrics);
const BY_NAME: ReadonlyMap<string, Metric> = new Map(METRICS.map((metric) => [metric.name, metric]));

function labelsOf(metric: Metric, labels: MeasuredMetric['values'][number]['labels']): Labels {
  return new Labels(
    metric.labels,
    metric.labels.map((key) => String(labels[key] ?? '')),
  );
}

function numbers(metric: Metric, { values }: MeasuredMetric): Points {
  return values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ labels, value }) => ({ labels: labelsOf(metric, labels), value }));
}

/** prom-client gives a histogram as its lines: cumulative buckets by `le`, then sum and count. */
function histograms(metric: Metric, { values }: MeasuredMetric): Points {
  const bySeries = new Map<
    string,
    { labels: Labels; bounds: number[]; counts: number[]; sum: number; count: number }
  >();
  for (const { labels, value, metricName } of values) {
    const own = labelsOf(metric, labels);
    const id = own.values.join('\0');
    let series = bySeries.get(id);
    if (series === undefined) bySeries.set(id, (series = { labels: own, bounds: [], counts: [], sum: 0, count: 0 }));
    if (metricName === `${metric.name}_sum`) series.sum = value;
    else if (metricName === `${metric.name}_count`) series.count = value;
    else {
      const before = series.counts.reduce((sum, count) => sum + count, 0);
      series.counts.push(value - before);
      if (labels.le !== '+Inf') series.bounds.push(Number(labels.le));
    }
  }
  return [...bySeries.values()].map(({ labels, ...value }) => ({ labels, value }));
}
