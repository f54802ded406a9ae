/** Where validated RPKI data comes from, and how fresh it is. */
import { MAX_TRUST_ANCHORS, RPKI_CHANGES } from '../../rpki/rpki-data.ts';
import { RPKI_RESULTS } from '../../rpki/source-state.ts';
import { defineMetrics } from '../metric.ts';

const PER_SOURCE = 'one for each source';

/** Only where `rpki` is configured. `rpki_source` is the place in the list of sources, never a URL. */
export const rpkiMetrics = defineMetrics({
  rpkiUp: {
    otlpName: 'bgp.rpki.up',
    kind: 'gauge',
    unit: '',
    labels: ['rpki_source'],
    help: '1 when the last attempt to read the source was answered.',
    bound: PER_SOURCE,
  },
  rpkiUsable: {
    otlpName: 'bgp.rpki.usable',
    kind: 'gauge',
    unit: '',
    labels: [],
    help: '1 while a source has data that is fresh enough for verdicts. 0: metrics that need it are absent.',
    bound: '1',
  },
  rpkiVrps: {
    otlpName: 'bgp.rpki.vrps',
    kind: 'gauge',
    unit: '{vrp}',
    labels: ['rpki_source', 'ta'],
    help: 'VRPs that the source has now, by trust anchor ("unknown" if the source does not name them, as over RTR). Absent before the first reading. All VRPs are counted; only those that concern a monitored prefix are kept.',
    bound: `${MAX_TRUST_ANCHORS + 1} for each source`,
  },
  rpkiAspas: {
    otlpName: 'bgp.rpki.aspas',
    kind: 'gauge',
    unit: '{as}',
    labels: ['rpki_source'],
    help: 'Customer ASes with an ASPA that the source has now; absent before the first reading.',
    bound: PER_SOURCE,
  },
  rpkiDataTimestamp: {
    otlpName: 'bgp.rpki.data_timestamp',
    kind: 'gauge',
    unit: 's',
    labels: ['rpki_source'],
    help: 'When the data of the source was validated, or when it was read if the source does not tell; Unix seconds. Data older than rpki.max_age is not used. Absent before the first reading.',
    bound: PER_SOURCE,
  },
  rpkiUpdateTimestamp: {
    otlpName: 'bgp.rpki.update_timestamp',
    kind: 'gauge',
    unit: 's',
    labels: ['rpki_source'],
    help: 'When the source last answered, with changes or without; Unix seconds. Absent before the first answer.',
    bound: PER_SOURCE,
  },
  rpkiUpdates: {
    otlpName: 'bgp.rpki.updates',
    kind: 'counter',
    unit: '{update}',
    labels: ['rpki_source', 'result'],
    help: 'Attempts to read the source, by result: success and unchanged are good; after empty, truncated, unreadable and too_large the old data stays in use; unavailable, timeout, no_data (nothing validated yet); cache_reset and new_session (all is read again), error_report and protocol_error only over RTR.',
    bound: `${RPKI_RESULTS.length} for each source`,
  },
  rpkiChanges: {
    otlpName: 'bgp.rpki.changes',
    kind: 'counter',
    unit: '{change}',
    labels: ['rpki_source', 'change'],
    help: 'Differences between one set of data and the next: vrp_added and vrp_removed count VRPs that concern a monitored prefix; aspa_added, aspa_changed and aspa_removed count all ASPAs.',
    bound: `${RPKI_CHANGES.length} for each source`,
  },
});
