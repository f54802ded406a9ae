/**
 * What an OpenTelemetry Collector makes of the exporter's pushes is what the exporter says itself: names, labels, values,
 * types and texts, series by series, while prefixes and origins come and go.
 */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningExporter } from '../../src/exporter.ts';
import { P4, P6, seeded, type World, world } from '../end-to-end/world.ts';
import { decodeJson } from '../outputs/otlp/decode.ts';
import { type Family, readExposition, seriesOf } from '../support/exposition.ts';
import { PATIENCE_MS, until } from '../support/patience.ts';
import { type Collector, prepareCollector, startCollector } from './collector/collector.ts';

const P4_NEW = '198.51.100.0/24';
const AWKWARD = 'customer "7" \\\\ Zürich, 東京';

let collector: Collector;
beforeAll(prepareCollector, 1_200_000);
const running: Collector[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

/** Families whose values are of the moment in which they are read: their series are compared, not the values. */
const VOLATILE = /^(?:process|nodejs)_|^bgp_exporter_(?:otlp_exports|http_)/;
/** Their labels depend on the moment as well. */
const VOLATILE_LABELS = /^nodejs_(?:active_|gc_)/;

interface Comparable {
  readonly series: Readonly<Record<string, number | string>>;
  readonly families: Readonly<Record<string, readonly [type: string, help: string]>>;
}

/** Labels that the collector adds (`job`, `instance`), and those without a value, which are as good as absent. */
function comparable(families: ReadonlyMap<string, Family>): Comparable {
  const kept = [...families].filter(([name]) => name !== 'target_info');
  const plain = kept.map(([name, family]): [string, Family] => [
    name,
    {
      ...family,
      samples: family.samples.map((sample) => ({
        ...sample,
        labels: Object.fromEntries(
          Object.entries(sample.labels).filter(([key, value]) => key !== 'job' && key !== 'instance' && value !== ''),
        ),
      })),
    },
  ]);
  const stable = plain.filter(([name]) => !VOLATILE_LABELS.test(name));
  const series = [...seriesOf(new Map(stable))].map(([key, value]): [string, number | string] => [
    key,
    VOLATILE.test(key.replace(/\{.*/, '')) ? 'there' : value,
  ]);
  return {
    series: Object.fromEntries(series.sort(([a], [b]) => (a < b ? -1 : 1))),
    families: Object.fromEntries(
      plain.map(([name, { type, help }]): [string, [string, string]] => [name, [type, help]]).sort(),
    ),
  };
}

async function own({ address }: RunningExporter): Promise<Comparable> {
  const response = await fetch(`http://${address}/metrics`);
  return comparable(readExposition(Buffer.from(await response.arrayBuffer()), 'text'));
}

async function theirs(): Promise<Comparable> {
  const body = await collector.scrape();
  // Before the first export there is nothing.
  return comparable(body.length === 0 ? new Map() : readExposition(body, 'text'));
}

/** Waits until the exporter shows what is expected, and the collector the very same. What differs then is shown. */
async function agreement(exporter: RunningExporter, expected: (ours: Comparable) => boolean): Promise<Comparable> {
  for (const limit = Date.now() + PATIENCE_MS; Date.now() < limit; ) {
    const [ours, collected] = [await own(exporter), await theirs()];
    if (expected(ours) && JSON.stringify(ours) === JSON.stringify(collected)) return ours;
    await new Promise((done) => setTimeout(done, 100));
  }
  const ours = await own(exporter);
  expect(await theirs()).toEqual(ours);
  expect(expected(ours), `not yet: ${expected.toString()}`).toBe(true);
  return ours;
}

async function following(otlp: string): Promise<World> {
  collector = await startCollector();
  running.push(collector);
  // In real time: the collector's clock is not ours to hasten.
  const made = await world(
    {
      prefixes: `[{prefix: ${P4}, origins: [64500], upstreams: [64501], group: core, description: '${AWKWARD}'}, {prefix: "${P6}"}]`,
      more: `otlp: {endpoint: "${collector.endpoint}", interval: 1s, ${otlp}}`,
    },
    {},
    1,
  );
  await made.start();
  await seeded(made);
  return made;
}

const withText = ({ series }: Comparable, text: string) => Object.keys(series).filter((key) => key.includes(text));

describe.each([
  ['protobuf', 'protocol: http/protobuf'],
  ['JSON', 'protocol: http/json'],
  ['compressed protobuf', 'protocol: http/protobuf, compression: gzip'],
  ['deltas', 'protocol: http/protobuf, temporality: delta'],
])('a collector that gets %s', (_, otlp) => {
  it('shows what the exporter shows, while prefixes, origins and more-specifics come and go', async () => {
    const made = await following(otlp);
    const { simulator, exporter } = made;

    const visible = `bgp_prefix_visible_vps{prefix="${P4}"}`;
    const calm = await agreement(exporter, ({ series }) => Number(series[visible]) > 10);
    expect(withText(calm, 'description=')).toHaveLength(1);
    // Of every kind, and of every unit that has a word.
    for (const [name, type] of [
      ['bgp_prefix_visible_vps', 'gauge'],
      ['bgp_prefix_visibility_ratio', 'gauge'],
      ['bgp_table_seed_timestamp_seconds', 'gauge'],
      ['bgp_prefix_announcements_total', 'counter'],
      ['bgp_stream_received_bytes_total', 'counter'],
      ['bgp_stream_gap_seconds_total', 'counter'],
      ['bgp_prefix_announced_as_path_length', 'histogram'],
      ['bgp_stream_delay_seconds', 'histogram'],
      ['process_cpu_seconds_total', 'counter'],
      ['process_resident_memory_bytes', 'gauge'],
      ['nodejs_eventloop_lag_seconds', 'gauge'],
    ]) {
      expect(calm.families[name]?.[0], name).toBe(type);
    }

    const [hijacker, part] = ['origin_as="64666"', 'more_specific="192.23.62.128/25"'];
    simulator.step({ do: 'hijack', prefix: P4, by: 64_666 });
    simulator.step({ do: 'subprefix_hijack', prefix: P4, more_specific: '192.23.62.128/25', by: 64_667 });
    await agreement(exporter, (ours) => withText(ours, hijacker).length === 1 && withText(ours, part).length === 1);

    simulator.step({ do: 'recovery', prefix: P4 });
    simulator.step({ do: 'prepend', prefix: P6, times: 3 });
    await agreement(
      exporter,
      (ours) =>
        withText(ours, hijacker).length === 0 &&
        withText(ours, part).length === 0 &&
        Number(ours.series[`bgp_prefix_prepended_vps{prefix="${P6}"}`]) > 0,
    );

    simulator.step({ do: 'outage', prefix: P4 });
    const dark = await agreement(exporter, ({ series }) => series[visible] === 0);
    expect(withText(dark, `bgp_prefix_as_path_length_max{prefix="${P4}"}`)).toEqual([]);

    made.config.prefixes = `[{prefix: ${P4}}, {prefix: ${P4_NEW}}]`;
    await exporter.reload();
    simulator.step({ do: 'recovery', prefix: P4 });
    const reloaded = await agreement(
      exporter,
      ({ series }) => Number(series[visible]) > 10 && Number(series[`bgp_prefix_visible_vps{prefix="${P4_NEW}"}`]) > 10,
    );
    expect(withText(reloaded, P6)).toEqual([]);
    expect(withText(reloaded, 'description=')).toEqual([]);
    expect(withText(reloaded, `prefix="${P4_NEW}"`).length).toBeGreaterThan(20);
    expect(collector.log()).toBe('');

    // The last word.
    simulator.step({ do: 'outage', prefix: P4 });
    await until(async () => expect((await own(exporter)).series[visible]).toBe(0));
    await exporter.stop();
    const left = await theirs();
    expect(left.series[visible]).toBe(0);
    expect(left.series['bgp_stream_up{session="0",source="bgproutes"}']).toBe(0);
  });
});

describe('what arrives', () => {
  it('has the resource, the scope, stable start times, cumulative counts and bounds; both encodings the same', async () => {
    const seen: unknown[] = [];
    for (const protocol of ['http/protobuf', 'http/json']) {
      const made = await following(
        `protocol: ${protocol}, resource_attributes: {site: 'Zürich', service.instance.id: one}`,
      );
      const { exporter } = made;
      await agreement(exporter, ({ series }) => Number(series[`bgp_prefix_visible_vps{prefix="${P4}"}`]) > 10);
      await exporter.stop();
      const sent = made.logger.lines.filter(({ message }) => message === 'OTLP export done').length;
      // On a busy machine the collector may have one that took the exporter too long to count as sent.
      await until(() => expect(collector.received().length).toBeGreaterThanOrEqual(sent));
      const requests = collector.received().map((line) => decodeJson(Buffer.from(line)));
      const starts = new Set<bigint>();
      for (const { resource, scope, metrics } of requests) {
        expect(resource).toMatchObject({
          'service.name': 'bgproutes-exporter',
          'service.instance.id': 'one',
          site: 'Zürich',
        });
        expect(scope.name).toBe('bgproutes-exporter');
        for (const { name, kind, temporality, monotonic, points } of metrics) {
          expect(temporality, name).toBe(kind === 'gauge' ? undefined : 'cumulative');
          expect(monotonic, name).toBe(kind === 'sum' ? true : undefined);
          for (const { start, time } of points) {
            if (kind !== 'gauge') starts.add(start);
            expect(start <= time, name).toBe(true);
          }
        }
      }
      expect(starts.size).toBeLessThanOrEqual(3);
      seen.push(
        (requests.at(-1)?.metrics ?? [])
          .filter(({ name }) => name.startsWith('bgp.'))
          .map(({ name, description, unit, kind, points }) => {
            const [{ attributes, value }] = points;
            const bounds = typeof value === 'object' ? value.bounds : undefined;
            return { name, description, unit, kind, labels: Object.keys(attributes), bounds };
          }),
      );
    }
    expect(seen[0]).toEqual(seen[1]);
  });
});
