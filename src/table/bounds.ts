/**
 * The bounds of the table and of its labels, each once: the schema, the views, the catalogue and docs/bounds.md read them here.
 * What does not fit into a bound is counted; an alert watches the counters.
 */

/** A bound that the configuration sets: whole numbers from `least` to `most`. */
export interface Bound {
  /** Its key in a configuration file. */
  readonly key: string;
  readonly least: number;
  readonly most: number;
  /** Where the configuration says nothing. */
  readonly standard: number;
}

export const BOUNDS = {
  /** VPs at once. */
  vps: { key: 'table.max_vps', least: 100, most: 200_000, standard: 20_000 },
  /** More-specifics with state at once, a monitored prefix. */
  moreSpecifics: { key: 'table.max_more_specifics', least: 0, most: 10_000, standard: 256 },
  /** Label values a prefix. The smallest counts beyond it are summed as `other`; configured ones always have their own. */
  originSeries: { key: 'table.max_origin_series', least: 1, most: 1_024, standard: 64 },
  upstreamSeries: { key: 'table.max_upstream_series', least: 1, most: 4_096, standard: 256 },
  moreSpecificSeries: { key: 'table.max_more_specific_series', least: 0, most: 4_096, standard: 64 },
} as const satisfies Record<string, Bound>;

/** `64 (table.max_origin_series)`: the default, and the key that changes it. */
export function boundText({ standard, key }: Bound): string {
  return `${standard.toLocaleString('en-US')} (${key})`;
}

/** Most label values a prefix. */
export interface SeriesBounds {
  readonly origin: number;
  readonly upstream: number;
  readonly moreSpecific: number;
}

export const DEFAULT_SERIES: SeriesBounds = {
  origin: BOUNDS.originSeries.standard,
  upstream: BOUNDS.upstreamSeries.standard,
  moreSpecific: BOUNDS.moreSpecificSeries.standard,
};

/** Origins and upstreams that one prefix may name in the configuration; each has a series of its own. */
export const MAX_CONFIGURED_ORIGINS = 64;
export const MAX_CONFIGURED_UPSTREAMS = 256;

/** Countries that the configuration may list: each is two series a prefix. */
export const MAX_COUNTRIES = 32;

/** Series of names of ASes; those of ASes that came later have no room. */
export const MAX_NAMED_ASES = 10_000;

/** Bytes of all long paths together: 16,000 paths of 40 ASes, or 43 of the longest. A snapshot writes them in a few ms. */
export const MAX_LONG_PATH_BYTES = 8 * 1024 * 1024;

/** Prefixes that nobody asked for and whose spelling is remembered; then all are forgotten and remembered again as they come, and no event is lost. */
export const MAX_UNMONITORED = 262_144;
