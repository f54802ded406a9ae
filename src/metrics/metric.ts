/**
 * What a metric is, and how its two names follow from one: the OTLP name is dotted and carries no unit; the Prometheus
 * name is what the OpenTelemetry specification ("Prometheus and OpenMetrics Compatibility") derives from it.
 */

export type MetricKind = 'counter' | 'gauge' | 'histogram';

export interface Metric {
  readonly key: string;
  /** Dotted OTLP name, without unit, `total` or `ratio`. */
  readonly otlpName: string;
  /** Prometheus family name with its unit suffix; for counters without `_total` (the OpenMetrics family name). */
  readonly familyName: string;
  /** Prometheus sample name: `familyName`, plus `_total` for counters. Histograms add `_bucket`, `_sum`, `_count`. */
  readonly name: string;
  readonly kind: MetricKind;
  /** UCUM: `s`, `By`, `1`, an annotation such as `{vp}`, or empty where there is none. */
  readonly unit: string;
  /** Unit word as OpenMetrics' `# UNIT` wants it (the name's suffix): `seconds`, `bytes`, `ratio`; empty otherwise. */
  readonly unitWord: string;
  readonly labels: readonly string[];
  readonly help: string;
  /** How many series one exporter can have of it, in words. */
  readonly bound: string;
}

/** The form in which an entry of the catalogue is written; the rest of `Metric` is derived. */
export interface MetricDefinition {
  readonly otlpName: string;
  readonly kind: MetricKind;
  readonly unit: string;
  readonly labels: readonly string[];
  readonly help: string;
  readonly bound: string;
}

/** UCUM to Prometheus words, as far as the catalogue needs them (the collector's own table is longer). */
const UNIT_WORDS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/**
 * The translation of the OpenTelemetry specification: what is not a letter, digit or colon becomes `_`, repeated `_` are
 * one; annotations in braces are dropped; the unit's word is appended unless the name ends in it; a gauge of unit `1`
 * ends in `_ratio`; a counter in `_total`.
 */
export function defineMetric(key: string, definition: MetricDefinition): Metric {
  const base = definition.otlpName.replace(/[^a-zA-Z0-9:]+/g, '_').replace(/^_+|_+$/g, '');
  const bareUnit = definition.unit.replace(/\{[^}]*\}/g, '');
  const unitWord =
    bareUnit === '' ? '' : bareUnit === '1' ? (definition.kind === 'gauge' ? 'ratio' : '') : UNIT_WORDS[bareUnit];
  if (unitWord === undefined)
    throw new Error(`metric ${key}: no Prometheus word is known for the unit "${definition.unit}"`);
  const familyName = unitWord === '' || base.endsWith(`_${unitWord}`) ? base : `${base}_${unitWord}`;
  return {
    ...definition,
    key,
    familyName,
    name: definition.kind === 'counter' ? `${familyName}_total` : familyName,
    unitWord,
  };
}

/** Entries of the catalogue by their keys. */
export function defineMetrics<const T extends Record<string, MetricDefinition>>(
  definitions: T,
): { readonly [K in keyof T]: Metric } {
  const metrics: Record<string, Metric> = {};
  for (const [key, definition] of Object.entries(definitions)) metrics[key] = defineMetric(key, definition);
  return metrics as { readonly [K in keyof T]: Metric };
}

/**
 * One set of label values under its keys. Made once and kept by whoever owns the series, so that an output can remember
 * how it writes it: the text of a hundred thousand label sets is then built once, not at every scrape.
 */
export class Labels {
  readonly keys: readonly string[];
  readonly values: readonly string[];
  /** The labels as the text writer writes them; it fills them in. */
  text: readonly number[] | undefined;
  /** The labels as OTLP sends them; the OTLP side fills them in. */
  attributes: Readonly<Record<string, string>> | undefined;

  constructor(keys: readonly string[], values: readonly string[]) {
    this.keys = keys;
    this.values = values;
    this.text = undefined;
    this.attributes = undefined;
  }

  static readonly none = new Labels([], []);
}

/** A histogram's state: `counts[i]` is how many values were in `(bounds[i-1], bounds[i]]`; one more for those above all. */
export interface HistogramValue {
  readonly bounds: readonly number[];
  /** Not cumulative; `bounds.length + 1` of them. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
  readonly count: number;
}

/** Receives points one by one. What is passed is valid only during the call. */
export interface PointSink {
  number(labels: Labels, value: number): void;
  histogram(labels: Labels, value: HistogramValue): void;
}

/** Series that change together: those of one prefix, one session, or the exporter itself. */
export interface PointGroup {
  /** Unix ms since when the group's counters and histograms count. */
  readonly startTimeMs: number;
  /** Differs from what it was whenever a point may have changed, appeared or vanished; equal means: nothing did. */
  readonly version: number;
  /** Gives the sink every point that this group has of the metric now, none when it has none. Pure. */
  visit(metric: Metric, sink: PointSink): void;
}

/** Metrics of one subject and the groups that have points of them: the families are every metric times every group. */
export interface FamilySource {
  readonly metrics: readonly Metric[];
  readonly groups: readonly PointGroup[];
}

/**
 * The one list that both outputs print, in order. Called once a collection; what it returns stays unchanged until the
 * event loop turns, so an output that reads it without awaiting sees one moment.
 */
export type Collect = () => readonly FamilySource[];
