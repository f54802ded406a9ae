/**
 * Whose numbers are shown of a prefix that several exporters watch. An exporter whose stream is cut keeps the routes that it
 * held, so the largest number may be the oldest. Of each prefix one exporter speaks: of those that are trusted with it the
 * one that sees most VPs, and only where none is trusted one that is not, which is then said beside the number.
 */
import { prefixMetrics } from '../../src/metrics/catalogue.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { select, selectNamed } from './selectors.ts';

/** Shares of the expected VPs below which a prefix is not visible, or its visibility is low. */
export const NOT_VISIBLE_BELOW = 0.05;
export const LOW_BELOW = 0.8;

/** More than a prefix can have VPs: any trusted exporter goes before any other. */
const FIRST = '1e9';

function ignoring(labels: readonly string[]): string {
  return labels.length === 0 ? '' : ` ignoring (${labels.join(', ')})`;
}

/** Which prefixes, and when. */
interface Choice {
  /** Of the label prefix. */
  readonly matcher: string;
  /** Of the label group of `bgp_prefix_info`; any group without. */
  readonly group?: string;
  /** Only prefixes that are in this expression, instead of those of a group. */
  readonly among?: string;
  /** `end`: of the time range, also where points before it are asked for; evaluated once then. */
  readonly at?: 'end';
}

/** PromQL about prefixes. `labels` of an expression: those it has beside the prefix and the target's. */
export class Prefixes {
  /** Exporters that are trusted with a prefix. The rules, where they are loaded, know of streams that are connected but mute. */
  readonly trusted: string;
  /** One series a prefix, that of the exporter that speaks. */
  readonly #speaker: string;
  /** The same, without the prefixes that no exporter is trusted with. */
  readonly #trustedSpeaker: string;
  readonly #matcher: string;
  readonly #at: string;
  /** Has each of the prefixes, once or more. */
  readonly #among: string;

  constructor({ matcher, group, among, at }: Choice) {
    this.#matcher = matcher;
    this.#at = at === 'end' ? ' @ end()' : '';
    this.#among =
      among ?? `${select(prefixMetrics.prefixInfo, group === undefined ? matcher : `${group}, ${matcher}`)}${this.#at}`;
    this.trusted = `(${this.select(prefixMetrics.prefixTrusted)} == 1 unless ${selectNamed('bgp:prefix_trusted:bool', matcher)}${this.#at} == 0)`;
    const visible = this.select(prefixMetrics.prefixVisibleVps);
    this.#speaker = `topk by (prefix) (1, ${visible} + ${FIRST} * (${this.trusted} or 0 * ${visible}) and on (prefix) ${this.#among})`;
    this.#trustedSpeaker = `topk by (prefix) (1, ${this.#narrowed(visible)} and ${this.trusted})`;
  }

  /** Series of a prefix do not carry its group; `bgp_prefix_info` does, and exporters may differ in what they call it. */
  #narrowed(expression: string): string {
    return `${expression} and on (prefix) ${this.#among}`;
  }

  select(metric: Metric, matchers = '', suffix = ''): string {
    return `${select(metric, this.#matchers(matchers), suffix)}${this.#at}`;
  }

  /** All samples of the time range of the dashboard. */
  range(metric: Metric): string {
    return this.rangeNamed(metric.name);
  }

  /** As `range`, of a series that a rule records. */
  rangeNamed(name: string): string {
    return `${selectNamed(name, this.#matcher)}[$__range]${this.#at}`;
  }

  #matchers(more: string): string {
    return more === '' ? this.#matcher : `${this.#matcher}, ${more}`;
  }

  /** Of an expression the series of the exporter that speaks. */
  spoken(expression: string, labels: readonly string[] = []): string {
    return `(${expression}) and${ignoring(labels)} ${this.#speaker}`;
  }

  /** One series a prefix: what the exporter that speaks says. */
  said(expression: string, labels: readonly string[] = []): string {
    return `max by (prefix) (${this.spoken(expression, labels)})`;
  }

  gauge(metric: Metric): string {
    return this.said(this.select(metric));
  }

  /** One series a prefix, only of prefixes that an exporter is trusted with. */
  known(expression: string, labels: readonly string[] = []): string {
    return `max by (prefix) ((${expression}) and${ignoring(labels)} ${this.#trustedSpeaker})`;
  }

  /**
   * One series a prefix: the largest number over the exporters that are trusted, else over all. Of what is there and should
   * not be: one exporter that sees it is enough.
   */
  most(metric: Metric): string {
    const series = this.select(metric);
    return `(max by (prefix) (${this.#narrowed(`${series} and ${this.trusted}`)}) or max by (prefix) (${this.#narrowed(series)}))`;
  }

  /** As `most`, and 0 where the metric is not there because nothing is configured to compare with. */
  mostOrZero(metric: Metric): string {
    return `(${this.most(metric)} or ${this.zero})`;
  }

  /** 0 for every prefix. */
  get zero(): string {
    return `0 * max by (prefix) (${this.#among})`;
  }

  /** Not empty while an exporter is trusted with one of the prefixes. */
  get anyTrusted(): string {
    return `(${this.#narrowed(this.trusted)})`;
  }

  /** How many exporters are trusted with each prefix. */
  get trustedBy(): string {
    return `(count by (prefix) (${this.#narrowed(this.trusted)}) or ${this.zero})`;
  }

  /**
   * Visible over expected VPs by exporter, and 0 where none is expected, so that a prefix that nobody ever saw is not missing.
   * Over those of a usual day where the rules are loaded and know of more: an exporter that has lost its memory expects too
   * few, and alerts go by the rules. Not where VPs themselves went: fewer than usual are right then.
   */
  get ratio(): string {
    const named = (name: string) => `${selectNamed(name, this.#matcher)}${this.#at}`;
    const usual = `${named('bgp:prefix_visibility:ratio')} unless ${named('bgp:prefix_vps_gone:bool')} == 1`;
    const expected = this.select(prefixMetrics.prefixVisibilityRatio);
    return `(${usual}) or ${expected} or 0 * ${this.select(prefixMetrics.prefixVisibleVps)}`;
  }

  /** One series a prefix with its group, description and address family, as the exporter that speaks describes it. */
  get info(): string {
    const spoken = this.spoken(this.#among, ['afi', 'description', 'group']);
    return `topk by (prefix) (1, max by (prefix, group, description, afi) (2 * (${spoken}) or ${this.#among}))`;
  }
}

/** For a tile: the number while an exporter is trusted with one of the prefixes, and the number while none is. */
export interface Tile {
  readonly query: string;
  readonly doubtful: string;
}

/** A tile of an expression without labels, about `prefixes`. */
export function tile(prefixes: Prefixes, expression: string): Tile {
  return {
    query: `(${expression}) and on () ${prefixes.anyTrusted}`,
    doubtful: `(${expression}) unless on () ${prefixes.anyTrusted}`,
  };
}
