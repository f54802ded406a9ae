/** How points become lines of the text formats. */
import type { HistogramValue, Labels, Metric, PointSink } from '../metrics/metric.ts';
import { formatNumber, labelRun, type Run, runOf, TextBytes } from './text-bytes.ts';

export type TextFormat = 'text' | 'openmetrics';

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

/** Lines of one metric: what is the same in all of them, and those that are being written. */
export class MetricLines {
  readonly aside = new TextBytes();
  readonly header: Buffer;
  readonly #format: TextFormat;
  readonly #familyName: string;
  readonly start: LineStarts;
  #histogram: HistogramRuns | undefined;

  constructor(metric: Metric, format: TextFormat) {
    this.header = Buffer.from(headerText(metric, format));
    this.#format = format;
    this.#familyName = metric.familyName;
    this.start = lineStarts(metric.name);
  }

  histogram(bounds: readonly number[]): HistogramRuns {
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

/** Writes points of one metric at a time. */
export class LineWriter implements PointSink {
  #lines: MetricLines | undefined;

  begin(lines: MetricLines): void {
    this.#lines = lines;
  }

  number(labels: Labels, value: number): void {
    const lines = this.#current();
    writeLine(lines.aside, lines.start, labels, value);
  }

  histogram(labels: Labels, { bounds, counts, sum, count }: HistogramValue): void {
    const lines = this.#current();
    const { aside } = lines;
    const runs = lines.histogram(bounds);
    const text = labelRun(labels);
    const ends = text[0] === 0 ? runs.bareEnds : runs.ends;
    let cumulative = 0;
    for (let i = 0; i < bounds.length; i++) {
      cumulative += counts[i];
      aside.line(runs.bucket, text, ends[i], cumulative);
    }
    aside.line(runs.bucket, text, ends[bounds.length], count);
    writeLine(aside, runs.sum, labels, sum);
    writeLine(aside, runs.count, labels, count);
  }

  #current(): MetricLines {
    if (this.#lines === undefined) throw new Error('a point without a metric');
    return this.#lines;
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
function formatBound(bound: number, format: TextFormat): string {
  return format === 'openmetrics' && Number.isInteger(bound) ? `${bound}.0` : formatNumber(bound);
}

function headerText(metric: Metric, format: TextFormat): string {
  const help = metric.help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  if (format === 'text') return `# HELP ${metric.name} ${help}\n# TYPE ${metric.name} ${metric.kind}\n`;
  const unit = metric.unitWord === '' ? '' : `# UNIT ${metric.familyName} ${metric.unitWord}\n`;
  return `# HELP ${metric.familyName} ${help.replace(/"/g, '\\"')}\n# TYPE ${metric.familyName} ${metric.kind}\n${unit}`;
}
