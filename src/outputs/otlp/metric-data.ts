/** The shapes between producer, serializer and delivery: the SDK's metric data, with what this side keeps beside it. */
import type { HrTime } from '@opentelemetry/api';
import type {
  DataPoint,
  GaugeMetricData,
  Histogram,
  HistogramMetricData,
  SumMetricData,
} from '@opentelemetry/sdk-metrics';
import type { Labels } from '../../metrics/metric.ts';
import type { Run } from './encoding/byte-writer.ts';

/** Where a series keeps its attributes as they are sent in protobuf, by kind of point. */
export const PROTOBUF = Symbol('protobuf');
export const PROTOBUF_HISTOGRAM = Symbol('protobuf histogram');
/** Where a series keeps when it was last seen (vanished-series.ts). */
export const SEEN = Symbol('seen');

/**
 * Attributes of one series. Made once a label set and kept by it, so that what is remembered here is as old as the series:
 * a hundred thousand label sets are encoded once, not at every export.
 */
export interface SeriesAttributes {
  readonly [key: string]: string;
  [PROTOBUF]: Run | undefined;
  [PROTOBUF_HISTOGRAM]: Run | undefined;
  [SEEN]: number;
}

export function attributesOf(labels: Labels): SeriesAttributes {
  let attributes = labels.attributes as SeriesAttributes | undefined;
  if (attributes === undefined) {
    const made: Record<string | symbol, unknown> = {
      [PROTOBUF]: undefined,
      [PROTOBUF_HISTOGRAM]: undefined,
      [SEEN]: 0,
    };
    for (let i = 0; i < labels.keys.length; i++) made[labels.keys[i]] = labels.values[i];
    attributes = made as unknown as SeriesAttributes;
    labels.attributes = attributes;
  }
  return attributes;
}

/** Equal for equal attributes of one metric. */
export function seriesId(attributes: SeriesAttributes): string {
  return Object.values(attributes).join('\0');
}

/** When a collection took place. One object for all points of a producer. */
export interface CollectionTime {
  endTime: HrTime;
}

/**
 * A point that is kept as long as its series does not change: at the next collection it is the same one with another end
 * time, at which it is just as true. That time is looked up rather than written into a hundred thousand points.
 */
export class Point<T> implements DataPoint<T> {
  readonly startTime: HrTime;
  readonly attributes: SeriesAttributes;
  readonly value: T;
  /** The series is gone: sent flagged as "no recorded value", a number without one, a histogram with its bounds. */
  readonly gone: boolean;
  readonly #time: CollectionTime;

  constructor(startTime: HrTime, time: CollectionTime, attributes: SeriesAttributes, value: T, gone = false) {
    this.startTime = startTime;
    this.#time = time;
    this.attributes = attributes;
    this.value = value;
    this.gone = gone;
  }

  /** When its producer collected last. */
  get endTime(): HrTime {
    return this.#time.endTime;
  }

  /**
   * Remembers the time of the last collection. What it gives sets that time again, for all points of the producer: an export
   * that is still on its way sends what was true then, although another collection has taken place.
   */
  holdTime(): () => void {
    const { endTime } = this.#time;
    return () => {
      this.#time.endTime = endTime;
    };
  }
}

export interface OwnGauge extends GaugeMetricData {
  readonly dataPoints: Point<number>[];
}
export interface OwnSum extends SumMetricData {
  readonly dataPoints: Point<number>[];
}
export interface OwnHistogram extends HistogramMetricData {
  readonly dataPoints: Point<Histogram>[];
}
/** Every metric that this exporter sends. Values are doubles. */
export type OwnMetricData = OwnGauge | OwnSum | OwnHistogram;

/** Seconds and nanoseconds, as the SDK wants its times. */
export function hrTime(unixMs: number): HrTime {
  const seconds = Math.floor(unixMs / 1_000);
  return [seconds, Math.round((unixMs - seconds * 1_000) * 1e6)];
}
