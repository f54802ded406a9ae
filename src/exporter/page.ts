/** The page for people, of the parts of a running exporter. */
import type { AsOrSet } from '../bgp/as-path.ts';
import type { Prefix } from '../bgp/prefix.ts';
import { type Config, hasWebServer } from '../config/config.ts';
import { type HistoryBounds, TableHistory } from '../history/table-history.ts';
import type { TableFigures } from '../metrics/figures/table-figures.ts';
import { LivePage } from '../outputs/page/live-page.ts';
import { PageFacts, type PageFactsOptions } from '../outputs/page/page-facts.ts';
import type { Readiness } from '../readiness.ts';
import type { Validity } from '../rpki/origin-validation.ts';
import type { ValidatedData } from '../rpki/validated-data.ts';
import type { StreamStats } from '../stream/source.ts';
import type { SteadyClock } from '../stream/steady-clock.ts';
import type { StreamTroubles } from '../stream/stream-troubles.ts';
import type { RoutingTable } from '../table/routing-table.ts';

/** What there is now. */
export interface PageParts {
  /** By the number of the session. */
  readonly sessions: readonly { readonly stream: StreamStats; readonly lastUpdateAtMs: number | undefined }[];
  readonly troubles: StreamTroubles;
  readonly validated: ValidatedData | undefined;
  /** Whether the table is read from a history. */
  readonly isSeeding: boolean;
}

export interface PageOptions {
  readonly table: RoutingTable;
  readonly parts: (isSeeding: boolean) => PageParts;
  readonly figures: TableFigures;
  readonly timers: SteadyClock;
  /** The exporter's version. */
  readonly version: string;
  readonly validity: (prefix: Prefix, origin: AsOrSet) => Validity | undefined;
  /** Names of ASes; undefined when none are configured. */
  readonly names: PageFactsOptions['names'];
  readonly ready: () => Readiness;
  /** Lines above the numbers. */
  readonly notes: () => readonly string[];
}

/** The page and the past that it shows; both are there while somebody can open it. */
export class Pages {
  readonly #options: PageOptions;
  #history: TableHistory | undefined;
  #page: LivePage | undefined;
  #isSeeding = true;
  #isStarted = false;

  constructor(options: PageOptions) {
    this.#options = options;
  }

  get history(): TableHistory | undefined {
    return this.#history;
  }

  get page(): LivePage | undefined {
    return this.#page;
  }

  start(): void {
    this.#isStarted = true;
    this.#page?.start();
  }

  stop(): void {
    this.#page?.stop();
  }

  /** Follows a configuration. The past stays as far as it has room. */
  change(config: Pick<Config, 'web' | 'history' | 'table'>): void {
    this.#isSeeding = config.table.seed;
    if (!config.web.page || !hasWebServer(config)) this.#end();
    else if (this.#history === undefined) this.#begin(config.history);
    else this.#history.setBounds(config.history);
  }

  #begin(bounds: HistoryBounds): void {
    const { table, timers, validity, names, version, parts } = this.#options;
    const history = new TableHistory({ table, ...bounds, now: timers.now });
    const facts = new PageFacts({
      ...{ table, history, validity, names, now: timers.now, machineMs: timers.machineMs },
      isUp: (session) => parts(this.#isSeeding).sessions[session]?.stream.up === true,
      exporter: () => status(this.#options, parts(this.#isSeeding)),
    });
    this.#history = history;
    this.#page = new LivePage({ facts, history, timers, version });
    if (this.#isStarted) this.#page.start();
  }

  #end(): void {
    this.#page?.stop();
    this.#history?.end();
    this.#page = this.#history = undefined;
  }
}

/** What is said of the exporter as a whole. */
function status(options: PageOptions, parts: PageParts): ReturnType<PageFactsOptions['exporter']> {
  const { figures, timers, version, notes } = options;
  const { sessions, troubles, validated, isSeeding } = parts;
  const { machineMs } = timers;
  const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(machineMs(ms)).toISOString());
  const ready = options.ready();
  return {
    started_at: new Date(machineMs(figures.startTimeMs)).toISOString(),
    version,
    ready: ready.ok,
    not_ready_reason: ready.ok ? null : ready.reason,
    table: isSeeding ? (figures.seeded ? 'seeded' : 'unseeded') : 'off',
    restored_from: iso(figures.restoredFromMs),
    notes: [...notes()],
    streams: sessions.flatMap(({ stream, lastUpdateAtMs }, session) => {
      const { source, session: name, up, idle, subscribedPrefixes } = stream;
      const trouble = up ? undefined : troubles.of(session);
      return idle === true
        ? []
        : [
            {
              ...{ source, session: name, up, down_since: iso(trouble?.sinceMs), reason: trouble?.text ?? null },
              ...{ subscribed_prefixes: subscribedPrefixes, last_update_at: iso(lastUpdateAtMs) },
            },
          ];
    }),
    validators: (validated?.sources ?? []).map(({ state }, place) => ({
      ...{ source: String(place), up: state.isUp, usable: state.isUsable(machineMs(timers.now())) },
      // The time is by the clock of the publisher of the data.
      data_at: state.dataAtMs === undefined ? null : new Date(state.dataAtMs).toISOString(),
    })),
  };
}
