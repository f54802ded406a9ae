/** What an ingest writes for the exporters of a fleet. */
import { defineMetrics } from '../metric.ts';

/** Only of `bgproutes-exporter ingest`. */
export const ingestMetrics = defineMetrics({
  ingestWriting: {
    otlpName: 'bgp.ingest.writing',
    kind: 'gauge',
    unit: '',
    labels: [],
    help: '1 while this ingest writes. 0 while another ingest writes and this one waits, or while it reaches no broker.',
    bound: '1',
  },
  ingestRecords: {
    otlpName: 'bgp.ingest.records',
    kind: 'counter',
    unit: '{record}',
    labels: [],
    help: 'Records that were written into the topic of events.',
    bound: '1',
  },
  ingestWritten: {
    otlpName: 'bgp.ingest.written',
    kind: 'counter',
    unit: 'By',
    labels: [],
    help: 'Bytes of the records that were written into the topic of events.',
    bound: '1',
  },
  ingestFailures: {
    otlpName: 'bgp.ingest.failures',
    kind: 'counter',
    unit: '{request}',
    labels: [],
    help: 'Requests to write that failed. Each is repeated until the brokers accept it; meanwhile events wait.',
    bound: '1',
  },
  ingestLost: {
    otlpName: 'bgp.ingest.lost',
    kind: 'counter',
    unit: '{record}',
    labels: [],
    help: 'Records that were given up, because the brokers accepted none for too long, or the record was too large. Each is a gap, which is filled from the history.',
    bound: '1',
  },
  ingestUnmonitored: {
    otlpName: 'bgp.ingest.unmonitored',
    kind: 'counter',
    unit: '{update}',
    labels: [],
    help: 'Updates with a prefix that is not monitored. Such prefixes are not written.',
    bound: '1',
  },
});
