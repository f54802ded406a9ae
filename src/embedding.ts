/**
 * The exporter inside another program: that program serves the metrics. What is exported here is meant to stay as it is;
 * how the exporter keeps its table may change.
 */

import { type Config, configSecrets } from './config/config.ts';
import { ConfigError } from './errors.ts';
import type { RunningExporter } from './exporter.ts';
import { createLogger, type Logger } from './logger.ts';
import { type AsFact, prefixFacts } from './metrics/prefix-facts.ts';
import { negotiateFormat } from './outputs/text/negotiation.ts';
import type { Readiness } from './readiness.ts';
import type { MonitoredPrefix } from './table/prefixes/prefix-state.ts';
import type { RoutingTable } from './table/routing-table.ts';
import { type BuildInfo, buildInfo } from './version.ts';

/** What `embedExporter` takes. */
export interface EmbedOptions {
  /** Default: as the configuration's `log` says, on standard error. */
  readonly logger?: Logger;
  /** Reads the configuration again for `reload`; throws a `ConfigError` when it is wrong. */
  readonly reloadConfig?: () => Config;
  /** What `bgp_exporter_build_info` says. Default: this package. */
  readonly version?: BuildInfo;
}

/** A body to answer a scrape with. */
export interface Exposition {
  readonly contentType: string;
  readonly body: Buffer;
}

/** How many VPs, of those that see a prefix now, have this AS: a number as text, or an AS_SET as `{64501,64502}`. */
export interface AsCount {
  readonly as: string;
  readonly vps: number;
}

/** What the exporter knows of one monitored prefix now: the numbers of its metrics. */
export interface PrefixFacts {
  /** Canonical text. */
  readonly prefix: string;
  /** Empty when not configured. */
  readonly description: string;
  readonly group: string;
  /** VPs that hold a route now. */
  readonly visibleVps: number;
  /** The denominator of visibility. */
  readonly expectedVps: number;
  /** Most VPs first; not bounded as the labels of the metrics are. */
  readonly origins: readonly AsCount[];
  readonly upstreams: readonly AsCount[];
  /** Announced prefixes inside it that are longer, most VPs first. */
  readonly moreSpecifics: readonly { readonly prefix: string; readonly vps: number }[];
}

/** A running exporter without a web server of its own. */
export interface EmbeddedExporter {
  /** The metrics in the format that an `Accept` header wants most; Prometheus text without one. */
  metrics(accept?: string): Promise<Exposition>;
  /** In the order of the configuration. Counts are too low while `seeded` is false. */
  prefixes(): readonly PrefixFacts[];
  /** Whether the table was read from a history (the Data API, RIPEstat), so that counts are complete. */
  readonly seeded: boolean;
  /** Not ready while the stream is down, or the association of its prefixes cannot be renewed. */
  ready(): Readiness;
  /** Rejects with a `ConfigError` when the new configuration is wrong; the current one then stays in force. */
  reload(): Promise<void>;
  /** Closes the stream, writes the snapshot, exports a last time. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts an exporter without a web server, whatever the configuration says of one. Everything else (snapshots, OTLP) is as
 * configured. Rejects with an `ExporterError` when it cannot be started; nothing is left running then.
 */
export async function embedExporter(config: Config, options: EmbedOptions = {}): Promise<EmbeddedExporter> {
  const { reloadConfig, version = buildInfo({}) } = options;
  const logger =
    options.logger ?? createLogger({ ...config.log, destination: process.stderr, secrets: configSecrets(config) });
  // Imported only here: a program that only reads the stream does not load the exporter.
  const { startExporter } = await import('./exporter.ts');
  const running = await startExporter(withoutServer(config), {
    logger,
    version,
    ...(reloadConfig === undefined ? {} : { reloadConfig: () => withoutServer(reloadConfig()) }),
  });
  return new Embedded(running, reloadConfig !== undefined);
}

function withoutServer(config: Config): Config {
  return { ...config, web: { ...config.web, listenAddresses: [], systemdSocket: false } };
}

class Embedded implements EmbeddedExporter {
  readonly #running: RunningExporter;
  readonly #canReload: boolean;

  constructor(running: RunningExporter, canReload: boolean) {
    this.#running = running;
    this.#canReload = canReload;
  }

  async metrics(accept?: string): Promise<Exposition> {
    const { format, contentType } = negotiateFormat(accept);
    return { contentType, body: await this.#running.render(format) };
  }

  prefixes(): readonly PrefixFacts[] {
    const { table } = this.#running;
    return [...table.prefixes.shown()].map((monitored) => factsOf(table, monitored));
  }

  get seeded(): boolean {
    return this.#running.figures.seeded;
  }

  ready(): Readiness {
    return this.#running.ready();
  }

  async reload(): Promise<void> {
    if (!this.#canReload) throw new ConfigError(['a reload needs the option reloadConfig']);
    await this.#running.reload();
  }

  stop(): Promise<void> {
    return this.#running.stop();
  }
}

function factsOf(table: RoutingTable, monitored: MonitoredPrefix): PrefixFacts {
  const { state, watched } = monitored;
  const { visible, expected, origins, upstreams, moreSpecifics } = prefixFacts(table, monitored);
  const countOf = ({ text, vps }: AsFact): AsCount => ({ as: text, vps });
  return {
    prefix: state.prefix.text,
    description: watched.description,
    group: watched.group,
    visibleVps: visible,
    expectedVps: expected,
    origins: origins.map(countOf),
    upstreams: upstreams.map(countOf),
    moreSpecifics: moreSpecifics.map((one) => ({ prefix: one.prefix.text, vps: one.visible })),
  };
}
