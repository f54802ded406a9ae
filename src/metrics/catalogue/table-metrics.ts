/** The metrics of the table as a whole. */
import { AFIS } from '../../bgp/prefix.ts';
import { PROTOCOLS } from '../../bgp/vantage-point.ts';
import { DATA_API_ENDPOINTS, DATA_API_RESULTS, RIPESTAT_CALLS } from '../../stream/history.ts';
import { TABLE_BOUNDS } from '../../table/route-ledger.ts';
import { TIME_ORIGINS } from '../../table/table-clock.ts';
import { DOUBTED_ANSWERS, RESTORE_RESULTS, SEED_RESULTS, SNAPSHOT_RESULTS } from '../figures/table-figures.ts';
import { defineMetrics } from '../metric.ts';

const ONE = 'one';

/** The table as a whole, and how it is kept right. */
export const tableMetrics = defineMetrics({
  vps: {
    otlpName: 'bgp.vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['protocol', 'source'],
    help: 'Vantage points that were heard within table.expected_window, except those known to be down, by the first source that delivers them.',
    bound: `${PROTOCOLS.length} for each source (${PROTOCOLS.join(', ')})`,
  },
  tableRoutes: {
    otlpName: 'bgp.table.routes',
    kind: 'gauge',
    unit: '{route}',
    labels: [],
    help: 'Routes held now, of monitored prefixes and their more-specifics.',
    bound: ONE,
  },
  tableDroppedRoutes: {
    otlpName: 'bgp.table.dropped_routes',
    kind: 'counter',
    unit: '{route}',
    labels: ['reason'],
    help: 'Routes of a seed, a snapshot or a reload that were left out because a bound is reached: vp_limit, more_specific_limit, path_limit (long AS paths). Those of the stream are in bgp_stream_dropped_events_total.',
    bound: `${TABLE_BOUNDS.length} (closed list of reasons)`,
  },
  tableClockOffset: {
    otlpName: 'bgp.table.clock_offset',
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: "How far the clock of the service is ahead of the exporter's clock, which does not follow when the machine's clock is set. Differences below 5 s count as 0. Absent while it is not known; nothing is trusted then.",
    bound: ONE,
  },
  tableClockSteps: {
    otlpName: 'bgp.table.clock_steps',
    kind: 'counter',
    unit: '{step}',
    labels: [],
    help: "How often the machine's clock jumped by more than two seconds against the elapsed time, because it was set or the machine was suspended. Each time the offset to the service is measured again.",
    bound: ONE,
  },
  tableClockRefusedAnswers: {
    otlpName: 'bgp.table.clock_refused_answers',
    kind: 'counter',
    unit: '{answer}',
    labels: [],
    help: 'Answers of a history (the Data API, RIPEstat) whose Date was not believed, because it contradicts other answers or the times of the stream.',
    bound: ONE,
  },
  tableFutureTimes: {
    otlpName: 'bgp.table.future_times',
    kind: 'counter',
    unit: '{time}',
    labels: ['origin'],
    help: 'Times in a history (the Data API, RIPEstat) or in a snapshot that were more than two seconds ahead of now. The present time was taken instead, so that the route does not keep out later news.',
    bound: `${TIME_ORIGINS.length} (closed list of origins)`,
  },
  tableSeeded: {
    otlpName: 'bgp.table.seeded',
    kind: 'gauge',
    unit: '',
    labels: [],
    help: '1 while the table is known to be complete: every prefix was read from the history of a source (the Data API, RIPEstat), and every gap since then was filled. 0 after a start, during a gap and until it is filled, and without access to a history: counts may then be too low or too high.',
    bound: ONE,
  },
  tableSeededPrefixes: {
    otlpName: 'bgp.table.seeded_prefixes',
    kind: 'gauge',
    unit: '{prefix}',
    labels: ['source'],
    help: 'Monitored prefixes whose routes from this source are complete: they were read from its history, and every gap since then was filled. A prefix is trusted when at least one source is complete for it.',
    bound: '1 for each source',
  },
  tableFullFeedUsable: {
    otlpName: 'bgp.table.full_feed_usable',
    kind: 'gauge',
    unit: '',
    labels: ['afi'],
    help: 'Exists only with table.expected_vps: full_feed. 1 while the list of vantage points has some that are up and have a full table of the address family. 0 while it has none: the exporter then counts as with table.expected_vps: seen.',
    bound: `${AFIS.length} (${AFIS.join(', ')})`,
  },
  tableSeedTimestamp: {
    otlpName: 'bgp.table.seed_timestamp',
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: 'When the last successful seed, gap fill or comparison with a history (the Data API, RIPEstat) ended, Unix seconds. Absent before the first one.',
    bound: ONE,
  },
  tableSeeds: {
    otlpName: 'bgp.table.seeds',
    kind: 'counter',
    unit: '{seed}',
    labels: ['result'],
    help: 'Attempts to read a history (the Data API, RIPEstat) into the table, by result: success, or the reason of the failure.',
    bound: `${SEED_RESULTS.length} (closed list of results)`,
  },
  tableSeedCorrections: {
    otlpName: 'bgp.table.seed_corrections',
    kind: 'counter',
    unit: '{route}',
    labels: [],
    help: 'Routes that a comparison of the table with a history (the Data API, RIPEstat) had to correct. They do not count as announcements or withdrawals.',
    bound: ONE,
  },
  tableDoubtedAnswers: {
    otlpName: 'bgp.table.doubted_answers',
    kind: 'counter',
    unit: '{answer}',
    labels: ['endpoint'],
    help: 'Answers of a history (the Data API, RIPEstat) that were not believed at once, because they would have removed much that the stream did not withdraw: vantage_points (most of the list gone or down) or rib. They are applied only when a second question confirms them, or when every answer repeats the same for long. Meanwhile the prefixes are not trusted.',
    bound: `${DOUBTED_ANSWERS.length}`,
  },
  tableSnapshots: {
    otlpName: 'bgp.table.snapshots',
    kind: 'counter',
    unit: '{snapshot}',
    labels: ['result'],
    help: 'Snapshots of the table written to storage.path: success or error.',
    bound: `${SNAPSHOT_RESULTS.length}`,
  },
  tableSnapshotTimestamp: {
    otlpName: 'bgp.table.snapshot_timestamp',
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: 'When the newest snapshot was written or restored, Unix seconds; absent without a snapshot.',
    bound: ONE,
  },
  tableRestores: {
    otlpName: 'bgp.table.restores',
    kind: 'counter',
    unit: '{restore}',
    labels: ['result'],
    help: 'Attempts to restore a snapshot at a start: success, missing, or the reason why the file was renamed and not used: too_old (older than table.expected_window), truncated, version (of another format), foreign (no snapshot), corrupt.',
    bound: `${RESTORE_RESULTS.length} (closed list of results)`,
  },
  dataApiRequests: {
    otlpName: 'bgp.data_api.requests',
    kind: 'counter',
    unit: '{request}',
    labels: ['endpoint', 'result'],
    help: 'Requests to the Data API by endpoint and result: success, bad_request, forbidden, not_found, rate_limited, server_error, timeout, network_error, invalid_response.',
    bound: `${DATA_API_ENDPOINTS.length * DATA_API_RESULTS.length} (closed lists)`,
  },
  ripestatRequests: {
    otlpName: 'bgp.ripestat.requests',
    kind: 'counter',
    unit: '{request}',
    labels: ['call', 'result'],
    help: 'Requests to RIPEstat, the history of RIS Live, by data call and result (as bgp_data_api_requests_total). Absent without the source ris-live. RIPE NCC asks everybody who makes more than 1,000 a day to contact them.',
    bound: `${RIPESTAT_CALLS.length * DATA_API_RESULTS.length} (closed lists)`,
  },
});
