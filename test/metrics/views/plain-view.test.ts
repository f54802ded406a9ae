import { describe, expect, it } from 'vitest';
import { DECODE_FAILURES } from '../../../src/bgproutes/live/message.ts';
import { ExporterFigures } from '../../../src/metrics/figures/exporter-figures.ts';
import { Histogram } from '../../../src/metrics/figures/histogram.ts';
import { DELAY_BOUNDS, type SessionFigures } from '../../../src/metrics/figures/stream-figures.ts';
import {
  RESTORE_RESULTS,
  SEED_RESULTS,
  SNAPSHOT_RESULTS,
  TableFigures,
} from '../../../src/metrics/figures/table-figures.ts';
import { zeros } from '../../../src/metrics/figures/zeros.ts';
import type { FamilySource } from '../../../src/metrics/metric.ts';
import { ExporterView } from '../../../src/metrics/views/exporter-view.ts';
import { StreamView } from '../../../src/metrics/views/stream-view.ts';
import { TableView } from '../../../src/metrics/views/table-view.ts';
import { TextWriter } from '../../../src/outputs/text/prometheus.ts';
import { DISCONNECT_REASONS, RENEWAL_RESULTS, type SubscriptionStats } from '../../../src/stream/source.ts';
import { createSubscriptionStats } from '../../../src/stream/stream-health.ts';
import { FoldCounts } from '../../../src/table/fold.ts';
import { RoutingTable } from '../../../src/table/routing-table.ts';
import { readExposition, seriesOf } from '../../support/exposition.ts';

const NOW = 1_700_000_000_000;
const series = (source: FamilySource) => seriesOf(readExposition(new TextWriter('text').render([source]), 'text'));

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface MutableStream extends Mutable<SessionFigures['stream']> {
  subscription: SubscriptionStats;
}

function session(
  more: Partial<Omit<SessionFigures['stream'], 'subscription'>> = {},
): Mutable<SessionFigures> & { readonly counts: FoldCounts; readonly stream: MutableStream } {
  return {
    stream: {
      ...{
        source: 'bgproutes',
        session: '0',
        startTimeMs: NOW,
        up: false,
        connects: 0,
        disconnects: zeros(DISCONNECT_REASONS),
      },
      ...{
        gapMs: 0,
        gapSinceMs: undefined,
        frames: 0,
        receivedBytes: 0,
        subscribedPrefixes: 0,
      },
      subscription: createSubscriptionStats(),
      ...more,
    },
    decodeFailures: zeros(DECODE_FAILURES),
    generalDecodes: 0,
    updates: 0,
    lastUpdateAtMs: undefined,
    counts: new FoldCounts(),
    delay: new Histogram(DELAY_BOUNDS),
    canaryAtMs: undefined,
  };
}

describe('a session of the stream', () => {
  const S = 'session="0",source="bgproutes"';

  it('has every series of its closed lists from the start, at 0, and no time that has not been', () => {
    const all = series(new StreamView([session()], () => NOW).collect());
    for (const reason of DISCONNECT_REASONS)
      expect(all.get(`bgp_stream_disconnects_total{reason="${reason}",${S}}`)).toBe(0);
    for (const reason of DECODE_FAILURES)
      expect(all.get(`bgp_stream_decode_failures_total{reason="${reason}",${S}}`)).toBe(0);
    for (const reason of Object.keys(new FoldCounts().dropped))
      expect(all.get(`bgp_stream_dropped_events_total{reason="${reason}",${S}}`)).toBe(0);
    for (const result of RENEWAL_RESULTS)
      expect(all.get(`bgp_stream_subscription_renewals_total{result="${result}",${S}}`)).toBe(0);
    for (const name of [
      'up',
      'connects_total',
      'gap_seconds_total',
      'frames_total',
      'subscription_losses_total',
      'updates_total',
      'received_bytes_total',
      'slow_decodes_total',
      'future_timestamps_total',
      'untimed_messages_total',
      'slow_clock_messages_total',
      'unmonitored_prefixes_total',
      'subscribed_prefixes',
      'delay_seconds_count',
    ])
      expect([name, all.get(`bgp_stream_${name}{${S}}`)]).toEqual([name, 0]);
    expect([...all.keys()].filter((name) => name.includes('timestamp_seconds'))).toEqual([]);
  });

  it('has no series of what its source or its decoder does not have', () => {
    const one = session();
    const all = series(
      new StreamView(
        [{ ...one, generalDecodes: undefined, stream: { ...one.stream, subscription: undefined } }],
        () => NOW,
      ).collect(),
    );
    const left = [...all.keys()].filter((name) => /slow_decodes|subscription_|unused/.test(name));
    expect([left, all.get(`bgp_stream_subscribed_prefixes{${S}}`)]).toEqual([[], 0]);
  });

  it('shows what its numbers are at the time of the scrape', () => {
    const one = session();
    const view = new StreamView([one], () => NOW);
    const writer = new TextWriter('text');
    const read = () => seriesOf(readExposition(writer.render([view.collect()]), 'text'));
    read();
    Object.assign(one.stream, {
      up: true,
      frames: 7,
      receivedBytes: 4096,
    });
    one.stream.subscription.expiresAtMs = NOW + 4 * 3_600_000;
    one.updates = 5;
    one.lastUpdateAtMs = NOW + 500;
    one.canaryAtMs = NOW + 250;
    one.counts.dropped.out_of_order = 3;
    const all = read();
    expect(all.get(`bgp_stream_up{${S}}`)).toBe(1);
    expect(all.get(`bgp_stream_frames_total{${S}}`)).toBe(7);
    expect(all.get(`bgp_stream_updates_total{${S}}`)).toBe(5);
    expect(all.get(`bgp_stream_received_bytes_total{${S}}`)).toBe(4096);
    expect(all.get(`bgp_stream_last_frame_timestamp_seconds{${S}}`)).toBe(NOW / 1000 + 0.5);
    expect(all.get(`bgp_stream_canary_timestamp_seconds{${S}}`)).toBe(NOW / 1000 + 0.25);
    expect(all.get(`bgp_stream_subscription_expiry_timestamp_seconds{${S}}`)).toBe(NOW / 1000 + 14_400);
    expect(all.get(`bgp_stream_dropped_events_total{reason="out_of_order",${S}}`)).toBe(3);
  });

  it('counts a gap while it lasts, and nothing below the gaps that are over', () => {
    const one = session({ gapMs: 2_000, gapSinceMs: NOW });
    let elapsed = NOW + 1_500;
    const view = new StreamView([one], () => elapsed);
    const gap = () => series(view.collect()).get(`bgp_stream_gap_seconds_total{${S}}`);
    expect(gap()).toBe(3.5);
    elapsed += 500;
    expect(gap()).toBe(4);
    Object.assign(one.stream, { gapMs: 9_000, gapSinceMs: undefined });
    expect(gap()).toBe(9);
  });

  it('stands beside others', () => {
    const view = new StreamView([session(), session({ session: '1', up: true })], () => NOW);
    const all = series(view.collect());
    expect(all.get('bgp_stream_up{session="0",source="bgproutes"}')).toBe(0);
    expect(all.get('bgp_stream_up{session="1",source="bgproutes"}')).toBe(1);
  });

  it.each([
    [-5, 0],
    [0, 0],
    [0.1, 0],
    [0.100001, 1],
    [1, 3],
    [900, 11],
    [900.1, 12],
    [1e9, 12],
  ])('a delay of %d s falls into bucket %d', (seconds, bucket) => {
    const delay = new Histogram(DELAY_BOUNDS);
    delay.observe(seconds);
    expect([...delay.counts].indexOf(1)).toBe(bucket);
    expect([delay.count, delay.sum, delay.counts.length]).toEqual([1, Math.max(0, seconds), DELAY_BOUNDS.length + 1]);
  });
});

describe('the table as a whole', () => {
  it('counts requests to RIPEstat, where RIS Live is a source', () => {
    const figures = new TableFigures(NOW);
    figures.countRequest('bgp-state', 'success');
    const table = new RoutingTable({}, [{ name: 'ris-live', sessions: 1 }]);
    const all = [...series(new TableView(table, figures).collect())].filter(([name]) =>
      name.startsWith('bgp_ripestat'),
    );
    expect(all).toHaveLength(45);
    expect(all.filter(([, value]) => value !== 0)).toEqual([
      ['bgp_ripestat_requests_total{call="bgp-state",result="success"}', 1],
    ]);
  });

  it('has every series of its closed lists from the start', () => {
    const all = series(new TableView(new RoutingTable(), new TableFigures(NOW)).collect());
    expect(Object.fromEntries([...all].filter(([name]) => !name.startsWith('bgp_data_api')))).toEqual({
      'bgp_vps{protocol="bgp",source="bgproutes"}': 0,
      'bgp_vps{protocol="bmp",source="bgproutes"}': 0,
      'bgp_table_routes{}': 0,
      'bgp_table_dropped_routes_total{reason="vp_limit"}': 0,
      'bgp_table_dropped_routes_total{reason="more_specific_limit"}': 0,
      'bgp_table_dropped_routes_total{reason="path_limit"}': 0,
      'bgp_table_clock_steps_total{}': 0,
      'bgp_table_clock_refused_answers_total{}': 0,
      'bgp_table_future_times_total{origin="history"}': 0,
      'bgp_table_future_times_total{origin="snapshot"}': 0,
      'bgp_table_seeded{}': 0,
      'bgp_table_seeded_prefixes{source="bgproutes"}': 0,
      ...closed('bgp_table_seeds_total', SEED_RESULTS),
      'bgp_table_seed_corrections_total{}': 0,
      'bgp_table_doubted_answers_total{endpoint="vantage_points"}': 0,
      'bgp_table_doubted_answers_total{endpoint="rib"}': 0,
      ...closed('bgp_table_snapshots_total', SNAPSHOT_RESULTS),
      ...closed('bgp_table_restores_total', RESTORE_RESULTS),
    });
    expect([...all.keys()].filter((name) => name.startsWith('bgp_data_api_requests_total'))).toHaveLength(27);
  });

  it('says nothing of being complete where no table is kept: an ingest would be an alert for ever', () => {
    const names = [
      ...series(new TableView(new RoutingTable(), new TableFigures(NOW), undefined, false).collect()).keys(),
    ];
    expect(names.filter((name) => name.startsWith('bgp_table_seeded'))).toEqual([]);
    expect(names).toContain('bgp_table_seeds_total{result="success"}');
  });

  it('shows the table and the figures as they are', () => {
    const table = new RoutingTable();
    const figures = new TableFigures(NOW);
    const view = new TableView(table, figures);
    table.hear(
      table.vps.add({ protocol: 'bmp', asn: 64500, ip: '192.0.2.1', parent: { asn: 64501, ip: '192.0.2.2' } }),
      NOW,
    );
    table.droppedRoutes.vp_limit = 4;
    figures.seeded = true;
    figures.seedAtMs = NOW;
    figures.snapshotAtMs = NOW + 1;
    figures.corrections = 3;
    figures.countRequest('rib', 'timeout');
    figures.countRequest('rib', 'timeout');
    const all = series(view.collect());
    expect(all.get('bgp_vps{protocol="bmp",source="bgproutes"}')).toBe(1);
    expect(all.get('bgp_table_dropped_routes_total{reason="vp_limit"}')).toBe(4);
    expect(all.get('bgp_table_seeded{}')).toBe(1);
    expect(all.get('bgp_table_seed_timestamp_seconds{}')).toBe(NOW / 1000);
    expect(all.get('bgp_table_snapshot_timestamp_seconds{}')).toBe(NOW / 1000 + 0.001);
    expect(all.get('bgp_table_seed_corrections_total{}')).toBe(3);
    expect(all.get('bgp_data_api_requests_total{endpoint="rib",result="timeout"}')).toBe(2);
    expect(all.get('bgp_data_api_requests_total{endpoint="rib",result="success"}')).toBe(0);
  });

  const closed = (name: string, results: readonly string[]) =>
    Object.fromEntries(results.map((result) => [`${name}{result="${result}"}`, 0]));
});

describe('the exporter itself', () => {
  it('says what runs, and has every series from the start', () => {
    const figures = new ExporterFigures(NOW, { version: '1.2.3', revision: 'abc "dirty"', nodeVersion: 'v20.1.0' });
    figures.http.cuts.pipelining = 1;
    const view = new ExporterView(figures, () => new Map([['bgp_prefix_origin_vps', 5]]));
    expect(Object.fromEntries(series(view.collect()))).toEqual({
      'bgp_exporter_build_info{node_version="v20.1.0",revision="abc \\"dirty\\"",version="1.2.3"}': 1,
      'bgp_exporter_config_last_reload_successful{}': 1,
      'bgp_exporter_web_config_last_reload_successful{}': 1,
      'bgp_exporter_http_cut_connections_total{reason="tls_handshake"}': 0,
      'bgp_exporter_http_cut_connections_total{reason="client_certificate"}': 0,
      'bgp_exporter_config_last_reload_success_timestamp_seconds{}': NOW / 1000,
      'bgp_exporter_http_cut_connections_total{reason="connection_limit"}': 0,
      'bgp_exporter_http_cut_connections_total{reason="address_limit"}': 0,
      'bgp_exporter_http_cut_connections_total{reason="pipelining"}': 1,
      'bgp_exporter_http_cut_connections_total{reason="scrape_limit"}': 0,
      'bgp_exporter_http_cut_connections_total{reason="page_limit"}': 0,
      'bgp_exporter_http_cut_connections_total{reason="slow_request"}': 0,
      'bgp_exporter_http_cut_connections_total{reason="slow_answer"}': 0,
      'bgp_exporter_http_cut_connections_total{reason="bad_request"}': 0,
      'bgp_exporter_otlp_exports_total{result="success"}': 0,
      'bgp_exporter_otlp_exports_total{result="partial"}': 0,
      'bgp_exporter_otlp_exports_total{result="rejected"}': 0,
      'bgp_exporter_otlp_exports_total{result="unavailable"}': 0,
      'bgp_exporter_otlp_exports_total{result="error"}': 0,
      'bgp_exporter_dropped_series{metric="bgp_prefix_origin_vps"}': 5,
      'bgp_exporter_dropped_series{metric="bgp_prefix_upstream_vps"}': 0,
      'bgp_exporter_dropped_series{metric="bgp_prefix_more_specific_vps"}': 0,
    });
    figures.webConfigSuccessful = false;
    figures.reloadSuccessful = false;
    figures.otlpExports.unavailable++;
    const later = series(view.collect());
    expect(later.get('bgp_exporter_config_last_reload_successful{}')).toBe(0);
    expect(later.get('bgp_exporter_web_config_last_reload_successful{}')).toBe(0);
    expect(later.get('bgp_exporter_otlp_exports_total{result="unavailable"}')).toBe(1);
  });
});
