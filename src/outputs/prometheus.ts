/**
 * The text formats: Prometheus 0.0.4 and OpenMetrics 1.0, from the one list of families.
 *
 * A writer keeps the last body it wrote and where each group's lines stand in it. The next body is that one copied, with
 * only the lines of groups that changed written anew; a scrape of a calm table costs little more than copying it.
 */
import type { FamilySource, HistogramValue, Labels, Metric, PointGroup, PointSink } from '../metrics/metric.ts';
import { formatNumber, labelRun, type Run, runOf, TextBytes } from './text-bytes.ts';

export type TextFormat = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Instead of a number of bytes: the group threw. */
const FAILED = -1;
const NOTHING = runOf('');
const LABELS_END = runOf('} ');
const END = Buffer.from('# EOF\n');

/** Where a source's lines stand in the last body. */
interface SourceLayout {
  readonly metrics: readonly Metric[];
  readonly groups: readonly PointGroup[];
  readonly start: number;
  readonly end: number;
  /** By group: the version that was written. */
  readonly versions: Float64Array;
  /** By metric times group: bytes of its lines. */
  readonly lengths: Uint32Array;
}

export class TextWriter {
  readonly #format: TextFormat;
  readonly #lines: LineWriter;
  readonly #headers = new Map<Metric, Buffer>();
  readonly #onError: (error: unknown, metric: Metric) => void;
  #body: Buffer = Buffer.alloc(0);
  #layouts: readonly SourceLayout[] = [];
  readonly #next = new TextBytes();

  /** @param onError told of a group that threw; its lines are missing from that body, the others are there */
  constructor(format: TextFormat, onError: (error: unknown, metric: Metric) => void = () => {}) {
    this.#format = format;
    this.#lines = new LineWriter(format, this.#next);
    this.#onError = onError;
  }

  /** The whole body. The buffer is the caller's to read; it is never written to again. */
  render(sources: readonly FamilySource[]): Buffer {
    this.#next.begin(this.#body.length + (this.#body.length >>> 4) + 65_536);
    const layouts = sources.map((source, i) => this.#renderSource(source, this.#layouts[i]));
    if (this.#format === 'openmetrics') this.#next.copy(END, 0, END.length);
    this.#body = this.#next.take();
    this.#layouts = layouts;
    return this.#body;
  }

  #renderSource(source: FamilySource, last: SourceLayout | undefined): SourceLayout {
    const { metrics, groups } = source;
    const known = last !== undefined && last.metrics === metrics && sameGroups(last.groups, groups) ? last : undefined;
    const versions = new Float64Array(groups.length);
    const dirty: number[] = [];
    for (let i = 0; i < groups.length; i++) {
      versions[i] = groups[i].version;
      if (known === undefined || known.versions[i] !== versions[i]) dirty.push(i);
    }
    const next = this.#next;
    const start = next.length;
    if (known !== undefined && dirty.length === 0) {
      next.copy(this.#body, known.start, known.end);
      return { ...known, start, end: next.length };
    }
    const lengths = new Uint32Array(metrics.length * groups.length);
    if (known !== undefined) lengths.set(known.lengths);
    let from = known?.start ?? 0;
    for (const [m, metric] of metrics.entries()) {
      const first = m * groups.length;
      const header = this.#header(metric);
      const headerAt = next.length;
      if (known !== undefined && hasLines(known.lengths, first, groups.length)) from += header.length;
      next.copy(header, 0, header.length);
      const linesAt = next.length;
      let at = 0;
      for (const i of dirty) {
        if (known !== undefined) {
          const clean = from;
          for (; at < i; at++) from += known.lengths[first + at];
          if (from > clean) next.copy(this.#body, clean, from);
          from += known.lengths[first + i];
        }
        const written = this.#writeGroup(metric, groups[i]);
        if (written === FAILED) versions[i] = Number.NaN; // equal to none: the group is asked again at the next body
        lengths[first + i] = Math.max(0, written);
        at = i + 1;
      }
      if (known !== undefined) {
        const clean = from;
        for (; at < groups.length; at++) from += known.lengths[first + at];
        if (from > clean) next.copy(this.#body, clean, from);
      }
      if (next.length === linesAt) next.cutBack(headerAt); // a family without points has no header
    }
    return { metrics, groups, start, end: next.length, versions, lengths };
  }

  /** Bytes of the group's lines, or FAILED: then it has none. */
  #writeGroup(metric: Metric, group: PointGroup): number {
    const before = this.#next.length;
    try {
      this.#lines.begin(metric);
      group.visit(metric, this.#lines);
    } catch (error) {
      this.#next.cutBack(before);
      this.#onError(error, metric);
      return FAILED;
    }
    return this.#next.length - before;
  }

  #header(metric: Metric): Buffer {
    let header = this.#headers.get(metric);
    if (header === undefined) {
      header = Buffer.from(headerText(metric, this.#format));
      this.#headers.set(metric, header);
    }
    return header;
  }
}

function sameGroups(a: readonly PointGroup[], b: readonly PointGroup[]): boolean {
  return a === b || (a.length === b.length && a.every((group, i) => group === b[i]));
}

function hasLines(lengths: Uint32Array, first: number, count: number): boolean {
  for (let i = first; i < first + count; i++) if (lengths[i] > 0) return true;
  return false;
}

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

/** Turns points into lines of one metric at a time. */
class LineWriter implements PointSink {
  readonly #format: TextFormat;
  readonly #out: TextBytes;
  readonly #starts = new Map<Metric, LineStarts>();
  readonly #histograms = new Map<Metric, HistogramRuns>();
  #metric: Metric | undefined;
  #line: LineStarts = { labelled: NOTHING, bare: NOTHING };

  constructor(format: TextFormat, out: TextBytes) {
    this.#format = format;
    this.#out = out;
  }

  begin(metric: Metric): void {
    if (this.#metric === metric) return;
    this.#metric = metric;
    let line = this.#starts.get(metric);
    if (line === undefined) this.#starts.set(metric, (line = lineStarts(metric.name)));
    this.#line = line;
  }

  number(labels: Labels, value: number): void {
    this.#write(this.#line, labels, value);
  }

  histogram(labels: Labels, { bounds, counts, sum, count }: HistogramValue): void {
    const runs = this.#histogramRuns(bounds);
    const text = labelRun(labels);
    const ends = text[0] === 0 ? runs.bareEnds : runs.ends;
    let cumulative = 0;
    for (let i = 0; i < bounds.length; i++) {
      cumulative += counts[i];
      this.#out.line(runs.bucket, text, ends[i], cumulative);
    }
    this.#out.line(runs.bucket, text, ends[bounds.length], count);
    this.#write(runs.sum, labels, sum);
    this.#write(runs.count, labels, count);
  }

  #write({ labelled, bare }: LineStarts, labels: Labels, value: number): void {
    const text = labelRun(labels);
    if (text[0] === 0) this.#out.line(bare, NOTHING, NOTHING, value);
    else this.#out.line(labelled, text, LABELS_END, value);
  }

  #histogramRuns(bounds: readonly number[]): HistogramRuns {
    const metric = this.#metric;
    if (metric === undefined) throw new Error('a point without a metric');
    let runs = this.#histograms.get(metric);
    if (runs?.bounds !== bounds) {
      const name = metric.familyName;
      const ends = [...bounds.map((bound) => formatBound(bound, this.#format)), '+Inf'].map((le) => `le="${le}"} `);
      runs = {
        bucket: runOf(`${name}_bucket{`),
        sum: lineStarts(`${name}_sum`),
        count: lineStarts(`${name}_count`),
        bounds,
        ends: ends.map((end) => runOf(`,${end}`)),
        bareEnds: ends.map(runOf),
      };
      this.#histograms.set(metric, runs);
    }
    return runs;
  }
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
