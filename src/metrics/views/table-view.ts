/** The metrics of the table as a whole: its size, and how it is kept right. */

import { AFIS } from '../../bgp/prefix.ts';
import { PROTOCOLS } from '../../bgp/vantage-point.ts';
import { DATA_API_ENDPOINTS, DATA_API_RESULTS, RIPESTAT_CALLS } from '../../stream/history.ts';
import { TABLE_BOUNDS } from '../../table/route-ledger.ts';
import type { RoutingTable } from '../../table/routing-table.ts';
import { TIME_ORIGINS } from '../../table/table-clock.ts';
import { countsFullFeeds } from '../../table/vps/denominator.ts';
import { tableMetrics } from '../catalogue.ts';
import {
  DOUBTED_ANSWERS,
  RESTORE_RESULTS,
  SEED_RESULTS,
  SNAPSHOT_RESULTS,
  type TableFigures,
} from '../figures/table-figures.ts';
import { type FamilySource, Labels, type Metric } from '../metric.ts';
import { each, PlainGroup, single, type Write } from './plain-group.ts';
import { seconds } from './stream-view.ts';

export class TableView {
  readonly #groups: readonly PlainGroup[];

  /**
   * @param machineMs what the machine's clock shows at a time, both Unix ms
   * @param isKept false for an ingest, which writes what it reads and keeps no table that could be complete
   */
  constructor(
    table: RoutingTable,
    figures: TableFigures,
    machineMs: (ms: number) => number = (ms) => ms,
    isKept = true,
  ) {
    const none = Labels.none;
    this.#groups = [
      new PlainGroup(figures.startTimeMs, {
        vps: vps(table),
        tableRoutes: single(none, () => table.routes),
        tableDroppedRoutes: each(none, 'reason', TABLE_BOUNDS, (reason) => table.droppedRoutes[reason]),
        tableClockOffset: single(none, () => seconds(figures.clockOffsetMs)),
        tableClockSteps: single(none, () => figures.clockSteps),
        tableClockRefusedAnswers: single(none, () => figures.refusedClockAnswers),
        tableFutureTimes: each(none, 'origin', TIME_ORIGINS, (origin) => table.clock.futureTimes[origin]),
        tableSeeded: isKept ? single(none, () => (figures.seeded ? 1 : 0)) : () => {},
        tableSeededPrefixes: isKept
          ? each(none, 'source', table.ownership.sources, (source) => figures.seededPrefixes.get(source) ?? 0)
          : () => {},
        tableFullFeedUsable:
          table.options.expectedVps === 'full_feed'
            ? each(none, 'afi', AFIS, (afi) => (countsFullFeeds(table, afi) ? 1 : 0))
            : () => {},
        tableSeedTimestamp: single(none, () => seconds(figures.seedAtMs, machineMs)),
        tableSeeds: each(none, 'result', SEED_RESULTS, (result) => figures.seeds[result]),
        tableSeedCorrections: single(none, () => figures.corrections),
        tableDoubtedAnswers: each(none, 'endpoint', DOUBTED_ANSWERS, (endpoint) => figures.doubtedAnswers[endpoint]),
        tableSnapshots: each(none, 'result', SNAPSHOT_RESULTS, (result) => figures.snapshots[result]),
        tableSnapshotTimestamp: single(none, () => seconds(figures.snapshotAtMs, machineMs)),
        tableRestores: each(none, 'result', RESTORE_RESULTS, (result) => figures.restores[result]),
        dataApiRequests: requests(figures, 'endpoint', DATA_API_ENDPOINTS),
        ripestatRequests: table.ownership.sources.includes('ris-live')
          ? requests(figures, 'call', RIPESTAT_CALLS)
          : () => {},
      } satisfies Record<keyof typeof tableMetrics, Write>),
    ];
  }

  collect(): FamilySource {
    for (const group of this.#groups) group.renew();
    return { metrics: METRICS, groups: this.#groups };
  }
}

function requests(figures: TableFigures, label: string, names: readonly string[]): Write {
  const points = names.flatMap((name) =>
    DATA_API_RESULTS.map((result) => ({
      key: `${name} ${result}`,
      labels: new Labels([label, 'result'], [name, result]),
    })),
  );
  return (sink) => {
    for (const { key, labels } of points) sink.number(labels, figures.requests.get(key) ?? 0);
  };
}

/** Counts VPs by protocol and by the first source that delivers them. */
function vps(table: RoutingTable): Write {
  const { sources, isShared, delivers } = table.ownership;
  const points = sources.flatMap((source, place) =>
    PROTOCOLS.map((protocol) => ({ protocol, place, labels: new Labels(['protocol', 'source'], [protocol, source]) })),
  );
  if (!isShared) {
    return (sink) => {
      for (const { protocol, labels } of points) sink.number(labels, table.vpsByProtocol[protocol]);
    };
  }
  return (sink) => {
    const counts = sources.map(() => ({ bgp: 0, bmp: 0 }));
    for (let vp = 0; vp < table.vps.end; vp++) {
      const known = table.vps.counted[vp] === 1 ? table.vps.get(vp) : undefined;
      // A VP of a restored table that no source delivers yet counts under the first source.
      if (known !== undefined) counts[Math.max(0, 31 - Math.clz32(delivers[vp] & -delivers[vp]))][known.protocol]++;
    }
    for (const { protocol, place, labels } of points) sink.number(labels, counts[place][protocol]);
  };
}

const METRICS: readonly Metric[] = Object.values(tableMetrics);
