import type { HistogramValue } from '../metric.ts';

/** A histogram that is counted by whoever measures and read at a scrape. */
export class Histogram implements HistogramValue {
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** @param value below 0 counts as 0: where two clocks differ, a time can be negative */
  observe(value: number): void {
    const counted = Math.max(0, value);
    this.counts[bucketOf(this.bounds, counted)]++;
    this.sum += counted;
    this.count++;
  }

  /** Observes the first `count` values. The sum is kept in a local variable, because changing a field for each value costs more. */
  observeAll(values: Float64Array, count: number): void {
    const { bounds, counts } = this;
    let { sum } = this;
    for (let i = 0; i < count; i++) {
      const counted = Math.max(0, values[i]);
      counts[bucketOf(bounds, counted)]++;
      sum += counted;
    }
    this.sum = sum;
    this.count += count;
  }
}

function bucketOf(bounds: readonly number[], value: number): number {
  let bucket = 0;
  while (bucket < bounds.length && value > bounds[bucket]) bucket++;
  return bucket;
}
