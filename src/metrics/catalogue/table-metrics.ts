/** The metrics of the table as a whole. */
import { defineMetrics } from '../metric.ts';

const ONE = 'one';

/** The table as a whole, and how it is kept right. */
export const tableMetrics = defineMetrics({
  vps: {
    otlpName: 'bgp.vps',
    kind: 'gauge',
    unit: '{vp}',
    labels: ['protocol'],
    help: 'Vantage points heard of within table.expected_window, less those known to be down.',
    bound: '2 (bgp, bmp)',
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
    help: 'Routes of a seed, a snapshot or a reload that were left out because a bound is reached: vp_limit, more_specific_limit. Those of the stream are in bgp_stream_dropped_events_total.',
    bound: '2 (closed list of reasons)',
  },
  tableSeeded: {
    otlpName: 'bgp.table.seeded',
    kind: 'gauge',
    unit: '',
    labels: [],
    help: '1 while the table is known to be complete: read from the Data API, and every gap since then filled. 0 right after a start, during and after a gap, and without access to the Data API: counts may then be too low or too high.',
    bound: ONE,
  },
  tableFullFeedUsable: {
    otlpName: 'bgp.table.full_feed_usable',
    kind: 'gauge',
    unit: '',
    labels: ['afi'],
    help: 'With table.expected_vps full_feed: 1 while the list of vantage points names some that are up and have a full table of the address family, 0 while it does not: those that held a route are then the expected ones, as with seen. Absent with seen.',
    bound: '2 (ipv4, ipv6)',
  },
  tableSeedTimestamp: {
    otlpName: 'bgp.table.seed_timestamp',
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: 'When the last successful seed, gap fill or comparison with the Data API ended, Unix seconds; absent before the first.',
    bound: ONE,
  },
  tableSeeds: {
    otlpName: 'bgp.table.seeds',
    kind: 'counter',
    unit: '{seed}',
    labels: ['result'],
    help: 'Readings of the Data API into the table: success, or what they failed of.',
    bound: '6 (closed list of results)',
  },
  tableSeedCorrections: {
    otlpName: 'bgp.table.seed_corrections',
    kind: 'counter',
    unit: '{route}',
    labels: [],
    help: 'Routes that differed from the Data API when the table was compared with it, and were corrected: drift as a number. Neither announcements nor withdrawals.',
    bound: ONE,
  },
  tableSnapshots: {
    otlpName: 'bgp.table.snapshots',
    kind: 'counter',
    unit: '{snapshot}',
    labels: ['result'],
    help: 'Snapshots of the table written to storage.path: success or error.',
    bound: '2',
  },
  tableSnapshotTimestamp: {
    otlpName: 'bgp.table.snapshot_timestamp',
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: 'When the newest snapshot was written or restored, Unix seconds; absent without one.',
    bound: ONE,
  },
  tableRestores: {
    otlpName: 'bgp.table.restores',
    kind: 'counter',
    unit: '{restore}',
    labels: ['result'],
    help: 'Snapshots looked for at start: success, missing, or why the file was set aside: too_old (older than table.expected_window), truncated, version (of another format), foreign (no snapshot), corrupt.',
    bound: '7 (closed list of results)',
  },
  dataApiRequests: {
    otlpName: 'bgp.data_api.requests',
    kind: 'counter',
    unit: '{request}',
    labels: ['endpoint', 'result'],
    help: 'Requests to the Data API by endpoint and result: success, bad_request, forbidden, not_found, rate_limited, server_error, timeout, network_error, invalid_response.',
    bound: '27 (closed lists)',
  },
});
