/**
 * The text formats: Prometheus 0.0.4 and OpenMetrics 1.0, from the one list of families.
 *
 * A writer keeps the last body it wrote and where each group's lines stand in it. The next body is that one copied, with
 * only the lines of groups that changed written anew; a scrape of a calm table costs little more than copying it.
 */
import type { FamilySource, HistogramValue, Labels, Metric, PointGroup, PointSink } from '../metrics/metric.ts';

export type TextFormat = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** Instead of a number of bytes: the group threw. */
const FAILED = -1;

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
  #next: Buffer = Buffer.alloc(0);
  #length = 0;

  /** @param onError told of a group that threw; its lines are missing from that body, the others are there */
  constructor(format: TextFormat, onError: (error: unknown, metric: Metric) => void = () => {}) {
    this.#format = format;
    this.#lines = new LineWriter(format);
    this.#onError = onError;
  }

  /** The whole body. The buffer is the caller's to read; it is never written to again. */
  render(sources: readonly FamilySource[]): Buffer {
    this.#next = Buffer.allocUnsafeSlow(this.#body.length + (this.#body.length >>> 4) + 65_536);
    this.#length = 0;
    const layouts = sources.map((source, i) => this.#renderSource(source, this.#layouts[i]));
    if (this.#format === 'openmetrics') this.#append('# EOF\n');
    this.#body = this.#next.subarray(0, this.#length);
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
    const start = this.#length;
    if (known !== undefined && dirty.length === 0) {
      this.#copy(known.start, known.end);
      return { ...known, start, end: this.#length };
    }
    const lengths = new Uint32Array(metrics.length * groups.length);
    if (known !== undefined) lengths.set(known.lengths);
    let from = known?.start ?? 0;
    for (const [m, metric] of metrics.entries()) {
      const first = m * groups.length;
      const header = this.#header(metric);
      const headerAt = this.#length;
      if (known !== undefined && hasLines(known.lengths, first, groups.length)) from += header.length;
      this.#reserve(header.length);
      header.copy(this.#next, this.#length);
      this.#length += header.length;
      const linesAt = this.#length;
      let at = 0;
      for (const i of dirty) {
        if (known !== undefined) {
          const clean = from;
          for (; at < i; at++) from += known.lengths[first + at];
          this.#copy(clean, from);
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
        this.#copy(clean, from);
      }
      if (this.#length === linesAt) this.#length = headerAt; // a family without points has no header
    }
    return { metrics, groups, start, end: this.#length, versions, lengths };
  }

  #writeGroup(metric: Metric, group: PointGroup): number {
    try {
      this.#lines.begin(metric);
      group.visit(metric, this.#lines);
    } catch (error) {
      this.#onError(error, metric);
      return FAILED;
    }
    return this.#append(this.#lines.take());
  }

  #header(metric: Metric): Buffer {
    let header = this.#headers.get(metric);
    if (header === undefined) {
      header = Buffer.from(headerText(metric, this.#format));
      this.#headers.set(metric, header);
    }
    return header;
  }

  #append(text: string): number {
    if (text.length === 0) return 0;
    this.#reserve(text.length * 3);
    const written = this.#next.write(text, this.#length);
    this.#length += written;
    return written;
  }

  #copy(from: number, to: number): void {
    if (to === from) return;
    this.#reserve(to - from);
    this.#body.copy(this.#next, this.#length, from, to);
    this.#length += to - from;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#next.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#length + bytes, this.#next.length * 2));
    this.#next.copy(grown, 0, 0, this.#length);
    this.#next = grown;
  }
}

function sameGroups(a: readonly PointGroup[], b: readonly PointGroup[]): boolean {
  return a === b || (a.length === b.length && a.every((group, i) => group === b[i]));
}

function hasLines(lengths: Uint32Array, first: number, count: number): boolean {
  for (let i = first; i < first + count; i++) if (lengths[i] > 0) return true;
  return false;
}

/** Turns points into lines of one metric at a time. */
class LineWriter implements PointSink {
  readonly #format: TextFormat;
  #metric: Metric | undefined;
  #open = '';
  #bare = '';
  #text = '';

  constructor(format: TextFormat) {
    this.#format = format;
  }

  begin(metric: Metric): void {
    if (this.#metric !== metric) {
      this.#metric = metric;
      this.#open = `${metric.name}{`;
      this.#bare = `${metric.name} `;
    }
    this.#text = '';
  }

  take(): string {
    return this.#text;
  }

  number(labels: Labels, value: number): void {
    const text = labels.text ?? (labels.text = labelText(labels));
    this.#text +=
      text === '' ? `${this.#bare}${formatNumber(value)}\n` : `${this.#open}${text}} ${formatNumber(value)}\n`;
  }

  histogram(labels: Labels, value: HistogramValue): void {
    const name = this.#metric?.familyName ?? '';
    const text = labels.text ?? (labels.text = labelText(labels));
    const prefix = text === '' ? '' : `${text},`;
    let lines = '';
    let cumulative = 0;
    for (let i = 0; i < value.bounds.length; i++) {
      cumulative += value.counts[i];
      lines += `${name}_bucket{${prefix}le="${formatBound(value.bounds[i], this.#format)}"} ${cumulative}\n`;
    }
    const braces = text === '' ? '' : `{${text}}`;
    lines += `${name}_bucket{${prefix}le="+Inf"} ${value.count}\n`;
    this.#text += `${lines}${name}_sum${braces} ${formatNumber(value.sum)}\n${name}_count${braces} ${value.count}\n`;
  }
}

function labelText(labels: Labels): string {
  return labels.keys.map((key, i) => `${key}="${escapeLabel(labels.values[i])}"`).join(',');
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`)) : value;
}

export function formatNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
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
