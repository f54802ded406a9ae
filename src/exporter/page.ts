/** The page for people, of the parts of a running exporter. */
import type { AsOrSet } from '../bgp/as-path.ts';
import type { Prefix } from '../bgp/prefix.ts';
import type { TableHistory } from '../history/table-history.ts';
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

export interface PageOptions {
  readonly table: RoutingTable;
  readonly history: TableHistory;
  /** By the number of the session. */
  readonly sessions: readonly { readonly stream: StreamStats; readonly lastUpdateAtMs: number | undefined }[];
  readonly troubles: StreamTroubles;
  readonly figures: TableFigures;
  readonly validated: ValidatedData | undefined;
  readonly timers: SteadyClock;
  /** Of the exporter. */
  readonly version: string;
  /** Whether the table is read from a history. */
  readonly isSeeding: boolean;
  readonly validity: (prefix: Prefix, origin: AsOrSet) => Validity | undefined;
  /** Of ASes; undefined: none are configured. */
  readonly names: PageFactsOptions['names'];
  readonly ready: () => Readiness;
  /** Lines above the numbers. */
  readonly notes: () => readonly string[];
}

export function makePage(options: PageOptions): LivePage {
  const { table, history, sessions, timers, validity, names, version } = options;
  const facts = new PageFacts({
    ...{ table, history, validity, names, now: timers.now, machineMs: timers.machineMs },
    isUp: (session) => sessions[session].stream.up,
    exporter: () => status(options),
  });
  return new LivePage({ facts, history, timers, version });
}

/** What is said of the exporter as a whole. */
function status(options: PageOptions): ReturnType<PageFactsOptions['exporter']> {
  const { sessions, troubles, figures, validated, timers, version, isSeeding, notes } = options;
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
      // By the clock of whoever made the data.
      data_at: state.dataAtMs === undefined ? null : new Date(state.dataAtMs).toISOString(),
    })),
  };
}
