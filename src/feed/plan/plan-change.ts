/**
 * From one plan to the next while the stream goes on. Prefixes that leave keep their routes until those that come are
 * associated, so that a refusal leaves everything as it was; those that come are read once the stream delivers them.
 */
import { StoppedError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { StreamSource } from '../../stream/source.ts';
import { sleep, type Timers } from '../../stream/timers.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import type { Keeper } from '../keeper.ts';
import type { Plan } from './session-plan.ts';

export interface PlanChangeOptions {
  readonly source: StreamSource;
  readonly keeper: Keeper;
  readonly table: RoutingTable;
  readonly timers: Timers;
  readonly logger: Logger;
  /** How long `change` waits for the Live Manager API, ms. Default 30 s. */
  readonly limitMs?: number;
  /** The service refused prefixes after `change` had resolved. */
  readonly onRefusedLate: () => void;
}

export class PlanChange {
  readonly #options: PlanChangeOptions;
  /** Sessions whose key does not have the prefixes of the plan, because the service refused them late. */
  readonly #refused = new Set<number>();
  #plan: Plan;

  /** @param plan what the source was made with; it is applied to table and keeper */
  constructor(options: PlanChangeOptions, plan: Plan) {
    this.#options = options;
    this.#plan = plan;
    options.table.watch(plan.watched, options.timers.now());
    for (const [session, prefixes] of plan.prefixes.entries()) {
      options.keeper.setWanted(session, prefixes);
      options.keeper.setDelivered(session, prefixes);
    }
  }

  get plan(): Plan {
    return this.#plan;
  }

  /**
   * Resolves when the prefixes are associated with their keys, or it took too long: the rest then goes on by itself.
   * Rejects when the service refuses them; the current plan then stays. Not to be called again before.
   */
  async change(next: Plan): Promise<void> {
    const { table, keeper, timers, logger, limitMs = 30_000 } = this.#options;
    const former = this.#plan;
    const changed = next.subscriptions.flatMap((list, i) =>
      sameList(list, former.subscriptions[i]) && !this.#refused.has(i) ? [] : [i],
    );
    this.#refused.clear();
    const staying = new Set(next.watched.map(({ prefix }) => prefix.text));
    const leaving = former.watched.filter(({ prefix }) => !staying.has(prefix.text));
    this.#plan = next;
    table.watch([...next.watched, ...leaving], timers.now());
    for (const [session, prefixes] of next.prefixes.entries()) keeper.setWanted(session, prefixes);

    const refused = new Set<number>();
    const associations = changed.map(async (session) => {
      try {
        await this.#associate(session, next);
      } catch (error) {
        if (!(error instanceof StoppedError)) refused.add(session);
        throw error;
      }
    });
    const waiting = new AbortController();
    const late = sleep(timers, limitMs, waiting.signal).then(() => 'late' as const);
    try {
      if ((await Promise.race([Promise.all(associations), late])) === 'late') {
        logger.warn('the Live Manager API has not answered yet: the prefixes are associated when it does');
        for (const [i, association] of associations.entries())
          association.catch((error: unknown) => this.#refusedLate(changed[i], error));
      }
    } catch (error) {
      this.#goBack(former, changed, refused);
      throw error;
    } finally {
      waiting.abort();
    }
    table.watch(next.watched, timers.now());
  }

  async #associate(session: number, plan: Plan): Promise<void> {
    const { source, keeper, timers } = this.#options;
    await source.setPrefixes(session, plan.subscriptions[session]);
    keeper.setDelivered(session, plan.prefixes[session]);
    if (source.stats[session].up) keeper.added(session, timers.now());
  }

  /** A later change makes its own requests, and those before it end as stopped. */
  #refusedLate(session: number, error: unknown): void {
    if (error instanceof StoppedError) return;
    this.#refused.add(session);
    this.#options.logger.error('the new prefixes were refused', { session, error: String(error) });
    this.#options.onRefusedLate();
  }

  /** @param refused sessions whose key surely still has the previous prefixes */
  #goBack(former: Plan, changed: readonly number[], refused: ReadonlySet<number>): void {
    const { source, keeper, table, timers, logger } = this.#options;
    this.#plan = former;
    table.watch(former.watched, timers.now());
    for (const [session, prefixes] of former.prefixes.entries()) keeper.setWanted(session, prefixes);
    for (const session of changed) {
      this.#associate(session, former)
        .then(() => {
          // For a while the key may have had other prefixes: what the stream would have said of the session's own prefixes is missing.
          if (!refused.has(session) && source.stats[session].up) keeper.connected(session, timers.now());
        })
        .catch((error: unknown) => {
          if (error instanceof StoppedError) return;
          this.#refused.add(session);
          logger.error('the service refuses the prefixes from before the reload too', {
            session,
            error: String(error),
          });
        });
    }
  }
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
