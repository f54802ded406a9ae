/** The services that stream, by the configuration in force, and what brings them into the table. */
import { KeyRing } from '../bgproutes/key-ring.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../errors.ts';
import { planSessions } from '../feed/plan/session-plan.ts';
import type { FleetMember } from '../fleet/member/fleet-member.ts';
import { useWaysOut, type WaysOutSettings } from '../http/ways-out.ts';
import type { Logger } from '../logger.ts';
import type { TableFigures } from '../metrics/figures/table-figures.ts';
import type { Readiness } from '../readiness.ts';
import type { LiveFeed } from '../stream/live-feed.ts';
import type { SteadyClock } from '../stream/steady-clock.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { fleetOf } from './fleet.ts';
import { Intake } from './intake.ts';
import { type FeedInput, liveFeedsOf, makeSameFeeds } from './live-feeds.ts';

export interface StreamsOptions {
  readonly config: Config;
  readonly table: RoutingTable;
  readonly figures: TableFigures;
  readonly timers: SteadyClock;
  readonly logger: Logger;
  readonly userAgent: string;
  /** Instead of the services of the configuration. */
  readonly feeds: ((input: FeedInput) => readonly LiveFeed[]) | undefined;
  /** Reads the configuration again, for keys that were rotated. Throws when it is wrong. */
  readonly reloadConfig: (() => Config) | undefined;
  /** A service refused prefixes after `change` had resolved. */
  readonly onRefusedLate: () => void;
}

export class Streams {
  readonly #options: StreamsOptions;
  #keys: KeyRing;
  #feeds: readonly LiveFeed[];
  #intake: Intake;
  #isStopped = false;
  /** Undefined: the exporter serves all prefixes. */
  readonly fleet: FleetMember | undefined;

  /** @throws ConfigError when a prefix finds no room in any source */
  constructor(options: StreamsOptions) {
    this.#options = options;
    const { config, table, timers, logger, userAgent } = options;
    this.#keys = this.#keysOf(config);
    this.fleet = fleetOf(config, timers, logger, userAgent);
    this.#feeds = this.fleet === undefined ? this.#feedsOf(config, this.#keys) : [this.fleet.feed];
    // A member of a fleet has no prefixes before partitions are assigned to it.
    this.#intake = this.#newIntake(this.fleet === undefined ? config : { ...config, prefixes: [] });
    this.fleet?.attach({
      ...{ table, feeds: this.#intake.sessions },
      watch: () => this.#intake.changePrefixes(config.prefixes.filter(({ prefix }) => this.fleet?.owns(prefix.text))),
      onChange: () => this.#intake.keeper.refresh(),
    });
  }

  /** What brings them into the table now. */
  get intake(): Intake {
    return this.#intake;
  }

  /** @throws ConfigError when something that a source needs is missing */
  async prepare(): Promise<void> {
    await prepare(this.#feeds);
    await this.fleet?.prepare();
  }

  ready(): Readiness {
    if (this.fleet === undefined) return this.#intake.ready();
    const reason = this.fleet.unready();
    return reason === undefined ? { ok: true } : { ok: false, reason };
  }

  start(): void {
    this.#intake.start();
  }

  /**
   * Follows a configuration. Where it makes the same sources, they go on, with other prefixes and keys. Otherwise there are
   * others from now on over the same table: what it has of the sources that stay is kept, and only the gap is read.
   * @param waysOut to the services, from now on
   * @throws ConfigError when a prefix finds no room, and the error of the service that refuses prefixes; nothing has changed then
   */
  async change(next: Config, former: Config, waysOut: WaysOutSettings): Promise<void> {
    if (this.fleet !== undefined) {
      const how = 'restart the ingest, then the members one by one';
      if (JSON.stringify(former.prefixes) !== JSON.stringify(next.prefixes))
        throw new ConfigError([`prefixes: a member of a fleet reads them at its start: ${how}`]);
      if (!makeSameFeeds(former, next)) {
        // What only the ingest reads changes nothing here, and is not refused: all have the same file.
        const keys = 'sources, bgproutes, ris_live, kafka, table.seed and table.data_api_lag';
        this.#options.logger.warn(
          `settings of the sources have changed (${keys}): only the ingest reads them, restart it`,
        );
      }
      useWaysOut(waysOut);
      return;
    }
    if (makeSameFeeds(former, next)) {
      await this.#intake.changePrefixes(next.prefixes);
      useWaysOut(waysOut);
      this.#keys.replace(next.bgproutes.apiKeys);
      return;
    }
    const keys = this.#keysOf(next);
    const feeds = this.#feedsOf(next, keys);
    planSessions(next.prefixes, feeds);
    await prepare(feeds);
    useWaysOut(waysOut);
    const ending = this.#intake;
    await ending.stop();
    const completeUntil = ending.keeper.completeUntil();
    if (this.#isStopped) return;
    this.#keys = keys;
    this.#feeds = feeds;
    this.#intake = this.#newIntake(next);
    this.#intake.keeper.restored(completeUntil);
    this.#intake.start();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#intake.stop();
  }

  #newIntake(config: Config): Intake {
    const { table, figures, timers, logger, onRefusedLate } = this.#options;
    const { fleet } = this;
    return new Intake({
      ...{ config, feeds: this.#feeds, table, figures, timers, logger, onRefusedLate },
      ...(fleet && { outside: { isTrusted: (session: number, prefix: string) => fleet.isTrusted(session, prefix) } }),
    });
  }

  #feedsOf(config: Config, keys: KeyRing): readonly LiveFeed[] {
    const { feeds = liveFeedsOf, table, figures, timers, logger, userAgent } = this.#options;
    return feeds({
      ...{ config, keys, prefixes: config.prefixes.map(({ prefix }) => prefix) },
      tools: {
        ...{ timers, logger, userAgent },
        knownMoreSpecifics: (prefix) => table.prefixes.moreSpecificsOf(prefix),
      },
      onRequest: (endpoint, result) => figures.countRequest(endpoint, result),
    });
  }

  #keysOf(config: Config): KeyRing {
    return new KeyRing(config.bgproutes.apiKeys, () => {
      try {
        return this.#options.reloadConfig?.().bgproutes.apiKeys;
      } catch {
        return undefined; // what is wrong with it is said by a reload
      }
    });
  }
}

async function prepare(feeds: readonly LiveFeed[]): Promise<void> {
  await Promise.all(feeds.map((feed) => feed.prepare?.()));
}
