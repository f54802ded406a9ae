/** How points become lines of the text formats. */
import type { Labels, Metric } from '../../metrics/metric.ts';
import { MetricPoints } from './metric-points.ts';
import type { ExpositionFormat } from './negotiation.ts';
import { formatNumber, labelRun, type Run, runOf, type TextBytes } from './text-bytes.ts';

const NOTHING = runOf('');
const LABELS_END = runOf('} ');

/** How the lines of a metric begin: with labels, and without. */
interface LineStarts {
  readonly labelled: Run;
  readonly bare: Run;
}

/** How the lines of a histogram begin, and how its labels end, by bucket. */
interface HistogramRuns {
  readonly bucket: Run;
  readonly sum: LineStarts;
  readonly count: LineStarts;
  readonly bounds: readonly number[];
  readonly ends: readonly Run[];
  readonly bareEnds: readonly Run[];
}

/** Lines of one metric: what is the same in all of them, and the points of which they are to be written. */
export class MetricLines {
  readonly points: MetricPoints;
  readonly header: Buffer;
  readonly #format: ExpositionFormat;
  readonly #familyName: string;
  readonly #start: LineStarts;
  #histogram: HistogramRuns | undefined;
  /** How many points have been written as lines so far, and how many of their values. */
  #written = 0;
  #valuesWritten = 0;

  constructor(metric: Metric, format: ExpositionFormat) {
    this.points = new MetricPoints(metric);
    this.header = Buffer.from(headerText(metric, format));
    this.#format = format;
    this.#familyName = metric.familyName;
    this.#start = lineStarts(metric.name);
  }

  /** Forgets the points, written or not. */
  begin(): void {
    this.points.cutBack(0, 0);
    this.#written = 0;
    this.#valuesWritten = 0;
  }

  /** Writes lines of the next points, up to this one. */
  write(out: TextBytes, to: number): void {
    if (this.points.isHistogram) this.#writeHistograms(out, to);
    else this.#writeNumbers(out, to);
    this.#written = to;
  }

  #writeNumbers(out: TextBytes, to: number): void {
    const { labels, values } = this.points;
    for (let i = this.#written; i < to; i++) writeLine(out, this.#start, labels[i], values[i]);
  }

  #writeHistograms(out: TextBytes, to: number): void {
    const { labels, bounds, values } = this.points;
    let at = this.#valuesWritten;
    for (let i = this.#written; i < to; i++) {
      const runs = this.#runsOf(bounds[i]);
      const text = labelRun(labels[i]);
      const ends = text[0] === 0 ? runs.bareEnds : runs.ends;
      const last = ends.length - 1;
      let cumulative = 0;
      for (let bucket = 0; bucket < last; bucket++) {
        cumulative += values[at++];
        out.line(runs.bucket, text, ends[bucket], cumulative);
      }
      at++; // values above all bounds are in the count
      const sum = values[at++];
      const count = values[at++];
      out.line(runs.bucket, text, ends[last], count);
      writeLine(out, runs.sum, labels[i], sum);
      writeLine(out, runs.count, labels[i], count);
    }
    this.#valuesWritten = at;
  }

  #runsOf(bounds: readonly number[]): HistogramRuns {
    if (this.#histogram?.bounds === bounds) return this.#histogram;
    const name = this.#familyName;
    const ends = [...bounds.map((bound) => formatBound(bound, this.#format)), '+Inf'].map((le) => `le="${le}"} `);
    this.#histogram = {
      bucket: runOf(`${name}_bucket{`),
      sum: lineStarts(`${name}_sum`),
      count: lineStarts(`${name}_count`),
      bounds,
      ends: ends.map((end) => runOf(`,${end}`)),
      bareEnds: ends.map(runOf),
    };
    return this.#histogram;
  }
}

function writeLine(out: TextBytes, { labelled, bare }: LineStarts, labels: Labels, value: number): void {
  const text = labelRun(labels);
  if (text[0] === 0) out.line(bare, NOTHING, NOTHING, value);
  else out.line(labelled, text, LABELS_END, value);
}

function lineStarts(name: string): LineStarts {
  return { labelled: runOf(`${name}{`), bare: runOf(`${name} `) };
}

/** OpenMetrics wants `1.0` where 0.0.4 writes `1` (its "Canonical Numbers"). */
function formatBound(bound: number, format: ExpositionFormat): string {
  return format === 'openmetrics' && Number.isInteger(bound) ? `${bound}.0` : formatNumber(bound);
}

function headerText(metric: Metric, format: ExpositionFormat): string {
  const help = metric.help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  if (format === 'text') return `# HELP ${metric.name} ${help}\n# TYPE ${metric.name} ${metric.kind}\n`;
  const unit = metric.unitWord === '' ? '' : `# UNIT ${metric.familyName} ${metric.unitWord}\n`;
  return `# HELP ${metric.familyName} ${help.replace(/"/g, '\\"')}\n# TYPE ${metric.familyName} ${metric.kind}\n${unit}`;
}
