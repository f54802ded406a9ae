import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BOUNDS_DOC, boundsDoc, SECTIONS } from '../../docs/generate-bounds-doc.ts';
import { DECODE_FAILURES } from '../../src/bgproutes/live/message.ts';
import { BMP_DECODE_FAILURES } from '../../src/kafka/bmp/failures.ts';
import { HTTP_CUT_REASONS } from '../../src/metrics/figures/exporter-figures.ts';
import { SEED_RESULTS } from '../../src/metrics/figures/table-figures.ts';
import { RPKI_RESULTS } from '../../src/rpki/source-state.ts';
import { DISCONNECT_REASONS } from '../../src/stream/source.ts';
import { BOUNDS } from '../../src/table/bounds.ts';
import { DROP_REASONS } from '../../src/table/fold.ts';
import { TABLE_BOUNDS } from '../../src/table/route-ledger.ts';

/** By metric and label: the closed list whose members become series. */
const LISTS: Readonly<Record<string, readonly string[]>> = {
  'bgp_stream_dropped_events_total reason': DROP_REASONS,
  'bgp_exporter_http_cut_connections_total reason': HTTP_CUT_REASONS,
  'bgp_table_seeds_total result': SEED_RESULTS,
  'bgp_stream_decode_failures_total reason': [...DECODE_FAILURES, ...BMP_DECODE_FAILURES],
  'bgp_stream_disconnects_total reason': DISCONNECT_REASONS,
  'bgp_rpki_updates_total result': RPKI_RESULTS,
  'bgp_exporter_dropped_series metric': [
    'bgp_prefix_origin_vps',
    'bgp_prefix_upstream_vps',
    'bgp_prefix_more_specific_vps',
  ],
};

describe('docs/bounds.md', () => {
  const entries = SECTIONS.flatMap((section) => section.entries);

  it('is what the bounds say: npm run docs:bounds writes it', () => {
    expect(readFileSync(BOUNDS_DOC, 'utf8')).toBe(boundsDoc());
  });

  it('names counters that exist', () => {
    const counters = entries.flatMap(({ counter }) => (counter === undefined ? [] : [counter]));
    for (const { metric, label } of counters) {
      if (label === undefined) continue;
      expect(metric.labels).toContain(label[0]);
      expect(LISTS[`${metric.name} ${label[0]}`], metric.name).toContain(label[1]);
    }
    expect(counters.length).toBeGreaterThan(10);
  });

  it('has each bound of the table, and each that a file sets', () => {
    const reasons = entries.flatMap(({ counter }) => counter?.label?.[1] ?? []);
    expect(reasons).toEqual(expect.arrayContaining([...TABLE_BOUNDS, 'hold_overflow']));
    const text = boundsDoc();
    for (const { key } of Object.values(BOUNDS)) expect(text).toContain(`\`${key}\``);
  });
});
