/** From the services to the table: what they stream is folded into it, and what is missing is read from their histories. */
import type { Config } from '../config/config.ts';
import { AllSources } from '../feed/all-sources.ts';
import { HoldRoom } from '../feed/frame-queue.ts';
import { Keeper, type KeeperOptions } from '../feed/keeper.ts';
import { PlanChange } from '../feed/plan/plan-change.ts';
import { type PrefixInput, planSessions } from '../feed/plan/session-plan.ts';
import { SessionFeed } from '../feed/session-feed.ts';
import type { Logger } from '../logger.ts';
import type { TableFigures } from '../metrics/figures/table-figures.ts';
import type { Readiness } from '../readiness.ts';
import type { LiveFeed } from '../stream/live-feed.ts';
import type { StreamStats } from '../stream/source.ts';
import type { SteadyClock } from '../stream/steady-clock.ts';
import { allUp } from '../stream/stream-health.ts';
import { StreamTroubles } from '../stream/stream-troubles.ts';
import { Fold } from '../table/fold.ts';
import { changeSources } from '../table/ownership/source-change.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { TableIds } from '../table/table-ids.ts';

export interface IntakeOptions {
  readonly config: Pick<Config, 'prefixes' | 'table'>;
  /** The services that stream, in the order of precedence. */
  readonly feeds: readonly LiveFeed[];
  /** Its sources become these. */
  readonly table: RoutingTable;
  readonly figures: TableFigures;
  readonly timers: SteadyClock;
  readonly logger: Logger;
  /** Called when a service refuses prefixes after `changePrefixes` has resolved. */
  readonly onRefusedLate: () => void;
  /** Who else keeps the table complete: then there are no histories. */
  readonly outside?: KeeperOptions['outside'];
}

export class Intake {
  /** By number, over all sources. */
  readonly sessions: readonly SessionFeed[];
  readonly keeper: Keeper;
  readonly troubles = new StreamTroubles();
  readonly #feeds: readonly LiveFeed[];
  readonly #source: AllSources;
  readonly #planChange: PlanChange;

  /** @throws ConfigError when a prefix finds no room in any source */
  constructor({ config, feeds, table, figures, timers, logger, onRefusedLate, outside }: IntakeOptions) {
    const { table: settings, prefixes } = config;
    this.#feeds = feeds;
    const plan = planSessions(prefixes, feeds);
    const source = new AllSources(feeds);
    this.#source = source;
    changeSources(
      table,
      feeds.map(({ source: { name, stats } }) => ({ name, sessions: stats.length })),
    );
    // Until it is read up to where the new streams begin.
    for (const monitored of table.prefixes.monitored()) monitored.setTrusted(0);
    figures.seeded = false;
    figures.seededPrefixes = new Map();
    table.prefixes.canary = feeds.find(({ canary }) => canary !== undefined)?.canary;
    const fold = new Fold(table);
    const ids = new TableIds(table);
    const decoders = feeds.map((feed) => feed.decoder(ids));
    const holdRoom = new HoldRoom();
    this.sessions = source.stats.map((stream, session) => {
      const place = table.ownership.sourceOf(session);
      const { canary } = feeds[place];
      return new SessionFeed({
        ...{ session, stream, decoder: decoders[place], fold, logger, canary, holdRoom },
        onUnmonitored: (prefixes, atMs) => source.heard(session, prefixes, atMs),
        onPassed: (vp, heir) => this.keeper.readPassed(new Set([vp]), heir),
      });
    });
    this.keeper = new Keeper({
      ...{ table, figures, logger, timers, feeds: this.sessions },
      histories: feeds.flatMap((feed) =>
        feed.source.stats.map((_, session) => (settings.seed ? feed.history(session) : undefined)),
      ),
      lagMs: feeds.map(({ historyLagMs }) => historyLagMs ?? settings.dataApiLagMs),
      intervals: settings,
      takeClockStep: timers.takeStep,
      ...(outside && { outside }),
    });
    this.#planChange = new PlanChange({ source, keeper: this.keeper, table, timers, logger, onRefusedLate }, plan);
  }

  /** By the number of the session. */
  get streams(): readonly StreamStats[] {
    return this.#source.stats;
  }

  start(): void {
    this.keeper.start();
    this.#source.start({
      frames: (session, frames, receivedAtMs) => this.sessions[session].frames(frames, receivedAtMs),
      opened: (session, atMs) => this.keeper.opened(session, atMs),
      connected: (session, atMs) => {
        this.troubles.up(session);
        this.keeper.connected(session, atMs);
      },
      disconnected: (session, reason, atMs, detail) => {
        this.troubles.down(session, reason, atMs, detail);
        this.keeper.disconnected(session, atMs);
      },
      updates: (session) => this.sessions[session].updates,
    });
  }

  ready(): Readiness {
    const source = this.#source;
    if (!allUp(source.stats)) return { ok: false, reason: 'the stream is not up' };
    for (const session of this.sessions.keys()) {
      const reason = source.unhealthy(session);
      if (reason !== undefined) return { ok: false, reason: `session ${session}: ${reason}` };
    }
    return { ok: true };
  }

  /**
   * From now on these prefixes are monitored.
   * @throws ConfigError when a prefix finds no room in any source, or the error of the service that refuses them; the current prefixes
   *   then stay
   */
  changePrefixes(prefixes: readonly PrefixInput[]): Promise<void> {
    return this.#planChange.change(planSessions(prefixes, this.#feeds, this.#planChange.plan));
  }

  async stop(): Promise<void> {
    await this.#source.stop();
    await this.keeper.stop();
  }
}
