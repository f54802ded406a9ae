/** bgproutes.io and RIS Live at once: one table, each VP once, and one that fails takes nothing from the other. */
import { expect, it } from 'vitest';
import { until } from '../support/patience.ts';
import { P4, P6, samples, seeded, tableRoutes, trueRoutes, type World, world } from './world.ts';

const up = (source: string) => `bgp_stream_up{source="${source}",session="0"}`;
const counted = (name: string, prefix: string) => `bgp_prefix_${name}_total{prefix="${prefix}"}`;

async function twoSources(): Promise<World> {
  const w = await world();
  const { websocketUrl, url } = w.simulator;
  w.config.more = `sources: [bgproutes, ris-live]\nris_live: {url: "${websocketUrl}/v1/ws/", ripestat_url: "${url}", stale_after: 20s}`;
  await w.start();
  await seeded(w);
  // The table counts as complete as soon as one source is read.
  await until(() => expect(w.exporter.figures.seeds.success).toBeGreaterThan(1));
  return w;
}

function risKeys({ simulator }: World): ReadonlySet<string> {
  const isPeer = (vp: { readonly source: string; readonly protocol: string }) =>
    vp.source === 'ris' && vp.protocol === 'bgp';
  return new Set(
    simulator
      .vantagePoints()
      .filter(isPeer)
      .map(({ key }) => key),
  );
}

function peers({ simulator }: World) {
  const held = trueRoutes(simulator, P4);
  return simulator
    .vantagePoints()
    .filter(
      ({ key, source, protocol }) =>
        source === 'ris' && protocol === 'bgp' && held.some((line) => line.startsWith(`${key} |`)),
    );
}

it('what both say is counted once, as by one alone', async () => {
  const w = await twoSources();
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6)));
  const [one, two] = peers(w);
  for (let i = 0; i < 5; i++) w.simulator.announce(one.key, P4, { asPath: `${one.asn} ${64700 + i} 64500` });
  w.simulator.withdraw(two.key, P4);
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6)));
  await until(async () => {
    const now = await samples(w.exporter);
    expect(now.get('bgp_stream_dropped_events_total{source="ris-live",session="0",reason="other_source"}')).toBe(6);
  });
  const now = await samples(w.exporter);
  expect([now.get(counted('announcements', P4)), now.get(counted('withdrawals', P4))]).toEqual([5, 1]);
  expect([now.get(up('bgproutes')), now.get(up('ris-live'))]).toEqual([1, 1]);
});

it('RIS Live that is lost, or answers nonsense, takes nothing away and silences nothing', async () => {
  const w = await twoSources();
  const before = tableRoutes(w.exporter.table);
  w.simulator.faults.emptyRipestat();
  w.simulator.faults.risLive('silent');
  await until(async () => expect((await samples(w.exporter)).get(up('ris-live'))).toBe(0));
  const now = await samples(w.exporter);
  expect(now.get(`bgp_prefix_trusted{prefix="${P4}"}`)).toBe(1);
  expect(tableRoutes(w.exporter.table)).toEqual(before);
  const [one] = peers(w);
  w.simulator.withdraw(one.key, P4);
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6)));
  w.simulator.faults.clear();
  await until(async () => expect((await samples(w.exporter)).get(up('ris-live'))).toBe(1));
});

it('a step of the scenario takes one source away: the other one goes on alone, and all comes back', async () => {
  const w = await twoSources();
  w.simulator.step({ do: 'source_loss', source: 'bgproutes' });
  await until(async () => expect((await samples(w.exporter)).get(up('bgproutes'))).toBe(0));
  const alone = trueRoutes(w.simulator, P4, P6).filter((line) => risKeys(w).has(line.slice(0, line.indexOf(' | '))));
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(alone));
  const [one] = peers(w);
  w.simulator.announce(one.key, P4, { asPath: `${one.asn} 64999 64500` });
  await until(async () => expect((await samples(w.exporter)).get(counted('announcements', P4))).toBe(1));
  const now = await samples(w.exporter);
  expect([now.get(`bgp_prefix_trusted{prefix="${P4}"}`), now.get('bgp_table_seeded')]).toEqual([1, 1]);
  expect(now.get(`bgp_prefix_expected_vps{prefix="${P4}"}`)).toBe(now.get(`bgp_prefix_visible_vps{prefix="${P4}"}`));
  expect(now.get('bgp_table_seeded_prefixes{source="bgproutes"}')).toBe(0);
  w.simulator.faults.sourceUp('bgproutes');
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6)));
  await until(async () =>
    expect((await samples(w.exporter)).get('bgp_table_seeded_prefixes{source="bgproutes"}')).toBe(2),
  );
});
