/** The points of one metric, noted as they are given, for lines to be written of them later: 16 bytes a point, not a line. */
import type { HistogramValue, Labels, Metric, PointSink } from '../../metrics/metric.ts';

const FIRST_ROOM = 64;

export class MetricPoints {
  readonly isHistogram: boolean;
  /** By point. */
  readonly labels: Labels[] = [];
  /** By point, of a histogram only. */
  readonly bounds: (readonly number[])[] = [];
  /** One value a point. A histogram has its counts (one more than it has bounds), then sum and count. */
  values = new Float64Array(FIRST_ROOM);
  count = 0;
  valueCount = 0;

  constructor(metric: Metric) {
    this.isHistogram = metric.kind === 'histogram';
  }

  /** Forgets the labels of points that were noted earlier and are not there now: their series may be gone. */
  trim(): void {
    this.labels.length = this.count;
    this.bounds.length = this.isHistogram ? this.count : 0;
  }

  /** Forgets the points that were noted after there were so many, with so many values. */
  cutBack(count: number, valueCount: number): void {
    this.count = count;
    this.valueCount = valueCount;
  }

  number(labels: Labels, value: number): void {
    this.#reserve(1);
    this.labels[this.count++] = labels;
    this.values[this.valueCount++] = value;
  }

  histogram(labels: Labels, { bounds, counts, sum, count }: HistogramValue): void {
    this.#reserve(bounds.length + 3);
    this.labels[this.count] = labels;
    this.bounds[this.count++] = bounds;
    const { values } = this;
    for (let i = 0; i <= bounds.length; i++) values[this.valueCount++] = counts[i];
    values[this.valueCount++] = sum;
    values[this.valueCount++] = count;
  }

  #reserve(count: number): void {
    if (this.valueCount + count <= this.values.length) return;
    const values = new Float64Array(Math.max(this.valueCount + count, 2 * this.values.length));
    values.set(this.values);
    this.values = values;
  }
}

/** Notes the points of one metric at a time. */
export class PointRecorder implements PointSink {
  #points: MetricPoints | undefined;

  begin(points: MetricPoints): void {
    this.#points = points;
  }

  /** @throws TypeError when the metric is a histogram */
  number(labels: Labels, value: number): void {
    this.#of(false).number(labels, value);
  }

  /** @throws TypeError when the metric is not a histogram */
  histogram(labels: Labels, value: HistogramValue): void {
    this.#of(true).histogram(labels, value);
  }

  #of(isHistogram: boolean): MetricPoints {
    if (this.#points?.isHistogram !== isHistogram) throw new TypeError('a point of another kind than its metric');
    return this.#points;
  }
}
