/**
 * The text formats: Prometheus 0.0.4 and OpenMetrics 1.0, from the one list of families.
 *
 * A writer keeps the last body it wrote and where each group's lines stand in it. First the groups that changed are asked,
 * each for all of its metrics, and their points noted; then the next body is put together from the lines of those points and from
 * the last one. A scrape of a calm table costs little more than copying it.
 */

import { inTurns } from '../../in-turns.ts';
import type { Collect, FamilySource, Metric, PointGroup } from '../../metrics/metric.ts';
import { PointRecorder } from './metric-points.ts';
import type { ExpositionFormat } from './negotiation.ts';
import { TextBytes } from './text-bytes.ts';
import { MetricLines } from './text-lines.ts';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/**
 * How many groups are asked for one metric before they are asked for the next one: what the groups are made of stays in the
 * cache meanwhile. The lines of as many groups are written without a turn for others in between.
 */
const GROUPS_AT_ONCE = 32;
const FIRST_SIZE = 16_384;

const END = Buffer.from('# EOF\n');

/** A source as it is in a body. */
interface SourceLayout {
  readonly metrics: readonly Metric[];
  readonly groups: readonly PointGroup[];
  /** By metric; while a body is made, the points that changed are there, in the order of the groups. */
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
  /** Places of the groups that were asked for this body, ascending. */
  readonly dirty: readonly number[];
  /** By metric times dirty group: one behind the last of its points. */
  readonly pointEnds: Uint32Array;
}

export class TextWriter {
  readonly #format: ExpositionFormat;
  readonly #onError: (error: unknown, metric: Metric) => void;
  #body: Buffer = Buffer.alloc(0);
  /** The body before it, and the bodies that were given back by `release`. */
  #former: Buffer | undefined;
  readonly #released = new WeakSet<Buffer>();
  #layouts: readonly SourceLayout[] = [];
  readonly #recorder = new PointRecorder();
  #busy = false;
  #rendering: Promise<unknown> = Promise.resolve();

  /** @param onError told of a group that threw; its lines are missing from that body, the others are there */
  constructor(format: ExpositionFormat, onError: (error: unknown, metric: Metric) => void = () => {}) {
    this.#format = format;
    this.#onError = onError;
  }

  /**
   * The whole body, of one moment. The buffer is the caller's to read; it is not written to again before `release`.
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

  /**
   * Gives a body back. Its memory may be reused for a later one; without that, bodies of several megabytes keep the
   * garbage collector busy. A body that is never released stays as it is.
   */
  release(body: Buffer): void {
    this.#released.add(body);
  }

  /** Yields wherever others may have their turn. */
  *#steps(sources: readonly FamilySource[]): Generator<void, Buffer> {
    if (this.#busy) throw new Error('a body is being written');
    this.#busy = true;
    try {
      const changes: SourceChange[] = [];
      for (const [i, source] of sources.entries()) changes.push(yield* this.#ask(source, this.#layouts[i]));
      const next = new TextBytes();
      // A sixteenth more, so that a body that grows a little finds the room that one before it gave back.
      next.begin(Math.max(FIRST_SIZE, this.#body.length + (this.#body.length >>> 4)), this.#takeSpare());
      for (const change of changes) yield* this.#join(change, next);
      if (this.#format === 'openmetrics') next.copy(END, 0, END.length);
      this.#former = this.#body; // which was read until now
      this.#body = next.take();
      this.#layouts = changes.map(({ layout }) => layout);
      return this.#body;
    } finally {
      this.#busy = false;
    }
  }

  /** The memory of the previous body, when its reader is done with it. */
  #takeSpare(): Buffer | undefined {
    const former = this.#former;
    this.#former = undefined;
    return former !== undefined && this.#released.has(former) ? Buffer.from(former.buffer) : undefined;
  }

  /** Asks the groups that changed for their points. */
  *#ask(source: FamilySource, last: SourceLayout | undefined): Generator<void, SourceChange> {
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
    const pointEnds = new Uint32Array(metrics.length * dirty.length);
    const change: SourceChange = { layout, known, dirty, pointEnds };
    for (const each of lines) each.begin();
    for (let from = 0; from < dirty.length; from += GROUPS_AT_ONCE) {
      this.#askSome(change, from, Math.min(from + GROUPS_AT_ONCE, dirty.length));
      yield;
    }
    return change;
  }

  /** A function of its own, because V8 does not compile a generator while it runs. */
  #askSome({ layout, dirty, pointEnds }: SourceChange, from: number, to: number): void {
    const { metrics, groups, lines, versions } = layout;
    // A group may have changed since, in a turn of others.
    for (let d = from; d < to; d++) versions[dirty[d]] = groups[dirty[d]].version;
    for (let m = 0; m < metrics.length; m++) {
      const { points } = lines[m];
      this.#recorder.begin(points);
      for (let d = from; d < to; d++) {
        const { count, valueCount } = points;
        try {
          groups[dirty[d]].visit(metrics[m], this.#recorder);
        } catch (error) {
          points.cutBack(count, valueCount);
          versions[dirty[d]] = Number.NaN; // equal to none: the group is asked again at the next body
          this.#onError(error, metrics[m]);
        }
        pointEnds[m * dirty.length + d] = points.count;
      }
    }
  }

  /** Puts a source's part of the body together. */
  *#join(change: SourceChange, next: TextBytes): Generator<void, void> {
    const { layout, known, dirty } = change;
    layout.start = next.length;
    if (known !== undefined && dirty.length === 0) {
      next.copy(this.#body, known.start, known.end);
    } else {
      let from = known?.start ?? 0;
      for (let m = 0; m < layout.metrics.length; m++) from = yield* this.#joinFamily(change, m, from, next);
    }
    layout.end = next.length;
  }

  /** The lines of one metric, which begin in the last body at `from`. Gives where they end there. */
  *#joinFamily(change: SourceChange, m: number, from: number, next: TextBytes): Generator<void, number> {
    const { layout, known, dirty } = change;
    const { header, points } = layout.lines[m];
    const first = m * layout.groups.length;
    const former = known?.lengths;
    let read = former !== undefined && hasLines(former, first, layout.groups.length) ? from + header.length : from;
    // A family without points has no header.
    if (points.count > 0 || (former !== undefined && hasLines(former, first, layout.groups.length, dirty)))
      next.copy(header, 0, header.length);
    for (let d = 0; d < dirty.length; d += GROUPS_AT_ONCE) {
      read = this.#joinSome(change, m, d, Math.min(d + GROUPS_AT_ONCE, dirty.length), read, next);
      yield;
    }
    points.trim();
    return this.#copyClean(change, m, dirty.length, read, next);
  }

  /** Joins the lines of some dirty groups, each with those of the clean groups before it. */
  #joinSome(change: SourceChange, m: number, from: number, to: number, start: number, next: TextBytes): number {
    const { layout, known, dirty, pointEnds } = change;
    const { lengths, lines } = layout;
    const first = m * layout.groups.length;
    let read = start;
    for (let d = from; d < to; d++) {
      read = this.#copyClean(change, m, d, read, next);
      if (known !== undefined) read += known.lengths[first + dirty[d]];
      const before = next.length;
      lines[m].write(next, pointEnds[m * dirty.length + d]);
      lengths[first + dirty[d]] = next.length - before;
    }
    return read;
  }

  /** Copies the lines of the clean groups between a dirty one and the one before it, or the end. */
  #copyClean({ layout, known, dirty }: SourceChange, m: number, d: number, start: number, next: TextBytes): number {
    if (known === undefined) return start;
    const { lengths, groups } = layout;
    const end = d < dirty.length ? dirty[d] : groups.length;
    const first = m * groups.length;
    let read = start;
    for (let i = d === 0 ? 0 : dirty[d - 1] + 1; i < end; i++) {
      const length = known.lengths[first + i];
      lengths[first + i] = length;
      read += length;
    }
    if (read > start) next.copy(this.#body, start, read);
    return read;
  }
}

function sameGroups(a: readonly PointGroup[], b: readonly PointGroup[]): boolean {
  return a === b || (a.length === b.length && a.every((group, i) => group === b[i]));
}

/** Whether any of the groups has lines of the metric, `except` those at these places (ascending). */
function hasLines(lengths: Uint32Array, first: number, count: number, except: readonly number[] = []): boolean {
  for (let i = 0, e = 0; i < count; i++) {
    if (except[e] === i) e++;
    else if (lengths[first + i] > 0) return true;
  }
  return false;
}
