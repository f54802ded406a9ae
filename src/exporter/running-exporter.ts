/** An exporter as it is seen from outside: what it is given, and what can be asked of it while it runs. */
import type { AsOrSet } from '../bgp/as-path.ts';
import type { Prefix } from '../bgp/prefix.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../logger.ts';
import type { TableFigures } from '../metrics/figures/table-figures.ts';
import type { ExpositionFormat } from '../outputs/text/negotiation.ts';
import type { Readiness } from '../readiness.ts';
import type { Validity } from '../rpki/origin-validation.ts';
import type { LiveFeed } from '../stream/live-feed.ts';
import type { Timers } from '../stream/timers.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import type { BuildInfo } from '../version.ts';
import type { FeedInput } from './live-feeds.ts';

export interface ExporterDeps {
  readonly logger: Logger;
  readonly version: BuildInfo;
  /** Reads the configuration again; throws ConfigError when it is wrong. Without it a reload does nothing. */
  readonly reloadConfig?: () => Config;
  /** A reload has taken effect. */
  readonly onReloaded?: (config: Config) => void;
  /** Descriptors of the sockets that systemd has handed over. Default: none. */
  readonly systemdSockets?: readonly number[];
  /** Default: the real clock. */
  readonly timers?: Timers;
  /** The services that stream, in the order of precedence, instead of those of the configuration. */
  readonly feeds?: (input: FeedInput) => readonly LiveFeed[];
  /** Lines that the page shows above its numbers: for a demo, that says what happens. */
  readonly notes?: () => readonly string[];
}

export interface RunningExporter {
  /** Where the web server listens first, `host:port` or `unix:/path`; undefined without one. */
  readonly address: string | undefined;
  readonly table: RoutingTable;
  readonly figures: TableFigures;
  /** The body of a scrape, for a program that has its own server. */
  render(format: ExpositionFormat): Promise<Buffer>;
  ready(): Readiness;
  /**
   * The validity of a route (RFC 6811) by the data that is usable now; undefined when there is no data for it.
   * @param monitored the monitored prefix that a more-specific lies inside
   */
  validity(prefix: Prefix, origin: AsOrSet, monitored?: Prefix): Validity | undefined;
  /** Compares the table with the histories of its sources now, rather than at the next interval. */
  compare(): Promise<void>;
  /** @throws ConfigError when the new configuration is wrong; the current one then stays in force */
  reload(): Promise<void>;
  /** Closes the stream, writes the snapshot, exports a last time, drains the web server. Idempotent. */
  stop(): Promise<void>;
}
