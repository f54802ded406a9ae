/** What a member and an ingest show of themselves. */
import { expect, it } from 'vitest';
import { FleetSource } from '../../src/fleet/member/fleet-feed.ts';
import { fleetMetrics, ingestMetrics } from '../../src/metrics/catalogue.ts';
import { Histogram } from '../../src/metrics/figures/histogram.ts';
import { DELAY_BOUNDS } from '../../src/metrics/figures/stream-figures.ts';
import { FleetView } from '../../src/metrics/views/fleet-view.ts';
import { IngestView } from '../../src/metrics/views/ingest-view.ts';
import { StreamView } from '../../src/metrics/views/stream-view.ts';
import { FoldCounts } from '../../src/table/fold.ts';
import { ManualTimers } from '../stream/manual-timers.ts';

it('has series of the streams of those partitions that are its own, and of no others', () => {
  const source = new FleetSource(64, new ManualTimers(), { onStart: () => {}, onStop: () => Promise.resolve() });
  const sessions = source.stats.map((stream) => ({
    ...{ stream, counts: new FoldCounts(), delay: new Histogram(DELAY_BOUNDS), decodeFailures: {}, updates: 0 },
    ...{ unused: {}, generalDecodes: 0, lastUpdateAtMs: undefined, canaryAtMs: undefined },
  }));
  const view = new StreamView(sessions, () => 0);
  const shown = () => {
    const found = new Set<string>();
    const { metrics, groups } = view.collect();
    const note = ({ values }: { readonly values: readonly string[] }) => void found.add(values.slice(0, 2).join(' '));
    for (const group of groups) for (const metric of metrics) group.visit(metric, { number: note, histogram: note });
    return [...found];
  };
  expect(shown()).toEqual([]);
  source.own(7);
  source.own(9);
  expect(shown()).toEqual(['fleet 7', 'fleet 9']);
  source.release(7);
  expect(shown()).toEqual(['fleet 9']);
});

it('shows of an ingest what it has written, and what it could not', () => {
  const writer = { written: 1, writtenBytes: 2, failures: 3, lost: 4, unmonitored: 5 };
  const { metrics, groups } = new IngestView({ isWriting: true, writer }, 0).collect();
  const values = metrics.map((metric) => {
    const read: number[] = [];
    for (const group of groups) group.visit(metric, { number: (_, value) => read.push(value), histogram: () => {} });
    return read;
  });
  expect(metrics).toEqual(Object.values(ingestMetrics));
  expect(values).toEqual([[1], [1], [2], [3], [4], [5]]);
});

it('has a series of each reason for which records were not read, from the first scrape', () => {
  const unreadable = { foreign: 0, compression: 0, damaged: 3, state: 0 };
  const { metrics, groups } = new FleetView(
    { isMember: true, partitions: 64, restoreMs: undefined, unreadable, fenced: 2, owned: () => [] },
    0,
  ).collect();
  const read: [string, readonly string[], number][] = [];
  for (const metric of metrics)
    for (const group of groups)
      group.visit(metric, {
        number: ({ values }, value) => read.push([metric.name, values, value]),
        histogram: () => {},
      });
  const { fleetUnreadable, fleetFenced } = fleetMetrics;
  expect(read.filter(([name]) => [fleetUnreadable.name, fleetFenced.name].includes(name))).toEqual([
    [fleetUnreadable.name, ['foreign'], 0],
    [fleetUnreadable.name, ['compression'], 0],
    [fleetUnreadable.name, ['damaged'], 3],
    [fleetUnreadable.name, ['state'], 0],
    [fleetFenced.name, [], 2],
  ]);
});
