/** Which prefixes are trusted, by the sources that have read them, and whether the table as a whole is complete. */
import type { Logger } from '../logger.ts';
import type { TableFigures } from '../metrics/figures/table-figures.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import type { ServiceClock } from './clocks/service-clock.ts';
import type { SessionSeeder } from './seed/session-seeder.ts';
import type { VpDirectory } from './vp-directory.ts';

/** Whoever else keeps the table complete, without a history that the exporter asks. */
export interface OutsideTrust {
  /** Whether the table has all that the prefix has had, up to now. */
  readonly isTrusted: (session: number, prefix: string) => boolean;
}

export interface TableTrustOptions {
  readonly table: RoutingTable;
  readonly figures: TableFigures;
  readonly logger: Logger;
  readonly clock: ServiceClock;
  /** By session; undefined without a history. */
  readonly seeders: readonly (SessionSeeder | undefined)[];
  /** By source. */
  readonly directories: readonly VpDirectory[];
  /** Then there are no seeders. */
  readonly outside: OutsideTrust | undefined;
}

export class TableTrust {
  readonly #options: TableTrustOptions;

  constructor(options: TableTrustOptions) {
    this.#options = options;
  }

  /** Notes in the table by which sources each prefix is trusted now. */
  apply(): void {
    const { table } = this.#options;
    const { ownership } = table;
    for (const monitored of table.prefixes.monitored()) {
      let sources = 0;
      for (const session of monitored.watched.sessions)
        if (this.#isTrusted(session, monitored.state.prefix.text)) sources |= 1 << ownership.sourceOf(session);
      monitored.setTrusted(sources);
    }
  }

  /** Notes in the figures how much of the table is complete now. A prefix is, when one of the sessions that deliver it has read it. */
  count(): void {
    const { table, figures, logger, clock, seeders, outside } = this.#options;
    const { ownership } = table;
    const ofOutside = outside && prefixesBySession(table);
    const incomplete = new Set<string>();
    const complete = new Set<string>();
    const bySource = new Map<string, number>();
    for (const [session, seeder] of seeders.entries()) {
      const source = ownership.sources[ownership.sourceOf(session)];
      for (const prefix of seeder?.wanted ?? ofOutside?.get(session) ?? []) {
        const isRead = this.#isTrusted(session, prefix);
        (isRead ? complete : incomplete).add(prefix);
        if (isRead) bySource.set(source, (bySource.get(source) ?? 0) + 1);
      }
    }
    figures.seededPrefixes = bySource;
    const isKept = ofOutside !== undefined || (clock.isKnown && seeders.some((seeder) => seeder !== undefined));
    const seeded = isKept && [...incomplete].every((prefix) => complete.has(prefix));
    // The counterpart of the lines that say why it is not.
    if (seeded && !figures.seeded)
      logger.info('the table is complete', { prefixes: [...table.prefixes.monitored()].length, routes: table.routes });
    figures.seeded = seeded;
  }

  #isTrusted(session: number, prefix: string): boolean {
    const { table, clock, seeders, directories, outside } = this.#options;
    if (outside !== undefined) return outside.isTrusted(session, prefix);
    if (!clock.isKnown || directories[table.ownership.sourceOf(session)].isDoubted) return false;
    return seeders[session]?.isTrusted(prefix) === true;
  }
}

/** The monitored prefixes by their first session, canonical. */
function prefixesBySession(table: RoutingTable): ReadonlyMap<number, readonly string[]> {
  const sessions = new Map<number, string[]>();
  for (const { firstSession, state } of table.prefixes.monitored()) {
    const own = sessions.get(firstSession);
    if (own === undefined) sessions.set(firstSession, [state.prefix.text]);
    else own.push(state.prefix.text);
  }
  return sessions;
}
