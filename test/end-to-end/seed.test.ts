/** The table is seeded, healed, compared; and says so when it is not. */
import { expect, it } from 'vitest';
import { until } from '../support/patience.ts';
import { KEY, P4, P6, samples, seeded, tableRoutes, trueRoutes, world } from './world.ts';

const liveVp = (vps: readonly { readonly isLive: boolean; readonly key: string; readonly asn: number }[], i = 0) => {
  const live = vps.filter((vp) => vp.isLive);
  return live[i];
};

it('right after the start the table equals the truth, and nothing of it counts as news', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
  const now = await samples(w.exporter);
  expect(now.get(`bgp_prefix_visible_vps{prefix="${P4}"}`)).toBeGreaterThan(10);
  expect(now.get(`bgp_prefix_announcements_total{prefix="${P4}"}`)).toBe(0);
  expect(now.get(`bgp_prefix_vp_gains_total{prefix="${P4}"}`)).toBe(0);
  expect(now.get('bgp_table_seeds_total{result="success"}')).toBe(1);
  expect(now.get('bgp_table_seed_corrections_total')).toBe(0);
  const told = w.logger.lines.filter((line) => line.message === 'the table is complete');
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ level: 'info', fields: { routes: now.get('bgp_table_routes') } });
});

it('VPs of history-only sources never count', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  const all = [...w.simulator.routes({ includeHistoryOnly: true })].filter((route) => route.prefix === P4);
  const live = trueRoutes(w.simulator, P4);
  expect(all.length).toBeGreaterThan(live.length);
  expect(tableRoutes(w.exporter.table).filter((line) => line.includes(P4))).toEqual(live);
});

it('without access to the Data API the exporter runs all the same, and says that it is not seeded', async () => {
  const w = await world();
  w.simulator.faults.api('vantage_points', 403, 1_000);
  await w.start();
  await until(() => expect(w.exporter.ready()).toEqual({ ok: true }));
  await until(() =>
    expect(w.logger.lines.map((line) => line.message)).toContain(
      'the Data API refuses the key: the table stays unseeded',
    ),
  );
  const vp = liveVp(w.simulator.vantagePoints());
  w.simulator.announce(vp.key, P4, { asPath: `${vp.asn} 64500` });
  await until(async () => expect((await samples(w.exporter)).get(`bgp_prefix_visible_vps{prefix="${P4}"}`)).toBe(1));
  const now = await samples(w.exporter);
  expect(now.get('bgp_table_seeded')).toBe(0);
  expect(now.get('bgp_table_seeds_total{result="forbidden"}')).toBe(1);
  expect(now.get('bgp_data_api_requests_total{endpoint="vantage_points",result="forbidden"}')).toBe(1);
});

it('what happened while the stream was cut is filled in, is no announcement, and the gap is counted', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  const [withdrawing, changing] = w.simulator
    .vantagePoints()
    .filter((vp) => trueRoutes(w.simulator, P4).some((line) => line.startsWith(`${vp.key} |`)));
  await w.simulator.faults.goDown();
  await until(() => expect(w.exporter.figures.seeded).toBe(false));
  w.simulator.withdraw(withdrawing.key, P4);
  w.simulator.announce(changing.key, P4, { asPath: `${changing.asn} 64999 64500` });
  expect((await samples(w.exporter)).get('bgp_stream_up{source="bgproutes",session="0"}')).toBe(0);
  await w.simulator.faults.comeBack();
  await seeded(w);
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
  const now = await samples(w.exporter);
  expect(now.get('bgp_stream_gap_seconds_total{source="bgproutes",session="0"}')).toBeGreaterThan(0);
  expect(now.get(`bgp_prefix_withdrawals_total{prefix="${P4}"}`)).toBe(0);
  expect(now.get(`bgp_prefix_announcements_total{prefix="${P4}"}`)).toBe(0);
});

it('with a Data API that lags, the table is complete only when the lag has passed, and then it is right', async () => {
  const w = await world({ lag: '20s' }, { dataApiLagMs: 15_000 });
  const vp = liveVp(w.simulator.vantagePoints());
  // Just before the start: neither in the first answers, which end 15 s ago, nor in the stream.
  w.simulator.announce(vp.key, P4, { asPath: `${vp.asn} 64999 64500` });
  const startedMs = w.timers.now();
  await w.start();
  await seeded(w);
  expect(w.timers.now() - startedMs).toBeGreaterThan(20_000);
  // A newcomer who looks at the log sees why the table is not complete, and when it is.
  const told = w.logger.lines.filter(({ level, message }) => level === 'info' && message.startsWith('the table is '));
  const routes = expect.any(Number);
  expect(told.filter(({ message }) => !message.includes('still being read'))).toMatchObject([
    { message: 'the table is read from the Data API', fields: { session: 0, prefixes: 2 } },
    {
      message: 'the table is read; it counts as complete when the Data API has caught up with the stream',
      fields: { session: 0, routes, wait_seconds: expect.any(Number) },
    },
    { message: 'the table is complete', fields: { prefixes: 2, routes } },
  ]);
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
});

it('a comparison corrects what differs and counts it, and only as that', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  const vp = w.simulator
    .vantagePoints()
    .find((one) => trueRoutes(w.simulator, P4).some((line) => line.startsWith(`${one.key} |`)));
  if (vp === undefined) throw new Error('nobody sees the prefix');
  // A message that is broken on its way is lost, and nobody but a comparison can know.
  w.simulator.faults.corrupt(1, KEY);
  w.simulator.withdraw(vp.key, P4);
  await until(async () => {
    const now = await samples(w.exporter);
    expect(now.get('bgp_stream_decode_failures_total{source="bgproutes",session="0",reason="invalid_json"}')).toBe(1);
  });
  expect(tableRoutes(w.exporter.table)).not.toEqual(trueRoutes(w.simulator, P4, P6));
  await until(async () => {
    await w.exporter.compare();
    expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
  });
  const now = await samples(w.exporter);
  expect(now.get('bgp_table_seed_corrections_total')).toBe(1);
  expect(now.get(`bgp_prefix_withdrawals_total{prefix="${P4}"}`)).toBe(0);
  expect(now.get(`bgp_prefix_vp_losses_total{prefix="${P4}",reason="withdrawn"}`)).toBe(0);
});

it('routes of a VP that is down leave numerator and denominator, and come back when it is up', async () => {
  const w = await world({ poll: '10s' });
  await w.start();
  await seeded(w);
  const vp = w.simulator
    .vantagePoints()
    .find((one) => trueRoutes(w.simulator, P4).some((line) => line.startsWith(`${one.key} |`)));
  if (vp === undefined) throw new Error('nobody sees the prefix');
  const visible = `bgp_prefix_visible_vps{prefix="${P4}"}`;
  const expected = `bgp_prefix_expected_vps{prefix="${P4}"}`;
  const before = await samples(w.exporter);
  w.simulator.faults.killVantagePoint(vp.key);
  await until(async () => {
    const now = await samples(w.exporter);
    expect(now.get(visible)).toBe((before.get(visible) ?? 0) - 1);
    expect(now.get(expected)).toBe((before.get(expected) ?? 0) - 1);
    expect(now.get(`bgp_prefix_vp_losses_total{prefix="${P4}",reason="vp_down"}`)).toBe(1);
    expect(now.get(`bgp_prefix_vp_losses_total{prefix="${P4}",reason="withdrawn"}`)).toBe(0);
  });
  w.simulator.faults.reviveVantagePoint(vp.key);
  await until(async () => expect((await samples(w.exporter)).get(visible)).toBe(before.get(visible)));
  expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6));
});

it('a route that nothing confirms within route_ttl goes as expired, and its VP stays expected', async () => {
  const w = await world({ table: 'route_ttl: 1m' });
  await w.start();
  await seeded(w);
  const before = await samples(w.exporter);
  await until(async () => {
    const now = await samples(w.exporter);
    expect(now.get(`bgp_prefix_visible_vps{prefix="${P4}"}`)).toBe(0);
    expect(now.get(`bgp_prefix_vp_losses_total{prefix="${P4}",reason="expired"}`)).toBe(
      before.get(`bgp_prefix_visible_vps{prefix="${P4}"}`),
    );
    expect(now.get(`bgp_prefix_expected_vps{prefix="${P4}"}`)).toBe(
      before.get(`bgp_prefix_expected_vps{prefix="${P4}"}`),
    );
  });
});

it('with full_feed every VP with a whole table is expected, also one that never held the route', async () => {
  const w = await world({ table: 'expected_vps: full_feed' });
  await w.start();
  await seeded(w);
  const now = await samples(w.exporter);
  const expected = now.get(`bgp_prefix_expected_vps{prefix="${P4}"}`) ?? 0;
  expect(expected).toBeGreaterThanOrEqual(w.exporter.table.fullFeedVps.ipv4);
  expect(w.exporter.table.fullFeedVps.ipv4).toBeGreaterThan(0);
});

it('after a frame that could not be read the table is compared soon, not only at the next interval', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  const vp = w.simulator
    .vantagePoints()
    .find((one) => trueRoutes(w.simulator, P4).some((line) => line.startsWith(`${one.key} |`)));
  if (vp === undefined) throw new Error('nobody sees the prefix');
  w.simulator.faults.corrupt(1, KEY);
  w.simulator.withdraw(vp.key, P4);
  await until(() => expect(tableRoutes(w.exporter.table)).toEqual(trueRoutes(w.simulator, P4, P6)));
  expect(w.exporter.figures.corrections).toBe(1);
});
