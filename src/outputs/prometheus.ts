/**
 * The text formats: Prometheus 0.0.4 and OpenMetrics 1.0, from the one list of families.
 *
 * A writer keeps the last body it wrote and where each group's lines stand in it. First the groups that changed are asked,
 * each for all of its metrics, and their lines written aside; then the next body is put together from these and from the
 * last one. A scrape of a calm table costs little more than copying it.
 */
import type { Collect, FamilySource, Metric, PointGroup } from '../metrics/metric.ts';
import { TextBytes } from './text-bytes.ts';
import { LineWriter, MetricLines, type TextFormat } from './text-lines.ts';
import { inTurns } from './turns.ts';

export const CONTENT_TYPES: Readonly<Record<TextFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/**
 * Groups whose lines of a metric are written one after the other, before those of the next metric: few enough for all that
 * they say to stay in the cache meanwhile, and for a turn to be short.
 */
const GROUPS_AT_ONCE = 32;

const END = Buffer.from('# EOF\n');

/** A source as it is in a body. */
interface SourceLayout {
  readonly metrics: readonly Metric[];
  readonly groups: readonly PointGroup[];
  /** By metric; while a body is made, what changed is aside there, in the order of the groups. */
  readonly lines: readonly MetricLines[];
  /** By group: the version that was written. */
  readonly versions: Float64Array;
  /** By metric times group: bytes of its lines. */
  readonly lengths: Uint32Array;
  /** Where its lines stand. */
  start: number;
  end: number;
}

/** What has to be written of a source. */
interface SourceChange {
  readonly layout: SourceLayout;
  /** In the last body; undefined when nothing of that can be used. */
  readonly known: SourceLayout | undefined;
  /** Places of the groups that were written anew, ascending. */
  readonly dirty: readonly number[];
}

export class TextWriter {
  readonly #format: TextFormat;
  readonly #onError: (error: unknown, metric: Metric) => void;
  #body: Buffer = Buffer.alloc(0);
  #layouts: readonly SourceLayout[] = [];
  readonly #writer = new LineWriter();
  #busy = false;
  #rendering: Promise<unknown> = Promise.resolve();

  /** @param onError told of a group that threw; its lines are missing from that body, the others are there */
  constructor(format: TextFormat, onError: (error: unknown, metric: Metric) => void = () => {}) {
    this.#format = format;
    this.#onError = onError;
  }

  /**
   * The whole body, of one moment. The buffer is the caller's to read; it is never written to again.
   * @throws Error while a body is being written in turns
   */
  render(sources: readonly FamilySource[]): Buffer {
    const steps = this.#steps(sources);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /**
   * The same without holding up the event loop: each group is of one moment, but what happens between its turns shows in the
   * groups that are asked after it. One body is written at a time.
   */
  renderInTurns(collect: Collect): Promise<Buffer> {
    const body = this.#rendering.then(() => inTurns(this.#steps(collect())));
    this.#rendering = body.catch(() => {});
    return body;
  }

  /** Yields wherever others may have their turn. */
  *#steps(sources: readonly FamilySource[]): Generator<void, Buffer> {
    if (this.#busy) throw new Error('a body is being written');
    this.#busy = true;
    try {
      const changes: SourceChange[] = [];
      for (const [i, source] of sources.entries()) changes.push(yield* this.#writeChanged(source, this.#layouts[i]));
      const next = new TextBytes();
      next.begin(this.#sizeOf(changes));
      for (const change of changes) yield* this.#join(change, next);
      if (this.#format === 'openmetrics') next.copy(END, 0, END.length);
      this.#body = next.take();
      this.#layouts = changes.map(({ layout }) => layout);
      return this.#body;
    } finally {
      this.#busy = false;
    }
  }

  /** Writes the lines of groups that changed aside, group by group. */
  *#writeChanged(source: FamilySource, last: SourceLayout | undefined): Generator<void, SourceChange> {
    const { metrics, groups } = source;
    const known = last !== undefined && last.metrics === metrics && sameGroups(last.groups, groups) ? last : undefined;
    const versions = new Float64Array(groups.length);
    const dirty: number[] = [];
    for (let i = 0; i < groups.length; i++) {
      versions[i] = groups[i].version;
      if (known === undefined || known.versions[i] !== versions[i]) dirty.push(i);
    }
    const lines =
      last?.metrics === metrics ? last.lines : metrics.map((metric) => new MetricLines(metric, this.#format));
    const lengths =
      known !== undefined && dirty.length === 0 ? known.lengths : new Uint32Array(metrics.length * groups.length);
    const layout: SourceLayout = { metrics, groups, lines, versions, lengths, start: 0, end: 0 };
    if (known !== undefined && dirty.length === 0) return { layout, known, dirty };
    if (known !== undefined) lengths.set(known.lengths);
    for (const { aside } of lines) aside.beginAgain(this.#body.length);
    for (let from = 0; from < dirty.length; from += GROUPS_AT_ONCE) {
      this.#writeGroups(layout, dirty, from, Math.min(from + GROUPS_AT_ONCE, dirty.length));
      yield;
    }
    return { layout, known, dirty };
  }

  /** All lines of some dirty groups. Not among the steps themselves: V8 does not compile a generator while it runs. */
  #writeGroups(layout: SourceLayout, dirty: readonly number[], from: number, to: number): void {
    const { metrics, groups, versions } = layout;
    for (let d = from; d < to; d++) versions[dirty[d]] = groups[dirty[d]].version; // may have changed since in a turn of others
    for (let m = 0; m < metrics.length; m++) {
      this.#writer.begin(layout.lines[m]);
      for (let d = from; d < to; d++) this.#writeLines(layout, m, dirty[d]);
    }
  }

  #writeLines({ metrics, groups, lines, versions, lengths }: SourceLayout, m: number, i: number): void {
    const { aside } = lines[m];
    const before = aside.length;
    try {
      groups[i].visit(metrics[m], this.#writer);
    } catch (error) {
      aside.cutBack(before);
      versions[i] = Number.NaN; // equal to none: the group is asked again at the next body
      this.#onError(error, metrics[m]);
    }
    lengths[m * groups.length + i] = aside.length - before;
  }

  /** Puts a source's part of the body together. */
  *#join({ layout, known, dirty }: SourceChange, next: TextBytes): Generator<void, void> {
    layout.start = next.length;
    if (known !== undefined && dirty.length === 0) {
      next.copy(this.#body, known.start, known.end);
    } else {
      let from = known?.start ?? 0;
      for (let m = 0; m < layout.metrics.length; m++) {
        from = this.#joinFamily(layout, known, dirty, m, from, next);
        yield;
      }
    }
    layout.end = next.length;
  }

  /** The lines of one metric, which begin in the last body at `from`. Gives where they end there. */
  #joinFamily(
    { groups, lines, lengths }: SourceLayout,
    known: SourceLayout | undefined,
    dirty: readonly number[],
    m: number,
    from: number,
    next: TextBytes,
  ): number {
    const first = m * groups.length;
    const { header, aside } = lines[m];
    // A family without points has no header.
    if (hasLines(lengths, first, groups.length)) next.copy(header, 0, header.length);
    if (known === undefined) {
      next.append(aside, 0, aside.length);
      return 0;
    }
    const last = this.#body;
    const former = known.lengths;
    let read = hasLines(former, first, groups.length) ? from + header.length : from;
    let written = 0;
    let at = 0;
    for (let d = 0; d < dirty.length; ) {
      const clean = read;
      for (; at < dirty[d]; at++) read += former[first + at];
      if (read > clean) next.copy(last, clean, read);
      const begin = written;
      for (; d < dirty.length && dirty[d] === at; d++, at++) {
        read += former[first + at];
        written += lengths[first + at];
      }
      next.append(aside, begin, written);
    }
    const clean = read;
    for (; at < groups.length; at++) read += former[first + at];
    if (read > clean) next.copy(last, clean, read);
    return read;
  }

  /** Bytes that the body will have, at most. */
  #sizeOf(changes: readonly SourceChange[]): number {
    let size = END.length;
    for (const { layout } of changes) {
      for (const { header } of layout.lines) size += header.length;
      for (let i = 0; i < layout.lengths.length; i++) size += layout.lengths[i];
    }
    // A sixteenth more, so that a body that grows a little finds the room that one before it gave back.
    return size + (size >>> 4);
  }
}

function sameGroups(a: readonly PointGroup[], b: readonly PointGroup[]): boolean {
  return a === b || (a.length === b.length && a.every((group, i) => group === b[i]));
}

function hasLines(lengths: Uint32Array, first: number, count: number): boolean {
  for (let i = first; i < first + count; i++) if (lengths[i] > 0) return true;
  return false;
}
