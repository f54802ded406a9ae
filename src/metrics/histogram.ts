import type { HistogramValue } from './metric.ts';

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

  /** The same as `observe` for the first `count` of these, one after the other. */
  observeAll(values: Float64Array, count: number): void {
    const { bounds, counts } = this;
    const last = bounds.length;
    let { sum } = this;
    for (let i = 0; i < count; i++) {
      const value = values[i] > 0 ? values[i] : 0;
      let bucket = 0;
      while (bucket < last && value > bounds[bucket]) bucket++;
      counts[bucket]++;
      sum += value;
    }
    this.sum = sum;
    this.count += count;
  }

  /** @param value below 0 counts as 0: where two clocks differ, a time can be negative */
  observe(value: number): void {
    const counted = Math.max(0, value);
    let bucket = 0;
    while (bucket < this.bounds.length && counted > this.bounds[bucket]) bucket++;
    this.counts[bucket]++;
    this.sum += counted;
    this.count++;
  }
}
