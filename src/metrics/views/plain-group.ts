/** Groups whose points are few and are computed at every collection: the table, the sessions, the exporter itself. */
import { type HistogramValue, Labels, type Metric, type PointGroup, type PointSink } from '../metric.ts';

/** Writes one metric's points. */
export type Write = (sink: PointSink) => void;

/** A group that says at every collection that it may have changed, because its points are too cheap to keep apart. */
export class PlainGroup implements PointGroup {
  readonly startTimeMs: number;
  readonly #writers: Readonly<Record<string, Write>>;
  #version = 0;

  /** @param writers by the metric's key; a metric without one has no points here */
  constructor(startTimeMs: number, writers: Readonly<Record<string, Write>>) {
    this.startTimeMs = startTimeMs;
    this.#writers = writers;
  }

  get version(): number {
    return this.#version;
  }

  /** Call it once a collection. */
  renew(): void {
    this.#version++;
  }

  visit(metric: Metric, sink: PointSink): void {
    this.#writers[metric.key]?.(sink);
  }
}

/** One point without own labels, or none. */
export function single(labels: Labels, value: () => number | undefined): Write {
  return (sink) => {
    const now = value();
    if (now !== undefined) sink.number(labels, now);
  };
}

/** One point for each member of a closed list, so that every series is there from the start. */
export function each<K extends string>(
  base: Labels,
  key: string,
  members: readonly K[],
  value: (member: K) => number,
): Write {
  const labels = members.map((member) => new Labels([...base.keys, key], [...base.values, member]));
  return (sink) => {
    for (const [i, member] of members.entries()) sink.number(labels[i], value(member));
  };
}

export function histogram(labels: Labels, value: () => HistogramValue): Write {
  return (sink) => sink.histogram(labels, value());
}
