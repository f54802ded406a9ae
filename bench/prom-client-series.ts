/** The same series in a registry of prom-client. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { FamilySource, HistogramValue, Labels, Metric, PointSink } from '../src/metrics/metric.ts';

/** A registry that holds what these sources show now. */
export function registryOf(sources: readonly FamilySource[]): Registry {
  const registry = new Registry();
  for (const { metrics, groups } of sources) {
    for (const metric of metrics) {
      const sink = sinkOf(metric, registry);
      for (const group of groups) group.visit(metric, sink);
    }
  }
  return registry;
}

function sinkOf(metric: Metric, registry: Registry): PointSink {
  const { name, help, kind } = metric;
  const options = { name, help, labelNames: [...metric.labels], registers: [registry] };
  const wrong = (): never => {
    throw new Error(`${name} has points of two kinds`);
  };
  if (kind === 'histogram') {
    let histogram: Histogram | undefined;
    return {
      number: wrong,
      histogram: (labels, value) => {
        histogram ??= new Histogram({ ...options, buckets: [...value.bounds] });
        observeAll(histogram, labels, value);
      },
    };
  }
  const one = kind === 'counter' ? new Counter(options) : new Gauge(options);
  return { number: (labels, value) => one.inc(record(labels), value), histogram: wrong };
}

/** prom-client cannot be told the state of a histogram: every value is observed. */
function observeAll(histogram: Histogram, labels: Labels, { bounds, counts, sum }: HistogramValue): void {
  const bound = histogram.labels(record(labels));
  let rest = sum;
  for (let bucket = 0; bucket < bounds.length; bucket++) {
    for (let i = 0; i < counts[bucket]; i++) {
      bound.observe(bounds[bucket]);
      rest -= bounds[bucket];
    }
  }
  if (rest !== 0) throw new Error('the values of this histogram are not its bounds');
}

function record({ keys, values }: Labels): Record<string, string> {
  return Object.fromEntries(keys.map((key, i) => [key, values[i]]));
}
