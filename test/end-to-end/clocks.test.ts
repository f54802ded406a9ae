/** The clock of the machine is wrong, or is set, while the exporter runs: the service's is not. */
import { expect, it } from 'vitest';
import { until } from '../support/patience.ts';
import { P4, samples, seeded, tableRoutes, trueRoutes, type World, world } from './world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SESSION = '{source="bgproutes",session="0"}';

/** A VP that holds P4 withdraws it, and the table follows. */
async function expectWithdrawalCounts(w: World): Promise<void> {
  const held = tableRoutes(w.exporter.table).length;
  const [vp] = w.simulator
    .vantagePoints()
    .filter(({ key }) => trueRoutes(w.simulator, P4).some((one) => one.includes(key)));
  w.simulator.withdraw(vp.key, P4);
  await until(() => expect(tableRoutes(w.exporter.table)).toHaveLength(held - 1));
}

it.each([HOUR_MS, -HOUR_MS, 3 * DAY_MS, -3 * DAY_MS])(
  'a clock that is set by %d ms while the exporter runs ages, expires and drops nothing',
  async (byMs) => {
    const w = await world();
    await w.start();
    await seeded(w);
    const before = await samples(w.exporter);
    w.machine.setClock(byMs);
    await until(async () => expect((await samples(w.exporter)).get('bgp_table_clock_steps_total')).toBe(1));
    await seeded(w);
    await expectWithdrawalCounts(w);
    const after = await samples(w.exporter);
    expect(after.get(`bgp_stream_dropped_events_total{source="bgproutes",session="0",reason="out_of_order"}`)).toBe(0);
    expect(after.get(`bgp_stream_future_timestamps_total${SESSION}`)).toBe(0);
    expect(after.get('bgp_table_clock_offset_seconds')).toBe(0);
    expect(after.get('bgp_table_seeds_total{result="success"}')).toBe(
      before.get('bgp_table_seeds_total{result="success"}'),
    );
    expect(after.get(`bgp_prefix_expected_vps{prefix="${P4}"}`)).toBe(
      before.get(`bgp_prefix_expected_vps{prefix="${P4}"}`),
    );
    // What a rule reads as `time() - x`, or `x - time()`, is right by the machine's clock.
    const machineSeconds = w.machine.now() / 1000;
    const expiry = after.get(`bgp_stream_subscription_expiry_timestamp_seconds${SESSION}`)! - machineSeconds;
    expect(expiry).toBeGreaterThan(3 * 3_600);
    expect(expiry).toBeLessThanOrEqual(4 * 3_600);
    const heard = machineSeconds - after.get(`bgp_stream_last_frame_timestamp_seconds${SESSION}`)!;
    expect(Math.abs(heard)).toBeLessThan(600);
  },
);

it('until the offset is measured again nothing is trusted, and what comes live counts', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  w.simulator.faults.api('vantage_points', 503, 1_000);
  w.machine.setClock(-HOUR_MS);
  await until(async () => expect((await samples(w.exporter)).get('bgp_table_seeded')).toBe(0));
  expect((await samples(w.exporter)).get(`bgp_prefix_trusted{prefix="${P4}"}`)).toBe(0);
  expect((await samples(w.exporter)).has('bgp_table_clock_offset_seconds')).toBe(false);
  await expectWithdrawalCounts(w);
});

it('a machine that was suspended reads everything again: its clock went on, and the elapsed time did not', async () => {
  const w = await world();
  await w.start();
  await seeded(w);
  // Seen from a machine that stood still for an hour, the service is an hour ahead.
  w.timers.setClock(HOUR_MS);
  w.machine.setClock(HOUR_MS);
  await until(async () =>
    expect((await samples(w.exporter)).get('bgp_table_clock_offset_seconds')).toBeGreaterThan(3_590),
  );
  await seeded(w);
  await expectWithdrawalCounts(w);
  expect(tableRoutes(w.exporter.table).filter((one) => one.includes(P4))).toEqual(trueRoutes(w.simulator, P4));
});

it('a clock that is an hour off is allowed for, and being set right changes nothing', async () => {
  const w = await world();
  w.machine.setClock(-HOUR_MS);
  await w.start();
  await seeded(w);
  await expectWithdrawalCounts(w);
  w.machine.setClock(HOUR_MS);
  await until(async () => expect((await samples(w.exporter)).get('bgp_table_clock_steps_total')).toBe(1));
  await seeded(w);
  await expectWithdrawalCounts(w);
  expect(w.logger.values('ahead_seconds')).toHaveLength(1);
});

it('a clock that is two days off is a warning and no seed, and what comes live counts', async () => {
  const w = await world();
  w.machine.setClock(-2 * DAY_MS);
  await w.start();
  await until(() =>
    expect(
      w.logger.lines.filter(({ level }) => level === 'warn').map(({ fields }) => String(fields?.error)),
    ).toContainEqual(expect.stringContaining('more than a day off')),
  );
  const now = await samples(w.exporter);
  expect([now.get('bgp_table_seeded'), now.get(`bgp_prefix_trusted{prefix="${P4}"}`)]).toEqual([0, 0]);
  const [vp] = w.simulator.vantagePoints().filter(({ isLive }) => isLive);
  w.simulator.announce(vp.key, P4, { asPath: `${vp.asn} 64500` });
  await until(() => expect(w.exporter.table.routes).toBe(1));
  w.simulator.withdraw(vp.key, P4);
  await until(() => expect(w.exporter.table.routes).toBe(0));
});
